"""Measure recognition on any folder of pictures: ``python -m tools.evaluate FOLDER… [--html FILE] [--json FILE]``.

Two levels. *reader*: each plate is cut out by its annotated corners (else its box) and read, so reading alone is
measured. *whole*: the whole picture goes through the engine of ``lpr.read`` with its default settings, from the file's
bytes on; a plate is right when any reading says exactly its text. ``samples`` reads folders, ``scores`` is the
arithmetic (pure), ``levels`` measures, ``report``, ``svg`` and ``markdown`` show.

docs/models.md says how to use it. May import numpy, OpenCV and ``lpr``.
"""

from __future__ import annotations

from tools.evaluate.scores import calibration_error, fit_temperature, folded

__all__ = ["calibration_error", "fit_temperature", "folded"]

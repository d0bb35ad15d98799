"""The engine's modes: how hard each looks (the VTR600 manual's processing mode). docs/models.md has what each costs and
gains, and what else was tried.

Pure. May import ``lpr.vision.looks`` and ``lpr.vision.verdict``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lpr.vision.looks import ALL_LOOKS, SECOND_LOOKS, Framing
from lpr.vision.verdict import DIM

__all__ = ["MODES", "Effort"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard an engine looks. For detectors of free size, in shares of the usual input: ``quick_scale``: of a first
    look, 0 for none; the usual one follows where no plate was read with a confidence of ``enough`` (``enough_read``).
    ``scales``: of several looks at the whole picture, all of them taken (none: the usual one alone). A plate read with
    less than ``doubt`` is read in more ``framings``; over 1: every plate. Exposures of one plate less than
    ``stack_under`` pixels high are read stacked besides. ``dim``: how far (in its logit) a detection may lie under the
    threshold to be read where nothing else is (``lpr.vision.verdict``)."""

    quick_scale: float = 0.0
    enough: float = 0.0
    scales: tuple[float, ...] = ()
    framings: tuple[Framing, ...] = ()
    doubt: float = 0.0
    stack_under: float = 0.0
    dim: float = 0.0


MODES: Final[dict[str, Effort]] = {
    "fast": Effort(quick_scale=0.6, enough=0.2),
    "normal": Effort(quick_scale=0.6, enough=0.6, framings=SECOND_LOOKS, doubt=0.85, dim=DIM),
    "thorough": Effort(scales=(0.7, 1.0, 1.6), framings=ALL_LOOKS, doubt=2.0, stack_under=13.0, dim=DIM),
}
"""The modes by their names in the configuration."""

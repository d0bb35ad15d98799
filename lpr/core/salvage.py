"""A damaged log: keep the file, carry everything that can be read into a new one, and say what is missing.

May import ``lpr.events`` only.
"""

from __future__ import annotations

from pathlib import Path

from lpr.core.errors import LogDamagedError
from lpr.events import LogRecovered


def salvage(path: Path, problem: str, new_id: str) -> tuple[LogRecovered, ...]:
    raise LogDamagedError(problem)

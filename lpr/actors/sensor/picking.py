"""Reading ahead in a worker thread: only the frames that a trigger looks at get their pixels.

A trigger with a time grid (free flow, motion) looks at the first frame of each of the grid's cells and at no other. So
the frames between are decoded, as they must be, and neither converted nor handed on; one hop to the thread and back
brings the frames of a whole cell or of several. While somebody watches the live picture every frame is handed on.
May import ``lpr.config``, ``lpr.core`` and ``lpr.vision``.
"""

from __future__ import annotations

from typing import NamedTuple

from lpr.config import Trigger
from lpr.core.clock import SECOND, Clock
from lpr.core.live import LiveView
from lpr.events import Micros
from lpr.vision.sources import Reader, Shot
from lpr.vision.triggers import cell_of

MOST_SHOTS = 64
"""Frames of one hop at most, with those that are passed over."""

LONGEST = SECOND // 2
"""A hop to a live source takes no longer than this and one frame, µs: who watches over it sees that it lives."""


class Stamped(NamedTuple):
    """A frame and its time. ``at``: µs; of a live source the wall clock's when the frame was there."""

    shot: Shot
    at: Micros


def sampling_rate(trigger: Trigger) -> float | None:
    """Cells a second of the grid whose first frames are all that ``trigger`` looks at; None: it may want any frame."""
    if trigger.kind == "free-flow" or (trigger.kind == "motion" and trigger.exposures == 1):
        return trigger.rate
    return None


class Picker:
    """Frames of one opening. ``rate``: as ``sampling_rate`` gives it; ``base``: where the grid and its times begin.

    ``live``: frames bear the wall clock's time, else that of the file. Not safe for two threads at once.
    """

    def __init__(
        self, reader: Reader, clock: Clock, view: LiveView, base: Micros, rate: float | None, *, live: bool
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._view = view
        self._base = base
        self._rate = rate
        self._live = live
        self._cell: int | None = None
        self._at: Micros | None = None

    def read(self, most: int, before: int | None = None) -> list[Stamped]:
        """The next frames until ``most`` of them have pixels; empty at the end. Blocking. Raises SourceError.

        ``before``: the position of the first frame that is not to be read any more.
        """
        found: list[Stamped] = []
        pictures = 0
        until = self._clock.mono() + LONGEST if self._live else None
        while pictures < most and len(found) < MOST_SHOTS:
            self._at = None
            shot = self._reader.read(self._wanted)
            if shot is None:
                break
            found.append(Stamped(shot, self._time(shot.offset) if self._at is None else self._at))
            pictures += shot.image is not None
            if before is not None and shot.position + 1 >= before:
                break
            if until is not None and self._clock.mono() >= until:
                break
        return found

    def _wanted(self, offset: Micros) -> bool:
        self._at = at = self._time(offset)
        if self._rate is None:
            return True
        cell = cell_of(at, self._base, self._rate)
        if cell == self._cell and not self._view.watched:
            return False
        self._cell = cell
        return True

    def _time(self, offset: Micros) -> Micros:
        return self._clock.wall() if self._live else self._base + offset

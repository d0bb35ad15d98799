"""Where to draw the plates on a picture that is newer than the one they were read on; and which pictures to take.

Pure: times are handed in. May import ``lpr.core.live`` and ``lpr.events``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from lpr.core.live import LiveSnapshot
from lpr.events import Micros, Reading

SHOWN: Micros = 600_000
"""A plate is drawn on pictures up to so much newer than the one it was read on."""
FRESH: Micros = 250_000
"""One of which it isn't known how it moves is drawn for so long alone."""
REACH = 2.0
"""A plate is taken for the one before when its centre lies within so many of its widths."""
MOST_STEPS = 4.0
"""A plate is moved on by at most so many of its last steps."""


class _Read(NamedTuple):
    at: Micros
    readings: tuple[Reading, ...]


class Marks:
    """The plates of one camera. They are moved on as they moved between the last two pictures that were read."""

    def __init__(self) -> None:
        self._before: _Read | None = None
        self._last: _Read | None = None

    def of(self, snapshot: LiveSnapshot) -> tuple[Reading, ...]:
        """The plates to draw on ``snapshot.frame``, with corners in its pixels. To be asked in order of versions."""
        frame, read = snapshot.frame, snapshot.read_frame
        if read is None or frame is None:
            return ()
        if self._last is None or self._last.at != read.at:
            newer = self._last is not None and 0 < read.at - self._last.at <= SHOWN
            self._before = self._last if newer else None
        self._last = _Read(read.at, snapshot.readings)
        ahead = frame.at - read.at
        if not 0 <= ahead <= SHOWN or read.image.shape != frame.image.shape:
            return ()
        before = self._before or _Read(read.at - SHOWN, ())
        share = ahead / (read.at - before.at)
        found: list[Reading] = []
        for reading in snapshot.readings:
            moved = _moved(reading, before.readings, share)
            if moved is not None or ahead <= FRESH:
                found.append(moved or reading)
        return tuple(found)


def _moved(reading: Reading, before: tuple[Reading, ...], share: float) -> Reading | None:
    """``reading`` moved on for ``share`` of the time since it was among ``before``; None when it wasn't.

    What comes nearer at a constant speed moves and grows ever faster in the picture: its size is one over a distance
    that falls evenly, and each of its points lies on a straight line over that size. With ``growth`` = size now / then,
    a point goes on by its last step times ``share * growth / (1 + (1 - growth) * share)``.
    """
    x, y = _centre(reading)
    width = max(x for x, _ in reading.corners) - min(x for x, _ in reading.corners)

    def distance(other: Reading) -> float:
        there = _centre(other)
        return max(abs(there[0] - x), abs(there[1] - y))

    nearest = min(before, key=distance, default=None)
    if nearest is None or distance(nearest) > REACH * width:
        return None
    growth = _girth(reading) / max(1.0, _girth(nearest))
    steps = min(MOST_STEPS, share * growth / max(0.1, 1 + (1 - growth) * share))
    corners = tuple(
        (now[0] + (now[0] - then[0]) * steps, now[1] + (now[1] - then[1]) * steps)
        for now, then in zip(reading.corners, nearest.corners, strict=True)
    )
    return msgspec.structs.replace(reading, corners=corners)


def _girth(reading: Reading) -> float:
    corners = reading.corners
    return sum(math.dist(one, other) for one, other in zip(corners, (*corners[1:], corners[0]), strict=True))


def _centre(reading: Reading) -> tuple[float, float]:
    return sum(x for x, _ in reading.corners) / 4, sum(y for _, y in reading.corners) / 4


class Pace:
    """Which pictures of a faster source to take for ``rate`` a second (0: all), without making any wait."""

    def __init__(self, rate: float) -> None:
        self._gap = round(1e6 / rate) if rate else 0
        self._due: Micros | None = None

    def take(self, now: Micros) -> bool:
        """Whether the picture that comes at ``now`` (µs, monotonic) is one of them."""
        if self._due is None:
            self._due = now + self._gap
            return True
        if now < self._due - self._gap // 3:
            return False
        self._due = max(self._due + self._gap, now)
        return True

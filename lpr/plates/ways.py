"""Where a plate is, where it goes and whether it comes or leaves: places in a picture and the lines through them.

On a straight road with a camera that stands, the size of a plate is the inverse of its distance and its place in the
picture is linear in its size. So the inverse of the size is linear in time at a steady speed, and a few places tell
where the vehicle will be, whether it comes or leaves. Pure and total. Imports ``lpr.events`` (value types) and
``lpr.plates.legible`` (how large a plate is).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from lpr.events import Micros, Reading
from lpr.plates.legible import plate_height, plate_width

SECOND = 1_000_000

LEARNED = 1.0
"""Seconds of a vehicle's last places from which its way is learned."""

_SMALLEST = 1.0
"""Widths and heights below one pixel count as one."""
_FARTHEST = 1e6
"""Coordinates beyond this are taken as this, so that no sum overflows."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a plate was seen: its centre, width and height in pixels. ``when``: µs of the source's clock."""

    when: Micros
    x: float
    y: float
    width: float
    height: float

    @property
    def side(self) -> float:
        """Of the square as large as the plate, pixels: steadier than its height, which is a few pixels far away."""
        return math.sqrt(self.width * self.height)


class Growth(msgspec.Struct, frozen=True, array_like=True):
    """Sums over the sightings for a straight line through the logarithm of the plate's height over time.

    ``climb``: how far the plate moved down the picture, in plate heights.
    """

    count: int = 0
    t: float = 0.0
    h: float = 0.0
    tt: float = 0.0
    th: float = 0.0
    climb: float = 0.0


def place_of(reading: Reading, when: Micros) -> Place:
    """Where ``reading`` is."""
    x = sum(_bounded(corner[0]) for corner in reading.corners) / 4.0
    y = sum(_bounded(corner[1]) for corner in reading.corners) / 4.0
    width = max(_SMALLEST, _bounded(plate_width(reading.corners)))
    return Place(when, x, y, width, max(_SMALLEST, _bounded(plate_height(reading.corners))))


def onward(
    places: Sequence[Place], speed: tuple[float, float], place: Place, seconds: float
) -> tuple[float, float, float]:
    """(pixels across, pixels down, times as large) that a vehicle goes on in so many seconds at its speed.

    On a straight road the inverse of a plate's size is linear in time, and its place is linear in its size: both lines
    are laid through the vehicle's last places. With too few of them, or where its size says nothing, it is taken to
    move on with ``speed`` (pixels a second), the faster or slower for how large ``place`` is.
    """
    last = places[-1]
    lines = _lines(tuple(places)) if seconds > 0.0 else None
    if lines is not None:
        rate, x, y = lines
        growth = max(0.5, min(2.0, 1.0 / max(1e-9, 1.0 + rate * seconds * last.width)))
        more = last.width * (growth - 1.0)
        return x * more, y * more, growth
    scaled = max(0.5, min(2.0, place.side / last.side))
    return speed[0] * seconds * scaled, speed[1] * seconds * scaled, 1.0


@lru_cache(maxsize=256)
def _lines(places: tuple[Place, ...]) -> tuple[float, float, float] | None:
    """The inverse of the width over time (1 / pixel s), and the place (across, down) over the width; None: unknown.

    Kept, because each reading of a look is held against the same vehicles.
    """
    last = places[-1]
    known = [each for each in places if last.when - each.when <= LEARNED * SECOND]
    sizes = [each.width for each in known]
    if len(known) < 4 or max(sizes) < 1.15 * min(sizes):
        return None
    times = [(each.when - last.when) / SECOND for each in known]
    rate = _slope(times, [1.0 / size for size in sizes])
    return rate, _slope(sizes, [each.x for each in known]), _slope(sizes, [each.y for each in known])


def direction(growth: Growth) -> str:
    """Either "approach" when the plate grew or went down the picture, "away" when it shrank or rose, or "unknown".

    From a straight line through the logarithm of its height: a fifth more or less over the whole way is a
    direction; without that, one and a half plate heights up or down.
    """
    if growth.count < 2:
        return "unknown"
    spread = growth.tt - growth.t * growth.t / growth.count
    if spread > 1e-9:
        slope = (growth.th - growth.t * growth.h / growth.count) / spread
        change = slope * math.sqrt(12.0 * spread / growth.count)
        if abs(change) >= 0.18:
            return "approach" if change > 0 else "away"
    if abs(growth.climb) >= 1.5:
        return "approach" if growth.climb > 0 else "away"
    return "unknown"


def grown(growth: Growth, seconds: float, last: Place | None, place: Place) -> Growth:
    """The sums with one more sighting, ``seconds`` after the first; ``last``: the one before, None at the first."""
    h = math.log(place.height)
    climb = 0.0 if last is None else (place.y - last.y) / max(last.height, place.height)
    return Growth(
        growth.count + 1,
        growth.t + seconds,
        growth.h + h,
        growth.tt + seconds * seconds,
        growth.th + seconds * h,
        growth.climb + climb,
    )


def _slope(across: Sequence[float], up: Sequence[float]) -> float:
    """Of the straight line through these points by least squares; 0 where they lie above each other."""
    x, y = sum(across) / len(across), sum(up) / len(up)
    spread = sum((each - x) ** 2 for each in across)
    return sum((a - x) * (b - y) for a, b in zip(across, up, strict=True)) / spread if spread > 1e-12 else 0.0


def _bounded(pixels: float) -> float:
    return pixels if -_FARTHEST <= pixels <= _FARTHEST else max(-_FARTHEST, min(_FARTHEST, pixels))

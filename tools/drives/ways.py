"""The way of one vehicle: piecewise linear speed along the road, smooth moves across it. Pure functions of time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from lpr.scene.traffic import BEHIND, FAR, LENGTHS, Direction

Knots = tuple[tuple[float, float], ...]
"""(seconds, value), in order of time."""


@dataclass(frozen=True, kw_only=True)
class Mover:
    """A vehicle of a drive.

    ``key``: unique in its drive; ``plate``, ``layout``: text and format key; ``z``: metres from the camera to its near
    end at ``enters`` seconds, when it appears; ``speeds``: (s since then, m/s), linear between; ``across``: (s of the
    drive, metres from the road's middle), smooth between; ``moved``: ``FAR`` for the farthest place it is drawn.
    """

    key: int
    plate: str
    layout: str
    direction: Direction
    z: float
    speeds: Knots
    across: Knots
    enters: float = 0.0
    leaves: float = 1e9
    kind: Literal["car", "suv", "pickup", "van", "truck", "motorcycle"] = "car"
    paint: str = "white"
    style: int = 0

    @property
    def length(self) -> float:
        """Metres."""
        return LENGTHS[self.kind]

    def speed(self, t: float) -> float:
        """Metres a second at ``t`` seconds of the drive."""
        return float(np.interp(t - self.enters, *_split(self.speeds)))

    def place(self, t: float) -> tuple[float, float] | None:
        """(x, z) metres at ``t`` seconds of the drive; None when it isn't on the road."""
        if not self.enters <= t < self.leaves:
            return None
        way = _way(self.speeds, t - self.enters)
        z = self.z + way if self.direction == "away" else self.z - way
        if not max(BEHIND, -self.length) < z < FAR:
            return None
        return _smooth(self.across, t), z


def steady(speed: float) -> Knots:
    """One speed for ever."""
    return ((0.0, speed),)


def _split(knots: Knots) -> tuple[list[float], list[float]]:
    return [when for when, _ in knots], [value for _, value in knots]


def _way(speeds: Knots, seconds: float) -> float:
    """Metres driven: the integral of the speed from 0 to ``seconds``."""
    way, last, before = 0.0, 0.0, speeds[0][1]
    for when, speed in speeds:
        if when >= seconds:
            now = before + (speed - before) * ((seconds - last) / (when - last) if when > last else 0.0)
            return way + (seconds - last) * (before + now) / 2.0
        way, last, before = way + (when - last) * (before + speed) / 2.0, when, speed
    return way + (seconds - last) * before


def _smooth(knots: Knots, t: float) -> float:
    """The value at ``t``, eased between the knots, constant outside."""
    for (since, first), (until, second) in pairwise(knots):
        if since <= t < until:
            part = (t - since) / (until - since)
            return first + (second - first) * part * part * (3.0 - 2.0 * part)
    return knots[0][1] if t < knots[0][0] else knots[-1][1]

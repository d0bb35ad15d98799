"""Vehicles on which no plate was found: when such a track is a passage of its own ("no plate").

The finder of vehicles errs, and a plate may be found in one frame and not in the next, so a passage without a plate
needs more: ``unplated_readings`` sightings, and no vehicle with a plate that was seen where this one was. Pure;
imports ``lpr.events`` and ``lpr.plates.tracks``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lpr.events import Box, Corners, Reading
from lpr.plates.tracks import SECOND, Trail

REACH = 2.6
"""A plate within so many widths of where the other's would be is on the same vehicle: half a car and some more."""

ABOUT = 0.7
"""Seconds within which two sightings are of the same moment."""


def is_unplated(readings: Iterable[Reading]) -> bool:
    """Whether no reading of a vehicle is of a plate."""
    return all(not reading.plated for reading in readings)


def objection(trail: Trail, others: Sequence[Trail], sightings: int) -> str:
    """Why a vehicle without a plate makes no passage, "" when it does. ``others``: the trails that have a text."""
    if trail.sights < sightings:
        return "no plate, too few sightings"
    host = next(
        (other for other in others if other.text and other.number != trail.number and _same(trail, other)), None
    )
    return f"no plate beside {host.text}" if host is not None else ""


def _same(trail: Trail, other: Trail) -> bool:
    """Whether a plate was seen where this vehicle was, at about the same moment."""
    for place in trail.places:
        for theirs in other.places:
            if abs(place.when - theirs.when) <= ABOUT * SECOND:
                away = math.hypot(place.x - theirs.x, place.y - theirs.y)
                if away <= REACH * max(place.width, theirs.width):
                    return True
    return False


def frame_of(reading: Reading) -> tuple[Box, Corners]:
    """Box and corners that stand for a vehicle without a plate in its passage: its own."""
    box = reading.vehicle.box if reading.vehicle is not None and reading.vehicle.box is not None else reading.box
    x1, y1, x2, y2 = box
    return box, ((x1, y1), (x2, y1), (x2, y2), (x1, y2))

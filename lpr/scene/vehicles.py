"""The demo street's vehicles by kind. Imports ``lpr.scene``."""

from __future__ import annotations

from functools import lru_cache

from lpr.scene.bodies import PAINTS, Body
from lpr.scene.cars import car
from lpr.scene.trucks import motorcycle, truck


@lru_cache(maxsize=48)
def body(kind: str, paint: str, front: bool, style: int) -> Body:
    """The body of a vehicle as seen from the ``front`` or from behind. ``style``: 0 to 15, varies the details."""
    colour = PAINTS[paint]
    if kind == "truck":
        return truck(colour, front, style)
    if kind == "motorcycle":
        return motorcycle(colour, front, style)
    return car(kind, colour, front, style)

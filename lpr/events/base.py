"""What every event and value is made of: times, places in pictures, and the two bases.

Imports nothing of ours.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec

Micros: TypeAlias = int
"""Microseconds since the Unix epoch, UTC."""


Point: TypeAlias = tuple[float, float]
"""(x, y) in pixels."""


Box: TypeAlias = tuple[float, float, float, float]
"""(x1, y1, x2, y2) in pixels: left, top, right, bottom."""


Corners: TypeAlias = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left *of the plate* (not of the picture), in pixels."""


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the value types that events are made of."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every event. ``version`` is the version of the event's meaning, not of its fields."""

    version: ClassVar[int] = 1

"""What a plate's size in the picture leaves of what its reader says.

A reader is asked for a text and gives one, of a smear of a hundred pixels too, and may be sure of it: seven characters
on a plate of 20 × 6 pixels have three columns each. Of readings with a confidence of 0.7 to 0.9 on rendered drives
1 in 30 was right where the plate was as large as a square of up to 13 pixels, 1 in 5 up to 14, 1 in 4 up to 15, half up
to 16, two thirds beyond (docs/fusion.md). So the tracker and the vote take a reading at its word times ``legibility``;
the log keeps what the engine said. A square as large as the plate, and not its height: plates of two rows are read
as far away as those of one. Pure. Imports ``lpr.events`` (value types).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from lpr.events import Character, Corners, Reading

BLIND, CLEAR = 12.0, 16.0
"""Pixels: the side of the square as large as a plate on which nothing can be read, and from which on a reading's
confidence stands."""


def plate_height(corners: Corners) -> float:
    """Mean length of a plate's left and right edges, pixels."""
    top_left, top_right, bottom_right, bottom_left = corners
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2.0


def plate_width(corners: Corners) -> float:
    """Mean length of a plate's upper and lower edges, pixels."""
    top_left, top_right, bottom_right, bottom_left = corners
    return (math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)) / 2.0


def legibility(corners: Corners) -> float:
    """The part of a reading's confidence that holds for a plate of this size, 0 to 1."""
    side = math.sqrt(plate_width(corners) * plate_height(corners))
    return min(1.0, max(0.0, (side - BLIND) / (CLEAR - BLIND))) if math.isfinite(side) else 1.0


def trusted(reading: Reading) -> Reading:
    """The reading with the confidences that its plate's size leaves it; itself where that is all."""
    part = legibility(reading.corners)
    if part >= 1.0 or not reading.text:
        return reading
    characters = lessened(reading.characters, part)
    return msgspec.structs.replace(reading, confidence=round(reading.confidence * part, 4), characters=characters)


def lessened(characters: Sequence[Character], part: float) -> tuple[Character, ...]:
    """Characters whose probabilities are only ``part`` (0 to 1) of what they were: the rest is doubt."""
    if part >= 1.0:
        return tuple(characters)
    return tuple(
        Character(
            char=each.char,
            confidence=round(each.confidence * part, 4),
            others=tuple((char, round(share * part, 4)) for char, share in each.others),
        )
        for each in characters
    )

"""Upright boxes (x1, y1, x2, y2): round corners, their area, what two share. Pure. Imports ``lpr.events``."""

from __future__ import annotations

from lpr.events import Box, Corners

__all__ = ["area", "around", "overlap", "within"]


def area(box: Box) -> float:
    """Of a box, in its unit squared; 0 for one that is turned inside out."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def around(corners: Corners) -> Box:
    """The box round four corners."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    shared = _shared(first, second)
    return shared / max(area(first) + area(second) - shared, 1e-9)


def within(first: Box, second: Box) -> float:
    """The part of the smaller of two boxes that lies in the other, 0 to 1."""
    return min(1.0, _shared(first, second) / max(min(area(first), area(second)), 1e-9))


def _shared(first: Box, second: Box) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return width * height if width > 0.0 and height > 0.0 else 0.0

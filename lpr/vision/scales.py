"""Looking for plates at more than one scale: the whole picture small, and again larger or in parts.

A network of free size gets the picture a second time, larger; one of a fixed size gets it in overlapping parts. Both
find plates too small for the first look; what both find is one plate, and the better look's corners are kept.

Pure but for the detectors that it is given. May import ``lpr.events``, ``lpr.vision.detect`` and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners, Point
from lpr.vision.detect import Detection, suppress

__all__ = ["Finder", "Parts", "TwoScales", "parts"]

OVERLAP: Final = 0.25
"""Share of a part that its neighbour shows too: a plate is cut by no more than one of them."""

SAME: Final = 0.3
"""Overlap (IoU) from which two detections of different looks are one plate."""


class Finder(Protocol):
    """Finds plates; ``lpr.vision.detect.PlateDetector`` is one."""

    @property
    def name(self) -> str: ...
    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]: ...


@dataclass(frozen=True)
class TwoScales:
    """``near``: the usual look. ``far``: the one for small plates."""

    near: Finder
    far: Finder

    @property
    def name(self) -> str:
        """The models' name, for the log."""
        return self.near.name

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Plates on ``image`` ((H, W, 3) BGR uint8) by both looks, best first, in its pixels. Raises ModelError."""
        return unique([*self.near.detect(image), *self.far.detect(image)])


@dataclass(frozen=True)
class Parts:
    """``finder`` on overlapping parts of the picture, ``across`` x ``down`` of them."""

    finder: Finder
    across: int = 2
    down: int = 2

    @property
    def name(self) -> str:
        """The model's name, for the log."""
        return self.finder.name

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Plates on ``image``, best first, in its pixels. One that an inner border cuts is left to the neighbour."""
        height, width = image.shape[:2]
        found: list[Detection] = []
        for x1, y1, x2, y2 in parts(width, height, self.across, self.down):
            for one in self.finder.detect(np.ascontiguousarray(image[y1:y2, x1:x2])):
                left, top, right, bottom = one.box
                cut = (
                    (x1 > 0 and left <= 1)
                    or (y1 > 0 and top <= 1)
                    or (x2 < width and right >= x2 - x1 - 1)
                    or (y2 < height and bottom >= y2 - y1 - 1)
                )
                if not cut:
                    found.append(_moved(one, x1, y1))
        return unique(found)


def parts(width: int, height: int, across: int, down: int) -> list[tuple[int, int, int, int]]:
    """Overlapping parts (x1, y1, x2, y2) that cover a picture of ``width`` x ``height`` pixels, row by row."""
    return [(x1, y1, x2, y2) for y1, y2 in _spans(height, down) for x1, x2 in _spans(width, across)]


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    size = min(length, round(length / (count - (count - 1) * OVERLAP)) + 1)
    steps = max(count - 1, 1)
    return [(at := round(number * (length - size) / steps), at + size) for number in range(count)]


def unique(found: Sequence[Detection]) -> list[Detection]:
    """``found`` with each plate once, the surest detection of it, best first."""
    if not found:
        return []
    boxes = np.array([one.box for one in found], np.float32)
    scores = np.array([one.score for one in found], np.float32)
    return [found[int(group[0])] for group in suppress(boxes, scores, SAME, len(found))]


def _moved(one: Detection, x: int, y: int) -> Detection:
    def shifted(point: Point) -> Point:
        return point[0] + x, point[1] + y

    a, b, c, d = one.corners
    corners: Corners = (shifted(a), shifted(b), shifted(c), shifted(d))
    box: Box = (one.box[0] + x, one.box[1] + y, one.box[2] + x, one.box[3] + y)
    return Detection(one.score, box, corners)

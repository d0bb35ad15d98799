"""Where a vehicle is, seen from its plate, and the square crop that its type and colour are told from.

Geometry. A plate says how large a metre is in the picture: it is 0.40 m wide in Brazil, 0.52 m in Europe, 0.305 m in
the United States, and 0.20 m on motorcycles, where it is nearly square. ``plate_size`` therefore takes the greater of
the plate's width and ``SQUARE_PLATE`` times its height, which is 0.36 to 0.52 m for all of them. A car is 1.7 to 1.9 m
wide, 3.5 to 4.5 plate sizes, and 1.5 m high, and carries its plate 0.4 to 0.9 m above the ground (753 cars seen whole
in photographs of train/: 1.65 plate sizes to the left and right of the plate's middle, 1.6 above, 1.0 below, medians).
So the region of a vehicle known by its plate alone is a square of ``SIDE`` plate sizes, its left and right sides
equally far from the plate's middle, ``BELOW`` of its height below it. It is not turned with the plate: cameras hang
level. Of a lorry or a bus it shows the lower part.

A vehicle whose box is known has a square as well: that of the box's longer side and ``MARGIN``, so that the shape of
the box still tells a bus from a car. Arrays only; may import ``lpr.events`` (Box, Corners), cv2 and numpy.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners

__all__ = ["BELOW", "SIDE", "box_region", "cut", "inside", "plate_region", "plate_size", "vehicle_of", "virtual_plate"]

SIDE: Final = 4.2
"""Sides of the square round a plate, in plate sizes."""

BELOW: Final = 0.31
"""Part of that square that lies below the plate's middle."""

SQUARE_PLATE: Final = 2.8
"""A plate less than this many times as wide as high is measured by its height."""

MARGIN: Final = 0.06
"""Margin on each side of a vehicle's box, as a share of its longer side."""

_VIRTUAL: Final = (0.24, 0.08, 0.80)
"""Width and height of the plate that a vehicle would have, and how far down its middle is, as shares of its box."""


def plate_size(corners: Corners) -> float:
    """The plate's size in pixels (see the module): about 0.36 to 0.52 m in the picture. At least 1."""
    top_left, top_right, bottom_right, bottom_left = corners
    width = (math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)) / 2
    height = (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2
    return max(1.0, width, SQUARE_PLATE * height)


def plate_region(corners: Corners) -> Box:
    """The square round a plate in which its vehicle is, pixels; it may reach outside the picture."""
    x = sum(corner[0] for corner in corners) / 4
    y = sum(corner[1] for corner in corners) / 4
    side = SIDE * plate_size(corners)
    bottom = y + BELOW * side
    return (x - side / 2, bottom - side, x + side / 2, bottom)


def box_region(box: Box) -> Box:
    """The square round a vehicle's box, pixels; it may reach outside the picture."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max(1.0, box[2] - box[0], box[3] - box[1]) * (0.5 + MARGIN)
    return (x - half, y - half, x + half, y + half)


def virtual_plate(box: Box) -> Corners:
    """Where the plate of a vehicle would be that shows none: low in the middle of its box, a quarter as wide."""
    width, height = box[2] - box[0], box[3] - box[1]
    wide, high, down = _VIRTUAL
    x, y = (box[0] + box[2]) / 2, box[1] + down * height
    dx, dy = wide * width / 2, high * width / 2
    return ((x - dx, y - dy), (x + dx, y - dy), (x + dx, y + dy), (x - dx, y + dy))


def inside(corners: Corners, box: Box, margin: float = 0.05) -> bool:
    """Whether a plate's middle lies in a vehicle's box, widened by ``margin`` of its sides."""
    x = sum(corner[0] for corner in corners) / 4
    y = sum(corner[1] for corner in corners) / 4
    mx, my = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    return box[0] - mx <= x <= box[2] + mx and box[1] - my <= y <= box[3] + my


def vehicle_of(corners: Corners, boxes: list[Box]) -> int | None:
    """The index of the vehicle that carries a plate: the smallest box round it that is wide enough; None for none.

    A car is at least twice, a motorcycle about thrice its plate's width; a box narrower than 1.4 plate sizes is
    another thing in front of it.
    """
    fitting = [
        (area, index)
        for index, box in enumerate(boxes)
        if inside(corners, box) and box[2] - box[0] >= 1.4 * plate_size(corners)
        for area in [(box[2] - box[0]) * (box[3] - box[1])]
    ]
    return min(fitting)[1] if fitting else None


def cut(image: NDArray[np.uint8], region: Box, size: int) -> NDArray[np.uint8]:
    """``region`` of ``image`` ((H, W, 3) BGR uint8) as a (size, size, 3) patch; what lies outside is mid-grey.

    Averaged down (of a very large region every n-th pixel). Raises ValueError for a region that is not finite or empty.
    """
    x1, y1, x2, y2 = region
    if not all(math.isfinite(side) for side in region) or x2 - x1 < 1.0 or y2 - y1 < 1.0:
        raise ValueError(f"a region needs finite sides and at least one pixel, not {region}")
    height, width = image.shape[:2]
    left, top = max(0, math.floor(x1)), max(0, math.floor(y1))
    right, bottom = min(width, math.ceil(x2)), min(height, math.ceil(y2))
    patch = np.full((size, size, 3), 128, np.uint8)
    if right - left < 1 or bottom - top < 1:
        return patch
    across, down = size / (x2 - x1), size / (y2 - y1)
    a, b = round(max(0.0, (left - x1) * across)), round(max(0.0, (top - y1) * down))
    c, d = round(min(float(size), (right - x1) * across)), round(min(float(size), (bottom - y1) * down))
    if c - a < 1 or d - b < 1:
        return patch
    part = image[top:bottom, left:right]
    less = max(1, min(part.shape[1] // (2 * (c - a)), part.shape[0] // (2 * (d - b))))
    part = part[::less, ::less]  # more than four pixels to one tell nothing new, and cost
    how = cv2.INTER_AREA if part.shape[1] > c - a else cv2.INTER_LINEAR
    patch[b:d, a:c] = cv2.resize(part, (c - a, d - b), interpolation=how)
    return patch

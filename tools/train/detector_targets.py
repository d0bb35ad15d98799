"""Training targets of the plate detector, and how a composed scene is described.

May import: numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRIDE = 8
MAX_RADIUS = 40.0
"""Half axis in pixels beyond which the zone of positive cells of a large plate does not grow."""
SHARE = 0.7
"""A plate of n positive cells counts n to the power of 1 - SHARE."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in a composed scene.

    ``corners``: [4, 2] float, top left, top right, bottom right, bottom left, in pixels of the scene.
    ``corner_weight``: 1 where the corners are exact (rendered), less where they are the box's.
    """

    corners: NDArray[np.float64]
    corner_weight: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        low, high = self.corners.min(0), self.corners.max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True, slots=True)
class Doubt:
    """A quadrilateral [4, 2] in which an unmatched detection counts ``weight`` (0 to 1) of a false one."""

    corners: NDArray[np.float64]
    weight: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed picture, BGR uint8 [H, W, 3], its plates, its doubtful places, and the places [4, 2] of what only
    looks like a plate."""

    image: NDArray[np.uint8]
    plates: tuple[Plate, ...]
    doubts: tuple[Doubt, ...]
    lures: tuple[NDArray[np.float64], ...] = ()


def encode(scene: Scene) -> NDArray[np.float32]:
    """Targets [16, H/8, W/8]: heat, weight of the heat, of the box, of the corners, box (4), corners (8).

    The heat is a bell over the plate. Positive cells lie in the ellipse in its middle; their box weights sum
    to a low power of their number, so that a large plate counts more than a small one, but by far not by area.
    """
    h, w = scene.image.shape[0] // STRIDE, scene.image.shape[1] // STRIDE
    out = np.zeros((16, h, w), np.float32)
    out[1] = 1.0
    ys, xs = np.mgrid[0:h, 0:w]
    px, py = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
    for doubt in scene.doubts:
        low, high = doubt.corners.min(0), doubt.corners.max(0)
        inside = (px > low[0]) & (px < high[0]) & (py > low[1]) & (py < high[1])
        out[1][inside] = np.minimum(out[1][inside], doubt.weight)
    for plate in sorted(scene.plates, key=lambda p: -(p.box[2] - p.box[0])):
        x1, y1, x2, y2 = plate.box
        cx, cy = plate.corners.mean(0)
        if not (0 <= cx < w * STRIDE and 0 <= cy < h * STRIDE):
            continue
        rx = min(max((x2 - x1) * 0.30, 3.0), MAX_RADIUS)
        ry = min(max((y2 - y1) * 0.30, 3.0), MAX_RADIUS)
        distance = ((px - cx) / rx) ** 2 + ((py - cy) / ry) ** 2
        nearest = (int(cy // STRIDE), int(cx // STRIDE))
        distance[nearest] = min(distance[nearest], 0.05)
        on_plate = (px > x1) & (px < x2) & (py > y1) & (py < y2)
        positive = distance <= 1.0
        bell = np.exp(-1.2 * distance) * (distance < 4.0)
        # The shoulders of the bell and the rest of the plate neither teach a plate nor deny one outright.
        out[1][on_plate & ~positive] = 0.3
        out[0] = np.maximum(np.where(on_plate | positive, bell, 0.0), np.where(positive, 0.0, out[0]))
        count = float(positive.sum())
        out[1][positive] = count**-SHARE
        out[2][positive] = count**-SHARE
        out[3][positive] = count**-SHARE * plate.corner_weight
        out[4:8, positive] = np.array([x1, y1, x2, y2], np.float32)[:, None]
        out[8:16, positive] = plate.corners.reshape(8).astype(np.float32)[:, None]
    return out

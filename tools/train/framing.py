"""The corners that a detector might give of a plate, more or less right, and the patch cut out through them.

Quads are (4, 2) float, pixels: top left, top right, bottom right, bottom left of the plate.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.vision.rectify import MARGIN, RectifyError, rectify

__all__ = ["aim", "boxed", "cut", "grown", "jittered"]

Gray = NDArray[np.uint8]


def jittered(rng: np.random.Generator, quad: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """Each corner off by up to ``amount`` of the plate's width and height, along its own axes."""
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    off = rng.uniform(-amount, amount, (4, 2))
    return quad + off[:, :1] * along + off[:, 1:] * down


def boxed(quad: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upright box round a quad."""
    (x1, y1), (x2, y2) = quad.min(0), quad.max(0)
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])


def grown(quad: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """``x`` times as wide and ``y`` times as high about its middle."""
    middle = quad.mean(0)
    along, down = (quad[1] - quad[0]) * x / 2, (quad[3] - quad[0]) * y / 2
    return np.array([middle - along - down, middle + along - down, middle + along + down, middle - along + down])


def aim(
    rng: np.random.Generator,
    quad: NDArray[np.float64],
    matrix: NDArray[np.float64],
    band: tuple[float, float, float, float],
) -> NDArray[np.float64]:
    """The corners that a detector would give: right, a box, the text alone, or far too loose."""
    kind = rng.random()
    if kind < 0.5:
        return jittered(rng, quad, 0.03 if rng.random() < 0.5 else 0.08)
    if kind < 0.76:
        return jittered(rng, grown(boxed(quad), rng.uniform(0.98, 1.12), rng.uniform(0.95, 1.18)), 0.03)
    if kind < 0.88:
        x1, y1, x2, y2 = band
        grow_x, grow_y = (x2 - x1) * 0.02, (y2 - y1) * 0.06
        text = np.array([[[x1 - grow_x, y1 - grow_y], [x2 + grow_x, y1 - grow_y], [x2 + grow_x, y2 + grow_y],
                          [x1 - grow_x, y2 + grow_y]]], np.float64)  # fmt: skip
        return jittered(rng, np.asarray(cv2.perspectiveTransform(text, matrix)[0], np.float64), 0.02)
    return jittered(rng, grown(boxed(quad), rng.uniform(1.05, 1.4), rng.uniform(1.1, 1.6)), 0.08)


def cut(rng: np.random.Generator, camera: Gray, quad: NDArray[np.float64], size: tuple[int, int]) -> Gray:
    """The plate as the reader gets it: ``size`` (width, height) cut out of ``camera`` through the corners ``quad``."""
    corners = tuple((float(x), float(y)) for x, y in quad)
    margin = MARGIN if rng.random() < 0.8 else (float(rng.uniform(0, 0.12)), float(rng.uniform(0, 0.18)))
    try:
        return rectify(camera, (corners[0], corners[1], corners[2], corners[3]), size, margin)
    except RectifyError:
        return np.asarray(cv2.resize(camera, size, interpolation=cv2.INTER_AREA), np.uint8)

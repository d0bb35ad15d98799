"""From four corners in a picture to an upright patch: the one crop contract between detector, reader and training.

A patch is the plate with a margin round it, mapped by the homography of its four corners to a fixed size (so the
plate's own shape is squashed). Arrays only; may import ``lpr.events`` (Corners) and numpy, cv2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners

__all__ = ["MARGIN", "RectifyError", "corners_of_box", "rectify", "sharpness_of", "to_gray", "whole"]

MARGIN: Final = (0.06, 0.10)
"""Margin on each side, as a share of the plate's width and height."""

_MOST_OVERSAMPLING: Final = 4


class RectifyError(ValueError):
    """The picture or the corners cannot give a patch."""


def corners_of_box(box: Box) -> Corners:
    """The corners of an upright box (x1, y1, x2, y2), pixels: top left, top right, bottom right, bottom left."""
    x1, y1, x2, y2 = box
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def whole(image: NDArray[np.uint8]) -> Corners:
    """The corners of a whole picture, for one that is nothing but a plate."""
    height, width = image.shape[:2]
    return corners_of_box((0.0, 0.0, float(width), float(height)))


def to_gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) BGR uint8 to (H, W) gray uint8."""
    if image.ndim == 2:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def rectify(
    image: NDArray[np.uint8],
    corners: Corners,
    size: tuple[int, int],
    margin: tuple[float, float] = MARGIN,
) -> NDArray[np.uint8]:
    """The plate in ``corners`` as an upright patch of ``size`` (width, height): uint8, (h, w[, 3]) as ``image``.

    ``image``: (H, W) gray or (H, W, 3) BGR, uint8. ``corners``: pixels, top left first, clockwise; they may lie
    outside (the border is repeated). ``margin``: share of the plate's width and height added on each side. A plate
    much larger than the patch is averaged down, not sampled. Raises RectifyError for another dtype or shape, a patch
    size under 2, and corners that are not finite, lie on a line or are crossed.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise RectifyError(f"a picture must be uint8 (H, W) or (H, W, 3), not {image.dtype} {image.shape}")
    width, height = size
    if width < 2 or height < 2:
        raise RectifyError(f"a patch of {width} x {height} pixels is too small")
    quad = np.array(corners, np.float64)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise RectifyError(f"four finite corners are needed, not {corners!r}")
    points: list[list[float]] = quad.tolist()
    if not _proper(points):
        raise RectifyError(f"the corners {corners!r} do not go round a plate clockwise; give top left first")
    mx, my = margin
    a, b, c, d = points
    wide, high = max(math.dist(a, b), math.dist(d, c)), max(math.dist(a, d), math.dist(b, c))
    finer = math.ceil(min(max(wide / width - 0.3, high / height - 0.3, 1), _MOST_OVERSAMPLING))
    left, top = mx / (1 + 2 * mx) * width * finer, my / (1 + 2 * my) * height * finer
    right, bottom = width * finer - left, height * finer - top
    target = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    # Pixel centres: a corner (x, y) names a point between pixels, cv2 counts from the middle of the first pixel.
    matrix = cv2.getPerspectiveTransform((quad - 0.5).astype(np.float32), (target - 0.5).astype(np.float32))
    patch = cv2.warpPerspective(
        image, matrix, (width * finer, height * finer), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if finer > 1:
        patch = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(patch, np.uint8)


def _proper(points: Sequence[Sequence[float]]) -> bool:
    """Convex and clockwise (y down), with an area of at least one pixel."""
    area = 0.0
    for i, (x, y) in enumerate(points):
        (nx, ny), (ox, oy) = points[(i + 1) % 4], points[(i + 2) % 4]
        if not (nx - x) * (oy - ny) - (ny - y) * (ox - nx) > 0:
            return False
        area += (x * ny - nx * y) / 2
    return area >= 1.0


def sharpness_of(patch: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of a gray patch, grey levels squared."""
    _, deviation = cv2.meanStdDev(cv2.Laplacian(to_gray(patch), cv2.CV_32F))
    return float(deviation[0, 0]) ** 2

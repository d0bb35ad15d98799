"""Motion between two consecutive pictures, as a level from 0 to 100 (VTR600 manual, "Motion Detector").

The manual defines movement by the variation between two consecutive images, a threshold and a region of interest of
four corners; it does not say how the variation is measured. Here it is the share of the region in which a reduced
grey picture has changed, after the change that light makes everywhere (a gain and an offset, fitted robustly) has been
taken away and with a tolerance that follows the sensor's noise. A fifth of the region changed is already
100: a vehicle seldom covers more of a lane's picture than that in its first frames.

Pure functions on arrays; may import numpy and cv2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FULL_SHARE", "SIZE", "motion_level", "polygon_mask", "reduce"]

SIZE: Final = (160, 90)
"""Width and height of the reduced picture."""

FULL_SHARE: Final = 0.2
"""Share of the region whose change is level 100."""

_LEAST_STEP: Final = 8.0
_NOISE_FACTOR: Final = 5.0
_MOST_NOISE: Final = 6.0
_LIGHT_FACTOR: Final = 0.35
_GAIN_RANGE: Final = (0.5, 2.0)
_ROUNDS: Final = 4


def reduce(frame: NDArray[np.uint8], size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """``frame`` ((H, W) grey or (H, W, 3) BGR, uint8) as a grey picture of ``size`` (width, height), lightly smoothed.

    Averaging over many pixels takes most of the sensor's noise away. Raises ValueError for another kind of array.
    """
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError(f"a frame must be uint8 (H, W) or (H, W, 3) BGR, not {frame.dtype} {frame.shape}")
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.blur(grey, (3, 3)), np.uint8)


def polygon_mask(
    corners: Sequence[tuple[float, float]] | None,
    size: tuple[int, int] = SIZE,
    frame_size: tuple[float, float] = (1, 1),
) -> NDArray[np.bool_]:
    """Mask (height, width) of the cells of a reduced picture whose middle lies in a polygon.

    ``corners``: at least three points of a frame of ``frame_size`` (width, height); with the default frame size they
    are fractions of the picture. None: everything. A polygon so small that it holds no cell's middle keeps the cell it
    lies in. Raises ValueError for fewer than three points or points that are not finite.
    """
    width, height = size
    if corners is None:
        return np.ones((height, width), np.bool_)
    points = np.array(corners, np.float64)
    if points.ndim != 2 or points.shape[0] < 3 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError(f"a region needs at least three finite corners (x, y), not {corners!r}")
    points = points * (width / frame_size[0], height / frame_size[1])
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    mask = np.zeros((height, width), np.bool_)
    for (x1, y1), (x2, y2) in zip(points, np.roll(points, -1, 0), strict=True):  # even-odd rule
        crossed = (y1 > y) != (y2 > y)
        if not crossed.any():  # level, or so short that dividing by its height would overflow
            continue
        mask ^= crossed & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    if not mask.any():
        cx, cy = np.clip(points.mean(0), 0, (width - 1, height - 1)).astype(int)
        mask[cy, cx] = True
    return mask


def motion_level(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None
) -> float:
    """How much has changed between two reduced pictures in ``mask``: 0 (nothing) to 100 (a fifth of it or more).

    All three arrays have one shape (height, width). Light that grows or fades everywhere is no motion; noise is none
    while most of the picture is still. Raises ValueError for shapes that differ.
    """
    if previous.shape != current.shape or previous.ndim != 2 or (mask is not None and mask.shape != current.shape):
        shapes = (previous.shape, current.shape, None if mask is None else mask.shape)
        raise ValueError(f"reduced pictures and mask must have one shape (height, width), not {shapes}")
    inside = np.ones(current.shape, np.bool_) if mask is None else mask
    count = int(inside.sum())
    if count == 0:
        return 0.0
    old, new = previous.astype(np.float32), current.astype(np.float32)
    gain, offset = _light(old[inside], new[inside])
    expected = np.clip(old * gain + offset, 0, 255)
    change = new - expected
    at = change[inside]
    # Where more than half has moved, the median deviation is movement, not noise: hence the bound.
    noise = min(1.4826 * float(np.median(np.abs(at - np.median(at)))), _MOST_NOISE)
    # Colours clip at different levels, so the fit errs where it changes much: there it takes more to be movement.
    tolerance = max(_LEAST_STEP, _NOISE_FACTOR * noise) + _LIGHT_FACTOR * np.abs(expected - old)
    moved = (np.abs(change) > tolerance) & inside
    # A vehicle changes neighbouring cells; single ones are flicker.
    together = cv2.blur(moved.astype(np.float32), (3, 3)) > 2.5 / 9
    share = float((moved & together).sum()) / count
    return min(100.0, 100.0 * share / FULL_SHARE)


def _light(old: NDArray[np.float32], new: NDArray[np.float32]) -> tuple[float, float]:
    """Gain and offset of the light between two pictures, from the cells that fit it best.

    Least squares on the half with the smallest residuals, a few times over. If explaining the change by light leaves
    no less than assuming none, there was none: a vehicle that fills the picture isn't a change of light.
    """
    usable = (old > 4) & (old < 250) & (new > 4) & (new < 250)
    if int(usable.sum()) < max(16, len(old) // 10):
        return 1.0, 0.0
    x, y = old[usable].astype(np.float64), new[usable].astype(np.float64)
    gain, offset = 1.0, float(np.median(y - x))
    for _ in range(_ROUNDS):
        off = np.abs(y - (gain * x + offset))
        near = off <= np.median(off)
        spread = float(x[near].var())
        if spread < 1.0:
            gain = 1.0
        else:
            gain = float(
                np.clip(((x[near] - x[near].mean()) * (y[near] - y[near].mean())).mean() / spread, *_GAIN_RANGE)
            )
        offset = float(np.mean(y[near] - gain * x[near]))
    explained = float(np.median(np.abs(y - (gain * x + offset))))
    still = float(np.median(np.abs(y - x)))
    return (gain, offset) if explained < still else (1.0, 0.0)

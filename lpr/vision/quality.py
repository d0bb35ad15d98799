"""How good a picture of a plate is: sharpness and brightness, as weights of the vote and for exposure control.

Arrays only; may import numpy and cv2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Quality", "brightness", "measure", "sharpness"]


@dataclass(frozen=True, slots=True)
class Quality:
    """``sharpness``: grey levels squared. ``brightness``, ``contrast``: grey levels, 0 to 255. ``clipped``: share of
    pixels, 0 to 1, at either end of the scale."""

    sharpness: float
    brightness: float
    contrast: float
    clipped: float


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"a picture must be uint8 (H, W) or (H, W, 3) BGR, not {image.dtype} {image.shape}")
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def sharpness(image: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of ``image`` (grey or BGR), in grey levels squared; 0 for an even surface.

    It grows with contrast and noise too, so it compares pictures of one plate at one size, not different scenes
    (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy").
    """
    grey = _grey(image)
    if min(grey.shape) < 3:
        return 0.0
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def brightness(image: NDArray[np.uint8]) -> float:
    """Mean grey level of ``image`` (grey or BGR), 0 to 255."""
    return float(_grey(image).mean())


def measure(image: NDArray[np.uint8]) -> Quality:
    """All figures of one picture, (H, W) grey or (H, W, 3) BGR uint8. Raises ValueError for anything else."""
    grey = _grey(image)
    low, high = np.percentile(grey, [5, 95])
    clipped = float(((grey <= 2) | (grey >= 253)).mean())
    return Quality(sharpness(grey), float(grey.mean()), float(high - low), clipped)

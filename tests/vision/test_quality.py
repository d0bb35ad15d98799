"""Sharpness and brightness."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.vision.quality import brightness, measure, sharpness


def test_blur_takes_sharpness_away() -> None:
    rng = np.random.default_rng(0)
    picture = np.asarray(cv2.resize(rng.integers(0, 256, (20, 60), np.uint8), (240, 80)), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.0), np.uint8)
    more = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4.0), np.uint8)
    assert sharpness(picture) > sharpness(blurred) > sharpness(more) > 0
    assert sharpness(np.repeat(picture[:, :, None], 3, 2)) == pytest.approx(sharpness(picture))


@given(st.integers(0, 255), st.integers(1, 30), st.integers(1, 30))
def test_even_surfaces(level: int, width: int, height: int) -> None:
    picture = np.full((height, width, 3), level, np.uint8)
    quality = measure(picture)
    assert sharpness(picture) == quality.sharpness == 0.0
    assert brightness(picture) == quality.brightness == level
    assert quality.contrast == 0.0
    assert quality.clipped == float(level <= 2 or level >= 253)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        measure(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        measure(np.zeros((2, 2, 2, 2), np.uint8))

"""Crops: the corners go where they should, large plates are averaged, bad input is refused."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.rectify import RectifyError, corners_of_box, rectify, sharpness_of, to_gray, whole


def test_an_upright_box_without_margin_is_the_picture_itself() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (48, 144, 3), np.uint8)
    patch = rectify(image, whole(image), (144, 48), (0.0, 0.0))
    assert np.abs(patch.astype(int) - image).max() <= 1


def test_a_turned_plate_becomes_upright() -> None:
    plate = render_plate(spec_for("ABC1D23", "br-mercosul"), 60)
    height, width = plate.shape[:2]
    base = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    quad = np.array([[60, 90], [240, 40], [256, 96], [70, 150]], np.float32)
    matrix = cv2.getPerspectiveTransform(base - 0.5, quad - 0.5)
    scene = np.asarray(cv2.warpPerspective(plate, matrix, (320, 200)), np.uint8)
    points = [(float(x), float(y)) for x, y in quad]
    patch = rectify(scene, (points[0], points[1], points[2], points[3]), (144, 48), (0.0, 0.0))
    flat = np.asarray(cv2.resize(plate, (144, 48), interpolation=cv2.INTER_AREA), np.uint8)
    alike = np.corrcoef(to_gray(patch)[3:-3, 3:-3].ravel(), to_gray(flat)[3:-3, 3:-3].ravel())[0, 1]
    assert alike > 0.9


def test_the_margin_shows_what_lies_round_the_plate() -> None:
    image = np.zeros((100, 200), np.uint8)
    image[40:60, 80:120] = 255
    patch = rectify(image, corners_of_box((80, 40, 120, 60)), (60, 30), (0.25, 0.25))
    assert patch[0, 0] == 0 and patch[15, 30] == 255
    assert (patch > 127).mean() == pytest.approx(1 / 2.25, abs=0.03)


def test_a_large_plate_is_averaged_not_sampled() -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (480, 1440), np.uint8)
    patch = rectify(noise, whole(noise), (144, 48), (0.0, 0.0))
    assert patch.std() < 0.45 * noise.std()


def test_corners_outside_repeat_the_border() -> None:
    image = np.full((20, 20), 77, np.uint8)
    assert (rectify(image, corners_of_box((-10, -10, 30, 30)), (24, 8)) == 77).all()


@pytest.mark.parametrize(
    "corners",
    [
        ((0, 0), (10, 0), (20, 0), (30, 0)),
        ((0, 0), (10, 10), (10, 0), (0, 10)),
        ((0, 0), (0, 10), (10, 10), (10, 0)),
        ((0, 0), (float("nan"), 0), (10, 10), (0, 10)),
        ((5, 5), (5, 5), (5, 5), (5, 5)),
    ],
)
def test_corners_that_enclose_nothing_are_refused(corners: tuple[tuple[float, float], ...]) -> None:
    a, b, c, d = corners
    with pytest.raises(RectifyError):
        rectify(np.zeros((20, 20), np.uint8), (a, b, c, d), (24, 8))


def test_other_pictures_are_refused() -> None:
    box = corners_of_box((0, 0, 5, 5))
    with pytest.raises(RectifyError, match="uint8"):
        rectify(cast("NDArray[np.uint8]", np.zeros((20, 20), np.float32)), box, (24, 8))
    with pytest.raises(RectifyError, match="too small"):
        rectify(np.zeros((20, 20), np.uint8), box, (1, 8))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=4, max_size=4),
    st.integers(2, 60),
    st.integers(2, 40),
)
def test_any_corners_give_a_patch_or_a_clear_refusal(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    image = np.zeros((30, 50, 3), np.uint8)
    try:
        patch = rectify(image, (points[0], points[1], points[2], points[3]), (width, height))
    except RectifyError:
        return
    assert patch.shape == (height, width, 3) and patch.dtype == np.uint8


def test_blur_lowers_sharpness() -> None:
    plate = to_gray(render_plate(spec_for("ABC1234", "br-old"), 60))
    soft = np.asarray(cv2.GaussianBlur(plate, (0, 0), 2), np.uint8)
    assert sharpness_of(soft) < 0.5 * sharpness_of(plate)

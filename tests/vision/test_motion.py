"""Motion between reduced pictures: what counts, what does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.vision.motion import SIZE, motion_level, polygon_mask, reduce

Image = NDArray[np.uint8]


def street(seed: int = 0, size: tuple[int, int] = (640, 360)) -> Image:
    """A still scene with soft structure, BGR."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 200, (9, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def with_car(frame: Image, x: int, y: int, width: int, height: int, shade: int = 240) -> Image:
    out = frame.copy()
    out[y : y + height, x : x + width] = shade
    out[y + height // 2 : y + height, x : x + width] = 20
    return out


def noisy(frame: Image, sigma: float, seed: int) -> Image:
    rng = np.random.default_rng(seed)
    return np.clip(frame + rng.normal(0, sigma, frame.shape), 0, 255).astype(np.uint8)


def test_a_still_scene_has_no_motion() -> None:
    small = reduce(street())
    assert motion_level(small, small) == 0.0


def test_a_vehicle_is_motion_in_proportion_to_its_size() -> None:
    scene = street()
    before = reduce(scene)
    little = motion_level(before, reduce(with_car(scene, 100, 100, 60, 40)))
    much = motion_level(before, reduce(with_car(scene, 100, 100, 180, 120)))
    assert 1.0 < little < much
    assert motion_level(before, reduce(with_car(scene, 0, 0, 640, 300))) == 100.0


@given(gain=st.floats(0.7, 1.4), offset=st.floats(-15, 15), sigma=st.floats(0, 12), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_light_and_noise_are_no_motion(gain: float, offset: float, sigma: float, seed: int) -> None:
    scene = street(seed)
    brighter = np.clip(scene * gain + offset, 0, 255).astype(np.uint8)
    level = motion_level(reduce(noisy(scene, sigma, seed)), reduce(noisy(brighter, sigma, seed + 1)))
    assert level < 2.0


@given(gain=st.floats(0.8, 1.25), sigma=st.floats(0, 6), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_vehicle_shows_while_the_light_changes(gain: float, sigma: float, seed: int) -> None:
    scene = street(seed)
    rng = np.random.default_rng(seed)
    car = with_car(scene, int(rng.integers(0, 400)), int(rng.integers(0, 200)), 200, 130, 250)
    brighter = np.clip(car * gain, 0, 255).astype(np.uint8)
    assert motion_level(reduce(noisy(scene, sigma, seed)), reduce(noisy(brighter, sigma, seed + 1))) > 8.0


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(2, 40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_level_is_within_its_bounds_for_any_pictures(seed: int, width: int, height: int, masked: bool) -> None:
    rng = np.random.default_rng(seed)
    previous, current = rng.integers(0, 256, (2, height, width)).astype(np.uint8)
    mask = rng.random((height, width)) < 0.5 if masked else None
    assert 0.0 <= motion_level(previous, current, mask) <= 100.0
    assert motion_level(previous, previous, mask) == 0.0


def test_only_the_region_counts() -> None:
    scene = street()
    before, after = reduce(scene), reduce(with_car(scene, 20, 120, 150, 120))
    left = polygon_mask(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    right = polygon_mask(((0.55, 0.0), (1.0, 0.0), (1.0, 1.0), (0.55, 1.0)))
    assert motion_level(before, after, left) > 20.0
    assert motion_level(before, after, right) == 0.0
    assert motion_level(before, after, np.zeros(before.shape, np.bool_)) == 0.0


def test_masks_follow_the_polygon_in_pixels_and_in_fractions() -> None:
    corners = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    mask = polygon_mask(corners)
    assert mask.shape == (SIZE[1], SIZE[0])
    assert mask.mean() == pytest.approx(0.25, abs=0.02)
    pixels = polygon_mask([(x * 1280, y * 720) for x, y in corners], SIZE, (1280, 720))
    assert (mask == pixels).all()
    assert polygon_mask(None).all()
    assert polygon_mask(((0.5, 0.5), (0.501, 0.5), (0.501, 0.501))).sum() == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=4, max_size=4))
def test_any_four_corners_make_a_mask(corners: list[tuple[float, float]]) -> None:
    assert polygon_mask(corners).any()


def test_an_edge_of_hardly_any_height_overflows_nothing() -> None:
    assert polygon_mask(((0.0, 0.0), (1.0, 5e-324), (1.0, 1.0), (0.0, 1.0))).all()


def test_impossible_input_is_refused() -> None:
    with pytest.raises(ValueError, match="three finite corners"):
        polygon_mask(((0.0, 0.0), (1.0, 1.0)))
    with pytest.raises(ValueError, match="three finite corners"):
        polygon_mask(((0.0, 0.0), (1.0, float("nan")), (1.0, 1.0)))
    with pytest.raises(ValueError, match="one shape"):
        motion_level(np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        reduce(np.zeros((4, 4), np.float32).view(np.uint8)[:0])


def test_reduced_pictures_are_grey_and_of_the_asked_size() -> None:
    assert reduce(street()).shape == (SIZE[1], SIZE[0])
    assert reduce(street()[:, :, 0], (32, 20)).shape == (20, 32)

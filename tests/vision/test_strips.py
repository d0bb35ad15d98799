"""Rows of a JPEG: the same pixels as in the whole picture, whatever the sampling, and no JPEG does any harm."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.vision.strips import decode_rows

SAMPLINGS = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "440": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
UNITS = {"420": 16, "422": 16, "440": 8, "444": 8}
"""Width of a unit, pixels."""


def noise(width: int, height: int, seed: int = 1) -> NDArray[np.uint8]:
    """A picture that changes everywhere, also in colour."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 6 + 2, width // 6 + 2, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def coded(image: NDArray[np.uint8], sampling: str = "420", *settings: int) -> bytes:
    """A JPEG that begins anew with each row of units."""
    across = -(-image.shape[1] // UNITS[sampling])
    every = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLINGS[sampling], cv2.IMWRITE_JPEG_RST_INTERVAL, across, *settings]
    return cv2.imencode(".jpg", image, every)[1].tobytes()


def whole(data: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


@given(
    st.integers(1, 90),
    st.integers(1, 400),
    st.floats(-50, 500),
    st.floats(-50, 500),
    st.sampled_from(sorted(SAMPLINGS)),
)
def test_rows_are_those_of_the_whole(width: int, height: int, top: float, bottom: float, sampling: str) -> None:
    data = coded(noise(width, height), sampling)
    strip = decode_rows(data, top, bottom)
    assert strip is not None
    assert (strip.width, strip.height) == (width, height)
    rows = strip.pixels.shape[0]
    assert strip.top <= max(top, 0) or strip.top + rows == height
    assert strip.top + rows >= min(bottom, height)
    assert np.array_equal(strip.pixels, whole(data)[strip.top : strip.top + rows])


def test_only_what_is_needed_is_decoded() -> None:
    strip = decode_rows(coded(noise(320, 800)), 400.0, 420.0)
    assert strip is not None
    assert (strip.top, strip.pixels.shape[0]) == (400, 32)


@pytest.mark.parametrize(
    "data",
    [
        cv2.imencode(".jpg", noise(64, 400))[1].tobytes(),
        coded(noise(64, 400), "420", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        cv2.imencode(".jpg", noise(64, 400), [cv2.IMWRITE_JPEG_RST_INTERVAL, 3])[1].tobytes(),
        cv2.imencode(".png", noise(64, 400))[1].tobytes(),
    ],
    ids=["no restarts", "progressive", "another interval", "no JPEG"],
)
def test_other_files_are_decoded_whole(data: bytes) -> None:
    strip = decode_rows(data, 100.0, 110.0)
    assert strip is not None
    assert strip.top == 0 and np.array_equal(strip.pixels, whole(data))


def test_a_grey_one() -> None:
    data = cv2.imencode(".jpg", noise(70, 300)[:, :, 0], [cv2.IMWRITE_JPEG_RST_INTERVAL, 9])[1].tobytes()
    strip = decode_rows(data, 100.0, 110.0)
    assert strip is not None
    assert strip.pixels.shape == (16, 70, 3)
    assert np.array_equal(strip.pixels, whole(data)[96:112])


@given(st.data())
def test_damage_gives_rows_or_nothing(data: st.DataObject) -> None:
    good = bytearray(coded(noise(64, 200)))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    strip = decode_rows(bytes(good[: data.draw(st.integers(0, len(good)))]), 60.0, 80.0)
    assert strip is None or strip.pixels.ndim == 3


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    decode_rows(b"\xff\xd8" + data, 0.0, 10.0)
    decode_rows(data, 0.0, 10.0)

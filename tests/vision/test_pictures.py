"""Decoding pictures: every kind that cameras and people send, and every way in which a file can be wrong."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.vision.pictures import ImageError, decode_image


def picture(channels: int = 3, kind: type[np.uint8] | type[np.uint16] = np.uint8) -> NDArray[np.uint8 | np.uint16]:
    """40 wide, 24 high: left half dark, right half light, a red-ish corner top left."""
    full = np.iinfo(kind).max
    out = np.zeros((24, 40, channels), kind)
    out[:, 20:] = full
    out[:6, :6, -1 if channels != 4 else 2] = full
    if channels == 4:
        out[..., 3] = full
    return out if channels > 1 else out[:, :, 0]


def encoded(suffix: str, image: NDArray[np.uint8 | np.uint16]) -> bytes:
    done, data = cv2.imencode(suffix, image)
    assert done
    return data.tobytes()


def looks_right(image: NDArray[np.uint8]) -> bool:
    return bool(image[12, 5].mean() < 40 and image[12, 35].mean() > 215)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff", ".gif"])
def test_the_usual_formats(suffix: str, tmp_path: Path) -> None:
    data = encoded(suffix, picture())
    image = decode_image(data)
    assert image.shape == (24, 40, 3)
    assert image.dtype == np.uint8
    assert looks_right(image)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    assert (decode_image(path) == image).all()
    assert (decode_image(str(path)) == image).all()


@pytest.mark.parametrize("sampling", ["411", "420", "422", "440", "444"])
@pytest.mark.parametrize("mode", ["baseline", "progressive", "restart marks"])
def test_ordinary_jpegs_are_as_opencv_has_them(sampling: str, mode: str) -> None:
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (7, 9, 3), np.uint8)
    source = cv2.GaussianBlur(cv2.resize(small, (161, 119), interpolation=cv2.INTER_NEAREST), (0, 0), 2.5)
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}")
    options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_QUALITY, 92]
    options += {
        "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
        "restart marks": [cv2.IMWRITE_JPEG_RST_INTERVAL, 3],
    }.get(mode, [])
    done, data = cv2.imencode(".jpg", source, options)
    assert done
    ours, theirs = decode_image(data.tobytes()), cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert theirs is not None
    assert ours.shape == theirs.shape
    assert (ours == theirs).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_grey_pictures_get_three_equal_channels(suffix: str) -> None:
    image = decode_image(encoded(suffix, picture(1)))
    assert image.shape == (24, 40, 3)
    assert (image[..., 0] == image[..., 2]).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_and_transparency(channels: int, suffix: str) -> None:
    image = decode_image(encoded(suffix, picture(channels, np.uint16)))
    assert image.shape == (24, 40, 3)
    assert looks_right(image)


def test_transparency_is_dropped() -> None:
    assert looks_right(decode_image(encoded(".png", picture(4))))


def turned(data: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF segment that states ``orientation`` (Exif 2.32, tag 0x0112)."""
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def test_exif_turns_the_picture_upright() -> None:
    data = encoded(".jpg", picture())
    assert decode_image(turned(data, 6)).shape == (40, 24, 3)
    upside_down = decode_image(turned(data, 3))
    assert upside_down.shape == (24, 40, 3)
    assert upside_down[12, 5].mean() > 215


def test_cmyk_is_converted() -> None:
    pillow = pytest.importorskip("PIL.Image")
    from io import BytesIO

    out = BytesIO()
    pillow.fromarray(picture()[:, :, ::-1]).convert("CMYK").save(out, "JPEG")
    assert looks_right(decode_image(out.getvalue()))


def test_a_thumbnail_s_end_is_not_the_picture_s_end() -> None:
    data = encoded(".jpg", picture())
    thumbnail = b"Exif\0\0" + data
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    assert looks_right(decode_image(data[:2] + segment + data[2:]))
    with pytest.raises(ImageError, match="cut short"):
        decode_image((data[:2] + segment + data[2:])[:-30])


def test_bytes_behind_a_jpeg_do_no_harm() -> None:
    assert looks_right(decode_image(encoded(".jpg", picture()) + b"plate=ABC1234;" * 20))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_a_file_cut_short_is_refused(suffix: str) -> None:
    data = encoded(suffix, np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    for size in (1, 9, 25, len(data) // 3, len(data) * 3 // 4):
        with pytest.raises(ImageError):
            decode_image(data[:size])


def test_a_file_whose_size_nobody_knows_is_read() -> None:
    """A pipe: its size is given as 0."""
    data = encoded(".jpg", picture())
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    try:
        assert looks_right(decode_image(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)


def test_huge_pictures_are_refused_by_their_header() -> None:
    png = bytearray(encoded(".png", picture()))
    png[16:24] = struct.pack(">II", 10_000, 10_000)
    with pytest.raises(ImageError, match=r"10000 x 10000 are 100 megapixels; the limit is 64: give a smaller picture"):
        decode_image(bytes(png))
    jpeg = bytearray(encoded(".jpg", picture()))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(ImageError, match="3600 megapixels"):
        decode_image(bytes(jpeg))
    with pytest.raises(ImageError, match="the limit is 0"):
        decode_image(encoded(".bmp", picture()), max_pixels=100)


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nowhere\.jpg.*cannot be read"):
        decode_image(tmp_path / "nowhere.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        decode_image(tmp_path)
    empty = tmp_path / "empty.jpg"
    empty.touch()
    with pytest.raises(ImageError, match=r"empty\.jpg: the file is empty"):
        decode_image(empty)
    with pytest.raises(ImageError, match="no picture of a known format"):
        decode_image(b"<html>not found</html>")
    with pytest.raises(ImageError, match="the limit is 10"):
        decode_image(b"x" * 11, max_bytes=10)
    empty.write_bytes(b"x" * 11)
    with pytest.raises(ImageError, match="more than 10 bytes"):
        decode_image(empty, max_bytes=10)


@given(st.binary(max_size=200), st.sampled_from([".jpg", ".png", ".bmp", ".webp", ".tiff", ".gif"]), st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_decoded_or_refused(noise: bytes, suffix: str, data: st.DataObject) -> None:
    good = bytearray(encoded(suffix, picture()))
    at = data.draw(st.integers(0, len(good)))
    good[at : at + data.draw(st.integers(0, 40))] = noise
    try:
        image = decode_image(bytes(good), max_pixels=1_000_000)
    except ImageError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"BM"])
)
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_refused(noise: bytes, start: bytes) -> None:
    with pytest.raises(ImageError):
        decode_image(start + noise, max_pixels=1_000_000)

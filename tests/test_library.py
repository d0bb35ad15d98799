"""``lpr.read``: every kind of picture gets plates or a clear answer, within bounded memory."""

from __future__ import annotations

import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import lpr
from lpr.config import Engine as EngineConfig
from lpr.events import Character, Reading, Vehicle
from lpr.scene.plates import render_plate, spec_for
from lpr.vision.engine import enlarged
from lpr.vision.pictures import decode_bounded

TEXT = "ABC1D23"


def scene(width: int = 640, height: int = 480) -> NDArray[np.uint8]:
    """A drawn plate, 200 pixels wide, on a grey picture."""
    plate = render_plate(spec_for(TEXT, "br-mercosul"), 64)
    out = np.full((height, width, 3), 90, np.uint8)
    out[200 : 200 + plate.shape[0], 150 : 150 + plate.shape[1]] = plate
    return out


def encoded(suffix: str, image: NDArray[np.uint8 | np.uint16], *settings: int) -> bytes:
    done, data = cv2.imencode(suffix, image, list(settings))
    assert done
    return data.tobytes()


def texts(image: bytes | NDArray[np.uint8]) -> list[str]:
    return [plate.text for plate in lpr.read(image, ["BR"])]


def cmyk() -> bytes:
    pillow = pytest.importorskip("PIL.Image")
    out = BytesIO()
    pillow.fromarray(scene()[:, :, ::-1]).convert("CMYK").save(out, "JPEG", quality=95)
    return out.getvalue()


def test_grey_sixteen_bit_and_cmyk_pictures_are_read() -> None:
    grey = np.asarray(cv2.cvtColor(scene(), cv2.COLOR_BGR2GRAY), np.uint8)
    assert texts(encoded(".jpg", grey)) == [TEXT]
    assert texts(grey) == [TEXT]
    assert texts(encoded(".png", scene().astype(np.uint16) * 257)) == [TEXT]
    assert texts(encoded(".png", grey.astype(np.uint16) * 257)) == [TEXT]
    assert texts(cmyk()) == [TEXT]
    assert texts(encoded(".jpg", scene(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)) == [TEXT]


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (3, 7), (31, 33)])
def test_tiny_pictures_have_no_plate(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    assert texts(noise) == []
    assert texts(encoded(".png", noise)) == []


def test_damaged_pictures_are_refused_or_read() -> None:
    whole = encoded(".jpg", scene())
    with pytest.raises(lpr.ImageError, match="cut short"):
        lpr.read(whole[: len(whole) // 2])
    for at in range(700, len(whole) - 100, 997):
        broken = bytearray(whole)
        broken[at : at + 40] = bytes(40)
        try:
            lpr.read(bytes(broken))
        except lpr.ImageError as error:
            assert "picture" in str(error)


def test_a_large_jpeg_is_read_smaller_with_the_coordinates_of_the_whole() -> None:
    small = lpr.read(scene(), ["BR"])[0]
    large = np.asarray(cv2.resize(scene(), None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert large.shape[0] * large.shape[1] > 16_000_000
    found = lpr.read(encoded(".jpg", large), ["BR"])
    assert [plate.text for plate in found] == [TEXT]
    assert found[0].box == pytest.approx([8 * value for value in small.box], abs=40)
    assert np.array(found[0].corners) == pytest.approx(8 * np.array(small.corners), abs=40)


def test_what_is_reduced_and_what_is_not() -> None:
    image = np.random.default_rng(2).integers(0, 256, (61, 90, 3), np.uint8)
    jpeg = encoded(".jpg", image)
    assert decode_bounded(jpeg)[1] == 1.0
    half, times = decode_bounded(jpeg, most=3000)
    assert half.shape == (31, 45, 3) and times == 2.0
    eighth, times = decode_bounded(jpeg, most=1)
    assert eighth.shape == (8, 12, 3) and times == pytest.approx(7.5)
    with pytest.raises(lpr.ImageError, match="the limit is 2e-06"):
        decode_bounded(jpeg, most=1, largest=2)
    progressive = encoded(".jpg", image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert decode_bounded(progressive, most=3000)[1] == 1.0
    with pytest.raises(lpr.ImageError, match="megapixels"):
        decode_bounded(progressive, most=1, max_pixels=3000)
    with pytest.raises(lpr.ImageError, match="megapixels"):
        decode_bounded(encoded(".png", image), most=1, max_pixels=3000)


def test_the_largest_picture_is_a_setting() -> None:
    small = lpr.Reader(config=EngineConfig(max_megapixels=0.003))
    image = np.random.default_rng(2).integers(0, 256, (61, 90, 3), np.uint8)
    with pytest.raises(lpr.ImageError, match=r"90 x 61 are 0\.00549 megapixels; the limit is 0\.003"):
        small.read(encoded(".png", image))
    with pytest.raises(lpr.ImageError, match=r"the limit is 0\.003 megapixels"):
        small.read(image)
    assert small.read(encoded(".jpg", image)) == ()  # at half its size


def test_a_reading_of_a_smaller_picture_is_brought_to_the_size_of_the_whole() -> None:
    reading = Reading(
        text="A1",
        confidence=0.9,
        characters=(Character(char="A", confidence=0.9), Character(char="1", confidence=0.9)),
        box=(1.0, 2.0, 3.5, 4.0),
        corners=((1.0, 2.0), (3.5, 2.0), (3.5, 4.0), (1.0, 4.0)),
        vehicle=Vehicle(kind="car", box=(0.0, 0.0, 8.0, 6.0)),
    )
    found = enlarged(reading, 4.0)
    assert (found.box, found.corners[2], found.text) == ((4.0, 8.0, 14.0, 16.0), (14.0, 16.0), "A1")
    assert found.vehicle == Vehicle(kind="car", box=(0.0, 0.0, 32.0, 24.0))


MEASURE = """
import sys, lpr
plates = lpr.read(sys.argv[1], ["BR"]) if sys.argv[2] == "read" else None
try:
    lpr.read(sys.argv[1])
except lpr.ImageError as error:
    print(error)
print([int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""


def peak(path: Path, what: str = "") -> tuple[int, str]:
    """The most memory of a fresh process that reads the picture, MiB, and what it says."""
    words = [sys.executable, "-c", MEASURE, str(path), what]
    found = subprocess.run(words, capture_output=True, text=True, timeout=240, check=True).stdout.splitlines()
    return int(found[-1]), "\n".join(found[:-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured on Linux")
def test_memory_stays_bounded_whatever_comes(tmp_path: Path) -> None:
    usual, huge, bomb = tmp_path / "usual.jpg", tmp_path / "huge.jpg", tmp_path / "bomb.png"
    usual.write_bytes(encoded(".jpg", scene(1280, 720)))
    huge.write_bytes(encoded(".jpg", np.zeros((10_000, 10_000), np.uint8)))
    data = bytearray(encoded(".png", scene()))
    data[16:24] = struct.pack(">II", 10_000, 10_000)
    bomb.write_bytes(bytes(data))
    assert peak(usual, "read")[0] < 200
    assert peak(huge)[0] < 200
    memory, said = peak(bomb)
    assert memory < 200 and "100 megapixels; the limit is 64" in said

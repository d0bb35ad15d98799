"""Real encoders, packed, unpacked and decoded again with OpenCV and PyAV."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from functools import cache
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.media import encoder as encoders
from lpr.media.encoder import available, choose_codec, fit, has_libav, open_encoder
from lpr.media.encoding import Codec, EncoderError, Settings
from lpr.media.threads import LowThread
from lpr.protocols.rtp import h264, h265, nal
from lpr.protocols.rtp.frames import RtpFrame, Unpacker
from lpr.protocols.rtp.jpeg import JpegUnpacker
from lpr.scene.street import Street
from tests.protocols.rtp import received, sent

Image = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
needs_libav = pytest.mark.skipif(not has_libav(), reason="PyAV is not installed (the extra 'video')")
UNPACKERS: dict[Codec, type[Unpacker]] = {
    "h264": h264.H264Unpacker,
    "h265": h265.H265Unpacker,
    "mjpeg": JpegUnpacker,
}
FILM = [pytest.param("h264", marks=needs_libav), pytest.param("h265", marks=needs_libav)]
each = pytest.mark.parametrize("codec", [*FILM, "mjpeg"])
film = pytest.mark.parametrize("codec", FILM)


def settings(codec: Codec, width: int = 640, height: int = 360, bitrate: int = 2000) -> Settings:
    return Settings(codec, width, height, 25.0, bitrate, 80)


@cache
def _street(count: int) -> tuple[Image, ...]:
    scene = Street(5, 640, 360, 25.0)
    return tuple(scene.frame(40 + number) for number in range(count))


def street(count: int = 6) -> list[Image]:
    """Frames of the demo street, which moves: 640 x 360."""
    return list(_street(12)[:count])


def over_the_wire(codec: Codec, images: list[Image], chosen: Settings, keys: tuple[int, ...] = ()) -> list[RtpFrame]:
    """What a receiver has of pictures that were encoded and packed; ``keys``: those asked for as key frames."""
    encoder = open_encoder(chosen)
    payloads: list[list[bytes]] = []
    for number, image in enumerate(images):
        encoded = encoder.encode(image, key=number in keys)
        assert encoded is not None, "a picture was held back"
        payloads.append(list(encoded.payloads))
    frames = received(UNPACKERS[codec](), sent(payloads))
    assert len(frames) == len(images) and not any(frame.damaged for frame in frames)
    return frames


def decoded(codec: Codec, frames: list[RtpFrame]) -> list[Image]:
    """The pictures, by a decoder that knows nothing but these frames."""
    if codec == "mjpeg":
        found = [cv2.imdecode(np.frombuffer(frame.parts[0], np.uint8), cv2.IMREAD_COLOR) for frame in frames]
        return [np.asarray(image, np.uint8) for image in found if image is not None]
    import av

    decoder: Any = av.CodecContext.create("h264" if codec == "h264" else "hevc", "r")
    packets = [av.Packet(nal.join(frame.parts)) for frame in frames]
    pictures = [picture for packet in (*packets, None) for picture in decoder.decode(packet)]
    return [np.asarray(picture.to_ndarray(format="bgr24"), np.uint8) for picture in pictures]


def psnr(one: Image, other: Image) -> float:
    """Likeness in dB."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


@each
def test_pictures_come_back(codec: Codec) -> None:
    images = street()
    seen = decoded(codec, over_the_wire(codec, images, settings(codec)))
    assert len(seen) == len(images)
    assert all(psnr(one, other) > 27 for one, other in zip(images, seen, strict=True))
    assert all(psnr(images[0], other) < 50 for other in seen)


@each
def test_colours_are_right(codec: Codec) -> None:
    colours = [(30, 30, 200), (200, 40, 30), (40, 180, 40), (235, 235, 235), (16, 16, 16)]
    for bgr in colours:
        image = np.full((96, 128, 3), bgr, np.uint8)
        (seen,) = decoded(codec, over_the_wire(codec, [image], settings(codec, 128, 96)))
        assert np.abs(seen[40, 60].astype(int) - bgr).max() <= 6


def kinds(codec: Codec, frame: RtpFrame) -> list[int]:
    kind = h264.kind if codec == "h264" else h265.kind
    return [kind(unit) for unit in frame.parts]


@film
def test_key_frames_are_put_where_they_are_asked_for_with_their_parameter_sets(codec: Codec) -> None:
    frames = over_the_wire(codec, street(count=12), settings(codec), keys=(7,))
    sets = [h264.SPS, h264.PPS] if codec == "h264" else [h265.VPS, h265.SPS, h265.PPS]
    for number, frame in enumerate(frames):
        found = kinds(codec, frame)
        if number in (0, 7):
            assert found[: len(sets)] == sets
            assert set(found[len(sets) :]) <= ({h264.IDR} if codec == "h264" else {19, 20})
        else:
            assert found == [1] * len(found)
    late = decoded(codec, frames[7:])
    assert len(late) == 5


@film
def test_the_description_has_the_parameter_sets_of_the_stream(codec: Codec) -> None:
    encoder = open_encoder(settings(codec))
    encoded = encoder.encode(street(count=1)[0], key=True)
    assert encoded is not None
    again = open_encoder(settings(codec))
    assert encoder.sdp == again.sdp
    import base64

    given = re.findall(r"(?:sets|vps|sps|pps)=([^;\s]+)", encoder.sdp[2])
    units = [base64.b64decode(text) for one in given for text in one.split(",")]
    assert list(encoded.payloads[: len(units)]) == units
    assert encoder.sdp[1] == f"a=rtpmap:96 {codec.upper()}/90000"


@film
def test_the_bit_rate_is_kept_and_key_frames_are_bounded(codec: Codec) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (180, 320, 3), np.uint8)
    images = [np.roll(noise, 7 * number, axis=1) for number in range(50)]
    frames = over_the_wire(codec, images, settings(codec, 320, 180, bitrate=500), keys=(0, 25))
    sizes = [sum(map(len, frame.parts)) for frame in frames]
    assert sum(sizes[10:]) * 8 / (40 / 25) < 850_000
    assert max(sizes[1:]) < 500_000 / 8


@each
def test_pictures_of_any_shape(codec: Codec) -> None:
    for size in ((1278, 718), (161, 121), (3000, 40)):
        wide, high = fit(size, 0, 0, codec)
        image = np.full((high, wide, 3), 90, np.uint8)
        (seen,) = decoded(codec, over_the_wire(codec, [image], settings(codec, wide, high)))
        assert seen.shape == image.shape


@given(
    st.tuples(st.integers(16, 8192), st.integers(16, 8192)),
    st.integers(0, 4096),
    st.integers(0, 4096),
    st.sampled_from(("h264", "h265", "mjpeg")),
)
def test_fitting(size: tuple[int, int], width: int, height: int, codec: Codec) -> None:
    step, most = (8, 2040) if codec == "mjpeg" else (2, 16384)
    wide, high = fit(size, width, height, codec)
    assert not wide % step and not high % step and step <= wide <= most and step <= high <= most
    assert wide <= max(step, size[0] + step / 2) and high <= max(step, size[1] + step / 2)
    if width:
        assert wide <= max(step, width + step / 2)
    if min(wide, high) > 20 * step:
        assert wide / high == pytest.approx(size[0] / size[1], rel=0.06)


def test_sizes_that_people_ask_for() -> None:
    assert fit((1920, 1080), 1280, 0, "h264") == (1280, 720)
    assert fit((1920, 1080), 640, 640, "h264") == (640, 360)
    assert fit((1920, 1080), 0, 0, "mjpeg") == (1920, 1080)
    assert fit((1280, 720), 1920, 0, "h265") == (1280, 720)
    assert fit((3840, 2160), 0, 0, "mjpeg") == (2040, 1144)
    assert fit((2209, 171), 2119, 0, "mjpeg") == (2040, 160)


def test_what_is_offered_for_what_is_asked() -> None:
    everything: frozenset[Codec] = frozenset({"mjpeg", "h264", "h265"})
    only: frozenset[Codec] = frozenset({"mjpeg"})
    assert choose_codec("auto", everything) == ("h264", "")
    assert choose_codec("h265", everything) == ("h265", "")
    assert choose_codec("mjpeg", only) == ("mjpeg", "")
    codec, problem = choose_codec("auto", only)
    assert codec == "mjpeg" and "lpr[video]" in problem
    codec, problem = choose_codec("h265", only)
    assert codec == "mjpeg" and "instead of H265" in problem


@pytest.fixture
def without_libav(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """As if PyAV were not installed."""

    def missing(name: str) -> None:
        assert name == "av"

    monkeypatch.setattr(encoders.importlib.util, "find_spec", missing)
    for name in [name for name in sys.modules if name.split(".")[0] == "av"]:
        monkeypatch.setitem(sys.modules, name, ModuleType("gone"))
    for cached in (has_libav, available):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (has_libav, available):
        cached.cache_clear()


def test_without_pyav_there_is_mjpeg(without_libav: None) -> None:
    assert available() == {"mjpeg"}
    assert open_encoder(settings("mjpeg")).encode(street(count=1)[0], key=True) is not None
    with pytest.raises(EncoderError, match="PyAV is not installed"):
        open_encoder(settings("h264"))


def test_a_picture_that_no_jpeg_carries_is_refused() -> None:
    with pytest.raises(EncoderError, match="multiples of 8"):
        open_encoder(settings("mjpeg")).encode(np.zeros((100, 100, 3), np.uint8), key=True)


@needs_libav
def test_a_size_that_no_encoder_takes_is_refused() -> None:
    with pytest.raises(EncoderError, match="libx264 can't be opened"):
        open_encoder(settings("h264", 0, 0))


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux alone")
async def test_encoding_has_a_lower_priority_than_the_rest() -> None:
    import os

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, 0)

    mine, thread = priority(), LowThread(3)
    assert await thread(priority) == min(19, mine + 3)
    assert await thread(priority) == min(19, mine + 3)
    assert priority() == mine

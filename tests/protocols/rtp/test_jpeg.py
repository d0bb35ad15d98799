"""RFC 2435: OpenCV's JPEGs over the wire and back, and what can't go over it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.protocols.rtp.jpeg import (
    HUFFMAN,
    JpegError,
    JpegScan,
    JpegUnpacker,
    build_jpeg,
    media_lines,
    pack,
    parse_jpeg,
    quantisation,
)
from tests.protocols.rtp import golden, received, sent

SCANS = st.builds(
    JpegScan,
    width=st.integers(1, 255).map(lambda units: units * 8),
    height=st.integers(1, 255).map(lambda units: units * 8),
    kind=st.integers(0, 1),
    luma=st.binary(min_size=64, max_size=64),
    chroma=st.binary(min_size=64, max_size=64),
    restart=st.integers(0, 65535),
    scan=st.binary(max_size=600),
)


def jpeg(width: int = 64, height: int = 48, *options: int, seed: int = 0) -> bytes:
    """OpenCV's JPEG of some picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    done, data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (5, 5), 0), list(options))
    assert done
    return data.tobytes()


def pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


@given(SCANS, st.integers(150, 400))
def test_scans_come_back(scan: JpegScan, limit: int) -> None:
    payloads = pack(scan, limit)
    assert all(len(payload) <= limit for payload in payloads)
    (frame,) = received(JpegUnpacker(), sent([payloads]))
    assert frame.parts == (build_jpeg(scan),) and not frame.damaged
    assert parse_jpeg(frame.parts[0]) == scan


@given(st.data())
def test_a_picture_with_a_hole_is_not_given_out(data: st.DataObject) -> None:
    scan = data.draw(SCANS)
    packets = sent([pack(scan, 200), pack(scan, 200)])
    lost = data.draw(st.integers(0, len(packets) // 2 - 1))
    frames = received(JpegUnpacker(), packets[:lost] + packets[lost + 1 :])
    whole = [frame for frame in frames if frame.parts]
    assert all(frame.parts == (build_jpeg(scan),) for frame in whole)
    assert 3600 in [frame.timestamp for frame in whole] or lost == len(packets) // 2 - 1
    assert 0 not in [frame.timestamp for frame in whole]


@settings(max_examples=30)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 100),
    st.sampled_from((cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422)),
    st.sampled_from((0, 1, 5)),
)
def test_every_pixel_of_opencvs_jpegs_comes_back(
    wide: int, high: int, quality: int, sampling: int, restart: int
) -> None:
    options = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)
    data = jpeg(wide * 8, high * 8, *options, cv2.IMWRITE_JPEG_RST_INTERVAL, restart, seed=quality)
    (frame,) = received(JpegUnpacker(), sent([pack(parse_jpeg(data))]))
    assert np.array_equal(pixels(frame.parts[0]), pixels(data))


def test_the_wire_form() -> None:
    scan = JpegScan(16, 8, 1, bytes((1,)) * 64, bytes((2,)) * 64, 0, b"\xaa\xbb")
    assert pack(scan) == [golden("jpeg")]
    assert media_lines() == ("m=video 0 RTP/AVP 26", "a=rtpmap:26 JPEG/90000")


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"GIF89a", "SOI"),
        (b"\xff\xd8", "before its scan"),
        (b"\xff\xd8\xff\xdb\x00\x43\x00", "cut off"),
        (jpeg(60, 48), "multiples of 8"),
        (jpeg(2048, 8), "up to 2040"),
        (jpeg(64, 48, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), "baseline"),
        (jpeg(64, 48, cv2.IMWRITE_JPEG_OPTIMIZE, 1), "Huffman"),
        (jpeg(64, 48, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444), "sampling 11"),
        (jpeg(64, 48)[:-2], "no end"),
    ],
)
def test_what_cannot_go_over_the_wire_is_said(data: bytes, part: str) -> None:
    with pytest.raises(JpegError, match=part):
        parse_jpeg(data)


def test_a_grey_jpeg_is_refused() -> None:
    done, data = cv2.imencode(".jpg", np.zeros((16, 16), np.uint8))
    assert done
    with pytest.raises(JpegError, match="three components"):
        parse_jpeg(data.tobytes())


@given(st.binary(max_size=200), st.integers(0, 700))
def test_any_bytes_are_a_jpeg_or_refused(noise: bytes, at: int) -> None:
    whole = jpeg()
    for data in (noise, b"\xff\xd8" + noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            scan = parse_jpeg(data)
        except JpegError as error:
            assert str(error)
        else:
            assert scan.width % 8 == 0


def test_the_tables_of_a_quality_are_those_of_libjpeg() -> None:
    for quality in (1, 10, 49, 50, 75, 99):
        scan = parse_jpeg(jpeg(64, 48, cv2.IMWRITE_JPEG_QUALITY, quality))
        assert quantisation(quality) == (scan.luma, scan.chroma)
    with pytest.raises(ValueError, match="Q 100"):
        quantisation(100)
    assert sorted(HUFFMAN) == [0x00, 0x01, 0x10, 0x11]


def test_a_sender_with_a_quality_instead_of_tables() -> None:
    scan = parse_jpeg(jpeg(64, 48, cv2.IMWRITE_JPEG_QUALITY, 60))
    (payload,) = pack(scan, 60_000)
    plain = payload[:5] + bytes((60,)) + payload[6:8] + payload[8 + 132 :]
    (frame,) = received(JpegUnpacker(), sent([[plain]]))
    assert frame.parts == (build_jpeg(scan),)


def test_tables_that_are_sent_once() -> None:
    scan = parse_jpeg(jpeg())
    (payload,) = pack(scan, 60_000)
    first = payload[:5] + b"\x80" + payload[6:]
    later = first[:8] + bytes(4) + first[8 + 132 :]
    frames = received(JpegUnpacker(), sent([[first], [later]]))
    assert [frame.parts for frame in frames] == [(build_jpeg(scan),)] * 2
    unpacker = JpegUnpacker()
    (frame,) = received(unpacker, sent([[later]]))
    assert frame.damaged and "tables of 0 bytes" in unpacker.problem


@pytest.mark.parametrize(
    ("at", "value", "part"),
    [
        (0, 1, "interlaced"),
        (4, 2, "type 2"),
        (4, 66, "type 66"),
        (5, 0, "Q 0 is reserved"),
        (9, 1, "tables of 128"),
        (11, 255, "tables of 255"),
        (3, 9, "offset 9"),
    ],
)
def test_what_a_receiver_refuses(at: int, value: int, part: str) -> None:
    (payload,) = pack(parse_jpeg(jpeg()), 60_000)
    wrong = payload[:at] + bytes((value,)) + payload[at + 1 :]
    unpacker = JpegUnpacker()
    (frame,) = received(unpacker, sent([[wrong]]))
    assert frame.damaged and not frame.parts and part in unpacker.problem


def test_limits() -> None:
    scan = parse_jpeg(jpeg())
    with pytest.raises(ValueError, match="no room"):
        pack(scan, 140)
    with pytest.raises(ValueError, match="longer"):
        pack(JpegScan(8, 8, 1, bytes(64), bytes(64), 0, bytes(1 << 24)))
    for cut in (4, 9, 30):
        unpacker = JpegUnpacker()
        (frame,) = received(unpacker, sent([[pack(scan)[0][:cut]]]))
        assert frame.damaged and not frame.parts

"""The payload formats, there and back, with losses and with nonsense."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtp import audio, h264, h265, nal, xml
from lpr.protocols.rtp.frames import RtpFrame, Unpacker
from lpr.protocols.rtp.jpeg import JpegUnpacker
from lpr.protocols.rtp.packet import RtpPacket, decode_packet
from tests.protocols.rtp import golden, received, sent


def _unit264(kind: int, body: bytes) -> bytes:
    return bytes((0x60 | kind,)) + body


def _unit265(kind: int, body: bytes) -> bytes:
    return bytes((kind << 1, 1)) + body


UNITS264 = st.lists(st.builds(_unit264, st.sampled_from((1, 5, 7, 8)), st.binary(max_size=80)), min_size=1, max_size=4)
UNITS265 = st.lists(
    st.builds(_unit265, st.sampled_from((1, 19, 32, 33, 34)), st.binary(max_size=80)), min_size=1, max_size=4
)
Format: TypeAlias = tuple[
    Callable[[list[bytes], int], list[bytes]], Callable[[], Unpacker], st.SearchStrategy[list[bytes]]
]
FORMATS: dict[str, Format] = {
    "h264": (h264.pack, h264.H264Unpacker, UNITS264),
    "h265": (h265.pack, h265.H265Unpacker, UNITS265),
    "aac": (
        lambda parts, limit: audio.pack_aac(parts[0], limit),
        audio.AacUnpacker,
        st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=1),
    ),
    "xml": (
        lambda parts, limit: xml.pack(parts[0], limit),
        xml.XmlUnpacker,
        st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=1),
    ),
}
each = pytest.mark.parametrize("name", FORMATS)


@each
@given(data=st.data(), limit=st.integers(8, 40))
def test_frames_come_back_and_no_payload_is_too_long(name: str, data: st.DataObject, limit: int) -> None:
    pack, unpacker, strategy = FORMATS[name]
    frames = data.draw(st.lists(strategy, min_size=1, max_size=4))
    payloads = [pack(parts, limit) for parts in frames]
    assert all(0 < len(payload) <= limit for one in payloads for payload in one)
    expected = [RtpFrame(3600 * number, tuple(parts)) for number, parts in enumerate(frames)]
    assert received(unpacker(), sent(payloads)) == expected


@each
@given(data=st.data(), limit=st.integers(8, 40))
def test_what_was_lost_is_never_taken_for_whole(name: str, data: st.DataObject, limit: int) -> None:
    pack, unpacker, strategy = FORMATS[name]
    frames = data.draw(st.lists(strategy, min_size=2, max_size=5))
    packets = sent(pack(parts, limit) for parts in frames)
    after = st.lists(st.booleans(), min_size=len(packets) - 1, max_size=len(packets) - 1)
    kept = [True, *data.draw(after)]  # what came before a receiver's first packet it can't know
    for frame in received(unpacker(), [packet for packet, keep in zip(packets, kept, strict=True) if keep]):
        parts = frames[frame.timestamp // 3600]
        assert set(frame.parts) <= set(parts)
        if not frame.damaged and frame.marked:
            assert list(frame.parts) == parts


@each
@given(payloads=st.lists(st.tuples(st.binary(max_size=12), st.booleans(), st.integers(1, 3)), max_size=30))
def test_any_payloads_raise_nothing_and_keep_little(name: str, payloads: list[tuple[bytes, bool, int]]) -> None:
    _feed(FORMATS[name][1](), payloads)


@given(payloads=st.lists(st.tuples(st.binary(max_size=12), st.booleans(), st.integers(1, 3)), max_size=30))
def test_any_payloads_of_jpeg_and_pcmu(payloads: list[tuple[bytes, bool, int]]) -> None:
    _feed(JpegUnpacker(), payloads)
    _feed(audio.PcmuUnpacker(), payloads)


def _feed(unpacker: Unpacker, payloads: list[tuple[bytes, bool, int]]) -> None:
    sequence = 0
    for payload, marker, step in payloads:
        sequence += step
        for frame in unpacker.add(RtpPacket(96, sequence & 0xFFFF, sequence // 7, 1, payload, marker)):
            assert frame.parts or frame.damaged


@each
def test_a_frame_without_end_is_bounded(name: str) -> None:
    unpacker = FORMATS[name][1]()
    unpacker.limit = 1000
    start = {"h264": b"\x7c\x85", "h265": b"\x62\x01\x93", "aac": b"\x00\x10\xff\xf8", "xml": b"<"}[name]
    middle = {"h264": b"\x7c\x05", "h265": b"\x62\x01\x13", "aac": b"\x00\x10\xff\xf8", "xml": b""}[name]
    unpacker.add(RtpPacket(96, 0, 0, 1, start + bytes(100)))
    for sequence in range(1, 50):
        unpacker.add(RtpPacket(96, sequence, 0, 1, middle + bytes(100)))
    (frame,) = unpacker.add(RtpPacket(96, 50, 0, 1, middle + b"x", True))
    assert frame == RtpFrame(0, (), damaged=True)
    assert "longer than 1000" in unpacker.problem


@each
def test_a_packet_that_comes_twice_or_late_is_passed_over(name: str) -> None:
    pack, unpacker, _ = FORMATS[name]
    parts = [b"\x41\x01" + bytes(range(30))]
    packets = sent([pack(parts, 20)])
    twice = [packets[0], packets[0], packets[1], packets[0], *packets[1:]]
    assert received(unpacker(), twice) == [RtpFrame(0, tuple(parts))]


def test_a_frame_whose_end_was_lost_comes_with_the_next_timestamp() -> None:
    packets = sent([[b"\x41a"], [b"\x41b"]])
    unmarked = [packets[0][:1] + b"\x60" + packets[0][2:], packets[1]]
    assert received(h264.H264Unpacker(), unmarked) == [
        RtpFrame(0, (b"\x41a",), marked=False),
        RtpFrame(3600, (b"\x41b",)),
    ]


def _portions(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    while data:
        found.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return found


def test_the_wire_forms() -> None:
    units = [b"\x67\x42\xc0\x1e", b"\x68\xce", b"\x65" + bytes(range(1, 10))]
    assert h264.pack(units, 6) == _portions(golden("h264"))
    units = [b"\x40\x01\x0c\x01", b"\x26\x01" + bytes(range(1, 8))]
    assert h265.pack(units, 8) == _portions(golden("h265"))
    assert audio.pack_aac(b"\x21\x1a\x4f") == [golden("aac")]


def test_aggregated_units_are_taken_apart() -> None:
    stap = b"\x78" + b"\x00\x02\x67a" + b"\x00\x03\x68bc"
    assert received(h264.H264Unpacker(), sent([[stap]]))[0].parts == (b"\x67a", b"\x68bc")
    ap = b"\x60\x01" + b"\x00\x03\x40\x01a" + b"\x00\x02\x42\x01"
    assert received(h265.H265Unpacker(), sent([[ap]]))[0].parts == (b"\x40\x01a", b"\x42\x01")
    several = b"\x00\x20" + (2 << 3).to_bytes(2) + (1 << 3).to_bytes(2) + b"abc"
    assert received(audio.AacUnpacker(), sent([[several]]))[0].parts == (b"ab", b"c")


@pytest.mark.parametrize(
    ("unpacker", "payloads", "part"),
    [
        (h264.H264Unpacker, [b""], "empty"),
        (h264.H264Unpacker, [b"\x79ab"], "type 25"),
        (h264.H264Unpacker, [b"\x78\x00\x09a"], "aggregation packet is cut off"),
        (h264.H264Unpacker, [b"\x7c\x85"], "without data"),
        (h264.H264Unpacker, [b"\x7c\x05a"], "no beginning"),
        (h264.H264Unpacker, [b"\x7c\x85a", b"\x41b"], "no end"),
        (h264.H264Unpacker, [b"\x7c\x85a", b"\x7c\x85a"], "no end"),
        (h264.H264Unpacker, [b"\x7c\x85a"], "no end"),
        (h265.H265Unpacker, [b"\x40"], "without its header"),
        (h265.H265Unpacker, [b"\x64\x01a"], "type 50"),
        (h265.H265Unpacker, [b"\x62\x01\x93"], "without data"),
        (h265.H265Unpacker, [b"\x62\x01\x13a"], "no beginning"),
        (h265.H265Unpacker, [b"\x62\x01\x93a", b"\x02\x01b"], "no end"),
        (h265.H265Unpacker, [b"\x62\x01\x93a", b"\x62\x01\x93a"], "no end"),
        (audio.AacUnpacker, [b"\x00"], "without its header"),
        (audio.AacUnpacker, [b"\x00\x08\x00"], "8 bits"),
        (audio.AacUnpacker, [b"\x00\x10\x00\x19a"], "interleaved"),
        (audio.AacUnpacker, [b"\x00\x10\x00\x08ab"], "announced"),
        (audio.AacUnpacker, [b"\x00\x10\x00\x20a", b"\x00\x10\x00\x20bcde"], "no end"),
        (audio.AacUnpacker, [b"\x00\x10\x00\x20abc", b"\x00\x10\x00\x20bc"], "longer"),
    ],
)
def test_what_breaks_a_format_is_said(unpacker: Callable[[], Unpacker], payloads: list[bytes], part: str) -> None:
    receiver = unpacker()
    (frame,) = received(receiver, sent([payloads]))
    assert frame.damaged and part in receiver.problem


def test_pcmu_has_a_frame_in_each_packet() -> None:
    packets = sent([[b"a"], [b"b"]])
    unmarked = [data[:1] + b"\x00" + data[2:] for data in packets]
    assert [frame.parts for frame in received(audio.PcmuUnpacker(), unmarked)] == [(b"a",), (b"b",)]


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda x: b"\0\0" not in x and x[-1:] != b"\0"), max_size=5))
def test_annex_b_is_split_and_joined(units: list[bytes]) -> None:
    assert nal.split(nal.join(units)) == [unit for unit in units if unit.rstrip(b"\0")]
    short = b"".join(b"\0\0\1" + unit for unit in units)
    assert nal.split(b"\0\0" + short + b"\0\0\0") == units


def test_delimiters_are_left_out_and_empty_units_refused() -> None:
    assert h264.pack([b"\x09\xf0", b"\x41a"]) == [b"\x41a"]
    assert h265.pack([b"\x46\x01\x50", b"\x02\x01a"]) == [b"\x02\x01a"]
    for wrong in (lambda: h264.pack([b""]), lambda: h265.pack([b"\x02"]), lambda: h264.pack([b"a"], 2)):
        with pytest.raises(ValueError, match="at least"):
            wrong()
    for wrong in (lambda: xml.pack(b""), lambda: audio.pack_aac(bytes(8192)), lambda: h265.pack([b"ab"], 3)):
        with pytest.raises(ValueError, match=r"at least|8191"):
            wrong()


def test_media_descriptions() -> None:
    assert h264.media_lines(96, b"\x67\x42\xc0\x1e\x01", b"\x68\xce")[1:] == (
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;profile-level-id=42C01E;sprop-parameter-sets=Z0LAHgE=,aM4=",
    )
    assert h265.media_lines(96, b"a", b"b", b"c")[2] == "a=fmtp:96 sprop-vps=YQ==;sprop-sps=Yg==;sprop-pps=Yw=="
    assert audio.pcmu_lines() == ("m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000")
    assert audio.aac_lines(97, audio.aac_config(44100, 1), 44100, 1)[2].endswith("indexdeltalength=3;config=1208")
    assert xml.media_lines(107) == ("m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000")
    for rate, channels in ((44000, 1), (44100, 0), (44100, 7)):
        with pytest.raises(ValueError, match="no form"):
            audio.aac_config(rate, channels)


def test_metadata_is_cut_within_characters_too() -> None:
    document = "<a>é</a>".encode()
    payloads = xml.pack(document, 4)
    assert payloads == [b"<a>\xc3", b"\xa9</a", b">"]
    assert [decode_packet(data).marker for data in sent([payloads])] == [False, False, True]

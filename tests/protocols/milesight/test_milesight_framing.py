"""Frames: exact bytes, limits, and every way in which a stream can be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.milesight import Frame, FrameParser, ProtocolError, encode_frame
from lpr.protocols.milesight.framing import HEADER_SIZE

FRAMES = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=200)), max_size=5)


def read_all(parser: FrameParser) -> list[Frame]:
    found: list[Frame] = []
    while (frame := parser.next_frame()) is not None:
        found.append(frame)
    return found


def offence(data: bytes, limit: int = 1000) -> str:
    parser = FrameParser(limit)
    parser.feed(data)
    with pytest.raises(ProtocolError) as caught:
        read_all(parser)
    return caught.value.offence


def test_the_size_counts_the_end_signature() -> None:
    assert encode_frame(0x8801, b"abc").hex(" ") == "cc ff 01 88 05 00 00 00 61 62 63 ff dd"
    assert encode_frame(1).hex(" ") == "cc ff 01 00 02 00 00 00 ff dd"


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_any_chunking_gives_the_same_frames(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(command, data) for command, data in frames)
    parser = FrameParser(200)
    found: list[Frame] = []
    at = turn = 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        parser.feed(stream[at : at + size])
        found += read_all(parser)
        at, turn = at + size, turn + 1
    parser.end()
    assert found == [Frame(command, data) for command, data in frames]
    assert parser.buffered == 0


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_the_protocols_error(data: bytes) -> None:
    parser = FrameParser(100)
    parser.feed(data)
    try:
        read_all(parser)
        parser.end()
    except ProtocolError as error:
        assert error.offence in ("bad start", "bad size", "too long", "bad end", "cut off")
    assert parser.buffered <= 100 + HEADER_SIZE + 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"G", "bad start"),
        (b"\xcc\x00", "bad start"),
        (bytes.fromhex("ccff 0100 00000000"), "bad size"),
        (bytes.fromhex("ccff 0100 01000000"), "bad size"),
        (bytes.fromhex("ccff 0100 ffffffff"), "too long"),
        (bytes.fromhex("ccff 0100 eb030000"), "too long"),
        (bytes.fromhex("ccff 0100 03000000 00 ffde"), "bad end"),
    ],
)
def test_each_offence_has_its_name(data: bytes, expected: str) -> None:
    assert offence(data) == expected


def test_four_gigabytes_are_refused_at_the_header() -> None:
    parser = FrameParser(4096)
    parser.feed(bytes.fromhex("ccff 0100 ffffffff") + bytes(10_000))
    with pytest.raises(ProtocolError, match="4294967293 bytes of data announced, at most 4096"):
        parser.next_frame()
    assert parser.buffered == 0
    parser.feed(bytes(10_000))
    assert parser.buffered == 0
    with pytest.raises(ProtocolError, match="too long"):
        parser.next_frame()


def test_the_limit_itself_is_allowed() -> None:
    parser = FrameParser(3)
    parser.feed(encode_frame(7, b"abc"))
    assert parser.next_frame() == Frame(7, b"abc")


def test_a_stream_that_ends_inside_a_frame_is_cut_off() -> None:
    parser = FrameParser(10)
    parser.feed(encode_frame(7, b"abc")[:-1])
    assert parser.next_frame() is None
    with pytest.raises(ProtocolError, match="cut off"):
        parser.end()


def test_commands_and_sizes_that_do_not_fit_are_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="65536"):
        encode_frame(65536)

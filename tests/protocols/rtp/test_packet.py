"""RTP's header, RTCP, and a receiver's account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtp.order import Reception
from lpr.protocols.rtp.packet import RtpError, RtpPacket, decode_packet, encode_frame, encode_packet
from lpr.protocols.rtp.rtcp import (
    Description,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    Rtcp,
    SenderReport,
    decode,
    encode,
    ntp_time,
    wall_time,
)
from tests.protocols.rtp import golden

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=U16,
    timestamp=U32,
    ssrc=U32,
    payload=st.binary(max_size=50),
    marker=st.booleans(),
)
NAMES = st.text(st.characters(codec="utf-8"), max_size=60)
BLOCKS = st.lists(
    st.builds(
        ReportBlock,
        ssrc=U32,
        lost=U8,
        total_lost=st.integers(-(2**23), 2**23 - 1),
        highest=U32,
        jitter=U32,
        last_report=U32,
        delay=U32,
    ),
    max_size=31,
).map(tuple)
COMPOUND: st.SearchStrategy[tuple[Rtcp, ...]] = st.lists(
    st.one_of(
        st.builds(SenderReport, ssrc=U32, ntp=U64, timestamp=U32, packets=U32, octets=U32, blocks=BLOCKS),
        st.builds(ReceiverReport, ssrc=U32, blocks=BLOCKS),
        st.builds(Description, ssrc=U32, cname=NAMES),
        st.builds(Goodbye, ssrcs=st.lists(U32, min_size=1, max_size=31).map(tuple), reason=NAMES),
    ),
    max_size=5,
).map(tuple)


@given(PACKETS)
def test_a_packet_comes_back(packet: RtpPacket) -> None:
    assert decode_packet(encode_packet(packet)) == packet


@given(PACKETS, st.integers(0, 15), st.binary(max_size=12), st.integers(0, 20))
def test_sources_extension_and_padding_are_passed_over(
    packet: RtpPacket, sources: int, extension: bytes, padding: int
) -> None:
    plain = encode_packet(packet)
    words = extension[: len(extension) // 4 * 4]
    body = bytes(4 * sources) + b"\xbe\xde" + (len(words) // 4).to_bytes(2) + words + plain[12:]
    first = 0x90 | sources
    if padding:
        first, body = first | 0x20, body + bytes(padding - 1) + bytes((padding,))
    assert decode_packet(bytes((first,)) + plain[1:12] + body) == packet


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_refused(data: bytes) -> None:
    try:
        packet = decode_packet(data)
    except RtpError as error:
        assert str(error)
    else:
        assert len(packet.payload) <= len(data)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "too few"),
        (bytes(12), "version 0"),
        (b"\x91" + bytes(11), "cut off"),
        (b"\xa0" + bytes(12), "padding"),
        (b"\xa0" + bytes(11) + b"\x05", "padding"),
        (b"\x8f" + bytes(30), "longer"),
    ],
)
def test_what_is_no_packet_is_said(data: bytes, part: str) -> None:
    with pytest.raises(RtpError, match=part):
        decode_packet(data)


def test_the_packets_of_a_frame() -> None:
    found = [decode_packet(data) for data in encode_frame((b"a", b"b", b"c"), 96, 0xFFFF, 2**32 + 7, 5)]
    assert [(one.sequence, one.timestamp, one.ssrc, one.marker, one.payload) for one in found] == [
        (0xFFFF, 7, 5, False, b"a"),
        (0, 7, 5, False, b"b"),
        (1, 7, 5, True, b"c"),
    ]
    assert not any(decode_packet(data).marker for data in encode_frame((b"a",), 0, 1, 1, 1, marker=False))


def test_the_wire_form_of_a_packet() -> None:
    packet = RtpPacket(96, 0x1234, 0x56789ABC, 0xDEADBEEF, b"\x65\x01", True)
    assert encode_packet(packet) == golden("packet")


@given(COMPOUND)
def test_reports_come_back(packets: tuple[Rtcp, ...]) -> None:
    assert decode(encode(packets)) == packets


@given(st.binary(max_size=80))
def test_any_bytes_are_rtcp_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except RtpError as error:
        assert str(error)


@given(st.data())
def test_a_cut_report_is_refused_or_shorter(data: st.DataObject) -> None:
    packets = data.draw(COMPOUND)
    whole = encode(packets)
    cut = whole[: data.draw(st.integers(0, max(0, len(whole) - 1)))]
    try:
        assert decode(cut) == packets[: len(decode(cut))]
    except RtpError as error:
        assert str(error)


def test_the_wire_form_of_a_sender_report() -> None:
    at = ntp_time(1_706_767_205_500_000)
    packets = (SenderReport(0x01020304, at, 0x0A0B0C0D, 1000, 1_400_000), Description(0x01020304, "lpr@gate"))
    assert encode((*packets, Goodbye((0x01020304,)))) == golden("sender-report")
    assert decode(golden("sender-report")) == (*packets, Goodbye((0x01020304,)))


def test_other_types_padding_and_names_are_passed_over() -> None:
    other = bytes.fromhex("80cc0001 00000001")  # APP
    padded = bytes.fromhex("a0c90002 00000007 00000004")
    names = bytes.fromhex("81ca0003 00000009 0201 61 0101 62 00 00")
    assert decode(other + padded + names) == (ReceiverReport(7), Description(9, "b"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("80", "header is cut off"),
        ("00c80000", "version 0"),
        ("80c80001", "longer than the datagram"),
        ("80c80001 00000000", "cut off"),
        ("81c90001 00000000", "cut off"),
        ("80c90000", "without its sender"),
        ("a0c90000", "padding"),
        ("81ca0002 00000001 01ff0000", "cut off"),
        ("82cb0001 00000001", "cut off"),
        ("82ca0002 00000001 00000000", "cut off"),
    ],
)
def test_what_is_no_rtcp_is_said(text: str, part: str) -> None:
    with pytest.raises(RtpError, match=part):
        decode(bytes.fromhex(text))


def test_what_does_not_fit_into_a_report_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        encode((Description(1, "x" * 256),))
    with pytest.raises(ValueError, match="255"):
        encode((Goodbye((1,), "x" * 256),))
    with pytest.raises(ValueError, match="31"):
        encode((Goodbye(tuple(range(32))),))


@given(st.integers(0, 4_000_000_000_000_000))
def test_ntp_times_come_back_to_the_microsecond(wall: int) -> None:
    if wall < (2**32 - 2_208_988_800) * 1_000_000:
        assert wall_time(ntp_time(wall)) == wall


def packet(sequence: int, timestamp: int = 0, ssrc: int = 1) -> RtpPacket:
    return RtpPacket(96, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, b"")


def test_a_receiver_counts_what_is_lost() -> None:
    account = Reception(90000)
    assert account.block(0) == ReportBlock(0)
    for sequence in (65534, 65535, 1, 2, 4):  # 0 and 3 are lost
        account.packet(packet(sequence), 0)
    block = account.block(0)
    assert (block.ssrc, block.total_lost, block.highest, block.lost) == (1, 2, 65536 + 4, 2 * 256 // 7)
    assert account.lost == 2
    account.packet(packet(3), 0)  # late
    account.packet(packet(5), 0)
    block = account.block(0)
    assert (block.total_lost, block.lost) == (1, 0)


def test_jitter_is_how_unevenly_packets_come() -> None:
    even, uneven = Reception(90000), Reception(90000)
    for number in range(200):
        even.packet(packet(number, number * 3600), number * 40_000)
        uneven.packet(packet(number, number * 3600), number * 40_000 + number % 2 * 8_000)
    assert even.jitter == 0
    assert uneven.jitter == pytest.approx(0.008, rel=0.02)


def test_the_last_sender_report_is_named_with_the_time_since() -> None:
    account = Reception(90000)
    account.packet(packet(1), 0)
    account.sender_report(SenderReport(1, 0x1111_2222_3333_4444, 0, 1, 1), 1_000_000)
    block = account.block(1_500_000)
    assert (block.last_report, block.delay) == (0x2222_3333, 32768)


def test_a_sender_that_begins_anew_begins_a_new_account() -> None:
    account = Reception(90000)
    for sequence in range(10):
        account.packet(packet(sequence), 0)
    account.packet(packet(30000), 0)
    assert (account.received, account.lost) == (1, 0)
    account.packet(packet(30001, ssrc=9), 0)
    assert (account.ssrc, account.received) == (9, 1)

"""RTCP (RFC 3550, section 6): sender reports, receiver reports, SDES with CNAME, BYE; compound packets.

    V=2 P count | type | length, u16 in words less one | ...

Built: SR + SDES (+ BYE), RR + SDES. Read: SR, RR, SDES' CNAME, BYE; other types are passed over. May import this room.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lpr.protocols.rtp.packet import VERSION, RtpError

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE = 200, 201, 202, 203
_CNAME = 1
NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 (NTP) to 1970."""
_HEAD = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one sender. ``lost``: of 256 since the last report; ``total_lost``: since the start, may
    be negative; ``highest``: extended sequence number; ``jitter``: of timestamps; ``last_report``: the middle 32 bits
    of the last SR's NTP time, 0 none; ``delay``: since then in 1/65536 s."""

    ssrc: int
    lost: int = 0
    total_lost: int = 0
    highest: int = 0
    jitter: int = 0
    last_report: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class SenderReport:
    """``ntp``: 64 bits, ``timestamp``: the RTP time of the same moment. ``packets``, ``octets``: sent payloads, u32."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """From a receiver with ``ssrc``."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """The canonical name of a sender, at most 255 bytes of UTF-8."""

    ssrc: int
    cname: str


@dataclass(frozen=True, slots=True)
class Goodbye:
    """These senders have ended."""

    ssrcs: tuple[int, ...]
    reason: str = ""


Rtcp: TypeAlias = SenderReport | ReceiverReport | Description | Goodbye


def ntp_time(wall: int) -> int:
    """The 64-bit NTP time of a wall clock in µs since 1970."""
    seconds, micros = divmod(wall, 1_000_000)
    return (seconds + NTP_EPOCH & 0xFFFFFFFF) << 32 | (micros << 32) // 1_000_000


def wall_time(ntp: int) -> int:
    """µs since 1970 of a 64-bit NTP time."""
    return ((ntp >> 32) - NTP_EPOCH) * 1_000_000 + ((ntp & 0xFFFFFFFF) * 1_000_000 + (1 << 31) >> 32)


def encode(packets: Sequence[Rtcp]) -> bytes:
    """A compound packet. Raises ValueError for more than 31 blocks or senders in one."""
    return b"".join(map(_encode, packets))


def _encode(packet: Rtcp) -> bytes:
    match packet:
        case SenderReport():
            sender = _SENDER.pack(packet.ssrc, packet.ntp, packet.timestamp, packet.packets, packet.octets)
            return _framed(SENDER_REPORT, len(packet.blocks), sender + _blocks(packet.blocks))
        case ReceiverReport():
            return _framed(RECEIVER_REPORT, len(packet.blocks), packet.ssrc.to_bytes(4) + _blocks(packet.blocks))
        case Description():
            name = packet.cname.encode()
            if len(name) > 255:
                raise ValueError("a CNAME has at most 255 bytes")
            item = bytes((_CNAME, len(name))) + name + b"\x00"
            return _framed(DESCRIPTION, 1, packet.ssrc.to_bytes(4) + item + bytes(-len(item) % 4))
        case Goodbye():
            reason = packet.reason.encode()
            if len(reason) > 255:
                raise ValueError("a reason has at most 255 bytes")
            text = bytes((len(reason),)) + reason if reason else b""
            body = b"".join(ssrc.to_bytes(4) for ssrc in packet.ssrcs) + text
            return _framed(GOODBYE, len(packet.ssrcs), body + bytes(-len(text) % 4))


def _framed(kind: int, count: int, body: bytes) -> bytes:
    if count > 31:
        raise ValueError("an RTCP packet counts at most 31")
    return _HEAD.pack(VERSION << 6 | count, kind, len(body) // 4) + body


def _blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            one.ssrc,
            one.lost << 24 | one.total_lost & 0xFFFFFF,
            one.highest,
            one.jitter,
            one.last_report,
            one.delay,
        )
        for one in blocks
    )


def decode(data: bytes) -> tuple[Rtcp, ...]:
    """The packets of a compound one, those of other types left out. Raises RtpError."""
    found: list[Rtcp] = []
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise RtpError("an RTCP header is cut off")
        first, kind, length = _HEAD.unpack_from(data, at)
        if first >> 6 != VERSION:
            raise RtpError(f"RTCP version {first >> 6}, not {VERSION}")
        end = at + 4 + 4 * length
        if end > len(data):
            raise RtpError("an RTCP packet is longer than the datagram")
        body = data[at + 4 : end]
        if first & 0x20:
            padding = body[-1] if body else 0
            if not 0 < padding <= len(body):
                raise RtpError("RTCP padding is longer than the packet")
            body = body[: len(body) - padding]
        found += _decode(kind, first & 0x1F, body)
        at = end
    return tuple(found)


def _decode(kind: int, count: int, body: bytes) -> list[Rtcp]:
    try:
        if kind == SENDER_REPORT:
            ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
            blocks = _read_blocks(body[_SENDER.size :], count)
            return [SenderReport(ssrc, ntp, timestamp, packets, octets, blocks)]
        if kind == RECEIVER_REPORT:
            if len(body) < 4:
                raise RtpError("a receiver report without its sender")
            return [ReceiverReport(int.from_bytes(body[:4]), _read_blocks(body[4:], count))]
    except struct.error:
        raise RtpError("an RTCP report is cut off") from None
    if kind == DESCRIPTION:
        return list(_read_names(body, count))
    if kind == GOODBYE:
        if len(body) < 4 * count:
            raise RtpError("an RTCP goodbye is cut off")
        ssrcs = tuple(int.from_bytes(body[4 * n : 4 * n + 4]) for n in range(count))
        text = body[4 * count :]
        return [Goodbye(ssrcs, text[1 : 1 + text[0]].decode("utf-8", "replace") if text else "")]
    return []


def _read_blocks(body: bytes, count: int) -> tuple[ReportBlock, ...]:
    blocks: list[ReportBlock] = []
    for number in range(count):
        ssrc, loss, *rest = _BLOCK.unpack_from(body, number * _BLOCK.size)
        total = loss & 0xFFFFFF
        blocks.append(ReportBlock(ssrc, loss >> 24, total - (total >> 23 << 24), *rest))
    return tuple(blocks)


def _read_names(body: bytes, count: int) -> list[Description]:
    found: list[Description] = []
    at = 0
    for _ in range(count):
        ssrc, start = int.from_bytes(body[at : at + 4]), at
        at += 4
        while at < len(body) and body[at]:
            if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
                raise RtpError("an RTCP description is cut off")
            if body[at] == _CNAME:
                found.append(Description(ssrc, body[at + 2 : at + 2 + body[at + 1]].decode("utf-8", "replace")))
            at += 2 + body[at + 1]
        if at > len(body):
            raise RtpError("an RTCP description is cut off")
        at += 4 - (at - start) % 4
    return found

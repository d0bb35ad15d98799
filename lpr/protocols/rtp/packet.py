"""The RTP packet (RFC 3550, section 5.1): fixed header of 12 bytes, contributing sources, extension, padding.

    V=2 P X CC | M PT | sequence, u16 | timestamp, u32 | SSRC, u32 | CSRC × CC | extension | payload | padding

May import this room.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = struct.Struct("!BBHII")
VERSION = 2
MTU_PAYLOAD = 1388
"""Bytes of payload in one packet: with RTP, UDP and IP (v6) headers and the interleaved one 1452 bytes, so that it
passes a PPPoE line and a tunnel without fragments."""


class RtpError(Exception):
    """Bytes that are no RTP or RTCP, or a payload that breaks its format. The text says what was found."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. ``payload_type``: 0 to 127; ``sequence``: u16; ``timestamp``, ``ssrc``: u32."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def encode_packet(packet: RtpPacket) -> bytes:
    """The bytes of ``packet``, without padding, sources or extension."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    return (
        HEADER.pack(VERSION << 6, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc)
        + packet.payload
    )


def encode_frame(
    payloads: Sequence[bytes], payload_type: int, sequence: int, timestamp: int, ssrc: int, *, marker: bool = True
) -> tuple[bytes, ...]:
    """The packets of one frame: numbers from ``sequence`` on, one timestamp, ``marker`` on the last."""
    pack, last = HEADER.pack, len(payloads) - 1
    plain, marked = payload_type, payload_type | (0x80 if marker else 0)
    first, when = VERSION << 6, timestamp & 0xFFFFFFFF
    return tuple(
        pack(first, marked if index == last else plain, (sequence + index) & 0xFFFF, when, ssrc) + payload
        for index, payload in enumerate(payloads)
    )


def decode_packet(data: bytes) -> RtpPacket:
    """The packet in ``data`` (one datagram or one interleaved frame). Sources and extension are passed over.

    Raises RtpError for another version, or when a length leads over the end.
    """
    if len(data) < HEADER.size:
        raise RtpError(f"{len(data)} bytes are too few for an RTP header ({HEADER.size})")
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    if first >> 6 != VERSION:
        raise RtpError(f"RTP version {first >> 6}, not {VERSION}")
    start = HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise RtpError("the RTP header's extension is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    end = len(data)
    if first & 0x20:
        if end <= start or not 0 < data[-1] <= end - start:
            raise RtpError("RTP padding is longer than the packet")
        end -= data[-1]
    if start > end:
        raise RtpError("the RTP header is longer than the packet")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, bytes(data[start:end]), bool(second & 0x80))

"""H.264 in RTP (RFC 6184), packetization mode 1: single NAL unit packets and FU-A out, STAP-A in besides.

May import this room.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from lpr.protocols.rtp.frames import Unpacker
from lpr.protocols.rtp.nal import fragments
from lpr.protocols.rtp.packet import MTU_PAYLOAD, RtpError

CLOCK_RATE = 90000
IDR, SEI, SPS, PPS, DELIMITER = 5, 6, 7, 8, 9
_STAP_A, _FU_A = 24, 28


def kind(unit: bytes) -> int:
    """``nal_unit_type`` of a NAL unit (its first byte's low five bits)."""
    return unit[0] & 0x1F


def pack(units: Iterable[bytes], limit: int = MTU_PAYLOAD) -> list[bytes]:
    """The payloads of an access unit's NAL units, each at most ``limit`` bytes; access unit delimiters are left out.

    The marker belongs on the last one. Raises ValueError for an empty unit or a limit below 3.
    """
    if limit < 3:
        raise ValueError("a payload of H.264 has at least 3 bytes")
    payloads: list[bytes] = []
    for unit in units:
        if not unit:
            raise ValueError("a NAL unit has at least one byte")
        if kind(unit) == DELIMITER:
            continue
        if len(unit) <= limit:
            payloads.append(unit)
        else:
            head = bytes((unit[0] & 0xE0 | _FU_A,))
            payloads += fragments(head, kind(unit), unit[1:], limit - 2)
    return payloads


def media_lines(payload_type: int, sps: bytes, pps: bytes) -> tuple[str, ...]:
    """The SDP media description (RFC 6184 8.2). ``sps``, ``pps``: without start code."""
    sets = ",".join(base64.b64encode(unit).decode() for unit in (sps, pps))
    profile = sps[1:4].hex().upper()
    return (
        f"m=video 0 RTP/AVP {payload_type}",
        f"a=rtpmap:{payload_type} H264/{CLOCK_RATE}",
        f"a=fmtp:{payload_type} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}",
    )


class H264Unpacker(Unpacker):
    """Packets to NAL units. STAP-B, MTAP and FU-B, which mode 1 forbids, make a frame damaged."""

    def _take(self, payload: bytes) -> None:
        if not payload:
            raise RtpError("an empty payload of H.264")
        what = kind(payload)
        if what != _FU_A and self._pending:
            self._lose("a fragment unit has no end")
        if 1 <= what <= 23:
            self._parts.append(payload)
        elif what == _STAP_A:
            self._parts += aggregated(payload, 1)
        elif what == _FU_A:
            self._fragment(payload)
        else:
            raise RtpError(f"a NAL unit packet of type {what}, which packetization mode 1 does not have")

    def _fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            raise RtpError("a fragment of H.264 without data")
        flags = payload[1]
        if flags & 0x80:
            if self._pending:
                self._lose("a fragment unit has no end")
            self._pending.append(bytes((payload[0] & 0xE0 | flags & 0x1F,)))
        elif not self._pending:
            raise RtpError("a fragment unit has no beginning")
        self._pending.append(payload[2:])
        if flags & 0x40:
            self._parts.append(b"".join(self._pending))
            self._pending.clear()


def aggregated(payload: bytes, start: int) -> list[bytes]:
    """The units of an aggregation packet whose first size (u16) is at ``start``. Raises RtpError."""
    units: list[bytes] = []
    while start < len(payload):
        size = int.from_bytes(payload[start : start + 2])
        unit = payload[start + 2 : start + 2 + size]
        if not size or len(unit) != size:
            raise RtpError("an aggregation packet is cut off")
        units.append(unit)
        start += 2 + size
    return units

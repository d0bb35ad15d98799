"""H.265 in RTP (RFC 7798), without decoding order numbers: single NAL units and FUs (49) out, APs (48) in besides.

May import this room.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from lpr.protocols.rtp.frames import Unpacker
from lpr.protocols.rtp.h264 import aggregated
from lpr.protocols.rtp.nal import fragments
from lpr.protocols.rtp.packet import MTU_PAYLOAD, RtpError

CLOCK_RATE = 90000
VPS, SPS, PPS, DELIMITER, PREFIX_SEI, SUFFIX_SEI = 32, 33, 34, 35, 39, 40
FIRST_KEY, LAST_KEY = 16, 21
"""Types of intra random access pictures (BLA, IDR, CRA)."""
_AP, _FU, _PACI = 48, 49, 50


def kind(unit: bytes) -> int:
    """``nal_unit_type`` of a NAL unit (bits 1 to 6 of its first byte)."""
    return unit[0] >> 1 & 0x3F


def pack(units: Iterable[bytes], limit: int = MTU_PAYLOAD) -> list[bytes]:
    """The payloads of an access unit's NAL units, each at most ``limit`` bytes; access unit delimiters are left out.

    The marker belongs on the last one. Raises ValueError for a unit below 2 bytes or a limit below 4.
    """
    if limit < 4:
        raise ValueError("a payload of H.265 has at least 4 bytes")
    payloads: list[bytes] = []
    for unit in units:
        if len(unit) < 2:
            raise ValueError("a NAL unit of H.265 has at least two bytes")
        if kind(unit) == DELIMITER:
            continue
        if len(unit) <= limit:
            payloads.append(unit)
        else:
            head = bytes((unit[0] & 0x81 | _FU << 1, unit[1]))
            payloads += fragments(head, kind(unit), unit[2:], limit - 3)
    return payloads


def media_lines(payload_type: int, vps: bytes, sps: bytes, pps: bytes) -> tuple[str, ...]:
    """The SDP media description (RFC 7798 7.1). The parameter sets come without start code."""
    sets = zip(("vps", "sps", "pps"), (vps, sps, pps), strict=True)
    given = ";".join(f"sprop-{name}={base64.b64encode(unit).decode()}" for name, unit in sets)
    return (
        f"m=video 0 RTP/AVP {payload_type}",
        f"a=rtpmap:{payload_type} H265/{CLOCK_RATE}",
        f"a=fmtp:{payload_type} {given}",
    )


class H265Unpacker(Unpacker):
    """Packets to NAL units. PACI packets make a frame damaged."""

    def _take(self, payload: bytes) -> None:
        if len(payload) < 2:
            raise RtpError("a payload of H.265 without its header")
        what = kind(payload)
        if what != _FU and self._pending:
            self._lose("a fragment unit has no end")
        if what < _AP:
            self._parts.append(payload)
        elif what == _AP:
            self._parts += aggregated(payload, 2)
        elif what == _FU:
            self._fragment(payload)
        else:
            raise RtpError(f"a payload of type {what}, which is not read")

    def _fragment(self, payload: bytes) -> None:
        if len(payload) < 4:
            raise RtpError("a fragment of H.265 without data")
        flags = payload[2]
        if flags & 0x80:
            if self._pending:
                self._lose("a fragment unit has no end")
            self._pending.append(bytes((payload[0] & 0x81 | (flags & 0x3F) << 1, payload[1])))
        elif not self._pending:
            raise RtpError("a fragment unit has no beginning")
        self._pending.append(payload[3:])
        if flags & 0x40:
            self._parts.append(b"".join(self._pending))
            self._pending.clear()

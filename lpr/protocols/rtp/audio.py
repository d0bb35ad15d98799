"""Sound in RTP: PCMU (RFC 3551 4.5.14) and AAC (RFC 3640, mode AAC-hbr).

May import this room.
"""

from __future__ import annotations

import struct

from lpr.protocols.rtp.frames import Unpacker
from lpr.protocols.rtp.packet import MTU_PAYLOAD, RtpError

PCMU_TYPE = 0
PCMU_RATE = 8000
MAX_ACCESS_UNIT = (1 << 13) - 1
"""Bytes of an AAC access unit, by the 13 bits of its size in AAC-hbr."""
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_HEADER = struct.Struct("!HH")


def pcmu_lines() -> tuple[str, ...]:
    """The SDP media description of PCMU, 8 kHz, one channel (payload type 0)."""
    return ("m=audio 0 RTP/AVP 0", f"a=rtpmap:0 PCMU/{PCMU_RATE}")


def aac_config(rate: int, channels: int) -> bytes:
    """AudioSpecificConfig of AAC-LC (ISO 14496-3, 1.6.2.1). Raises ValueError for a rate that it has no index for."""
    if rate not in _RATES or not 1 <= channels <= 6:
        raise ValueError(f"AAC has no form for {rate} Hz with {channels} channels")
    return (2 << 11 | _RATES.index(rate) << 7 | channels << 3).to_bytes(2)


def aac_lines(payload_type: int, config: bytes, rate: int, channels: int) -> tuple[str, ...]:
    """The SDP media description of AAC (RFC 3640 4.1). ``config``: AudioSpecificConfig."""
    form = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
    return (
        f"m=audio 0 RTP/AVP {payload_type}",
        f"a=rtpmap:{payload_type} MPEG4-GENERIC/{rate}/{channels}",
        f"a=fmtp:{payload_type} {form};config={config.hex().upper()}",
    )


def pack_aac(unit: bytes, limit: int = MTU_PAYLOAD) -> list[bytes]:
    """The payloads of one access unit, in pieces where it is longer than ``limit``; the marker belongs on the last.

    Raises ValueError when it is empty or longer than ``MAX_ACCESS_UNIT``.
    """
    if not 0 < len(unit) <= MAX_ACCESS_UNIT or limit <= _HEADER.size:
        raise ValueError(f"an AAC access unit has 1 to {MAX_ACCESS_UNIT} bytes, not {len(unit)}")
    head, room = _HEADER.pack(16, len(unit) << 3), limit - _HEADER.size
    return [head + unit[start : start + room] for start in range(0, len(unit), room)]


class AacUnpacker(Unpacker):
    """Packets of AAC-hbr to access units. Interleaved ones (an index other than 0) make a frame damaged."""

    def _take(self, payload: bytes) -> None:
        if len(payload) < 2:
            raise RtpError("an AAC payload without its header")
        bits = int.from_bytes(payload[:2])
        start = 2 + (bits + 7) // 8
        if not bits or bits % 16 or len(payload) < start:
            raise RtpError(f"AU headers of {bits} bits: AAC-hbr has 16 for each access unit")
        heads = struct.unpack(f"!{bits // 16}H", payload[2:start])
        if any(head & 7 for head in heads):
            raise RtpError("interleaved access units are not read")
        sizes = [head >> 3 for head in heads]
        data = payload[start:]
        if len(sizes) == 1 and len(data) < sizes[0]:
            self._piece(data, sizes[0])
            return
        if len(sizes) == 1 and self._pending:
            self._lose("a fragment unit has no end")
        if sum(sizes) != len(data) or not all(sizes):
            raise RtpError(f"access units of {sum(sizes)} bytes announced, {len(data)} there")
        at = 0
        for size in sizes:
            self._parts.append(data[at : at + size])
            at += size

    def _piece(self, data: bytes, size: int) -> None:
        self._pending.append(data)
        held = sum(map(len, self._pending))
        if held > size:
            raise RtpError("the fragments of an access unit are longer than it")
        if held == size:
            self._parts.append(b"".join(self._pending))
            self._pending.clear()


class PcmuUnpacker(Unpacker):
    """Packets of PCMU: each is a frame of its own, since the marker begins a spurt of talk and ends nothing."""

    single = True

    def _take(self, payload: bytes) -> None:
        self._parts.append(payload)

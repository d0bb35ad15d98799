"""Samples shared by the tests of RTP's formats."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from lpr.protocols.rtp.frames import RtpFrame, Unpacker
from lpr.protocols.rtp.packet import decode_packet, encode_frame

GOLDEN = Path(__file__).parents[2] / "golden" / "rtp"


def golden(name: str) -> bytes:
    """The bytes of ``tests/golden/rtp/<name>.hex``."""
    return bytes.fromhex(re.sub("#.*", "", (GOLDEN / f"{name}.hex").read_text()))


def sent(frames: Iterable[list[bytes]], sequence: int = 65530) -> list[bytes]:
    """The packets of frames' payloads, 3600 ticks apart."""
    packets: list[bytes] = []
    for number, payloads in enumerate(frames):
        packets += encode_frame(payloads, 96, sequence + len(packets), 3600 * number, 1)
    return packets


def received(unpacker: Unpacker, packets: Iterable[bytes]) -> list[RtpFrame]:
    """What a receiver makes of them."""
    return [frame for data in packets for frame in unpacker.add(decode_packet(data))]

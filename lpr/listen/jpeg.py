"""What a JPEG's bytes say, without decoding it: whether it is whole, and its size. Pure.

Source: ITU-T T.81, annex B (markers). May import the standard library only.
"""

from __future__ import annotations

import struct

_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MAX_SEGMENTS = 1000


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels; None when these bytes have no frame header where one belongs."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    for _ in range(MAX_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            if size < 8 or at + 9 > len(data):
                return None
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker in (0xD9, 0xDA) or size < 2:
            return None
        at += 2 + size
    return None


def jpeg_problem(data: bytes) -> str:
    """Why these bytes are no whole JPEG; "" when they are one as far as its markers tell."""
    if not data:
        return "no bytes"
    if data[:2] != b"\xff\xd8":
        return f"begins with {data[:4].hex(' ')}, not ff d8"
    if jpeg_size(data) is None:
        return "no frame header"
    if not data.rstrip(b"\0\r\n").endswith(b"\xff\xd9"):
        return "cut: no end of image (ff d9)"
    return ""

"""NAL units of H.264 and H.265: the byte stream of Annex B, and fragmentation units, which both formats cut alike.

May import this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

START_CODE = b"\x00\x00\x00\x01"


def split(stream: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes and trailing zeros; empty ones are left out."""
    return [unit for part in stream.split(b"\x00\x00\x01")[1:] if (unit := part.rstrip(b"\x00"))]


def join(units: Iterable[bytes]) -> bytes:
    """Units as an Annex B byte stream."""
    return b"".join(part for unit in units for part in (START_CODE, unit))


def fragments(head: bytes, kind: int, body: bytes, room: int) -> Iterator[bytes]:
    """``body`` in pieces of at most ``room`` bytes: ``head`` (the payload header), the FU header (S, E, type), data."""
    last = len(body) - 1
    for start in range(0, len(body), room):
        piece = body[start : start + room]
        flags = (0x80 if start == 0 else 0) | (0x40 if start + len(piece) > last else 0)
        yield head + bytes((flags | kind,)) + piece

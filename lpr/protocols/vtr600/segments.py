"""Marker segments of a JPEG (ISO/IEC 10918-1, annex B): take apart, and put comments in or out.

Every byte of the file belongs to exactly one ``Part``, so joining the parts gives the file again. Strict and bounded:
whatever bytes come in, ``JpegError`` is the only thing raised. Imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 64 * 1024 * 1024
"""Longest file taken apart."""
MAX_PARTS: Final = 4096
"""Most parts of a file."""
MAX_COMMENT: Final = 65533
"""Longest comment in bytes: a segment's length is 16 bits and counts its own two bytes (B.1.1.4)."""

SOI: Final = 0xD8
EOI: Final = 0xD9
SOS: Final = 0xDA
COM: Final = 0xFE
SCAN: Final = 0x00
"""Not a marker: the part is entropy-coded data."""
TRAILER: Final = 0x01
"""Not a marker here (TEM in a file is refused): the part is what follows the end of the image."""

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NAMES: Final = {
    0xC4: "DHT",
    0xC8: "JPG",
    0xCC: "DAC",
    SOI: "SOI",
    EOI: "EOI",
    SOS: "SOS",
    0xDB: "DQT",
    0xDC: "DNL",
    0xDD: "DRI",
    0xDE: "DHP",
    0xDF: "EXP",
    COM: "COM",
    SCAN: "scan",
    TRAILER: "trailer",
}


class JpegError(ValueError):
    """The bytes are no JPEG that this module takes; the text says what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the file.

    ``marker``: the marker's second byte, or ``SCAN``/``TRAILER``. ``start``, ``end``: bytes of the file, with marker
    and fill bytes. ``body``: where the payload starts (behind marker and length).
    """

    marker: int
    start: int
    body: int
    end: int

    @property
    def name(self) -> str:
        """Its name in the standard ("APP1", "DQT", "COM"), "scan" for picture data."""
        known = _NAMES.get(self.marker)
        if known is not None:
            return known
        if 0xE0 <= self.marker <= 0xEF:
            return f"APP{self.marker - 0xE0}"
        if self.marker in _FRAMES:
            return f"SOF{self.marker - 0xC0}"
        return f"FF{self.marker:02X}"


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A file and its parts, in order, with no gap between them."""

    data: bytes
    parts: tuple[Part, ...]

    def raw(self, part: Part) -> bytes:
        """The part's bytes, with marker and length."""
        return self.data[part.start : part.end]

    def payload(self, part: Part) -> bytes:
        """The part's bytes without marker and length."""
        return self.data[part.body : part.end]

    def comments(self) -> tuple[Part, ...]:
        """The comment segments, in order."""
        return tuple(part for part in self.parts if part.marker == COM)


def split(data: bytes, *, max_bytes: int = MAX_BYTES, max_parts: int = MAX_PARTS) -> Jpeg:
    """Take a JPEG apart. Raises JpegError."""
    if len(data) > max_bytes:
        raise JpegError(f"{len(data)} bytes: more than the {max_bytes} taken as a JPEG")
    if data[:2] != b"\xff\xd8":
        raise JpegError("does not begin with FF D8 (start of image): no JPEG")
    parts = [Part(SOI, 0, 2, 2)]
    at, frame, scans = 2, False, 0
    while True:
        if len(parts) >= max_parts:
            raise JpegError(f"more than {max_parts} segments, at byte {at}")
        start = at
        marker, at = _marker(data, at)
        if marker == EOI:
            if not scans:
                raise JpegError(f"ends (FF D9 at byte {start}) before any picture data")
            parts.append(Part(EOI, start, at, at))
            if at < len(data):
                parts.append(Part(TRAILER, at, at, len(data)))
            return Jpeg(data, tuple(parts))
        if marker in (SOI, 0x01) or 0xD0 <= marker <= 0xD7:
            raise JpegError(f"marker FF {marker:02X} at byte {start} has no place there")
        end = _segment_end(data, at, marker)
        parts.append(Part(marker, start, at + 2, end))
        at = end
        if marker in _FRAMES:
            frame = True
        if marker == SOS:
            if not frame:
                raise JpegError(f"scan at byte {start} before any frame header")
            scans += 1
            at = _scan_end(data, end)
            if at > end:
                parts.append(Part(SCAN, end, end, at))


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at ``at``, and where its parameters start. Fill bytes (FF) may stand before it (B.1.1.2)."""
    if at >= len(data):
        raise JpegError(f"cut short at byte {at}: a marker was due")
    if data[at] != 0xFF:
        raise JpegError(f"byte {at} is {data[at]:02X} where a marker (FF) was due")
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise JpegError(f"cut short at byte {at}: within a marker")
    if data[at] == 0x00:
        raise JpegError(f"FF 00 at byte {at - 1}, outside of picture data")
    return data[at], at + 1


def _segment_end(data: bytes, at: int, marker: int) -> int:
    if at + 2 > len(data):
        raise JpegError(f"cut short at byte {at}: within the length of segment FF {marker:02X}")
    length = int.from_bytes(data[at : at + 2], "big")
    if length < 2:
        raise JpegError(f"segment FF {marker:02X} at byte {at - 2} says it is {length} bytes long: at least 2")
    if at + length > len(data):
        raise JpegError(
            f"cut short: segment FF {marker:02X} at byte {at - 2} is {length} bytes long, {len(data) - at} left"
        )
    return at + length


_ENDS = re.compile(rb"\xff(?![\x00\xd0-\xd7])", re.DOTALL)
"""An FF in a scan that is neither picture data nor a restart marker."""


def _scan_end(data: bytes, at: int) -> int:
    """Where entropy-coded data ends: at an FF that neither 00 nor a restart marker follows (B.1.1.5)."""
    while True:
        found = _ENDS.search(data, at)
        if found is None or found.end() >= len(data):
            raise JpegError("cut short: the picture data has no end (FF D9)")
        at = found.start()
        if data[at + 1] != 0xFF or not _fill_before_restart(data, at):
            return at
        at += 1


def _fill_before_restart(data: bytes, at: int) -> bool:
    """Whether the run of FF at ``at`` leads to a restart marker, so that the scan goes on."""
    end = at
    while end < len(data) and data[end] == 0xFF:
        end += 1
    return end < len(data) and 0xD0 <= data[end] <= 0xD7


def comment_segment(comment: bytes) -> bytes:
    """A comment as a segment. Raises JpegError for one over ``MAX_COMMENT`` bytes."""
    if len(comment) > MAX_COMMENT:
        raise JpegError(
            f"a comment of {len(comment)} bytes: a JPEG segment holds {MAX_COMMENT} at most; shorten its items"
        )
    return b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment


def insert_comment(data: bytes, comment: bytes) -> bytes:
    """Put a comment right before the first scan: behind every other comment, where no later FF FE can be met.

    (Between the last scan and FF D9 the standard allows none.) Raises JpegError.
    """
    segment = comment_segment(comment)
    first = next(part for part in split(data).parts if part.marker == SOS)
    return data[: first.start] + segment + data[first.start :]


def replace_comment(data: bytes, part: Part, comment: bytes | None) -> bytes:
    """The file with the comment ``part`` (of this very file) exchanged, or without it (None). Raises JpegError."""
    if part.marker != COM:
        raise JpegError(f"the segment at byte {part.start} is {part.name}, no comment")
    segment = b"" if comment is None else comment_segment(comment)
    return data[: part.start] + segment + data[part.end :]


def remove_comments(data: bytes) -> bytes:
    """The file without any comment. Raises JpegError."""
    jpeg = split(data)
    return b"".join(jpeg.raw(part) for part in jpeg.parts if part.marker != COM)


def last_comment(data: bytes) -> bytes | None:
    """The payload of the last comment, None if there is none. Raises JpegError."""
    jpeg = split(data)
    found: Sequence[Part] = jpeg.comments()
    return jpeg.payload(found[-1]) if found else None

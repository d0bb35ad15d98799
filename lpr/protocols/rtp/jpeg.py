"""JPEG in RTP (RFC 2435): baseline pictures of 4:2:2 or 4:2:0, multiples of 8 up to 2040 pixels, tables in band.

What goes over the wire is the entropy-coded scan alone; a receiver makes the headers again. That works only for the
standard Huffman tables (ITU-T T.81, Annex K.3), which is what libjpeg writes unless told to optimise. We send Q = 255
with the picture's own quantisation tables in every first packet; Q 1 to 99 (section 4.2) is read besides.

May import this room.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lpr.protocols.rtp.frames import Unpacker
from lpr.protocols.rtp.packet import MTU_PAYLOAD, RtpError

PAYLOAD_TYPE = 26
CLOCK_RATE = 90000
MOST_PIXELS = 2040
"""Of width and of height: an octet of units of 8 pixels."""
IN_BAND = 255
_RESTARTS = 64
_WHOLE_COUNT = 0xFFFF
_MAIN = struct.Struct("!II")
_ZERO_RUN = 65

_DC = bytes(range(12))
_AC_LUMA = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a343536373839"
    "3a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7"
    "a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_CHROMA = bytes.fromhex(
    "0001020311040521310612415107617113223281081442"
    "91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a6364656667"
    "68696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9ca"
    "d2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)
HUFFMAN: Final[dict[int, bytes]] = {
    0x00: bytes.fromhex("00010501010101010100000000000000") + _DC,
    0x10: bytes.fromhex("0002010303020403050504040000017d") + _AC_LUMA,
    0x01: bytes.fromhex("00030101010101010101010000000000") + _DC,
    0x11: bytes.fromhex("00020102040403040705040400010277") + _AC_CHROMA,
}
"""Class and number of a standard Huffman table -> its 16 counts and its values."""

_LUMA = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
_CHROMA = (17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, *(99,) * 50)
"""Quantisation of quality 50 in zigzag order (RFC 2435, appendix A)."""


class JpegError(Exception):
    """A picture that RFC 2435 can't carry, or that is no whole JPEG. The text says what of it."""


@dataclass(frozen=True, slots=True)
class JpegScan:
    """What of a JPEG goes over the wire. ``width``, ``height``: pixels. ``kind``: 0 for 4:2:2, 1 for 4:2:0.

    ``luma``, ``chroma``: quantisation, 64 bytes each in zigzag order. ``restart``: MCUs between two restart markers, 0
    none. ``scan``: entropy-coded data without EOI.
    """

    width: int
    height: int
    kind: int
    luma: bytes
    chroma: bytes
    restart: int
    scan: bytes


def media_lines() -> tuple[str, ...]:
    """The SDP media description (payload type 26 is assigned to JPEG)."""
    return ("m=video 0 RTP/AVP 26", f"a=rtpmap:26 JPEG/{CLOCK_RATE}")


def quantisation(quality: int) -> tuple[bytes, bytes]:
    """The tables of luma and chroma of Q = ``quality``, 1 to 99 (RFC 2435, appendix A). Raises ValueError."""
    if not 1 <= quality <= 99:
        raise ValueError(f"Q {quality} has no tables of its own")
    factor = 5000 // quality if quality < 50 else 200 - 2 * quality

    def scaled(table: tuple[int, ...]) -> bytes:
        return bytes(min(255, max(1, (value * factor + 50) // 100)) for value in table)

    return scaled(_LUMA), scaled(_CHROMA)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """(marker, content, index behind it) of each segment up to the scan. Raises JpegError."""
    if data[:2] != b"\xff\xd8":
        raise JpegError("no JPEG: it does not begin with SOI")
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        head = data[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF:
            raise JpegError("the JPEG ends before its scan")
        size = int.from_bytes(head[2:])
        content = data[at + 4 : at + 2 + size]
        if size < 2 or len(content) != size - 2:
            raise JpegError(f"the JPEG's segment {head[1]:02X} is cut off")
        at += 2 + size
        yield head[1], content, at
        if head[1] == 0xDA:
            return


def parse_jpeg(data: bytes) -> JpegScan:
    """Take a JPEG apart. Raises JpegError where RFC 2435 can't carry it: progressive, other tables, sampling, size."""
    tables: dict[int, bytes] = {}
    frame: tuple[int, int, int, int, int] | None = None
    restart, start = 0, 0
    for marker, content, behind in _segments(data):
        if marker == 0xDB:
            tables |= _quantisers(content)
        elif marker == 0xC4:
            _check_huffman(content)
        elif marker == 0xC0:
            frame = _baseline(content)
        elif marker in (0xC1, 0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xD0)):
            raise JpegError(f"the JPEG is not baseline (SOF marker {marker:02X})")
        elif marker == 0xDD and len(content) == 2:
            restart = int.from_bytes(content)
        elif marker == 0xDA:
            _check_scan(content)
        start = behind
    if frame is None:
        raise JpegError("the JPEG has no frame header")
    width, height, kind, luma, chroma = frame
    if luma not in tables or chroma not in tables:
        raise JpegError("a quantisation table of the JPEG is missing")
    end = data.rfind(b"\xff\xd9")
    if end < start:
        raise JpegError("the JPEG has no end")
    return JpegScan(width, height, kind, tables[luma], tables[chroma], restart, data[start:end])


def _quantisers(content: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(content):
        if content[at] >> 4:
            raise JpegError("quantisation of 16 bits")
        table = content[at + 1 : at + _ZERO_RUN]
        if len(table) != 64:
            raise JpegError("a quantisation table is cut off")
        found[content[at]] = table
        at += _ZERO_RUN
    return found


def _check_huffman(content: bytes) -> None:
    at = 0
    while at < len(content):
        size = 17 + sum(content[at + 1 : at + 17])
        if HUFFMAN.get(content[at]) != content[at + 1 : at + size]:
            raise JpegError("the JPEG's Huffman tables are not the standard ones; write it without optimising")
        at += size


def _baseline(content: bytes) -> tuple[int, int, int, int, int]:
    """Width, height, kind, and the numbers of luma's and chroma's quantisation tables."""
    if len(content) != 15 or content[0] != 8 or content[5] != 3:
        raise JpegError("the JPEG has not three components of 8 bits")
    height, width = int.from_bytes(content[1:3]), int.from_bytes(content[3:5])
    sampling = (content[7], content[10], content[13])
    kinds = {(0x21, 0x11, 0x11): 0, (0x22, 0x11, 0x11): 1}
    if sampling not in kinds:
        raise JpegError(f"sampling {sampling[0]:02X}: RFC 2435 has 4:2:2 and 4:2:0 alone")
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS) or width % 8 or height % 8:
        raise JpegError(f"{width} x {height} pixels: RFC 2435 has multiples of 8 up to {MOST_PIXELS}")
    if content[11] != content[14]:
        raise JpegError("the two chroma components have different quantisation")
    return width, height, kinds[sampling], content[8], content[11]


def _check_scan(content: bytes) -> None:
    if len(content) != 10 or content[0] != 3 or (content[2], content[4], content[6]) != (0x00, 0x11, 0x11):
        raise JpegError("the JPEG's scan is not one of all three components with the usual tables")


def pack(picture: JpegScan, limit: int = MTU_PAYLOAD) -> list[bytes]:
    """The payloads of a picture, each at most ``limit`` bytes; the marker belongs on the last.

    Raises ValueError when the limit leaves no room, or when the scan is longer than the offset's 24 bits.
    """
    kind = picture.kind + (_RESTARTS if picture.restart else 0)
    shape = kind << 24 | IN_BAND << 16 | picture.width // 8 << 8 | picture.height // 8
    restart = struct.pack("!HH", picture.restart, _WHOLE_COUNT) if picture.restart else b""
    tables = struct.pack("!BBH", 0, 0, 128) + picture.luma + picture.chroma
    room = limit - _MAIN.size - len(restart)
    if room <= len(tables):
        raise ValueError(f"payloads of {limit} bytes have no room for the quantisation tables")
    scan, payloads, at = picture.scan, list[bytes](), 0
    if len(scan) >= 1 << 24:
        raise ValueError("the scan is longer than RFC 2435's offset can count")
    while at < len(scan) or not payloads:
        head = _MAIN.pack(at, shape) + restart + (b"" if at else tables)
        piece = scan[at : at + limit - len(head)]
        payloads.append(head + piece)
        at += len(piece)
    return payloads


def build_jpeg(picture: JpegScan) -> bytes:
    """A whole JPEG file of a scan (RFC 2435, appendix B)."""

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack("!BBH", 0xFF, marker, len(content) + 2) + content

    luma = 0x21 if picture.kind == 0 else 0x22
    frame = struct.pack("!BHHB", 8, picture.height, picture.width, 3) + bytes((1, luma, 0, 2, 0x11, 1, 3, 0x11, 1))
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xDB, b"\x00" + picture.luma),
            segment(0xDB, b"\x01" + picture.chroma),
            segment(0xDD, picture.restart.to_bytes(2)) if picture.restart else b"",
            segment(0xC0, frame),
            *(segment(0xC4, bytes((number,)) + table) for number, table in HUFFMAN.items()),
            segment(0xDA, bytes((3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0))),
            picture.scan,
            b"\xff\xd9",
        )
    )


class JpegUnpacker(Unpacker):
    """Packets to JPEG files (``parts`` has one). A picture with a hole is not given out."""

    def __init__(self, limit: int = 8_388_608) -> None:
        super().__init__(limit)
        self._shape: tuple[int, ...] = ()
        self._tables: tuple[bytes, bytes] | None = None
        self._kept: dict[int, tuple[bytes, bytes]] = {}
        self._held = 0

    def _take(self, payload: bytes) -> None:
        if self._damaged:
            raise RtpError("a part of a picture that is damaged")
        if len(payload) < _MAIN.size:
            raise RtpError("a JPEG payload without its header")
        first, second = _MAIN.unpack_from(payload)
        offset, at = first & 0xFFFFFF, _MAIN.size
        kind, quality = second >> 24, second >> 16 & 0xFF
        if first >> 24:
            raise RtpError(f"type-specific {first >> 24}: fields of interlaced pictures are not read")
        if kind & ~_RESTARTS > 1 or kind > _RESTARTS + 1:
            raise RtpError(f"JPEG type {kind} is not read")
        restart = 0
        if kind & _RESTARTS:
            restart = int.from_bytes(payload[at : at + 2])
            at += 4
        if not offset:
            at = self._begin(payload, at, quality)
            self._held = 0
        elif offset != self._held:
            raise RtpError(f"JPEG data for offset {offset}, {self._held} bytes are there")
        self._shape = (kind & 1, (second >> 8 & 0xFF) * 8, (second & 0xFF) * 8, restart)
        if at > len(payload):
            raise RtpError("a JPEG payload ends in its headers")
        self._pending.append(payload[at:])
        self._held += len(payload) - at

    def _begin(self, payload: bytes, at: int, quality: int) -> int:
        """The tables of a picture's first packet; returns where its data begin."""
        if 1 <= quality <= 99:
            self._tables = quantisation(quality)
            return at
        if quality < 128:
            raise RtpError(f"Q {quality} is reserved")
        head = payload[at : at + 4]
        length = int.from_bytes(head[2:])
        tables = payload[at + 4 : at + 4 + length]
        if len(head) < 4 or len(tables) != length:
            raise RtpError("the quantisation tables are cut off")
        if length == 0 and quality != IN_BAND and quality in self._kept:
            self._tables = self._kept[quality]
        elif length == 128 and not head[1]:
            self._tables = self._kept[quality] = tables[:64], tables[64:]
        else:
            raise RtpError(f"quantisation tables of {length} bytes are not read")
        return at + 4 + length

    def _complete(self) -> None:
        if self._pending and not self._damaged and self._tables is not None:
            kind, width, height, restart = self._shape
            scan = b"".join(self._pending)
            self._parts.append(build_jpeg(JpegScan(width, height, kind, *self._tables, restart, scan)))
            self._pending.clear()

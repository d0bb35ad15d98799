"""From the bytes of a picture file to an array, or a clear reason why not.

The size is read from the file's header before anything is decoded, so a picture of a hundred megapixels costs a few
bytes, and a file that was cut short is refused rather than half decoded. Formats: JPEG (ITU-T T.81), PNG (ISO 15948),
BMP, WebP (RFC 9649), GIF, TIFF 6.0.

May import numpy and cv2.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_BYTES", "MAX_PIXELS", "ImageError", "decode_image"]

MAX_PIXELS: Final = 64_000_000
MAX_BYTES: Final = 128 * 1024 * 1024

_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class ImageError(ValueError):
    """A picture cannot be used. The text names it, says what is wrong and what helps."""


def decode_image(
    source: bytes | str | Path, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES
) -> NDArray[np.uint8]:
    """A picture file as (H, W, 3) BGR uint8, turned upright as its EXIF orientation says.

    ``source``: the file's bytes, or its path. Grey pictures get three equal channels, 16-bit ones lose their lower
    byte, CMYK is converted, transparency is dropped. Raises ImageError for a file that cannot be read, is no picture
    of a known format, is cut short or damaged, or has more than ``max_pixels`` pixels or ``max_bytes`` bytes.
    """
    name = "picture" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _bytes_of(Path(source), max_bytes)
    if len(data) > max_bytes:
        raise ImageError(f"{name}: {len(data)} bytes; the limit is {max_bytes}")
    if not data:
        raise ImageError(f"{name}: the file is empty")
    kind, width, height = _header(name, data)
    if width < 1 or height < 1:
        raise ImageError(f"{name}: a {kind} picture of {width} x {height} pixels")
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: {width} x {height} are {width * height / 1e6:.0f} megapixels; the limit is "
            f"{max_pixels / 1e6:.0f}: give a smaller picture or raise max_pixels"
        )
    if _cut_short(kind, data):
        raise ImageError(f"{name}: the {kind} picture is cut short; copy the file again")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(f"{name}: the {kind} picture cannot be decoded: {error.msg or error}") from error
    if image is None or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"{name}: the {kind} picture is damaged: its header is right, its content is not")
    return np.ascontiguousarray(image, np.uint8)


def _bytes_of(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(data) > max_bytes:
        raise ImageError(f"{path}: more than {max_bytes} bytes, which is the limit")
    return data


def _header(name: str, data: bytes) -> tuple[str, int, int]:
    """Format, width and height from the first bytes. Raises ImageError."""
    kind = "unknown"
    try:
        if data[:2] == b"\xff\xd8":
            kind = "JPEG"
            return (kind, *_jpeg_size(data))
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            kind = "PNG"
            return (kind, *struct.unpack_from(">II", data, 16))
        if data[:2] == b"BM":
            kind = "BMP"
            width, height = struct.unpack_from("<ii", data, 18)
            return kind, abs(width), abs(height)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            kind = "WebP"
            return (kind, *_webp_size(data))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            kind = "GIF"
            return (kind, *struct.unpack_from("<HH", data, 6))
        if data[:4] in (b"II*\0", b"MM\0*"):
            kind = "TIFF"
            return (kind, *_tiff_size(data))
    except (struct.error, IndexError, ValueError) as error:
        raise ImageError(f"{name}: the {kind} picture is cut short or damaged in its header") from error
    raise ImageError(f"{name}: no picture of a known format; JPEG, PNG, BMP, WebP, GIF and TIFF can be read")


def _jpeg_segments(data: bytes) -> tuple[int, int, int]:
    """Width and height of the frame and the offset behind the first start of scan (T.81, annex B)."""
    at, width, height = 2, 0, 0
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:
            raise ValueError("segment of no length")
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
        at += 2 + length
        if marker == 0xDA:
            return width, height, at


def _jpeg_size(data: bytes) -> tuple[int, int]:
    width, height, _ = _jpeg_segments(data)
    return width, height


def _webp_size(data: bytes) -> tuple[int, int]:
    """RFC 9649, section 2: the first chunk is VP8X (extended), VP8 (lossy) or VP8L (lossless)."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("unknown chunk")


def _tiff_size(data: bytes) -> tuple[int, int]:
    """TIFF 6.0, section 2: tags 256 and 257 of the first directory."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    sizes = {256: 0, 257: 0}
    for number in range(count):
        at = start + 2 + 12 * number
        tag, kind = struct.unpack_from(order + "HH", data, at)
        if tag in sizes:
            (sizes[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 8)
    return sizes[256], sizes[257]


def _cut_short(kind: str, data: bytes) -> bool:
    """Whether the mark of the format's end is missing (bytes behind it do no harm)."""
    if kind == "JPEG":
        return data.find(b"\xff\xd9", _jpeg_segments(data)[2]) < 0
    if kind == "PNG":
        return data.rfind(b"IEND") < 0
    if kind == "WebP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    if kind == "GIF":
        return b"\x3b" not in data[-16:]
    return False

"""From the bytes of a picture file to an array, or a clear reason why not.

The size is read from the file's header before anything is decoded, so a picture too large costs a few bytes, and a
file that was cut short is refused rather than half decoded. A large JPEG can be decoded at a half, a quarter or an
eighth of its size without ever being whole in memory (``decode_bounded``). Formats: JPEG (ITU-T T.81), PNG (ISO 15948),
BMP, WebP (RFC 9649), GIF, TIFF 6.0.

An ordinary JPEG goes through libjpeg-turbo as it is today (simplejpeg), which takes four fifths of the time that OpenCV
needs and gives the same pixels; everything else is OpenCV's.

May import numpy, cv2 and simplejpeg.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

__all__ = ["LARGEST", "MAX_BYTES", "MAX_PIXELS", "MOST_DECODED", "ImageError", "decode_bounded", "decode_image"]

MAX_PIXELS: Final = 64_000_000
MAX_BYTES: Final = 128 * 1024 * 1024

MOST_DECODED: Final = 16_000_000
"""Pixels of a JPEG that ``decode_bounded`` decodes in full; larger ones are decoded smaller."""

LARGEST: Final = 400_000_000
"""Pixels of a JPEG that ``decode_bounded`` looks at."""

_APP1: Final = 0xE1
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
    name, data = _given(source, max_bytes)
    kind, width, height = _checked(name, data)
    _refuse_over(name, width, height, max_pixels)
    return _decoded(name, kind, data, cv2.IMREAD_COLOR)


def decode_bounded(
    source: bytes | str | Path,
    *,
    most: int = MOST_DECODED,
    max_pixels: int = MAX_PIXELS,
    largest: int = LARGEST,
    max_bytes: int = MAX_BYTES,
) -> tuple[NDArray[np.uint8], float]:
    """As ``decode_image``, with memory bounded: the picture, and by how much smaller than the file's it is.

    A baseline JPEG of more than ``most`` pixels is decoded at 1/2, 1/4 or 1/8 of its width and height (the second
    number is then 2.0, 4.0 or 8.0, give or take the rounding of an odd side; else 1.0), up to ``largest`` pixels;
    any other picture has at most ``max_pixels``. Raises ImageError.
    """
    name, data = _given(source, max_bytes)
    kind, width, height = _checked(name, data)
    step = 1
    if kind == "JPEG" and width * height > most and _jpeg_segments(data).in_rows:
        _refuse_over(name, width, height, largest)
        step = next((step for step in (2, 4) if width * height <= most * step * step), 8)
    else:
        _refuse_over(name, width, height, max_pixels)
    image = _decoded(name, kind, data, _REDUCED[step])
    return image, max(width, height) / max(image.shape[:2]) if step > 1 else 1.0


_REDUCED: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def _given(source: bytes | str | Path, max_bytes: int) -> tuple[str, bytes]:
    """Name for messages and content. Raises ImageError."""
    name = "picture" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _bytes_of(Path(source), max_bytes)
    if len(data) > max_bytes:
        raise ImageError(f"{name}: {len(data)} bytes; the limit is {max_bytes}")
    if not data:
        raise ImageError(f"{name}: the file is empty")
    return name, data


def _checked(name: str, data: bytes) -> tuple[str, int, int]:
    """Format, width and height of a file that is whole. Raises ImageError."""
    kind, width, height = _header(name, data)
    if width < 1 or height < 1:
        raise ImageError(f"{name}: a {kind} picture of {width} x {height} pixels")
    return kind, width, height


def _refuse_over(name: str, width: int, height: int, most: int) -> None:
    if width * height > most:
        raise ImageError(
            f"{name}: {width} x {height} are {width * height / 1e6:.6g} megapixels; the limit is "
            f"{most / 1e6:.6g}: give a smaller picture"
        )


def _decoded(name: str, kind: str, data: bytes, how: int) -> NDArray[np.uint8]:
    if _cut_short(kind, data):
        raise ImageError(f"{name}: the {kind} picture is cut short; copy the file again")
    if kind == "JPEG" and how == cv2.IMREAD_COLOR and _jpeg_segments(data).ordinary:
        plain = _ordinary(data)
        if plain is not None:
            return plain
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:
        raise ImageError(f"{name}: the {kind} picture cannot be decoded: {error.msg or error}") from error
    if image is None or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"{name}: the {kind} picture is damaged: its header is right, its content is not")
    return np.ascontiguousarray(image, np.uint8)


def _ordinary(data: bytes) -> NDArray[np.uint8] | None:
    """(H, W, 3) BGR of a JPEG that has three colours and lies upright; None where OpenCV has to see."""
    try:
        image: Any = simplejpeg.decode_jpeg(data, "BGR", strict=False)
    except ValueError:  # unusual sampling, or damage that OpenCV may name or bear
        return None
    return np.asarray(image, np.uint8)


def _bytes_of(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size  # a buffer of that size takes less time than one of ``max_bytes``
            data = file.read(min(size or max_bytes, max_bytes) + 1)
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


class _Jpeg(NamedTuple):
    """``width``, ``height``: of the frame; ``behind``: offset behind the first start of scan. ``in_rows``: it is
    decoded row by row; one whose parts follow each other (progressive, or a scan a colour) is held whole by the
    decoder, however small the result. ``ordinary``: so, of three colours, and without Exif data, which may turn it."""

    width: int
    height: int
    behind: int
    in_rows: bool
    ordinary: bool


def _jpeg_segments(data: bytes) -> _Jpeg:
    """What stands before the first scan's data (T.81, annex B)."""
    at, width, height, components, exif = 2, 0, 0, 0, False
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
            components = data[at + 9] if marker in (0xC0, 0xC1) else 0
        if marker == _APP1:
            exif = exif or data[at + 4 : at + 8] == b"Exif"
        if marker == 0xDA:
            in_rows = components > 0 and data[at + 4] == components
            return _Jpeg(width, height, at + 2 + length, in_rows, in_rows and components == 3 and not exif)
        at += 2 + length


def _jpeg_size(data: bytes) -> tuple[int, int]:
    found = _jpeg_segments(data)
    return found.width, found.height


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
        return data.rfind(b"\xff\xd9", _jpeg_segments(data).behind) < 0
    if kind == "PNG":
        return data.rfind(b"IEND") < 0
    if kind == "WebP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    if kind == "GIF":
        return b"\x3b" not in data[-16:]
    return False

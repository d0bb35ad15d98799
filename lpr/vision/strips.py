"""Some rows of a JPEG without decoding the rest, where the file's restart markers allow it.

A baseline JPEG whose restart interval is one row of units (``DRI``; ISO/IEC 10918-1, annexes B.2.4.4 and E.1.4)
begins anew with each such row, so a run of them with the header and another height is a JPEG of its own. Where chroma
is subsampled the decoder smooths it over the rows' borders: one row of units more is decoded on each side and cut
off again, so the pixels are exactly those of the whole picture.

The engine writes such files (``lpr.actors.engine``); whatever else comes in is decoded whole. May import numpy, cv2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Strip", "decode_rows"]

_FLAGS: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_SOF0, _SOS, _DRI = 0xC0, 0xDA, 0xDD
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xDA)})
"""Markers without a length, and those that have no place before the scan."""

_FRAMES: Final = frozenset(range(0xC1, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Other kinds of frames than the baseline."""

_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]", re.DOTALL)
_EOI: Final = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows of a picture. ``pixels``: (h, W, 3) BGR uint8; ``top``: the row of the picture that is the first here.

    ``width``, ``height``: of the whole picture, pixels.
    """

    pixels: NDArray[np.uint8]
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """A JPEG that begins anew with each row of units. ``size_at``: where the height stands; ``scan``: where the rows
    begin; ``rows``: start and end of each; ``unit``: pixels from one row to the next."""

    width: int
    height: int
    size_at: int
    scan: int
    rows: tuple[tuple[int, int], ...]
    unit: int


def decode_rows(data: bytes, top: float, bottom: float) -> Strip | None:
    """The rows from ``top`` to ``bottom`` (pixels; what lies outside is passed over) of a JPEG, and maybe more.

    None when it can't be decoded. The orientation of EXIF is not followed.
    """
    found = _rows_of(data)
    if found is not None:
        first = int(np.clip(np.floor(top / found.unit), 0, len(found.rows) - 1))
        last = int(np.clip(np.ceil(bottom / found.unit), first + 1, len(found.rows)))
        begin, end = max(first - 1, 0), min(last + 1, len(found.rows))
        if 2 * (end - begin) <= len(found.rows):
            pixels = _decoded(_part(data, found, begin, end))
            height = min(end * found.unit, found.height) - begin * found.unit
            if pixels is not None and pixels.shape[:2] == (height, found.width):
                cut = (first - begin) * found.unit
                inner = pixels[cut : cut + (last - first) * found.unit]
                return Strip(inner, first * found.unit, found.width, found.height)
    pixels = _decoded(data)
    return None if pixels is None else Strip(pixels, 0, pixels.shape[1], pixels.shape[0])


def _decoded(data: bytes) -> NDArray[np.uint8] | None:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS) if data else None
    return None if image is None else np.asarray(image, np.uint8)


def _part(data: bytes, found: _Rows, begin: int, end: int) -> bytes:
    """The rows ``begin`` to ``end`` as a JPEG."""
    height = min(end * found.unit, found.height) - begin * found.unit
    pieces = [data[: found.size_at], height.to_bytes(2, "big"), data[found.size_at + 2 : found.scan]]
    for number, (start, stop) in enumerate(found.rows[begin:end]):
        if number:
            pieces.append(bytes((0xFF, 0xD0 + (number - 1) % 8)))
        pieces.append(data[start:stop])
    return b"".join((*pieces, _EOI))


def _rows_of(data: bytes) -> _Rows | None:
    """How a JPEG is made up; None unless it is a baseline one of one scan that begins anew with each row of units."""
    at, interval = 2, 0
    size_at = width = height = wide = high = components = 0
    if data[:2] != b"\xff\xd8":
        return None
    while at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if data[at] != 0xFF or marker in _ALONE or marker in _FRAMES or length < 2 or end > len(data):
            return None
        if marker == _DRI and length == 4:
            interval = int.from_bytes(data[at + 4 : at + 6], "big")
        elif marker == _SOF0:
            components = data[at + 9] if length >= 8 else 0
            if components not in (1, 3) or length != 8 + 3 * components or size_at or data[at + 4] != 8:
                return None
            size_at = at + 5
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            sampling = [data[at + 11 + 3 * index] for index in range(components)]
            wide, high = (max(each >> 4 for each in sampling), max(each & 15 for each in sampling))
            if components == 1:  # a scan of one component has units of one block, whatever its sampling says
                wide = high = 1
        elif marker == _SOS:
            if not size_at or not width or not height or not wide or not high or data[at + 4] != components:
                return None
            if interval != -(-width // (8 * wide)):
                return None
            rows = _intervals(data, end)
            if len(rows) != -(-height // (8 * high)):
                return None
            return _Rows(width, height, size_at, end, rows, 8 * high)
        at = end
    return None


def _intervals(data: bytes, start: int) -> tuple[tuple[int, int], ...]:
    """Start and end of the pieces of a scan between its restart markers; none when it isn't the only scan."""
    end = data.find(_EOI, start)
    if end < 0 or data.find(b"\xff\xda", start, end) >= 0:
        return ()
    rows: list[tuple[int, int]] = []
    for number, found in enumerate(_RESTART.finditer(data, start, end)):
        if data[found.start() + 1] != 0xD0 + number % 8:
            return ()
        rows.append((start, found.start()))
        start = found.end()
    return (*rows, (start, end))

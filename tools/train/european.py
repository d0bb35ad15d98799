"""What European plates carry besides their text: shields, seals and stickers in each gap of each row, bands, lines.

Seen on photographs of plates of some thirty countries: inspection seals one over the other (Germany), a shield between
the district and the number (Austria, Slovenia, Croatia, Slovakia, Switzerland: two of them), a sticker with the month
(Sweden, Poland), a second band at the right (Italy, France, Portugal), a bar beside the country's letter (Hungary),
lines over and under the text (Austria). On plates of two rows the short row leaves room for any of it. A reader that
has not seen them takes a shield for an H, a seal for an 8, the band's letter for a part of the text.

Draws into gray float pictures (H, W), 0 to 255; randomness comes from ``rng``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.scene.faces import ALPHABET
from lpr.scene.plates import GlyphSource, PlateSpec
from tools.train.adorn import CharBox, write

__all__ = ["EUROPEAN_FREE", "european", "furnish", "rooms"]

Picture = NDArray[np.float32]
Room = tuple[float, float, int, int]
"""Left, right, top and bottom of a free place beside characters, pixels."""

EUROPEAN_FREE: Final = (
    "AAAA", "AAAAA", "AAAAAA", "AAAAAAA", "AAAAAAAA", "AAAAAA0", "AAAA00", "0AAA", "A0AAA", "AA0000", "AAA0", "000",
    "0000", "00000", "000000", "0000000", "A000", "A0000", "A00000", "000AA00", "00AA00", "A000A", "AA00", "AA000",
    "AAA000000", "00A000000", "AA0A0AA", "A0AAAA", "00000A", "AAA00A0",
)  # fmt: skip
"""Personal, diplomats', dealers', old and small countries' plates of Europe; the usual series are formats."""

_SIZES_OF_TWO: Final = ((280.0, 200.0), (280.0, 200.0), (180.0, 200.0), (220.0, 200.0), (255.0, 130.0), (240.0, 130.0),
                        (200.0, 140.0))  # fmt: skip
_SIGNS: Final = (
    "D", "F", "I", "E", "A", "B", "S", "H", "P", "L", "M", "N", "NL", "GB", "UK", "PL", "CZ", "SK", "RO", "BG", "GR",
    "LT", "LV", "DK", "TR", "CH", "FL", "FO", "UA", "FIN", "EST", "SLO", "IRL", "MNE",
)  # fmt: skip


def european(rng: np.random.Generator, spec: PlateSpec) -> PlateSpec:
    """``spec`` (of the style "eu" or "gb") with the variety of Europe: two rows, where they part and stand, bands."""
    wide = rng.random() < 0.5
    spec = replace(
        spec,
        group_gap=float(rng.uniform(0.3, 1.1)) if wide else 0.0,
        sign="" if rng.random() < 0.6 else _SIGNS[int(rng.integers(len(_SIGNS)))],
        inset=(0.0, float(rng.uniform(0.07, 0.1))) if spec.rows == 1 and rng.random() < 0.25 else spec.inset,
    )
    if spec.rows == 1:
        if rng.random() < 0.2:
            free = float(rng.uniform(0.05, 0.3))  # text that stands at one side
            spec = replace(spec, align=(float(rng.random()),), inset=(0.0, free) if rng.random() < 0.5 else (free, 0.0))
        return spec
    width, height = _SIZES_OF_TWO[int(rng.integers(len(_SIZES_OF_TWO)))]
    first = spec.groups[0] if len(spec.groups) > 1 else 0
    draw = rng.random()
    upper = first if draw < 0.5 else 0 if draw < 0.8 else int(rng.integers(1, max(2, len(spec.text) - 1)))
    return replace(
        spec,
        size_mm=(width * float(rng.uniform(0.95, 1.05)), height * float(rng.uniform(0.96, 1.04))),
        glyph_mm=float(rng.uniform(0.32, 0.44)) * height,
        upper=upper,
        band_part=("", "upper", "upper", "lower")[int(rng.integers(4))],
        align=tuple(0.5 if rng.random() < 0.4 else float(rng.random()) for _ in range(2)),
    )


def rooms(boxes: Sequence[CharBox], width: int) -> list[Room]:
    """The free places of each row: between characters that stand apart, and at both ends."""
    found: list[Room] = []
    for top in dict.fromkeys(box[1] for box in boxes):
        row = sorted(box for box in boxes if box[1] == top)
        bottom = row[0][3]
        found.append((width * 0.02, row[0][0] - 1, top, bottom))
        found.append((row[-1][2] + 1, width * 0.98, top, bottom))
        found.extend((a[2], b[0], top, bottom) for a, b in pairwise(row))
    return [room for room in found if room[1] - room[0] >= 0.24 * (room[3] - room[2])]


def furnish(
    rng: np.random.Generator,
    flat: Picture,
    spec: PlateSpec,
    boxes: Sequence[CharBox],
    ink: float,
    glyphs: GlyphSource,
) -> None:
    """Shields, seals, stickers, a second band and lines on ``flat``. ``ink``: grey level of the characters."""
    height, width = flat.shape
    if spec.rows == 1 and spec.inset[1] and rng.random() < 0.8:
        _second_band(rng, flat, (width * (1 - spec.inset[1] * float(rng.uniform(0.85, 1.0)))), glyphs)
    elif not spec.band and rng.random() < 0.3:
        _plain_sign(rng, flat, boxes, ink, glyphs)
    if rng.random() < 0.12:
        thick = max(1, round(height * 0.02))
        for y in (0.06, 0.11, 0.88, 0.93):
            cv2.line(flat, (0, round(height * y)), (width, round(height * y)), (float(rng.uniform(60, 200)),), thick)
    if rng.random() < 0.25:
        _umlauts(rng, flat, spec.text, boxes, ink)
    free = [room for room in rooms(boxes, width) if not (spec.band and room[0] <= 0.02 * width and not spec.band_part)]
    for place in rng.permutation(len(free))[: int(rng.integers(0, 4 if spec.rows == 2 else 3))]:
        left, right, top, bottom = free[int(place)]
        wide, tall = right - left, bottom - top
        if wide > 1.6 * tall:  # a long free stretch: something of usual width somewhere in it
            own = tall * float(rng.uniform(0.6, 1.2))
            left += (wide - own) * float(rng.random())
            wide = own
        room = (left, left + wide, top, bottom)
        draw = rng.random()
        if draw < 0.4:
            _shield(rng, flat, room)
        elif draw < 0.62:
            _round_seals(rng, flat, room)
        elif draw < 0.85:
            _sticker(rng, flat, room, glyphs)
        else:
            _dots(rng, flat, room, ink)


def _shield(rng: np.random.Generator, flat: Picture, room: Room) -> None:
    """A coat of arms: a shield or round, parted or with a cross, an animal as far as one can tell."""
    left, right, top, bottom = room
    tall = (bottom - top) * float(rng.uniform(0.5, 1.05))
    wide = min((right - left) * float(rng.uniform(0.75, 0.98)), tall * float(rng.uniform(0.65, 1.0)))
    if wide < 3 or tall < 4:
        return
    w, h = max(3, round(wide * 2)), max(4, round(tall * 2))
    mask = np.zeros((h, w), np.uint8)
    if rng.random() < 0.8:
        waist = float(rng.uniform(0.45, 0.75))
        curve = np.linspace(0, 1, 9)
        half = np.sqrt(np.clip(1 - curve**2, 0, 1)) * (w / 2 - 0.5)
        down = h * waist + curve * h * (1 - waist)
        right_side = np.stack((w / 2 + half, down), 1)
        left_side = np.stack((w / 2 - half, down), 1)[::-1]
        points = np.concatenate(([[0, 0], [w - 1, 0]], right_side, left_side))
        cv2.fillPoly(mask, [points.astype(np.int32)], (255,))
    else:
        cv2.ellipse(mask, ((w / 2, h / 2), (w - 1, h - 1), 0.0), (255,), -1)
    field, charge = (float(v) for v in rng.choice([25.0, 70.0, 110.0, 160.0, 215.0, 245.0], 2, replace=False))
    inner = np.full((h, w), field, np.float32)
    kind = rng.random()
    line = max(1, round(w * float(rng.uniform(0.15, 0.3))))
    if kind < 0.3:
        cv2.line(inner, (w // 2, 0), (w // 2, h), (charge,), line)
        cv2.line(inner, (0, round(h * 0.42)), (w, round(h * 0.42)), (charge,), line)
    elif kind < 0.5:
        bands = int(rng.integers(2, 6))
        for number in range(0, bands, 2):
            low, high = round(h * number / bands), round(h * (number + 1) / bands)
            inner[low:high] = charge
        if rng.random() < 0.4:
            inner[:, w // 2 :] = inner[:, w // 2 :][::-1]
    elif kind < 0.65:
        rows, columns = np.indices((h, w)) // max(2, w // 5)
        inner[(rows + columns) % 2 == 0] = charge
    elif kind < 0.8:
        inner[:, : w // 2] = charge
    else:
        for _ in range(int(rng.integers(2, 6))):
            centre = (int(rng.integers(w)), int(rng.integers(h)))
            axes = (float(rng.uniform(0.15, 0.6)) * w, float(rng.uniform(0.1, 0.5)) * h)
            cv2.ellipse(inner, (centre, axes, float(rng.uniform(0, 180))), (charge,), -1)
    if rng.random() < 0.5:
        edge = mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
        inner[edge > 0] = float(rng.uniform(10, 90))
    _place(
        flat, inner, mask, ((left + right) / 2, (top + bottom) / 2 + float(rng.normal(0, 0.04)) * tall), (wide, tall)
    )


def _round_seals(rng: np.random.Generator, flat: Picture, room: Room) -> None:
    """One seal, or two one over the other: rings, filled, with a smaller thing inside."""
    left, right, top, bottom = room
    tall, wide = bottom - top, right - left
    two = rng.random() < 0.6
    most = wide * 0.48 if not two else min(wide * 0.48, tall * 0.26)
    radius = min(most, tall * float(rng.uniform(0.08, 0.45))) if not two else most * float(rng.uniform(0.75, 1.0))
    across = (left + right) / 2
    for down in (top + tall * 0.24, top + tall * 0.76) if two else (float(rng.uniform(top + radius, bottom - radius)),):
        size = max(4, round(radius * 4))
        inner = np.full((size, size), float(rng.uniform(40, 250)), np.float32)
        mask = np.zeros((size, size), np.uint8)
        middle = (size // 2, size // 2)
        cv2.circle(mask, middle, size // 2 - 1, (255,), -1)
        if rng.random() < 0.7:
            cv2.circle(inner, middle, max(1, size // 2 - 2), (float(rng.uniform(10, 160)),), max(1, size // 10))
        if rng.random() < 0.7:
            cv2.circle(inner, middle, max(1, round(size * float(rng.uniform(0.12, 0.33)))),
                       (float(rng.uniform(0, 255)),), -1)  # fmt: skip
        if rng.random() < 0.3:
            cv2.line(inner, (0, middle[1]), (size, middle[1]), (float(rng.uniform(0, 255)),), max(1, size // 8))
        _place(flat, inner, mask, (across, down), (2 * radius, 2 * radius))


def _sticker(rng: np.random.Generator, flat: Picture, room: Room, glyphs: GlyphSource) -> None:
    """A rectangle with a small number or letter on it, or an empty one."""
    left, right, top, bottom = room
    tall, wide = (bottom - top) * float(rng.uniform(0.35, 0.95)), right - left
    wide = min(wide * 0.92, tall * float(rng.uniform(0.45, 0.95)))
    if wide < 3:
        return
    x1, y1 = (left + right - wide) / 2, top + (bottom - top - tall) * float(rng.random())
    level = float(rng.uniform(20, 250))
    box = (round(x1), round(y1)), (round(x1 + wide), round(y1 + tall))
    cv2.rectangle(flat, *box, (level,), -1)
    if rng.random() < 0.5:
        cv2.rectangle(flat, *box, (float(rng.uniform(0, 255)),), 1)
    if rng.random() < 0.75:
        high = min(tall * float(rng.uniform(0.35, 0.7)), wide * 1.1)
        char = ALPHABET[int(rng.integers(10 if rng.random() < 0.75 else len(ALPHABET)))]
        mask_wide = glyphs(char, max(3, round(high))).shape[1]
        write(flat, char, (x1 + (wide - mask_wide) / 2, y1 + (tall - high) / 2), high,
              0.0 if level > 128 else 255.0, glyphs)  # fmt: skip


def _umlauts(rng: np.random.Generator, flat: Picture, text: str, boxes: Sequence[CharBox], ink: float) -> None:
    """Two dots (or a ring) over an A, O or U: read as the plain letter."""
    vowels = [box for char, box in zip(text, boxes, strict=True) if char in "AOU"]
    if not vowels:
        return
    x1, top, x2, bottom = vowels[int(rng.integers(len(vowels)))]
    radius = max(1, round((bottom - top) * float(rng.uniform(0.05, 0.08))))
    down = top - radius - max(1, round((bottom - top) * 0.02))
    if rng.random() < 0.15:
        cv2.circle(flat, ((x1 + x2) // 2, down), radius, (ink,), -1)
        return
    for share in (0.28, 0.72):
        cv2.circle(flat, (round(x1 + (x2 - x1) * share), down), radius, (ink,), -1)


def _dots(rng: np.random.Generator, flat: Picture, room: Room, ink: float) -> None:
    """A dot or a bar over or under the separator, as in Greece, Belgium and Hungary."""
    left, right, top, bottom = room
    tall, across = bottom - top, round((left + right) / 2)
    for _ in range(int(rng.integers(1, 3))):
        down = round(top + tall * float(rng.choice([0.2, 0.5, 0.8])))
        if rng.random() < 0.5:
            cv2.circle(flat, (across, down), max(1, round(tall * float(rng.uniform(0.05, 0.14)))), (ink,), -1)
        else:
            half = max(1, round(min((right - left) * 0.3, tall * 0.15)))
            cv2.line(flat, (across - half, down), (across + half, down), (ink,), max(1, round(tall * 0.07)))


def _second_band(rng: np.random.Generator, flat: Picture, left: float, glyphs: GlyphSource) -> None:
    """A band at the right end with a ring or a logo over two small characters, or a date in three lines."""
    height, width = flat.shape
    start = round(left)
    if width - start < 4:
        return
    level = float(rng.uniform(30, 110) if rng.random() < 0.75 else rng.uniform(150, 230))
    flat[:, start:] = level
    bright = 235.0 if level < 128 else 25.0
    middle, wide = (start + width) // 2, width - start
    if rng.random() < 0.25:
        for line in range(3):
            words = f"{int(rng.integers(32)):02d}"
            write(flat, words, (start + wide * 0.12, height * (0.1 + 0.29 * line)), wide * 0.42, bright, glyphs)
        return
    if rng.random() < 0.8:
        cv2.circle(flat, (middle, round(height * 0.28)), max(1, round(wide * 0.32)), (bright,),
                   -1 if rng.random() < 0.3 else max(1, wide // 12))  # fmt: skip
    if rng.random() < 0.75:
        high = min(height * 0.3, wide * 0.62)
        words = f"{int(rng.integers(100)):02d}" if rng.random() < 0.6 else "".join(
            ALPHABET[10 + int(rng.integers(26))] for _ in range(2)
        )  # fmt: skip
        write(flat, words, (start + wide * 0.1, height * 0.58), high, bright, glyphs)


def _plain_sign(
    rng: np.random.Generator, flat: Picture, boxes: Sequence[CharBox], ink: float, glyphs: GlyphSource
) -> None:
    """A small flag over a letter at the left without a band, parted from the text by a bar, as once in Hungary."""
    height = flat.shape[0]
    left = min(box[0] for box in boxes)
    tall = height * float(rng.uniform(0.2, 0.32))
    room = left - height * 0.06
    if room < tall * 0.8:
        return
    at = room - tall * float(rng.uniform(0.75, 1.0))
    write(flat, _SIGNS[int(rng.integers(8))], (at, height * 0.56), tall, ink, glyphs)
    cv2.rectangle(flat, (round(at), round(height * 0.2)), (round(at + tall * 0.6), round(height * 0.42)),
                  (float(rng.uniform(30, 200)),), -1)  # fmt: skip
    if rng.random() < 0.6:
        x = round(left - height * 0.05)
        cv2.line(flat, (x, round(height * 0.14)), (x, round(height * 0.86)), (ink,), max(1, round(height * 0.02)))


def _place(
    flat: Picture, inner: Picture, mask: NDArray[np.uint8], middle: tuple[float, float], size: tuple[float, float]
) -> None:
    """Paint ``inner`` where ``mask`` is set, ``size`` (width, height) large, about ``middle``."""
    w, h = max(2, round(size[0])), max(2, round(size[1]))
    drawn = np.asarray(cv2.resize(inner, (w, h), interpolation=cv2.INTER_AREA), np.float32)
    share = np.asarray(cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    x, y = round(middle[0] - w / 2), round(middle[1] - h / 2)
    x1, y1, x2, y2 = max(0, x), max(0, y), min(flat.shape[1], x + w), min(flat.shape[0], y + h)
    if x1 >= x2 or y1 >= y2:
        return
    part = flat[y1:y2, x1:x2]
    part += (drawn[y1 - y : y2 - y, x1 - x : x2 - x] - part) * share[y1 - y : y2 - y, x1 - x : x2 - x]

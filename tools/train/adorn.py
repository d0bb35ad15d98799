"""What plates carry besides their text: emblems, stacked small letters, stickers, mottoes, dealers' frames.

None of it belongs to the text that the reader has to give, so the reader must have seen it to leave it out. Draws into
gray float pictures (H, W), 0 to 255; randomness comes from ``rng``. What it draws follows from looking at plates of the
states of the USA, of Mexico and of Europe: a seal or a picture in the widest gap, two small letters one over the other
beside the number, a month and a year as stickers in the corners, a motto, and a frame that may cover the plate's edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.scene.faces import ALPHABET
from lpr.scene.plates import GlyphSource

__all__ = ["CharBox", "blend", "dealer", "emblem", "fittings", "frame", "write"]

Picture = NDArray[np.float32]
CharBox = tuple[int, int, int, int]

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def blend(picture: Picture, mask: Picture, x: int, y: int, level: float) -> None:
    """Paint ``mask`` (h, w) 0..1 with its top left corner at (x, y), cut off at the picture's edges."""
    height, width = picture.shape
    x1, y1, x2, y2 = max(0, x), max(0, y), min(width, x + mask.shape[1]), min(height, y + mask.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    share = mask[y1 - y : y2 - y, x1 - x : x2 - x]
    part = picture[y1:y2, x1:x2]
    part += (np.float32(level) - part) * share


def write(
    picture: Picture, words: str, at: tuple[float, float], height: float, level: float, glyphs: GlyphSource
) -> float:
    """Capitals and digits with their top left corner at ``at``; returns where they end (x)."""
    tall = max(3, round(height))
    x = at[0]
    for char in words:
        if char == " ":
            x += tall * 0.4
            continue
        mask = glyphs(char, tall)
        blend(picture, mask, round(x), round(at[1]), level)
        x += mask.shape[1] + max(1.0, tall * 0.14)
    return x


def _words(rng: np.random.Generator, least: int, most: int) -> str:
    letters = "AAABCDEEEEFGHIIJKLLMNNOOOPQRRSSTTUVWXYZ"
    return "".join(letters[int(rng.integers(len(letters)))] for _ in range(int(rng.integers(least, most + 1))))


def _level(rng: np.random.Generator, ink: float) -> float:
    return ink if rng.random() < 0.65 else float(rng.uniform(0, 255))


def emblem(
    rng: np.random.Generator,
    flat: Picture,
    boxes: Sequence[CharBox],
    ink: float,
    glyphs: GlyphSource,
    backgrounds: NDArray[np.uint8],
    symbols: Sequence[Picture],
) -> None:
    """Something in the widest gap, or beside the characters: a seal, two seals, a picture, a sign, shapes, or small
    letters one over the other. ``ink``: grey level of the characters."""
    width = flat.shape[1]
    top, bottom = boxes[0][1], boxes[0][3]
    tall = bottom - top
    gaps = [(b[0] - a[2], a[2]) for a, b in pairwise(boxes) if b[1] == a[1]]
    row = [box for box in boxes if box[1] == top]
    sides = [(row[0][0] - round(0.03 * width), round(0.03 * width)), (width - row[-1][2] - 2, row[-1][2])]
    gaps.extend(sides)
    wide = [gap for gap in gaps if gap[0] >= 0.27 * tall]
    if not wide:
        return
    room, left = max(wide) if rng.random() < 0.7 else wide[int(rng.integers(len(wide)))]
    middle = (left + room / 2, (top + bottom) / 2 + float(rng.normal(0, 0.05)) * tall)
    kind = rng.random()
    if kind < 0.3:
        _stacked(rng, flat, (left, room), (top, bottom), ink, glyphs)
    elif kind < 0.48 and symbols:
        _symbol(rng, flat, middle, (room, tall), ink, symbols)
    elif kind < 0.64 and len(backgrounds):
        _picture(rng, flat, middle, (room, tall), backgrounds)
    elif kind < 0.8:
        _seals(rng, flat, middle, (room, tall), ink)
    else:
        _shapes(rng, flat, middle, (room, tall), ink)


def _stacked(
    rng: np.random.Generator,
    flat: Picture,
    across: tuple[int, int],
    down: tuple[int, int],
    ink: float,
    glyphs: GlyphSource,
) -> None:
    """Two or three small characters one over the other ("DLR", "US", "VF")."""
    left, room = across
    tall = down[1] - down[0]
    count = 2 if rng.random() < 0.75 else 3
    height = tall * float(rng.uniform(0.8, 0.96)) / count - 1
    level = _level(rng, ink)
    for place in range(count):
        mask = glyphs(ALPHABET[int(rng.integers(10 if rng.random() < 0.2 else 36))], max(4, round(height)))
        if mask.shape[1] > room * 0.9:
            narrow = max(2, int(room * 0.9))
            mask = np.asarray(cv2.resize(mask, (narrow, mask.shape[0]), interpolation=cv2.INTER_AREA), np.float32)
        x = round(left + (room - mask.shape[1]) / 2)
        blend(flat, mask, x, round(down[0] + place * (tall / count) + 1), level)


def _symbol(
    rng: np.random.Generator,
    flat: Picture,
    middle: tuple[float, float],
    room: tuple[float, int],
    ink: float,
    symbols: Sequence[Picture],
) -> None:
    sign = symbols[int(rng.integers(len(symbols)))]
    height = room[1] * float(rng.uniform(0.5, 1.15))
    scale = min(height / sign.shape[0], room[0] * float(rng.uniform(0.85, 1.15)) / sign.shape[1])
    size = (max(3, round(sign.shape[1] * scale)), max(3, round(sign.shape[0] * scale)))
    drawn = np.asarray(cv2.resize(sign, size, interpolation=cv2.INTER_AREA), np.float32)
    at = (round(middle[0] - size[0] / 2), round(middle[1] - size[1] / 2))
    if rng.random() < 0.2:
        cv2.rectangle(flat, at, (at[0] + size[0], at[1] + size[1]), (_level(rng, ink),), -1)
        blend(flat, drawn, *at, 255 - ink)
        return
    blend(flat, drawn * np.float32(rng.uniform(0.5, 1)), *at, _level(rng, ink))


def _picture(
    rng: np.random.Generator,
    flat: Picture,
    middle: tuple[float, float],
    room: tuple[float, int],
    backgrounds: NDArray[np.uint8],
) -> None:
    piece = backgrounds[int(rng.integers(len(backgrounds)))]
    half = (room[0] * 0.46, min(room[0] * float(rng.uniform(0.5, 1.2)), room[1] * 0.6))
    mask = np.zeros(flat.shape, np.uint8)
    centre = (int(middle[0]), int(middle[1]))
    cv2.ellipse(mask, (centre, (half[0] * 2, half[1] * 2), float(rng.uniform(0, 180))), (255,), -1)
    x1, y1 = max(0, int(middle[0] - half[0])), max(0, int(middle[1] - half[1]))
    part = flat[y1 : y1 + int(2 * half[1]) + 1, x1 : x1 + int(2 * half[0]) + 1]
    if not part.size:
        return
    fitted = np.asarray(cv2.resize(piece, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_AREA), np.float32)
    inside = mask[y1 : y1 + part.shape[0], x1 : x1 + part.shape[1]] > 0
    part[inside] = fitted[inside]


def _seals(
    rng: np.random.Generator, flat: Picture, middle: tuple[float, float], room: tuple[float, int], ink: float
) -> None:
    """One round seal, or two of them one over the other as in Germany."""
    level = _level(rng, ink)
    radius = max(2, int(min(room[0] * 0.45, room[1] * 0.5) * rng.uniform(0.5, 1.0)))
    centre = (int(middle[0]), int(middle[1]))
    spots = [centre]
    if rng.random() < 0.4:
        radius = max(2, int(min(room[1] * 0.24, room[0] * 0.42)))
        spots = [(centre[0], int(middle[1] - room[1] * 0.24)), (centre[0], int(middle[1] + room[1] * 0.24))]
    for spot in spots:
        line = -1 if rng.random() < 0.4 else max(1, radius // 4)
        if rng.random() < 0.3:
            box = (spot[0] - radius, spot[1] - radius), (spot[0] + radius, spot[1] + radius)
            cv2.rectangle(flat, *box, (level,), line)
        else:
            cv2.circle(flat, spot, radius, (level,), line)
        if radius > 4 and rng.random() < 0.6:
            cv2.circle(flat, spot, radius // 2, (float(rng.uniform(0, 255)),), -1)


def _shapes(
    rng: np.random.Generator, flat: Picture, middle: tuple[float, float], room: tuple[float, int], ink: float
) -> None:
    """Some polygons: outlines of states, trees, animals as far as one can tell at this size."""
    size = np.array([room[0] * 0.46, min(room[0] * float(rng.uniform(0.4, 1.2)), room[1] * 0.6)])
    level = _level(rng, ink)
    for _ in range(int(rng.integers(1, 6))):
        count = int(rng.integers(3, 10))
        angles = np.sort(rng.uniform(0, 2 * np.pi, count))
        reach = rng.uniform(0.25, 1.0, (count, 1))
        points = np.array(middle) + np.stack((np.cos(angles), np.sin(angles)), 1) * reach * size
        if rng.random() < 0.7:
            cv2.fillPoly(flat, [points.astype(np.int32)], (level,))
        else:
            cv2.polylines(flat, [points.astype(np.int32)], True, (level,), 1)
        level = float(rng.uniform(0, 255))


def fittings(
    rng: np.random.Generator, flat: Picture, style: str, ink: float, boxes: Sequence[CharBox], glyphs: GlyphSource
) -> None:
    """Screws, stickers with month and year, the state's name and a motto, small letters after the number."""
    height, width = flat.shape
    if style in ("us", "mx", "other"):
        _mottoes(rng, flat, ink, glyphs)
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 5))):
            x = int(rng.choice([0.2, 0.25, 0.5, 0.75, 0.8]) * width + rng.normal(0, 0.02) * width)
            y = int(rng.choice([0.08, 0.12, 0.9]) * height)
            radius = max(1, int(height * rng.uniform(0.025, 0.06)))
            cv2.circle(flat, (x, y), radius, (float(rng.uniform(0, 255)),), -1)
    if style in ("us", "mx") and rng.random() < 0.65:
        _stickers(rng, flat, glyphs)
    if style in ("us", "eu", "gb", "other") and rng.random() < 0.12:
        right = boxes[-1][2]
        tall = (boxes[-1][3] - boxes[-1][1]) * float(rng.uniform(0.25, 0.45))
        if width - right > tall * 1.4:
            write(flat, _words(rng, 1, 2), (right + 3, boxes[-1][3] - tall), tall, ink, glyphs)
    if style == "br-old" and rng.random() < 0.5:
        x, y = int(width * rng.uniform(0.38, 0.5)), int(height * rng.uniform(0.86, 0.94))
        cv2.circle(flat, (x, y), max(1, int(height * 0.05)), (ink,), -1)


def _stickers(rng: np.random.Generator, flat: Picture, glyphs: GlyphSource) -> None:
    height, width = flat.shape
    for _ in range(int(rng.integers(1, 4))):
        x = round(float(rng.choice([0.02, 0.04, 0.82, 0.86])) * width)
        y = round(float(rng.choice([0.03, 0.05, 0.75, 0.8])) * height)
        w, h = round(width * float(rng.uniform(0.09, 0.15))), round(height * float(rng.uniform(0.13, 0.21)))
        level = float(rng.uniform(30, 250))
        if rng.random() < 0.75:
            cv2.rectangle(flat, (x, y), (x + w, y + h), (level,), -1)
        words = _MONTHS[int(rng.integers(12))] if rng.random() < 0.4 else f"{int(rng.integers(100)):02d}"
        write(flat, words, (x + 1, y + 0.15 * h), 0.7 * h, 0.0 if level > 128 else 255.0, glyphs)


def _mottoes(rng: np.random.Generator, flat: Picture, ink: float, glyphs: GlyphSource) -> None:
    """The state's name over the characters and a motto under them, in capitals or in some script."""
    height, width = flat.shape
    fonts = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_COMPLEX,
             cv2.FONT_HERSHEY_TRIPLEX)  # fmt: skip
    for lower in (False, True):
        if rng.random() < 0.4:
            continue
        level = _level(rng, ink)
        tall = height * float(rng.uniform(0.08, 0.17))
        if rng.random() < 0.55:
            words = _words(rng, 4, 14)
            at = (width * float(rng.uniform(0.12, 0.35)), height * 0.975 - tall if lower else height * 0.035)
            write(flat, words, at, tall, level, glyphs)
            continue
        words = _words(rng, 4, 14).lower().capitalize()
        font = fonts[int(rng.integers(len(fonts)))]
        mask = np.zeros(flat.shape, np.uint8)
        at = (int(width * rng.uniform(0.08, 0.35)), int(height * (0.97 if lower else 0.2)))
        cv2.putText(mask, words, at, font, tall * 1.2 / 22, (255,), 1, cv2.LINE_AA)
        blend(flat, mask.astype(np.float32) / np.float32(255), 0, 0, level)


def frame(
    rng: np.random.Generator, flat: Picture, glyphs: GlyphSource, band: tuple[float, float, float, float]
) -> tuple[Picture, tuple[int, int]]:
    """A dealer's frame round the plate, over its edges: (larger picture, (x, y) of the plate's corner in it).

    ``band``: box of the characters, which it leaves free but for some per cent."""
    height, width = flat.shape
    level = float(rng.uniform(5, 60) if rng.random() < 0.7 else rng.uniform(90, 240))
    text = 255.0 - level if rng.random() < 0.7 else float(rng.uniform(0, 255))
    side = round(height * float(rng.uniform(0.03, 0.12)))
    over, under = (round(height * float(rng.uniform(0.04, 0.2))) for _ in range(2))
    room_top, room_bottom = band[1], height - band[3]
    into_top = round(room_top * float(rng.uniform(0, 0.9)))
    into_bottom = round(room_bottom * float(rng.uniform(0, 0.9)) + height * max(0.0, float(rng.normal(0, 0.045))))
    into_side = round(min(band[0], width - band[2]) * float(rng.uniform(0, 0.8)))
    out = np.full((height + over + under, width + 2 * side), level, np.float32)
    left, top = side + into_side, over + into_top
    inner = flat[into_top : height - into_bottom, into_side : width - into_side]
    out[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    for room, y in ((over + into_top, 0), (under + into_bottom, out.shape[0] - under - into_bottom)):
        if room < 5 or rng.random() < 0.25:
            continue
        tall = room * float(rng.uniform(0.5, 0.85))
        words = " ".join(_words(rng, 3, 9) for _ in range(int(rng.integers(1, 3))))
        write(out, words, (out.shape[1] * float(rng.uniform(0.03, 0.3)), y + (room - tall) / 2), tall, text, glyphs)
    return out, (side, over)


def dealer(
    rng: np.random.Generator,
    canvas: NDArray[np.float32],
    outer: NDArray[np.float64],
    quad: NDArray[np.float64],
    level: float,
) -> None:
    """A dealer's name in thin letters on a frame whose corners are ``outer``, over or under the plate ``quad``."""
    below = rng.random() < 0.6
    edge, inner = (outer[3], quad[3]) if below else (outer[0], quad[0])
    space = abs(float(edge[1] - inner[1]))
    if space < 3:
        return
    size = min(space * 0.7, 16) / 22
    y = int(max(edge[1], inner[1]) - space * 0.2)
    words = "".join(
        chr(65 + int(rng.integers(26))) if rng.random() < 0.88 else " " for _ in range(int(rng.integers(6, 20)))
    )
    x = int(outer[0, 0] + (outer[1, 0] - outer[0, 0]) * rng.uniform(0.05, 0.35))
    mask = np.zeros(canvas.shape, np.uint8)
    cv2.putText(mask, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (255,), 1, cv2.LINE_AA)
    blend(canvas, mask.astype(np.float32) / np.float32(255), 0, 0, level)

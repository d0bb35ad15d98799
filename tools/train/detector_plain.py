"""Plain rendered plates of no country: any size, colours and lettering, for the detector alone.

The detector has to find plates that no country of ``lpr.plates`` knows. These have the look of a plate (a framed
field in one light or dark colour with five to eight large characters in one or two rows) and nothing of a standard.

May import: numpy, OpenCV.
"""

from __future__ import annotations

import string

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
LIGHT = ((250, 250, 250), (235, 235, 235), (170, 175, 175), (80, 220, 250), (240, 230, 215), (60, 190, 230))
CHARACTERS = string.ascii_uppercase + string.digits


FACES = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SIMPLEX)
VOWELS = "AEIOUY"


def _character(char: str, width: int, height: int, stroke: int, face: int) -> NDArray[np.float32]:
    glyph = np.zeros((64, 48), np.uint8)
    cv2.putText(glyph, char, (4, 54), face, 2.0, 255, stroke, cv2.LINE_AA)
    small = cv2.resize(glyph, (max(width, 2), max(height, 2)), interpolation=cv2.INTER_AREA)
    return np.asarray(small[:, :, None] / 255, np.float32)


def _text(rng: np.random.Generator, two_rows: bool) -> str:
    """What stands on it: a number, or now and then a word as on plates of one's own choice, in one row."""
    if two_rows or rng.random() < 0.7:
        return "".join(CHARACTERS[int(i)] for i in rng.integers(0, len(CHARACTERS), int(rng.integers(5, 8))))
    letters = string.ascii_uppercase
    word = "".join(
        VOWELS[int(rng.integers(0, len(VOWELS)))] if place % 2 else letters[int(rng.integers(0, len(letters)))]
        for place in range(int(rng.integers(2, 9)))
    )
    digits = str(rng.integers(0, 100)) if rng.random() < 0.4 else ""
    return (word[: 8 - len(digits)] + digits) or word


def plain_plate(rng: np.random.Generator, height: int) -> Image:
    """One plate, BGR uint8, ``height`` pixels high, as wide as its kind asks."""
    two_rows = rng.random() < 0.15
    aspects = (1.3, 1.15, 1.9) if two_rows else (4.7, 3.08, 2.0, 2.0, 3.08)
    width = int(height * aspects[int(rng.integers(0, len(aspects)))])
    if rng.random() < 0.7:
        ground, ink = np.array(LIGHT[int(rng.integers(0, len(LIGHT)))], float), rng.integers(0, 70, 3).astype(float)
    else:
        ground, ink = rng.integers(0, 130, 3).astype(float), np.full(3, 240.0)
    picture = np.full((height, width, 3), ground, np.uint8)
    line = (float(ink[0]), float(ink[1]), float(ink[2]))
    if rng.random() < 0.7:
        cv2.rectangle(picture, (1, 1), (width - 2, height - 2), line, max(1, height // 40))
    left, top = int(width * 0.05), 0
    dress = rng.random()
    if dress < 0.25 and width > 3 * height:
        left = int(width * 0.1)
        cv2.rectangle(picture, (0, 0), (int(width * 0.08), height), (160, 60, 10), -1)
    elif dress < 0.5:
        top = int(height * 0.22)
        cv2.rectangle(picture, (0, 0), (width, top), (150, 60, 20), -1)
    elif dress < 0.7:
        top = int(height * 0.2)
        cv2.putText(
            picture, "STATE", (int(width * 0.3), top), cv2.FONT_HERSHEY_SIMPLEX, height / 140, line, 1, cv2.LINE_AA
        )
    text = _text(rng, two_rows)
    rows = (text[:3], text[3:]) if two_rows else (text,)
    if not two_rows and rng.random() < 0.35:  # few characters in the middle of a wide plate
        spare = (width - left) * float(rng.uniform(0.03, 0.2))
        left, right = int(left + spare), int(spare)
    else:
        right = 4
    row_height, stroke = (height - top) / len(rows), int(rng.integers(3, 8))
    face = FACES[int(rng.integers(0, len(FACES)))]
    for number, row in enumerate(rows):
        cell = (width - left - right) / len(row)
        for place, char in enumerate(row):
            y, x = int(top + row_height * (number + 0.12)), int(left + place * cell)
            glyph = _character(char, int(min(cell * 0.85, row_height)), int(row_height * 0.75), stroke, face)
            region = picture[y : y + glyph.shape[0], x : x + glyph.shape[1]]
            glyph = glyph[: region.shape[0], : region.shape[1]]
            region[:] = (region * (1 - glyph) + ink * glyph).astype(np.uint8)
    return picture

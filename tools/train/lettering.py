"""Sources of glyphs for training: the package's own faces with small changes, and freely licensed fonts by path.

Fonts are found where the operator has them (``--fonts``: a folder, searched for .ttf and .otf) and are never part of
the project. Every glyph is kept once at ``BASE`` pixels and scaled from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.scene.faces import ALPHABET, FACES
from lpr.scene.glyphs import Face, glyph_mask
from lpr.scene.plates import GlyphSource

__all__ = ["BASE", "Lettering", "find_fonts", "find_symbols", "font_masks", "undotted"]

BASE: Final = 64
SYMBOLS: Final = "symbols"
"""Folder of fonts that lend signs for emblems but no characters."""

Mask = NDArray[np.float32]


def find_fonts(folder: Path | None) -> list[Path]:
    """The font files under ``folder``, sorted; none for None."""
    if folder is None:
        return []
    found = (path for path in folder.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    return sorted(path for path in found if path.parent.name != SYMBOLS)


def find_symbols(folder: Path | None) -> list[Mask]:
    """Pictures of signs (wheelchair, stars, anchors, ...) from the fonts in the folder's ``symbols``: (48, W) 0..1."""
    from PIL import Image, ImageDraw, ImageFont

    out: list[Mask] = []
    for path in sorted((folder / SYMBOLS).glob("*.ttf")) if folder is not None else ():
        font = ImageFont.truetype(str(path), 64)
        missing = bytes(cast("Any", font.getmask(chr(0x10FFFD))))
        for code in (*range(0x2600, 0x2700), *range(0x2701, 0x27BF), 0x26, 0x40, 0x23, 0xA7, 0x2665):
            if bytes(cast("Any", font.getmask(chr(code)))) == missing:
                continue
            canvas = Image.new("L", (128, 128), 0)
            ImageDraw.Draw(canvas).text((32, 20), chr(code), font=font, fill=255)
            picture = np.asarray(canvas, np.uint8)
            columns, rows = np.flatnonzero(picture.max(0) > 60), np.flatnonzero(picture.max(1) > 60)
            if len(columns) < 12 or len(rows) < 12:
                continue
            part = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / np.float32(255)
            width = max(8, round(part.shape[1] * BASE / part.shape[0]))
            if width <= 2 * BASE:
                out.append(np.asarray(cv2.resize(part, (width, BASE), interpolation=cv2.INTER_AREA), np.float32))
    return out


class Lettering:
    """All glyph sources of one worker."""

    def __init__(self, fonts: Sequence[Path], variants: int, rng: np.random.Generator) -> None:
        """``variants``: how many changed copies of each own face are drawn besides the face itself."""
        self._faces: dict[str, list[Face]] = {}
        for name, face in FACES.items():
            copies = [face]
            for _ in range(variants):
                copies.append(
                    replace(
                        face,
                        stroke=face.stroke * float(rng.uniform(0.78, 1.22)),
                        round=float(np.clip(face.round + rng.uniform(-0.1, 0.08), 0.08, 0.5)),
                        soft=float(rng.choice([0.0, 0.012, 0.03])),
                    )
                )
            self._faces[name] = copies
        self._fonts = [drawn for drawn in (font_masks(path) for path in fonts) if drawn is not None]
        self._own: dict[tuple[Face, str], Mask] = {}

    @property
    def has_fonts(self) -> bool:
        """Whether any font could be used."""
        return bool(self._fonts)

    def own(self, name: str, rng: np.random.Generator, stretch: float) -> GlyphSource:
        """The own face ``name``, perhaps changed; widths times ``stretch``."""
        faces = self._faces[name]
        face = faces[0] if rng.random() < 0.3 else faces[int(rng.integers(len(faces)))]

        def source(char: str, height: int) -> Mask:
            key = (face, char)
            mask = self._own.get(key)
            if mask is None:
                mask = self._own[key] = glyph_mask(face, char, BASE)
            return _scaled(mask, height, stretch)

        return source

    def font(self, rng: np.random.Generator, narrow: tuple[float, float]) -> GlyphSource:
        """A random font, its H made ``narrow`` (least, most) wide in units of its height."""
        masks = self._fonts[int(rng.integers(len(self._fonts)))]
        width = masks["H"].shape[1] / BASE
        stretch = float(np.clip(rng.uniform(*narrow) / width, 0.6, 1.4))

        def source(char: str, height: int) -> Mask:
            return _scaled(masks[char], height, stretch)

        return source


def _scaled(mask: Mask, height: int, stretch: float) -> Mask:
    width = max(2, round(mask.shape[1] * height / BASE * stretch))
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def undotted(zero: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``zero`` without a dot in its middle: hardly any plate has one, and small it looks like an 8."""
    _, parts = cv2.connectedComponents((zero > 0).astype(np.uint8))
    largest = int(np.bincount(parts[parts > 0].ravel()).argmax())
    return np.where(parts == largest, zero, np.uint8(0))


def font_masks(path: Path) -> dict[str, Mask] | None:
    """Every character of a font at BASE pixels from cap line to base line; None when it lacks one."""
    from PIL import Image, ImageDraw, ImageFont

    try:
        font = ImageFont.truetype(str(path), 160)
    except OSError:
        return None

    def ink(char: str) -> NDArray[np.uint8]:
        canvas = Image.new("L", (360, 320), 0)
        ImageDraw.Draw(canvas).text((80, 60), char, font=font, fill=255)
        return np.asarray(canvas, np.uint8)

    cap = ink("H")
    lines = np.flatnonzero(cap.max(1) > 100)
    if len(lines) < 40:
        return None
    top, bottom = int(lines[0]), int(lines[-1]) + 1
    out: dict[str, Mask] = {}
    for char in ALPHABET:
        picture = ink(char)
        columns = np.flatnonzero(picture.max(0) > 100)
        rows = np.flatnonzero(picture.max(1) > 100)
        if len(columns) < 3 or (rows[-1] - rows[0]) < 0.6 * (bottom - top):
            return None
        if char == "0":
            picture = undotted(picture)
        first, last = min(top, int(rows[0])), max(bottom, int(rows[-1]) + 1)
        part = picture[first:last, columns[0] : columns[-1] + 1].astype(np.float32) / np.float32(255)
        width = max(3, round(part.shape[1] * BASE / (bottom - top)))
        out[char] = np.asarray(cv2.resize(part, (width, BASE), interpolation=cv2.INTER_AREA), np.float32)
    return out

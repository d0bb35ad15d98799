"""Draw plates to look at: ``python -m tools.render --out sheet.png [--country BR]… [--faces | --training] [--seed N]``.

Without a switch: clean plates of the countries. ``--faces``: every face with every character. ``--training``: what the
reader is trained on, with its label under each picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.plates.decode import ALPHABET
from lpr.scene.faces import FACES
from lpr.scene.glyphs import glyph_mask
from lpr.scene.plates import random_spec, render_plate
from tools.train.stream import Recipe, make_factory

__all__ = ["faces", "main", "plates", "sheet", "training"]

Image = NDArray[np.uint8]


def sheet(pictures: Sequence[Image], columns: int, size: tuple[int, int]) -> Image:
    """Pictures (BGR) in a grid of cells of ``size`` (width, height), each fitted in."""
    width, height = size
    rows = -(-len(pictures) // columns)
    out = np.full((rows * height, columns * width, 3), 70, np.uint8)
    for number, picture in enumerate(pictures):
        scale = min((width - 6) / picture.shape[1], (height - 6) / picture.shape[0])
        fitted = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
        small = np.asarray(cv2.resize(picture, fitted, interpolation=cv2.INTER_AREA), np.uint8)
        y, x = number // columns * height + 3, number % columns * width + 3
        out[y : y + fitted[1], x : x + fitted[0]] = small
    return out


def faces(height: int = 48) -> Image:
    """One line a face."""
    lines = [np.hstack([np.pad(glyph_mask(face, char, height), 5) for char in ALPHABET]) for face in FACES.values()]
    width = max(line.shape[1] for line in lines)
    gray = np.vstack([np.pad(line, ((0, 0), (0, width - line.shape[1]))) for line in lines])
    return np.repeat(np.rint(255 - gray * 255).astype(np.uint8)[..., None], 3, 2)


def plates(count: int, countries: Sequence[str], seed: int) -> Image:
    """Clean plates of these countries (none: of all)."""
    rng = np.random.default_rng(seed)
    return sheet([render_plate(random_spec(rng, countries or None)) for _ in range(count)], 8, (200, 80))


def training(count: int, seed: int, fonts: Path | None, real: Path | None) -> Image:
    """Samples of the reader's training, labelled."""
    factory = make_factory(Recipe(seed, fonts, real, variants=2))
    rng = np.random.default_rng(seed)
    pictures: list[Image] = []
    for _ in range(count):
        sample = factory.sample(rng)
        text = "".join((ALPHABET + " ")[int(column)] for column in sample.label)
        picture = cv2.copyMakeBorder(np.repeat(sample.patch[..., None], 3, 2), 0, 14, 0, 0, cv2.BORDER_CONSTANT)
        cv2.putText(picture, text, (2, picture.shape[0] - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 255), 1)
        pictures.append(np.asarray(picture, np.uint8))
    return sheet(pictures, 8, (150, 68))


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a contact sheet of plates.")
    parser.add_argument("--out", type=Path, required=True, help="the picture to write (.png)")
    parser.add_argument("--count", type=int, default=96)
    parser.add_argument("--country", action="append", default=[], help="country or region (repeatable)")
    parser.add_argument("--faces", action="store_true")
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.faces:
        picture = faces()
    elif given.training:
        picture = training(given.count, given.seed, given.fonts, given.real)
    else:
        picture = plates(given.count, given.country, given.seed)
    if not cv2.imwrite(str(given.out), picture):
        raise SystemExit(f"{given.out}: cannot be written")
    print(f"{given.out}: {picture.shape[1]} x {picture.shape[0]}")


if __name__ == "__main__":
    main()

"""Measure drawn glyphs against what real ones look like: ``python -m tools.evaluate_glyphs FACE REFERENCE``.

REFERENCE is a font (needs Pillow) or a folder of pictures named by the characters that they show ("A.png", "O0.png"
for both O and 0), dark on light. For each character: how much of the two inks together is in both when they are scaled
to one box (overlap, intersection over union), how much wider ours is, and which of our characters the reference is
most like. With ``--read N`` the reader is given N plates of ``--layout`` written with the reference's glyphs, and with
ours, and what it takes each character for is counted. References only measure: nothing is drawn or learned from them.

May import: numpy, OpenCV, ``lpr``, ``tools.options``, ``tools.train.lettering`` for fonts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.plates.formats import FORMATS
from lpr.plates.texts import align
from lpr.scene.faces import ALPHABET, FACES
from lpr.scene.glyphs import glyph_mask
from lpr.scene.plates import GlyphSource, draw_layers, random_text, spec_for
from lpr.vision.ocr import PlateReader
from lpr.vision.rectify import corners_of_box
from tools.options import from_one, from_zero, new_file

__all__ = ["Likeness", "likeness", "main", "overlap_of", "pictures_of", "reference_of", "taken_for"]

HEIGHT: Final = 96
"""Pixels of a glyph when it is compared."""
_CLEAR_WIDTH: Final = 0.3
"""Narrower ones (in heights) are compared as wide as they are: I stretched to a box is a box."""

Mask = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """``overlap``: 0 to 1, of the shapes in one box; ``wider``: our width over the reference's, at the same height;
    ``like``: our character that the reference is most like, ``its_overlap``."""

    char: str
    overlap: float
    wider: float
    like: str
    its_overlap: float


def reference_of(path: Path) -> dict[str, Mask]:
    """The reference's glyphs, each cut to its ink: (HEIGHT, W) float32 from 0 to 1. Raises ValueError."""
    if path.is_dir():
        return pictures_of(path)
    from tools.train.lettering import font_masks

    found = font_masks(path)
    if found is None:
        raise ValueError(f"{path} is no font with A-Z and 0-9; name a font or a folder of pictures")
    return {char: _cut(mask) for char, mask in found.items()}


def pictures_of(folder: Path) -> dict[str, Mask]:
    """The glyphs of a folder of pictures. Of dark parts that do not touch the largest is the glyph, so that a picture
    may have dark corners behind a light rim. Raises ValueError for a folder that shows no character."""
    found: dict[str, Mask] = {}
    for path in sorted(folder.glob("*.png")):
        if not path.stem or set(path.stem) - set(ALPHABET):
            continue
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise ValueError(f"{path} cannot be read as a picture")
        dark = (picture < 100).astype(np.uint8)
        _, places, sizes, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
        if len(sizes) < 2:
            raise ValueError(f"{path} shows nothing dark")
        largest = 1 + int(sizes[1:, cv2.CC_STAT_AREA].argmax())
        mask = _cut((places == largest).astype(np.float32))
        found |= dict.fromkeys(path.stem, mask)
    if not found:
        raise ValueError(f"{folder} has no picture named by a character, such as A.png")
    return found


def _cut(mask: Mask) -> Mask:
    """``mask`` cut to its ink, HEIGHT pixels high."""
    rows, columns = np.flatnonzero(mask.max(1) > 0.4), np.flatnonzero(mask.max(0) > 0.4)
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _sized(part, max(2, round(part.shape[1] * HEIGHT / part.shape[0])))


def _sized(mask: Mask, width: int) -> Mask:
    return np.asarray(cv2.resize(mask, (width, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def overlap_of(one: Mask, other: Mask) -> float:
    """Intersection over union of two inks (HEIGHT, W), the second scaled to the first one's width unless one of them
    is too narrow for that; then they stand on one middle."""
    if min(one.shape[1], other.shape[1]) >= _CLEAR_WIDTH * HEIGHT:
        other = _sized(other, one.shape[1])
    wide = max(one.shape[1], other.shape[1])
    a, b = _centred(one, wide) > 0.5, _centred(other, wide) > 0.5
    return float((a & b).sum() / max(int((a | b).sum()), 1))


def _centred(mask: Mask, width: int) -> Mask:
    room = width - mask.shape[1]
    return np.pad(mask, ((0, 0), (room // 2, room - room // 2)))


def likeness(reference: Mapping[str, Mask], ours: Mapping[str, Mask]) -> list[Likeness]:
    """One for each character of ``reference``. Equal overlaps speak for the character itself (O and 0 of one die)."""
    found: list[Likeness] = []
    for char, mask in sorted(reference.items()):
        overlaps = {other: overlap_of(mask, drawn) for other, drawn in ours.items()}
        like = max(overlaps, key=lambda other: (overlaps[other], other == char))
        found.append(
            Likeness(
                char,
                round(overlaps[char], 3),
                round(ours[char].shape[1] / mask.shape[1], 3),
                like,
                round(overlaps[like], 3),
            )
        )
    return found


def taken_for(glyphs: GlyphSource, layout: str, plates: int, height: int, seed: int) -> dict[str, Counter[str]]:
    """For each true character what the reader took it for ("" for nothing) on ``plates`` plates of ``layout``,
    ``height`` pixels high, plain but for a little blur and noise. Raises ValueError for a layout that is none."""
    format_ = next((one for one in FORMATS if one.key == layout), None)
    if format_ is None:
        raise ValueError(f"there is no layout {layout!r}; lpr.plates.formats lists them")
    reader = PlateReader()
    rng = np.random.default_rng(seed)
    seen: dict[str, Counter[str]] = {}
    for _ in range(plates):
        truth = random_text(rng, format_)
        spec = spec_for(truth, layout)
        layers = draw_layers(spec, 4 * height, glyphs)
        ink = layers.ink[..., None]
        flat = (layers.ground * (1 - ink) + np.array(spec.ink, np.float32) * ink).astype(np.float32)
        small = cv2.resize(flat, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        soft = np.asarray(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.8)), np.float32)
        noisy = np.clip(soft + rng.normal(0, 5, soft.shape), 0, 255).astype(np.uint8)
        room = height // 2
        image = np.pad(noisy, ((room, room), (room, room), (0, 0)), constant_values=70)
        own = corners_of_box((room, room, room + small.shape[1], room + small.shape[0]))
        read = reader.read(image, [own])[0].text
        for char, place in zip(truth, align(truth, read), strict=True):
            seen.setdefault(char, Counter())[read[place] if place is not None else ""] += 1
    return seen


def _source(glyphs: Mapping[str, Mask]) -> GlyphSource:
    def source(char: str, height: int) -> Mask:
        mask = glyphs[char]
        width = max(2, round(mask.shape[1] * height / HEIGHT))
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.float32)

    return source


def _misread(seen: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    """For each character that was taken for others, for which and how often, and how often it was there (key "of")."""
    return {
        char: {**{other or "nothing": count for other, count in took.most_common() if other != char},
               "of": sum(took.values())}
        for char, took in sorted(seen.items())
        if set(took) != {char}
    }  # fmt: skip


def sheet(reference: Mapping[str, Mask], ours: Mapping[str, Mask]) -> NDArray[np.uint8]:
    """All characters: what is in the reference alone red, in ours alone blue, in both black; (H, W, 3) BGR."""
    cells: list[NDArray[np.uint8]] = []
    for char, mask in sorted(reference.items()):
        drawn = _sized(ours[char], mask.shape[1])
        cell = np.full((HEIGHT + 12, HEIGHT + 12, 3), 255, np.float32)
        left = (HEIGHT + 12 - mask.shape[1]) // 2
        if left >= 0:
            part = cell[6 : 6 + HEIGHT, left : left + mask.shape[1]]
            part[..., 0] -= 255 * mask  # the reference takes blue and green, ours red and green
            part[..., 2] -= 255 * drawn
            part[..., 1] -= 255 * np.maximum(mask, drawn)
        cells.append(np.clip(cell, 0, 255).astype(np.uint8))
    blank = np.full_like(cells[0], 255)
    cells += [blank] * (-len(cells) % 12)
    return np.vstack([np.hstack(cells[i : i + 12]) for i in range(0, len(cells), 12)])


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="tools.evaluate_glyphs", description="Measure drawn glyphs against real ones."
    )
    parser.add_argument("face", choices=sorted(FACES), metavar="FACE", help=f"one of {', '.join(sorted(FACES))}")
    parser.add_argument("reference", type=Path, metavar="REFERENCE", help="a font, or a folder of pictures")
    parser.add_argument("--read", type=from_zero, default=0, help="plates for the reader")
    parser.add_argument("--layout", default="br-mercosul", help="of these plates")
    parser.add_argument("--height", type=from_one, default=32, help="of these plates, in pixels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=new_file, help="a PNG of all characters, ours over the reference")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(words)
    cv2.setNumThreads(1)
    face = FACES[args.face]
    ours = {char: _cut(glyph_mask(face, char, HEIGHT)) for char in ALPHABET}
    misread: dict[str, dict[str, dict[str, int]]] = {}
    try:
        reference = reference_of(args.reference)
        if args.read:
            short = sorted(set(ALPHABET) - set(reference))
            if short:
                raise ValueError(f"{args.reference} lacks {', '.join(short)}: no plates can be written with it")
            for name, glyphs in (("reference", reference), ("ours", ours)):
                misread[name] = _misread(taken_for(_source(glyphs), args.layout, args.read, args.height, args.seed))
    except ValueError as error:
        parser.error(str(error))
    found = likeness(reference, ours)
    if args.sheet is not None:
        cv2.imwrite(str(args.sheet), sheet(reference, ours))
    mean = sum(one.overlap for one in found) / len(found)
    if args.json:
        print(json.dumps({"mean": round(mean, 3), "glyphs": [asdict(one) for one in found], "misread": misread}))
        return 0
    for one in found:
        other = f", most like {one.like} ({one.its_overlap:.2f})" if one.like != one.char else ""
        print(f"{one.char}  overlap {one.overlap:.2f}  width {one.wider:.2f}{other}")
    print(f"mean overlap {mean:.3f}")
    for name, own in misread.items():
        wrong = sum(count for took in own.values() for other, count in took.items() if other != "of")
        print(f"misread with {name}'s glyphs: {wrong} characters on {args.read} plates; {own}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

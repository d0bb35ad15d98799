"""Draw plates and scenes to look at, or a folder of them to measure on.

    python -m tools.render --out sheet.png [--country BR]… [--count 96] [--seed N]    clean plates of the countries
    python -m tools.render --out sheet.png --text ABC1D23 --layout br-mercosul        this plate, in all its colours
    python -m tools.render --out sheet.png --faces                                    every face with every character
    python -m tools.render --out sheet.png --training [--fonts DIR] [--real FILE]     what the reader is trained on
    python -m tools.render --out sheet.png --scenes DATA/train                        what the detector is trained on
    python -m tools.render --out sheet.png --street                                   frames of the drawn street

The sheet shows each picture with what is true about it. ``--folder`` writes the plates or frames besides, one file
each, with ``annotations.jsonl``, so that ``python -m tools.evaluate FOLDER`` measures on them. The same options and
``--seed`` give the same pixels. ``tools.render_street`` writes the street as a film.

May import ``lpr.scene``, ``lpr.plates`` and the drawing part of ``tools.train`` (without PyTorch).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.plates.decode import ALPHABET
from lpr.plates.formats import UnknownCountry, by_key
from lpr.scene.faces import FACES
from lpr.scene.glyphs import GlyphError, glyph_mask
from lpr.scene.plates import PlateSpec, random_spec, render_plate, spec_for
from lpr.scene.street import Street
from lpr.scene.styles import style_of
from tools.options import existing_file, existing_folder, from_one, new_file
from tools.train.detector_scenes import compose, plate_bank
from tools.train.scenes_data import load_photos
from tools.train.stream import Recipe, make_factory

__all__ = ["Drawn", "Shown", "faces", "main", "plates", "scenes", "sheet", "street", "training", "write_folder"]

Image = NDArray[np.uint8]

STREET = (960, 540)
"""Width and height of a frame of the street, pixels."""
STREET_STEP = 25
"""Seconds from one shown frame to the next: other vehicles, and a day in ten frames."""
LEAST_WIDTH = 30
"""Plates of the street narrower than this, in pixels, or hidden in part are annotated without a text."""
PHOTOS = 40
"""Photographs of each folder that scenes are composed of: enough for a sheet."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A plate in a drawn picture: its corners in pixels from the upper left one clockwise, its text and country."""

    corners: Corners
    text: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn picture (BGR) and the plates in it."""

    picture: Image
    plates: tuple[Shown, ...]


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


def outlined(drawn: Drawn) -> Image:
    """The picture with its plates' outlines and texts."""
    out = drawn.picture.copy()
    for plate in drawn.plates:
        points = np.rint(np.array(plate.corners)).astype(np.int32)
        cv2.polylines(out, [points[:, None]], True, (0, 255, 255), 1, cv2.LINE_AA)
        if plate.text:
            x, y = int(points[:, 0].min()), int(points[:, 1].min()) - 4
            cv2.putText(out, plate.text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 255, 255), 1, cv2.LINE_AA)
    return out


def faces(height: int = 48) -> Image:
    """One line a face."""
    lines = [np.hstack([np.pad(glyph_mask(face, char, height), 5) for char in ALPHABET]) for face in FACES.values()]
    width = max(line.shape[1] for line in lines)
    gray = np.vstack([np.pad(line, ((0, 0), (0, width - line.shape[1]))) for line in lines])
    return np.repeat(np.rint(255 - gray * 255).astype(np.uint8)[..., None], 3, 2)


def _alone(spec: PlateSpec) -> Drawn:
    picture = render_plate(spec)
    height, width = float(picture.shape[0]), float(picture.shape[1])
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return Drawn(picture, (Shown(corners, spec.text, by_key(spec.layout).country),))


def plates(count: int, countries: Sequence[str], seed: int) -> list[Drawn]:
    """Clean plates of these countries (none: of all). Raises UnknownCountry."""
    rng = np.random.default_rng(seed)
    return [_alone(random_spec(rng, countries or None)) for _ in range(count)]


def variants(text: str, layout: str) -> list[Drawn]:
    """The plate ``text`` in each of the colours of ``layout``. Raises KeyError (no such layout) and GlyphError."""
    by_key(layout)
    return [_alone(spec_for(text, layout, variant=number)) for number in range(len(style_of(layout).colours))]


def training(count: int, seed: int, fonts: Path | None, real: Path | None) -> list[Image]:
    """Samples of the reader's training, each with its label below."""
    factory = make_factory(Recipe(seed, fonts, real, variants=2))
    rng = np.random.default_rng(seed)
    pictures: list[Image] = []
    for _ in range(count):
        sample = factory.sample(rng)
        text = "".join((ALPHABET + " ")[int(column)] for column in sample.label)
        picture = cv2.copyMakeBorder(np.repeat(sample.patch[..., None], 3, 2), 0, 14, 0, 0, cv2.BORDER_CONSTANT)
        cv2.putText(picture, text, (2, picture.shape[0] - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 255), 1)
        pictures.append(np.asarray(picture, np.uint8))
    return pictures


def scenes(count: int, seed: int, data: Path, limit: int = PHOTOS) -> list[Drawn]:
    """Scenes of the detector's training: photographs of ``data`` with drawn plates. Raises FileNotFoundError."""
    photos = [photo for name in ("openimages_lp", "ro_robertlucian") for photo in load_photos(data / name, limit=limit)]
    bank = plate_bank(seed, 200, 0.15)
    rng = np.random.default_rng(seed)
    out: list[Drawn] = []
    for _ in range(count):
        scene = compose(rng, photos, bank, (288, 384))
        out.append(Drawn(scene.image, tuple(Shown(_corners(plate.corners)) for plate in scene.plates)))
    return out


def _corners(points: NDArray[np.float64]) -> Corners:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return (a, b, c, d)


def street(count: int, seed: int) -> Iterator[Drawn]:
    """Frames of the street, by day, at dusk and by night, with the plates in them."""
    drawn = Street(seed, *STREET, rate=1.0)
    for index in range(0, count * STREET_STEP, STREET_STEP):
        seen = [truth for truth in drawn.vehicles_at(index) if truth.visible > 0]
        plain = [truth.visible > 0.95 and truth.width >= LEAST_WIDTH for truth in seen]
        shown = [
            Shown(one.corners, one.plate if clear else None, one.country)
            for one, clear in zip(seen, plain, strict=True)
        ]
        yield Drawn(drawn.frame(index), tuple(shown))


def write_folder(folder: Path, drawn: Sequence[Drawn]) -> None:
    """The pictures and ``annotations.jsonl``, as ``tools.evaluate`` takes them. Raises OSError, FileExistsError where
    something lies in ``folder`` already."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder}: something is there already; name a new folder")
    lines: list[str] = []
    for number, one in enumerate(drawn):
        name = f"{number:05}.png"
        if not cv2.imwrite(str(folder / name), one.picture):
            raise OSError(f"{folder / name}: cannot be written")
        height, width = one.picture.shape[:2]
        records = [_record(plate) for plate in one.plates]
        lines.append(json.dumps({"image": name, "width": width, "height": height, "plates": records}))
    (folder / "annotations.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _record(plate: Shown) -> dict[str, Any]:
    across, down = [x for x, _ in plate.corners], [y for _, y in plate.corners]
    box = [round(value, 1) for value in (min(across), min(down), max(across), max(down))]
    return {"box": box, "corners": plate.corners, "text": plate.text, "country": plate.country}


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="tools.render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=new_file, required=True, help="the contact sheet to write (.png or .jpg)")
    parser.add_argument("--count", type=from_one, help="pictures (default: 96; scenes and street: 12)")
    parser.add_argument("--seed", type=int, default=1)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--country", action="append", default=[], help="plates of a country or region (repeatable)")
    what.add_argument("--text", help="a plate with this text (A-Z, 0-9), as --layout says")
    what.add_argument("--faces", action="store_true", help="every face with every character")
    what.add_argument("--training", action="store_true", help="samples of the reader's training, with their labels")
    what.add_argument("--scenes", type=existing_folder, metavar="DATA", help="scenes of the detector's training")
    what.add_argument("--street", action="store_true", help="frames of the drawn street")
    parser.add_argument("--layout", default="br-mercosul", help="with --text: key of a format (default: br-mercosul)")
    parser.add_argument("--fonts", type=existing_folder, help="with --training: folder of further fonts")
    parser.add_argument("--real", type=existing_file, help="with --training: file of tools.train.gather")
    parser.add_argument("--folder", type=Path, help="plates, street: also write each picture, with annotations.jsonl")
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """The command. Raises SystemExit with a text for people."""
    parser = arguments()
    given = parser.parse_args(words)
    few = given.count or 12
    drawn: list[Drawn] = []
    if given.folder is not None and (given.faces or given.training or given.scenes):
        parser.error("--folder: only plates and the street can be written as a folder")
    try:
        if given.faces:
            picture = faces()
        elif given.training:
            picture = sheet(training(given.count or 96, given.seed, given.fonts, given.real), 8, (150, 68))
        elif given.scenes is not None:
            picture = sheet([outlined(one) for one in scenes(few, given.seed, given.scenes)], 4, (384, 288))
        elif given.street:
            drawn = list(street(few, given.seed))
            picture = sheet([outlined(one) for one in drawn], 3, (640, 360))
        else:
            if given.text is not None:
                drawn = variants(given.text.upper(), given.layout)
            else:
                drawn = plates(given.count or 96, given.country, given.seed)
            picture = sheet([one.picture for one in drawn], 8, (200, 80))
        if given.folder is not None:
            write_folder(given.folder, drawn)
        written = cv2.imwrite(str(given.out), picture)
    except (UnknownCountry, GlyphError, KeyError, OSError) as error:
        raise SystemExit(str(error.args[0]) if isinstance(error, KeyError) else str(error)) from None
    except cv2.error:
        raise SystemExit(f"{given.out}: no picture can be written with this ending; .png or .jpg can") from None
    if not written:
        raise SystemExit(f"{given.out}: cannot be written")
    print(f"{given.out}: {picture.shape[1]} x {picture.shape[0]}")


if __name__ == "__main__":
    main()

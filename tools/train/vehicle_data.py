"""Crops of vehicles with what is known of their kind, from ``shared/data/train`` and from the rendered street.

Sources, and what a label may hide (see the data's READMEs): ``vehicle_types`` says the class exactly. The boxes of
``openimages_lp`` and ``ro_robertlucian`` come from two detectors that know no van and no pickup: a "truck" may be
either, a "car" now and then. A vehicle with an annotated plate gives a second crop, the region round its plate,
because that is what the product often has. Crops without a vehicle come from the same pictures, away from every box,
sure or not.

A crop is cut with room on each side (``ROOM``), so that training can shift and scale it. Pictures are split by a hash
of their name: ``HELD_OUT`` of them measure and give no gradients (of ro_robertlucian, whose frames follow each other,
whole runs of frames). May import numpy, OpenCV, ``lpr.scene``, ``lpr.vision``.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box
from lpr.scene.street import Street
from lpr.vision.rectify import corners_of_box
from lpr.vision.vehicle_region import box_region, cut, plate_region, vehicle_of
from tools.train.vehicle_net import CLASSES, KIND_SIZE

Image = NDArray[np.uint8]

ROOM: Final = 0.18
"""Room round a crop on each side, as a share of the square's side."""
STORED: Final = 84
"""Sides of a stored crop with its room, pixels."""
HELD_OUT: Final = 0.15
SMALLEST: Final = 36.0
"""Vehicles less wide or high than this, in pixels, are left out."""

PARTLY: Final[dict[str | None, dict[str, float]]] = {
    "car": {"car": 1.0, "van": 0.12, "pickup": 0.12},
    "truck": {"truck": 1.0, "van": 0.6, "pickup": 0.6},
    "bus": {"bus": 1.0, "van": 0.1},
    "motorcycle": {"motorcycle": 1.0},
    None: {"car": 0.5, "truck": 0.5, "van": 1.0, "pickup": 1.0},
}
"""What the photographs' labels may stand for."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph: its file, its vehicles (box, type), places to keep away from, its plates' boxes."""

    path: Path
    vehicles: tuple[tuple[Box, str | None], ...]
    uncertain: tuple[Box, ...]
    plates: tuple[Box, ...]
    held: bool


@dataclass(frozen=True, slots=True)
class Crop:
    """``image``: (STORED, STORED, 3) BGR. ``allowed``: weight of each class. ``label``: its name when it is sure, else
    "". ``source``: a data set's name, "plate" appended for the region round a plate."""

    image: Image
    allowed: tuple[float, ...]
    label: str
    source: str
    held: bool


def held_out(name: str) -> bool:
    """Whether a picture of this name only measures."""
    return hashlib.sha256(name.encode()).digest()[0] < 256 * HELD_OUT


def pictures(folder: Path) -> list[Picture]:
    """The photographs of a folder that has ``vehicles.jsonl``; those without a sure vehicle are left out."""
    plates = {line["image"]: [tuple(p["box"]) for p in line["plates"]] for line in _lines(folder / "annotations.jsonl")}
    found: list[Picture] = []
    for line in _lines(folder / "vehicles.jsonl"):
        name: str = line["image"]
        if not line["vehicles"]:
            continue
        run = Path(name).stem
        group = f"{folder.name}{int(run[3:]) // 45}" if folder.name.startswith("ro_") else name
        found.append(
            Picture(
                folder / name,
                tuple((_box(v["box"]), v["type"]) for v in line["vehicles"]),
                tuple(_box(v["box"]) for v in line["uncertain"]),
                tuple(_box(box) for box in plates.get(name, [])),
                held_out(group),
            )
        )
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _box(sides: Any) -> Box:
    x1, y1, x2, y2 = (float(side) for side in sides)
    return (x1, y1, x2, y2)


def load(path: Path) -> Image:
    """A picture, (H, W, 3) BGR. Raises OSError."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f"{path}: no picture")
    return np.asarray(image, np.uint8)


def stored(image: Image, square: Box) -> Image:
    """The crop of a square with its room."""
    side = (square[2] - square[0]) * ROOM
    roomy = (square[0] - side, square[1] - side, square[2] + side, square[3] + side)
    return cut(image, roomy, STORED)


def exactly(label: str) -> tuple[float, ...]:
    """The weights of a label that is sure."""
    return tuple(float(name == label) for name in CLASSES)


def partly(kind: str | None) -> tuple[float, ...]:
    """The weights of a photograph's label."""
    return tuple(PARTLY[kind].get(name, 0.0) for name in CLASSES)


def photograph_crops(
    folder: Path, rng: np.random.Generator, nothing: int = 2, limit: int | None = None
) -> Iterator[Crop]:
    """Crops of the vehicles of a folder's photographs (of the first ``limit``), of regions round plates, and
    ``nothing`` empty ones each."""
    for picture in pictures(folder)[:limit]:
        image = load(picture.path)
        boxes = [box for box, _ in picture.vehicles]
        for box, kind in picture.vehicles:
            if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST:
                label = kind if kind in ("car", "bus", "motorcycle", "truck") else ""
                yield Crop(stored(image, box_region(box)), partly(kind), label, folder.name, picture.held)
        for plate in picture.plates:
            corners = corners_of_box(plate)
            index = vehicle_of(corners, boxes)
            if index is not None and plate[2] - plate[0] >= 16:
                kind = picture.vehicles[index][1]
                label = kind if kind in ("car", "bus", "motorcycle", "truck") else ""
                region = stored(image, plate_region(corners))
                yield Crop(region, partly(kind), label, f"{folder.name} plate", picture.held)
        for square in _empty(image, [*boxes, *picture.uncertain], picture.plates, rng, nothing):
            yield Crop(stored(image, square), exactly("none"), "none", folder.name, picture.held)


def _empty(
    image: Image, boxes: list[Box], plates: tuple[Box, ...], rng: np.random.Generator, most: int
) -> Iterator[Box]:
    """Squares that touch hardly any vehicle and no plate."""
    height, width = image.shape[:2]
    found = 0
    for _ in range(30):
        low, high = float(np.log(50)), float(np.log(max(60.0, 0.6 * min(width, height))))
        side = float(np.exp(rng.uniform(low, high)))
        x, y = rng.uniform(0, max(1.0, width - side)), rng.uniform(0, max(1.0, height - side))
        square = (x, y, x + side, y + side)
        if any(_share(square, box) > 0.12 or _share(box, square) > 0.3 for box in boxes):
            continue
        if any(_share(square, plate) > 0 for plate in plates):
            continue
        yield square
        found += 1
        if found == most:
            return


def _share(first: Box, second: Box) -> float:
    """The part of ``first`` that lies in ``second``."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, wide) * max(0.0, high) / ((first[2] - first[0]) * (first[3] - first[1]))


def type_crops(folder: Path, limit: int | None = None) -> Iterator[Crop]:
    """The (first ``limit``) crops of ``vehicle_types``; their own frame is the square, what lies outside repeats their
    edge."""
    with (folder / "labels.csv").open(encoding="utf-8") as lines:
        for row in islice(csv.DictReader(lines), limit):
            image = load(folder / row["image"])
            room = round(image.shape[0] * ROOM * 0.5)
            wider = cv2.copyMakeBorder(image, room, room, room, room, cv2.BORDER_REPLICATE)
            small = np.asarray(cv2.resize(wider, (STORED, STORED), interpolation=cv2.INTER_AREA), np.uint8)
            yield Crop(small, exactly(row["class"]), row["class"], "vehicle_types", held_out(row["image"]))


def rendered_crops(count: int, seed: int) -> Iterator[Crop]:
    """About ``count`` crops of the rendered street by day, dusk and night, half of them of regions round plates."""
    made, street_seed = 0, seed
    while made < count:
        street = Street(street_seed, 960, 540, rate=0.5, start=37.0 * street_seed)
        for index in range(24):
            frame = street.frame(index)
            boxes: list[Box] = []
            for truth in street.vehicles_at(index):
                if truth.box is None:
                    continue
                boxes.append(truth.box)
                if min(truth.box[2] - truth.box[0], truth.box[3] - truth.box[1]) < SMALLEST or truth.visible < 0.95:
                    continue
                label = "car" if truth.vehicle == "suv" else truth.vehicle
                by_plate = made % 2 == 0
                square = plate_region(truth.corners) if by_plate else box_region(truth.box)
                made += 1
                yield Crop(stored(frame, square), exactly(label), label, "rendered", street_seed % 7 == 0)
            for square in _empty(frame, boxes, (), np.random.default_rng([street_seed, index]), 1):
                yield Crop(stored(frame, square), exactly("none"), "none", "rendered", street_seed % 7 == 0)
        street_seed += 1


def all_crops(data: Path, rendered: int, seed: int, limit: int | None = None) -> list[Crop]:
    """Every crop there is; with a ``limit`` those of so many pictures of each folder."""
    rng = np.random.default_rng(seed)
    crops = list(type_crops(data / "vehicle_types", limit))
    for name in ("openimages_lp", "ro_robertlucian"):
        crops.extend(photograph_crops(data / name, rng, limit=limit))
    crops.extend(rendered_crops(rendered, seed))
    return crops


def centre(image: Image) -> Image:
    """The square of a stored crop without its room, as the product gives it to the network."""
    inner = KIND_SIZE
    scale = STORED / (1 + 2 * ROOM)
    edge = (STORED - scale) / 2
    return cut(image, (edge, edge, STORED - edge, STORED - edge), inner)

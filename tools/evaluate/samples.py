"""Folders of pictures and what is known of them.

A folder holds ``annotations.jsonl`` (one JSON object a line: "image", "plates": [{"box", "corners", "text"}], pixels
of the stored picture), or else pictures alone. Pictures alone are *unlabelled*, unless a ``labels.csv`` with the column
"class" says "background" of each of them: those hold no plate, and every text read on them is wrong. A file of labels
(``labelled_by``) gives texts to pictures of one plate each that were published without.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from lpr.events import Box, Corners

__all__ = [
    "Folder",
    "FolderError",
    "Photo",
    "Truth",
    "angle_of",
    "height_of",
    "labelled_by",
    "load",
    "thinned",
    "with_labels",
]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

FILLS = 0.9
"""A box that covers this share of its picture is the picture: the picture is a crop."""


class FolderError(Exception):
    """A folder cannot be measured. The text says which and why."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One annotated plate, in pixels of its picture. ``text``: None when nobody could or did read it.
    ``rows``: of characters, None when nobody said."""

    box: Box
    corners: Corners | None
    text: str | None
    country: str | None = None
    is_crop: bool = False
    rows: int | None = None

    @property
    def height(self) -> float:
        """Of the plate in pixels: along its sides where the corners are known, else of the box."""
        return self.box[3] - self.box[1] if self.corners is None else height_of(self.corners)

    @property
    def angle(self) -> float | None:
        """How far the plate's rows lean from the horizontal, degrees (0 to 90); None without corners."""
        return None if self.corners is None else angle_of(self.corners)


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture. ``plates``: None when it is not known what is on it; empty: there is no plate on it."""

    path: Path
    name: str
    plates: tuple[Truth, ...] | None


@dataclass(frozen=True, slots=True)
class Folder:
    """``kind``: "labelled" (annotations), "background" (no plates) or "unlabelled" (nothing known)."""

    name: str
    path: Path
    kind: Literal["labelled", "background", "unlabelled"]
    photos: tuple[Photo, ...]

    @property
    def texts(self) -> int:
        """Plates whose text is known."""
        return sum(plate.text is not None for photo in self.photos for plate in photo.plates or ())

    @property
    def crops(self) -> bool:
        """Whether the pictures are plates already cut out."""
        plates = [plate for photo in self.photos for plate in photo.plates or ()]
        return bool(plates) and sum(plate.is_crop for plate in plates) > len(plates) / 2


def height_of(corners: Corners) -> float:
    """Mean length of the plate's left and right side, pixels."""
    a, b, c, d = corners
    return (math.dist(a, d) + math.dist(b, c)) / 2


def angle_of(corners: Corners) -> float:
    """Mean lean of the upper and lower edge from the horizontal, degrees, 0 to 90."""
    a, b, c, d = corners
    lean = math.degrees(math.atan2(b[1] - a[1] + c[1] - d[1], b[0] - a[0] + c[0] - d[0]))
    return min(abs(lean), abs(180 - abs(lean)))


def load(path: Path) -> Folder:
    """What lies in the folder ``path``. Raises FolderError (nothing there, a line that is no annotation)."""
    annotations = path / "annotations.jsonl"
    if annotations.is_file():
        return Folder(path.name, path, "labelled", tuple(_annotated(path, annotations)))
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise FolderError(f"{path}: neither annotations.jsonl nor pictures here; name a folder that has one of them")
    empty = _says_background(path / "labels.csv")
    photos = tuple(Photo(file, str(file.relative_to(path)), () if empty else None) for file in files)
    return Folder(path.name, path, "background" if empty else "unlabelled", photos)


def thinned(folder: Folder, most: int) -> Folder:
    """``folder`` with at most ``most`` pictures, evenly picked (0: all)."""
    count = len(folder.photos)
    if not most or count <= most:
        return folder
    picked = tuple(folder.photos[round(i * (count - 1) / max(most - 1, 1))] for i in range(most))
    return Folder(folder.name, folder.path, folder.kind, picked)


def labelled_by(folder: Folder, labels: Path) -> Folder:
    """The pictures of ``folder`` that the file ``labels`` names, with the texts it gives.

    A JSON object a line: "image" (path in the folder), "text", and if known "rows" and "country". Raises FolderError:
    the file cannot be read, a line is no label, a picture is not in the folder or has not one plate.
    """
    photos = {photo.name: photo for photo in folder.photos}
    kept: list[Photo] = []
    try:
        lines = labels.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise FolderError(f"{labels}: the labels cannot be read ({error.strerror or error})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{labels}, line {number}"
        try:
            record = cast("dict[str, Any]", json.loads(line))
            name, text = str(record["image"]), str(record["text"])
            rows, country = record.get("rows"), record.get("country")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FolderError(f"{where}: no label of a picture: {error!r}") from error
        photo = photos.get(name)
        if photo is None:
            raise FolderError(f"{where}: {name} is no picture of {folder.path}; are these the labels of that folder?")
        plates = photo.plates or ()
        if len(plates) != 1:
            raise FolderError(f"{where}: {name} has {len(plates)} plates; labels are for pictures of one plate")
        known = replace(
            plates[0],
            text=text,
            rows=None if rows is None else int(rows),
            country=plates[0].country if country is None else str(country),
        )
        kept.append(Photo(photo.path, photo.name, (known,)))
    return Folder(folder.name, folder.path, "labelled", tuple(kept))


def with_labels(folders: Sequence[Folder], labels: Path | None) -> list[Folder]:
    """``folders``, that one of them that has no texts ``labelled_by`` the file ``labels`` (None: all as they are).

    Raises FolderError, also when not exactly one folder has none.
    """
    if labels is None:
        return list(folders)
    without = [folder for folder in folders if folder.kind == "labelled" and not folder.texts]
    if len(without) != 1:
        raise FolderError(f"{labels}: labels are for one folder without texts; {len(without)} of those given are such")
    return [labelled_by(folder, labels) if folder is without[0] else folder for folder in folders]


def _annotated(path: Path, annotations: Path) -> list[Photo]:
    photos: list[Photo] = []
    for number, line in enumerate(annotations.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = cast("dict[str, Any]", json.loads(line))
            plates = tuple(_truth(plate, record) for plate in record["plates"])
            photos.append(Photo(path / record["image"], str(record["image"]), plates))
        except (ValueError, KeyError, TypeError) as error:
            raise FolderError(f"{annotations}, line {number}: no annotation of a picture: {error!r}") from error
    return photos


def _truth(plate: dict[str, Any], record: dict[str, Any]) -> Truth:
    x1, y1, x2, y2 = (float(value) for value in plate["box"])
    area = float(record.get("width") or 0) * float(record.get("height") or 0)
    return Truth(
        box=(x1, y1, x2, y2),
        corners=_corners(plate["corners"]) if plate.get("corners") else None,
        text=str(plate["text"]) if plate.get("text") else None,
        country=str(plate["country"]) if plate.get("country") else None,
        is_crop=area > 0 and (x2 - x1) * (y2 - y1) >= FILLS * area,
    )


def _corners(points: Sequence[Sequence[float]]) -> Corners:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return (a, b, c, d)


def _says_background(labels: Path) -> bool:
    if not labels.is_file():
        return False
    with labels.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return bool(rows) and all(row.get("class") == "background" for row in rows)

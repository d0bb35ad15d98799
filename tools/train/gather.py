"""Real plate crops and surroundings for the reader, gathered into one file that can travel to a training machine.

``python -m tools.train.gather --data …/train --out real.npz`` takes plates of ``openimages_lp`` (CC BY 4.0) and
``ro_robertlucian`` (MIT) and pieces of the same photographs in which no plate is annotated. A plate's text is what was
read off by eye (``tools/train/labels``), else what the set says; its corners are those that the shipped detector gives.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.plates.boxes import overlap
from lpr.vision.detect import PlateDetector
from lpr.vision.rectify import corners_of_box
from tools.train.plates_data import SLOTS, RealCrop

__all__ = ["LABELS", "Label", "gather", "load", "read_labels", "save", "seen_corners"]

LABELS: Final = Path(__file__).parent / "labels"
"""Texts read off by eye, a file a set."""

Gray = NDArray[np.uint8]
Box = tuple[float, float, float, float]
Aimer = Callable[[NDArray[np.uint8], Sequence[Box]], Sequence[Corners | None]]
"""(picture (H, W, 3) BGR, annotated boxes) to the corners of the plate in each, None where they are not known."""

_SETS: Final = ("openimages_lp", "ro_robertlucian")
_MARGIN = (0.12, 0.20)
_PIECE = (96, 192)
_WIDEST: Final = 320
_SAME: Final = 0.5
"""Overlap (IoU) from which a detected plate is the annotated one."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a plate says. ``text``: "" where it is not to be learned from; ``rows``: 1 or 2, None where not known."""

    text: str
    rows: int | None = None


def _lines(path: Path) -> list[dict[str, Any]]:
    return [cast("dict[str, Any]", json.loads(line)) for line in path.read_text().splitlines() if line.strip()]


def _gray(path: Path) -> Gray | None:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return None if image is None else np.asarray(image, np.uint8)


def read_labels(path: Path) -> dict[tuple[str, int], Label]:
    """(picture, number of its plate) to label, of a file of ``LABELS``; a missing file has none."""
    if not path.exists():
        return {}
    return {(row["image"], row["plate"]): Label(row["text"], row.get("rows")) for row in _lines(path)}


def seen_corners() -> Aimer:
    """The shipped detector, looking at the usual size, as an ``Aimer``."""
    detector = PlateDetector()

    def aim(image: NDArray[np.uint8], boxes: Sequence[Box]) -> list[Corners | None]:
        found = detector.detect(image)
        best = [max(found, key=lambda one: overlap(one.box, box), default=None) for box in boxes]
        return [
            None if one is None or overlap(one.box, box) < _SAME else one.corners
            for one, box in zip(best, boxes, strict=True)
        ]

    return aim


def gather(
    train: Path, pieces: int, seed: int, labels: Mapping[str, Mapping[tuple[str, int], Label]], aim: Aimer
) -> tuple[Gray, tuple[RealCrop, ...]]:
    """(backgrounds (N, 96, 192), crops) of the two sets under ``train``.

    ``labels``: of a set, by its name; they count more than the set's own texts. Raises FileNotFoundError.
    """
    rng = np.random.default_rng(seed)
    crops: list[RealCrop] = []
    backgrounds: list[Gray] = []
    for name in _SETS:
        root = train / name
        records = _lines(root / "annotations.jsonl")
        for record in records:
            crops += _crops(root, record, labels.get(name, {}), aim)
        for index in rng.permutation(len(records))[: pieces // 2]:
            piece = _piece(rng, root, records[int(index)])
            if piece is not None:
                backgrounds.append(piece)
    return np.stack(backgrounds), tuple(crops)


def _crops(root: Path, record: dict[str, Any], labels: Mapping[tuple[str, int], Label], aim: Aimer) -> list[RealCrop]:
    """The plates of one photograph that have a text."""
    said = [
        labels.get((record["image"], number), Label(plate["text"] or ""))
        for number, plate in enumerate(record["plates"])
    ]
    if not any(0 < len(label.text) <= SLOTS for label in said):
        return []
    picture = cv2.imread(str(root / record["image"]))
    if picture is None:
        return []
    image = np.asarray(picture, np.uint8)
    boxes: list[Box] = [cast("Box", tuple(float(v) for v in plate["box"])) for plate in record["plates"]]
    out: list[RealCrop] = []
    for plate, label, box, corners in zip(record["plates"], said, boxes, aim(image, boxes), strict=True):
        if not 0 < len(label.text) <= SLOTS:
            continue
        x1, y1, x2, y2 = box
        if "crop" in plate:
            crop = _gray(root / plate["crop"]["image"])
            ox, oy = plate["crop"]["origin"]
        else:
            mx, my = (x2 - x1) * _MARGIN[0], (y2 - y1) * _MARGIN[1]
            ox, oy = max(0, int(x1 - mx)), max(0, int(y1 - my))
            part = np.ascontiguousarray(image[oy : int(y2 + my), ox : int(x2 + mx)])
            crop = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8) if part.size else None
        if crop is None or crop.size == 0:
            continue
        scale = min(1.0, _WIDEST / crop.shape[1])
        if scale < 1:
            crop = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        quads = [_moved(quad, ox, oy, scale) for quad in (corners_of_box(box), corners) if quad is not None]
        out.append(RealCrop(crop, quads[0], quads[-1], label.text, label.rows))
    return out


def _moved(quad: Corners, left: float, top: float, scale: float) -> NDArray[np.float32]:
    return np.asarray((np.array(quad) - (left, top)) * scale, np.float32)


def _piece(rng: np.random.Generator, root: Path, record: dict[str, Any]) -> Gray | None:
    """A piece of a photograph that touches no annotated plate."""
    image = _gray(root / record["image"])
    if image is None:
        return None
    height, width = image.shape
    for _ in range(20):
        w = int(rng.uniform(0.12, 0.5) * width)
        h = w // 2
        x, y = int(rng.integers(0, max(1, width - w))), int(rng.integers(0, max(1, height - h)))
        touches = any(
            x < p["box"][2] and x + w > p["box"][0] and y < p["box"][3] and y + h > p["box"][1]
            for p in record["plates"]
        )
        if not touches:
            part = image[y : y + h, x : x + w]
            return np.asarray(cv2.resize(part, _PIECE[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    return None


def save(path: Path, backgrounds: Gray, crops: tuple[RealCrop, ...]) -> None:
    """Write both to one compressed .npz."""
    np.savez_compressed(
        path,
        backgrounds=backgrounds,
        pixels=np.concatenate([crop.image.ravel() for crop in crops]),
        shapes=np.array([crop.image.shape for crop in crops], np.int32),
        boxes=np.array([crop.box for crop in crops], np.float32),
        corners=np.array([crop.corners for crop in crops], np.float32),
        texts=np.array([crop.text for crop in crops]),
        rows=np.array([crop.rows or 0 for crop in crops], np.int8),
    )


def load(path: Path) -> tuple[Gray, tuple[RealCrop, ...]]:
    """What ``save`` wrote: (backgrounds, crops)."""
    with np.load(path) as data:
        shapes, pixels, boxes, corners = data["shapes"], data["pixels"], data["boxes"], data["corners"]
        texts, rows = data["texts"], data["rows"]
        ends = np.cumsum(shapes[:, 0] * shapes[:, 1])
        crops: list[RealCrop] = []
        for i, end in enumerate(ends):
            h, w = int(shapes[i, 0]), int(shapes[i, 1])
            image = pixels[end - h * w : end].reshape(h, w)
            crops.append(RealCrop(image, boxes[i], corners[i], str(texts[i]), int(rows[i]) or None))
        return np.asarray(data["backgrounds"], np.uint8), tuple(crops)


def main() -> None:
    parser = argparse.ArgumentParser(description="Gather real crops and surroundings for training the reader.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds openimages_lp, ro_robertlucian")
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--labels", type=Path, default=LABELS, help="folder of texts read off by eye")
    parser.add_argument("--pieces", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    labels = {name: read_labels(given.labels / f"{name}.jsonl") for name in _SETS}
    backgrounds, crops = gather(given.data, given.pieces, given.seed, labels, seen_corners())
    save(given.out, backgrounds, crops)
    print(f"{len(crops)} crops, {len(backgrounds)} surroundings, {given.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

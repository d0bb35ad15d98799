"""Real plate crops and surroundings for the reader, gathered into one file that can travel to a training machine.

``python -m tools.train.gather --data …/train --out real.npz`` takes the crops with text of ``openimages_lp`` (CC BY
4.0) and ``ro_robertlucian`` (MIT) and pieces of the same photographs in which no plate is annotated. With ``--sure
0.85`` also the plates without text that the shipped reader reads that surely in six looks: they come back harder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.vision.looks import ALL_LOOKS, CarefulReader
from lpr.vision.ocr import PlateReader
from tools.train.plates_data import SLOTS, RealCrop

__all__ = ["gather", "load", "save", "sure_reader"]

Gray = NDArray[np.uint8]
Box = tuple[float, float, float, float]
Labeller = Callable[[NDArray[np.uint8], Box], str]
"""(picture (H, W, 3) BGR, box) to the plate's text, "" where it cannot tell."""

_MARGIN = (0.12, 0.20)
_PIECE = (96, 192)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [cast("dict[str, Any]", json.loads(line)) for line in path.read_text().splitlines() if line.strip()]


def _gray(path: Path) -> Gray | None:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return None if image is None else np.asarray(image, np.uint8)


def sure_reader(sure: float, least: tuple[int, int] = (30, 12), characters: int = 4) -> Labeller:
    """The shipped reader as a labeller: texts of a confidence over ``sure`` and so many characters, of plates of at
    least ``least`` pixels (width, height)."""
    reader = CarefulReader(PlateReader(None, 1), ALL_LOOKS, 2.0)

    def label(image: NDArray[np.uint8], box: Box) -> str:
        x1, y1, x2, y2 = box
        if x2 - x1 < least[0] or y2 - y1 < least[1]:
            return ""
        corners: Corners = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
        read = reader.read(image, [corners])[0]
        return read.text if read.confidence > sure and len(read.text) >= characters else ""

    return label


def gather(train: Path, pieces: int, seed: int, label: Labeller | None = None) -> tuple[Gray, tuple[RealCrop, ...]]:
    """(backgrounds (N, 96, 192), crops) of the two sets under ``train``. ``label``: of the plates that have no text.

    Raises FileNotFoundError.
    """
    rng = np.random.default_rng(seed)
    crops: list[RealCrop] = []
    backgrounds: list[Gray] = []
    for name in ("openimages_lp", "ro_robertlucian"):
        root = train / name
        records = _lines(root / "annotations.jsonl")
        for record in records:
            image: Gray | None = None
            for plate in record["plates"]:
                text = plate["text"]
                x1, y1, x2, y2 = (float(v) for v in plate["box"])
                if not text and label is not None:
                    colour = cv2.imread(str(root / record["image"]))
                    text = "" if colour is None else label(np.asarray(colour, np.uint8), (x1, y1, x2, y2))
                if not text or len(text) > SLOTS:
                    continue
                if "crop" in plate:
                    crop = _gray(root / plate["crop"]["image"])
                    ox, oy = plate["crop"]["origin"]
                else:
                    image = image if image is not None else _gray(root / record["image"])
                    if image is None:
                        continue
                    mx, my = (x2 - x1) * _MARGIN[0], (y2 - y1) * _MARGIN[1]
                    ox, oy = max(0, int(x1 - mx)), max(0, int(y1 - my))
                    crop = image[oy : int(y2 + my), ox : int(x2 + mx)].copy()
                if crop is None or crop.size == 0:
                    continue
                scale = min(1.0, 320 / crop.shape[1])
                if scale < 1:
                    crop = np.asarray(
                        cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
                    )
                box = ((x1 - ox) * scale, (y1 - oy) * scale, (x2 - ox) * scale, (y2 - oy) * scale)
                crops.append(RealCrop(crop, box, text))
        for index in rng.permutation(len(records))[: pieces // 2]:
            piece = _piece(rng, root, records[int(index)])
            if piece is not None:
                backgrounds.append(piece)
    return np.stack(backgrounds), tuple(crops)


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
        texts=np.array([crop.text for crop in crops]),
    )


def load(path: Path) -> tuple[Gray, tuple[RealCrop, ...]]:
    """What ``save`` wrote: (backgrounds, crops)."""
    with np.load(path) as data:
        shapes, pixels, boxes, texts = data["shapes"], data["pixels"], data["boxes"], data["texts"]
        ends = np.cumsum(shapes[:, 0] * shapes[:, 1])
        crops: list[RealCrop] = []
        for i, end in enumerate(ends):
            h, w = int(shapes[i, 0]), int(shapes[i, 1])
            x1, y1, x2, y2 = (float(v) for v in boxes[i])
            crops.append(RealCrop(pixels[end - h * w : end].reshape(h, w), (x1, y1, x2, y2), str(texts[i])))
        return np.asarray(data["backgrounds"], np.uint8), tuple(crops)


def main() -> None:
    parser = argparse.ArgumentParser(description="Gather real crops and surroundings for training the reader.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds openimages_lp, ro_robertlucian")
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--pieces", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sure", type=float, default=0.0, help="let the shipped reader label the rest; 0: do not")
    given = parser.parse_args()
    label = sure_reader(given.sure) if given.sure else None
    backgrounds, crops = gather(given.data, given.pieces, given.seed, label)
    save(given.out, backgrounds, crops)
    print(f"{len(crops)} crops, {len(backgrounds)} surroundings, {given.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

"""Measure the reader on any folder with ``annotations.jsonl``: ``python -m tools.evaluate FOLDER… [--json FILE]``.

A plate is read in its annotated corners, else in its annotated box, so this measures reading alone. Reported for each
folder: plates, wholly right texts (as labelled, and with O = 0 and I = 1), characters, the calibration's error, the
share right above a reliability, confusions, by height of the plate, and the CPU time a plate.
``--calibrate`` also reports the temperature (times the manifest's) that makes the characters likeliest.
``--mode crop`` says that the boxes are whole crops: no margin is added.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.plates.decode import ALPHABET
from lpr.plates.formats import formats_for
from lpr.vision.ocr import PlateReader, PlateText, SlotProbabilities
from lpr.vision.rectify import corners_of_box, rectify

SLOTS = 10
"""Slots of the readers with fixed slots."""

__all__ = ["Labelled", "calibration_error", "fit_temperature", "folded", "labelled", "main", "measure"]

_FOLD = str.maketrans({"O": "0", "I": "1"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """One plate with its truth, already cut out: ``patch`` of the reader's size, ``height`` of the plate in pixels."""

    name: str
    text: str
    patch: NDArray[np.uint8]
    height: float


def folded(text: str) -> str:
    """O as 0 and I as 1."""
    return text.translate(_FOLD)


def labelled(folder: Path, size: tuple[int, int], margin: tuple[float, float], crop: bool) -> list[Labelled]:
    """The plates with text of a folder. ``crop``: the boxes are whole pictures, cut without a margin."""
    out: list[Labelled] = []
    for line in (folder / "annotations.jsonl").read_text().splitlines():
        record = cast("dict[str, Any]", json.loads(line))
        plates = [plate for plate in record["plates"] if plate["text"]]
        if not plates:
            continue
        image = cv2.imread(str(folder / record["image"]), cv2.IMREAD_COLOR)
        if image is None:
            raise SystemExit(f"{folder / record['image']}: the picture cannot be read")
        for plate in plates:
            x1, y1, x2, y2 = (float(v) for v in plate["box"])
            corners = _corners(plate["corners"]) if plate["corners"] else corners_of_box((x1, y1, x2, y2))
            whole = crop and not plate["corners"]
            patch = rectify(np.asarray(image, np.uint8), corners, size, (0.0, 0.0) if whole else margin)
            out.append(Labelled(record["image"], str(plate["text"]), patch, y2 - y1))
    return out


def _corners(points: Sequence[Sequence[float]]) -> Corners:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return (a, b, c, d)


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error with bins of equal width, 0 to 1."""
    sure, hit = np.array(confidences), np.array(right, np.float64)
    if not len(sure):
        return 0.0
    index = np.minimum((sure * bins).astype(int), bins - 1)
    return float(sum(abs(hit[index == b].mean() - sure[index == b].mean()) * (index == b).mean()
                     for b in range(bins) if (index == b).any()))  # fmt: skip


def fit_temperature(slots: Sequence[SlotProbabilities], texts: Sequence[str]) -> float:
    """The temperature under which the true texts (in slot order, blanks after them) are likeliest, from 0.3 to 5."""
    columns = ALPHABET + "_"
    rows: list[NDArray[np.float32]] = []
    truth: list[int] = []
    for own, text in zip(slots, texts, strict=True):
        if len(text) != len(own.characters) and len(own.characters) != SLOTS:
            continue  # CTC: only plates with as many characters as there should be can be compared
        for place, char in enumerate(text.ljust(len(own.characters), "_")):
            rows.append(own.characters[place])
            truth.append(columns.index(char))
    if not rows:
        return 1.0
    logs = np.log(np.maximum(np.stack(rows), 1e-9))
    at = np.array(truth)
    best, least = 1.0, math.inf
    for temperature in np.geomspace(0.3, 5, 57):
        scaled = logs / temperature
        scaled = scaled - scaled.max(1, keepdims=True)
        norm = np.log(np.exp(scaled).sum(1))
        loss = float((norm - scaled[np.arange(len(at)), at]).mean())
        if loss < least:
            best, least = float(temperature), loss
    return round(best, 3)


def measure(
    reader: PlateReader, plates: Sequence[Labelled], countries: Sequence[str], calibrate: bool = False
) -> dict[str, Any]:
    """The figures of one folder as plain data."""
    formats = formats_for(countries)
    started = time.process_time()
    slots: list[SlotProbabilities] = []
    for plate in plates:
        slots.extend(reader.probabilities([plate.patch]))
    spent = time.process_time() - started
    found = [reader.decode(probabilities, None, formats) for probabilities in slots]
    figures = _figures(plates, found, spent)
    if calibrate:
        figures["temperature"] = fit_temperature(slots, [plate.text for plate in plates])
    return figures


def _figures(plates: Sequence[Labelled], found: Sequence[PlateText], spent: float) -> dict[str, Any]:
    exact = [read.text == plate.text for plate, read in zip(plates, found, strict=True)]
    fold = [folded(read.text) == folded(plate.text) for plate, read in zip(plates, found, strict=True)]
    sure = [read.confidence for read in found]
    confusions: Counter[str] = Counter()
    chars = hits = 0
    char_sure: list[float] = []
    char_right: list[bool] = []
    for plate, read in zip(plates, found, strict=True):
        chars += len(plate.text)
        if len(read.text) != len(plate.text):
            confusions["length"] += 1
            continue
        for truth, char in zip(plate.text, read.characters, strict=True):
            same = folded(truth) == folded(char.char)
            hits += same
            char_sure.append(char.confidence)
            char_right.append(same)
            if not same:
                confusions[f"{truth}>{char.char}"] += 1
    heights = ((0, 20), (20, 30), (30, 45), (45, 10_000))
    by_height: dict[str, list[int]] = {}
    for low, high in heights:
        own = [ok for ok, plate in zip(fold, plates, strict=True) if low <= plate.height < high]
        if own:
            by_height[f"{low}-{high if high < 10_000 else ''}"] = [sum(own), len(own)]
    above: dict[str, list[float]] = {}
    for limit in (0.5, 0.7, 0.9):
        kept = [ok for ok, value in zip(fold, sure, strict=True) if value >= limit]
        above[str(limit)] = [round(sum(kept) / max(1, len(kept)), 4), round(len(kept) / max(1, len(fold)), 4)]
    return {
        "plates": len(plates),
        "exact": round(sum(exact) / max(1, len(exact)), 4),
        "folded": round(sum(fold) / max(1, len(fold)), 4),
        "characters": round(hits / max(1, chars), 4),
        "calibration_error_plates": round(calibration_error(sure, fold), 4),
        "calibration_error_characters": round(calibration_error(char_sure, char_right), 4),
        "precision_and_coverage_above": above,
        "by_height": by_height,
        "confusions": dict(confusions.most_common(12)),
        "cpu_ms_a_plate": round(spent / max(1, len(plates)) * 1000, 3),
        "wrong": [
            [plate.name, plate.text, read.text, read.confidence]
            for ok, plate, read in zip(fold, plates, found, strict=True)
            if not ok
        ][:40],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the reader on annotated plates.")
    parser.add_argument("folders", type=Path, nargs="+", help="folders with annotations.jsonl")
    parser.add_argument("--model", type=Path, help="manifest of another reader")
    parser.add_argument("--country", action="append", default=[], help="configured country or region (repeatable)")
    parser.add_argument("--mode", choices=("auto", "crop", "box"), default="auto")
    parser.add_argument("--json", type=Path, help="write the whole report here")
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--limit", type=int, default=0, help="at most so many plates of a folder, evenly picked")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    reader = PlateReader(given.model)
    size = (reader.manifest.input.width, reader.manifest.input.height)
    report: dict[str, Any] = {"model": reader.name, "sha256": reader.manifest.sha256, "countries": given.country}
    for folder in cast("list[Path]", given.folders):
        crop = given.mode == "crop" or (given.mode == "auto" and "crops" in folder.name)
        plates = labelled(folder, size, reader.manifest.margin, crop)
        if given.limit and len(plates) > given.limit:
            plates = [plates[int(i)] for i in np.linspace(0, len(plates) - 1, given.limit)]
        report[folder.name] = measure(reader, plates, given.country, given.calibrate)
        short = {key: value for key, value in report[folder.name].items() if key != "wrong"}
        print(json.dumps({folder.name: short}), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

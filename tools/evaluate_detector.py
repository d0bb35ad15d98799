"""Measure the plate detector: ``python -m tools.evaluate_detector FOLDER… [--backgrounds FOLDER] [--read]``.

Each folder holds pictures and an ``annotations.jsonl`` (one JSON object a line: "image", "plates": [{"box", "corners",
"text"}]). Reports recall at IoU 0.5 and 0.7, the error of the corners in fractions of the plate's height, detections
that match no annotated plate, CPU milliseconds of one thread, and with ``--read`` how many plates the engine reads
exactly.
One JSON object on standard output; ``--show FOLDER`` writes the pictures with missed plates, detections drawn.

May import: numpy, OpenCV, ``lpr.vision``, ``tools.evaluate``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.plates.boxes import overlap
from lpr.vision.detect import Detection, PlateDetector
from lpr.vision.engine import Limits, OnnxEngine, decode_image
from lpr.vision.looks import CarefulReader
from lpr.vision.manifest import ModelError
from lpr.vision.ocr import PlateReader
from lpr.vision.pictures import ImageError
from tools.evaluate.samples import FolderError, load
from tools.options import existing_file, existing_folder


def corner_error(found: Sequence[Sequence[float]], truth: Sequence[Sequence[float]]) -> float:
    """Mean distance of four corners from the true ones, in fractions of the true plate's height."""
    a, b = np.array(found), np.array(truth)
    height = (np.linalg.norm(b[3] - b[0]) + np.linalg.norm(b[2] - b[1])) / 2
    return float(np.linalg.norm(a - b, axis=1).mean() / max(float(height), 1.0))


def draw(image: NDArray[np.uint8], found: Sequence[Detection], truth: Sequence[dict[str, Any]]) -> NDArray[np.uint8]:
    """A copy of ``image`` with detections (green) and annotated boxes (red)."""
    out = image.copy()
    for plate in truth:
        x1, y1, x2, y2 = (round(v) for v in plate["box"])
        cv2.rectangle(out, (x1, y1), (x2, y2), (0, 0, 255), 1)
    for one in found:
        cv2.polylines(out, [np.round(np.array(one.corners)).astype(np.int32)], True, (0, 255, 0), 1, cv2.LINE_AA)
        place = (round(one.box[0]), round(one.box[1]) - 3)
        cv2.putText(out, f"{one.score:.2f}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 255, 0), 1, cv2.LINE_AA)
    return out


def measure(folder: Path, detector: PlateDetector, engine: OnnxEngine | None, show: Path | None) -> dict[str, Any]:
    """The figures of one folder. Raises FolderError, ImageError."""
    if load(folder).kind != "labelled":
        raise FolderError(f"{folder}: no annotations.jsonl there; pictures without a plate go behind --backgrounds")
    counts = dict.fromkeys(("plates", "at_0.5", "at_0.7", "unmatched", "texts", "read"), 0)
    errors: list[float] = []
    times: list[float] = []
    rows = [json.loads(line) for line in (folder / "annotations.jsonl").read_text().splitlines() if line.strip()]
    for row in rows:
        image = decode_image(folder / row["image"])
        began = time.process_time()
        found = detector.detect(image)
        times.append((time.process_time() - began) * 1000)
        missed = False
        matched: set[int] = set()
        for plate in row["plates"]:
            box = tuple(plate["box"])
            best = max(range(len(found)), key=lambda i: overlap(found[i].box, box), default=None)
            shared = overlap(found[best].box, box) if best is not None else 0.0
            counts["plates"] += 1
            counts["at_0.5"] += shared >= 0.5
            counts["at_0.7"] += shared >= 0.7
            missed |= shared < 0.5
            if best is not None and shared > 0.1:
                matched.add(best)
            if best is not None and shared >= 0.5 and plate.get("corners"):
                errors.append(corner_error(found[best].corners, plate["corners"]))
        counts["unmatched"] += len(found) - len(matched)
        if engine is not None:
            read = {reading.text for reading in engine.read(image)}
            texts = [plate["text"] for plate in row["plates"] if plate.get("text")]
            counts["texts"] += len(texts)
            counts["read"] += sum(text in read for text in texts)
        if show is not None and missed:
            show.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(show / f"{folder.name}_{Path(row['image']).stem}.png"), draw(image, found, row["plates"]))
    out: dict[str, Any] = {"folder": folder.name, "pictures": len(rows), **counts}
    out["recall_0.5"] = round(counts["at_0.5"] / max(counts["plates"], 1), 4)
    out["recall_0.7"] = round(counts["at_0.7"] / max(counts["plates"], 1), 4)
    out["cpu_ms_median"] = round(float(np.median(times)), 2) if times else None
    if errors:
        out["corner_error_median"] = round(float(np.median(errors)), 4)
        out["corner_error_worst"] = round(max(errors), 4)
    return out


def measure_backgrounds(folder: Path, detector: PlateDetector, show: Path | None) -> dict[str, Any]:
    """Detections on pictures that hold no plate. Raises FolderError, ImageError."""
    files = [photo.path for photo in load(folder).photos]
    found = 0
    for path in files:
        image = decode_image(path)
        here = detector.detect(image)
        found += bool(here)
        if show is not None and here:
            show.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(show / f"background_{path.stem}.png"), draw(image, here, []))
    return {"folder": folder.name, "pictures": len(files), "with_detections": found}


def speed(detector: PlateDetector, rounds: int = 60) -> dict[str, Any]:
    """CPU milliseconds of one 1280x720 picture, detection alone."""
    image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    times: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        detector.detect(image)
        times.append((time.process_time() - began) * 1000)
    return {"cpu_ms_1280x720_median": round(float(np.median(times)), 2), "cpu_ms_1280x720_least": round(min(times), 2)}


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.evaluate_detector", description="Measure the plate detector.")
    parser.add_argument("folders", type=existing_folder, nargs="*", help="folders with annotations.jsonl")
    parser.add_argument("--backgrounds", type=existing_folder, default=None, help="folder of pictures without a plate")
    parser.add_argument("--manifest", type=existing_file, default=None, help="another detector")
    parser.add_argument("--size", type=int, default=None, help="longest side of the detector's input")
    parser.add_argument("--min-score", type=float, default=None)
    parser.add_argument("--read", action="store_true", help="read the plates too")
    parser.add_argument("--reader", type=existing_file, default=None, help="manifest of another reader")
    parser.add_argument("--show", type=Path, default=None, help="folder for pictures of the misses")
    args = parser.parse_args(words)
    if not args.folders and args.backgrounds is None:
        parser.error("name at least one folder, or --backgrounds")
    cv2.setNumThreads(1)
    try:
        report = _report(args)
    except (FolderError, ImageError, ModelError) as error:
        raise SystemExit(str(error)) from None
    print(json.dumps(report, indent=1))


def _report(args: argparse.Namespace) -> dict[str, Any]:
    """All figures. Raises FolderError, ImageError, ModelError."""
    detector = PlateDetector(args.manifest, size=args.size, min_score=args.min_score)
    engine = None
    if args.read:
        engine = OnnxEngine(detector, CarefulReader(PlateReader(args.reader), ()), limits=Limits(min_width=8))
    report: dict[str, Any] = {"detector": detector.name, "size": detector.size, "min_score": detector.min_score}
    report["sets"] = [measure(folder, detector, engine, args.show) for folder in args.folders]
    if args.backgrounds is not None:
        report["backgrounds"] = measure_backgrounds(args.backgrounds, detector, args.show)
    report["speed"] = speed(detector)
    return report


if __name__ == "__main__":
    main()

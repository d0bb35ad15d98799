"""Measuring one folder at each of the two levels, with the CPU time that it took.

CPU seconds are those of this process (``time.process_time``); with one thread an engine and OpenCV kept to one thread
they are seconds of one core. Of a whole picture they run from the file's bytes to the readings.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.config import Engine as EngineConfig
from lpr.events import Corners, Reading
from lpr.library import ImageError, Reader
from lpr.plates.boxes import overlap
from lpr.plates.grammar import grammar_for
from lpr.vision.engine import open_engine
from lpr.vision.ocr import PlateReader, SlotProbabilities
from lpr.vision.pictures import decode_image
from lpr.vision.rectify import RectifyError, corners_of_box, rectify
from lpr.vision.scales import Finder
from tools.evaluate.samples import Folder, Photo, Truth, angle_of, height_of
from tools.evaluate.scores import Outcome, figures, fit_temperature

__all__ = [
    "FalseRead",
    "Measured",
    "one_thread",
    "open_finder",
    "open_reader",
    "peak_memory",
    "progress",
    "reader_level",
    "whole_level",
]

T = TypeVar("T")

TOUCHES = 0.1
"""Overlap (IoU) from which a reading belongs to an annotated plate."""


@dataclass(frozen=True, slots=True)
class FalseRead:
    """A text where no plate is annotated. ``certain``: the picture is known to hold no plate there."""

    picture: str
    reading: Reading
    certain: bool


@dataclass(slots=True)
class Measured:
    """One folder at one level. ``figures``: plain data for JSON; the rest is for the report with pictures."""

    folder: Folder
    level: str
    figures: dict[str, Any]
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    false_reads: list[FalseRead] = field(default_factory=list[FalseRead])


def one_thread() -> None:
    """Keep OpenCV to one thread in this process."""
    cv2.setNumThreads(1)


def peak_memory() -> float:
    """The most memory that this process has had so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def progress(items: Sequence[T], title: str, show: bool | None = None) -> Iterator[T]:
    """``items``, with a line of progress on the terminal (None: when standard error is one)."""
    shown = sys.stderr.isatty() if show is None else show
    began = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if shown and (done == len(items) or done % 10 == 0):
            left = (time.monotonic() - began) / done * (len(items) - done)
            end = "\n" if done == len(items) else ""
            print(f"\r{title}: {done} of {len(items)}, {left:.0f} s left   ", end=end, file=sys.stderr, flush=True)


# --- the reader alone --------------------------------------------------------------------------------------


def reader_level(
    folder: Folder,
    reader: PlateReader,
    countries: Sequence[str],
    *,
    crop: bool | None = None,
    calibrate: bool = False,
    show: bool | None = None,
) -> Measured:
    """Read every plate with a known text where it is annotated.

    ``crop``: boxes are whole pictures and are cut without a margin (None: where the box covers its picture).
    ``calibrate``: also report the temperature (times the manifest's) under which the true texts are likeliest.
    Raises ImageError, ModelError.
    """
    grammar = grammar_for(countries)
    size, margin = (reader.manifest.input.width, reader.manifest.input.height), reader.manifest.margin
    slots: list[SlotProbabilities] = []
    outcomes: list[Outcome] = []
    spent: list[float] = []
    for photo in progress(_with_text(folder), f"{folder.name} (reader)", show):
        image = decode_image(photo.path)
        for plate in photo.plates or ():
            if plate.text is None:
                continue
            whole = plate.corners is None and (plate.is_crop if crop is None else crop)
            began = time.process_time()
            patch = _patch(image, plate, size, (0.0, 0.0) if whole else margin)
            text = None
            if patch is not None:
                (seen,) = reader.probabilities([patch])
                text = reader.decode(seen, patch, grammar)
                slots.append(seen)
            spent.append(time.process_time() - began)
            outcomes.append(
                Outcome(
                    picture=photo.name,
                    truth=plate.text,
                    read=text.text if text else "",
                    found=patch is not None,
                    confidence=text.confidence if text else 0.0,
                    characters=text.characters if text else (),
                    height=plate.height,
                    angle=plate.angle,
                    box=plate.box,
                    corners=plate.corners,
                    country=plate.country,
                    rows=plate.rows,
                )
            )
    result: dict[str, Any] = {"level": "reader", **figures(outcomes), **_time(spent, "cpu_ms_a_plate", 1000.0)}
    if calibrate and len(slots) == len(outcomes):
        result["temperature"] = fit_temperature(slots, [one.truth for one in outcomes])
    result["wrong"] = _wrong(outcomes)
    return Measured(folder, "reader", result, outcomes)


def _patch(
    image: NDArray[np.uint8], plate: Truth, size: tuple[int, int], margin: tuple[float, float]
) -> NDArray[np.uint8] | None:
    try:
        return rectify(image, plate.corners or corners_of_box(plate.box), size, margin)
    except RectifyError:
        return None


def _with_text(folder: Folder) -> list[Photo]:
    return [photo for photo in folder.photos if any(plate.text is not None for plate in photo.plates or ())]


# --- whole pictures ----------------------------------------------------------------------------------------


def whole_level(folder: Folder, reader: Reader, show: bool | None = None) -> Measured:
    """Read every picture of ``folder`` as ``lpr.read`` does.

    ``pictures``: ``right`` counts those on which any reading says the text of a plate exactly, of those
    ``with_text``; ``false_reads``: texts on pictures without a plate, ``unmatched``: texts that touch no annotated
    plate, ``reads``: pictures with any text. A picture that cannot be read counts in ``refused``.
    """
    outcomes: list[Outcome] = []
    false: list[FalseRead] = []
    spent: list[float] = []
    counts = dict.fromkeys(("pictures", "with_text", "right", "right_folded", "reads", "refused"), 0)
    for photo in folder.photos[:1]:
        _read(reader, photo)  # the first picture pays for what is loaded late
    for photo in progress(folder.photos, f"{folder.name} (whole)", show):
        counts["pictures"] += 1
        began = time.process_time()
        plates = _read(reader, photo)
        spent.append(time.process_time() - began)
        counts["refused"] += plates is None
        texts = [one for one in plates or () if one.text]
        counts["reads"] += bool(texts)
        own = [_judged(photo, truth, plates or ()) for truth in photo.plates or () if truth.text is not None]
        outcomes += own
        counts["with_text"] += bool(own)
        counts["right"] += any(one.exact for one in own)
        counts["right_folded"] += any(one.same for one in own)
        if photo.plates is None:
            false += [FalseRead(photo.name, one, certain=False) for one in texts]
        else:
            touched = [truth.box for truth in photo.plates]
            false += [
                FalseRead(photo.name, one, certain=not photo.plates)
                for one in texts
                if not any(overlap(one.box, box) >= TOUCHES for box in touched)
            ]
    result: dict[str, Any] = {"level": "whole", "kind": folder.kind, **counts}
    result["false_reads"] = len({one.picture for one in false if one.certain})
    result["unmatched"] = sum(not one.certain for one in false) if folder.kind == "labelled" else 0
    if outcomes:
        result["exact_pictures"] = round(counts["right"] / counts["with_text"], 4)
        result["folded_pictures"] = round(counts["right_folded"] / counts["with_text"], 4)
        result |= figures(outcomes)
    result |= _time(spent, "cpu_s_an_image", 1.0)
    result["wrong"] = _wrong(outcomes)
    result["texts_without_plate"] = [
        [one.picture, one.reading.text, round(one.reading.confidence, 3), round(one.reading.detection, 3)]
        for one in false[:200]
    ]
    return Measured(folder, "whole", result, outcomes, false)


def _read(reader: Reader, photo: Photo) -> tuple[Reading, ...] | None:
    try:
        return reader.read(photo.path)
    except ImageError:
        return None


def _judged(photo: Photo, truth: Truth, plates: Sequence[Reading]) -> Outcome:
    """What became of one annotated plate: the reading that says its text, else the one that lies on it."""
    wanted = truth.text or ""
    at = [one for one in plates if overlap(one.box, truth.box) >= TOUCHES]
    right = [one for one in plates if one.text == wanted]
    best = max(right or at, key=lambda one: overlap(one.box, truth.box), default=None)
    corners: Corners | None = truth.corners or (best.corners if best is not None else None)
    return Outcome(
        picture=photo.name,
        truth=wanted,
        read=best.text if best is not None else "",
        found=best is not None,
        confidence=best.confidence if best is not None else 0.0,
        characters=best.characters if best is not None else (),
        height=truth.height if truth.corners is not None or corners is None else height_of(corners),
        angle=None if corners is None else angle_of(corners),
        box=truth.box,
        corners=corners,
        country=truth.country,
        rows=truth.rows,
    )


def _time(spent: Sequence[float], name: str, times: float) -> dict[str, float]:
    if not spent:
        return {}
    values = np.array(spent) * times
    return {
        name: round(float(values.mean()), 4),
        f"{name}_median": round(float(np.median(values)), 4),
        f"{name}_worst": round(float(values.max()), 4),
    }


def _wrong(outcomes: Iterable[Outcome]) -> list[list[Any]]:
    """[picture, truth, read, confidence] of each plate that was not read rightly (folded)."""
    return [[one.picture, one.truth, one.read, round(one.confidence, 3)] for one in outcomes if not one.same]


def open_reader(countries: Sequence[str], settings: EngineConfig) -> Reader:
    """The engine that is measured; OpenCV is kept to one thread."""
    one_thread()
    return Reader(countries, settings)


def open_finder(settings: EngineConfig) -> Finder:
    """The detector of ``settings`` alone; OpenCV is kept to one thread. Raises ModelError."""
    one_thread()
    return open_engine(settings).detector

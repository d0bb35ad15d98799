"""Measure what stacking exposures gains: ``python -m tools.evaluate_stacking [--plates 300] [--height 9 --height 12]``.

Draws plates a few pixels high, each in several exposures: moved by parts of a pixel, soft, noisy, in changing light,
compressed, with corners as far off as the detector's are. Counts the plates whose vote (``lpr.plates.voting``) is
right, read as ``thorough`` does without and with the stack, beside one exposure alone. Seeded; one line a height, or
``--json``.

May import: numpy, OpenCV, ``lpr``, ``tools.options``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners, Picture, Reading
from lpr.plates.boxes import around
from lpr.plates.voting import Ballot, Rules, elect
from lpr.scene.plates import random_spec, render_plate
from lpr.vision.looks import CarefulReader
from lpr.vision.modes import MODES
from lpr.vision.ocr import PlateReader, PlateText
from tools.options import from_one

__all__ = ["burst", "main", "measured", "voted"]

COUNTRIES: Final = ("BR", "AR", "CL", "US", "DE")
CORNERS_OFF: Final = 0.05
"""Standard deviation of the corners, in heights of the plate."""
_FINER: Final = 8
_PICTURE: Final = Picture(blob="0" * 64, width=1, height=1, bytes=1)

Shot = tuple[NDArray[np.uint8], Corners]


def burst(rng: np.random.Generator, height: float, count: int, countries: Sequence[str]) -> tuple[str, list[Shot]]:
    """A plate's text, and ``count`` exposures of it about ``height`` pixels high with its corners as they are found."""
    spec = random_spec(rng, countries)
    flat = render_plate(spec, 160)
    high, wide = flat.shape[:2]
    width = height * wide / high
    across, down = int(width * 2.2) + 8, int(height * 3) + 8
    ground = np.full((down * _FINER, across * _FINER, 3), int(rng.integers(40, 160)), np.uint8)
    turn, blur, noise = rng.normal(0, 3), rng.uniform(0.35, 0.8), rng.uniform(3, 12)
    quality, light = int(rng.integers(55, 92)), rng.uniform(0.5, 1)
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    half = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    shots: list[Shot] = []
    for _ in range(count):
        angle = math.radians(turn + rng.normal(0, 0.5))
        turned = half @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        middle = np.array([across / 2, down / 2]) + rng.uniform(-1.5, 1.5, 2)
        quad = turned + middle
        matrix = cv2.getPerspectiveTransform(source, (quad * _FINER).astype(np.float32))
        size = (across * _FINER, down * _FINER)
        fine = cv2.warpPerspective(flat, matrix, size, ground.copy(), cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
        picture = cv2.resize(fine, (across, down), interpolation=cv2.INTER_AREA).astype(np.float32)
        picture = cv2.GaussianBlur(picture, (0, 0), blur) * light * rng.uniform(0.85, 1.15)
        noisy = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        a, b, c, d = (quad + rng.normal(0, CORNERS_OFF * height, (4, 2))).tolist()
        shots.append((decoded, ((a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1]))))
    return spec.text, shots


def voted(texts: Sequence[PlateText], shots: Sequence[Shot]) -> str:
    """The plate that the vote makes of readings of several exposures; "" for none."""
    ballots = [
        Ballot(
            capture="burst", exposure=number, at=number, trigger="", picture=_PICTURE, reading=_reading(text, corners)
        )
        for number, (text, (_, corners)) in enumerate(zip(texts, shots, strict=True))
        if text.text
    ]
    elected = elect(ballots, Rules()) if ballots else None
    return elected.plate if elected is not None else ""


def _reading(text: PlateText, corners: Corners) -> Reading:
    return Reading(
        text=text.text,
        confidence=text.confidence,
        characters=text.characters,
        box=around(corners),
        corners=corners,
        detection=0.9,
        country=text.country,
        layout=text.layout,
        rows=text.rows,
        sharpness=text.sharpness,
        candidates=text.candidates,
    )


def measured(height: float, plates: int, exposures: int, countries: Sequence[str], seed: int) -> dict[str, float]:
    """Shares right: of single exposures, of the vote without the stack, and with it."""
    effort = MODES["thorough"]
    reader = PlateReader()
    without = CarefulReader(reader, effort.framings, effort.doubt)
    stacking = CarefulReader(reader, effort.framings, effort.doubt, stack_under=math.inf)
    rng = np.random.default_rng((seed, round(height * 10)))
    right = {"one exposure": 0.0, "vote": 0.0, "vote with the stack": 0.0}
    for _ in range(plates):
        truth, shots = burst(rng, height, exposures, countries)
        pictures = [(image, [corners]) for image, corners in shots]
        alone = [own[0] for own in without.read_all(pictures)]
        together = [own[0] for own in stacking.read_all(pictures)]
        right["one exposure"] += sum(text.text == truth for text in alone) / exposures
        right["vote"] += voted(alone, shots) == truth
        right["vote with the stack"] += voted(together, shots) == truth
    return {name: round(count / plates, 4) for name, count in right.items()}


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(prog="tools.evaluate_stacking", description="Measure what stacking gains.")
    parser.add_argument("--plates", type=from_one, default=300, help="plates a height")
    parser.add_argument("--exposures", type=from_one, default=5, help="exposures of each")
    parser.add_argument("--height", type=float, action="append", help="of the plates in pixels, 4 to 100 (repeatable)")
    parser.add_argument("--country", action="append", help="of the plates (repeatable)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(words)
    heights: list[float] = args.height or [9.0, 10.0, 12.0, 14.0]
    if not all(4 <= height <= 100 for height in heights):
        parser.error("--height is 4 to 100")
    cv2.setNumThreads(1)
    figures: dict[str, dict[str, float]] = {}
    for height in heights:
        own = measured(height, args.plates, args.exposures, args.country or COUNTRIES, args.seed)
        figures[f"{height:g}"] = own
        if not args.json:
            shares = ", ".join(f"{name} {share:.1%}" for name, share in own.items())
            print(f"{height:g} px, {args.plates} plates of {args.exposures} exposures: {shares}", flush=True)
    if args.json:
        print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

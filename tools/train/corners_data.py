"""Patches for the closer look: plates in composed scenes, and what a detector found in the training photographs.

A sample is what ``lpr.vision.corners`` would cut for a detection that lies a little off. Plates drawn into scenes have
exact corners; of annotated plates only the box is known, so they teach that there is a plate, and their corners only
where the box can say them or an earlier network has placed them (``Finding.quad``).

May import: numpy, OpenCV, ``lpr.vision.corners``, the other ``tools.train.detector_*`` and ``scenes_data``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.vision.corners import cut, to_patch
from tools.train.corners_net import REACH, SIZE, TALL
from tools.train.detector_dress import Drawn
from tools.train.detector_paste import look_alike, paste, posed, tone
from tools.train.detector_photo import photograph
from tools.train.detector_scenes import compose, overlaps, turn_angle
from tools.train.scenes_data import Photo

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
CANVAS = (288, 384)
CLEAR = 14.0
"""Plates of fewer pixels' width are no samples."""


@dataclass(frozen=True, slots=True)
class Sample:
    """``patch`` (64, 96, 3) BGR uint8; ``corners`` [8] in its fractions with their ``weight``; ``plate``: 1 or 0."""

    patch: Image
    corners: NDArray[np.float32]
    weight: float
    plate: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A detection in a training photograph. ``photo``: its number; ``found``: corners [4, 2] as detected; ``quad``: the
    plate's true corners, or None where there is no plate; ``weight`` of these corners."""

    photo: int
    found: Array
    quad: Array | None
    weight: float


def native_width(rng: np.random.Generator, limit: float) -> float:
    """Width in pixels of a plate in a picture of full size."""
    return math.exp(rng.uniform(math.log(22), math.log(min(300.0, limit * 0.9))))


def disturbed(rng: np.random.Generator, quad: Array) -> Array:
    """``quad`` as a detector might give it: moved, stretched, turned, each corner a little off."""
    centre = quad.mean(0)
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    height = float(np.hypot(*down))
    rough = float(rng.choice([0.3, 1.0, 2.0], p=[0.35, 0.5, 0.15]))
    turn = np.deg2rad(rng.normal(0, 4.0 * rough))
    c, s = np.cos(turn), np.sin(turn)
    out = (quad - centre) @ np.array([[c, s], [-s, c]])
    sides = np.exp(rng.normal(0, 0.1 * rough, 2))
    along, up = across / max(float(np.hypot(*across)), 1e-6), down / max(height, 1e-6)
    out = out + np.outer(out @ along * (sides[0] - 1), along) + np.outer(out @ up * (sides[1] - 1), up)
    shift = across * rng.normal(0, 0.05 * rough) + down * rng.normal(0, 0.1 * rough)
    return out + centre + shift + rng.normal(0, 0.06 * rough * height, (4, 2))


def sampled(image: Image, found: Array, quad: Array | None, weight: float) -> Sample:
    """The patch of ``image`` for a detection at ``found``, whose plate is ``quad``."""
    matrix = to_patch(found, SIZE, REACH, TALL)
    patch = cut(image, matrix, SIZE)
    if quad is None:
        return Sample(patch, np.zeros(8, np.float32), 0.0, 0.0)
    corners = ((quad @ matrix[:, :2].T + matrix[:, 2]) / SIZE).reshape(8).astype(np.float32)
    inside = bool((corners > -0.02).all() and (corners < 1.02).all())
    return Sample(patch, corners, weight if inside else 0.0, 1.0)


def scene_samples(rng: np.random.Generator, photos: Sequence[Photo], bank: Sequence[Drawn]) -> list[Sample]:
    """Samples of one composed scene: each exact plate twice, look-alikes and surroundings."""
    scene = compose(rng, photos, bank, CANVAS, native_width)
    h, w = CANVAS
    out: list[Sample] = []
    taken = [plate.corners for plate in scene.plates] + [doubt.corners for doubt in scene.doubts]
    for plate in scene.plates:
        if np.ptp(plate.corners[:, 0]) < CLEAR:
            continue
        for _ in range(2 if plate.corner_weight == 1.0 else 1):
            found = disturbed(rng, plate.corners)
            out.append(sampled(scene.image, found, plate.corners, 1.0 if plate.corner_weight == 1.0 else 0.0))
    empty = [lure for lure in scene.lures if not overlaps(lure, taken) and np.ptp(lure[:, 0]) >= CLEAR]
    for _ in range(2):
        width = native_width(rng, w)
        high = width / float(rng.choice([4.7, 2.0, 2.0, 3.0, 1.3]))
        half = np.array([[-width, -high], [width, -high], [width, high], [-width, high]]) / 2
        turn = np.deg2rad(turn_angle(rng))
        c, s = np.cos(turn), np.sin(turn)
        place = half @ np.array([[c, s], [-s, c]]) + rng.uniform([0, 0], [w, h])
        if not overlaps(place, taken, 8.0):
            empty.append(place)
    out += [sampled(scene.image, disturbed(rng, place), None, 0.0) for place in empty]
    return out


def flat_samples(rng: np.random.Generator, bank: Sequence[Drawn]) -> list[Sample]:
    """A plate twice on surfaces without any texture, and at times a look-alike on such: what lies round a plate says
    little where light, fog or a far lens leaves nothing of it."""
    out: list[Sample] = []
    h, w = CANVAS
    for plate in (True, False)[: 1 + int(rng.random() < 0.5)]:
        canvas = np.full((h, w, 3), rng.uniform(20, 230, 3), np.uint8)
        width = native_width(rng, w)
        middle = rng.uniform([w * 0.35, h * 0.35], [w * 0.65, h * 0.65])
        for share in np.sort(rng.uniform(0.55, 2.6, 2))[::-1] * width:
            above, below = rng.uniform(0.4, 0.9, 2) * share
            low, high = middle - np.array([share, above]), middle + np.array([share, below])
            colour = [float(v) for v in np.clip(rng.uniform(0, 200) + rng.normal(0, 20, 3), 0, 255)]
            cv2.rectangle(canvas, low.astype(int).tolist(), high.astype(int).tolist(), colour, -1)
        drawn = bank[int(rng.integers(0, len(bank)))] if plate else None
        picture = look_alike(rng) if drawn is None else drawn.picture
        aspect = picture.shape[1] / picture.shape[0] if drawn is None else drawn.aspect
        corners = posed(rng, aspect, width, turn_angle(rng), 0.8) + middle
        if rng.random() < 0.5:
            picture = tone(picture, float(rng.uniform(40, 220)), rng)
        paste(canvas, picture, corners if drawn is None else drawn.outer(corners))
        image = photograph(rng, canvas) if rng.random() < 0.7 else canvas
        for _ in range(2 if plate else 1):
            found = disturbed(rng, corners)
            out.append(sampled(image, found, corners if plate else None, 1.0 if plate else 0.0))
    return out


def finding_sample(rng: np.random.Generator, photo: Photo, finding: Finding) -> Sample:
    """A detection in a photograph once more, seen by another camera: other light, blur, framing, sometimes mirrored."""
    level = 0
    found = finding.found
    width = float(np.hypot(*(found[1] - found[0])))
    # The piece of the photograph is taken at a size between the patch's half and double, as cameras give it.
    factor = SIZE[0] / (REACH * max(width, 8.0)) * math.exp(rng.uniform(math.log(0.5), math.log(2.0)))
    factor = min(factor, 2.0)
    while factor * 2**level < 0.7 and level < len(photo.levels) - 1:
        level += 1
    source = photo.levels[level]
    shrink = photo.levels[0].shape[1] / source.shape[1]
    turn = np.deg2rad(rng.normal(0, 5.0))
    c, s = np.cos(turn) * factor, np.sin(turn) * factor
    linear = np.array([[c, s], [-s, c]])
    size = (int(max(SIZE[0] * 1.5, width * factor * REACH * 1.3)), int(max(SIZE[1] * 1.5, width * factor * 1.6)))
    offset = np.array(size) / 2 - linear @ found.mean(0)
    fine = np.concatenate([linear * shrink, offset[:, None]], 1)
    fine[:, 2] += fine[:, 0] * 0.5 + fine[:, 1] * 0.5 - 0.5
    piece: Image = np.asarray(cv2.warpAffine(source, fine, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    quads = [q @ linear.T + offset for q in (found, finding.quad) if q is not None]
    if rng.random() < 0.3:
        piece = np.ascontiguousarray(piece[:, ::-1])
        quads = [(q * [-1, 1] + [size[0], 0])[[1, 0, 3, 2]] for q in quads]
    if rng.random() < 0.75:
        piece = photograph(rng, piece)
    known = quads[1] if len(quads) > 1 else None
    start = quads[0] if known is None or rng.random() < 0.5 else disturbed(rng, known)
    return sampled(piece, start, known, finding.weight)


def save_findings(path: Path, findings: Sequence[Finding]) -> None:
    """One JSON object a line."""
    with path.open("w") as out:
        for one in findings:
            quad = None if one.quad is None else one.quad.round(2).tolist()
            row = {"photo": one.photo, "found": one.found.round(2).tolist(), "quad": quad, "weight": one.weight}
            out.write(json.dumps(row) + "\n")


def load_findings(path: Path) -> list[Finding]:
    """What ``save_findings`` wrote."""
    out: list[Finding] = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        quad = None if row["quad"] is None else np.array(row["quad"], float)
        out.append(Finding(row["photo"], np.array(row["found"], float), quad, row["weight"]))
    return out

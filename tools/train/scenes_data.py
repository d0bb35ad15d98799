"""Photographs for training the detector: read, kept as small pyramids, warped into a canvas with their boxes.

Reads the folders of training pictures described by ``annotations.jsonl`` and ``vehicles.jsonl`` (one JSON object
a line: "image", "plates": [{"box", "corners"}]; "vehicles": [{"box", "type"}], "uncertain": [{"box"}]).
Boxes are pixels of the stored picture, (x1, y1, x2, y2).

May import: numpy, OpenCV, ``tools.train.detector_targets``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.detector_targets import Doubt, Plate

Image = NDArray[np.uint8]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph. ``levels``: the picture at full, half and quarter size, BGR uint8.

    ``plates``: quadrilaterals [n, 4, 2]; ``trust``: weight [n] of their corners (1 exact, 0 unknown);
    ``vehicles``: boxes [m, 4]; ``bare``: for each vehicle, whether no known plate lies in it.
    """

    name: str
    levels: tuple[Image, ...]
    plates: Array
    trust: Array
    vehicles: Array
    bare: NDArray[np.bool_]


def box_corners(box: tuple[float, ...] | Array) -> Array:
    """The corners [4, 2] of a box, clockwise from the top left."""
    x1, y1, x2, y2 = (float(v) for v in box)
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])


def corner_trust(box: list[float], width: int, height: int) -> float:
    """How far the box's own corners may stand for the plate's.

    A long box (over 3.2 times as wide as high) can only be a nearly level plate; a shorter one may be a tilted
    plate or a two-row one. A box cut by the picture's border says nothing.
    """
    x1, y1, x2, y2 = box
    if x1 < 2 or y1 < 2 or x2 > width - 2 or y2 > height - 2:
        return 0.0
    aspect = (x2 - x1) / max(y2 - y1, 1.0)
    if aspect > 3.2:
        return 0.5
    return 0.15 if aspect > 1.8 else 0.05


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def load_photos(folder: Path, longest: int = 800, limit: int | None = None) -> list[Photo]:
    """Every annotated photograph of ``folder``, reduced to at most ``longest`` pixels a side.

    Raises FileNotFoundError for a folder without annotations and for a picture that can't be read."""
    if not (folder / "annotations.jsonl").is_file():
        raise FileNotFoundError(
            f"{folder}: no annotations.jsonl there; --data names the folder that {folder.name} is in"
        )
    vehicles = (
        {row["image"]: row for row in _lines(folder / "vehicles.jsonl")} if (folder / "vehicles.jsonl").exists() else {}
    )
    photos: list[Photo] = []
    for row in _lines(folder / "annotations.jsonl")[:limit]:
        image = cv2.imread(str(folder / row["image"]), cv2.IMREAD_COLOR)
        if image is None:
            raise FileNotFoundError(
                f"{folder / row['image']}: named in annotations.jsonl, but no picture can be read there"
            )
        full: Image = image.astype(np.uint8, copy=False)
        h, w = full.shape[:2]
        scale = min(1.0, longest / max(h, w))
        if scale < 1.0:
            full = cv2.resize(full, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
        half = cv2.resize(full, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
        quarter = cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
        quads: list[Array] = []
        trust: list[float] = []
        for plate in row["plates"]:
            known = plate.get("corners")
            quads.append(np.array(known, float) if known else box_corners(plate["box"]))
            trust.append(1.0 if known else corner_trust(plate["box"], w, h))
        seen = vehicles.get(row["image"], {"vehicles": [], "uncertain": []})
        boxes = np.array([v["box"] for v in (*seen["vehicles"], *seen["uncertain"])], float).reshape(-1, 4)
        plates = np.array(quads, float).reshape(-1, 4, 2)
        centres = plates.mean(1)
        bare = np.array([not any(b[0] < x < b[2] and b[1] < y < b[3] for x, y in centres) for b in boxes], bool)
        photos.append(
            Photo(row["image"], (full, half, quarter), plates * scale, np.array(trust, float), boxes * scale, bare)
        )
    return photos


def apply(matrix: Array, points: Array) -> Array:
    """Points [..., 2] through a homography [3, 3]."""
    flat = points.reshape(-1, 2)
    out = np.concatenate([flat, np.ones((len(flat), 1))], 1) @ matrix.T
    return (out[:, :2] / out[:, 2:3]).reshape(points.shape)


def from_centres(matrix: Array) -> Array:
    """``matrix`` as OpenCV wants it. Coordinates here name points between pixels (the first pixel reaches from 0 to
    1, as in annotations and in ``lpr.events``); OpenCV's warps count from the middle of the first pixel."""
    half = np.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.linalg.inv(half) @ matrix @ half


def view_matrix(rng: np.random.Generator, anchor: Array, at: Array, scale: float, turn: float, lean: float) -> Array:
    """Homography that puts the photograph's point ``anchor`` at ``at``, scaled, turned by ``turn`` degrees and with
    random perspective of strength ``lean`` (relative change of scale per 1000 output pixels)."""
    angle = np.deg2rad(turn)
    stretch = np.exp(rng.normal(0, 0.06))
    shear = rng.normal(0, 0.04)
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, -s], [s, c]]) @ np.array([[stretch, shear], [0, 1 / stretch]]) * scale
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = -linear @ anchor
    tilt = np.eye(3)
    tilt[2, :2] = rng.normal(0, lean / 1000, 2)
    place = np.eye(3)
    place[:2, 2] = at
    return place @ tilt @ matrix


def warp_photo(
    photo: Photo, matrix: Array, size: tuple[int, int], border: int, flip: bool
) -> tuple[Image, list[Plate], list[Doubt], Array]:
    """``photo`` through ``matrix`` into a canvas of ``size`` (height, width).

    Returns the picture, its plates (those at least a third inside; the others become doubts), doubtful places
    (vehicles without a known plate), and the quadrilaterals [m, 4, 2] of those vehicles.
    """
    h, w = size
    full = photo.levels[0]
    if flip:
        mirror = np.array([[-1.0, 0, full.shape[1]], [0, 1, 0], [0, 0, 1]])
        matrix = matrix @ mirror
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    level = 0 if scale > 0.7 else 1 if scale > 0.35 else 2
    source = photo.levels[level]
    shrink = np.diag([full.shape[1] / source.shape[1], full.shape[0] / source.shape[0], 1.0])
    canvas = cv2.warpPerspective(
        source,
        from_centres(matrix @ shrink),
        (w, h),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
        borderValue=(114, 114, 114),
    ).astype(np.uint8)
    plates: list[Plate] = []
    doubts: list[Doubt] = []
    order = [1, 0, 3, 2] if flip else [0, 1, 2, 3]
    for quad, trust in zip(photo.plates, photo.trust, strict=True):
        corners = apply(matrix, quad)[order]
        low, high = corners.min(0), corners.max(0)
        seen = np.clip(high, 0, [w, h]) - np.clip(low, 0, [w, h])
        part = float(seen.prod() / max(float((high - low).prod()), 1e-6))
        if part <= 0.0:
            continue
        cx, cy = corners.mean(0)
        if part < 0.75 or not (0 <= cx < w and 0 <= cy < h) or float(high[0] - low[0]) < 6.0:
            doubts.append(Doubt(corners, 0.0))
        else:
            plates.append(Plate(corners, float(trust)))
    bare: list[Array] = []
    for box, lonely in zip(photo.vehicles, photo.bare, strict=True):
        corners = apply(matrix, box_corners(box))[order]
        if lonely:
            bare.append(corners)
            doubts.append(Doubt(corners, 0.15))
    return canvas, plates, doubts, np.array(bare).reshape(-1, 4, 2)

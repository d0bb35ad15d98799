"""Composed training scenes: photographs, rendered plates with exact corners, look-alikes, and a camera's faults.

Deterministic for a given generator. The rendered plates come from a bank of pictures (``lpr.scene.plates``).

May import: numpy, OpenCV, ``lpr.scene.plates``, the other ``tools.train.detector_*`` and ``scenes_data``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.detector_dress import Drawn, dress, softened
from tools.train.detector_paste import cover, lettering, look_alike, paste, posed, tone
from tools.train.detector_photo import photograph
from tools.train.detector_plain import plain_plate
from tools.train.detector_targets import Doubt, Plate, Scene
from tools.train.scenes_data import Photo, view_matrix, warp_photo

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
Widths = Callable[[np.random.Generator, float], float]
"""Draws the width in pixels of a plate for a view that is so many pixels wide."""
FAVOURED = ("US", "BR", "AR", "CL")
"""Countries whose plates are drawn more often than an even draw over all of them would."""


def plate_width(rng: np.random.Generator, limit: float) -> float:
    """Width in pixels of the plate a view is built around: mostly small, now and then filling the view."""
    draw = rng.random()
    low, high = (
        (9.0, 24.0) if draw < 0.1 else (18.0, 90.0) if draw < 0.7 else (60.0, 260.0) if draw < 0.92 else (200.0, 640.0)
    )
    low, high = min(low, limit * 0.5), min(high, limit * 0.98)
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def turn_angle(rng: np.random.Generator) -> float:
    """Degrees by which a view or a plate is turned: mostly level, a fifth of them up to 32."""
    draw = rng.random()
    return 0.0 if draw < 0.15 else float(rng.normal(0, 4)) if draw < 0.78 else float(rng.uniform(-32, 32))


def overlaps(corners: Array, others: Sequence[Array], margin: float = 2.0) -> bool:
    """Whether the boxes round ``corners`` and any of ``others`` come closer than ``margin`` pixels."""
    low, high = corners.min(0) - margin, corners.max(0) + margin
    return any(bool((low < o.max(0)).all() and (high > o.min(0)).all()) for o in others)


def _view(
    rng: np.random.Generator, photos: Sequence[Photo], size: tuple[int, int], widths: Widths
) -> tuple[Image, list[Plate], list[Doubt], Array]:
    h, w = size
    turn = turn_angle(rng)
    target = widths(rng, float(w))
    best = -1.0
    photo, anchor, scale = photos[0], np.zeros(2), 1.0
    # Few photographs have a plate small enough for a far view that still fills the canvas: take the best of some.
    for _ in range(6):
        candidate = photos[int(rng.integers(0, len(photos)))]
        extent = np.array([candidate.levels[0].shape[1], candidate.levels[0].shape[0]], float)
        if len(candidate.plates) and rng.random() < 0.92:
            quad = candidate.plates[int(rng.integers(0, len(candidate.plates)))]
            wide = max(float(np.ptp(quad[:, 0])), float(np.ptp(quad[:, 1])) * 2, 4.0)
            # Not more than 2.2 times larger than the photograph has it: beyond that it is only blur.
            size_factor, point = min(target / wide, 2.2), quad.mean(0)
        else:
            size_factor, point = math.exp(rng.uniform(math.log(0.35), math.log(1.2))), rng.uniform([0, 0], extent)
        filled = float(np.minimum(extent * size_factor / [w, h], 1.0).prod())
        if filled > best:
            best, photo, anchor, scale = filled, candidate, point, size_factor
        if best > 0.9:
            break
    extent = np.array([photo.levels[0].shape[1], photo.levels[0].shape[0]], float)
    flip = bool(rng.random() < 0.35)
    if flip:
        anchor = np.array([extent[0] - anchor[0], anchor[1]])
    # Where the plate comes to lie: anywhere, but with the photograph over the whole canvas if it is large enough.
    before, behind = anchor * scale, (extent - anchor) * scale
    room = np.array([w, h], float)
    at = rng.uniform(0.04, 0.96, 2) * room
    low, high = np.minimum(room - behind, before), np.maximum(room - behind, before)
    at = np.clip(at, low, high)
    matrix = view_matrix(rng, anchor, at, scale, turn, lean=0.25)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    return warp_photo(photo, matrix, size, border, flip)


def _tiled(
    rng: np.random.Generator, photos: Sequence[Photo], size: tuple[int, int], widths: Widths
) -> tuple[Image, list[Plate], list[Doubt], list[Array]]:
    """One view, or two or four views side by side."""
    h, w = size
    draw = rng.random()
    ys = [0, h] if draw < 0.85 else [0, int(h * rng.uniform(0.35, 0.65)), h]
    xs = [0, w] if draw < 0.70 else [0, int(w * rng.uniform(0.35, 0.65)), w]
    canvas = np.zeros((h, w, 3), np.uint8)
    plates: list[Plate] = []
    doubts: list[Doubt] = []
    bare: list[Array] = []
    for y1, y2 in pairwise(ys):
        for x1, x2 in pairwise(xs):
            picture, found, unsure, lonely = _view(rng, photos, (y2 - y1, x2 - x1), widths)
            canvas[y1:y2, x1:x2] = picture
            shift = np.array([x1, y1], float)
            plates += [Plate(p.corners + shift, p.corner_weight) for p in found]
            doubts += [Doubt(np.clip(d.corners + shift, [x1, y1], [x2, y2]), d.weight) for d in unsure]
            bare += [quad + shift for quad in lonely]
    return canvas, plates, doubts, bare


def _put(
    rng: np.random.Generator, canvas: Image, drawn: Drawn, corners: Array, light: float, taken: list[Array]
) -> bool:
    """Paste a plate if all of it is inside and it touches none of ``taken``."""
    h, w = canvas.shape[:2]
    low, high = corners.min(0), corners.max(0)
    if low.min() < -1 or high[0] > w + 1 or high[1] > h + 1 or overlaps(corners, taken):
        return False
    picture, outer = drawn.picture, drawn.outer(corners)
    if rng.random() < 0.6:
        picture = softened(rng, picture, float(np.hypot(*(outer[1] - outer[0]))))
    paste(canvas, tone(picture, light, rng), outer)
    taken.append(corners)
    return True


def _patch_light(canvas: Image, corners: Array) -> float:
    low = np.maximum(corners.min(0).astype(int), 0)
    high = np.maximum(corners.max(0).astype(int), low + 1)
    region = canvas[low[1] : high[1], low[0] : high[0]]
    return float(region.mean()) if region.size else 110.0


def compose(
    rng: np.random.Generator,
    photos: Sequence[Photo],
    bank: Sequence[Drawn],
    size: tuple[int, int],
    widths: Widths = plate_width,
) -> Scene:
    """One training scene of ``size`` (height, width), both multiples of 32."""
    h, w = size
    canvas, plates, doubts, bare = _tiled(rng, photos, size, widths)

    def pick() -> Drawn:
        return bank[int(rng.integers(0, len(bank)))]

    kept: list[Plate] = []
    lures: list[Array] = []
    taken: list[Array] = [p.corners for p in plates] + [d.corners for d in doubts if d.weight == 0.0]
    for plate in plates:
        if rng.random() > 0.45:
            kept.append(plate)
            continue
        if rng.random() < 0.15:  # the place of a plate without one, or with something else in it
            cover(canvas, plate.corners, rng)
            if rng.random() < 0.4:
                paste(canvas, tone(look_alike(rng), _patch_light(canvas, plate.corners), rng), plate.corners)
            lures.append(plate.corners)
            continue
        drawn = pick()
        aspect = drawn.aspect
        top = plate.corners[1] - plate.corners[0]
        wide = float(np.hypot(*top))
        high = float(np.hypot(*(plate.corners[3] - plate.corners[0])))
        turn = float(np.rad2deg(np.arctan2(top[1], top[0]))) + float(rng.normal(0, 4))
        width = max(wide, high * min(aspect, 2.6) * 0.9) * float(rng.uniform(0.95, 1.2))
        corners = posed(rng, aspect, width, turn, 0.6) + plate.corners.mean(0)
        light = _patch_light(canvas, plate.corners)
        others = [t for t in taken if t is not plate.corners]
        before = canvas.copy()
        cover(canvas, plate.corners, rng)
        if _put(rng, canvas, drawn, corners, light, others):
            taken.append(corners)
            kept.append(Plate(corners, 1.0))
        else:
            canvas[:] = before
            kept.append(plate)
    for quad in bare:
        if rng.random() > 0.4:
            continue
        low, high = quad.min(0), quad.max(0)
        width = float(high[0] - low[0]) * float(rng.uniform(0.12, 0.34))
        if width < 9:
            continue
        middle = low + (high - low) * rng.uniform([0.2, 0.45], [0.8, 0.95])
        drawn = pick()
        corners = posed(rng, drawn.aspect, width, turn_angle(rng), 0.7) + middle
        if _put(rng, canvas, drawn, corners, float(rng.uniform(60, 200)), taken):
            kept.append(Plate(corners, 1.0))
    while rng.random() < 0.35:
        drawn = pick()
        width = widths(rng, float(w))
        middle = rng.uniform([width * 0.3, width * 0.15], [max(w - width * 0.3, width), max(h - width * 0.15, width)])
        corners = posed(rng, drawn.aspect, width, turn_angle(rng) * 1.1, 1.0) + middle
        light = _patch_light(canvas, corners) if rng.random() < 0.5 else float(rng.uniform(50, 210))
        if _put(rng, canvas, drawn, corners, light, taken):
            kept.append(Plate(corners, 1.0))
    while rng.random() < 0.4:
        picture = look_alike(rng)
        width = math.exp(rng.uniform(math.log(14), math.log(260)))
        corners = posed(rng, picture.shape[1] / picture.shape[0], width, turn_angle(rng), 0.8) + rng.uniform(
            [0, 0], [w, h]
        )
        if not overlaps(corners, taken):
            paste(canvas, tone(picture, float(rng.uniform(40, 220)), rng), corners)
            taken.append(corners)
            lures.append(corners)
    if rng.random() < 0.2:
        text, font, scale, stroke, colour = lettering(rng)
        (across, down), _ = cv2.getTextSize(text, font, scale, stroke)
        x, y = int(rng.uniform(0, max(w - across, 1))), int(rng.uniform(down, h))
        if not overlaps(np.array([[x, y - down], [x + across, y]], float), taken):
            cv2.putText(canvas, text, (x, y), font, scale, colour, stroke, cv2.LINE_AA)
    return Scene(photograph(rng, canvas), tuple(kept), tuple(doubts), tuple(lures))


def plate_bank(seed: int, count: int, plain: float, heights: tuple[int, int] = (48, 160)) -> list[Drawn]:
    """``count`` rendered plates, ``heights`` pixels high, dressed: the share ``plain`` of no country, the others of the
    countries that ``lpr.scene.plates`` draws, two fifths of these of ``FAVOURED``."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(math.log(heights[0]), math.log(heights[1]), count)).astype(int)
    first = round(count * plain)
    bank = [dress(rng, plain_plate(rng, int(size))) for size in sizes[:first]]
    if first < count:
        from lpr.scene.plates import random_spec, render_plate  # only where plates of countries are asked for

        for size in sizes[first:]:
            countries = FAVOURED if rng.random() < 0.4 else None
            bank.append(dress(rng, render_plate(random_spec(rng, countries), int(size))))
    return bank

"""What is measured of a vehicle's paint: some two hundred numbers about the surroundings of its plate.

How it goes
1. *The place.* Paint is looked for round the plate, in plate sizes (``lpr.vision.vehicle_region``): bumper and flanks
   to its left and right, bonnet or boot above it. The plate itself is left out, and so is what lies outside the
   vehicle's box where that is known.
2. *The light.* Its colour is estimated from the whole picture (Finlayson and Trezzi 2004, "Shades of gray and colour
   constancy") and half corrected. Lightness counts against three whites: the brightest of the picture, the plate's own
   ground (which lies in the same light as the paint), and white itself.
3. *What is told at all.* A picture without colour (infrared at night, monochrome cameras), one that is drowned in one
   colour (sodium lamps, a camera without infrared filter) and one too dark have no measurement.
4. *The numbers.* Of the near surroundings the share of each hue (``HUES``) and the lightness of the darkest to the
   brightest fifth; of seven places (``PLACES``: road, flanks, boot, window) lightness, contrast and colour, against
   the whites; of all of them how the pixels are spread over hues and shades; and the light of the whole picture.

A small network turns them into probabilities (``lpr.vision.colour``). Arrays only; may import ``lpr.vision`` (rectify,
vehicle_region), ``lpr.events``, cv2 and numpy.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners
from lpr.vision.rectify import RectifyError, rectify
from lpr.vision.vehicle_region import BELOW, SIDE, cut, plate_region, plate_size

__all__ = ["FEATURES", "HUES", "MIRROR", "lab_of", "measured"]

Floats = NDArray[np.float32]

HUES: Final = (
    ("red", 18.0, 30.0),
    ("orange", 55.0, 14.0),
    ("yellow", 86.0, 18.0),
    ("green", 145.0, 40.0),
    ("cyan", 212.0, 20.0),
    ("blue", 275.0, 40.0),
    ("violet", 322.0, 14.0),
)
"""Name, middle and half width of its part of the CIE hue circle, degrees."""

QUANTILES: Final = (0.2, 0.4, 0.6, 0.8, 0.93)
"""Where the lightness of the paint is taken, as shares of its pixels from the darkest on; their mean comes last."""

NEAR: Final = len(HUES) + 3 * (len(QUANTILES) + 1)
"""Numbers of the near surroundings: a share a hue; lightness against the picture's white, the plate's, white itself."""

PLACES: Final = (
    (-2.1, 0.6, 2.1, 1.3),
    (-1.9, -0.5, -0.6, 0.5),
    (0.6, -0.5, 1.9, 0.5),
    (-1.2, -0.9, 1.2, -0.3),
    (-1.2, -1.6, 1.2, -0.9),
    (-1.2, 0.3, 1.2, 0.9),
    (-1.6, -1.1, 1.6, 0.6),
)
"""Left, top, right, bottom of the places that are looked at singly, from the plate's middle in plate sizes: the road,
the flank to the left, to the right, the boot or bonnet, the window, the bumper below, and all of them."""
PLACE_NUMBERS: Final = 18
WINDOW: Final = 40
"""Sides of the square window round the plate (``plate_region``) in which the places lie, pixels."""
TINTS: Final = (345.0, 40.0, 60.0, 75.0, 105.0, 190.0, 235.0, 265.0, 305.0)
"""Where the parts of the hue circle begin over which the pixels are counted, degrees; the first one goes round zero."""
TINT_LEVELS: Final = (5.0, 12.0, 25.0)
"""CIE chroma from which a pixel counts as tinted: hardly, clearly, strongly."""
PLATE_SHADES: Final = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.1)
"""Where the classes of lightness against the plate's ground begin, for pixels of little chroma."""
WHITE_SHADES: Final = (0.0, 0.12, 0.25, 0.4, 0.55, 0.7, 0.82, 0.93)
"""The same against the picture's white."""
SPREAD: Final = len(TINTS) * (len(TINT_LEVELS) + 1) + len(PLATE_SHADES) + len(WHITE_SHADES) + 4
LIGHT: Final = 19
"""Numbers about the whole picture and the plate."""

FEATURES: Final = NEAR + len(PLACES) * PLACE_NUMBERS + SPREAD + LIGHT
"""Numbers of a measurement."""

ZONE: Final = (-1.9, -1.5, 1.9, 0.7)
"""Where paint is looked for: left, top, right, bottom of the plate's middle, in plate sizes."""
GRID: Final = (38, 22)
"""Width and height of the patch that is looked at, pixels: 10 a plate size."""
_BELL: Final = (1.0, 0.5, -0.2)
"""Half width and half height of the bell that weighs the patch, and how far down its middle is, in plate sizes."""
_PLATE: Final = (0.62, 0.30)
"""Half width and half height round the plate's middle that are left out, in plate sizes."""

LEAST_CHROMA: Final = 6.0
"""A picture whose more colourful tenth has less CIE chroma is monochrome."""
LEAST_LIGHT: Final = 9.0
"""Mean CIE lightness of the paint below which nothing is told, whatever the picture's white."""
NIGHT: Final = 14.0
"""Mean CIE lightness of a picture taken at night, where lamps make the colours."""
CAST: Final = 12.0
"""Mean CIE chroma of a picture that may be drowned in one colour; it is, when its colours spread by less than this."""
LEAST_PIXELS: Final = 25
"""Pixels of the patch that have to count."""


def _mirror() -> NDArray[np.int64]:
    order = np.arange(FEATURES)
    left, right = (slice(NEAR + place * PLACE_NUMBERS, NEAR + (place + 1) * PLACE_NUMBERS) for place in (1, 2))
    order[left], order[right] = np.arange(FEATURES)[right], np.arange(FEATURES)[left]
    return order


MIRROR: Final = _mirror()
"""Which number of a measurement stands where in that of the mirrored picture: left and right change places."""


def white_of(pixels: Floats) -> Floats:
    """Gains of blue, green and red that turn the light of a picture's pixels (n, 3, 0 to 1) half the way to white."""
    level = pixels.max(1)
    usable = pixels[(level < 0.98) & (level >= np.median(level))]
    if len(usable) < 50:
        return np.ones(3, np.float32)
    cube = usable * usable * usable
    mean = np.power((cube * cube).mean(0), 1 / 6) + 1e-3
    gains = np.sqrt(np.clip(mean.mean() / mean, 0.6, 1.6))
    return np.asarray(gains / gains.mean(), np.float32)


def lab_of(pixels: Floats) -> Floats:
    """CIE Lab (L 0 to 100) of BGR values 0 to 1, (n, 3)."""
    return np.asarray(cv2.cvtColor(np.clip(pixels, 0, 1).astype(np.float32)[None], cv2.COLOR_BGR2LAB)[0], np.float32)


def _levels(values: Floats, *parts: float) -> Floats:
    """What ``parts`` of the values don't exceed."""
    return np.sort(values)[(np.array(parts) * (len(values) - 1)).astype(np.int64)]


def paint_patch(image: NDArray[np.uint8], corners: Corners, box: Box | None) -> tuple[NDArray[np.uint8], Floats]:
    """The surroundings of a plate, (22, 38, 3) BGR, and how much each pixel counts, (22, 38), 0 outside the vehicle."""
    size = plate_size(corners)
    x, y = sum(corner[0] for corner in corners) / 4, sum(corner[1] for corner in corners) / 4
    left, top, right, bottom = ZONE
    width, height = GRID
    across, down = (right - left) * size / width, (bottom - top) * size / height
    x1, y1 = max(0, int(x + left * size) - 2), max(0, int(y + top * size) - 2)
    x2 = min(image.shape[1], int(x + right * size) + 3)
    y2 = min(image.shape[0], int(y + bottom * size) + 3)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.float32)
    part = image[y1:y2, x1:x2]
    less = max(1, int(min(across, down)))  # averaged down before it is sampled
    if less > 1 and min(part.shape[:2]) >= 2 * less:
        part = np.asarray(cv2.resize(part, None, fx=1 / less, fy=1 / less, interpolation=cv2.INTER_AREA), np.uint8)
    else:
        less = 1
    shift_x, shift_y = (x1 - x - left * size) / across, (y1 - y - top * size) / down
    matrix = np.array([[less / across, 0, shift_x], [0, less / down, shift_y]], np.float32)
    patch = np.asarray(cv2.warpAffine(part, matrix, GRID, flags=cv2.INTER_LINEAR), np.uint8)
    columns = left + (np.arange(width) + 0.5) * (right - left) / width
    rows = top + (np.arange(height) + 0.5) * (bottom - top) / height
    gx, gy = np.meshgrid(columns, rows)
    weight = np.exp(-0.5 * ((gx / _BELL[0]) ** 2 + ((gy - _BELL[2]) / _BELL[1]) ** 2))
    weight[(np.abs(gx) < _PLATE[0]) & (np.abs(gy) < _PLATE[1])] = 0.0
    px, py = x + gx * size, y + gy * size
    weight[(px < 0) | (py < 0) | (px > image.shape[1]) | (py > image.shape[0])] = 0.0
    if box is not None:
        weight[(px < box[0]) | (py < box[1]) | (px > box[2]) | (py > box[3])] = 0.0
    weight[weight < 0.02] = 0.0
    return patch, weight.astype(np.float32)


def measured(image: NDArray[np.uint8], corners: Corners, box: Box | None = None) -> Floats | None:
    """The measurement (``FEATURES``,) of a vehicle's paint, None where nothing can be told (see the module, 3).

    ``image``: (H, W, 3) BGR uint8. ``corners``: of its plate, or of where one would be. ``box``: of the vehicle.
    """
    patch, weight = paint_patch(image, corners, box)
    counts = weight.ravel() > 0
    if int(counts.sum()) < LEAST_PIXELS:
        return None
    step = max(1, max(image.shape[:2]) // 50)
    whole = np.ascontiguousarray(image[::step, ::step]).reshape(-1, 3).astype(np.float32) / 255.0
    scene = lab_of(whole)
    mean, spread = np.hypot(*scene[:, 1:].mean(0)), np.sqrt(scene[:, 1:].var(0).sum())
    if _levels(np.hypot(scene[:, 1], scene[:, 2]), 0.9)[0] < LEAST_CHROMA or mean > max(CAST, float(spread)):
        return None
    gains = white_of(whole)
    lab = lab_of((patch.reshape(-1, 3)[counts].astype(np.float32) / 255.0) * gains)
    share = weight.ravel()[counts]
    share = share / share.sum()
    light = lab[:, 0]
    if float((share * light).sum()) < LEAST_LIGHT or float(scene[:, 0].mean()) < NIGHT:
        return None
    plate = _plate(image, corners, gains)
    whites = (float(_levels(lab_of(whole * gains)[:, 0], 0.95)[0]), float(plate[0]), 100.0)
    order = np.argsort(light)
    places = np.minimum(np.searchsorted(np.cumsum(share[order]), QUANTILES), len(order) - 1)
    levels = np.append(light[order][places], float((share * light).sum()))
    against = [np.clip(levels / max(white, least), 0.0, 2.0) for white, least in zip(whites, (30, 12, 1), strict=True)]
    window = _window(image, corners, box, gains)
    picture = _picture(scene, whites, plate)
    return np.concatenate([_hues(lab, share), *against, *_around(*window, whites, picture), picture]).astype(np.float32)


def _picture(scene: Floats, whites: tuple[float, float, float], ground: Floats) -> Floats:
    """``LIGHT`` numbers about the whole picture's pixels ``scene`` (Lab), its whites and the plate (``_plate``)."""
    levels = _levels(scene[:, 0], 0.05, 0.25, 0.5, 0.75, 0.95)
    a, b = scene[:, 1:].mean(0) / 30
    chroma = np.hypot(scene[:, 1], scene[:, 2])
    plate, white = max(whites[1], 12.0), max(whites[0], 30.0)
    more = [a, b, chroma.mean() / 30, scene[:, 1:].std() / 30, plate / 100, white / 100, np.log(plate / white)]
    more += [np.log(max(levels[2], 8.0) / white), np.log((ground[1] + 3.0) / (plate + 3.0))]
    return np.concatenate([levels / 100, more, ground[1:4] / 100, ground[4:] / 30]).astype(np.float32)


def _window(
    image: NDArray[np.uint8], corners: Corners, box: Box | None, gains: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Lab of the square window round a plate, (n, 3), and which of its pixels count."""
    left, top, right, bottom = plate_region(corners)
    seen = cut(image, (left, top, right, bottom), WINDOW).reshape(-1, 3).astype(np.float32) / 255.0
    x = left + (_ACROSS / SIDE + 0.5) * (right - left)
    y = top + (_DOWN / SIDE + 1.0 - BELOW) * (bottom - top)
    counts = (x >= 0) & (y >= 0) & (x <= image.shape[1]) & (y <= image.shape[0])
    if box is not None:
        counts &= (x >= box[0]) & (y >= box[1]) & (x <= box[2]) & (y <= box[3])
    return lab_of(seen * gains), counts


def _centres() -> tuple[Floats, Floats]:
    """How far right and down of the plate's middle each pixel of the window is, in plate sizes, (n,) each."""
    along = (np.arange(WINDOW, dtype=np.float32) + 0.5) * (SIDE / WINDOW)
    x, y = np.meshgrid(along - SIDE / 2, along - SIDE * (1 - BELOW))
    return x.ravel(), y.ravel()


_ACROSS, _DOWN = _centres()
_OFF: Final = ~((np.abs(_ACROSS) < 0.6) & (np.abs(_DOWN) < 0.28))
_MASKS: Final = np.stack(
    [
        (np.abs(2 * _ACROSS - x1 - x2) < x2 - x1) & (np.abs(2 * _DOWN - y1 - y2) < y2 - y1) & _OFF
        for x1, y1, x2, y2 in PLACES
    ]
).astype(np.float32)
_BELLS: Final = np.exp(-0.5 * (_ACROSS**2 + ((_DOWN - _BELL[2]) / _BELL[1]) ** 2)) * _OFF
_FEW: Final = 12
"""Pixels that a place needs; one with fewer says what the place of them all says."""


def _around(
    lab: Floats, counts: NDArray[np.bool_], whites: tuple[float, float, float], picture: Floats
) -> tuple[Floats, Floats]:
    """The numbers of the places, and how the pixels are spread over hues and shades."""
    white, plate = max(whites[0], 30.0), max(whites[1], 12.0)
    middle = max(100.0 * float(picture[2]), 8.0)
    light, a, b = lab.T
    chroma = np.hypot(a, b)
    order = np.argsort(light)
    masks = _MASKS * counts
    if masks[-1].sum() < _FEW:
        masks[-1] = counts
    totals = masks.sum(1)
    masks[totals < _FEW] = masks[-1]
    totals = np.maximum(masks.sum(1, keepdims=True), 1.0)
    sums = np.cumsum(masks[:, order], 1) / totals
    ranks = np.stack([(sums < part).sum(1) for part in (0.02, 0.15, 0.4, 0.6, 0.85)], 1)
    levels = light[order][np.minimum(ranks, len(order) - 1)]  # (places, 5)
    paint = masks * (light >= levels[:, 1:2]) * (light <= levels[:, 4:5])
    upper = masks * (light >= levels[:, 2:3])
    cast = np.stack([a, b, a / (light + 8) * 60, b / (light + 8) * 60, chroma], 1) / 20
    inner = paint @ cast / np.maximum(paint.sum(1, keepdims=True), 1.0)
    bright = upper @ cast[:, :2] / np.maximum(upper.sum(1, keepdims=True), 1.0)
    dark, low, lower, higher, high = levels.T + 3.0
    ratios = [lower / plate, higher / plate, higher / white, higher / middle, high / low, high / plate, higher / dark]
    places = np.concatenate([levels[:, 1:] / 100, np.log(np.stack(ratios, 1)), inner, bright], 1)
    return places.astype(np.float32).ravel(), _spread(lab, _BELLS * counts, plate, white)


def _spread(lab: Floats, weight: Floats, plate: float, white: float) -> Floats:
    """The share of the pixels that has each tint and each shade, and the colour of the mean."""
    some = weight > 0.02
    light, a, b = lab[some].T
    share = weight[some] / max(float(weight[some].sum()), 1e-6)
    chroma, angle = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    tint: NDArray[np.int64] = np.asarray(np.searchsorted(TINTS[1:], angle, "right"), np.int64)
    tint[angle >= TINTS[0]] = 0
    seen = np.stack(
        [(chroma > level) & (light > 8) for level in TINT_LEVELS] + [(chroma > 0.35 * (light + 8)) & (light > 8)]
    )
    tints = [np.bincount(tint, share * one, len(TINTS)) for one in seen]
    plain = share * (chroma < 14)
    shades = [_counted(PLATE_SHADES, light / plate, plain), _counted(WHITE_SHADES, light / white, plain)]
    mean = share @ np.stack([light / 100, a / 20, b / 20, chroma / 20], 1)
    return np.concatenate([*tints, *shades, mean]).astype(np.float32)


def _counted(edges: tuple[float, ...], values: Floats, weight: Floats) -> NDArray[np.float64]:
    """The weight of the values from each edge on."""
    place: NDArray[np.int64] = np.asarray(np.searchsorted(edges, values, "right"), np.int64) - 1
    return np.asarray(np.bincount(place, weight, len(edges)), np.float64)


def _nearest() -> NDArray[np.int64]:
    """The hue that each degree of the CIE circle belongs to."""
    angle = np.arange(361)
    middles, widths = np.array([hue[1] for hue in HUES]), np.array([hue[2] for hue in HUES])
    return (np.abs((angle[:, None] - middles + 180) % 360 - 180) / widths).argmin(1)


_NEAREST: Final = _nearest()
_BLUISH: Final = np.array([2.0 if hue[0] in ("blue", "cyan") else 0.0 for hue in HUES])
"""More chroma is asked of these hues: the sky is reflected."""


def _hues(lab: Floats, share: Floats) -> Floats:
    """The share of the pixels that has each hue."""
    light, a, b = lab.T
    chroma, angle = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    nearest = _NEAREST[angle.astype(np.int64)]
    least = 10.0 + 0.05 * light + _BLUISH[nearest]
    has = share / (1.0 + np.exp(np.clip(-(chroma - least) / 2.0, -30, 30))) * np.clip((light - 5.0) / 8.0, 0.0, 1.0)
    return np.bincount(nearest, has, len(HUES)).astype(np.float32)


def _plate(image: NDArray[np.uint8], corners: Corners, gains: Floats) -> Floats:
    """Six numbers about a plate's middle: CIE lightness of its ground, of its darkest and brightest part and of
    half of it, and a and b of the ground; white paper where there is no plate to look at."""
    try:
        plate = rectify(image, corners, (64, 20), (-0.06, -0.12))
    except RectifyError:
        return np.array([100.0, 0.0, 100.0, 100.0, 0.0, 0.0], np.float32)
    lab = lab_of(plate.reshape(-1, 3).astype(np.float32) / 255.0 * gains)
    dark, half, ground, bright = _levels(lab[:, 0], 0.08, 0.5, 0.8, 0.96)
    paper = lab[lab[:, 0] >= max(half, ground - 6.0), 1:].mean(0)
    return np.array([ground, dark, bright, half, *paper], np.float32)

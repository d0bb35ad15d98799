"""The colour of a vehicle's paint: one of the ten names of the wire protocols, by colour science and 60 fitted numbers.

How it goes
1. *The place.* Paint is looked for round the plate, in plate sizes (``lpr.vision.vehicle_region``): bumper and flanks
   to its left and right, bonnet or boot above it. Windows and roof lie higher, the road lower; the plate itself is left
   out, and so is what lies outside the vehicle's box where that is known.
2. *The light.* Its colour is estimated from the whole picture (Finlayson and Trezzi 2004, "Shades of gray and colour
   constancy") and half corrected. Lightness counts against three whites: the brightest of the picture, the plate's own
   ground (which lies in the same light as the paint), and white itself.
3. *What is told at all.* A picture without colour (infrared at night, monochrome cameras), one that is drowned in one
   colour (sodium lamps, a camera without infrared filter) and one too dark say "unknown".
4. *The vote of the pixels.* Each pixel in CIE Lab is chromatic or not; the share of the chromatic ones of each hue, and
   the lightness of the darkest to the brightest fifth, give a score for each colour (``PaintModel``): hues have one
   line in common, black, grey and white one each.

The numbers were fitted on photographs of train/ whose colours were named by eye (``tools/train/vehicle_colour.py``);
figures in docs/vehicles.md. Arrays only; may import ``lpr.vision`` (manifest, rectify, vehicle_region), ``lpr.events``,
cv2, msgspec and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners
from lpr.vision.manifest import ModelError, load_manifest
from lpr.vision.rectify import RectifyError, rectify
from lpr.vision.vehicle_region import plate_size

__all__ = [
    "HUES",
    "NOTHING",
    "PAINT_MODEL",
    "SHADES",
    "UNKNOWN",
    "Paint",
    "PaintModel",
    "load_paint",
    "measured",
    "paint_of",
]

UNKNOWN: Final = "unknown"
PAINT_MODEL: Final = Path(__file__).parent / "models" / "vehicle_colour.json"
"""The fitted numbers that come with the package."""

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

SHADES: Final = ("white", "gray", "black")
"""Names of paints without a hue."""

QUANTILES: Final = (0.2, 0.4, 0.6, 0.8, 0.93)
"""Where the lightness of the paint is taken, as shares of its pixels from the darkest on; their mean comes last."""

FEATURES: Final = len(HUES) + 3 * (len(QUANTILES) + 1)
"""Numbers of a measurement: a share a hue; lightness against the picture's white, the plate's, and white itself."""

ZONE: Final = (-1.9, -1.5, 1.9, 0.7)
"""Where paint is looked for: left, top, right, bottom of the plate's middle, in plate sizes."""
GRID: Final = (76, 44)
"""Width and height of the patch that is looked at, pixels: 20 a plate size."""
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
LEAST_PIXELS: Final = 100
"""Pixels of the patch that have to count."""


@dataclass(frozen=True, slots=True)
class Paint:
    """``colour``: a name of ``lpr.events.COLOURS``; ``confidence``: probability that it is right, 0 with "unknown"."""

    colour: str
    confidence: float


NOTHING: Final = Paint(UNKNOWN, 0.0)


class PaintModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fitted numbers. A hue scores ``hue_gain`` times its share of pixels and ``hue_offset`` (``red_offset``: lamps
    are red, too); a shade scores a weighted sum of the lightnesses, ``shades`` (19 numbers each, the last constant).
    The softmax of the scores are the probabilities; one below ``min_confidence`` is "unknown"."""

    kind: str
    name: str
    hue_gain: float
    hue_offset: float
    red_offset: float
    shades: dict[str, tuple[float, ...]]
    min_confidence: float = 0.45
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError."""
        count = FEATURES - len(HUES) + 1
        if set(self.shades) != set(SHADES) or any(len(row) != count for row in self.shades.values()):
            raise ModelError(f"{path}: shades needs {count} numbers each for {', '.join(SHADES)}")


def load_paint(path: Path = PAINT_MODEL) -> PaintModel:
    """The numbers in a file. Raises ModelError."""
    model = load_manifest(path, PaintModel)
    model.check(path)
    return model


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


def paint_patch(image: NDArray[np.uint8], corners: Corners, box: Box | None) -> tuple[NDArray[np.uint8], Floats]:
    """The surroundings of a plate, (44, 76, 3) BGR, and how much each pixel counts, (44, 76), 0 outside the vehicle."""
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
    step = max(1, max(image.shape[:2]) // 90)
    whole = np.ascontiguousarray(image[::step, ::step]).reshape(-1, 3).astype(np.float32) / 255.0
    scene = lab_of(whole)
    mean, spread = np.hypot(*scene[:, 1:].mean(0)), np.sqrt(scene[:, 1:].var(0).sum())
    if np.percentile(np.hypot(scene[:, 1], scene[:, 2]), 90) < LEAST_CHROMA or mean > max(CAST, float(spread)):
        return None
    gains = white_of(whole)
    lab = lab_of((patch.reshape(-1, 3)[counts].astype(np.float32) / 255.0) * gains)
    share = weight.ravel()[counts]
    share = share / share.sum()
    light = lab[:, 0]
    if float((share * light).sum()) < LEAST_LIGHT or float(scene[:, 0].mean()) < NIGHT:
        return None
    whites = (float(np.percentile(lab_of(whole * gains)[:, 0], 95)), _plate_white(image, corners, gains), 100.0)
    order = np.argsort(light)
    places = np.minimum(np.searchsorted(np.cumsum(share[order]), QUANTILES), len(order) - 1)
    levels = np.append(light[order][places], float((share * light).sum()))
    against = [np.clip(levels / max(white, least), 0.0, 2.0) for white, least in zip(whites, (30, 12, 1), strict=True)]
    return np.concatenate([_hues(lab, share), *against]).astype(np.float32)


def _hues(lab: Floats, share: Floats) -> Floats:
    """The share of the pixels that has each hue."""
    light, a, b = lab.T
    chroma, angle = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    middles, widths = np.array([hue[1] for hue in HUES]), np.array([hue[2] for hue in HUES])
    nearest = (np.abs((angle[:, None] - middles + 180) % 360 - 180) / widths).argmin(1)
    bluish = np.array([hue[0] in ("blue", "cyan") for hue in HUES])[nearest]  # the sky is reflected
    least = 10.0 + 0.05 * light + 2.0 * bluish
    has = share / (1.0 + np.exp(np.clip(-(chroma - least) / 2.0, -30, 30))) * np.clip((light - 5.0) / 8.0, 0.0, 1.0)
    return np.bincount(nearest, has, len(HUES)).astype(np.float32)


def _plate_white(image: NDArray[np.uint8], corners: Corners, gains: Floats) -> float:
    """CIE lightness of the brighter part of a plate's middle; 100 where there is no plate to look at."""
    try:
        plate = rectify(image, corners, (64, 20), (-0.06, -0.12))
    except RectifyError:
        return 100.0
    return float(np.percentile(lab_of(plate.reshape(-1, 3).astype(np.float32) / 255.0 * gains)[:, 0], 80))


def probabilities(measurement: Floats, model: PaintModel) -> dict[str, float]:
    """The probability of each colour."""
    hues = measurement[: len(HUES)].astype(np.float64) * model.hue_gain + model.hue_offset
    hues[0] += model.red_offset - model.hue_offset
    levels = np.append(measurement[len(HUES) :], 1.0).astype(np.float64)
    scores = np.append(hues, [float(levels @ np.array(model.shades[shade])) for shade in SHADES])
    chances = np.exp(scores - scores.max())
    names = (*(hue[0] for hue in HUES), *SHADES)
    return dict(zip(names, (chances / chances.sum()).tolist(), strict=True))


def paint_of(image: NDArray[np.uint8], corners: Corners, box: Box | None, model: PaintModel) -> Paint:
    """The colour of a vehicle's paint; arguments as ``measured`` takes them."""
    measurement = measured(image, corners, box)
    if measurement is None:
        return NOTHING
    chances = probabilities(measurement, model)
    colour = max(chances, key=lambda name: (chances[name], name))
    return Paint(colour, chances[colour]) if chances[colour] >= model.min_confidence else NOTHING


INK_WIDTH: Final = 64.0
"""A plate narrower than this, in pixels, has no room for the colour of its ink."""
INK_CHROMA: Final = 22.0
"""CIE chroma from which the ink of a plate has a colour; below ``INK_BLACK`` it has none, between nothing is said."""
INK_BLACK: Final = 12.0


def ink_of(image: NDArray[np.uint8], corners: Corners) -> str | None:
    """The colour of a plate's characters: "black", "red", "blue", "green", "orange", "gray" or "white"; None untold.

    ``image``: (H, W, 3) BGR uint8. The characters are what stands out most from the ground in the plate's middle;
    their thin strokes mix with it, so the darkest tenth (on a light ground) is what is looked at. Says nothing of a
    plate under ``INK_WIDTH`` pixels, of a monochrome picture and of too little contrast.
    """
    width = np.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
    if width < INK_WIDTH:
        return None
    try:
        plate = rectify(image, corners, (96, 32), (-0.05, -0.12))
    except RectifyError:
        return None
    pixels = plate[8:].reshape(-1, 3).astype(np.float32) / 255.0
    if float((pixels.max(1) - pixels.min(1)).max()) < 0.02:  # monochrome
        return None
    lab = lab_of(pixels)
    low, middle, high = np.percentile(lab[:, 0], [10, 50, 92])
    if high - low < 25.0:
        return None
    on_light = high - middle <= middle - low
    ground = lab[lab[:, 0] >= np.percentile(lab[:, 0], 60)] if on_light else lab[lab[:, 0] <= middle]
    ink = lab[lab[:, 0] <= low] if on_light else lab[lab[:, 0] >= high]
    if not on_light:
        return "white" if float(np.hypot(*ink[:, 1:].mean(0))) < INK_CHROMA else None
    # Against the ground, so that a cast of the light doesn't colour black letters.
    cast = ground[:, 1:].mean(0)
    if float(np.hypot(*cast)) > INK_CHROMA:
        return "black" if float(np.hypot(*ink[:, 1:].mean(0))) < INK_BLACK else None
    a, b = ink[:, 1:].mean(0) - 0.5 * cast
    chroma = float(np.hypot(a, b))
    if chroma < INK_BLACK:
        return "black" if float(ink[:, 0].mean()) < 45.0 else "gray"
    if chroma < INK_CHROMA:
        return None
    angle = float(np.degrees(np.arctan2(b, a)) % 360)
    name = min(HUES, key=lambda hue: abs((angle - hue[1] + 180) % 360 - 180) / hue[2])[0]
    return {"cyan": "blue", "violet": "blue", "yellow": "orange"}.get(name, name)

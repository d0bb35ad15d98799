"""What a clean drawn plate lacks: pictures in its ground, stickers, dirt, dealers' frames, softness.

The reader's training has its own wear (``tools.train.spoil``); this one is for plates that are only to be found, in
colour and cheap enough for a bank of thousands.

May import: numpy, OpenCV, ``tools.train.detector_paste``.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train.detector_paste import FONTS, words

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ   "


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn plate, BGR uint8 [h, w, 3], with what surrounds it. ``inner``: the plate itself in the picture, (x1, y1,
    x2, y2) in pixels."""

    picture: Image
    inner: tuple[int, int, int, int]

    @property
    def aspect(self) -> float:
        """Width to height of the plate itself."""
        x1, y1, x2, y2 = self.inner
        return (x2 - x1) / (y2 - y1)

    def outer(self, corners: Array) -> Array:
        """Where the picture's corners [4, 2] come to lie when the plate's own come to ``corners``."""
        x1, y1, x2, y2 = self.inner
        h, w = self.picture.shape[:2]
        if (x1, y1, x2, y2) == (0, 0, w, h):
            return corners
        source = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
        matrix = np.asarray(cv2.getPerspectiveTransform(source, corners.astype(np.float32)), float)
        points = np.array([[0, 0, 1], [w, 0, 1], [w, h, 1], [0, h, 1]], float) @ matrix.T
        return points[:, :2] / points[:, 2:]


def _cloud(rng: np.random.Generator, height: int, width: int, cells: int) -> Array:
    coarse = rng.random((cells, cells * 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float64)


def _ground(rng: np.random.Generator, plate: Image) -> Image:
    """A landscape or a run of colours behind the characters, as American states print them."""
    h, w = plate.shape[:2]
    colours = rng.integers(60, 256, (2, 3)).astype(float)
    run = np.linspace(0, 1, h)[:, None] if rng.random() < 0.6 else np.linspace(0, 1, w)[None, :]
    mix = np.broadcast_to(np.clip(run * rng.uniform(0.5, 3.0) - rng.uniform(0, 1.5), 0, 1), (h, w))
    if rng.random() < 0.6:
        mix = (mix + (_cloud(rng, h, w, int(rng.integers(2, 7))) > rng.uniform(0.4, 0.8))) / 2
    field = (colours[0] + mix[:, :, None] * (colours[1] - colours[0])) / 255
    strength = rng.uniform(0.15, 0.8)
    return np.clip(plate * (1 - strength + strength * field), 0, 255).astype(np.uint8)


def _stickers(rng: np.random.Generator, plate: Image) -> None:
    h, w = plate.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        sw, sh = int(w * rng.uniform(0.06, 0.16)), int(h * rng.uniform(0.1, 0.26))
        at_left, at_top = rng.random() < 0.5, rng.random() < 0.6
        x = int(w * rng.uniform(0.01, 0.08)) if at_left else w - sw - int(w * rng.uniform(0.01, 0.08))
        y = int(h * rng.uniform(0.02, 0.1)) if at_top else h - sh - int(h * rng.uniform(0.02, 0.1))
        if rng.random() < 0.3:  # a seal between the characters
            x, y = int(w * rng.uniform(0.35, 0.55)), int(h * rng.uniform(0.35, 0.5))
        plate[y : y + sh, x : x + sw] = rng.integers(0, 256, 3)


def _worn(rng: np.random.Generator, plate: Image) -> Image:
    h, w = plate.shape[:2]
    dirt = np.clip((_cloud(rng, h, w, int(rng.integers(2, 6))) - rng.uniform(0.2, 0.6)) * 2.5, 0, 1) * rng.uniform(
        0.2, 0.8
    )
    colour = rng.integers(30, 140, 3).astype(float)
    return np.clip(plate + (colour - plate) * dirt[:, :, None], 0, 255).astype(np.uint8)


def framed(rng: np.random.Generator, plate: Image) -> Drawn:
    """``plate`` in a holder or a dealer's frame, which covers its rim and often carries a name."""
    h, w = plate.shape[:2]
    inside = (rng.uniform(0.0, 0.09, 4) * h).astype(int)
    outside = (rng.uniform(0.02, 0.12, 4) * h).astype(int) + 1
    for side in (1, 3):
        if rng.random() < 0.4:
            outside[side] = int(h * rng.uniform(0.1, 0.25))
        if rng.random() < 0.25:
            inside[side] = int(h * rng.uniform(0.08, 0.2))
    left, top, right, bottom = (int(v) for v in outside)
    chrome = rng.random() < 0.35
    ground = np.full(3, rng.uniform(110, 240)) if chrome else rng.uniform(5, 70) + rng.uniform(0, 20, 3)
    if rng.random() < 0.1:
        ground = rng.integers(0, 256, 3).astype(float)
    out = np.full((h + top + bottom, w + left + right, 3), ground, np.uint8)
    shade = np.linspace(rng.uniform(0.7, 1.3), rng.uniform(0.7, 1.3), out.shape[0])[:, None, None]
    out = np.clip(out * shade, 0, 255).astype(np.uint8)
    seen = plate[inside[1] : h - inside[3], inside[0] : w - inside[2]]
    out[top + inside[1] : top + h - inside[3], left + inside[0] : left + w - inside[2]] = seen
    ink = 235.0 if ground.mean() < 110 else 20.0
    for upper in (True, False):
        room = top + int(inside[1]) if upper else bottom + int(inside[3])
        if room < 6 or rng.random() < 0.35:
            continue
        text, font = words(rng, 4, 20, LETTERS), FONTS[int(rng.integers(0, 2))]
        scale = room / 36 * float(rng.uniform(0.7, 1.0))
        (across, _), _ = cv2.getTextSize(text, font, scale, 1)
        x = max((out.shape[1] - across) // 2, 0)
        y = int(room * 0.8) if upper else out.shape[0] - int(room * 0.25)
        cv2.putText(out, text, (x, y), font, scale, (ink, ink, ink), 1, cv2.LINE_AA)
    return Drawn(out, (left, top, left + w, top + h))


def dress(rng: np.random.Generator, plate: Image) -> Drawn:
    """``plate`` (BGR uint8, a clean drawing that is left as it is) as it is met on a road."""
    out = plate.copy()
    if rng.random() < 0.3:
        out = _ground(rng, out)
    if rng.random() < 0.35:
        _stickers(rng, out)
    if rng.random() < 0.3:
        out = _worn(rng, out)
    if rng.random() < 0.15:  # a tired print: little between ground and ink
        mean = out.reshape(-1, 3).mean(0)
        out = np.clip(mean + (out - mean) * rng.uniform(0.3, 0.8), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        return framed(rng, out)
    h, w = out.shape[:2]
    return Drawn(out, (0, 0, w, h))


def softened(rng: np.random.Generator, picture: Image, width: float) -> Image:
    """``picture`` as a lens less sharp than the drawing gives it where it comes to be ``width`` pixels wide."""
    small = max(int(width * rng.uniform(0.45, 1.0)), 6)
    if small >= picture.shape[1]:
        return picture
    high = max(int(small * picture.shape[0] / picture.shape[1]), 4)
    return np.asarray(cv2.resize(picture, (small, high), interpolation=cv2.INTER_AREA), np.uint8)

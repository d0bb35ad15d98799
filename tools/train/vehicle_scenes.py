"""Pictures with vehicles for the training of the finder: photographs and rendered streets, cut to its input.

Boxes of which less than ``LEAST_SEEN`` stays in the cut, boxes that only one of the labelling detectors saw, and tiny
ones neither teach nor deny. May import torch, numpy, OpenCV, ``lpr.scene``, ``lpr.plates.boxes`` and the other
``tools.train`` modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lpr.events import Box
from lpr.plates.boxes import area
from lpr.scene.street import Street
from tools.train.detector_photo import photograph
from tools.train.vehicle_data import load, pictures
from tools.train.vehicle_net import FINDER_SIZE, STRIDE

__all__ = ["Scene", "batch", "photographs", "rendered"]

Image = NDArray[np.uint8]

_torch: Any = torch  # for the functions of torch that carry no types
LEAST_SEEN: Final = 0.4
LEAST_SIDE: Final = 12.0
"""Vehicles less wide or high than this in the network's input neither teach nor deny, pixels."""
SHARE: Final = 0.6
"""A vehicle of n positive cells counts n to the power of 1 - SHARE."""
RENDERED_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture (H, W, 3) BGR, the boxes of its vehicles, and places of which nothing is known."""

    image: Image
    boxes: tuple[Box, ...]
    unknown: tuple[Box, ...]
    held: bool


def photographs(data: Path, limit: int | None = None) -> list[Scene]:
    """The photographs, at most 512 pixels long."""
    found: list[Scene] = []
    for name in ("openimages_lp", "ro_robertlucian"):
        for picture in pictures(data / name)[:limit]:
            image = load(picture.path)
            scale = min(1.0, 512 / max(image.shape[:2]))
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            boxes = tuple(scaled(box, scale) for box, _ in picture.vehicles)
            found.append(Scene(small, boxes, tuple(scaled(box, scale) for box in picture.uncertain), picture.held))
    return found


def rendered(count: int, seed: int) -> list[Scene]:
    """Frames of rendered streets, 12 of each, by day, dusk and night. Vehicles mostly hidden are unknown."""
    found: list[Scene] = []
    while len(found) < count:
        number = seed + len(found) // 12
        street = Street(number, 512, 288, rate=0.4, start=31.0 * number)
        for index in range(min(12, count - len(found))):
            boxes: list[Box] = []
            unknown: list[Box] = []
            for truth in street.vehicles_at(index):
                if truth.box is not None:
                    (boxes if truth.visible >= 0.3 or truth.box[3] >= street.height else unknown).append(truth.box)
            found.append(Scene(street.frame(index), tuple(boxes), tuple(unknown), number % 7 == 0))
    return found


def scaled(box: Box, factor: float, x: float = 0.0, y: float = 0.0) -> Box:
    """A box after scaling by ``factor`` and then moving by (x, y)."""
    return (box[0] * factor + x, box[1] * factor + y, box[2] * factor + x, box[3] * factor + y)


def clipped(box: Box) -> Box:
    """The part of a box inside the network's input."""
    width, height = FINDER_SIZE
    return (max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3]))


def view(rng: np.random.Generator, scene: Scene) -> tuple[Image, list[Box], list[Box]]:
    """A random part of a scene as the network's input: the picture, its boxes and what is unknown."""
    width, height = FINDER_SIZE
    rows, columns = scene.image.shape[:2]
    whole = min(width / columns, height / rows)
    scale = whole * float(np.exp(rng.uniform(-0.25, 0.75)))
    if scene.boxes:
        largest = max(max(box[2] - box[0], box[3] - box[1]) for box in scene.boxes)
        scale = float(np.clip(scale, 14 / largest, 400 / largest))
    free_x, free_y = width - columns * scale, height - rows * scale
    x = float(rng.uniform(min(0.0, free_x), max(0.0, free_x)))
    y = float(rng.uniform(min(0.0, free_y), max(0.0, free_y)))
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    source = scene.image
    if scale < 0.6:
        source = np.asarray(cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, :2] *= 2.0
    grey = (114, 114, 114)
    image = np.asarray(cv2.warpAffine(source, matrix, (width, height), borderValue=grey), np.uint8)
    boxes = [scaled(box, scale, x, y) for box in scene.boxes]
    unknown = [scaled(box, scale, x, y) for box in scene.unknown]
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        boxes = [(width - box[2], box[1], width - box[0], box[3]) for box in boxes]
        unknown = [(width - box[2], box[1], width - box[0], box[3]) for box in unknown]
    if rng.random() < 0.3:
        image = np.ascontiguousarray(image[..., rng.permutation(3)])
    kept: list[Box] = []
    for box in boxes:
        seen = clipped(box)
        big = min(seen[2] - seen[0], seen[3] - seen[1]) >= LEAST_SIDE
        if area(seen) >= LEAST_SEEN * area(box) and big:
            kept.append(seen)
        elif area(seen) > 0:
            unknown.append(seen)
    return photograph(rng, image), kept, [clipped(box) for box in unknown]


def targets(boxes: list[Box], unknown: list[Box]) -> NDArray[np.float32]:
    """[7, 10, 16]: heat, weight of the heat, weight of the box, box."""
    width, height = FINDER_SIZE
    h, w = height // STRIDE, width // STRIDE
    out = np.zeros((7, h, w), np.float32)
    out[1] = 1.0
    ys, xs = np.mgrid[0:h, 0:w]
    px, py = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
    for x1, y1, x2, y2 in unknown:
        out[1][(px > x1) & (px < x2) & (py > y1) & (py < y2)] = 0.0
    for x1, y1, x2, y2 in sorted(boxes, key=lambda box: -area(box)):
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        rx, ry = max((x2 - x1) * 0.25, 6.0), max((y2 - y1) * 0.25, 6.0)
        distance = ((px - cx) / rx) ** 2 + ((py - cy) / ry) ** 2
        nearest = (min(int(cy // STRIDE), h - 1), min(int(cx // STRIDE), w - 1))
        distance[nearest] = min(float(distance[nearest]), 0.05)
        positive = distance <= 1.0
        inside = (px > x1) & (px < x2) & (py > y1) & (py < y2)
        out[1][inside & ~positive] = 0.3
        bell = np.exp(-1.0 * distance) * (distance < 4.0)
        out[0] = np.maximum(np.where(inside | positive, bell, 0.0), np.where(positive, 0.0, out[0]))
        weight = float(positive.sum()) ** -SHARE
        out[1][positive] = weight
        out[2][positive] = weight
        out[3:7, positive] = np.array([x1, y1, x2, y2], np.float32)[:, None]
    return out


def batch(rng: np.random.Generator, photos: list[Scene], drawn: list[Scene], count: int) -> tuple[Tensor, Tensor]:
    """(pictures [count, 3, 160, 256] 0 to 1, targets [count, 7, 10, 16])."""
    images: list[Image] = []
    told: list[NDArray[np.float32]] = []
    for _ in range(count):
        group = drawn if drawn and (not photos or rng.random() < RENDERED_SHARE) else photos
        image, boxes, unknown = view(rng, group[int(rng.integers(len(group)))])
        images.append(image)
        told.append(targets(boxes, unknown))
    x = _torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255.0)
    return x, _torch.from_numpy(np.stack(told))

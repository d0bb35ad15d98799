"""The demo street's ground: carriageway with its marks, kerbs, pavements, lawn; computed for each pixel.

Imports ``lpr.scene``, numpy and OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.scene.camera import PinholeCamera
from lpr.scene.raster import Colour, Image, cloudiness

Field: TypeAlias = NDArray[np.floating[Any]]
"""A value for each pixel."""

ROAD = 3.15
"""Half the carriageway, metres."""
PAVEMENT = 6.1
"""Where the pavement ends, metres from the middle of the road."""
CROSSING = (18.0, 20.6)
"""The pedestrian crossing, metres from the camera."""


class Ground:
    """The ground as ``camera`` sees it. ``trees``, ``lamps``: (x, z) of what shades and lights it, metres."""

    def __init__(
        self,
        camera: PinholeCamera,
        seed: int,
        trees: Sequence[tuple[float, float]],
        lamps: Sequence[tuple[float, float]],
    ) -> None:
        self.camera, self.seed = camera, seed
        self._trees, self._lamps = trees, lamps

    @cached_property
    def _surface(self) -> tuple[int, Field, Field, Field]:
        """The ground by plain light: first row that shows it, colours (h, W, 3), and x and z of every pixel (h, W)."""
        camera = self.camera
        width, height = camera.width, camera.height
        to_ground = np.linalg.inv(camera.matrix[:, [0, 2, 3]])
        slant = abs(camera.horizon(-0.5) - camera.horizon(0.5))
        first = min(max(int(camera.horizon() - slant), 0), height - 1)
        rows, cols = np.mgrid[first:height, 0:width].astype(np.float32) + np.float32(0.5)
        world = np.stack([cols, rows, np.ones_like(rows)], -1) @ to_ground.T.astype(np.float32)
        w = world[..., 2]
        seen = (w > 1e-5) & (world[..., 1] > 0)
        x = np.where(seen, world[..., 0] / np.where(seen, w, 1), 0.0)
        z = np.where(seen, np.clip(world[..., 1] / np.where(seen, w, 1), 0.5, 2000), 2000.0)
        f = camera.focal * width
        fx = z / f  # metres a pixel, across
        fz = np.clip(z * z / (f * camera.y), 1e-4, None)  # metres a pixel, along

        rng = np.random.default_rng([self.seed, 17])
        grain = rng.normal(0, 1, (512, 512)).astype(np.float32)
        broad = cloudiness(rng, 512, 512, 6, 5) - 0.5
        fine = _sample(grain, x * 42, z * 42) * np.clip(0.02 / fz, 0, 1)
        middle = _sample(cv2.GaussianBlur(grain, (0, 0), 1.6) * 4, x * 16, z * 16) * np.clip(0.06 / fz, 0, 1)
        wide = _sample(broad.astype(np.float32), x * 9, z * 5) * 2

        asphalt = np.array([104, 102, 100], np.float32) + np.zeros((*x.shape, 3), np.float32)
        texture = 1 + 0.05 * fine + 0.04 * middle + 0.10 * wide
        for lane in (-1.55, 1.55):
            for track in (-0.78, 0.78):
                texture -= 0.055 * np.exp(-(((x - lane - track) / 0.26) ** 2))
            texture -= 0.05 * np.exp(-(((x - lane) / 0.22) ** 2))
        road = asphalt * texture[..., None]
        # repairs in the surface
        for px, pz, pw, pl, tone in ((1.1, 8.2, 1.2, 1.5, 0.86), (-2.2, 12.5, 0.9, 2.6, 0.9), (-0.9, 27, 1.4, 3, 0.88)):
            share = _between(x, px, px + pw, fx) * _between(z, pz, pz + pl, fz)
            road *= (1 - share * (1 - tone))[..., None]
        disc = np.sqrt((x - 0.85) ** 2 + (z - 12.1) ** 2)
        road *= (1 - 0.45 * _between(disc, 0.29, 0.33, fx * 2) - 0.14 * _between(disc, -1, 0.29, fx * 2))[..., None]

        worn = 1 - 0.3 * np.clip(wide + 0.35 * middle, 0, 1)
        white, yellow = np.array([216, 222, 222], np.float32), np.array([66, 176, 226], np.float32)
        away = 1 - _between(z, CROSSING[0] - 0.9, CROSSING[1] + 0.9, fz)
        for line in (-0.11, 0.11):
            share = _between(x, line - 0.055, line + 0.055, fx) * worn * away * 0.9
            road = road * (1 - share[..., None]) + yellow * share[..., None]
        for line in (-ROAD + 0.28, ROAD - 0.28):
            share = _between(x, line - 0.06, line + 0.06, fx) * _dashes(z, 3.0, 1.2, fz) * worn * away * 0.75
            road = road * (1 - share[..., None]) + white * share[..., None]
        stripes = _dashes(x + 0.25, 0.9, 0.48, fx) * _between(z, *CROSSING, fz) * _between(x, -2.9, 2.9, fx)
        halts = _between(z, CROSSING[0] - 0.85, CROSSING[0] - 0.5, fz) * _between(x, 0.2, 2.9, fx)
        halts += _between(z, CROSSING[1] + 0.5, CROSSING[1] + 0.85, fz) * _between(x, -2.9, -0.2, fx)
        share = np.clip(stripes + halts, 0, 1) * worn * 0.92
        road = road * (1 - share[..., None]) + white * share[..., None]

        side = np.abs(x)
        joints = np.clip(_dashes(side, 0.6, 0.03, fx) + _dashes(z, 0.6, 0.03, fz), 0, 1)
        tone = (1 - 0.16 * joints) * (1 + 0.05 * middle + 0.10 * wide + 0.03 * fine)
        paving = np.array([150, 156, 160], np.float32) * tone[..., None]
        kerb = _between(side, ROAD, ROAD + 0.17, fx)
        gutter = _between(side, ROAD - 0.22, ROAD, fx)
        road *= (1 - 0.13 * gutter)[..., None]
        lawn = np.array([52, 98, 82], np.float32) * (1 + 0.22 * middle + 0.22 * wide + 0.1 * fine)[..., None]
        on_road = _between(side, -1, ROAD, fx)[..., None]
        on_lawn = np.clip((side - PAVEMENT) / fx + 0.5, 0, 1)[..., None]
        ground = road * on_road + (paving * (1 - on_lawn) + lawn * on_lawn) * (1 - on_road)
        stone = 1 + 0.05 * fine + 0.05 * wide - 0.2 * _dashes(z, 1.0, 0.03, fz)
        edge = np.array([186, 188, 188], np.float32) * stone[..., None]
        ground = ground * (1 - kerb[..., None]) + edge * kerb[..., None]
        for tx, tz in self._trees:
            shade = np.exp(-(((x - tx) / 1.5) ** 2) - ((z - tz) / 1.9) ** 2)
            ground *= (1 - 0.24 * shade)[..., None]
        return first, ground, x, z

    def lay(self, image: Image, gain: Colour, lamps: float, haze: Colour) -> None:
        """Lay the ground into the picture under a light."""
        first, surface, x, z = self._surface
        light = np.array(gain, np.float32) + np.zeros((*x.shape, 3), np.float32)
        if lamps:
            warm, plain = np.array([0.50, 0.80, 1.0], np.float32), np.array([0.95, 1.0, 1.0], np.float32)
            for lx, lz in self._lamps:
                pool = np.exp(-(((x - lx + 1.1 * float(np.sign(lx))) / 3.0) ** 2) - ((z - lz) / 3.6) ** 2)
                light += (0.38 * lamps * pool)[..., None] * warm
            own = np.exp(-((x / 3.4) ** 2) - ((z - 8.5) / 4.6) ** 2)
            light += (0.30 * lamps * own)[..., None] * plain
        far = (1 - np.exp(-z / 240))[..., None]
        ground = surface * light * (1 - far) + np.array(haze, np.float32) * far
        part = image[first:]
        part[:] = np.where((z < 1999)[..., None], np.clip(ground, 0, 255).astype(np.uint8), part)


def _sample(noise: NDArray[np.float32], x: Field, y: Field) -> Field:
    """Look noise up, bilinear and wrapped round."""
    h, w = noise.shape
    field = cv2.remap(noise, np.mod(x, w).astype(np.float32), np.mod(y, h).astype(np.float32), cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_WRAP)  # fmt: skip
    return field.astype(np.float32)


def _between(value: Field, low: float, high: float, foot: Field) -> Field:
    """1 where ``value`` is within ``low`` and ``high``, its edges as soft as a pixel is big (``foot``)."""
    return np.clip((value - low) / foot + 0.5, 0, 1) * np.clip((high - value) / foot + 0.5, 0, 1)


def _dashes(value: Field, period: float, length: float, foot: Field) -> Field:
    """1 on the first ``length`` of each ``period``, its mean where a pixel is too big to show them."""
    at = np.mod(value, period)
    share = length / period
    near = _between(at, 0.0, length, foot) + _between(at, period, period + length, foot)
    far = np.clip((foot / period - 0.25) * 2, 0, 1)
    return near * (1 - far) + share * far

"""The still part of the demo street: sky, hills, houses, trees and the road, by day, at dusk and by night.

Three pictures are drawn once; ``Backdrop.at(darkness)`` mixes them. Imports ``lpr.scene``, numpy and OpenCV.
"""

from __future__ import annotations

from functools import cached_property
from typing import cast

import cv2
import numpy as np

from lpr.scene.camera import NEAR, PinholeCamera
from lpr.scene.ground import Ground
from lpr.scene.raster import Colour, Image, Texture, cloudiness, glow, mix, paste, scale
from lpr.scene.town import House, front, houses, lamp, tree

FRONT = 6.9
"""Where the houses stand, metres from the middle of the road."""
LAMP_LIGHT: Colour = (120, 196, 255)


class Backdrop:
    """The street without its vehicles."""

    def __init__(self, camera: PinholeCamera, seed: int) -> None:
        self.camera, self.seed = camera, seed
        rng = np.random.default_rng([seed, 7])
        self._houses = houses(rng)
        self._trees = [(side * 4.9, z + float(rng.uniform(-1.5, 1.5)), int(rng.integers(0, 1 << 16)))
                       for side in (-1, 1) for z in (22.0, 36.0, 50.0, 66.0, 84.0, 104.0)]  # fmt: skip
        self._lamps = [(side * 3.75, z) for z in (84.0, 62.0, 43.0, 29.0, 15.5) for side in (-1, 1)]
        self._ground = Ground(camera, seed, [(x, z) for x, z, _ in self._trees], self._lamps)
        self._mixed: dict[int, Image] = {}

    # --- mixing -----------------------------------------------------------------------------------------

    def at(self, darkness: float) -> Image:
        """The picture at a ``darkness`` from 0 (day) over 0.5 (dusk) to 1 (night). Not to be written to."""
        step = round(darkness * 128)
        if step in (0, 64, 128):
            return self.day if step == 0 else self.dusk if step == 64 else self.night
        if step not in self._mixed:
            if len(self._mixed) >= 3:
                self._mixed.pop(next(iter(self._mixed)))
            if step <= 64:
                first, second, share = self.day, self.dusk, step / 64
            else:
                first, second, share = self.dusk, self.night, (step - 64) / 64
            self._mixed[step] = cast("Image", cv2.addWeighted(first, 1 - share, second, share, 0))
        return self._mixed[step]

    @cached_property
    def day(self) -> Image:
        """By day."""
        sky = self._sky((214, 168, 116), (236, 222, 206), (244, 240, 236), 0.75)
        return self._compose(sky, night=False, haze=(226, 216, 204), gain=(1.0, 1.0, 1.0))

    @cached_property
    def dusk(self) -> Image:
        """Shortly after sunset."""
        sky = self._sky((110, 70, 62), (120, 150, 232), (150, 140, 190), 0.6)
        return self._compose(sky, night=True, haze=(112, 112, 160), gain=(0.50, 0.45, 0.47), lamps=0.55)

    @cached_property
    def night(self) -> Image:
        """By night: lamps, lit windows and the camera's own light."""
        sky = self._sky((30, 20, 14), (52, 38, 34), (44, 36, 34), 0.35, stars=True)
        return self._compose(sky, night=True, haze=(44, 34, 32), gain=(0.215, 0.19, 0.175), lamps=1.0)

    # --- drawing ----------------------------------------------------------------------------------------

    def _sky(self, top: Colour, bottom: Colour, cloud: Colour, cover: float, stars: bool = False) -> Image:
        width, height = self.camera.width, self.camera.height
        rng = np.random.default_rng([self.seed, 11])
        rows = np.clip(np.arange(height) / max(self.camera.horizon() * 1.05, 1.0), 0, 1)[:, None, None] ** 0.8
        sky = np.array(top) * (1 - rows) + np.array(bottom) * rows + np.zeros((1, width, 1))
        if stars:
            spots = rng.random((height, width)) < 0.0009
            sky[spots] += rng.uniform(30, 120, (int(spots.sum()), 1))
        # Clouds lie flat: squeeze the noise towards the horizon.
        noise = cloudiness(rng, width, max(height // 3, 2), 5, 6)
        noise = cv2.resize(noise[: height // 8], (width, height // 4 + 1))[: height // 4 + 1]
        veil = np.clip((noise - 0.5) * 5.0, 0, 1)[:, :, None] * cover
        part = sky[: veil.shape[0]]
        part[:] = part * (1 - veil) + np.array(cloud) * veil
        return np.clip(sky, 0, 255).astype(np.uint8)

    def _compose(self, image: Image, *, night: bool, haze: Colour, gain: Colour, lamps: float = 0.0) -> Image:
        self._hills(image, haze, gain)
        self._ground.lay(image, gain, lamps, haze)
        windows = 1.0 if night else 0.0
        for house in self._houses:
            self._house(image, house, night, mix(gain, (0.62, 0.62, 0.62), windows * lamps * 0.25), haze)
        things: list[tuple[float, str, float, int]] = [(z, "tree", x, style) for x, z, style in self._trees]
        things += [(z, "lamp", x, 0) for x, z in self._lamps]
        for z, what, x, style in sorted(things, reverse=True):
            share = min(z / 260, 0.5)
            lit = mix(gain, (0.3, 0.42, 0.46), 0.35 * lamps)
            if what == "tree":
                self._stand(image, tree(style), x, z, 4.0, 5.4, lit, share, haze)
            else:
                self._stand(image, lamp(), x, z, 1.6, 6.0, lit, share, haze, arm=-1 if x > 0 else 1)
        if lamps:
            for x, z in self._lamps:
                point, depth = self.camera.project(np.array([[x - 1.1 * np.sign(x), 5.75, z]]))
                size = self.camera.focal * self.camera.width / float(depth[0])
                glow(image, float(point[0, 0]), float(point[0, 1]), 1.9 * size, LAMP_LIGHT, 0.55 * lamps)
                glow(image, float(point[0, 0]), float(point[0, 1]), 0.4 * size, (210, 240, 255), lamps)
        return image

    def _hills(self, image: Image, haze: Colour, gain: Colour) -> None:
        width, height = self.camera.width, self.camera.height
        rng = np.random.default_rng([self.seed, 13])
        horizon = self.camera.horizon()
        for depth, (rise, colour) in enumerate((((0.075), (150, 128, 104)), ((0.04), (120, 122, 96)))):
            line = cloudiness(rng, width, 2, 3, 5)[0]
            tops = horizon - rise * height * (0.25 + line)
            outline = np.vstack([np.column_stack([np.arange(width), tops]), [[width, height], [0, height]]])
            lit = (colour[0] * gain[0], colour[1] * gain[1], colour[2] * gain[2])
            cv2.fillPoly(image, [outline.astype(np.int32)], mix(lit, haze, 0.62 - 0.2 * depth), cv2.LINE_AA)

    def _house(self, image: Image, house: House, night: bool, gain: Colour, haze: Colour) -> None:
        x = house.side * FRONT
        z1, z2, h = house.z1, house.z2, house.height
        if house.side < 0:
            quad = [[x, h, z1], [x, h, z2], [x, 0, z2], [x, 0, z1]]
        else:
            quad = [[x, h, z2], [x, h, z1], [x, 0, z1], [x, 0, z2]]
        end = [[x, h, z1], [x + house.side * 8, h, z1], [x + house.side * 8, 0, z1], [x, 0, z1]]
        share = min((z1 + z2) / 2 / 230, 0.6)
        points, depth = self.camera.project(np.array(end))
        if depth.min() > NEAR:
            wall = scale(house.wall, 0.66)
            lit = (wall[0] * gain[0], wall[1] * gain[1], wall[2] * gain[2])
            cv2.fillConvexPoly(image, np.round(points).astype(np.int32), mix(lit, haze, share), cv2.LINE_AA)
        points, depth = self.camera.project(np.array(quad))
        if depth.min() > NEAR:
            bright = 0.92 if house.side < 0 else 0.74
            light = (gain[0] * bright, gain[1] * bright, gain[2] * bright)
            paste(image, _hazed(front(house, night, light), (1.0, 1.0, 1.0), share, haze), points)

    def _stand(
        self, image: Image, texture: Texture, x: float, z: float, width: float, height: float, gain: Colour,
        share: float, haze: Colour, arm: int = 0,
    ) -> None:  # fmt: skip
        """Put up a flat thing that faces the camera, its foot at (x, 0, z), or at its side where it has an ``arm``."""
        left = x - width / 2 if arm == 0 else (x - 0.15 if arm > 0 else x + 0.15)
        right = left + width if arm >= 0 else left - width
        quad = np.array([[left, height, z], [right, height, z], [right, 0.0, z], [left, 0.0, z]])
        points, depth = self.camera.project(quad)
        if depth.min() > NEAR:
            paste(image, _hazed(texture, gain, share, haze), points)


def _hazed(texture: Texture, gain: Colour, share: float, haze: Colour) -> Texture:
    """A texture under a light, and with the air before it."""
    levels: list[Image] = []
    for level in texture.levels:
        values = level.astype(np.float32)
        alpha = values[:, :, 3:]
        values[:, :, :3] = values[:, :, :3] * np.array(gain) * (1 - share) + np.array(haze) * share * alpha / 255
        levels.append(np.clip(values, 0, 255).astype(np.uint8))
    return Texture(tuple(levels))

"""The still part of the demo street: sky, hills, houses, trees and the road, by day, at dusk and by night.

Three pictures are drawn once; ``Backdrop.at(phase)`` mixes them. Imports ``lpr.scene.camera``/``raster``, numpy, OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.scene.camera import NEAR, PinholeCamera
from lpr.scene.raster import Colour, Floats, Image, Pad, Texture, cloudiness, glow, mix, paste, scale

ROAD = 3.15
"""Half the carriageway, metres."""
PAVEMENT = 6.1
"""Where the pavement ends, metres from the middle of the road."""
FRONT = 6.9
"""Where the houses stand."""
CROSSING = (18.0, 20.6)
"""The pedestrian crossing, metres from the camera."""

WALLS: tuple[Colour, ...] = (
    (150, 176, 198),
    (172, 196, 206),
    (126, 150, 176),
    (186, 190, 186),
    (140, 166, 150),
    (196, 178, 158),
    (132, 138, 190),
    (168, 208, 220),
)
LAMP_LIGHT: Colour = (120, 196, 255)


@dataclass(frozen=True)
class House:
    """A house front. ``side``: -1 left, 1 right; ``z1``, ``z2``, ``height``: metres."""

    side: int
    z1: float
    z2: float
    height: float
    wall: Colour
    style: int


def _houses(rng: np.random.Generator) -> list[House]:
    houses: list[House] = []
    for side in (-1, 1):
        z = 8.0
        while z < 130:
            length = float(rng.uniform(6.5, 12.0))
            height = 3.4 + 3.0 * int(rng.integers(0, 4)) + float(rng.uniform(0, 0.8))
            wall = scale(WALLS[int(rng.integers(0, len(WALLS)))], float(rng.uniform(0.85, 1.1)))
            houses.append(House(side, z, z + length, height, wall, int(rng.integers(0, 1 << 16))))
            z += length + (float(rng.uniform(1.5, 3.5)) if rng.random() < 0.25 else 0.0)
    return sorted(houses, key=lambda house: -house.z1)


def _front(house: House, night: bool, gain: Colour) -> Texture:
    """A house's front, drawn flat under the light ``gain``; at night some windows shine by themselves."""
    rng = np.random.default_rng(house.style)
    width, height = house.z2 - house.z1, house.height

    def under(colour: Colour) -> Colour:
        return (colour[0] * gain[0], colour[1] * gain[1], colour[2] * gain[2])

    wall = under(house.wall)
    pad = Pad(width, height, 46)
    pad.grade([(0, 0), (width, 0), (width, height), (0, height)], scale(wall, 1.06), scale(wall, 0.86))
    pad.rect(0, 0, width, 0.22, scale(wall, 0.72))
    pad.rect(0, 0.22, width, 0.3, scale(wall, 1.15))
    pad.rect(0, height - 0.55, width, height, scale(wall, 0.62))
    storeys = max(int((height - 0.4) / 3.0), 1)
    columns = max(int(width / 2.1), 2)
    pitch = width / columns
    for storey in range(storeys):
        base = height - storey * 3.0
        shop = storey == 0 and house.style % 3 != 0
        if shop:
            tint: Colour = under(scale(WALLS[int(rng.integers(0, len(WALLS)))], 0.55))
            lit: Colour = (110, 168, 200) if night else under((106, 96, 84))
            pad.grade([(0.4, base - 2.5), (width - 0.4, base - 2.5), (width - 0.4, base - 0.5), (0.4, base - 0.5)],
                      scale(lit, 1.1), scale(lit, 0.7))  # fmt: skip
            for column in range(1, columns):
                pad.rect(column * pitch - 0.05, base - 2.5, column * pitch + 0.05, base - 0.5, scale(wall, 0.5))
            stripes = max(int(width / 0.6), 4)
            for stripe in range(stripes):
                x1, x2 = 0.2 + stripe * (width - 0.4) / stripes, 0.2 + (stripe + 1) * (width - 0.4) / stripes
                pad.rect(x1, base - 2.95, x2, base - 2.35, tint if stripe % 2 else under((222, 226, 230)))
            continue
        for column in range(columns):
            cx = (column + 0.5) * pitch
            door = storey == 0 and column == house.style % columns
            w, top, bottom = (0.5, base - 2.3, base) if door else (0.55, base - 2.15, base - 0.85)
            shining = night and not door and rng.random() < 0.45
            glass: Colour = (92, 168, 214) if shining else under((70, 58, 48) if not door else (48, 62, 92))
            if shining:
                glass = scale(glass, float(rng.uniform(0.75, 1.05)))
            pad.rect(cx - w - 0.09, top - 0.09, cx + w + 0.09, bottom + 0.09, scale(wall, 1.22))
            pad.grade([(cx - w, top), (cx + w, top), (cx + w, bottom), (cx - w, bottom)],
                      scale(glass, 1.0 if shining else 1.9), scale(glass, 0.9))  # fmt: skip
            pad.rect(cx - 0.03, top, cx + 0.03, bottom, scale(wall, 1.1))
            if not door:
                pad.rect(cx - w - 0.16, bottom + 0.06, cx + w + 0.16, bottom + 0.17, scale(wall, 0.7))
            if storey and house.style % 4 == 1:
                pad.rect(cx - w - 0.2, bottom - 0.35, cx + w + 0.2, bottom - 0.3, under((60, 56, 52)))
                for bar in np.linspace(cx - w - 0.2, cx + w + 0.2, 9):
                    pad.rect(float(bar) - 0.015, bottom - 0.35, float(bar) + 0.015, bottom + 0.1, under((60, 56, 52)))
    return pad.texture()


def _tree(style: int) -> Texture:
    """A tree, 4 m wide and 5.4 m high."""
    rng = np.random.default_rng(style)
    pad = Pad(4.0, 5.4, 60)
    trunk: Colour = (52, 70, 92)
    pad.fill([(1.9, 2.6), (2.1, 2.6), (2.17, 5.4), (1.83, 5.4)], trunk)
    pad.line([(2.0, 3.4), (1.3, 2.4)], trunk, 0.1)
    pad.line([(2.0, 3.2), (2.7, 2.2)], trunk, 0.09)
    green: Colour = (float(rng.uniform(38, 60)), float(rng.uniform(92, 120)), float(rng.uniform(60, 92)))
    blobs: list[tuple[float, float, float]] = []
    for _ in range(150):
        angle, distance = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        blobs.append((2.0 + 1.6 * distance * np.cos(angle), 1.75 + 1.45 * distance * np.sin(angle),
                      float(rng.uniform(0.12, 0.36))))  # fmt: skip
    for x, y, radius in sorted(blobs, key=lambda blob: -blob[1]):
        light = 0.62 + 0.55 * (1 - y / 3.4) + 0.14 * (2.0 - x) / 2 + float(rng.uniform(-0.1, 0.1))
        pad.disc(x, y, radius, scale(green, light))
        pad.disc(x - radius * 0.25, y - radius * 0.3, radius * 0.5, scale(green, light * 1.14))
    return pad.texture()


def _lamp() -> Texture:
    """A street lamp, 1.6 m × 6 m, its arm to the right."""
    pad = Pad(1.6, 6.0, 60)
    pad.rect(0.1, 0.3, 0.2, 6.0, (86, 84, 82))
    pad.rect(0.07, 5.2, 0.23, 6.0, (70, 68, 66))
    pad.line([(0.15, 0.34), (0.6, 0.16), (1.2, 0.14)], (86, 84, 82), 0.06)
    pad.rect(0.95, 0.1, 1.5, 0.24, (100, 98, 96), 0.05)
    pad.rect(1.0, 0.22, 1.45, 0.27, (214, 226, 236), 0.02)
    return pad.texture()


class Backdrop:
    """The street without its vehicles."""

    def __init__(self, camera: PinholeCamera, seed: int) -> None:
        self.camera, self.seed = camera, seed
        rng = np.random.default_rng([seed, 7])
        self._houses = _houses(rng)
        self._trees = [(side * 4.9, z + float(rng.uniform(-1.5, 1.5)), int(rng.integers(0, 1 << 16)))
                       for side in (-1, 1) for z in (22.0, 36.0, 50.0, 66.0, 84.0, 104.0)]  # fmt: skip
        self._lamps = [(side * 3.75, z) for z in (84.0, 62.0, 43.0, 29.0, 15.5) for side in (-1, 1)]
        self._mixed: dict[int, Image] = {}

    # --- mixing -----------------------------------------------------------------------------------------

    def at(self, darkness: float) -> Image:
        """The picture at a ``darkness`` from 0 (day) over 0.5 (dusk) to 1 (night). Not to be written to."""
        step = round(darkness * 128)
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
        return self._compose(sky, night=True, haze=(44, 34, 32), gain=(0.17, 0.145, 0.13), lamps=1.0)

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
        self._ground(image, gain, lamps, haze)
        windows = 1.0 if night else 0.0
        for house in self._houses:
            self._house(image, house, night, mix(gain, (0.62, 0.62, 0.62), windows * lamps * 0.25), haze)
        things: list[tuple[float, str, float, int]] = [(z, "tree", x, style) for x, z, style in self._trees]
        things += [(z, "lamp", x, 0) for x, z in self._lamps]
        for z, what, x, style in sorted(things, reverse=True):
            share = min(z / 260, 0.5)
            lit = mix(gain, (0.3, 0.42, 0.46), 0.35 * lamps)
            if what == "tree":
                self._stand(image, _tree(style), x, z, 4.0, 5.4, lit, share, haze)
            else:
                self._stand(image, _lamp(), x, z, 1.6, 6.0, lit, share, haze, arm=-1 if x > 0 else 1)
        if lamps:
            for x, z in self._lamps:
                point, depth = self.camera.project(np.array([[x - 1.1 * np.sign(x), 5.75, z]]))
                size = self.camera.focal * self.camera.width / float(depth[0])
                glow(image, *map(float, point[0]), 1.9 * size, LAMP_LIGHT, 0.55 * lamps)
                glow(image, *map(float, point[0]), 0.4 * size, (210, 240, 255), 1.0 * lamps)
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
            paste(image, _hazed(_front(house, night, light), (1.0, 1.0, 1.0), share, haze), points)

    def _stand(
        self, image: Image, texture: Texture, x: float, z: float, width: float, height: float, gain: Colour,
        share: float, haze: Colour, arm: int = 0,
    ) -> None:  # fmt: skip
        """Put up a flat thing that faces the camera, its foot at (x, 0, z); ``arm``: its foot is at the side, not the middle."""
        left = x - width / 2 if arm == 0 else (x - 0.15 if arm > 0 else x + 0.15)
        right = left + width if arm >= 0 else left - width
        quad = np.array([[left, height, z], [right, height, z], [right, 0.0, z], [left, 0.0, z]])
        points, depth = self.camera.project(quad)
        if depth.min() > NEAR:
            paste(image, _hazed(texture, gain, share, haze), points)

    @cached_property
    def _surface(self) -> tuple[int, Floats, Floats, Floats]:
        """The ground by plain light: first row that shows it, colours (h, W, 3), and x and z of every pixel (h, W)."""
        camera = self.camera
        width, height = camera.width, camera.height
        to_ground = np.linalg.inv(camera.matrix[:, [0, 2, 3]])
        slant = abs(camera.horizon(-0.5) - camera.horizon(0.5))
        first = min(max(int(camera.horizon() - slant), 0), height - 1)
        rows, cols = np.mgrid[first:height, 0:width].astype(np.float32)
        world = np.stack([cols, rows, np.ones_like(rows)], -1) @ to_ground.T.astype(np.float32)
        w = world[..., 2]
        seen = (w > 1e-5) & (world[..., 1] > 0)
        x = np.where(seen, world[..., 0] / np.where(seen, w, 1), 0.0)
        z = np.where(seen, np.clip(world[..., 1] / np.where(seen, w, 1), 0.5, 2000), 2000.0)
        f = camera.focal * width
        fx = z / f  # metres a pixel, across
        fz = np.clip(z * z / (f * camera.y), 1e-4, None)  # metres a pixel, along

        def between(value: Floats, low: float, high: float, foot: Floats) -> Floats:
            return np.clip((value - low) / foot + 0.5, 0, 1) * np.clip((high - value) / foot + 0.5, 0, 1)

        def dashes(value: Floats, period: float, length: float, foot: Floats) -> Floats:
            at = np.mod(value, period)
            share = length / period
            near = between(at, 0.0, length, foot) + between(at, period, period + length, foot)
            far = np.clip((foot / period - 0.25) * 2, 0, 1)
            return near * (1 - far) + share * far

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
            share = between(x, px, px + pw, fx) * between(z, pz, pz + pl, fz)
            road *= (1 - share * (1 - tone))[..., None]
        disc = np.sqrt((x - 0.85) ** 2 + (z - 12.1) ** 2)
        road *= (1 - 0.45 * between(disc, 0.29, 0.33, fx * 2) - 0.14 * between(disc, -1, 0.29, fx * 2))[..., None]

        worn = 1 - 0.3 * np.clip(wide + 0.35 * middle, 0, 1)
        white, yellow = np.array([216, 222, 222], np.float32), np.array([66, 176, 226], np.float32)
        away = 1 - between(z, CROSSING[0] - 0.9, CROSSING[1] + 0.9, fz)
        for line in (-0.11, 0.11):
            share = between(x, line - 0.055, line + 0.055, fx) * worn * away * 0.9
            road = road * (1 - share[..., None]) + yellow * share[..., None]
        for line in (-ROAD + 0.28, ROAD - 0.28):
            share = between(x, line - 0.06, line + 0.06, fx) * dashes(z, 3.0, 1.2, fz) * worn * away * 0.75
            road = road * (1 - share[..., None]) + white * share[..., None]
        stripes = dashes(x + 0.25, 0.9, 0.48, fx) * between(z, *CROSSING, fz) * between(x, -2.9, 2.9, fx)
        halts = between(z, CROSSING[0] - 0.85, CROSSING[0] - 0.5, fz) * between(x, 0.2, 2.9, fx)
        halts += between(z, CROSSING[1] + 0.5, CROSSING[1] + 0.85, fz) * between(x, -2.9, -0.2, fx)
        share = np.clip(stripes + halts, 0, 1) * worn * 0.92
        road = road * (1 - share[..., None]) + white * share[..., None]

        side = np.abs(x)
        joints = np.clip(dashes(side, 0.6, 0.03, fx) + dashes(z, 0.6, 0.03, fz), 0, 1)
        tone = (1 - 0.16 * joints) * (1 + 0.05 * middle + 0.10 * wide + 0.03 * fine)
        paving = np.array([150, 156, 160], np.float32) * tone[..., None]
        kerb = between(side, ROAD, ROAD + 0.17, fx)
        gutter = between(side, ROAD - 0.22, ROAD, fx)
        road *= (1 - 0.13 * gutter)[..., None]
        lawn = np.array([52, 98, 82], np.float32) * (1 + 0.22 * middle + 0.22 * wide + 0.1 * fine)[..., None]
        on_road = between(side, -1, ROAD, fx)[..., None]
        on_lawn = np.clip((side - PAVEMENT) / fx + 0.5, 0, 1)[..., None]
        ground = road * on_road + (paving * (1 - on_lawn) + lawn * on_lawn) * (1 - on_road)
        edge = np.array([186, 188, 188], np.float32) * (1 + 0.05 * fine + 0.05 * wide - 0.2 * dashes(z, 1.0, 0.03, fz))[..., None]
        ground = ground * (1 - kerb[..., None]) + edge * kerb[..., None]
        for tx, tz, _ in self._trees:
            shade = np.exp(-(((x - tx) / 1.5) ** 2) - ((z - tz) / 1.9) ** 2)
            ground *= (1 - 0.24 * shade)[..., None]
        return first, ground, x, z

    def _ground(self, image: Image, gain: Colour, lamps: float, haze: Colour) -> None:
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


def _sample(noise: NDArray[np.float32], x: Floats, y: Floats) -> Floats:
    """Look noise up, bilinear and wrapped round."""
    h, w = noise.shape
    field = cv2.remap(noise, np.mod(x, w).astype(np.float32), np.mod(y, h).astype(np.float32), cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_WRAP)  # fmt: skip
    return field.astype(np.float32)


def _hazed(texture: Texture, gain: Colour, share: float, haze: Colour) -> Texture:
    """A texture under a light, and with the air before it."""
    levels: list[Image] = []
    for level in texture.levels:
        values = level.astype(np.float32)
        alpha = values[:, :, 3:]
        values[:, :, :3] = values[:, :, :3] * np.array(gain) * (1 - share) + np.array(haze) * share * alpha / 255
        levels.append(np.clip(values, 0, 255).astype(np.uint8))
    return Texture(tuple(levels))

"""What stands along the demo street: houses, trees, lamps, drawn flat. Imports ``lpr.scene.raster``, numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpr.scene.raster import Colour, Pad, Texture, scale

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


@dataclass(frozen=True)
class House:
    """A house front. ``side``: -1 left, 1 right; ``z1``, ``z2``, ``height``: metres."""

    side: int
    z1: float
    z2: float
    height: float
    wall: Colour
    style: int


def houses(rng: np.random.Generator) -> list[House]:
    """Both rows of houses, the farthest first."""
    row: list[House] = []
    for side in (-1, 1):
        z = 8.0
        while z < 130:
            length = float(rng.uniform(6.5, 12.0))
            height = 3.4 + 3.0 * int(rng.integers(0, 4)) + float(rng.uniform(0, 0.8))
            wall = scale(WALLS[int(rng.integers(0, len(WALLS)))], float(rng.uniform(0.85, 1.1)))
            row.append(House(side, z, z + length, height, wall, int(rng.integers(0, 1 << 16))))
            z += length + (float(rng.uniform(1.5, 3.5)) if rng.random() < 0.25 else 0.0)
    return sorted(row, key=lambda house: -house.z1)


def front(house: House, night: bool, gain: Colour) -> Texture:
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


def tree(style: int) -> Texture:
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


def lamp() -> Texture:
    """A street lamp, 1.6 m × 6 m, its arm to the right."""
    pad = Pad(1.6, 6.0, 60)
    pad.rect(0.1, 0.3, 0.2, 6.0, (86, 84, 82))
    pad.rect(0.07, 5.2, 0.23, 6.0, (70, 68, 66))
    pad.line([(0.15, 0.34), (0.6, 0.16), (1.2, 0.14)], (86, 84, 82), 0.06)
    pad.rect(0.95, 0.1, 1.5, 0.24, (100, 98, 96), 0.05)
    pad.rect(1.0, 0.22, 1.45, 0.27, (214, 226, 236), 0.02)
    return pad.texture()

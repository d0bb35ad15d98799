"""What the demo street's vehicles are made of: flat drawn faces, lamps, paints.

Vehicle coordinates are metres: x to the right as the camera sees it, y up from the ground, z away from the camera, 0
at the near end. Every face is a texture (``lpr.scene.raster``) on a flat quadrilateral. No make is copied.
Imports ``lpr.scene.raster``, numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lpr.scene.raster import Colour, Pad, Texture

Spot: TypeAlias = tuple[float, float, float]
"""(x, y, z), metres."""
Quad: TypeAlias = tuple[Spot, Spot, Spot, Spot]
"""Where a texture's top left, top right, bottom right and bottom left corners are."""

PAINTS: dict[str, Colour] = {
    "white": (228, 230, 230),
    "gray": (136, 132, 128),
    "black": (46, 43, 41),
    "red": (48, 42, 178),
    "blue": (156, 92, 42),
    "green": (74, 108, 52),
    "yellow": (52, 186, 232),
    "orange": (40, 116, 226),
}
TYRE: Colour = (34, 33, 32)
TRIM: Colour = (48, 46, 45)
CHROME: Colour = (196, 196, 194)


@dataclass(frozen=True)
class Face:
    """One flat part of a body. ``facing``: "end", "left", "right" or "up": drawn only when it can be seen."""

    quad: Quad
    texture: Texture
    facing: Literal["end", "left", "right", "up"] = "end"


@dataclass(frozen=True)
class Lamp:
    """A light. ``kind``: "head", "tail" or "brake"; ``at``: its place."""

    kind: Literal["head", "tail", "brake"]
    at: Spot


@dataclass(frozen=True)
class Body:
    """A vehicle's drawn body, the farthest face first. ``plate_y``, ``plate_z``: where the plate's middle is."""

    width: float
    length: float
    height: float
    faces: tuple[Face, ...]
    lamps: tuple[Lamp, ...]
    plate_y: float
    plate_z: float = -0.015

    @cached_property
    def corners(self) -> NDArray[np.float64]:
        """Every face's corners in the faces' order, (4 × faces, 3) metres."""
        return np.array([spot for face in self.faces for spot in face.quad], np.float64)


def wheel(pad: Pad, x: float, y: float, radius: float) -> None:
    """Draw a wheel seen from its side."""
    pad.disc(x, y, radius * 1.16, (20, 20, 20))
    pad.disc(x, y, radius, TYRE)
    pad.disc(x, y, radius * 0.66, (150, 150, 148))
    for spoke in range(5):
        from_x, from_y = x + radius * 0.6 * _COS[spoke], y + radius * 0.6 * _SIN[spoke]
        pad.line([(x, y), (from_x, from_y)], (92, 92, 90), radius * 0.16)
    pad.disc(x, y, radius * 0.16, (190, 190, 188))


_COS = (1.0, 0.309, -0.809, -0.809, 0.309)
_SIN = (0.0, 0.951, 0.588, -0.588, -0.951)


@lru_cache(maxsize=1)
def shadow() -> Texture:
    """A soft dark patch for the ground under a vehicle."""
    grid = np.abs(np.linspace(-1, 1, 64))
    across, along = grid[None, :], grid[:, None]
    edge = np.clip((1 - (across**4 + along**5) ** 0.25) / 0.38, 0, 1)
    image = np.zeros((64, 64, 4), np.uint8)
    image[:, :, 3] = (255 * 0.66 * edge * edge * (3 - 2 * edge)).astype(np.uint8)
    return Texture.of(image)

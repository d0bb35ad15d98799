"""How a picture comes into a network's input: scaled and padded, whole or in parts.

Arrays only; may import numpy and cv2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["GREY", "Fit", "Part", "fit", "in_a_frame", "letterbox", "like_a_plate", "parts", "placed", "shrunk"]

GREY: Final = 114
"""Grey level of the padding."""

_SQUAREST: Final = 0.6
"""Height to width (or the reverse) of the squarest picture that gets all of ``longest``."""

_SMALL: Final = 480
"""Longest side of a picture that may be a cut out plate, pixels."""
_SHAPES: Final = (1.1, 7.0)
"""Width to height of such a picture."""
_FRAME: Final = 0.5
"""Width of the frame that it gets, as a share of its height."""
_DARK: Final = 40
"""Grey level of that frame: plates stand out from it, as from most of what is round them on vehicles."""

Part = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of a picture, pixels."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture lies in the network's input: scaled by ``scale``, then moved by ``left`` and ``top`` pixels."""

    width: int
    height: int
    scale: float
    left: int
    top: int


def fit(width: int, height: int, longest: int, multiple: int) -> Fit:
    """The input for a picture of ``width`` x ``height`` whose longest side shall become ``longest`` pixels.

    A picture squarer than ``_SQUAREST`` gets as many pixels as one of that shape, so that no shape costs more time.
    Both sides are multiples of ``multiple``; the shorter one is rounded to the nearest, so the picture shrinks a
    little more rather than the network computing on much padding. A picture is never enlarged more than twice.
    """
    longest = max(round(longest / multiple), 1) * multiple
    squarer = min(width, height) / max(width, height) / _SQUAREST
    scale = min(longest / max(width, height) / max(math.sqrt(squarer), 1.0), 2.0)
    across = max(round(width * scale / multiple), 1) * multiple
    down = max(round(height * scale / multiple), 1) * multiple
    return placed(width, height, across, down, 2.0)


def like_a_plate(width: int, height: int) -> bool:
    """Whether a whole picture of this size may be one plate, cut out without surroundings."""
    return max(width, height) <= _SMALL and _SHAPES[0] * height <= width <= _SHAPES[1] * height


def in_a_frame(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """``image`` (H, W, 3) in a dark frame, and the frame's width in pixels."""
    height, width = image.shape[:2]
    edge = round(height * _FRAME)
    framed = np.full((height + 2 * edge, width + 2 * edge, 3), _DARK, np.uint8)
    framed[edge : edge + height, edge : edge + width] = image
    return framed, edge


def parts(width: int, height: int, tiles: int) -> list[Part]:
    """The whole picture and, for ``tiles`` over 1, ``tiles`` rows of as many parts that overlap by a sixth."""
    out: list[Part] = [(0, 0, width, height)]
    if tiles <= 1 or min(width, height) < tiles:
        return out
    across, down = (math.ceil(side / (tiles - (tiles - 1) / 6)) for side in (width, height))
    for row in range(tiles):
        for column in range(tiles):
            x = round((width - across) * column / (tiles - 1))
            y = round((height - down) * row / (tiles - 1))
            out.append((x, y, x + across, y + down))
    return out


def placed(width: int, height: int, across: int, down: int, most: float) -> Fit:
    """A picture of ``width`` x ``height`` in the middle of an input of ``across`` x ``down``, at most ``most`` times
    as large."""
    scale = min(across / width, down / height, most)
    left = (across - max(round(width * scale), 1)) // 2
    top = (down - max(round(height * scale), 1)) // 2
    return Fit(across, down, scale, left, top)


def letterbox(image: NDArray[np.uint8], place: Fit) -> NDArray[np.uint8]:
    """``image`` (H, W, 3) scaled into ``place``, the rest grey: (place.height, place.width, 3) uint8."""
    height, width = image.shape[:2]
    size = (max(round(width * place.scale), 1), max(round(height * place.scale), 1))
    small = image if size == (width, height) else shrunk(image, size)
    if size == (place.width, place.height):
        return np.asarray(small, np.uint8)
    out = np.full((place.height, place.width, 3), GREY, np.uint8)
    out[place.top : place.top + size[1], place.left : place.left + size[0]] = small
    return out


def shrunk(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """``image`` (H, W, 3) in ``size`` (width, height), whatever its shape was."""
    # Averaging is right for any reduction but dear; halving first by INTER_AREA (its fast case) costs a third of it.
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        whole = image[: half[1] * 2, : half[0] * 2]
        image = np.asarray(cv2.resize(whole, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (image.shape[1], image.shape[0]) != size:
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return image

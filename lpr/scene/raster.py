"""Drawing tools of the demo street: a pad measured in metres, textures, and pasting them in perspective.

Colours are BGR, textures BGRA with **premultiplied** alpha, uint8. Everything is deterministic. Imports numpy and
OpenCV only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, cos, floor, hypot, pi, sin
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) BGR or (H, W, 4) premultiplied BGRA."""
Colour: TypeAlias = tuple[float, float, float]
"""Blue, green, red, 0 to 255."""
Floats: TypeAlias = NDArray[np.float64]

_SHIFT = 4
"""Bits of sub-pixel position given to OpenCV."""


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` (0 to 1) of ``b`` in it."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def scale(colour: Colour, factor: float) -> Colour:
    """``colour`` times ``factor``, kept within 0 to 255."""
    return (min(colour[0] * factor, 255.0), min(colour[1] * factor, 255.0), min(colour[2] * factor, 255.0))


def rounded(x1: float, y1: float, x2: float, y2: float, radius: float) -> list[tuple[float, float]]:
    """The outline of a rectangle with round corners."""
    r = min(radius, (x2 - x1) / 2, (y2 - y1) / 2)
    outline: list[tuple[float, float]] = []
    for cx, cy, start in ((x2 - r, y1 + r, -90), (x2 - r, y2 - r, 0), (x1 + r, y2 - r, 90), (x1 + r, y1 + r, 180)):
        for step in range(0, 91, 15):
            angle = (start + step) * pi / 180
            outline.append((cx + r * cos(angle), cy + r * sin(angle)))
    return outline


class Pad:
    """A transparent sheet of ``width`` × ``height`` metres, drawn on in metres from its top left corner."""

    def __init__(self, width: float, height: float, ppm: float = 250.0) -> None:
        self.width, self.height, self.ppm = width, height, ppm
        self.image: Image = np.zeros((max(ceil(height * ppm), 2), max(ceil(width * ppm), 2), 4), np.uint8)

    def _points(self, outline: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        return np.round((np.array(outline) * self.ppm - 0.5) * (1 << _SHIFT)).astype(np.int32)

    def fill(self, outline: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.image, [self._points(outline)], (*colour, 255.0), cv2.LINE_AA, _SHIFT)

    def grade(self, outline: Sequence[tuple[float, float]], top: Colour, bottom: Colour) -> None:
        """Fill a polygon with colours running from ``top`` to ``bottom`` of it."""
        ys = [y for _, y in outline]
        xs = [x for x, _ in outline]
        h, w = self.image.shape[:2]
        r1, r2 = max(floor(min(ys) * self.ppm) - 1, 0), min(ceil(max(ys) * self.ppm) + 1, h)
        c1, c2 = max(floor(min(xs) * self.ppm) - 1, 0), min(ceil(max(xs) * self.ppm) + 1, w)
        if r2 <= r1 or c2 <= c1:
            return
        part = self.image[r1:r2, c1:c2]
        mask = np.zeros(part.shape[:2], np.uint8)
        shift = np.array([[c1, r1]], np.int32) << _SHIFT
        cv2.fillPoly(mask, [self._points(outline) - shift], (255.0,), cv2.LINE_AA, _SHIFT)
        rows = np.clip((np.arange(r1, r2) / self.ppm - min(ys)) / max(max(ys) - min(ys), 1e-6), 0, 1)[:, None]
        ramp = np.array([*top, 255.0]) * (1 - rows) + np.array([*bottom, 255.0]) * rows
        share = mask[:, :, None].astype(np.float32) / 255.0
        part[:] = (part * (1 - share) + ramp[:, None, :].astype(np.float32) * share + 0.5).astype(np.uint8)

    def rect(self, x1: float, y1: float, x2: float, y2: float, colour: Colour, radius: float = 0.0) -> None:
        """Fill a rectangle, with round corners if asked."""
        self.fill(rounded(x1, y1, x2, y2, radius) if radius > 0 else [(x1, y1), (x2, y1), (x2, y2), (x1, y2)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.oval(x, y, radius, radius, colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse."""
        self.fill([(x + rx * cos(a * pi / 16), y + ry * sin(a * pi / 16)) for a in range(32)], colour)

    def line(self, path: Sequence[tuple[float, float]], colour: Colour, width: float = 0.012) -> None:
        """Draw a line of ``width`` metres."""
        thickness = max(round(width * self.ppm), 1)
        cv2.polylines(self.image, [self._points(path)], False, (*colour, 255.0), thickness, cv2.LINE_AA, _SHIFT)

    def texture(self) -> Texture:
        """The sheet as a texture."""
        return Texture.of(self.image)


@dataclass(frozen=True)
class Texture:
    """A picture with its halved copies, so that pasting it small doesn't shimmer."""

    levels: tuple[Image, ...]

    @classmethod
    def of(cls, image: Image) -> Texture:
        """From premultiplied BGRA, or from BGR (taken as opaque)."""
        if image.shape[2] == 3:
            image = cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2BGRA))
        levels = [image]
        while min(levels[-1].shape[:2]) >= 8 and len(levels) < 7:
            h, w = levels[-1].shape[:2]
            levels.append(cast("Image", cv2.resize(levels[-1], (w // 2, h // 2), interpolation=cv2.INTER_AREA)))
        return cls(tuple(levels))


def _blend(part: Image, patch: Image) -> None:
    """Lay a premultiplied BGRA patch over a BGR part, in place."""
    alpha = patch[:, :, 3]
    through = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
    under = cv2.multiply(part, through, scale=1 / 255)
    cv2.add(under, cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), dst=part)


def paste(
    image: Image, texture: Texture, quad: Floats, gain: Colour = (1.0, 1.0, 1.0), blur: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Lay a texture over ``image`` (BGR, changed in place) in perspective.

    ``quad``: (4, 2) pixels (whole numbers lie between pixels), where the texture's top left, top right, bottom
    right and bottom left corners come to lie. ``gain``: light on it, by channel. ``blur``: motion during the
    exposure, pixels (x, y).
    """
    height, width = image.shape[:2]
    reach = ceil(max(abs(blur[0]), abs(blur[1])) / 2) + 1
    x1, y1 = max(floor(float(quad[:, 0].min())) - reach, 0), max(floor(float(quad[:, 1].min())) - reach, 0)
    x2 = min(ceil(float(quad[:, 0].max())) + reach + 1, width)
    y2 = min(ceil(float(quad[:, 1].max())) + reach + 1, height)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.tolist()
    span_x = max(hypot(bx - ax, by - ay), hypot(cx - dx, cy - dy))
    span_y = max(hypot(dx - ax, dy - ay), hypot(cx - bx, cy - by))
    if min(span_x, span_y) < 1.2:
        return
    source = next(
        (t for t in texture.levels if t.shape[1] < 1.7 * span_x and t.shape[0] < 1.7 * span_y), texture.levels[-1]
    )
    h, w = source.shape[:2]
    corners = np.array([[-0.5, -0.5], [w - 0.5, -0.5], [w - 0.5, h - 0.5], [-0.5, h - 0.5]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, (quad - np.array([x1 + 0.5, y1 + 0.5])).astype(np.float32))
    patch = cast("Image", cv2.warpPerspective(source, matrix, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR))
    if max(abs(blur[0]), abs(blur[1])) >= 1.0:
        patch = smear(patch, blur)
    if gain != (1.0, 1.0, 1.0):
        patch = cast("Image", cv2.LUT(patch, _ramp(gain)))
    _blend(image[y1:y2, x1:x2], patch)


def _ramp(gain: Colour) -> Image:
    """The table that lights BGRA: (1, 256, 4)."""
    return np.minimum(_VALUES * np.array([*gain, 1.0], np.float32) + np.float32(0.5), 255).astype(np.uint8)[None]


_VALUES = np.arange(256, dtype=np.float32)[:, None]


def smear(patch: Image, blur: tuple[float, float]) -> Image:
    """Blur along a straight way of ``blur`` pixels (x, y), as an exposure blurs what moves evenly."""
    reach = ceil(max(abs(blur[0]), abs(blur[1])) / 2)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, 8 * reach + 1):
        x, y = reach + blur[0] * share, reach + blur[1] * share
        x0, y0 = floor(x), floor(y)
        for row, col, weight in (
            (y0, x0, (1 - y + y0) * (1 - x + x0)),
            (y0, x0 + 1, (1 - y + y0) * (x - x0)),
            (y0 + 1, x0, (y - y0) * (1 - x + x0)),
            (y0 + 1, x0 + 1, (y - y0) * (x - x0)),
        ):
            if weight > 1e-6:
                kernel[min(row, 2 * reach), min(col, 2 * reach)] += weight
    return cast("Image", cv2.filter2D(patch, -1, kernel / kernel.sum()))


def glow(
    image: Image, x: float, y: float, radius: float, colour: Colour, strength: float, *, flat: float = 1.0
) -> None:
    """Add a soft round light to ``image`` (BGR, in place). ``strength``: 1 gives the full colour in the middle.

    ``radius``: pixels, across; ``flat``: its height as a share of its width.
    """
    height, width = image.shape[:2]
    rx, ry = max(round(radius), 1), max(round(radius * flat), 1)
    left, top = round(x) - rx, round(y) - ry
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + 2 * rx, width), min(top + 2 * ry, height)
    if x2 <= x1 or y2 <= y1 or strength <= 0.01:
        return
    spot = cv2.resize(_SPOT, (2 * rx, 2 * ry), interpolation=cv2.INTER_LINEAR)[
        y1 - top : y2 - top, x1 - left : x2 - left
    ]
    tint = cv2.LUT(cv2.cvtColor(spot, cv2.COLOR_GRAY2BGR), _ramp(scale(colour, strength / 255))[:, :, :3])
    cv2.add(image[y1:y2, x1:x2], tint, dst=image[y1:y2, x1:x2])


def _spot() -> Image:
    grid = np.linspace(-1, 1, 65)
    distance = np.sqrt(grid[:, None] ** 2 + grid[None, :] ** 2)
    return (255 * np.clip(1 - distance, 0, 1) ** 2.4).astype(np.uint8)


_SPOT = _spot()


def cloudiness(rng: np.random.Generator, width: int, height: int, coarsest: int = 4, octaves: int = 5) -> Floats:
    """Fractal value noise (height, width), mean about 0.5, from 0 to 1."""
    total = np.zeros((height, width))
    weight, sum_of = 1.0, 0.0
    for octave in range(octaves):
        cells = coarsest * 2**octave
        grid = rng.random((max(cells * height // width, 2), cells)).astype(np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        sum_of += weight
        weight *= 0.55
    return np.clip(total / sum_of, 0, 1)

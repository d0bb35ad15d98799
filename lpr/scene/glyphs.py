"""Strokes to pixels: draws a character from a skeleton of centre lines with rounded corners.

A skeleton is a short text. Strokes are separated by ``;``. A stroke is a list of points ``x,y`` with an
optional corner radius ``x,y:r`` and an optional ``!`` (the end is cut square at the point; without it an end
is lengthened by half the stroke's width, so that it reaches the edge of the glyph's box). ``z`` at the end
closes the stroke. ``@x0,y0 x1,y1`` is an ellipse in that box. ``-`` before a stroke cuts it out of what lies
below (at 0.45 of the width).

Coordinates: the box of the *centre lines*, x to the right and y down, both from 0 to 1; the box of the ink is
larger by half a stroke on each side. A radius is in units of the width of that box of centre lines; ``r``
stands for the face's own radius; radii are reduced where a side is too short for them.

May import nothing of ours. The skeletons themselves are in ``lpr.scene.faces``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Face", "GlyphError", "glyph_mask"]

_SUPERSAMPLE = 4
_SHIFT = 4  # fractional bits of cv2's polygon coordinates
_ARC_STEPS = 7


class GlyphError(ValueError):
    """A face has no such character, or its skeleton cannot be read."""


@dataclass(frozen=True, slots=True)
class Face:
    """One plate face.

    ``width``: default width of a glyph's ink in units of its height. ``stroke``: width of a stroke in the same
    units. ``round``: the corner radius that ``r`` stands for (0.5: half circles). ``soft``: radius of a slight
    rounding of every edge, in units of the height (embossed dies have no sharp corners). ``widths``: widths of
    single characters. ``skeletons``: character to skeleton text.
    """

    name: str
    width: float
    stroke: float
    round: float
    skeletons: tuple[tuple[str, str], ...]
    widths: tuple[tuple[str, float], ...] = ()
    soft: float = 0.012

    def skeleton(self, char: str) -> str:
        """The skeleton of ``char``. Raises GlyphError when the face has none."""
        found = _skeletons(self.skeletons).get(char)
        if found is None:
            raise GlyphError(f"face {self.name!r} has no character {char!r}; it draws A-Z and 0-9")
        return found

    def width_of(self, char: str) -> float:
        """Width of the ink of ``char`` in units of its height."""
        return _widths(self.widths).get(char, self.width)


@lru_cache(maxsize=256)
def _skeletons(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return dict(pairs)


@lru_cache(maxsize=256)
def _widths(pairs: tuple[tuple[str, float], ...]) -> dict[str, float]:
    return dict(pairs)


@dataclass(frozen=True, slots=True)
class _Stroke:
    points: tuple[tuple[float, float, float], ...]  # x, y, radius (-1: the face's)
    closed: bool
    butt_first: bool
    butt_last: bool
    cut: bool
    ellipse: bool


@lru_cache(maxsize=4096)
def _parse(skeleton: str) -> tuple[_Stroke, ...]:
    strokes: list[_Stroke] = []
    for part in skeleton.split(";"):
        words = part.split()
        cut = bool(words) and words[0].startswith("-") and not words[0][1:2].isdigit()
        if cut:
            words[0] = words[0].removeprefix("-")
            words = [word for word in words if word]
        ellipse = bool(words) and words[0].startswith("@")
        if ellipse:
            words[0] = words[0][1:]
        closed = bool(words) and words[-1] == "z"
        if closed:
            words = words[:-1]
        points: list[tuple[float, float, float]] = []
        butts: list[bool] = []
        for word in words:
            butt = word.endswith("!")
            place, _, radius = word.rstrip("!").partition(":")
            x, comma, y = place.partition(",")
            if not comma:
                raise GlyphError(f"bad point {word!r} in skeleton {skeleton!r}: write x,y or x,y:radius")
            points.append((float(x), float(y), 0.0 if not radius else -1.0 if radius == "r" else float(radius)))
            butts.append(butt)
        if len(points) < 2:
            raise GlyphError(f"a stroke of skeleton {skeleton!r} has fewer than two points")
        strokes.append(_Stroke(tuple(points), closed, butts[0], butts[-1], cut, ellipse))
    return tuple(strokes)


def _rounded(points: NDArray[np.float64], radii: NDArray[np.float64], closed: bool) -> NDArray[np.float64]:
    """Replace each corner by a circular arc of its radius, reduced to what its sides allow. (N, 2) to (M, 2)."""
    count = len(points)
    out: list[NDArray[np.float64]] = []
    for i in range(count):
        corner = points[i]
        if (not closed and i in (0, count - 1)) or radii[i] <= 0:
            out.append(corner)
            continue
        before = points[i - 1] - corner
        after = points[(i + 1) % count] - corner
        length_before = float(np.hypot(*before))
        length_after = float(np.hypot(*after))
        if min(length_before, length_after) < 1e-6:
            out.append(corner)
            continue
        before = before / length_before
        after = after / length_after
        angle = float(np.arccos(np.clip(before @ after, -1.0, 1.0)))
        if angle > np.pi - 1e-3 or angle < 1e-3:
            out.append(corner)
            continue
        share_before = 1.0 if not closed and i == 1 else 0.5
        share_after = 1.0 if not closed and i == count - 2 else 0.5
        reach = min(radii[i] / np.tan(angle / 2), length_before * share_before, length_after * share_after)
        radius = reach * np.tan(angle / 2)
        bisector = before + after
        bisector = bisector / np.hypot(*bisector)
        centre = corner + bisector * (radius / np.sin(angle / 2))
        start = corner + before * reach - centre
        end = corner + after * reach - centre
        first = np.arctan2(start[1], start[0])
        turn = (np.arctan2(end[1], end[0]) - first + np.pi) % (2 * np.pi) - np.pi
        steps = max(2, int(_ARC_STEPS * abs(turn) / (np.pi / 2)))
        for k in range(steps + 1):
            a = first + turn * k / steps
            out.append(centre + radius * np.array([np.cos(a), np.sin(a)]))
    return np.array(out)


def _fill(mask: NDArray[np.uint8], polygon: NDArray[np.float64], value: int) -> None:
    fixed = np.round(polygon * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], value, lineType=cv2.LINE_8, shift=_SHIFT)


def _draw(mask: NDArray[np.uint8], path: NDArray[np.float64], half: float, closed: bool, value: int) -> None:
    """Draw a line of half-width ``half`` along ``path``, with mitred joins."""
    ends = np.vstack([path, path[:1]]) if closed else path
    for a, b in pairwise(ends):
        along = b - a
        length = float(np.hypot(*along))
        if length < 1e-6:
            continue
        normal = np.array([-along[1], along[0]]) / length * half
        _fill(mask, np.array([a + normal, b + normal, b - normal, a - normal]), value)
    count = len(path)
    for i in range(count):
        if not closed and i in (0, count - 1):
            continue
        a, b, c = path[i - 1], path[i], path[(i + 1) % count]
        u, v = b - a, c - b
        lu, lv = float(np.hypot(*u)), float(np.hypot(*v))
        if min(lu, lv) < 1e-6:
            continue
        u, v = u / lu, v / lv
        cross = float(u[0] * v[1] - u[1] * v[0])
        if abs(cross) < 1e-6:
            continue
        side = -np.sign(cross)
        n1 = np.array([-u[1], u[0]]) * side * half
        n2 = np.array([-v[1], v[0]]) * side * half
        mid = n1 + n2
        scale = 2 * half * half / float(mid @ mid) if float(mid @ mid) > 1e-9 else 0.0
        tip = mid * min(scale, 2.5)
        _fill(mask, np.array([b, b + n1, b + tip, b + n2]), value)


def _reach(end: NDArray[np.float64], inner: NDArray[np.float64], at_edge: bool, half: float) -> float:
    """How far an end is lengthened: slanted ends at the top or bottom edge go on and are cut by the box."""
    d = np.abs(end - inner)
    slanted = bool(min(d) > 0.08 * max(d))
    return 3.0 * half if slanted and at_edge else half


def _lengthen(path: NDArray[np.float64], stroke: _Stroke, half: float) -> NDArray[np.float64]:
    out = path.copy()
    if not stroke.butt_first:
        d = path[0] - path[1]
        reach = _reach(path[0], path[1], stroke.points[0][1] in (0.0, 1.0) and not stroke.cut, half)
        out[0] = path[0] + d / max(float(np.hypot(*d)), 1e-9) * reach
    if not stroke.butt_last:
        d = path[-1] - path[-2]
        reach = _reach(path[-1], path[-2], stroke.points[-1][1] in (0.0, 1.0) and not stroke.cut, half)
        out[-1] = path[-1] + d / max(float(np.hypot(*d)), 1e-9) * reach
    return out


@lru_cache(maxsize=8192)
def glyph_mask(face: Face, char: str, height: int) -> NDArray[np.float32]:
    """The ink of ``char``: (height, W) float32 from 0 to 1, read-only; W follows from the face's widths.

    Raises GlyphError when the face lacks the character or ``height`` is outside 4..2000.
    """
    if not 4 <= height <= 2000:
        raise GlyphError(f"glyph height {height} is outside 4..2000 pixels")
    big = height * _SUPERSAMPLE
    width = max(2, round(height * face.width_of(char)))
    wide = width * _SUPERSAMPLE
    half = face.stroke * big / 2
    box_w, box_h = max(wide - 2 * half, 1e-3), max(big - 2 * half, 1e-3)
    mask = np.zeros((big, wide), np.uint8)
    for stroke in _parse(face.skeleton(char)):
        raw = np.array(stroke.points, np.float64)
        at = raw[:, :2] * (box_w, box_h) + half
        value = 0 if stroke.cut else 255
        own = half * 0.45 if stroke.cut else half
        if stroke.ellipse:
            (x0, y0), (x1, y1) = at[0], at[1]
            t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
            path = np.stack([(x0 + x1) / 2 + (x1 - x0) / 2 * np.cos(t), (y0 + y1) / 2 + (y1 - y0) / 2 * np.sin(t)], 1)
            _draw(mask, path, own, True, value)
            continue
        radii = np.where(raw[:, 2] < 0, face.round, raw[:, 2]) * box_w
        path = _rounded(at, radii, stroke.closed)
        if not stroke.closed:
            path = _lengthen(path, stroke, half)
        _draw(mask, path, own, stroke.closed, value)
    soft = face.soft * big
    if soft >= 1:
        size = int(soft) * 2 + 1
        mask = np.where(cv2.GaussianBlur(np.pad(mask, size), (size, size), 0) > 127, 255, 0).astype(np.uint8)
        mask = mask[size:-size, size:-size]
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    small.setflags(write=False)
    return small

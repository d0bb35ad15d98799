"""Whole plates, drawn flat and clean: ``PlateSpec`` says what, ``render_plate`` draws it, ``random_spec`` makes one up.

Nothing random happens while drawing: the same spec gives the same pixels. Colours are BGR, sizes are pixels of the
drawn plate unless a name says mm. What the plates look like is data in ``lpr.scene.styles``; the formats' texts come
from ``lpr.plates.formats``. May import those and ``lpr.scene``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.plates.formats import CLASSES, FORMATS, Format, formats_for
from lpr.scene.faces import ALPHABET, FACES
from lpr.scene.glyphs import Face, GlyphError, glyph_mask
from lpr.scene.styles import BGR, SIGNS, Style, style_of

__all__ = ["GlyphSource", "PlateLayers", "PlateSpec", "draw_layers", "random_spec", "random_text", "render_plate",
           "spec_for"]  # fmt: skip

GlyphSource = Callable[[str, int], NDArray[np.float32]]
"""(character, height in pixels) to its ink, (height, W) float32 0..1; lets the training tools lend other faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateSpec:
    """One plate to draw.

    ``text``: upper case A-Z and 0-9 without separators. ``layout``: a format's key ("br-mercosul") or any
    other name (drawn in the style "other"). ``rows``: 1 or 2. ``groups``: lengths of the groups in ``text``.
    ``ground``, ``ink``, ``band_colour``: BGR. ``face``: a name of ``lpr.scene.faces.FACES``. ``separator``:
    "" for the style's first, or one of " ", "-", ".", "*". ``caption``: small text, "" for none.
    ``spacing``: gap between characters, ``group_gap``: between groups, in units of the characters' height (0: usual).
    ``size_mm``, ``glyph_mm``: plate's width and height, characters' height. ``inset``: shares of the field's width
    that the characters leave free at its left and right (for an emblem). ``sign``: letters in a band at the left, ""
    for the country's own. ``band_part``: of a plate of two rows, beside which row such a band stands: "upper", "lower"
    or "" for both. ``align``: for each row where its characters stand in the free room, from 0 (left) to 1 (right).
    ``upper``: characters in the upper of two rows, 0 for those before the group border nearest to the middle.
    """

    text: str
    layout: str
    rows: int = 1
    groups: tuple[int, ...] = ()
    ground: BGR = (235, 238, 238)
    ink: BGR = (28, 26, 26)
    face: str = "gothic"
    separator: str = " "
    caption: str = ""
    size_mm: tuple[float, float] = (400, 130)
    glyph_mm: float = 65
    spacing: float = 0.15
    group_gap: float = 0.0
    border: bool = True
    band: bool = True
    inset: tuple[float, float] = (0.0, 0.0)
    sign: str = ""
    band_part: str = ""
    align: tuple[float, ...] = ()
    upper: int = 0


@dataclass(frozen=True, slots=True)
class PlateLayers:
    """A plate in layers, all of one size: ``ground`` (H, W, 3) uint8 BGR with bands and captions, ``ink`` (H, W)
    float32 0..1 of the characters, ``boxes`` one (x1, y1, x2, y2) in pixels a character of the text, in order."""

    ground: NDArray[np.uint8]
    ink: NDArray[np.float32]
    boxes: tuple[tuple[int, int, int, int], ...]


def spec_for(text: str, layout: str, *, variant: int = 0, face: str = "", caption: str | None = None) -> PlateSpec:
    """The plate ``text`` as ``layout`` usually looks. ``variant``: index of the style's colours (0: the usual).

    Raises GlyphError for a text with signs other than A-Z and 0-9.
    """
    style = style_of(layout)
    known = next((format_ for format_ in FORMATS if format_.key == layout), None)
    rows = known.rows if known is not None else 1
    groups = known.groups if known is not None and sum(known.groups) == len(text) else (len(text),)
    shown = caption if caption is not None else style.captions[0] if style.captions else ""
    return _styled(text, layout, style, rows, groups, variant, face or style.faces[0], style.separators[0], shown)


def _styled(
    text: str,
    layout: str,
    style: Style,
    rows: int,
    groups: tuple[int, ...],
    variant: int,
    face: str,
    separator: str,
    caption: str,
) -> PlateSpec:
    bad = sorted(set(text) - set(ALPHABET))
    if bad or not text:
        raise GlyphError(
            f"plate text {text!r} must be A-Z and 0-9 without separators" + (f", not {bad}" if bad else "")
        )
    ground, ink = style.colours[variant % len(style.colours)]
    return PlateSpec(
        text=text, layout=layout, rows=rows, groups=groups, ground=ground, ink=ink, face=face, separator=separator,
        caption=caption, size_mm=style.size if rows == 1 else style.size2,
        glyph_mm=style.glyph if rows == 1 else style.glyph2, border=style.border,
    )  # fmt: skip


def random_text(rng: np.random.Generator, format_: Format) -> str:
    """A text of this format, each character drawn evenly from what its slot allows."""
    return "".join(CLASSES[sign][int(rng.integers(len(CLASSES[sign])))] for sign in format_.template)


def random_spec(rng: np.random.Generator, countries: Sequence[str] | None = None) -> PlateSpec:
    """A plate of one of these countries (codes or regions of ``lpr.plates.formats``; None: all of them).

    Countries are equally likely, a country's first format is the likeliest. Everything random comes from ``rng``.
    Raises UnknownCountry.
    """
    formats = formats_for(countries) if countries else FORMATS
    codes = sorted({format_.country for format_ in formats})
    code = codes[int(rng.integers(len(codes)))]
    own = [format_ for format_ in formats if format_.country == code]
    weights = np.array([2.0 if i < 2 else 0.7 for i in range(len(own))])
    chosen = own[int(rng.choice(len(own), p=weights / weights.sum()))]
    style = style_of(chosen.key)
    usual = rng.random() < 0.6
    variant = 0 if usual else int(rng.integers(len(style.colours)))
    face = style.faces[0] if rng.random() < 0.5 else style.faces[int(rng.integers(len(style.faces)))]
    separator = style.separators[int(rng.integers(len(style.separators)))]
    caption = style.captions[int(rng.integers(len(style.captions)))] if style.captions else ""
    text = random_text(rng, chosen)
    return _styled(text, chosen.key, style, chosen.rows, chosen.groups, variant, face, separator, caption)


def render_plate(spec: PlateSpec, height_px: int = 96) -> NDArray[np.uint8]:
    """The plate, flat and clean, with border, bands and captions: (height_px, W, 3) uint8 BGR.

    W follows from ``spec.size_mm``. Raises GlyphError for a text it cannot draw or a height outside 16..2000.
    """
    layers = draw_layers(spec, height_px)
    ink = layers.ink[..., None]
    colour = np.array(spec.ink, np.float32)
    return np.rint(layers.ground * (1 - ink) + colour * ink).astype(np.uint8)


def draw_layers(spec: PlateSpec, height_px: int = 96, glyphs: GlyphSource | None = None) -> PlateLayers:
    """Like ``render_plate``, but in layers, and with another source of glyphs if one is handed in."""
    if not 16 <= height_px <= 2000:
        raise GlyphError(f"plate height {height_px} is outside 16..2000 pixels")
    style = style_of(spec.layout)
    scale = height_px / spec.size_mm[1]
    width = max(16, round(spec.size_mm[0] * scale))
    image = np.full((height_px, width, 3), spec.ground, np.uint8)
    if spec.border:
        line = max(1, round(3 * scale))
        margin = max(1, round(2.5 * scale))
        cv2.rectangle(image, (margin, margin), (width - 1 - margin, height_px - 1 - margin), spec.ink, line)
    x0, y0, x1, y1 = _field(image, spec, style, scale)
    source = glyphs if glyphs is not None else _own_glyphs(FACES[spec.face])
    ink = np.zeros((height_px, width), np.float32)
    boxes: list[tuple[int, int, int, int]] = []
    rows = _split_rows(spec)
    glyph_h = max(4, round(min(spec.glyph_mm * scale, (y1 - y0) / len(rows) * 0.96)))
    gap_y = max(1, round(((y1 - y0) - glyph_h * len(rows)) / (len(rows) + 1)))
    drop = round(style.text_drop * scale) if spec.caption and len(rows) == 1 else 0
    for number, groups in enumerate(rows):
        top = int(y0 + gap_y + number * (glyph_h + gap_y)) + drop
        top = int(np.clip(top, 0, height_px - glyph_h))
        beside = not spec.band_part or spec.band_part == ("upper", "lower")[min(number, 1)]
        left = x0 if beside or not spec.band or style.band != "left" else round((8 if spec.border else 5) * scale)
        span = (left + round((x1 - left) * spec.inset[0]), x1 - round((x1 - left) * spec.inset[1]))
        align = spec.align[number] if number < len(spec.align) else 0.5
        boxes.extend(_draw_row(ink, groups, spec, source, span, top, glyph_h, align))
    return PlateLayers(image, ink, tuple(boxes))


def _own_glyphs(face: Face) -> GlyphSource:
    def source(char: str, height: int) -> NDArray[np.float32]:
        return glyph_mask(face, char, height)

    return source


def _split_rows(spec: PlateSpec) -> list[list[str]]:
    """The groups of each row. Two rows are parted after ``spec.upper`` characters, at the group border nearest to the
    middle, or in the middle."""
    sizes = spec.groups if sum(spec.groups) == len(spec.text) else (len(spec.text),)
    starts = np.cumsum((0, *sizes))
    if spec.rows == 2 and 0 < spec.upper < len(spec.text):
        starts = np.unique((*starts, spec.upper))
        parts = [spec.text[a:b] for a, b in pairwise(starts)]
        first = int(np.searchsorted(starts, spec.upper))
        return [parts[:first], parts[first:]]
    parts = [spec.text[a:b] for a, b in pairwise(starts)]
    if spec.rows == 1:
        return [parts]
    if len(parts) == 1:
        middle = len(spec.text) // 2
        return [[spec.text[:middle]], [spec.text[middle:]]]
    middle = len(spec.text) / 2
    cut = min(range(1, len(parts)), key=lambda i: abs(float(starts[i]) - middle))
    return [parts[:cut], parts[cut:]]


def _field(image: NDArray[np.uint8], spec: PlateSpec, style: Style, scale: float) -> tuple[int, int, int, int]:
    """Draw band and caption; the field (x1, y1, x2, y2) that is left for the characters."""
    height, width = image.shape[:2]
    edge = round((8 if spec.border else 5) * scale)
    x0, y0, x1, y1 = edge, edge, width - edge, height - edge
    band = round(style.band_mm * scale)
    white: BGR = (235, 235, 235)
    if spec.band and style.band == "top":
        inset = max(1, round(2 * scale))
        cv2.rectangle(image, (inset, inset), (width - 1 - inset, band), style.band_colour, -1)
        y0 = band + round(2 * scale)
        caption = round(style.caption_mm * scale)
        _caption(image, spec.caption, (width // 2, band // 2 + inset // 2), caption, round(width * 0.6), white)
        if spec.rows == 1:
            flag = max(2, round(18 * scale))
            left = width - round(12 * scale) - round(flag * 1.4)
            cv2.rectangle(
                image, (left, (band - flag) // 2 + 1), (left + round(flag * 1.4), (band + flag) // 2), white, -1
            )
        x0 += round(18 * scale)
    elif spec.band and style.band == "left":
        top = height // 2 if spec.rows == 2 and spec.band_part == "lower" else 0
        bottom = height // 2 if spec.rows == 2 and spec.band_part == "upper" else height
        tall = bottom - top
        cv2.rectangle(image, (0, top), (band, bottom - 1), style.band_colour, -1)
        _stars(image, (band / 2, top + tall * 0.33), min(14 * scale, tall * 0.2))
        sign = spec.sign or SIGNS.get(spec.layout[:2], spec.layout[:2].upper())
        high = round((24 if len(sign) < 3 else 16) * scale)
        _caption(image, sign, (band // 2, top + round(tall * 0.76)), high, band - 2, white)
        x0 = band + round(6 * scale)
    if style.caption_at in ("top", "both") and spec.caption:
        _caption(image, spec.caption, (width // 2, edge + round(style.caption_mm * scale * 0.75)),
                 round(style.caption_mm * scale), round(width * 0.7), spec.ink)  # fmt: skip
        if style.caption_at == "top" and spec.rows == 2:
            y0 += round(style.caption_mm * 1.2 * scale)
    if style.caption_at == "bottom" and spec.caption:
        _caption(image, spec.caption, (width // 2, height - edge - round(style.caption_mm * scale * 0.6)),
                 round(style.caption_mm * scale), round(width * 0.7), spec.ink)  # fmt: skip
        if spec.rows == 2:
            y1 -= round(style.caption_mm * 1.1 * scale)
    return x0, y0, x1, y1


def _stars(image: NDArray[np.uint8], middle: tuple[float, float], radius: float) -> None:
    """The twelve stars of the European band; a ring where they would be too small to part."""
    yellow = (60, 200, 230)
    if radius < 5:
        cv2.circle(
            image, (round(middle[0]), round(middle[1])), max(1, round(radius)), yellow, max(1, round(radius / 4))
        )
        return
    for turn in np.arange(12) * (np.pi / 6):
        at = (round(middle[0] + radius * float(np.cos(turn))), round(middle[1] + radius * float(np.sin(turn))))
        cv2.circle(image, at, max(1, round(radius / 7)), yellow, -1)


def _caption(image: NDArray[np.uint8], text: str, middle: tuple[int, int], height: int, most: int, colour: BGR) -> None:
    """Small text in the narrow face, centred at ``middle``, at most ``most`` pixels wide."""
    if height < 4 or not text:
        return
    height = min(height, 400)
    face = FACES["us"]
    space = np.zeros((height, max(1, height // 3)), np.float32)
    gap = np.zeros((height, max(1, height // 8)), np.float32)
    parts: list[NDArray[np.float32]] = []
    for char in text:
        parts.extend((space if char == " " else glyph_mask(face, char, height), gap))
    line = np.hstack(parts)
    if line.shape[1] > most > 0:
        line = np.asarray(cv2.resize(line, (most, height), interpolation=cv2.INTER_AREA), np.float32)
    h, w = line.shape
    x = max(0, min(middle[0] - w // 2, image.shape[1] - w))
    y = max(0, min(middle[1] - h // 2, image.shape[0] - h))
    if w > image.shape[1] or h > image.shape[0]:
        return
    part = image[y : y + h, x : x + w]
    mask = line[..., None]
    part[:] = np.rint(part * (1 - mask) + np.array(colour, np.float32) * mask).astype(np.uint8)


def _draw_row(
    ink: NDArray[np.float32],
    groups: Sequence[str],
    spec: PlateSpec,
    source: GlyphSource,
    span: tuple[int, int],
    top: int,
    glyph_h: int,
    align: float = 0.5,
) -> list[tuple[int, int, int, int]]:
    """Draw one row in ``span``, narrowed where it would not fit; ``align``: 0 at its left, 0.5 in the middle. Boxes of
    its characters, in order."""
    separator = spec.separator
    gap = max(1, round(glyph_h * spec.spacing))
    usual = 0.28 if separator == " " else 0.42
    between = max(gap + 1, round(glyph_h * (spec.group_gap or usual)))
    parts: list[tuple[int, NDArray[np.float32] | None]] = []  # (x from the row's start, mask or None for a separator)
    x = 0
    for number, group in enumerate(groups):
        if number:
            if separator != " ":
                parts.append((x - gap + between // 2, None))
            x += between - gap
        for char in group:
            mask = source(char, glyph_h)
            parts.append((x, mask))
            x += mask.shape[1] + gap
    total = max(1, x - gap)
    room = max(4, span[1] - span[0])
    squeeze = min(1.0, room * 0.95 / total)
    left = span[0] + (room - total * squeeze) * align
    boxes: list[tuple[int, int, int, int]] = []
    for at, mask in parts:
        x1 = round(left + at * squeeze)
        if mask is None:
            _separator(ink, separator, x1, top + glyph_h // 2, glyph_h)
            continue
        if squeeze < 1:
            wide = max(1, round(mask.shape[1] * squeeze))
            mask = np.asarray(cv2.resize(mask, (wide, glyph_h), interpolation=cv2.INTER_AREA), np.float32)
        h, w = mask.shape
        x1 = max(0, min(x1, ink.shape[1] - w))
        h = min(h, ink.shape[0] - top)
        np.maximum(ink[top : top + h, x1 : x1 + w], mask[:h], out=ink[top : top + h, x1 : x1 + w])
        boxes.append((x1, top, x1 + w, top + h))
    return boxes


def _separator(ink: NDArray[np.float32], sign: str, x: int, y: int, glyph_h: int) -> None:
    size = max(1, round(glyph_h * 0.08))
    if sign == "-":
        ink[y - size // 2 : y + max(1, (size + 1) // 2), max(0, x - size) : x + size] = 1.0
    elif sign == ".":
        ink[y - size : y + size, max(0, x - size) : x + size] = 1.0
    elif sign == "*":
        cv2.circle(ink, (x, y), max(1, round(glyph_h * 0.12)), (0.6,), -1)

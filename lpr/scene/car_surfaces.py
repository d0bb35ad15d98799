"""The measures of the demo street's cars, and what their surfaces look like: noses, sterns, glass, roofs, flanks.

Imports ``lpr.scene``.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpr.scene.bodies import CHROME, TRIM, wheel
from lpr.scene.raster import Colour, Pad, Texture, mix, rounded, scale


@dataclass(frozen=True)
class Shape:
    """Measures of a car-like body, metres. Profiles run from the near end: (z, y) of deck, glass foot, roof."""

    width: float
    length: float
    floor: float
    belt: float
    roof: float
    deck_y: float
    deck_z: float
    glass_z: float
    roof_end: float
    tail: float
    taper: float = 0.8
    plate_y: float = 0.5


def nose(shape: Shape, paint: Colour, style: int) -> Texture:
    """The front below the bonnet."""
    w, h = shape.width, shape.deck_y - shape.floor + 0.02
    pad = Pad(w, h, 280)
    mid = w / 2
    outline = [(0.03, h), (0.0, 0.62 * h), (0.01, 0.14 * h), (0.05, 0.03 * h), (0.30, 0.0)]
    outline += [(w - x, y) for x, y in reversed(outline)]
    pad.grade(outline, scale(mix(paint, (255, 250, 245), 0.16), 1.08), scale(paint, 0.60))
    # the lower lip and the intake
    pad.fill([(0.05, h), (0.04, 0.86 * h), (w - 0.04, 0.86 * h), (w - 0.05, h)], TRIM)
    pad.grade(rounded(0.42, 0.62 * h, w - 0.42, 0.90 * h, 0.05), (40, 38, 37), (24, 23, 22))
    for side in (1, -1):

        def at(x: float, side: int = side) -> float:
            return x if side > 0 else w - x

        fog = rounded(min(at(0.13), at(0.34)), 0.66 * h, max(at(0.13), at(0.34)), 0.84 * h, 0.04)
        pad.fill(fog, (38, 36, 35))
        pad.disc(at(0.235), 0.75 * h, 0.045, (168, 172, 174))
        pad.disc(at(0.235), 0.75 * h, 0.03, (214, 218, 220))
    # the grille
    depth = 0.16 + 0.03 * (style % 3)
    wide = 0.44 - 0.05 * (style % 2)
    grille = [
        (mid - wide, 0.14 * h),
        (mid + wide, 0.14 * h),
        (mid + wide - 0.07, 0.14 * h + depth),
        (mid - wide + 0.07, 0.14 * h + depth),
    ]
    pad.fill(
        [(x + (x - mid) * 0.045, y + (0.012 if y > 0.2 * h else -0.012)) for x, y in grille],
        CHROME if style % 2 else scale(paint, 0.5),
    )
    pad.fill(grille, (30, 29, 28))
    bars = 3 + style % 2
    for bar in range(1, bars + 1):
        y = 0.14 * h + depth * bar / (bars + 1)
        pad.line([(mid - wide + 0.07 * bar / (bars + 1), y), (mid + wide - 0.07 * bar / (bars + 1), y)],
                 (150, 150, 148) if style % 2 else (62, 60, 58), 0.010)  # fmt: skip
    pad.oval(mid, 0.14 * h + depth / 2, 0.055, 0.042, (206, 206, 204))
    pad.oval(mid, 0.14 * h + depth / 2, 0.040, 0.029, (120, 118, 116))
    # the lamps
    drop = 0.02 * (style // 2 % 3)
    for side in (1, -1):

        def place(points: list[tuple[float, float]], side: int = side) -> list[tuple[float, float]]:
            return points if side > 0 else [(w - x, y) for x, y in points]

        lamp = [
            (0.05, 0.24 * h),
            (0.10, 0.12 * h),
            (mid - wide - 0.06, 0.15 * h + drop),
            (mid - wide - 0.03, 0.15 * h + drop + 0.10),
            (0.12, 0.16 * h + 0.16),
            (0.06, 0.42 * h),
        ]
        pad.fill(place([(x + (x - 0.22) * 0.07, y + (y - 0.28 * h) * 0.12) for x, y in lamp]), scale(paint, 0.42))
        pad.grade(place(lamp), (222, 224, 224), (150, 152, 154))
        for x, r in ((0.155, 0.058), (0.285, 0.045)):
            x = x if side > 0 else w - x
            pad.disc(x, 0.30 * h, r, (120, 120, 120))
            pad.disc(x, 0.30 * h, r * 0.8, (240, 244, 244))
            pad.disc(x - 0.3 * r, 0.30 * h - 0.3 * r, r * 0.3, (255, 255, 255))
    pad.line([(0.06, 0.60 * h), (0.40, 0.58 * h), (w - 0.40, 0.58 * h), (w - 0.06, 0.60 * h)], scale(paint, 0.7), 0.008)
    return pad.texture()


def stern(shape: Shape, paint: Colour, style: int) -> Texture:
    """The back below the rear window."""
    w, h = shape.width, shape.deck_y - shape.floor + 0.02
    pad = Pad(w, h, 280)
    mid = w / 2
    outline = [(0.06, h), (0.01, 0.68 * h), (0.0, 0.35 * h), (0.05, 0.10 * h), (0.14, 0.0)]
    outline += [(w - x, y) for x, y in reversed(outline)]
    pad.grade(outline, scale(mix(paint, (255, 250, 245), 0.14), 1.04), scale(paint, 0.62))
    pad.grade(
        [(0.10, 0.02), (w - 0.10, 0.02), (w - 0.12, 0.10 * h), (0.12, 0.10 * h)],
        mix(paint, (255, 255, 255), 0.35),
        paint,
    )
    pad.fill([(0.08, h), (0.07, 0.86 * h), (w - 0.07, 0.86 * h), (w - 0.08, h)], TRIM)
    pad.line(
        [(0.02, 0.60 * h), (0.30, 0.585 * h), (w - 0.30, 0.585 * h), (w - 0.02, 0.60 * h)], scale(paint, 0.58), 0.010
    )
    pad.line([(0.04, 0.625 * h), (w - 0.04, 0.625 * h)], mix(paint, (255, 255, 255), 0.22), 0.008)
    # the recess of the plate
    centre = shape.deck_y - shape.plate_y + 0.01
    pad.fill(rounded(mid - 0.36, centre - 0.13, mid + 0.36, centre + 0.12, 0.05), scale(paint, 0.70))
    pad.fill(rounded(mid - 0.34, centre - 0.115, mid + 0.34, centre + 0.105, 0.045), scale(paint, 0.82))
    pad.fill(
        rounded(mid - 0.26, centre - 0.150, mid + 0.26, centre - 0.115, 0.015),
        CHROME if style % 2 else scale(paint, 0.5),
    )
    for side in (1, -1):

        def place(points: list[tuple[float, float]], side: int = side) -> list[tuple[float, float]]:
            return points if side > 0 else [(w - x, y) for x, y in points]

        if style % 3 == 0:
            lamp = [(0.03, 0.14 * h), (0.44, 0.17 * h), (0.40, 0.36 * h), (0.03, 0.44 * h)]
            white = [(0.30, 0.20 * h), (0.41, 0.20 * h), (0.39, 0.33 * h), (0.30, 0.35 * h)]
        elif style % 3 == 1:
            lamp = [(0.02, 0.06 * h), (0.22, 0.05 * h), (0.26, 0.50 * h), (0.04, 0.56 * h)]
            white = [(0.07, 0.36 * h), (0.22, 0.35 * h), (0.235, 0.45 * h), (0.075, 0.47 * h)]
        else:
            lamp = [(0.03, 0.12 * h), (0.34, 0.12 * h), (0.44, 0.28 * h), (0.30, 0.40 * h), (0.03, 0.44 * h)]
            white = [(0.24, 0.26 * h), (0.36, 0.25 * h), (0.38, 0.29 * h), (0.29, 0.35 * h)]
        pad.fill(place([(x + (x - 0.2) * 0.06, y + (y - 0.28 * h) * 0.08) for x, y in lamp]), scale(paint, 0.5))
        pad.grade(place(lamp), (44, 36, 206), (30, 22, 132))
        pad.line(
            place([(lamp[0][0] + 0.02, lamp[0][1] + 0.03), (lamp[1][0] - 0.03, lamp[1][1] + 0.03)]),
            (110, 104, 236),
            0.012,
        )
        pad.fill(place(white), (206, 212, 222))
        pad.fill(place([(0.10, 0.76 * h), (0.28, 0.75 * h), (0.28, 0.79 * h), (0.10, 0.80 * h)]), (40, 32, 170))
    pad.oval(w - 0.32, 0.965 * h, 0.05, 0.022, (130, 130, 130))
    pad.oval(w - 0.32, 0.968 * h, 0.036, 0.014, (22, 22, 22))
    pad.oval(mid, centre - 0.22, 0.05, 0.038, (206, 206, 204))
    return pad.texture()


def deck(paint: Colour, bed: bool) -> Texture:
    """Bonnet or boot lid, seen from above, its near edge at the bottom; or a pickup's bed."""
    pad = Pad(1.5, 1.0, 160)
    if bed:
        pad.grade([(0, 0), (1.5, 0), (1.5, 1), (0, 1)], (30, 29, 28), (58, 56, 54))
        pad.rect(0, 0, 0.07, 1, scale(paint, 0.95))
        pad.rect(1.43, 0, 1.5, 1, scale(paint, 0.95))
        pad.rect(0, 0.93, 1.5, 1, scale(paint, 1.05))
        return pad.texture()
    pad.grade(
        [(0, 0), (1.5, 0), (1.5, 1), (0, 1)], mix(paint, (236, 226, 214), 0.42), mix(paint, (236, 226, 214), 0.10)
    )
    for x in (0.32, 1.18):
        pad.line([(x, 0.0), (x + (0.06 if x < 0.7 else -0.06), 1.0)], scale(paint, 0.80), 0.016)
        pad.line([(x + 0.02, 0.0), (x + (0.08 if x < 0.7 else -0.04), 1.0)], mix(paint, (255, 255, 255), 0.34), 0.012)
    return pad.texture()


def glass(paint: Colour, front: bool, style: int) -> Texture:
    """Wind screen or rear window with its frame, 1.5 × 0.9."""
    pad = Pad(1.5, 0.9, 220)
    pad.rect(0, 0, 1.5, 0.9, scale(paint, 0.85))
    pane = rounded(0.07, 0.06, 1.43, 0.87, 0.10)
    pad.grade(pane, (120, 104, 90), (48, 43, 40))
    if front:
        pad.fill(rounded(0.20, 0.42, 0.56, 0.87, 0.12), (44, 41, 40))
        pad.fill(rounded(0.94, 0.42, 1.30, 0.87, 0.12), (44, 41, 40))
        pad.disc(1.12 if style % 3 else 0.38, 0.42, 0.085, (58, 66, 84))
        pad.disc(1.12, 0.42, 0.085, (60, 74, 100))
        pad.rect(0.68, 0.10, 0.82, 0.16, (36, 34, 33), 0.02)
        pad.line([(0.2, 0.86), (0.72, 0.80)], (22, 22, 22), 0.014)
        pad.line([(0.78, 0.86), (1.3, 0.80)], (22, 22, 22), 0.014)
    else:
        for x in (0.26, 0.66, 1.06):
            pad.fill(rounded(x, 0.48, x + 0.20, 0.87, 0.06), (46, 43, 42))
        for line in range(5):
            pad.line([(0.16, 0.30 + 0.10 * line), (1.34, 0.30 + 0.10 * line)], (62, 56, 52), 0.004)
        pad.rect(0.60, 0.075, 0.90, 0.10, (30, 26, 120))
    # what the glass reflects
    shine = pad.image[: int(0.9 * 220)].copy()
    pad.grade([(0.16, 0.06), (0.52, 0.06), (0.30, 0.87), (0.07, 0.87), (0.07, 0.4)], (206, 192, 178), (110, 100, 92))
    pad.image[:] = (0.68 * shine + 0.32 * pad.image + 0.5).astype(pad.image.dtype)
    return pad.texture()


def roof(paint: Colour) -> Texture:
    pad = Pad(1.3, 1.6, 100)
    pad.grade(
        [(0, 0), (1.3, 0), (1.3, 1.6), (0, 1.6)], mix(paint, (236, 226, 214), 0.50), mix(paint, (236, 226, 214), 0.30)
    )
    for x in (0.08, 1.22):
        pad.line([(x, 0), (x, 1.6)], scale(paint, 0.75), 0.02)
    return pad.texture()


def flank(shape: Shape, paint: Colour, front: bool) -> Texture:
    """The side below the windows, from the near end at its left."""
    length, h = shape.length, shape.belt
    pad = Pad(length, h, 150)
    low = h - shape.floor
    nose = h - shape.deck_y
    outline = [(0.03, low), (0.0, nose + 0.2), (0.05, nose + 0.02)]
    outline += [(shape.glass_z, 0.0), (length - 0.5, 0.0), (length - 0.05, 0.12), (length, 0.4), (length - 0.05, low)]
    pad.grade(outline, mix(paint, (250, 244, 238), 0.20), scale(paint, 0.52))
    pad.fill([(0.4, low), (0.4, low - 0.08), (length - 0.4, low - 0.08), (length - 0.4, low)], TRIM)
    pad.line([(0.15, 0.30), (length - 0.2, 0.24)], mix(paint, (255, 255, 255), 0.30), 0.016)
    pad.line([(0.15, 0.33), (length - 0.2, 0.27)], scale(paint, 0.66), 0.016)
    for z in (1.35, 2.35, 3.3):
        z = z if front else length - z
        if z < length - 0.9:
            pad.line([(z, 0.0), (z + 0.03, low - 0.1)], scale(paint, 0.5), 0.012)
            pad.rect(z + 0.62, 0.17, z + 0.80, 0.20, scale(paint, 0.6), 0.012)
    radius = 0.33
    for z in (0.82, length - 0.85):
        wheel(pad, z, h - radius, radius)
    return pad.texture()


def cabin(shape: Shape, paint: Colour, windows: bool) -> Texture:
    """The side above the belt line, from the glass foot to the tail."""
    length, h = shape.tail - shape.glass_z, shape.roof - shape.belt + 0.03
    pad = Pad(length, h, 150)
    lean = max(slope(shape), 0.05)
    end = shape.tail - shape.roof_end
    pad.grade([(0, h), (lean, 0), (length - end, 0), (length, h)], mix(paint, (250, 244, 238), 0.25), scale(paint, 0.8))
    if windows:
        top, low = 0.07, h - 0.04
        parts = 2 if length < 2.8 else 3
        for part in range(parts):
            a, b = part / parts, (part + 1) / parts
            lo1, lo2 = 0.12 + (length - 0.24) * a, 0.12 + (length - 0.24) * b - 0.07
            up1 = lean + 0.06 + (length - end - lean - 0.12) * a
            up2 = lean + 0.06 + (length - end - lean - 0.12) * b - 0.07
            pad.grade([(lo1, low), (up1, top), (up2, top), (lo2, low)], (116, 102, 90), (46, 42, 40))
    return pad.texture()


def slope(shape: Shape) -> float:
    """How far (metres) the near glass leans back."""
    rise = shape.roof - shape.belt
    return {True: 0.75, False: 0.45}[shape.glass_z > 0.7] * min(rise / 0.5, 1.5)


# --- the whole ------------------------------------------------------------------------------------------

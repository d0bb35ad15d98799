"""The demo street's cars, off-roaders, pickups and vans, as seen from the front or from behind.

Coordinates and faces: see ``lpr.scene.bodies``. No make is copied. Imports ``lpr.scene``.
"""

from __future__ import annotations

from lpr.scene import car_surfaces as surfaces
from lpr.scene.bodies import Body, Face, Lamp
from lpr.scene.car_surfaces import Shape, slope
from lpr.scene.raster import Colour, Pad, mix, rounded, scale

_FRONT = {
    "car": Shape(1.74, 4.2, 0.2, 0.94, 1.45, 0.80, 0.04, 1.05, 3.35, 4.15, 0.78, 0.50),
    "suv": Shape(1.84, 4.5, 0.26, 1.08, 1.68, 0.98, 0.05, 1.15, 4.1, 4.5, 0.82, 0.58),
    "pickup": Shape(1.86, 5.1, 0.32, 1.10, 1.76, 1.02, 0.05, 1.2, 3.2, 3.5, 0.80, 0.62),
    "van": Shape(1.92, 5.0, 0.24, 1.12, 2.05, 1.00, 0.04, 0.75, 4.9, 5.0, 0.86, 0.52),
}
_REAR = {
    "car": Shape(1.74, 4.2, 0.22, 0.96, 1.45, 0.99, 0.03, 0.55, 2.45, 3.15, 0.78, 0.74),
    "suv": Shape(1.84, 4.5, 0.28, 1.10, 1.68, 1.10, 0.02, 0.08, 2.9, 3.4, 0.82, 0.84),
    "pickup": Shape(1.86, 5.1, 0.34, 1.10, 1.76, 1.10, 0.02, 1.75, 3.3, 3.95, 0.80, 0.60),
    "van": Shape(1.92, 5.0, 0.24, 1.12, 2.05, 1.12, 0.02, 0.04, 4.2, 4.6, 0.88, 0.80),
}


def _hatch(shape: Shape) -> Shape:
    """The hatchback among the cars: its rear window begins at the tail."""
    return Shape(shape.width, shape.length, shape.floor, shape.belt, 1.47, 0.97, 0.02, 0.06, 2.7, 3.3, 0.8, 0.72)


def _sides(shape: Shape, paint: Colour, front: bool, windows: bool) -> list[Face]:
    half, cabin = shape.width / 2 - 0.02, shape.width / 2 * shape.taper
    flank, upper = surfaces.flank(shape, paint, front), surfaces.cabin(shape, paint, windows)
    faces: list[Face] = []
    for sign, facing in ((-1, "left"), (1, "right")):
        faces.append(
            Face(
                (
                    (sign * half, shape.belt, 0),
                    (sign * half, shape.belt, shape.length),
                    (sign * half, 0, shape.length),
                    (sign * half, 0, 0),
                ),
                flank,
                "left" if facing == "left" else "right",
            )
        )
        x1, x2, z1, z2 = sign * cabin, sign * (half - 0.01), shape.glass_z, shape.tail
        faces.append(
            Face(
                ((x1, shape.roof, z1), (x1, shape.roof, z2), (x2, shape.belt - 0.03, z2), (x2, shape.belt - 0.03, z1)),
                upper,
                "left" if facing == "left" else "right",
            )
        )
    return faces


def _tyres(width: float, floor: float) -> Face:
    """What is seen below the near end: tyres and the dark underneath."""
    pad = Pad(width, floor + 0.12, 140)
    h = floor + 0.12
    pad.rect(0.1, 0, width - 0.1, h - 0.12, (16, 16, 16))
    for x in (0.09, width - 0.09 - 0.21):
        pad.grade(rounded(x, 0, x + 0.21, h, 0.05), (22, 22, 22), (40, 39, 38))
    return Face(
        ((-width / 2, h, 0.25), (width / 2, h, 0.25), (width / 2, 0, 0.25), (-width / 2, 0, 0.25)), pad.texture()
    )


def _mirrors(shape: Shape, paint: Colour) -> list[Face]:
    z = shape.glass_z + 0.45
    faces: list[Face] = []
    for sign in (-1, 1):
        pad = Pad(0.24, 0.17, 140)
        pad.grade(rounded(0.01, 0.01, 0.23, 0.16, 0.06), mix(paint, (255, 250, 245), 0.2), scale(paint, 0.6))
        x = sign * (shape.width / 2 + 0.06)
        faces.append(
            Face(
                (
                    (x - 0.12, shape.belt + 0.15, z),
                    (x + 0.12, shape.belt + 0.15, z),
                    (x + 0.12, shape.belt - 0.02, z),
                    (x - 0.12, shape.belt - 0.02, z),
                ),
                pad.texture(),
            )
        )
    return faces


def car(kind: str, paint: Colour, front: bool, style: int) -> Body:
    """A "car", "suv", "pickup" or "van"; an odd ``style`` of a car is a hatchback."""
    shape = (_FRONT if front else _REAR)[kind]
    if kind == "car" and not front and style % 2:
        shape = _hatch(shape)
    half = shape.width / 2
    roof_half = half * shape.taper
    lean = slope(shape)
    bed = kind == "pickup" and not front
    panel_van = kind == "van" and style % 2 == 0
    faces = [_tyres(shape.width, shape.floor), *_sides(shape, paint, front, not panel_van)]
    z_roof = shape.glass_z + lean
    faces.append(
        Face(
            (
                (-roof_half, shape.roof + 0.02, shape.roof_end),
                (roof_half, shape.roof + 0.02, shape.roof_end),
                (roof_half, shape.roof, z_roof),
                (-roof_half, shape.roof, z_roof),
            ),
            surfaces.roof(paint),
            "up",
        )
    )
    foot = half - 0.03
    base = shape.belt if not bed else shape.belt - 0.05
    glass = surfaces.glass(paint, front, style)
    faces.append(
        Face(
            (
                (-roof_half, shape.roof, z_roof),
                (roof_half, shape.roof, z_roof),
                (foot, base, shape.glass_z),
                (-foot, base, shape.glass_z),
            ),
            glass,
        )
    )
    if shape.glass_z - shape.deck_z > 0.1:
        far = near = half - 0.02
        faces.append(
            Face(
                (
                    (-far, shape.belt, shape.glass_z),
                    (far, shape.belt, shape.glass_z),
                    (near, shape.deck_y, shape.deck_z),
                    (-near, shape.deck_y, shape.deck_z),
                ),
                surfaces.deck(paint, bed),
                "up",
            )
        )
    end = surfaces.nose(shape, paint, style) if front else surfaces.stern(shape, paint, style)
    faces.append(
        Face(
            (
                (-half, shape.deck_y + 0.02, 0.02),
                (half, shape.deck_y + 0.02, 0.02),
                (half, shape.floor, 0),
                (-half, shape.floor, 0),
            ),
            end,
        )
    )
    if front:
        faces.extend(_mirrors(shape, paint))
    lamp_y = shape.deck_y - 0.30 * (shape.deck_y - shape.floor)
    lamps = tuple(Lamp("head" if front else "tail", (sign * (half - 0.2), lamp_y, 0)) for sign in (-1, 1))
    if not front:
        lamps += (Lamp("brake", (0.0, shape.roof - 0.06, z_roof)),)
    return Body(shape.width, shape.length, shape.roof, tuple(faces), lamps, shape.plate_y)

"""The demo street's trucks and motorcycles, as seen from the front or from behind.

Coordinates and faces: see ``lpr.scene.bodies``. No make is copied. Imports ``lpr.scene``.
"""

from __future__ import annotations

from lpr.scene.bodies import TRIM, Body, Face, Lamp, wheel
from lpr.scene.raster import Colour, Pad, mix, rounded, scale


def truck(paint: Colour, front: bool, style: int) -> Body:
    """A truck with a box behind its cab."""
    width, length, cargo_top, cab_top = 2.3, 7.6, 3.35, 2.55
    half = width / 2
    box: Colour = ((214, 216, 216), (190, 196, 200), mix(paint, (255, 255, 255), 0.1))[style % 3]
    side = Pad(length, cargo_top, 70)
    start = 1.9 if front else 0.0
    stop = length if front else length - 1.9
    side.grade(
        [(start, 0.0), (stop, 0.0), (stop, cargo_top - 1.0), (start, cargo_top - 1.0)],
        scale(box, 1.0),
        scale(box, 0.78),
    )
    for rib in range(int((stop - start) / 0.7)):
        side.line([(start + 0.35 + 0.7 * rib, 0), (start + 0.35 + 0.7 * rib, cargo_top - 1.0)], scale(box, 0.85), 0.03)
    side.rect(start + 0.1, cargo_top - 1.0, stop - 0.1, cargo_top - 0.75, TRIM)
    cab_1, cab_2 = (0.0, 1.8) if front else (length - 1.8, length)
    side.grade(
        [
            (cab_1, cargo_top - cab_top),
            (cab_2, cargo_top - cab_top),
            (cab_2, cargo_top - 0.45),
            (cab_1, cargo_top - 0.45),
        ],
        mix(paint, (255, 255, 255), 0.15),
        scale(paint, 0.6),
    )
    side.rect(cab_1 + 0.25, cargo_top - cab_top + 0.2, cab_2 - 0.45, cargo_top - cab_top + 0.85, (60, 54, 50), 0.05)
    for z in (1.0, length - 1.3):
        wheel(side, z, cargo_top - 0.46, 0.46)
    flank = side.texture()
    faces = [
        Face(
            ((s * half, cargo_top, 0), (s * half, cargo_top, length), (s * half, 0, length), (s * half, 0, 0)),
            flank,
            "left" if s < 0 else "right",
        )
        for s in (-1, 1)
    ]
    h = (cab_top if front else cargo_top) - 0.35
    pad = Pad(width, h + 0.35, 200)
    full = h + 0.35
    for x in (0.08, width - 0.46):
        pad.grade(rounded(x, full - 0.8, x + 0.38, full, 0.06), (24, 24, 24), (44, 43, 42))
    if front:
        wall = Pad(width, cargo_top - 1.0, 60)
        wall.grade(rounded(0, 0, width, cargo_top - 1.0, 0.06), box, scale(box, 0.7))
        faces.append(
            Face(((-half, cargo_top, 1.9), (half, cargo_top, 1.9), (half, 1.0, 1.9), (-half, 1.0, 1.9)), wall.texture())
        )
        outline = [(0.05, h), (0.02, 0.55 * h), (0.10, 0.10), (0.24, 0.0)]
        outline += [(width - x, y) for x, y in reversed(outline)]
        pad.grade(outline, mix(paint, (255, 250, 245), 0.22), scale(paint, 0.62))
        pane = [
            (0.12, 1.02),
            (0.20, 0.26),
            (0.30, 0.20),
            (width - 0.30, 0.20),
            (width - 0.20, 0.26),
            (width - 0.12, 1.02),
        ]
        pad.grade(pane, (128, 112, 98), (46, 42, 40))
        pad.disc(width - 0.62, 0.72, 0.12, (62, 76, 104))
        pad.rect(width - 0.90, 0.84, width - 0.36, 1.02, (50, 46, 44), 0.08)
        for x in (0.35, 1.15):
            pad.line([(x, 1.03), (x + 0.6, 0.92)], (20, 20, 20), 0.02)
        pad.rect(0.50, 1.18, width - 0.50, 1.55, (34, 33, 32), 0.05)
        for bar in range(4):
            pad.rect(0.54, 1.23 + 0.08 * bar, width - 0.54, 1.25 + 0.08 * bar, (150, 150, 148))
        pad.rect(0.03, 1.68, width - 0.03, h, scale(paint, 0.5) if style % 2 else (96, 95, 94), 0.06)
        pad.rect(0.60, 1.96, width - 0.60, h - 0.03, (36, 35, 34), 0.03)
        for x in (0.34, width - 0.34):
            pad.rect(x - 0.20, 1.74, x + 0.20, 1.95, (70, 68, 66), 0.05)
            pad.rect(x - 0.17, 1.765, x + 0.17, 1.925, (226, 230, 230), 0.05)
        for x in (-half - 0.16, half + 0.16):
            mirror = Pad(0.24, 0.5, 100)
            mirror.rect(0.02, 0.02, 0.22, 0.48, (40, 38, 37), 0.05)
            faces.append(
                Face(
                    ((x - 0.12, 2.2, 0.15), (x + 0.12, 2.2, 0.15), (x + 0.12, 1.7, 0.15), (x - 0.12, 1.7, 0.15)),
                    mirror.texture(),
                )
            )
        lamps = (Lamp("head", (-half + 0.34, 0.72, 0)), Lamp("head", (half - 0.34, 0.72, 0)))
    else:
        door = cargo_top - 0.95
        pad.grade([(0, 0), (width, 0), (width, door), (0, door)], scale(box, 1.02), scale(box, 0.84))
        pad.rect(0, 0, width, 0.09, scale(box, 0.72))
        pad.rect(0, door - 0.10, width, door, scale(box, 0.62))
        for x in (0.0, width - 0.07):
            pad.rect(x, 0, x + 0.07, door, scale(box, 0.74))
        pad.rect(width / 2 - 0.012, 0.09, width / 2 + 0.012, door - 0.1, scale(box, 0.42))
        for x in (width / 2 - 0.28, width / 2 + 0.28, width / 2 - 0.75, width / 2 + 0.75):
            pad.rect(x - 0.018, 0.12, x + 0.018, door - 0.12, scale(box, 0.66))
            pad.rect(x - 0.03, door * 0.58, x + 0.13, door * 0.58 + 0.04, (104, 102, 100))
        for stripe in range(9):
            x = 0.10 + stripe * (width - 0.2) / 9
            pad.rect(
                x, door - 0.085, x + (width - 0.2) / 9, door - 0.02, (40, 32, 200) if stripe % 2 else (232, 236, 238)
            )
        pad.rect(0.35, door, width - 0.35, door + 0.28, (26, 26, 26))
        pad.rect(0.06, door + 0.14, width - 0.06, door + 0.48, (58, 57, 56), 0.03)
        for x in (0.30, width - 0.30):
            pad.rect(x - 0.20, door + 0.20, x + 0.20, door + 0.40, (30, 22, 150), 0.03)
            pad.rect(x - 0.06, door + 0.22, x + 0.06, door + 0.38, (48, 130, 226), 0.02)
        lamps = (Lamp("tail", (-half + 0.30, 0.65, 0)), Lamp("tail", (half - 0.30, 0.65, 0)))
    top = cab_top if front else cargo_top
    faces.append(Face(((-half, top, 0), (half, top, 0), (half, top - full, 0), (-half, top - full, 0)), pad.texture()))
    return Body(width, length, cargo_top, tuple(faces), lamps, 0.47 if front else 0.64)


def motorcycle(paint: Colour, front: bool, style: int) -> Body:
    """A motorcycle with its rider: one flat face."""
    w, h = 0.96, 1.72
    pad = Pad(w, h, 300)
    mid = w / 2
    jacket: Colour = ((64, 52, 46), (40, 38, 92), (70, 74, 58), (44, 43, 42))[style % 4]
    helmet: Colour = ((210, 212, 212), (36, 34, 150), (40, 39, 38), (170, 110, 50))[style // 4 % 4]
    # wheel
    pad.grade(rounded(mid - 0.07, h - 0.62, mid + 0.07, h, 0.05), (30, 30, 30), (44, 43, 42))
    # legs
    for sign in (-1, 1):
        pad.fill(
            [
                (mid + sign * 0.08, 0.86),
                (mid + sign * 0.25, 0.92),
                (mid + sign * 0.27, 1.22),
                (mid + sign * 0.20, 1.52),
                (mid + sign * 0.11, 1.52),
                (mid + sign * 0.15, 1.2),
            ],
            (72, 54, 44),
        )
        pad.rect(mid + sign * 0.165 - 0.05, 1.46, mid + sign * 0.165 + 0.05, 1.56, (30, 29, 28), 0.03)
    # rider
    for sign in (-1, 1):
        arm = [
            (mid + sign * 0.19, 0.38),
            (mid + sign * 0.27, 0.46),
            (mid + sign * 0.40, 0.72),
            (mid + sign * 0.36, 0.80),
            (mid + sign * 0.28, 0.76),
            (mid + sign * 0.18, 0.60),
        ]
        pad.grade(arm, scale(jacket, 1.25), scale(jacket, 0.8))
    torso = [
        (mid - 0.12, 0.31),
        (mid + 0.12, 0.31),
        (mid + 0.24, 0.40),
        (mid + 0.20, 0.92),
        (mid - 0.20, 0.92),
        (mid - 0.24, 0.40),
    ]
    pad.grade(torso, scale(jacket, 1.3), scale(jacket, 0.75))
    pad.oval(mid, 0.17, 0.135, 0.16, helmet)
    pad.oval(mid - 0.04, 0.11, 0.05, 0.06, mix(helmet, (255, 255, 255), 0.4))
    if front:
        pad.fill(rounded(mid - 0.10, 0.13, mid + 0.10, 0.23, 0.04), (40, 36, 34))
    # handlebar and mirrors
    pad.line([(mid - 0.40, 0.76), (mid - 0.2, 0.72), (mid + 0.2, 0.72), (mid + 0.40, 0.76)], (40, 40, 40), 0.035)
    for sign in (-1, 1):
        pad.line([(mid + sign * 0.30, 0.73), (mid + sign * 0.36, 0.58)], (40, 40, 40), 0.018)
        pad.oval(mid + sign * 0.37, 0.55, 0.065, 0.045, (42, 41, 40))
    # machine
    shell = [
        (mid - 0.17, 0.74),
        (mid + 0.17, 0.74),
        (mid + 0.14, 1.02),
        (mid + 0.08, 1.14),
        (mid - 0.08, 1.14),
        (mid - 0.14, 1.02),
    ]
    pad.grade(shell, mix(paint, (255, 255, 255), 0.22), scale(paint, 0.6))
    if front:
        pad.oval(mid, 0.86, 0.105, 0.085, (70, 70, 70))
        pad.oval(mid, 0.86, 0.09, 0.07, (236, 240, 240))
        lamps = (Lamp("head", (0.0, h - 0.86, 0)),)
        pad.fill([(mid - 0.10, 1.10), (mid + 0.10, 1.10), (mid + 0.085, 1.22), (mid - 0.085, 1.22)], scale(paint, 0.8))
    else:
        pad.rect(mid - 0.11, 0.84, mid + 0.11, 0.93, (30, 22, 160), 0.03)
        pad.rect(mid - 0.05, 0.86, mid + 0.05, 0.91, (60, 52, 220), 0.02)
        lamps = (Lamp("tail", (0.0, h - 0.88, 0)),)
        pad.rect(mid - 0.12, 0.97, mid + 0.12, 1.20, (36, 35, 34), 0.02)
    for sign in (-1, 1):
        pad.oval(mid + sign * 0.20, 0.93, 0.035, 0.028, (36, 130, 232))
    face = Face(((-mid, h, 0), (mid, h, 0), (mid, 0, 0), (-mid, 0, 0)), pad.texture())
    return Body(0.8, 2.0, h, (face,), lamps, h - 1.08, -0.02)

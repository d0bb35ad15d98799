"""Who drives where: drives by name and seed.

Each maker puts vehicles on a road of two lanes, one of each direction (or as it says). The same name and seed give the
same drive always. Distances are metres, speeds metres a second, times seconds. Plates are made up: nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lpr.plates.formats import FORMATS
from lpr.scene.plates import random_text
from lpr.scene.traffic import PAINTS
from tools.drives.ways import Knots, Mover, steady

RIGHT, LEFT, KERB = 1.55, -1.55, 3.5
"""Metres across: the lane that drives away, the one that comes, and the right kerb, where vehicles park."""

COUNTRIES: Final = ("BR", "AR", "UY", "PY", "CL")
LAYOUTS: Final = ("br-mercosul", "br-mercosul", "br-old", "ar-mercosul", "uy-mercosul", "py-mercosul", "cl-new")
MOTORCYCLES: Final = ("br-mercosul-moto", "br-old-moto", "ar-mercosul-moto")


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A scene with its truth. ``seconds``: how long it is; ``start``: seconds into the day's cycle of 240 s.

    What the camera does to it: ``shutter``: seconds of exposure, None: as the light is; ``shake``: pixels (at 960 wide)
    that the picture moves during an exposure, at most; ``glare``: 0 to 1, a low sun: a veil that comes and goes and a
    reflection that wanders over the plates; ``defocus``: pixels of blur (standard deviation).
    """

    name: str
    seed: int
    movers: tuple[Mover, ...]
    seconds: float = 8.0
    start: float = 0.0
    shutter: float | None = None
    shake: float = 0.0
    glare: float = 0.0
    defocus: float = 0.0


NIGHT = 150.0
DUSK = 125.0


class _Cast:
    """Makes up vehicles."""

    def __init__(self, seed: int, name: str) -> None:
        self.rng = np.random.default_rng([seed, *name.encode()])
        self.movers: list[Mover] = []

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def text(self, layouts: Sequence[str] = LAYOUTS) -> tuple[str, str]:
        layout = layouts[int(self.rng.integers(len(layouts)))]
        return random_text(self.rng, next(each for each in FORMATS if each.key == layout)), layout

    def away(self, speeds: Knots, z: float = -4.0, x: float = RIGHT, **more: object) -> Mover:
        return self._add("away", speeds, z, x, more)

    def comes(self, speeds: Knots, z: float = 34.0, x: float = LEFT, **more: object) -> Mover:
        return self._add("approach", speeds, z, x, more)

    def _add(self, direction: str, speeds: Knots, z: float, x: float, more: dict[str, object]) -> Mover:
        kinds = ("car", "car", "car", "suv", "pickup", "van")
        kind = more.get("kind", kinds[int(self.rng.integers(len(kinds)))])
        plate, layout = self.text(MOTORCYCLES if kind == "motorcycle" else LAYOUTS)
        fields: dict[str, object] = {
            "key": len(self.movers) + 1,
            "plate": plate,
            "layout": layout,
            "direction": direction,
            "z": z,
            "speeds": speeds,
            "across": ((0.0, x + float(self.rng.normal(0.0, 0.1))),),
            "kind": kind,
            "paint": PAINTS[int(self.rng.integers(len(PAINTS)))][0],
            "style": int(self.rng.integers(0, 1 << 16)),
            **more,
        }
        mover = Mover(**fields)  # pyright: ignore[reportArgumentType] -- the fields by name
        self.movers.append(mover)
        return mover


def _free(cast: _Cast, fast: bool = False) -> None:
    low, high = (17.0, 24.0) if fast else (6.0, 12.0)
    gap = 1.7 if fast else 2.6
    for number in range(3):
        cast.away(steady(cast.between(low, high)), enters=0.2 + gap * number + cast.between(0.0, 0.5))
        cast.comes(steady(cast.between(low, high)), enters=gap * number + cast.between(0.0, 0.5))


def _platoon(cast: _Cast) -> None:
    speed = cast.between(8.0, 12.0)
    for number in range(4):
        cast.comes(steady(speed), enters=cast.between(1.4, 1.9) * number)
    for number in range(3):
        cast.away(steady(speed), enters=1.6 * number)


def _fleet(cast: _Cast) -> None:
    """Plates one character apart, two seconds from each other."""
    speed = cast.between(8.0, 13.0)
    first, layout = cast.text(("br-mercosul", "br-old"))
    comes = int(cast.rng.integers(2))
    for number in range(3):
        plate = first[:-1] + str((int(first[-1]) + number) % 10)
        if comes:
            cast.comes(steady(speed), enters=2.0 * number, plate=plate, layout=layout)
        else:
            cast.away(steady(speed), enters=2.0 * number, plate=plate, layout=layout)


def _jam(cast: _Cast) -> None:
    """Stop and go in both lanes, vehicles two metres apart."""
    for direction, x in (("away", RIGHT), ("approach", LEFT)):
        first, behind = cast.between(0.0, 2.0), 0.0
        creep: list[tuple[float, float]] = [(0.0, 0.0)]
        for round_ in range(4):
            at = first + 3.6 * round_
            creep += [(at + 0.3, 0.0), (at + 1.0, 2.6), (at + 1.9, 2.6), (at + 2.6, 0.0)]
        for _ in range(4):
            if direction == "away":
                mover = cast.away(tuple(creep), z=12.0 - behind, x=x)
            else:
                mover = cast.comes(tuple(creep), z=11.0 + behind, x=x)
            behind += mover.length + 1.8 + cast.between(0.0, 0.6)


def _stop_and_go(cast: _Cast) -> None:
    speed = cast.between(7.0, 10.0)
    halts = cast.between(1.5, 3.0)
    brake = 2.0 * 9.0 / speed
    since = 1.0
    pattern = ((0.0, speed), (since, speed), (since + brake, 0.0), (since + brake + halts, 0.0), (99.0, 0.0))
    goes = (*pattern[:4], (since + brake + halts + 3.0, speed))
    cast.comes(goes, z=27.0)
    cast.comes(goes, z=27.0 + 8.5 + 1.0)
    cast.away(((0.0, speed), (0.9, speed), (2.4, 0.0), (2.4 + halts, 0.0), (5.4 + halts, speed)), z=-4.0)
    cast.away(steady(speed), z=-4.0, enters=6.0 + halts)


def _crossing(cast: _Cast) -> None:
    """Two that change lanes across each other, and one that comes past them."""
    speed = cast.between(5.0, 7.0)
    turn = cast.between(1.6, 2.2)
    cast.away(steady(speed), z=-2.0, across=((turn, RIGHT), (turn + 2.0, LEFT)))
    cast.away(steady(speed * 0.9), z=-2.0, enters=1.3, x=LEFT, across=((turn + 0.6, LEFT), (turn + 2.6, RIGHT)))
    cast.comes(steady(speed), z=36.0, x=-4.4, enters=0.5)
    cast.away(steady(speed * 0.8), z=-2.0, enters=2.9, x=RIGHT - 0.2)


def _occlusion(cast: _Cast) -> None:
    """Slow ones at the kerb, behind those that pass."""
    cast.away(steady(1.2), z=9.0, x=KERB - 0.4, kind="car")
    cast.away(steady(cast.between(6.0, 8.0)), z=-4.0, x=1.3, kind="truck", enters=1.0)
    cast.away(steady(cast.between(7.0, 9.0)), z=-4.0, x=1.3, kind="van", enters=3.4)
    cast.comes(steady(cast.between(6.0, 9.0)), enters=0.5)
    cast.comes(steady(cast.between(6.0, 9.0)), enters=3.5)


def _parked(cast: _Cast) -> None:
    cast.away(steady(0.0), z=cast.between(8.0, 10.0), x=KERB)
    cast.away(steady(0.0), z=cast.between(14.5, 16.0), x=KERB, kind="car")
    _free(cast)


def _motorcycles(cast: _Cast) -> None:
    speed = cast.between(6.0, 10.0)
    cast.away(steady(speed), x=RIGHT - 0.7, kind="motorcycle", enters=0.3)
    cast.away(steady(speed * 1.02), x=RIGHT + 0.8, kind="motorcycle", enters=0.5)
    cast.away(steady(speed * 0.9), x=RIGHT, enters=2.2)
    cast.away(steady(speed), x=RIGHT - 0.5, kind="motorcycle", enters=4.2)
    cast.comes(steady(speed), enters=1.0)


MAKERS: Final[dict[str, tuple[Callable[[_Cast], None], dict[str, float]]]] = {
    "free": (_free, {}),
    "night": (_free, {"start": NIGHT}),
    "fast": (lambda cast: _free(cast, fast=True), {"seconds": 6.0}),
    "platoon": (_platoon, {"seconds": 9.0}),
    "fleet": (_fleet, {}),
    "jam": (_jam, {"seconds": 15.0}),
    "stop and go": (_stop_and_go, {"seconds": 10.0}),
    "crossing": (_crossing, {}),
    "occlusion": (_occlusion, {}),
    "parked": (_parked, {}),
    "motorcycles": (_motorcycles, {}),
    "blur": (_free, {"shutter": 1 / 100, "shake": 2.2}),
    "glare": (_free, {"glare": 1.0, "shutter": 1 / 200, "shake": 1.8}),
    "night blur": (_free, {"start": NIGHT, "shutter": 1 / 100, "shake": 1.6, "defocus": 0.5}),
    "dusk glare": (_platoon, {"start": DUSK, "glare": 0.9, "shutter": 1 / 150, "shake": 1.8}),
    "parked glare": (_parked, {"glare": 1.0, "shutter": 1 / 200, "shake": 1.8}),
}
"""Name to maker and to what the camera does."""


def drive(name: str, seed: int) -> Drive:
    """The drive ``name`` of ``MAKERS``. Raises KeyError with what there is."""
    if name not in MAKERS:
        raise KeyError(f"no drive {name!r}; there are {', '.join(MAKERS)}")
    maker, camera = MAKERS[name]
    cast = _Cast(seed, name)
    maker(cast)
    return replace(Drive(name=name, seed=seed, movers=tuple(cast.movers)), **camera)

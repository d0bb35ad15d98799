"""A simulated engine: what is true of a frame in, readings with known faults out, without a pixel.

Plates are missed, read wrongly or in part the more so the smaller, the more smeared, glared or hidden they are. A
vehicle has faults of its own (a worn character, a look-alike) that stay, faults that last some tenths of a second (the
same blur in neighbouring frames), and faults of single frames; the engine is a little surer than it should be. All of
it is a function of the drive, the seed and the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, floor, hypot, pi
from typing import Final

import numpy as np

from lpr.events import Character, Corners, Reading
from lpr.plates.boxes import around
from lpr.plates.formats import by_key, matching
from lpr.scene.street import Truth
from tools.drives.pictures import DriveStreet

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS: Final = "0123456789"
LOOKALIKES: Final = (
    "0OQD", "1I7TL", "2Z7", "3B8", "4A1", "5S6", "6GB8", "8B36", "9G8", "MNHW", "VYUW", "EFB", "CGO", "PRF", "KXH",
)  # fmt: skip
BLANK: Final = "-"


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How bad the engine is. Logits are natural logarithms of odds.

    ``clear``: of the right character on a plate of ``near`` pixels width, that much at best; ``far``: width at which
    it is nothing; ``lasting``, ``passing``, ``single``: standard deviations of the disturbance that stays with a
    vehicle, that lasts ``tau`` seconds, and that of one frame; ``smear``: loss for each pixel of blur, ``sun``: of a
    full reflection, ``veil``: of a full veil. ``overconfident``: the told logits are larger by that. ``missed``: the
    chance that a large plain plate isn't found; ``false``: of a find where there is none.
    """

    clear: float = 7.0
    near: float = 64.0
    far: float = 15.0
    lasting: float = 0.9
    passing: float = 1.3
    single: float = 1.0
    tau: float = 0.35
    smear: float = 0.55
    sun: float = 9.0
    veil: float = 4.0
    overconfident: float = 1.25
    missed: float = 0.02
    false: float = 0.004


class SimulatedEngine:
    """Reads one drive. ``seed``: of the engine's faults, besides the drive's own."""

    def __init__(self, street: DriveStreet, seed: int = 0, faults: Faults | None = None) -> None:
        self.street, self.seed, self.faults = street, seed, faults or Faults()

    def read(self, index: int) -> tuple[Reading, ...]:
        """What it says of the picture number ``index``, best first."""
        chance = np.random.default_rng([self.seed, self.street.seed, 53, index])
        readings: list[Reading] = []
        for truth in self.street.vehicles_at(index):
            reading = self._plate(truth, index, chance)
            if reading is not None:
                readings.append(reading)
        if chance.random() < self.faults.false:
            readings.append(self._nothing(chance))
        readings.sort(key=lambda each: (each.text == "", -each.confidence * each.detection))
        return tuple(readings)

    def _plate(self, truth: Truth, index: int, chance: np.random.Generator) -> Reading | None:
        faults, width = self.faults, truth.width
        height = width * 0.3
        x, y = _middle(truth.corners)
        if truth.visible < 0.35 or width < faults.far:
            return None
        if not (0 <= x < self.street.width and 0 <= y < self.street.height):
            return None
        seen = (width - faults.far) / (faults.near - faults.far)
        clear = faults.clear * min(1.0, 0.35 + 0.65 * seen) - faults.smear * max(0.0, self._smear(truth, index) - 1.0)
        clear -= faults.veil * self.street.veil(index)
        if chance.random() < faults.missed + exp(-max(clear, 0.0)) + 1.5 * max(0.0, 0.7 - truth.visible):
            return None
        told = self._characters(truth, index, clear, chance)
        text = "".join(character.char for character in told)
        corners = _shaken(truth.corners, 0.02 * height + 0.4, chance)
        layout = truth.layout if _is(text, truth.layout) else next((f.key for f in matching(text, ("BR",))), None)
        return Reading(
            text=text,
            confidence=min((character.confidence for character in told), default=0.0),
            characters=told,
            box=around(corners),
            corners=corners,
            detection=round(min(0.99, 0.6 + 0.4 * truth.visible), 3),
            country=None if layout is None else layout[:2].upper(),
            layout=layout,
            sharpness=round(4.0 * width * exp(-0.35 * self._smear(truth, index)), 1),
        )

    def _characters(self, truth: Truth, index: int, clear: float, chance: np.random.Generator) -> tuple[Character, ...]:
        faults, t = self.faults, index / self.street.rate
        sun, strength = self.street.sun(truth, index)
        told: list[Character] = []
        count = len(truth.plate)
        hidden = (1.0 - truth.visible) * count
        for slot, char in enumerate(truth.plate):
            own = clear + faults.lasting * _normal(self.seed, truth.key, slot, 0)
            own += faults.passing * _wave(self.seed, truth.key, slot, t / faults.tau)
            own += faults.single * float(chance.normal())
            own -= faults.sun * strength * exp(-(((slot + 0.5) / count - sun) ** 2) / 0.02)
            lost = slot < hidden if truth.key % 2 else slot >= count - hidden
            logits = _logits(self.seed, truth.key, slot, char, own - (20.0 if lost else 0.0), chance)
            logits[BLANK] = logits.get(BLANK, -3.0) + (6.0 if lost else 0.0)
            said = _softmax({key: faults.overconfident * value for key, value in logits.items()})
            character = _told(said)
            if character is not None:
                told.append(character)
        if chance.random() < 0.25 * exp(-max(clear, 0.0) / 2.0):
            place = 0 if chance.random() < 0.5 else len(told)
            sure = round(0.3 + 0.3 * float(chance.random()), 3)
            told.insert(place, Character(char="1I"[int(chance.integers(2))], confidence=sure))
        return tuple(told)

    def _smear(self, truth: Truth, index: int) -> float:
        place = next(each for each in self.street.places(index) if each.vehicle.key == truth.key)
        shake = self.street.shake(index)
        x, y = self.street.smear(place)
        return hypot(x + shake[0], y + shake[1]) + 2.0 * self.street.drive.defocus

    def _nothing(self, chance: np.random.Generator) -> Reading:
        x, y = float(chance.uniform(0, self.street.width)), float(chance.uniform(0.3, 0.9)) * self.street.height
        text = "".join(chance.choice(list(LETTERS + DIGITS), int(chance.integers(3, 7))).tolist())
        sure = round(float(chance.uniform(0.2, 0.6)), 3)
        corners: Corners = ((x, y), (x + 40, y), (x + 40, y + 12), (x, y + 12))
        characters = tuple(Character(char=char, confidence=sure) for char in text)
        return Reading(
            text=text, confidence=sure, characters=characters, box=around(corners), corners=corners, detection=0.4
        )


def _logits(seed: int, key: int, slot: int, char: str, clear: float, chance: np.random.Generator) -> dict[str, float]:
    """The right character, its look-alikes (one of them always the same for this vehicle), a blank."""
    alike = "".join(group for group in LOOKALIKES if char in group).replace(char, "") or "EHX"
    first = alike[int(4 * (1 + abs(_normal(seed, key, slot, 1)))) % len(alike)]
    logits: dict[str, float] = {other: float(chance.normal(-1.2, 0.8)) for other in alike}
    logits[first] = logits.get(first, 0.0) + 1.2
    stray = (LETTERS + DIGITS)[int(chance.integers(36))]
    logits[stray] = max(logits.get(stray, -9.0), float(chance.normal(-0.6, 0.8)))
    logits[char] = clear
    logits[BLANK] = float(chance.normal(-0.4 if char in "I1J" else -1.2, 0.8))
    return logits


def _softmax(logits: dict[str, float]) -> dict[str, float]:
    top = max(logits.values())
    odds = {key: exp(value - top) for key, value in logits.items()}
    rest = 30.0 * exp(-5.0 - max(top, 0.0))  # what is left for all the others
    total = sum(odds.values()) + rest
    return {key: value / total for key, value in odds.items()}


def _told(said: dict[str, float]) -> Character | None:
    """A slot as an engine reports it; None for a blank."""
    ranked = sorted(said, key=lambda char: (-said[char], char))
    if ranked[0] == BLANK:
        return None
    others = tuple((char, round(said[char], 4)) for char in ranked[1:] if char != BLANK and said[char] >= 0.001)[:4]
    return Character(char=ranked[0], confidence=round(said[ranked[0]], 4), others=others)


@lru_cache(maxsize=65536)
def _normal(*seed: int) -> float:
    return float(np.random.default_rng([97, *seed]).normal())


def _wave(seed: int, key: int, slot: int, time: float) -> float:
    """Noise of unit strength that lasts about one unit of ``time``."""
    since = floor(time)
    part = 0.5 - 0.5 * cos(pi * (time - since))
    first, second = _normal(seed, key, slot, 2, since + 1000), _normal(seed, key, slot, 2, since + 1001)
    return ((1.0 - part) * first + part * second) / hypot(part, 1.0 - part)


def _is(text: str, layout: str) -> bool:
    return by_key(layout).matches(text)


def _middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / 4.0, sum(y for _, y in corners) / 4.0


def _shaken(corners: Corners, by: float, chance: np.random.Generator) -> Corners:
    moves = chance.normal(0.0, by, (4, 2))
    a, b, c, d = (
        (round(x + float(dx), 1), round(y + float(dy), 1)) for (x, y), (dx, dy) in zip(corners, moves, strict=True)
    )
    return a, b, c, d

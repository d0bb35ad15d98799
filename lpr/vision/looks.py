"""Looking at one plate more than once: other framings of the same corners, several exposures stacked, and one
distribution from all looks.

A network that misreads a plate in one framing often reads it in another, and when the framings disagree the doubt is
real: the mean of several looks is more often right, and its reliability truer, than any single one (docs/models.md has
the figures). A second look costs as much as the first, so by default only doubtful plates get one.

Pure but for the reader that it is given. May import ``lpr.events``, ``lpr.plates``, the modules beside it, and numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.plates.decode import ALPHABET
from lpr.plates.grammar import Grammar, grammar_for
from lpr.plates.legible import plate_height
from lpr.vision.ocr import PlateReader, PlateText, SlotProbabilities
from lpr.vision.rectify import RectifyError, rectify
from lpr.vision.stacking import same_plates, stacked

__all__ = ["ALL_LOOKS", "SECOND_LOOKS", "CarefulReader", "Framing", "framed", "merged"]

_BLANK: Final = len(ALPHABET)
_LEAST_WEIGHT: Final = 0.05
_SKIP: Final = 0.2
_PAIR: Final = 0.1


@dataclass(frozen=True, slots=True)
class Framing:
    """Another way to cut a plate out. ``wider``, ``higher``: share of the plate's width and height that is added in
    all; ``turn``: degrees, clockwise."""

    wider: float = 0.0
    higher: float = 0.0
    turn: float = 0.0


SECOND_LOOKS: Final = (Framing(0.20, 0.25),)
"""What a doubtful plate gets besides the first look: corners of small plates are rather too tight than too loose."""

ALL_LOOKS: Final = (
    Framing(0.06, 0.25),
    *SECOND_LOOKS,
    Framing(-0.05, -0.08),
    Framing(0.0, 0.08, 2.5),
    Framing(0.0, 0.08, -2.5),
)
"""What every plate gets when no effort is spared."""


def framed(corners: Corners, framing: Framing) -> Corners:
    """``corners`` (pixels) widened, heightened and turned about their middle."""
    points = np.array(corners, np.float64)
    wide = (points[1] - points[0] + points[2] - points[3]) / 2
    high = (points[3] - points[0] + points[2] - points[1]) / 2
    sides = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    points = points + sides[:, :1] * wide * framing.wider + sides[:, 1:] * high * framing.higher
    if framing.turn:
        cos, sin = math.cos(math.radians(framing.turn)), math.sin(math.radians(framing.turn))
        middle = points.mean(0)
        points = (points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points.tolist()
    return ((ax, ay), (bx, by), (cx, cy), (dx, dy))


def merged(looks: Sequence[SlotProbabilities]) -> SlotProbabilities:
    """One distribution a slot from several looks at one plate (also of CTC columns), weighted by how sure each is.

    Looks may have found different numbers of characters: they are aligned with the surest one, whose characters are
    kept; where another look has nothing it counts for the blank. Layouts and rows are means. Raises ValueError for
    no look at all.
    """
    if not looks:
        raise ValueError("merged needs at least one look")
    rows = [_seen(look) for look in looks]
    weights = [_weight(own) for own in rows]
    lead = int(np.argmax(weights))
    base = rows[lead]
    if len(looks) == 1 or not len(base):
        return looks[lead]
    total = base * weights[lead]
    for number, (own, weight) in enumerate(zip(rows, weights, strict=True)):
        if number == lead:
            continue
        partners = _partners(base, own)
        for slot, partner in enumerate(partners):
            if partner is None:
                total[slot, _BLANK] += weight
            else:
                total[slot] += weight * own[partner]
    names = list(looks[lead].layouts)
    doubled = [look.two_rows for look in looks if look.two_rows is not None]
    return SlotProbabilities(
        characters=np.asarray(total / total.sum(1, keepdims=True), np.float32),
        layouts={name: sum([look.layouts.get(name, 0.0) for look in looks]) / len(looks) for name in names},
        two_rows=sum(doubled) / len(doubled) if doubled else None,
    )


def _seen(look: SlotProbabilities) -> NDArray[np.float64]:
    """The slots that hold a character, (n, 37): of CTC columns the surest of each run of one likeliest character."""
    rows = np.asarray(look.characters, np.float64)
    if not look.ctc:
        return rows[rows.argmax(1) != _BLANK]
    best: list[int] = rows.argmax(1).tolist()
    starts = [i for i in range(len(best)) if best[i] != _BLANK and (i == 0 or best[i] != best[i - 1])]
    surest: list[int] = []
    for start in starts:
        end = start + 1
        while end < len(best) and best[end] == best[start]:
            end += 1
        surest.append(start + int(rows[start:end, best[start]].argmax()))
    return rows[surest]


def _weight(own: NDArray[np.float64]) -> float:
    """How sure a look is: its least sure character."""
    return max(float(own.max(1).min()), _LEAST_WEIGHT) if len(own) else _LEAST_WEIGHT / 10


def _partners(base: NDArray[np.float64], own: NDArray[np.float64]) -> list[int | None]:
    """For each slot of ``base`` the slot of ``own`` that shows the same character of the plate, in order, or None."""
    n, m = len(base), len(own)
    like: list[list[float]] = (base @ own.T - _PAIR).tolist()
    best = [[-_SKIP * j for j in range(m + 1)]]
    for i in range(1, n + 1):
        above, line = best[-1], [-_SKIP * i]
        for j in range(1, m + 1):
            line.append(max(above[j - 1] + like[i - 1][j - 1], above[j] - _SKIP, line[j - 1] - _SKIP))
        best.append(line)
    partners: list[int | None] = [None] * n
    i, j = n, m
    while i and j:
        if best[i][j] == best[i - 1][j - 1] + like[i - 1][j - 1]:
            i, j = i - 1, j - 1
            partners[i] = j
        elif best[i][j] == best[i - 1][j] - _SKIP:
            i -= 1
        else:
            j -= 1
    return partners


class CarefulReader:
    """A reader that looks again: ``reader`` with more ``framings`` for plates read with less than ``doubt``, and at
    exposures of one plate less than ``stack_under`` pixels high stacked (``lpr.vision.stacking``).

    ``doubt`` over 1: for every plate. ``stack_under`` 0: none. ``least``: where the network gives a character less at
    the first look, the plate has no text, which spares the search for one. Not safe for two threads at once.
    """

    def __init__(
        self,
        reader: PlateReader,
        framings: Sequence[Framing] = SECOND_LOOKS,
        doubt: float = 0.9,
        stack_under: float = 0.0,
        least: float = 0.0,
    ) -> None:
        self.reader, self.framings, self.doubt, self.stack_under = reader, tuple(framings), doubt, stack_under
        self.least = least

    @property
    def name(self) -> str:
        """The model's name, for the log."""
        return self.reader.name

    def read(
        self, image_bgr: NDArray[np.uint8], corners_list: Sequence[Corners], countries: Sequence[str] = ()
    ) -> list[PlateText]:
        """As ``PlateReader.read``. Raises ModelError, UnknownCountry."""
        return self.read_all([(image_bgr, corners_list)], countries)[0]

    def read_all(
        self, pictures: Sequence[tuple[NDArray[np.uint8], Sequence[Corners]]], countries: Sequence[str] = ()
    ) -> list[list[PlateText]]:
        """``read`` for several pictures (exposures of one capture), whose plates go through the network together."""
        grammar = grammar_for(countries)
        plates = [(image, corners) for image, own in pictures for corners in own]
        first = [self._crop(image, corners) for image, corners in plates]
        seen = iter(self.reader.probabilities([crop for crop in first if crop is not None]))
        looks = [[] if crop is None else [next(seen)] for crop in first]
        texts = [self._text(own, crop, grammar) for own, crop in zip(looks, first, strict=True)]
        again = [i for i, text in enumerate(texts) if looks[i] and text.confidence < self.doubt]
        framed_crops = [
            (i, crop)
            for i in again
            for framing in self.framings
            if (crop := self._crop(plates[i][0], framed(plates[i][1], framing))) is not None
        ]
        self._look(framed_crops, looks, texts, grammar)
        if self.stack_under > 0 and len(pictures) > 1:
            numbers = [number for number, (_, own) in enumerate(pictures) for _ in own]
            self._look(self._stacks(numbers, plates, first, texts), looks, texts, grammar)
        rest = iter(texts)
        return [[next(rest) for _ in own] for _, own in pictures]

    def _look(
        self,
        crops: Sequence[tuple[int, NDArray[np.uint8]]],
        looks: list[list[SlotProbabilities]],
        texts: list[PlateText],
        grammar: Grammar,
    ) -> None:
        """Add what ``crops`` (number of the plate, patch) show to the plate's ``looks``, and read its text anew."""
        for (i, _), look in zip(crops, self.reader.probabilities([crop for _, crop in crops]), strict=True):
            looks[i].append(look)
        for i in {i: None for i, _ in crops}:
            together = self.reader.decode(merged(looks[i]), None, grammar)
            # colour and sharpness are those of the first look
            texts[i] = replace(together, plate_colour=texts[i].plate_colour, sharpness=texts[i].sharpness)

    def _stacks(
        self,
        numbers: Sequence[int],
        plates: Sequence[tuple[NDArray[np.uint8], Corners]],
        crops: Sequence[NDArray[np.uint8] | None],
        texts: Sequence[PlateText],
    ) -> list[tuple[int, NDArray[np.uint8]]]:
        """For each small plate that several pictures show the surest one's number and the patch of all together."""
        small = [
            i
            for i, (_, corners) in enumerate(plates)
            if crops[i] is not None and plate_height(corners) < self.stack_under
        ]
        found: list[tuple[int, NDArray[np.uint8]]] = []
        for group in same_plates([(numbers[i], plates[i][1]) for i in small]):
            members = [small[at] for at in group]
            lead = max(range(len(members)), key=lambda at: texts[members[at]].confidence)
            patches = [crop for i in members if (crop := crops[i]) is not None]
            patch = stacked(patches, lead)
            if patch is not None:
                found.append((members[lead], patch))
        return found

    def _crop(self, image: NDArray[np.uint8], corners: Corners) -> NDArray[np.uint8] | None:
        size = (self.reader.manifest.input.width, self.reader.manifest.input.height)
        try:
            return rectify(image, corners, size, self.reader.manifest.margin)
        except RectifyError:
            return None

    def _text(self, looks: Sequence[SlotProbabilities], crop: NDArray[np.uint8] | None, grammar: Grammar) -> PlateText:
        if not looks or crop is None or (self.least > 0 and _weight(_seen(looks[0])) < self.least):
            return PlateText(
                text="", confidence=0.0, characters=(), country=None, layout=None, rows=1, plate_colour=None,
                sharpness=0.0,
            )  # fmt: skip
        return self.reader.decode(looks[0], crop, grammar)

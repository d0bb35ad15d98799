"""The arithmetic of recognition: what was right, what was taken for what, and how far a reliability can be trusted.

Pure: texts and numbers in, plain data out. *Folded* means O read as 0 and I as 1, which many plates cannot be told
apart by. Shares run from 0 to 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Character, Corners
from lpr.plates.decode import ALPHABET
from lpr.vision.ocr import SlotProbabilities

__all__ = [
    "Outcome",
    "align",
    "calibration_error",
    "ctc_log_probability",
    "figures",
    "fit_temperature",
    "folded",
    "reliability",
]

HEIGHTS: Final = (0, 14, 20, 30, 45, 10_000)
"""Limits of the classes of height, pixels."""

ANGLES: Final = (0, 5, 10, 20, 30, 91)
"""Limits of the classes of lean, degrees."""

_FOLD = str.maketrans({"O": "0", "I": "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One plate whose text is known, and what became of it.

    ``found``: there was a reading (of any text) at the plate. ``height``: pixels; ``angle``: degrees, None unknown.
    ``box``, ``corners``: where it was looked for or found, pixels of the picture. ``country``, ``rows``: None unknown.
    """

    picture: str
    truth: str
    read: str
    found: bool
    confidence: float
    characters: tuple[Character, ...]
    height: float
    angle: float | None
    box: Box
    corners: Corners | None = None
    country: str | None = None
    rows: int | None = None

    @property
    def exact(self) -> bool:
        """The text is the truth."""
        return self.read == self.truth

    @property
    def same(self) -> bool:
        """The text is the truth with O = 0 and I = 1."""
        return folded(self.read) == folded(self.truth)


def folded(text: str) -> str:
    """O as 0 and I as 1."""
    return text.translate(_FOLD)


def align(truth: str, read: str) -> list[tuple[int | None, int | None]]:
    """Pairs of indices (truth, read) of the cheapest alignment by edits; None: missing on that side.

    O and 0, I and 1 count as the same character.
    """
    a, b = folded(truth), folded(read)
    cost = np.zeros((len(a) + 1, len(b) + 1), np.int32)
    cost[:, 0], cost[0, :] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            swap = cost[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            cost[i, j] = min(swap, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    pairs: list[tuple[int | None, int | None]] = []
    i, j = len(a), len(b)
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> list[dict[str, float]]:
    """The reliability diagram: for each bin of equal width that holds something its lower ``from`` and upper ``to``
    limit, the ``count``, the mean ``confidence`` and the share ``right``."""
    sure, hit = np.array(confidences, np.float64), np.array(right, np.float64)
    out: list[dict[str, float]] = []
    index = np.minimum((sure * bins).astype(int), bins - 1) if len(sure) else np.zeros(0, int)
    for number in range(bins):
        own = index == number
        if own.any():
            out.append(
                {
                    "from": round(number / bins, 4),
                    "to": round((number + 1) / bins, 4),
                    "count": int(own.sum()),
                    "confidence": round(float(sure[own].mean()), 4),
                    "right": round(float(hit[own].mean()), 4),
                }
            )
    return out


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error with bins of equal width, 0 to 1."""
    sure, hit = np.array(confidences, np.float64), np.array(right, np.float64)
    if not len(sure):
        return 0.0
    index = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(hit[index == b].mean() - sure[index == b].mean()) * (index == b).mean()
            for b in range(bins)
            if (index == b).any()
        )
    )


def fit_temperature(slots: Sequence[SlotProbabilities], texts: Sequence[str]) -> float:
    """The temperature under which the true texts are likeliest, from 0.3 to 5.

    Fixed slots: the texts stand in slot order, blanks after them. CTC columns: all ways to write a text into the
    columns count. A text that cannot be written at all (too long) says nothing.
    """
    told = [
        (np.log(np.maximum(own.characters.astype(np.float64), 1e-9)), _codes(text), own.ctc)
        for own, text in zip(slots, texts, strict=True)
        if len(text) <= len(own.characters)
    ]
    best, least = 1.0, math.inf
    for temperature in np.geomspace(0.3, 5, 29) if told else ():
        loss = 0.0
        for logs, codes, ctc in told:
            scaled = logs / float(temperature)
            scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
            loss -= max(ctc_log_probability(scaled, codes) if ctc else _slots_log_probability(scaled, codes), -100.0)
        if loss < least:
            best, least = float(temperature), loss
    return round(best, 3)


def _codes(text: str) -> list[int]:
    return [ALPHABET.index(char) for char in text]


def _slots_log_probability(logs: NDArray[np.float64], codes: Sequence[int]) -> float:
    padded = [*codes, *([len(ALPHABET)] * (len(logs) - len(codes)))]
    return float(logs[np.arange(len(logs)), padded].sum())


def ctc_log_probability(logs: NDArray[np.float64], codes: Sequence[int]) -> float:
    """ln of the probability that columns spell a text (the forward algorithm of Graves et al., 2006).

    ``logs``: (columns, 37) logarithms of probabilities, the blank last. ``codes``: places in ``ALPHABET``.
    """
    blank = len(ALPHABET)
    states = [blank]
    for code in codes:
        states += [code, blank]
    may_skip = np.array([i >= 2 and states[i] != blank and states[i] != states[i - 2] for i in range(len(states))])
    spoken = logs[:, states]
    held = np.full(len(states), -np.inf)
    held[:2] = spoken[0, :2]
    for row in spoken[1:]:
        before = np.concatenate(([-np.inf], held[:-1]))
        skipped = np.where(may_skip, np.concatenate(([-np.inf, -np.inf], held))[: len(states)], -np.inf)
        held = np.logaddexp(np.logaddexp(held, before), skipped) + row
    return float(np.logaddexp.reduce(held[-2:]))


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of many plates as plain data.

    ``exact``, ``folded``: share of plates whose text is wholly right. ``characters``: share of the true characters
    that were read (folded); ``character_errors``: edits a true character. ``calibration``: for plates and for
    characters the expected error and the diagram (only of what was read). ``precision_and_coverage_above``: of
    the plates at least so sure, the share right, and how many those are of all. ``by_height``, ``by_angle``, and
    where known ``by_country``, ``by_rows``: right (folded) and all.
    ``confusions``: "truth>read", a side empty where a character is missing or too many.
    """
    count = len(outcomes)
    same = [one.same for one in outcomes]
    read = [one for one in outcomes if one.read]
    confusions: Counter[str] = Counter()
    true = hits = edits = 0
    char_sure: list[float] = []
    char_right: list[bool] = []
    for one in outcomes:
        true += len(one.truth)
        for i, j in align(one.truth, one.read) if one.read else ():
            want, got = one.truth[i] if i is not None else "", one.read[j] if j is not None else ""
            match = folded(want) == folded(got)
            hits += match
            edits += not match
            if want != got:
                confusions[f"{want}>{got}"] += 1
            if j is not None and j < len(one.characters):
                char_sure.append(one.characters[j].confidence)
                char_right.append(match)
        if not one.read:
            edits += len(one.truth)
    sure, right = [one.confidence for one in read], [one.same for one in read]
    above: dict[str, list[float]] = {}
    for limit in (0.5, 0.7, 0.9):
        kept = [one.same for one in read if one.confidence >= limit]
        above[str(limit)] = [_share(sum(kept), len(kept)), _share(len(kept), count)]
    return {
        "plates": count,
        "exact": _share(sum(one.exact for one in outcomes), count),
        "folded": _share(sum(same), count),
        "found": _share(sum(one.found for one in outcomes), count),
        "characters": _share(hits, true),
        "character_errors": _share(edits, true),
        "calibration_error_plates": round(calibration_error(sure, right), 4),
        "calibration_error_characters": round(calibration_error(char_sure, char_right), 4),
        "reliability_plates": reliability(sure, right),
        "reliability_characters": reliability(char_sure, char_right),
        "precision_and_coverage_above": above,
        "by_height": _classes(HEIGHTS, [(one.height, one.same) for one in outcomes]),
        "by_angle": _classes(ANGLES, [(one.angle, one.same) for one in outcomes if one.angle is not None]),
        **_kinds("by_country", [(one.country, one.same) for one in outcomes]),
        **_kinds("by_rows", [(None if one.rows is None else str(one.rows), one.same) for one in outcomes]),
        "confusions": dict(confusions.most_common(30)),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _kinds(name: str, values: Sequence[tuple[str | None, bool]]) -> dict[str, dict[str, list[int]]]:
    """Right and all of each kind, in the order of their names, as the figure ``name``; nothing where there is but
    one kind."""
    kinds = sorted({kind for kind, _ in values if kind is not None})
    own = {kind: [right for other, right in values if other == kind] for kind in kinds}
    return {name: {kind: [sum(rights), len(rights)] for kind, rights in own.items()}} if len(kinds) > 1 else {}


def _classes(limits: Sequence[int], values: Sequence[tuple[float, bool]]) -> dict[str, list[int]]:
    """Right and all of each class that holds something, by its limits ("20-30", the last one "45-")."""
    out: dict[str, list[int]] = {}
    for low, high in pairwise(limits):
        own = [right for value, right in values if low <= value < high]
        if own:
            out[f"{low}-{'' if high == limits[-1] else high}"] = [sum(own), len(own)]
    return out

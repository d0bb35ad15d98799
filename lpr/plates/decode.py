"""From the probabilities of a plate's slots to its text, under the grammar of the configured countries.

A reader gives each of its slots a probability for every character and for "blank" (nothing here). Read greedily,
that is already a text. A format of a configured country may overrule it, but only cheaply: where two characters look
the same on plates (O and 0, I and 1) the format decides; elsewhere what it wants must be nearly as likely as what was
seen. A text that no format explains stays as it is and is flagged by ``layout`` None.

Pure. May import ``lpr.events`` (Character) and ``lpr.plates.formats``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lpr.events import Character
from lpr.plates.formats import CLASSES, FORMATS, Format

__all__ = ["ALPHABET", "DecodeError", "DecodeSettings", "Decoded", "decode"]

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The characters of a slot in the order of its columns; the blank is the column after them."""

_TWINS: Final[dict[str, str]] = {"O": "0Q", "0": "OQD", "I": "1", "1": "I", "Q": "O0", "D": "0"}
"""Characters that one die or one blur makes the same, so that only the format can part them."""

_FLOOR: Final = 1e-6


class DecodeError(ValueError):
    """The probabilities have an impossible shape or value."""


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How far a format may overrule what was seen.

    ``tolerance``: most that all overruled slots of a plate may cost together, in nats. ``twin_cost``: most that one
    overruled slot of look-alikes costs. ``prior_weight``: weight of the layout prior against the slots (small: a
    prior, which is at least 0.01, must not outweigh a look-alike that was clearly seen). ``sure_layout``: prior from
    which on a format may name a text when no countries are configured. ``least_other``: candidates less likely than
    this are not reported.
    """

    tolerance: float = 2.0
    twin_cost: float = 0.9
    prior_weight: float = 0.15
    sure_layout: float = 0.5
    least_other: float = 0.001


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a plate says. ``confidence``: the smallest of the characters' (0 for an empty text). ``layout``: key of the
    format, ``country``: its country, both None for an unknown format. ``candidates``: (format key, cost in nats
    against the best reading), best first."""

    text: str
    confidence: float
    characters: tuple[Character, ...]
    layout: str | None = None
    country: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    format_: Format
    cost: float  # overruling cost, nats
    score: float  # cost and prior together; smaller is better
    slots: tuple[int, ...]
    text: str


def decode(
    probabilities: NDArray[np.float32],
    formats: Sequence[Format] = (),
    prior: Mapping[str, float] | None = None,
    settings: DecodeSettings | None = None,
) -> Decoded:
    """Decode one plate.

    ``probabilities``: (slots, 37) float, each row a distribution over ``ALPHABET`` and the blank (last column); rows
    are normalised here. ``formats``: those of the configured countries, in order of preference; none: every known
    format may *name* a text and part look-alikes when the prior is sure of it, but overrule nothing else. ``prior``: a
    probability for format keys, from the reader's layout head (missing keys: 0.01).
    Raises DecodeError for a wrong shape, negative values or NaN.
    """
    chosen = settings or DecodeSettings()
    p = _checked(probabilities)
    best = p.argmax(1)
    seen = tuple(int(i) for i in np.flatnonzero(best != len(ALPHABET)))
    greedy = "".join(ALPHABET[int(best[i])] for i in seen)
    if not greedy:
        return Decoded("", 0.0, ())
    weights = prior or {}
    fits: list[_Fit] = []
    for rank, format_ in enumerate(formats or FORMATS):
        known = max(float(weights.get(format_.key, 0.01)), 0.01) if weights else 1.0
        if not formats and known < chosen.sure_layout:
            continue
        fit = _fit(p, greedy, seen, format_, strict=not formats or not format_.common, settings=chosen)
        if fit is not None and fit[0] <= chosen.tolerance:
            score = fit[0] - chosen.prior_weight * math.log(known) + 1e-3 * rank
            fits.append(_Fit(format_, fit[0], score, fit[1], fit[2]))
    fits.sort(key=lambda fit: fit.score)
    if not fits:
        return _result(p, greedy, seen, None, (), chosen)
    top = fits[0]
    candidates = tuple((fit.format_.key, round(fit.cost, 4)) for fit in fits[:8])
    return _result(p, top.text, top.slots, top.format_, candidates, chosen)


def _checked(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    p = np.asarray(probabilities, np.float64)
    columns = len(ALPHABET) + 1
    if p.ndim != 2 or p.shape[1] != columns or p.shape[0] < 1:
        raise DecodeError(f"slot probabilities have shape {p.shape}; expected (slots, {columns}) with the blank last")
    if not np.isfinite(p).all() or float(p.min()) < 0:
        raise DecodeError("slot probabilities hold negative values or NaN; the reader's output is not a distribution")
    total = p.sum(1, keepdims=True)
    if float(total.min()) <= 0:
        raise DecodeError("a slot's probabilities add up to nothing")
    return p / total


def _cost(p: NDArray[np.float64], slot: int, seen: int, wanted: int, settings: DecodeSettings) -> float:
    """Nats that it costs to read ``wanted`` where ``seen`` is likeliest (columns; the blank is the last)."""
    if wanted == seen:
        return 0.0
    loss = math.log(max(float(p[slot, seen]), _FLOOR) / max(float(p[slot, wanted]), _FLOOR))
    blank = len(ALPHABET)
    if blank not in (seen, wanted) and ALPHABET[wanted] in _TWINS.get(ALPHABET[seen], ""):
        return min(loss, settings.twin_cost)
    return loss


def _fit(
    p: NDArray[np.float64],
    greedy: str,
    seen: tuple[int, ...],
    format_: Format,
    *,
    strict: bool,
    settings: DecodeSettings,
) -> tuple[float, tuple[int, ...], str] | None:
    """The cheapest reading of this format: (cost, slots, text). ``strict``: look-alikes only, no other length."""
    length = len(format_.template)
    if len(greedy) != length:
        if strict or abs(len(greedy) - length) > 1:
            return None
        return _other_length(p, seen, format_, settings)
    cost = 0.0
    text: list[str] = []
    for place, slot in enumerate(seen):
        allowed = format_.allows(place)
        if greedy[place] in allowed:
            text.append(greedy[place])
            continue
        at = int(p[slot, : len(ALPHABET)].argmax())
        options = [char for char in allowed if not strict or char in _TWINS.get(greedy[place], "")]
        if not options:
            return None
        costs = [_cost(p, slot, at, ALPHABET.index(char), settings) for char in options]
        cheapest = int(np.argmin(costs))
        cost += costs[cheapest]
        if cost > settings.tolerance:
            return None
        text.append(options[cheapest])
    return cost, seen, "".join(text)


def _other_length(
    p: NDArray[np.float64], seen: tuple[int, ...], format_: Format, settings: DecodeSettings
) -> tuple[float, tuple[int, ...], str] | None:
    """One slot more or fewer than was seen: drop the doubtful one, or take up the likeliest blank one."""
    best: tuple[float, tuple[int, ...], str] | None = None
    blank = len(ALPHABET)
    fewer = len(seen) > len(format_.template)
    others = seen if fewer else tuple(i for i in range(len(p)) if i not in seen)
    for slot in others:
        slots = tuple(i for i in seen if i != slot) if fewer else tuple(sorted((*seen, slot)))
        cost = _cost(p, slot, int(p[slot].argmax()), blank if fewer else int(p[slot, :blank].argmax()), settings)
        if cost > settings.tolerance or (best is not None and cost >= best[0]):
            continue
        text = "".join(ALPHABET[int(p[i, :blank].argmax())] for i in slots)
        if format_.matches(text):
            best = (cost, slots, text)
    return best


def _result(
    p: NDArray[np.float64],
    text: str,
    slots: tuple[int, ...],
    format_: Format | None,
    candidates: tuple[tuple[str, float], ...],
    settings: DecodeSettings,
) -> Decoded:
    characters: list[Character] = []
    blank = len(ALPHABET)
    for place, (char, slot) in enumerate(zip(text, slots, strict=True)):
        column = ALPHABET.index(char)
        row = p[slot]
        sure = float(row[column])
        folded: set[int] = set()
        if format_ is not None:
            # A look-alike that the format forbids here was the same ink: its share counts for this character.
            allowed = CLASSES[format_.template[place]]
            for twin in _TWINS.get(char, ""):
                if twin not in allowed:
                    folded.add(ALPHABET.index(twin))
                    sure += float(row[ALPHABET.index(twin)])
        order = [int(i) for i in np.argsort(-row[:blank], kind="stable") if int(i) != column and int(i) not in folded]
        others = tuple(
            (ALPHABET[i], round(float(row[i]), 4)) for i in order[:4] if float(row[i]) >= settings.least_other
        )
        characters.append(Character(char=char, confidence=round(min(1.0, sure), 4), others=others))
    return Decoded(
        text=text,
        confidence=min(character.confidence for character in characters),
        characters=tuple(characters),
        layout=None if format_ is None else format_.key,
        country=None if format_ is None else format_.country,
        candidates=candidates,
    )

"""From the probabilities of a plate's columns or slots to its text, with what is known of the formats.

p(text | picture) is taken as proportional to p(picture says text)^trust · p(text): the reader's own probability
(``lpr.plates.segments``) times the prior of the configured countries (``lpr.plates.grammar``). Both count: a format
decides between look-alikes (O and 0), takes out an emblem that was read as a doubtful character, and gives way where
the picture is clear. A text that no configured format explains stays as it is and is flagged by ``layout`` None.

The texts that come into question: the likeliest by the reader alone, the likeliest of each template, and those that
differ from the best in one segment. Over them the posterior is normalised, and it gives the reliability of each
character (the sum over all texts that have it in that place), the ranked alternatives and the layout.

Pure. May import ``lpr.events`` (Character) and ``lpr.plates``' grammar, segments, texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lpr.events import Character
from lpr.plates.grammar import LONGEST, Grammar, Prior, Priors, grammar_for
from lpr.plates.segments import ALPHABET, Segment, of_slots, of_steps
from lpr.plates.texts import align

__all__ = ["ALPHABET", "DecodeError", "DecodeSettings", "Decoded", "decode"]

_CODES: Final = {char: i for i, char in enumerate(ALPHABET)}


class DecodeError(ValueError):
    """The probabilities have an impossible shape or value."""


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How picture and grammar are weighed; the values were chosen on the validation pictures (docs/models.md).

    ``trust``: power of the reader's probability of a text. ``twins``: a look-alike of a character has at least this
    share of its probability. ``priors``: what is not of the configured formats. ``sure_country``: probability from
    which a country is named when none is configured. ``candidates``: most alternatives reported. ``least_other``:
    characters and texts less likely than this are not reported.
    """

    trust: float = 0.9
    twins: float = 0.1
    priors: Priors = field(default_factory=Priors)
    sure_country: float = 0.5
    candidates: int = 8
    least_other: float = 0.001


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a plate says. ``confidence``: the smallest of the characters', or the probability that there are as many, if
    that is smaller (0 for an empty text). ``layout``: key of the
    format, ``country``: its country, both None for an unknown format. ``candidates``: the likeliest texts with their
    probabilities, best first, the text itself among them. ``layouts``: formats of the text with their probabilities,
    best first; they may add up to less than 1."""

    text: str
    confidence: float
    characters: tuple[Character, ...]
    layout: str | None = None
    country: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    layouts: tuple[tuple[str, float], ...] = ()


def decode(
    probabilities: NDArray[np.float32],
    grammar: Grammar | None = None,
    styles: Mapping[str, float] | NDArray[np.float64] | None = None,
    settings: DecodeSettings | None = None,
    *,
    ctc: bool = False,
) -> Decoded:
    """Decode one plate.

    ``probabilities``: (slots or columns, 37) float, each row a distribution over ``ALPHABET`` and the blank (last
    column); rows are normalised here. ``ctc``: they are the columns of a CTC reader. ``grammar``: of the configured
    countries (none: of the world). ``styles``: a probability for format keys, from the reader's layout head (missing
    keys: 0), or for each of the grammar's formats. Raises DecodeError for a wrong shape, negative values or NaN.
    """
    chosen = settings or DecodeSettings()
    known = grammar or grammar_for()
    p = _checked(probabilities)
    segments = of_steps(p, chosen.twins) if ctc else of_slots(p, chosen.twins)
    weights = known.weighed(styles, chosen.priors.style_power)
    shares = known.by_template(weights)
    prior = known.prior(shares.tolist(), chosen.priors)
    texts = _posterior(segments, known, shares, prior, chosen)
    text = texts[0][0]
    if not text:
        return Decoded("", 0.0, (), candidates=_reported(texts, chosen))
    characters = _characters(text, texts, chosen)
    formats = known.named(text, weights, prior)
    countries: dict[str, float] = {}
    for format_, share in formats:
        countries[format_.country] = countries.get(format_.country, 0.0) + share
    layout = country = None
    if formats and sum(countries.values()) >= 0.5:
        likely = max(countries, key=lambda code: countries[code])
        if not known.worldwide or countries[likely] >= chosen.sure_country:
            country = likely
            layout = next(format_.key for format_, _ in formats if format_.country == likely)
    return Decoded(
        text=text,
        confidence=min(_as_many(text, texts), *(character.confidence for character in characters)),
        characters=characters,
        layout=layout,
        country=country,
        candidates=_reported(texts, chosen),
        layouts=tuple((format_.key, round(share, 4)) for format_, share in formats[: chosen.candidates]),
    )


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


def _reported(texts: Sequence[tuple[str, float]], settings: DecodeSettings) -> tuple[tuple[str, float], ...]:
    return tuple(
        (text, round(share, 4)) for text, share in texts[: settings.candidates] if share >= settings.least_other
    )


# --- the texts that come into question -----------------------------------------------------------------------

_Path = tuple[int, ...]
"""For each segment the place of its string."""

_BEAM: Final = 6
_BY_FORMAT: Final = 4
_VARIED: Final = 2
_NEAR: Final = 3.0
_CLEAR: Final = math.log(0.93)


def _posterior(
    segments: Sequence[Segment],
    grammar: Grammar,
    shares: NDArray[np.float64],
    prior: Prior,
    settings: DecodeSettings,
) -> list[tuple[str, float]]:
    """Texts and their probabilities, which add up to 1, the likeliest first. Never empty. ``shares``: of the templates,
    which ``prior`` is made of."""
    scores: dict[_Path, tuple[str, float]] = {}

    def score(path: _Path, text: str, seen: float) -> None:
        scores[path] = (text, settings.trust * seen + prior.log_probability(text))

    paths = _likeliest(segments)
    if not _clear(segments, grammar):
        paths += _of_formats(segments, grammar, shares, settings)
    for path in paths:
        if path not in scores:
            chosen = [segment[i] for segment, i in zip(segments, path, strict=True)]
            score(path, "".join([text for text, _ in chosen]), sum([log for _, log in chosen]))
    ranked = sorted(scores, key=lambda one: -scores[one][1])[:_VARIED]
    for path in ranked:
        if scores[path][1] < scores[ranked[0]][1] - _NEAR:
            break
        chosen = [segment[i] for segment, i in zip(segments, path, strict=True)]
        seen = sum([log for _, log in chosen])
        for at, segment in enumerate(segments):
            if len(segment) == 1:
                continue
            before = "".join([text for text, _ in chosen[:at]])
            behind = "".join([text for text, _ in chosen[at + 1 :]])
            for other, (text, log) in enumerate(segment):
                changed = (*path[:at], other, *path[at + 1 :])
                if changed not in scores:
                    score(changed, before + text + behind, seen - chosen[at][1] + log)
    highest = max(value for _, value in scores.values())
    sums: dict[str, float] = {}
    for text, value in scores.values():
        sums[text] = sums.get(text, 0.0) + math.exp(value - highest)
    total = sum(sums.values())
    return [(text, share / total) for text, share in sorted(sums.items(), key=lambda item: (-item[1], item[0]))]


def _clear(segments: Sequence[Segment], grammar: Grammar) -> bool:
    """Whether the reader is sure of every segment and the text has an own format: no other format can do better."""
    sure = all(segment[0][1] > _CLEAR for segment in segments)
    return sure and grammar.explains("".join([segment[0][0] for segment in segments]))


def _likeliest(segments: Sequence[Segment]) -> list[_Path]:
    """The likeliest by the reader alone."""
    beam: list[tuple[float, _Path]] = [(0.0, ())]
    for segment in segments:
        if len(segment) == 1:
            beam = [(cost, (*path, 0)) for cost, path in beam]
            continue
        longer = [(cost - log, (*path, i)) for cost, path in beam for i, (_, log) in enumerate(segment)]
        longer.sort()
        beam = longer[:_BEAM]
    return [path for _, path in beam]


def _of_formats(
    segments: Sequence[Segment], grammar: Grammar, shares: NDArray[np.float64], settings: DecodeSettings
) -> list[_Path]:
    """The likeliest of each template (of the few likeliest templates), by dynamic programming over all at once."""
    sizes = [[len(text) for text, _ in segment] for segment in segments]
    use = grammar.of_lengths(sum([min(own) for own in sizes]), sum([max(own) for own in sizes]))
    lengths = grammar.lengths[use]
    if not len(lengths):
        return []
    letters = grammar.gains(settings.priors.even)[:, :, use]
    best = np.full((LONGEST + 1, len(lengths)), -np.inf)
    best[0] = np.log(shares[use] + 1e-300)
    steps = [best]
    low = high = 0  # fewest and most characters so far: only those rows hold anything
    for segment, own in zip(segments, sizes, strict=True):
        after = np.full_like(best, -np.inf)
        single = [(_CODES[text], settings.trust * log) for text, log in segment if len(text) == 1]
        if single:
            end = min(high + 1, LONGEST)
            gain = letters[single[0][0], low:end] + single[0][1]
            for code, log in single[1:]:
                np.maximum(gain, letters[code, low:end] + log, out=gain)
            np.add(best[low:end], gain, out=after[low + 1 : end + 1])
        for (text, log), size in zip(segment, own, strict=True):
            end = min(high, LONGEST - size) + 1
            if size == 1 or end <= low:
                continue
            reached = best[low:end] + settings.trust * log
            for offset, char in enumerate(text):
                reached += letters[_CODES[char], low + offset : end + offset]
            np.maximum(after[low + size : end + size], reached, out=after[low + size : end + size])
        low, high = low + min(own), min(high + max(own), LONGEST)
        best = after
        steps.append(best)
    final = best[lengths, np.arange(len(lengths))]
    paths: list[_Path] = []
    for column in np.argsort(-final)[:_BY_FORMAT].tolist():
        if final[column] == -np.inf:
            break
        paths.append(_way(column, int(lengths[column]), segments, steps, letters, settings.trust))
    return paths


def _way(
    column: int,
    length: int,
    segments: Sequence[Segment],
    steps: Sequence[NDArray[np.float64]],
    letters: NDArray[np.float64],
    trust: float,
) -> _Path:
    """How ``_of_formats`` came to the end of the template in ``column``: the strings of the segments, from the last."""
    path: list[int] = []
    for number in range(len(segments) - 1, -1, -1):
        chosen = 0
        if len(segments[number]) > 1:
            before: list[float] = steps[number][:, column].tolist()
            highest = -math.inf
            for i, (text, log) in enumerate(segments[number]):
                start = length - len(text)
                if start < 0 or before[start] == -math.inf:
                    continue
                value = before[start] + trust * log
                for offset, char in enumerate(text):
                    value += float(letters[_CODES[char], start + offset, column])
                if value > highest:
                    highest, chosen = value, i
        path.append(chosen)
        length -= len(segments[number][chosen][0])
    return tuple(reversed(path))


# --- reliability -----------------------------------------------------------------------------------------------


def _as_many(text: str, texts: Sequence[tuple[str, float]]) -> float:
    """The probability that there are as many characters as in ``text``: one more or one less is wrong, too, and no
    character's own reliability says so."""
    return round(min(1.0, sum([share for other, share in texts if len(other) == len(text)])), 4)


def _characters(text: str, texts: Sequence[tuple[str, float]], settings: DecodeSettings) -> tuple[Character, ...]:
    """What each place of ``text`` holds in all ``texts``."""
    held: list[dict[str, float]] = [{} for _ in text]
    for other, share in texts:
        if share < settings.least_other / 4:
            break
        if len(other) == len(text):
            for shares, char in zip(held, other, strict=True):
                shares[char] = shares.get(char, 0.0) + share
            continue
        for shares, place in zip(held, align(text, other), strict=True):
            if place is not None:
                shares[other[place]] = shares.get(other[place], 0.0) + share
    characters: list[Character] = []
    for char, shares in zip(text, held, strict=True):
        ranked = sorted(((other, share) for other, share in shares.items() if other != char), key=lambda one: -one[1])
        others = tuple((other, round(share, 4)) for other, share in ranked[:4] if share >= settings.least_other)
        characters.append(Character(char=char, confidence=round(min(1.0, shares[char]), 4), others=others))
    return tuple(characters)

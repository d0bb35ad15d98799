"""Majority vote over the readings of one vehicle (VTR600 manual, "Majority Vote").

"The algorithm compares the Reliability of identifying each character": the readings are laid over the text that most
of them are near to, and in each slot every reading gives each candidate the probability its engine gave it. The
probabilities are pooled as a weighted geometric mean, sharpened by the square root of the number of independent
readings (frames of one vehicle share their faults, so ten equal readings are not ten proofs); what none of them named
keeps its share, so one single reading keeps the confidence it was read with.

A reading weighs by its mean confidence, the plate's height and its sharpness, against the best of the same vehicle.
Pure: no clock, no order but the readings' own. Imports ``lpr.events`` (value types), ``lpr.plates.texts``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from lpr.events import Character, Corners, Micros, Picture, Reading, Vote
from lpr.plates.texts import align, characters_of, difference

ALPHABET = 36
"""Characters that a slot may hold; the share of the unnamed ones is spread over what remains of them."""

FLOOR = 0.002
"""The least probability of a candidate: one sure misread can't veto what all others say."""

MOST_INDEPENDENT = 3.0
"""Readings of one vehicle sharpen the vote by at most this power."""

MAX_CANDIDATES = 8
"""Texts with the most weight that are tried as the one most readings are near to."""

MAX_VOTES = 32
MAX_OTHERS = 4
LEAST_OTHER = 0.001
"""Less likely candidates are not worth a place in the log."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the vote and of a vehicle's life in view; names, units and defaults of ``lpr.config.Vote``.

    ``max_different_characters``: a reading further than that from what most say does not vote.
    ``last_readings``: only the last N readings vote, 0: all. ``enabled`` off: no vote, the best single reading
    stands for the vehicle. ``best_exposure_only``: one picture, the best; else up to ``max_pictures``.
    """

    enabled: bool = True
    max_different_characters: int = 2
    same_plate_interval: float = 30.0
    last_readings: int = 0
    min_confidence: float = 0.5
    min_readings: int = 1
    best_exposure_only: bool = True
    max_pictures: int = 4
    gone_after: float = 1.5
    longest: float = 20.0
    still_in_view: float = 120.0
    unread: bool = False


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a vehicle. ``at``: the exposure's time. ``picture``: what it was read on; None when it wasn't
    kept: such a reading votes, but can't be the best recognition."""

    capture: str
    exposure: int
    at: Micros
    trigger: str
    picture: Picture | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Elected:
    """What the vote says. ``best``: the ballot whose picture, ``picture``, shows it best; ``votes``: best first."""

    plate: str
    confidence: float
    characters: tuple[Character, ...]
    country: str | None
    layout: str | None
    plate_colour: str | None
    best: Ballot
    picture: Picture
    votes: tuple[Vote, ...]
    pictures: tuple[Picture, ...]


def plate_height(corners: Corners) -> float:
    """Mean length of a plate's left and right edges, pixels."""
    top_left, top_right, bottom_right, bottom_left = corners
    return (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2.0


def plate_width(corners: Corners) -> float:
    """Mean length of a plate's upper and lower edges, pixels."""
    top_left, top_right, bottom_right, bottom_left = corners
    return (math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)) / 2.0


def elect(ballots: Sequence[Ballot], rules: Rules) -> Elected | None:
    """The voted plate of one vehicle; ``ballots`` in the order in which they were read. None without any picture.

    When no reading has a text the plate is "", its confidence 0 and the picture that of the surest detection.
    """
    pictured = [ballot for ballot in ballots if ballot.picture is not None]
    if not pictured:
        return None
    considered = ballots[-rules.last_readings :] if rules.last_readings else ballots
    weights = _weights(considered)
    spoken = [(ballot, weight) for ballot, weight in zip(considered, weights, strict=True) if ballot.reading.text]
    if not spoken:
        return _nobody(pictured, rules)
    if not rules.enabled:
        alone = [each for each in spoken if each[0].picture is not None] or spoken
        spoken = [max(alone, key=lambda each: each[1] * each[0].reading.confidence)]
    leader = _leader(spoken, rules.max_different_characters)
    voters = [
        (ballot, weight)
        for ballot, weight in spoken
        if difference(leader, ballot.reading.text) <= rules.max_different_characters
    ]
    layout = _most((ballot.reading.layout, weight) for ballot, weight in voters if _fits(ballot, leader))
    characters = _count(leader, voters, layout)
    plate = "".join(character.char for character in characters)
    agreeing = [each for each in voters if each[0].reading.text == plate] or [
        each for each in voters if _fits(each[0], plate)
    ]
    best = _best(agreeing) or _best(voters) or _best([(ballot, 1.0) for ballot in pictured])
    if best is None or best.picture is None:
        return None
    ranked = sorted(voters, key=lambda each: -each[1])
    return Elected(
        plate=plate,
        confidence=min(character.confidence for character in characters),
        characters=characters,
        country=_most((ballot.reading.country, weight) for ballot, weight in agreeing),
        layout=_most((ballot.reading.layout, weight) for ballot, weight in agreeing),
        plate_colour=_most((ballot.reading.plate_colour, weight) for ballot, weight in voters),
        best=best,
        picture=best.picture,
        votes=tuple(_vote(ballot, weight) for ballot, weight in ranked[:MAX_VOTES]),
        pictures=_further(best.picture, [ballot for ballot, _ in ranked], rules),
    )


def _weights(ballots: Sequence[Ballot]) -> list[float]:
    tallest = max(plate_height(ballot.reading.corners) for ballot in ballots)
    sharpest = max(ballot.reading.sharpness for ballot in ballots)
    weights: list[float] = []
    for ballot in ballots:
        reading = ballot.reading
        characters = characters_of(reading)
        reliability = sum(each.confidence for each in characters) / len(characters) if characters else 0.0
        size = plate_height(reading.corners) / tallest if tallest > 0 else 1.0
        focus = 0.5 + 0.5 * max(0.0, reading.sharpness) / sharpest if sharpest > 0 else 1.0
        weights.append(max(1e-6, reliability * reliability * size * focus))
    return weights


def _leader(spoken: Sequence[tuple[Ballot, float]], reach: int) -> str:
    """The text that the readings' weight is nearest to; a longer one wins a draw.

    A reading that has a character too many for a candidate counts as one further away than one that has a character
    too few: characters are lost more often than they are invented.
    """
    weight_of: dict[str, float] = {}
    for ballot, weight in spoken:
        weight_of[ballot.reading.text] = weight_of.get(ballot.reading.text, 0.0) + weight

    def support(candidate: str) -> float:
        total = 0.0
        for text, weight in weight_of.items():
            away = difference(candidate, text) + max(0, len(text) - len(candidate))
            total += weight * max(0.0, 1.0 - away / (reach + 1))
        return total

    heaviest = sorted(weight_of, key=lambda text: (-weight_of[text], -len(text), text))
    return max(heaviest[:MAX_CANDIDATES], key=lambda text: (support(text), len(text), text))


def _count(leader: str, voters: Sequence[tuple[Ballot, float]], layout: str | None) -> tuple[Character, ...]:
    """The vote, slot for slot."""
    kinds = _kinds(leader, voters, layout)
    laid = [(align(leader, ballot.reading.text), characters_of(ballot.reading), weight) for ballot, weight in voters]
    elected: list[Character] = []
    for slot, kind in enumerate(kinds):
        opinions = [
            (characters[place], weight) for places, characters, weight in laid if (place := places[slot]) is not None
        ]
        elected.append(_slot(leader[slot], opinions, kind))
    return tuple(elected)


def _kinds(leader: str, voters: Sequence[tuple[Ballot, float]], layout: str | None) -> list[frozenset[bool]]:
    """For each slot whether a digit (True) or a letter (False) may stand there: what readings of ``layout`` had."""
    models = [
        ballot.reading.text
        for ballot, _ in voters
        if layout is not None and ballot.reading.layout == layout and _fits(ballot, leader)
    ]
    if not models:
        return [frozenset((True, False))] * len(leader)
    return [frozenset(model[slot].isdigit() for model in models) for slot in range(len(leader))]


def _slot(fallback: str, opinions: Sequence[tuple[Character, float]], kinds: frozenset[bool]) -> Character:
    """Pool the opinions on one slot."""
    told = [(_probabilities(character), weight) for character, weight in opinions]
    named = {char for probabilities, _ in told for char in probabilities if char.isdigit() in kinds}
    if not named:
        return Character(char=fallback, confidence=0.0)
    total = sum(weight for _, weight in told)
    independent = total * total / sum(weight * weight for _, weight in told)
    power = min(math.sqrt(independent), MOST_INDEPENDENT)

    def pooled(share: Callable[[dict[str, float]], float]) -> float:
        return math.exp(power * sum(weight * math.log(share(said)) for said, weight in told) / total)

    scores = {char: pooled(partial(_share, char)) for char in sorted(named)}
    everything = sum(scores.values()) + pooled(_unnamed)
    ranked = sorted(scores, key=lambda char: (-scores[char], char))
    return Character(
        char=ranked[0],
        confidence=round(min(1.0, scores[ranked[0]] / everything), 4),
        others=tuple(
            (char, share)
            for char in ranked[1 : 1 + MAX_OTHERS]
            if (share := round(scores[char] / everything, 4)) >= LEAST_OTHER
        ),
    )


def _probabilities(character: Character) -> dict[str, float]:
    named = {character.char: character.confidence}
    for char, probability in character.others:
        named.setdefault(char, probability)
    return named


def _share(char: str, named: dict[str, float]) -> float:
    """The probability of ``char``; one that the reading didn't name has an equal part of what is left."""
    share = named[char] if char in named else _unnamed(named) / max(1, ALPHABET - len(named))
    return min(1.0, max(FLOOR, share))


def _unnamed(named: dict[str, float]) -> float:
    """What all the characters that the reading didn't name share between them."""
    return max(FLOOR, 1.0 - sum(named.values()))


def _fits(ballot: Ballot, text: str) -> bool:
    return len(ballot.reading.text) == len(text)


def _most(said: Iterable[tuple[str | None, float]]) -> str | None:
    """The value with the most weight behind it; None only when nobody says anything."""
    weight_of: dict[str, float] = {}
    for value, weight in said:
        if value is not None:
            weight_of[value] = weight_of.get(value, 0.0) + weight
    return max(weight_of, key=lambda value: (weight_of[value], value)) if weight_of else None


def _vote(ballot: Ballot, weight: float) -> Vote:
    reading = ballot.reading
    return Vote(
        capture=ballot.capture,
        exposure=ballot.exposure,
        text=reading.text,
        confidence=reading.confidence,
        weight=round(weight, 4),
    )


def _best(rated: Sequence[tuple[Ballot, float]]) -> Ballot | None:
    """The ballot with a picture that shows the vehicle best; the later one in a draw."""
    shown = [each for each in rated if each[0].picture is not None]
    if not shown:
        return None
    return max(shown, key=lambda each: (each[1] * each[0].reading.confidence, each[0].at))[0]


def _further(best: Picture, ranked: Sequence[Ballot], rules: Rules) -> tuple[Picture, ...]:
    """The other kept pictures, best first, each once."""
    if rules.best_exposure_only:
        return ()
    pictures = {best.blob: best}
    for ballot in ranked:
        if len(pictures) >= rules.max_pictures:
            break
        if ballot.picture is not None:
            pictures.setdefault(ballot.picture.blob, ballot.picture)
    return tuple(picture for blob, picture in pictures.items() if blob != best.blob)


def _nobody(ballots: Sequence[Ballot], rules: Rules) -> Elected | None:
    """A plate was seen and never read. All ``ballots`` have pictures."""
    ranked = sorted(ballots, key=lambda ballot: -ballot.reading.detection)
    if ranked[0].picture is None:
        return None
    return Elected(
        plate="",
        confidence=0.0,
        characters=(),
        country=_most((ballot.reading.country, 1.0) for ballot in ballots),
        layout=None,
        plate_colour=_most((ballot.reading.plate_colour, 1.0) for ballot in ballots),
        best=ranked[0],
        picture=ranked[0].picture,
        votes=tuple(_vote(ballot, 0.0) for ballot in ranked[:MAX_VOTES]),
        pictures=_further(ranked[0].picture, ranked, rules),
    )

"""Majority vote over the readings of one vehicle (VTR600 manual, "Majority Vote").

"The algorithm compares the Reliability of identifying each character": the readings that are near to what most of
them say (``max_different_characters``) vote with the probabilities that their engine gave each candidate of each
character (``lpr.plates.fusion``). A reading weighs by its confidence as far as a plate of its size can be read
(``lpr.plates.legible``), the plate's height, its sharpness and the
detector's score, against the best of the same vehicle. The best recognition, whose picture is kept, is the one with the
most weight among those that read what was voted.
Pure: no clock, no order but the readings' own. Imports ``lpr.events`` (value types) and ``lpr.plates``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from lpr.events import Character, Micros, Picture, Reading, Vote
from lpr.plates.formats import CLASSES, by_key
from lpr.plates.fusion import Grammar, Witness, fuse
from lpr.plates.legible import legibility, lessened, plate_height, plate_width, trusted
from lpr.plates.texts import SHORTEST, characters_of, difference

MAX_CANDIDATES = 8
"""Texts with the most weight that are tried as the one most readings are near to."""

MAX_VOTES = 32


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
    unplated_readings: int = 5


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


def elect(ballots: Sequence[Ballot], rules: Rules) -> Elected | None:
    """The voted plate of one vehicle; ``ballots`` in the order in which they were read. None without any picture.

    Texts of fewer than ``SHORTEST`` characters are parts, and vote only where there is nothing longer.

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
    spoken = [each for each in spoken if len(each[0].reading.text) >= SHORTEST] or spoken
    if not rules.enabled:
        alone = [each for each in spoken if each[0].picture is not None] or spoken
        spoken = [max(alone, key=lambda each: each[1] * each[0].reading.confidence)]
    leader = _leader(spoken, rules.max_different_characters)
    voters = _voters(leader, spoken, rules)
    characters = _fused(leader, voters)
    again = "".join(character.char for character in characters)
    if again != leader and (nearer := _voters(again, spoken, rules)):
        voters, characters = nearer, _fused(again, nearer)
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
    """By the confidence of the whole text, the plate's height (its root: near plates move faster), sharpness, score."""
    tallest = max(plate_height(ballot.reading.corners) for ballot in ballots)
    sharpest = max(ballot.reading.sharpness for ballot in ballots)
    plainest = max(ballot.reading.detection for ballot in ballots)
    weights: list[float] = []
    for ballot in ballots:
        reading = ballot.reading
        size = math.sqrt(plate_height(reading.corners) / tallest) if tallest > 0 else 1.0
        focus = 0.5 + 0.5 * max(0.0, reading.sharpness) / sharpest if sharpest > 0 else 1.0
        found = 0.5 + 0.5 * max(0.0, reading.detection) / plainest if plainest > 0 else 1.0
        weights.append(max(1e-6, trusted(reading).confidence * size * focus * found))
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


def _voters(leader: str, spoken: Sequence[tuple[Ballot, float]], rules: Rules) -> list[tuple[Ballot, float]]:
    """The readings that are near enough to ``leader`` to vote."""
    most = rules.max_different_characters
    return [each for each in spoken if difference(leader, each[0].reading.text) <= most]


def _fused(leader: str, voters: Sequence[tuple[Ballot, float]]) -> tuple[Character, ...]:
    """The voters' probabilities together, and the word of the formats that they name.

    A plate is as legible as the largest that it was seen as: what was only seen too far away stays in doubt.
    """
    total = sum(weight for _, weight in voters)
    weight_of: dict[str, float] = {}
    for ballot, weight in voters:
        if ballot.reading.layout is not None:
            weight_of[ballot.reading.layout] = weight_of.get(ballot.reading.layout, 0.0) + weight
    ballots = [ballot for ballot, _ in voters]
    grammars = [
        Grammar(allowed(layout, ballots), weight_of[layout] / total)
        for layout in sorted(weight_of, key=lambda layout: (-weight_of[layout], layout))
    ]
    fused = fuse(leader, [_witness(ballot, weight) for ballot, weight in voters], grammars)
    return lessened(fused, max(legibility(ballot.reading.corners) for ballot in ballots))


def allowed(layout: str, ballots: Sequence[Ballot]) -> tuple[str, ...]:
    """What ``layout`` allows, place by place; of one that isn't ours: the kinds that its readings have there."""
    try:
        known = by_key(layout)
    except KeyError:
        texts = [ballot.reading.text for ballot in ballots if ballot.reading.layout == layout and ballot.reading.text]
        length = max({len(text) for text in texts}, key=lambda n: sum(len(text) == n for text in texts), default=0)
        models = [text for text in texts if len(text) == length]
        return tuple("".join(sorted({_kind(model[slot]) for model in models})) for slot in range(length))
    return tuple(known.allows(slot) for slot in range(len(known.template)))


def _kind(char: str) -> str:
    return CLASSES["0" if char.isdigit() else "A"]


def _witness(ballot: Ballot, weight: float) -> Witness:
    corners = ballot.reading.corners
    return Witness(
        characters=characters_of(ballot.reading),
        weight=weight,
        x=sum(corner[0] for corner in corners) / 4.0,
        y=sum(corner[1] for corner in corners) / 4.0,
        width=plate_width(corners),
        height=plate_height(corners),
    )


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

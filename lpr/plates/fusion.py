"""One plate out of the probabilities of many readings of it.

What is done, in order:

1. Every reading is laid over a reference text (``lay``): a character that it has in place of another, one that it
   lost, one that it has too many. A reading that gave the reference's character a good chance fits it well even where
   it says another.
2. Each place of the plate is weighed twice. *Is there a character at all?* Readings that have one speak for it, the
   louder the surer they are of it; those that haven't speak against it, but softly, for characters are lost more often
   than they are invented. A place that loses is a blank. *Which one?* The probabilities that the readings gave each
   candidate are averaged, by weight, between their logarithms and themselves (``MEAN``); what none of them named keeps
   its share.
3. The average is sharpened by the number of independent readings (``independent``). Frames of one vehicle share their
   faults, most of all those that show it in the same place; so ten equal readings are not ten proofs.
4. The format has its word once, on what has come out (``Grammar``), not in every reading.

Pure; the order of the witnesses does not matter but for equal scores. Imports ``lpr.events`` (value types) and
``lpr.plates``. Sources: opinion pools (Genest and Zidek, Statistical Science 1(1), 1986); effective number
of correlated observations (Kish, Survey Sampling, 1965).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpr.events import Character
from lpr.plates.texts import difference

ALPHABET = 36
"""Characters that a place may hold; the share of the unnamed ones is spread over what remains of them."""

MEAN = 0.5
"""The exponent of the mean of probabilities: near 0 it is the mean of their logarithms (any reading has a veto), 1 the
plain mean (a vote). Readers are surer of their misreads than they should be, so the veto is to be a weak one."""

FLOOR = 0.01
"""The least probability of a candidate: one sure misread can't veto what all others say."""

REST = 0.002
"""The least probability of all that a reading doesn't name together."""

ALIKE, UNLIKE = 0.45, 0.35
"""The correlation of the faults of two readings of one vehicle: seen in the same place and size, and in quite others.

The vehicle's own dirt and screws are in all of them, so it never goes to 0, and even a standing vehicle's pictures
differ by their noise, so it never goes to 1.
"""

ANOTHER_SIZE, ANOTHER_PLACE = 0.12, 0.6
"""Change of the logarithm of the plate's height, and of its place in plate widths, by which views become unlike."""

LOST = 0.3
"""The chance that a reading lost a character that is there."""

INVENTED = 0.3
"""The part of a reading's doubt about a character that is the doubt whether there is one."""

LEAST_INVENTED = 0.02
"""The chance that a character of which a reading is quite sure isn't there."""

DROPPED, ADDED = 0.7, 2.0
"""Nats: a place for which less was said may be dropped, and one against which less was said be added, for the sake of
a format. Dropping takes more doubt: a reading that lost a character often names the shorter format that is left."""

FORMAT = 3.5
"""Nats against a character that the format doesn't allow in its place, when all readings agree on the format."""

LOSS = 0.95
"""What a lost character costs in ``lay``: less than a change to something that the reading never thought of."""

MAX_OTHERS = 4
LEAST_OTHER = 0.001
"""Less likely candidates are not worth a place in the log."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One reading as it is weighed. ``characters``: of its text; ``x``, ``y``: of the plate's middle, ``width``,
    ``height``: of the plate, pixels; ``weight``: more than 0."""

    characters: tuple[Character, ...]
    weight: float
    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(character.char for character in self.characters)


@dataclass(frozen=True, slots=True)
class Grammar:
    """A format. ``allowed``: the characters of each place; ``agreed``: the part of the readings' weight that is for it,
    0 to 1."""

    allowed: tuple[str, ...]
    agreed: float

    def factor(self, place: int, char: str) -> float:
        """What it does to the probability of a character in a place."""
        return 1.0 if char in self.allowed[place] else math.exp(-FORMAT * self.agreed)


@dataclass(frozen=True, slots=True)
class Laid:
    """A reading over a reference. ``at``: for each place of the reference the reading's character there, None: none;
    ``extra``: (gap, number in the gap) to a character too many; gap 0 is before the first place."""

    at: tuple[Character | None, ...]
    extra: tuple[tuple[tuple[int, int], Character], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the plate. ``opinions``: (what a reading has there, None: nothing, its weight); ``there``: nats for
    a character being there; ``own``: whether it is one of the reference's."""

    opinions: tuple[tuple[Character | None, float], ...]
    there: float
    own: bool


def fuse(reference: str, witnesses: Sequence[Witness], formats: Sequence[Grammar] = ()) -> tuple[Character, ...]:
    """The plate of these readings. ``reference``: a text near to most of them, none of them empty.

    ``formats``: those that readings named, the one with most weight first; the first that is as long as the plate comes
    out has its word. Returns the characters with their probabilities; () only when there is no witness.
    """
    if not witnesses or not reference:
        return ()
    power = independent(witnesses)
    found = laid_places(reference, witnesses, power)
    places = _of_length(found, [len(each.allowed) for each in formats])
    grammar = next((each for each in formats if len(each.allowed) == len(places)), None)
    fused = [_identity(place, power, grammar, number) for number, place in enumerate(places)]
    return tuple(_doubted(fused, places, found))


def independent(witnesses: Sequence[Witness]) -> float:
    """How many independent readings these are worth, at least 1."""
    total = sum(each.weight for each in witnesses)
    shared = 0.0
    for index, each in enumerate(witnesses):
        shared += each.weight * each.weight
        for other in witnesses[index + 1 :]:
            shared += 2.0 * each.weight * other.weight * correlation(each, other)
    return max(1.0, total * total / shared) if shared > 0.0 else 1.0


def correlation(first: Witness, second: Witness) -> float:
    """Of the faults of two readings: from ``ALIKE`` where both show the plate alike, down to ``UNLIKE``."""
    width = max(first.width, second.width, 1.0)
    way = math.hypot(first.x - second.x, first.y - second.y) / width / ANOTHER_PLACE
    size = abs(math.log(max(first.height, 1.0) / max(second.height, 1.0))) / ANOTHER_SIZE
    return UNLIKE + (ALIKE - UNLIKE) * math.exp(-way - size)


def lay(reference: str, characters: Sequence[Character]) -> Laid:
    """Lay a reading over ``reference``: the cheapest way of changed, lost and added characters.

    A changed character costs the less the likelier the reading holds the reference's; an added one the less, the less
    sure it is. Texts of one length are laid straight unless shifting explains them with fewer changes.
    """
    text = "".join(character.char for character in characters)
    if len(text) == len(reference):
        straight = sum(a != b for a, b in zip(reference, text, strict=True))
        if straight <= 1 or difference(reference, text) >= straight:
            return Laid(tuple(characters))
    rows, columns = len(reference), len(characters)
    added = [0.6 + 0.3 * character.confidence for character in characters]
    changed = [[1.0 - _named(character).get(char, 0.0) for character in characters] for char in reference]
    for row, char in enumerate(reference):
        for column, character in enumerate(characters):
            if character.char == char:
                changed[row][column] = 0.0
    cost = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(1, rows + 1):
        cost[row][0] = cost[row - 1][0] + LOSS
    for column in range(1, columns + 1):
        cost[0][column] = cost[0][column - 1] + added[column - 1]
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            cost[row][column] = min(
                cost[row - 1][column - 1] + changed[row - 1][column - 1],
                cost[row - 1][column] + LOSS,
                cost[row][column - 1] + added[column - 1],
            )
    at: list[Character | None] = [None] * rows
    extra: list[tuple[int, Character]] = []
    row, column = rows, columns
    while row or column:
        here = cost[row][column]
        if row and column and here == cost[row - 1][column - 1] + changed[row - 1][column - 1]:
            row, column = row - 1, column - 1
            at[row] = characters[column]
        elif row and here == cost[row - 1][column] + LOSS:
            row -= 1
        else:
            column -= 1
            extra.append((row, characters[column]))
    extra.reverse()
    seen: dict[int, int] = {}
    numbered: list[tuple[tuple[int, int], Character]] = []
    for gap, character in extra:
        numbered.append(((gap, seen.get(gap, 0)), character))
        seen[gap] = seen.get(gap, 0) + 1
    return Laid(tuple(at), tuple(numbered))


def laid_places(reference: str, witnesses: Sequence[Witness], power: float) -> list[Place]:
    """Every place that any reading has, in order, with what is said of it."""
    laid = [(lay(reference, each.characters), each.weight) for each in witnesses]
    gaps = sorted({where for each, _ in laid for where, _ in each.extra})
    extras = [dict(each.extra) for each, _ in laid]
    found: list[Place] = []
    for number in range(len(reference) + 1):
        for where in gaps:
            if where[0] == number:
                opinions = tuple((extra.get(where), weight) for extra, (_, weight) in zip(extras, laid, strict=True))
                found.append(Place(opinions, _there(opinions, power), own=False))
        if number < len(reference):
            opinions = tuple((each.at[number], weight) for each, weight in laid)
            found.append(Place(opinions, _there(opinions, power), own=True))
    return found


def _there(opinions: Sequence[tuple[Character | None, float]], power: float) -> float:
    """Nats for a character being there; infinite when nobody misses it."""
    if all(character is not None for character, _ in opinions):
        return math.inf
    total = sum(weight for _, weight in opinions)
    said = 0.0
    for character, weight in opinions:
        if character is None:
            said += weight * math.log(LOST / (1.0 - LOST))
        else:
            sure = min(1.0, max(0.0, character.confidence))
            said += weight * math.log(max(sure, FLOOR) / (INVENTED * (1.0 - sure) + LEAST_INVENTED))
    return power * said / total


def _of_length(places: Sequence[Place], wanted: Sequence[int]) -> list[Place]:
    """The places that hold a character; one doubtful place more or fewer where only that makes them as many as a format
    has (``wanted``: their lengths, the weightiest first). Where none holds one, those of the reference stay.
    """
    there = [place for place in places if place.there > 0.0] or [place for place in places if place.own]
    if not wanted or len(there) in wanted:
        return there
    for length in wanted:
        if length == len(there) - 1:
            weakest = min(there, key=lambda place: place.there)
            if weakest.there < DROPPED:
                return [place for place in there if place is not weakest]
        if length == len(there) + 1:
            absent = [place for place in places if all(place is not other for other in there)]
            nearest = max(absent, key=lambda place: place.there, default=None)
            if nearest is not None and nearest.there > -ADDED:
                kept = {id(place) for place in (*there, nearest)}
                return [place for place in places if id(place) in kept]
    return there


def _doubted(fused: Sequence[Character], places: Sequence[Place], found: Sequence[Place]) -> list[Character]:
    """A place that was left out may have been there: the characters beside it are as doubtful as that."""
    kept = {id(place): number for number, place in enumerate(places)}
    doubted, number = list(fused), -1
    for place in found:
        number = kept.get(id(place), number)
        if id(place) in kept:
            continue
        for beside in {max(0, number), min(len(doubted) - 1, number + 1)}:
            doubted[beside] = _scaled(doubted[beside], _sigmoid(-place.there))
    return doubted


def _scaled(character: Character, by: float) -> Character:
    others = tuple((char, each) for char, share in character.others if (each := round(share * by, 4)) >= LEAST_OTHER)
    return Character(char=character.char, confidence=round(character.confidence * by, 4), others=others)


def _sigmoid(nats: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(50.0, max(-50.0, nats))))


def _identity(place: Place, power: float, grammar: Grammar | None, number: int) -> Character:
    """Which character stands in a place (``number``: of the plate), and how likely it, or any, is there."""
    told = [(_named(character), weight) for character, weight in place.opinions if character is not None]
    named = {char for named, _ in told for char in named}
    total = sum(weight for _, weight in told)
    everyone = sum(weight for _, weight in place.opinions)
    sharpness = 1.0 + (power - 1.0) * total / everyone
    sums = dict.fromkeys(sorted(named), 0.0)
    unnamed = 0.0
    for said, weight in told:
        rest = max(REST, 1.0 - sum(said.values()))
        spread = max(FLOOR, rest / max(1, ALPHABET - len(said)))
        unnamed += weight * rest**MEAN
        for char in sums:
            share = said.get(char)
            sums[char] += weight * (spread if share is None else min(1.0, max(FLOOR, share))) ** MEAN
    scores = {char: (each / total) ** (sharpness / MEAN) for char, each in sums.items()}
    if grammar is not None:
        scores = {char: score * grammar.factor(number, char) for char, score in scores.items()}
    everything = sum(scores.values()) + (unnamed / total) ** (sharpness / MEAN)
    there = _sigmoid(place.there)
    ranked = sorted(scores, key=lambda char: (-scores[char], char))
    shares = {char: there * scores[char] / everything for char in ranked[: 1 + MAX_OTHERS]}
    return Character(
        char=ranked[0],
        confidence=round(min(1.0, shares[ranked[0]]), 4),
        others=tuple(
            (char, each) for char in ranked[1 : 1 + MAX_OTHERS] if (each := round(shares[char], 4)) >= LEAST_OTHER
        ),
    )


def _named(character: Character) -> dict[str, float]:
    """The candidates that a reading names, with their probabilities."""
    named = {character.char: character.confidence}
    for char, probability in character.others:
        named.setdefault(char, probability)
    return named

"""Which reading belongs to which vehicle: by where the plate is, how it moved, and what it says.

A ``Trail`` is what is remembered of one vehicle of one source: its last place and speed, its last few places, and
the few texts it was read as. ``assign`` gives each reading of an exposure to at most one trail:

* the same text is the same vehicle, wherever it went while it was in view, unless it turned back on its way: the
  plates of a fleet differ by one character, and a misread of the next one says what the one before said;
* a similar text (``max_different_characters`` of the vote) is, within reach of where it is expected, the less so
  the more characters both texts are sure of and differ in;
* a text that is a part of the other (a plate at the picture's edge, or half hidden) is, within reach;
* any text that may be a misread is, within a closer reach; in the same place a moment later, and before the vehicle
  on its way for a second, even one that hardly can be: nobody else can be there;
* one that was out of sight for longer than ``gone_after`` is the same only near where it was last seen, with the
  same or a similar text, a part of it, or with one too poor to contradict.

How sure a text is depends on the plate's size, too (``lpr.plates.legible``). Distances are measured in widths of the
plate, so near and far vehicles are treated alike. Times are microseconds of
the source's own clock, which never runs back (``lpr.plates.passages``). Pure and total; state is bounded.
Imports ``lpr.events`` (value types) and ``lpr.plates``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from lpr.events import Character, Micros, Reading
from lpr.plates.boxes import overlap, within
from lpr.plates.legible import trusted
from lpr.plates.texts import SHORTEST, characters_of, contradictions, difference, part_of
from lpr.plates.voting import Rules
from lpr.plates.ways import SECOND, Growth, Place, grown, onward, place_of

SURE = 0.75
"""A text with at least this confidence says what it says; a poorer one may be a misread of anything."""

CERTAIN = 0.9
"""A text with at least this confidence is not a misread that happens to stand where the vehicle is expected."""

POOR = 0.5
"""A text with less confidence than this says nothing."""

SAME_PLACE_WITHIN = 0.4
"""Seconds in which no other vehicle can have taken a vehicle's place."""

SHORT = 5.0
"""Seconds for which a vehicle that didn't stand may be out of sight and come out again a little further on."""

STOOD = 800_000
"""µs for which a vehicle that stands has been where it is."""

AHEAD = 1.3
"""A vehicle may have gone this many times as far as its last speed takes it."""

OWN_WAY = 1.0
"""Seconds for which nobody else is on the way that lies before a vehicle: who follows comes there later."""

AKIN = 0.6
"""A misread has at most this part of its characters wrong; other vehicles' plates have more."""

BACKWARDS = 1.5
"""A vehicle that moves doesn't turn up this many plate widths behind itself before it was out of sight."""

MAX_TEXTS = 4
MAX_PLACES = 12


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A text that a vehicle was read as, and the sum of the confidences of the readings that said so."""

    text: str
    weight: float


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """One vehicle as it was followed. ``places``: the last sightings, newest last, never empty.

    ``number``: unique within its source. ``born``: µs of the source's clock. ``vx``, ``vy``: pixels a second.
    ``plate``: the characters of the surest reading (after the vote: the voted ones). ``sights``: sightings in all.
    """

    number: int
    born: Micros
    places: tuple[Place, ...]
    vx: float = 0.0
    vy: float = 0.0
    sights: int = 1
    said: tuple[Said, ...] = ()
    plate: tuple[Character, ...] = ()
    growth: Growth = Growth()

    @property
    def last(self) -> Place:
        """The newest sighting."""
        return self.places[-1]

    @property
    def seen(self) -> Micros:
        """When it was last seen, µs of the source's clock."""
        return self.places[-1].when

    @property
    def text(self) -> str:
        """What it was mostly read as, "" when it never was."""
        return self.said[0].text if self.said else ""

    @property
    def confidence(self) -> float:
        """Of the surest reading."""
        return min((character.confidence for character in self.plate), default=0.0)

    @property
    def sure(self) -> bool:
        """Whether it can be told from another text: read surely once, or the same twice."""
        told = len(self.text) >= SHORTEST
        return told and (self.confidence >= SURE or self.said[0].weight >= 2 * SURE)

    @property
    def certain(self) -> bool:
        """Whether it can't have been misread: read without a doubt once, or the same twice."""
        return self.sure and (self.confidence >= CERTAIN or self.said[0].weight >= 2 * SURE)


def begin(number: int, reading: Reading, when: Micros) -> Trail:
    """A vehicle seen for the first time."""
    place = place_of(reading, when)
    said, plate = _hear((), (), reading)
    return Trail(
        number=number, born=when, places=(place,), said=said, plate=plate, growth=grown(Growth(), 0.0, None, place)
    )


def follow(trail: Trail, reading: Reading, when: Micros) -> Trail:
    """The same vehicle seen once more."""
    place, last = place_of(reading, when), trail.last
    seconds = (when - last.when) / SECOND
    vx, vy = trail.vx, trail.vy
    if seconds > 0.0:
        part = 1.0 if len(trail.places) == 1 else 0.6
        pause = max(seconds, 1.0 / 60.0)
        vx += part * ((place.x - last.x) / pause - vx)
        vy += part * ((place.y - last.y) / pause - vy)
    said, plate = _hear(trail.said, trail.plate, reading)
    return msgspec.structs.replace(
        trail,
        places=(*trail.places[1 - MAX_PLACES :], place),
        vx=vx,
        vy=vy,
        sights=trail.sights + 1,
        said=said,
        plate=plate,
        growth=grown(trail.growth, (when - trail.born) / SECOND, last, place),
    )


def assign(trails: Sequence[Trail], readings: Sequence[Reading], when: Micros, rules: Rules) -> list[int | None]:
    """For each reading of one exposure the index of its trail, None for a vehicle not seen before.

    A trail gets at most one reading. Readings that lie on each other are to be merged before (``apart``).
    """
    likely: list[tuple[float, int, int]] = []
    for index, reading in enumerate(trusted(each) for each in readings):
        place = place_of(reading, when)
        for other, trail in enumerate(trails):
            score = likeness(trail, reading, place, rules)
            if score > 0.0:
                likely.append((score, index, other))
    likely.sort(key=lambda each: (-each[0], each[1], each[2]))
    given: list[int | None] = [None] * len(readings)
    taken: set[int] = set()
    for _, index, other in likely:
        if given[index] is None and other not in taken:
            given[index] = other
            taken.add(other)
    return given


def likeness(trail: Trail, reading: Reading, place: Place, rules: Rules) -> float:
    """How well a reading fits a vehicle: 0 not at all. Of the reading's confidence what is to be ``trusted``.

    In view: the same text over 3, a similar one over 2, a part over 1.5, by place over 1. Out of sight: below 2.
    """
    seconds = max(0.0, (place.when - trail.places[-1].when) / SECOND)
    if seconds > rules.gone_after:
        return _hidden(trail, reading, place, seconds, rules)
    allowed, changed = _allowed(reading.text, trail, rules), _changed(reading.text, trail)
    similar = bool(reading.text) and changed is not None and changed <= allowed
    away, scaled, gone = _distance(trail, place, min(seconds, 1.0))
    closeness = 1.0 / (1.0 + away)
    size_fits = scaled <= 1.5 + 1.2 * seconds and not _turned(trail, place)
    if similar and changed == 0 and not _turned(trail, place):
        return 3.0 + closeness
    near = away <= 0.5 and scaled <= 1.3
    steady = near and seconds <= SAME_PLACE_WITHIN
    ahead = near and seconds <= OWN_WAY and gone
    against = contradictions(trail.plate, characters_of(reading)) if similar else 0
    within = (3.0 + 10.0 * seconds) if against == 0 else (1.0 + 5.0 * seconds)
    if similar and size_fits and away <= within and (against < 2 or steady):
        return 2.0 + closeness - 0.1 * (changed or 0) - 0.3 * against
    if size_fits and away <= 1.0 + 5.0 * seconds and any(part_of(reading.text, said.text) for said in trail.said):
        return 1.5 + 0.5 * closeness
    short = len(reading.text) < SHORTEST
    other = trail.sure and not short and not _akin(changed, reading.text)
    cut_off = trail.sights == 1 and len(trail.text) < len(reading.text)
    doubtful = reading.confidence < SURE or not trail.certain or cut_off
    poor = not trail.sure or short or (doubtful and not other)
    same_place = (steady or ahead) and not (other and reading.confidence >= CERTAIN)
    reach = 1.5 + 10.0 * min(seconds, 0.6) if trail.sights == 1 else 1.0 + (5.0 if trail.sights < 4 else 2.5) * seconds
    if same_place or (poor and size_fits and away <= reach):
        return 1.0 + closeness
    return 0.0


def apart(readings: Iterable[Reading]) -> list[Reading]:
    """The readings of one exposure without doubles: of those that lie on each other the surest stays.

    A plate may be found a second time as a part of itself, so a small box that lies in a larger one is a double, too.
    """
    kept: list[Reading] = []
    for reading in sorted(readings, key=lambda each: (-bool(each.text), -each.confidence, -each.detection)):
        if all(overlap(reading.box, other.box) < 0.4 and within(reading.box, other.box) < 0.6 for other in kept):
            kept.append(reading)
    return kept


def moved(trail: Trail, place: Place) -> float:
    """How far ``place`` is from where the vehicle was last seen, in widths of its plate."""
    last = trail.last
    return math.hypot(place.x - last.x, place.y - last.y) / max(last.width, place.width)


def stands(trail: Trail) -> bool:
    """Whether a vehicle stood when it was last seen: where it was about a second before. One seen once may have."""
    last = trail.last
    before = next((place for place in reversed(trail.places) if last.when - place.when >= STOOD), trail.places[0])
    return math.hypot(last.x - before.x, last.y - before.y) <= 0.7 * last.width


def beside(host: Trail, guest: Trail) -> bool:
    """Whether ``guest`` may be ``host`` misread: always where that was just before or after, never together with it."""
    times = {place.when for place in host.places}
    return all(place.when not in times and _near_path(host, place) for place in guest.places)


def _allowed(text: str, trail: Trail, rules: Rules) -> int:
    """How many characters may differ: the setting, but never more than a third of the text."""
    longest = max(len(text), *(len(said.text) for said in trail.said)) if trail.said else len(text)
    return min(rules.max_different_characters, longest // 3)


def _turned(trail: Trail, place: Place) -> bool:
    """Whether a plate that grew would have shrunk at once, or the other way round: another vehicle.

    The middle one of the last three sizes counts: a reflection makes a plate larger for a frame.
    """
    if trail.sights <= 2:
        return False
    first, last = trail.places[0].side, sorted(each.side for each in trail.places[-3:])[1]
    grew, shrank = last > 1.2 * first, first > 1.2 * last
    return (grew and place.side < last / 1.4) or (shrank and place.side > last * 1.4)


def _akin(changed: int | None, text: str) -> bool:
    """Whether a text shares enough with what the vehicle was read as before to be a misread of it."""
    return changed is None or changed <= AKIN * len(text)


def _distance(trail: Trail, place: Place, seconds: float) -> tuple[float, float, bool]:
    """(plate widths between ``place`` and the vehicle's expected way, how many times larger or smaller the plate is
    than it would be there, whether that is well before where it was last seen).

    The way leads from where it was last seen a little beyond where its speed takes it, so one that brakes is on it
    too.
    """
    last = trail.last
    dx, dy, growth = onward(trail.places, (trail.vx, trail.vy), place, AHEAD * seconds)
    x, y = place.x - last.x, place.y - last.y
    length, along = dx * dx + dy * dy, x * dx + y * dy
    part = max(0.0, min(1.0, along / length)) if length > 0.0 else 0.0
    scaled = place.side / last.side / (1.0 + part * (growth - 1.0))
    scaled = max(scaled, 1.0 / scaled)
    width = math.sqrt(last.width * place.width)
    if trail.sights > 2 and -along > BACKWARDS * width * math.sqrt(length) > 0.0:
        return math.inf, scaled, False
    gone = trail.sights > 2 and part >= 0.4 and length > (0.5 * width) ** 2
    return math.hypot(x - part * dx, y - part * dy) / width, scaled, gone


def _changed(text: str, trail: Trail) -> int | None:
    """How far ``text`` is from the nearest that the vehicle was read as; None when it never was."""
    return min((difference(text, said.text) for said in trail.said), default=None)


def _hidden(trail: Trail, reading: Reading, place: Place, seconds: float, rules: Rules) -> float:
    """A vehicle that was out of sight: it stood there, or was not out of sight for long, and nothing speaks against it.

    Scores less than one that is in view: where a vehicle moves on, its readings are its own.
    """
    last = trail.places[-1]
    scaled = place.height / last.height  # what comes out from behind another is not as wide yet
    if not 1.0 / 1.5 <= scaled <= 1.5:
        return 0.0
    away = math.hypot(place.x - last.x, place.y - last.y) / math.sqrt(last.width * place.width)
    if away > (2.0 * (1.5 + seconds) if seconds <= SHORT else 3.0):  # most vehicles of the memory: enough is known
        return 0.0
    stood = stands(trail)
    if not (stood or seconds <= SHORT):
        return 0.0
    allowed, changed = _allowed(reading.text, trail, rules), _changed(reading.text, trail)
    reach = 1.5 if stood else 1.5 + seconds
    closeness = 1.0 / (1.0 + away)
    if changed == 0:
        return 1.2 + 0.5 * closeness if away <= 2.0 * reach else 0.0
    if changed is not None and changed <= allowed and not contradictions(trail.plate, characters_of(reading)):
        return 1.0 + 0.3 * closeness if away <= reach else 0.0
    if away <= reach and any(part_of(reading.text, said.text) for said in trail.said):
        return 0.6 + 0.3 * closeness
    poor = reading.confidence < POOR or (reading.confidence < SURE and _akin(changed, reading.text))
    stays = seconds <= SHORT or trail.sights > 1  # one that was seen once needn't have stood
    return 0.5 * closeness if away <= 1.0 and stays and (poor or not reading.text) else 0.0


def _near_path(trail: Trail, place: Place) -> bool:
    """Whether a vehicle was about there a moment before or after, or just there a little longer ago."""
    nearest = min(trail.places, key=lambda each: abs(each.when - place.when))
    seconds = abs(nearest.when - place.when) / SECOND
    away = math.hypot(place.x - nearest.x, place.y - nearest.y) / max(nearest.width, place.width)
    return (seconds <= 0.6 and away <= 1.5 + 10.0 * seconds) or (seconds <= 1.6 and away <= 0.7)


def _hear(
    said: tuple[Said, ...], plate: tuple[Character, ...], reading: Reading
) -> tuple[tuple[Said, ...], tuple[Character, ...]]:
    """The texts and the surest characters after one more reading."""
    if not reading.text:
        return said, plate
    reading = trusted(reading)
    weights = {each.text: each.weight for each in said}
    weights[reading.text] = min(1e6, weights.get(reading.text, 0.0) + reading.confidence)
    ranked = sorted(weights, key=lambda text: -weights[text])[:MAX_TEXTS]
    if reading.text not in ranked:
        ranked[-1] = reading.text
    characters = characters_of(reading)
    surest = min((each.confidence for each in plate), default=-1.0)
    if reading.confidence > surest:
        plate = tuple(Character(char=each.char, confidence=each.confidence) for each in characters)
    return tuple(Said(text, weights[text]) for text in ranked), plate

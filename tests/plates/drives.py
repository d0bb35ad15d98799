"""Simulated drives: vehicles that cross a picture, and what a noisy engine would read of them. Pure, seeded."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lpr.core.record import Record, make_record
from lpr.events import (
    CaptureTaken,
    Character,
    Event,
    Exposure,
    FramesPassed,
    Micros,
    PassageDecided,
    Picture,
    PlateRead,
    Reading,
    ReadingsDiscarded,
    SourceEnded,
    SourceOpened,
)
from lpr.plates.gate import GateRules, Glance, Scene, Shown, look, marked, recorded
from lpr.plates.voting import Rules

START: Micros = 1_750_000_000_000_000
SOURCE = "gate"
LOOKALIKE = {"0": "O", "O": "0", "B": "8", "8": "B", "1": "I", "I": "1", "5": "S", "S": "5", "2": "Z", "Z": "2"}

SMALLEST = 7.0
"""Plates lower than this (pixels) aren't found."""

Way = Callable[[float], "tuple[float, float, float] | None"]
"""Seconds since the start -> (centre x, centre y, plate height) in pixels, None while it is not in view."""


@dataclass
class Car:
    """``error``: the chance that a character is misread in a near plate; ``missed``: that the plate isn't found."""

    plate: str
    way: Way
    error: float = 0.02
    missed: float = 0.05
    hidden: Sequence[tuple[float, float]] = field(default_factory=tuple[tuple[float, float], ...])

    def seen(self, seconds: float) -> tuple[float, float, float] | None:
        if any(since <= seconds < until for since, until in self.hidden):
            return None
        return self.way(seconds)


def approach(start: float, x: float = 600.0, speed: float = 10.0, away: bool = False) -> Way:
    """A vehicle on a straight lane from 40 m to 6 m at ``speed`` m/s, seen from a pole 5 m high."""

    def way(seconds: float) -> tuple[float, float, float] | None:
        gone = (seconds - start) * speed
        z = 6.0 + gone if away else 40.0 - gone
        if not 6.0 <= z <= 40.0 or seconds < start:
            return None
        return x + 2000.0 / z, 5.0 * 1000.0 / z - 100.0, 0.13 * 1000.0 / z

    return way


def stand(x: float, y: float, height: float, since: float = 0.0, until: float = 1e9) -> Way:
    """A vehicle that stands."""
    return lambda seconds: (x, y, height) if since <= seconds < until else None


def across(start: float, y: float, speed: float, height: float = 24.0, width: float = 1280.0) -> Way:
    """A vehicle that crosses the picture at ``speed`` pixels a second, to the left when that is negative."""

    def way(seconds: float) -> tuple[float, float, float] | None:
        x = (0.0 if speed > 0 else width) + (seconds - start) * speed
        return (x, y, height) if 0.0 <= x <= width and seconds >= start else None

    return way


def jam(start: float, x: float = 600.0, behind: float = 0.0) -> Way:
    """Stop and go: three metres in two seconds, then standing for six, and so on."""

    def way(seconds: float) -> tuple[float, float, float] | None:
        since = seconds - start
        if since < 0:
            return None
        rounds, rest = divmod(since, 8.0)
        z = 34.0 + behind - 3.0 * rounds - 1.5 * min(rest, 2.0)
        if not 6.0 <= z <= 36.0:
            return None
        return x + 2000.0 / z, 5.0 * 1000.0 / z - 100.0, 0.13 * 1000.0 / z

    return way


def read_of(car: Car, place: tuple[float, float, float], chance: random.Random) -> Reading | None:
    """What a noisy engine says of a plate: worse the smaller it is."""
    x, y, height = place
    if chance.random() < car.missed or height < SMALLEST:
        return None
    x, y, height = x + chance.gauss(0, 0.8), y + chance.gauss(0, 0.8), height * chance.uniform(0.95, 1.05)
    width = height * 4.0
    blur = max(0.0, (14.0 - height) / 14.0)
    characters: list[Character] = []
    for char in car.plate:
        wrong = chance.random() < car.error + 0.5 * blur
        said = LOOKALIKE.get(char, chance.choice("ABCDEFGH23456789")) if wrong else char
        confidence = chance.uniform(0.35, 0.75) if wrong else chance.uniform(0.8, 0.99) - 0.4 * blur
        others = ((char, 0.2),) if wrong and said != char else ()
        characters.append(Character(char=said, confidence=confidence, others=others))
    if blur > 0.1 and chance.random() < 0.2:
        characters.pop(0 if chance.random() < 0.5 else -1)
    left, top, right, bottom = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return Reading(
        text="".join(character.char for character in characters),
        confidence=min(character.confidence for character in characters),
        characters=tuple(characters),
        box=(left, top, right, bottom),
        corners=((left, top), (right, top), (right, bottom), (left, bottom)),
        sharpness=50.0 + 10 * height,
    )


Look = tuple[Micros, int, tuple[Reading, ...]]
"""Frame time, position, what was read."""


def looks(cars: Sequence[Car], seconds: float, rate: float = 8.0, seed: int = 0) -> Iterator[Look]:
    """Every look at the scene."""
    chance = random.Random(seed)
    for index in range(int(seconds * rate)):
        now = index / rate
        places = [(car, place) for car in cars if (place := car.seen(now)) is not None]
        readings = [read_of(car, place, chance) for car, place in places]
        yield START + round(now * 1e6), index, tuple(reading for reading in readings if reading is not None)


def picture(position: int) -> Picture:
    return Picture(blob=f"{position:064x}", width=1280, height=720, bytes=1000)


def capture_of(seen: Look, pictured: bool = True, still: bool = False) -> list[CaptureTaken | PlateRead]:
    """A look as the engine records it."""
    at, position, readings = seen
    exposures = (Exposure(at=at, position=position, picture=picture(position)),) if pictured else ()
    name = f"{SOURCE}@{at}"
    return [
        CaptureTaken(
            capture=name,
            source=SOURCE,
            lane="1",
            trigger="free-flow",
            reason="",
            at=at,
            position=position,
            exposures=exposures,
            still=still,
        ),
        *(
            PlateRead(
                capture=name,
                source=SOURCE,
                lane="1",
                at=at,
                exposure=0,
                reading=reading,
                engine="fake",
                elapsed_ms=1.0,
            )
            for reading in readings
        ),
    ]


OPENED = SourceOpened(
    source=SOURCE, kind="file", address="a.mp4", width=1280, height=720, rate=8.0, base=START, content="00"
)


def everything(seen: Sequence[Look]) -> list[Event]:
    """Every look recorded: no gate."""
    events: list[Event] = [OPENED]
    for each in seen:
        events.extend(capture_of(each))
    return [*events, _end(seen)]


def gated(
    seen: Sequence[Look], rules: Rules | None = None, gate: GateRules | None = None, scene: Scene | None = None
) -> list[Event]:
    """The looks as the engine records them through the gate; ``scene``: to go on from."""
    rules, gate, scene, glance = rules or Rules(), gate or GateRules(), scene or Scene(), Glance()
    events: list[Event] = [OPENED]
    for each in seen:
        at, position, readings = each
        shown = Shown(at=at, position=position, readings=readings)
        glance, verdict = look(scene, glance, (shown,), rules, gate)
        batches = [capture_of((last.at, last.position, last.readings), pictured=False) for last in verdict.before]
        if verdict.keep != "nothing":
            batches.append(capture_of(each, pictured=verdict.keep == "pictures"))
        for batch in batches:
            capture, reads = batch[0], [event for event in batch if isinstance(event, PlateRead)]
            assert isinstance(capture, CaptureTaken)
            events.extend(batch)
            scene, glance = recorded(scene, capture, reads, rules, gate), Glance()
        if verdict.passes:
            mark = FramesPassed(source=SOURCE, at=at, position=position)
            events.append(mark)
            scene, glance = marked(scene, mark, rules, gate), Glance()
    return [*events, _end(seen)]


def _end(seen: Sequence[Look]) -> SourceEnded:
    return SourceEnded(source=SOURCE, content="00", frames=len(seen), at=seen[-1][0] if seen else START)


def records(events: Sequence[Event], first: int = 1) -> list[Record]:
    """Records outside a log, stamped with the times of their frames."""
    return [make_record(seq, event, wall=getattr(event, "at", START)) for seq, event in enumerate(events, start=first)]


def passages(events: Sequence[Event]) -> list[PassageDecided]:
    return [event for event in events if isinstance(event, PassageDecided)]


def discarded(events: Sequence[Event]) -> list[ReadingsDiscarded]:
    return [event for event in events if isinstance(event, ReadingsDiscarded)]

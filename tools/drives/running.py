"""Readings through gate and voter, as the service does it, and which track each reading went to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from lpr.actors.voter import Voter
from lpr.config import Vote
from lpr.core.record import make_record
from lpr.events import (
    CaptureTaken,
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
from lpr.plates.ways import Place, place_of

START: Micros = 1_750_000_000_000_000
SOURCE = "drive"


@dataclass(frozen=True)
class Sight:
    """A track as it was updated by one reading. ``number``: of the track; ``index``: of the frame."""

    index: int
    number: int
    place: Place


@dataclass
class Run:
    """What became of the readings. ``sights``: in order of time; ``recorded``: readings that reached the voter.

    ``told``: for each passage the frame time at which it was decided, None: only when the drive was over.
    """

    passages: list[PassageDecided] = field(default_factory=list[PassageDecided])
    told: list[Micros | None] = field(default_factory=list[Micros | None])
    discarded: list[ReadingsDiscarded] = field(default_factory=list[ReadingsDiscarded])
    sights: list[Sight] = field(default_factory=list[Sight])
    recorded: list[tuple[int, Reading]] = field(default_factory=list[tuple[int, Reading]])
    pictures: int = 0


def shown(looks: Iterable[Sequence[Reading]], rate: float) -> list[Shown]:
    """The looks of a drive, one a frame, as the engine's actor hands them to the gate."""
    return [
        Shown(at=START + round(index / rate * 1e6), position=index, readings=tuple(readings))
        for index, readings in enumerate(looks)
    ]


def run(looks: Sequence[Shown], vote: Vote | None = None, gate: GateRules | None = None, *, gated: bool = True) -> Run:
    """Fold a drive. ``gated`` off: every look is recorded with its picture."""
    vote = vote or Vote()
    rules = msgspec.convert(msgspec.to_builtins(vote), Rules)
    events = _gated(looks, rules, gate or GateRules()) if gated else _everything(looks)
    return _fold(events, Voter(vote), {each.at: each.position for each in looks})


def capture_of(seen: Shown, pictured: bool) -> list[CaptureTaken | PlateRead]:
    """A look as events. ``pictured``: with a picture, a made-up one."""
    picture = Picture(blob=f"{seen.position:064x}", width=960, height=540, bytes=1)
    exposures = (Exposure(at=seen.at, position=seen.position, picture=picture),) if pictured else ()
    name = f"{SOURCE}@{seen.at}"
    events: list[CaptureTaken | PlateRead] = [
        CaptureTaken(
            capture=name, source=SOURCE, lane="1", trigger="free-flow", reason="", at=seen.at,
            position=seen.position, exposures=exposures,
        )
    ]  # fmt: skip
    events += [
        PlateRead(
            capture=name, source=SOURCE, lane="1", at=seen.at, exposure=0, reading=reading, engine="", elapsed_ms=0.0
        )
        for reading in seen.readings
    ]
    return events


def _around(looks: Sequence[Shown], events: Sequence[Event]) -> list[Event]:
    opened = SourceOpened(
        source=SOURCE, kind="file", address="drive", width=960, height=540, rate=0.0, base=START, content="00"
    )
    at = looks[-1].at if looks else START
    return [opened, *events, SourceEnded(source=SOURCE, content="00", frames=len(looks), at=at)]


def _everything(looks: Sequence[Shown]) -> list[Event]:
    events: list[Event] = []
    for seen in looks:
        events += capture_of(seen, pictured=True)
    return _around(looks, events)


def _gated(looks: Sequence[Shown], rules: Rules, gate: GateRules) -> list[Event]:
    scene, glance = Scene(), Glance()
    events: list[Event] = []
    for seen in looks:
        glance, verdict = look(scene, glance, (seen,), rules, gate)
        captures = [capture_of(last, pictured=False) for last in verdict.before]
        if verdict.keep != "nothing":
            captures.append(capture_of(seen, pictured=verdict.keep == "pictures"))
        for capture in captures:
            taken, reads = capture[0], [event for event in capture if isinstance(event, PlateRead)]
            if isinstance(taken, CaptureTaken):
                scene, glance = recorded(scene, taken, reads, rules, gate), Glance()
            events += capture
        if verdict.passes:
            mark = FramesPassed(source=SOURCE, at=seen.at, position=seen.position)
            scene, glance = marked(scene, mark, rules, gate), Glance()
            events.append(mark)
    return _around(looks, events)


def _fold(events: Sequence[Event], voter: Voter, index_of: dict[Micros, int]) -> Run:
    """Let the voter decide; a capture's readings are given to tracks when the next event settles it."""
    state, result = voter.initial(), Run()
    last: CaptureTaken | None = None
    for seq, event in enumerate(events, start=1):
        record = make_record(seq, event, wall=getattr(event, "at", START))
        state = voter.evolve(state, record)
        if isinstance(event, PlateRead):
            result.recorded.append((index_of[event.at], event.reading))
            continue
        if last is not None:
            result.sights += [
                Sight(index_of[last.at], track.trail.number, track.trail.last)
                for track in state.views[SOURCE].tracks
                if track.last_at == last.at
            ]
        last = event if isinstance(event, CaptureTaken) else None
        if last is not None:
            result.pictures += bool(last.exposures)
        for decided in voter.decide(state, record):
            if isinstance(decided, PassageDecided):
                result.passages.append(decided)
                result.told.append(event.at if isinstance(event, CaptureTaken | FramesPassed) else None)
            elif isinstance(decided, ReadingsDiscarded):
                result.discarded.append(decided)
    return result


def place(reading: Reading) -> Place:
    """Where a reading is, at no time."""
    return place_of(reading, 0)

"""Events and small actors for the tests of the core."""

from __future__ import annotations

import msgspec

from lpr.core.record import Record
from lpr.events import (
    CaptureTaken,
    Character,
    Delivered,
    Event,
    Exposure,
    FramesPassed,
    Micros,
    PassageDecided,
    PassageSigned,
    Picture,
    SourceStalled,
    TimerFired,
)

AT = 1_750_000_000_000_000


def delivered(number: int = 0) -> Delivered:
    return Delivered(sink="push", passage="p" * 36, record=number, attempt=1)


def passed(number: int, source: str = "camera") -> FramesPassed:
    return FramesPassed(source=source, at=AT + number, position=number)


def picture(name: str = "0", size: int = 1000) -> Picture:
    return Picture(blob=(name * 64)[:64], width=8, height=4, bytes=size)


def taken(number: int, shown: Picture, source: str = "camera") -> CaptureTaken:
    at = AT + number
    return CaptureTaken(
        capture=f"{source}@{at}",
        source=source,
        lane="",
        trigger="free-flow",
        reason="",
        at=at,
        position=number,
        exposures=(Exposure(at=at, position=number, picture=shown),),
    )


def decided(number: int = 0, plate: str = "ABC1D23", shown: Picture | None = None) -> PassageDecided:
    return PassageDecided(
        source="camera",
        lane="1",
        plate=plate,
        confidence=0.9,
        characters=tuple(Character(char=char, confidence=0.9) for char in plate),
        country="BR",
        layout="br-mercosul",
        at=AT + number,
        first_at=AT,
        last_at=AT + number,
        capture=f"camera@{AT}",
        exposure=0,
        picture=shown or picture(),
        box=(1.0, 2.0, 3.0, 4.0),
        corners=((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.0)),
        direction="approach",
        reads=1,
        votes=(),
    )


def signed(passage: str, shown: Picture | None = None) -> PassageSigned:
    return PassageSigned(
        passage=passage,
        plate="ABC1D23",
        at=AT,
        picture=shown or picture("a"),
        plate_picture=shown or picture("b"),
        key="",
    )


class Sums(msgspec.Struct, frozen=True):
    """``total`` of the positions seen, ``quiet_at``: deadline after the last of them."""

    total: int = 0
    inputs: int = 0
    quiet_at: Micros | None = None


class Adder:
    """A decider: adds up positions, says the sum at each multiple of ten, and when all is quiet for a second."""

    name = "adder"
    interests: tuple[type[Event], ...] = (FramesPassed,)
    state_type = Sums
    state_version = 1

    def __init__(self, quiet: Micros | None = None, every: int = 10) -> None:
        self.quiet = quiet
        self.every = every

    def initial(self) -> Sums:
        return Sums()

    def evolve(self, state: Sums, record: Record) -> Sums:
        event = record.event
        if isinstance(event, TimerFired):
            return msgspec.structs.replace(state, quiet_at=None)
        if not isinstance(event, FramesPassed):
            return state
        quiet_at = record.wall + self.quiet if self.quiet is not None else None
        return Sums(state.total + event.position, state.inputs + 1, quiet_at)

    def decide(self, state: Sums, record: Record) -> tuple[Event, ...]:
        if isinstance(record.event, TimerFired):
            return (SourceStalled(source=f"sum {state.total}", silent_s=1.0),)
        if state.inputs % self.every == 0:
            return (SourceStalled(source=f"sum {state.total}", silent_s=0.0),)
        return ()

    def due(self, state: Sums) -> Micros | None:
        return state.quiet_at

"""The engine's time-out, its seats, and what it reads together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

from lpr.actors.engine import EngineActor, SharedEngine
from lpr.actors.engine.shared import GivenUp, Ticket
from lpr.config import Camera, Config, Engine
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame, Slot
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.pipeline import Capture, End, ToEngine
from lpr.events import CaptureFailed, CaptureTaken, Character, Event, PlateRead, Reading

SECONDS = 20.0
"""Patience of a test; nothing waits so long when all is well."""

HANGS = 99
"""A picture with this grey level makes the engine hang."""


def reading(text: str) -> Reading:
    characters = tuple(Character(char=char, confidence=0.95) for char in text)
    box = (10.0, 10.0, 60.0, 25.0)
    corners = ((10.0, 10.0), (60.0, 10.0), (60.0, 25.0), (10.0, 25.0))
    return Reading(text=text, confidence=0.95, characters=characters, box=box, corners=corners, detection=0.9)


@dataclass
class Hanging:
    """Reads every picture as ``text``; at one of grey ``HANGS`` it waits for ``go``."""

    text: str = "ABC1D23"
    name: str = "hanging"
    go: threading.Event = field(default_factory=threading.Event)
    together: list[int] = field(default_factory=list[int])

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        if int(image[0, 0, 0]) == HANGS:
            self.go.wait(SECONDS)
        return (reading(self.text),)

    def read_all(self, images: Sequence[NDArray[np.uint8]]) -> tuple[tuple[Reading, ...], ...]:
        self.together.append(len(images))
        return tuple(self.read(image) for image in images)


def picture(grey: int) -> NDArray[np.uint8]:
    return np.full((60, 90, 3), grey, np.uint8)


def capture(number: int, *greys: int) -> Capture:
    """Captures 10 s apart, so that each shows another vehicle."""
    base = 1_700_000_000_000_000
    frames = tuple(
        Frame(source="camera", at=base + number * 10_000_000 + i * 1000, position=number * 10 + i, image=picture(grey))
        for i, grey in enumerate(greys)
    )
    return Capture(exposures=frames, origin=base, trigger="free-flow", reason="", still=True)


async def recorded(
    folder: Path, engine: SharedEngine, captures: Sequence[Capture], timeout: float
) -> tuple[list[Event], list[str]]:
    """What the actor appends for these captures, and the plates it read."""
    clock = SystemClock()
    config = Config(engine=Engine(timeout=timeout))
    slot = Slot[ToEngine](False)
    events: list[Event] = []
    async with EventLog.open(folder / "events.db", clock) as log, anyio.create_task_group() as tasks:

        async def emit(some: Sequence[Event]):
            events.extend(some)
            return await log.append(some, actor="test")

        view = LiveView("camera")
        blobs = BlobStore(folder / "blobs")
        actor = EngineActor(Camera(name="camera"), config, engine, slot, blobs, log, clock, view)
        tasks.start_soon(actor.run, emit)
        end = End()
        with anyio.fail_after(SECONDS):
            for each in captures:
                await slot.put(each)
            await slot.put(end)
            await end.done.wait()
        tasks.cancel_scope.cancel()
    return events, [event.reading.text for event in events if isinstance(event, PlateRead)]


@pytest.mark.anyio
@pytest.mark.parametrize("exposures", [1, 2])
async def test_a_picture_past_its_time_out_is_an_event_and_the_next_is_read(tmp_path: Path, exposures: int) -> None:
    first, second = Hanging("AAA1A11"), Hanging("BBB2B22")
    made = iter([second])
    engine = SharedEngine(first, SystemClock(), make=lambda: next(made))
    greys = [10] * (exposures - 1)
    captures = [capture(1, 10, *greys), capture(2, HANGS, *greys), capture(3, 20, *greys), capture(4, 30, *greys)]
    try:
        events, texts = await recorded(tmp_path, engine, captures, timeout=1.5)
    finally:
        first.go.set()
    failed = [event for event in events if isinstance(event, CaptureFailed)]
    assert [event.position for event in failed] == [20]
    assert "took longer than 1.5 s" in failed[0].reason
    assert set(texts) == {"AAA1A11", "BBB2B22"}  # the fresh engine read what came after
    taken = [event.position for event in events if isinstance(event, CaptureTaken)]
    assert 10 + exposures - 1 in taken and 30 + exposures - 1 in taken and 20 + exposures - 1 not in taken


@dataclass
class Failing:
    """Fails at every picture."""

    name: str = "failing"

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        raise ValueError(f"grey {int(image[0, 0, 0])}")


@pytest.mark.anyio
async def test_failures_within_the_pause_are_told_when_the_source_ends(tmp_path: Path) -> None:
    engine = SharedEngine(Failing(), SystemClock())
    events, _ = await recorded(tmp_path, engine, [capture(number, number) for number in range(1, 5)], timeout=20.0)
    failed = [event for event in events if isinstance(event, CaptureFailed)]
    assert [event.position for event in failed] == [10, 40]
    assert failed[0].reason == "the engine failed: ValueError: grey 1"
    assert failed[1].reason == "the engine failed: ValueError: grey 4 (3 captures since the last report)"


@pytest.mark.anyio
async def test_exposures_of_a_capture_are_read_together(tmp_path: Path) -> None:
    engine = Hanging()
    await recorded(tmp_path, SharedEngine(engine, SystemClock()), [capture(1, 10, 20, 30), capture(2, 10)], 30.0)
    assert engine.together == [3]


# --- seats ----------------------------------------------------------------------------------------------------


def reads(engine: SharedEngine, grey: int, out: list[object], ticket: Ticket) -> threading.Thread:
    def work() -> None:
        try:
            out.append(engine.read([picture(grey)], ticket)[0][0].text)
        except GivenUp:
            out.append(GivenUp)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_as_many_pictures_at_once_as_there_are_seats() -> None:
    first, second = Hanging("ONE1"), Hanging("TWO2")
    engine = SharedEngine(first, SystemClock(), make=lambda: second, seats=2)
    out: list[object] = []
    hanging = reads(engine, HANGS, out, Ticket())
    while_it_hangs = reads(engine, 10, out, Ticket())
    while_it_hangs.join(SECONDS)
    assert out == ["TWO2"]
    first.go.set()
    hanging.join(SECONDS)
    assert out == ["TWO2", "ONE1"]


def test_one_who_waits_for_a_hung_engine_gets_the_fresh_one() -> None:
    first, second = Hanging("ONE1"), Hanging("TWO2")
    engine = SharedEngine(first, SystemClock(), make=lambda: second)
    out: list[object] = []
    hung = Ticket()
    hanging = reads(engine, HANGS, out, hung)
    while hung.since is None:
        pass
    waiting = reads(engine, 10, out, Ticket())
    assert engine.give_up(hung)
    assert not engine.give_up(hung)
    waiting.join(SECONDS)
    assert out == ["TWO2"]
    first.go.set()
    hanging.join(SECONDS)
    assert out == ["TWO2", GivenUp]  # what it says later goes nowhere


def test_one_who_only_waits_can_be_given_up_without_another_engine() -> None:
    engine = SharedEngine(Hanging("ONE1"), SystemClock(), make=lambda: Hanging("TWO2"))
    out: list[object] = []
    busy, idle = Ticket(), Ticket()
    first = reads(engine, HANGS, out, busy)
    while busy.since is None:
        pass
    waiting = reads(engine, 10, out, idle)
    assert not engine.give_up(idle)
    waiting.join(SECONDS)
    assert out == [GivenUp]
    assert engine.give_up(busy)
    last = reads(engine, 10, out, Ticket())
    last.join(SECONDS)
    assert out == [GivenUp, "TWO2"]
    assert first.is_alive()


def test_an_engine_of_one_s_own_has_one_seat_and_is_asked_again() -> None:
    own = Hanging()
    engine = SharedEngine(own, SystemClock(), seats=4)
    assert engine.name == "hanging"
    hung = Ticket()
    out: list[object] = []
    reads(engine, HANGS, out, hung)
    while hung.since is None:
        pass
    engine.give_up(hung)
    reads(engine, 10, out, Ticket()).join(SECONDS)
    assert out == ["ABC1D23"]


def test_an_engine_that_fails_leaves_its_seat() -> None:
    class Broken(Hanging):
        def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
            raise RuntimeError("damaged")

    engine = SharedEngine(Broken(), SystemClock())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="damaged"):
            engine.read([picture(1)], Ticket())

"""The sensor in simulated time: pace, stalls, breaks, changes, reports. Nothing here really sleeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec
import numpy as np
import pytest
from trio.testing import MockClock

from lpr.actors.sensor import Sensor
from lpr.actors.sensor.resume import find_resume
from lpr.actors.sensor.sensor import backoff
from lpr.config import Camera
from lpr.core.actor import emitter
from lpr.core.clock import SECOND, SimulatedClock
from lpr.core.errors import LogUnavailable
from lpr.core.frames import Slot, SlotClosed
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.core.pipeline import End, Moment, ToTrigger
from lpr.core.record import Record
from lpr.events import (
    CaptureTaken,
    Event,
    FramesPassed,
    SourceChanged,
    SourceEnded,
    SourceLost,
    SourceOpened,
    SourceReported,
    SourceStalled,
)
from lpr.vision.sources import Kind, Opening, Reader, Shot, SourceError, Wanted
from tests.simulation.rig import Film

T = TypeVar("T")
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    """Simulated time: trio's."""
    return ("trio", {"clock": MockClock(autojump_threshold=0.0)})


class Live:
    """A live source: each script entry is a frame's size, "silence" or "end"."""

    def __init__(self, script: Sequence[tuple[int, int] | str], kind: Kind = "stream") -> None:
        self.opening = Opening(kind, "rtsp://camera/1", 64, 48, 10.0)
        self.script = list(script)
        self.position = 0

    def skip(self, count: int) -> int:
        return count

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        entry = self.script.pop(0) if self.script else "end"
        if isinstance(entry, str):
            return None
        self.position += 1
        image = np.zeros((entry[1], entry[0], 3), np.uint8) if wanted is None or wanted(-1) else None
        return Shot(self.position - 1, -1, image)

    def close(self) -> None:
        return


@dataclass
class Stage:
    """A sensor with a slot that is emptied, over a log in a temporary folder."""

    camera: Camera
    readers: list[Reader]
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    taken: list[Moment] = field(default_factory=list[Moment])
    recorded: list[Record] = field(default_factory=list[Record])

    async def offload(self, work: Callable[[], T], /) -> T:
        """Reading a frame takes a tenth of a second; "silence" takes for ever."""
        reader = self.readers[0] if self.readers else None
        if isinstance(reader, Live):
            if reader.script[:1] == ["silence"]:
                await anyio.sleep_forever()
            await anyio.sleep(0.1)
        return await inline(work)

    def open(self, _: Camera) -> Reader:
        if not self.readers:
            raise SourceError("rtsp://camera/1: camera:554 can't be reached; is the camera on?")
        return self.readers[0]

    async def run(self, folder: Path, seconds: float, fail: Callable[[int], bool] = lambda _: False) -> list[Event]:
        """What is recorded within so many seconds."""
        recorded = self.camera.source == "film.avi"
        slot = Slot[ToTrigger](lossy=not recorded)
        view = LiveView("gate")
        appends = 0
        async with EventLog.open(folder / "events.db", self.clock, offload=inline) as log:
            append = emitter(log, "sensor")

            async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
                nonlocal appends
                appends += 1
                if fail(appends):
                    raise LogUnavailable("disk full")
                records = await append(events)
                self.recorded += records
                for event in events:
                    if isinstance(event, SourceLost) and self.readers:
                        self.readers.pop(0)
                return records

            sensor = Sensor(self.camera, log, self.clock, slot, view, opener=self.open, offload=self.offload)
            with anyio.move_on_after(seconds):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self.empty, slot)
                    await sensor.run(emit)
                    tasks.cancel_scope.cancel()
        return [record.event for record in self.recorded]

    async def empty(self, slot: Slot[ToTrigger]) -> None:
        try:
            while True:
                item = await slot.get()
                if isinstance(item, End):
                    item.done.set()
                else:
                    self.taken.append(item)
        except SlotClosed:
            return


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def camera(**changes: object) -> Camera:
    """A camera of whose frames the trigger wants every one, unless ``changes`` say otherwise."""
    every = {"name": "gate", "source": "rtsp://camera/1", "trigger": {"rate": 60.0}}
    return msgspec.convert({**every, **changes}, Camera)


async def test_a_file_goes_at_its_own_pace_and_by_its_own_times(tmp_path: Path) -> None:
    stage = Stage(camera(source="film.avi"), [Film(50, 10.0)])
    begun = stage.clock.mono()
    events = await stage.run(tmp_path, 60.0)
    assert names(events) == ["SourceOpened", "SourceReported", "SourceEnded"]
    assert stage.clock.mono() - begun == pytest.approx(4.9 * SECOND, abs=0.01 * SECOND)
    opened, ended = events[0], events[-1]
    assert isinstance(opened, SourceOpened) and isinstance(ended, SourceEnded)
    assert [moment.frame.at - opened.base for moment in stage.taken] == [index * 100_000 for index in range(50)]
    assert (ended.frames, ended.at) == (50, opened.base + 4_900_000)


async def test_fast_takes_no_time(tmp_path: Path) -> None:
    stage = Stage(camera(source="film.avi", fast=True), [Film(50, 10.0)])
    begun = stage.clock.mono()
    await stage.run(tmp_path, 60.0)
    assert stage.clock.mono() == begun
    assert len(stage.taken) == 50


async def test_a_silent_camera_is_said_once_and_opened_again(tmp_path: Path) -> None:
    stage = Stage(camera(stall_after=5.0, retry_first=2.0), [Live([(64, 48)] * 3 + ["silence"]), Live([(64, 48)] * 30)])
    events = await stage.run(tmp_path, 19.0)
    assert names(events)[:4] == ["SourceOpened", "SourceStalled", "SourceLost", "SourceOpened"]
    stalled = next(event for event in events if isinstance(event, SourceStalled))
    assert stalled.silent_s == pytest.approx(5.0, abs=0.2)
    walls = {type(record.event).__name__: record.wall for record in reversed(stage.recorded)}
    assert walls["SourceLost"] - walls["SourceStalled"] == pytest.approx(10.0 * SECOND, abs=0.2 * SECOND)
    positions = [moment.frame.position for moment in stage.taken]
    assert positions == sorted(set(positions)), "positions go on over openings"


async def test_a_camera_that_is_off_is_tried_ever_more_seldom(tmp_path: Path) -> None:
    stage = Stage(camera(retry_first=1.0, retry_max=8.0), [])
    events = await stage.run(tmp_path, 60.0)
    lost = [event for event in events if isinstance(event, SourceLost)]
    assert [event.retry_in for event in lost][:6] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert len(lost) < 12
    assert "is the camera on" in lost[0].reason


async def test_another_size_is_said_at_a_bounded_rate_and_too_large_a_one_refused(tmp_path: Path) -> None:
    flapping: list[tuple[int, int] | str] = [(64, 48), (32, 24)] * 100
    events = await Stage(camera(), [Live(flapping)]).run(tmp_path, 19.0)
    assert 1 <= sum(isinstance(event, SourceChanged) for event in events) <= 3
    huge = Stage(camera(max_width=100, max_height=100), [Live([(64, 48), (500, 48)])])
    (tmp_path / "b").mkdir()
    events = await huge.run(tmp_path / "b", 5.0)
    lost = next(event for event in events if isinstance(event, SourceLost))
    assert "max_width" in lost.reason


async def test_figures_are_reported_now_and_then(tmp_path: Path) -> None:
    events = await Stage(camera(report_every=2.0), [Live([(64, 48)] * 100)]).run(tmp_path, 9.0)
    reports = [event for event in events if isinstance(event, SourceReported)]
    assert len(reports) == 4
    assert all(report.rate == pytest.approx(10.0, rel=0.1) for report in reports)


async def test_a_log_that_is_full_for_a_while_stops_nothing(tmp_path: Path) -> None:
    stage = Stage(camera(source="film.avi"), [Film(20, 10.0)])
    events = await stage.run(tmp_path, 60.0, fail=lambda count: count in (1, 2, 5))
    assert names(events) == ["SourceOpened", "SourceReported", "SourceEnded"]
    assert len(stage.taken) == 20


async def test_where_a_file_is_taken_up_again(tmp_path: Path) -> None:
    def opened(content: str, base: int, position: int = 0, source: str = "gate") -> SourceOpened:
        return SourceOpened(
            source=source, kind="file", address="a", width=1, height=1, rate=1, base=base, content=content,
            position=position,
        )  # fmt: skip

    def passed(position: int, source: str = "gate") -> FramesPassed:
        return FramesPassed(source=source, at=0, position=position)

    taken = CaptureTaken(
        capture="gate@1", source="gate", lane="", trigger="", reason="", at=1, position=12, exposures=()
    )
    async with EventLog.open(tmp_path / "events.db", SimulatedClock(), offload=inline) as log:

        async def resume(content: str) -> tuple[int, int, bool] | None:
            found = await find_resume(log, "gate", content)
            return None if found is None else (found.base, found.position, found.ended_at is not None)

        async def told(*events: Event) -> None:
            await log.append(events, actor="test")

        assert await resume("a") is None
        await told(opened("a", 100))
        assert await resume("a") == (100, 0, False)
        await told(passed(7), passed(99, "other"), opened("x", 5, source="other"))
        assert await resume("a") == (100, 8, False)
        await told(opened("a", 100, 8))
        assert await resume("a") == (100, 8, False), "nothing was looked at since"
        await told(taken)
        assert await resume("a") == (100, 13, False)
        await told(opened("b", 200), passed(55))
        assert await resume("b") == (200, 56, False)
        assert await resume("a") == (100, 13, False), "what another file did does not count"
        await told(SourceEnded(source="gate", content="b", frames=60, at=9))
        assert await resume("b") == (200, 0, True)


def test_backoff_doubles_up_to_its_bound() -> None:
    assert [backoff(attempt, 1.0, 60.0) for attempt in (1, 2, 3, 7, 1000)] == [1.0, 2.0, 4.0, 60.0, 60.0]

"""Captures that somebody asks for, through trigger and engine: recorded whatever they show, answered, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.lowlevel
import numpy as np
import pytest
from numpy.typing import NDArray

from lpr.actors.engine import EngineActor
from lpr.actors.trigger import TriggerActor
from lpr.config import Camera, Config, Trigger
from lpr.core.actor import emitter
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame, Slot
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.core.pipeline import Moment, ToEngine, ToTrigger, chain_name
from lpr.core.shutter import MAX_WAITING, Shot, Shutter, ShutterRefused
from lpr.events import CaptureTaken, Reading
from tests.actors.test_engine import reading

pytestmark = pytest.mark.anyio
BASE = 1_700_000_000_000_000


class Eyes:
    """Reads ABC1D23 on bright pictures and nothing on dark ones; fails on black ones."""

    name = "eyes"

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        grey = int(image[0, 0, 0])
        if grey == 0:
            raise ValueError("black")
        return (reading("ABC1D23"),) if grey > 100 else ()


class Chain:
    """Trigger and engine of a live camera, with the sensor in the test's hand."""

    def __init__(self, log: EventLog, folder: Path, kind: str = "free-flow") -> None:
        self.log = log
        self.view = LiveView("gate")
        self.shutter = Shutter(self.view)
        self.frames, captures = Slot[ToTrigger](True), Slot[ToEngine](True)
        settings = Trigger(kind="motion") if kind == "motion" else Trigger()
        camera = Camera(name="gate", source="rtsp://camera/1", trigger=settings)
        clock = SystemClock()
        self.stages = (
            TriggerActor(camera, self.frames, captures, self.view, shutter=self.shutter, offload=inline),
            EngineActor(camera, Config(), Eyes(), captures, BlobStore(folder), log, clock, self.view, offload=inline),
        )
        self.position = 0

    async def show(self, grey: int) -> None:
        """The sensor has a frame, a quarter of a second after the one before."""
        self.position += 1
        image = np.full((60, 90, 3), grey, np.uint8)
        await self.frames.put(Moment(Frame("gate", self.position, BASE + self.position * 250_000, image), BASE))

    async def ask(self, *greys: int, exposures: int = 1) -> Shot | str:
        """What ``fire`` gives while the frames of ``greys`` come, the last of them again and again."""
        result: list[Shot | str] = []

        async def fire() -> None:
            try:
                result.append(await self.shutter.fire("socket", "peer 1", exposures=exposures, timeout=20.0))
            except ShutterRefused as refused:
                result.append(str(refused))

        async with anyio.create_task_group() as tasks:
            for stage in self.stages:
                tasks.start_soon(stage.run, emitter(self.log, chain_name("gate")))
            tasks.start_soon(fire)
            await anyio.wait_all_tasks_blocked()
            rest: Sequence[int] = greys
            with anyio.fail_after(20):
                while not result:
                    await self.show(rest[0])
                    rest = rest[1:] or rest
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        return result[0]


async def captures(log: EventLog) -> list[CaptureTaken]:
    records = await log.read(0, types={CaptureTaken.__name__})
    return [record.event for record in records if isinstance(record.event, CaptureTaken)]


@pytest.mark.parametrize("kind", ["free-flow", "motion"])
async def test_a_capture_that_was_asked_for_is_recorded_even_when_nothing_is_there(tmp_path: Path, kind: str) -> None:
    async with EventLog.open(tmp_path / "log.db", SystemClock()) as log:
        shot = await Chain(log, tmp_path / "blobs", kind).ask(50)
        assert isinstance(shot, Shot)
        (taken,) = await captures(log)
        assert (taken.capture, taken.trigger, taken.exposures) == (shot.capture, "socket", shot.exposures)
        assert taken.reason.startswith("peer 1") and shot.readings == ()
        assert await BlobStore(tmp_path / "blobs").get(shot.exposures[0].picture.blob)


async def test_the_plates_of_every_exposure_are_answered(tmp_path: Path) -> None:
    async with EventLog.open(tmp_path / "log.db", SystemClock()) as log:
        shot = await Chain(log, tmp_path / "blobs").ask(200, 200, 50, 50, exposures=3)
        assert isinstance(shot, Shot) and len(shot.exposures) == 3
        assert {found.text for _, found in shot.readings} == {"ABC1D23"}


async def test_a_failing_engine_is_said(tmp_path: Path) -> None:
    async with EventLog.open(tmp_path / "log.db", SystemClock()) as log:
        answer = await Chain(log, tmp_path / "blobs").ask(0)
        assert isinstance(answer, str) and "the engine failed" in answer


async def test_a_camera_that_sees_nothing_refuses_at_once() -> None:
    view = LiveView("gate")
    view.update(state="lost")
    with pytest.raises(ShutterRefused, match="gate gives no pictures"):
        await Shutter(view).fire("socket", "")
    with pytest.raises(ShutterRefused, match="1 to 8"):
        await Shutter(LiveView("gate")).fire("socket", "", exposures=9)


async def test_a_stalled_camera_refuses_after_the_time_and_a_crowd_is_refused() -> None:
    shutter = Shutter(LiveView("gate"))
    with pytest.raises(ShutterRefused, match="no picture within"):
        await shutter.fire("socket", "", timeout=0.01)
    assert shutter.take() is None
    async with anyio.create_task_group() as tasks:

        async def fire() -> None:
            await shutter.fire("socket", "", timeout=60.0)

        for _ in range(MAX_WAITING):
            tasks.start_soon(fire)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ShutterRefused, match="are waiting already"):
            await shutter.fire("socket", "")
        tasks.cancel_scope.cancel()

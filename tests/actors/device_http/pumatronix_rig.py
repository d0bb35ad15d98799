"""Pumatronix's addresses over a camera that is made up: what the shutter asks for comes from here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import cv2
import numpy as np

from lpr.actors.device_http.pumatronix import Pictures, PumatronixCamera, PumatronixPart, Triggers
from lpr.config import DeviceHttp as DeviceSettings
from lpr.config import Pumatronix as Settings
from lpr.core.accounts import Level
from lpr.core.blobs import BlobStore, name_of
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.shutter import Shot, Shutter
from lpr.events import ApiCalled, CaptureTaken, Event, Exposure, Picture, PlateRead, Reading
from lpr.media.live import LiveRoom
from lpr.protocols.pumatronix import documents
from tests.actors.device_http.rig import ACCOUNTS, Rig, Users, serving

AT = 1_795_269_600_250_000
"""2026-11-21 14:00:00.25 UTC."""
SHOWN = documents.Settings(
    device="gate", serial="5f" * 16, release="0.1.0", utc_offset="-03:00", max_plates=16, threads=2, timeout=30.0,
    min_confidence=0.5, country_code=55, voting=True, max_different_characters=2, same_plate_interval=30.0,
    best_exposure_only=True, vehicles=False, vehicles_without_plate=False, makes=False, min_vehicle_score=0.6, lane="1",
    jpeg_quality=90, signing=True, motion=False, trigger_threshold=8.0, exposures=2, stream_rate=10.0,
    stream_quality=80,
)  # fmt: skip


class EveryUser(Users):
    """Machines and people."""

    async def check(self, name: str, password: str) -> Level | None:
        return ACCOUNTS.check(name, password) or await super().check(name, password)


def image(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Noise of its own: of JPEGs with little in them ffmpeg says that their end is missing."""
    return np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)


class FakeCamera:
    """``view`` shows a new frame now and then; ``run`` answers the shutter: each exposure a picture of its own, a plate
    on the first. ``broken``: captures are refused. ``blind``: no frames come."""

    def __init__(self, folder: Path, *, blind: bool = False) -> None:
        self.blind = blind
        self.view = LiveView("gate")
        self.view.update(state="running", rate=12.5)
        self.shutter = Shutter(self.view)
        self.blobs = BlobStore(folder / "blobs")
        self.broken = ""
        self.fired: list[tuple[str, str, int]] = []
        self.frames = 0

    async def run(self) -> None:
        while True:
            self.frames += 1
            if not self.blind:
                self.view.set_frame(Frame("gate", self.frames, AT + self.frames, image(self.frames % 20)))
            asked = self.shutter.take()
            if asked is not None and self.broken:
                asked.failed(self.broken)
            elif asked is not None:
                self.fired.append((asked.trigger, asked.reason, asked.exposures))
                asked.done(self.shot(asked.exposures))
            await anyio.sleep(0.01)

    def shot(self, count: int, name: str = f"gate@{AT}") -> Shot:
        """A capture with its pictures on the disk."""
        exposures: list[Exposure] = []
        for number in range(count):
            jpeg = cv2.imencode(".jpg", image(number + 1))[1].tobytes()
            self.blobs.store(jpeg)
            picture = Picture(blob=name_of(jpeg), width=64, height=48, bytes=len(jpeg))
            exposures.append(Exposure(at=AT + number * 40_000, position=number, picture=picture))
        corners = ((10.0, 20.0), (40.0, 20.0), (40.0, 30.0), (10.0, 30.0))
        reading = Reading(text="ABC1D23", confidence=0.9, characters=(), box=(10.0, 20.0, 40.0, 30.0), corners=corners)
        return Shot(name, AT, tuple(exposures), ((0, reading),))


def recorded(shot: Shot, source: str = "gate") -> list[Event]:
    """A capture as the engine appends it."""
    taken = CaptureTaken(
        capture=shot.capture, source=source, lane="1", trigger="motion", reason="level 12.5 over threshold 8",
        at=shot.at, position=0, exposures=shot.exposures,
    )  # fmt: skip
    reads = [
        PlateRead(
            capture=shot.capture, source=source, lane="1", at=shot.at, exposure=index, reading=reading, engine="e",
            elapsed_ms=1.0,
        )
        for index, reading in shot.readings
    ]  # fmt: skip
    return [taken, *reads]


@asynccontextmanager
async def pumatronix(
    folder: Path, settings: Settings | None = None, *, blind: bool = False, send_timeout: float = 20.0
) -> AsyncGenerator[tuple[Rig, FakeCamera], None]:
    """A device's HTTP server with Pumatronix's addresses, and its camera."""
    settings = settings or Settings()
    clock, camera = SystemClock(), FakeCamera(folder, blind=blind)
    live = LiveRoom({"gate": camera.view}, clock, width=640, rate=settings.stream_rate, quality=90)
    pictures = Pictures(
        PumatronixCamera(camera.view, camera.shutter, -180),
        live,
        camera.blobs,
        clock,
        exposures=settings.exposures,
        timeout=settings.snapshot_timeout,
        rate=settings.stream_rate,
    )
    logins = EveryUser()
    device = DeviceSettings(port=0, methods=("digest-sha256", "digest-md5", "basic"), send_timeout=send_timeout)
    async with EventLog.open(folder / "events.db", clock) as log, anyio.create_task_group() as tasks:
        triggers = Triggers(log, "gate", clients=settings.trigger_clients, queue=settings.trigger_queue)
        part = PumatronixPart(settings, SHOWN, pictures, triggers, logins=logins, clock=clock)
        async with serving(folder, [part], device, log=log, logins=logins) as rig:
            tasks.start_soon(camera.run)
            yield rig, camera
            tasks.cancel_scope.cancel()


async def began(rig: Rig) -> None:
    """Until a call of trigger.cgi is in the audit trail: the client has its place by then."""
    while True:
        head = rig.log.head
        told = [record.event for record in await rig.log.read(0, types=(ApiCalled.__name__,))]
        if any(isinstance(one, ApiCalled) and one.path == "/api/trigger.cgi" for one in told):
            return
        await rig.log.wait(head)

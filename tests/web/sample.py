"""A data folder full of passages for the web's tests, and a server over it to look at: ``python -m tests.web.sample``.

The pictures are frames of the demo street, the plates those that truly stand in them; the reliabilities are made up.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import anyio.lowlevel
import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr import config as settings
from lpr.actors.catalogue import Catalogue
from lpr.core import search
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView, SourceStatus
from lpr.core.log import EventLog
from lpr.events import (
    Box,
    CaptureTaken,
    Character,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    Event,
    Exposure,
    PassageDecided,
    PassageSigned,
    Picture,
    PlateRead,
    Reading,
    ServerListening,
    ServiceStarted,
    SourceOpened,
    Vote,
)
from lpr.scene.street import Street, Truth
from lpr.web.context import WebContext
from lpr.web.credentials import Cost
from lpr.web.server import WebServer
from lpr.web.status import (
    ActorStatus,
    ClientStatus,
    LogStatus,
    ServerStatus,
    ServiceStatus,
    SinkStatus,
    Trouble,
)
from lpr.web.users import UserStore

BASE = 1_760_000_000_000_000
"""Time of the first sample passage, µs: 2025-10-09 08:53:20 UTC."""
STEP = 47_000_000
CHEAP = Cost(n=1024, r=8, p=1)
ADMIN, OPERATOR, SECRET = "admin", "maria", "correct horse battery"
KEY = "5f" * 32


@dataclass(frozen=True)
class Shot:
    """One vehicle in one frame of the street."""

    jpeg: bytes
    plate_jpeg: bytes
    truth: Truth
    image: NDArray[np.uint8]


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _straight(image: NDArray[np.uint8], truth: Truth) -> NDArray[np.uint8]:
    width, height = (200, 170) if "moto" in truth.layout else (300, 100)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array(truth.corners, np.float32), target)
    return np.asarray(cv2.warpPerspective(image, matrix, (width, height)), np.uint8)


@lru_cache(maxsize=4)
def shots(count: int, width: int = 1280, height: int = 720) -> tuple[Shot, ...]:
    """``count`` different vehicles of the street, each where its plate can be read."""
    street = Street(seed=4, width=width, height=height)
    found: dict[int, Shot] = {}
    for index in itertools.count(0, 5):
        for truth in street.vehicles_at(index):
            if truth.visible == 1.0 and truth.width > width / 14 and truth.key not in found:
                image = street.frame(index)
                found[truth.key] = Shot(_jpeg(image), _jpeg(_straight(image, truth)), truth, image)
                if len(found) == count:
                    return tuple(found.values())
    raise AssertionError("unreachable")


def characters(text: str, number: int) -> tuple[Character, ...]:
    """Made-up reliabilities, the same for the same ``number``."""
    rng = np.random.default_rng(number)
    weak = int(rng.integers(len(text))) if number % 3 == 0 else -1
    look_alike = {"0": "O", "O": "0", "8": "B", "B": "8", "1": "I", "I": "1", "5": "S", "S": "5", "2": "Z", "Z": "2"}
    made: list[Character] = []
    for index, char in enumerate(text):
        sure = float(rng.uniform(0.52, 0.86)) if index == weak else float(rng.uniform(0.93, 0.999))
        others = ((look_alike.get(char, "Q"), round((1 - sure) * 0.8, 4)),) if index == weak else ()
        made.append(Character(char=char, confidence=round(sure, 4), others=others))
    return tuple(made)


def box_of(corners: tuple[tuple[float, float], ...]) -> Box:
    """The box round four corners."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return (min(xs), min(ys), max(xs), max(ys))


def reading_of(truth: Truth, number: int, text: str | None = None) -> Reading:
    """A reading of a vehicle."""
    read = characters(truth.plate if text is None else text, number)
    return Reading(
        text="".join(one.char for one in read),
        confidence=min(one.confidence for one in read),
        characters=read,
        box=box_of(truth.corners),
        corners=truth.corners,
        detection=0.97,
        country=truth.country,
        layout=truth.layout,
        rows=2 if "moto" in truth.layout else 1,
        sharpness=412.5,
    )


async def add_passage(log: EventLog, blobs: BlobStore, shot: Shot, number: int, camera: str = "gate") -> str:
    """One passage with all its events; returns its id. Every seventh has trouble with its deliveries."""
    at = BASE + number * STEP
    height, width = shot.image.shape[:2]
    full = await blobs.put(shot.jpeg)
    picture = Picture(blob=full, width=width, height=height, bytes=len(shot.jpeg))
    truth = shot.truth
    voted: list[Vote] = []
    cause = 0
    for turn in range(3):
        capture = f"{camera}@{at + turn * 125_000}"
        wrong = truth.plate[:-1] + ("8" if truth.plate[-1] != "8" else "B") if turn == 2 else None
        reading = reading_of(truth, number * 10 + turn * 3 + 1, wrong)
        taken = await log.append(
            (
                CaptureTaken(
                    capture=capture,
                    source=camera,
                    lane=str(truth.lane),
                    trigger="motion",
                    reason=f"level {14.2 + turn:.1f} over threshold 8.0",
                    at=at + turn * 125_000,
                    position=number * 700 + turn * 2,
                    exposures=(Exposure(at=at + turn * 125_000, position=number * 700 + turn * 2, picture=picture),),
                ),
                PlateRead(
                    capture=capture,
                    source=camera,
                    lane=str(truth.lane),
                    at=at + turn * 125_000,
                    exposure=0,
                    reading=reading,
                    engine="lpr-2026.1",
                    elapsed_ms=41.3,
                ),
            ),
            actor=f"engine.{camera}",
        )
        cause = taken[-1].seq
        voted.append(
            Vote(
                capture=capture, exposure=0, text=reading.text, confidence=reading.confidence, weight=0.91 - turn * 0.2
            )
        )
    final = characters(truth.plate, number)
    decided = PassageDecided(
        source=camera,
        lane=str(truth.lane),
        plate=truth.plate,
        confidence=min(one.confidence for one in final),
        characters=final,
        country=truth.country,
        layout=truth.layout,
        at=at,
        first_at=at - 800_000,
        last_at=at + 1_400_000,
        capture=voted[0].capture,
        exposure=0,
        picture=picture,
        box=box_of(truth.corners),
        corners=truth.corners,
        direction=truth.direction,
        reads=len(voted),
        votes=tuple(voted),
        vehicle=truth.vehicle,
        vehicle_colour="blue",
        trigger="motion",
    )
    (passage,) = await log.append((decided,), actor="voter", cause=cause)
    plate_blob = await blobs.put(shot.plate_jpeg)
    crop = Picture(blob=plate_blob, width=300, height=100, bytes=len(shot.plate_jpeg))
    (signed,) = await log.append(
        (PassageSigned(passage=passage.id, plate=truth.plate, at=at, picture=picture, plate_picture=crop, key=KEY),),
        actor="signer",
        cause=passage.seq,
    )
    sent: list[Event] = [
        Delivered(sink="city", passage=passage.id, record=signed.seq, attempt=1, answer="HTTP 200"),
    ]
    if number % 7 == 6:
        failed = DeliveryFailed(
            sink="parking",
            passage=passage.id,
            record=signed.seq,
            attempt=1,
            reason="connection refused",
            retry_at=at + 9_000_000,
        )
        parked = DeliveryParked(
            sink="parking", passage=passage.id, record=signed.seq, attempt=2, reason="HTTP 422: unknown camera"
        )
        sent += [failed, parked]
    await log.append(sent, actor="push", cause=signed.seq)
    return passage.id


class Site:
    """A data folder with users, passages and one or two cameras."""

    def __init__(
        self, log: EventLog, blobs: BlobStore, users: UserStore, config: settings.Config, folder: Path
    ) -> None:
        self.log, self.blobs, self.users, self.config, self.folder = log, blobs, users, config, folder
        self.views = {camera.name: LiveView(camera.name) for camera in config.cameras}
        self.ids: list[str] = []
        self.troubles: tuple[Trouble, ...] = ()
        self.hints: tuple[Trouble, ...] = ()
        self.picture_bytes: int | None = 1_870_000_000
        self.clock = SystemClock()

    @property
    def context(self) -> WebContext:
        """What the web room is given."""
        return WebContext(
            log=self.log,
            blobs=self.blobs,
            clock=self.clock,
            config=self.config,
            users=self.users,
            views=self.views,
            status=self.status,
            catalogue=self.folder / search.FILE_NAME,
        )

    async def status(self) -> ServiceStatus:
        """A made-up status."""
        now = self.clock.wall()
        return ServiceStatus(
            release="0.1.0",
            device=self.config.device,
            started=now - 93_600_000_000,
            now=now,
            log=LogStatus(
                log_id=self.log.log_id,
                head=self.log.head,
                log_bytes=18_400_000,
                picture_bytes=self.picture_bytes,
                free_bytes=41_300_000_000,
            ),
            troubles=self.troubles,
            hints=self.hints,
            sources=tuple(view.status for view in self.views.values()),
            actors=(
                ActorStatus(name="voter", state="running", cursor=self.log.head, failures=0),
                ActorStatus(name="signer", state="running", cursor=self.log.head - 2, behind=2),
                ActorStatus(name="catalogue", state="failed", failures=1, detail="disk is full", behind=120),
            ),
            sinks=(
                SinkStatus(name="city", state="running", delivered=1204, last_delivery=now - 4_000_000),
                SinkStatus(
                    name="parking",
                    state="waiting",
                    delivered=1100,
                    waiting=12,
                    parked=3,
                    last_error="connection refused",
                    retry_at=now + 30_000_000,
                ),
            ),
            servers=(
                ServerStatus(name="web", state="running", address="127.0.0.1:8080", clients=2),
                ServerStatus(name="milesight", state="running", address="127.0.0.1:5000", clients=1),
            ),
            clients=(ClientStatus(server="milesight", client="admin@192.0.2.7", since=now - 500_000_000, upto=900),),
        )

    async def fill(self, passages: int, pictures: int = 3) -> None:
        """Add passages and build the search table."""
        first = len(self.ids)
        for number in range(first, first + passages):
            shot = shots(pictures)[number % pictures]
            self.ids.append(await add_passage(self.log, self.blobs, shot, number, self.config.cameras[0].name))
        self.index()
        await self.reindex()

    def index(self) -> None:
        """Give the live view of each camera a picture."""
        for name, view in self.views.items():
            shot = shots(3)[0]
            frame = Frame(source=name, position=1, at=BASE, image=shot.image)
            view.set_frame(frame)
            view.set_readings(frame, (reading_of(shot.truth, 1),))
            height, width = shot.image.shape[:2]
            view.status = SourceStatus(
                source=name,
                kind="demo",
                state="running",
                width=width,
                height=height,
                rate=14.9,
                frames=81_212,
                dropped=17,
                readings=5_120,
                at=BASE,
            )

    async def reindex(self) -> None:
        """Bring the search table to the log's head."""
        catalogue = Catalogue(self.folder / search.FILE_NAME)
        self.log.positions.pop(catalogue.name, None)
        task = asyncio.create_task(catalogue.run(self.log))
        while self.log.positions.get(catalogue.name, 0) < self.log.head and not task.done():
            await anyio.lowlevel.checkpoint()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


DEFAULT = settings.Config(
    device="Ponte Norte",
    cameras=(settings.Camera(name="gate", lane="1"),),
    web=settings.Web(port=0),
    sign=settings.Sign(utc_offset="-03:00"),
)


@asynccontextmanager
async def open_site(
    folder: Path, config: settings.Config = DEFAULT, *, temporary: bool = False
) -> AsyncGenerator[Site]:
    """An open data folder with an administrator and an operator (passwords: ``SECRET``)."""
    clock = SystemClock()
    async with EventLog.open(folder / "events.db", clock) as log:
        users = UserStore(log, clock, folder / "credentials.json", cost=CHEAP)
        await users.load()
        if not users.list():
            await log.append(
                (
                    ServiceStarted(release="0.1.0", config="00" * 32, pid=1),
                    ServerListening(server="web", address="127.0.0.1:8080"),
                    SourceOpened(
                        source="gate", kind="demo", address="demo", width=1280, height=720, rate=15.0, base=BASE
                    ),
                ),
                actor="service",
            )
            await users.add(ADMIN, "administrator", SECRET, by="test", temporary=temporary)
            await users.add(OPERATOR, "operator", SECRET, by="test", temporary=False)
        yield Site(log, BlobStore(folder / "blobs"), users, config, folder)


def street_frames(camera: str) -> Iterator[tuple[Frame, tuple[Reading, ...]]]:
    """The street for ever."""
    street = Street(seed=4, width=1280, height=720)
    for index in itertools.count():
        frame = Frame(source=camera, position=index, at=BASE + index * 66_667, image=street.frame(index))
        seen = [truth for truth in street.vehicles_at(index) if truth.visible > 0.9 and truth.width > 15]
        yield frame, tuple(reading_of(truth, truth.key % 100) for truth in seen)


async def main() -> None:
    """Serve a fresh sample until interrupted; a new passage arrives now and then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--passages", type=int, default=60)
    parser.add_argument("--arrive", type=float, default=6.0, help="seconds between new passages, 0: none")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    config = msgspec.structs.replace(DEFAULT, web=settings.Web(port=options.port))
    async with open_site(options.folder, config) as site:
        await site.fill(options.passages, pictures=14)
        server = WebServer(site.context)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run())
            await server.listening.wait()
            print(f"{server.url} – log in as {ADMIN} or {OPERATOR}, password: {SECRET}", flush=True)
            frames = street_frames("gate")
            for turn in itertools.count(1):
                frame, readings = await asyncio.to_thread(next, frames)
                site.views["gate"].set_frame(frame)
                site.views["gate"].set_readings(frame, readings)
                if options.arrive and turn % max(1, round(options.arrive / 0.3)) == 0:
                    await site.fill(1, pictures=14)
                await asyncio.sleep(0.3)


if __name__ == "__main__":
    asyncio.run(main())

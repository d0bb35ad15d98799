"""A service in this process over a film of numbered frames, with an engine that knows what stands on each number.

So that faults of the whole service can be tried quickly, without models, and with an answer known beforehand: vehicle
``n`` is in view for ``SEEN`` frames from frame ``n * PERIOD`` on and bears ``plate_of(n)``.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr import service as wiring
from lpr.config import Config
from lpr.core.blobs import BlobStore
from lpr.core.chain import verify
from lpr.core.clock import Clock, SystemClock
from lpr.core.log import EventLog, LogReader
from lpr.core.record import Link
from lpr.events import Character, PassageDecided, PassageSigned, Reading, SourceOpened
from lpr.service import Service

RATE = 10.0
PERIOD, SEEN = 30, 10
"""Frames from one vehicle to the next, and those that it is in view."""

WIDTH, HEIGHT = 320, 192
BLOCK = 8
BITS = 16

PATIENCE = 60.0
"""Seconds until a test gives up waiting: only a bound, never a measure."""


def drawn(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A frame (height, width, 3) that shows its number as black and white blocks, in fractions of its size."""
    image = np.full((height, width, 3), 90, np.uint8)
    side = width / (WIDTH / BLOCK)
    for bit in range(BITS):
        left, right = round(bit * side), round((bit + 1) * side)
        image[: round(2 * side), left:right] = 255 if number >> bit & 1 else 0
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    """The number that ``drawn`` put in, also after a change of size."""
    side = image.shape[1] / (WIDTH / BLOCK)
    row = image[round(0.5 * side), :, 0]
    return sum(1 << bit for bit in range(BITS) if row[round((bit + 0.5) * side)] > 127)


def plate_of(vehicle: int) -> str:
    """Plates that no vote takes for each other."""
    letter = chr(65 + vehicle % 26)
    return f"{letter * 3}{vehicle % 10}{letter}{vehicle % 10}{vehicle % 10}"


def plates(count: int) -> list[str]:
    """The plates of the first ``count`` vehicles."""
    return [plate_of(vehicle) for vehicle in range(count)]


class NumberEngine:
    """Reads numbered frames. With ``pause_at`` the first frame from that number on waits for ``go``."""

    name = "numbers"

    def __init__(self, pause_at: int | None = None) -> None:
        self.pause_at = pause_at
        self.paused = threading.Event()
        self.go = threading.Event()

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        """See ``lpr.vision.engine.Engine``."""
        number = number_of(image)
        if self.pause_at is not None and number >= self.pause_at and not self.go.is_set():
            self.paused.set()
            self.go.wait(PATIENCE)
        vehicle, phase = divmod(number, PERIOD)
        if phase >= SEEN:
            return ()
        scale = image.shape[1] / WIDTH
        x, y = (60 + 12 * phase) * scale, (60 + 8 * phase) * scale
        box = (x, y, x + 64 * scale, y + 16 * scale)
        corners = ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
        characters = tuple(Character(char=char, confidence=0.95) for char in plate_of(vehicle))
        text = plate_of(vehicle)
        return (Reading(text=text, confidence=0.95, characters=characters, box=box, corners=corners, sharpness=300.0),)


def write_film(path: Path, frames: int, rate: float = RATE) -> Path:
    """A Motion JPEG film of the frames 0 to ``frames`` - 1."""
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (WIDTH, HEIGHT))
    assert film.isOpened()
    for number in range(frames):
        film.write(drawn(number))
    film.release()
    return path


def config(root: Path, source: Path | str, camera: dict[str, Any] | None = None, **sections: Any) -> Config:
    """A service without a web server; ``camera``: keys of its camera; ``sections``: of the whole."""
    whole: dict[str, Any] = {
        "data": str(root / "data"),
        "cameras": [{"name": "gate", "source": str(source), "fast": True, "retry_first": 0.05, **(camera or {})}],
        "web": {"enabled": False},
        "sign": {"key_bits": 1024},
        "log": {"busy_timeout": 0.1, "min_free_mb": 0},
    }
    return msgspec.convert({**whole, **sections}, Config)


@asynccontextmanager
async def opened(
    settings: Config, engine: NumberEngine | None = None, clock: Clock | None = None
) -> AsyncGenerator[Service]:
    """A running service. An engine that still pauses is let go at the end."""
    engine = engine or NumberEngine()
    with anyio.fail_after(PATIENCE):
        async with wiring.open(settings, engine=engine, clock=clock) as service:
            try:
                yield service
            finally:
                engine.go.set()


async def run(settings: Config, engine: NumberEngine | None = None, clock: Clock | None = None) -> None:
    """Until its source has ended and everything is dealt with."""
    async with opened(settings, engine, clock) as service:
        await service.settled()


async def until(condition: Callable[[], bool]) -> None:
    """Look until it is so; the bound of ``opened`` ends the wait."""
    while True:
        if condition():
            return
        await anyio.sleep(0.02)


async def problem(service: Service, *words: str) -> str:
    """The first problem on the status page with all these words, as soon as there is one."""
    while True:
        for told in (await service.status()).problems:
            if all(word in told for word in words):
                return told
        await anyio.sleep(0.02)


async def no_problem(service: Service) -> None:
    """As soon as the status page has none."""
    while True:
        if not (await service.status()).problems:
            return
        await anyio.sleep(0.02)


async def logged(log: EventLog, kind: str, count: int = 1) -> list[Link]:
    """The events of one type in a log, as soon as there are ``count``."""
    while True:
        head = log.head
        found = await log.read(0, types=(kind,), limit=5000)
        if len(found) >= count:
            return found
        await log.wait(head)


async def records(root: Path, *kinds: str) -> list[Link]:
    """What a data folder's log holds of these types, in order."""
    found: list[Link] = []
    async with LogReader.open(root / "data" / "events.db", SystemClock()) as log:
        while page := await log.read(found[-1].seq if found else 0, types=kinds or None, limit=5000):
            found += page
    return found


async def decided(root: Path) -> list[PassageDecided]:
    """Every passage, in order."""
    events = [record.event for record in await records(root, "PassageDecided")]
    return [event for event in events if isinstance(event, PassageDecided)]


async def read_plates(root: Path) -> list[str]:
    """The plates of every passage, in order."""
    return [event.plate for event in await decided(root)]


async def relative(root: Path) -> list[tuple[str, int, int, int]]:
    """(plate, first, best and last time) of every passage, µs after the film's begin."""
    (opening,) = {r.event.base for r in await records(root, "SourceOpened") if isinstance(r.event, SourceOpened)}
    return [(e.plate, e.first_at - opening, e.at - opening, e.last_at - opening) for e in await decided(root)]


async def check(root: Path, *, all_signed: bool = True) -> None:
    """The chain is whole, passages are signed once, and their pictures are there; ``all_signed``: each of them is."""
    async with LogReader.open(root / "data" / "events.db", SystemClock()) as log:
        report = await verify(log)
    assert report.ok, report.problems
    blobs = BlobStore(root / "data" / "blobs")
    signed = [record.event for record in await records(root, "PassageSigned")]
    passages = {record.id for record in await records(root, "PassageDecided")}
    # A damaged log may have lost a decision and kept its signature: the passage was then decided and signed anew.
    done = [event.passage for event in signed if isinstance(event, PassageSigned) and event.passage in passages]
    assert len(done) == len(set(done)), "no passage is signed twice"
    assert len(done) == len(passages) or not all_signed
    for event in signed:
        assert isinstance(event, PassageSigned)
        assert len(await blobs.get(event.picture.blob)) == event.picture.bytes
        assert len(await blobs.get(event.plate_picture.blob)) == event.plate_picture.bytes

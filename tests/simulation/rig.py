"""A camera's chain and the voter over a real log, with frames that carry their index in pixels and an engine that
reads them: the whole way from a source to passages, without a model. Runs on both event loops."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import anyio
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.actors.engine import EngineActor
from lpr.actors.sensor import Sensor
from lpr.actors.trigger import TriggerActor
from lpr.actors.voter import Voter
from lpr.config import Camera, Config
from lpr.core.actor import run_decider
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock, SystemClock
from lpr.core.frames import Slot
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.core.pipeline import Chain, Emit, Stage, ToEngine, ToTrigger, chain_name
from lpr.core.record import Record
from lpr.events import Event, Reading
from lpr.vision.sources import Kind, Opening, Reader, Shot, Wanted
from tests.plates.drives import Car, looks

BLOCK = 4
BITS = 20
UNLIKE = ("capture", "elapsed_ms")
"""Fields in which two runs of one film differ: the name holds the time, the engine takes its own."""


def drawn(index: int, width: int = 160, height: int = 96) -> NDArray[np.uint8]:
    """A frame that shows its number as a row of black and white blocks, robust against JPEG and video."""
    image = np.full((height, width, 3), 90, np.uint8)
    for bit in range(BITS):
        image[0 : 2 * BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 if index >> bit & 1 else 0
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    """The number that ``drawn`` put in."""
    row = image[0 : 2 * BLOCK, : BITS * BLOCK].mean(axis=(0, 2)).reshape(BITS, BLOCK).mean(axis=1)
    return sum(1 << bit for bit in range(BITS) if row[bit] > 127)


class Film:
    """A source of numbered frames. ``fails``: positions at which an opening breaks off (once each)."""

    def __init__(self, frames: int, rate: float, kind: Kind = "file", content: str = "c0") -> None:
        self.opening = Opening(kind, "film.avi", 160, 96, rate, content, frames if kind == "file" else 0)
        self.frames = frames
        self._position = 0

    def skip(self, count: int) -> int:
        done = min(count, self.frames - self._position)
        self._position += done
        return done

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        if self._position >= self.frames:
            return None
        position = self._position
        self._position += 1
        offset = round(position * 1e6 / self.opening.rate)
        return Shot(position, offset, drawn(position) if wanted is None or wanted(offset) else None)

    def close(self) -> None:
        return


class TableEngine:
    """Knows what is on each numbered frame."""

    name = "table"

    def __init__(self, cars: Sequence[Car], seconds: float, rate: float, seed: int = 0) -> None:
        self.table = {index: readings for _, index, readings in looks(cars, seconds, rate, seed)}
        self.asked: list[int] = []

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        number = number_of(image)
        self.asked.append(number)
        return self.table.get(number, ())


class Killed(Exception):
    """The process is gone."""


@dataclass
class Rig:
    """A data folder and a camera over it."""

    root: Path
    camera: Camera
    engine: TableEngine
    opener: Callable[[Camera], Reader]
    config: Config = field(default_factory=Config)
    clock: Clock = field(default_factory=SystemClock)

    def chain(self, log: EventLog, view: LiveView | None = None) -> Chain:
        """Sensor, trigger and engine as the service wires them."""
        view = view or LiveView(self.camera.name)
        blobs = BlobStore(self.root / "blobs", inline)

        def build() -> Sequence[Stage]:
            lossy = not Sensor.is_recorded(self.camera.source)
            frames, captures = Slot[ToTrigger](lossy), Slot[ToEngine](lossy)
            return (
                Sensor(self.camera, log, self.clock, frames, view, opener=self.opener, offload=inline),
                TriggerActor(self.camera, frames, captures, view, offload=inline),
                EngineActor(
                    self.camera, self.config, self.engine, captures, blobs, log, self.clock, view, offload=inline
                ),
            )

        return Chain(chain_name(self.camera.name), build)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[EventLog]:
        async with EventLog.open(self.root / "events.db", self.clock, offload=inline) as log:
            yield log

    async def run(self, kill_at: int | None = None, after: bool = True) -> bool:
        """Run until the source has ended (True), or until the append number ``kill_at`` (False).

        ``after``: the kill comes right behind that append, else right before it.
        """
        alive = True
        try:
            async with self.opened() as log, anyio.create_task_group() as tasks:
                tasks.start_soon(run_decider, Voter(self.config.vote), log, self.clock)
                await self.chain(log).run(mortal(log, kill_at, after))
                await settled(log)
                tasks.cancel_scope.cancel()
        except* Killed:
            alive = False
        return alive

    async def events(self, *types: type[Event]) -> list[Event]:
        """What the log holds of these types, in order."""
        names = frozenset(each.__name__ for each in types) or None
        async with self.opened() as log:
            found: list[Record] = []
            while page := await log.read(found[-1].seq if found else 0, types=names):
                found += page
        return [record.event for record in found]


def mortal(log: EventLog, kill_at: int | None, after: bool) -> Emit:
    """Append until the moment of the kill."""
    count = 0

    async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
        nonlocal count
        count += 1
        if kill_at is not None and count >= kill_at and not after:
            raise Killed
        records = await log.append(events, actor=chain_name("gate"))
        if kill_at is not None and count >= kill_at:
            raise Killed
        return records

    return emit


async def settled(log: EventLog) -> None:
    """Wait until the voter has seen everything."""
    while log.positions.get("voter", 0) < log.head:
        await anyio.lowlevel.checkpoint()


def comparable(events: Sequence[Event], base: int) -> list[object]:
    """Events with times counted from the film's beginning, so that two runs can be compared."""
    told: list[object] = []
    for event in events:
        raw = msgspec.to_builtins(event)
        told.append(_shifted(raw, base))
    return told


def _shifted(value: object, base: int) -> object:
    if isinstance(value, dict):
        times = ("at", "first_at", "last_at")
        kept = {key: each for key, each in cast("dict[str, object]", value).items() if key not in UNLIKE}
        return {
            key: each - base if key in times and isinstance(each, int) else _shifted(each, base)
            for key, each in kept.items()
        }
    if isinstance(value, list | tuple):
        return [_shifted(each, base) for each in cast("Sequence[object]", value)]
    return value

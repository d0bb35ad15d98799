"""The engine's actor: looks at captures, and records those that say something new.

Rules
- The engine reads in a worker thread; the cameras share its seats (``shared``). All captures that wait go there in one
  call (``looking``); of a live source that is one.
- What is recorded decides ``lpr.plates.gate``. Pictures are durable before the events that name them; a capture and
  its readings are one append, so a kill leaves all of them or none.
- An engine that fails or takes too long costs that capture (CaptureFailed, at a bounded rate; what was not told by the
  end of a source is told then), not the service: one that hangs is left to its thread and replaced. When
  pictures or events can't be written it waits and tries again; a file then waits too, a camera drops frames and counts.
- When the source has ended, and everything before is recorded, it says so to the sensor.

May import ``lpr.events``, ``lpr.config``, ``lpr.core``, ``lpr.vision`` and ``lpr.plates``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio
import msgspec

from lpr.actors.engine.looking import Item, Looked, Looker, Mind
from lpr.actors.engine.memory import baseline_of, recover
from lpr.actors.engine.shared import SharedEngine, Ticket
from lpr.config import Camera, Config
from lpr.core.blobs import BlobStore, BlobUnavailableError
from lpr.core.clock import SECOND, Clock
from lpr.core.errors import LogUnavailable
from lpr.core.frames import Frame, Slot, SlotClosed
from lpr.core.live import LiveView
from lpr.core.offload import Abandoning, Offload
from lpr.core.pipeline import Capture, Emit, End, ToEngine, chain_name
from lpr.core.reader import Readable
from lpr.core.shutter import Shot
from lpr.events import CaptureFailed, CaptureTaken, Event, Micros, PlateRead
from lpr.plates.gate import GateRules
from lpr.plates.voting import Rules
from lpr.vision.engine import Engine
from lpr.vision.vehicle import VehicleReader

T = TypeVar("T")

FAILED_PAUSE = 10 * SECOND
"""Between two CaptureFailed at least, µs; those between are counted."""

FIRST_RETRY, LONGEST_RETRY = 0.5, 10.0
"""Seconds between two tries while pictures or events can't be written."""

BASELINE_EVERY = 500
"""Recorded captures between two Baselines of the gate's memory."""


class EngineActor:
    """The engine of one camera. ``engine``: what reads; ``captures``: what is to be looked at.

    ``offload``: where it reads (tests have their own); by default a thread that is given up when a picture takes
    longer than ``engine.timeout``.
    """

    def __init__(
        self,
        camera: Camera,
        config: Config,
        engine: Engine | SharedEngine,
        captures: Slot[ToEngine],
        blobs: BlobStore,
        log: Readable,
        clock: Clock,
        view: LiveView,
        *,
        gate: GateRules | None = None,
        vehicles: VehicleReader | None = None,
        offload: Offload | None = None,
    ) -> None:
        self.name = f"engine:{camera.name}"
        self._camera = camera
        self._min_free = config.log.min_free_mb * 1_000_000
        self._rules = msgspec.convert(msgspec.to_builtins(config.vote), Rules)
        self._gate = gate or GateRules()
        self._captures = captures
        self._blobs = blobs
        self._log = log
        self._clock = clock
        self._view = view
        self._offload = offload or Abandoning()
        self._engine = engine if isinstance(engine, SharedEngine) else SharedEngine(engine, clock)
        self._timeout = config.engine.timeout
        self._looker = Looker(camera, config, self._engine, blobs, clock, self._rules, self._gate, vehicles)
        self._mind = Mind()
        self._recorded = 0
        self._failures = 0
        self._failed_at: Micros | None = None
        self._untold: CaptureFailed | None = None

    async def run(self, emit: Emit) -> None:
        """Until the captures end, or cancelled."""
        fold = await recover(chain_name(self._camera.name), self._camera.name, self._log, self._rules, self._gate)
        self._mind = Mind(memory=fold.memory)
        try:
            while True:
                items: list[Item] = []
                for item in await self._captures.get_all():
                    if isinstance(item, End):
                        await self._look(items, emit)
                        items = []
                        await self._tell(emit)
                        item.done.set()
                    else:
                        if isinstance(item, Capture) and item.asked is not None:
                            item.asked.begun = True
                        items.append(item)
                await self._look(items, emit)
        except SlotClosed:
            return

    # --- looking ---------------------------------------------------------------------------------------

    async def _look(self, items: Sequence[Item], emit: Emit) -> None:
        """Look at captures and passings, and record what came of them."""
        while items:
            done: list[Looked] = []
            ticket = Ticket()
            if not await self._in_time(items, done, ticket):
                self._engine.give_up(ticket)
                finished = tuple(done)  # the thread that was given up may be about to add one more
                await self._record(finished, emit)
                late, items = items[len(finished) : len(finished) + 1], items[len(finished) + 1 :]
                for item in late:
                    if isinstance(item, Capture):
                        reason = f"reading the picture took longer than {self._timeout:g} s; it is left out"
                        await self._failed(item.exposures[0], reason, emit)
                        if item.asked is not None:
                            item.asked.failed(reason)
            else:
                await self._record(done, emit)
                items = items[len(done) :]

    async def _in_time(self, items: Sequence[Item], done: list[Looked], ticket: Ticket) -> bool:
        """Have ``items`` looked at; False when the engine takes too long for one of them."""
        pictures = sum(len(item.exposures) if isinstance(item, Capture) else 0 for item in items)
        work = partial(self._looker.look, items, self._mind, done, ticket)
        if not pictures:  # time has passed, no more: sooner done than handed over
            work()
            return True
        with anyio.CancelScope() as scope:
            if pictures <= 1:
                scope.deadline = anyio.current_time() + self._timeout
                await self._offload(work)
                return True
            error: Exception | None = None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, ticket, scope)
                try:
                    await self._offload(work)
                except Exception as raised:  # raised below, so that it doesn't come out as a group
                    error = raised
                tasks.cancel_scope.cancel()
            if error is not None:
                raise error
        return not scope.cancelled_caught or len(done) >= len(items)

    async def _watch(self, ticket: Ticket, scope: anyio.CancelScope) -> None:
        """Cancel ``scope`` when one reading takes longer than it may; looks again when that could be at the soonest."""
        rest = self._timeout
        while True:
            await self._clock.sleep(rest)
            since, pictures = ticket.since, ticket.pictures
            rest = self._timeout
            if since is not None:
                rest = self._timeout * pictures - (self._clock.mono() - since) / SECOND
                if rest <= 0:
                    scope.cancel()
                    return

    async def _failed(self, frame: Frame, reason: str, emit: Emit) -> None:
        """CaptureFailed, at a bounded rate."""
        self._failures += 1
        self._view.update(message=reason)
        self._untold = CaptureFailed(source=frame.source, at=frame.at, position=frame.position, reason=reason)
        now = self._clock.mono()
        if self._failed_at is None or now - self._failed_at >= FAILED_PAUSE:
            self._failed_at = now
            await self._tell(emit)

    async def _tell(self, emit: Emit) -> None:
        """The last CaptureFailed that was not told yet, with the number of those before it."""
        if self._untold is None:
            return
        more = f" ({self._failures} captures since the last report)" if self._failures > 1 else ""
        event = msgspec.structs.replace(self._untold, reason=self._untold.reason + more)
        self._failures, self._untold = 0, None
        await self._patiently(partial(emit, (event,)))

    # --- recording -------------------------------------------------------------------------------------

    async def _record(self, done: Sequence[Looked], emit: Emit) -> None:
        """What came of some looks: their pictures first, then their events in one append."""
        self._show(done)
        events: list[Event] = []
        for looked in done:
            for data in looked.unstored:
                await self._patiently(partial(self._blobs.put, data, min_free=self._min_free))
            events += looked.events
        if events:
            records = await self._patiently(partial(emit, events))
            recorded = sum(looked.kept for looked in done)
            self._recorded += recorded
            self._view.update(recorded=self._view.status.recorded + recorded)
            if records and self._recorded >= BASELINE_EVERY:
                self._recorded = 0
                memory = done[-1].after.memory
                baseline = baseline_of(chain_name(self._camera.name), memory, records[-1].seq)
                await self._patiently(partial(emit, (baseline,)))
        if done:
            self._mind = done[-1].after
        for looked in done:
            _answer(looked)
            if looked.frame is not None:
                await self._failed(looked.frame, looked.failure, emit)

    def _show(self, done: Sequence[Looked]) -> None:
        """Bring the live view up to date."""
        found, elapsed = 0, None
        for looked in done:
            if isinstance(looked.item, Capture) and not looked.failure:
                for frame, shown in zip(looked.item.exposures, looked.shown, strict=True):
                    self._view.set_readings(frame, shown.readings)
                    found += len(shown.readings)
                elapsed = looked.elapsed_ms
        if elapsed is not None:
            self._view.update(readings=self._view.status.readings + found, elapsed_ms=elapsed)

    async def _patiently(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do ``step``; while the disk is full or the log can't be written, wait and try again."""
        wait, waited = FIRST_RETRY, False
        while True:
            try:
                result = await step()
            except (LogUnavailable, BlobUnavailableError) as error:
                waited = True
                self._view.update(state="waiting", message=str(error))
                await self._clock.sleep(wait)
                wait = min(LONGEST_RETRY, wait * 2.0)
            else:
                if waited:
                    self._view.update(state="running", message="")
                return result


def _answer(looked: Looked) -> None:
    """Tell whoever asked for the capture what came of it."""
    asked = looked.item.asked if isinstance(looked.item, Capture) else None
    if asked is None:
        return
    taken = [event for event in looked.events if isinstance(event, CaptureTaken) and event.exposures]
    if looked.failure or not taken:
        asked.failed(looked.failure or "the picture could not be read")
        return
    capture = taken[-1].capture
    reads = [event for event in looked.events if isinstance(event, PlateRead) and event.capture == capture]
    asked.done(
        Shot(
            capture=capture,
            at=taken[-1].at,
            exposures=taken[-1].exposures,
            readings=tuple((read.exposure, read.reading) for read in reads),
        )
    )

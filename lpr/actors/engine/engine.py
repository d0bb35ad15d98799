"""The engine's actor: looks at captures, and records those that say something new.

Rules
- The engine reads in a worker thread, one picture at a time (``turn`` is shared by the cameras of one engine).
- What is recorded decides ``lpr.plates.gate``. Pictures are durable before the events that name them; a capture and
  its readings are one append, so a kill leaves all of them or none.
- An engine that fails or takes too long costs that capture (CaptureFailed, at a bounded rate), not the service. When
  pictures or events can't be written it waits and tries again; a file then waits too, a camera drops frames and counts.
- When the source has ended, and everything before is recorded, it says so to the sensor.

May import ``lpr.events``, ``lpr.config``, ``lpr.core``, ``lpr.vision`` and ``lpr.plates``.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import anyio
import cv2
import msgspec

from lpr.actors.engine.memory import MemoryFold, baseline_of, recover
from lpr.config import Camera, Config
from lpr.core.blobs import BlobStore, BlobUnavailableError
from lpr.core.clock import SECOND, Clock
from lpr.core.errors import LogUnavailable
from lpr.core.frames import Frame, Slot, SlotClosed
from lpr.core.live import LiveView
from lpr.core.offload import Offload
from lpr.core.pipeline import Abandoning, Capture, Emit, End, Passing, ToEngine, chain_name
from lpr.core.reader import Readable
from lpr.events import (
    CaptureFailed,
    CaptureTaken,
    Event,
    Exposure,
    FramesPassed,
    Micros,
    Picture,
    PlateRead,
    Reading,
)
from lpr.plates.gate import GateRules, Glance, Shown, Verdict, look
from lpr.plates.voting import Rules
from lpr.vision.engine import Engine
from lpr.vision.sources import is_recorded

T = TypeVar("T")

READ_LIMIT = 30.0
"""Seconds that the engine may take for one picture."""

FAILED_PAUSE = 10 * SECOND
"""Between two CaptureFailed at least, µs; those between are counted."""

FIRST_RETRY, LONGEST_RETRY = 0.5, 10.0
"""Seconds between two tries while pictures or events can't be written."""

BASELINE_EVERY = 500
"""Recorded captures between two Baselines of the gate's memory."""


class EngineActor:
    """The engine of one camera. ``engine``: what reads; ``captures``: what is to be looked at.

    ``turn``: a lock for all cameras that share the engine. ``offload``: where it reads (tests have their own); by
    default a thread that is given up after ``READ_LIMIT``.
    """

    def __init__(
        self,
        camera: Camera,
        config: Config,
        engine: Engine,
        captures: Slot[ToEngine],
        blobs: BlobStore,
        log: Readable,
        clock: Clock,
        view: LiveView,
        *,
        turn: threading.Lock | None = None,
        gate: GateRules | None = None,
        offload: Offload | None = None,
    ) -> None:
        self.name = f"engine:{camera.name}"
        self._camera = camera
        self._quality = config.engine.jpeg_quality
        self._min_free = config.log.min_free_mb * 1_000_000
        self._rules = msgspec.convert(msgspec.to_builtins(config.vote), Rules)
        self._gate = gate or GateRules()
        self._engine = engine
        self._engine_name = str(getattr(engine, "name", type(engine).__name__))
        self._captures = captures
        self._blobs = blobs
        self._log = log
        self._clock = clock
        self._view = view
        self._turn = turn or threading.Lock()
        self._offload = offload or Abandoning()
        self._is_recorded = is_recorded(camera.source)
        self._fold = MemoryFold(camera.name, self._rules, self._gate)
        self._glance = Glance()
        self._recorded = 0
        self._failures = 0
        self._failed_at: Micros | None = None

    async def run(self, emit: Emit) -> None:
        """Until the captures end, or cancelled."""
        self._fold = await recover(chain_name(self._camera.name), self._camera.name, self._log, self._rules, self._gate)
        self._glance = Glance()
        try:
            while True:
                item = await self._captures.get()
                match item:
                    case Capture():
                        await self._look(item, emit)
                    case Passing():
                        self._begin(item.origin)
                        await self._judge((Shown(at=item.at, position=item.position),), None, 0.0, emit)
                    case End():
                        item.done.set()
        except SlotClosed:
            return

    def _begin(self, origin: Micros) -> None:
        """Another opening of a recorded source begins another scene."""
        if self._is_recorded and self._fold.memory.base != origin:
            self._fold.begin(origin)
            self._glance = Glance()

    # --- looking ---------------------------------------------------------------------------------------

    async def _look(self, capture: Capture, emit: Emit) -> None:
        self._begin(capture.origin)
        started = self._clock.mono()
        shown: list[Shown] = []
        for frame in capture.exposures:
            readings = await self._read(frame, emit)
            if readings is None:
                return
            shown.append(Shown(at=frame.at, position=frame.position, readings=readings))
            self._view.set_readings(frame, readings)
        elapsed = (self._clock.mono() - started) / 1000.0 / len(capture.exposures)
        found = sum(len(each.readings) for each in shown)
        status = self._view.status
        self._view.status = replace(status, readings=status.readings + found, elapsed_ms=elapsed)
        await self._judge(shown, capture, elapsed, emit)

    async def _read(self, frame: Frame, emit: Emit) -> tuple[Reading, ...] | None:
        """What the engine says of a frame; None when it failed."""
        try:
            with anyio.fail_after(READ_LIMIT):
                return tuple(await self._offload(partial(self._read_in_turn, frame)))
        except TimeoutError:
            await self._failed(frame, f"the engine took longer than {READ_LIMIT:.0f} s", emit)
        except Exception as error:
            await self._failed(frame, f"the engine failed: {type(error).__name__}: {error}"[:500], emit)
        return None

    def _read_in_turn(self, frame: Frame) -> tuple[Reading, ...]:
        with self._turn:
            return self._engine.read(frame.image)

    async def _failed(self, frame: Frame, reason: str, emit: Emit) -> None:
        """CaptureFailed, at a bounded rate."""
        self._failures += 1
        now = self._clock.mono()
        self._say(message=reason)
        if self._failed_at is not None and now - self._failed_at < FAILED_PAUSE:
            return
        more = f" ({self._failures} captures since the last report)" if self._failures > 1 else ""
        self._failures, self._failed_at = 0, now
        event = CaptureFailed(source=frame.source, at=frame.at, position=frame.position, reason=reason + more)
        await self._patiently(partial(emit, (event,)))

    # --- recording -------------------------------------------------------------------------------------

    async def _judge(self, shown: Sequence[Shown], capture: Capture | None, elapsed: float, emit: Emit) -> None:
        still = capture is not None and capture.still
        scene = self._fold.memory.scene
        self._glance, verdict = look(scene, self._glance, shown, self._rules, self._gate, still)
        if verdict.keep == "nothing" and not verdict.passes:
            return
        pictures: tuple[Exposure, ...] = ()
        if capture is not None and verdict.keep == "pictures":
            pictures = tuple([await self._keep(frame) for frame in capture.exposures])
        events = self._events(shown, capture, verdict, pictures, elapsed)
        records = await self._patiently(partial(emit, events))
        self._remember(events)
        if verdict.keep != "nothing":
            self._recorded += 1
            self._view.status = replace(self._view.status, recorded=self._view.status.recorded + 1)
        if records and self._recorded >= BASELINE_EVERY:
            self._recorded = 0
            baseline = baseline_of(chain_name(self._camera.name), self._fold.memory, records[-1].seq)
            await self._patiently(partial(emit, (baseline,)))

    def _events(
        self,
        shown: Sequence[Shown],
        capture: Capture | None,
        verdict: Verdict,
        pictures: tuple[Exposure, ...],
        elapsed: float,
    ) -> list[Event]:
        """Everything that a look records, for one append."""
        trigger = capture.trigger if capture is not None else self._camera.trigger.kind
        still = capture is not None and capture.still
        events: list[Event] = []
        for last in verdict.before:
            events += self._taken((last,), (), trigger, "last seen", 0.0)
        if verdict.keep == "sighting":
            events += self._taken(shown[-1:], (), trigger, verdict.reason, elapsed)
        elif verdict.keep == "pictures":
            fired = capture.reason if capture is not None else ""
            reason = f"{fired}; {verdict.reason}" if fired else verdict.reason
            events += self._taken(shown, pictures, trigger, reason, elapsed, still)
        if verdict.passes:
            last = shown[-1]
            events.append(FramesPassed(source=self._camera.name, at=last.at, position=last.position))
        return events

    def _taken(
        self,
        shown: Sequence[Shown],
        exposures: tuple[Exposure, ...],
        trigger: str,
        reason: str,
        elapsed: float,
        still: bool = False,
    ) -> list[Event]:
        """A capture and its readings. Its position is that of its last exposure, so a restart resumes behind it."""
        source, lane, at = self._camera.name, self._camera.lane, shown[0].at
        name = f"{source}@{at}"
        events: list[Event] = [
            CaptureTaken(
                capture=name,
                source=source,
                lane=lane,
                trigger=trigger,
                reason=reason,
                at=at,
                position=shown[-1].position,
                exposures=exposures,
                still=still,
            )
        ]
        for index, each in enumerate(shown):
            events += [
                PlateRead(
                    capture=name,
                    source=source,
                    lane=lane,
                    at=each.at,
                    exposure=index,
                    reading=reading,
                    engine=self._engine_name,
                    elapsed_ms=round(elapsed, 3),
                )
                for reading in each.readings
            ]
        return events

    def _remember(self, events: Sequence[Event]) -> None:
        for event in events:
            self._fold.add(event)
        self._fold.settle()
        self._glance = Glance()

    async def _keep(self, frame: Frame) -> Exposure:
        """Store a frame as JPEG; durable on return."""
        data = await self._offload(partial(encode, frame, self._quality))
        blob = await self._patiently(partial(self._blobs.put, data, min_free=self._min_free))
        height, width = frame.image.shape[:2]
        picture = Picture(blob=blob, width=width, height=height, bytes=len(data))
        return Exposure(at=frame.at, position=frame.position, picture=picture)

    async def _patiently(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do ``step``; while the disk is full or the log can't be written, wait and try again."""
        wait, waited = FIRST_RETRY, False
        while True:
            try:
                result = await step()
            except (LogUnavailable, BlobUnavailableError) as error:
                waited = True
                self._say(state="waiting", message=str(error))
                await self._clock.sleep(wait)
                wait = min(LONGEST_RETRY, wait * 2.0)
            else:
                if waited:
                    self._say(state="running", message="")
                return result

    def _say(self, **changes: str) -> None:
        self._view.status = replace(self._view.status, **changes)


def encode(frame: Frame, quality: int) -> bytes:
    """A frame as JPEG; ``quality``: 30 to 100. Raises ValueError when it can't be."""
    done, data = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"{frame.source}: frame {frame.position} can't be made a JPEG")
    return data.tobytes()

"""The sensor: frames of one camera into a slot, and what happened to the camera into the log.

Rules
- A recorded source (file, folder) loses nothing: it goes into a lossless slot, at its own pace unless ``fast``, with
  its own times, and is taken up where the log says that it was left. One that was read to its end is not read again
  unless its content has changed or it is to ``repeat``.
- A live source goes into a lossy slot; its frames bear the wall clock's time. When it breaks off or says nothing it is
  opened again, after a wait that doubles.
- A source that ends, stalls, breaks off or changes its size is an event, at a bounded rate, never a crash.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.vision``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio

from lpr.actors.sensor.opening import open_source
from lpr.actors.sensor.picking import Picker, Stamped, sampling_rate
from lpr.actors.sensor.pump import Pump, patiently
from lpr.actors.sensor.resume import Resume, find_resume
from lpr.config import Camera
from lpr.core.clock import SECOND, Clock
from lpr.core.frames import Slot
from lpr.core.live import LiveView
from lpr.core.offload import Abandoning, Offload
from lpr.core.pipeline import Emit, End, ToTrigger
from lpr.core.reader import Readable
from lpr.events import Event, Micros, SourceEnded, SourceLost, SourceOpened, SourceStalled
from lpr.vision.sources import Guarded, Opening, Reader, Shot, SourceError, is_recorded, kind_of, without_credentials

ATTEMPTS = 5
"""A recorded source that can't be opened so often in a row is given up; a live one never."""

GIVE_UP_STALL = 3.0
"""A source that is silent for this many times ``stall_after`` is closed and opened again."""

SETTLED = 10 * SECOND
"""A source that delivered for so long starts its attempts anew, µs."""

PRIME = 2000
"""Frames before the place to resume at that a trigger may be shown, at most."""

AHEAD_BYTES, MOST_AHEAD = 12_000_000, 8
"""A film that goes as quick as it can is read so many bytes or frames with pixels at a time, and as many wait before
the trigger and before the engine: threads are asked less often."""


class Sensor:
    """The source of one camera. ``frames``: where they go; lossless for a recorded source.

    ``opener``, ``offload``: how it is opened, and where blocking calls run (tests have their own); by default a
    thread that is given up when the sensor is stopped.
    """

    def __init__(
        self,
        camera: Camera,
        log: Readable,
        clock: Clock,
        frames: Slot[ToTrigger],
        view: LiveView,
        *,
        opener: Callable[[Camera], Reader] = open_source,
        offload: Offload | None = None,
    ) -> None:
        self.name = f"sensor:{camera.name}"
        self._camera = camera
        self._log = log
        self._clock = clock
        self._frames = frames
        self._view = view
        self._opener = opener
        self._offload = offload or Abandoning()
        self._live_position = 0
        self._last_at: Micros = 0

    @staticmethod
    def is_recorded(address: str) -> bool:
        """Whether the slots of a source with this address must lose nothing."""
        return is_recorded(address)

    async def run(self, emit: Emit) -> None:
        """Until a recorded source has ended, or cancelled."""
        attempt = 0
        address = without_credentials(self._camera.source)
        self._status(state="starting", address=address)
        while True:
            opened = self._clock.mono()
            try:
                reader = Guarded(await self._offload(partial(self._opener, self._camera)))
                try:
                    again = await self._deliver(reader, emit)
                finally:
                    reader.close()
                if not again:
                    break
                attempt = 0
                continue
            except SourceError as error:
                attempt = 1 if self._clock.mono() - opened > SETTLED else attempt + 1
                if not await self._lost(error, attempt, emit):
                    break
        self._frames.close()

    async def _lost(self, error: SourceError, attempt: int, emit: Emit) -> bool:
        """Say that the source broke off and wait for the next attempt; False: there is none."""
        recorded = is_recorded(self._camera.source) or (error.final and not self._is_known())
        gives_up = recorded and (error.final or attempt >= ATTEMPTS)
        wait = 0.0 if gives_up else backoff(attempt, self._camera.retry_first, self._camera.retry_max)
        self._status(state="lost", message=str(error))
        lost = SourceLost(source=self._camera.name, reason=str(error), attempt=attempt, retry_in=wait)
        await self._tell(emit, lost)
        if not gives_up:
            await self._clock.sleep(wait)
        return not gives_up

    def _is_known(self) -> bool:
        try:
            kind_of(self._camera.source)
        except SourceError:
            return False
        return True

    # --- one opening -----------------------------------------------------------------------------------

    async def _deliver(self, reader: Reader, emit: Emit) -> bool:
        """Frames until the end (True: begin again) or until the source breaks off (raises SourceError)."""
        opening = reader.opening
        if opening.kind in ("file", "folder"):
            return await self._recorded(reader, opening, emit)
        await self._live(reader, opening, emit)
        return True

    async def _recorded(self, reader: Reader, opening: Opening, emit: Emit) -> bool:
        camera = self._camera
        now = self._clock.wall()
        resume = await find_resume(self._log, camera.name, opening.content) or Resume(now, 0)
        if resume.ended_at is not None:
            if not camera.repeat:
                told = "was read to its end before and has not changed; set repeat to read it again"
                self._opened_status(opening, state="ended", message=f"{opening.address}: {told}")
                return False
            resume = Resume(max(now, resume.ended_at + self._step(opening)), 0)
        await self._tell(emit, self._opened(opening, resume.base, resume.position))
        self._opened_status(opening)
        pump = self._pump(opening, resume.base, emit, still=opening.kind == "folder" and not camera.image_sequence)
        picker = self._picker(reader, resume.base, live=False)
        count = self._frames.room = self._ahead(opening)
        skipped = 0
        if resume.position:
            skipped = await self._catch_up(reader, picker, pump, resume.position, count)
        started, first = self._clock.mono(), None
        while shots := await self._offload(partial(picker.read, count)):
            first = shots[0].shot.offset if first is None else first
            await self._hand_on(shots, pump, None if camera.fast else started - first)
        if resume.position == 0 and pump.decoded == 0 and opening.kind == "file":
            raise SourceError(f"{opening.address}: not one frame could be decoded; is the file whole?", final=True)
        await self._finish(opening, pump, max(skipped, pump.next), emit)
        return camera.repeat

    async def _catch_up(self, reader: Reader, picker: Picker, pump: Pump, position: int, count: int) -> int:
        """Go to the frame ``position`` and show the trigger those before it; returns how many were passed over."""
        prime = 0 if pump.still else self._prime(pump.opening)
        begin = max(0, position - prime)
        skipped = await self._offload(partial(reader.skip, begin))
        reached = begin
        while reached < position and (shots := await self._offload(partial(picker.read, count, position))):
            reached = shots[-1].shot.position + 1
            for stamped in shots:
                await pump.prime(stamped.shot)
        return skipped

    async def _hand_on(self, shots: list[Stamped], pump: Pump, started: Micros | None) -> None:
        """Frames to the trigger, each when its time has come. ``started``: monotonic time of offset 0; None: at once.

        Uses ``shots`` up, so that what was handed on is held by its taker alone.
        """
        last = shots[-1].shot.offset
        shots.reverse()
        while shots:
            shot, at = shots.pop()
            if started is not None and (shot.image is not None or shot.offset == last):
                await self._pace(started, shot.offset)
            await pump.take(shot, at)

    async def _finish(self, opening: Opening, pump: Pump, frames: int, emit: Emit) -> None:
        """Wait until the engine is through with everything, then record the end."""
        end = End()
        await self._frames.put(end)
        await end.done.wait()
        await pump.report()
        short = opening.frames and frames < 0.9 * opening.frames
        problem = f"{opening.address}: ended after {frames} of {opening.frames} frames; it may be cut short"
        self._status(state="ended", message=problem if short else "")
        at = max(pump.at, self._last_at)
        await self._tell(emit, SourceEnded(source=self._camera.name, content=opening.content, frames=frames, at=at))

    async def _live(self, reader: Reader, opening: Opening, emit: Emit) -> None:
        base = self._clock.wall()
        await self._tell(emit, self._opened(opening, base, self._live_position))
        self._opened_status(opening)
        pump = self._pump(opening, base, emit)
        if opening.kind == "demo":
            await self._demo(reader, opening, pump)
            return
        picker = self._picker(reader, base, live=True)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, pump, emit)
                while shots := await self._offload(partial(picker.read, 1)):
                    for shot, at in shots:
                        numbered = Shot(self._live_position, shot.offset, shot.image, shot.problem)
                        await pump.take(numbered, at)
                        self._live_position += 1
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            alone: tuple[BaseException, ...] = group.exceptions
            if len(alone) == 1:
                raise alone[0] from None
            raise
        raise SourceError(f"{opening.address}: the source broke off")

    async def _demo(self, reader: Reader, opening: Opening, pump: Pump) -> None:
        """The street runs by the clock: frames that come too late to be drawn are passed over."""
        picker = self._picker(reader, pump.base, live=False)
        started, position = self._clock.mono(), 0
        while True:
            if not self._camera.fast:
                due = int((self._clock.mono() - started) * opening.rate / SECOND)
                if due > position:
                    await self._offload(partial(reader.skip, due - position))
            shots = await self._offload(partial(picker.read, 1))
            if not shots:
                raise SourceError(f"{opening.address}: the street could not be drawn", final=True)
            position = shots[-1].shot.position + 1
            await self._hand_on(shots, pump, None if self._camera.fast else started)

    async def _watch(self, pump: Pump, emit: Emit) -> None:
        """Say once that a live source is silent; give it up when it stays so. Raises SourceError."""
        limit = round(self._camera.stall_after * SECOND)
        said: Micros | None = None
        while True:
            silent = self._clock.mono() - pump.last
            if silent >= GIVE_UP_STALL * limit:
                address = without_credentials(self._camera.source)
                raise SourceError(f"{address}: no frame for {silent / SECOND:.0f} s; it is opened again")
            if silent >= limit and said != pump.last:
                said = pump.last
                self._status(state="stalled", message=f"no frame for {silent / SECOND:.0f} s")
                await self._tell(emit, SourceStalled(source=self._camera.name, silent_s=silent / SECOND))
            waits = limit if silent < limit else GIVE_UP_STALL * limit
            await self._clock.sleep(max(0.05, (waits - silent) / SECOND))

    # --- helpers ---------------------------------------------------------------------------------------

    def _pump(self, opening: Opening, base: Micros, emit: Emit, still: bool = False) -> Pump:
        return Pump(self._camera, self._clock, self._frames, self._view, emit, opening, base, still=still)

    def _picker(self, reader: Reader, base: Micros, *, live: bool) -> Picker:
        return Picker(reader, self._clock, self._view, base, sampling_rate(self._camera.trigger), live=live)

    def _prime(self, opening: Opening) -> int:
        """Frames that make a trigger's state: those of its memory, and a few more."""
        trigger = self._camera.trigger
        seconds = trigger.hold + 6.0 / trigger.rate if trigger.kind == "motion" else 2.0 / trigger.rate
        return min(PRIME, math.ceil(seconds * (opening.rate or 60.0)) + 2)

    def _ahead(self, opening: Opening) -> int:
        """Frames that are read in one go: several only of a film that goes as quick as it can."""
        size = 3 * opening.width * opening.height
        return max(1, min(MOST_AHEAD, AHEAD_BYTES // size)) if self._camera.fast and size else 1

    def _step(self, opening: Opening) -> Micros:
        return round(SECOND / (opening.rate or 25.0))

    async def _pace(self, started: Micros, offset: Micros) -> None:
        """Wait until ``offset`` after the monotonic time ``started``."""
        ahead = offset - (self._clock.mono() - started)
        if ahead > 0:
            await self._clock.sleep(ahead / SECOND)

    def _opened(self, opening: Opening, base: Micros, position: int) -> SourceOpened:
        return SourceOpened(
            source=self._camera.name,
            kind=opening.kind,
            address=opening.address,
            width=opening.width,
            height=opening.height,
            rate=opening.rate,
            base=base,
            content=opening.content,
            position=position,
        )

    def _opened_status(self, opening: Opening, state: str = "running", message: str = "") -> None:
        self._status(
            state=state,
            message=message,
            kind=opening.kind,
            address=opening.address,
            width=opening.width,
            height=opening.height,
            stated_rate=opening.rate,
        )

    def _status(self, **changes: Any) -> None:
        self._view.update(**changes)

    async def _tell(self, emit: Emit, event: Event) -> None:
        """Record an event; while the log can't be written, wait."""
        await patiently(partial(emit, (event,)), self._clock)


def backoff(attempt: int, first: float, longest: float) -> float:
    """Seconds to wait before the next attempt: doubles with each, from ``first`` to ``longest``. Pure."""
    return min(longest, first * 2.0 ** min(attempt - 1, 30))

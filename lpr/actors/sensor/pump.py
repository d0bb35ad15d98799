"""Frames of one opening of a source into the slot: checked, stamped, counted, and reported at a bounded rate.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.vision``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from lpr.config import Camera
from lpr.core.clock import SECOND, Clock
from lpr.core.errors import LogUnavailable
from lpr.core.frames import Frame, Slot
from lpr.core.live import LiveView
from lpr.core.pipeline import Emit, Moment, ToTrigger
from lpr.events import CaptureFailed, Event, Micros, SourceChanged, SourceReported
from lpr.vision.sources import Opening, Shot, SourceError

CHANGE_PAUSE = 10 * SECOND
"""Between two SourceChanged at least, µs."""

FAILED_PAUSE = SECOND
"""Between two CaptureFailed of a video at least, µs; each unreadable image of a folder is reported."""

LOG_RETRY = 1.0
"""Seconds between two tries while the log can't be written."""

RATE_EVERY = SECOND
"""The measured rate in the status is renewed so often, µs."""


class Pump:
    """``opening``: whose frames they are; ``base``: time of frame 0; ``decoded``: frames so far; ``next``: the position
    behind the last; ``at``: its time.

    ``last``: monotonic time of the last frame (of the opening, before the first). ``still``: photographs.
    """

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        frames: Slot[ToTrigger],
        view: LiveView,
        emit: Emit,
        opening: Opening,
        base: Micros,
        *,
        still: bool,
    ) -> None:
        self.base = base
        self.still = still
        self.decoded = 0
        self._counted = 0
        self.next = 0
        self.at: Micros = base
        self.last: Micros = clock.mono()
        self._camera = camera
        self._clock = clock
        self._frames = frames
        self._view = view
        self._emit = emit
        self.opening = opening
        self._size = (opening.width, opening.height)
        self._changed: Micros | None = None
        self._failed: Micros | None = None
        self._reported = (self.last, 0, frames.dropped)
        self._measured = (self.last, 0)

    async def prime(self, shot: Shot) -> None:
        """A frame from before the place to resume at."""
        if shot.image is not None:
            frame = Frame(self._camera.name, shot.position, self.base + shot.offset, shot.image)
            await self._frames.put(Moment(frame, self.base, prime=True, still=self.still))

    async def take(self, shot: Shot, at: Micros) -> None:
        """A frame; one without pixels is counted alone. Raises SourceError for one that is too large."""
        self.last, self.at, self.next = self._clock.mono(), at, shot.position + 1
        if shot.image is None:
            if shot.problem:
                await self._unreadable(shot, at)
            else:
                self.decoded += 1
            return
        height, width = shot.image.shape[:2]
        if (width, height) != self._size:
            await self._resized(width, height, shot.position, at)
        self.decoded += 1
        shot.image.flags.writeable = False
        frame = Frame(self._camera.name, shot.position, at, shot.image)
        await self._frames.put(Moment(frame, self.base, still=self.still))
        self._view.set_frame(frame)
        self._count(frame)
        if self.last - self._reported[0] >= self._camera.report_every * SECOND:
            await self.report()

    async def report(self) -> None:
        """SourceReported: the figures since the last one."""
        self._view.update(frames=self._view.status.frames + self.decoded - self._counted)
        self._counted = self.decoded
        since, frames, dropped = self._reported
        now = self._clock.mono()
        if self.decoded == frames:
            return
        seconds = max((now - since) / SECOND, 1e-6)
        event = SourceReported(
            source=self._camera.name,
            frames=self.decoded - frames,
            dropped=self._frames.dropped - dropped,
            rate=(self.decoded - frames) / seconds,
            at=self.at,
        )
        self._reported = (now, self.decoded, self._frames.dropped)
        await self._tell(event)

    async def _unreadable(self, shot: Shot, at: Micros) -> None:
        if not self.still and self._failed is not None and self.last - self._failed < FAILED_PAUSE:
            return
        self._failed = self.last
        failed = CaptureFailed(source=self._camera.name, at=at, position=shot.position, reason=shot.problem)
        await self._tell(failed)

    async def _resized(self, width: int, height: int, position: int, at: Micros) -> None:
        camera = self._camera
        if width > camera.max_width or height > camera.max_height:
            limit = f"the limit is {camera.max_width} x {camera.max_height} (max_width, max_height)"
            address = self.opening.address
            raise SourceError(f"{address}: frames of {width} x {height} pixels, {limit}", final=True)
        first = self._size == (0, 0)
        self._size = (width, height)
        self._view.update(width=width, height=height)
        if first or self.still or (self._changed is not None and self.last - self._changed < CHANGE_PAUSE):
            return
        self._changed = self.last
        await self._tell(SourceChanged(source=camera.name, width=width, height=height, position=position, at=at))

    def _count(self, frame: Frame) -> None:
        status = self._view.status
        changes: dict[str, Any] = {}
        since, frames = self._measured
        if self.last - since >= RATE_EVERY:
            changes["rate"] = (self.decoded - frames) * SECOND / (self.last - since)
            self._measured = (self.last, self.decoded)
        if status.state in ("starting", "stalled", "lost"):
            changes["state"] = "running"
            if status.state != "starting":
                changes["message"] = ""
        self._view.update(
            frames=status.frames + self.decoded - self._counted,
            dropped=self._frames.dropped,
            position=frame.position,
            at=frame.at,
            **changes,
        )
        self._counted = self.decoded

    async def _tell(self, event: Event) -> None:
        await patiently(partial(self._emit, (event,)), self._clock)


async def patiently(append: Callable[[], Awaitable[object]], clock: Clock) -> None:
    """Append; while the log can't be written (disk full, locked), try again."""
    while True:
        try:
            await append()
            return
        except LogUnavailable:
            await clock.sleep(LOG_RETRY)

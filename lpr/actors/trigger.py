"""The trigger: frames in, captures out. When is decided in ``lpr.vision.triggers``; here it meets the slots.

Photographs are captured each. A capture of several exposures takes the frames that follow; meanwhile nothing else
fires. A capture that somebody asked for (``lpr.core.shutter``) begins with the next frame.
May import ``lpr.config``, ``lpr.core`` and ``lpr.vision``.
"""

from __future__ import annotations

from functools import partial

from lpr.config import Camera
from lpr.config import Trigger as Settings
from lpr.core.clock import SECOND
from lpr.core.frames import Frame, Slot, SlotClosed
from lpr.core.live import LiveView
from lpr.core.offload import Offload, in_thread
from lpr.core.pipeline import Capture, Emit, End, Moment, Passing, ToEngine, ToTrigger
from lpr.core.shutter import Asked, Shutter
from lpr.events import Micros
from lpr.vision.motion import reduce
from lpr.vision.triggers import Fired, FreeFlow, Motion, Seen, Trigger, TriggerState

PASSING_EVERY = SECOND // 4
"""While nothing fires the engine is told so often that time passes, µs of the source's time: a vehicle that has left is
a passage so much sooner."""


def open_trigger(settings: Settings) -> Trigger:
    """The trigger that the configuration asks for."""
    if settings.kind == "motion":
        return Motion(
            rate=settings.rate,
            threshold=settings.threshold,
            hold=settings.hold,
            exposures=settings.exposures,
            region=settings.region,
        )
    return FreeFlow(rate=settings.rate)


class TriggerActor:
    """From the slot ``frames`` to the slot ``captures``. ``shutter``: who asks for captures.

    ``offload``: where pictures are reduced.
    """

    def __init__(
        self,
        camera: Camera,
        frames: Slot[ToTrigger],
        captures: Slot[ToEngine],
        view: LiveView,
        *,
        trigger: Trigger | None = None,
        shutter: Shutter | None = None,
        offload: Offload = in_thread,
    ) -> None:
        self.name = f"trigger:{camera.name}"
        self._trigger = trigger or open_trigger(camera.trigger)
        self._frames = frames
        self._captures = captures
        self._view = view
        self._offload = offload
        self._shutter = shutter
        self._asked: Asked | None = None
        self._state = TriggerState()
        self._taking: list[Frame] = []
        self._fired: Fired | None = None
        self._told: Micros | None = None
        self._origin: Micros = 0

    async def run(self, emit: Emit) -> None:
        """Until the frames end, or cancelled. Emits nothing."""
        del emit
        try:
            while True:
                item = await self._frames.get()
                self._captures.room = self._frames.room  # as far as the sensor reads ahead, a capture may wait
                if isinstance(item, End):
                    await self._ended(item)
                else:
                    await self._seen(item)
        except SlotClosed:
            self._captures.close()

    async def _ended(self, end: End) -> None:
        if self._taking and self._fired is not None:
            await self._capture(self._fired, self._origin)
        self._state, self._told = TriggerState(), None
        await self._captures.put(end)

    async def _seen(self, moment: Moment) -> None:
        self._origin = moment.origin
        if moment.still:
            if not moment.prime:
                await self._captures.put(
                    Capture((moment.frame,), moment.origin, self._trigger.kind, "photograph", still=True)
                )
            return
        fired = await self._step(moment)
        if moment.prime:
            return
        frame = moment.frame
        if self._asked is not None and self._asked.begun:
            self._asked = None
        if self._taking:
            self._taking.append(frame)
        elif self._asked is not None:
            return  # it waits for the engine, and nothing may take its place
        elif self._shutter is not None and (asked := self._shutter.take()) is not None:
            self._asked = asked
            self._fired = Fired(reason=asked.reason, exposures=asked.exposures)
            self._taking = [frame]
        elif fired is not None:
            self._fired = fired
            self._taking = [frame]
        if self._fired is not None and len(self._taking) >= self._fired.exposures:
            await self._capture(self._fired, moment.origin)
        elif not self._taking:
            await self._pass(frame, moment.origin)

    async def _step(self, moment: Moment) -> Fired | None:
        frame = moment.frame
        if self._trigger.wants(self._state, frame.at, moment.origin):
            self._state, fired = await self._offload(partial(_reduce_and_step, self._trigger, self._state, moment))
        else:
            self._state, fired = self._trigger.step(self._state, Seen(at=frame.at, origin=moment.origin))
        return fired

    async def _capture(self, fired: Fired, origin: Micros) -> None:
        exposures = tuple(self._taking)
        self._taking, self._fired = [], None
        self._told = exposures[-1].at
        kind = self._trigger.kind if self._asked is None else self._asked.trigger
        await self._captures.put(Capture(exposures, origin, kind, fired.reason, asked=self._asked))
        self._view.update(captures=self._view.status.captures + 1)

    async def _pass(self, frame: Frame, origin: Micros) -> None:
        """Nothing fired: tell the engine now and then, but never on top of a capture that it has not taken yet."""
        if self._told is None or frame.at < self._told:
            self._told = frame.at
        if frame.at - self._told >= PASSING_EVERY:
            self._told = frame.at
            await self._captures.put(Passing(frame.at, frame.position, origin))


def _reduce_and_step(trigger: Trigger, state: TriggerState, moment: Moment) -> tuple[TriggerState, Fired | None]:
    """A step with the frame's reduced picture: some milliseconds, for a worker thread."""
    frame = moment.frame
    return trigger.step(state, Seen(at=frame.at, origin=moment.origin, reduced=reduce(frame.image)))

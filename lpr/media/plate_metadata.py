"""Each camera's plate events and live boxes, for everybody who wants them: metadata tracks and event subscribers.

One for all cameras. It follows the log for passages and the live views for what is in the pictures now, makes
notifications and documents of them (once a form, however many take them) and hands them on at once.

Documents for an iterator that doesn't take them wait, ``QUEUE`` at most; then live frames are left out first, and
events only when there is nothing else. Belongs to the event loop's thread; runs on asyncio and trio.
May import this room, ``lpr.events``, ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from lpr.core import passed
from lpr.core.clock import SECOND, Clock
from lpr.core.delivery import Shipment
from lpr.core.live import LiveSnapshot, LiveView
from lpr.core.log import EventLog
from lpr.core.pipeline import Emit
from lpr.events import Micros
from lpr.protocols.onvif_metadata import (
    FOLDER,
    FORMS,
    MANUAL_TOKENS,
    MOTION_TOPIC,
    VEHICLE_TOPIC,
    FormName,
    Notification,
    PictureNames,
    Scene,
    SceneFrame,
    Tokens,
    document,
    milesight_notification,
    passage_frame,
    plate_notification,
    vehicle_notification,
)
from lpr.protocols.onvif_metadata.model import Operation

QUEUE = 64
"""Documents that wait for one iterator."""
INTERVAL = 0.9
"""Seconds after which a document goes out though nothing happened: ONVIF recommends one each second."""
RECORDED = 10 * SECOND
"""A picture's time further than this from the wall clock is a recording's; quiet documents then go by it."""

Listener: TypeAlias = Callable[[str, Notification], None]
"""Called on the event loop with the camera's name and what happened; must not wait."""


@dataclass(frozen=True, slots=True)
class MetadataCamera:
    """``view``: its live picture. ``tokens``: how ONVIF's services call it."""

    view: LiveView
    tokens: Tokens


class PlateMetadata:
    """The actor. ``cameras``: by the name that passages have as their source. ``keep``: seconds for which an object
    that isn't seen is still in view. ``images``: what stands before ``/LPR/`` in the standard's addresses of pictures
    ("http://192.0.2.7:8000"), "" for addresses relative to the device. ``interval``: see ``INTERVAL``."""

    name = "metadata"

    def __init__(
        self,
        cameras: Mapping[str, MetadataCamera],
        log: EventLog,
        clock: Clock,
        *,
        keep: float = 2.0,
        images: str = "",
        interval: float = INTERVAL,
    ) -> None:
        self._log = log
        self._clock = clock
        self._images = images.rstrip("/")
        self._interval = interval
        self._cameras = {name: _Camera(name, camera, Scene(keep)) for name, camera in cameras.items()}
        self._listeners: dict[Listener, None] = {}
        self._expiry = anyio.Event()
        self._position: int | None = None

    # --- for those who want it --------------------------------------------------------------------------

    def source(self, camera: str, form: FormName) -> CameraMetadata:
        """The documents of a camera in one form. Raises KeyError for an unknown camera."""
        return CameraMetadata(self, self._cameras[camera], form)

    def attach(self, listener: Listener) -> None:
        """``listener`` is told every notification of every camera from now on."""
        self._listeners[listener] = None

    def detach(self, listener: Listener) -> None:
        """It is told nothing more."""
        self._listeners.pop(listener, None)

    def properties(self) -> list[Notification]:
        """Every property as it is now, as "Initialized"."""
        return [one for camera in self._cameras.values() for one in self._properties(camera)]

    # --- the work ----------------------------------------------------------------------------------------

    async def run(self, emit: Emit) -> None:
        """Until cancelled. Raises LogUnavailable, LogClosedError."""
        del emit
        async with anyio.create_task_group() as tasks:
            for camera in self._cameras.values():
                tasks.start_soon(self._look, camera)
            tasks.start_soon(self._expire)
            await self._follow()

    async def _follow(self) -> None:
        """Every passage from now on; after a failure, from the last one that was told."""
        start = self._position = self._log.head if self._position is None else self._position
        names = PictureNames()
        for shipment in reversed(await passed.latest(self._log, PictureNames.MEMORY, start + 1)):
            names.name(shipment.decided.at, shipment.record)
        async for shipment in passed.follow(self._log, start):
            self._position = shipment.record
            self._passage(shipment, FOLDER + names.name(shipment.decided.at, shipment.record))

    def _passage(self, shipment: Shipment, path: str) -> None:
        decided = shipment.decided
        camera = self._cameras.get(decided.source)
        if camera is None:
            return
        events: list[Notification] = []
        frames: tuple[SceneFrame, ...] = ()
        if camera.scene.vehicle_seen(self._clock.mono()):
            events += _in_view(camera, decided.at, True)
            self._expiry.set()
        if decided.plate:
            image = self._images + path
            number = camera.scene.object_of(decided)
            tokens = camera.settings.tokens
            events.append(plate_notification(decided, tokens, image=image, object_id=number))
            events.append(milesight_notification(decided, MANUAL_TOKENS, image=path))
            frames = (passage_frame(decided, object_id=number or camera.scene.new_object(), image=image),)
        self._publish(camera, frames, events)

    async def _look(self, camera: _Camera) -> None:
        """What the engine sees in the pictures."""
        reads = 0
        while True:
            snapshot = await camera.settings.view.wait_read(reads)
            reads = snapshot.reads
            self._show(camera, snapshot)

    def _show(self, camera: _Camera, snapshot: LiveSnapshot) -> None:
        picture = snapshot.read_frame
        if picture is None or picture.image.size == 0:
            return
        height, width = picture.image.shape[:2]
        before = camera.scene.frame
        frame = camera.scene.look(picture.at, width, height, snapshot.readings)
        events: list[Notification] = []
        if frame.objects and camera.scene.vehicle_seen(self._clock.mono()):
            events += _in_view(camera, frame.at, True)
            self._expiry.set()
        if frame.objects or frame.gone or before.objects or events:
            self._publish(camera, (frame,), events)

    async def _expire(self) -> None:
        """Tells when a vehicle is out of view."""
        while True:
            self._expiry = anyio.Event()
            dues = [due for camera in self._cameras.values() if (due := camera.scene.due) is not None]
            if not dues:
                await self._expiry.wait()
                continue
            await self._clock.sleep(max(min(dues) - self._clock.mono(), 1000) / SECOND)
            for camera in self._cameras.values():
                if camera.scene.expire(self._clock.mono()):
                    at = self.now(camera)
                    self._publish(camera, (camera.scene.clear(at),), _in_view(camera, at, False))

    def _publish(self, camera: _Camera, frames: tuple[SceneFrame, ...], events: list[Notification]) -> None:
        for event in events:
            for listener in tuple(self._listeners):
                listener(camera.name, event)
        made: dict[FormName, bytes | None] = {}
        for reader in tuple(camera.readers):
            form = reader.form
            if form not in made:
                carried = any(event.topic in FORMS[form].topics for event in events)
                shown = bool(frames) and FORMS[form].frames
                made[form] = document(form, frames=frames, notifications=events) if carried or shown else None
            if (ready := made[form]) is not None:
                reader.put(ready, bool(events))

    def _properties(self, camera: _Camera) -> list[Notification]:
        return _in_view(camera, self.now(camera), camera.scene.vehicle, "Initialized")

    def now(self, camera: _Camera) -> Micros:
        """The time that a camera's documents go by: the wall clock's, a recording's own where that is played."""
        wall = self._clock.wall()
        snapshot = camera.settings.view.snapshot()
        times = [frame.at for frame in (snapshot.frame, snapshot.read_frame) if frame is not None]
        return max(times) if times and abs(max(times) - wall) > RECORDED else wall

    def state(self, camera: _Camera, form: FormName) -> bytes:
        """The whole present state as a document."""
        shown = camera.scene.frame
        frame = SceneFrame(self.now(camera), shown.objects)
        return document(form, frames=[frame], notifications=self._properties(camera))

    def quiet(self, camera: _Camera, form: FormName) -> bytes:
        """A document that says that nothing has happened."""
        return document(form, frames=[SceneFrame(self.now(camera))])

    @property
    def interval(self) -> float:
        """Seconds between two documents at most."""
        return self._interval


class _Reader:
    """One iterator over documents. ``lost``: documents that it did not take in time."""

    def __init__(self, form: FormName) -> None:
        self.form: FormName = form
        self.lost = 0
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._filled: anyio.Event | None = None

    def put(self, ready: bytes, event: bool) -> None:
        if len(self._waiting) >= QUEUE:
            self.lost += 1
            index = next((place for place, (_, told) in enumerate(self._waiting) if not told), 0)
            del self._waiting[index]
        self._waiting.append((ready, event))
        if self._filled is not None:
            self._filled.set()

    async def get(self) -> bytes:
        while not self._waiting:
            self._filled = anyio.Event()
            await self._filled.wait()
        return self._waiting.popleft()[0]


class _Camera:
    """One camera's state."""

    def __init__(self, name: str, settings: MetadataCamera, scene: Scene) -> None:
        self.name = name
        self.settings = settings
        self.scene = scene
        self.readers: dict[_Reader, None] = {}


def _in_view(camera: _Camera, at: Micros, state: bool, operation: Operation = "Changed") -> list[Notification]:
    """Whether a vehicle is in view, in the words that clients know."""
    tokens = camera.settings.tokens
    return [vehicle_notification(at, tokens, state, operation, topic) for topic in (VEHICLE_TOPIC, MOTION_TOPIC)]


class CameraMetadata:
    """A camera's documents in one form: what a metadata track is fed from."""

    def __init__(self, owner: PlateMetadata, camera: _Camera, form: FormName) -> None:
        self.form: FormName = form
        self._owner = owner
        self._camera = camera
        self._readers: dict[_Reader, None] = {}

    async def documents(self) -> AsyncGenerator[bytes, None]:
        """Whole XML documents, the present state first, then at least one each second."""
        owner, camera = self._owner, self._camera
        reader = _Reader(self.form)
        camera.readers[reader] = self._readers[reader] = None
        try:
            yield owner.state(camera, self.form)
            while True:
                ready: bytes | None = None
                with anyio.move_on_after(owner.interval):
                    ready = await reader.get()
                yield owner.quiet(camera, self.form) if ready is None else ready
        finally:
            camera.readers.pop(reader, None)
            self._readers.pop(reader, None)

    def synchronize(self) -> None:
        """A synchronization point: everybody who iterates gets the whole present state at once."""
        if self._readers:
            whole = self._owner.state(self._camera, self.form)
            for reader in self._readers:
                reader.put(whole, True)

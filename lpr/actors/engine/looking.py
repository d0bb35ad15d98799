"""Captures to events in a worker thread: read, judged, encoded and stored in one go, without a hop between.

Several captures may be looked at in one call; each is judged by what the ones before it have recorded. Nothing here
is kept between two calls: a thread that was given up does no harm but to its own list. Pictures are on the disk before
the events that name them are given back; those that the disk doesn't take are given back with them.

May import ``lpr.events``, ``lpr.config``, ``lpr.core``, ``lpr.vision`` and ``lpr.plates``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import msgspec

from lpr.actors.engine.memory import Memory, MemoryFold
from lpr.actors.engine.shared import GivenUp, SharedEngine, Ticket
from lpr.config import Camera, Config
from lpr.core.blobs import BlobStore, BlobUnavailableError, name_of
from lpr.core.clock import Clock
from lpr.core.frames import Frame
from lpr.core.pipeline import Capture, Passing
from lpr.events import CaptureTaken, Event, Exposure, FramesPassed, Picture, PlateRead
from lpr.plates.gate import GateRules, Glance, Shown, Verdict, look
from lpr.plates.voting import Rules
from lpr.vision.manifest import ModelError
from lpr.vision.sources import is_recorded
from lpr.vision.vehicle import VehicleReader

MCU = 16
"""Pixels to a side of the smallest unit of a JPEG as OpenCV makes it."""

Item: TypeAlias = Capture | Passing


class Mind(msgspec.Struct, frozen=True, kw_only=True):
    """``memory``: of what was recorded; ``glance``: of what was seen since."""

    memory: Memory = Memory()
    glance: Glance = Glance()


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a capture, or of a passing.

    ``shown``: what was read on each exposure; ``events``: to be recorded; ``unstored``: their pictures that the disk
    did not take, to be stored first; ``kept``: whether a capture is among the events; ``elapsed_ms``: of the engine
    for one exposure. ``failure``: why the engine failed at ``frame``, "" when it didn't. ``after``: the mind then.
    """

    item: Item
    after: Mind
    shown: tuple[Shown, ...] = ()
    events: tuple[Event, ...] = ()
    unstored: tuple[bytes, ...] = ()
    kept: bool = False
    elapsed_ms: float = 0.0
    failure: str = ""
    frame: Frame | None = None


class Looker:
    """What an engine's thread needs. ``engine``, ``vehicles``: shared by all cameras; the latter may be missing."""

    def __init__(
        self,
        camera: Camera,
        config: Config,
        engine: SharedEngine,
        blobs: BlobStore,
        clock: Clock,
        rules: Rules,
        gate: GateRules,
        vehicles: VehicleReader | None = None,
    ) -> None:
        self._camera = camera
        self._vehicles = vehicles
        self._quality = config.engine.jpeg_quality
        self._min_free = config.log.min_free_mb * 1_000_000
        self._rules = rules
        self._gate = gate
        self._engine = engine
        self._blobs = blobs
        self._clock = clock
        self._is_recorded = is_recorded(camera.source)

    def look(self, items: Sequence[Item], mind: Mind, done: list[Looked], ticket: Ticket) -> None:
        """Look at ``items``, oldest first, beginning with ``mind``; each result goes into ``done`` at once. Blocking.

        An engine that fails costs its capture alone. Raises GivenUp when ``ticket`` was, and ValueError for a frame
        that can't be made a JPEG.
        """
        for item in items:
            mind = self._begun(mind, item)
            looked = self._passed(item, mind) if isinstance(item, Passing) else self._looked(item, mind, ticket)
            mind = looked.after
            done.append(looked)

    def _begun(self, mind: Mind, item: Item) -> Mind:
        """Another opening of a recorded source begins another scene."""
        if self._is_recorded and mind.memory.base != item.origin:
            return Mind(memory=Memory(base=item.origin))
        return mind

    def _passed(self, item: Passing, mind: Mind) -> Looked:
        return self._judged(item, (Shown(at=item.at, position=item.position),), mind, 0.0)

    def _looked(self, capture: Capture, mind: Mind, ticket: Ticket) -> Looked:
        started = self._clock.mono()
        try:
            readings = self._engine.read([frame.image for frame in capture.exposures], ticket)
            if self._vehicles is not None and self._vehicles.finds:
                images = [frame.image for frame in capture.exposures]
                readings = [self._vehicles.place(*each) for each in zip(images, readings, strict=True)]
        except GivenUp:
            raise
        except Exception as error:
            failure = f"the engine failed: {type(error).__name__}: {error}"[:500]
            return Looked(capture, mind, failure=failure, frame=capture.exposures[0])
        shown = [
            Shown(at=frame.at, position=frame.position, readings=own)
            for frame, own in zip(capture.exposures, readings, strict=True)
        ]
        elapsed = (self._clock.mono() - started) / 1000.0 / len(capture.exposures)
        return self._judged(capture, tuple(shown), mind, elapsed)

    def _judged(self, item: Item, shown: tuple[Shown, ...], mind: Mind, elapsed: float) -> Looked:
        capture = item if isinstance(item, Capture) else None
        still = capture is not None and capture.still
        scene = mind.memory.scene
        glance, verdict = look(scene, mind.glance, shown, self._rules, self._gate, still)
        if capture is not None and capture.asked is not None:
            verdict = msgspec.structs.replace(verdict, keep="pictures", reason=verdict.reason or "asked for")
        if verdict.keep == "nothing" and not verdict.passes:
            after = Mind(memory=mind.memory, glance=glance)
            return Looked(item, after, shown, elapsed_ms=elapsed)
        unstored: list[bytes] = []
        pictures: tuple[Exposure, ...] = ()
        if capture is not None and verdict.keep == "pictures":
            pictures = tuple([self._stored(frame, unstored) for frame in capture.exposures])
            shown = self._described(capture, shown)
        events = tuple(self._events(shown, capture, verdict, pictures, elapsed))
        fold = MemoryFold(self._camera.name, self._rules, self._gate, mind.memory)
        for event in events:
            fold.add(event)
        fold.settle()
        after = Mind(memory=fold.memory)
        return Looked(item, after, shown, events, tuple(unstored), verdict.keep != "nothing", elapsed)

    def _described(self, capture: Capture, shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
        """With what can be said of the vehicles; a model that fails costs that and no more."""
        if self._vehicles is None:
            return shown
        try:
            return tuple(
                msgspec.structs.replace(each, readings=self._vehicles.describe(frame.image, each.readings))
                for frame, each in zip(capture.exposures, shown, strict=True)
            )
        except ModelError:
            return shown

    def _stored(self, frame: Frame, unstored: list[bytes]) -> Exposure:
        """Store a frame as JPEG; one that the disk doesn't take goes into ``unstored``."""
        data = encode(frame, self._quality)
        try:
            blob = self._blobs.store(data, self._min_free)
        except BlobUnavailableError:
            blob = name_of(data)
            unstored.append(data)
        height, width = frame.image.shape[:2]
        picture = Picture(blob=blob, width=width, height=height, bytes=len(data))
        return Exposure(at=frame.at, position=frame.position, picture=picture)

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
                    engine=self._engine.name,
                    elapsed_ms=round(elapsed, 3),
                )
                for reading in each.readings
            ]
        return events


def encode(frame: Frame, quality: int) -> bytes:
    """A frame as JPEG; ``quality``: 30 to 100. Raises ValueError when it can't be.

    Each row of units begins anew (restart markers), so that a strip of the picture can be decoded by itself
    (``lpr.vision.strips``); it costs a hundred bytes.
    """
    across = -(-frame.image.shape[1] // MCU)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_RST_INTERVAL, across]
    done, data = cv2.imencode(".jpg", frame.image, settings)
    if not done:
        raise ValueError(f"{frame.source}: frame {frame.position} can't be made a JPEG")
    return data.tobytes()

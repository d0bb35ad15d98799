"""Single pictures of the cameras as JPEGs: each is encoded once for all who look, in a worker thread, with the plates
drawn on it by choice. For the pages' live view and for snapshots.

Nothing is encoded while nobody looks. A slow viewer misses pictures and holds up nobody: there is no queue, each asks
for "newer than what I have seen". May import this room, ``lpr.core``, ``lpr.vision``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import anyio
import anyio.to_thread
import numpy as np
from anyio import CapacityLimiter
from numpy.typing import NDArray

from lpr.core.clock import Clock
from lpr.core.frames import Frame
from lpr.core.live import LiveSnapshot, LiveView
from lpr.events import Reading
from lpr.media.encoder import encode_jpeg
from lpr.media.stream import MediaUnavailable
from lpr.vision.overlay import draw

JPEG_QUALITY = 78
STALE_US = 1_200_000
"""A read picture so much older than the newest one is no longer shown (µs of the source's time)."""
MOST_CHANNELS = 64
"""Channels that are kept, of all cameras and widths; the one asked for longest ago goes first."""
WIDTH_STEP = 16
"""Widths that are asked for are rounded up to this, so that near ones share a picture."""
SNAPSHOT_WAIT = 5.0
"""Seconds that a snapshot waits for a camera's first picture."""
Chosen: TypeAlias = tuple[Frame, tuple[Reading, ...]]
"""A picture and the plates to draw on it."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One encoded picture. ``number``: counts from 1 in its channel."""

    number: int
    jpeg: bytes


def choose(snapshot: LiveSnapshot, boxes: bool) -> Chosen | None:
    """The picture to show and the plates to draw: boxes stand on the very picture they were read on."""
    frame, read = snapshot.frame, snapshot.read_frame
    if boxes and read is not None and (frame is None or frame.at - read.at <= STALE_US):
        return read, snapshot.readings
    shown = frame or read
    return None if shown is None else (shown, ())


def encode(image: NDArray[np.uint8], readings: tuple[Reading, ...], width: int, quality: int = JPEG_QUALITY) -> bytes:
    """A JPEG of ``image`` with the plates drawn, at most ``width`` wide. Raises EncoderError."""
    return encode_jpeg(draw(image, readings, width), quality)


class Channel:
    """One camera, with or without boxes, in one width."""

    def __init__(
        self,
        view: LiveView,
        clock: Clock,
        worker: CapacityLimiter,
        *,
        boxes: bool,
        width: int,
        rate: float,
        quality: int = JPEG_QUALITY,
    ) -> None:
        self._view = view
        self._clock = clock
        self._worker = worker
        self._boxes = boxes
        self._width = width
        self._quality = quality
        self._gap = round(1e6 / rate)
        self._turn = anyio.Lock()
        self._shot: Shot | None = None
        self._shown: Chosen | None = None
        self._encoded_at = -self._gap
        self.encoded = 0

    async def newer(self, number: int) -> Shot:
        """The picture after ``number`` (-1: the newest there is), as soon as there is one; bounded in rate."""
        encoded = False  # what was the newest when asked is enough, however fast others follow
        while True:
            snapshot = self._view.snapshot()
            chosen = choose(snapshot, self._boxes)
            fresh = chosen is None or self._shows(chosen)
            if self._shot is not None and self._shot.number > number and (fresh or encoded or number >= 0):
                return self._shot
            if fresh:
                await self._view.wait_newer(snapshot.version)
            else:
                await self._encode()
                encoded = True

    def _shows(self, chosen: Chosen) -> bool:
        shown = self._shown
        return shown is not None and chosen[0] is shown[0] and chosen[1] is shown[1]

    async def _encode(self) -> None:
        """Encode the newest picture, unless another viewer has done so meanwhile."""
        async with self._turn:
            wait = self._encoded_at + self._gap - self._clock.mono()
            if wait > 0:
                await self._clock.sleep(wait / 1e6)
            chosen = choose(self._view.snapshot(), self._boxes)
            if chosen is None or self._shows(chosen):
                return
            frame, readings = chosen
            work = partial(encode, frame.image, readings, self._width, self._quality)
            jpeg = await anyio.to_thread.run_sync(work, limiter=self._worker)
            self.encoded += 1
            self._shot, self._shown = Shot(self.encoded, jpeg), chosen
            self._encoded_at = self._clock.mono()


class LiveRoom:
    """The channels of all cameras; one worker thread encodes for all.

    ``width``: pixels at most where nothing else is asked for. ``rate``: pictures a second of one channel at most.
    """

    def __init__(
        self,
        views: Mapping[str, LiveView],
        clock: Clock,
        *,
        width: int,
        rate: float,
        quality: int = JPEG_QUALITY,
    ) -> None:
        self._views = views
        self._clock = clock
        self._width = width
        self._rate = rate
        self._quality = quality
        self._worker = CapacityLimiter(1)
        self._channels: OrderedDict[tuple[str, bool, int], Channel] = OrderedDict()

    def channel(self, camera: str, *, boxes: bool, width: int | None = None) -> Channel | None:
        """The channel, None for an unknown camera. ``width``: rounded up to ``WIDTH_STEP``, the room's at most."""
        view = self._views.get(camera)
        if view is None:
            return None
        wide = self._width if width is None else min(self._width, max(1, -(-width // WIDTH_STEP)) * WIDTH_STEP)
        key = (camera, boxes, wide)
        if key not in self._channels:
            self._channels[key] = Channel(
                view, self._clock, self._worker, boxes=boxes, width=wide, rate=self._rate, quality=self._quality
            )
            while len(self._channels) > MOST_CHANNELS:
                self._channels.popitem(last=False)
        self._channels.move_to_end(key)
        return self._channels[key]

    async def snapshot(self, camera: str, width: int | None = None, *, boxes: bool = False) -> bytes:
        """The newest picture as a JPEG. Raises MediaUnavailable: unknown camera, no picture for ``SNAPSHOT_WAIT``."""
        channel = self.channel(camera, boxes=boxes, width=width)
        if channel is None:
            raise MediaUnavailable(f"there is no camera named {camera}")
        with anyio.move_on_after(SNAPSHOT_WAIT):
            return (await channel.newer(-1)).jpeg
        raise MediaUnavailable(f"camera {camera} has no picture yet")

"""Pictures for Pumatronix's addresses: a capture now with what was read on it in its comments, and the live stream.

A snapshot goes through the camera's own chain, so it is recorded and read like any capture; its pictures carry the
VTR600's tags, unsigned: the signature belongs to the picture of a passage. Encoding happens in worker threads.
May import ``lpr.core``, ``lpr.media``, ``lpr.protocols`` and OpenCV.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread
import cv2
import numpy as np

from lpr.core.blobs import BlobStore
from lpr.core.clock import SECOND, Clock
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.live import LiveView
from lpr.core.shutter import Shot, Shutter, ShutterRefused
from lpr.events import Exposure, Reading
from lpr.media.live import LiveRoom
from lpr.media.stream import MediaUnavailable
from lpr.protocols.pumatronix.cgi import Snapshot
from lpr.protocols.vtr600.comment import Fields, items_of
from lpr.protocols.vtr600.segments import JpegError, remove_comments
from lpr.protocols.vtr600.signature import add_comment

TRIGGER = "api"
REPEAT = 10.0
"""Seconds after which the last picture of the stream is sent again: finds out whether anybody is there."""


class NoPicture(Exception):
    """There is no picture to give. The text says why, for the one who asked."""


@dataclass(frozen=True, slots=True)
class PumatronixCamera:
    """``utc_offset``: minutes east of UTC, of the time in comments."""

    view: LiveView
    shutter: Shutter
    utc_offset: int


class Pictures:
    """``exposures``: of a snapshot that names none; ``timeout``: seconds that one may take; ``rate``: pictures a second
    of the stream at most."""

    def __init__(
        self,
        camera: PumatronixCamera,
        live: LiveRoom,
        blobs: BlobStore,
        clock: Clock,
        *,
        exposures: int,
        timeout: float,
        rate: float,
    ) -> None:
        self._camera = camera
        self._live = live
        self._blobs = blobs
        self._clock = clock
        self._exposures = exposures
        self._timeout = timeout
        self._gap = round(SECOND / rate)

    @property
    def frame_rate(self) -> float:
        """Frames a second of the source."""
        return self._camera.view.status.rate

    async def last(self) -> bytes:
        """The newest picture, JPEG. Raises NoPicture."""
        try:
            return await self._live.snapshot(self._camera.view.source)
        except MediaUnavailable as error:
            raise NoPicture(str(error)) from None

    async def snapshot(self, asked: Snapshot, who: str) -> list[bytes]:
        """The exposures of a capture taken now, JPEG, with comments. Raises NoPicture."""
        return await self.told(await self.fire(asked, f"snapshot for {who}"), asked)

    async def fire(self, asked: Snapshot, reason: str) -> Shot:
        """A capture, now. ``reason``: as the log has it. Raises NoPicture."""
        count = asked.exposures or self._exposures
        try:
            return await self._camera.shutter.fire(TRIGGER, reason, exposures=count, timeout=self._timeout)
        except ShutterRefused as error:
            raise NoPicture(str(error)) from None

    async def told(self, shot: Shot, asked: Snapshot) -> list[bytes]:
        """The exposures of a capture, JPEG, with comments. Raises NoPicture."""
        pictures: list[bytes] = []
        for index, exposure in enumerate(shot.exposures):
            try:
                jpeg = await self._blobs.get(exposure.picture.blob)
            except (BlobMissingError, BlobDamagedError) as error:
                raise NoPicture(str(error)) from None
            readings = [reading for at, reading in shot.readings if at == index]
            work = partial(told, jpeg, shot, exposure, readings, asked, self._camera.utc_offset)
            try:
                pictures.append(await anyio.to_thread.run_sync(work))
            except JpegError as error:
                raise NoPicture(f"the picture can't be used: {error}") from None
        return pictures

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """One JPEG after the other for ever, the last one again when none comes. Raises NoPicture."""
        channel = self._live.channel(self._camera.view.source, boxes=False)
        if channel is None:
            raise NoPicture("there is no such camera")
        yield await self.last()
        shot = await channel.newer(-1)
        while True:
            began = self._clock.mono()
            with anyio.move_on_after(REPEAT):
                shot = await channel.newer(shot.number)
            yield shot.jpeg
            await self._clock.sleep(max(0, began + self._gap - self._clock.mono()) / SECOND)


def told(
    jpeg: bytes, shot: Shot, exposure: Exposure, readings: Sequence[Reading], asked: Snapshot, utc_offset: int
) -> bytes:
    """The exposure with what was read on it in its comment. Raises JpegError. Blocking."""
    if asked.quality is not None:
        jpeg = _again(jpeg, asked.quality)
    plates = [reading for reading in readings if reading.text]
    fields = Fields(
        plates=tuple(reading.text for reading in plates),
        boxes=tuple(_box(reading) for reading in plates),
        at=exposure.at,
        utc_offset=utc_offset,
        others=(("LprCapture", shot.capture), *asked.texts),
    )
    return add_comment(remove_comments(jpeg), items_of(fields))


def _box(reading: Reading) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (max(round(side), 0) for side in reading.box)
    return x1, y1, max(x2 - x1, 0), max(y2 - y1, 0)


def _again(jpeg: bytes, quality: int) -> bytes:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise JpegError("it can't be decoded")
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise JpegError("it can't be encoded")
    return data.tobytes()


__all__ = ["NoPicture", "Pictures", "PumatronixCamera", "told"]

"""The live pictures: each frame is encoded once for all who look, in a worker thread, with the plates drawn on it.

Nothing is encoded while nobody looks. A slow viewer misses pictures and holds up nobody: there is no queue, each asks
for "newer than what I have seen". May import ``lpr.core``, ``lpr.events`` and OpenCV.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from anyio import CapacityLimiter, to_thread
from numpy.typing import NDArray

from lpr.core.clock import Clock
from lpr.core.frames import Frame
from lpr.core.live import LiveSnapshot, LiveView
from lpr.events import Reading

JPEG_QUALITY = 78
STALE_US = 1_200_000
"""A read picture so much older than the newest one is no longer shown (µs of the source's time)."""
COLOURS = ((0.9, (118, 196, 72)), (0.7, (60, 176, 240)), (0.0, (84, 84, 236)))
"""Smallest confidence -> BGR: green, amber, red."""
INK = (24, 20, 16)
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


def draw(image: NDArray[np.uint8], readings: tuple[Reading, ...], width: int) -> NDArray[np.uint8]:
    """``image`` (H, W, 3, BGR) at most ``width`` wide, a copy, with the outline and the text of each plate."""
    scale = min(1.0, width / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1.0 else image.copy()
    canvas = np.ascontiguousarray(shrunk, dtype=np.uint8)
    unit = max(size[0], 320) / 960
    for reading in readings:
        colour = next(bgr for least, bgr in COLOURS if reading.confidence >= least or least == 0.0)
        corners = np.array(reading.corners, dtype=np.float64) * scale
        outline = np.clip(np.rint(corners), -10000, 10000).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [outline], True, INK, max(3, round(5 * unit)), cv2.LINE_AA)
        cv2.polylines(canvas, [outline], True, colour, max(2, round(2.4 * unit)), cv2.LINE_AA)
        if reading.text:
            _label(canvas, f"{reading.text}  {round(reading.confidence * 100)}%", outline, colour, unit)
    return canvas


def _label(
    canvas: NDArray[np.uint8], text: str, outline: NDArray[np.int32], colour: tuple[int, int, int], unit: float
) -> None:
    font, size, weight = cv2.FONT_HERSHEY_DUPLEX, 0.62 * unit, max(1, round(1.2 * unit))
    (wide, high), _ = cv2.getTextSize(text, font, size, weight)
    pad = round(6 * unit)
    left = int(np.clip(outline[:, 0, 0].min(), 0, max(0, canvas.shape[1] - wide - 2 * pad)))
    top = int(outline[:, 0, 1].min()) - high - 3 * pad
    if top < 0:
        top = int(outline[:, 0, 1].max()) + pad
    cv2.rectangle(canvas, (left, top), (left + wide + 2 * pad, top + high + 2 * pad), INK, cv2.FILLED)
    cv2.rectangle(canvas, (left, top), (left + max(3, pad // 2), top + high + 2 * pad), colour, cv2.FILLED)
    cv2.putText(
        canvas, text, (left + pad + pad // 2, top + high + pad), font, size, (245, 245, 245), weight, cv2.LINE_AA
    )


def encode(image: NDArray[np.uint8], readings: tuple[Reading, ...], width: int) -> bytes:
    """A JPEG of ``draw``."""
    done, data = cv2.imencode(".jpg", draw(image, readings, width), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("OpenCV could not encode the live picture")
    return data.tobytes()


class Channel:
    """One camera, with or without boxes."""

    def __init__(self, view: LiveView, clock: Clock, worker: CapacityLimiter, *, boxes: bool, width: int, rate: float):
        self._view = view
        self._clock = clock
        self._worker = worker
        self._boxes = boxes
        self._width = width
        self._gap = round(1e6 / rate)
        self._turn = asyncio.Lock()
        self._shot: Shot | None = None
        self._shown: Chosen | None = None
        self._encoded_at = -self._gap
        self.encoded = 0

    async def newer(self, number: int) -> Shot:
        """The picture after ``number`` (-1: the newest there is), as soon as there is one; bounded in rate."""
        while True:
            snapshot = self._view.snapshot()
            chosen = choose(snapshot, self._boxes)
            fresh = chosen is None or self._shows(chosen)
            if self._shot is not None and self._shot.number > number and (fresh or number >= 0):
                return self._shot
            if fresh:
                await self._view.wait_newer(snapshot.version)
            else:
                await self._encode()

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
            jpeg = await to_thread.run_sync(encode, frame.image, readings, self._width, limiter=self._worker)
            self.encoded += 1
            self._shot, self._shown = Shot(self.encoded, jpeg), chosen
            self._encoded_at = self._clock.mono()


class LiveRoom:
    """The channels of all cameras; one worker thread encodes for all."""

    def __init__(self, views: Mapping[str, LiveView], clock: Clock, *, width: int, rate: float) -> None:
        self._views = views
        self._clock = clock
        self._width = width
        self._rate = rate
        self._worker = CapacityLimiter(1)
        self._channels: dict[tuple[str, bool], Channel] = {}

    def channel(self, camera: str, *, boxes: bool) -> Channel | None:
        """The channel, None for an unknown camera."""
        view = self._views.get(camera)
        if view is None:
            return None
        key = (camera, boxes)
        if key not in self._channels:
            self._channels[key] = Channel(
                view, self._clock, self._worker, boxes=boxes, width=self._width, rate=self._rate
            )
        return self._channels[key]

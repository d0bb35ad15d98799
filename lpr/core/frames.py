"""Frames, and the slot that hands them on: pixels live in memory only and never enter the log.

A lossy slot holds the latest item: when the taker is slower, older frames are overwritten and counted, so a camera
never builds up a backlog. A lossless slot makes the giver wait: a file loses nothing. It may have room for several
items, so that giver and taker wake each other less often. One giver, any takers.
May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel
import numpy as np
from numpy.typing import NDArray

from lpr.events import Micros

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    ``source``: its name. ``position``: index in the source, from 0 over every decoded frame. ``at``: the frame's
    own time. ``image``: (height, width, 3) uint8, BGR, never written to.
    """

    source: str
    position: int
    at: Micros
    image: NDArray[np.uint8]


class SlotClosed(Exception):
    """The giver has closed the slot and everything in it was taken."""


class Slot(Generic[T]):
    """A place between two tasks. ``dropped``: items overwritten before anyone took them.

    ``room``: items that a lossless slot holds before its giver waits; may be changed at any time.
    """

    def __init__(self, lossy: bool = True, room: int = 1) -> None:
        self.lossy = lossy
        self.room = room
        self.dropped = 0
        self._items: deque[T] = deque()
        self._closed = False
        self._changed: anyio.Event | None = None  # made by whoever waits

    async def put(self, item: T) -> None:
        """Hand over ``item``. Lossy: at once; otherwise waits for the place to be free. Raises SlotClosed."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        while not self.lossy and len(self._items) >= self.room and not self._closed:
            await self._change()
        if self._closed:
            raise SlotClosed
        if self.lossy and self._items:
            self.dropped += 1
            self._items.clear()
        self._items.append(item)
        self._announce()

    async def get(self) -> T:
        """Take the oldest item; waits for one. Raises SlotClosed once the slot is closed and empty."""
        await self._filled()
        item = self._items.popleft()
        self._announce()
        return item

    async def get_all(self) -> list[T]:
        """Take every item, oldest first; waits for one. Raises SlotClosed once the slot is closed and empty."""
        await self._filled()
        items = list(self._items)
        self._items.clear()
        self._announce()
        return items

    def close(self) -> None:
        """Nothing more will come. What is still in the slot can be taken."""
        self._closed = True
        self._announce()

    async def _filled(self) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()
        while not self._items:
            if self._closed:
                raise SlotClosed
            await self._change()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def _announce(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

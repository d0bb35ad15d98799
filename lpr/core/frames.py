"""Frames, and the slot that hands them on: pixels live in memory only and never enter the log.

A lossy slot holds the latest item: when the taker is slower, older frames are overwritten and counted, so a camera
never builds up a backlog. A lossless slot makes the giver wait: a file loses nothing. One giver, any takers.
May import ``lpr.events`` only.
"""

from __future__ import annotations

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
    """A place for one item between two tasks. ``dropped``: items overwritten before anyone took them."""

    def __init__(self, lossy: bool = True) -> None:
        self.lossy = lossy
        self.dropped = 0
        self._item: tuple[T] | None = None
        self._closed = False
        self._changed: anyio.Event | None = None  # made by whoever waits

    async def put(self, item: T) -> None:
        """Hand over ``item``. Lossy: at once; otherwise waits for the place to be free. Raises SlotClosed."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        while not self.lossy and self._item is not None and not self._closed:
            await self._change()
        if self._closed:
            raise SlotClosed
        if self._item is not None:
            self.dropped += 1
        self._item = (item,)
        self._announce()

    async def get(self) -> T:
        """Take the item; waits for one. Raises SlotClosed once the slot is closed and empty."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        while self._item is None:
            if self._closed:
                raise SlotClosed
            await self._change()
        item = self._item[0]
        self._item = None
        self._announce()
        return item

    def close(self) -> None:
        """Nothing more will come. What is still in the slot can be taken."""
        self._closed = True
        self._announce()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def _announce(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

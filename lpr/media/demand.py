"""A stream that works while somebody watches: started by the first viewer, stopped some time after the last.

May import this room.
"""

from __future__ import annotations

import logging
from abc import abstractmethod

import anyio

from lpr.core.clock import Clock
from lpr.media.stream import MediaStream, MediaUnavailable

LINGER = 2.0
"""Seconds that a stream goes on after its last viewer has left, since players often come back at once."""

_logger = logging.getLogger(__name__)


class OnDemand(MediaStream):
    """``run`` is to be started once; ``produce`` is what a subclass does while there are viewers."""

    def __init__(self, name: str, clock: Clock, payload_type: int, clock_rate: int, linger: float = LINGER) -> None:
        super().__init__(name, clock, payload_type, clock_rate)
        self._linger = linger
        self._changed: anyio.Event | None = None
        self._over = False
        self.running = False

    @abstractmethod
    async def produce(self) -> None:
        """Deliver frames until cancelled; returns when the source has ended. Raises MediaUnavailable."""

    async def run(self) -> None:
        """Serve whoever comes, until ``retire``."""
        while True:
            while not self.viewers:
                if self._over:
                    return
                await self._change()
            self.running = True
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._work, tasks.cancel_scope)
                    await self._unwanted()
                    tasks.cancel_scope.cancel()
            finally:
                self.running = False

    def retire(self, reason: str) -> None:
        """Another stream takes its place: its viewers are told ``reason``, and ``run`` returns."""
        self._over = True
        self.fail(reason)
        self._announce()

    def started(self) -> None:
        """See MediaStream."""
        self._announce()

    def stopped(self) -> None:
        """See MediaStream."""
        self._announce()

    async def _work(self, scope: anyio.CancelScope) -> None:
        try:
            await self.produce()
            self.fail(f"{self.name} has ended")
        except MediaUnavailable as error:
            _logger.warning("%s: %s", self.name, error)
            self.fail(str(error))
        except Exception:
            # One stream's fault is no reason to take the others down, and nothing that a camera or a library gives
            # may end the service.
            _logger.exception("%s failed", self.name)
            self.fail(f"{self.name} failed; the service's messages say why")
        scope.cancel()

    async def _unwanted(self) -> None:
        while True:
            while self.viewers:
                await self._change()
            await self.clock.sleep(self._linger)
            if not self.viewers:
                return

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def _announce(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

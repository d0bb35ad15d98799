"""Writing to one client of a server: straight into its socket, nothing copied, nothing held.

What the kernel does not take stays in the shared message, and while the client takes nothing not even that is held:
the message is asked for again when there is room. So a stalled client costs its socket and a few numbers, whatever a
passage weighs. Deadlines are data (``deadline``): whoever watches the clients acts on them. Sockets are non-blocking,
as ``lpr.core.sockets.prepare`` makes them. May import ``lpr.events`` and anyio.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import anyio

from lpr.core.clock import SECOND, Clock
from lpr.core.feed import Feed
from lpr.events import Micros


class Dropped(Exception):
    """The connection has to end. ``reason``: for ClientLeft; ``offence``: how it is counted, "" when it is none."""

    def __init__(self, reason: str, offence: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.offence = offence


class Sender:
    """``timeout``: seconds in which the client has to take a byte. ``stalled``: called when a deadline begins to run.

    ``deadline``: monotonic µs by which the client has to take a byte, None while it keeps up. ``written``: bytes given
    to the kernel in all.
    """

    def __init__(self, sock: socket.socket, clock: Clock, timeout: float, stalled: Callable[[], None]) -> None:
        self._sock = sock
        self._clock = clock
        self._timeout = round(timeout * SECOND)
        self._stalled = stalled
        self.written = 0
        self.deadline: Micros | None = None

    async def send(self, data: bytes) -> None:
        """All of ``data``. Raises OSError."""
        offset = self._push(data, 0)
        while offset < len(data):
            await self._writable()
            offset = self._push(data, offset)

    async def send_passage(self, feed: Feed, number: int) -> bool:
        """The passage of record ``number``; False: there is nothing to send of it. Raises OSError and Dropped."""
        message = feed.ready(number) or await feed.message(number)
        if message is None:
            return False
        length, offset = len(message), self._push(message, 0)
        while offset < length:
            message = None
            await self._writable()
            message = feed.ready(number) or await feed.message(number)
            if message is None or len(message) != length:
                raise Dropped("a picture was removed while it was being sent")
            offset = self._push(message, offset)
        return True

    def finish(self) -> None:
        """Nothing more will be sent: lets what was written out before the connection closes."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _push(self, message: bytes, offset: int) -> int:
        """As much of ``message`` from ``offset`` as the kernel takes now. Gives the new offset."""
        view = memoryview(message)
        try:
            while offset < len(message):
                taken = self._sock.send(view[offset:])
                offset += taken
                self.written += taken
        except (BlockingIOError, InterruptedError):
            return offset
        return offset

    async def _writable(self) -> None:
        """Until the kernel takes more; the deadline runs meanwhile."""
        self.deadline = self._clock.mono() + self._timeout
        self._stalled()
        await anyio.wait_writable(self._sock)
        self.deadline = None

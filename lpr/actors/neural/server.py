"""The socket server: whoever may connect gets every passage from then on, and says nothing.

A reader that stalls costs its socket (``lpr.core.sending``); one that takes nothing for ``send_timeout`` is dropped.
There is no name to know a reader by, so one that comes back begins with what comes.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``. Runs on asyncio and trio.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

import anyio
import anyio.lowlevel

from lpr.actors.neural.listening import Connection, Listener, Listens, Rules, both, nothing, receive
from lpr.actors.neural.writing import Writer
from lpr.config import NeuralServer as Settings
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.feed import Feed
from lpr.core.log import EventLog
from lpr.core.pipeline import Emit
from lpr.core.sending import Dropped, Sender
from lpr.events import BlobMissing, Micros

CACHE = 16 * 1024 * 1024
"""Bytes of built messages kept for all readers of a server."""
BURST = 262_144
"""Bytes sent to one reader in a row before the others have their turn; a passage counts as 4096 at least."""


class NeuralServer(Listens):
    """The actor. ``lane_numbers``: camera -> LaneID. ``utc_offset``: local time of the messages. ``cache``: see CACHE.

    ``started``, ``addresses``: see ``Listener``. Raises ValueError for an ``allow`` that makes no sense.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        log: EventLog,
        blobs: BlobStore,
        clock: Clock,
        lane_numbers: Mapping[str, int] | None = None,
        utc_offset: str = "+00:00",
        cache: int = CACHE,
        tick: float = 1.0,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._log = log
        self._blobs = blobs
        self._clock = clock
        self._cache = cache
        self._writer = Writer(settings, lane_numbers=lane_numbers or {}, utc_offset=utc_offset)
        rules = Rules(
            host=settings.host,
            port=settings.port,
            allow=settings.allow,
            max_clients=settings.max_clients,
            max_clients_per_address=settings.max_clients_per_address,
            connects=settings.connects,
            buffer=settings.buffer,
            tick=min(tick, settings.send_timeout / 2),
            lasting=True,
        )
        self.listener = Listener(self.name, rules, clock, self._connection)
        self._begin()

    def _begin(self) -> None:
        self._readers: set[_Reader] = set()
        self._emit: Emit | None = None
        self.feed = Feed(
            self._log,
            self._blobs,
            encode=self._writer.message,
            images=self._writer.images,
            cache=self._cache,
            server=self.name,
            noticed=self._noticed,
        )

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled. Raises ListenError, LogUnavailable."""
        self._begin()
        await self.listener.run(emit, lambda: self._log.head, self._follow)

    async def _follow(self) -> None:
        await self.feed.follow(self._wake_all)

    def _wake_all(self) -> None:
        for reader in self._readers:
            reader.wake()

    def _noticed(self, event: BlobMissing) -> None:
        self.listener.tell(event)

    def _connection(self, sock: socket.socket, number: int, address: str) -> Connection:
        del number, address
        sender = Sender(sock, self._clock, self._settings.send_timeout, nothing)
        return _Reader(sock, sender, self.feed, self._log.head, self._settings.max_input, self._readers)


class _Reader:
    """One reader. ``position``: the record after which it begins. ``readers``: where it is listed while it lives."""

    def __init__(
        self, sock: socket.socket, sender: Sender, feed: Feed, position: int, max_input: int, readers: set[_Reader]
    ) -> None:
        self._sock = sock
        self._sender = sender
        self._feed = feed
        self._position = position
        self._max_input = max_input
        self._readers = readers
        self._news = anyio.Event()
        self.sent = 0

    def wake(self) -> None:
        """There may be something new."""
        self._news.set()

    def look(self, now: Micros) -> None:
        """Raises Dropped when the reader takes nothing."""
        if self._sender.deadline is not None and self._sender.deadline <= now:
            raise Dropped("too slow", "too slow")

    async def serve(self) -> None:
        """Both directions at once; the first to end ends the other."""
        self._readers.add(self)
        try:
            await both(self._listen, self._talk)
        finally:
            self._readers.discard(self)

    async def _listen(self) -> None:
        """Until the reader closes; what it says means nothing."""
        heard = 0
        while data := await receive(self._sock):
            heard += len(data)
            if heard > self._max_input:
                raise Dropped("it sends what nobody asked for", "unasked input")

    async def _talk(self) -> None:
        burst = 0
        while True:
            news = self._news = anyio.Event()
            numbers = await self._feed.after(self._position)
            for number in numbers:
                before = self._sender.written
                self.sent += await self._sender.send_passage(self._feed, number)
                self._position = number
                burst += self._sender.written - before + BURST // 64
                if burst >= BURST:
                    burst = 0
                    await anyio.lowlevel.checkpoint()
            if not numbers:
                await news.wait()

"""Captures as they happen, for clients that wait for triggered pictures: one reader of the log, a short queue for each.

Whatever took a capture (motion, free flow, a socket, an address of this API): once it is recorded with pictures, every
client that waits gets it. A client that is slower than the captures loses the oldest ones and is told how many.
May import ``lpr.core`` and ``lpr.events``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from lpr.core.errors import LogUnavailable, RecordError
from lpr.core.passed import Waitable
from lpr.core.record import Link, Record
from lpr.core.shutter import Shot
from lpr.events import CaptureTaken, PlateRead

TYPES = frozenset({CaptureTaken.__name__, PlateRead.__name__})
PAGE = 500
"""Records read at once."""
RETRY = 1.0
"""Seconds until the log is asked again when it can't be read."""


class TooManyWaiting(Exception):
    """As many clients wait as may. The text says how many."""


@dataclass(frozen=True, slots=True)
class Taken:
    """``lost``: captures that this client missed since the one before."""

    shot: Shot
    lost: int


class Waiting:
    """A client's captures. ``since``: the record behind which they begin; ``queue``: how many may wait for it."""

    def __init__(self, since: int, queue: int) -> None:
        self.since = since
        self.ended = False
        """The service stops; nothing more comes."""
        self._shots: deque[Shot] = deque()
        self._queue = queue
        self._lost = 0
        self._rung = anyio.Event()

    async def next(self) -> Taken | None:
        """The oldest capture that waits, as soon as there is one; None at the end."""
        while not self._shots:
            if self.ended:
                return None
            self._rung = anyio.Event()
            await self._rung.wait()
        lost, self._lost = self._lost, 0
        return Taken(self._shots.popleft(), lost)

    def put(self, shot: Shot) -> None:
        """One more capture; the oldest goes where there is no room."""
        if len(self._shots) >= self._queue:
            self._shots.popleft()
            self._lost += 1
        self._shots.append(shot)
        self._rung.set()

    def end(self) -> None:
        """Nothing more comes; what waits is still given."""
        self.ended = True
        self._rung.set()


class Triggers:
    """``source``: the camera's name; ``clients``: that may wait at a time; ``queue``: captures that wait for each."""

    def __init__(self, log: Waitable, source: str, *, clients: int, queue: int) -> None:
        self._log = log
        self._source = source
        self._most = clients
        self._queue = queue
        self._clients: list[Waiting] = []
        self._joined = anyio.Event()

    async def run(self) -> None:
        """Hands captures out while somebody waits, until cancelled; then every client's end has come."""
        position = 0
        try:
            while True:
                while not self._clients:
                    self._joined = anyio.Event()
                    await self._joined.wait()
                position = max(position, min(client.since for client in self._clients))
                try:
                    position = await self._step(position)
                except LogUnavailable:
                    await anyio.sleep(RETRY)
        finally:
            for client in self._clients:
                client.end()

    @contextmanager
    def waiting(self) -> Generator[Waiting]:
        """A place for a client: captures recorded from now on. Raises TooManyWaiting."""
        if len(self._clients) >= self._most:
            raise TooManyWaiting(f"{self._most} clients wait for captures already")
        client = Waiting(self._log.head, self._queue)
        self._clients.append(client)
        self._joined.set()
        try:
            yield client
        finally:
            self._clients.remove(client)

    async def _step(self, position: int) -> int:
        """Give what was recorded after ``position`` and wait for more; how far it came."""
        head = self._log.head
        page = await self._log.read(position, types=TYPES, limit=PAGE, upto=head)
        full = len(page) >= PAGE
        if full:
            page = _whole(page)
        for at, shot in shots(page, self._source):
            for client in self._clients:
                if at > client.since:
                    client.put(shot)
        if full:
            return page[-1].seq
        await self._log.wait(head)
        return head


def shots(records: Sequence[Record], source: str) -> Iterator[tuple[int, Shot]]:
    """(number of its record, capture) for each capture of ``source`` with pictures; its readings follow it.

    A record that can't be decoded is passed over.
    """
    taken: tuple[int, CaptureTaken] | None = None
    reads: list[PlateRead] = []
    for record in records:
        try:
            event = record.event
        except RecordError:
            continue
        if isinstance(event, CaptureTaken) and event.source == source:
            if taken is not None:
                yield taken[0], _shot(taken[1], reads)
            taken, reads = ((record.seq, event) if event.exposures else None), []
        elif isinstance(event, PlateRead) and taken is not None and event.capture == taken[1].capture:
            reads.append(event)
    if taken is not None:
        yield taken[0], _shot(taken[1], reads)


def _shot(taken: CaptureTaken, reads: Sequence[PlateRead]) -> Shot:
    readings = tuple((read.exposure, read.reading) for read in reads)
    return Shot(capture=taken.capture, at=taken.at, exposures=taken.exposures, readings=readings)


def _whole(page: list[Link]) -> list[Link]:
    """Without the last capture, whose readings may be on the next page; whole, where it is the only one."""
    last = next((at for at in range(len(page) - 1, 0, -1) if page[at].type == CaptureTaken.__name__), len(page))
    return page[:last]


__all__ = ["Taken", "TooManyWaiting", "Triggers", "Waiting", "shots"]

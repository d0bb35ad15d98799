"""The reading side of a log: pages of records, from any task, also beside a running service.

Each page is one statement, fetched whole and closed; what is awaited afterwards holds nothing back. May import
``lpr.events`` only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

import anyio

from lpr.core import store
from lpr.core.clock import Clock
from lpr.core.errors import LogFormatError
from lpr.core.inputs import Evolve, Inputs
from lpr.core.offload import Offload, in_thread
from lpr.core.record import Link, seq_of, tag_of

S = TypeVar("S")
T = TypeVar("T")

PAGE = 500
"""Records in a page when the reader doesn't say otherwise."""

FOLDED = 200
"""Records that a fold takes from the file at a time: few enough to be folded while a processor has them at hand."""

PAGES = 50
"""How many times it does so in one hop to a thread."""

MAX_PAGE = 10_000
"""Records in a page at most."""

CONNECTIONS = 4
"""Readers of one log that run at the same time; others wait their turn."""

POLL = 0.25
"""A reader beside a running service looks for new records this often, in seconds."""


class Readable(Protocol):
    """What ``EventLog`` and ``LogReader`` both can do."""

    @property
    def log_id(self) -> str:
        """32 hex digits, made with the log."""
        ...

    @property
    def path(self) -> Path:
        """The log's file."""
        ...

    async def read(
        self, after: int, *, types: Collection[str] | None = None, limit: int = PAGE, upto: int | None = None
    ) -> list[Link]:
        """Records with a sequence number over ``after`` and, with ``upto``, not over that; oldest first."""
        ...

    async def read_back(
        self, before: int | None = None, *, types: Collection[str] | None = None, limit: int = PAGE
    ) -> list[Link]:
        """Records with a sequence number under ``before`` (none: from the end), newest first."""
        ...

    async def get(self, seq: int) -> Link | None:
        """The record ``seq``, None when there is none (any more)."""
        ...

    async def by_id(self, record_id: str) -> Link | None:
        """The record of that id; None for an unknown or malformed one."""
        ...

    async def fold(self, inputs: Inputs, evolve: Evolve[S], state: S, *, after: int = 0, upto: int | None = None) -> S:
        """``state`` after every input over ``after`` and, with ``upto``, not over that.

        Much faster than reading pages. ``evolve`` is called in another thread, on one record after the other. Raises
        RecordError for a body that doesn't fit, and what ``evolve`` raises.
        """
        ...

    async def cursor(self, actor: str) -> int:
        """How far ``actor`` has come; 0 when it has no cursor."""
        ...

    async def baseline(self, actor: str) -> Link | None:
        """The latest Baseline of ``actor``."""
        ...


class _Step(NamedTuple, Generic[S]):
    """How far a fold has come. ``done``: there is nothing after it."""

    state: S
    after: int
    done: bool = False


class Pages:
    """A few read-only connections to one log, and the queries over them."""

    def __init__(self, path: Path, log_id: str, offload: Offload, busy_timeout: float) -> None:
        self.path = path
        self.log_id = log_id
        self._tag = tag_of(log_id)
        self._offload = offload
        self._busy_timeout = busy_timeout
        self._idle: list[sqlite3.Connection] = []
        self._limit = anyio.Semaphore(CONNECTIONS)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` on a connection, off the event loop. Raises LogUnavailable, LogDamagedError."""
        async with self._limit:
            return await self._offload(partial(self._run, work))

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                return work(connection)
            finally:
                self._idle.append(connection)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise store.refusal(error, self.path) from error

    def _connect(self) -> sqlite3.Connection:
        return store.connect(self.path, busy_timeout=self._busy_timeout, read_only=True)

    async def read(
        self, after: int, *, types: Collection[str] | None = None, limit: int = PAGE, upto: int | None = None
    ) -> list[Link]:
        limit = min(limit, MAX_PAGE)
        return await self.run(lambda c: store.query(c, self._tag, after, upto, types, limit))

    async def read_back(
        self, before: int | None = None, *, types: Collection[str] | None = None, limit: int = PAGE
    ) -> list[Link]:
        limit = min(limit, MAX_PAGE)
        return await self.run(lambda c: store.query_back(c, self._tag, before, types, limit))

    async def fold(self, inputs: Inputs, evolve: Evolve[S], state: S, *, after: int = 0, upto: int | None = None) -> S:
        step: _Step[S] = _Step(state, after)
        while not step.done:
            async with self._limit:
                step = await self._offload(partial(self._fold, inputs, evolve, step, upto))
        return step.state

    def _fold(self, inputs: Inputs, evolve: Evolve[S], step: _Step[S], upto: int | None) -> _Step[S]:
        """Some pages more. No statement is open while ``evolve`` runs, and nothing it raises is taken for SQLite's."""
        state, after = step.state, step.after
        for _ in range(PAGES):
            rows = self._run(partial(store.query_rows, after=after, upto=upto, types=inputs.types, limit=FOLDED))
            full, after = len(rows) == FOLDED, rows[-1][0] if rows else after
            state = inputs.fold(rows, self._tag, evolve, state)
            if not full:
                return _Step(state, after, True)
            del rows
        return _Step(state, after)

    async def get(self, seq: int) -> Link | None:
        return await self.run(lambda c: store.query_one(c, self._tag, seq))

    async def by_id(self, record_id: str) -> Link | None:
        try:
            seq = seq_of(record_id)
        except ValueError:
            return None
        found = await self.get(seq)
        return found if found is not None and found.id == record_id.lower() else None

    async def cursor(self, actor: str) -> int:
        return (await self.run(lambda c: store.query_cursor(c, actor)))[0]

    async def cursors(self) -> dict[str, tuple[int, int]]:
        """Every actor's (cursor, sequence number of its latest Baseline)."""
        return await self.run(store.query_cursors)

    async def kept(self) -> frozenset[int]:
        """Sequence numbers of the records that stay before retention's cut."""
        return await self.run(store.query_kept)

    async def baseline(self, actor: str) -> Link | None:
        _, seq = await self.run(lambda c: store.query_cursor(c, actor))
        return await self.get(seq) if seq else None

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class LogReader(Pages):
    """Reads a log's file, whether or not a service is writing it. ``async with LogReader.open(path, clock) as log``."""

    def __init__(self, path: Path, log_id: str, offload: Offload, busy_timeout: float, clock: Clock) -> None:
        super().__init__(path, log_id, offload, busy_timeout)
        self._clock = clock

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, clock: Clock, *, offload: Offload = in_thread, busy_timeout: float = 5.0
    ) -> AsyncGenerator[LogReader]:
        """Raises FileNotFoundError, LogFormatError, LogDamagedError, LogUnavailable."""

        def identify() -> str:
            if not path.exists():
                raise FileNotFoundError(f"{path}: no log there; name the data folder of the service")
            try:
                connection = store.connect(path, busy_timeout=busy_timeout, read_only=True)
                try:
                    if store.is_empty(connection):
                        raise FileNotFoundError(f"{path}: the log is only just being made; try again")
                    return store.check_format(connection, path)
                finally:
                    connection.close()
            except sqlite3.Error as error:
                raise store.refusal(error, path) from error

        reader = cls(path, await offload(identify), offload, busy_timeout, clock)
        try:
            yield reader
        finally:
            reader.close()

    async def head(self) -> int:
        """The last sequence number, 0 when the log is empty."""
        return await self.run(store.query_head)

    async def wait(self, after: int) -> int:
        """The head, as soon as it is over ``after``. Looks every ``POLL`` seconds."""
        while (head := await self.head()) <= after:
            await self._clock.sleep(POLL)
        return head


__all__ = ["LogFormatError", "LogReader", "Pages", "Readable"]

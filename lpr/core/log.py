"""The event log: the only shared thing. Append, and be read by everybody.

Rules
- One writer: appends wait in a bounded queue; a batch of them is one transaction (``lpr.core.batches``).
- An append is durable when it returns, whole when it exists at all, and stamped with the time at which it got into
  the queue. A cancelled append that no batch has taken yet is taken back; otherwise it is written whole.
- Numbers rise by one, are never used twice, and alone say what came first: clocks may jump.
- Recent records stay in a ring in memory, so actors that keep up don't read the file.

May import ``lpr.events`` only. SQLite itself is in ``lpr.core.store``, reading in ``lpr.core.reader``, what happens
to a damaged file in ``lpr.core.salvage``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import anyio

from lpr.core import store
from lpr.core.batches import Batches, BatchSettings
from lpr.core.clock import Clock
from lpr.core.errors import (
    LogClosedError,
    LogDamagedError,
    LogFormatError,
    LogLockedError,
    LogUnavailable,
)
from lpr.core.inputs import Evolve, Inputs
from lpr.core.offload import Offload, in_thread
from lpr.core.opening import Stamp, open_store
from lpr.core.reader import PAGE, LogReader, Pages
from lpr.core.record import CODEC, Link, seq_of
from lpr.core.writer import Statements, Writer
from lpr.events import Event, LogRecovered

__all__ = [
    "EventLog",
    "LogClosedError",
    "LogDamagedError",
    "LogFormatError",
    "LogLockedError",
    "LogReader",
    "LogSettings",
    "LogUnavailable",
    "Settings",
]

S = TypeVar("S")
T = TypeVar("T")


class LogSettings(BatchSettings, Protocol):
    """What the log needs of the configuration; ``lpr.config.Log`` fits."""

    @property
    def ring(self) -> int:
        """Recent records kept in memory."""
        ...

    @property
    def busy_timeout(self) -> float:
        """Seconds to wait for another program's lock."""
        ...


@dataclass(frozen=True)
class Settings:
    """``LogSettings`` with its defaults."""

    batch: int = 256
    queue: int = 4096
    ring: int = 2048
    busy_timeout: float = 5.0


class EventLog:
    """An open log. Made by ``EventLog.open``; its methods are for the event loop it was opened in.

    ``recovered``: what opening it had to do to a damaged file. ``positions``: how far each running actor has
    read, kept by the loops of ``lpr.core.actor`` for the status page.
    """

    def __init__(self, writer: Writer, pages: Pages, clock: Clock, settings: LogSettings, offload: Offload) -> None:
        self.positions: dict[str, int] = {}
        self.recovered: tuple[LogRecovered, ...] = ()
        self._writer = writer
        self._pages = pages
        self._batches = Batches(writer, clock, settings, offload, self._publish)
        self._encode = CODEC.encoder()
        self._grown: anyio.Event | None = None
        self._head = writer.head
        self._ring: list[Link] = []
        self._ring_size = settings.ring

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, clock: Clock, settings: LogSettings | None = None, *, offload: Offload = in_thread
    ) -> AsyncGenerator[EventLog]:
        """Open the log at ``path`` for writing; makes it when there is none. One process at a time.

        A file that was damaged is salvaged: what can be read is carried into a new file, the old one is kept
        beside it, and LogRecovered says so.
        Raises LogLockedError, LogFormatError, LogUnavailable.
        """
        settings = settings or Settings()
        stamp = Stamp(clock.wall(), clock.mono(), clock.boot, clock.random_bytes(16).hex())
        opened = await offload(partial(open_store, path, stamp, settings.busy_timeout))
        try:
            pages = Pages(path, opened.writer.log_id, offload, settings.busy_timeout)
            try:
                log = cls(opened.writer, pages, clock, settings, offload)
                log.recovered = opened.recovered
                async with _ungrouped(), anyio.create_task_group() as tasks:
                    tasks.start_soon(log._batches.run)
                    try:
                        yield log
                    finally:
                        log._batches.close()
            finally:
                pages.close()
        finally:
            with anyio.CancelScope(shield=True):
                await offload(opened.close)

    @property
    def log_id(self) -> str:
        return self._writer.log_id

    @property
    def path(self) -> Path:
        return self._writer.path

    @property
    def head(self) -> int:
        """The last durable sequence number, 0 when the log is empty."""
        return self._head

    @property
    def waiting(self) -> int:
        """Events that were appended and are not written yet."""
        return self._batches.waiting

    @property
    def head_hash(self) -> bytes:
        """The chain hash at the head."""
        return self._writer.hash

    # --- writing ---------------------------------------------------------------------------------------

    async def append(
        self,
        events: Sequence[Event],
        *,
        actor: str,
        cause: int | Sequence[int] = 0,
        cursor: int | None = None,
        also: Statements | None = None,
    ) -> tuple[Link, ...]:
        """Write ``events`` under consecutive numbers, all or none; returns when they are durable.

        ``cause``: the record that they follow from, or one for each event. ``cursor``: the actor's cursor moves
        there in the same transaction (never back). ``also``: further statements in it, for retention alone.
        Waits while the queue is full.
        Raises LogUnavailable (nothing was written; may be retried), LogClosedError, LogDamagedError, and
        ValueError for an event that isn't in the vocabulary.
        """
        causes = (cause,) * len(events) if isinstance(cause, int) else tuple(cause)
        encoded = tuple(map(self._encode, events))
        return await self._batches.append(encoded, actor, causes, cursor, also)

    async def maintain(self, job: Callable[[Writer], T]) -> T:
        """Run ``job`` on the writer's connection, in its turn (retention)."""
        return await self._batches.run_job(job)

    async def delete(self, seqs: Sequence[int]) -> None:
        """Delete records in one transaction (retention, which alone knows that nobody needs them)."""
        if not seqs:
            return
        await self.maintain(lambda writer: writer.transact(lambda connection: store.delete(connection, seqs)))
        if self._ring:
            del self._ring[: max(0, max(seqs) + 1 - self._ring[0].seq)]

    def _publish(self, written: Sequence[Sequence[Link]], head: int) -> None:
        ring, size = self._ring, self._ring_size
        for records in written:
            ring.extend(records)
        if len(ring) > 2 * size:
            del ring[: len(ring) - size]
        if head > self._head:
            self._head = head
            if self._grown is not None:
                self._grown.set()
                self._grown = None

    # --- reading ---------------------------------------------------------------------------------------

    async def read(
        self, after: int, *, types: Collection[str] | None = None, limit: int = PAGE, upto: int | None = None
    ) -> list[Link]:
        """Records over ``after`` and, with ``upto``, not over that; oldest first. Raises LogUnavailable."""
        last = self._head if upto is None else min(upto, self._head)
        if after >= last:
            return []
        ring = self._ring
        if ring and after >= ring[0].seq - 1:
            first = ring[0].seq
            recent = ring[after + 1 - first : last + 1 - first]
            if types is not None:
                recent = [record for record in recent if record.type in types]
            return recent[:limit]
        return await self._pages.read(after, types=types, limit=limit, upto=last)

    async def read_back(
        self, before: int | None = None, *, types: Collection[str] | None = None, limit: int = PAGE
    ) -> list[Link]:
        """Records under ``before`` (none: from the end), newest first. Raises LogUnavailable."""
        return await self._pages.read_back(before, types=types, limit=limit)

    async def fold(self, inputs: Inputs, evolve: Evolve[S], state: S, *, after: int = 0, upto: int | None = None) -> S:
        """``state`` after every input over ``after`` and, with ``upto``, not over that. Raises LogUnavailable.

        ``evolve`` is called in another thread, on one record after the other.
        """
        last = self._head if upto is None else min(upto, self._head)
        return await self._pages.fold(inputs, evolve, state, after=after, upto=last)

    async def get(self, seq: int) -> Link | None:
        """The record ``seq``, None when there is none (any more)."""
        ring = self._ring
        if ring and ring[0].seq <= seq <= ring[-1].seq:
            return ring[seq - ring[0].seq]
        return await self._pages.get(seq)

    async def by_id(self, record_id: str) -> Link | None:
        """The record of that id; None for an unknown or malformed one."""
        try:
            record = await self.get(seq_of(record_id))
        except ValueError:
            return None
        return record if record is not None and record.id == record_id.lower() else None

    async def wait(self, after: int) -> int:
        """The head, as soon as it is over ``after``."""
        while self._head <= after:
            if self._grown is None:
                self._grown = anyio.Event()
            await self._grown.wait()
        return self._head

    async def cursor(self, actor: str) -> int:
        """How far ``actor`` has come; 0 when it has no cursor."""
        return await self._pages.cursor(actor)

    async def cursors(self) -> dict[str, tuple[int, int]]:
        """Every actor's (cursor, sequence number of its latest Baseline)."""
        return await self._pages.cursors()

    async def kept(self) -> frozenset[int]:
        """Sequence numbers of the records that stay before retention's cut."""
        return await self._pages.kept()

    async def baseline(self, actor: str) -> Link | None:
        """The latest Baseline of ``actor``."""
        return await self._pages.baseline(actor)


@asynccontextmanager
async def _ungrouped() -> AsyncGenerator[None]:
    """The writer raises nothing, so a group of one is what the log's user raised: it is passed on as it was."""
    alone: BaseException | None = None
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) != 1:
            raise
        alone = group.exceptions[0]
    if alone is not None:
        raise alone

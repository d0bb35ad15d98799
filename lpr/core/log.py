"""The event log: the only shared thing. Append, and be read by everybody.

Rules
- One writer: appends wait in a bounded queue; a batch of them is one transaction and one hop to a worker thread.
- An append is durable when it returns, whole when it exists at all, and stamped with the time at which its batch
  was formed. A cancelled append that no batch has taken yet is taken back; otherwise it is written whole.
- Numbers rise by one, are never used twice, and alone say what came first: clocks may jump.
- Recent records stay in a ring in memory, so actors that keep up don't read the file.

May import ``lpr.events`` only. SQLite itself is in ``lpr.core.store``, reading in ``lpr.core.reader``, what happens
to a damaged file in ``lpr.core.salvage``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Protocol, TypeVar

import anyio

from lpr.core.clock import SECOND, Clock
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
from lpr.core.store import Entry, Statements, Writer
from lpr.events import ClockStepped, Event, LogRecovered, Micros

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

STEP: Micros = 2 * SECOND
"""The wall clock moving against the monotonic one by more than this is recorded as ClockStepped."""

STEP_PAUSE: Micros = 10 * SECOND
"""Monotonic time between two ClockStepped at least."""

ACTOR = "log"
"""The name under which the log writes its own events."""


class LogSettings(Protocol):
    """What the log needs of the configuration; ``lpr.config.Log`` fits."""

    @property
    def batch(self) -> int:
        """Events in one transaction at most."""
        ...

    @property
    def queue(self) -> int:
        """Events waiting to be written before appends wait."""
        ...

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


@dataclass(eq=False, slots=True)
class _Waiting:
    """An append in the queue, or (``job``) other work for the writer's connection."""

    entry: Entry
    job: Callable[[Writer], Any] | None = None
    also: Statements | None = None
    taken: bool = False
    records: tuple[Link, ...] = ()
    result: Any = None
    error: Exception | None = None
    done: anyio.Event = field(default_factory=anyio.Event)

    @property
    def alone(self) -> bool:
        """Whether it is a transaction of its own."""
        return self.job is not None or self.also is not None


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
        self._clock = clock
        self._settings = settings
        self._offload = offload
        self._queue: deque[_Waiting] = deque()
        self._events_waiting = 0
        self._closing = False
        self._work = anyio.Event()
        self._room = anyio.Event()
        self._grown = anyio.Event()
        self._head = writer.head
        self._ring: list[Link] = []
        self._offset: Micros | None = writer.clock_offset(clock.boot)
        self._stepped_at: Micros = -STEP_PAUSE

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
            log = cls(opened.writer, pages, clock, settings, offload)
            log.recovered = opened.recovered
            try:
                async with _ungrouped(), anyio.create_task_group() as tasks:
                    tasks.start_soon(log._write)
                    try:
                        yield log
                    finally:
                        log._closing = True
                        log._work.set()
                        log._room.set()
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
        """Events in the queue that no batch has taken yet."""
        return self._events_waiting

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
        causes = [cause] * len(events) if isinstance(cause, int) else list(cause)
        entry = Entry([CODEC.encode(event) for event in events], actor, causes, cursor)
        return (await self._submit(_Waiting(entry, also=also))).records

    async def maintain(self, job: Callable[[Writer], T]) -> T:
        """Run ``job`` on the writer's connection, in its turn (retention)."""
        result: T = (await self._submit(_Waiting(Entry((), ACTOR, (), None), job))).result
        return result

    async def delete(self, seqs: Sequence[int]) -> None:
        """Delete records in one transaction (retention, which alone knows that nobody needs them)."""
        rows = [(seq,) for seq in seqs]

        def delete(connection: Connection) -> None:
            connection.executemany("DELETE FROM records WHERE seq = ?", rows)

        await self.maintain(lambda writer: writer.transact(delete))
        if self._ring and seqs:
            del self._ring[: max(0, max(seqs) + 1 - self._ring[0].seq)]

    async def _submit(self, waiting: _Waiting) -> _Waiting:
        count = len(waiting.entry.events)
        while self._events_waiting >= self._settings.queue and not self._closing:
            await self._room.wait()
        if self._closing:
            raise LogClosedError(f"{self.path}: the log is closing, nothing more is written")
        self._queue.append(waiting)
        self._events_waiting += count
        self._work.set()
        try:
            await waiting.done.wait()
        finally:
            if not waiting.taken:
                self._queue.remove(waiting)
                self._release(count)
        if waiting.error is not None:
            raise waiting.error if waiting.job else _own(waiting.error)
        return waiting

    def _release(self, count: int) -> None:
        self._events_waiting -= count
        if self._events_waiting < self._settings.queue and not self._closing:
            room, self._room = self._room, anyio.Event()
            room.set()

    async def _write(self) -> None:
        """The writer: batch after batch until the log closes and the queue is empty."""
        with anyio.CancelScope(shield=True):
            while True:
                batch = self._take()
                if batch:
                    await self._process(batch)
                elif self._closing:
                    return
                else:
                    self._work = anyio.Event()
                    await self._work.wait()

    def _take(self) -> list[_Waiting]:
        """The next batch: whole appends up to ``batch`` events, or one job."""
        batch: list[_Waiting] = []
        room = self._settings.batch
        while self._queue:
            waiting = self._queue[0]
            count = len(waiting.entry.events)
            if batch and (count > room or waiting.alone or batch[0].alone):
                break
            self._queue.popleft()
            waiting.taken = True
            batch.append(waiting)
            room -= count
        if batch:
            self._release(sum(len(waiting.entry.events) for waiting in batch))
        return batch

    async def _process(self, batch: list[_Waiting]) -> None:
        job = batch[0].job
        try:
            if job is not None:
                batch[0].result = await self._offload(partial(job, self._writer))
            else:
                wall, mono = self._clock.wall(), self._clock.mono()
                entries = self._note_step(wall, mono)
                for waiting in batch:
                    waiting.entry.wall, waiting.entry.mono = wall, mono
                    entries.append(waiting.entry)
                written = await self._offload(partial(self._writer.write, entries, batch[0].also))
                for waiting, records in zip(reversed(batch), reversed(written), strict=False):
                    waiting.records = records
                self._publish(written)
        except Exception as error:
            for waiting in batch:
                waiting.error = error
        for waiting in batch:
            waiting.done.set()

    def _note_step(self, wall: Micros, mono: Micros) -> list[Entry]:
        """ClockStepped, when the wall clock has moved against the monotonic one since the last batch."""
        offset = wall - mono
        if self._offset is None:
            self._offset = offset
        moved = offset - self._offset
        if abs(moved) <= STEP or mono - self._stepped_at < STEP_PAUSE:
            return []
        self._offset, self._stepped_at = offset, mono
        event = CODEC.encode(ClockStepped(seconds=moved / SECOND))
        return [Entry([event], ACTOR, [0], None, wall, mono)]

    def _publish(self, written: Sequence[Sequence[Link]]) -> None:
        ring, size = self._ring, self._settings.ring
        for records in written:
            ring.extend(records)
        if len(ring) > 2 * size:
            del ring[: len(ring) - size]
        if self._writer.head > self._head:
            self._head = self._writer.head
            grown, self._grown = self._grown, anyio.Event()
            grown.set()

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


def _own(error: Exception) -> Exception:
    """A batch's error for one of its appends: each task raises an exception of its own."""
    if isinstance(error, LogUnavailable | LogDamagedError):
        own = type(error)(str(error))
        own.__cause__ = error
        return own
    return error

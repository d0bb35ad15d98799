"""Group commit: appends wait in a queue, and as many of them as fit are one batch, which is one transaction.

A thread of the log's own writes. It is called by the first append that finds it idle, takes what is in the queue by
the time it runs, commits, and tells the event loop once a batch; what is submitted meanwhile is the next batch. So a
batch costs one hop there and one back whatever it holds, and its size follows the load. In a simulation, which must
not wait for threads, a task does the same through the ``Offload`` that the log was given.

The two threads share the queue (each call to a deque is atomic) and ``_called``; what else there is belongs to the
loop or to the writer alone, as the sections say. May import ``lpr.events`` only.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

import anyio

from lpr.core.clock import SECOND, Clock
from lpr.core.errors import LogClosedError, LogDamagedError, LogUnavailable
from lpr.core.offload import Offload, in_thread
from lpr.core.record import CODEC, Encoded, Link
from lpr.core.wake import Waiter, running_loop
from lpr.core.writer import Entry, Statements, Writer
from lpr.events import ClockStepped, Micros

T = TypeVar("T")

STEP: Micros = 2 * SECOND
"""The wall clock moving against the monotonic one by more than this is recorded as ClockStepped."""

STEP_PAUSE: Micros = 10 * SECOND
"""Monotonic time between two ClockStepped at least."""

ACTOR = "log"
"""The name under which the log writes its own events."""


class BatchSettings(Protocol):
    """How much is written at a time, and how much may wait for it."""

    @property
    def batch(self) -> int:
        """Events in one transaction at most."""
        ...

    @property
    def queue(self) -> int:
        """Events waiting to be written before appends wait."""
        ...


class Waiting(Entry, eq=False):
    """An append in the queue, or (``job``) other work for the writer's connection.

    ``also``: statements in the append's transaction, which it then has for itself (``alone``). ``result``: the job's.
    """

    done: Waiter
    also: Statements | None = None
    job: Callable[[Writer], Any] | None = None
    alone: bool = False
    result: Any = None
    error: BaseException | None = None


@dataclass(eq=False, slots=True)
class _Batch:
    """``written``: its records, none when it failed. ``head``: the last number in the log after it."""

    members: list[Waiting]
    written: Sequence[Sequence[Link]] = ()
    head: int = 0


class Batches:
    """The queue before a ``Writer``, and what empties it. To be used in the event loop in which it was made.

    ``publish``: called in the loop with a batch's records and the log's head after it, before its appends return.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        settings: BatchSettings,
        offload: Offload,
        publish: Callable[[Sequence[Sequence[Link]], int], None],
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._size = settings.batch
        self._limit = settings.queue
        self._offload = offload
        self._publish = publish
        self._loop = running_loop()
        self._queue: deque[Waiting] = deque()
        self._waiting = 0
        self._room = anyio.Event()
        self._closing = False
        self._called = False
        self._calls = SimpleQueue[None]()
        self._idle: Waiter | None = None
        self._held: Waiting | None = None
        self._offset: Micros | None = writer.clock_offset(clock.boot)
        self._stepped_at: Micros = -STEP_PAUSE

    # --- in the event loop -----------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Events that were submitted and are not written yet."""
        return self._waiting

    async def append(
        self,
        events: Sequence[Encoded],
        actor: str,
        causes: Sequence[int],
        cursor: int | None,
        also: Statements | None = None,
    ) -> tuple[Link, ...]:
        """Have an append written, see ``EventLog.append``; returns when it is durable. Raises as ``_submit`` does."""
        waiting = Waiting(events, actor, causes, cursor, 0, 0, (), self._loop.waiter(), also, None, also is not None)
        await self._submit(waiting)
        return waiting.records

    async def run_job(self, job: Callable[[Writer], T]) -> T:
        """Run ``job`` where the writer runs, in its turn. Raises what it raises, and LogClosedError."""
        waiting = Waiting((), ACTOR, (), None, 0, 0, (), self._loop.waiter(), None, job, True)
        await self._submit(waiting)
        result: T = waiting.result
        return result

    async def _submit(self, waiting: Waiting) -> None:
        """Have it written, stamped with the time at which it gets into the queue.

        Waits while the queue is full. Cancelled, it is taken back if no batch has it yet, and written whole otherwise.
        Raises LogClosedError, LogUnavailable (nothing was written), LogDamagedError, and what a job raises.
        """
        while self._waiting >= self._limit and not self._closing:
            await self._room.wait()
        if self._closing:
            raise LogClosedError(f"{self._writer.path}: the log is closing, nothing more is written")
        waiting.wall, waiting.mono = self._clock.wall(), self._clock.mono()
        self._waiting += len(waiting.events)
        self._queue.append(waiting)
        if not self._called:
            self._called = True
            if self._offload is in_thread:
                self._loop.soon(self._call)
            else:
                self._call()
        try:
            await waiting.done
        except BaseException:
            with suppress(ValueError):  # a batch has it
                self._queue.remove(waiting)
                self._release(len(waiting.events))
            raise
        if waiting.error is not None:
            raise _own(waiting.error)

    def close(self) -> None:
        """Take nothing more; ``run`` ends when the queue is empty."""
        self._closing = True
        self._room.set()
        self._called = True
        self._call()

    async def run(self) -> None:
        """Write batch after batch until ``close``, also when it is cancelled."""
        with anyio.CancelScope(shield=True):
            if self._offload is in_thread:
                await self._run_thread()
            else:
                await self._run_task()

    async def _run_thread(self) -> None:
        ended = self._loop.waiter()
        thread = threading.Thread(target=self._serve, args=(ended,), name="log", daemon=True)
        thread.start()
        try:
            await ended
        finally:
            self.close()
            thread.join()

    async def _run_task(self) -> None:
        while True:
            self._called = False
            while (batch := self._take()) is not None:
                await self._offload(partial(self._write, batch))
                self._finish(batch)
            if self._closing:
                return
            if not self._called:
                self._idle = self._loop.waiter()
                await self._idle

    def _call(self) -> None:
        """Have the writer look into the queue. The thread is called when the other appends that can come now are there
        too: until then it would only wait for the interpreter."""
        if self._offload is in_thread:
            self._calls.put(None)
        elif self._idle is not None:
            self._loop.wake(self._idle)

    def _finish(self, batch: _Batch) -> None:
        """The loop's share of a batch that was written, or was not."""
        self._publish(batch.written, batch.head)
        count, wake = 0, self._loop.wake
        for waiting in batch.members:
            wake(waiting.done)
            count += len(waiting.events)
        self._release(count)

    def _release(self, count: int) -> None:
        full = self._waiting >= self._limit
        self._waiting -= count
        if full and not self._closing:
            room, self._room = self._room, anyio.Event()
            room.set()

    # --- where the writer runs -------------------------------------------------------------------------

    def _serve(self, ended: Waiter) -> None:
        """The thread, until the log closes."""
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            while True:
                self._calls.get()
                self._called = False
                while (batch := self._take()) is not None:
                    self._write(batch)
                    self._loop.call(partial(self._finish, batch))
                if self._closing and not self._queue:
                    break
            self._loop.call(partial(self._loop.wake, ended))

    def _take(self) -> _Batch | None:
        """The next batch: whole appends up to ``batch`` events, or one job."""
        members: list[Waiting] = []
        room, queue = self._size, self._queue
        while room > 0:
            waiting, self._held = self._held, None
            if waiting is None:
                try:
                    waiting = queue.popleft()
                except IndexError:
                    break
            room -= len(waiting.events)
            if members and (room < 0 or waiting.alone):
                self._held = waiting
                break
            members.append(waiting)
            if waiting.alone:
                break
        return _Batch(members) if members else None

    def _write(self, batch: _Batch) -> None:
        """One transaction, or one job. What goes wrong is told to those who wait."""
        first = batch.members[0]
        try:
            if first.job is not None:
                first.result = first.job(self._writer)
            else:
                entries = self._with_steps(batch.members)
                self._writer.write(entries, first.also)
                batch.written = [entry.records for entry in entries]
        except BaseException as error:
            for waiting in batch.members:
                waiting.error = error
        batch.head = self._writer.head

    def _with_steps(self, members: Sequence[Waiting]) -> list[Entry]:
        """What to write, with ClockStepped where the wall clock has moved against the monotonic one."""
        entries: list[Entry] = []
        for entry in members:
            offset = entry.wall - entry.mono
            moved = 0 if self._offset is None else offset - self._offset
            if self._offset is None:
                self._offset = offset
            elif abs(moved) > STEP and entry.mono - self._stepped_at >= STEP_PAUSE:
                self._offset, self._stepped_at = offset, entry.mono
                event = CODEC.encode(ClockStepped(seconds=moved / SECOND))
                entries.append(Entry([event], ACTOR, [0], None, entry.wall, entry.mono, ()))
            entries.append(entry)
        return entries


def _own(error: BaseException) -> BaseException:
    """A batch's error for one of its appends: each task raises an exception of its own."""
    if isinstance(error, LogUnavailable | LogDamagedError):
        own = type(error)(str(error))
        own.__cause__ = error
        return own
    return error

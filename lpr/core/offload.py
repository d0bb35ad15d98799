"""Where blocking work runs: in a worker thread, in one that may be given up, or, in a simulation, right here.

Sends no work anywhere by itself; the log, the blob store and their users are given an ``Offload``. Imports
``lpr.core.wake`` alone.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Protocol, TypeAlias, TypeVar

import anyio.lowlevel
import anyio.to_thread

from lpr.core.wake import Loop, Waiter, running_loop

T = TypeVar("T")

MOST_HANGING = 2
"""Threads that were given up and still hang; with so many the next call waits."""


class Offload(Protocol):
    """Runs ``work`` off the event loop and returns its result. A started ``work`` always runs to its end."""

    async def __call__(self, work: Callable[[], T], /) -> T: ...


async def in_thread(work: Callable[[], T], /) -> T:
    """Run ``work`` in a worker thread. A cancellation waits until it has ended, so nothing is left half done."""
    return await anyio.to_thread.run_sync(work)


async def inline(work: Callable[[], T], /) -> T:
    """Run ``work`` on the event loop itself: for simulations on trio's MockClock, which must not wait for threads."""
    await anyio.lowlevel.checkpoint()
    return work()


class Abandoning:
    """An ``Offload`` for one task's calls that may hang: a cancellation gives the call and its thread up.

    What a given-up call would have returned is lost. While ``MOST_HANGING`` of them still run, the next one waits. The
    thread is kept between calls, which makes one half as dear as a call of ``in_thread``; it ends with this object.
    To be used in one event loop.
    """

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._jobs: _Jobs | None = None
        self._hanging = 0
        self._waiting: deque[Waiter] = deque()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Run ``work`` in the thread; raises what it raises."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        loop = self._loop = self._loop or running_loop()
        while self._hanging >= MOST_HANGING:
            waiter = loop.waiter()
            self._waiting.append(waiter)
            await waiter
        jobs, self._jobs = self._jobs or _begin(self), None
        job = _Job(work, loop, self)
        jobs.put(job)
        try:
            await job.done
        except BaseException:
            if not job.ended:
                job.given_up = True
                self._hanging += 1
                jobs.put(None)
                raise
            self._jobs = jobs
            raise
        self._jobs = jobs
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def freed(self) -> None:
        """A call that was given up has ended after all."""
        self._hanging -= 1
        while self._loop is not None and self._waiting:
            self._loop.wake(self._waiting.popleft())


class _Job:
    """A call on its way to the thread and back. ``ended``, ``given_up``: for the loop's thread alone."""

    __slots__ = ("_loop", "_owner", "_work", "done", "ended", "error", "given_up", "result")

    def __init__(self, work: Callable[[], Any], loop: Loop, owner: Abandoning) -> None:
        self.done = loop.waiter()
        self.ended = False
        self.given_up = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._loop = loop
        self._owner = owner

    def run(self) -> None:
        """In the thread."""
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call(self._finish)

    def _finish(self) -> None:
        self.ended = True
        if self.given_up:
            self._owner.freed()
        else:
            self._loop.wake(self.done)


_Jobs: TypeAlias = "SimpleQueue[_Job | None]"


def _begin(owner: Abandoning) -> _Jobs:
    """A thread that works jobs off until None comes, or until ``owner`` is gone."""
    jobs: _Jobs = SimpleQueue()
    threading.Thread(target=_work_off, args=(jobs,), name="lpr-offload", daemon=True).start()
    weakref.finalize(owner, jobs.put, None)
    return jobs


def _work_off(jobs: _Jobs) -> None:
    while (job := jobs.get()) is not None:
        job.run()
        del job  # or the owner lived on for as long as its thread waits

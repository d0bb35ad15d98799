"""Where blocking work runs: in a worker thread, or, in a simulation, right here.

Sends no work anywhere by itself; the log, the blob store and their users are given an ``Offload``. Imports nothing
of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import anyio.lowlevel
import anyio.to_thread

T = TypeVar("T")


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

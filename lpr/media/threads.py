"""Threads for encoding: of lower priority than recognition, so that a picture for a viewer never takes its turn.

May import ``lpr.core``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from lpr.core.offload import Abandoning

T = TypeVar("T")

NICENESS = 10
"""Added to the service's: such a thread gets about a tenth of a recognising one's share where both want a core."""

_lowered = threading.local()


class LowThread:
    """An ``Offload`` for one task: a thread of its own with lower priority, on Linux, where a thread has one.

    A cancelled call is given up; what it worked with must then be let go of, not used again.
    """

    def __init__(self, niceness: int = NICENESS) -> None:
        self._niceness = niceness
        self._offload = Abandoning()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Run ``work`` in the thread; raises what it raises."""
        return await self._offload(partial(_run, self._niceness, work))


def _run(niceness: int, work: Callable[[], T]) -> T:
    if not hasattr(_lowered, "done"):
        _lowered.done = True
        if sys.platform == "linux":
            thread = threading.get_native_id()
            wanted = os.getpriority(os.PRIO_PROCESS, 0) + niceness
            with suppress(OSError):  # a sandbox that forbids it: the same priority, then
                os.setpriority(os.PRIO_PROCESS, thread, min(19, wanted))
    return work()

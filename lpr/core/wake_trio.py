"""``lpr.core.wake`` on trio: imported only where trio runs, so that a service on asyncio doesn't need it.

Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from trio import lowlevel


class TrioLoop:
    """The trio run of this thread; fits ``lpr.core.wake.Loop``. Raises RuntimeError when there is none."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        self._token = lowlevel.current_trio_token()

    def waiter(self) -> TaskWaiter:
        return TaskWaiter()

    def wake(self, waiter: Any) -> None:
        waiter.wake()

    def soon(self, function: Callable[[], object]) -> None:
        function()

    def call(self, function: Callable[[], object]) -> None:
        self._token.run_sync_soon(function)


class TaskWaiter:
    """Parks the task that awaits it; fits ``lpr.core.wake.Waiter``."""

    __slots__ = ("_task", "_woken")

    def __init__(self) -> None:
        self._task: lowlevel.Task | None = None
        self._woken = False

    def __await__(self) -> Generator[Any, Any, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        if self._woken:
            await lowlevel.checkpoint()
            return
        self._task = lowlevel.current_task()
        await lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _raise_cancel: Callable[[], None]) -> lowlevel.Abort:
        self._task = None
        return lowlevel.Abort.SUCCEEDED

    def wake(self) -> None:
        self._woken = True
        task, self._task = self._task, None
        if task is not None:
            lowlevel.reschedule(task)

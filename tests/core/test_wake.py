"""Waiting for one thing and being woken, on both event loops."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest

from lpr.core.wake import Loop, Waiter, running_loop

pytestmark = pytest.mark.anyio


@contextmanager
def finished_thread(work: threading.Thread) -> Generator[None]:
    work.start()
    try:
        yield
    finally:
        work.join()


async def test_each_is_woken_by_its_own() -> None:
    loop = running_loop()
    waiters = [loop.waiter() for _ in range(3)]
    woken: list[int] = []

    async def wait(number: int) -> None:
        await waiters[number]
        woken.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(wait, number)
        await anyio.wait_all_tasks_blocked()
        assert woken == []
        waiters[1].wake()
        await anyio.wait_all_tasks_blocked()
        assert woken == [1]
        waiters[0].wake()
        waiters[2].wake()
    assert sorted(woken) == [0, 1, 2]


async def test_woken_before_it_waits() -> None:
    waiter = running_loop().waiter()
    waiter.wake()
    with anyio.fail_after(5):
        await waiter


async def test_a_wait_can_be_cancelled_and_a_late_call_does_nothing() -> None:
    waiter = running_loop().waiter()

    async def wait() -> None:
        await waiter
        raise AssertionError("it was cancelled")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    waiter.wake()
    waiter.wake()
    await anyio.wait_all_tasks_blocked()


async def test_another_thread_calls_in_order() -> None:
    loop = running_loop()
    done: Waiter = loop.waiter()
    seen: list[tuple[int, bool]] = []
    here = threading.current_thread()

    def note(number: int) -> None:
        seen.append((number, threading.current_thread() is here))

    def work() -> None:
        for number in range(100):
            loop.call(lambda number=number: note(number))
        loop.call(done.wake)

    with finished_thread(threading.Thread(target=work)):
        with anyio.fail_after(30):
            await done
    assert seen == [(number, True) for number in range(100)]


def test_a_loop_that_has_ended_says_so(anyio_backend: str) -> None:
    async def main() -> None:
        loops.append(running_loop())

    loops: list[Loop] = []
    anyio.run(main, backend=anyio_backend)
    (loop,) = loops
    with pytest.raises(RuntimeError):
        loop.call(lambda: None)

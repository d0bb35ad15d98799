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
        loop.wake(waiters[1])
        await anyio.wait_all_tasks_blocked()
        assert woken == [1]
        loop.wake(waiters[0])
        loop.wake(waiters[2])
    assert sorted(woken) == [0, 1, 2]


async def test_woken_before_it_waits() -> None:
    loop = running_loop()
    waiter = loop.waiter()
    loop.wake(waiter)
    with anyio.fail_after(5):
        await waiter


async def test_a_wait_can_be_cancelled_and_a_late_call_does_nothing() -> None:
    loop = running_loop()
    waiter = loop.waiter()

    async def wait() -> None:
        await waiter
        raise AssertionError("it was cancelled")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    loop.wake(waiter)
    loop.wake(waiter)
    await anyio.wait_all_tasks_blocked()


async def test_soon_is_after_the_tasks_that_can_go_on_or_at_once(anyio_backend_name: str) -> None:
    loop = running_loop()
    waiters = [loop.waiter() for _ in range(20)]
    seen: list[str] = []

    async def wait(number: int) -> None:
        await waiters[number]
        if not seen:
            loop.soon(lambda: seen.append("called"))
        seen.append("task")

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(wait, number)
        await anyio.wait_all_tasks_blocked()
        for waiter in waiters:
            loop.wake(waiter)
        await anyio.wait_all_tasks_blocked()
    assert len(seen) == 21
    assert seen.index("called") == (20 if anyio_backend_name == "asyncio" else 0)


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
        loop.call(lambda: loop.wake(done))

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

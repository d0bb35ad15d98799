"""Threads that are given up when a call hangs: what comes back, what is lost, how many hang at once."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import anyio
import pytest

from lpr.core.offload import MOST_HANGING, Abandoning

pytestmark = pytest.mark.anyio

LIMIT = 30.0
"""Seconds after which a test fails that waits for a thread."""


def stuck(release: threading.Event) -> Callable[[], str]:
    def wait() -> str:
        assert release.wait(LIMIT)
        return "late"

    return wait


async def given_up(offload: Abandoning, work: Callable[[], object]) -> None:
    """Begin ``work`` and cancel it once it runs."""
    begun = threading.Event()

    def marked() -> object:
        begun.set()
        return work()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(offload, marked)
        await anyio.to_thread.run_sync(begun.wait, LIMIT)
        tasks.cancel_scope.cancel()


async def test_results_and_errors_come_back_from_one_thread() -> None:
    offload = Abandoning()
    threads = {await offload(threading.get_ident) for _ in range(20)}
    assert len(threads) == 1 and threading.get_ident() not in threads
    with pytest.raises(ZeroDivisionError):
        await offload(lambda: 1 // 0)
    assert {await offload(threading.get_ident)} == threads


async def test_a_call_that_hangs_is_given_up_and_the_next_goes_on() -> None:
    offload, release = Abandoning(), threading.Event()
    first = await offload(threading.get_ident)
    try:
        with anyio.fail_after(LIMIT):
            await given_up(offload, stuck(release))
            assert await offload(threading.get_ident) != first
    finally:
        release.set()


async def test_with_too_many_hanging_the_next_waits() -> None:
    offload, release = Abandoning(), threading.Event()
    came: list[str] = []

    async def one_more() -> None:
        came.append(await offload(lambda: "came"))

    try:
        with anyio.fail_after(LIMIT):
            for _ in range(MOST_HANGING):
                await given_up(offload, stuck(release))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one_more)
                await anyio.wait_all_tasks_blocked()
                assert came == []
                release.set()
            assert came == ["came"]
    finally:
        release.set()


async def test_a_cancelled_task_begins_nothing() -> None:
    offload = Abandoning()
    ran: list[int] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await offload(lambda: ran.append(1))
    assert ran == []


async def test_its_thread_ends_with_it() -> None:
    offload = Abandoning()
    thread = await offload(threading.current_thread)
    del offload
    gc.collect()
    await anyio.to_thread.run_sync(thread.join, LIMIT)
    assert not thread.is_alive()

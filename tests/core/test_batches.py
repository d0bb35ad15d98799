"""The log's own thread: what is taken back, what is written, what a stop waits for, and the time that records carry."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest

from lpr.core.clock import SECOND, ManualClock, SystemClock
from lpr.core.log import EventLog, LogClosedError, Settings
from lpr.core.offload import in_thread
from lpr.core.writer import Entry, Statements, Writer
from lpr.events import ClockStepped
from tests.core.samples import passed

pytestmark = pytest.mark.anyio

PATIENCE = 60.0


class Hold:
    """Keeps the log's thread busy inside a transaction, from ``begun`` until ``release``."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._go = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        self._begun.set()
        assert self._go.wait(PATIENCE)

    async def begun(self) -> None:
        assert await in_thread(partial(self._begun.wait, PATIENCE))

    def release(self) -> None:
        self._go.set()


async def actors(log: EventLog) -> list[str]:
    return [record.actor for record in await log.read(0)]


async def test_cancelled_in_the_batch_and_in_the_queue(tmp_path: Path) -> None:
    hold = Hold()
    async with EventLog.open(tmp_path / "log.db", ManualClock()) as log:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(log.append, [passed(1)] * 2, actor="in the batch", also=hold))
            await hold.begun()
            tasks.start_soon(partial(log.append, [passed(2)] * 3, actor="in the queue"))
            await anyio.wait_all_tasks_blocked()
            assert log.waiting == 5
            tasks.cancel_scope.cancel()
        assert log.waiting == 2
        hold.release()
        await log.append([passed(3)], actor="other")
        assert await actors(log) == ["in the batch", "in the batch", "other"]
        assert log.waiting == 0


async def test_what_waits_while_a_batch_is_written_is_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, sizes, write = Hold(), list[int](), Writer.write

    def counted(writer: Writer, batch: Sequence[Entry], also: Statements | None = None) -> None:
        sizes.append(len(batch))
        write(writer, batch, also)

    monkeypatch.setattr(Writer, "write", counted)
    async with EventLog.open(tmp_path / "log.db", ManualClock()) as log:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(log.append, [passed(0)], actor="first", also=hold))
            await hold.begun()
            for number in range(30):
                tasks.start_soon(partial(log.append, [passed(number)], actor=f"p{number}"))
            await anyio.wait_all_tasks_blocked()
            hold.release()
        assert log.head == 31
    assert sizes == [1, 30]


async def test_a_stop_waits_for_what_was_appended_and_refuses_the_rest(tmp_path: Path) -> None:
    hold = Hold()
    path = tmp_path / "log.db"
    refused: list[int] = []

    async def append(number: int) -> None:
        try:
            await log.append([passed(number)], actor="a")
        except LogClosedError:
            refused.append(number)

    async with anyio.create_task_group() as tasks, EventLog.open(path, ManualClock(), Settings(queue=4)) as log:
        tasks.start_soon(partial(log.append, [passed(0)], actor="first", also=hold))
        await hold.begun()
        for number in range(1, 6):
            tasks.start_soon(append, number)
        await anyio.wait_all_tasks_blocked()
        assert log.waiting == 4
        hold.release()
    assert len(refused) == 2, "those for whom there was no room"
    async with EventLog.open(path, ManualClock()) as log:
        assert log.head == 4
    assert "log" not in {thread.name for thread in threading.enumerate()}


async def test_records_carry_the_time_of_their_append(tmp_path: Path) -> None:
    """Also those that share a batch; and a step of the clock is noted between the two that it came between."""
    hold, clock = Hold(), ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock) as log:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(log.append, [passed(0)], actor="first", also=hold))
            await hold.begun()
            clock.advance(20)
            tasks.start_soon(partial(log.append, [passed(1)], actor="a"))
            await anyio.wait_all_tasks_blocked()
            clock.advance(1)
            clock.step(-3600)
            tasks.start_soon(partial(log.append, [passed(2)], actor="b"))
            await anyio.wait_all_tasks_blocked()
            hold.release()
        records = await log.read(0)
        assert [record.actor for record in records] == ["first", "a", "log", "b"]
        start = records[0].wall
        assert [record.wall - start for record in records] == [0, 20 * SECOND, -3579 * SECOND, -3579 * SECOND]
        assert records[2].event == ClockStepped(seconds=-3600.0)


async def test_many_that_append_again_and_again_all_get_their_records(tmp_path: Path) -> None:
    async with EventLog.open(tmp_path / "log.db", SystemClock()) as log:
        numbers: list[int] = []

        async def produce(who: int) -> None:
            for number in range(15):
                (record,) = await log.append([passed(number)], actor=f"p{who}")
                numbers.append(record.seq)

        async with anyio.create_task_group() as tasks:
            for who in range(20):
                tasks.start_soon(produce, who)
        assert sorted(numbers) == list(range(1, 301))
        assert len(await log.read(0, limit=500)) == 300


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 100])
async def test_rows_of_any_number_are_in_one_transaction(tmp_path: Path, rows: int) -> None:
    async with EventLog.open(tmp_path / "log.db", ManualClock()) as log:
        records = await log.append([passed(number) for number in range(rows)], actor="p")
        assert [record.seq for record in await log.read(0, limit=500)] == [record.seq for record in records]

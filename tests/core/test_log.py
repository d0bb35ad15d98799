"""The event log: appending, reading, cursors, and what it withstands while it runs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Collection
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
import msgspec
import pytest

from lpr.core.clock import SECOND, ManualClock, SystemClock
from lpr.core.log import (
    EventLog,
    LogClosedError,
    LogFormatError,
    LogLockedError,
    LogReader,
    LogUnavailable,
    Settings,
)
from lpr.core.offload import in_thread
from lpr.core.record import chain_hash, content, genesis
from lpr.core.writer import Writer
from lpr.events import ApiCalled, Baseline, ClockStepped, FramesPassed, TimerFired
from tests.core.samples import delivered, passed

pytestmark = pytest.mark.anyio
T = TypeVar("T")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "log.db"


class Gate:
    """An offload that can be held shut, so that a test decides when a batch is written. ``calls``: how many went."""

    def __init__(self) -> None:
        self.open = anyio.Event()
        self.open.set()
        self.calls = 0

    async def __call__(self, work: Callable[[], T], /) -> T:
        await self.open.wait()
        self.calls += 1
        return await in_thread(work)

    def shut(self) -> None:
        self.open = anyio.Event()


async def test_what_is_appended_is_read(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        assert log.head == 0
        records = await log.append([passed(1), delivered()], actor="one", cause=0)
        clock.advance(2)
        await log.append([passed(2)], actor="two", cause=records[0].seq)
        assert log.head == 3
        found = await log.read(0)
        assert [r.seq for r in found] == [1, 2, 3]
        assert [r.type for r in found] == ["FramesPassed", "Delivered", "FramesPassed"]
        assert found[0].event == passed(1)
        assert (found[2].actor, found[2].cause) == ("two", 1)
        assert found[2].wall - found[0].wall == 2 * SECOND
        assert found[0].boot == clock.boot


async def test_a_log_goes_on_where_it_was(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        first = await log.append([passed(1)], actor="a")
        log_id = log.log_id
    async with EventLog.open(path, clock) as log:
        assert (log.log_id, log.head) == (log_id, 1)
        again = await log.get(1)
        assert again == first[0] and again is not None and again.id == first[0].id
        await log.append([passed(2)], actor="a")
        previous = genesis(log_id)
        for record in await log.read(0):
            assert record.hash == chain_hash(previous, content(record))
            previous = record.hash


@pytest.mark.parametrize("ring", [0, 3, 100])
async def test_reading_is_the_same_from_memory_and_from_the_file(path: Path, ring: int) -> None:
    async with EventLog.open(path, ManualClock(), Settings(ring=ring)) as log:
        for number in range(1, 31):
            event = TimerFired(actor="t", due=number) if number % 10 == 0 else passed(number)
            await log.append([event], actor="a")

        async def seqs(
            after: int, types: Collection[str] | None = None, limit: int = 500, upto: int | None = None
        ) -> list[int]:
            return [r.seq for r in await log.read(after, types=types, limit=limit, upto=upto)]

        assert await seqs(0) == list(range(1, 31))
        assert await seqs(28) == [29, 30]
        assert await seqs(30) == []
        assert await seqs(5, limit=3) == [6, 7, 8]
        assert await seqs(5, upto=7) == [6, 7]
        assert await seqs(0, types={"TimerFired"}) == [10, 20, 30]
        assert await seqs(0, types=["TimerFired"], limit=1) == [10]
        assert await seqs(10, types={"TimerFired"}, upto=29) == [20]
        assert await seqs(0, types=set[str]()) == []
        assert [r.seq for r in await log.read_back(limit=2)] == [30, 29]
        assert [r.seq for r in await log.read_back(20, types={"TimerFired"})] == [10]
        assert [r.seq for r in await log.read_back(types={"TimerFired", "FramesPassed"}, limit=2)] == [30, 29]


async def test_rare_types_are_found_far_away(path: Path) -> None:
    async with EventLog.open(path, ManualClock(), Settings(ring=0)) as log:
        await log.append([delivered()], actor="a")
        await log.append([passed(n) for n in range(300)], actor="a")
        await log.append([TimerFired(actor="x", due=1), delivered()], actor="a")
        found = await log.read(0, types={"TimerFired", "Delivered"}, limit=5)
        assert [r.seq for r in found] == [1, 302, 303]
        found = await log.read(0, types={"TimerFired", "Delivered"}, limit=2)
        assert [r.seq for r in found] == [1, 302]


async def test_records_are_found_by_number_and_by_id(path: Path) -> None:
    async with EventLog.open(path, ManualClock(), Settings(ring=1)) as log:
        records = await log.append([passed(1), passed(2), passed(3)], actor="a")
        for record in records:
            assert await log.get(record.seq) == record
            assert await log.by_id(record.id) == record
            assert await log.by_id(record.id.upper()) == record
        assert await log.get(4) is None
        assert await log.by_id("nonsense") is None
        assert await log.by_id("0" * 8 + records[0].id[8:]) is None


async def test_cursor_and_events_move_together_and_never_back(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        assert await log.cursor("a") == 0
        await log.append([passed(1), passed(2)], actor="source")
        await log.append([delivered()], actor="a", cause=2, cursor=2)
        await log.append((), actor="a", cursor=1)
        assert await log.cursor("a") == 2
        await log.append((), actor="b", cursor=1)
        assert await log.cursors() == {"a": (2, 0), "b": (1, 0)}
        assert log.head == 3
    async with EventLog.open(path, clock) as log:
        assert await log.cursor("a") == 2


async def test_the_latest_baseline_of_an_actor(path: Path) -> None:
    async with EventLog.open(path, ManualClock()) as log:
        assert await log.baseline("a") is None
        for upto in (1, 2):
            state = Baseline(actor="a", state_version=1, upto=upto, state=store_raw(upto))
            await log.append([state], actor="a")
        await log.append([Baseline(actor="b", state_version=1, upto=9, state=store_raw(9))], actor="b")
        found = await log.baseline("a")
        assert found is not None and found.seq == 2


def store_raw(number: int) -> msgspec.Raw:
    return msgspec.Raw(str(number).encode())


async def test_waiting_ends_with_growth(path: Path) -> None:
    async with EventLog.open(path, ManualClock()) as log:
        heads: list[int] = []

        async def waiter() -> None:
            heads.append(await log.wait(1))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiter)
            await log.append([passed(1)], actor="a")
            await anyio.wait_all_tasks_blocked()
            assert heads == []
            await log.append([passed(2)], actor="a")
        assert heads == [2]
        assert await log.wait(0) == 2


async def test_many_producers_share_a_commit(path: Path) -> None:
    gate = Gate()
    async with EventLog.open(path, ManualClock(), offload=gate) as log:
        gate.shut()
        before = gate.calls
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(partial(log.append, [passed(number)], actor=f"p{number}"))
            await anyio.wait_all_tasks_blocked()
            gate.open.set()
        assert log.head == 50
        assert gate.calls - before <= 2


async def test_a_batch_has_its_limit_and_appends_stay_whole(path: Path) -> None:
    async with EventLog.open(path, ManualClock(), Settings(batch=4)) as log:
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(partial(log.append, [passed(number)] * 3, actor=f"p{number}"))
            tasks.start_soon(partial(log.append, [passed(99)] * 20, actor="large"))
        actors = [r.actor for r in await log.read(0)]
        assert len(actors) == 38
        for start in (actors.index(name) for name in set(actors)):
            size = 20 if actors[start] == "large" else 3
            assert actors[start : start + size] == [actors[start]] * size


async def test_a_full_queue_makes_appends_wait(path: Path) -> None:
    gate = Gate()
    async with EventLog.open(path, ManualClock(), Settings(queue=2, batch=1), offload=gate) as log:
        gate.shut()
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(partial(log.append, [passed(number)], actor="a"))
            await anyio.wait_all_tasks_blocked()
            assert log.waiting <= 2
            gate.open.set()
        assert log.head == 10


async def test_a_cancelled_append_is_taken_back_or_written_whole(path: Path) -> None:
    gate = Gate()
    async with EventLog.open(path, ManualClock(), offload=gate) as log:
        gate.shut()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(log.append, [passed(1)] * 2, actor="in the batch"))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(partial(log.append, [passed(2)] * 2, actor="in the queue"))
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        gate.open.set()
        await log.append([passed(3)], actor="other")
        assert [r.actor for r in await log.read(0)] == ["in the batch", "in the batch", "other"]
        assert log.waiting == 0


async def test_a_cancelled_service_still_closes_in_good_order(path: Path) -> None:
    with anyio.CancelScope() as scope:
        async with EventLog.open(path, SystemClock()) as log:
            await log.append([passed(1)], actor="a")
            scope.cancel()
            await anyio.sleep_forever()
    assert not path.with_name("log.db-wal").exists()
    async with EventLog.open(path, SystemClock()) as log:
        assert log.head == 1


async def test_nothing_is_appended_to_a_closed_log(path: Path) -> None:
    async with EventLog.open(path, ManualClock()) as log:
        pass
    with pytest.raises(LogClosedError, match="closing"):
        await log.append([passed(1)], actor="a")


async def test_one_process_at_a_time(path: Path) -> None:
    async with EventLog.open(path, ManualClock()):
        with pytest.raises(LogLockedError, match=rf"in use by process {os.getpid()}; stop that one first"):
            async with EventLog.open(path, ManualClock()):
                pass
    async with EventLog.open(path, ManualClock()) as log:
        assert log.head == 0


async def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t(x)")
        connection.commit()
    with pytest.raises(LogFormatError, match="not a log"):
        async with EventLog.open(path, ManualClock()):
            pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]


async def test_a_newer_format_is_refused(path: Path) -> None:
    async with EventLog.open(path, ManualClock()):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LogFormatError, match="log format 99"):
        async with EventLog.open(path, ManualClock()):
            pass


async def test_a_disk_that_is_full_loses_nothing_and_is_told(path: Path) -> None:
    """``max_page_count`` makes SQLite report SQLITE_FULL as a full disk does."""
    big = ApiCalled(user="u", remote="r", method="GET", path="/" + "x" * 60_000, query="", status=200)
    async with EventLog.open(path, ManualClock()) as log:
        await log.append([passed(1)], actor="a")
        pages = await log.maintain(lambda writer: limit_pages(writer, 0))
        await log.maintain(lambda writer: limit_pages(writer, pages + 4))
        with pytest.raises(LogUnavailable, match="make room, writing then goes on by itself"):
            await log.append([passed(2), big, big], actor="a", cursor=1)
        assert log.head == 1
        assert [r.seq for r in await log.read(0)] == [1]
        assert await log.cursor("a") == 0
        await log.append([passed(3)], actor="a")
        await log.maintain(lambda writer: limit_pages(writer, 1_000_000))
        written = await log.append([passed(2), big, big], actor="a", cursor=1)
        assert [r.seq for r in written] == [3, 4, 5]


def limit_pages(writer: Writer, pages: int) -> int:
    """Sets the limit if ``pages`` is not 0; returns the pages in use."""
    return writer.limit_pages(pages)


def shell(command: str) -> bool:
    """Whether it went well."""
    return subprocess.run(command, shell=True, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
async def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    if not shell(f"mount -t tmpfs -o size=512k tmpfs '{place}'"):
        pytest.skip("mounting is not allowed here")
    try:
        big = ApiCalled(user="u", remote="r", method="GET", path="/" + "x" * 20_000, query="", status=200)
        async with EventLog.open(place / "log.db", SystemClock()) as log:
            written = 0
            with pytest.raises(LogUnavailable, match="full"):
                while True:
                    await log.append([big], actor="a")
                    written += 1
            assert written > 0 and log.head == written
            ballast = len(await log.read(0))
            assert ballast == written
            if shell(f"mount -o remount,size=4m '{place}'"):
                await log.append([big], actor="a")
                assert log.head == written + 1
        async with LogReader.open(place / "log.db", SystemClock()) as reader:
            assert await reader.head() >= written
    finally:
        shell(f"umount '{place}'")


async def test_another_program_that_holds_the_lock_is_waited_for_and_then_named(path: Path) -> None:
    async with EventLog.open(path, ManualClock(), Settings(busy_timeout=0.05)) as log:
        await log.append([passed(1)], actor="a")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LogUnavailable, match="another program holds the log's write lock"):
                await log.append([passed(2)], actor="a")
            assert [r.seq for r in await log.read(0)] == [1]
            other.execute("ROLLBACK")
        await log.append([passed(2)], actor="a")
        assert log.head == 2


async def test_one_bad_append_does_not_fail_its_neighbours(path: Path) -> None:
    async with EventLog.open(path, ManualClock()) as log:
        with pytest.raises(UnicodeEncodeError):
            await log.append([passed(1, source="\ud800")], actor="a")
        await log.append([passed(1)], actor="a")
        assert log.head == 1


async def test_a_clock_that_jumps_is_noted_and_changes_no_order(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        one = (await log.append([passed(1)], actor="a"))[0]
        clock.step(-3600)
        two = (await log.append([passed(2)], actor="a"))[0]
        found = await log.read(0)
        assert [type(r.event) for r in found] == [FramesPassed, ClockStepped, FramesPassed]
        assert found[1].event == ClockStepped(seconds=-3600.0)
        assert two.seq > one.seq and two.wall < one.wall
        assert len({r.id for r in found}) == 3
        assert [(await log.by_id(r.id)) for r in found] == found


async def test_a_clock_that_dances_cannot_fill_the_log(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        for number in range(40):
            clock.step(100 if number % 2 else -100)
            clock.advance(0.5)
            await log.append([passed(number)], actor="a")
        assert len(await log.read(0, types={"ClockStepped"})) <= 3


async def test_a_step_while_the_service_was_down_is_noted(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        await log.append([passed(1)], actor="a")
    clock.step(86_400)
    async with EventLog.open(path, clock) as log:
        await log.append([passed(2)], actor="a")
        assert [r.type for r in await log.read(1)] == ["ClockStepped", "FramesPassed"]


async def test_a_reader_beside_a_running_service(path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(path, clock) as log, LogReader.open(path, clock) as reader:
        assert await reader.head() == 0
        records = await log.append([passed(1)], actor="a", cursor=1)
        assert await reader.head() == 1
        assert await reader.read(0) == list(records)
        assert await reader.by_id(records[0].id) == records[0]
        assert await reader.cursor("a") == 1
        assert reader.log_id == log.log_id

        heads: list[int] = []

        async def follow() -> None:
            heads.append(await reader.wait(1))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            await log.append([passed(2)], actor="a")
            while not heads:
                clock.advance(1)
                await anyio.to_thread.run_sync(lambda: None)
        assert heads == [2]


async def test_a_reader_without_a_service(path: Path) -> None:
    clock = ManualClock()
    with pytest.raises(FileNotFoundError, match="no log there"):
        async with LogReader.open(path, clock):
            pass
    async with EventLog.open(path, clock) as log:
        await log.append([passed(1)], actor="a")
    async with LogReader.open(path, clock) as reader:
        assert [r.seq for r in await reader.read(0)] == [1]
        assert [r.seq for r in await reader.read_back()] == [1]
        assert await reader.baseline("a") is None
    with pytest.raises(LogFormatError):
        with closing(sqlite3.connect(path.with_name("other.db"))) as connection:
            connection.execute("CREATE TABLE t(x)")
        async with LogReader.open(path.with_name("other.db"), clock):
            pass


async def test_readers_do_not_hold_the_wal_back(path: Path) -> None:
    """After every page the statement is closed, so a checkpoint can take the whole WAL over."""
    async with EventLog.open(path, ManualClock(), Settings(ring=0)) as log:
        await log.append([passed(n) for n in range(1000)], actor="a")
        after = 0
        while page := await log.read(after, limit=100):
            after = page[-1].seq
            with closing(sqlite3.connect(path)) as other:
                busy, frames, moved = other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            assert (busy, frames) == (0, moved)

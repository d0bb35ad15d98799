"""The WAL's file ahead of its use: how far, and that nothing but room comes of it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lpr.core.ahead import FRAME, LEAST, MOST, Ahead
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog, Settings
from lpr.core.store import CHECKPOINT
from tests.core.samples import passed

pytestmark = pytest.mark.anyio


def wal_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


async def test_commits_find_room_in_the_wal(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with EventLog.open(path, ManualClock()) as log:
        sizes: list[int] = []
        for number in range(40):
            await log.append([passed(number)], actor="a")
            sizes.append(wal_of(path).stat().st_size)
    assert sizes[-1] >= LEAST
    assert len(set(sizes)) <= 5, "most commits leave the file's size as it was"
    assert not wal_of(path).exists()


async def test_zeros_behind_the_frames_are_no_frames(tmp_path: Path) -> None:
    """A copy of the files of a log under way, as after a kill, has every record."""
    path, copy = tmp_path / "log.db", tmp_path / "copy" / "log.db"
    copy.parent.mkdir()
    async with EventLog.open(path, ManualClock()) as log:
        for number in range(20):
            await log.append([passed(number)], actor="a")
        assert wal_of(path).read_bytes().endswith(bytes(FRAME))
        for file in (path, wal_of(path)):
            shutil.copy(file, copy.parent)
    async with EventLog.open(copy, ManualClock()) as log:
        assert log.head == 20
        assert not log.recovered
        await log.append([passed(20)], actor="a")
        assert [record.seq for record in await log.read(0)] == list(range(1, 22))


async def test_the_wal_has_room_up_to_a_checkpoint_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    most = 0
    async with EventLog.open(path, ManualClock(), Settings(batch=400)) as log:
        for number in range(100):
            await log.append([passed(number)] * 400, actor="a")
            most = max(most, wal_of(path).stat().st_size)
    assert CHECKPOINT * FRAME <= most <= (CHECKPOINT + 100) * FRAME, "a last batch may go beyond"


def test_room_is_made_where_it_ran_out(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    wal = wal_of(path)
    ahead = Ahead(path, 1000)
    ahead.extend()
    assert not wal.exists(), "SQLite makes the file"
    wal.write_bytes(b"x" * 10_000)
    ahead.extend()
    assert wal.read_bytes() == b"x" * 10_000 + bytes(LEAST)
    ahead.extend()
    assert wal.stat().st_size == 10_000 + LEAST, "there is room"
    wal.write_bytes(b"x" * 3_000_000)
    ahead.extend()
    assert wal.stat().st_size == 3_000_000 + MOST
    wal.write_bytes(b"x" * (1000 * FRAME - 5))
    ahead.extend()
    assert wal.stat().st_size == 1000 * FRAME
    wal.write_bytes(b"")
    ahead.extend()
    assert wal.stat().st_size == LEAST, "after a checkpoint that cut it"


def test_a_file_that_can_not_be_extended_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.db-wal").mkdir()
    Ahead(tmp_path / "a.db", 1000).extend()


def test_the_baseline_of_sqlite_is_the_one_meant(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (CHECKPOINT,)
        assert connection.execute("PRAGMA page_size").fetchone() == (FRAME - 24,)

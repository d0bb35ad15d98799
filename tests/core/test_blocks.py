"""Finding records by type: the same as looking at each, whatever was written, deleted and left out."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core import blocks, store
from lpr.core.clock import ManualClock
from lpr.core.errors import LogFormatError
from lpr.core.log import EventLog, LogReader, Settings
from lpr.core.record import Link
from lpr.events import TimerFired
from tests.core.samples import delivered, passed

TYPES = ("Common", "Rare", "Other")
SIZE = 1 << blocks.BITS


def link(seq: int, kind: str) -> Link:
    return Link(seq, kind, 1, 0, b"{}", actor="a", hash=bytes(32))


def seqs(records: Sequence[Link]) -> list[int]:
    return [record.seq for record in records]


written = st.dictionaries(st.integers(1, 40 * SIZE), st.sampled_from(TYPES), max_size=30)
"""Type by number, with gaps as a salvage or retention leaves them."""


@given(written, st.data())
def test_by_type_is_found_what_is_there(rows: dict[int, str], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.sampled_from(TYPES), min_size=1))
    gone = data.draw(st.sets(st.sampled_from(sorted(rows)))) if rows else set[int]()
    after, upto = data.draw(st.integers(0, 40 * SIZE)), data.draw(st.none() | st.integers(0, 41 * SIZE))
    limit = data.draw(st.integers(1, 40))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        store.create(connection, "0" * 32)
        for seq in sorted(rows):
            store.insert(connection, link(seq, rows[seq]))
        if gone:
            store.delete(connection, sorted(gone))
        left = [seq for seq in sorted(rows) if seq not in gone and rows[seq] in wanted]
        last = 41 * SIZE if upto is None else upto
        there = [seq for seq in left if after < seq <= last]
        assert seqs(store.query(connection, 0, after, upto, wanted, limit)) == there[:limit]
        back = [seq for seq in reversed(left) if upto is None or seq < upto]
        assert seqs(store.query_back(connection, 0, upto, wanted, limit)) == back[:limit]
        noted = set(connection.execute("SELECT type, block FROM blocks").fetchall())
        assert noted >= {(rows[seq], seq >> blocks.BITS) for seq in rows if seq not in gone}
        assert {block for _, block in noted} == {seq >> blocks.BITS for seq in rows if seq not in gone}


def test_more_blocks_than_are_looked_up_at_a_time() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        store.create(connection, "0" * 32)
        far = [1 + 2 * SIZE * number for number in range(600)]
        for seq in far:
            store.insert(connection, link(seq, "Rare"))
        assert seqs(store.query(connection, 0, 0, None, {"Rare", "Other"}, 1000)) == far
        assert seqs(store.query_back(connection, 0, None, {"Rare", "Other"}, 1000)) == far[::-1]


def test_looking_for_blocks_sorts_nothing() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        store.create(connection, "0" * 32)
        seen: list[str] = []
        connection.set_trace_callback(seen.append)
        for back in (False, True):
            assert list(blocks.spans(connection, ("a", "b"), 0, 10_000, back=back)) == []
        connection.set_trace_callback(None)
        assert len(seen) == 2
        for statement in seen:
            plan = str(connection.execute("EXPLAIN QUERY PLAN " + statement).fetchall())
            assert plan.count("SEARCH blocks USING PRIMARY KEY") == 2 and "TEMP B-TREE" not in plan


def test_a_type_is_noted_once_a_block() -> None:
    notes = blocks.Notes()
    first = notes.new(1, ["a", "b", "a"])
    assert first == {("a", 0), ("b", 0)}
    assert notes.new(4, ["a"]) == {("a", 0)}, "what was not written is still to be noted"
    notes.keep(first)
    assert notes.new(SIZE - 1, ["a", "a"]) == {("a", 1)}
    notes.keep({("a", 1)})
    assert notes.new(SIZE + 1, ["a", "b"]) == {("b", 1)}
    assert notes.new(SIZE + 3, []) == set()


@given(st.integers(1, 3 * SIZE), st.lists(st.sampled_from("abc"), max_size=2 * SIZE + 9))
def test_every_record_s_type_and_block_are_noted(first: int, kinds: list[str]) -> None:
    assert blocks.Notes().new(first, kinds) == {(kind, seq >> blocks.BITS) for seq, kind in enumerate(kinds, first)}


def downgrade(path: Path) -> None:
    """The file as format 1 had it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE blocks")
        connection.execute("CREATE INDEX records_by_type ON records(type)")
        connection.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
        connection.execute("PRAGMA user_version = 1")


@pytest.mark.anyio
async def test_a_log_of_format_1_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with EventLog.open(path, ManualClock()) as log:
        await log.append([delivered(), *(passed(n) for n in range(600)), TimerFired(actor="x", due=1)], actor="a")
        head = log.head_hash
    downgrade(path)
    with pytest.raises(LogFormatError, match=r"log format 1.*start its service once"):
        async with LogReader.open(path, ManualClock()):
            pass
    async with EventLog.open(path, ManualClock(), Settings(ring=0)) as log:
        assert (log.head, log.head_hash) == (602, head)
        found = await log.read(0, types=("Delivered", "TimerFired"), limit=5)
        assert seqs(found) == [1, 602]
        await log.append([delivered()], actor="a")
        assert seqs(await log.read_back(types=("Delivered",))) == [603, 1]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone() == (str(store.FORMAT),)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index'").fetchone() == (0,)

"""A damaged log: what can be read is kept, the damage is told, the service goes on."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lpr.core import opening, salvage
from lpr.core.chain import ChainReport, Checkpointer, verify
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog, LogDamagedError, LogReader, LogUnavailable
from lpr.core.record import Link
from lpr.core.salvage import JUMP, Stamp
from lpr.events import Baseline, ChainSigned, LogPruned, LogRecovered, SourceStalled
from tests.core.samples import delivered, passed

pytestmark = pytest.mark.anyio

RECORDS = 400
STAMP = Stamp(1_750_000_000_000_000, 5, "b" * 16, "ab" * 16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


async def fill(path: Path, records: int = RECORDS) -> str:
    """A closed log of ``records`` events whose bodies fill several pages; returns its id."""
    async with EventLog.open(path, ManualClock()) as log:
        await log.append([SourceStalled(source="x" * 200, silent_s=n) for n in range(records - 1)], actor="camera")
        await log.append([delivered()], actor="push", cause=7, cursor=7)
        return log.log_id


def cut(path: Path, part: float) -> int:
    """Leave ``part`` of the file, ending in mid-page; returns its size."""
    size = int(size_of(path) * part) // 4096 * 4096 + 1234
    with path.open("r+b") as file:
        file.truncate(size)
    return size


def size_of(path: Path) -> int:
    return path.stat().st_size


def overwrite(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def exists(path: Path) -> bool:
    return path.exists()


async def test_a_log_cut_short_in_mid_page_keeps_what_can_be_read(path: Path) -> None:
    log_id = await fill(path)
    left = cut(path, 0.6)
    async with EventLog.open(path, ManualClock()) as log:
        assert log.log_id == log_id
        told = log.recovered[0]
        assert "cut short" in told.problem and "log.db.damaged-1" in told.remedy
        kept = [r.seq for r in await log.read(0, limit=5000) if r.type != "LogRecovered"]
        assert kept[:100] == list(range(1, 101))
        assert RECORDS * 0.4 < len(kept) == told.kept < RECORDS
        assert (await log.read_back(limit=1))[0].event == log.recovered[-1]
        assert log.head > RECORDS + JUMP - 1
        after = (await log.append([passed(1)], actor="camera"))[0]
        assert after.seq == log.head
    assert size_of(path.parent / "log.db.damaged-1") == left
    async with LogReader.open(path, ManualClock()) as reader:
        report = await verify(reader)
        assert report.ok, report.problems
    async with EventLog.open(path, ManualClock()) as log:
        assert log.recovered == ()


async def test_a_destroyed_page_in_the_middle_costs_that_page_alone(path: Path) -> None:
    await fill(path, 3 * RECORDS)
    page = leaf_page(path)
    overwrite(path, (page - 1) * 4096, b"\xa5" * 4096)
    async with EventLog.open(path, ManualClock()) as log:
        with pytest.raises(LogDamagedError, match="start again"):
            await log.read(0, limit=5000)
        head = log.head
    async with EventLog.open(path, ManualClock()) as log:
        kept = [r.seq for r in await log.read(0, limit=5000) if r.type != "LogRecovered"]
        assert kept[0] == 1 and kept[-1] == head
        assert 3 * RECORDS - 30 < len(kept) < 3 * RECORDS
        assert any("can't be read" in told.problem for told in log.recovered)
        assert await log.cursor("push") == 7
    async with LogReader.open(path, ManualClock()) as reader:
        report = await verify(reader)
        assert report.ok and len(report.gaps) == 1
        assert report.gaps[0].after == log.recovered[0].lost_after


def leaf_page(path: Path) -> int:
    """The number of a leaf page in the middle of the table of records."""
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records'").fetchone()[0]
    data = path.read_bytes()[(root - 1) * 4096 : root * 4096]
    assert data[0] == 5, "the root is an interior page of a table"
    cells = int.from_bytes(data[3:5], "big")
    place = int.from_bytes(data[12 + 2 * (cells // 2) : 14 + 2 * (cells // 2)], "big")
    return int.from_bytes(data[place : place + 4], "big")


async def test_a_file_that_is_no_database_any_more(path: Path) -> None:
    await fill(path)
    overwrite(path, 0, bytes(100))
    async with EventLog.open(path, ManualClock()) as log:
        assert len(log.recovered) == 1 and log.recovered[0].kept == 0
        assert log.head >= JUMP
        await log.append([passed(1)], actor="a")
    assert exists(path.with_name("log.db.damaged-1"))


async def test_where_the_end_was_lost_actors_do_the_rest_again(path: Path) -> None:
    """The cursors' page survives a cut, but what was written under them may not have."""
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        for number in range(1, 301):
            await log.append([SourceStalled(source="x" * 200, silent_s=number)], actor="camera")
            if number % 50 == 0:
                await log.append([delivered(number)], actor="push", cause=log.head, cursor=log.head)
        before = await log.cursor("push")
    cut(path, 0.5)
    async with EventLog.open(path, clock) as log:
        outputs = await log.read_back(types=["Delivered"], limit=1)
        assert await log.cursor("push") == outputs[0].cause < before


async def test_baselines_that_were_kept_are_found(path: Path) -> None:
    async with EventLog.open(path, ManualClock()) as log:
        baseline = Baseline(actor="adder", state_version=1, upto=0, state=msgspec.Raw(b"{}"))
        await log.append([baseline], actor="adder", cursor=0)
        await log.append([SourceStalled(source="x" * 200, silent_s=n) for n in range(300)], actor="camera")
    cut(path, 0.5)
    async with EventLog.open(path, ManualClock()) as log:
        found = await log.baseline("adder")
        assert found is not None and found.seq == 1


async def test_a_crash_half_way_through_a_salvage_is_finished(path: Path) -> None:
    await fill(path)
    for stop in ("built", "old one moved"):
        cut(path, 0.9)
        part = path.with_name("log.db.salvage-part")
        aside = path.with_name("log.db.damaged-9")
        salvage._build(path, part, "test", aside, STAMP)  # pyright: ignore[reportPrivateUsage]
        shutil.move(part, path.with_name("log.db.salvage"))
        if stop == "old one moved":
            shutil.move(path, aside)
        async with EventLog.open(path, ManualClock()) as log:
            assert (await log.read_back(limit=1))[0].type == "LogRecovered"
            await log.append([SourceStalled(source="x" * 200, silent_s=n) for n in range(100)], actor="camera")
        assert not exists(path.with_name("log.db.salvage"))


async def test_without_room_for_a_salvage_the_damaged_log_stays_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(path)
    cut(path, 0.5)
    before = size_of(path)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(salvage.store, "create", full)
        with pytest.raises(LogUnavailable, match="no room to salvage it"):
            async with EventLog.open(path, ManualClock()):
                pass
    assert size_of(path) == before
    async with EventLog.open(path, ManualClock()) as log:
        assert log.recovered


async def test_opening_a_whole_log_looks_at_its_end_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(path)

    def never(*_: object) -> None:
        raise AssertionError("the whole file was checked")

    monkeypatch.setattr(opening, "_check_all", never)
    async with EventLog.open(path, ManualClock()) as log:
        assert log.head == RECORDS


def test_any_damage_ends_in_a_log_that_works(tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("whole") / "log.db"
    anyio.run(fill, source, 120)
    size = source.stat().st_size

    @settings(max_examples=25, phases=[Phase.explicit, Phase.generate])
    @given(st.lists(st.tuples(st.integers(0, size - 1), st.binary(min_size=1, max_size=600)), max_size=4), st.data())
    def works(edits: list[tuple[int, bytes]], data: st.DataObject) -> None:
        folder = tmp_path_factory.mktemp("damaged")
        path = folder / "log.db"
        shutil.copy(source, path)
        with path.open("r+b") as file:
            for place, content in edits:
                file.seek(place)
                file.write(content)
            file.truncate(data.draw(st.one_of(st.just(size), st.integers(1, size))))

        async def use() -> int:
            async with EventLog.open(path, ManualClock()) as log:
                written = await log.append([passed(1)], actor="a")
                return written[0].seq

        for attempt in range(3):
            try:
                assert anyio.run(use) > 0
                break
            except (LogDamagedError, LogUnavailable):
                assert attempt < 2, "two starts must be enough"
            except Exception as error:
                if "not a log" in str(error) or "log format" in str(error):
                    break
                raise
        shutil.rmtree(folder)

    works()


# --- damage and forgery ------------------------------------------------------------------------------------


async def fill_signed(path: Path) -> None:
    """Records of many sizes (some on pages of their own), and a checkpoint behind each fifteen."""
    clock = ManualClock()
    async with EventLog.open(path, clock) as log:
        checkpointer = Checkpointer(log, clock, lambda text: text[-8:], "5f" * 32)
        for block in range(8):
            sizes = [40 + block * n * 37 % 700 + 9000 * (n == 7) for n in range(15)]
            await log.append([SourceStalled(source="x" * size, silent_s=size) for size in sizes], actor="camera")
            await checkpointer.checkpoint()


async def seen(path: Path) -> tuple[ChainReport, list[Link], tuple[LogRecovered, ...]]:
    """Open the log, so that it is salvaged if need be: what `lpr verify` says, what was kept, what was told."""
    async with EventLog.open(path, ManualClock()) as log:
        told = log.recovered
    async with LogReader.open(path, ManualClock()) as reader:
        kept = [record for record in await reader.read(0, limit=5000) if record.type != "LogRecovered"]
        return await verify(reader, lambda _, text, signature: signature == text[-8:]), kept, told


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


async def test_wherever_a_log_is_cut_it_is_not_called_altered(path: Path) -> None:
    """Where a page is cut, the record across the cut has lost the end of its hash: what lies behind reads as zeros."""
    await fill_signed(path)
    written = {record.seq: record for record in (await seen(path))[1]}
    restored = lost = baseless = 0
    for left in range(size_of(path) - 1, 6 * 4096, -1237):
        part = path.parent / f"cut-{left}" / path.name
        part.parent.mkdir()
        shutil.copy(path, part)
        with part.open("r+b") as file:
            file.truncate(left)
        report, kept, told = await seen(part)
        assert report.ok, (left, report.problems)
        there = {record.seq for record in kept}
        for record in kept:
            alone = not {record.seq - 1, record.seq + 1} & there  # nothing is left that could vouch for its hash
            assert record.body == written[record.seq].body
            assert record.hash == written[record.seq].hash or alone, (left, record.seq)
        restored += "restored" in told[-1].remedy
        lost += bool(report.gaps)
        signed = [event.upto for record in kept if isinstance(event := record.event, ChainSigned)]
        baseless += any(gap.after < upto < gap.before for gap in report.gaps for upto in signed)
        shutil.rmtree(part.parent)
    assert restored and lost and baseless, "the cuts met each case"


@pytest.mark.parametrize("change", ["body = replace(body, 'xxx', 'yyy')", "hash = zeroblob(32)", "wall = 1"])
async def test_what_was_altered_is_named_after_a_salvage_too(path: Path, change: str) -> None:
    await fill_signed(path)
    execute(path, f"UPDATE records SET {change} WHERE seq IN (4, 5)")
    cut(path, 0.6)
    report, kept, told = await seen(path)
    assert told and {4, 5} <= {record.seq for record in kept}
    assert report.first_broken == 4 and "altered" in report.problems[0].text


async def test_a_checkpoint_over_a_removed_record_is_no_excuse(path: Path) -> None:
    await fill_signed(path)
    execute(path, "DELETE FROM records WHERE seq = 15")
    report, _, told = await seen(path)
    assert not told and [problem.seq for problem in report.problems] == [16, 16]
    assert {"removed", "built anew"} == {
        text for p in report.problems for text in ("removed", "built anew") if text in p.text
    }


async def test_records_lost_right_behind_the_cut_of_retention_are_a_gap(path: Path) -> None:
    async with EventLog.open(path, ManualClock()) as log:
        records = await log.append([SourceStalled(source="x", silent_s=n) for n in range(100)], actor="camera")
        await log.append([LogPruned(upto=50, head=records[49].hash.hex(), records=50)], actor="retention")
    execute(path, "DELETE FROM records WHERE seq <= 53")
    salvage.salvage(path, "test", STAMP)
    report, _, _ = await seen(path)
    assert report.ok and [(gap.after, gap.before) for gap in report.gaps] == [(50, 54)]

"""The hash chain: what was altered, removed or put in between shows."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lpr.core.chain import ChainReport, Checkpointer, checkpoint_text, verify
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog, LogReader
from lpr.core.offload import inline
from lpr.events import ChainSigned
from tests.core.samples import passed

pytestmark = pytest.mark.anyio
KEY = "4b" * 32


def sign(text: bytes) -> bytes:
    """A stand-in for RSA."""
    return hashlib.sha256(b"secret" + text).digest()


def check(key: str, text: bytes, signature: bytes) -> bool | None:
    return signature == sign(text) if key == KEY else None


async def verified(path: Path) -> ChainReport:
    async with LogReader.open(path, ManualClock()) as reader:
        return await verify(reader, check)


async def fill(path: Path, records: int = 20) -> None:
    """``records`` events, with a checkpoint after half of them and at the end."""
    clock = ManualClock()
    async with EventLog.open(path, clock, offload=inline) as log:
        checkpointer = Checkpointer(log, clock, sign, KEY)
        for number in range(records):
            await log.append([passed(number)], actor="a")
            if number in (records // 2, records - 1):
                await checkpointer.checkpoint()


def execute(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


async def test_a_whole_log_verifies(tmp_path: Path) -> None:
    await fill(tmp_path / "log.db")
    report = await verified(tmp_path / "log.db")
    assert report.ok and report.first_broken is None
    assert (report.records, report.first, report.last) == (22, 1, 22)
    assert (report.checkpoints, report.signed_upto, report.unknown_keys) == (2, 21, ())


async def test_an_empty_log_verifies(tmp_path: Path) -> None:
    async with EventLog.open(tmp_path / "log.db", ManualClock(), offload=inline):
        pass
    report = await verified(tmp_path / "log.db")
    assert report.ok and report.records == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE records SET body = replace(body, '\"position\":6', '\"position\":66') WHERE seq = 7",
        "UPDATE records SET type = 'Delivered' WHERE seq = 7",
        "UPDATE records SET wall = wall + 1 WHERE seq = 7",
        "UPDATE records SET actor = 'b' WHERE seq = 7",
        "UPDATE records SET cause = 1 WHERE seq = 7",
        "UPDATE records SET boot = 'x' WHERE seq = 7",
        "UPDATE records SET hash = zeroblob(32) WHERE seq = 7",
        "UPDATE records SET body = '{}' WHERE seq = 7",
    ],
)
async def test_an_altered_record_is_named(tmp_path: Path, change: str) -> None:
    path = tmp_path / "log.db"
    await fill(path)
    execute(path, change)
    report = await verified(path)
    assert report.first_broken == 7 and "altered" in report.problems[0].text


async def test_removed_records_are_named(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    await fill(path)
    execute(path, "DELETE FROM records WHERE seq BETWEEN 5 AND 6")
    report = await verified(path)
    assert not report.ok
    assert report.problems[0].text == "records 5 to 6 were removed"


async def test_the_beginning_cannot_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    await fill(path)
    execute(path, "DELETE FROM records WHERE seq <= 3")
    assert (await verified(path)).problems[0].text == "records 1 to 3 were removed"


async def test_a_chain_built_anew_does_not_fit_its_checkpoints(tmp_path: Path) -> None:
    """Somebody alters a record and computes every hash after it again, but has no key."""
    from lpr.core.record import chain_hash, content, genesis

    path = tmp_path / "log.db"
    await fill(path)
    execute(path, "UPDATE records SET wall = 1 WHERE seq = 7")
    async with LogReader.open(path, ManualClock()) as reader:
        previous = genesis(reader.log_id)
        records = await reader.read(0)
    with closing(sqlite3.connect(path)) as connection:
        for record in records:
            previous = chain_hash(previous, content(record))
            connection.execute("UPDATE records SET hash = ? WHERE seq = ?", (previous, record.seq))
        connection.commit()
    report = await verified(path)
    assert not report.ok and "built anew" in report.problems[0].text


async def test_a_false_signature_and_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with EventLog.open(path, ManualClock(), offload=inline) as log:
        record = (await log.append([passed(1)], actor="a"))[0]
        head = record.hash.hex()
        await log.append([ChainSigned(upto=1, head=head, key=KEY, signature="00")], actor="chain")
        await log.append([ChainSigned(upto=1, head=head, key="other", signature="00")], actor="chain")
        await log.append([ChainSigned(upto=1, head=head, key=KEY, signature="no hex")], actor="chain")
    report = await verified(path)
    assert [problem.seq for problem in report.problems] == [2, 4]
    assert report.unknown_keys == ("other",)
    async with LogReader.open(path, ManualClock()) as reader:
        assert (await verify(reader)).ok, "without keys the chain itself is whole"


async def test_checkpoints_come_each_hour_and_at_the_stop(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        checkpointer = Checkpointer(log, clock, sign, KEY, every=3600)
        await log.append([passed(1)], actor="a")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(checkpointer.run)
            await anyio.wait_all_tasks_blocked()
            clock.advance(3600)
            await log.wait(1)
            clock.advance(3600)
            await anyio.wait_all_tasks_blocked()
            await log.append([passed(2)], actor="a")
            tasks.cancel_scope.cancel()
        found = await log.read(0)
        assert [r.type for r in found] == ["FramesPassed", "ChainSigned", "FramesPassed", "ChainSigned"]
        last = found[-1].event
        assert isinstance(last, ChainSigned) and last.upto == 3
        assert bytes.fromhex(last.signature) == sign(checkpoint_text(log.log_id, 3, found[2].hash.hex()))
    assert (await verified(tmp_path / "log.db")).signed_upto == 3


def test_no_change_of_a_row_goes_unseen(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("chain")
    whole = folder / "whole.db"
    anyio.run(fill, whole, 6)
    columns = st.sampled_from(["type", "version", "actor", "cause", "wall", "mono", "boot", "body"])
    value = st.one_of(st.integers(-5, 5), st.text(alphabet="ab1{}", max_size=4))

    @settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
    @given(st.integers(1, 8), columns, value)
    def seen(seq: int, column: str, new: int | str) -> None:
        path = folder / "log.db"
        path.write_bytes(whole.read_bytes())
        with closing(sqlite3.connect(path)) as connection:
            old = connection.execute(f"SELECT {column} FROM records WHERE seq = ?", (seq,)).fetchone()[0]
            if isinstance(old, int):
                new = old + 1 + len(str(new))
            elif str(new) == old:
                return
            connection.execute(f"UPDATE records SET {column} = ? WHERE seq = ?", (new, seq))
            connection.commit()
        report = anyio.run(verified, path)
        assert report.first_broken == seq

    seen()

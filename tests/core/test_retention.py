"""What goes, what stays, and that the rest can still be verified."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import anyio
import msgspec
import pytest

from lpr.core.blobs import BlobStore
from lpr.core.chain import Checkpointer, verify
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog, LogReader
from lpr.core.offload import inline
from lpr.core.retention import BATCH, Needs, Retention
from lpr.core.writer import Writer
from lpr.events import (
    ApiCalled,
    Baseline,
    DeliveryRequested,
    LogPruned,
    Picture,
    UserAdded,
)
from tests.core.samples import decided, delivered, passed, signed, taken
from tests.core.test_chain import KEY, check, sign

pytestmark = pytest.mark.anyio
DAY = 86_400.0


@dataclass(frozen=True)
class Rules:
    days: float = 30.0
    max_pictures_mb: int = 0
    every: float = 3600.0
    audit_days: float = 365.0


def call(number: int) -> ApiCalled:
    return ApiCalled(user="u", remote="r", method="GET", path=f"/{number}", query="", status=200)


async def store(blobs: BlobStore, text: str, size: int = 10, age_days: float = 400.0) -> Picture:
    """A stored picture whose file is ``age_days`` old."""
    data = text.encode().ljust(size, b".")
    blob = await blobs.put(data)
    old = blobs.path(blob).stat().st_mtime - age_days * DAY
    os.utime(blobs.path(blob), (old, old))
    return Picture(blob=blob, width=1, height=1, bytes=size)


async def intact(path: Path) -> bool:
    async with LogReader.open(path, ManualClock()) as reader:
        report = await verify(reader, check)
        assert report.ok, report.problems
        return report.pruned_upto > 0


async def seqs(log: EventLog) -> list[int]:
    async with LogReader.open(log.path, ManualClock()) as reader:
        return [record.seq for record in await reader.read(0, limit=10_000)]


async def test_old_records_and_their_pictures_go_and_the_chain_stays_whole(tmp_path: Path) -> None:
    clock = ManualClock()
    blobs = BlobStore(tmp_path / "blobs", inline)
    path = tmp_path / "log.db"
    async with EventLog.open(path, clock, offload=inline) as log:
        old, shared = await store(blobs, "old"), await store(blobs, "shared")
        await log.append([passed(n, "other") for n in range(BATCH + 100)], actor="camera")
        await log.append([taken(1, old), taken(2, shared), delivered()], actor="camera")
        await log.append([taken(2, shared, source="later")], actor="camera")
        clock.advance(31 * DAY)
        await log.append([decided(shown=shared)], actor="voter")
        seal = Checkpointer(log, clock, sign, KEY)
        retention = Retention(log, blobs, clock, Rules(), Needs(), seal.checkpoint)
        done = await retention.prune()
        left = await seqs(log)
        assert done.cut == BATCH + 104
        types = [r.type for r in await log.read_back(limit=3)]
        assert types == ["ChainSigned", "LogPruned", "PassageDecided"]
        kept = {BATCH + 100, BATCH + 102, BATCH + 104}
        assert left == sorted(kept) + list(range(BATCH + 105, BATCH + 108))
        assert done.records == BATCH + 104 - 3
        assert not blobs.has(old.blob) and blobs.has(shared.blob)
        assert (done.blobs, done.bytes_freed) == (1, 10)
        again = await retention.prune()
        assert (again.cut, again.records) == (0, 0)
    assert await intact(path)


async def test_audit_stays_longer_and_users_for_good(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "log.db"
    async with EventLog.open(path, clock, offload=inline) as log:
        user = UserAdded(user="u", role="operator", by="first start")
        await log.append([user, call(1), delivered(), call(2)], actor="web")
        retention = Retention(log, BlobStore(tmp_path / "blobs", inline), clock, Rules(), Needs())
        clock.advance(40 * DAY)
        await log.append([call(3)], actor="web")
        await retention.prune()
        assert (await seqs(log))[:4] == [1, 2, 4, 5]
        assert await intact(path)
        clock.advance(340 * DAY)
        await log.append([passed(1)], actor="camera")
        await retention.prune()
        assert (await seqs(log))[:2] == [1, 5]
        assert await intact(path)


async def test_kept_records_are_verified_too(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "log.db"
    async with EventLog.open(path, clock, offload=inline) as log:
        await log.append([call(1), delivered(), call(2), delivered()], actor="web")
        clock.advance(40 * DAY)
        await log.append([passed(1)], actor="camera")
        await Retention(log, BlobStore(tmp_path / "b", inline), clock, Rules(), Needs()).prune()

        def alter(writer: Writer) -> None:
            writer.transact(lambda c: c.execute("UPDATE records SET actor = 'x' WHERE seq = 3") and None)

        await log.maintain(alter)
    async with LogReader.open(path, clock) as reader:
        report = await verify(reader, check)
    assert not report.ok and "kept before the cut" in report.problems[0].text


async def test_what_somebody_needs_is_not_pruned(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        blobs = BlobStore(tmp_path / "blobs", inline)
        (one,) = await log.append([decided()], actor="voter")
        (two,) = await log.append([signed(one.id)], actor="signer")
        await log.append([delivered(n) for n in range(20)], actor="x")
        clock.advance(40 * DAY)
        head = (await log.append([passed(1)], actor="camera"))[0].seq

        async def cut(needs: Needs) -> int:
            return await Retention(log, blobs, clock, Rules(), needs)._limit()  # pyright: ignore[reportPrivateUsage]

        assert await cut(Needs()) == head
        assert await cut(Needs(deciders=["adder"])) == 0
        baseline = Baseline(actor="adder", state_version=1, upto=9, state=msgspec.Raw(b"{}"))
        await log.append([baseline], actor="adder")
        assert await cut(Needs(deciders=["adder"])) == 9
        assert await cut(Needs(workers=["scribe"])) == 0
        await log.append((), actor="scribe", cursor=12)
        assert await cut(Needs(workers=["scribe"])) == 12
        assert await cut(Needs(sinks=["push"])) == one.seq - 1
        await log.append((), actor="push", cursor=two.seq)
        assert await cut(Needs(sinks=["push"])) == log.head
        request = DeliveryRequested(sink="push", passage=one.id, record=two.seq, by="admin")
        await log.append([request], actor="api")
        assert await cut(Needs(sinks=["push"])) == one.seq - 1
        done = await Retention(log, blobs, clock, Rules(), Needs(sinks=["push"])).prune()
        assert done.records == 0


async def test_pictures_are_kept_within_their_room(tmp_path: Path) -> None:
    clock = ManualClock()
    blobs = BlobStore(tmp_path / "blobs", inline)
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        for number in range(10):
            shown = await store(blobs, f"picture {number}", 300_000)
            await log.append([taken(number, shown), decided(number, shown=shown)], actor="camera")
        retention = Retention(log, blobs, clock, Rules(days=0, max_pictures_mb=1), Needs())
        await retention.prune()
        assert await blobs.total() <= 1_300_000
        assert await blobs.total() >= 900_000
        assert await intact(log.path)


async def test_a_crash_after_the_cut_is_finished_by_the_next_run(tmp_path: Path) -> None:
    clock = ManualClock()
    blobs = BlobStore(tmp_path / "blobs", inline)
    path = tmp_path / "log.db"
    async with EventLog.open(path, clock, offload=inline) as log:
        await log.append([call(1), delivered(), passed(1)], actor="x")
        clock.advance(40 * DAY)
        await log.append([passed(2)], actor="camera")
        retention = Retention(log, blobs, clock, Rules(), Needs())

        async def crash(upto: int) -> None:
            raise KeyboardInterrupt

        retention._delete = crash  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(KeyboardInterrupt):
            await retention.prune()
        assert await seqs(log) == [1, 2, 3, 4, 5]
        assert await intact(path)
        done = await Retention(log, blobs, clock, Rules(), Needs()).prune()
        assert done.records == 1
        assert await intact(path)


async def test_pictures_that_nobody_named_go_once_they_are_old(tmp_path: Path) -> None:
    clock = ManualClock()
    blobs = BlobStore(tmp_path / "blobs", inline)
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        orphan, young = await store(blobs, "orphan"), await store(blobs, "young", age_days=0)
        named = await store(blobs, "named")
        await log.append([taken(1, named)], actor="camera")
        retention = Retention(log, blobs, clock, Rules(days=0), Needs())
        for _ in range(16):
            await retention.prune()
        assert not blobs.has(orphan.blob)
        assert blobs.has(young.blob) and blobs.has(named.blob)
        assert await log.read(0, types={"LogPruned"}) == []


async def test_a_log_that_was_pruned_goes_on(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "log.db"
    async with EventLog.open(path, clock, offload=inline) as log:
        await log.append([delivered(n) for n in range(50)], actor="x")
        clock.advance(40 * DAY)
        await log.append([passed(1)], actor="camera")
        await Retention(log, BlobStore(tmp_path / "b", inline), clock, Rules(), Needs()).prune()
        head = log.head
    async with EventLog.open(path, clock, offload=inline) as log:
        assert log.head == head
        (record,) = await log.append([passed(2)], actor="camera")
        assert record.seq == head + 1
        pruned = (await log.read(0, types={"LogPruned"}))[0].event
        assert isinstance(pruned, LogPruned) and (pruned.upto, pruned.records, pruned.kept) == (50, 50, "")
    assert await intact(path)


async def test_the_actor_prunes_now_and_every_hour(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        await log.append([delivered()], actor="x")
        await log.append([delivered()], actor="x")
        tasks.start_soon(Retention(log, BlobStore(tmp_path / "b", inline), clock, Rules(days=1), Needs()).run)
        await anyio.wait_all_tasks_blocked()
        clock.advance(2 * DAY)
        assert await log.wait(2) == 3
        tasks.cancel_scope.cancel()

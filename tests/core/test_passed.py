"""Passages joined from their two events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from lpr.core.clock import ManualClock
from lpr.core.log import EventLog
from lpr.core.passed import follow, latest, passage, since
from lpr.events import Event
from tests.core.samples import decided, delivered, signed

pytestmark = pytest.mark.anyio


@pytest.fixture
async def log(tmp_path: Path) -> AsyncGenerator[EventLog, None]:
    async with EventLog.open(tmp_path / "log.db", ManualClock()) as opened:
        yield opened


async def add(log: EventLog, plate: str, between: tuple[Event, ...] = ()) -> int:
    (record,) = await log.append((decided(plate=plate),), actor="voter")
    if between:
        await log.append(between, actor="x")
    (made,) = await log.append((signed(record.id),), actor="signer")
    return made.seq


async def test_passages_in_both_directions(log: EventLog) -> None:
    seqs = [await add(log, f"ABC1D{n:02d}", (delivered(n),)) for n in range(5)]
    assert [s.decided.plate for s in await latest(log, 3)] == ["ABC1D04", "ABC1D03", "ABC1D02"]
    assert [s.record for s in await latest(log, 10, before=seqs[2])] == [seqs[1], seqs[0]]
    assert [s.record for s in await since(log, seqs[1], 2)] == seqs[2:4]
    found = await passage(log, seqs[0])
    assert found is not None and found.decided.plate == "ABC1D00" and found.signed.passage == found.passage
    assert await passage(log, seqs[0] - 1) is None


async def test_a_passage_without_its_decision_is_passed_over(log: EventLog) -> None:
    await log.append((signed("0" * 36),), actor="signer")
    seq = await add(log, "ABC1D23")
    assert [s.record for s in await latest(log, 5)] == [seq]
    assert [s.record for s in await since(log, 0)] == [seq]


async def test_follow_gives_each_as_it_comes(log: EventLog) -> None:
    before = await add(log, "ABC1D00")
    got: list[str] = []

    async def read(after: int | None, count: int) -> None:
        passages = follow(log, after)
        async for shipment in passages:
            got.append(shipment.decided.plate)
            if len(got) == count:
                break
        await passages.aclose()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, before - 1, 2)
            await add(log, "ABC1D01")
    assert got == ["ABC1D00", "ABC1D01"]

"""The search table follows the log, survives its own loss, and finds what a person asks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from lpr.actors.catalogue import Catalogue
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog
from lpr.core.record import Record
from lpr.core.search import PassageQuery, PassageRow, page, search_sql
from lpr.events import (
    Character,
    Delivered,
    DeliveryFailed,
    Event,
    LogPruned,
    PassageDecided,
    PassageSigned,
    Picture,
)

pytestmark = pytest.mark.anyio

PICTURE = Picture(blob="a" * 64, width=640, height=360, bytes=1000)


def decided(plate: str, at: int, *, lane: str = "1", confidence: float = 0.9) -> PassageDecided:
    return PassageDecided(
        source="gate", lane=lane, plate=plate, confidence=confidence,
        characters=tuple(Character(char=char, confidence=confidence) for char in plate),
        country="BR", layout="br-old", at=at, first_at=at, last_at=at, capture=f"gate@{at}", exposure=0,
        picture=PICTURE, box=(1.0, 2.0, 3.0, 4.0), corners=((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.0)),
        direction="approach", reads=3, votes=(),
    )  # fmt: skip


async def follow(path: Path, log: EventLog) -> None:
    """Run a catalogue until it has caught up."""
    catalogue = Catalogue(path)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(catalogue.run, log)
        with anyio.fail_after(30):
            while log.positions.get(catalogue.name, -1) < log.head:
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    log.positions.clear()


def rows(path: Path, query: PassageQuery) -> tuple[list[PassageRow], str | None]:
    sql, parameters = search_sql(query)
    connection = sqlite3.connect(path)
    try:
        return page(connection.execute(sql, parameters).fetchall(), query)
    finally:
        connection.close()


def plates(path: Path, **query: Any) -> list[str]:
    return [row.plate for row in rows(path, PassageQuery(**query))[0]]


async def fill(log: EventLog, events: Sequence[Event]) -> tuple[Record, ...]:
    return await log.append(events, actor="voter")


async def test_it_finds_what_was_decided(tmp_path: Path) -> None:
    path = tmp_path / "passages.db"
    async with EventLog.open(tmp_path / "events.db", ManualClock()) as log:
        await fill(
            log, [decided("ABC1234", 10), decided("XYZ9876", 20, lane="2"), decided("QRS1B23", 30, confidence=0.5)]
        )
        await follow(path, log)
        assert plates(path) == ["QRS1B23", "XYZ9876", "ABC1234"]
        assert plates(path, plate="c12") == ["ABC1234"]
        assert plates(path, plate="ABC1C34") == ["ABC1234"], "both Brazilian forms find each other"
        assert plates(path, plate="???9*") == ["XYZ9876"]
        assert plates(path, min_confidence=0.8) == ["XYZ9876", "ABC1234"]
        assert plates(path, since=20, until=30) == ["XYZ9876"]
        assert plates(path, lane="2") == ["XYZ9876"]


async def test_signature_and_deliveries_join_their_passage(tmp_path: Path) -> None:
    path = tmp_path / "passages.db"
    async with EventLog.open(tmp_path / "events.db", ManualClock()) as log:
        (one,) = await fill(log, [decided("ABC1234", 10)])
        signed = PassageSigned(passage=one.id, plate="ABC1234", at=10, picture=PICTURE, plate_picture=PICTURE, key="k")
        (two,) = await fill(log, [signed])
        failed = DeliveryFailed(sink="push", passage=one.id, record=two.seq, attempt=1, reason="away", retry_at=5)
        await fill(log, [failed, Delivered(sink="push", passage=one.id, record=two.seq, attempt=2)])
        await follow(path, log)
        (row,), _ = rows(path, PassageQuery())
        assert (row.id, row.signed_seq, row.signed_picture) == (one.id, two.seq, PICTURE.blob)
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT state, attempt FROM deliveries").fetchall() == [("delivered", 2)]
        connection.close()


async def test_paging_reaches_everything_once(tmp_path: Path) -> None:
    path = tmp_path / "passages.db"
    async with EventLog.open(tmp_path / "events.db", ManualClock()) as log:
        await fill(log, [decided(f"ABC{number:04}", number // 3) for number in range(25)])
        await follow(path, log)
        seen: list[str] = []
        query = PassageQuery(limit=4)
        while True:
            found, following = rows(path, query)
            seen += [row.plate for row in found]
            if following is None:
                break
            query = PassageQuery(limit=4, before=(found[-1].at, found[-1].seq))
        assert sorted(seen) == [f"ABC{number:04}" for number in range(25)]


@pytest.mark.parametrize("harm", ["delete", "garbage", "another log", "ahead"])
async def test_a_table_that_does_not_fit_is_made_anew(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "passages.db"
    async with EventLog.open(tmp_path / "events.db", ManualClock()) as log:
        await fill(log, [decided("ABC1234", 10)])
        await follow(path, log)
        if harm == "delete":
            path.unlink()
        elif harm == "garbage":
            path.write_bytes(b"no database" * 1000)
        else:
            connection = sqlite3.connect(path)
            change = "log_id = 'x'" if harm == "another log" else "cursor = 99999"
            connection.execute(f"UPDATE position SET {change}")
            connection.execute("DELETE FROM passages")
            connection.commit()
            connection.close()
        await follow(path, log)
        assert plates(path) == ["ABC1234"]


async def test_it_goes_on_where_it_was_and_forgets_what_was_pruned(tmp_path: Path) -> None:
    path = tmp_path / "passages.db"
    async with EventLog.open(tmp_path / "events.db", ManualClock()) as log:
        first, _ = await fill(log, [decided("AAA1111", 10), decided("BBB2222", 20)])
        await follow(path, log)
        await fill(log, [decided("CCC3333", 30), LogPruned(upto=first.seq, head="", records=1)])
        await follow(path, log)
        assert plates(path) == ["CCC3333", "BBB2222"]

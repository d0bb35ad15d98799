"""Faults while the service runs: a clear message, nothing recorded is lost, and it goes on when the fault is gone.

The service runs in this process over a film of numbered frames (``tests.e2e.numbered``), so the right answer is known.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import web

from lpr.core.clock import SimulatedClock
from lpr.core.pipeline import chain_name
from lpr.events import Baseline, BlobMissing, ClockStepped, Delivered, LogRecovered, PassageDecided, PassageSigned
from tests.e2e.disk import small_disk
from tests.e2e.harness import free_port
from tests.e2e.numbered import (
    PERIOD,
    NumberEngine,
    check,
    config,
    logged,
    no_problem,
    opened,
    plates,
    problem,
    read_plates,
    records,
    run,
    until,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def receiver(port: int, got: list[str]) -> AsyncGenerator[None]:
    """Takes pushes; ``got``: their bodies."""

    async def take(request: web.Request) -> web.Response:
        got.append(await request.text())
        return web.Response()

    application = web.Application(client_max_size=1 << 24)
    application.router.add_post("/", take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()


SECOND_VEHICLE = PERIOD + 3
"""A frame on which the second vehicle comes into view; the first has been decided by then."""


def said(caplog: pytest.LogCaptureFixture, by: str = "") -> list[str]:
    """What the terminal shows of a running service. ``by``: this logger alone ("lpr.service": problems)."""
    shown = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return [record.message for record in shown if by in ("", record.name)]


async def test_the_disk_is_full(tmp_path: Path, numbers: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Log and pictures lie on it: it waits, says so, and goes on when there is room."""
    engine = NumberEngine(pause_at=SECOND_VEHICLE)
    with small_disk(tmp_path / "data") as disk:
        async with opened(config(tmp_path, numbers), engine) as service:
            await until(engine.paused.is_set)
            disk.fill()
            engine.go.set()
            told = await problem(service, str(tmp_path / "data"), "make room")
            assert "Traceback" not in told and "\n" not in told
            before = service.log.head
            await until(lambda: any("make room" in line for line in said(caplog, "lpr.service")))
            disk.make_room()
            await service.settled()
            await no_problem(service)
            await until(lambda: any("no longer" in line for line in said(caplog)))
            assert service.log.head > before
        assert await read_plates(tmp_path) == plates(4)
        await check(tmp_path)
    assert len(said(caplog)) == len(set(said(caplog))) < 16, "each problem once"


async def test_the_disk_of_the_pictures_is_full(tmp_path: Path, numbers: Path) -> None:
    engine = NumberEngine(pause_at=SECOND_VEHICLE)
    with small_disk(tmp_path / "data" / "blobs") as disk:
        async with opened(config(tmp_path, numbers), engine) as service:
            await until(engine.paused.is_set)
            disk.fill()
            engine.go.set()
            await problem(service, "blobs", "make room")
            disk.make_room()
            await service.settled()
            await no_problem(service)
        assert await read_plates(tmp_path) == plates(4)
        await check(tmp_path)


async def test_the_disk_is_nearly_full(tmp_path: Path, numbers: Path) -> None:
    """Below log.min_free_mb captures stop, while there is still room for the log."""
    with small_disk(tmp_path / "data") as disk:
        if not disk.mounted:
            return  # the other means leaves no disk that is nearly full
        settings = config(tmp_path, numbers, log={"min_free_mb": 1000})
        async with opened(settings) as service:
            told = await problem(service, "log.min_free_mb")
            assert str(tmp_path / "data") in told
            assert not await service.log.read(0, types=("CaptureTaken",))


async def test_another_program_locks_the_log(tmp_path: Path, numbers: Path) -> None:
    engine = NumberEngine(pause_at=SECOND_VEHICLE)
    async with opened(config(tmp_path, numbers), engine) as service:
        await until(engine.paused.is_set)
        with closing(sqlite3.connect(service.log.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            engine.go.set()
            told = await problem(service, str(service.log.path), "another program")
            assert "close it" in told
            other.execute("ROLLBACK")
        await service.settled()
        await no_problem(service)
    assert await read_plates(tmp_path) == plates(4)
    await check(tmp_path)


async def test_the_log_is_cut_short_in_mid_page(tmp_path: Path, numbers: Path) -> None:
    """What lies before the cut stays, the film is taken up where the rest of the log ends, and the loss is told."""
    await run(config(tmp_path, numbers))
    before = await records(tmp_path)
    path = tmp_path / "data" / "events.db"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 6 // 10 + 1234)
    async with opened(config(tmp_path, numbers)) as service:
        await problem(service, "log was damaged")
        await service.settled()
        (recovered, *_) = [r.event for r in await logged(service.log, "LogRecovered")]
    assert isinstance(recovered, LogRecovered)
    assert "cut short" in recovered.problem and "damaged-1" in recovered.remedy
    assert (tmp_path / "data" / "events.db.damaged-1").stat().st_size > 0
    after = {record.seq: record for record in await records(tmp_path)}
    kept = [record for record in before if record.seq in after]
    assert kept and recovered.kept == len(kept)
    assert all((after[record.seq].body, after[record.seq].hash) == (record.body, record.hash) for record in kept)
    found = await read_plates(tmp_path)
    assert len(found) == len(set(found)) and found[-1] == plates(4)[-1], "the rest of the film, nothing twice"
    assert set(found) >= {r.event.plate for r in kept if isinstance(r.event, PassageDecided)}
    await check(tmp_path, all_signed=False)


async def test_the_clock_jumps_back_an_hour(tmp_path: Path, numbers: Path) -> None:
    engine = NumberEngine(pause_at=SECOND_VEHICLE)
    clock = SimulatedClock()
    async with opened(config(tmp_path, numbers), engine, clock) as service:
        await until(engine.paused.is_set)
        clock.step(-3600.0)
        engine.go.set()
        await service.settled()
        (stepped,) = [r.event for r in await logged(service.log, "ClockStepped")]
    assert isinstance(stepped, ClockStepped) and stepped.seconds == pytest.approx(-3600.0, abs=1.0)
    assert await read_plates(tmp_path) == plates(4)
    await check(tmp_path)


async def test_pictures_that_are_gone_or_damaged(tmp_path: Path, numbers: Path) -> None:
    """A receiver that comes late gets every passage; of those whose picture is lost, it is told so, and so are we."""
    port = free_port()
    push = {"url": f"http://127.0.0.1:{port}/", "retry_first": 0.1, "retry_max": 0.2}
    async with opened(config(tmp_path, numbers, push=[push])) as service:
        signed = [r.event for r in await logged(service.log, "PassageSigned", 4)]
        await logged(service.log, "DeliveryFailed")
        first, second, *_ = [event for event in signed if isinstance(event, PassageSigned)]
        service.blobs.path(first.picture.blob).unlink()
        service.blobs.path(second.picture.blob).write_bytes(b"other bytes")
        await logged(service.log, "BlobMissing")  # an attempt under way may still have had the picture
        got: list[str] = []
        async with receiver(port, got):
            await service.settled()
        closed = [r.event for r in await service.log.read(0, types=("Delivered", "DeliveryParked"), limit=100)]
        missing = {
            r.event.blob for r in await logged(service.log, "BlobMissing", 2) if isinstance(r.event, BlobMissing)
        }
        told = await problem(service, "Pictures that the log names are missing or damaged")
    assert missing == {first.picture.blob, second.picture.blob} and told
    assert len(closed) == 4, "no passage holds up the next"
    assert [event.passage for event in closed if isinstance(event, Delivered)] == [
        event.passage for event in signed if isinstance(event, PassageSigned)
    ][-len(got) :]


async def test_what_the_engine_knew_is_found_again(
    tmp_path: Path, numbers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its baseline lies under the name of the camera's chain, so a start need not fold the whole log."""
    monkeypatch.setattr("lpr.actors.engine.engine.BASELINE_EVERY", 4)
    await run(config(tmp_path, numbers))
    async with opened(config(tmp_path, numbers)) as service:
        baseline = await service.log.baseline(chain_name("gate"))
    assert baseline is not None and isinstance(baseline.event, Baseline)
    assert baseline.event.actor == baseline.actor == "camera:gate"

"""``kill -9`` at random moments of a run over a film: nothing is lost, nothing comes twice into the log.

Rounds: ``LPR_KILL_ROUNDS`` (default 5). The moments are random on purpose; the seed is printed.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from lpr.core import chain
from lpr.core.clock import SystemClock
from lpr.core.log import LogReader
from lpr.core.record import Record
from lpr.events import PassageDecided, PassageSigned, ServiceStarted, SourceOpened
from tests.e2e.harness import (
    Place,
    fake_receiver,
    film,
    lines,
    lpr,
    nvr,
    place,
    running,
    start,
    stop,
    until,
)

ROUNDS = int(os.environ.get("LPR_KILL_ROUNDS", "5"))
pytestmark = pytest.mark.slow


def records(where: Place, *types: str) -> list[Record]:
    async def work() -> list[Record]:
        found: list[Record] = []
        with suppress(FileNotFoundError):  # the service is only just making it
            async with LogReader.open(where.data / "events.db", SystemClock()) as log:
                while page := await log.read(found[-1].seq if found else 0, types=types or None, limit=5000):
                    found += page
        return found

    return anyio.run(work)


def passages(where: Place) -> list[tuple[str, int]]:
    """(plate, time since the film's begin) of every passage, in order."""
    base = next(r.event.base for r in records(where, "SourceOpened") if isinstance(r.event, SourceOpened))
    decided = [r.event for r in records(where, "PassageDecided")]
    return [(event.plate, event.at - base) for event in decided if isinstance(event, PassageDecided)]


def started(where: Place, pid: int) -> bool:
    """Whether the process has come so far that a signal ends it in good order."""
    begun = [record.event for record in records(where, "ServiceStarted")]
    return any(isinstance(event, ServiceStarted) and event.pid == pid for event in begun)


def ended(where: Place) -> bool:
    return bool(records(where, "SourceEnded"))


@pytest.mark.timeout(1800)
def test_every_passage_exactly_once_after_kills(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    chance = random.Random(seed)
    movie = str(film(tmp_path))
    whole = place(tmp_path / "whole", movie)
    command = lpr("run", "--config", str(whole.write()), "--until-end", "--quiet", "--set", "push=[]")
    begun = time.monotonic()
    subprocess.run(command, check=True, timeout=600)
    length = time.monotonic() - begun
    expected = passages(whole)
    assert len(expected) >= 3, "the film is to show several vehicles"

    where = place(tmp_path / "killed", movie)
    where.write()
    with running(*fake_receiver(where)), running(*nvr(where), stderr=subprocess.DEVNULL):
        for _ in range(ROUNDS):
            service = start(where)
            time.sleep(chance.uniform(0.1, 1.2 * length))
            service.kill()
            service.wait()
        service = start(where)
        try:
            until(lambda: started(where, service.pid), "the start", service)
            until(lambda: ended(where), "the end of the film", service)
            until(lambda: len(records(where, "PassageSigned")) >= len(expected), "every signature", service)
            ids = {record.id for record in records(where, "PassageDecided")}
            until(lambda: got(where, "receiver.jsonl", "id") >= ids, "every push", service)
            count = len(passages(where))
            until(lambda: len(told(where)) >= count, "every passage at the NVR", service)
        finally:
            assert stop(service) == 0

    assert passages(where) == expected, "the same passages as without a kill, each exactly once"
    check_blobs(where)
    check_chain(where)
    check_receiver(where)


def got(where: Place, file: str, key: str) -> set[Any]:
    return {line[key] for line in lines(where.root / file)}


def told(where: Place) -> set[tuple[int, str]]:
    return {
        (line["fields"]["time_ms"], line["fields"]["plate"])
        for line in lines(where.root / "nvr.jsonl")
        if line["what"] == "passage"
    }


def check_blobs(where: Place) -> None:
    for record in records(where, "PassageSigned"):
        event = record.event
        assert isinstance(event, PassageSigned)
        for picture in (event.picture, event.plate_picture):
            data = (where.data / "blobs" / picture.blob[:2] / picture.blob).read_bytes()
            assert hashlib.sha256(data).hexdigest() == picture.blob


def check_chain(where: Place) -> None:
    async def work() -> chain.ChainReport:
        async with LogReader.open(where.data / "events.db", SystemClock()) as log:
            return await chain.verify(log)

    report = anyio.run(work)
    assert report.ok, report.problems
    subprocess.run(lpr("verify", str(where.data)), check=True, stdout=subprocess.DEVNULL, timeout=120)


def check_receiver(where: Place) -> None:
    """What came more than once came with the same id and the same content."""
    plates = {record.id: record.event for record in records(where, "PassageDecided")}
    for line in lines(where.root / "receiver.jsonl"):
        event = plates[line["id"]]
        assert isinstance(event, PassageDecided)
        assert line["fields"]["plate"] == (event.plate or "-")

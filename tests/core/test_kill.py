"""``kill -9`` at any moment: what was said to be durable is there, pictures and all, and the chain is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio

from lpr.core.blobs import BlobStore
from lpr.core.chain import verify
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog, LogReader
from lpr.events import CaptureTaken

ROUNDS = 4


def kill_after(folder: Path, lines: int) -> list[int]:
    """Run the process, kill it once it has said so much; returns the numbers that it said were durable."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.core.killed", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, process.stdout:
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


def test_what_was_durable_survives_a_kill(tmp_path: Path) -> None:
    said: list[int] = []
    for number in range(ROUNDS):
        said += kill_after(tmp_path, 5 + 23 * number)

    async def look() -> None:
        blobs = BlobStore(tmp_path / "blobs")
        async with EventLog.open(tmp_path / "log.db", SystemClock()) as log:
            assert log.recovered == ()
            records = await log.read(0, limit=10_000)
            assert [record.seq for record in records] == list(range(1, log.head + 1))
            assert len(set(said)) == len(said)
            assert set(said) <= {record.seq for record in records}
            for record in records:
                event = record.event
                assert isinstance(event, CaptureTaken)
                assert await blobs.get(event.exposures[0].picture.blob)
        async with LogReader.open(tmp_path / "log.db", SystemClock()) as reader:
            report = await verify(reader)
            assert report.ok and report.last == records[-1].seq

    anyio.run(look)

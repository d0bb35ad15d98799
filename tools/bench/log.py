"""Rows per second of the event log against bare sqlite3 with the same durability and batch size.

``python -m tools.bench.log [--rows N] [--rounds N] [--folder DIR]``. What is compared:

- *Ours*: 20 producers, each of which appends 1 (or 12) events and appends the next ones when these are durable. So 20
  (or 240) rows are a transaction, and nobody has anything to do while it is committed. An event is encoded, chained and
  stored, and its records come back to its producer: all of that is in the time.
- *Bare*: the same events, encoded beforehand, written by one thread with ``executemany`` into a table with the same
  columns and nothing else; as many rows to a transaction.

Both with ``synchronous=FULL``, WAL, and SQLite's own settings otherwise; on the same disk, in turns, so that both see
the same machine. A ratio is the median of the rounds' ratios. On a machine with other work a commit waits for a core,
with both alike, and the ratio says little: ``others`` is the share of all cores that other programs had meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import anyio
import psutil

from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.core.record import CODEC
from lpr.events import Event
from tools.bench.sample import passage

PRODUCERS = 20

_TABLE = (
    "CREATE TABLE records(seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, version INTEGER, actor TEXT, "
    "cause INTEGER, wall INTEGER, mono INTEGER, boot TEXT, body TEXT, hash BLOB)"
)
_INSERT = "INSERT INTO records(type, version, actor, cause, wall, mono, boot, body, hash) VALUES (?,?,?,?,?,?,?,?,?)"


def bare(path: Path, events: Sequence[Event], batch: int) -> float:
    """Rows per second of bare sqlite3; the bodies are encoded beforehand."""
    encoded = [CODEC.encode(event) for event in events]
    rows = [(e.type, e.version, "bench", 0, 1, 1, "0" * 16, e.body.decode(), bytes(32)) for e in encoded]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        start = time.perf_counter()
        for first in range(0, len(rows), batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, rows[first : first + batch])
            connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - start)


async def ours(path: Path, events: Sequence[Event], batch: int) -> float:
    """Rows per second of the log with 20 concurrent producers, each append ``batch`` / 20 events."""
    each = batch // PRODUCERS
    async with EventLog.open(path, SystemClock()) as log:

        async def produce(number: int) -> None:
            mine = events[number::PRODUCERS]
            for first in range(0, len(mine), each):
                await log.append(mine[first : first + each], actor=f"producer-{number}")

        start = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(PRODUCERS):
                tasks.start_soon(produce, number)
        return len(events) / (time.perf_counter() - start)


def busy_s() -> float:
    """CPU seconds that all programs have had on all cores since the start of the machine."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system


def measure(rows: int, rounds: int, batch: int, folder: Path, backend: str) -> dict[str, object]:
    """Median rates and the median of the rounds' ratios."""
    events = [event for number in range(rows // 19 + 1) for event in passage(number)][:rows]
    rates: list[tuple[float, float]] = []
    start, busy, own_busy = time.perf_counter(), busy_s(), time.process_time()
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            place = Path(name)
            baseline = bare(place / f"bare-{number}.db", events, batch)
            own = anyio.run(ours, place / f"log-{number}.db", events, batch, backend=backend)
            rates.append((baseline, own))
    elsewhere = busy_s() - busy - (time.process_time() - own_busy)
    return {
        "backend": backend,
        "batch": batch,
        "rows": rows,
        "bare_rows_per_s": round(statistics.median(rate[0] for rate in rates)),
        "log_rows_per_s": round(statistics.median(rate[1] for rate in rates)),
        "ratio": round(statistics.median(own / baseline for baseline, own in rates), 3),
        "others": round(max(0.0, elsewhere) / (time.perf_counter() - start) / (psutil.cpu_count() or 1), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="the event log against bare sqlite3")
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to be measured")
    arguments = parser.parse_args()
    results = [
        measure(arguments.rows, arguments.rounds, batch, arguments.folder, backend)
        for batch in (PRODUCERS, 12 * PRODUCERS)
        for backend in ("asyncio", "trio")
    ]
    print(json.dumps({"benchmark": "log", "target_ratio": 0.6, "results": results}, indent=2))


if __name__ == "__main__":
    main()

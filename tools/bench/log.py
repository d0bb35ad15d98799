"""Rows per second of the event log against bare sqlite3 with the same durability and batch size.

``python -m tools.bench.log [--rows N] [--rounds N] [--folder DIR]``. What is compared:

- *Ours*: 20 producers, each of which appends 1 (or 12) events and appends the next ones when these are durable. So 20
  (or 240) rows are a transaction, and nobody has anything to do while it is committed. An event is encoded, chained and
  stored, and its records come back to its producer: all of that is in the time.
- *Bare*: the same events, encoded beforehand, written by one thread with ``executemany`` into a table with the same
  columns and nothing else; as many rows to a transaction.

- *Handed*: bare sqlite3 behind 20 producers. They wait for a thread that writes what bare writes, and neither encode
  nor chain anything. What is between this and bare is the price of asking another thread, ours or any.

All with ``synchronous=FULL``, WAL, and SQLite's own settings otherwise, but that our log makes room in the WAL ahead of
its use (``lpr.core.ahead``): it shows until the WAL is as long as it gets, so hardly with ``--rows 30000``. On the same
disk, in turns, so that all see the same machine. A ratio is the median of the rounds' ratios. On a machine with other
work a commit waits for a core, with all alike, and the ratio says little: ``others`` is the share of all cores that
other programs had meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

import anyio
import psutil

from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.core.record import CODEC
from lpr.core.wake import Waiter, running_loop
from lpr.events import Event
from tools.bench.sample import passage

PRODUCERS = 20

Row: TypeAlias = tuple[str, int, str, int, int, int, str, str, bytes]

_TABLE = (
    "CREATE TABLE records(seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, version INTEGER, actor TEXT, "
    "cause INTEGER, wall INTEGER, mono INTEGER, boot TEXT, body TEXT, hash BLOB)"
)
_INSERT = "INSERT INTO records(type, version, actor, cause, wall, mono, boot, body, hash) VALUES (?,?,?,?,?,?,?,?,?)"


def bare(path: Path, events: Sequence[Event], batch: int) -> float:
    """Rows per second of bare sqlite3; the bodies are encoded beforehand."""
    rows = rows_of(events)
    with closing(connect(path)) as connection:
        start = time.perf_counter()
        for first in range(0, len(rows), batch):
            write(connection, rows[first : first + batch])
        return len(rows) / (time.perf_counter() - start)


def rows_of(events: Sequence[Event]) -> list[Row]:
    """What is stored of them, but for their numbers."""
    encoded = [CODEC.encode(event) for event in events]
    return [(e.type, e.version, "bench", 0, 1, 1, "0" * 16, e.text, bytes(32)) for e in encoded]


def connect(path: Path) -> sqlite3.Connection:
    """A new database with the table, usable from any one thread at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_TABLE)
    return connection


def write(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """One transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT, rows)
    connection.execute("COMMIT")


async def handed(path: Path, events: Sequence[Event], batch: int) -> float:
    """Rows per second of bare sqlite3 in a thread, which 20 producers give their rows and wait for."""
    rows, each, loop = rows_of(events), batch // PRODUCERS, running_loop()
    gathered: list[tuple[Sequence[Row], Waiter]] = []
    calls: SimpleQueue[bool] = SimpleQueue()

    def finish(written: Sequence[tuple[Sequence[Row], Waiter]]) -> None:
        for _, waiter in written:
            loop.wake(waiter)

    def serve(connection: sqlite3.Connection) -> None:
        while calls.get():
            taken = gathered.copy()
            gathered.clear()
            write(connection, [row for rows, _ in taken for row in rows])
            loop.call(partial(finish, taken))

    async def produce(mine: Sequence[Row]) -> None:
        for first in range(0, len(mine), each):
            waiter = loop.waiter()
            gathered.append((mine[first : first + each], waiter))
            if len(gathered) == 1:
                loop.soon(partial(calls.put, True))
            await waiter

    with closing(connect(path)) as connection:
        thread = threading.Thread(target=serve, args=(connection,), daemon=True)
        thread.start()
        start = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(PRODUCERS):
                tasks.start_soon(produce, rows[number::PRODUCERS])
        took = time.perf_counter() - start
        calls.put(False)
        thread.join()
        return len(rows) / took


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
    rates: list[tuple[float, float, float]] = []
    start, busy, own_busy = time.perf_counter(), busy_s(), time.process_time()
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            place = Path(name)
            baseline = bare(place / f"bare-{number}.db", events, batch)
            queued = anyio.run(handed, place / f"handed-{number}.db", events, batch, backend=backend)
            own = anyio.run(ours, place / f"log-{number}.db", events, batch, backend=backend)
            rates.append((baseline, queued, own))
    elsewhere = busy_s() - busy - (time.process_time() - own_busy)
    return {
        "backend": backend,
        "batch": batch,
        "rows": rows,
        "bare_rows_per_s": round(statistics.median(rate[0] for rate in rates)),
        "handed_rows_per_s": round(statistics.median(rate[1] for rate in rates)),
        "log_rows_per_s": round(statistics.median(rate[2] for rate in rates)),
        "handed_ratio": round(statistics.median(queued / baseline for baseline, queued, _ in rates), 3),
        "ratio": round(statistics.median(own / baseline for baseline, _, own in rates), 3),
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

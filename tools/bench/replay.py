"""Events per second of a fold over recorded passages, and how long a service takes to open on a large log.

``python -m tools.bench.replay [--events N] [--folder DIR] [--log FILE]``. Folds read from SQLite, decode and evolve;
the figure is events of the log per second of one core (CPU time of the process). The baseline reads and decodes the
same rows with bare sqlite3 and msgspec, without envelope, paging or event loop. The folds: ``ledger`` is what a passage
list and its deliveries need, ``captures`` takes the largest events, ``everything`` takes every event of the log. Each
is run over events in full, and ``named``: with views (``lpr.core.view``) of what the fold reads, as a fold is written
that has to be quick; then the rest of each body is passed over. ``--log``: the passages of a recorded log, over and
over, in place of made ones (those have two other candidates for each character, a sure reading none).
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import msgspec

from lpr.core.actor import recover
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog, LogReader, Settings
from lpr.core.reader import MAX_PAGE
from lpr.core.record import Record
from lpr.core.replay import fold
from lpr.core.view import View, event_of
from lpr.events import (
    CaptureTaken,
    Delivered,
    Event,
    Micros,
    PassageDecided,
    PassageSigned,
    PlateRead,
)
from tools.bench.sample import EVENTS, passage


class Tally(msgspec.Struct):
    """How many passages by hour, readings by source, deliveries by sink."""

    hours: dict[int, int] = {}
    readings: dict[str, int] = {}
    delivered: dict[str, int] = {}
    last: Micros = 0


class NamedPassage(View, frozen=True, kw_only=True):
    of = PassageDecided
    at: Micros


class NamedSigned(View, frozen=True, kw_only=True):
    of = PassageSigned


class NamedRead(View, frozen=True, kw_only=True):
    of = PlateRead
    source: str


class NamedCapture(View, frozen=True, kw_only=True):
    of = CaptureTaken
    at: Micros


def _passage(state: Tally, event: PassageDecided | NamedPassage) -> None:
    hour = event.at // 3_600_000_000
    state.hours[hour] = state.hours.get(hour, 0) + 1


def _read(state: Tally, event: PlateRead | NamedRead) -> None:
    state.readings[event.source] = state.readings.get(event.source, 0) + 1


def _delivered(state: Tally, event: Delivered) -> None:
    state.delivered[event.sink] = state.delivered.get(event.sink, 0) + 1


def _capture(state: Tally, event: CaptureTaken | NamedCapture) -> None:
    state.last = event.at


COUNTS: dict[type[Event], Callable[[Tally, Any], None]] = {
    PassageDecided: _passage,
    NamedPassage: _passage,
    PlateRead: _read,
    NamedRead: _read,
    Delivered: _delivered,
    CaptureTaken: _capture,
    NamedCapture: _capture,
}
"""By the event's type, in full or as its view: ``isinstance`` takes 0.2 µs for each struct that it is not."""


class Counter:
    """A decider that counts, over events or views. Changes its state in place, as a fold that is never shared may."""

    state_type = Tally
    state_version = 1

    def __init__(self, name: str, interests: tuple[type[Event], ...]) -> None:
        self.name = name
        self.interests = interests

    def initial(self) -> Tally:
        return Tally()

    def evolve(self, state: Tally, record: Record) -> Tally:
        event = record.event
        count = COUNTS.get(type(event))
        if count is not None:
            count(state, event)
        return state

    def decide(self, state: Tally, record: Record) -> tuple[Event, ...]:
        return ()

    def due(self, state: Tally) -> Micros | None:
        return None


FOLDS: dict[str, tuple[type[Event], ...]] = {
    "ledger": (PassageDecided, PassageSigned, Delivered),
    "captures": (CaptureTaken, PlateRead),
    "everything": (CaptureTaken, PlateRead, PassageDecided, PassageSigned, Delivered),
    "ledger, named": (NamedPassage, NamedSigned, Delivered),
    "captures, named": (NamedCapture, NamedRead),
    "everything, named": (NamedCapture, NamedRead, NamedPassage, NamedSigned, Delivered),
}


async def passages_of(path: Path) -> list[Event]:
    """What a recorded log holds of the folds' events, at most 10,000 of them. Raises ValueError for none."""
    async with LogReader.open(path, SystemClock()) as log:
        found = await log.read(0, types={event.__name__ for event in FOLDS["everything"]}, limit=MAX_PAGE)
    if not found:
        raise ValueError(f"{path}: no passages in it; record some, with `lpr demo`")
    return [record.event for record in found]


async def fill(path: Path, events: int, recorded: Path | None = None) -> None:
    """A log of passages: made ones, or those of a recorded log again and again."""
    repeated = await passages_of(recorded) if recorded is not None else []
    async with EventLog.open(path, SystemClock(), Settings(batch=5000, queue=20_000, ring=0)) as log:
        chunk: list[Event] = []
        for number in range(events // (len(repeated) or EVENTS)):
            chunk += repeated or passage(number)
            if len(chunk) >= 5000:
                await log.append(chunk, actor="bench")
                chunk = []
        await log.append(chunk, actor="bench")


def bare(path: Path, types: Sequence[type[Event]]) -> float:
    """CPU seconds to read and decode the same rows with nothing round them: by the index or through the table."""
    decoders = {event_of(kind).__name__: msgspec.json.Decoder(kind).decode for kind in types}
    marks = ",".join("?" * len(decoders))
    took: list[float] = []
    with closing(sqlite3.connect(path)) as connection:
        for way in (f"type IN ({marks}) ORDER BY +seq", f"+type IN ({marks}) ORDER BY seq"):
            start = time.process_time()
            cursor = connection.execute(f"SELECT type, CAST(body AS BLOB) FROM records WHERE {way}", tuple(decoders))
            for name, body in cursor:
                decoders[name](body)
            took.append(time.process_time() - start)
    return min(took)


async def folded(path: Path, types: tuple[type[Event], ...]) -> float:
    """CPU seconds of a fold over the whole log."""
    async with LogReader.open(path, SystemClock()) as log:
        start = time.process_time()
        await fold(log, Counter("counter", types))
        return time.process_time() - start


async def opened(path: Path) -> float:
    """Wall seconds to open the log for writing and to recover a decider that decodes everything, from its baseline."""
    start = time.perf_counter()
    async with EventLog.open(path, SystemClock()) as log:
        decider = Counter("counter", FOLDS["everything"])
        await recover(decider, log, log.head)
        return time.perf_counter() - start


async def snapshot(path: Path) -> None:
    """Leave a baseline as a running service does: 4,000 inputs before the end."""
    from lpr.events import Baseline

    async with EventLog.open(path, SystemClock()) as log:
        state = msgspec.Raw(msgspec.json.encode(Tally()))
        baseline = Baseline(actor="counter", state_version=1, upto=log.head - 4000, state=state)
        await log.append((baseline,), actor="counter", cursor=log.head)


def count(path: Path, types: Sequence[type[Event]] | None = None) -> int:
    """Records in the log, of these types."""
    with closing(sqlite3.connect(path)) as connection:
        by_type = dict(connection.execute("SELECT type, count(*) FROM records GROUP BY type"))
    names = by_type if types is None else [event_of(kind).__name__ for kind in types]
    return sum(by_type.get(name, 0) for name in names)


def measure(events: int, folder: Path, recorded: Path | None = None) -> dict[str, object]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name) / "log.db"
        anyio.run(fill, path, events, recorded)
        total = count(path)
        folds: dict[str, object] = {}
        for label, types in FOLDS.items():
            decoded = count(path, types)
            rounds = [(bare(path, types), anyio.run(folded, path, types)) for _ in range(3)]
            baseline, own = min(r[0] for r in rounds), min(r[1] for r in rounds)
            folds[label] = {
                "log_events_per_s": round(total / own),
                "decoded_events_per_s": round(decoded / own),
                "ratio_to_bare_decoding": round(baseline / own, 3),
            }
        anyio.run(snapshot, path)
        return {
            "benchmark": "replay",
            "events": total,
            "target_events_per_s": 300_000,
            "folds": folds,
            "open_s": round(anyio.run(opened, path), 3),
            "target_open_s": 2.0,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="folds over recorded passages")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    parser.add_argument("--log", type=Path, help="a recorded log whose passages are repeated")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.events, arguments.folder, arguments.log), indent=2))


if __name__ == "__main__":
    main()

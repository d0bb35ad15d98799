"""The catalogue: a search table of passages, projected from the log into a database of its own.

The table, its columns and every query over it are described in ``lpr.core.search``. The cursor lies in the same file
and moves in the same transaction as the rows, so each record is applied exactly once; a file that is missing, damaged,
of another schema or of another log is built again. It is a convenience, never a truth: losing it loses nothing.
May import ``lpr.events`` and ``lpr.core``; with the log the only importer of sqlite3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import msgspec

from lpr.core.log import EventLog
from lpr.core.offload import Offload, in_thread
from lpr.core.record import Record
from lpr.core.search import SCHEMA, SCHEMA_VERSION, twin_plate
from lpr.events import (
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    Event,
    LogPruned,
    PassageDecided,
    PassageSigned,
)

PAGE = 1000
"""Records applied in one transaction."""

INTERESTS: tuple[type[Event], ...] = (
    PassageDecided,
    PassageSigned,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    LogPruned,
)

_TYPES = frozenset(event.__name__ for event in INTERESTS)
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_PASSAGE = (
    "seq",
    "id",
    "plate",
    "twin",
    "confidence",
    "characters",
    "country",
    "layout",
    "source",
    "lane",
    "direction",
    "at",
    "first_at",
    "last_at",
    "reads",
    "capture",
    "box",
    "corners",
    "plate_colour",
    "vehicle",
    "vehicle_colour",
    "speed_kmh",
    "decided",
    "picture",
    "picture_width",
    "picture_height",
)
_INSERT = f"INSERT OR REPLACE INTO passages ({', '.join(_PASSAGE)}) VALUES ({', '.join('?' * len(_PASSAGE))})"
_SIGNED = "UPDATE passages SET signed_seq = ?, signed_picture = ?, plate_picture = ? WHERE id = ?"
_DELIVERY = (
    "INSERT INTO deliveries (passage, sink, state, attempt, seq, at, detail) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (passage, sink) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, "
    "seq = excluded.seq, at = excluded.at, detail = excluded.detail"
)
_PRUNE = (
    "DELETE FROM deliveries WHERE passage IN (SELECT id FROM passages WHERE seq <= ?)",
    "DELETE FROM passages WHERE seq <= ?",
)


class Catalogue:
    """Keeps the table at ``path`` up to date. ``applied``: the last record that is in it."""

    name = "catalogue"

    def __init__(self, path: Path, *, offload: Offload = in_thread) -> None:
        self.path = path
        self.applied = 0
        self._offload = offload
        self._moved = anyio.Event()

    async def run(self, log: EventLog) -> None:
        """Until cancelled. A damaged file is built again at once."""
        while True:
            try:
                await self._follow(log)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                await self._offload(self._delete)

    async def wait_applied(self, seq: int) -> None:
        """Return when the record ``seq`` is in the table."""
        while self.applied < seq:
            await self._moved.wait()

    async def _follow(self, log: EventLog) -> None:
        self._move(log, await self._offload(partial(self._open, log.log_id, log.head)))
        while True:
            head = log.head
            records = await log.read(self.applied, types=_TYPES, limit=PAGE, upto=head)
            upto = records[-1].seq if len(records) == PAGE else head
            if records:
                await self._offload(partial(self._apply, records, upto))
            self._move(log, upto)
            if upto == head:
                await log.wait(head)

    def _move(self, log: EventLog, upto: int) -> None:
        self.applied = upto
        log.positions[self.name] = upto
        moved, self._moved = self._moved, anyio.Event()
        moved.set()

    # --- in the thread ---------------------------------------------------------------------------------

    def _open(self, log_id: str, head: int) -> int:
        """The cursor of the table; a new table when there is none that fits."""
        cursor = self._cursor(log_id)
        if cursor is not None and cursor <= head:
            return cursor
        self._delete()
        with closing(self._connect()) as database:
            database.executescript(f"PRAGMA journal_mode = WAL; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};")
            with database:
                database.execute("INSERT INTO position (one, log_id, cursor) VALUES (1, ?, 0)", (log_id,))
        return 0

    def _cursor(self, log_id: str) -> int | None:
        if not self.path.exists():
            return None
        with closing(self._connect()) as database:
            if database.execute("PRAGMA user_version").fetchone() != (SCHEMA_VERSION,):
                return None
            row: tuple[str, int] | None = database.execute("SELECT log_id, cursor FROM position").fetchone()
            if row is None or database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return None
        return row[1] if row[0] == log_id else None

    def _apply(self, records: Sequence[Record], upto: int) -> None:
        """Apply records and move the cursor, in one transaction."""
        with closing(self._connect()) as database, database:
            for record in records:
                _project(database, record)
            database.execute("UPDATE position SET cursor = ?", (upto,))

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=10.0)
        database.execute("PRAGMA synchronous = NORMAL")
        return database

    def _delete(self) -> None:
        for suffix in _SUFFIXES:
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _project(database: sqlite3.Connection, record: Record) -> None:
    event = record.event
    match event:
        case PassageDecided():
            database.execute(_INSERT, _row(record, event))
        case PassageSigned():
            values = (record.seq, event.picture.blob, event.plate_picture.blob, event.passage)
            database.execute(_SIGNED, values)
        case Delivered():
            _delivery(database, record, event, "delivered", event.answer)
        case DeliveryFailed():
            _delivery(database, record, event, "failed", event.reason)
        case DeliveryParked():
            _delivery(database, record, event, "parked", event.reason)
        case DeliveryRequested():
            values = (event.passage, event.sink, "requested", 0, record.seq, record.wall, f"by {event.by}")
            database.execute(_DELIVERY, values)
        case LogPruned():
            for statement in _PRUNE:
                database.execute(statement, (event.upto,))
        case _:
            return


def _delivery(
    database: sqlite3.Connection,
    record: Record,
    event: Delivered | DeliveryFailed | DeliveryParked,
    state: str,
    detail: str,
) -> None:
    values = (event.passage, event.sink, state, event.attempt, record.seq, record.wall, detail)
    database.execute(_DELIVERY, values)


def _row(record: Record, event: PassageDecided) -> tuple[str | int | float | None, ...]:
    """The values of ``_PASSAGE``."""
    return (
        record.seq,
        record.id,
        event.plate,
        twin_plate(event.plate, event.country),
        event.confidence,
        _json(event.characters),
        event.country,
        event.layout,
        event.source,
        event.lane,
        event.direction,
        event.at,
        event.first_at,
        event.last_at,
        event.reads,
        event.capture,
        _json(event.box),
        _json(event.corners),
        event.plate_colour,
        event.vehicle,
        event.vehicle_colour,
        event.speed_kmh,
        record.wall,
        event.picture.blob,
        event.picture.width,
        event.picture.height,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

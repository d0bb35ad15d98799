"""The catalogue: a projection of the log into the search table ``passages.db`` (schema: ``lpr.core.search``).

Its cursor lies in the same file and moves in the same transaction, so the table is never ahead of or behind what it
says. Nothing in it is the truth: a file that is missing, damaged, of another version or of another log is made anew
from the log. May import ``lpr.events`` and ``lpr.core``.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from lpr.core import search
from lpr.core.errors import LogUnavailable
from lpr.core.log import EventLog
from lpr.core.offload import Offload, in_thread
from lpr.core.record import Record
from lpr.events import (
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    LogPruned,
    LogRecovered,
    PassageDecided,
    PassageSigned,
)

T = TypeVar("T")

TYPES = frozenset(
    event.__name__
    for event in (
        PassageDecided,
        PassageSigned,
        Delivered,
        DeliveryFailed,
        DeliveryParked,
        DeliveryRequested,
        LogPruned,
    )
)
"""What the projection reads of the log."""

PAGE = 500
"""Records applied in one transaction."""

_logger = logging.getLogger(__name__)
_encode = msgspec.json.encode


class Catalogue:
    """The actor. ``path``: of the search table's file. ``run`` is to be supervised."""

    name = "catalogue"

    def __init__(self, path: Path, *, offload: Offload = in_thread) -> None:
        self.path = path
        self._offload = offload
        self._connection: sqlite3.Connection | None = None

    async def run(self, log: EventLog) -> None:
        """Follow the log until cancelled. Raises LogUnavailable while the table can't be written."""
        try:
            salvaged = await log.read_back(types=(LogRecovered.__name__,), limit=1)
            since = salvaged[0].seq if salvaged else 0
            position = await self._work(partial(self._open, log.log_id, log.head, since))
            while True:
                head = log.head
                page = await log.read(position, types=TYPES, limit=PAGE, upto=head)
                upto = page[-1].seq if len(page) == PAGE else head
                if page:
                    await self._work(partial(self._apply, page, upto))
                position = upto
                log.positions[self.name] = position
                if len(page) < PAGE:
                    await log.wait(position)
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    async def _work(self, work: Callable[[], T]) -> T:
        try:
            return await self._offload(work)
        except sqlite3.DatabaseError as error:
            raise LogUnavailable(f"{self.path}: the search table can't be written: {error}") from error

    # --- in the worker thread --------------------------------------------------------------------------

    def _open(self, log_id: str, head: int, since: int) -> int:
        """Open or make the table; returns the cursor.

        A table from before the record ``since`` (a salvage) may have passages that the log has lost.
        """
        try:
            found = self._position(log_id)
        except sqlite3.DatabaseError as error:
            _logger.warning("%s is damaged (%s) and is made anew from the log", self.path, error)
            found = None
        if found is not None and since <= found <= head:
            return found
        self._make(log_id)
        return 0

    def _position(self, log_id: str) -> int | None:
        """The cursor of a table that fits; None when there is none or it is another log's or version's."""
        connection = self._connect()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != search.SCHEMA_VERSION:
            return None
        row = connection.execute("SELECT log_id, cursor FROM position").fetchone()
        return int(row[1]) if row is not None and row[0] == log_id else None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        return self._connection

    def _make(self, log_id: str) -> None:
        """A new, empty table in place of whatever is there."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        connection = self._connect()
        connection.executescript(f"BEGIN; {search.SCHEMA} PRAGMA user_version = {search.SCHEMA_VERSION}; COMMIT;")
        connection.execute("INSERT INTO position VALUES (1, ?, 0)", (log_id,))

    def _apply(self, page: Sequence[Record], upto: int) -> None:
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for record in page:
                apply(connection, record)
            connection.execute("UPDATE position SET cursor = ?", (upto,))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def apply(connection: sqlite3.Connection, record: Record) -> None:
    """What one record changes in the tables. Applying it twice changes nothing more."""
    match record.event:
        case PassageDecided() as decided:
            _insert(connection, record, decided)
        case PassageSigned() as signed:
            connection.execute(
                "UPDATE passages SET signed_seq = ?, signed_picture = ?, plate_picture = ? WHERE id = ?",
                (record.seq, signed.picture.blob, signed.plate_picture.blob, signed.passage),
            )
        case Delivered(answer=detail) as event:
            _delivery(connection, record, event, "delivered", event.attempt, detail)
        case DeliveryFailed(reason=detail) as event:
            _delivery(connection, record, event, "failed", event.attempt, detail)
        case DeliveryParked(reason=detail) as event:
            _delivery(connection, record, event, "parked", event.attempt, detail)
        case DeliveryRequested(by=by) as event:
            _delivery(connection, record, event, "requested", 0, f"by {by}")
        case LogPruned(upto=upto):
            connection.execute(
                "DELETE FROM deliveries WHERE passage IN (SELECT id FROM passages WHERE seq <= ?)", (upto,)
            )
            connection.execute("DELETE FROM passages WHERE seq <= ?", (upto,))
        case _:
            return


def _insert(connection: sqlite3.Connection, record: Record, decided: PassageDecided) -> None:
    values: dict[str, object] = {
        "seq": record.seq,
        "id": record.id,
        "plate": decided.plate,
        "twin": search.twin_plate(decided.plate, decided.country),
        "confidence": decided.confidence,
        "characters": _encode(decided.characters).decode(),
        "country": decided.country,
        "layout": decided.layout,
        "source": decided.source,
        "lane": decided.lane,
        "direction": decided.direction,
        "at": decided.at,
        "first_at": decided.first_at,
        "last_at": decided.last_at,
        "reads": decided.reads,
        "capture": decided.capture,
        "box": _encode(decided.box).decode(),
        "corners": _encode(decided.corners).decode(),
        "plate_colour": decided.plate_colour,
        "vehicle": decided.vehicle,
        "vehicle_colour": decided.vehicle_colour,
        "speed_kmh": decided.speed_kmh,
        "make": decided.make,
        "model": decided.model,
        "plate_category": decided.plate_category,
        "plated": int(decided.plated),
        "decided": record.wall,
        "picture": decided.picture.blob,
        "picture_width": decided.picture.width,
        "picture_height": decided.picture.height,
    }
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT OR IGNORE INTO passages ({names}) VALUES ({marks})", tuple(values.values()))


def _delivery(
    connection: sqlite3.Connection,
    record: Record,
    event: Delivered | DeliveryFailed | DeliveryParked | DeliveryRequested,
    state: str,
    attempt: int,
    detail: str,
) -> None:
    connection.execute(
        "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (passage, sink) DO UPDATE SET"
        " state = excluded.state, attempt = excluded.attempt, seq = excluded.seq, at = excluded.at,"
        " detail = excluded.detail WHERE excluded.seq >= seq",
        (event.passage, event.sink, state, attempt, record.seq, record.wall, detail),
    )

"""The one connection that writes the log: appends become rows, chained and numbered, in one transaction a batch.

Blocking; ``lpr.core.batches`` gives it a thread. The file's layout is ``lpr.core.store``'s.
May import ``lpr.events`` only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from lpr.core import blocks, store
from lpr.core.ahead import Ahead
from lpr.core.record import Encoded, Link, chain_hash, content_of, genesis, tag_of
from lpr.events import Baseline, Micros

_MOVE = "INSERT INTO cursors(actor, seq) VALUES (?, ?) ON CONFLICT(actor) DO UPDATE SET seq = max(seq, excluded.seq)"
_SNAPSHOT = (
    "INSERT INTO cursors(actor, seq, baseline) VALUES (?, 0, ?) "
    "ON CONFLICT(actor) DO UPDATE SET baseline = excluded.baseline"
)
_BASELINE = Baseline.__name__

Statements: TypeAlias = Callable[[sqlite3.Connection], None]
"""Statements that run inside a transaction of the writer."""


class Entry(msgspec.Struct, eq=False):
    """One append on its way to the file: all of it is written, or none. ``records``: once it is written."""

    events: Sequence[Encoded]
    actor: str
    causes: Sequence[int]
    cursor: int | None
    wall: Micros
    mono: Micros
    records: tuple[Link, ...]


class Writer:
    """The one connection that writes. ``head``, ``hash``: of the last durable record."""

    def __init__(self, connection: sqlite3.Connection, path: Path, log_id: str, boot: str) -> None:
        self.path = path
        self.log_id = log_id
        self.head = 0
        self.hash = genesis(log_id)
        self._connection = connection
        self._tag = tag_of(log_id)
        self._boot = boot
        self._next = 1
        self._notes = blocks.Notes()
        self._ahead = Ahead(path, store.CHECKPOINT)
        self._resume()

    def _resume(self) -> None:
        """Take head, hash and the next number from the file."""
        row = self._connection.execute("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None:
            self.head, self.hash = int(row[0]), bytes(row[1])
        used = store.fetch_number(self._connection, "SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        self.head = max(self.head, used)
        self._next = self.head + 1

    def clock_offset(self, boot: str) -> Micros | None:
        """Wall minus monotonic time of the last record if it is of this boot."""
        row = self._connection.execute("SELECT wall, mono, boot FROM records ORDER BY seq DESC LIMIT 1").fetchone()
        return int(row[0]) - int(row[1]) if row is not None and row[2] == boot else None

    def write(self, batch: Sequence[Entry], also: Statements | None = None) -> None:
        """Append every entry in one transaction, and run ``also`` in it; then the entries have their records.

        Raises LogUnavailable (nothing written), LogDamagedError.
        """
        written: list[tuple[Link, ...]] = []
        values: list[store.Value] = []
        kinds: list[str] = []
        moves: list[tuple[str, int]] = []
        snapshots: list[tuple[str, int]] = []
        seq, previous = self._next, self.hash
        boot, tag = self._boot, self._tag
        for entry in batch:
            records: list[Link] = []
            actor, wall, mono = entry.actor, entry.wall, entry.mono
            for event, cause in zip(entry.events, entry.causes, strict=True):
                kind, version, body = event.type, event.version, event.body
                previous = chain_hash(previous, content_of(seq, kind, version, actor, cause, wall, mono, boot, body))
                values += (seq, kind, version, actor, cause, wall, mono, boot, event.text, previous)
                kinds.append(kind)
                records.append(Link(seq, kind, version, wall, body, tag, None, actor, cause, mono, boot, previous))
                if kind == _BASELINE:
                    snapshots.append((entry.actor, seq))
                seq += 1
            if entry.cursor is not None:
                moves.append((entry.actor, entry.cursor))
            written.append(tuple(records))
        notes = self._notes.new(self._next, kinds)
        try:
            self._commit(values, notes, moves, snapshots, also)
        except sqlite3.Error as error:
            self._roll_back()
            if not (kinds and self._is_written(seq - 1, previous)):
                raise store.refusal(error, self.path) from error
        if kinds:
            self.head, self.hash, self._next = seq - 1, previous, seq
        if notes:
            self._notes.keep(notes)
        for entry, made in zip(batch, written, strict=True):
            entry.records = made

    def _commit(
        self,
        values: list[store.Value],
        notes: set[blocks.Note],
        moves: list[tuple[str, int]],
        snapshots: list[tuple[str, int]],
        also: Statements | None,
    ) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        self._ahead.extend()
        store.append(connection, values)
        if notes:
            blocks.note(connection, notes)
        if moves:
            connection.executemany(_MOVE, moves)
        if snapshots:
            connection.executemany(_SNAPSHOT, snapshots)
        if also is not None:
            also(connection)
        connection.execute("COMMIT")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                return

    def _is_written(self, seq: int, hash_: bytes) -> bool:
        """Whether a commit that reported an error took effect all the same."""
        try:
            row = self._connection.execute("SELECT hash FROM records WHERE seq = ?", (seq,)).fetchone()
        except sqlite3.Error:
            return False
        return row is not None and bytes(row[0]) == hash_

    def transact(self, work: Statements) -> None:
        """Run ``work`` in a transaction of its own. Raises LogUnavailable (nothing changed), LogDamagedError."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            work(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise store.refusal(error, self.path) from error

    def limit_pages(self, pages: int) -> int:
        """Let the file have at most ``pages`` pages (0: as it is); returns those that it has now."""
        if pages:
            self._connection.execute(f"PRAGMA max_page_count = {pages:d}")
        return store.fetch_number(self._connection, "PRAGMA page_count")

    def close(self) -> None:
        """Bring the WAL into the file and close. A failure leaves the WAL, which is as good."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass
        finally:
            self._connection.close()

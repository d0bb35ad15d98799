"""The log's file: SQLite schema, rows in, queries. Blocking; ``lpr.core.log`` gives it a thread.

WAL with ``synchronous=FULL``: a commit that returned survives a power cut. Reads fetch a page and close their
statement, so no reader holds the WAL back. May import ``lpr.events`` only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import Any, TypeAlias, cast

from lpr.core import blocks
from lpr.core.errors import LogDamagedError, LogFormatError, LogUnavailable
from lpr.core.inputs import Row
from lpr.core.record import Link

FORMAT = 2
"""Version of the file's layout, in ``meta`` and in ``PRAGMA user_version``. 1 had an index by type, not ``blocks``."""

APPLICATION_ID = 0x6C70726C
"""``PRAGMA application_id`` of a log ("lprl"), so that ``file`` and this release know it."""

SCHEMA = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,
    cause INTEGER NOT NULL,
    wall INTEGER NOT NULL,
    mono INTEGER NOT NULL,
    boot TEXT NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE TABLE cursors(
    actor TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    baseline INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE kept(seq INTEGER PRIMARY KEY);
"""
"""``kept``: records before the cut of retention that stay (audit)."""

CHECKPOINT = 1000
"""Pages in the WAL with which a commit brings them into the file."""

COLUMNS = "seq, type, version, actor, cause, wall, mono, boot, CAST(body AS BLOB), hash"
"""The columns of a record in the order of the table; the body is kept as text for people, read as bytes."""

_RECORD = "seq, type, version, wall, CAST(body AS BLOB)"
"""What a fold is shown of a record, in the order of ``Record``."""

_ROW = "seq, type, version, wall, body"
"""The same in the order of ``Row``, for a connection that gives text as bytes: a tenth cheaper than the cast."""

_LINK = "actor, cause, mono, boot, hash"
"""What ``Link`` has besides."""

_INSERT = "INSERT INTO records(seq, type, version, actor, cause, wall, mono, boot, body, hash) VALUES "
_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_AS_IT_IS = _INSERT + "(?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?)"
_WIDTH = 10
_AT_ONCE = (128, 32)
"""Rows that one statement inserts: a third quicker than one by one, and the interpreter's lock is let go once. Many
rows go in portions of the first number, what is left of them in portions of the second and a rest: so there are few
different statements, which stay prepared."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
_MAX_SEQ = (1 << 48) - 1
_SCAN = 4
"""A read by types first looks through this many times ``limit`` records before it turns to the index."""


Value: TypeAlias = int | str | bytes
"""What a column of a record holds."""


def suspect_marker(path: Path) -> Path:
    """The file beside the log that says: damage was met, check everything at the next start."""
    return path.with_name(path.name + ".suspect")


def refusal(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> LogUnavailable | LogDamagedError:
    """What an SQLite error means for the log, in words for a person.

    Damage leaves a marker beside the file, so that the next start looks at all of it.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED or isinstance(error, UnicodeDecodeError):
        with suppress(OSError):
            suspect_marker(path).touch()
        return LogDamagedError(f"{path}: {error}; start again: the log is then checked and what can be read is kept")
    remedy = {
        sqlite3.SQLITE_FULL: "the disk is full: make room, writing then goes on by itself",
        sqlite3.SQLITE_IOERR: "the disk can't be written or is full: make room or check it, writing then goes on",
        sqlite3.SQLITE_BUSY: "another program holds the log's write lock (sqlite3? a backup?): close it",
        sqlite3.SQLITE_LOCKED: "another program holds the log's lock: close it",
        sqlite3.SQLITE_READONLY: "the log or its folder is read-only: correct the permissions",
        sqlite3.SQLITE_CANTOPEN: "the file can't be opened: check that its folder exists and its permissions",
    }.get(code, "nothing was written, it is tried again")
    return LogUnavailable(f"{path}: {error}; {remedy}")


def connect(path: Path, *, busy_timeout: float, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any one thread at a time. Raises sqlite3.Error."""
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )
    try:
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT:d}")
    except BaseException:
        connection.close()
        raise
    return connection


def create(connection: sqlite3.Connection, log_id: str) -> None:
    """Lay out a new log."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in (SCHEMA + blocks.SCHEMA).split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [("log_id", log_id), ("format", str(FORMAT))])
    connection.execute("COMMIT")


def append(connection: sqlite3.Connection, values: list[Value]) -> None:
    """Write rows, in the writer's transaction. ``values``: one row's after the other's, as in ``COLUMNS``, the body as
    text: binding that is a fifth cheaper than a cast."""
    first, rows = 0, len(values) // _WIDTH
    while first < rows:
        left = rows - first
        size = next((size for size in _AT_ONCE if size <= left), left)
        some = values if size == rows else values[first * _WIDTH : (first + size) * _WIDTH]
        connection.execute(_insert_of(size), some)
        first += size


@cache
def _insert_of(rows: int) -> str:
    return _INSERT + ", ".join([_VALUES] * rows)


def insert(connection: sqlite3.Connection, record: Link) -> None:
    """Write a record as it is, also when its body is no text (salvage)."""
    r = record
    row = (r.seq, r.type, r.version, r.actor, r.cause, r.wall, r.mono, r.boot, r.body, r.hash)
    connection.execute(_AS_IT_IS, row)
    blocks.note(connection, ((r.type, r.seq >> blocks.BITS),))


def delete(connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Delete records (retention)."""
    connection.executemany("DELETE FROM records WHERE seq = ?", [(seq,) for seq in seqs])
    blocks.forget(connection, min(seqs), max(seqs))


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the file has no tables at all: a new one."""
    return fetch_number(connection, "SELECT count(*) FROM sqlite_master") == 0


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring a log of an earlier format to this one; does nothing with any other file."""
    found = fetch_number(connection, "PRAGMA application_id"), fetch_number(connection, "PRAGMA user_version")
    if found != (APPLICATION_ID, 1):
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(blocks.SCHEMA)
    blocks.fill(connection)
    connection.execute("DROP INDEX records_by_type")
    connection.execute("UPDATE meta SET value = ? WHERE name = 'format'", (str(FORMAT),))
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def check_format(connection: sqlite3.Connection, path: Path) -> str:
    """The log's id. Raises LogFormatError for a file that is no log of this release."""
    found = fetch_number(connection, "PRAGMA application_id")
    if found != APPLICATION_ID:
        raise LogFormatError(f"{path} is a database of something else, not a log; name another data folder")
    version = fetch_number(connection, "PRAGMA user_version")
    if version != FORMAT:
        remedy = (
            "use the release that wrote it"
            if version > FORMAT
            else f"start its service once, which brings it to {FORMAT}"
        )
        raise LogFormatError(f"{path} has log format {version}, this release knows {FORMAT}; {remedy}")
    return str(connection.execute("SELECT value FROM meta WHERE name = 'log_id'").fetchone()[0])


def fetch_number(connection: sqlite3.Connection, sql: str, parameters: Sequence[object] = ()) -> int:
    """The first column of the first row, 0 when there is none or it is NULL."""
    row = connection.execute(sql, tuple(parameters)).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


# --- queries -------------------------------------------------------------------------------------------


def _fetch(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    cursor = connection.execute(sql, tuple(parameters))
    try:
        return cursor.fetchall()
    finally:
        cursor.close()


def _links(rows: list[tuple[Any, ...]]) -> list[Link]:
    return list(starmap(Link, rows))


def _link_columns(tag: int) -> str:
    """In the order of ``Link``, whose event is not decoded yet."""
    return f"{_RECORD}, {tag}, NULL, {_LINK}"


def _select(
    connection: sqlite3.Connection,
    columns: str,
    after: int,
    upto: int | None,
    types: Collection[str] | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """``columns`` of the records after ``after`` up to ``upto`` (inclusive), oldest first."""
    last = _MAX_SEQ if upto is None else upto
    if types is None:
        sql = f"SELECT {columns} FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        return _fetch(connection, sql, (after, last, limit))
    names = sorted(set(types))
    if not names:
        return []
    near = min(last, after + _SCAN * limit)
    marks = ", ".join("?" * len(names))
    sql = f"SELECT {columns} FROM records WHERE seq > ? AND seq <= ? AND +type IN ({marks}) ORDER BY seq LIMIT ?"
    found = _fetch(connection, sql, (after, near, *names, limit))
    if len(found) >= limit or near >= last:
        return found
    for low, high in blocks.spans(connection, names, near, last):
        if len(found) >= limit:
            break
        found += _fetch(connection, sql, (low, high, *names, limit - len(found)))
    return found


def query(
    connection: sqlite3.Connection,
    tag: int,
    after: int,
    upto: int | None,
    types: Collection[str] | None,
    limit: int,
) -> list[Link]:
    """Records after ``after`` up to ``upto`` (inclusive), oldest first."""
    return _links(_select(connection, _link_columns(tag), after, upto, types, limit))


def query_rows(
    connection: sqlite3.Connection, after: int, upto: int | None, types: Collection[str], limit: int
) -> list[Row]:
    """The same for a fold: only the columns that it is shown."""
    connection.text_factory = bytes
    try:
        return cast(list[Row], _select(connection, _ROW, after, upto, types, limit))
    finally:
        connection.text_factory = str


def query_back(
    connection: sqlite3.Connection, tag: int, before: int | None, types: Collection[str] | None, limit: int
) -> list[Link]:
    """Records before ``before``, newest first."""
    last = _MAX_SEQ if before is None else before
    columns = _link_columns(tag)
    if types is None:
        sql = f"SELECT {columns} FROM records WHERE seq < ? ORDER BY seq DESC LIMIT ?"
        return _links(_fetch(connection, sql, (last, limit)))
    names = sorted(set(types))
    if not names:
        return []
    marks = ", ".join("?" * len(names))
    sql = f"SELECT {columns} FROM records WHERE seq > ? AND seq <= ? AND +type IN ({marks}) ORDER BY seq DESC LIMIT ?"
    found: list[Link] = []
    for low, high in blocks.spans(connection, names, -1, last - 1, back=True):
        if len(found) >= limit:
            break
        found += _links(_fetch(connection, sql, (low, high, *names, limit - len(found))))
    return found


def query_one(connection: sqlite3.Connection, tag: int, seq: int) -> Link | None:
    """The record ``seq``."""
    found = _links(_fetch(connection, f"SELECT {_link_columns(tag)} FROM records WHERE seq = ?", (seq,)))
    return found[0] if found else None


def query_cursor(connection: sqlite3.Connection, actor: str) -> tuple[int, int]:
    """(cursor, sequence number of the latest Baseline) of ``actor``, zeros when there are none."""
    row = connection.execute("SELECT seq, baseline FROM cursors WHERE actor = ?", (actor,)).fetchone()
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


def query_cursors(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Every actor's (cursor, sequence number of its latest Baseline)."""
    rows = connection.execute("SELECT actor, seq, baseline FROM cursors").fetchall()
    return {str(actor): (int(seq), int(baseline)) for actor, seq, baseline in rows}


def query_kept(connection: sqlite3.Connection) -> frozenset[int]:
    """The numbers of the records that stay before retention's cut."""
    return frozenset(int(row[0]) for row in connection.execute("SELECT seq FROM kept").fetchall())


def query_head(connection: sqlite3.Connection) -> int:
    """The last sequence number, 0 when the log is empty."""
    return fetch_number(connection, "SELECT max(seq) FROM records")

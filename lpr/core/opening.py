"""Opening the log's file for writing: the lock, the layout, and whether the file is as it was left.

May import ``lpr.events`` only.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lpr.core import store
from lpr.core.errors import LogDamagedError, LogLockedError, LogUnavailable
from lpr.core.salvage import Stamp, finish, salvage
from lpr.core.writer import Writer
from lpr.events import LogRecovered

TAIL = 256
"""So many records at the end are read each time the log is opened."""


@dataclass
class Opened:
    """A log open for writing. ``recovered``: what had to be done to the file, for the log itself."""

    writer: Writer
    recovered: tuple[LogRecovered, ...]
    lock: FileLock

    def close(self) -> None:
        """Close in good order and let another process have the log."""
        try:
            self.writer.close()
        finally:
            self.lock.release()


class FileLock:
    """An advisory lock on a file beside the log. The system frees it when the process ends, however it ends."""

    def __init__(self, path: Path, log: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LogUnavailable(f"{path}: {error.strerror}; check the folder and its permissions") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._handle)
            raise LogLockedError(
                f"{log} is in use by process {holder}; stop that one first or name another data folder "
                "(reading beside a running service works: lpr log, lpr replay, lpr verify)"
            ) from None
        with suppress(OSError):  # a full disk: the number is for people only
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Free the lock. The file stays: removing it would let two processes hold two locks."""
        os.close(self._handle)


def open_store(path: Path, stamp: Stamp, busy_timeout: float) -> Opened:
    """Lock, open, check and if need be salvage the log at ``path``. Blocking.

    Raises LogLockedError, LogFormatError, LogUnavailable.
    """
    lock = FileLock(path.with_name(path.name + ".lock"), path)
    try:
        recovered: tuple[LogRecovered, ...] = ()
        finish(path)
        try:
            writer = _open_checked(path, stamp, busy_timeout)
        except LogDamagedError as damage:
            recovered = salvage(path, str(damage), stamp)
            writer = _open_checked(path, stamp, busy_timeout)
        return Opened(writer, recovered, lock)
    except BaseException:
        lock.release()
        raise


def _open_checked(path: Path, stamp: Stamp, busy_timeout: float) -> Writer:
    """Raises LogDamagedError when the file can't be trusted."""
    marker = store.suspect_marker(path)
    try:
        connection = store.connect(path, busy_timeout=busy_timeout)
        try:
            if store.is_empty(connection):
                store.create(connection, stamp.log_id)
            store.upgrade(connection)
            log_id = store.check_format(connection, path)
            _check_size(connection, path)
            _check_tail(connection)
            if marker.exists():
                _check_all(connection, path)
                marker.unlink(missing_ok=True)
            return Writer(connection, path, log_id, stamp.boot)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, UnicodeDecodeError) as error:
        refused = store.refusal(error, path)
        if isinstance(refused, LogDamagedError):
            refused = LogDamagedError(_shortness(path) or f"{path.name}: {error}")
        raise refused from error
    except (TypeError, ValueError) as error:  # a value that is not of its column's type
        raise LogDamagedError(f"{path.name}: {error}") from error


def _check_size(connection: sqlite3.Connection, path: Path) -> None:
    """A file that was cut short is smaller than its own count of pages says."""
    busy, wal, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if not busy and wal == moved and (problem := _shortness(path)):
        raise LogDamagedError(problem)


def _shortness(path: Path) -> str:
    """Words for a file with fewer bytes than its header counts pages (SQLite file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(100)
    if header[:16] != b"SQLite format 3\0":
        return f"{path.name} is no log any more: its first page was overwritten"
    page = int.from_bytes(header[16:18], "big")
    stated = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    size = path.stat().st_size
    return "" if size >= stated else f"{path.name} was cut short: it has {size} bytes of {stated}"


def _check_tail(connection: sqlite3.Connection) -> None:
    """The last records can be read, in the table and in the index."""
    for record in store.query_back(connection, 0, None, None, TAIL):
        store.query_back(connection, 0, record.seq + 1, (record.type,), 1)


def _check_all(connection: sqlite3.Connection, path: Path) -> None:
    """SQLite's own check of every page: minutes for a large log, so only after damage was met."""
    problem = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if problem != "ok":
        raise LogDamagedError(f"{path.name}: {problem}")

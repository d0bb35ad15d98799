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
from lpr.core.salvage import salvage
from lpr.core.store import Writer
from lpr.events import LogRecovered

TAIL = 256
"""So many records at the end are checked against the hash chain each time the log is opened."""


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


def open_store(path: Path, boot: str, new_id: str, busy_timeout: float) -> Opened:
    """Lock, open, check and if need be salvage the log at ``path``. Blocking.

    ``boot``: of the clock. ``new_id``: the log's id if it has to be made. Raises LogLockedError,
    LogFormatError, LogUnavailable.
    """
    lock = FileLock(path.with_name(path.name + ".lock"), path)
    try:
        recovered: tuple[LogRecovered, ...] = ()
        try:
            writer = _open_checked(path, boot, new_id, busy_timeout)
        except LogDamagedError as damage:
            recovered = salvage(path, str(damage), new_id)
            writer = _open_checked(path, boot, new_id, busy_timeout)
        return Opened(writer, recovered, lock)
    except BaseException:
        lock.release()
        raise


def _open_checked(path: Path, boot: str, new_id: str, busy_timeout: float) -> Writer:
    """Raises LogDamagedError when the file can't be trusted."""
    try:
        connection = store.connect(path, busy_timeout=busy_timeout)
        try:
            if store.is_empty(connection):
                store.create(connection, new_id)
            return Writer(connection, path, store.check_format(connection, path), boot)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise store.refusal(error, path) from error

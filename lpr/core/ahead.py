"""Keeps SQLite's write-ahead log longer than what is in it, so that a commit overwrites it instead of growing it.

A sync of a file that has grown also writes the file system's journal: on a disk of ext4 twice the time of one that was
overwritten, for as long as the WAL grows after each start. Zeros behind the last frame are no frame to SQLite (its
frames carry a salt and a checksum; "WAL File Format", section 4 of the file format), as frames of an earlier round are
none. Imports nothing of ours.
"""

from __future__ import annotations

import os
from pathlib import Path

FRAME = 4096 + 24
"""Bytes of a page of SQLite's usual size in the WAL."""

LEAST, MOST = 64 * 1024, 1024 * 1024
"""Bytes that are made at a time: as many as there are, within these bounds. So a short run writes few of them."""


class Ahead:
    """The WAL of the database at ``path``. ``pages``: how many it has room for at most."""

    def __init__(self, path: Path, pages: int) -> None:
        self._path = path.with_name(path.name + "-wal")
        self._limit = pages * FRAME
        self._size = 0

    def extend(self) -> None:
        """Make room where SQLite has gone beyond it. To be called inside a write transaction, which alone may append.

        A full disk is no error here: the commit then finds out by itself.
        """
        try:
            size = self._path.stat().st_size
            if size != self._size and size < self._limit:
                self._grow(size)
            else:
                self._size = size
        except OSError:
            return

    def _grow(self, size: int) -> None:
        room = min(max(size, LEAST), MOST, self._limit - size)
        handle = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._size = size + os.pwrite(handle, bytes(room), size)
        finally:
            os.close(handle)

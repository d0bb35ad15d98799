"""Pictures beside the log: files named by the SHA-256 of their bytes, durable before an event names them.

``<root>/ab/abcd…`` holds a picture; ``<root>/tmp`` holds what is being written. A file appears under its name
only when it is whole and flushed; storing the same bytes again costs nothing, heals a damaged file, and makes the
file young again, so that retention leaves it to the event about to name it. May import ``lpr.events`` only.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lpr.core.errors import BlobDamagedError, BlobMissingError, BlobUnavailableError
from lpr.core.offload import Offload, in_thread

__all__ = ["BlobDamagedError", "BlobMissingError", "BlobStore", "BlobUnavailableError", "Removed", "Stored", "name_of"]

_NAME = re.compile("[0-9a-f]{64}")
_TEMPORARY = "tmp"


class Stored(NamedTuple):
    """A file of the store. ``bytes``: its size. ``modified``: µs since the Unix epoch, by the file system's clock."""

    blob: str
    bytes: int
    modified: int


class Removed(NamedTuple):
    """What a removal did."""

    files: int
    bytes: int


def name_of(data: bytes) -> str:
    """The name of a picture: hex SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


class BlobStore:
    """The pictures under ``root``. Any number of tasks may use one store; one process at a time writes."""

    def __init__(self, root: Path, offload: Offload = in_thread) -> None:
        self.root = root
        self._offload = offload
        self._lock = threading.Lock()  # a put that finds its file there, against the removal of that file
        self._count = 0
        self._known_folders: set[Path] = set()
        self._temporary = root / _TEMPORARY
        self._process = os.getpid()

    def path(self, blob: str) -> Path:
        """Where ``blob`` lies, whether or not it is there. Raises ValueError for what can't be a name."""
        if not _NAME.fullmatch(blob):
            raise ValueError(f"not the name of a picture: {blob[:80]!r}")
        return self.root / blob[:2] / blob

    async def put(self, data: bytes, *, min_free: int = 0) -> str:
        """Store ``data``; returns its name, hex SHA-256. Durable, file and folder, on return.

        ``min_free``: bytes that are to stay free on the disk. Raises BlobUnavailableError (disk full, no
        permission): nothing half written is left.
        """
        return await self._offload(partial(self.store, data, min_free))

    async def get(self, blob: str) -> bytes:
        """The bytes of ``blob``. Raises BlobMissingError, BlobDamagedError."""
        return await self._offload(partial(self.read, blob))

    def has(self, blob: str) -> bool:
        """Whether a file of that name is there (its content is not looked at)."""
        return self.path(blob).exists()

    def read(self, blob: str) -> bytes:
        """As ``get``, blocking."""
        path = self.path(blob)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise BlobMissingError(blob, f"picture {blob} is missing ({path})") from None
        except OSError as error:
            raise BlobDamagedError(blob, f"picture {blob} can't be read: {error}") from error
        if hashlib.sha256(data).hexdigest() != blob:
            raise BlobDamagedError(blob, f"picture {blob} is damaged: its bytes don't have this hash ({path})")
        return data

    def store(self, data: bytes, min_free: int = 0) -> str:
        """As ``put``, blocking."""
        if min_free and (free := _free_bytes(self.root)) < min_free:
            raise BlobUnavailableError(
                f"{self.root}: {free // 1_000_000} MB are free, {min_free // 1_000_000} are to stay "
                "(log.min_free_mb); make room, it then goes on by itself"
            )
        try:
            try:
                return self._put(data)
            except FileNotFoundError:  # somebody removed a folder that this store had made
                self._known_folders.clear()
                return self._put(data)
        except OSError as error:
            raise BlobUnavailableError(
                f"picture could not be stored under {self.root}: {error.strerror or error}; "
                "make room or correct the permissions, nothing else is needed"
            ) from error

    def sizes(self, folder: str | None = None) -> Iterator[Stored]:
        """Every file of the store, or of one ``folder`` (two hex digits). Blocking."""
        folders = [folder] if folder is not None else [f"{n:02x}" for n in range(256)]
        for name in folders:
            try:
                entries = list(os.scandir(self.root / name))
            except FileNotFoundError:
                continue
            for entry in entries:
                if _NAME.fullmatch(entry.name):
                    try:
                        found = entry.stat()
                    except FileNotFoundError:
                        continue
                    yield Stored(entry.name, found.st_size, found.st_mtime_ns // 1000)

    async def listing(self, folder: str | None = None) -> list[Stored]:
        """As ``sizes``, off the event loop."""
        return await self._offload(lambda: list(self.sizes(folder)))

    async def total(self) -> int:
        """Bytes of all pictures."""
        return await self._offload(lambda: sum(stored.bytes for stored in self.sizes()))

    async def now(self) -> int:
        """The time by the file system's own clock, µs since the Unix epoch: what ``modified`` is compared with."""
        return await self._offload(self._now)

    async def remove(self, blobs: Iterable[str], unmodified_since: int | None = None) -> Removed:
        """Delete files; those already gone are passed over.

        ``unmodified_since`` (µs since the epoch): a file that was stored again after it stays.
        """
        return await self._offload(partial(self._remove, list(blobs), unmodified_since))

    async def clean(self) -> int:
        """Delete what writes cut short by a crash have left in ``tmp``. For the start of the service only."""
        return await self._offload(self._clean)

    def _put(self, data: bytes) -> str:
        blob = name_of(data)
        folder = self.root / blob[:2]
        path = folder / blob
        with self._lock:
            if _holds(path, data):
                os.utime(path)
                _flush_folder(folder)
                return blob
        self._make_folder(folder)
        self._make_folder(self._temporary)
        with self._lock:
            self._count += 1
            temporary = self._temporary / f"{self._process}-{self._count}-{blob[:16]}"
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _flush_folder(folder)
        return blob

    def _make_folder(self, folder: Path) -> None:
        """``folder`` exists and its entry is durable, and so upwards as far as this store made it."""
        if folder in self._known_folders:
            return
        if not folder.parent.exists():
            self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush_folder(folder.parent)
        self._known_folders.add(folder)

    def _now(self) -> int:
        self._make_folder(self._temporary)
        probe = self._temporary / f"{self._process}-now"
        probe.write_bytes(b"")
        try:
            return probe.stat().st_mtime_ns // 1000
        finally:
            probe.unlink(missing_ok=True)

    def _remove(self, blobs: list[str], unmodified_since: int | None) -> Removed:
        files = freed = 0
        for blob in blobs:
            path = self.path(blob)
            with self._lock:
                try:
                    found = path.stat()
                    if unmodified_since is not None and found.st_mtime_ns // 1000 >= unmodified_since:
                        continue
                    path.unlink()
                except FileNotFoundError:
                    continue
                files += 1
                freed += found.st_size
        return Removed(files, freed)

    def _clean(self) -> int:
        left = 0
        for path in self._temporary.iterdir() if self._temporary.exists() else ():
            path.unlink(missing_ok=True)
            left += 1
        return left


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _free_bytes(folder: Path) -> int:
    """Free bytes on the disk of ``folder``, or of the nearest folder above it that exists."""
    while True:
        try:
            found = os.statvfs(folder)
        except FileNotFoundError:
            if folder == folder.parent:
                raise
            folder = folder.parent
        else:
            return found.f_bavail * found.f_frsize

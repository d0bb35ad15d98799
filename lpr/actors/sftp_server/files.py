"""SFTP's operations on the tree: looking and reading; everything that would change something is refused.

Paths are resolved by ``lpr.core.tree`` alone, so nothing of the machine's own files can be named. asyncssh deals with a
session's requests one after the other; what it would queue for a client that takes nothing is kept small by waiting
here until the kernel has room. May import ``lpr.core``. asyncio only, as asyncssh is.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import AsyncGenerator
from typing import NoReturn, Protocol
from weakref import WeakSet

import asyncssh
from asyncssh import constants as ssh
from asyncssh.sftp import SFTPAttrs, SFTPName, SFTPVFSAttrs

from lpr.core import tree
from lpr.core.shelves import Entry, Opened, Shelves, Unavailable
from lpr.core.visitors import Bandwidth

MAX_READ = 262_144
"""Bytes of one answer at most; clients ask again for what is missing."""

WRITE_FLAGS = ssh.FXF_WRITE | ssh.FXF_APPEND | ssh.FXF_CREAT | ssh.FXF_TRUNC | ssh.FXF_EXCL
READ_ACCESS = ssh.ACE4_READ_DATA | ssh.ACE4_READ_ATTRIBUTES


class Host(Protocol):
    """What the operations need of their connection."""

    @property
    def shelves(self) -> Shelves: ...

    @property
    def bandwidth(self) -> Bandwidth: ...

    @property
    def max_open(self) -> int: ...

    async def room(self) -> None:
        """Until the client has taken enough of what it was sent. Raises asyncssh.SFTPConnectionLost."""
        ...

    def transferred(self, path: str, count: int, outcome: str) -> None:
        """For the audit trail."""
        ...

    def session_over(self) -> None:
        """An SFTP session has ended."""
        ...


class OpenFile:
    """A file that a client has open. ``reached``: the end of what it has read; ``sent``: bytes, some perhaps twice."""

    def __init__(self, node: tree.File, content: Opened) -> None:
        self.node = node
        self.content = content
        self.sent = 0
        self.reached = 0
        self.problem = ""

    @property
    def outcome(self) -> str:
        return self.problem or ("done" if self.reached >= self.content.size else "aborted")


class Files(asyncssh.SFTPServer):
    """One SFTP session; made by ``of``."""

    _host: Host
    _files = 0
    _listings: WeakSet[AsyncGenerator[SFTPName, None]]

    @classmethod
    def of(cls, host: Host, channel: asyncssh.SSHServerChannel[bytes]) -> Files:
        """The operations of a session of ``host``'s connection."""
        files = cls(channel)
        files._host = host
        files._listings = WeakSet()
        return files

    # --- looking ---------------------------------------------------------------------------------------

    async def realpath(self, path: bytes) -> bytes:
        return tree.absolute(_text(path)).encode()

    async def stat(self, path: bytes) -> SFTPAttrs:
        await self._host.room()
        return _attributes((await self._found(path))[1])

    async def lstat(self, path: bytes) -> SFTPAttrs:
        return await self.stat(path)

    async def fstat(self, file_obj: object) -> SFTPAttrs:
        file = _file(file_obj)
        entry = await self._ask(file.node)
        return _attributes(Entry("", False, file.content.size, 0 if entry is None else entry.modified))

    def scandir(self, path: bytes) -> AsyncGenerator[SFTPName, None]:
        listing = self._list(path)
        self._listings.add(listing)
        return listing

    async def _list(self, path: bytes) -> AsyncGenerator[SFTPName, None]:
        self._limit()
        node, entry = await self._found(path)
        if isinstance(node, tree.Image | tree.Report):
            raise asyncssh.SFTPError(ssh.FX_FAILURE, "This is a file")
        for name in (b".", b".."):
            yield SFTPName(name, attrs=_attributes(entry))
        try:
            async for one in self._host.shelves.list(node):
                yield SFTPName(one.name.encode(), attrs=_attributes(one))
        except Unavailable as error:
            raise asyncssh.SFTPFailure(str(error)) from None

    async def _found(self, path: bytes) -> tuple[tree.Node, Entry]:
        node = tree.resolve(_text(path))
        entry = None if node is None else await self._ask(node)
        if node is None or entry is None:
            raise asyncssh.SFTPNoSuchFile("There is no such file or folder")
        return node, entry

    async def _ask(self, node: tree.Node) -> Entry | None:
        try:
            return await self._host.shelves.find(node)
        except Unavailable as error:
            raise asyncssh.SFTPFailure(str(error)) from None

    def format_user(self, uid: int | None) -> str:
        return "lpr"

    def format_group(self, gid: int | None) -> str:
        return "lpr"

    # --- reading ---------------------------------------------------------------------------------------

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> object:
        if pflags & WRITE_FLAGS:
            _refuse()
        return await self._open(path)

    async def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> object:
        disposition = flags & ssh.FXF_ACCESS_DISPOSITION
        if desired_access & ~READ_ACCESS or disposition != ssh.FXF_OPEN_EXISTING:
            _refuse()
        return await self._open(path)

    async def _open(self, path: bytes) -> OpenFile:
        await self._host.room()
        self._limit()
        node = tree.resolve(_text(path))
        if not isinstance(node, tree.Image | tree.Report):
            raise asyncssh.SFTPNoSuchFile("There is no such file")
        try:
            content = await self._host.shelves.open(node)
        except Unavailable as error:
            raise asyncssh.SFTPFailure(str(error)) from None
        if content is None:
            raise asyncssh.SFTPNoSuchFile("There is no such file")
        self._files += 1
        return OpenFile(node, content)

    def _limit(self) -> None:
        if self._files + len(self._listings) > self._host.max_open:
            raise asyncssh.SFTPFailure(f"More than {self._host.max_open} files and folders are open; close some")

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        file = _file(file_obj)
        await self._host.room()
        length = min(size, MAX_READ)
        await self._host.bandwidth.take(min(length, max(0, file.content.size - offset)))
        try:
            data = await file.content.read(offset, length)
        except Unavailable as error:
            file.problem = str(error)
            raise asyncssh.SFTPFailure(str(error)) from None
        file.sent += len(data)
        file.reached = max(file.reached, offset + len(data))
        return data

    async def close(self, file_obj: object) -> None:
        file = _file(file_obj)
        self._files -= 1
        await file.content.close()
        self._host.transferred(tree.path_of(file.node), file.sent, file.outcome)

    def exit(self) -> None:
        self._host.session_over()

    # --- refused ---------------------------------------------------------------------------------------

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        _refuse()

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        _refuse()

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        _refuse()

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        _refuse()

    def remove(self, path: bytes) -> None:
        _refuse()

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        _refuse()

    def rmdir(self, path: bytes) -> None:
        _refuse()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    def readlink(self, path: bytes) -> bytes:
        raise OSError(errno.EINVAL, "There are no links")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        _refuse()

    def lock(self, file_obj: object, offset: int, length: int, flags: int) -> None:
        _refuse()

    def unlock(self, file_obj: object, offset: int, length: int) -> None:
        _refuse()

    def statvfs(self, path: bytes) -> SFTPVFSAttrs:
        _refuse()

    def fstatvfs(self, file_obj: object) -> SFTPVFSAttrs:
        _refuse()

    def fsync(self, file_obj: object) -> None:
        _refuse()


def _text(path: bytes) -> str:
    """A path as text; one that is not UTF-8 names nothing."""
    return path.decode("utf-8", "replace")


def _file(file_obj: object) -> OpenFile:
    assert isinstance(file_obj, OpenFile)
    return file_obj


def _attributes(entry: Entry) -> SFTPAttrs:
    seconds = max(0, entry.modified) // 1_000_000
    return SFTPAttrs(
        type=ssh.FILEXFER_TYPE_DIRECTORY if entry.folder else ssh.FILEXFER_TYPE_REGULAR,
        size=entry.size,
        uid=0,
        gid=0,
        permissions=(stat.S_IFDIR | 0o555) if entry.folder else (stat.S_IFREG | 0o444),
        atime=seconds,
        mtime=seconds,
        nlink=1,
    )


def _refuse() -> NoReturn:
    raise asyncssh.SFTPPermissionDenied("This server is read-only")

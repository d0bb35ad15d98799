"""What lies in the tree of ``lpr.core.tree``: looked up in the search table and the picture store, read bit by bit.

Nothing is held whole: a folder is listed page by page, a picture read block by block, a day's file made as it is read.
The search table is opened read-only for each question and closed again, so that the catalogue can make it anew at any
time. Blocking work runs through an ``Offload``. May import ``lpr.events``; opens SQLite's files for reading alone.
"""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, assert_never

import anyio

from lpr.core import tree, tree_sql
from lpr.core.blobs import BlobStore
from lpr.core.offload import Offload, in_thread
from lpr.core.search import Cell, Cursor, Parameters
from lpr.events import Micros

T = TypeVar("T")

IMAGES = 200
"""Pictures of a folder that are looked up at once."""
LINES = 500
"""Lines of a day's file that are made at once."""
DAYS = 16
"""Days' folders or files that are looked up at once."""
MAX_DAYS = 4000
"""Days shown in a folder at most, the newest."""
SIZES = 1024
"""Sizes of days' files that are remembered."""
KEPT = 524_288
"""Bytes of an open day's file that stay for a client which asks for them again."""
MAX_REWINDS = 1000
"""Times that an open day's file may be read again from its beginning."""
BUSY_TIMEOUT = 5.0


class Unavailable(Exception):
    """The tree can't be read just now. The text says why and is fit for a person."""


class Entry(NamedTuple):
    """``size``: bytes, 0 of a folder. ``modified``: µs since the epoch."""

    name: str
    folder: bool
    size: int
    modified: Micros


class Opened(Protocol):
    """A file open for reading."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """At most ``length`` bytes from ``offset``; empty: the end. Raises Unavailable."""
        ...

    async def close(self) -> None: ...


class Shelves:
    """``catalogue``: the search table's file. ``utc_offset``: minutes east of UTC of the tree's local time."""

    def __init__(self, catalogue: Path, blobs: BlobStore, *, utc_offset: int = 0, offload: Offload = in_thread) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._utc_offset = utc_offset
        self._offload = offload
        self._sizes: OrderedDict[tuple[tree.Report, int, int], tuple[int, Micros]] = OrderedDict()

    async def find(self, node: tree.Node) -> Entry | None:
        """The entry of a node, None when there is no such file or folder. Raises Unavailable."""
        match node:
            case tree.Root() | tree.Shelf() | tree.Records() | tree.Lists():
                return Entry(tree.name_of(node), True, 0, 0)
            case tree.Day() | tree.Hour():
                return await self._do(partial(self._folder, node))
            case tree.Report():
                return await self._do(partial(self._report, node))
            case tree.Image():
                found = await self._do(partial(self._image, node))
                return None if found is None else found[0]
            case _:
                assert_never(node)

    async def list(self, node: tree.Folder) -> AsyncGenerator[Entry, None]:
        """What lies in a folder, in order of names and page by page. Raises Unavailable."""
        match node:
            case tree.Root():
                for name in tree.TOP:
                    yield Entry(name, True, 0, 0)
            case tree.Lists():
                return
            case tree.Shelf() | tree.Records():
                async for entry in self._days(node):
                    yield entry
            case tree.Day(kind, day):
                hours = [tree.Hour(kind, day, hour) for hour in range(24)]
                for entry in await self._do(lambda: [self._folder(hour) for hour in hours]):
                    if entry is not None:
                        yield entry
            case tree.Hour():
                async for entry in self._images(node):
                    yield entry
            case _:
                assert_never(node)

    async def open(self, node: tree.File) -> Opened | None:
        """The file to read, None when there is none (any more). Raises Unavailable."""
        if isinstance(node, tree.Image):
            return await self._do(partial(self._open_image, node))
        found = await self._do(partial(self._measure, node))
        return None if found is None else _Text(self, node, size=found[0].size, upto=found[1])

    async def lines(self, node: tree.Report, upto: int, after: Cursor) -> list[tuple[Cursor, str]]:
        """The next lines of a day's file. Raises Unavailable."""
        since, until = tree.span_of(node, self._utc_offset)
        sql = tree_sql.lines_sql(node.form, since, until, upto, self._utc_offset, after, LINES)
        rows = await self._do(partial(self._ask, sql))
        return [((_int(at), _int(record)), str(line)) for at, record, line in rows]

    async def _days(self, node: tree.Shelf | tree.Records) -> AsyncGenerator[Entry, None]:
        days = await self._do(self._known_days)
        for start in range(0, len(days), DAYS):
            page = days[start : start + DAYS]
            if isinstance(node, tree.Shelf):
                for day in page:
                    yield Entry(day.isoformat(), True, 0, tree.span_of(tree.Day(node.kind, day), self._utc_offset)[0])
                continue
            for report in (tree.Report(day, form) for day in page for form in tree.FORMS):
                entry = await self._do(partial(self._report, report))
                if entry is not None:
                    yield entry

    async def _images(self, node: tree.Hour) -> AsyncGenerator[Entry, None]:
        after: Cursor | None = tree_sql.BEGINNING
        while after is not None:
            page, after = await self._do(partial(self._images_after, node, after))
            for entry in page:
                yield entry

    # --- blocking, through the offload -----------------------------------------------------------------

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await self._offload(work)
        except sqlite3.Error as error:
            raise Unavailable(f"the search table can't be read just now: {error}") from error

    @contextmanager
    def _database(self) -> Generator[sqlite3.Connection]:
        if not self._catalogue.exists():
            raise Unavailable(f"{self._catalogue.name} has not been built yet; try again")
        connection = sqlite3.connect(f"{self._catalogue.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT)
        try:
            yield connection
        finally:
            connection.close()

    def _ask(self, question: tuple[str, Parameters]) -> list[Sequence[Cell]]:
        with self._database() as connection:
            return connection.execute(*question).fetchall()

    def _known_days(self) -> list[date]:
        """Every day that has a passage, oldest first, with one look into the index a day."""
        days: list[date] = []
        position: Micros = 0
        with self._database() as connection:
            while row := connection.execute(*tree_sql.next_sql(position)).fetchone():
                if row[0] >= tree.LATEST:
                    break
                day = tree.local(row[0], self._utc_offset).date()
                days.append(day)
                position = tree.span_of(tree.Report(day, "csv"), self._utc_offset)[1]
        return days[-MAX_DAYS:]

    def _folder(self, node: tree.Day | tree.Hour) -> Entry | None:
        since, until = tree.span_of(node, self._utc_offset)
        row = self._ask(tree_sql.next_sql(since))
        return Entry(tree.name_of(node), True, 0, since) if row and _int(row[0][0]) < until else None

    def _images_after(self, node: tree.Hour, after: Cursor) -> tuple[list[Entry], Cursor | None]:
        """A page of entries, and where the next one begins."""
        since, until = tree.span_of(node, self._utc_offset)
        rows = self._ask(tree_sql.images_sql(node.kind, since, until, after, IMAGES))
        page: list[Entry] = []
        for at, record, plate, blob in rows:
            image = tree.image_of(node.kind, _int(at), str(plate), _int(record), self._utc_offset)
            size = self._size(str(blob))
            if size is not None:
                page.append(Entry(image.name, False, size, _int(at)))
        return page, (_int(rows[-1][0]), _int(rows[-1][1])) if len(rows) == IMAGES else None

    def _image(self, node: tree.Image) -> tuple[Entry, Path] | None:
        """The file's entry and where its bytes lie."""
        rows = self._ask(tree_sql.image_sql(node.kind, node.record))
        if not rows:
            return None
        at, record, plate, blob = rows[0]
        if tree.image_of(node.kind, _int(at), str(plate), _int(record), self._utc_offset) != node:
            return None
        size = self._size(str(blob))
        return None if size is None else (Entry(node.name, False, size, _int(at)), self._blobs.path(str(blob)))

    def _size(self, blob: str) -> int | None:
        """Bytes of a picture, None when it is not kept any more."""
        try:
            return self._blobs.path(blob).stat().st_size
        except FileNotFoundError:
            return None

    def _open_image(self, node: tree.Image) -> Opened | None:
        found = self._image(node)
        if found is None:
            return None
        try:
            handle = os.open(found[1], os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"the picture can't be read: {error.strerror or error}") from error
        return _Picture(handle, os.fstat(handle).st_size, self._offload)

    def _report(self, node: tree.Report) -> Entry | None:
        found = self._measure(node)
        return None if found is None else found[0]

    def _measure(self, node: tree.Report) -> tuple[Entry, int] | None:
        """A day's file and the highest record number in it."""
        since, until = tree.span_of(node, self._utc_offset)
        with self._database() as connection:
            count, upto = connection.execute(*tree_sql.count_sql(since, until)).fetchone()
            if not count:
                return None
            known = self._sizes.get((node, count, upto))
            if known is None:
                question = tree_sql.size_sql(node.form, since, until, upto, self._utc_offset)
                lines, characters, latest = connection.execute(*question).fetchone()
                known = tree_sql.size_of(node.form, lines, characters), latest or 0
                self._sizes[node, count, upto] = known
                while len(self._sizes) > SIZES:
                    self._sizes.popitem(last=False)
        return Entry(tree.name_of(node), False, *known), upto


class _Picture:
    """A file of the picture store."""

    def __init__(self, handle: int, size: int, offload: Offload) -> None:
        self._handle: int | None = handle
        self._offload = offload
        self.size = size

    async def read(self, offset: int, length: int) -> bytes:
        if self._handle is None:
            raise Unavailable("the file is closed")
        try:
            return await self._offload(partial(os.pread, self._handle, length, min(offset, self.size)))
        except OSError as error:
            raise Unavailable(f"the picture can't be read: {error.strerror or error}") from error

    async def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


class _Text:
    """A day's file, made as it is read. Reading on is cheap, jumping back makes it again from its beginning."""

    def __init__(self, shelves: Shelves, node: tree.Report, *, size: int, upto: int) -> None:
        self.size = size
        self._shelves = shelves
        self._node = node
        self._upto = upto
        self._turn = anyio.Lock()
        self._rewinds = 0
        self._begin()

    def _begin(self) -> None:
        self._kept = tree_sql.head_of(self._node.form)
        self._start = 0
        self._after: Cursor | None = tree_sql.BEGINNING
        self._empty = True

    async def read(self, offset: int, length: int) -> bytes:
        async with self._turn:
            if offset < self._start:
                self._rewinds += 1
                if self._rewinds > MAX_REWINDS:
                    raise Unavailable("read this file from its beginning to its end")
                self._begin()
            while offset + length > self._start + len(self._kept) and self._after is not None:
                await self._more(offset)
            found = offset - self._start
            return self._kept[found : found + length]

    async def close(self) -> None:
        self._kept, self._after = b"", None

    async def _more(self, offset: int) -> None:
        """Some lines more; what lies more than ``KEPT`` before ``offset`` is let go."""
        form, after = self._node.form, self._after
        assert after is not None
        lines = await self._shelves.lines(self._node, self._upto, after)
        made = bytearray()
        for _, line in lines:
            made += tree_sql.line_of(form, line, self._empty)
            self._empty = False
        self._after = lines[-1][0] if len(lines) == LINES else None
        if self._after is None:
            made += tree_sql.tail_of(form)
        gone = min(len(self._kept), max(0, offset - KEPT - self._start))
        self._kept = self._kept[gone:] + bytes(made)
        self._start += gone


def _int(cell: Cell) -> int:
    return int(str(cell))

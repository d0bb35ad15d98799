"""The passages as one server's clients need them: their order, and their bytes, built once and shared by all.

The order comes from the log: clients that keep up are answered from the latest records' numbers, others page. The
bytes of a passage are built once, kept in a cache bounded in bytes, and handed out as the same object to every
client; one that fell out of it is built again from the log and the blob store, with the same bytes.

May import ``lpr.events`` and anyio.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from lpr.core.blobs import BlobStore
from lpr.core.delivery import Shipment
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.log import EventLog
from lpr.core.passed import SIGNED, passage
from lpr.events import BlobMissing, Picture

RECENT = 512
"""Numbers of the latest passages kept, so that clients at the head don't read the log each for itself."""
PAGE = 64
BUILDERS = 4
"""Passages that are read from the disk at the same time, so that many returning clients don't fill the memory."""
NOTICED = 256
"""Missing pictures that were told already and are not told again."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The JPEGs of a passage that a server sends; None: not wanted, not there, or lost."""

    plate: bytes | None = None
    full: bytes | None = None


Encode: TypeAlias = Callable[[Shipment, Pictures], bytes | None]
"""A passage in the wire's bytes, always the same; None: this server doesn't send it."""


class Feed:
    """``images``: which pictures ``encode`` is given: "none", "plate", "full" or "all". ``cache``: bytes of built
    messages that are kept. ``noticed``: called with a BlobMissing event, once a picture. ``server``: its name in there.
    """

    def __init__(
        self,
        log: EventLog,
        blobs: BlobStore,
        *,
        encode: Encode,
        images: str,
        cache: int,
        server: str,
        noticed: Callable[[BlobMissing], None],
    ) -> None:
        self._log = log
        self._blobs = blobs
        self._encode = encode
        self._images = images
        self._limit = cache
        self._server = server
        self._noticed = noticed
        self._floor = log.head
        self._recent: list[int] = []
        self._built: OrderedDict[int, bytes | None] = OrderedDict()
        self._size = 0
        self._under_way: dict[int, anyio.Event] = {}
        self._builders = anyio.Semaphore(BUILDERS)
        self._told: OrderedDict[str, None] = OrderedDict()

    @property
    def cached(self) -> int:
        """Bytes of messages held."""
        return self._size

    async def follow(self, wake: Callable[[], None]) -> None:
        """Until cancelled: keep the order up to date; ``wake`` is called when there is something new."""
        position = self._floor
        while True:
            head = self._log.head
            page = await self._log.read(position, types=SIGNED, upto=head)
            if page:
                self._recent += [record.seq for record in page]
                if len(self._recent) > 2 * RECENT:
                    self._floor = self._recent[-RECENT - 1]
                    del self._recent[:-RECENT]
                position = page[-1].seq
                wake()
            else:
                position = max(position, head)
                await self._log.wait(position)

    async def after(self, position: int) -> list[int]:
        """Record numbers of the passages over ``position``, oldest first, ``PAGE`` at most; empty: none yet."""
        if position >= self._floor:
            start = bisect_right(self._recent, position)
            return self._recent[start : start + PAGE]
        return [record.seq for record in await self._log.read(position, types=SIGNED, limit=PAGE)]

    async def start_of_last(self, count: int) -> int:
        """The position from which at most ``count`` passages are left to come."""
        before: int | None = None
        left = count
        while left > 0:
            page = await self._log.read_back(before, types=SIGNED, limit=min(left, 500))
            if not page:
                return 0
            before, left = page[-1].seq, left - len(page)
        return self._log.head if before is None else before - 1

    def ready(self, seq: int) -> bytes | None:
        """The bytes of a passage if they are built already, else None: what most clients need, without waiting."""
        return self._built.get(seq)

    async def message(self, seq: int) -> bytes | None:
        """The bytes of the passage whose PassageSigned is record ``seq``; None when there is nothing to send of it:
        it is gone from the log, or not for this server."""
        while True:
            if seq in self._built:
                self._built.move_to_end(seq)
                return self._built[seq]
            if seq not in self._under_way:
                break
            await self._under_way[seq].wait()
        self._under_way[seq] = anyio.Event()
        try:
            async with self._builders:
                message = await self._build(seq)
            self._keep(seq, message)
            return message
        finally:
            self._under_way.pop(seq).set()

    def _keep(self, seq: int, message: bytes | None) -> None:
        self._built[seq] = message
        self._size += len(message or b"")
        while len(self._built) > 1 and (self._size > self._limit or len(self._built) > RECENT):
            self._size -= len(self._built.popitem(last=False)[1] or b"")

    async def _build(self, seq: int) -> bytes | None:
        found = await passage(self._log, seq)
        if found is None:
            return None
        signed = found.signed
        plate = await self._image(signed.plate_picture) if self._images in ("plate", "all") else None
        full = await self._image(signed.picture) if self._images in ("full", "all") else None
        return self._encode(found, Pictures(plate, full))

    async def _image(self, picture: Picture) -> bytes | None:
        """The picture's bytes; None when they are missing or damaged, which is told once."""
        if not picture.blob:
            return None
        try:
            return await self._blobs.get(picture.blob)
        except (BlobMissingError, BlobDamagedError) as error:
            if picture.blob not in self._told:
                self._told[picture.blob] = None
                if len(self._told) > NOTICED:
                    self._told.popitem(last=False)
                self._noticed(BlobMissing(blob=picture.blob, noticed_by=self._server, problem=str(error)))
            return None

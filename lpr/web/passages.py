"""Passages for the outside: searched in the catalogue's table, explained from the log, with their pictures.

The catalogue is opened read-only for each question and closed again, so it can be rebuilt at any time.
May import ``lpr.core`` and ``lpr.events``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import aiosqlite
import msgspec

from lpr.core import search
from lpr.core.blobs import BlobStore
from lpr.core.errors import BlobDamagedError, BlobMissingError, RecordError
from lpr.core.log import EventLog
from lpr.core.record import Link, seq_of
from lpr.core.search import Cell, DeliveryRow, PassageQuery, PassageRow
from lpr.events import (
    BlobMissing,
    CaptureTaken,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    PassageDecided,
    PassageSigned,
    PlateRead,
)
from lpr.web.models import (
    DeliveryDocument,
    EventDocument,
    Filter,
    PageQuery,
    PassageDetail,
    PassageDocument,
    PictureLink,
    instant,
    micros,
)
from lpr.web.problems import Problem

PAGE = 500
MAX_PAGES = 20
"""Pages of the log that the chain of one passage is looked for in, backwards and forwards."""
SLACK_US = 5_000_000
MAX_MISSING_NOTED = 1000
BEFORE = ("CaptureTaken", "PlateRead")
AFTER = ("PassageSigned", "Delivered", "DeliveryFailed", "DeliveryParked", "DeliveryRequested")


class Passages:
    """The passages of one data folder."""

    def __init__(self, log: EventLog, blobs: BlobStore, catalogue: Path) -> None:
        self._log = log
        self._blobs = blobs
        self._catalogue = catalogue
        self._noted: set[str] = set()

    async def page(self, query: PageQuery) -> tuple[list[PassageRow], str | None]:
        """One page of a search and the cursor of the next one. Raises Problem."""
        wanted = _query(query, query.limit)
        if query.cursor is not None:
            try:
                wanted = msgspec.structs.replace(wanted, before=search.cursor_of(query.cursor))
            except search.SearchError as error:
                raise Problem("bad_cursor", str(error)) from None
        return search.page(await self._ask(*_checked(wanted, counting=False)), wanted)

    async def all(self, query: Filter) -> AsyncIterator[list[PassageRow]]:
        """Everything a search finds, page by page. Raises Problem."""
        wanted = _query(query, search.MAX_LIMIT)
        while True:
            rows, following = search.page(await self._ask(*_checked(wanted, counting=False)), wanted)
            yield rows
            if following is None:
                return
            wanted = msgspec.structs.replace(wanted, before=search.cursor_of(following))

    async def count(self, query: Filter) -> int:
        """How many passages a search finds. Raises Problem."""
        rows = await self._ask(*_checked(_query(query, 1), counting=True))
        return int(str(rows[0][0]))

    async def row(self, passage: str) -> PassageRow:
        """One passage, from the catalogue or, when that lags behind, from the log. Raises Problem."""
        try:
            found = await self._ask(*search.by_id_sql(passage.lower()))
        except Problem:
            found = []
        return search.passage_row(found[0]) if found else await self._from_log(passage)

    async def detail(self, passage: str) -> PassageDetail:
        """The passage and its whole chain of events. Raises Problem."""
        row = await self.row(passage)
        deliveries = await self.deliveries(row.id)
        record = await self._log.get(row.seq)
        decided = _event(record)
        detail = PassageDetail(
            passage=document(row),
            votes=(),
            deliveries=tuple(delivery(one) for one in deliveries),
            events=(),
            complete=False,
        )
        if record is None or not isinstance(decided, PassageDecided):
            return detail  # retention removed the records; the catalogue still knows the passage
        before, all_before = await self._before(record, decided)
        after, all_after = await self._after(record, row, deliveries)
        events = tuple(event_document(one) for one in (*before, record, *after))
        return msgspec.structs.replace(detail, votes=decided.votes, events=events, complete=all_before and all_after)

    async def deliveries(self, passage: str) -> list[DeliveryRow]:
        """The latest word of each sink about a passage; nothing while the catalogue is not ready."""
        try:
            return [search.delivery_row(row) for row in await self._ask(*search.deliveries_sql(passage))]
        except Problem:
            return []

    async def picture(self, blob: str) -> bytes:
        """The bytes of a picture. Raises Problem when it is gone, and says so once in the log."""
        try:
            return await self._blobs.get(blob)
        except (BlobMissingError, BlobDamagedError) as error:
            if blob not in self._noted and len(self._noted) < MAX_MISSING_NOTED:
                self._noted.add(blob)
                await self._log.append((BlobMissing(blob=blob, noticed_by="web", problem=str(error)),), actor="web")
            raise Problem("picture_missing", str(error)) from None

    async def _ask(self, sql: str, parameters: search.Parameters) -> list[Sequence[Cell]]:
        if not self._catalogue.exists():
            raise Problem("search_unavailable", f"{self._catalogue.name} has not been built yet")
        address = f"file:{quote(str(self._catalogue))}?mode=ro"
        try:
            async with aiosqlite.connect(address, uri=True, timeout=5.0) as database:
                try:
                    return [tuple(row) for row in await database.execute_fetchall(sql, parameters)]
                except asyncio.CancelledError:
                    await database.interrupt()
                    raise
        except aiosqlite.Error as error:
            raise Problem("search_unavailable", f"{self._catalogue.name}: {error}") from None

    async def _from_log(self, passage: str) -> PassageRow:
        try:
            seq_of(passage)
            record = await self._log.by_id(passage.lower())
        except ValueError:
            record = None
        decided = _event(record)
        if record is None or not isinstance(decided, PassageDecided):
            raise Problem("unknown_passage", f"there is no passage {passage[:64]!r}")
        signed = None
        for later in await self._log.read(record.seq, types=("PassageSigned",), limit=PAGE):
            event = _event(later)
            if isinstance(event, PassageSigned) and event.passage == record.id:
                signed = (later.seq, event)
                break
        return row_of(record, decided, signed)

    async def _before(self, record: Link, decided: PassageDecided) -> tuple[list[Link], bool]:
        """The captures and readings that took part, and whether all were found."""
        captures = {vote.capture for vote in decided.votes} | {decided.capture}
        voted = {(vote.capture, vote.exposure, vote.text) for vote in decided.votes}
        missing = set(captures)
        found: list[Link] = []
        edge: int | None = record.seq
        for _ in range(MAX_PAGES):
            page = await self._log.read_back(edge, types=BEFORE, limit=PAGE)
            for older in page:
                event = _event(older)
                if isinstance(event, CaptureTaken) and event.source == decided.source:
                    if event.capture in captures:
                        found.append(older)
                        missing.discard(event.capture)
                    elif event.at < decided.first_at - SLACK_US:
                        return found[::-1], not missing
                elif isinstance(event, PlateRead):
                    key = (event.capture, event.exposure, event.reading.text)
                    if key in voted:
                        found.append(older)
            if not missing or len(page) < PAGE:
                break
            edge = page[-1].seq
        return found[::-1], not missing

    async def _after(self, record: Link, row: PassageRow, deliveries: Sequence[DeliveryRow]) -> tuple[list[Link], bool]:
        """What followed: the signature and every attempt of a delivery, and whether the log was read to its head."""
        found: dict[int, Link] = {}
        known = [row.signed_seq] if row.signed_seq is not None else []
        known += [one.seq for one in deliveries]
        for seq in known:
            later = await self._log.get(seq)
            if later is not None:
                found[seq] = later
        after = record.seq
        complete = False
        for _ in range(MAX_PAGES):
            page = await self._log.read(after, types=AFTER, limit=PAGE)
            found |= {later.seq: later for later in page if _passage_of(later) == row.id}
            if len(page) < PAGE:
                complete = True
                break
            after = page[-1].seq
        return [found[seq] for seq in sorted(found)], complete


def _event(record: Link | None) -> object:
    """The event, None for one that this release can't read."""
    try:
        return None if record is None else record.event
    except RecordError:
        return None


def _passage_of(record: Link) -> str | None:
    event = _event(record)
    if isinstance(event, PassageSigned | Delivered | DeliveryFailed | DeliveryParked | DeliveryRequested):
        return event.passage
    return None


def _query(query: Filter, limit: int) -> PassageQuery:
    return PassageQuery(
        plate=query.plate,
        since=None if query.since is None else micros(query.since),
        until=None if query.until is None else micros(query.until),
        min_confidence=query.min_confidence,
        lane=query.lane,
        source=query.camera,
        country=query.country,
        vehicle=query.vehicle,
        vehicle_colour=query.vehicle_colour,
        category=query.category,
        plated=None if query.plated is None else query.plated == "true",
        oldest_first=query.order == "oldest",
        limit=limit,
    )


def _checked(query: PassageQuery, *, counting: bool) -> tuple[str, search.Parameters]:
    try:
        return search.count_sql(query) if counting else search.search_sql(query)
    except search.SearchError as error:
        raise Problem("bad_parameter", str(error)) from None


def row_of(record: Link, decided: PassageDecided, signed: tuple[int, PassageSigned] | None) -> PassageRow:
    """The catalogue's row of a passage, made from its records."""
    same = {
        name: getattr(decided, name)
        for name in PassageRow.__struct_fields__
        if name in PassageDecided.__struct_fields__
    }
    own: dict[str, object] = {
        **same,
        "seq": record.seq,
        "id": record.id,
        "decided": record.wall,
        "picture": decided.picture.blob,
        "picture_width": decided.picture.width,
        "picture_height": decided.picture.height,
        "signed_seq": None if signed is None else signed[0],
        "signed_picture": None if signed is None else signed[1].picture.blob,
        "plate_picture": None if signed is None else signed[1].plate_picture.blob,
    }
    return msgspec.convert(own, PassageRow)


def document(row: PassageRow) -> PassageDocument:
    """A row as the API gives it out."""
    base = f"/api/v1/passages/{row.id}"
    return PassageDocument(
        id=row.id,
        seq=row.seq,
        plate=row.plate,
        confidence=row.confidence,
        characters=row.characters,
        country=row.country,
        layout=row.layout,
        camera=row.source,
        lane=row.lane,
        direction=row.direction,
        at=instant(row.at),
        first_at=instant(row.first_at),
        last_at=instant(row.last_at),
        reads=row.reads,
        plate_colour=row.plate_colour,
        vehicle=row.vehicle,
        vehicle_colour=row.vehicle_colour,
        make=row.make,
        model=row.model,
        plate_category=row.plate_category,
        plated=row.plated,
        speed_kmh=row.speed_kmh,
        box=row.box,
        corners=row.corners,
        width=row.picture_width,
        height=row.picture_height,
        signed=row.signed_picture is not None,
        picture=PictureLink(url=f"{base}/picture", sha256=row.signed_picture or row.picture),
        plate_picture=PictureLink(url=f"{base}/plate-picture", sha256=row.plate_picture) if row.plate_picture else None,
    )


def delivery(row: DeliveryRow) -> DeliveryDocument:
    """A delivery as the API gives it out."""
    return DeliveryDocument(sink=row.sink, state=row.state, attempt=row.attempt, at=instant(row.at), detail=row.detail)


def event_document(record: Link) -> EventDocument:
    """A record as the API gives it out."""
    return EventDocument(
        seq=record.seq,
        id=record.id,
        type=record.type,
        version=record.version,
        actor=record.actor,
        cause=record.cause,
        at=instant(record.wall),
        body=msgspec.Raw(record.body),
    )


def documents(rows: Iterable[PassageRow]) -> tuple[PassageDocument, ...]:
    """Several rows."""
    return tuple(document(row) for row in rows)

"""Passages: search, one with its why, pictures, CSV, send again. May import ``lpr.core``, ``lpr.events``, this room."""

from __future__ import annotations

import csv
import io

from aiohttp import web

from lpr.core.search import PassageRow
from lpr.events import DeliveryRequested
from lpr.web.models import (
    Accepted,
    Count,
    Filter,
    PageQuery,
    PassageDetail,
    PassagePage,
    Redelivery,
    instant,
)
from lpr.web.passages import documents
from lpr.web.problems import Problem
from lpr.web.routes import Call, Nothing, Route, answer

ID = {"id": "the passage's id"}
CSV_COLUMNS = (
    "id",
    "plate",
    "confidence",
    "characters",
    "country",
    "layout",
    "camera",
    "lane",
    "direction",
    "at",
    "first_at",
    "last_at",
    "reads",
    "plate_colour",
    "vehicle",
    "vehicle_colour",
    "speed_kmh",
    "make",
    "model",
    "plate_category",
    "picture_sha256",
)


async def search(call: Call[PageQuery, Nothing]) -> web.Response:
    """``GET /passages``."""
    rows, following = await call.services.passages.page(call.query)
    return answer(PassagePage(items=documents(rows), next=following))


async def count(call: Call[Filter, Nothing]) -> web.Response:
    """``GET /passages/count``."""
    return answer(Count(count=await call.services.passages.count(call.query)))


async def detail(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /passages/{id}``."""
    return answer(await call.services.passages.detail(call.path("id")))


async def picture(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /passages/{id}/picture``: the signed one, or the plain one until it is signed."""
    row = await call.services.passages.row(call.path("id"))
    return await _picture(call, row, row.signed_picture or row.picture, "")


async def plate_picture(call: Call[Nothing, Nothing]) -> web.Response:
    """``GET /passages/{id}/plate-picture``."""
    row = await call.services.passages.row(call.path("id"))
    if row.plate_picture is None:
        raise Problem("picture_not_ready")
    return await _picture(call, row, row.plate_picture, "_plate")


async def _picture(call: Call[Nothing, Nothing], row: PassageRow, blob: str, suffix: str) -> web.Response:
    name = f"{instant(row.at):%Y%m%d_%H%M%S}_{row.plate or 'unread'}{suffix}.jpg"
    headers = {
        "ETag": f'"{blob}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    if any(tag.value in (blob, "*") for tag in call.request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    data = await call.services.passages.picture(blob)
    return web.Response(body=data, content_type="image/jpeg", headers=headers)


def csv_row(row: PassageRow) -> list[object]:
    """A row of the CSV file, in the order of ``CSV_COLUMNS``; ``characters``: percent of each, blanks between."""
    return [
        row.id,
        row.plate,
        f"{row.confidence:.4f}",
        " ".join(str(round(one.confidence * 100)) for one in row.characters),
        row.country or "",
        row.layout or "",
        _harmless(row.source),
        _harmless(row.lane),
        row.direction,
        instant(row.at).isoformat(),
        instant(row.first_at).isoformat(),
        instant(row.last_at).isoformat(),
        row.reads,
        row.plate_colour or "",
        row.vehicle or "",
        row.vehicle_colour or "",
        "" if row.speed_kmh is None else f"{row.speed_kmh:.1f}",
        _harmless(row.make or ""),
        _harmless(row.model or ""),
        row.plate_category or "",
        row.signed_picture or row.picture,
    ]


def _harmless(text: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


async def export(call: Call[Filter, Nothing]) -> web.StreamResponse:
    """``GET /passages.csv``: everything a search finds, as it is read."""
    pages = call.services.passages.all(call.query)
    first = await anext(pages)  # before the headers go out, so that a bad search is a problem document
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8; header=present",
            "Content-Disposition": 'attachment; filename="passages.csv"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(call.request)
    await response.write(_lines([list(CSV_COLUMNS), *map(csv_row, first)]))
    async for rows in pages:
        await response.write(_lines([csv_row(row) for row in rows]))
    await response.write_eof()
    return response


def _lines(rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def redeliver(call: Call[Nothing, Redelivery]) -> web.Response:
    """``POST /passages/{id}/deliveries``."""
    return answer(Accepted(seq=await request_delivery(call, call.path("id"), call.body.sink)), 202)


async def request_delivery(call: Call[Nothing, Redelivery], passage: str, sink: str) -> int:
    """Ask for a passage to be sent again; returns the record's sequence number. Raises Problem."""
    context = call.services.context
    row = await call.services.passages.row(passage)
    sinks = {push.name for push in context.config.push} | {one.name for one in (await context.status()).sinks}
    if sink not in sinks:
        raise Problem(
            "unknown_sink", f"there is no sink {sink[:32]!r}; there are: {', '.join(sorted(sinks)) or 'none'}"
        )
    if row.signed_seq is None:
        raise Problem("picture_not_ready")
    wanted = DeliveryRequested(sink=sink, passage=row.id, record=row.signed_seq, by=call.who.name)
    (record,) = await context.log.append((wanted,), actor="web", cause=row.signed_seq)
    return record.seq


ROUTES = (
    Route(
        "GET",
        "/api/v1/passages",
        search,
        "Search passages, page by page",
        query=PageQuery,
        answer=PassagePage,
        problems=("bad_cursor", "search_unavailable"),
    ),
    Route(
        "GET",
        "/api/v1/passages/count",
        count,
        "How many passages a search finds",
        query=Filter,
        answer=Count,
        problems=("search_unavailable",),
    ),
    Route(
        "GET",
        "/api/v1/passages.csv",
        export,
        "Everything a search finds, as CSV",
        query=Filter,
        media="text/csv",
        problems=("search_unavailable",),
        stream=True,
    ),
    Route(
        "GET",
        "/api/v1/passages/{id}",
        detail,
        "One passage with the events that led to it and followed from it",
        answer=PassageDetail,
        problems=("unknown_passage",),
        variables=ID,
    ),
    Route(
        "GET",
        "/api/v1/passages/{id}/picture",
        picture,
        "The picture of a passage, signed",
        media="image/jpeg",
        problems=("unknown_passage", "picture_missing"),
        audit="once",
        variables=ID,
    ),
    Route(
        "GET",
        "/api/v1/passages/{id}/plate-picture",
        plate_picture,
        "The plate alone, straightened",
        media="image/jpeg",
        problems=("unknown_passage", "picture_missing", "picture_not_ready"),
        audit="sum",
        variables=ID,
    ),
    Route(
        "POST",
        "/api/v1/passages/{id}/deliveries",
        redeliver,
        "Send a passage to a sink again",
        body=Redelivery,
        answer=Accepted,
        status=202,
        problems=("unknown_passage", "unknown_sink", "picture_not_ready"),
        variables=ID,
    ),
)
"""The calls of this file."""

"""The event log: pages, and a live tail as Server-Sent Events. May import ``lpr.core``, ``lpr.events``, this room.

The tail reads the log itself with a cursor of its own, so a client costs no memory while it lags, and one that takes
nothing is cut off by ``guard``.
"""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from lpr.core.record import Link
from lpr.events import EVENTS
from lpr.web.models import EventPage, EventQuery, StreamQuery
from lpr.web.passages import event_document
from lpr.web.problems import Problem
from lpr.web.routes import Call, Nothing, Route, answer
from lpr.web.users import User

HEARTBEAT = 15.0
"""Seconds of silence after which the tail says where it is."""
PAGE = 200
NAMES = tuple(event.__name__ for event in EVENTS)
AUDIT = frozenset(
    {
        "UserAdded",
        "UserChanged",
        "UserRemoved",
        "PasswordSet",
        "LoggedIn",
        "LoginFailed",
        "ApiCalled",
        "FileTransferred",
        "AbuseSeen",
    }
)
"""Who did what: for administrators only."""


def wanted(text: str, user: User) -> tuple[str, ...] | None:
    """The types a call gets; None: all there are, also those this release doesn't know. Raises Problem."""
    administrator = user.role == "administrator"
    if not text:
        return None if administrator else tuple(name for name in NAMES if name not in AUDIT)
    types = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in types:
        if name not in NAMES:
            raise Problem("bad_parameter", f"types: {name[:40]!r} is no event type; see schemas/events")
        if name in AUDIT and not administrator:
            raise Problem("not_allowed", f"{name} belongs to the audit trail, which administrators may read")
    return types


async def page(call: Call[EventQuery, Nothing]) -> web.Response:
    """``GET /events``."""
    log = call.services.context.log
    head = log.head
    records = await log.read(
        call.query.after, types=wanted(call.query.types, call.who), limit=call.query.limit, upto=head
    )
    following = records[-1].seq if len(records) == call.query.limit else max(head, call.query.after)
    return answer(EventPage(items=tuple(map(event_document, records)), next=following, head=head))


def message(record: Link) -> bytes:
    """One record as a message of the stream (WHATWG HTML, Server-sent events)."""
    body = msgspec.json.encode(event_document(record))
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (record.seq, record.type.encode(), body)


def resume_at(call: Call[StreamQuery, Nothing], head: int) -> int:
    """Where the stream begins: Last-Event-ID, else ``after``, else the head. Raises Problem."""
    last = call.request.headers.get("Last-Event-ID", "")
    if not last:
        return head if call.query.after is None else call.query.after
    if not (last.isascii() and last.isdigit() and len(last) <= 16):
        raise Problem("bad_parameter", f"Last-Event-ID: {last[:40]!r} is no sequence number")
    return int(last)


async def stream(call: Call[StreamQuery, Nothing]) -> web.StreamResponse:
    """``GET /events/stream``."""
    log, session = call.services.context.log, call.session
    if session is None:
        raise Problem("not_logged_in")
    types = wanted(call.query.types, call.who)
    after = resume_at(call, log.head)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    with call.services.streams.enter(session):
        await response.prepare(call.request)
        await response.write(b"retry: 3000\nid: %d\n\n" % after)
        while call.services.sessions.alive(session, call.services.context.clock.mono()):
            try:
                async with asyncio.timeout(HEARTBEAT):
                    head = await log.wait(after)
            except TimeoutError:
                await response.write(b": still here\nid: %d\n\n" % after)
                continue
            records = await log.read(after, types=types, limit=PAGE, upto=head)
            if records:
                await response.write(b"".join(map(message, records)))
            after = records[-1].seq if len(records) == PAGE else head
    return response


ROUTES = (
    Route(
        "GET",
        "/api/v1/events",
        page,
        "Events of the log in order, page by page",
        query=EventQuery,
        answer=EventPage,
        tag="events",
    ),
    Route(
        "GET",
        "/api/v1/events/stream",
        stream,
        "Events as they come (Server-Sent Events; the id is the sequence number)",
        query=StreamQuery,
        media="text/event-stream",
        problems=("too_many_streams",),
        stream=True,
        tag="events",
    ),
)
"""The calls of this file."""

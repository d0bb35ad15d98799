"""The pages of passages: search, one with its chain of events, and the card that the live page asks for.

May import this room, ``lpr.core``, ``lpr.plates``, ``lpr.events``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from lpr.core.errors import RecordError
from lpr.core.record import CODEC
from lpr.events import (
    CaptureTaken,
    Character,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    Event,
    PassageDecided,
    PassageSigned,
    PlateRead,
)
from lpr.plates.formats import FORMATS
from lpr.web.api_passages import request_delivery
from lpr.web.models import EventDocument, PageQuery, Redelivery
from lpr.web.passages import document, documents
from lpr.web.problems import Problem
from lpr.web.reasons import reason_text
from lpr.web.render import shown_body, zone_of
from lpr.web.routes import Call, Nothing, decode_query
from lpr.web.texts import Texts
from lpr.web.views import View, page, see_other

PAGE = 25
CONFIDENCES = ("0.5", "0.7", "0.8", "0.9", "0.95", "0.99")
FIELDS = ("plate", "from", "to", "min_confidence", "camera", "lane", "country", "order")


def mount(app: web.Application) -> None:
    """Add the pages."""
    app.router.add_get("/passages", page(search))
    app.router.add_get("/passages/{id}", page(detail))
    app.router.add_post("/passages/{id}/deliveries", page(again))
    app.router.add_get("/fragments/passages/{id}", page(card, audit="sum", path="/fragments/passages/{id}"))


@cache
def countries() -> tuple[str, ...]:
    """The countries whose formats are known."""
    return tuple(sorted({one.country for one in FORMATS}))


def aware(text: str, view: View) -> str:
    """The form's local time ("2026-03-01T14:03") with the device's offset; anything else as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone_of(view.services.context.config.sign.utc_offset))
    return at.isoformat()


def said(problem: Problem, view: View) -> str:
    """What is wrong with a search, in the reader's language and by the label of the field."""
    name = problem.detail.partition(":")[0]
    if problem.code == "bad_parameter" and name in FIELDS:
        label = {"min_confidence": "confidence"}.get(name, name)
        return view.texts("search.bad", field=view.texts(f"search.{label}"))
    return view.sentence(problem)


async def search(view: View) -> web.Response:
    """The search form with its results. What is wrong with the form is said above it."""
    given = {name: view.request.query.get(name, "").strip() for name in FIELDS}
    asked = {**given, "from": aware(given["from"], view), "to": aware(given["to"], view)}
    cursor = view.request.query.get("cursor", "")
    problem, rows, following, count = "", [], None, None
    try:
        query = msgspec.structs.replace(decode_values(view, asked, cursor), limit=PAGE)
        rows, following = await view.services.passages.page(query)
        count = await view.services.passages.count(query)
    except Problem as error:
        problem = said(error, view)
    kept = {name: value for name, value in given.items() if value}
    context = view.services.context
    return view.html(
        "passages.html",
        here="passages",
        form=given,
        problem=problem,
        passages=documents(rows),
        count=count,
        cameras=[camera.name for camera in context.config.cameras],
        lanes=sorted({camera.lane for camera in context.config.cameras if camera.lane}),
        countries=countries(),
        confidences=CONFIDENCES,
        first=f"/passages?{urlencode(kept)}" if cursor else "",
        following=f"/passages?{urlencode({**kept, 'cursor': following})}" if following else "",
        csv=f"/api/v1/passages.csv?{urlencode({name: value for name, value in asked.items() if value})}",
    )


def decode_values(view: View, asked: Mapping[str, str], cursor: str) -> PageQuery:
    """The form as the API's query. Raises Problem."""
    query = {**{name: value for name, value in asked.items() if value}, **({"cursor": cursor} if cursor else {})}
    return decode_query(view.request.clone(rel_url=view.request.rel_url.with_query(query)), PageQuery)


async def card(view: View) -> web.Response:
    """One card, for the live page."""
    return view.html("card.html", passage=document(await view.services.passages.row(view.request.match_info["id"])))


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the chain as it is shown."""

    kind: str
    seq: int
    cause: int
    actor: str
    at: datetime
    title: str
    body: str
    note: str = ""
    confidence: float | None = None
    characters: tuple[Character, ...] = ()


async def detail(view: View) -> web.Response:
    """One passage."""
    passage = view.request.match_info["id"]
    found = await view.services.passages.detail(passage)
    context = view.services.context
    sinks = {push.name for push in context.config.push} | {one.name for one in (await context.status()).sinks}
    asked = view.request.query.get("asked", "")
    return view.html(
        "passage.html",
        here="passages",
        passage=found.passage,
        votes=found.votes,
        deliveries=found.deliveries,
        sinks=sorted(sinks - {one.sink for one in found.deliveries}),
        steps=[step(event, view.texts) for event in found.events],
        complete=found.complete,
        notice=view.texts("detail.asked", sink=asked[:32]) if asked in sinks else "",
    )


async def again(view: View) -> web.Response:
    """Send the passage to a sink again."""
    user, session = view.who
    passage, sink = view.request.match_info["id"], view.form.get("sink", "")[:32]
    call = Call(view.request, view.services, Nothing(), Redelivery(sink=sink or "-"), user, session)
    await request_delivery(call, passage, call.body.sink)
    return see_other(f"/passages/{passage}?{urlencode({'asked': sink})}")


def step(document: EventDocument, texts: Texts) -> Step:
    """An event as a sentence, with the figure behind it."""
    plain = Step(
        kind=document.type,
        seq=document.seq,
        cause=document.cause,
        actor=document.actor,
        at=document.at,
        title=document.type,
        body=shown_body(document.body),
    )
    try:
        event = CODEC.decode(document.type, document.version, bytes(document.body))
    except RecordError:
        return plain
    unread = texts("passage.unread")
    title, note = _words(event, texts, unread)
    said = replace(plain, title=title or document.type, note=note)
    match event:
        case PlateRead(reading=reading):
            return replace(said, confidence=reading.confidence, characters=reading.characters)
        case PassageDecided(confidence=confidence, characters=characters):
            return replace(said, confidence=confidence, characters=characters)
        case _:
            return said


def _words(event: Event, texts: Texts, unread: str) -> tuple[str, str]:
    """(title, note) of an event."""
    match event:
        case CaptureTaken():
            trigger = texts.get(f"trigger.{event.trigger}", event.trigger)
            return texts("event.CaptureTaken", trigger=trigger), reason_text(event.reason, texts)
        case PlateRead():
            note = f"{event.engine} · {event.elapsed_ms:.0f} ms"
            return texts("event.PlateRead", plate=event.reading.text or unread), note
        case PassageDecided():
            plate = event.plate or unread
            if event.reads == 1:
                return texts("event.PassageDecidedOne", plate=plate), ""
            return texts("event.PassageDecided", plate=plate, reads=event.reads), ""
        case PassageSigned():
            note = f"{texts('passage.signed')} {event.picture.blob[:16]}…" + (
                f" · {event.key[:16]}…" if event.key else ""
            )
            return texts("event.PassageSigned" if event.key else "event.PassageUnsigned"), note
        case Delivered():
            return texts("event.Delivered", sink=event.sink, attempt=event.attempt), event.answer
        case DeliveryFailed():
            return texts("event.DeliveryFailed", sink=event.sink, attempt=event.attempt), event.reason
        case DeliveryParked():
            return texts("event.DeliveryParked", sink=event.sink, attempt=event.attempt), event.reason
        case DeliveryRequested():
            return texts("event.DeliveryRequested", sink=event.sink, by=event.by), ""
        case _:
            return "", ""

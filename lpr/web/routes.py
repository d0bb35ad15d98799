"""How a call is described, and checked before its handler sees it. The router and the OpenAPI document both come
from the same ``Route`` objects, so they can't differ.

May import ``lpr.core``, ``lpr.events`` and this room.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec
from aiohttp import web

from lpr.http.audit import Audit
from lpr.web.problems import Problem
from lpr.web.services import Services
from lpr.web.sessions import Session
from lpr.web.users import User

Access = Literal["open", "any", "user", "administrator"]
"""open: nobody need be logged in; any: also with a temporary password."""

Q = TypeVar("Q")
B = TypeVar("B")
S = TypeVar("S", bound=msgspec.Struct)

_SPACE_OFFSET = re.compile(r" (\d\d:\d\d)$")
MAX_QUERY_TEXT = 2048


@dataclass(frozen=True, slots=True)
class Nothing:
    """The type of an absent query or body."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """A checked call. ``user``, ``session``: None only where the access is "open"."""

    request: web.Request
    services: Services
    query: Q
    body: B
    user: User | None
    session: Session | None

    @property
    def who(self) -> User:
        """The logged-in user."""
        if self.user is None:
            raise Problem("not_logged_in")
        return self.user

    def path(self, name: str) -> str:
        """A variable of the path."""
        return self.request.match_info[name]


Handler = Callable[[Call[Any, Any]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API. ``query``, ``body``, ``answer``: structs, or None; ``media``: of an answer that is no JSON.

    ``problems``: the codes it may answer besides the general ones. ``stream``: no time limit for the answer.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    summary: str
    access: Access = "user"
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    media: str = "application/json"
    status: int = 200
    problems: tuple[str, ...] = ()
    audit: Audit = "each"
    stream: bool = False
    tag: str = "passages"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])


ROUTE = web.AppKey("route", Route)


def answer(document: msgspec.Struct, status: int = 200) -> web.Response:
    """A JSON answer that nobody may keep."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def decode_query(request: web.Request, kind: type[S]) -> S:
    """The query as ``kind``. Empty values count as not given. Raises Problem."""
    if len(request.query_string) > MAX_QUERY_TEXT:
        raise Problem(
            "bad_parameter", f"the query has {len(request.query_string)} characters, {MAX_QUERY_TEXT} allowed"
        )
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise Problem("bad_parameter", f"{name[:40]}: given twice")
        if value:
            values[name] = _SPACE_OFFSET.sub(r"+\1", value)
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("bad_parameter", explain(error)) from None


async def decode_body(request: web.Request, kind: type[S]) -> S:
    """The JSON body as ``kind``. Raises Problem."""
    if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("unsupported_media", f"the Content-Type is {request.content_type[:80]}")
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("bad_json", explain(error)) from None


def explain(error: Exception) -> str:
    """msgspec's message with the place first: "limit: Expected `int` >= 1"."""
    text = str(error)
    message, _, place = text.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    return f"{place}: {message}"[:300] if place else message[:300]

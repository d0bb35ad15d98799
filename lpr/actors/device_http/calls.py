"""What a part of the device's HTTP server is: routes, each with a handler and with who may call it.

May import aiohttp, ``lpr.core`` and this room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from aiohttp import web

from lpr.actors.device_http.entrance import Caller, Entrance
from lpr.http.audit import Audit

Access: TypeAlias = Literal["open", "own", "user", "operator", "administrator"]
"""open: anybody; own: the handler looks after it (ONVIF's UsernameToken), with ``identify`` for HTTP's ways; else the
least level."""


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """``http``: aiohttp's request; ``caller``: who it is, None where the access is "open" or "own".

    ``base``: "http://host:port", how the caller reaches this server: for addresses in answers, without a slash at the
    end. ``entrance``: for handlers that look after their callers; they say ``known()`` of a caller who has logged in,
    so that his connection keeps its place.
    """

    http: web.Request
    caller: Caller | None
    base: str
    entrance: Entrance
    known: Callable[[], None]

    @property
    def remote(self) -> str:
        """The caller's address."""
        return self.http.remote or ""

    async def identify(self) -> Caller | None:
        """Who the request's Authorization field shows, by HTTP Digest or Basic; None without one.

        Raises Refusal (answer it as it is) for a wrong one.
        """
        return await self.entrance.identify(self.http)


Handler: TypeAlias = Callable[[DeviceRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class DeviceRoute:
    """One address. ``method``: "*" for all; ``path``: as aiohttp writes it ("/LPR/{name}"); ``stream``: no time limit
    for the answer. ``audit``: how calls enter the audit trail (``lpr.http.audit``). ``max_body``: bytes, none: the
    server's."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "*"]
    path: str
    handler: Handler
    access: Access = "user"
    stream: bool = False
    audit: Audit = "once"
    max_body: int | None = None


class Part(Protocol):
    """A protocol's share of the server."""

    def routes(self) -> Sequence[DeviceRoute]:
        """Its addresses; asked once."""
        ...

    async def run(self) -> None:
        """What it does beside answering, until cancelled; may return at once."""
        ...

"""Connections under control: how many, how slow, how broken. One subclass of aiohttp's protocol does it all.

What bounds whom:

* headers: aiohttp closes a connection that has not sent a whole request ``keepalive_timeout`` after it was opened
  or after its last answer, however slowly its bytes trickle in; line, field and header counts are settings below;
* bodies: ``max_body`` (413) and the time limit round every handler (408), in ``app``;
* readers: a connection that takes nothing for ``send_timeout`` while bytes wait for it is cut off, streams too;
* numbers: beyond ``max_clients`` the oldest connection *without a log-in* makes room (of the address with most of
  them); if all are logged in, the new one is closed. So a crowd of strangers never displaces a user.

May import aiohttp only.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

Note = Callable[[str, str], None]
"""(kind of offence, remote address)."""

Malformed = Callable[[str], web.Response]
"""The answer (400) to what is no HTTP; given is what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of the HTTP side. Seconds and bytes."""

    max_clients: int = 256
    header_timeout: float = 15.0
    send_timeout: float = 20.0
    max_line: int = 8190
    max_field: int = 8190
    max_headers: int = 64
    read_buffer: int = 65536
    linger: float = 2.0


class Guard:
    """The connections of one server. ``protocol`` makes the factory for ``loop.create_server``."""

    def __init__(self, bounds: Bounds, note: Note, malformed: Malformed) -> None:
        self.bounds = bounds
        self.note = note
        self.malformed = malformed
        self._open: dict[GuardedHandler, bool] = {}
        """connection -> it has logged in; in the order of arrival"""

    def __len__(self) -> int:
        return len(self._open)

    def protocol(self, server: web.Server) -> Callable[[], GuardedHandler]:
        """What makes a connection's protocol. ``server``: of the application's runner."""
        loop = asyncio.get_running_loop()
        return lambda: GuardedHandler(self, server, loop)

    def admit(self, handler: GuardedHandler) -> bool:
        """Take the connection in, at the cost of an older stranger if need be."""
        if len(self._open) >= self.bounds.max_clients:
            self.note("too many clients", handler.address)
            strangers = [other for other, known in self._open.items() if not known]
            if not strangers:
                return False
            crowd = Counter(other.address for other in strangers)
            worst = max(crowd.values())
            victim = next(other for other in strangers if crowd[other.address] == worst)
            self.forget(victim)
            victim.abort()
        self._open[handler] = False
        return True

    def knows(self, protocol: object) -> None:
        """The connection's request came with a valid session."""
        if protocol in self._open:
            self._open[cast(GuardedHandler, protocol)] = True

    def forget(self, handler: GuardedHandler) -> None:
        """The connection is gone."""
        self._open.pop(handler, None)


class GuardedHandler(web.RequestHandler):
    """aiohttp's connection with an admission, a limit on unread output and a tally of malformed requests."""

    def __init__(self, guard: Guard, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        bounds = guard.bounds
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=bounds.header_timeout,
            access_log=cast(Any, None),
            max_line_size=bounds.max_line,
            max_field_size=bounds.max_field,
            max_headers=bounds.max_headers,
            lingering_time=bounds.linger,
            read_bufsize=bounds.read_buffer,
            auto_decompress=False,
        )
        self._guard = guard
        self._running = loop
        self._wire: asyncio.Transport | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        peer = wire.get_extra_info("peername")
        self.address = str(cast(tuple[Any, ...], peer)[0]) if isinstance(peer, tuple) and peer else "local"
        self._wire = wire
        super().connection_made(transport)
        if not self._guard.admit(self):
            wire.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._guard.forget(self)
        self._moving()
        self._wire = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._moving()
        self._stalled = self._running.call_later(self._guard.bounds.send_timeout, self._too_slow)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._moving()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What never reached a handler: malformed requests (400), and errors of aiohttp itself."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        self._guard.note("malformed request", self.address)
        response = self._guard.malformed((message or "")[:200].replace("\n", " ").strip())
        response.force_close()
        return response

    def abort(self) -> None:
        """Close at once; what waits to be sent is dropped."""
        if self._wire is not None:
            self._wire.abort()

    def _too_slow(self) -> None:
        self._guard.note("slow reader", self.address)
        self.abort()

    def _moving(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

"""What the handlers work with: the given context and the room's own helpers, made once for a server.

May import ``lpr.core``, ``lpr.media`` and this room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from lpr.http.audit import AuditTrail
from lpr.http.guard import Guard
from lpr.http.limits import Throttle
from lpr.media.live import LiveRoom
from lpr.web.context import WebContext
from lpr.web.passages import Passages
from lpr.web.problems import Problem
from lpr.web.sessions import Session, Sessions


class Streams:
    """The open live views and event streams: counted, and ended with their session or the server."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: dict[asyncio.Task[Any], Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def enter(self, session: Session) -> Generator[None]:
        """The current task is a stream as long as this is open. Raises Problem when there are too many."""
        task = asyncio.current_task()
        if task is None or len(self._open) >= self.limit:
            raise Problem("too_many_streams", f"{self.limit} streams are open", headers={"Retry-After": "10"})
        self._open[task] = session
        try:
            yield
        finally:
            del self._open[task]

    def end(self, *, everything: bool = False) -> None:
        """Cancel the streams whose session has ended, or all."""
        for task, session in list(self._open.items()):
            if everything or session.ended:
                task.cancel()


@dataclass(frozen=True)
class Services:
    """``by_address``, ``by_user``: failed log-ins; ``proven``: (user, address) that logged in before."""

    context: WebContext
    sessions: Sessions
    audit: AuditTrail
    passages: Passages
    live: LiveRoom
    by_address: Throttle
    by_user: Throttle
    streams: Streams
    guard: Guard
    proven: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])

    def log_out(self, session: Session) -> None:
        """End one session and its streams."""
        self.sessions.close(session)
        self.streams.end()

    def log_out_user(self, user: str, *, but: Session | None = None) -> None:
        """End a user's sessions and their streams, except ``but``."""
        self.sessions.close_user(user, but=but)
        self.streams.end()


def make_services(context: WebContext) -> Services:
    """The services of one server. Half of the connections may be streams, so that pages stay reachable."""
    config = context.config.web
    audit = AuditTrail(context.log, context.clock, "web")
    bounds = replace(context.bounds, max_clients=config.max_clients)
    return Services(
        context=context,
        sessions=Sessions(round(config.session_hours * 3600e6)),
        audit=audit,
        passages=Passages(context.log, context.blobs, context.catalogue),
        live=LiveRoom(context.views, context.clock, width=config.live_width, rate=config.live_rate),
        by_address=Throttle(config.login_attempts, 60.0),
        by_user=Throttle(config.login_attempts * 3, 60.0),
        streams=Streams(max(1, config.max_clients // 2)),
        guard=Guard(bounds, audit.abuse, lambda wrong: Problem("malformed_request", wrong).response()),
    )


SERVICES = web.AppKey("services", Services)

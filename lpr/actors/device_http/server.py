"""The HTTP server that machines call as if this were a camera: binds, bounds, asks who calls, keeps the audit trail.

What is answered is the parts' business. Whatever goes wrong becomes a short answer, never a traceback; a call that
takes longer than ``request_timeout`` is ended (streams aside). asyncio only.
May import aiohttp, ``lpr.config``, ``lpr.core``, ``lpr.events``, ``lpr.http`` and this room.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import anyio
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from lpr.actors.device_http.calls import DeviceRequest, DeviceRoute, Part
from lpr.actors.device_http.entrance import Caller, Entrance, Refusal, plain
from lpr.config import DeviceHttp as Settings
from lpr.core.accounts import Accounts, Logins, allows
from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogDamagedError, LogUnavailable
from lpr.core.log import EventLog
from lpr.core.pipeline import Emit
from lpr.events import ServerListening
from lpr.http.audit import AuditFull, AuditTrail, clean_query
from lpr.http.guard import Bounds, Guard
from lpr.http.listening import Listening, listen

REALM = "lpr"
LOGGER = logging.getLogger("lpr.device_http")


class DeviceHttp:
    """``parts``: what is mounted. ``place``: where it listens, once ``listening`` is set."""

    name = "device_http"

    def __init__(
        self,
        settings: Settings,
        parts: Sequence[Part],
        *,
        accounts: Accounts,
        logins: Logins | None,
        log: EventLog,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._parts = tuple(parts)
        self._audit = AuditTrail(log, clock, self.name)
        self._entrance = Entrance(settings, REALM, accounts, logins, clock, self._audit)
        bounds = Bounds(
            max_clients=settings.max_clients,
            header_timeout=settings.header_timeout,
            send_timeout=settings.send_timeout,
        )
        self._guard = Guard(bounds, self._audit.abuse, lambda wrong: plain(400, f"this is no HTTP: {wrong}"))
        self.place: Listening | None = None
        self.listening = anyio.Event()

    async def run(self, emit: Emit) -> None:
        """Until cancelled. Raises PortTakenError and HttpServerError."""
        settings = self._settings
        app = self._application()
        auditing = asyncio.create_task(self._audit.run())
        try:
            async with listen(self.name, app, self._guard, settings.host, settings.port, settings.tls) as place:
                self.place = place
                await emit([ServerListening(server=self.name, address=place.address)])
                self.listening.set()
                async with anyio.create_task_group() as tasks:
                    for part in self._parts:
                        tasks.start_soon(part.run)
                    await anyio.sleep_forever()
        finally:
            self.place, self.listening = None, anyio.Event()
            auditing.cancel()
            with suppress(asyncio.CancelledError):
                await auditing
            with anyio.move_on_after(2.0, shield=True), suppress(LogClosedError):
                await self._audit.close()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._shell], client_max_size=self._settings.max_body)
        for part in self._parts:
            for route in part.routes():
                app.router.add_route(route.method, route.path, self._bind(route))
        app.on_response_prepare.append(_headers)
        return app

    def _bind(self, route: DeviceRoute) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._call(route, request)

        return handle

    async def _call(self, route: DeviceRoute, request: web.Request) -> web.StreamResponse:
        self._audit.check()
        if route.max_body is not None:
            request = request.clone(client_max_size=route.max_body)
        caller: Caller | None = None
        status = 500
        try:
            if route.access not in ("open", "own"):
                caller = await self._entrance.identify(request)
                if caller is None:
                    raise Refusal(self._entrance.challenge())
                if not allows(caller.level, route.access):
                    raise Refusal(plain(403, f"this needs the level {route.access}"))
                self._guard.knows(request.protocol)
            call = DeviceRequest(
                request, caller, self._base(request), self._entrance, partial(self._guard.knows, request.protocol)
            )
            limit = None if route.stream else self._settings.request_timeout
            try:
                async with asyncio.timeout(limit):
                    answer = await route.handler(call)
            except TimeoutError:
                self._audit.abuse("request timeout", request.remote or "")
                raise Refusal(plain(408, "the request took too long")) from None
            status = answer.status
            return answer
        except Refusal as refusal:
            status = refusal.response.status
            raise
        finally:
            if caller is not None or status < 400:
                await self._audit.called(
                    route.audit,
                    "" if caller is None else caller.name,
                    request.remote or "",
                    request.method,
                    request.path,
                    clean_query(request.query),
                    status,
                )

    def _base(self, request: web.Request) -> str:
        """How the caller reaches this server."""
        settings, place = self._settings, self.place
        scheme = "http" if settings.tls is None else "https"
        if settings.address is not None:
            port = place.port if place is not None else settings.port
            return f"{scheme}://{settings.address}:{port}"
        host = request.headers.get(hdrs.HOST, "")
        if not host or len(host) > 255 or not host.isascii() or any(char in host for char in "/\\@<>\"'&? "):
            host = place.address if place is not None else f"{settings.host}:{settings.port}"
        return f"{scheme}://{host}"

    @web.middleware
    async def _shell(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response
        except web.HTTPRequestEntityTooLarge:
            self._audit.abuse("body too large", request.remote or "")
            return plain(413, f"more than {self._settings.max_body} bytes", {"Connection": "close"})
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return plain(error.status, error.reason[:200])
        except (LogUnavailable, LogDamagedError, AuditFull) as error:
            return plain(503, str(error)[:200], {"Retry-After": "5"})
        except LogClosedError:
            return plain(503, "the service is stopping")
        except ConnectionError:
            return web.Response()  # the client has gone: aiohttp would report it with a traceback
        except asyncio.CancelledError:
            raise
        except Exception:
            LOGGER.exception("%s %s", request.method, request.path[:200])
            return plain(500, "the service made an error; it is in the service's output")


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer."""
    del request
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    if "Server" in response.headers:
        del response.headers["Server"]

"""Pumatronix's API as a part of the device's HTTP server: who may call what, and the answers.

Authentication is always on: a bearer token from ``POST /api/auth``, or HTTP Digest or Basic as the server allows it.
What there is stands in ``lpr.protocols.pumatronix.operations``; what is known and not done answers 501 with the reason,
every other address 404. Every call is in the audit trail under the name of who called.
May import aiohttp, ``lpr.config``, ``lpr.core``, ``lpr.protocols`` and this room.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import msgspec
from aiohttp import web

from lpr.actors.device_http.calls import DeviceRequest, DeviceRoute
from lpr.actors.device_http.entrance import Caller, Refusal
from lpr.actors.device_http.pumatronix.pictures import NoPicture, Pictures
from lpr.actors.device_http.pumatronix.row import Row
from lpr.actors.device_http.pumatronix.triggers import TooManyWaiting, Triggers
from lpr.config import Pumatronix as Settings
from lpr.core.accounts import Logins, LoginsBusy, allows
from lpr.core.clock import SECOND, Clock
from lpr.http.audit import clean_query
from lpr.protocols.pumatronix import cgi, documents, tokens
from lpr.protocols.pumatronix.operations import OPERATIONS, Operation

PREFIX = "/api"
MAX_LOGIN = 4096
"""Bytes of a log-in's body."""
REMEMBERED = 256
"""Users of whom the last log-in is remembered."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STREAMS = frozenset({"/mjpegvideo.cgi", "/trigger.cgi"})
"""Answers without a time limit; ``force=1`` has the shutter's."""
BEGUN = web.RequestKey("begun", bool)
"""The call is in the audit trail already: it has lasted since."""

Answer: TypeAlias = Callable[[DeviceRequest, Caller], Awaitable[web.StreamResponse]]


class PumatronixPart:
    """``shown``: what of the configuration its documents tell. ``triggers``: the camera's captures as they happen.
    ``logins``: for log-ins with name and password."""

    def __init__(
        self,
        settings: Settings,
        shown: documents.Settings,
        pictures: Pictures,
        triggers: Triggers,
        *,
        logins: Logins,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._shown = shown
        self._fields = documents.settings_fields(shown)
        self._pictures = pictures
        self._triggers = triggers
        self._row = Row(pictures, clock, form=settings.trigger_form, idle=settings.trigger_idle)
        self._logins = logins
        self._clock = clock
        self._secret = clock.random_bytes(32)
        self._since: OrderedDict[str, str] = OrderedDict()
        self._streams = 0
        self._answers: dict[tuple[str, str], Answer] = {
            ("GET", "/lastframe.cgi"): self._last_frame,
            ("GET", "/snapshot.cgi"): self._snapshot,
            ("GET", "/trigger.cgi"): self._trigger,
            ("GET", "/mjpegvideo.cgi"): self._stream,
            ("GET", "/equipment/misc/readonly/volatile"): self._volatile,
            ("GET", "/equipment/dateAndTime"): self._date_and_time,
            ("GET", "/equipment/ioPorts"): self._fixed([]),
            ("GET", "/image/profiles"): self._fixed(documents.profiles(shown)),
            ("GET", "/system/licenses"): self._fixed(documents.licenses(shown)),
            ("GET", "/system/firmware"): self._fixed(documents.firmware(shown)),
            **{("GET", path): self._fixed(documents.document(fields)) for path, fields in self._fields.items()},
            **{("PUT", path): partial(self._put, path) for path in self._fields},
        }

    def routes(self) -> Sequence[DeviceRoute]:
        """The log-in, every operation of the table, and a refusal for all other addresses below ``/api``."""
        operations = (one for one in OPERATIONS if one.path != "/auth")
        return (
            DeviceRoute("POST", PREFIX + "/auth", self._log_in, "own", audit="none", max_body=MAX_LOGIN),
            *(self._route(one) for one in operations),
            DeviceRoute("*", PREFIX + "/{tail:.*}", self._unknown, "own", audit="none"),
        )

    async def run(self) -> None:
        """Hands captures to those who wait for them, until cancelled."""
        await self._triggers.run()

    def _route(self, operation: Operation) -> DeviceRoute:
        answer = self._answers.get((operation.method, operation.path))
        if answer is None:
            answer = self._not_done(operation)
        handler = partial(self._guarded, operation, answer)
        stream = operation.path in STREAMS
        return DeviceRoute(operation.method, PREFIX + operation.path, handler, "own", stream=stream, audit="none")

    # --- who calls -------------------------------------------------------------------------------------

    async def _guarded(self, operation: Operation, answer: Answer, request: DeviceRequest) -> web.StreamResponse:
        caller = await self._caller(request)
        assert operation.level != "open"
        if not allows(caller.level, operation.level):
            raise Refusal(_problem(403, f"this needs the level {operation.level}"))
        status = 500
        try:
            response = await answer(request, caller)
            status = response.status
            return response
        finally:
            if BEGUN not in request.http:
                await self._told(request, caller.name, status)

    async def _begun(self, request: DeviceRequest, caller: Caller) -> None:
        """An answer without an end begins: it is in the audit trail while it lasts."""
        request.http[BEGUN] = True
        await self._told(request, caller.name, 200)

    async def _told(self, request: DeviceRequest, name: str, status: int) -> None:
        http = request.http
        change = http.method != "GET" or http.path.endswith("snapshot.cgi") or _forced(request)
        query = clean_query(http.query)
        await request.entrance.audit.called(
            "once", name, request.remote, http.method, http.path, query, status, change=change
        )

    async def _caller(self, request: DeviceRequest) -> Caller:
        """Who calls. Raises Refusal."""
        scheme, _, token = request.http.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            caller = self._bearer(request, token.strip())
        else:
            caller = await request.identify()
        if caller is None:
            raise Refusal(self._challenge(request))
        request.known()
        return caller

    def _bearer(self, request: DeviceRequest, token: str) -> Caller | None:
        """Who a token is of. A wrong one is no wrong password: it can't be guessed, a restart makes old ones."""
        now = self._clock.wall() // SECOND
        claims = tokens.check(self._secret, token)
        if claims is None:
            request.entrance.audit.abuse("wrong token", request.remote)
            return None
        return Caller(claims.sub, claims.level) if claims.iat <= now < claims.exp else None

    def _challenge(self, request: DeviceRequest) -> web.Response:
        response = request.entrance.challenge()
        response.headers.add("WWW-Authenticate", 'Bearer realm="lpr"')
        return response

    async def _log_in(self, request: DeviceRequest) -> web.StreamResponse:
        """``POST /api/auth``."""
        entrance, remote = request.entrance, request.remote
        entrance.admit(remote)
        login = documents.login_of(await request.http.read())
        if login is None:
            return _problem(400, 'the body is to be {"params": {"username": …, "password": …}}')
        try:
            level = await self._logins.check(login.username, login.password)
        except LoginsBusy:
            return _problem(503, "too many log-ins at once; try again")
        if level is None:
            entrance.wrong(login.username, remote)
            return _problem(401, "wrong name or password")
        entrance.right(remote)
        request.known()
        now = self._clock.wall() // SECOND
        claims = tokens.Claims(sub=login.username, level=level, iat=now, exp=now + round(self._settings.token_life))
        number = zlib.crc32(login.username.encode()) & 0x7FFFFFFF
        since = self._since.pop(login.username, None)
        self._since[login.username] = self._now()
        while len(self._since) > REMEMBERED:
            self._since.popitem(last=False)
        await self._told(request, login.username, 200)
        admin = level == "administrator"
        return _json(documents.logged_in(number, login.username, admin, since, tokens.issue(self._secret, claims)))

    # --- pictures --------------------------------------------------------------------------------------

    async def _last_frame(self, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        try:
            return web.Response(body=await self._pictures.last(), content_type="image/jpeg")
        except NoPicture as error:
            return _problem(503, str(error))

    async def _snapshot(self, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        try:
            pictures = await self._pictures.snapshot(cgi.snapshot_of(request.http.query.items()), caller.name)
        except cgi.CgiError as error:
            return _problem(400, str(error))
        except NoPicture as error:
            return _problem(503, str(error))
        if len(pictures) == 1:
            return web.Response(body=pictures[0], content_type="image/jpeg")
        return web.Response(body=cgi.multipart(pictures), headers={"Content-Type": cgi.MULTIPART})

    async def _trigger(self, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        parameters = [(key, value) for key, value in request.http.query.items() if key != "force"]
        try:
            if not _forced(request):
                return await self._wait(request, caller, cgi.watch_of(parameters))
            if not allows(caller.level, "operator"):
                return _problem(403, "force=1 needs the level operator")
            await self._pictures.fire(cgi.force_of(parameters), f"trigger for {caller.name}")
            return web.Response(text=cgi.FORCED)
        except cgi.CgiError as error:
            return _problem(400, str(error))
        except (NoPicture, TooManyWaiting) as error:
            return _problem(503, str(error))

    async def _wait(self, request: DeviceRequest, caller: Caller, asked: cgi.Snapshot) -> web.StreamResponse:
        """Every capture as it happens. Raises TooManyWaiting."""
        with self._triggers.waiting() as client:
            await self._begun(request, caller)
            return await self._row.send(request.http, client, asked)

    async def _stream(self, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        if self._streams >= self._settings.max_streams:
            return _problem(503, f"{self._settings.max_streams} streams run already")
        self._streams += 1
        try:
            response = web.StreamResponse(headers={"Content-Type": cgi.MJPEG, "X-Accel-Buffering": "no"})
            async with aclosing(self._pictures.stream()) as pictures:
                async for picture in pictures:
                    if not response.prepared:
                        await self._begun(request, caller)
                        await response.prepare(request.http)
                    await response.write(cgi.part(picture, cgi.MJPEG_BOUNDARY))
            return response
        except NoPicture as error:
            return _problem(503, str(error))
        finally:
            self._streams -= 1

    # --- documents -------------------------------------------------------------------------------------

    def _fixed(self, content: Any) -> Answer:
        body = msgspec.json.encode(content)

        async def answer(request: DeviceRequest, caller: Caller) -> web.StreamResponse:
            return web.Response(body=body, content_type="application/json")

        return answer

    async def _volatile(self, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        return _json(documents.volatile(self._pictures.frame_rate))

    async def _date_and_time(self, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        return _json(documents.date_and_time(self._shown, self._now()))

    async def _put(self, path: str, request: DeviceRequest, caller: Caller) -> web.StreamResponse:
        fields = self._fields[path]
        try:
            documents.unchanged(fields, await request.http.read())
        except documents.PutError as error:
            return _problem(409, str(error))
        return _json(documents.document(fields))

    def _not_done(self, operation: Operation) -> Answer:
        async def answer(request: DeviceRequest, caller: Caller) -> web.StreamResponse:
            return _problem(501, f"not here: {operation.says}")

        return answer

    async def _unknown(self, request: DeviceRequest) -> web.StreamResponse:
        caller = await self._caller(request)
        await self._told(request, caller.name, 404)
        return _problem(404, "there is no such address; docs/protocols/pumatronix.md lists them")

    def _now(self) -> str:
        """ISO 8601 in UTC."""
        when = EPOCH + timedelta(seconds=self._clock.wall() // SECOND)
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _forced(request: DeviceRequest) -> bool:
    """Whether ``trigger.cgi`` is to take a capture."""
    return request.http.path.endswith("trigger.cgi") and request.http.query.get("force") == "1"


def _json(content: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


def _problem(status: int, text: str) -> web.Response:
    """A refusal as JSON, its reason under ``error``."""
    return web.Response(status=status, body=msgspec.json.encode({"error": text}), content_type="application/json")

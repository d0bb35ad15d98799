"""ONVIF over HTTP: reads a request, asks who sends it, calls the operation, writes the answer or the fault.

Every service answers at every address below /onvif/, since NVRs send what they like to the device service's. Who asks
is shown by a UsernameToken or by HTTP Digest; operations that need no log-in are answered whatever token comes along,
so that a client whose clock is wrong can read ours. Calls enter the audit trail: changes before they are answered, the
rest once in a while. May import aiohttp, ``lpr.config``, ``lpr.core``, ``lpr.media``, ``lpr.protocols`` and this room.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import anyio
from aiohttp import hdrs, web

from lpr.actors.device_http.calls import DeviceRequest, DeviceRoute
from lpr.actors.device_http.entrance import Caller, Refusal, plain
from lpr.actors.device_http.onvif.memory import Memory
from lpr.config import Onvif as Settings
from lpr.core.clock import Clock
from lpr.media.stream import MediaUnavailable
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.media_common import SNAPSHOT_PATH
from lpr.protocols.onvif.model import Added, Encoding, Stream, World
from lpr.protocols.onvif.names import PREFIXES
from lpr.protocols.onvif.operations import (
    NEEDED,
    Call,
    Operation,
    Reply,
    Service,
    Table,
    not_authorized,
    not_supported,
    permit,
)
from lpr.protocols.onvif.security import Tokens
from lpr.protocols.onvif.soap import Fault, Request
from lpr.protocols.onvif.tables import services_of
from lpr.protocols.onvif.tree import Limits

CHANGES = frozenset({"WRITE_SYSTEM", "UNRECOVERABLE", "ACTUATE"})
"""Classes of access whose calls are in the log before they are answered."""


class Encoders(Protocol):
    """Streams that clients may change: ``lpr.actors.device_http.onvif.world.StreamEncoders``."""

    def base(self, stream: str) -> str:
        """A digest of the configuration of a stream."""
        ...

    def apply(self, added: Added) -> None:
        """Encode from now on as clients wish."""
        ...


class OnvifPart:
    """``world``: what the services tell about. ``further``: services of others (events). ``snapshot``: the latest
    picture of a stream as a JPEG; raises MediaUnavailable. ``encoders``: where streams may be changed. ``configured``:
    told the token and kind of each configuration that is another now.
    ``max_body``: bytes of a request; ``read_timeout``: seconds by which it is whole."""

    def __init__(
        self,
        settings: Settings,
        world: World,
        memory: Memory,
        *,
        clock: Clock,
        snapshot: Callable[[Stream], Awaitable[bytes]],
        further: Sequence[Service] = (),
        encoders: Encoders | None = None,
        configured: Callable[[str, str], None] = lambda token, kind: None,
        max_body: int = 262_144,
        read_timeout: float = 30.0,
    ) -> None:
        self._world = world
        self._memory = memory
        self._clock = clock
        self._snapshot = snapshot
        self._encoders = encoders
        self._configured = configured
        self._read_timeout = read_timeout
        self._limits = Limits(size=max_body, elements=settings.max_elements, depth=settings.max_depth)
        self._tokens = Tokens(settings.time_window, settings.nonces)
        self.table = Table.of(services_of(world, further))

    def routes(self) -> Sequence[DeviceRoute]:
        """One address for all services, and the pictures'."""
        return (
            DeviceRoute("POST", "/onvif/{tail:.*}", self.answer, "own", audit="none", stream=True),
            DeviceRoute("GET", SNAPSHOT_PATH + "/{name}", self.snapshot, "user"),
        )

    async def run(self) -> None:
        """Find what was changed in an earlier run."""
        await self._memory.load()
        if self._encoders is not None:
            self._encoders.apply(self._memory.added)

    async def snapshot(self, request: DeviceRequest) -> web.StreamResponse:
        """The latest picture of a stream."""
        name = request.http.match_info["name"]
        self._world.forget()
        found = next((stream for stream in self._world.streams() if stream.name == name), None)
        if found is None:
            raise Refusal(plain(404, "there is no such stream"))
        try:
            return web.Response(body=await self._snapshot(found), content_type="image/jpeg")
        except MediaUnavailable as error:
            raise Refusal(plain(503, str(error), {"Retry-After": "2"})) from None

    async def answer(self, request: DeviceRequest) -> web.StreamResponse:
        """One SOAP request."""
        parsed: Request | None = None
        operation: Operation | None = None
        caller: Caller | None = None
        headers: list[tuple[str, str]] = []
        status, data = 500, b""
        await self._memory.load()
        try:
            data = await self._read(request)
            if not data and hdrs.AUTHORIZATION not in request.http.headers:  # curl's way to ask for a challenge
                headers = _challenges(request.entrance.challenge())
                raise not_authorized("Log in", status=401)
            try:
                parsed = soap.parse(data, self._limits)
            except Fault:
                request.entrance.audit.abuse("malformed SOAP", request.remote)
                raise
            operation = self.table.find(parsed)
            if NEEDED[operation.access] is not None:
                caller, headers = await self._caller(request, parsed)
            permit(operation, None if caller is None else caller.level)
            reply = await self._call(operation, self._called(request, parsed, caller))
            await self._keep(reply.change, "" if caller is None else caller.name)
            status, data = 200, soap.answer(reply.body, parsed, reply.action)
            headers = []
        except Fault as fault:
            status, data = fault.status, soap.refuse(fault, parsed)
            headers = headers if status == 401 else []
        finally:
            if operation is not None and (caller is not None or status < 400):
                await self._tell(request, operation, caller, status)
        response = web.Response(status=status, body=data)
        response.headers[hdrs.CONTENT_TYPE] = soap.CONTENT_TYPE
        for name, value in headers:
            response.headers.add(name, value)
        return response

    async def _keep(self, change: object, user: str) -> None:
        """Have what was changed in the log, then in force."""
        if isinstance(change, Encoding) and self._encoders is not None:
            change = replace(change, base=self._encoders.base(change.stream))
            await self._memory.keep(self._memory.added.encoded(change), user)
            self._encoders.apply(self._memory.added)
            self._configured(change.encoder, "VideoEncoder")
        elif isinstance(change, Added):
            await self._memory.keep(change, user)

    async def _read(self, request: DeviceRequest) -> bytes:
        """The body. Operations may take long (PullMessages), so its time is bounded here."""
        with anyio.move_on_after(self._read_timeout):
            return await request.http.read()
        request.entrance.audit.abuse("request timeout", request.remote)
        raise Refusal(plain(408, "the request took too long"))

    async def _call(self, operation: Operation, call: Call) -> Reply:
        if operation.handler is None:
            raise not_supported(f"{operation.name} is not offered: {operation.why}")
        self._world.forget()
        found = operation.handler(call)
        if inspect.isawaitable(found):
            found = await found
        return Reply(found) if isinstance(found, Element) else found

    def _called(self, request: DeviceRequest, parsed: Request, caller: Caller | None) -> Call:
        return Call(
            request=parsed,
            base=request.base,
            host=urlsplit(request.base).hostname or "",
            path=request.http.path,
            now=self._clock.wall(),
            remote=request.remote,
            user=None if caller is None else caller.name,
            level=None if caller is None else caller.level,
            gone=partial(_gone, request.http),
        )

    async def _caller(self, request: DeviceRequest, parsed: Request) -> tuple[Caller | None, list[tuple[str, str]]]:
        """Who asks, and the challenges for a 401. Raises Fault for a wrong UsernameToken, and Refusal (429, 503)."""
        entrance = request.entrance
        if hdrs.AUTHORIZATION not in request.http.headers and parsed.token is not None:
            entrance.admit(request.remote)
            accounts = entrance.accounts
            judged = self._tokens.check(parsed.token, accounts.password_of, self._clock.wall())
            account = None if judged.user is None else accounts.find(judged.user)
            if account is None:
                if judged.guess:
                    entrance.wrong(parsed.token.user, request.remote)
                raise not_authorized(f"Not logged in: {judged.reason}")
            entrance.right(request.remote)
            request.known()
            return Caller(account.name, account.level), []
        try:
            caller = await request.identify()
        except Refusal as refusal:
            if refusal.response.status != 401:
                raise
            return None, _challenges(refusal.response)
        if caller is None:
            return None, _challenges(entrance.challenge())
        request.known()
        return caller, []

    async def _tell(self, request: DeviceRequest, operation: Operation, caller: Caller | None, status: int) -> None:
        """The audit trail's entry: the address and the operation."""
        prefix, _, name = operation.name.rpartition(":")
        await request.entrance.audit.called(
            "once",
            "" if caller is None else caller.name,
            request.remote,
            "POST",
            f"{request.http.path}#{prefix or self._prefix(operation)}:{name}",
            "",
            status,
            change=operation.access in CHANGES and caller is not None,
        )

    def _prefix(self, operation: Operation) -> str:
        for service in self.table.services:
            if any(found is operation for found in service.operations):
                return PREFIXES[service.namespace]
        return ""


def _gone(request: web.Request) -> bool:
    """Whether the caller has closed the connection."""
    return request.transport is None or request.transport.is_closing()


def _challenges(response: web.Response) -> list[tuple[str, str]]:
    return [(hdrs.WWW_AUTHENTICATE, value) for value in response.headers.getall(hdrs.WWW_AUTHENTICATE, [])]

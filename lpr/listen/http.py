"""A receiver: listens where cameras push to, asks who they are if told so, answers, and reports what came.

aiohttp, so asyncio only. May import this room, ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import anyio
from aiohttp import web
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from lpr.core.clock import Clock
from lpr.listen.http_report import Request, names, request_report
from lpr.listen.report import Report
from lpr.listen.session import Source
from lpr.listen.target import UNREACHABLE, ListenFailure, Target
from lpr.protocols.http_auth import Challenger

WAITING = 4
"""Requests that wait to be reported before senders wait."""


class Receiver:
    """``status``: of the answer to requests let in. ``ready``: is told where it listens, once it does."""

    def __init__(
        self,
        target: Target,
        *,
        status: int,
        scheme: Literal["basic", "digest"],
        clock: Clock,
        ready: Callable[[str], None],
    ) -> None:
        self._target = target
        self._status = status
        self._clock = clock
        methods = ("basic",) if scheme == "basic" else ("digest-sha256", "digest-md5")
        self._challenger = Challenger("lpr listen", clock.random_bytes(32), methods=methods) if target.user else None
        self._send, self.reports = _stream()
        self._ready = ready

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Listen. Raises ListenFailure."""
        application = web.Application(client_max_size=self._target.limits.message)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, shutdown_timeout=1.0, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._target.host, self._target.port, ssl_context=self._context())
            try:
                await site.start()
            except OSError as error:
                raise ListenFailure(
                    f"{self._target.address}: nothing can listen there: {error.strerror}; choose another", UNREACHABLE
                ) from None
            bound = runner.addresses[0]
            self._ready(f"{bound[0]}:{bound[1]}")
            yield
        finally:
            self._send.close()
            self.reports.close()
            await runner.cleanup()

    def _context(self) -> ssl.SSLContext | None:
        tls = self._target.tls
        if tls is None:
            return None
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls.certificate_file, tls.key_file or None)
        except (OSError, ssl.SSLError) as error:
            raise ListenFailure(f"--certificate {tls.certificate_file}: {error}", UNREACHABLE) from None
        return context

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        headers = names([(name, value) for name, value in request.headers.items()])
        report = request_report(Request(request.method, request.raw_path, headers, body))
        try:
            await self._send.send((request.remote or "?", report))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return web.Response(status=503, text="this receiver ends")
        return web.Response(status=self._status, text="ok" if self._status < 300 else "as told")

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self._challenger is None:
            return None
        known = {self._target.user: self._target.password}
        given = request.headers.get("Authorization")
        verdict = self._challenger.check(given, request.method, request.raw_path, known.get, self._clock.mono())
        if verdict.user is not None:
            return None
        response = web.Response(status=401, text="who is it?")
        for challenge in self._challenger.challenges(self._clock.mono(), stale=verdict.stale):
            response.headers.add("WWW-Authenticate", challenge)
        return response


def _stream() -> tuple[MemoryObjectSendStream[tuple[str, Report]], MemoryObjectReceiveStream[tuple[str, Report]]]:
    return anyio.create_memory_object_stream[tuple[str, Report]](WAITING)


async def http(receiver: Receiver) -> Source:
    """What comes to ``receiver``, until cancelled. Raises ListenFailure."""
    async with receiver.serving():
        async for sender, report in receiver.reports:
            yield sender, report

"""The web server: binds the application, with the connections under ``guard``'s control. asyncio only.

May import this room, ``lpr.core``, ``lpr.events``.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from lpr.config import Tls
from lpr.events import ServerListening
from lpr.web.app import build_app
from lpr.web.context import WebContext
from lpr.web.services import SERVICES

SHUTDOWN = 2.0
"""Seconds that running calls get when the server stops."""
BACKLOG = 256
TLS_HANDSHAKE = 10.0


class WebServerError(Exception):
    """The server can't listen. ``str(error)`` names the address, the problem and the remedy."""


class PortTakenError(WebServerError):
    """Another program listens at the address."""


class WebServer:
    """``run`` serves until it is cancelled. ``url``: where, once ``listening`` is set."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self.url = ""
        self.port = 0
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Bind, append ServerListening, serve. Raises PortTakenError or WebServerError."""
        config = self._context.config.web
        tls = None if config.tls is None else tls_context(config.tls)
        app = build_app(self._context)
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        try:
            server = runner.server
            if server is None:
                raise WebServerError("the web server could not be set up")
            listener = await self._listen(app[SERVICES].guard.protocol(server), tls)
            try:
                await self._announce(listener, "http" if tls is None else "https")
                await asyncio.get_running_loop().create_future()
            finally:
                listener.close()
        finally:
            self.listening.clear()
            await runner.cleanup()

    async def _listen(self, factory: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None) -> asyncio.Server:
        config = self._context.config.web
        where = f"{config.host}:{config.port}"
        try:
            return await asyncio.get_running_loop().create_server(
                factory,
                config.host,
                config.port,
                backlog=BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else TLS_HANDSHAKE,
            )
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(
                    f"web: {where} is used by another program; stop it or choose another web.port"
                ) from None
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise WebServerError(f"web: can't listen at {where} ({reason}); correct web.host and web.port") from None

    async def _announce(self, listener: asyncio.Server, scheme: str) -> None:
        host, port = listener.sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.port = port
        self.url = f"{scheme}://{shown}:{port}/"
        await self._context.log.append((ServerListening(server="web", address=f"{shown}:{port}"),), actor="web")
        self.listening.set()


def tls_context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 and newer with the configured certificate. Raises WebServerError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in (tls.certificate_file, tls.key_file):
        if not Path(file).is_file():
            raise WebServerError(f"web.tls: {file} does not exist; give the PEM files of certificate and key")
    try:
        made.load_cert_chain(tls.certificate_file, tls.key_file)
    except (ssl.SSLError, OSError) as error:
        raise WebServerError(
            f"web.tls: {tls.certificate_file} and {tls.key_file} can't be used ({error}); they must be PEM and belong"
            " together"
        ) from None
    return made

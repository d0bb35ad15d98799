"""Binding an HTTP server to an address, with or without TLS, its connections under a ``Guard``'s control. asyncio only.

May import ``lpr.config`` and this room.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from lpr.config import Tls
from lpr.http.guard import Guard

SHUTDOWN = 2.0
"""Seconds that running calls get when the server stops."""
BACKLOG = 256
TLS_HANDSHAKE = 10.0


class HttpServerError(Exception):
    """The server can't listen. ``str(error)`` names the address, the problem and the remedy."""


class PortTakenError(HttpServerError):
    """Another program listens at the address."""


@dataclass(frozen=True, slots=True)
class Listening:
    """``host``: as it is bound, in brackets when it has colons; ``port``: the real one; ``scheme``: http or https."""

    host: str
    port: int
    scheme: str

    @property
    def address(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """With a slash at its end."""
        return f"{self.scheme}://{self.address}/"


@asynccontextmanager
async def listen(
    section: str, app: web.Application, guard: Guard, host: str, port: int, tls: Tls | None
) -> AsyncGenerator[Listening, None]:
    """Serve ``app`` while the block runs. ``section``: of the configuration, for the messages.

    Raises PortTakenError and HttpServerError.
    """
    context = None if tls is None else tls_context(tls, section)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=SHUTDOWN)
    await runner.setup()
    try:
        server = runner.server
        if server is None:
            raise HttpServerError(f"{section}: the server could not be set up")
        try:
            listener = await asyncio.get_running_loop().create_server(
                guard.protocol(server),
                host,
                port,
                backlog=BACKLOG,
                ssl=context,
                ssl_handshake_timeout=None if context is None else TLS_HANDSHAKE,
            )
        except OSError as error:
            raise _refusal(section, host, port, error) from None
        try:
            bound, taken = listener.sockets[0].getsockname()[:2]
            shown = f"[{bound}]" if ":" in bound else bound
            yield Listening(shown, taken, "http" if context is None else "https")
        finally:
            listener.close()
    finally:
        await runner.cleanup()


def _refusal(section: str, host: str, port: int, error: OSError) -> HttpServerError:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return PortTakenError(
            f"{section}: {where} is used by another program; stop it or choose another {section}.port"
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    return HttpServerError(f"{section}: can't listen at {where} ({reason}); correct {section}.host and {section}.port")


def tls_context(tls: Tls, section: str) -> ssl.SSLContext:
    """TLS 1.2 and newer with the configured certificate. Raises HttpServerError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in (tls.certificate_file, tls.key_file):
        if not Path(file).is_file():
            raise HttpServerError(f"{section}.tls: {file} does not exist; give the PEM files of certificate and key")
    try:
        made.load_cert_chain(tls.certificate_file, tls.key_file)
    except (ssl.SSLError, OSError) as error:
        raise HttpServerError(
            f"{section}.tls: {tls.certificate_file} and {tls.key_file} can't be used ({error}); they must be PEM and"
            " belong together"
        ) from None
    return made

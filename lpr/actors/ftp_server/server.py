"""The FTP server as an actor: listens, tells the log who came and what they took, and ends in good order.

Wire: aioftp with ``link`` and ``commands`` over it; the tree: ``lpr.core.tree`` and ``lpr.core.shelves``; who may come
in: ``lpr.core.visitors``. May import ``lpr.events``, ``lpr.config`` and ``lpr.core``. asyncio only, as aioftp is.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from lpr.actors.ftp_server.commands import Commands
from lpr.config import FtpServer as Settings
from lpr.core.accounts import Logins
from lpr.core.actor import Emit
from lpr.core.chronicle import Chronicle
from lpr.core.clock import Clock
from lpr.core.shelves import Shelves
from lpr.core.sockets import ListenError, listen, shown
from lpr.core.visitors import Bandwidth, Visitors
from lpr.events import ServerListening

LINE = 4096
"""Bytes of a command at most."""


class FtpServer:
    """``shelves``: what it serves. ``logins``: whom it lets in. ``started``: set once it listens; ``addresses``: where,
    as (host, port). ``run`` raises ListenError when the address or the certificate cannot be had."""

    name = "ftp"

    def __init__(self, settings: Settings, *, shelves: Shelves, logins: Logins, clock: Clock) -> None:
        if settings.tls is None and not settings.plain:
            raise ValueError("ftp: without TLS it serves only with plain = true")
        self._settings = settings
        self._shelves = shelves
        self._logins = logins
        self._clock = clock
        self.started = anyio.Event()
        self.addresses: tuple[tuple[str, int], ...] = ()

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled. Raises ListenError, LogUnavailable."""
        settings = self._settings
        context = self._context()
        chronicle = Chronicle(self.name, emit, self._clock)
        commands = self._commands(chronicle, context)
        self.addresses = ()
        async with AsyncExitStack() as stack:
            for sock in await listen(self.name, settings.host, settings.port, settings.max_clients):
                stack.callback(sock.close)
                server = await asyncio.start_server(commands.dispatcher, sock=sock, limit=LINE)
                stack.callback(server.close)
                self.addresses += (sock.getsockname()[:2],)
                await emit([ServerListening(server=self.name, address=shown(sock))])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(chronicle.run)
                self.started.set()
                try:
                    await anyio.sleep_forever()
                finally:
                    with anyio.CancelScope(shield=True):
                        await commands.close()

    def _commands(self, chronicle: Chronicle, context: ssl.SSLContext | None) -> Commands:
        settings = self._settings
        visitors = Visitors(
            self.name,
            logins=self._logins,
            level=settings.level,
            chronicle=chronicle,
            clock=self._clock,
            max_clients=settings.max_clients,
            max_per_address=settings.max_clients_per_address,
            attempts=settings.login_attempts,
        )
        return Commands(
            settings,
            shelves=self._shelves,
            visitors=visitors,
            clock=self._clock,
            bandwidth=Bandwidth(settings.bandwidth, self._clock),
            context=context,
        )

    def _context(self) -> ssl.SSLContext | None:
        tls = self._settings.tls
        if tls is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(Path(tls.certificate_file), Path(tls.key_file))
        except (OSError, ssl.SSLError) as error:
            raise ListenError(
                f"ftp.tls: the certificate {tls.certificate_file} can't be used: {error}; give certificate_file and"
                " key_file in PEM, the key without a password"
            ) from None
        return context

"""The SFTP server as an actor: listens, lets in, drops who is idle or takes nothing, and tells the log.

Wire: asyncssh; the tree: ``lpr.core.tree`` and ``lpr.core.shelves``; who may come in: ``lpr.core.visitors``. No shell,
no command, no forwarding, no compression. May import ``lpr.events``, ``lpr.config`` and ``lpr.core``. asyncio only, as
asyncssh is.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

import anyio
import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.stream import SSHServerStreamSession

from lpr.actors.sftp_server.files import Files
from lpr.actors.sftp_server.keys import client_keys, host_keys
from lpr.config import SftpServer as Settings
from lpr.core.accounts import Accounts, Logins
from lpr.core.actor import Emit
from lpr.core.chronicle import Chronicle
from lpr.core.clock import SECOND, Clock
from lpr.core.reception import Reception
from lpr.core.shelves import Shelves
from lpr.core.sockets import listen, prepare, shown, unacknowledged
from lpr.core.visitors import Bandwidth, Visitor, Visitors
from lpr.events import Micros, ServerListening

SFTP_VERSION = 3
"""What OpenSSH speaks, and everybody else knows."""
FAILURES = 5
"""Failed log-ins before the connection is closed."""
MAX_SESSIONS = 8
"""SFTP sessions open at once in a connection."""
BUFFER = 1_048_576
"""Bytes that the kernel keeps for a client."""
UNTAKEN = 262_144
"""With so many bytes under way nothing more is read for a client."""
PAUSE = 0.01
"""Seconds between two looks at whether a client takes what it was sent."""
TICK = 1.0
"""Seconds between two looks at who is idle."""
KEEPALIVE = 30.0


class Gate(asyncssh.SSHServer):
    """One connection: who it is, and what its sessions need (``files.Host``)."""

    def __init__(self, server: SftpServer, sock: socket.socket, visitor: Visitor) -> None:
        self._server = server
        self._sock = sock
        self._connection: asyncssh.SSHServerConnection | None = None
        self._failures = 0
        self._sessions = 0
        self._ended = False
        self.visitor = visitor
        self.shelves = server.shelves
        self.bandwidth = server.bandwidth
        self.max_open = server.settings.max_open
        self.active: Micros = server.clock.mono()

    # --- asyncssh's questions --------------------------------------------------------------------------

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self.visitor.drop = self.abort

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if await self._server.visitors.log_in(self.visitor, username, password):
            return True
        self._failures += 1
        if self._failures >= FAILURES:
            raise asyncssh.PermissionDenied("Too many failed log-ins")
        return False

    def public_key_auth_supported(self) -> bool:
        return bool(self._server.keys)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.public_data in self._server.keys.get(username, frozenset())

    def auth_completed(self) -> None:
        """Who came in by key is known only now: the key was not just named, its owner has signed with it."""
        if self.visitor.user or self._connection is None:
            return
        name = str(self._connection.get_extra_info("username"))
        account = self._server.accounts.find(name)
        level = None if account is None else account.level
        if not self._server.visitors.log_in_by_key(self.visitor, name, level):
            self.abort()

    def session_requested(self) -> SSHServerStreamSession[bytes] | bool:
        self.active = self._server.clock.mono()
        if not self.visitor.user or self._sessions >= MAX_SESSIONS:
            return False
        self._sessions += 1
        session: SSHServerStreamSession[bytes] = SSHServerStreamSession(None, self._files, SFTP_VERSION)
        return session

    def _files(self, channel: SSHChannel[bytes]) -> Files:
        return Files.of(self, cast("asyncssh.SSHServerChannel[bytes]", channel))

    # --- what the sessions need ------------------------------------------------------------------------

    async def room(self) -> None:
        """Until the client has taken enough of what it was sent. Raises asyncssh.SFTPConnectionLost."""
        clock = self._server.clock
        if self._ended:
            raise asyncssh.SFTPConnectionLost("the connection has ended")
        self.active = clock.mono()
        until = self.active + round(self._server.settings.send_timeout * SECOND)
        while self._under_way() > UNTAKEN:
            if clock.mono() >= until:
                self._server.visitors.offence("too slow", self.visitor)
                self.abort()
                raise asyncssh.SFTPConnectionLost("too slow")
            await clock.sleep(PAUSE)
            self.active = clock.mono()

    def _under_way(self) -> int:
        return unacknowledged(self._sock) if self._sock.fileno() >= 0 else 0

    def transferred(self, path: str, count: int, outcome: str) -> None:
        self._server.visitors.transferred(self.visitor, path, count, outcome)

    def session_over(self) -> None:
        self._sessions -= 1

    def abort(self) -> None:
        """End the connection now; requests that are still queued are not dealt with."""
        self._ended = True
        if self._connection is None:
            self._sock.close()
        else:
            self._connection.abort()


class SftpServer:
    """``shelves``: what it serves. ``logins``: whom it lets in by password; ``accounts``: the levels of those who come
    by key. ``keys_folder``: where its host keys lie or are made. ``started``: set once it listens; ``addresses``:
    where, as (host, port). ``run`` raises ListenError when an address or a key cannot be had.
    """

    name = "sftp"

    def __init__(
        self,
        settings: Settings,
        *,
        shelves: Shelves,
        logins: Logins,
        accounts: Accounts,
        keys_folder: Path,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.shelves = shelves
        self.accounts = accounts
        self.clock = clock
        self.started = anyio.Event()
        self.addresses: tuple[tuple[str, int], ...] = ()
        self._logins = logins
        self._keys_folder = keys_folder

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled. Raises ListenError, LogUnavailable."""
        settings = self.settings
        own_keys = await anyio.to_thread.run_sync(host_keys, self._keys_folder)
        self.keys: Mapping[str, frozenset[bytes]] = await anyio.to_thread.run_sync(client_keys, settings.keys)
        self.bandwidth = Bandwidth(settings.bandwidth, self.clock)
        chronicle = Chronicle(self.name, emit, self.clock)
        self.visitors = Visitors(
            self.name,
            logins=self._logins,
            level=settings.level,
            chronicle=chronicle,
            clock=self.clock,
            max_clients=settings.max_clients,
            max_per_address=settings.max_clients_per_address,
            attempts=settings.login_attempts,
        )
        self._gates: dict[int, Gate] = {}
        sockets = await listen(self.name, settings.host, settings.port, settings.max_clients)
        try:
            self.addresses = tuple(sock.getsockname()[:2] for sock in sockets)
            await emit([ServerListening(server=self.name, address=shown(sock)) for sock in sockets])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(chronicle.run)
                tasks.start_soon(self._watch)
                reception = Reception(self.clock, _welcome, partial(self._serve, own_keys), _untold, TICK)
                for sock in sockets:
                    tasks.start_soon(reception.accept, sock, tasks)
                self.started.set()
        finally:
            for sock in sockets:
                sock.close()

    async def _serve(self, own_keys: list[asyncssh.SSHKey], sock: socket.socket, number: int, address: str) -> None:
        del number
        visitor = self.visitors.enter(address)
        if visitor is None:
            sock.close()
            return
        gate = self._gates[visitor.number] = Gate(self, sock, visitor)
        try:
            prepare(sock, BUFFER)
            connection = await asyncssh.run_server(
                sock,
                server_factory=lambda: gate,
                server_host_keys=own_keys,
                server_version="lpr",
                login_timeout=self.settings.login_timeout,
                keepalive_interval=KEEPALIVE,
                kbdint_auth=False,
                gss_host=None,
                agent_forwarding=False,
                allow_scp=False,
                compression_algs=["none"],
            )
            await connection.wait_closed()
        except (OSError, asyncssh.Error):
            if not visitor.user:
                self.visitors.offence("no log-in", visitor)
        except Exception:  # whatever asyncssh makes of broken packets ends this connection alone
            self.visitors.offence("broken packet", visitor)
        finally:
            gate.abort()
            self._gates.pop(visitor.number, None)
            self.visitors.leave(visitor)

    async def _watch(self) -> None:
        """Drop those who ask for nothing."""
        while True:
            await self.clock.sleep(TICK)
            now = self.clock.mono()
            for gate in list(self._gates.values()):
                if gate.visitor.user and gate.active + round(self.settings.idle_timeout * SECOND) <= now:
                    gate.abort()


def _welcome(number: int, address: str) -> None:
    """Nobody is turned away at the door: ``Visitors`` decides, and tells of those who may not stay."""
    del number, address


def _untold(kind: str, address: str) -> None:
    """What goes wrong at the door is nobody's fault."""
    del kind, address

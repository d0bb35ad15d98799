"""One client's connection: reads its messages, writes passages to it (``lpr.core.sending``).

May import ``lpr.events``, ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import anyio
import anyio.lowlevel

from lpr.actors.milesight_server.ledger import Ledger
from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogUnavailable
from lpr.core.feed import Feed
from lpr.core.sending import Dropped, Sender
from lpr.core.sockets import unacknowledged
from lpr.events import Micros
from lpr.protocols.milesight.connection import ServerConnection, ServerState
from lpr.protocols.milesight.framing import ProtocolError
from lpr.protocols.milesight.messages import BadLogin, Ignored, LoginRequest

RECEIVE = 4096
BURST = 262_144
"""Bytes sent to one client in a row before the others have their turn; a passage counts as 4096 at least."""
MAX_REPLIES = 16
"""Replies that a client may leave unread before it is dropped."""


class Host(Protocol):
    """What a connection needs of its server."""

    @property
    def feed(self) -> Feed: ...

    @property
    def clock(self) -> Clock: ...

    def check(self, login: LoginRequest | BadLogin, address: str) -> str:
        """The result of a log-in, as the reply has it: "200", "400", "401", "429"."""
        ...

    async def join(self, client: Client, user: str) -> int:
        """The client is logged in: tells the log, then returns the record after which it goes on."""
        ...

    def stalled(self) -> None:
        """A client has begun to take nothing, or something awaits its acknowledgement: a deadline is running."""
        ...


class Client:
    """One connection. ``number``: unique in the server. ``identity``: ``<user>@<address>`` once it is logged in.

    ``obedient``: one that registers for other messages alone gets no passages. ``ignored``: its messages without a
    meaning.
    """

    def __init__(
        self,
        host: Host,
        sock: socket.socket,
        number: int,
        address: str,
        connection: ServerConnection,
        *,
        login_timeout: float,
        send_timeout: float,
        obedient: bool = False,
    ) -> None:
        self._host = host
        self._sock = sock
        self._connection = connection
        self._sender = Sender(sock, host.clock, send_timeout, host.stalled)
        self._replies: list[bytes] = []
        self._news = anyio.Event()
        self._scope = anyio.CancelScope()
        self._verdict: Dropped | None = None
        self.number = number
        self.address = address
        self.identity: str | None = None
        self.ledger = Ledger(0)
        self.sent = 0
        self.ignored = 0
        self._obedient = obedient
        self._log_in_by: Micros | None = host.clock.mono() + round(login_timeout * 1_000_000)

    @property
    def deadline(self) -> Micros | None:
        """Monotonic µs by which it has to log in, or to take a byte, or None."""
        return self._sender.deadline if self._log_in_by is None else self._log_in_by

    def wake(self) -> None:
        """There may be something new to send."""
        self._news.set()

    def drop(self, reason: str, offence: str = "") -> None:
        """End the connection from outside."""
        self._verdict = self._verdict or Dropped(reason, offence)
        self._scope.cancel()

    def overdue(self) -> Dropped:
        """Why a passed deadline ends this connection."""
        if self.identity is None:
            return Dropped("did not log in in time", "no log-in")
        return Dropped("too slow", "too slow")

    def acknowledge(self, now: Micros) -> None:
        """Ask the kernel what the client's machine has, and note it."""
        if self.ledger.open:
            self.ledger.acknowledge(self._sender.written - unacknowledged(self._sock), now)

    async def run(self) -> Dropped:
        """Serve until the connection ends, and close it. Returns why it ended; cancellation goes through."""
        try:
            with self._scope:
                await self._guarded(self._serve)
            return self._verdict or Dropped("closed by client")
        finally:
            self._sock.close()

    async def _serve(self) -> None:
        """Log-in, then both directions at once; the first to end ends the other."""
        position = await self._log_in()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._guarded, self._listen)
            tasks.start_soon(self._guarded, partial(self._talk, position))

    async def _guarded(self, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part of the connection; its end is the connection's."""
        try:
            await part()
        except Dropped as dropped:
            self.drop(dropped.reason, dropped.offence)
        except (LogUnavailable, LogClosedError) as error:
            self.drop(f"the log cannot be used: {error}")
        except (OSError, anyio.ClosedResourceError) as error:
            self.drop(f"connection lost: {error}")

    # --- reading ---------------------------------------------------------------------------------------

    async def _receive(self) -> None:
        """The next portion into the state machine. Raises Dropped at the stream's end and on an error."""
        await anyio.lowlevel.checkpoint()
        while True:
            try:
                data = self._sock.recv(RECEIVE)
                break
            except (BlockingIOError, InterruptedError):
                await anyio.wait_readable(self._sock)
        try:
            self._connection.receive(data)
        except ProtocolError as error:
            raise Dropped(f"protocol error: {error}", error.offence) from None
        if not data:
            raise Dropped("closed by client")

    def _next(self) -> LoginRequest | BadLogin | None:
        """The next log-in among what has arrived; the state machine keeps registrations, the rest is counted."""
        try:
            while (message := self._connection.next_message()) is not None:
                if isinstance(message, LoginRequest | BadLogin):
                    return message
                self.ignored += isinstance(message, Ignored)
        except ProtocolError as error:
            raise Dropped(f"protocol error: {error}", error.offence) from None
        return None

    async def _log_in(self) -> int:
        while True:
            login = self._next()
            if login is None:
                await self._receive()
                continue
            result = self._host.check(login, self.address)
            if isinstance(login, LoginRequest) and result == "200":
                self._log_in_by = None
                position = await self._host.join(self, login.user)
                self.ledger = Ledger(position)
                await self._sender.send(self._connection.accept())
                return position
            await self._sender.send(self._connection.reject(result))
            if self._connection.state is ServerState.CLOSED:
                self._sender.finish()
                raise Dropped("wrong log-in")

    async def _listen(self) -> None:
        """After the log-in: registrations are noted, another log-in is answered, anything broken ends it."""
        while True:
            login = self._next()
            if login is None:
                await self._receive()
                continue
            result = self._host.check(login, self.address)
            if result != "200":
                self._connection.reject(result)
                raise Dropped("wrong log-in")
            self._replies.append(self._connection.accept())
            self._news.set()
            if len(self._replies) > MAX_REPLIES:
                raise Dropped("replies unread", "replies unread")

    # --- writing ---------------------------------------------------------------------------------------

    async def _talk(self, position: int) -> None:
        """Passages over ``position`` for ever, with replies between them."""
        feed, burst = self._host.feed, 0
        while True:
            news = self._news = anyio.Event()
            await self._flush_replies()
            numbers = await feed.after(position)
            for number in numbers:
                before = self._sender.written
                await self._send_passage(number)
                position = number
                if self._replies:
                    await self._flush_replies()
                burst += self._sender.written - before + BURST // 64
                if burst >= BURST:
                    burst = 0
                    await anyio.lowlevel.checkpoint()
            if not numbers:
                await news.wait()

    async def _flush_replies(self) -> None:
        while self._replies:
            await self._sender.send(self._replies.pop(0))

    async def _send_passage(self, number: int) -> None:
        if self._wants_passages():
            if not await self._sender.send_passage(self._host.feed, number):
                return
            self.sent += 1
        first = not self.ledger.open
        self.ledger.wrote(number, self._sender.written)
        if first:
            self._host.stalled()

    def _wants_passages(self) -> bool:
        """Whether the client's registration, if it has made one and is held to it, leaves passages in."""
        registration = self._connection.registration
        return not self._obedient or registration is None or registration.everything

"""One client's connection: reads its messages, writes passages to it, without a copy and without holding any.

Sending goes straight to the socket: what the kernel does not take stays in the shared message, and while the client
takes nothing not even that is held: the message is asked for again when there is room. So a stalled client costs its
socket and a few numbers, whatever a passage weighs.

May import ``lpr.events``, ``lpr.core`` and ``lpr.protocols``.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import anyio
import anyio.lowlevel

from lpr.actors.milesight_server.feed import Feed
from lpr.actors.milesight_server.ledger import Ledger
from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogUnavailable
from lpr.core.sockets import unacknowledged
from lpr.events import Micros
from lpr.protocols.milesight.connection import ServerConnection, ServerState
from lpr.protocols.milesight.framing import ProtocolError
from lpr.protocols.milesight.messages import BadLogin, LoginRequest

RECEIVE = 4096
BURST = 262_144
"""Bytes sent to one client in a row before the others have their turn; a passage counts as 4096 at least."""
MAX_REPLIES = 16
"""Replies that a client may leave unread before it is dropped."""


class Dropped(Exception):
    """The connection has to end. ``reason``: for ClientLeft; ``offence``: how it is counted, "" when it is none."""

    def __init__(self, reason: str, offence: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.offence = offence


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
    """One connection. ``number``: unique in the server. ``deadline``: monotonic µs by which it has to log in, or to
    take a byte, or None. ``identity``: ``<user>@<address>`` once it is logged in."""

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
    ) -> None:
        self._host = host
        self._sock = sock
        self._connection = connection
        self._send_timeout = round(send_timeout * 1_000_000)
        self._replies: list[bytes] = []
        self._news = anyio.Event()
        self._scope = anyio.CancelScope()
        self._verdict: Dropped | None = None
        self._bytes = 0
        self.number = number
        self.address = address
        self.identity: str | None = None
        self.ledger = Ledger(0)
        self.sent = 0
        self.deadline: Micros | None = host.clock.mono() + round(login_timeout * 1_000_000)

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
            self.ledger.acknowledge(self._bytes - unacknowledged(self._sock), now)

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
        """The next log-in among what has arrived; everything else is the state machine's business."""
        try:
            while (message := self._connection.next_message()) is not None:
                if isinstance(message, LoginRequest | BadLogin):
                    return message
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
                self.deadline = None
                position = await self._host.join(self, login.user)
                self.ledger = Ledger(position)
                await self._send_reply(self._connection.accept())
                return position
            await self._send_reply(self._connection.reject(result))
            if self._connection.state is ServerState.CLOSED:
                self._say_goodbye()
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
                before = self._bytes
                await self._send_passage(number)
                position = number
                if self._replies:
                    await self._flush_replies()
                burst += self._bytes - before + BURST // 64
                if burst >= BURST:
                    burst = 0
                    await anyio.lowlevel.checkpoint()
            if not numbers:
                await news.wait()

    async def _flush_replies(self) -> None:
        while self._replies:
            await self._send_reply(self._replies.pop(0))

    async def _send_reply(self, reply: bytes) -> None:
        offset = self._push(reply, 0)
        while offset < len(reply):
            await self._writable()
            offset = self._push(reply, offset)

    async def _send_passage(self, number: int) -> None:
        feed = self._host.feed
        message = feed.ready(number) or await feed.message(number)
        if message is None:
            return
        length, offset = len(message), self._push(message, 0)
        while offset < length:
            message = None
            await self._writable()
            message = feed.ready(number) or await feed.message(number)
            if message is None or len(message) != length:
                raise Dropped("a picture was removed while it was being sent")
            offset = self._push(message, offset)
        self.sent += 1
        first = not self.ledger.open
        self.ledger.wrote(number, self._bytes)
        if first:
            self._host.stalled()

    def _push(self, message: bytes, offset: int) -> int:
        """As much of ``message`` from ``offset`` as the kernel takes now. Gives the new offset."""
        view = memoryview(message)
        try:
            while offset < len(message):
                taken = self._sock.send(view[offset:])
                offset += taken
                self._bytes += taken
        except (BlockingIOError, InterruptedError):
            return offset
        return offset

    async def _writable(self) -> None:
        """Until the kernel takes more; the deadline runs meanwhile. A log-in's own deadline stays as it is."""
        if self.identity is None:
            await anyio.wait_writable(self._sock)
            return
        self.deadline = self._host.clock.mono() + self._send_timeout
        self._host.stalled()
        await anyio.wait_writable(self._sock)
        self.deadline = None

    def _say_goodbye(self) -> None:
        """Let the last reply out before the connection closes."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

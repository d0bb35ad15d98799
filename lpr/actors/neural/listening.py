"""What the socket server and the trigger server share: who may connect, deadlines, what the log is told.

The protocol has no log-in: addresses are let in by the configuration, at a bounded rate and number. One task accepts,
one watches deadlines, one tells the log; each connection has its own.

May import ``lpr.events``, ``lpr.config`` and ``lpr.core``. Runs on asyncio and trio.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, cast

import anyio
import anyio.lowlevel

from lpr.core.admission import Admission, RateTable
from lpr.core.allowed import AllowList
from lpr.core.chronicle import Chronicle
from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogUnavailable
from lpr.core.pipeline import Emit
from lpr.core.reception import Reception
from lpr.core.sending import Dropped
from lpr.core.sockets import listen, prepare, shown
from lpr.events import ClientJoined, ClientLeft, Event, Micros, ServerListening

BACKLOG = 128
RECEIVE = 4096
STOP_TIMEOUT = 3.0
"""Seconds for the last words to the log when a server is stopped."""


class Connection(Protocol):
    """One client, as the listener sees it."""

    @property
    def sent(self) -> int:
        """Messages that it has been sent."""
        ...

    async def serve(self) -> None:
        """Until the connection ends. Raises Dropped, OSError."""
        ...

    def look(self, now: Micros) -> None:
        """Once a tick: raises Dropped when a deadline has passed."""
        ...


@dataclass(frozen=True)
class Rules:
    """Who may connect, and how many. ``connects``: a minute and address. ``buffer``: bytes in the kernel for each.

    ``lasting``: a connection keeps its place from the beginning; else it makes room for others until ``keep``.
    """

    host: str
    port: int
    allow: tuple[str, ...]
    max_clients: int
    max_clients_per_address: int
    connects: int
    buffer: int
    tick: float
    lasting: bool = False


class _Place:
    """A connection's way to be ended from outside."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.verdict: Dropped | None = None

    def drop(self, verdict: Dropped) -> None:
        self.verdict = self.verdict or verdict
        self.scope.cancel()


class Listener:
    """``make``: a connection for (socket, number, address). ``joined``: the log's record after which a client begins.

    ``started``: set once it listens; ``addresses``: where. Raises ValueError for an ``allow`` that makes no sense;
    ``run`` raises ListenError with a text that names the address and the remedy, and LogUnavailable.
    """

    def __init__(
        self, name: str, rules: Rules, clock: Clock, make: Callable[[socket.socket, int, str], Connection]
    ) -> None:
        self.name = name
        self.started = anyio.Event()
        self.addresses: tuple[tuple[str, int], ...] = ()
        self._rules = rules
        self._clock = clock
        self._make = make
        self._allowed = AllowList(rules.allow)
        self._begin()

    def _begin(self) -> None:
        self._admission = Admission(self._rules.max_clients, self._rules.max_clients_per_address)
        self._connects = RateTable(self._rules.connects)
        self._clients: dict[int, Connection] = {}
        self._places: dict[int, _Place] = {}
        self._somebody = anyio.Event()
        self._chronicle: Chronicle | None = None
        self._head: Callable[[], int] = lambda: 0

    @property
    def clients(self) -> int:
        """Connections now."""
        return len(self._clients)

    def offence(self, kind: str, remote: str) -> None:
        """Hostile or broken input."""
        if self._chronicle is not None:
            self._chronicle.offence(kind, remote)

    def keep(self, number: int) -> None:
        """The connection has done what it is for: it no longer makes room for others."""
        self._admission.logged_in(number)

    async def run(
        self, emit: Emit, head: Callable[[], int], beside: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        """Listen until cancelled. ``head``: the log's newest record. ``beside``: runs with it."""
        self._begin()
        self._head = head
        chronicle = self._chronicle = Chronicle(self.name, emit, self._clock)
        sockets = await listen(self.name, self._rules.host, self._rules.port, min(BACKLOG, self._rules.max_clients))
        try:
            self.addresses = tuple(sock.getsockname()[:2] for sock in sockets)
            await emit([ServerListening(server=self.name, address=shown(sock)) for sock in sockets])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(chronicle.run)
                tasks.start_soon(self._watch)
                if beside is not None:
                    tasks.start_soon(beside)
                reception = Reception(self._clock, self._turned_away, self._serve, self.offence, self._rules.tick)
                for sock in sockets:
                    tasks.start_soon(reception.accept, sock, tasks)
                self.started.set()
        finally:
            for sock in sockets:
                sock.close()
            with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                await chronicle.flush()

    def _turned_away(self, number: int, address: str) -> str | None:
        """Why the connection is closed at once, None when it may stay."""
        now = self._clock.mono()
        if not self._allowed.admits(address):
            return "address not allowed"
        if self._connects.full(address, now):
            return "too many connections a minute"
        self._connects.note(address, now)
        refused, evicted = self._admission.admit(number, address)
        if evicted is not None and evicted in self._places:
            self._places[evicted].drop(Dropped("made room for another connection", "idle"))
        if self._rules.lasting:
            self._admission.logged_in(number)
        return refused

    async def _serve(self, sock: socket.socket, number: int, address: str) -> None:
        if not self._admission.holds(number):
            sock.close()
            return
        place = self._places[number] = _Place()
        verdict, identity = Dropped("stopped"), ""
        client: Connection | None = None
        try:
            prepare(sock, self._rules.buffer)
            identity = _identity(sock)
            client = self._make(sock, number, address)
            self._clients[number] = client
            self._somebody.set()
            self.tell(ClientJoined(server=self.name, client=identity, resumes_after=self._head()))
            with place.scope:
                verdict = await _ended(client)
            verdict = place.verdict or verdict
        except OSError:
            return  # the connection was gone before it began
        finally:
            sock.close()
            self._admission.release(number)
            self._places.pop(number, None)
            if self._clients.pop(number, None) is not None and client is not None:
                if verdict.offence:
                    self.offence(verdict.offence, address)
                self.tell(ClientLeft(server=self.name, client=identity, reason=verdict.reason, sent=client.sent))

    def tell(self, event: Event) -> None:
        """Something for the log."""
        if self._chronicle is not None:
            self._chronicle.tell(event)

    async def _watch(self) -> None:
        """Once a tick while somebody is there; asleep otherwise."""
        while True:
            if not self._clients:
                self._somebody = anyio.Event()
                await self._somebody.wait()
            await self._clock.sleep(self._rules.tick)
            now = self._clock.mono()
            for number, client in list(self._clients.items()):
                try:
                    client.look(now)
                except Dropped as dropped:
                    self._places[number].drop(dropped)


def _identity(sock: socket.socket) -> str:
    """A client's name: there is no log-in, so each connection is one of its own. Raises OSError when it is gone."""
    host, port = cast("tuple[str, int]", sock.getpeername()[:2])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _ended(client: Connection) -> Dropped:
    """Serve; gives why it ended."""
    try:
        await client.serve()
    except Dropped as dropped:
        return dropped
    except (LogUnavailable, LogClosedError) as error:
        return Dropped(f"the log cannot be used: {error}")
    except (OSError, anyio.ClosedResourceError) as error:
        return Dropped(f"connection lost: {error}")
    return Dropped("closed by client")


async def receive(sock: socket.socket) -> bytes:
    """What the client has sent; b"" when it has closed its side. Raises OSError."""
    await anyio.lowlevel.checkpoint()
    while True:
        try:
            return sock.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            await anyio.wait_readable(sock)


async def both(*parts: Callable[[], Awaitable[None]]) -> None:
    """Run the parts at once until the first ends; raises what it raised."""
    failures: list[Exception] = []

    async def run(part: Callable[[], Awaitable[None]]) -> None:
        try:
            await part()
        except (Dropped, LogUnavailable, LogClosedError, OSError, anyio.ClosedResourceError) as error:
            failures.append(error)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for part in parts:
            tasks.start_soon(run, part)
    if failures:
        raise failures[0]


def nothing() -> None:
    """A listener looks at its clients' deadlines every tick, so nobody need tell it that one runs."""


class Listens:
    """What a server with a ``listener`` shows of it."""

    listener: Listener

    @property
    def started(self) -> anyio.Event:
        """Set once it listens."""
        return self.listener.started

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where it listens, as (host, port)."""
        return self.listener.addresses

    @property
    def clients(self) -> int:
        """Connections now."""
        return self.listener.clients

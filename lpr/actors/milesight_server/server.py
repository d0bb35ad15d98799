"""Milesight's TCP type as an actor: NVRs connect, log in, and get every passage.

One task accepts, one follows the log, one watches deadlines and acknowledgements, one tells the log. Each connection
has its own, so a slow one holds up nobody. What the log is told about clients (ClientServed) and about hostile input
(AbuseSeen) is bounded in rate, whatever the network does; what is held in memory is bounded by the configuration.
Wire: ``lpr.protocols.milesight``; rules of admission: ``admission``; what counts as served: ``ledger``.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``. Runs on asyncio and trio.
"""

from __future__ import annotations

import hmac
import socket
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import anyio

from lpr.actors.milesight_server.client import Client
from lpr.actors.milesight_server.positions import MAX_CLIENTS, PositionsDecider
from lpr.config import MilesightServer as Settings
from lpr.core.actor import Emit, recover, run_decider
from lpr.core.admission import Admission, RateTable
from lpr.core.blobs import BlobStore
from lpr.core.chronicle import Chronicle
from lpr.core.clock import SECOND, Clock
from lpr.core.delivery import Shipment
from lpr.core.feed import Feed, Pictures
from lpr.core.log import EventLog
from lpr.core.reception import Reception
from lpr.core.sending import Dropped
from lpr.core.sockets import listen, prepare, shown
from lpr.events import (
    ClientJoined,
    ClientLeft,
    ClientServed,
    Event,
    Micros,
    ServerListening,
)
from lpr.protocols.milesight.connection import ServerConnection
from lpr.protocols.milesight.messages import BadLogin, LoginRequest, encode_recognition
from lpr.protocols.milesight.passage import guid_of, metadata_of

WRONG_LOGINS = 30
"""Wrong log-ins a minute and address, over all its connections; then they are not even looked at."""

LOGINS = 240
"""Right log-ins a minute and address, so that a client which comes and goes does not fill the log; at least twice
``max_clients_per_address``, so that all of them can come back at once."""

SERVED_RATE = 50.0
"""ClientServed events a second at most, on average, over all clients."""

STOP_TIMEOUT = 3.0
"""Seconds for the last words to the log when the server is stopped."""

BACKLOG = 1024
CACHE = 32 * 1024 * 1024
"""Bytes of built passages kept for all clients of a server."""


class MilesightServer:
    """The actor. ``password``: what clients must send, not empty. ``lane_numbers``: camera (``source`` of a passage)
    to Milesight's ROI id, 1 to 4. ``cache``, ``logins``: see the constants. ``tick``: seconds between two looks at the
    deadlines. ``started``: set once the server listens; ``addresses``: where, as (host, port).

    ``run`` raises ListenError when the address cannot be had, with a text that names it and the remedy.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        password: str,
        log: EventLog,
        blobs: BlobStore,
        clock: Clock,
        lane_numbers: Mapping[str, int] | None = None,
        cache: int = CACHE,
        logins: int = LOGINS,
        tick: float = 1.0,
    ) -> None:
        if not password:
            raise ValueError(f"{settings.name}: no password; put one into a file and name it as password_file")
        self.name = settings.name
        self.clock = clock
        self.started = anyio.Event()
        self.addresses: tuple[tuple[str, int], ...] = ()
        self._settings = settings
        self._credentials = settings.user.encode(), password.encode()
        self._log = log
        self._lane_numbers = dict(lane_numbers or {})
        self._guid = guid_of(settings.device_id or log.log_id)
        self._tick = min(tick, settings.login_timeout / 2, settings.send_timeout / 2)
        self._cache = cache
        self._logins_a_minute = max(logins, 2 * settings.max_clients_per_address)
        self._blobs = blobs
        self._begin()

    def _begin(self) -> None:
        """Everything of one run, so that a supervisor may run the same actor again."""
        settings = self._settings
        self.feed = Feed(
            self._log,
            self._blobs,
            encode=self._encode,
            images=settings.images,
            cache=self._cache,
            server=self.name,
            noticed=self._tell,
        )
        self._admission = Admission(settings.max_clients, settings.max_clients_per_address)
        self._wrong = RateTable(WRONG_LOGINS)
        self._logins = RateTable(self._logins_a_minute)
        self._clients: dict[int, Client] = {}
        self._by_identity: dict[str, set[Client]] = {}
        self._positions: OrderedDict[str, int] = OrderedDict()
        self._told: dict[str, int] = {}
        self._tell_served_at = 0
        self._something_runs = anyio.Event()
        self._resume_floor: tuple[int, int] | None = None
        self._emit: Emit | None = None
        self._chronicle: Chronicle | None = None

    @property
    def clients(self) -> int:
        """Connections now, logged in or not."""
        return len(self._clients)

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled. Raises ListenError, LogUnavailable."""
        self._begin()
        self._emit = emit
        chronicle = self._chronicle = Chronicle(self.name, emit, self.clock)
        settings = self._settings
        sockets = await listen(self.name, settings.host, settings.port, min(BACKLOG, settings.max_clients))
        try:
            positions = PositionsDecider(self.name)
            self._positions.update((await recover(positions, self._log, self._log.head)).state.clients)
            self._told.update(self._positions)
            self.addresses = tuple(sock.getsockname()[:2] for sock in sockets)
            await emit([ServerListening(server=self.name, address=shown(sock)) for sock in sockets])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.feed.follow, self._wake_all)
                tasks.start_soon(self._watch)
                tasks.start_soon(chronicle.run)
                tasks.start_soon(partial(run_decider, positions, self._log, self.clock))
                reception = Reception(self.clock, self._turned_away, self._serve, self._offence, self._tick)
                for sock in sockets:
                    tasks.start_soon(reception.accept, sock, tasks)
                self.started.set()
        finally:
            for sock in sockets:
                sock.close()
            self._tell_positions(tuple(self._positions))
            with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                await chronicle.flush()

    # --- connections -----------------------------------------------------------------------------------

    def _turned_away(self, number: int, address: str) -> str | None:
        """Why a connection is closed at once, None when it may stay."""
        refused, evicted = self._admission.admit(number, address)
        if evicted is not None and evicted in self._clients:
            self._clients[evicted].drop("made room for another connection", "no log-in")
        return refused

    async def _serve(self, sock: socket.socket, number: int, address: str) -> None:
        settings = self._settings
        verdict = Dropped("stopped")
        client: Client | None = None
        if not self._admission.holds(number):
            sock.close()
            return
        try:
            prepare(sock, settings.buffer)
            connection = ServerConnection(max_message=settings.max_message, attempts=settings.login_attempts)
            client = Client(
                self,
                sock,
                number,
                address,
                connection,
                login_timeout=settings.login_timeout,
                send_timeout=settings.send_timeout,
                obedient=settings.registrations == "obey",
            )
            self._clients[number] = client
            self.stalled()
            verdict = await client.run()
        except OSError:
            return  # the connection was gone before it began
        finally:
            sock.close()
            self._admission.release(number)
            self._clients.pop(number, None)
            if client is not None:
                self._left(client, verdict)

    def _left(self, client: Client, verdict: Dropped) -> None:
        if verdict.offence:
            self._offence(verdict.offence, client.address)
        if client.identity is None:
            return
        connections = self._by_identity[client.identity]
        self._place(client.identity, self._reached(connections, self.clock.mono()))
        connections.remove(client)
        if not connections:
            del self._by_identity[client.identity]
        self._tell_positions((client.identity,))
        left = ClientLeft(
            server=self.name, client=client.identity, reason=verdict.reason, sent=client.sent, ignored=client.ignored
        )
        self._tell(left)

    def check(self, login: LoginRequest | BadLogin, address: str) -> str:
        """The result of a log-in: 200, 400 (no JSON with id and password), 401 (wrong), 429 (too many)."""
        now = self.clock.mono()
        if self._wrong.full(address, now):
            self._offence("too many wrong log-ins", address)
            return "429"
        if isinstance(login, BadLogin):
            self._wrong.note(address, now)
            self._offence("bad log-in", address)
            return "400"
        user, password = self._credentials
        right_user = hmac.compare_digest(login.user.encode("utf-8", "replace"), user)
        right_password = hmac.compare_digest(login.password.encode("utf-8", "replace"), password)
        if not (right_user and right_password):
            self._wrong.note(address, now)
            self._offence("wrong log-in", address)
            return "401"
        if self._logins.full(address, now):
            self._offence("too many log-ins", address)
            return "429"
        self._logins.note(address, now)
        return "200"

    async def join(self, client: Client, user: str) -> int:
        """Where the client goes on: behind what it had, a new one as configured. Durable before the client knows."""
        identity = f"{user}@{client.address}"
        head = self._log.head
        new = 0 if self._settings.new_clients == "beginning" else None
        known = self._positions.get(identity, new) if self._settings.resume else new
        position = head if known is None else max(min(known, head), await self._oldest_resumed(min(known, head)))
        assert self._emit is not None
        await self._emit([ClientJoined(server=self.name, client=identity, resumes_after=position)])
        self._admission.logged_in(client.number)
        client.identity = identity
        self._by_identity.setdefault(identity, set()).add(client)
        self._place(identity, position)
        self._told[identity] = position
        return position

    async def _oldest_resumed(self, known: int) -> int:
        """No position before this one: ``resume_limit`` passages follow it, a tenth more or less."""
        limit, head = self._settings.resume_limit, self._log.head
        if head - known <= limit:
            return known
        if self._resume_floor is None or head - self._resume_floor[0] > limit // 10:
            self._resume_floor = head, await self.feed.start_of_last(limit)
        return self._resume_floor[1]

    def _encode(self, shipment: Shipment, pictures: Pictures) -> bytes:
        passage, settings = shipment.decided, self._settings
        roi = self._lane_numbers.get(passage.source, 0)
        metadata = metadata_of(passage, guid=self._guid, roi=roi, plate_type=settings.plate_type)
        images = tuple(image for image in (pictures.plate, pictures.full) if image is not None)
        return encode_recognition(metadata, images, settings.revision)

    def _wake_all(self) -> None:
        for client in self._clients.values():
            client.wake()

    # --- deadlines and acknowledgements ----------------------------------------------------------------

    def stalled(self) -> None:
        """A deadline runs or an acknowledgement is awaited: watch."""
        self._something_runs.set()

    async def _watch(self) -> None:
        """Once a tick while something runs; asleep otherwise."""
        while True:
            self._something_runs = anyio.Event()
            if not self._busy():
                await self._something_runs.wait()
            await self.clock.sleep(self._tick)
            now = self.clock.mono()
            for client in self._clients.values():
                if client.deadline is not None and client.deadline <= now:
                    overdue = client.overdue()
                    client.drop(overdue.reason, overdue.offence)
                client.acknowledge(now)
            for identity, connections in self._by_identity.items():
                self._place(identity, self._reached(connections, now))
            if self._untold() and self._tell_served_at <= now:
                told = self._tell_positions(tuple(self._positions))
                self._tell_served_at = now + round(max(1.0, told / SERVED_RATE) * SECOND)

    def _busy(self) -> bool:
        waiting = any(client.deadline is not None or client.ledger.open for client in self._clients.values())
        return waiting or self._untold()

    def _reached(self, clients: Iterable[Client], now: Micros) -> int:
        """Up to where all these connections of one client are served: the slowest counts."""
        return min(client.ledger.served(now) for client in clients)

    def _place(self, identity: str, position: int) -> None:
        self._positions[identity] = position
        self._positions.move_to_end(identity)
        if len(self._positions) > MAX_CLIENTS:
            gone, _ = self._positions.popitem(last=False)
            self._told.pop(gone, None)

    # --- telling the log -------------------------------------------------------------------------------

    def _offence(self, kind: str, remote: str) -> None:
        if self._chronicle is not None:
            self._chronicle.offence(kind, remote)

    def _tell(self, event: Event) -> None:
        if self._chronicle is not None:
            self._chronicle.tell(event)

    def _untold(self) -> bool:
        return any(self._told.get(identity) != position for identity, position in self._positions.items())

    def _tell_positions(self, identities: Sequence[str]) -> int:
        """ClientServed for those that have come on since it was told last. Gives how many."""
        moved = [identity for identity in identities if self._told.get(identity) != self._positions[identity]]
        for identity in moved:
            self._told[identity] = self._positions[identity]
            self._tell(ClientServed(server=self.name, client=identity, upto=self._positions[identity]))
        return len(moved)

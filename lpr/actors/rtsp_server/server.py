"""The RTSP server as an actor: NVRs and players ask for streams and get them, by UDP, through the connection, over TLS.

One task accepts for each address, each connection has two, one watches deadlines, one tells the log. Frames take no
task at all: a stream hands each to the server once, which sends it to every viewer's socket; only for a viewer who
takes it not at once somebody waits. What is held in memory is bounded by the configuration, and what the log is told
(ClientJoined, ClientLeft, AbuseSeen) in its rate.

Signalling: ``lpr.protocols.rtsp``; answers: ``desk``; a session's packets: ``viewer``, ``relay``; slow viewers:
``outgoing``.

May import ``lpr.events``, ``lpr.config``, ``lpr.core``, ``lpr.media`` and ``lpr.protocols``. Runs on asyncio and trio.
"""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from collections.abc import Mapping
from functools import partial
from itertools import count

import anyio

from lpr.actors.rtsp_server.connection import Connection, Dropped
from lpr.actors.rtsp_server.desk import Desk
from lpr.actors.rtsp_server.relay import Relay
from lpr.actors.rtsp_server.udp import Peer, UdpPair, open_pair
from lpr.actors.rtsp_server.viewer import Outlet, Viewer
from lpr.actors.rtsp_server.wire import Wire
from lpr.config import Rtsp as Settings
from lpr.core.accounts import Accounts
from lpr.core.admission import Admission
from lpr.core.chronicle import Chronicle
from lpr.core.clock import Clock
from lpr.core.pipeline import Emit
from lpr.core.reception import Reception
from lpr.core.sockets import listen, prepare, shown
from lpr.events import ClientJoined, ClientLeft, ServerListening
from lpr.media.source import Presentations
from lpr.media.stream import MediaStream
from lpr.protocols.rtp.packet import RtpError
from lpr.protocols.rtp.rtcp import decode
from lpr.protocols.rtsp import Ports, Session, State, Tunnels

BACKLOG = 512
REALM = "lpr"
MAX_RELAYS = 128
"""Tracks whose counts are kept though nobody watches them just now: more than all that can be configured."""
SOCKET_BUFFER = 1_048_576
"""Bytes that may wait for one viewer in the kernel: more than a key frame, so that few frames need a second try."""


class RtspServer:
    """The actor. ``presentations``: the streams; ``accounts``: who may look on; ``device``: its name in descriptions.

    ``tls``: for RTSPS, needed when the settings have a ``tls`` section. ``tick``: seconds between two looks at the
    deadlines. ``started``: set once the server listens; ``addresses``, ``tls_addresses``: where, as (host, port).
    Raises ValueError when there is nothing to listen with. ``run`` raises ListenError when an address can't be had,
    with a text that names it and the remedy.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        presentations: Presentations,
        accounts: Accounts,
        clock: Clock,
        device: str = "Network Camera",
        tls: ssl.SSLContext | None = None,
        tick: float = 1.0,
    ) -> None:
        if settings.tls is None and not settings.plain:
            raise ValueError(f"{settings.name}: plain = false needs a tls section; add it, or set plain = true")
        if settings.tls is not None and tls is None:
            raise ValueError(f"{settings.name}: there is a tls section and no certificate was loaded")
        self.name = settings.name
        self.settings = settings
        self.clock = clock
        self.started = anyio.Event()
        self.addresses: tuple[tuple[str, int], ...] = ()
        self.tls_addresses: tuple[tuple[str, int], ...] = ()
        self._presentations = presentations
        self._accounts = accounts
        self._device = device
        self._tls = tls
        self._tick = min(tick, settings.login_timeout / 2, settings.send_timeout / 2, settings.request_timeout / 2)
        self._begin()

    def _begin(self) -> None:
        """Everything of one run, so that a supervisor may run the same actor again."""
        settings = self.settings
        self.tunnels: Tunnels[Connection] = Tunnels()
        self.desk = Desk(
            settings,
            self._presentations,
            self._accounts,
            self,
            self.clock,
            name=self._device,
            realm=REALM,
        )
        self._admission = Admission(settings.max_clients, settings.max_clients_per_address)
        self._connections: dict[int, Connection] = {}
        self._sessions: dict[str, Viewer] = {}
        self._per_address: Counter[str] = Counter()
        self._relays: dict[MediaStream, Relay] = {}
        self._reporters: dict[tuple[str, int], Viewer] = {}
        self._chronicle: Chronicle | None = None
        self._busy = anyio.Event()

    @property
    def connections(self) -> int:
        """Connections now, logged in or not."""
        return len(self._connections)

    @property
    def sessions(self) -> Mapping[str, Viewer]:
        """Sessions now by their ids, watched or not."""
        return self._sessions

    @property
    def viewers(self) -> int:
        """Sessions that are watched now."""
        return sum(viewer.session.state is State.PLAYING for viewer in self._sessions.values())

    async def run(self, emit: Emit) -> None:
        """Listen and serve until cancelled. Raises ListenError, LogUnavailable."""
        self._begin()
        settings = self.settings
        backlog = min(BACKLOG, settings.max_clients)
        chronicle = self._chronicle = Chronicle(self.name, emit, self.clock)
        listeners: list[tuple[socket.socket, ssl.SSLContext | None, UdpPair | None]] = []
        try:
            if settings.plain:
                for sock in await listen(self.name, settings.host, settings.port, backlog):
                    listeners.append((sock, None, None))
                for index, (sock, _, _) in enumerate(listeners if settings.udp else ()):
                    port = settings.udp_port
                    pair = open_pair(self.name, sock.family, str(sock.getsockname()[0]), port, self.clock)
                    listeners[index] = (sock, None, pair)
            self.addresses = tuple(sock.getsockname()[:2] for sock, _, _ in listeners)
            if settings.tls is not None:
                secure = await listen(self.name, settings.host, settings.tls_port, backlog)
                listeners += [(sock, self._tls, None) for sock in secure]
                self.tls_addresses = tuple(sock.getsockname()[:2] for sock in secure)
            await emit([ServerListening(server=self.name, address=shown(sock)) for sock, _, _ in listeners])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(chronicle.run)
                tasks.start_soon(self._watch)
                numbers = count(1)
                for sock, tls, udp in listeners:
                    serve = partial(self._serve, tls, udp)
                    reception = Reception(self.clock, self._turned_away, serve, self.offence, self._tick, numbers)
                    tasks.start_soon(reception.accept, sock, tasks)
                    if udp is not None:
                        tasks.start_soon(udp.listen, self._heard_by_udp)
                        tasks.start_soon(udp.pump)
                self.started.set()
        finally:
            for viewer in tuple(self._sessions.values()):
                self.end(viewer, "stopped")
            for sock, _, udp in listeners:
                sock.close()
                if udp is not None:
                    udp.close()
            with anyio.move_on_after(2.0, shield=True):
                await chronicle.flush()

    # --- connections -----------------------------------------------------------------------------------

    def _turned_away(self, number: int, address: str) -> str | None:
        """Why the connection is closed at once, None when it may stay."""
        refused, evicted = self._admission.admit(number, address)
        if evicted is not None and evicted in self._connections:
            self._connections[evicted].drop("made room for another connection", "no log-in")
        return refused

    async def _serve(
        self, tls: ssl.SSLContext | None, udp: UdpPair | None, sock: socket.socket, number: int, address: str
    ) -> None:
        connection: Connection | None = None
        verdict = Dropped("stopped")
        if not self._admission.holds(number):  # evicted before it was its turn
            sock.close()
            return
        try:
            prepare(sock, SOCKET_BUFFER)
            peer: Peer = sock.getpeername()
            connection = Connection(self, Wire(sock, tls), number, peer, udp)
            self._connections[number] = connection
            self._busy.set()
            verdict = await connection.run()
        except OSError:
            return  # the connection was gone before it began
        finally:
            sock.close()
            self._admission.release(number)
            self._connections.pop(number, None)
            if connection is not None:
                self._left(connection, verdict)

    def _left(self, connection: Connection, verdict: Dropped) -> None:
        """Its sessions end with it, but for those by UDP, which end when nothing is heard of their clients."""
        if verdict.offence:
            self.offence(verdict.offence, connection.address)
        for viewer in tuple(connection.viewers.values()):
            if viewer.session.interleaved or viewer.held or viewer.session.state is not State.PLAYING:
                self.end(viewer, verdict.reason)

    def known(self, connection: Connection) -> None:
        """See ``connection.Host``."""
        self._admission.logged_in(connection.number)

    # --- sessions --------------------------------------------------------------------------------------

    def viewer(self, session: Session, tracks: Mapping[int, MediaStream], outlet: Outlet) -> Viewer:
        """See ``connection.Host``."""
        return Viewer(session, tracks, outlet, self._relay, self._failed)

    def _relay(self, stream: MediaStream) -> Relay:
        relay = self._relays.get(stream)
        if relay is None:
            if len(self._relays) >= MAX_RELAYS:  # of streams that were replaced by others meanwhile
                self._relays = {known: one for known, one in self._relays.items() if one.viewers}
            every = self.settings.report_every
            relay = self._relays[stream] = Relay(stream, self.clock, every=every, cname=self._device)
        return relay

    def find(self, session: str) -> Viewer | None:
        """See ``desk.Floor``."""
        return self._sessions.get(session)

    def full(self, address: str) -> bool:
        """See ``desk.Floor``."""
        settings = self.settings
        return (
            len(self._sessions) >= settings.max_clients
            or self._per_address[address] >= settings.max_clients_per_address
        )

    def add(self, viewer: Viewer) -> None:
        """See ``desk.Floor``."""
        self._sessions[viewer.session.id] = viewer
        self._per_address[viewer.session.address] += 1
        self._busy.set()

    def joined(self, viewer: Viewer) -> None:
        """See ``desk.Floor``."""
        session = viewer.session
        for choice in session.tracks.values():
            if isinstance(choice, Ports):
                self._reporters[session.address, choice.rtcp] = viewer
        if self._chronicle is not None:
            self._chronicle.tell(ClientJoined(server=self.name, client=_identity(session), resumes_after=0))

    def end(self, viewer: Viewer, reason: str) -> None:
        """See ``desk.Floor``. A second call does nothing."""
        session = viewer.session
        if self._sessions.pop(session.id, None) is None:
            return
        if reason != "closed by client":
            viewer.farewell()
        viewer.stop()
        session.state = State.CLOSED
        self._per_address[session.address] -= 1
        if not self._per_address[session.address]:
            del self._per_address[session.address]
        for key in [key for key, reporter in self._reporters.items() if reporter is viewer]:
            del self._reporters[key]
        for connection in self._connections.values():
            connection.viewers.pop(session.id, None)
        if viewer.watched and self._chronicle is not None:
            left = ClientLeft(server=self.name, client=_identity(session), reason=reason, sent=viewer.sent)
            self._chronicle.tell(left)

    def _failed(self, viewer: Viewer, reason: str) -> None:
        """A stream can't go on: whoever watches it learns that by the end of his session, and asks again."""
        for connection in tuple(self._connections.values()):
            if viewer.session.id in connection.viewers and viewer.watched:
                connection.drop(f"the stream has ended: {reason}")
        self.end(viewer, f"the stream has ended: {reason}")

    def _heard_by_udp(self, host: str, port: int, data: bytes) -> None:
        """A receiver report refreshes its session; anything else is passed over."""
        viewer = self._reporters.get((host, port))
        if viewer is None:
            return
        try:
            decode(data)
        except RtpError:
            return
        viewer.session.heard(self.clock.mono())

    # --- deadlines and the log -------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Once a tick while there is anybody; asleep otherwise."""
        while True:
            if not self._connections and not self._sessions:
                self._busy = anyio.Event()
                await self._busy.wait()
            await self.clock.sleep(self._tick)
            now = self.clock.mono()
            for connection in tuple(self._connections.values()):
                overdue = connection.overdue(now)
                if overdue is not None:
                    connection.drop(overdue.reason, overdue.offence)
            for viewer in tuple(self._sessions.values()):
                session = viewer.session
                watching = session.interleaved and session.state is State.PLAYING
                if not watching and session.expires <= now:
                    self.end(viewer, "timed out")

    def offence(self, kind: str, remote: str) -> None:
        """See ``desk.Floor``."""
        if self._chronicle is not None:
            self._chronicle.offence(kind, remote)


def _identity(session: Session) -> str:
    return f"{session.user}@{session.address}/{session.stream}"

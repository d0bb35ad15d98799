"""One connection: its bytes in, its answers and frames out, its deadlines. Half of a tunnel is a connection, too.

The first message says what a connection is: RTSP itself; the GET of a tunnel, whose requests come through another
connection; or the POST of one, which brings them.

May import ``lpr.config``, ``lpr.core``, ``lpr.events``, ``lpr.media`` and ``lpr.protocols``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import anyio

from lpr.actors.rtsp_server.desk import Desk
from lpr.actors.rtsp_server.outgoing import Outgoing
from lpr.actors.rtsp_server.udp import Peer, UdpPair
from lpr.actors.rtsp_server.viewer import Outlet, Viewer
from lpr.actors.rtsp_server.wire import Wire
from lpr.config import Rtsp as Settings
from lpr.core.clock import SECOND, Clock
from lpr.events import Micros
from lpr.media.stream import MediaStream
from lpr.protocols.http_auth import Challenger
from lpr.protocols.rtsp import (
    Decoder,
    Interleaved,
    Parser,
    ProtocolError,
    Request,
    Response,
    Session,
    Tunnels,
    encode_response,
    http_refusal,
    opening,
    tunnel_cookie,
)

RECEIVE = 8192
GOODBYE = 1.0
"""Seconds for the last answer to a client who is sent away."""


class Dropped(Exception):
    """The connection has to end. ``reason``: for ClientLeft; ``offence``: how it is counted, "" when it is none."""

    def __init__(self, reason: str, offence: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.offence = offence


class Host(Protocol):
    """What a connection needs of its server."""

    @property
    def clock(self) -> Clock: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def desk(self) -> Desk: ...

    @property
    def tunnels(self) -> Tunnels[Connection]: ...

    def known(self, connection: Connection) -> None:
        """It has logged in and keeps its place."""
        ...

    def viewer(self, session: Session, tracks: Mapping[int, MediaStream], outlet: Outlet) -> Viewer: ...


class Connection:
    """``number``: unique in the server. ``peer``: the client; ``udp``: for its packets, None: no UDP.

    ``user``: who has logged in; ``viewers``: the sessions that were set up through it.
    """

    def __init__(self, host: Host, wire: Wire, number: int, peer: Peer, udp: UdpPair | None) -> None:
        settings, clock = host.settings, host.clock
        self.number = number
        self.address = str(peer[0])
        self.challenger: Challenger | None = None
        self.user: str | None = None
        self.viewers: dict[str, Viewer] = {}
        self.outgoing = Outgoing(wire.send, limit=settings.buffer, now=clock.mono, blocked=self._block)
        self._host = host
        self._wire = wire
        self._peer = peer
        self._udp = None if wire.secure else udp
        self._parser = Parser(max_head=settings.max_head, max_body=settings.max_body)
        self._scope = anyio.CancelScope()
        self._verdict: Dropped | None = None
        self._something = anyio.Event()
        self._drained = anyio.Event()
        self._answering = anyio.Lock()
        self._opened = clock.mono()
        self._heard = self._opened
        self._begun: Micros | None = None
        self._stays = False
        self._cookie: str | None = None
        self._inlet: Connection | None = None
        self._outlet: Connection | None = None
        self.local = wire.local

    @property
    def udp_ports(self) -> tuple[int, int] | None:
        """See ``desk.Caller``."""
        return None if self._udp is None or self._cookie is not None else self._udp.ports

    # --- from outside ----------------------------------------------------------------------------------

    def drop(self, reason: str, offence: str = "") -> None:
        """End the connection."""
        self._verdict = self._verdict or Dropped(reason, offence)
        self._scope.cancel()

    def known(self) -> None:
        """See ``desk.Caller``."""
        self._stays = True
        self._host.known(self)
        if self._inlet is not None:
            self._host.known(self._inlet)

    def viewer(self, session: Session, tracks: Mapping[int, MediaStream]) -> Viewer:
        """See ``desk.Caller``."""
        return self._host.viewer(session, tracks, Outlet(self.outgoing, self._lost, self._udp, self._peer))

    def overdue(self, now: Micros) -> Dropped | None:
        """Why a passed deadline ends this connection at ``now``; None: it goes on."""
        settings = self._host.settings
        if self.outgoing.since is not None and _passed(self.outgoing.since, settings.send_timeout, now):
            return Dropped("too slow", "too slow")
        if self._outlet is not None:
            return None  # the GET's deadlines count
        if not self._stays and _passed(self._opened, settings.login_timeout, now):
            return Dropped("did not log in in time", "no log-in")
        if self._begun is not None and _passed(self._begun, settings.request_timeout, now):
            return Dropped("half a request", "half request")
        if not self.viewers and _passed(self._heard, settings.idle_timeout, now):
            return Dropped("idle")
        return None

    # --- life ------------------------------------------------------------------------------------------

    async def run(self) -> Dropped:
        """Serve until the connection ends, and close it. Returns why; cancellation goes through."""
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._guarded, self._listen)
                    tasks.start_soon(self._guarded, self._talk)
            return self._verdict or Dropped("closed by client")
        finally:
            if self._cookie is not None and self._outlet is None:
                self._host.tunnels.remove(self._cookie, self.address)
            if self._inlet is not None:
                self._inlet.drop("the tunnel has ended")
            if self._outlet is not None:
                self._outlet.left(self)
            self._wire.close()

    async def _guarded(self, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part of the connection; its end is the connection's."""
        try:
            await part()
            self.drop("closed by client")
        except Dropped as dropped:
            self.drop(dropped.reason, dropped.offence)
        except (OSError, anyio.ClosedResourceError) as error:
            self.drop(f"connection lost: {error}")

    def _lost(self, error: OSError) -> None:
        self.drop(f"connection lost: {error}")

    # --- reading ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        await self._wire.handshake()
        while data := await self._wire.receive(RECEIVE):
            if self._cookie is not None:
                continue  # behind the GET nothing counts
            await self.take(data)
            if self._parser.raw:
                await self._carry()

    async def take(self, data: bytes) -> None:
        """Bytes of the client, through this connection or the POST of its tunnel. Raises Dropped."""
        async with self._answering:
            self._parser.feed(data)
            try:
                while (message := self._parser.next()) is not None:
                    self._heard = self._host.clock.mono()
                    self._begun = None
                    await self._handle(message)
            except ProtocolError as error:
                if error.status:
                    self._reply(encode_response(Response(error.status)))
                await self._say_goodbye()
                raise Dropped(f"protocol error: {error}", error.offence) from None
            if not self._parser.begun:
                self._begun = None
            elif self._begun is None:
                self._begun = self._host.clock.mono()

    async def _handle(self, message: Request | Response | Interleaved) -> None:
        if isinstance(message, Interleaved):
            for viewer in self.viewers.values():
                if message.channel in viewer.channels:
                    viewer.session.heard(self._heard)
            return
        if isinstance(message, Response):
            return
        if message.version.startswith("HTTP/"):
            await self._tunnel(message)
            return
        answer = await self._host.desk.answer(self, message)
        self._reply(encode_response(answer.response))
        if answer.then is not None:
            answer.then()
        if answer.close:
            await self._say_goodbye()
            raise Dropped("sent away")

    # --- tunnels ---------------------------------------------------------------------------------------

    async def _tunnel(self, request: Request) -> None:
        cookie = tunnel_cookie(request)
        if cookie is None or self._outlet is not None:
            await self._send_away(400, "Bad Request", "no tunnel")
            return
        if request.method == "GET":
            if not self._host.tunnels.add(cookie, self.address, self):
                await self._send_away(409, "Conflict", "bad tunnel")
            self._cookie = cookie
            settings = self._host.settings
            self._parser = Parser(max_head=settings.max_head, max_body=settings.max_body)
            self._reply(opening())
            return
        outlet = self._host.tunnels.find(cookie, self.address)
        if outlet is None:
            await self._send_away(404, "Not Found", "bad tunnel")
            return
        self._outlet = outlet
        outlet.enter(self)

    async def _send_away(self, status: int, reason: str, offence: str) -> None:
        self._reply(http_refusal(status, reason))
        await self._say_goodbye()
        raise Dropped(f"{status} {reason}", offence)

    def enter(self, inlet: Connection) -> None:
        """A POST brings this tunnel's requests from now on; one before it is done."""
        if self._inlet is not None:
            self._inlet.drop("another POST has come")
        self._inlet = inlet
        if self._stays:
            self._host.known(inlet)

    def left(self, inlet: Connection) -> None:
        """A POST has ended; another one may come."""
        if self._inlet is inlet:
            self._inlet = None

    async def _carry(self) -> None:
        """The rest of a POST's life: what it brings goes to the GET's connection."""
        outlet, decoder = self._outlet, Decoder()
        data = self._parser.take_raw()
        while outlet is not None:
            if data:
                try:
                    await outlet.take(decoder.feed(data))
                except ProtocolError as error:
                    outlet.drop(f"protocol error: {error}", error.offence)
                except Dropped as dropped:
                    outlet.drop(dropped.reason, dropped.offence)
            data = await self._wire.receive(RECEIVE)
            if not data:
                return

    # --- writing ---------------------------------------------------------------------------------------

    def _reply(self, data: bytes) -> None:
        if not self.outgoing.reply(data):
            raise Dropped("replies unread", "replies unread")

    def _block(self) -> None:
        self._something.set()

    async def _talk(self) -> None:
        """Send on what waits whenever there is room again."""
        while True:
            await self._something.wait()
            self._something = anyio.Event()
            while True:
                await self._wire.writable()
                choked = self.outgoing.choked
                if self.outgoing.flush():
                    break
            self._drained.set()
            if choked:
                for viewer in self.viewers.values():
                    viewer.drained()

    async def _say_goodbye(self) -> None:
        """Let the last answer out before the connection closes."""
        with anyio.move_on_after(GOODBYE):
            while not self.outgoing.flush():
                self._drained = anyio.Event()
                await self._drained.wait()
        self._wire.end()


def _passed(since: Micros, seconds: float, now: Micros) -> bool:
    return now - since >= round(seconds * SECOND)

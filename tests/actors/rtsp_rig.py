"""An RTSP server on loopback with streams that a test feeds, and clients for it; time is moved by hand. Any backend."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
import anyio.abc
import msgspec

from lpr.actors.rtsp_server import RtspServer
from lpr.config import Rtsp as Settings
from lpr.config import RtspStream
from lpr.core.accounts import Account, Accounts
from lpr.core.clock import Clock, ManualClock
from lpr.core.pipeline import Emit
from lpr.core.record import Record
from lpr.events import Event
from lpr.media.source import Presentation
from lpr.media.stream import MediaStream, MediaUnavailable, Packets, Track
from lpr.protocols.http_auth import Authenticator
from lpr.protocols.rtsp import Interleaved, Parser, Request, Response, encode_request
from tests.actors.plain_sockets import PATIENCE, ByTurns, SocketClient, dial

PASSWORD = "quite secret"
E = TypeVar("E", bound=Event)
LINES = {
    "video": ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1"),
    "audio": ("m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000"),
    "metadata": ("m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000"),
}


class FedStream(MediaStream):
    """A track whose frames the test gives. ``asked``: how often a key frame was asked for."""

    def __init__(self, name: str, clock: Clock, kind: str = "video") -> None:
        super().__init__(name, clock, {"video": 96, "audio": 0, "metadata": 107}[kind], 90000)
        self.kind = kind
        self.asked = 0
        self.starts = 0
        self.stops = 0
        self.problem = ""

    async def track(self) -> Track:
        if self.problem:
            raise MediaUnavailable(self.problem)
        codec = {"video": "H264", "audio": "PCMU", "metadata": "vnd.onvif.metadata"}[self.kind]
        return Track("video", codec, self.payload_type, self.clock_rate, LINES[self.kind])

    def started(self) -> None:
        self.starts += 1

    def stopped(self) -> None:
        self.stops += 1

    def request_key_frame(self) -> None:
        self.asked += 1

    def give(self, payload: bytes = b"frame", *, key: bool = True, parts: int = 1) -> Packets:
        """One frame for everybody."""
        now = self.clock.mono()
        return self.deliver([payload] * parts, key=key, at=self.clock.wall(), timestamp=self.timestamp(now))


class Room:
    """``main`` has all three tracks, ``sub`` pictures alone."""

    def __init__(self, clock: Clock) -> None:
        self.video = FedStream("main", clock)
        self.audio = FedStream("main.audio", clock, "audio")
        self.metadata = FedStream("main.metadata", clock, "metadata")
        self.sub = FedStream("sub", clock)
        self.found = {
            "main": Presentation("main", "gate", RtspStream(), self.video, self.audio, self.metadata),
            "sub": Presentation("sub", "gate", RtspStream(name="sub"), self.sub),
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.found)

    def presentation(self, name: str) -> Presentation | None:
        return self.found.get(name)


class Client(SocketClient):
    """A viewer over a plain socket. ``session``: as SETUP named it."""

    def __init__(self, sock: socket.socket, base: str) -> None:
        super().__init__(sock)
        self.base = base
        self.parser = Parser(max_frame=65535, max_body=65535)
        self.login = Authenticator("nvr", PASSWORD)
        self.sequence = 0
        self.session = ""
        self.frames: list[Interleaved] = []

    async def next(self) -> Response | Interleaved | None:
        """The next message, None at the end."""
        while True:
            message = self.parser.next()
            if isinstance(message, Response | Interleaved):
                return message
            data = await self.receive()
            if not data:
                return None
            self.parser.feed(data)

    async def answer(self) -> Response:
        """The next answer; frames before it go to ``frames``."""
        while True:
            message = await self.next()
            assert message is not None, "the server closed"
            if isinstance(message, Response):
                return message
            self.frames.append(message)

    async def frame(self) -> Interleaved:
        """The next frame."""
        if self.frames:
            return self.frames.pop(0)
        message = await self.next()
        assert isinstance(message, Interleaved), message
        return message

    def request(self, method: str, path: str = "", *headers: tuple[str, str], body: bytes = b"") -> Request:
        """The next request; the session and the log-in are added."""
        self.sequence += 1
        url = path if path == "*" else self.base + path
        own = [("CSeq", str(self.sequence))]
        if self.session:
            own.append(("Session", self.session))
        login = self.login.answer(method, url, "cnonce")
        if login is not None:
            own.append(("Authorization", login))
        return Request(method, url, headers=(*own, *headers), body=body)

    async def ask(self, method: str, path: str = "", *headers: tuple[str, str], body: bytes = b"") -> Response:
        """The answer to a request, which is sent again with a log-in when one is asked for."""
        await self.send(encode_request(self.request(method, path, *headers, body=body)))
        answer = await self.answer()
        if answer.status == 401 and self.login.challenged(answer.all("WWW-Authenticate")):
            await self.send(encode_request(self.request(method, path, *headers, body=body)))
            answer = await self.answer()
        return answer

    async def set_up(self, path: str, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Response:
        """A track; the session is kept."""
        answer = await self.ask("SETUP", path, ("Transport", transport))
        if answer.status == 200:
            self.session = (answer.header("Session") or "").partition(";")[0]
        return answer

    async def watch(self, path: str = "main/trackID=0") -> None:
        """Through the connection, up to where PLAY has been sent."""
        assert (await self.set_up(path)).status == 200
        await self.send(encode_request(self.request("PLAY", re.sub(r"trackID=\d+$", "", path))))


@dataclass
class Rig(ByTurns):
    """What a test has in hand. ``told``: what the log was told."""

    clock: ManualClock
    room: Room
    tasks: anyio.abc.TaskGroup
    told: list[Event] = field(default_factory=list[Event])
    sockets: list[socket.socket] = field(default_factory=list[socket.socket])

    async def start(
        self,
        settings: Mapping[str, object] | None = None,
        *,
        emit: Emit | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> RtspServer:
        """A server that listens at any free port."""
        made = msgspec.convert({"port": 0, "tls_port": 0, **(settings or {})}, Settings)
        accounts = Accounts([Account("nvr", "operator", PASSWORD), Account("other", "user", PASSWORD)])
        server = RtspServer(made, presentations=self.room, accounts=accounts, clock=self.clock, device="Gate", tls=tls)
        self.tasks.start_soon(server.run, emit or self.emit)
        with anyio.fail_after(PATIENCE):
            await server.started.wait()
        return server

    async def emit(self, events: Sequence[Event]) -> tuple[Record, ...]:
        """In the log's place."""
        self.told += events
        return ()

    async def connect(self, server: RtspServer, *, receive_buffer: int = 0) -> Client:
        """A connection that has said nothing yet."""
        host, port = server.addresses[0]
        sock = await dial(server.addresses[0], receive_buffer=receive_buffer)
        self.sockets.append(sock)
        return Client(sock, f"rtsp://{f'[{host}]' if ':' in host else host}:{port}/")

    def udp(self, host: str = "127.0.0.1") -> socket.socket:
        """A UDP socket of a client."""
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sockets.append(sock)
        sock.setblocking(False)
        sock.bind((host, 0))
        return sock

    def of(self, kind: type[E]) -> list[E]:
        """What the log was told of one kind."""
        return [event for event in self.told if isinstance(event, kind)]


async def packet(sock: socket.socket) -> bytes:
    """The next datagram."""
    with anyio.fail_after(PATIENCE):
        while True:
            try:
                return sock.recv(65536)
            except BlockingIOError:
                await anyio.wait_readable(sock)


async def play(r: Rig, client: Client, path: str = "main/trackID=0") -> None:
    """Watch a stream through the connection: PLAY is answered with the first frame."""
    await client.watch(path)
    stream = r.room.sub if path.startswith("sub") else r.room.video
    await r.until(lambda: stream.viewers > 0)
    await r.settle()
    stream.give(b"first")
    answer = await client.answer()
    assert answer.status == 200


@asynccontextmanager
async def rig() -> AsyncGenerator[Rig]:
    """A clock and streams; everything is closed at the end."""
    clock = ManualClock()
    async with anyio.create_task_group() as tasks:
        made = Rig(clock, Room(clock), tasks)
        try:
            yield made
        finally:
            tasks.cancel_scope.cancel()
            for sock in made.sockets:
                sock.close()

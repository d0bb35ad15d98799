"""A Milesight server on loopback with a log of its own, and clients for it; time is moved by hand. Any backend."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import anyio
import anyio.abc
import anyio.lowlevel
import msgspec
from msgspec.structs import replace

from lpr.actors.milesight_server import MilesightServer
from lpr.config import MilesightServer as Settings
from lpr.core.actor import Emit, emitter
from lpr.core.blobs import BlobStore
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.events import Event, PassageSigned, Picture
from lpr.protocols.milesight import ClientConnection, LoginReply, Recognition
from tests.actors.plain_sockets import PATIENCE, ByTurns, SocketClient, dial
from tests.protocols.milesight.samples import PASSAGE

PASSWORD = "quite secret"
E = TypeVar("E", bound=Event)


class CountingBlobs(BlobStore):
    """Counts reads."""

    reads = 0

    async def get(self, blob: str) -> bytes:
        self.reads += 1
        return await super().get(blob)


class Listening(Protocol):
    """Any server that says where it listens."""

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]: ...


class Client(SocketClient):
    """An NVR over a plain socket."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.connection = ClientConnection()

    async def log_in(self, user: str = "admin", password: str = PASSWORD) -> str:
        """The result that the server gives."""
        await self.send(self.connection.log_in(user, password))
        message = await self.next()
        assert isinstance(message, LoginReply)
        return message.result

    async def next(self) -> object:
        """The next message, None at the end."""
        while True:
            message = self.connection.next_message()
            if message is not None:
                return message
            data = await self.receive()
            if not data:
                return None
            self.connection.receive(data)

    async def passages(self, count: int) -> list[Recognition]:
        """The next ``count`` passages."""
        found: list[Recognition] = []
        while len(found) < count:
            message = await self.next()
            assert isinstance(message, Recognition), message
            found.append(message)
        return found

    async def plates(self, count: int) -> list[str]:
        """The plates of the next ``count`` passages."""
        return [passage.metadata.plate for passage in await self.passages(count)]


@dataclass
class Rig(ByTurns):
    """What a test has in hand."""

    folder: Path
    log: EventLog
    blobs: CountingBlobs
    clock: ManualClock
    tasks: anyio.abc.TaskGroup
    clients: list[Client]

    def server(
        self, settings: Mapping[str, object], *, password: str = PASSWORD, cache: int = 1 << 20
    ) -> MilesightServer:
        """A server that does not run yet, at any free port unless ``settings`` say otherwise."""
        return MilesightServer(
            msgspec.convert({"port": 0, **settings}, Settings),
            password=password,
            log=self.log,
            blobs=self.blobs,
            clock=self.clock,
            lane_numbers={"gate": 2},
            cache=cache,
        )

    async def start(self, *, emit: Emit | None = None, cache: int = 1 << 20, **settings: object) -> MilesightServer:
        """A server that listens. ``emit``: stands between the server and the log, to make the log fail."""
        server = self.server(settings, cache=cache)
        self.tasks.start_soon(server.run, emit or emitter(self.log, server.name))
        with anyio.fail_after(PATIENCE):
            await server.started.wait()
        return server

    async def connect(self, server: Listening, *, receive_buffer: int = 0) -> Client:
        """A connection that has said nothing yet."""
        client = Client(await dial(server.addresses[0], receive_buffer=receive_buffer))
        self.clients.append(client)
        return client

    async def join(self, server: MilesightServer, *, receive_buffer: int = 0) -> Client:
        """A connection that is logged in."""
        client = await self.connect(server, receive_buffer=receive_buffer)
        assert await client.log_in() == "200"
        return client

    async def passage(self, plate: str, *, full: bytes | None = b"full", crop: bytes | None = b"plate") -> int:
        """A passage in the log; None for a picture: there is none. Gives the PassageSigned's number."""
        pictures = [
            Picture(blob=await self.blobs.put(data) if data else "", width=1280, height=720, bytes=len(data or b""))
            for data in (full, crop)
        ]
        (decided,) = await self.log.append([replace(PASSAGE, plate=plate)], actor="voter")
        signed = PassageSigned(
            passage=decided.id, plate=plate, at=PASSAGE.at, picture=pictures[0], plate_picture=pictures[1], key=""
        )
        return (await self.log.append([signed], actor="signer"))[0].seq

    async def told(self, kind: type[E], count: int = 1) -> list[E]:
        """The events of ``kind`` as soon as there are ``count`` of them; the clock is moved on while waiting."""
        with anyio.fail_after(PATIENCE):
            while True:
                found = await self.events(kind)
                if len(found) >= count:
                    return found
                self.clock.advance(0.25)
                await anyio.lowlevel.checkpoint()

    async def events(self, kind: type[E]) -> list[E]:
        """All events of ``kind`` so far."""
        records = await self.log.read(0, types={kind.__name__}, limit=100_000)
        return [record.event for record in records if isinstance(record.event, kind)]


@asynccontextmanager
async def rig(folder: Path) -> AsyncGenerator[Rig]:
    """A log, a blob store and a clock; everything is closed at the end."""
    clock = ManualClock()
    clients: list[Client] = []
    async with EventLog.open(folder / "log.db", clock, offload=inline) as log:
        try:
            async with anyio.create_task_group() as tasks:
                yield Rig(folder, log, CountingBlobs(folder / "blobs", inline), clock, tasks, clients)
                tasks.cancel_scope.cancel()
        finally:
            for client in clients:
                client.close()

"""Neural Labs' servers over the log of ``milesight_rig``: readers, and a camera that a test plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import anyio
import anyio.lowlevel
import msgspec

from lpr.actors.neural import NeuralServer, NeuralTriggerServer
from lpr.config import NeuralServer as ServerSettings
from lpr.config import NeuralTrigger as TriggerSettings
from lpr.core.actor import Emit, emitter
from lpr.core.shutter import Shot, Shutter, ShutterRefused
from lpr.events import Character, Exposure, Picture, Reading
from lpr.protocols.neural import MessageReader, Received
from tests.actors.milesight_rig import Client, Rig
from tests.actors.plain_sockets import PATIENCE

AT = 1_706_767_205_509_999


async def start_server(r: Rig, *, emit: Emit | None = None, cache: int = 1 << 20, **settings: object) -> NeuralServer:
    """A socket server that listens."""
    server = NeuralServer(
        msgspec.convert({"port": 0, **settings}, ServerSettings),
        log=r.log,
        blobs=r.blobs,
        clock=r.clock,
        lane_numbers={"gate": 2},
        cache=cache,
        tick=0.25,
    )
    r.tasks.start_soon(server.run, emit or emitter(r.log, server.name))
    with anyio.fail_after(PATIENCE):
        await server.started.wait()
    return server


async def passage(r: Rig, plate: str, *, full: bytes | None = b"\xff\xd8full", crop: bytes = b"\xff\xd8plate") -> None:
    """A passage in the log, its pictures beginning as JPEGs do."""
    await r.passage(plate, full=full, crop=crop)


async def messages(client: Client, count: int) -> list[Received]:
    """The next ``count`` messages that ``client`` is sent; each must be understood without a deviation."""
    reader = MessageReader()
    found: list[Received] = []
    while len(found) < count:
        data = await client.receive()
        assert data, "the server has closed"
        reader.feed(data)
        for message in reader.messages():
            assert isinstance(message, Received)
            assert message.deviations == ()
            found.append(message)
    return found


def reading(text: str, confidence: float = 0.9) -> Reading:
    """A reading of ``text``."""
    return Reading(
        text=text,
        confidence=confidence,
        characters=tuple(Character(char=char, confidence=confidence) for char in text),
        box=(10.0, 20.0, 110.0, 50.0),
        corners=((10, 20), (110, 20), (110, 50), (10, 50)),
        country="BE",
    )


@dataclass
class Camera:
    """Stands where a ``Shutter`` does. ``readings``: what it will see; ``refuses``: why it won't; ``fired``: why."""

    picture: Picture = field(default_factory=lambda: Picture(blob="0" * 64, width=1280, height=720, bytes=9))
    readings: tuple[tuple[int, Reading], ...] = ()
    refuses: str = ""
    fired: list[str] = field(default_factory=list[str])
    camera: str = "gate"

    async def fire(self, trigger: str, reason: str, *, exposures: int = 1, timeout: float = 10.0) -> Shot:
        del timeout
        self.fired.append(f"{trigger}: {reason}")
        await anyio.lowlevel.checkpoint()
        if self.refuses:
            raise ShutterRefused(self.refuses)
        taken = tuple(Exposure(at=AT + index, position=index, picture=self.picture) for index in range(exposures))
        return Shot(capture=f"gate@{AT}", at=AT, exposures=taken, readings=self.readings)


async def start_trigger(r: Rig, camera: Camera, **settings: object) -> NeuralTriggerServer:
    """A trigger server that listens."""
    server = NeuralTriggerServer(
        msgspec.convert({"port": 0, **settings}, TriggerSettings),
        shutter=cast("Shutter", camera),
        log=r.log,
        blobs=r.blobs,
        clock=r.clock,
        lane="1",
        lane_numbers={"gate": 2},
        tick=0.25,
    )
    r.tasks.start_soon(server.run, emitter(r.log, server.name))
    with anyio.fail_after(PATIENCE):
        await server.started.wait()
    return server

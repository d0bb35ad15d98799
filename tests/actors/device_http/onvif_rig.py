"""ONVIF's part over the device's HTTP server, with the streams of ``tests.protocols.onvif.worlds``."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from lpr.actors.device_http.onvif import Memory, OnvifPart
from lpr.config import DeviceHttp, Onvif
from lpr.core.clock import Clock, SystemClock
from lpr.core.log import EventLog
from lpr.media.stream import MediaUnavailable
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.model import Added, Encoding, Stream, World
from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.operations import Service
from lpr.protocols.onvif.security import digest
from lpr.protocols.onvif.tree import element, write
from tests.actors.device_http.rig import ACCOUNTS, Rig, serving
from tests.protocols.onvif.worlds import DEVICE, FINE, MAIN, SUB, analytics

JPEG = b"\xff\xd8 a picture \xff\xd9"


class FakeEncoders:
    """Streams that may be changed. ``applied``: what was wished, each time."""

    def __init__(self) -> None:
        self.applied: list[tuple[Encoding, ...]] = []

    def base(self, stream: str) -> str:
        return f"base of {stream}"

    def apply(self, added: Added) -> None:
        self.applied.append(added.encodings)


@dataclass
class OnvifRig:
    """``rig``: the server; ``part``: what is mounted there. ``key_frames``: streams that were asked for one."""

    rig: Rig
    part: OnvifPart
    memory: Memory
    clock: Clock
    encoders: FakeEncoders
    key_frames: list[str] = field(default_factory=list[str])
    count: int = 0

    def envelope(
        self, body: Element, account: str | None, *, created: str | None = None, nonce: bytes | None = None
    ) -> bytes:
        """A request with a UsernameToken."""
        header = None
        if account is not None:
            self.count += 1
            nonce = nonce or self.count.to_bytes(16, "big")
            created = created or moment(self.clock.wall())
            header = token(account, ACCOUNTS.password_of(account) or "?", nonce, created)
        return write(element("env:Envelope", header, element("env:Body", body)))

    async def post(
        self, data: bytes, path: str = "onvif/device_service", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, list[str]]:
        """(status, body, challenges)."""
        async with self.rig.session.post(self.rig.url + path, data=data, headers=headers) as response:
            challenges = response.headers.getall("WWW-Authenticate", [])
            return response.status, await response.read(), challenges

    async def call(self, name: str, *children: Element, account: str | None = "nvr") -> tuple[int, Element]:
        """(status, element in the body of the answer)."""
        status, data, _ = await self.post(self.envelope(element(name, *children), account))
        return status, soap.parse(data).body


def token(user: str, password: str, nonce: bytes, created: str, kind: str = "PasswordDigest") -> Element:
    """The header with a UsernameToken."""
    name = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#" + kind
    word = digest(nonce, created, password) if kind == "PasswordDigest" else password
    made = element(
        "wsse:UsernameToken",
        element("wsse:Username", user),
        element("wsse:Password", word, Type=name),
        element("wsse:Nonce", base64.b64encode(nonce).decode()),
        element("wsu:Created", created),
    )
    security = element("wsse:Security", made, env__mustUnderstand="1")
    return element("env:Header", security)


def moment(wall: int) -> str:
    """µs since 1970 as xs:dateTime."""
    return datetime.fromtimestamp(wall / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def subcodes(fault: Element) -> list[str]:
    """The fault's codes, outer first."""
    return [(node.text or "") for node in fault.iter(q("env:Value"))]


@asynccontextmanager
async def onvif(
    folder: Path,
    settings: Onvif | None = None,
    *,
    streams: Sequence[Stream] = (MAIN, SUB, FINE),
    further: Sequence[Service] = (),
    configured: Callable[[str, str], None] = lambda token, kind: None,
    clock: Clock | None = None,
    log: EventLog | None = None,
    http: DeviceHttp | None = None,
    read_timeout: float = 30.0,
) -> AsyncGenerator[OnvifRig, None]:
    """The server with ONVIF's part alone."""
    clock = clock or SystemClock()
    if log is None:
        async with (
            EventLog.open(folder / "events.db", clock) as opened,
            onvif(
                folder,
                settings,
                streams=streams,
                further=further,
                configured=configured,
                clock=clock,
                log=opened,
                http=http,
                read_timeout=read_timeout,
            ) as rig,
        ):
            yield rig
        return
    key_frames: list[str] = []
    memory = Memory(log)
    world = World(
        DEVICE, lambda: streams, lambda: memory.added, analytics, lambda stream: key_frames.append(stream.name)
    )

    async def snapshot(stream: Stream) -> bytes:
        if stream.name == "fine":
            raise MediaUnavailable("camera gate has no picture yet")
        return JPEG + stream.name.encode()

    encoders = FakeEncoders()
    part = OnvifPart(
        settings or Onvif(),
        world,
        memory,
        clock=clock,
        snapshot=snapshot,
        further=further,
        encoders=encoders,
        configured=configured,
        read_timeout=read_timeout,
    )
    async with serving(folder, [part], http, clock=clock, log=log) as rig:
        yield OnvifRig(rig, part, memory, clock, encoders, key_frames)

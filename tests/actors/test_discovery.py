"""WS-Discovery on loopback: heard when it starts, found by multicast and by its address, silent when that is wanted."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from lpr.actors.discovery import Discovery
from lpr.core.clock import SystemClock
from lpr.core.interfaces import Found, NoInterfaceError, gateway, interface, interfaces, resolvers
from lpr.core.record import Record
from lpr.core.sockets import ListenError
from lpr.events import Event, ServerListening
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.discovery import GROUP, Shown
from tests.protocols.onvif.test_discovery import ENDPOINT, SCOPES, probe
from tests.protocols.onvif.worlds import texts

pytestmark = pytest.mark.anyio
LOOPBACK = Found("lo", "127.0.0.1", 8)


def no_multicast() -> str:
    """Why loopback can't be tested here, "" when it can."""
    try:
        with listener(0) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            one.settimeout(2)
            other.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            other.sendto(b"x", (GROUP, one.getsockname()[1]))
            one.recv(1)
    except OSError as error:
        return f"no multicast on loopback: {error}"
    return ""


def listener(port: int) -> socket.socket:
    """A socket in the group."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((GROUP, port))
    both = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, both)
    return sock


@pytest.fixture(scope="module", autouse=True)
def multicast() -> None:
    why = no_multicast()
    if why:
        pytest.skip(why)


class Prompt(SystemClock):
    """No chance: answers go at once."""

    def jitter(self) -> float:
        return 0.0


class Changes:
    """What an administrator does."""

    def __init__(self) -> None:
        self.version = 1
        self.discoverable = True
        self._changed = anyio.Event()

    async def load(self) -> None:
        return

    async def wait(self, version: int) -> None:
        while self.version == version:
            await self._changed.wait()

    def change(self, discoverable: bool) -> None:
        self.version += 1
        self.discoverable = discoverable
        self._changed.set()
        self._changed = anyio.Event()


class Rig:
    """``ear``: hears the group; ``client``: asks."""

    def __init__(self, port: int, ear: socket.socket, changes: Changes) -> None:
        self.port = port
        self.ear = ear
        self.changes = changes
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.setblocking(False)
        self.client.bind(("127.0.0.1", 0))
        self.client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))

    async def heard(self, name: str) -> soap.Request:
        """The next message of that name in the group."""
        return await self._next(self.ear, name)

    async def answered(self, name: str = "ProbeMatches") -> soap.Request:
        return await self._next(self.client, name)

    async def _next(self, sock: socket.socket, name: str) -> soap.Request:
        with anyio.fail_after(20):
            while True:
                await anyio.wait_readable(sock)
                found = soap.parse(sock.recv(65_536))
                if found.operation == name:
                    return found


@asynccontextmanager
async def discovering(events: list[Event] | None = None) -> AsyncGenerator[Rig, None]:
    ear = listener(0)
    ear.setblocking(False)
    port = ear.getsockname()[1]
    changes = Changes()
    actor = Discovery(
        [LOOPBACK],
        endpoint=ENDPOINT,
        shown=lambda: Shown(SCOPES, changes.version, changes.discoverable),
        address=lambda own: f"http://{own}:8000/onvif/device_service",
        changes=changes,
        clock=Prompt(),
        rate=20,
        port=port,
    )
    told = [] if events is None else events

    async def emit(found: Sequence[Event]) -> tuple[Record, ...]:
        told.extend(found)
        return ()

    rig = Rig(port, ear, changes)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.run, emit)
            with anyio.fail_after(20):
                await actor.listening.wait()
            yield rig
            tasks.cancel_scope.cancel()
        if changes.discoverable:
            assert (await rig.heard("Bye")).operation == "Bye"
    finally:
        ear.close()
        rig.client.close()


async def test_it_says_hello_and_is_found_by_multicast_and_by_its_address() -> None:
    events: list[Event] = []
    async with discovering(events) as rig:
        hello = await rig.heard("Hello")
        assert texts(hello.body, "d:XAddrs") == ["http://127.0.0.1:8000/onvif/device_service"]
        rig.client.sendto(probe("dn:NetworkVideoTransmitter", number=1), (GROUP, rig.port))
        assert texts((await rig.answered()).body, "a:Address") == [ENDPOINT]
        rig.client.sendto(probe(number=2), ("127.0.0.1", rig.port))
        assert texts((await rig.answered()).body, "a:Address") == [ENDPOINT]
    assert events == [ServerListening(server="discovery", address=f"127.0.0.1:{rig.port}")]


async def test_noise_is_passed_over() -> None:
    async with discovering() as rig:
        for noise in (b"", b"\xff" * 2000, b"x" * 20_000, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"):
            rig.client.sendto(noise, ("127.0.0.1", rig.port))
        rig.client.sendto(probe(number=3), ("127.0.0.1", rig.port))
        await rig.answered()


async def test_changes_are_told_and_silence_is_kept() -> None:
    async with discovering() as rig:
        await rig.heard("Hello")
        rig.changes.change(True)
        while texts((await rig.heard("Hello")).body, "d:MetadataVersion") != ["2"]:
            pass
        rig.changes.change(False)
        await rig.heard("Bye")
        rig.changes.change(True)
        await rig.heard("Hello")
        rig.client.sendto(probe(number=5), ("127.0.0.1", rig.port))
        assert texts((await rig.answered()).body, "d:MetadataVersion") == ["4"]


async def test_a_taken_port_is_named_with_its_remedy() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        actor = Discovery(
            [LOOPBACK],
            endpoint=ENDPOINT,
            shown=lambda: Shown(SCOPES, 1),
            address=str,
            changes=Changes(),
            clock=Prompt(),
            rate=20,
            port=taken.getsockname()[1],
        )

        async def emit(_found: Sequence[Event]) -> tuple[Record, ...]:
            raise AssertionError("it does not listen")

        with pytest.raises(ListenError, match=r"127\.0\.0\.1.*onvif\.interfaces"):
            await actor.run(emit)


async def test_this_computers_network_is_read() -> None:
    found = interfaces()
    assert any(one.address == "127.0.0.1" and one.prefix == 8 for one in found)
    assert interface("127.0.0.1") == interface(interface("127.0.0.1").name)
    with pytest.raises(NoInterfaceError, match=r"nonesuch.*127\.0\.0\.1"):
        interface("nonesuch")
    servers, _ = resolvers()
    assert all(isinstance(server, str) for server in servers)
    assert gateway() is None or gateway()

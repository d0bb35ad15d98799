"""WS-Discovery on the configured interfaces: NVRs find this device by multicast.

Two sockets an interface: one in the multicast group, that hears what comes in there alone, one at its address, which
hears what is sent to it and sends everything. Answers wait a moment by chance, at most ``MAX_WAITING`` at a time. A
Hello goes out at the start and when scopes change, a Bye at the end. Wire: ``lpr.protocols.onvif.discovery``.
May import ``lpr.core``, ``lpr.events`` and ``lpr.protocols``. Runs on asyncio and trio.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from lpr.core.clock import Clock
from lpr.core.interfaces import Found
from lpr.core.pipeline import Emit
from lpr.core.sockets import ListenError
from lpr.events import ServerListening
from lpr.protocols.onvif.discovery import GROUP, MAX_DATAGRAM, MAX_DELAY, PORT, Responder, Shown

MAX_WAITING = 64
"""Answers that wait for their moment; further questions are passed over meanwhile."""
REPEATS = 2
"""How often a Hello or Bye is sent (SOAP over UDP: MULTICAST_UDP_REPEAT)."""
REPEAT_AFTER = 0.1
STOP_TIMEOUT = 1.0
_MULTICAST_ALL = 49
"""IP_MULTICAST_ALL of Linux."""


class Changes(Protocol):
    """What administrators change over the network."""

    async def load(self) -> None:
        """Find what holds."""
        ...

    @property
    def version(self) -> int:
        """Grows with each change."""
        ...

    async def wait(self, version: int) -> None:
        """Return as soon as ``version`` isn't the newest."""
        ...


class Discovery:
    """``interfaces``: where; ``shown``: what; ``address``: of the device service, as reached at one of our addresses.

    ``run`` raises ListenError with a text that names interface and remedy. ``port``: another
    than 3702 is for tests.
    """

    name = "discovery"

    def __init__(
        self,
        interfaces: Sequence[Found],
        *,
        endpoint: str,
        shown: Callable[[], Shown],
        address: Callable[[str], str],
        changes: Changes,
        clock: Clock,
        rate: float,
        port: int = PORT,
    ) -> None:
        self._interfaces = tuple(interfaces)
        self._shown = shown
        self._changes = changes
        self._clock = clock
        self._port = port
        self._responder = Responder(
            endpoint,
            shown,
            address,
            instance=clock.wall() // 1_000_000,
            fresh=lambda: clock.random_bytes(16),
            rate=rate,
        )
        self._waiting = 0
        self.listening = anyio.Event()

    async def run(self, emit: Emit) -> None:
        """Until cancelled."""
        await self._changes.load()
        pairs: list[tuple[socket.socket, socket.socket]] = []
        try:
            for found in self._interfaces:
                pairs.append(self._open(found))
            where = ", ".join(f"{found.address}:{self._port}" for found in self._interfaces)
            await emit([ServerListening(server=self.name, address=where)])
            async with anyio.create_task_group() as tasks:
                for found, (group, own) in zip(self._interfaces, pairs, strict=True):
                    tasks.start_soon(self._listen, group, own, found.address, tasks)
                    tasks.start_soon(self._listen, own, own, found.address, tasks)
                self.listening.set()
                try:
                    await self._announce(pairs)
                finally:
                    with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                        if self._shown().discoverable:
                            await self._bye(pairs)
                    tasks.cancel_scope.cancel()
        finally:
            self.listening = anyio.Event()
            for pair in pairs:
                for sock in pair:
                    sock.close()

    async def _announce(self, pairs: Sequence[tuple[socket.socket, socket.socket]]) -> None:
        """Hello now and after each change; Bye when we are no longer to be found."""
        shown_before = False
        while True:
            version = self._changes.version
            shown = self._shown().discoverable
            if shown:
                await self._hello(pairs)
            elif shown_before:
                await self._bye(pairs)
            shown_before = shown
            await self._changes.wait(version)

    async def _hello(self, pairs: Sequence[tuple[socket.socket, socket.socket]]) -> None:
        messages = [self._responder.hello(found.address) for found in self._interfaces]
        await self._multicast(pairs, messages)

    async def _bye(self, pairs: Sequence[tuple[socket.socket, socket.socket]]) -> None:
        await self._multicast(pairs, [self._responder.bye()] * len(pairs))

    async def _multicast(self, pairs: Sequence[tuple[socket.socket, socket.socket]], messages: Sequence[bytes]) -> None:
        for turn in range(REPEATS):
            if turn:
                await self._clock.sleep(REPEAT_AFTER)
            for (_, own), message in zip(pairs, messages, strict=True):
                _send(own, message, (GROUP, self._port))

    async def _listen(self, sock: socket.socket, own: socket.socket, address: str, tasks: TaskGroup) -> None:
        """Answer what comes in at one socket, through the interface's own."""
        while True:
            await anyio.wait_readable(sock)
            try:
                data, remote = sock.recvfrom(MAX_DATAGRAM + 1)
            except OSError:  # nothing there after all, or the kernel tells of an unreachable client
                continue
            if self._waiting >= MAX_WAITING:
                continue
            answer = self._responder.receive(data, address, self._clock.mono())
            if answer is not None:
                self._waiting += 1
                wait = 0.0 if sock is own else self._clock.jitter() * MAX_DELAY
                tasks.start_soon(self._answer, own, answer, remote, wait)

    async def _answer(self, own: socket.socket, answer: bytes, remote: tuple[str, int], wait: float) -> None:
        try:
            if wait:
                await self._clock.sleep(wait)
            _send(own, answer, remote)
        finally:
            self._waiting -= 1

    def _open(self, found: Found) -> tuple[socket.socket, socket.socket]:
        """The socket in the group and the one at the interface's address. Raises ListenError."""
        group, own = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        try:
            for sock, host in ((group, GROUP if sys.platform != "win32" else ""), (own, found.address)):
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((host, self._port))
            ours = socket.inet_aton(found.address)
            if sys.platform == "linux":
                group.setsockopt(socket.IPPROTO_IP, _MULTICAST_ALL, 0)
            group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + ours)
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ours)
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        except OSError as error:
            group.close()
            own.close()
            raise ListenError(
                f"{self.name}: cannot listen at {found.name} ({found.address}:{self._port}): {error.strerror or error};"
                " name another interface in onvif.interfaces, or end the program that has the port"
            ) from None
        return group, own


def _send(sock: socket.socket, data: bytes, remote: tuple[str, int]) -> None:
    """Send, if the network takes it: a datagram may always be lost."""
    try:
        sock.sendto(data, remote)
    except OSError:
        return

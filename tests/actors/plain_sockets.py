"""Clients over plain sockets and waiting by turns: what the rigs of servers share. Any backend."""

from __future__ import annotations

import socket
from collections.abc import Callable

import anyio
import anyio.lowlevel

from lpr.core.clock import ManualClock

PATIENCE = 20.0
"""Seconds after which a test gives up."""


class SocketClient:
    """A client over a plain socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def send(self, data: bytes) -> None:
        """All of ``data``."""
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                await anyio.wait_writable(self.sock)

    async def receive(self, size: int = 65536) -> bytes:
        """The next bytes; b"" when the server has closed, in whatever way."""
        with anyio.fail_after(PATIENCE):
            while True:
                try:
                    return self.sock.recv(size)
                except BlockingIOError:
                    await anyio.wait_readable(self.sock)
                except ConnectionError:
                    return b""

    async def closed(self) -> bool:
        """Read to the end."""
        while await self.receive():
            pass
        return True

    def close(self) -> None:
        """Leave."""
        self.sock.close()


async def dial(address: tuple[str, int], *, receive_buffer: int = 0) -> socket.socket:
    """A connection that has said nothing yet."""
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    try:
        sock.connect(address)
    except BlockingIOError:
        await anyio.wait_writable(sock)
    return sock


class ByTurns:
    """A rig whose time is moved by hand."""

    clock: ManualClock

    async def until(self, condition: Callable[[], bool], *, advance: float = 0.0) -> None:
        """Let everybody run until ``condition`` holds, moving the clock by ``advance`` seconds each turn."""
        with anyio.fail_after(PATIENCE):
            while not condition():
                if advance:
                    self.clock.advance(advance)
                await anyio.lowlevel.checkpoint()

    async def settle(self, turns: int = 50) -> None:
        """Let everybody run for a while without moving the clock."""
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()

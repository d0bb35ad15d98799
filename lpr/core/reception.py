"""Taking connections in: every server's loop round ``accept``. Thin; who may stay is decided by the caller.

May import the standard library, ``lpr.core`` and anyio.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import anyio
import anyio.abc
import anyio.lowlevel

from lpr.core.clock import Clock
from lpr.core.sockets import out_of_handles


@dataclass
class Reception:
    """``judge``: why the connection (number, address) is closed at once, None when it may stay.

    ``serve``: a task of its own for each that stays; it closes the socket. ``offence``: what is turned away, by kind
    and address. ``pause``: seconds without taking anybody in when the process has no more handles. ``numbers``: of the
    connections; to be shared by the receptions of a server whose listeners differ.
    """

    clock: Clock
    judge: Callable[[int, str], str | None]
    serve: Callable[[socket.socket, int, str], Awaitable[None]]
    offence: Callable[[str, str], None]
    pause: float = 1.0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def accept(self, listener: socket.socket, tasks: anyio.abc.TaskGroup) -> None:
        """Until cancelled. ``listener``: listens and does not block."""
        while True:
            await anyio.lowlevel.checkpoint()
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, InterruptedError):
                await anyio.wait_readable(listener)
                continue
            except OSError as error:
                if out_of_handles(error):
                    self.offence("out of file handles", "")
                    await self.clock.sleep(self.pause)
                continue
            address = str(peer[0])
            number = next(self.numbers)
            refused = self.judge(number, address)
            if refused is not None:
                self.offence(refused, address)
                sock.close()
                continue
            tasks.start_soon(self._serve, sock, number, address)

    async def _serve(self, sock: socket.socket, number: int, address: str) -> None:
        await self.serve(sock, number, address)

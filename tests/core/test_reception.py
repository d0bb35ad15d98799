"""The loop round accept: who stays, who is turned away, and a process without handles."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import anyio
import anyio.lowlevel
import pytest

from lpr.core.clock import ManualClock
from lpr.core.reception import Reception

pytestmark = pytest.mark.anyio


@dataclass
class Desk:
    """A listening socket with a reception that turns away every third connection."""

    listener: socket.socket
    clock: ManualClock = field(default_factory=ManualClock)
    served: list[int] = field(default_factory=list[int])
    offences: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def judge(self, number: int, address: str) -> str | None:
        assert address == "127.0.0.1"
        return "no room" if number % 3 == 0 else None

    async def serve(self, sock: socket.socket, number: int, address: str) -> None:
        sock.sendall(str(number).encode())
        sock.close()
        self.served.append(number)

    def offence(self, kind: str, remote: str) -> None:
        self.offences.append((kind, remote))

    def ask(self) -> socket.socket:
        return socket.create_connection(self.listener.getsockname())


@asynccontextmanager
async def desk(listener: socket.socket | None = None) -> AsyncGenerator[Desk]:
    with listener or socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)
        made = Desk(opened)
        reception = Reception(made.clock, made.judge, made.serve, made.offence)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reception.accept, opened, tasks)
            yield made
            tasks.cancel_scope.cancel()


async def until(made: Desk, served: int, offences: int = 0) -> None:
    with anyio.fail_after(20):
        while len(made.served) < served or len(made.offences) < offences:
            made.clock.advance(0.25)
            await anyio.lowlevel.checkpoint()


async def test_each_that_stays_is_served_and_the_others_are_closed_and_counted() -> None:
    async with desk() as made:
        asked = [made.ask() for _ in range(6)]
        await until(made, 4, 2)
        assert sorted(made.served) == [1, 2, 4, 5]
        assert made.offences == [("no room", "127.0.0.1")] * 2
        said: list[bytes] = []
        for sock in asked:
            with sock:
                said.append(sock.recv(10))
        assert said == [b"1", b"2", b"", b"4", b"5", b""]


class Exhausted:
    """A listener that has no handles at first, and then a broken connection before the good ones."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.errors = [
            OSError(errno.EMFILE, "too many"),
            OSError(errno.ENFILE, "too many"),
            OSError(errno.EPROTO, "gone"),
        ]

    def accept(self) -> tuple[socket.socket, object]:
        if self.errors:
            raise self.errors.pop(0)
        return self.listener.accept()

    def fileno(self) -> int:
        return self.listener.fileno()


async def test_without_handles_it_waits_and_goes_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        made = Desk(listener)
        reception = Reception(made.clock, made.judge, made.serve, made.offence, pause=5.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reception.accept, cast("socket.socket", Exhausted(listener)), tasks)
            with made.ask():
                await until(made, 1)
            tasks.cancel_scope.cancel()
        assert made.offences == [("out of file handles", "")] * 2
        assert made.clock.mono() >= 10_000_000

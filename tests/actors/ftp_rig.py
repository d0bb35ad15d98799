"""An FTP server with pictures to fetch, and a control connection to it, line by line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from lpr.actors.ftp_server import FtpServer
from lpr.config import FtpServer as Settings
from lpr.core.clock import SystemClock
from tests.actors.transfer_rig import NVR, PASSWORD, TestLogins, Told, certificate, running
from tests.core.shelf_rig import shelves

T = TypeVar("T")
NAME = "20261121-140000-000_ABC1D23_1.jpg"
FOLDER = "/pictures/2026-11-21/14"
BIG = b"\xff\xd8" + bytes(40_000_000)

OPEN: list[asyncio.StreamWriter] = []
"""Of the clients of the server that runs; closed when it ends."""


async def connect(
    port: int, *, tls: ssl.SSLContext | None = None, own: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a port of the server, closed when that ends. ``own``: the address it comes from."""
    name = None if tls is None else "localhost"
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname=name, local_addr=(own, 0)
    )
    OPEN.append(writer)
    return reader, writer


@asynccontextmanager
async def served(
    folder: Path, config: Settings | None = None, logins: TestLogins | None = None
) -> AsyncGenerator[tuple[int, Told], None]:
    """A server over the pictures in ``folder``: its port, and what the log was told."""
    server = FtpServer(
        config or Settings(port=0, plain=True),
        shelves=shelves(folder),
        logins=logins or TestLogins(),
        clock=SystemClock(),
    )
    async with running(server) as (port, told):
        try:
            yield port, told
        finally:
            for writer in OPEN:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
            OPEN.clear()


class Client:
    """A control connection, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int, *, log_in: bool = True) -> Client:
        """A client that was greeted, and has logged in unless told not to."""
        client = cls(*await connect(port))
        assert (await client.reply()).startswith("220")
        if log_in:
            assert (await client.ask(f"USER {NVR}")).startswith("331")
            assert (await client.ask(f"PASS {PASSWORD}")).startswith("230")
        return client

    def send(self, data: bytes) -> None:
        """``data`` as it is."""
        self.writer.write(data)

    async def reply(self) -> str:
        """The last line of the next reply; "" at the end."""
        with anyio.fail_after(30):
            while line := (await self.reader.readline()).decode():
                if line[3:4] == " " and line[:3].isdigit():
                    break
        return line.rstrip()

    async def ask(self, command: str) -> str:
        """The reply to a command."""
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def data(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A data connection."""
        return await connect(await self.data_port())

    async def data_port(self) -> int:
        """Where a data connection is waited for."""
        return int((await self.ask("EPSV")).split("|||")[1].split("|")[0])

    async def fetch(self, command: str) -> bytes:
        """What a command sends over a data connection, whole."""
        reader, writer = await self.data()
        assert (await self.ask(command)).startswith("150")
        content = await reader.read()
        assert (await self.reply()).startswith("226")
        writer.close()
        return content

    async def over(self) -> None:
        """The server ends the connection."""
        with anyio.fail_after(30):
            try:
                while await self.reader.read(4096):
                    continue
            except ConnectionResetError:
                return


def secured(folder: Path, *, implicit: bool = False, plain: bool = False) -> tuple[Settings, ssl.SSLContext]:
    """Settings with a certificate, and what a client trusts it by."""
    tls, authority = certificate(folder)
    return Settings(port=0, tls=tls, implicit=implicit, plain=plain), ssl.create_default_context(cafile=str(authority))


async def in_thread(work: Callable[[], T]) -> T:
    """What a blocking client finds."""
    with anyio.fail_after(60):
        return await to_thread.run_sync(work)

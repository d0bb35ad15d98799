"""FTP under fuzz: command lines alone, and whole connections over memory instead of sockets.

A connection runs on an event loop whose time jumps to the next timer, so that no time-out is waited for and one that
waits for ever is a finding. May import ``lpr.actors.ftp_server``, ``lpr.config`` and ``lpr.core``.
"""

from __future__ import annotations

import asyncio
import logging
import re
import selectors
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, cast

from aioftp.common import Connection

from lpr.actors.ftp_server.commands import Commands
from lpr.actors.ftp_server.lines import command_of, reply_of
from lpr.actors.ftp_server.server import LINE
from lpr.actors.ftp_server.session import Session
from lpr.config import FtpServer as Settings
from lpr.core import tree
from lpr.core.accounts import Account, Accounts, Level
from lpr.core.blobs import BlobStore
from lpr.core.chronicle import Chronicle
from lpr.core.clock import ManualClock
from lpr.core.record import Record
from lpr.core.shelves import Entry, Opened, Shelves
from lpr.core.visitors import Bandwidth, Visitors
from lpr.events import Event

PASSWORD = "open sesame 1"
LOG_IN = f"USER nvr\r\nPASS {PASSWORD}\r\n".encode()
PICTURE = "/pictures/2026-11-21/14/20261121-140000-000_ABC1D23_1.jpg"
COMMANDS = (b"RETR " + PICTURE.encode() + b"\r\n", b"\xff\xf4\xff\xf2ABOR\r\n", b"USER \xff\r\n", b"NOOP")
CONNECTIONS = (
    b"\x00" + LOG_IN + b"PWD\r\nTYPE I\r\nCWD pictures\r\nCDUP\r\nQUIT\r\n",
    b"\x03PASV\r\nLIST -la /pictures\r\nEPSV\r\nREST 7\r\nRETR " + PICTURE.encode() + b"\r\nQUIT\r\n",
    b"\x13EPSV ALL\r\nEPSV 1\r\nMLSD\r\nMLST\r\nNLST plates\r\nABOR\r\n",
    b"\x2bSYST\r\nFEAT\r\nOPTS UTF8 ON\r\nSIZE a\r\nMDTM " + PICTURE.encode() + b"\r\nSTOR a\r\nDELE b\r\n",
    b"\x05AUTH TLS\r\nPBSZ 0\r\nPROT P\r\n",
    b"\x16AUTH TLS\r\nUSER nvr\r\nPBSZ 0\r\nPROT P\r\n",
    b"\x04AUTH TLS\r\n",
)
INSIDE = frozenset({"230", "250", "257", "213", "227", "229", "150", "226", "350", "550"})
"""Codes that nobody gets who has not logged in."""
OUT_OF_ORDER = re.compile(rb"AUTH|LIST|NLST|MLSD|RETR|ABOR", re.IGNORECASE)
"""What is answered in its own time: replies of such connections may come in another order."""
PAUSE = 0.05
"""Seconds: longer than the server looks for what comes before TLS."""
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
FINAL, FIRST = re.compile(rb"\d{3} "), re.compile(rb"\d{3}-")


# --- commands ----------------------------------------------------------------------------------------------


def commands(data: bytes) -> None:
    """A line as it comes: one command, or none; its argument can be answered with."""
    found = command_of(data.partition(b"\n")[0])
    if found is None:
        return
    command, rest = found
    assert command.isalpha() and command.isascii() and command == command.lower()
    assert "\n" not in rest
    again = command_of(f"{command.upper()} {rest}\r\n".encode("utf-8", "surrogateescape"))
    assert again == (command, rest.rstrip("\r")), again
    assert replies(reply_of("200", command)) == ["200"]


# --- connections -------------------------------------------------------------------------------------------


def connections(data: bytes) -> None:
    """A client's bytes. The first says how: bit 0: logged in before; 1: data connections come; 2: TLS can be had;
    3 and up: the size of the portions."""
    if not data:
        return
    how, sent = data[0], data[1:]
    whole = _served(how, sent, len(sent) or 1)
    parts = _served(how, sent, 1 + (how >> 3) * 7)
    if not OUT_OF_ORDER.search(sent):
        assert parts == whole, (parts, whole)


def replies(sent: bytes) -> list[str]:
    """The codes of a server's replies. Raises AssertionError for what is none."""
    lines = sent.split(b"\r\n")
    assert lines.pop() == b"", "a reply without an end"
    found: list[str] = []
    until = b""
    for line in lines:
        assert b"\n" not in line and b"\r" not in line, line
        if until:
            until = b"" if line.startswith(until) else until
        elif FIRST.match(line):
            until = line[:3] + b" "
            found.append(line[:3].decode())
        else:
            assert FINAL.match(line), line
            found.append(line[:3].decode())
    assert not until, "a reply without its last line"
    return found


def _served(how: int, sent: bytes, size: int) -> list[str]:
    """The replies to a connection, when everything about its end was found right."""
    loop = _Jumping()
    problems = _Problems()
    loop.set_exception_handler(problems.found)
    asyncio.set_event_loop(loop)
    LOGGER.addHandler(problems)
    try:
        given = (LOG_IN if how & 1 else b"") + sent
        answered = loop.run_until_complete(_connection(given, size, data=bool(how & 2), tls=bool(how & 4)))
        loop.run_until_complete(asyncio.sleep(3600))
        assert not asyncio.all_tasks(loop), asyncio.all_tasks(loop)
    finally:
        LOGGER.removeHandler(problems)
        asyncio.set_event_loop(None)
        loop.close()
    assert not problems.told, problems.told
    codes = replies(answered)
    if PASSWORD.encode() not in given:
        assert not INSIDE.intersection(codes), codes
    return codes


async def _connection(given: bytes, size: int, *, data: bool, tls: bool) -> bytes:
    clock = ManualClock()
    chronicle = Chronicle("ftp", _emit, clock)
    visitors = Visitors(
        "ftp",
        logins=_Logins(),
        level="user",
        chronicle=chronicle,
        clock=clock,
        max_clients=4,
        max_per_address=4,
        attempts=5,
    )
    server = _Server(visitors, clock, CONTEXT if tls else None, data=data)
    reader = asyncio.StreamReader(limit=LINE)
    wire = _Wire(reader, server.told)
    task = asyncio.create_task(server.dispatcher(reader, wire.writer))
    for start in range(0, len(given), size):
        reader.feed_data(given[start : start + size])
        await asyncio.sleep(PAUSE if tls else 0)
        await wire.open.wait()
        if wire.is_closing():
            break
    await asyncio.sleep(PAUSE)
    reader.feed_eof()
    await task
    assert len(visitors) == 0 and not server.connections
    return bytes(wire.sent)


class _Server(Commands):
    """Without ports: the client makes its data connection as soon as it is told of a port, or never."""

    def __init__(self, visitors: Visitors, clock: ManualClock, context: ssl.SSLContext | None, *, data: bool) -> None:
        super().__init__(
            Settings(plain=True),
            shelves=_Shelf(),
            visitors=visitors,
            clock=clock,
            bandwidth=Bandwidth(0, clock),
            context=context,
        )
        self._data = data
        self._accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
        self._accepted: asyncio.Future[None] | None = None

    def told(self, reply: bytes) -> None:
        """What the client does about a reply."""
        if self._data and self._accept is not None and reply.startswith((b"227", b"229")):
            reader = asyncio.StreamReader()
            self._accepted = asyncio.ensure_future(self._accept(reader, _Wire(reader).writer))

    async def _encrypt(self, session: Session) -> None:
        if not self._data:
            raise EOFError("the client breaks the handshake off")
        session.encrypted = True
        cast(asyncio.Transport, session.writer.transport).resume_reading()

    async def _start_passive_server(
        self,
        connection: Connection,
        handler_callback: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> asyncio.Server:
        self._accept = handler_callback
        return cast(asyncio.Server, _Port())


class _Port:
    """What is asked of a listening socket, and of the server that has it."""

    family = socket.AF_INET

    @property
    def sockets(self) -> tuple[_Port, ...]:
        return (self,)

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 40_000

    def close(self) -> None:
        """Nothing is open."""


class _Wire(asyncio.Transport):
    """A connection whose other end takes everything. ``sent``: what it took; ``told``: called with each portion.
    ``open``: more may be sent to it."""

    def __init__(self, reader: asyncio.StreamReader, told: Callable[[bytes], None] | None = None) -> None:
        super().__init__({"peername": ("192.0.2.7", 50_000), "sockname": ("192.0.2.1", 21)})
        self.sent = bytearray()
        self._told = told
        self.open = asyncio.Event()
        self.open.set()
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        self._protocol.connection_made(self)
        self.writer = asyncio.StreamWriter(self, self._protocol, reader, self._loop)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closed:
            self.sent += data
            if self._told is not None:
                self._told(bytes(data))

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.open.set()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        if not self._closed:
            self.open.clear()

    def resume_reading(self) -> None:
        self.open.set()


class _Shelf(Shelves):
    """One picture of 100 kB, its folders, and an empty day's report."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere/catalogue.db"), BlobStore(Path("/nowhere/blobs")))

    async def find(self, node: tree.Node) -> Entry | None:
        path = tree.path_of(node)
        if path == PICTURE:
            return Entry(PurePosixPath(path).name, False, 100_000, 1)
        return Entry(tree.name_of(node), True, 0, 1) if tree.is_folder(node) and PICTURE.startswith(path) else None

    async def list(self, node: tree.Folder) -> AsyncGenerator[Entry, None]:
        for name in ("a", "b"):
            yield Entry(name, True, 0, 1)

    async def open(self, node: tree.File) -> Opened | None:
        return _File()


class _File:
    size = 100_000

    async def read(self, offset: int, length: int) -> bytes:
        return bytes(max(0, min(length, self.size - offset)))

    async def close(self) -> None:
        """Nothing is open."""


class _Logins:
    def __init__(self) -> None:
        self._accounts = Accounts([Account("nvr", "operator", PASSWORD)])

    async def check(self, name: str, password: str) -> Level | None:
        return self._accounts.check(name, password)


async def _emit(events: Sequence[Event]) -> tuple[Record, ...]:
    return ()


class _Still(selectors.SelectSelector):
    """Sees nothing and lets the time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "the connection waits for ever"
        self.now += max(0.0, timeout)
        return []


class _Jumping(asyncio.SelectorEventLoop):
    """Time jumps to the next timer when there is nothing to do."""

    def __init__(self) -> None:
        self._still = _Still()
        super().__init__(self._still)

    def time(self) -> float:
        return self._still.now


class _Problems(logging.Handler):
    """What aioftp and the event loop tell of exceptions that nobody took."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.getMessage()} {record.exc_info}")

    def found(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.told.append(repr(context))


LOGGER = logging.getLogger("aioftp")
LOGGER.setLevel(logging.WARNING)

"""A broker for tests that does what it is told; its bytes are written here by hand, not by the code under test.

It reads CONNECT, PUBLISH with QoS 1, PINGREQ and DISCONNECT of MQTT 3.1.1 and 5.0, keeps what is published and answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from types import TracebackType
from typing import Self

from tests.contracts.sinks import Behaviour

NONSENSE = b"SSH-2.0-OpenSSH_9.6\r\n\x00\x01\x02\r\n\r\n"
ENDLESS = b"\x20\xff\xff\xff\x7f" + b"a" * 100_000


class ScriptedBroker:
    """``got``: (topic, payload, retain) of every message accepted, in order. ``wills``: (topic, payload) of each
    client; ``left``: clients that took leave."""

    def __init__(self, version: str = "5", password: str | None = None) -> None:
        self.version = version
        self.password = password
        self.got: list[tuple[str, bytes, bool]] = []
        self.wills: list[tuple[str, bytes]] = []
        self.connections = 0
        self.left = 0
        self.pings = 0
        self.code = 0
        self.connack = b""
        self.changed = asyncio.Event()
        self._behaviour: Behaviour = "accept"
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Nobody listens any more; connections break off."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """Break the connections off."""
        for writer in self._writers:
            writer.transport.abort()

    async def behave(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        if behaviour in ("wrong password", "nonsense", "endless"):
            self.cut()
        if behaviour == "absent":
            await self.close()

    def retained(self) -> dict[str, bytes]:
        """What a new subscriber would find."""
        found: dict[str, bytes] = {}
        for topic, payload, retain in self.got:
            if retain:
                found[topic] = payload
        return {topic: payload for topic, payload in found.items() if payload}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            if self._behaviour in ("nonsense", "endless"):
                writer.write(NONSENSE if self._behaviour == "nonsense" else ENDLESS)
                await reader.read(-1)
                return
            while True:
                first, body = await _packet(reader)
                if not await self._answer(first, body, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _answer(self, first: int, body: bytes, writer: asyncio.StreamWriter) -> bool:
        five = self.version == "5"
        behaviour = self._behaviour
        if first >> 4 == 1:
            if not self._let_in(body) or behaviour == "wrong password":
                writer.write(b"\x20\x03\x00\x86\x00" if five else b"\x20\x02\x00\x04")
                return False
            writer.write(self.connack or (b"\x20\x03\x00\x00\x00" if five else b"\x20\x02\x00\x00"))
        elif first >> 4 == 3:
            if behaviour == "hang":
                return True
            topic, number, payload = self._published(body)
            if behaviour == "refuse" and topic.endswith("/passage"):
                writer.write(b"\x40\x04" + struct.pack(">HBB", number, 0x99, 0))
            elif behaviour == "busy" or self.code:
                writer.write(b"\x40\x04" + struct.pack(">HBB", number, self.code or 0x97, 0))
            else:
                self.got.append((topic, payload, bool(first & 1)))
                writer.write(b"\x40\x02" + struct.pack(">H", number))
                self.changed.set()
        elif first == 0xC0:
            self.pings += 1
            writer.write(b"\xd0\x00")
            self.changed.set()
        elif first == 0xE0:
            self.left += 1
            self.changed.set()
            return False
        return True

    def _let_in(self, body: bytes) -> bool:
        """Protocol name and level as this broker's version has them, the will, and the right password."""
        five = self.version == "5"
        if body[:7] != b"\x00\x04MQTT" + (b"\x05" if five else b"\x04"):
            return False
        flags, at = body[7], 10
        if five:
            at += 1 + body[at]
        fields: list[bytes] = []

        def field() -> bytes:
            nonlocal at
            size = int.from_bytes(body[at : at + 2], "big")
            at += 2 + size
            return body[at - size : at]

        fields.append(field())
        if flags & 0x04:
            if five:
                at += 1 + body[at]
            self.wills.append((field().decode(), field()))
        if flags & 0x80:
            fields.append(field())
        password = field().decode() if flags & 0x40 else None
        return at == len(body) and password == self.password

    def _published(self, body: bytes) -> tuple[str, int, bytes]:
        size = int.from_bytes(body[:2], "big")
        at = 2 + size
        number = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if self.version == "5":
            at += 1 + body[at]
        return body[2 : 2 + size].decode(), number, body[at:]


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first = (await reader.readexactly(1))[0]
    size, place = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << (7 * place)
        place += 1
        if not byte & 0x80:
            return first, await reader.readexactly(size)

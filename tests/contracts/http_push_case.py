"""The HTTP push as a ``SinkCase``, against ``tools.fake_receiver``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

from lpr.actors.http_push import HttpPushSink
from lpr.config import HttpPush
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from tests.contracts.sinks import SECRET, Behaviour, Got, SinkCase
from tools.fake_receiver import Receiver, serving

NONSENSE = b"SSH-2.0-OpenSSH_9.6\r\n\x00\x01\x02\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 100_000


class HttpBench:
    """A push and its receiver. "nonsense" and "endless" are given by a raw server in the receiver's place."""

    def __init__(self, sink: HttpPushSink, receiver: Receiver, port: int, stack: AsyncExitStack) -> None:
        self.sink = sink
        self.receiver = receiver
        self._port = port
        self._stack = stack

    @property
    def got(self) -> list[Got]:
        return [
            Got(entry.id, str(entry.fields.get("plate", entry.fields.get("description"))))
            for entry in self.receiver.got
        ]

    async def behave(self, behaviour: Behaviour) -> None:
        receiver = self.receiver
        receiver.answer, receiver.hold, receiver.password = 200, None, SECRET
        if behaviour == "refuse":
            receiver.answer = 422
        elif behaviour == "busy":
            receiver.answer = 503
        elif behaviour == "wrong password":
            receiver.password = "another"
        elif behaviour == "hang":
            receiver.hold = asyncio.Event()
        elif behaviour in ("absent", "nonsense", "endless"):
            await self._stack.aclose()
            if behaviour != "absent":
                await self._raw(NONSENSE if behaviour == "nonsense" else ENDLESS)

    async def _raw(self, answer: bytes) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(answer)
            try:
                await reader.read(-1)
            except ConnectionError:
                return
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", self._port)
        self._stack.push_async_callback(server.wait_closed)
        self._stack.callback(server.close)


def http_case(method: Literal["post", "get"], auth: Literal["none", "basic", "digest"]) -> SinkCase:
    """A push by ``method`` to a receiver that wants ``auth``."""

    @asynccontextmanager
    async def opened(folder: Path, blobs: BlobStore, clock: Clock) -> AsyncGenerator[HttpBench]:
        del folder
        receiver = Receiver(auth=auth, user="lpr", password=SECRET)
        async with AsyncExitStack() as stack:
            address = await stack.enter_async_context(serving(receiver))
            settings = HttpPush(url=f"{address}/lpr?key=1", method=method, user="lpr", timeout=0.8, max_answer=1024)
            async with HttpPushSink(settings, blobs=blobs, clock=clock, password=SECRET) as sink:
                yield HttpBench(sink, receiver, int(address.rpartition(":")[2]), stack)

    return SinkCase(f"http {method} {auth}", opened)


HTTP_CASES = [
    http_case("post", "none"),
    http_case("post", "basic"),
    http_case("post", "digest"),
    http_case("get", "digest"),
]

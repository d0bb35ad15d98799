"""Neural Labs' socket client as a ``SinkCase``, against a receiver on a plain socket that reads to the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.abc

from lpr.actors.neural import NeuralClientSink
from lpr.config import NeuralClient
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.protocols.neural import MessageReader, Received
from tests.contracts.sinks import Behaviour, Got, SinkCase


class NeuralBench:
    """A client and its receiver. The protocol has no refusal and no password: see ``SinkCase.behaviours``."""

    def __init__(self, sink: NeuralClientSink) -> None:
        self.sink = sink
        self.got: list[Got] = []
        self.behaviour: Behaviour = "accept"
        self.accepting = anyio.CancelScope()
        self.deaf = anyio.Event()

    async def behave(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        if behaviour == "absent":
            self.accepting.cancel()
            await self.deaf.wait()

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        """One connection."""
        reader = MessageReader()
        try:
            if self.behaviour == "busy":
                await anyio.aclose_forcefully(stream)
                return
            if self.behaviour == "hang":
                await anyio.sleep_forever()
            if self.behaviour == "endless":
                while True:
                    await stream.send(b"a" * 65536)
            while True:
                reader.feed(await stream.receive())
                for message in reader.messages():
                    assert isinstance(message, Received)
                    self.got.append(Got(message.record.guid or "", message.record.plate))
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
        finally:
            await anyio.aclose_forcefully(stream)


@asynccontextmanager
async def opened(folder: Path, blobs: BlobStore, clock: Clock) -> AsyncGenerator[NeuralBench]:
    """A sink that counts a passage as delivered once the receiver has closed."""
    del folder, clock
    async with anyio.create_task_group() as tasks:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = int(listener.extra(anyio.abc.SocketAttribute.local_port))
        settings = NeuralClient(host="127.0.0.1", port=port, confirm="closed", linger=0.3, timeout=0.8)
        bench = NeuralBench(NeuralClientSink(settings, blobs=blobs))
        tasks.start_soon(_listen, listener, bench, tasks)
        yield bench
        tasks.cancel_scope.cancel()


async def _listen(
    listener: anyio.abc.Listener[anyio.abc.SocketStream], bench: NeuralBench, tasks: anyio.abc.TaskGroup
) -> None:
    async with listener:
        with bench.accepting:
            await listener.serve(bench.serve, tasks)
    bench.deaf.set()


NEURAL_CASES = [
    SinkCase("neural none", opened, behaviours=frozenset({"accept", "busy", "hang", "endless", "absent"})),
]

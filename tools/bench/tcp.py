"""The Milesight server with 500 clients against bare asyncio sending the same bytes; what a stalled client changes.

``python -m tools.bench.tcp [--clients N] [--size BYTES] [--passages N] [--rounds N]``. The clients live in a process
of their own that reads and throws away, so both sides see the same reader; rounds alternate. Three figures:

``throughput``  bytes a second until every client has everything: ours (appending to the log, reading pictures,
                building, sending) over asyncio (one task a client, ``write`` and ``drain``), and the CPU seconds of
                the sending process. The pictures are stored beforehand: that is not the server's work.
``stalled``     median of the others' delay, passage durable to passage received, with one client that reads nothing
                over without: the median over rounds of without, with, with, without, which takes out the machine's
                drift; ``noise`` is the last of each round over its first, where nothing differs.
``memory``      growth of the sending process while every client is stalled and passages go on.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import os
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import anyio
from msgspec.structs import replace

from lpr.actors.milesight_server import MilesightServer
from lpr.config import MilesightServer as Settings
from lpr.core.actor import emitter
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.events import PassageDecided, PassageSigned, Picture
from lpr.protocols.milesight import encode_login_reply, encode_login_request
from tools.bench.sample import passage

PASSWORD = "bench"
PLATE_SIZE = 8192


@dataclass(frozen=True)
class Order:
    """For the process of clients. ``hello``: what each sends first; ``greeting``: bytes that answer it;
    ``message``: bytes of one passage; ``count``: passages to wait for; ``stalled``: clients besides that never read."""

    port: int
    clients: int
    hello: bytes
    greeting: int
    message: int
    count: int
    stalled: int = 0


def read_for_ever(pipe: Connection) -> None:
    """The process of clients: for each Order connects, says "ready", reads, gives the arrival times, closes."""
    buffer = bytearray(1 << 20)
    while True:
        order = pipe.recv()
        if order is None:
            return
        readers = [_connect(order) for _ in range(order.clients)]
        stalled = [_connect(order) for _ in range(order.stalled)]
        for sock in (*readers, *stalled):
            left = order.greeting
            while left:
                left -= len(sock.recv(left))
        pipe.send("ready")
        if order.count:
            pipe.send(_read(readers, order, buffer))
        pipe.recv()
        for sock in (*readers, *stalled):
            sock.close()
        pipe.send("closed")


def _connect(order: Order) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", order.port))
    sock.sendall(order.hello)
    return sock


def _read(readers: Sequence[socket.socket], order: Order, buffer: bytearray) -> list[list[float]]:
    """When (``time.monotonic``) each passage was whole: a list a client."""
    arrivals: list[list[float]] = [[] for _ in readers]
    got = [0] * len(readers)
    with selectors.DefaultSelector() as selector:
        for index, sock in enumerate(readers):
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, index)
        waiting = len(readers)
        while waiting:
            for key, _ in selector.select():
                index: int = key.data
                size = readers[index].recv_into(buffer)
                if not size:
                    raise RuntimeError(f"client {index} was cut off after {got[index]} bytes")
                got[index] += size
                now = time.monotonic()
                while len(arrivals[index]) < got[index] // order.message:
                    arrivals[index].append(now)
                if len(arrivals[index]) == order.count:
                    selector.unregister(readers[index])
                    waiting -= 1
    return arrivals


class Clients:
    """The process of clients, awaited."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far = context.Pipe()
        self._process = context.Process(target=read_for_ever, args=(far,), daemon=True)
        self._process.start()
        far.close()

    async def _said(self) -> object:
        while not self._pipe.poll():
            await anyio.wait_readable(self._pipe.fileno())
        return self._pipe.recv()

    async def connect(self, order: Order) -> None:
        """Until all are connected and greeted."""
        self._pipe.send(order)
        assert await self._said() == "ready"

    async def arrivals(self) -> list[list[float]]:
        """Until all have everything."""
        found = await self._said()
        assert isinstance(found, list)
        return found  # pyright: ignore[reportUnknownVariableType]

    async def leave(self) -> None:
        """All close."""
        self._pipe.send("leave")
        assert await self._said() == "closed"

    def end(self) -> None:
        """The process ends."""
        self._pipe.send(None)
        self._process.join()


@dataclass
class Ours:
    """The server on a log of its own."""

    log: EventLog
    blobs: BlobStore
    server: MilesightServer
    size: int
    number: int = 0

    async def prepare(self, count: int) -> list[PassageSigned]:
        """``count`` passages whose messages have about ``size`` bytes: pictures and decisions are durable, what is
        left to do is to append these."""
        found: list[PassageSigned] = []
        for _ in range(count):
            self.number += 1
            full = hashlib.shake_128(str(self.number).encode()).digest(self.size - PLATE_SIZE)
            pictures = [
                Picture(blob=await self.blobs.put(data), width=1920, height=1080, bytes=len(data))
                for data in (full, full[:PLATE_SIZE])
            ]
            decided = next(event for event in passage(self.number) if isinstance(event, PassageDecided))
            (record,) = await self.log.append([replace(decided, plate="ABC1D23")], actor="voter")
            found.append(
                PassageSigned(
                    passage=record.id,
                    plate="ABC1D23",
                    at=decided.at,
                    picture=pictures[0],
                    plate_picture=pictures[1],
                    key="",
                )
            )
        return found

    async def append(self, passages: Sequence[PassageSigned]) -> float:
        """Append them at once; gives the time when they were durable."""
        await self.log.append(passages, actor="signer")
        return time.monotonic()

    async def message_size(self) -> int:
        """Bytes of one passage on the wire."""
        await self.append(await self.prepare(1))
        return len(await self.server.feed.message(self.log.head) or b"")


@asynccontextmanager
async def our_server(folder: Path, size: int, clients: int) -> AsyncGenerator[Ours]:
    """The server, running."""
    clock = SystemClock()
    async with EventLog.open(folder / "log.db", clock) as log:
        blobs = BlobStore(folder / "blobs")
        settings = Settings(
            port=0, resume=False, max_clients=clients, max_clients_per_address=clients, send_timeout=600
        )
        server = MilesightServer(settings, password=PASSWORD, log=log, blobs=blobs, clock=clock, logins=1_000_000)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, emitter(log, server.name))
            await server.started.wait()
            yield Ours(log, blobs, server, size)
            tasks.cancel_scope.cancel()


def order_for(ours: Ours, clients: int, message: int, count: int, stalled: int = 0) -> Order:
    """What the clients do at our server."""
    greeting = len(encode_login_reply("200"))
    hello = encode_login_request("admin", PASSWORD)
    return Order(ours.server.addresses[0][1], clients, hello, greeting, message, count, stalled)


async def bare(clients: Clients, count: int, passages: int, message: int) -> tuple[float, float]:
    """(bytes a second, CPU seconds) of plain asyncio: one task a client, write and drain."""
    writers: list[asyncio.StreamWriter] = []
    payload = os.urandom(message)

    everybody = asyncio.Event()

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writers.append(writer)
        if len(writers) == count:
            everybody.set()

    async def pump(writer: asyncio.StreamWriter) -> None:
        for _ in range(passages):
            writer.write(payload)
            await writer.drain()

    server = await asyncio.start_server(came, "127.0.0.1", 0, backlog=1024)
    await clients.connect(Order(server.sockets[0].getsockname()[1], count, b"", 0, message, passages))
    await everybody.wait()
    start, cpu = time.monotonic(), time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for writer in writers:
            tasks.create_task(pump(writer))
    arrivals = await clients.arrivals()
    used = time.process_time() - cpu
    await clients.leave()
    for writer in writers:
        writer.close()
    server.close()
    return count * passages * message / (max(times[-1] for times in arrivals) - start), used


async def throughput(ours: Ours, clients: Clients, count: int, passages: int, message: int) -> tuple[float, float]:
    """(bytes a second, CPU seconds) of the server."""
    ready = await ours.prepare(passages)
    await clients.connect(order_for(ours, count, message, passages))
    start, cpu = time.monotonic(), time.process_time()
    await ours.append(ready)
    arrivals = await clients.arrivals()
    used = time.process_time() - cpu
    await clients.leave()
    return count * passages * message / (max(times[-1] for times in arrivals) - start), used


async def delay(ours: Ours, clients: Clients, count: int, passages: int, message: int, stalled: int) -> float:
    """Median delay in seconds of ``count`` reading clients with ``stalled`` others; one passage at a time."""
    delays: list[float] = []
    ready = await ours.prepare(passages)
    await clients.connect(order_for(ours, count, message, passages, stalled))
    begun: list[float] = []
    pause = 0.02 + count * message / 500e6
    for one in ready:
        begun.append(await ours.append([one]))
        await asyncio.sleep(pause)
    for times in await clients.arrivals():
        delays += [arrived - start for arrived, start in zip(times, begun, strict=True)]
    await clients.leave()
    return statistics.median(delays)


async def growth(ours: Ours, clients: Clients, count: int, passages: int, message: int) -> float:
    """MB that the process grows by while ``count`` clients read nothing and ``passages`` go on."""
    ready = await ours.prepare(passages)
    await clients.connect(order_for(ours, 0, message, 0, count))
    before = _resident()
    for one in ready:
        await ours.append([one])
    await asyncio.sleep(0.5)
    after = _resident()
    await clients.leave()
    return (after - before) / 1e6


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def measure(given: argparse.Namespace, folder: Path) -> dict[str, object]:
    """All three figures."""
    clients = Clients()
    try:
        async with our_server(folder, given.size, given.clients + 8) as ours:
            message = await ours.message_size()
            grown = await growth(ours, clients, min(given.clients, 100), 40, message)
            rates: dict[str, list[tuple[float, float]]] = {"ours": [], "asyncio": []}
            for _ in range(given.rounds):
                rates["asyncio"].append(await bare(clients, given.clients, given.passages, message))
                rates["ours"].append(await throughput(ours, clients, given.clients, given.passages, message))
            few = min(given.clients, 20)
            delays = [
                [await delay(ours, clients, few, 10, message, stalled) for stalled in (0, 1, 1, 0)]
                for _ in range(6 * given.rounds)
            ]
    finally:
        clients.end()
    mine, plain = (statistics.median(rate for rate, _ in rates[side]) for side in ("ours", "asyncio"))
    without = statistics.median(x for a, _, _, d in delays for x in (a, d))
    with_one = statistics.median(x for _, b, c, _ in delays for x in (b, c))
    changed = statistics.median((b + c) / (a + d) for a, b, c, d in delays)
    noise = statistics.median(d / a for a, _, _, d in delays)
    return {
        "clients": given.clients,
        "message_bytes": message,
        "throughput": {
            "ours_mb_s": round(mine / 1e6),
            "asyncio_mb_s": round(plain / 1e6),
            "ratio": round(mine / plain, 3),
            "ours_cpu_s": round(statistics.median(cpu for _, cpu in rates["ours"]), 2),
            "asyncio_cpu_s": round(statistics.median(cpu for _, cpu in rates["asyncio"]), 2),
        },
        "stalled": {
            "others": few,
            "median_ms_without": round(without * 1e3, 2),
            "median_ms_with": round(with_one * 1e3, 2),
            "ratio": round(changed, 3),
            "noise": round(noise, 3),
        },
        "memory": {"stalled_clients": min(given.clients, 100), "passages": 40, "growth_mb": round(grown, 1)},
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--size", type=int, default=204_800, help="bytes of a passage's pictures")
    parser.add_argument("--passages", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the log and the pictures lie meanwhile")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        print(json.dumps(asyncio.run(measure(given, Path(folder))), indent=2))


if __name__ == "__main__":
    main()

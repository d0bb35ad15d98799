"""The RTSP server with 200 viewers of one 4 Mbit/s stream through their connections: its share of a core.

``python -m tools.bench.rtsp [--viewers N] [--mbit X] [--seconds N] [--stalled N]``. The viewers live in a process of
their own that reads and throws away. The frames are made beforehand, at 25 a second and with a key frame of four times
the size each two seconds, so that what is measured is the server and the handing over of frames, not an encoder.

``share``   CPU of the whole sending process over the time, of one core.
``delay``   from a frame's delivery to its last byte at a viewer, ms: median and 99th percentile over all viewers; on
            a machine of two cores the reading process takes its part of it.
``stalled`` viewers besides that never read; ``whole`` says whether all the others got every byte all the same.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import anyio
import anyio.to_thread

from lpr.actors.rtsp_server import RtspServer
from lpr.config import Rtsp, RtspStream
from lpr.core.accounts import Accounts
from lpr.core.clock import SystemClock
from lpr.core.record import Record
from lpr.events import Event
from lpr.media.source import Presentation
from lpr.media.stream import MediaStream, Track
from lpr.protocols.rtp.packet import MTU_PAYLOAD

RATE = 25
KEY_EVERY = 50
KEY_FACTOR = 4
TARGET = 0.15
END = b"the last frame of all"


class Canned(MediaStream):
    """Frames made beforehand. ``asked`` key frames come with the next frame."""

    def __init__(self, clock: SystemClock, mbit: float) -> None:
        super().__init__("main", clock, 96, 90000)
        each = mbit * 1e6 / 8 * KEY_EVERY / RATE / (KEY_EVERY - 1 + KEY_FACTOR)
        self._sizes = (round(each * KEY_FACTOR), round(each))
        self._data = os.urandom(self._sizes[0])
        self._count = 0
        self._asked = True

    async def track(self) -> Track:
        return Track("video", "H264", 96, 90000, ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"))

    def request_key_frame(self) -> None:
        self._asked = True

    def tick(self, *, measured: bool = False) -> int:
        """The next frame; gives its bytes as interleaved. ``measured``: key frames come as planned, unasked."""
        key = self._count % KEY_EVERY == 0 or (self._asked and not measured)
        self._asked = False
        self._count += 1
        size = self._sizes[0 if key else 1]
        payloads = [self._data[at : at + MTU_PAYLOAD] for at in range(0, size, MTU_PAYLOAD)]
        return self._send(payloads, key)

    def end(self) -> None:
        """A frame by which viewers know that all is over."""
        self._send([END], True)

    def _send(self, payloads: Sequence[bytes], key: bool) -> int:
        now = self.clock.mono()
        packets = self.deliver(payloads, key=key, at=self.clock.wall(), timestamp=self.timestamp(now))
        return packets.size + 4 * len(packets.rtp)


class Room:
    """One stream."""

    names = ("main",)

    def __init__(self, stream: Canned) -> None:
        self._presentation = Presentation("main", "camera", RtspStream(), stream)

    def presentation(self, name: str) -> Presentation | None:
        return self._presentation if name == "main" else None


@dataclass(frozen=True)
class Seen:
    """What the viewers got: bytes of each from the first measured frame on; when (monotonic s) each had how many."""

    sizes: list[int]
    arrivals: list[list[tuple[float, int]]]


def watch(pipe: Connection, port: int, viewers: int, stalled: int) -> None:
    """The process of viewers: sets all up, says "asked"; after "measure" counts until every one has seen the end."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(viewers + stalled)]
    head = f"rtsp://127.0.0.1:{port}/main"
    for sock in sockets:
        sock.sendall(
            f"SETUP {head}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\n"
            "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(4096)
        session = re.search(rb"Session: ([0-9a-f]+)", answer)
        assert session is not None, answer
        sock.sendall(f"PLAY {head}/ RTSP/1.0\r\nCSeq: 2\r\nSession: {session[1].decode()}\r\n\r\n".encode())
    pipe.send("asked")
    readers = sockets[:viewers]
    buffer = bytearray(1 << 20)
    seen = Seen([0] * viewers, [[] for _ in readers])
    measuring = False
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ, -1)
        for index, sock in enumerate(readers):
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ, index)
        waiting = viewers
        while waiting:
            for key, _ in selector.select():
                index: int = key.data
                if index < 0:
                    pipe.recv()
                    measuring = True
                    pipe.send("measuring")
                    continue
                size = readers[index].recv_into(buffer)
                if not size:
                    raise RuntimeError(f"viewer {index} was cut off")
                if measuring:
                    seen.sizes[index] += size
                    seen.arrivals[index].append((time.monotonic(), seen.sizes[index]))
                if bytes(buffer[max(0, size - len(END)) : size]) == END:
                    selector.unregister(readers[index])
                    waiting -= 1
    pipe.send(seen)
    pipe.recv()


async def said(pipe: Connection) -> object:
    """The next word of the viewers' process."""
    while not pipe.poll():
        await anyio.wait_readable(pipe.fileno())
    return await anyio.to_thread.run_sync(pipe.recv)


async def nobody(events: Sequence[Event]) -> tuple[Record, ...]:
    """There is no log."""
    del events
    return ()


@dataclass(frozen=True)
class Course:
    """What was sent: when each frame was, and how many bytes all up to it had. ``cpu``, ``passed``: seconds."""

    times: list[float]
    sent: list[int]
    cpu: float
    passed: float


async def send(stream: Canned, seconds: int) -> Course:
    """Frames at their pace."""
    begun, cpu = time.monotonic(), time.process_time()
    times, sent = list[float](), [0]
    for number in range(seconds * RATE):
        times.append(time.monotonic())
        sent.append(sent[-1] + stream.tick(measured=True))
        await anyio.sleep(max(0.0, begun + (number + 1) / RATE - time.monotonic()))
    return Course(times, sent, time.process_time() - cpu, time.monotonic() - begun)


async def join(server: RtspServer, stream: Canned, pipe: Connection, count: int) -> None:
    """Frames while the viewers come, so that each PLAY is answered; then some more, so that what was sent is read."""
    while not pipe.poll() or server.viewers < count:
        stream.tick()
        await anyio.sleep(1 / RATE)
    assert await said(pipe) == "asked"
    for _ in range(RATE):
        stream.tick()
        await anyio.sleep(1 / RATE)
    await anyio.sleep(1.0)


async def measure(given: argparse.Namespace) -> dict[str, object]:
    """All figures."""
    clock = SystemClock()
    stream = Canned(clock, given.mbit)
    settings = Rtsp(port=0, guests=True, udp=False, send_timeout=600.0, report_every=5.0)
    server = RtspServer(settings, presentations=Room(stream), accounts=Accounts(()), clock=clock)
    context = multiprocessing.get_context("spawn")
    pipe, far = context.Pipe()
    course: Course | None = None
    seen: object = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, nobody)
        await server.started.wait()
        port = server.addresses[0][1]
        process = context.Process(target=watch, args=(far, port, given.viewers, given.stalled), daemon=True)
        process.start()
        far.close()
        await join(server, stream, pipe, given.viewers + given.stalled)
        pipe.send("measure")
        assert await said(pipe) == "measuring"
        course = await send(stream, given.seconds)
        stream.end()
        seen = await said(pipe)
        pipe.send("leave")
        process.join()
        tasks.cancel_scope.cancel()
    assert course is not None and isinstance(seen, Seen)
    return report(given, course, seen)


def report(given: argparse.Namespace, course: Course, seen: Seen) -> dict[str, object]:
    """The figures of a course."""
    delays = sorted(delay for arrivals in seen.arrivals for delay in _delays(arrivals, course.times, course.sent))
    return {
        "viewers": given.viewers,
        "mbit": round(course.sent[-1] * 8 / course.passed / 1e6, 2),
        "seconds": round(course.passed, 1),
        "cpu_s": round(course.cpu, 3),
        "share": round(course.cpu / course.passed, 4),
        "target_share": TARGET,
        "delay_ms": {
            "median": round(statistics.median(delays) * 1000, 2),
            "p99": round(delays[len(delays) * 99 // 100] * 1000, 2),
        },
        "stalled": {"viewers": given.stalled, "whole": min(seen.sizes) >= course.sent[-1]},
    }


def _delays(arrivals: Sequence[tuple[float, int]], times: Sequence[float], sent: Sequence[int]) -> list[float]:
    """Of each frame, from its delivery to the moment when a viewer had all of it. Reports are counted with frames:
    less than a millisecond's worth."""
    found: list[float] = []
    frame = 0
    for at, size in arrivals:
        while frame < len(times) and size >= sent[frame + 1]:
            found.append(at - times[frame])
            frame += 1
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--mbit", type=float, default=4.0, help="megabits a second of the stream")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--stalled", type=int, default=0, help="viewers besides that never read")
    print(json.dumps(anyio.run(measure, parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()

"""What a stream costs: the delay that it adds, and what recognition loses to it.

``python -m tools.bench.media [--seconds N] [--rounds N] [--codec C]`` prints one JSON object.

``delay``: from the moment when a camera's frame of 1280 x 720 at 25 a second is there to its packets at a viewer, for
each codec: median and 95th percentile in ms, the encoder's own time (wall clock in its thread), and what is left, in
frame times; target: at most two.

``recognition``: pictures a second that the engine reads in a thread of its own, alone and beside an H.264 stream, in
turns; ``share``: CPU seconds of the encoder's thread a second. Target: the loss is no larger than that share (and 0.02
of noise). That needs a machine that is otherwise idle. On a busy one ``ms_alone`` and ``ms_beside`` tell more: what one
picture takes without the time in which its thread waited for a core (Linux: schedstat), so that what is left is its own
work, colder caches, and waiting for the interpreter; ``own_over_share`` is the loss by these.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.config import Engine, RtspStream
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.media.encoder import available, open_encoder
from lpr.media.encoding import Codec, Encoded, Encoder, Image, Settings
from lpr.media.stream import Packets
from lpr.media.video import VideoStream
from lpr.scene.street import Street
from lpr.vision.engine import limit_threads, open_engine

SIZE, RATE = (1280, 720), 25.0
TARGET_FRAMES = 2.0
TARGET_LOSS = 0.02
WARM_UP = 1.0


@dataclass
class Costs:
    """Seconds of the encoder, one entry a picture."""

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def clear(self) -> None:
        self.wall.clear()
        self.cpu.clear()


class Watched:
    """An encoder whose time is taken in its own thread."""

    def __init__(self, costs: Costs, settings: Settings) -> None:
        self._encoder: Encoder = open_encoder(settings)
        self._costs = costs

    @property
    def sdp(self) -> tuple[str, ...]:
        return self._encoder.sdp

    def encode(self, image: Image, *, key: bool) -> Encoded | None:
        wall, cpu = time.perf_counter(), time.thread_time()
        done = self._encoder.encode(image, key=key)
        self._costs.wall.append(time.perf_counter() - wall)
        self._costs.cpu.append(time.thread_time() - cpu)
        return done


@dataclass
class Bench:
    """A camera whose frames are drawn already, and its stream."""

    images: list[NDArray[np.uint8]]
    codec: Codec
    costs: Costs = field(default_factory=Costs)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[VideoStream, None]:
        """The stream, with frames coming."""
        clock, view = SystemClock(), LiveView("camera")
        view.update(stated_rate=RATE)
        settings = RtspStream(codec=self.codec, rate=0)
        stream = VideoStream(settings, self.codec, view, clock, open_with=partial(Watched, self.costs))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.run)
            tasks.start_soon(self._play, view, clock)
            yield stream
            tasks.cancel_scope.cancel()

    async def _play(self, view: LiveView, clock: SystemClock) -> None:
        began, number = anyio.current_time(), 0
        while True:
            view.set_frame(Frame("camera", number, clock.wall(), self.images[number % len(self.images)]))
            number += 1
            await anyio.sleep_until(began + number / RATE)


def drawn(count: int = 50) -> list[NDArray[np.uint8]]:
    """The rendered street, forwards and back, so that it can be repeated without a jump."""
    street = Street(3, *SIZE, RATE)
    images = [street.frame(100 + number) for number in range(count)]
    return [*images, *reversed(images)]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def delay(bench: Bench, seconds: float) -> dict[str, object]:
    """How much later than its frame a viewer has the packets."""
    clock, found = SystemClock(), list[float]()

    def take(packets: Packets) -> None:
        found.append((clock.wall() - packets.at) / 1e6)

    async with bench.running() as stream:
        stream.attach(take)
        await anyio.sleep(WARM_UP)
        found.clear()
        bench.costs.clear()
        await anyio.sleep(seconds)
    middle, encoding = statistics.median(found), statistics.median(bench.costs.wall)
    return {
        "frames": len(found),
        "median_ms": round(middle * 1e3, 2),
        "p95_ms": round(percentile(found, 0.95) * 1e3, 2),
        "encoder_ms": round(encoding * 1e3, 2),
        "encoder_cpu_ms": round(statistics.median(bench.costs.cpu) * 1e3, 2),
        "added_frames": round((middle - encoding) * RATE, 3),
        "p95_frames": round(percentile(found, 0.95) * RATE, 3),
    }


class Recognition:
    """The engine in a thread of its own, as the service has it; counts what it has read."""

    def __init__(self, images: list[NDArray[np.uint8]]) -> None:
        limit_threads(1)
        self._engine = open_engine(Engine(threads=1), ("BR",))
        self._images = images
        self._stop = threading.Event()
        self._schedule: Path | None = None
        self.count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._schedule = schedule if schedule.exists() else None
        while not self._stop.is_set():
            self._engine.read(self._images[self.count % len(self._images)])
            self.count += 1

    async def rate(self, seconds: float) -> tuple[float, float]:
        """From now on: pictures a second, and ms of one without waiting for a core."""
        before, began, queued = self.count, time.perf_counter(), self._queued()
        await anyio.sleep(seconds)
        pictures, passed = max(1, self.count - before), time.perf_counter() - began
        return pictures / passed, (passed - self._queued() + queued) / pictures * 1e3

    def _queued(self) -> float:
        """Seconds for which the thread has waited for a core."""
        return 0.0 if self._schedule is None else int(self._schedule.read_text().split()[1]) / 1e9

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


async def recognition(images: list[NDArray[np.uint8]], codec: Codec, seconds: float, rounds: int) -> dict[str, object]:
    """Recognition alone and beside a stream, in turns."""
    bench, engine = Bench(images, codec), Recognition(images)
    alone: list[tuple[float, float]] = []
    beside: list[tuple[float, float]] = []
    shares: list[float] = []
    encoded: list[float] = []
    try:
        await anyio.sleep(WARM_UP)
        async with bench.running() as stream:
            for _ in range(rounds):
                alone.append(await engine.rate(seconds))
                viewer = stream.attach(lambda packets: None)
                await anyio.sleep(WARM_UP)
                bench.costs.clear()
                beside.append(await engine.rate(seconds))
                shares.append(sum(bench.costs.cpu) / seconds)
                encoded.append(len(bench.costs.cpu) / seconds)
                viewer.close()
                await anyio.sleep(3 * WARM_UP)
    finally:
        engine.close()
    before, after = (statistics.median(rate for rate, _ in one) for one in (alone, beside))
    share = statistics.median(shares)
    ms_before, ms_after = (statistics.median(ms for _, ms in one) for one in (alone, beside))
    return {
        "codec": codec,
        "alone_fps": round(before, 2),
        "beside_fps": round(after, 2),
        "stream_fps": round(statistics.median(encoded), 1),
        "loss": round(1 - after / before, 4),
        "share": round(share, 4),
        "over_share": round(1 - after / before - share, 4),
        "target_over_share": TARGET_LOSS,
        "ms_alone": round(ms_before, 2),
        "ms_beside": round(ms_after, 2),
        "own_over_share": round(1 - ms_before / ms_after - share, 4),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5, help="of recognition alone and beside a stream")
    parser.add_argument("--codec", choices=("h264", "h265", "mjpeg"), action="append", help="these alone")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    images = drawn()
    every: tuple[Codec, ...] = ("h264", "h265", "mjpeg")
    codecs: list[Codec] = [
        codec for codec in every if codec in available() and (given.codec is None or codec in given.codec)
    ]
    delays = {codec: anyio.run(delay, Bench(images, codec), given.seconds) for codec in codecs}
    beside: Codec = "h264" if "h264" in codecs else "mjpeg"
    result: dict[str, Any] = {
        "benchmark": "media",
        "size": SIZE,
        "rate": RATE,
        "delay": delays,
        "target_frames": TARGET_FRAMES,
        "recognition": anyio.run(recognition, images, beside, given.seconds, given.rounds),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""What a whole service costs: CPU beside decoding and inference, memory, idling, and opening on a large log.

``python -m tools.bench.service [--film FILE] [--seconds N] [--idle N] [--events N] [--folder DIR]``. Each part runs in
a process of its own. Without ``--film`` the rendered street is used: 1280 x 720, 25 frames a second, H.264 (MPEG-4
where there is no ffmpeg), a vehicle a second.

``run``   a film from its beginning to its end as quick as it goes, with web server, NVR server and signed pictures,
          without clients. CPU seconds of the process from opening the service (not for the first time: its key and
          password are there) to its end; decoding is the thread time inside the reader (FFmpeg is given one thread),
          inference that inside the engine's ``read`` (scaling, networks, decoding of characters); the rest is
          everything else: pictures as JPEG and their fsync, log, vote, signature, search table, event loop.
``idle``  the film has ended, first without anybody, then with a viewer of the live picture and one of the events.
``open``  opening on a log of recorded passages, from the call until the page is served; models are loaded beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import aiohttp
import anyio
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr import service as wiring
from lpr.actors.catalogue import Catalogue
from lpr.actors.engine.memory import Memory, baseline_of
from lpr.cli.run import settle_memory
from lpr.config import Camera, Config, MilesightServer, Web
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.core.pipeline import chain_name
from lpr.events import Baseline, Event, Reading
from lpr.folder import DataFolder
from lpr.service import Service, deciders
from lpr.vision.engine import Engine, open_engine
from lpr.vision.video import VideoReader
from tools.bench.replay import fill

P = ParamSpec("P")
T = TypeVar("T")

COUNTED = ("CaptureTaken", "PassageDecided")
PARTS = ("run", "idle", "open")
INPUTS = 4000
"""Inputs after the last baseline of each decider, fewer than ``log.baseline_every``."""


class Stopwatch:
    """Adds up the CPU time of the calling thread inside a function."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def timed(self, function: Callable[P, T]) -> Callable[P, T]:
        """``function``, measured."""

        def measured(*args: P.args, **kwargs: P.kwargs) -> T:
            start = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.thread_time() - start
                self.calls += 1

        return measured


class TimedEngine:
    """An engine whose ``read`` is measured."""

    def __init__(self, engine: Engine, watch: Stopwatch) -> None:
        self.name = str(getattr(engine, "name", ""))
        self._read = watch.timed(engine.read)

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        """See ``lpr.vision.engine.Engine``."""
        return self._read(image)


def memory(field: str = "VmRSS") -> float:
    """Memory of this process in MiB; ``VmHWM``: the most that it ever had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def resident() -> float:
    """As ``memory()``, in a tenth of the time: it counts with what is measured."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize() / 1048576


def config(folder: Path, source: str, engine: Path | None) -> Config:
    """A service with everything on."""
    made = Config(
        data=str(folder / "data"),
        cameras=(Camera(name="camera", source=source, fast=True, lane="1"),),
        web=Web(port=0),
        milesight=(MilesightServer(port=0),),
    )
    if engine is not None:
        made = msgspec.structs.replace(made, engine=msgspec.structs.replace(made.engine, reader=str(engine)))
    return made


# --- run -----------------------------------------------------------------------------------------------


async def run(given: argparse.Namespace) -> dict[str, object]:
    """CPU and memory of a run over a film."""
    decoding, inference = Stopwatch(), Stopwatch()
    for method in ("read", "skip"):
        setattr(VideoReader, method, decoding.timed(getattr(VideoReader, method)))
    settings = config(given.folder, str(given.film), given.reader)
    engine = TimedEngine(open_engine(settings.engine), inference)
    samples: list[float] = []

    async def sample() -> None:
        while True:
            samples.append(resident())
            await anyio.sleep(0.25)

    counts: dict[str, int] = {}
    async with wiring.open(config(given.folder, str(given.folder / "none.avi"), given.reader), engine=engine):
        pass
    wall, cpu = time.perf_counter(), time.process_time()
    async with wiring.open(settings, engine=engine) as service, anyio.create_task_group() as tasks:
        settle_memory()
        tasks.start_soon(sample)
        await service.settled()
        for kind in COUNTED:
            counts[kind] = len(await service.log.read(0, types=(kind,), limit=9000))
        tasks.cancel_scope.cancel()
    total, elapsed = time.process_time() - cpu, time.perf_counter() - wall
    rest = total - decoding.seconds - inference.seconds
    late = sorted(samples[len(samples) // 2 :])
    return {
        "frames": decoding.calls - 1,
        "captures": inference.calls,
        "recorded": counts["CaptureTaken"],
        "passages": counts["PassageDecided"],
        "wall_s": round(elapsed, 2),
        "cpu_s": round(total, 3),
        "decoding_s": round(decoding.seconds, 3),
        "inference_s": round(inference.seconds, 3),
        "else_s": round(rest, 3),
        "else_share": round(rest / total, 4),
        "target_else_share": 0.15,
        "steady_mib": round(late[len(late) // 2], 1),
        "most_mib": round(memory("VmHWM"), 1),
        "target_mib": 300,
    }


# --- idle ----------------------------------------------------------------------------------------------

_CLIENT = (
    "import sys,urllib.request as u\n"
    "r=u.urlopen(u.Request(sys.argv[1],headers={'Authorization':'Bearer '+sys.argv[2]}))\n"
    "while r.read1(65536): pass"
)
PASSWORD = "bench-mark-password-1"


async def token(service: Service) -> str:
    """The session of the first administrator, with a password of its own."""
    assert service.web is not None and service.first_login is not None
    api = f"{service.web.url}api/v1"
    user, password = service.first_login.user, service.first_login.password
    async with aiohttp.ClientSession() as session:

        async def login(password: str) -> str:
            async with session.post(f"{api}/login", json={"user": user, "password": password}) as answer:
                found: str = (await answer.json())["token"]
                return found

        first = {"Authorization": f"Bearer {await login(password)}"}
        change = {"current": password, "new": PASSWORD}
        async with session.put(f"{api}/me/password", json=change, headers=first) as answer:
            answer.raise_for_status()
        return await login(PASSWORD)


async def idle(given: argparse.Namespace) -> dict[str, object]:
    """CPU of a service with nothing to do, as a share of one core."""
    settings = config(given.folder, str(given.film), given.reader)

    async def share() -> float:
        await anyio.sleep(1.0)
        wall, cpu = time.perf_counter(), time.process_time()
        await anyio.sleep(given.idle)
        return round((time.process_time() - cpu) / (time.perf_counter() - wall), 4)

    async with wiring.open(settings) as service:
        await service.settled()
        assert service.web is not None
        await service.web.listening.wait()
        alone = await share()
        session = await token(service)
        streams = ("cameras/camera/live.mjpg", "events/stream")
        commands = [(sys.executable, "-c", _CLIENT, f"{service.web.url}api/v1/{path}", session) for path in streams]
        clients = [await anyio.open_process(command, stdout=None, stderr=None) for command in commands]
        try:
            watched = await share()
            assert all(client.returncode is None for client in clients)
        finally:
            for client in clients:
                client.kill()
                await client.aclose()
    return {"seconds": given.idle, "alone": alone, "watched": watched, "target": 0.02}


# --- open ----------------------------------------------------------------------------------------------


async def prepare(settings: Config, events: int) -> None:
    """A log as a service leaves it: baselines near its end, cursors at its end, the search table built."""
    place = DataFolder(Path(settings.data))
    place.root.mkdir(parents=True)
    await fill(place.log, events)
    clock = SystemClock()
    async with EventLog.open(place.log, clock) as log:
        upto = log.head - INPUTS
        for name, decider in deciders(settings).items():
            state = msgspec.Raw(msgspec.json.encode(decider.initial()))
            baseline: Event = Baseline(actor=name, state_version=decider.state_version, upto=upto, state=state)
            await log.append((baseline,), actor=name, cursor=log.head)
        chain = chain_name("camera")
        await log.append((baseline_of(chain, Memory(), upto),), actor=chain)
        await log.append((), actor="signer", cursor=log.head)
        catalogue = Catalogue(place.catalogue)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(catalogue.run, log)
            while True:
                if log.positions.get(catalogue.name, 0) == log.head:
                    break
                await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()


async def opening(given: argparse.Namespace) -> dict[str, object]:
    """Seconds until a service on a large log serves its page, and until every actor is at its end."""
    settings = config(given.folder, str(given.folder / "none.avi"), given.reader)
    await prepare(settings, given.events)
    engine = open_engine(settings.engine)
    rounds: list[tuple[float, float]] = []
    for _ in range(3):
        start = time.perf_counter()
        async with wiring.open(settings, engine=engine) as service:
            assert service.web is not None
            await service.web.listening.wait()
            served = time.perf_counter() - start
            while True:
                if not any(actor.behind for actor in (await service.status()).actors):
                    break
                await anyio.sleep(0.01)
            rounds.append((served, time.perf_counter() - start))
    size = DataFolder(Path(settings.data)).log.stat().st_size
    return {
        "events": given.events,
        "log_mb": round(size / 1e6),
        "first_s": round(rounds[0][0], 3),
        "served_s": round(min(served for served, _ in rounds), 3),
        "caught_up_s": round(min(through for _, through in rounds), 3),
        "target_s": 2.0,
        "most_mib": round(memory("VmHWM"), 1),
    }


# --- the command ---------------------------------------------------------------------------------------


def film(folder: Path, seconds: float) -> Path:
    """The rendered street as a film of 1280 x 720 at 25 frames a second."""
    from lpr.scene.street import Street
    from tools.render_street import render

    path, coded = folder / "street.mp4", folder / "street-h264.mp4"
    render(Street(3, 1280, 720, 25.0), path, round(seconds * 25))
    command = (
        "ffmpeg",
        "-nostdin",
        "-y",
        "-v",
        "error",
        "-i",
        str(path),
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        str(coded),
    )
    if shutil.which("ffmpeg") is None or subprocess.run(command, check=False).returncode != 0:
        return path
    return coded


def part(name: str, given: argparse.Namespace, folder: Path, source: Path | None) -> dict[str, Any]:
    """One part in a process of its own."""
    command = [sys.executable, "-m", "tools.bench.service", "--part", name, "--folder", str(folder / name)]
    command += ["--idle", str(given.idle), "--events", str(given.events)]
    command += ["--film", str(source)] if source is not None else []
    command += ["--reader", str(given.reader)] if given.reader is not None else []
    one = {"OPENCV_FFMPEG_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **one})
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--film", type=Path, help="another film than the rendered street")
    parser.add_argument("--seconds", type=float, default=40.0, help="of the rendered street")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds to watch it idling")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--reader", type=Path, help="manifest of another reader")
    parser.add_argument("--folder", type=Path, help="where the data folders lie meanwhile")
    parser.add_argument("--only", choices=PARTS, action="append", help="these parts alone")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.part is not None:
        given.folder.mkdir(parents=True, exist_ok=True)
        work = {"run": run, "idle": idle, "open": opening}[given.part]
        print(json.dumps(anyio.run(work, given)))
        return
    wanted: list[str] = given.only or list(PARTS)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        needs_film = given.film is None and wanted != ["open"]
        source = film(folder, given.seconds) if needs_film else given.film
        results = {one: part(one, given, folder, source) for one in wanted}
        print(json.dumps({"benchmark": "service", **results}, indent=2))


if __name__ == "__main__":
    main()

"""Hours of a service in a moment: simulated time, a receiver that is away, clocks that step, stops and kills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio
import trio
import trio.testing

from lpr.core.actor import run_decider, run_worker
from lpr.core.blobs import BlobStore
from lpr.core.chain import Checkpointer, verify
from lpr.core.clock import SECOND, SimulatedClock
from lpr.core.delivery import BackoffPolicy, Delivered, Outcome, Shipment, Unavailable
from lpr.core.log import EventLog, LogReader, LogUnavailable
from lpr.core.offload import inline
from lpr.core.record import Link, Record
from lpr.core.sinks import run_sink
from lpr.core.supervise import Supervisor
from lpr.events import Event, PassageDecided, Picture
from tests.core.samples import Adder, decided, passed, signed
from tests.core.test_chain import KEY, check, sign

HOUR = 3600.0


class Receiver:
    """Away between two times of the simulation (seconds). ``got``: passages in the order in which they came."""

    name = "push"

    def __init__(self, clock: SimulatedClock, away: tuple[float, float]) -> None:
        self.clock = clock
        self.away = away
        self.got: list[str] = []
        self.attempts = 0

    async def deliver(self, shipment: Shipment) -> Outcome:
        self.attempts += 1
        await self.clock.sleep(0.2)
        now = self.clock.mono() / SECOND
        if self.away[0] <= now < self.away[1]:
            return Unavailable("connection refused")
        self.got.append(shipment.passage)
        return Delivered("200 OK")


class Signer:
    """Signs every passage."""

    name = "signer"
    interests: tuple[type[Event], ...] = (PassageDecided,)

    def __init__(self, blobs: BlobStore) -> None:
        self.blobs = blobs

    async def work(self, record: Record) -> tuple[Event, ...]:
        blob = await self.blobs.put(record.id.encode())
        return (signed(record.id, Picture(blob=blob, width=1, height=1, bytes=36)),)


class World:
    """One camera, a signer, an adder, a receiver; and the service over them, which may be stopped at any time."""

    def __init__(self, folder: Path, away: tuple[float, float]) -> None:
        self.path = folder / "log.db"
        self.clock = SimulatedClock()
        self.blobs = BlobStore(folder / "blobs", inline)
        self.receiver = Receiver(self.clock, away)
        self.number = 0

    async def camera(self, log: EventLog, every: float) -> None:
        while True:
            await self.clock.sleep(every)
            self.number += 1
            await log.append([passed(self.number), decided(self.number)], actor="voter")

    async def serve(self, seconds: float, every: float = 60.0) -> None:
        """Run for so long, then stop in good order."""
        async with EventLog.open(self.path, self.clock, offload=inline) as log:
            supervisor = Supervisor(log, self.clock)
            policy = BackoffPolicy(first=1.0, longest=300.0)
            runs: dict[str, Callable[[], Awaitable[None]]] = {
                "camera": partial(self.camera, log, every),
                "signer": partial(run_worker, Signer(self.blobs), log, self.clock),
                "adder": partial(run_decider, Adder(), log, self.clock),
                "push": partial(run_sink, self.receiver, log, self.blobs, self.clock, policy),
                "chain": Checkpointer(log, self.clock, sign, KEY).run,
            }
            for name, run in runs.items():
                supervisor.add(name, run, vital=name == "signer")
            with anyio.move_on_after(seconds):
                await supervisor.run()

    async def events(self, *types: str) -> list[Link]:
        found: list[Link] = []
        async with LogReader.open(self.path, self.clock, offload=inline) as log:
            while page := await log.read(found[-1].seq if found else 0, types=types):
                found += page
            report = await verify(log, check)
            assert report.ok and report.checkpoints > 0, report.problems
        return found


def simulate(main: Callable[[], Awaitable[None]]) -> None:
    """Run under trio's MockClock: time jumps on whenever nothing can go on."""
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_an_outage_of_hours_loses_nothing_and_fills_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path, away=(0.5 * HOUR, 5 * HOUR))
        await world.serve(6 * HOUR, every=120.0)
        made = [record.id for record in await world.events("PassageDecided")]
        assert len(made) == 179
        assert world.receiver.got == made[: len(world.receiver.got)]
        assert len(world.receiver.got) >= len(made) - 1
        failed = await world.events("DeliveryFailed")
        assert 10 <= len(failed) <= 10 + 5 * 12 + 1
        assert world.receiver.attempts < len(made) + 120

    simulate(main)


def test_stops_kills_and_clock_steps_lose_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path, away=(1000.0, 4000.0))
        for seconds in (125.0, 601.5, 59.9, 1800.1, 60.05, 2400.2):
            await world.serve(seconds, every=25.0)
            world.clock.step(-3600.0 if seconds < 1000 else 7200.0)
        await world.serve(3000.0, every=1e9)
        made = [record.id for record in await world.events("PassageDecided")]
        assert len(set(made)) == len(made)
        assert world.number - len(made) in range(7), "at most the append that each stop cut off"
        assert set(world.receiver.got) == set(made), "each at least once"
        assert len(world.receiver.got) <= len(made) + 7, "a repetition only where a stop cut an attempt off"
        delivered = await world.events("Delivered")
        assert sorted({record.cause for record in delivered}) == [record.cause for record in delivered]
        signed_ = await world.events("PassageSigned")
        assert len(signed_) == len(made)
        sums = await world.events("SourceStalled")
        assert [record.cause for record in sums] == sorted({record.cause for record in sums})
        assert len(sums) == len(await world.events("FramesPassed")) // 10
        assert await world.events("ClockStepped")

    simulate(main)


def test_a_full_disk_for_an_hour_is_sat_out(tmp_path: Path) -> None:
    """While the log can't be written, actors wait; afterwards everything that was not yet recorded is done."""

    async def main() -> None:
        clock = SimulatedClock()
        recorded: list[int] = []
        async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
            supervisor = Supervisor(log, clock)
            backlog = list(range(200))

            async def source() -> None:
                while backlog:
                    await log.append([passed(backlog[0])], actor="source")
                    recorded.append(backlog.pop(0))
                    await clock.sleep(30)

            supervisor.add("source", source, vital=True)
            supervisor.add("adder", partial(run_decider, Adder(), log, clock))
            write = log.append
            full = False

            async def append(*arguments: object, **options: object) -> tuple[Link, ...]:
                if full:
                    raise LogUnavailable("disk full")
                return await write(*arguments, **options)  # pyright: ignore[reportArgumentType]

            log.append = append
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(supervisor.run)
                await clock.sleep(HOUR / 2)
                full = True
                await clock.sleep(HOUR)
                assert supervisor.status()[0].state == "waiting for the log"
                full = False
                await clock.sleep(2 * HOUR)
                supervisor.stop()
            assert recorded == list(range(200))
            assert len(await log.read(0, types={"SourceStalled"})) == 20
            assert await log.read(0, types={"ActorFailed", "ActorParked"}) == []

    simulate(main)

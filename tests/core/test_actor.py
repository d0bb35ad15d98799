"""The one loop: deciders, workers, timers, baselines."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path

import anyio
import anyio.lowlevel
import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lpr.core.actor import ActorSettings, Emit, recover, run_decider, run_source, run_worker
from lpr.core.clock import SECOND, ManualClock
from lpr.core.log import EventLog, LogUnavailable
from lpr.core.offload import inline
from lpr.core.record import Record, make_record
from lpr.events import Baseline, Event, FramesPassed, SourceStalled, TimerFired
from tests.core.samples import Adder, Sums, delivered, passed

pytestmark = pytest.mark.anyio


async def said(log: EventLog) -> list[str]:
    """What the adder has said so far."""
    found = await log.read(0, types={"SourceStalled"})
    return [e.source for r in found if isinstance(e := r.event, SourceStalled)]


async def live(decider: Adder, log: EventLog, clock: ManualClock, every: int = 5000) -> None:
    """Run the decider until it has nothing left to do, then stop it cleanly."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(run_decider, decider, log, clock, settings=ActorSettings(every)))
        while log.positions.get(decider.name, 0) < log.head:
            await log.wait(log.positions.get(decider.name, 0))
            await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()


async def test_outputs_follow_inputs_with_their_cause(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(n) for n in range(25)], actor="source")
        await live(Adder(), log, clock)
        outputs = [r for r in await log.read(0) if r.type == "SourceStalled"]
        assert [(r.actor, r.cause) for r in outputs] == [("adder", 10), ("adder", 20)]
        assert await said(log) == ["sum 45", "sum 190"]
        assert await log.cursor("adder") >= 25


@pytest.mark.parametrize("stop_after", [1, 9, 10, 11, 25])
async def test_a_restart_anywhere_says_nothing_twice_and_nothing_less(tmp_path: Path, stop_after: int) -> None:
    clock = ManualClock()
    path = tmp_path / "log.db"
    numbers = list(range(40))
    async with EventLog.open(path, clock, offload=inline) as log:
        await log.append([passed(n) for n in numbers[:stop_after]], actor="source")
        await live(Adder(), log, clock, every=3)
    async with EventLog.open(path, clock, offload=inline) as log:
        await log.append([passed(n) for n in numbers[stop_after:]], actor="source")
        await live(Adder(), log, clock, every=3)
        assert await said(log) == [f"sum {sum(range(n))}" for n in (10, 20, 30, 40)]


async def test_a_kill_between_outputs_says_nothing_twice(tmp_path: Path) -> None:
    """Killed: no last baseline, the cursor is where the last output was."""
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(n) for n in range(15)], actor="source")
        output = SourceStalled(source="sum 45", silent_s=0.0)
        await log.append([output], actor="adder", cause=10, cursor=10)
        await log.append([passed(n) for n in range(15, 20)], actor="source")
        await live(Adder(), log, clock)
        assert await said(log) == ["sum 45", "sum 190"]


async def test_a_passed_deadline_becomes_an_event(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        tasks.start_soon(run_decider, Adder(quiet=SECOND), log, clock)
        await log.append([passed(3)], actor="source")
        await anyio.wait_all_tasks_blocked()
        clock.advance(0.9)
        await anyio.wait_all_tasks_blocked()
        assert log.head == 1
        clock.advance(0.2)
        assert await log.wait(2) == 3
        timer, output = await log.read(1)
        due = clock.wall() - 100_000
        assert timer.event == TimerFired(actor="adder", due=due)
        assert output.cause == timer.seq and output.event == SourceStalled(source="sum 3", silent_s=1.0)
        tasks.cancel_scope.cancel()


async def test_an_input_before_the_deadline_moves_it(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        tasks.start_soon(run_decider, Adder(quiet=SECOND), log, clock)
        for number in range(5):
            await log.append([passed(number)], actor="source")
            while log.positions.get("adder", 0) < log.head:
                await anyio.wait_all_tasks_blocked()
                await anyio.lowlevel.checkpoint()
            await anyio.wait_all_tasks_blocked()
            clock.advance(0.9)
        await anyio.wait_all_tasks_blocked()
        assert await log.read(0, types={"TimerFired"}) == []
        tasks.cancel_scope.cancel()


async def test_a_deadline_that_is_never_cleared_is_an_error(tmp_path: Path) -> None:
    class Stubborn(Adder):
        def evolve(self, state: Sums, record: Record) -> Sums:
            return Sums(quiet_at=5)

    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(1)], actor="source")
        with pytest.raises(RuntimeError, match="adder keeps its deadline 5"):
            await run_decider(Stubborn(), log, clock)


async def test_timers_of_others_are_no_inputs(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([TimerFired(actor="somebody", due=1), passed(5)], actor="x")
        await live(Adder(every=1), log, clock)
        assert await said(log) == ["sum 5"]


async def test_a_failing_input_is_never_skipped_and_what_came_before_is_written(tmp_path: Path) -> None:
    class Picky(Adder):
        def decide(self, state: Sums, record: Record) -> tuple[Event, ...]:
            if isinstance(record.event, FramesPassed) and record.event.position == 13:
                raise ValueError("unlucky")
            return super().decide(state, record)

    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(n) for n in range(30)], actor="source")
        for _ in range(2):
            with pytest.raises(ValueError, match="unlucky"):
                await run_decider(Picky(), log, clock)
            assert await said(log) == ["sum 45"]
        await live(Adder(), log, clock)
        assert await said(log) == ["sum 45", "sum 190", "sum 435"]


async def test_baselines_are_written_and_used(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "log.db"
    async with EventLog.open(path, clock, offload=inline) as log:
        for start in (0, 10, 20):
            await log.append([passed(n) for n in range(start, start + 10)], actor="source")
            await live(Adder(), log, clock, every=10)
        assert len(await log.read(0, types={"Baseline"})) == 3
        record = await log.baseline("adder")
        assert record is not None and isinstance(record.event, Baseline)
        assert msgspec.json.decode(record.event.state, type=Sums) == Sums(435, 30)
        folded: list[int] = []

        class Watching(Adder):
            def evolve(self, state: Sums, record: Record) -> Sums:
                folded.append(record.seq)
                return super().evolve(state, record)

        recovered = await recover(Watching(), log, log.head)
        assert recovered.state == Sums(435, 30) and folded == []

        class Changed(Watching):
            state_version = 2

        recovered = await recover(Changed(), log, log.head)
        assert recovered.state == Sums(435, 30) and len(folded) == 30


async def test_an_actor_with_little_to_do_leaves_baselines_too(tmp_path: Path) -> None:
    """Otherwise it would hold retention back for ever."""
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([delivered() for _ in range(70)], actor="others")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(run_decider, Adder(), log, clock, settings=ActorSettings(3)))
            await log.wait(70)
            tasks.cancel_scope.cancel()
        record = await log.baseline("adder")
        assert record is not None and isinstance(record.event, Baseline) and record.event.upto == 70


numbers = st.lists(st.integers(-1000, 1000), max_size=40)


@given(numbers, st.integers(0, 40))
def test_a_state_survives_its_baseline_anywhere(values: list[int], place: int) -> None:
    decider = Adder(quiet=SECOND)
    records = [make_record(n + 1, passed(value), wall=n) for n, value in enumerate(values)]
    whole = restored = decider.initial()
    for index, record in enumerate(records):
        if index == place:
            restored = msgspec.json.decode(msgspec.json.encode(restored), type=Sums)
        whole, restored = decider.evolve(whole, record), decider.evolve(restored, record)
    assert whole == restored


@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(numbers, st.lists(st.integers(0, 40), max_size=3))
def test_any_way_of_life_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], stops: list[int]
) -> None:
    path = tmp_path_factory.mktemp("life") / "log.db"

    async def main() -> list[str]:
        clock = ManualClock()
        edges = [0, *sorted(min(stop, len(values)) for stop in stops), len(values)]
        for start, end in pairwise(edges):
            async with EventLog.open(path, clock, offload=inline) as log:
                await log.append([passed(value) for value in values[start:end]], actor="source")
                await live(Adder(), log, clock, every=4)
        async with EventLog.open(path, clock, offload=inline) as log:
            return await said(log)

    expected = [f"sum {sum(values[:n])}" for n in range(10, len(values) + 1, 10)]
    assert anyio.run(main) == expected


class Scribe:
    """A worker that notes what it was given. ``fails``: raises so often first."""

    name = "scribe"
    interests: tuple[type[Event], ...] = (FramesPassed,)

    def __init__(self, fails: int = 0) -> None:
        self.seen: list[int] = []
        self.fails = fails

    async def work(self, record: Record) -> tuple[Event, ...]:
        await anyio.lowlevel.checkpoint()
        if self.fails:
            self.fails -= 1
            raise OSError("not now")
        self.seen.append(record.seq)
        return (delivered(record.seq),) if record.seq % 2 else ()


async def test_a_worker_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(n) for n in range(5)], actor="source")
        worker = Scribe(fails=1)
        with pytest.raises(OSError, match="not now"):
            await run_worker(worker, log, clock)
        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run_worker, worker, log, clock)
                while log.positions.get("scribe", 0) < log.head:
                    await log.wait(log.positions.get("scribe", 0))
                    await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
        assert worker.seen == [1, 2, 3, 4, 5]
        outputs = await log.read(0, types={"Delivered"})
        assert [r.cause for r in outputs] == [1, 3, 5]


async def test_a_worker_can_begin_at_the_head(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        await log.append([passed(n) for n in range(5)], actor="source")
        worker = Scribe()
        tasks.start_soon(partial(run_worker, worker, log, clock, start=log.head))
        await log.append([passed(9)], actor="source")
        while worker.seen != [6]:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


async def test_a_source_emits_under_its_name(tmp_path: Path) -> None:
    class Camera:
        name = "camera-1"

        async def run(self, emit: Emit) -> None:
            records = await emit([passed(1), passed(2)])
            assert [r.seq for r in records] == [1, 2]

    async with EventLog.open(tmp_path / "log.db", ManualClock(), offload=inline) as log:
        await run_source(Camera(), log)
        assert [r.actor for r in await log.read(0)] == ["camera-1", "camera-1"]


async def test_stopping_does_not_wait_for_a_log_that_cannot_write(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(1)], actor="source")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_decider, Adder(), log, clock)
            while not log.positions.get("adder"):
                await anyio.lowlevel.checkpoint()
            await log.maintain(lambda writer: writer.limit_pages(1))

            async def refuse(*_: object, **__: object) -> None:
                raise LogUnavailable("disk full")

            log.append = refuse  # pyright: ignore[reportAttributeAccessIssue]
            tasks.cancel_scope.cancel()
        assert log.head == 1

"""Actors that fail, wait, come back, are parked or end the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from lpr.core.clock import SECOND, ManualClock
from lpr.core.log import EventLog, LogDamagedError, LogUnavailable
from lpr.core.offload import inline
from lpr.core.supervise import Supervisor, VitalActorFailed, describe
from lpr.events import ActorFailed, ActorParked, Event
from tests.core.samples import passed

pytestmark = pytest.mark.anyio


def failing(times: int, error: Exception | None = None) -> tuple[Callable[[], Awaitable[None]], list[int]]:
    """A run that fails ``times`` times, then runs until cancelled; and its count of starts."""
    starts = [0]

    async def run() -> None:
        starts[0] += 1
        await anyio.lowlevel.checkpoint()
        if starts[0] <= times:
            raise error or ValueError(f"failure {starts[0]}")
        await anyio.sleep_forever()

    return run, starts


async def passing(clock: ManualClock, done: Callable[[], bool]) -> None:
    """Let time pass whenever everything waits, until ``done``."""
    while not done():
        await anyio.wait_all_tasks_blocked()
        clock.advance(0.25)


async def told(log: EventLog) -> list[Event]:
    return [r.event for r in await log.read(0, types={"ActorFailed", "ActorParked"})]


async def test_a_failed_actor_is_recorded_and_comes_back(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        supervisor = Supervisor(log, clock)
        run, starts = failing(2)
        supervisor.add("camera", run)
        tasks.start_soon(supervisor.run)
        await passing(clock, lambda: starts[0] == 3)
        await anyio.wait_all_tasks_blocked()
        assert await told(log) == [
            ActorFailed(actor="camera", error="ValueError: failure 1", failures=1, retry_in=0.5),
            ActorFailed(actor="camera", error="ValueError: failure 2", failures=2, retry_in=1.0),
        ]
        (status,) = supervisor.status()
        assert (status.state, status.failures, status.last_error) == ("running", 2, "ValueError: failure 2")
        supervisor.stop()


async def test_an_optional_actor_is_parked_and_others_go_on(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        supervisor = Supervisor(log, clock)
        run, starts = failing(99)
        well, _ = failing(0)
        supervisor.add("broken", run)
        supervisor.add("well", well)
        tasks.start_soon(supervisor.run)
        await passing(clock, lambda: supervisor.status()[0].state == "parked")
        await log.wait(4)
        assert starts[0] == 5
        events = await told(log)
        assert [type(e).__name__ for e in events] == ["ActorFailed"] * 4 + ["ActorParked"]
        assert events[-1] == ActorParked(actor="broken", error="ValueError: failure 5", failures=5)
        assert supervisor.status()[1].state == "running"
        supervisor.stop()


async def test_a_vital_actor_ends_the_service(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        supervisor = Supervisor(log, clock)
        run, starts = failing(99)
        well, _ = failing(0)
        supervisor.add("voter", run, vital=True)
        supervisor.add("well", well)
        errors: list[VitalActorFailed] = []

        async def service() -> None:
            with pytest.raises(VitalActorFailed, match="voter failed too often") as caught:
                await supervisor.run()
            errors.append(caught.value)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service)
            await passing(clock, lambda: bool(errors))
        assert starts[0] == 5 and errors[0].actor == "voter"
        assert [s.state for s in supervisor.status()][1] == "stopped"


async def test_failures_long_past_are_forgiven(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        supervisor = Supervisor(log, clock)
        starts = [0]

        async def run() -> None:
            starts[0] += 1
            await clock.sleep(30)
            raise ValueError("again")

        supervisor.add("flaky", run)
        tasks.start_soon(supervisor.run)
        await passing(clock, lambda: starts[0] == 12)
        assert supervisor.status()[0].state != "parked"
        supervisor.stop()


async def test_a_log_that_cannot_be_written_is_nobodys_failure(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log, anyio.create_task_group() as tasks:
        supervisor = Supervisor(log, clock)
        run, starts = failing(20, LogUnavailable("disk full"))
        grouped, group_starts = failing(20, ExceptionGroup("two", [LogUnavailable("disk full")]))
        supervisor.add("camera", run, vital=True)
        supervisor.add("other", grouped)
        tasks.start_soon(supervisor.run)
        await anyio.wait_all_tasks_blocked()
        assert supervisor.status()[0].state == "waiting for the log"
        assert supervisor.status()[0].last_error == "LogUnavailable: disk full"
        await passing(clock, lambda: starts[0] == group_starts[0] == 21)
        assert await told(log) == []
        assert supervisor.status()[0].failures == 0
        supervisor.stop()


async def test_a_damaged_log_ends_the_service_at_once(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        supervisor = Supervisor(log, clock)
        run, starts = failing(99, LogDamagedError("malformed"))
        supervisor.add("any", run)
        with pytest.raises(LogDamagedError, match="malformed"):
            await supervisor.run()
        assert starts[0] == 1


async def test_ended_actors_end_the_run_and_late_ones_are_welcome(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        supervisor = Supervisor(log, clock)
        ran: list[str] = []

        async def late() -> None:
            ran.append("late")

        async def early() -> None:
            ran.append("early")
            supervisor.add("late", late)

        supervisor.add("early", early)
        with pytest.raises(ValueError, match="already an actor early"):
            supervisor.add("early", early)
        await supervisor.run()
        assert ran == ["early", "late"]
        assert [s.state for s in supervisor.status()] == ["ended", "ended"]


async def test_the_status_says_how_far_behind_an_actor_is(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        supervisor = Supervisor(log, clock)
        run, _ = failing(0)
        supervisor.add("reader", run)
        supervisor.add("other", run)
        await log.append([passed(n) for n in range(5)], actor="x")
        log.positions["reader"] = 3
        one, other = supervisor.status()
        assert (one.position, one.lag) == (3, 2)
        assert (other.position, other.lag) == (None, 0)
        assert one.since == clock.wall() and clock.wall() > SECOND


async def test_cancelling_the_service_is_never_swallowed(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        supervisor = Supervisor(log, clock)
        run, _ = failing(0)
        supervisor.add("a", run)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(supervisor.run)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        assert supervisor.status()[0].state == "stopped"


def test_errors_are_described_in_one_line() -> None:
    group = ExceptionGroup("many", [ValueError("a\nb"), ExceptionGroup("deep", [KeyError("c")])])
    assert describe(group) == "ValueError: a b; KeyError: 'c'"
    assert describe(ValueError()) == "ValueError"
    assert len(describe(ValueError("x" * 9999))) == 500

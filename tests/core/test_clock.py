"""The clocks."""

from __future__ import annotations

import anyio
import pytest
import trio
import trio.testing

from lpr.core.clock import SECOND, Clock, ManualClock, SimulatedClock, SystemClock


@pytest.mark.anyio
async def test_the_system_clock_shows_plausible_times() -> None:
    clock = SystemClock()
    before = clock.mono()
    await clock.sleep(0)
    await clock.sleep_until(clock.wall() - SECOND)
    assert clock.mono() >= before
    assert clock.wall() > 1_700_000_000 * SECOND
    assert len(clock.boot) == 16
    assert len(clock.random_bytes(9)) == 9
    assert 0.0 <= clock.jitter() < 1.0


def test_simulated_hours_pass_at_once() -> None:
    async def main() -> tuple[int, int]:
        clock = SimulatedClock()
        start = clock.wall()
        await clock.sleep(3600)
        await clock.sleep_until(start + 7200 * SECOND)
        return start, clock.wall()

    start, end = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert end - start == 7200 * SECOND


@pytest.mark.anyio
async def test_every_clock_can_be_asked_from_a_thread() -> None:
    for clock in (SystemClock(), SimulatedClock(), ManualClock()):
        before = clock.mono()
        assert await anyio.to_thread.run_sync(clock.mono) >= before
        assert await anyio.to_thread.run_sync(clock.wall) >= before


def test_a_step_of_the_wall_clock_is_noticed_while_sleeping() -> None:
    async def main() -> int:
        clock = SimulatedClock()
        started = clock.mono()

        async def jump() -> None:
            await clock.sleep(60)
            clock.step(3600)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jump)
            await clock.sleep_until(clock.wall() + 3600 * SECOND)
        return clock.mono() - started

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) <= 66 * SECOND


@pytest.mark.anyio
async def test_a_manual_clock_moves_only_by_hand() -> None:
    clock = ManualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async def dated() -> None:
        await clock.sleep_until(clock.wall() + 3 * SECOND)
        woken.append("dated")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, "short", 1.0)
        tasks.start_soon(sleeper, "long", 10.0)
        tasks.start_soon(dated)
        await anyio.wait_all_tasks_blocked()
        assert woken == []
        clock.advance(1)
        await anyio.wait_all_tasks_blocked()
        assert woken == ["short"]
        clock.step(5)
        await anyio.wait_all_tasks_blocked()
        assert woken == ["short", "dated"]
        clock.advance(9)
    assert woken == ["short", "dated", "long"]


@pytest.mark.parametrize("make", [SimulatedClock, ManualClock])
def test_simulated_chance_repeats(make: type[SimulatedClock] | type[ManualClock]) -> None:
    one: Clock = make(seed=3)
    other: Clock = make(seed=3)
    assert one.random_bytes(8) == other.random_bytes(8)
    assert one.jitter() == other.jitter()

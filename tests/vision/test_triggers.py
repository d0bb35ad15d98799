"""Triggers as pure steps: the grid in time, motion and its hold, and going on after a kill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.vision.triggers import Fired, FreeFlow, Motion, Seen, Trigger, TriggerState

START = 1_750_000_000_123_456


def run(trigger: Trigger, frames: Sequence[tuple[int, NDArray[np.uint8] | None]], origin: int) -> list[int]:
    """The times at which a trigger fires."""
    state, fired = TriggerState(), list[int]()
    for at, reduced in frames:
        picture = reduced if trigger.wants(state, at, origin) else None
        state, shot = trigger.step(state, Seen(at=at, origin=origin, reduced=picture))
        if shot is not None:
            fired.append(at)
    return fired


def times(rate: float, seconds: float, start: int = START) -> list[int]:
    return [start + round(index * 1e6 / rate) for index in range(int(rate * seconds))]


@pytest.mark.parametrize(
    ("source", "rate", "expected"), [(30.0, 8.0, 80), (15.0, 8.0, 80), (5.0, 8.0, 50), (25.0, 1.0, 10)]
)
def test_free_flow_takes_the_first_frame_of_each_cell(source: float, rate: float, expected: int) -> None:
    fired = run(FreeFlow(rate), [(at, None) for at in times(source, 10.0)], START)
    assert len(fired) == expected
    assert fired[0] == START


@given(source=st.floats(1, 120), rate=st.floats(0.1, 60), base=st.integers(0, 10**16))
def test_free_flow_does_not_depend_on_when_a_file_was_opened(source: float, rate: float, base: int) -> None:
    one = run(FreeFlow(rate), [(at, None) for at in times(source, 3.0)], START)
    other = run(FreeFlow(rate), [(at, None) for at in times(source, 3.0, base)], base)
    assert [at - START for at in one] == [at - base for at in other]


@given(cut=st.integers(1, 60), rate=st.sampled_from([1.0, 4.0, 8.0, 25.0]))
def test_free_flow_resumed_behind_any_frame_goes_on_the_same(cut: int, rate: float) -> None:
    frames: list[tuple[int, NDArray[np.uint8] | None]] = [(at, None) for at in times(24.0, 3.0)]
    whole = run(FreeFlow(rate), frames, START)
    again = run(FreeFlow(rate), frames[cut - 1 :], START)
    assert [at for at in again if at >= frames[cut][0]] == [at for at in whole if at >= frames[cut][0]]


def scene(moving: Sequence[bool]) -> list[NDArray[np.uint8]]:
    """Reduced pictures in which a bright block jumps about while something moves."""
    rng = np.random.default_rng(1)
    ground = rng.integers(80, 120, (90, 160)).astype(np.uint8)
    pictures: list[NDArray[np.uint8]] = []
    x = 10
    for index, moves in enumerate(moving):
        x = 10 + 40 * (index % 3) if moves else x
        picture = ground.copy()
        picture[20:60, x : x + 30] = 240
        pictures.append(picture)
    return pictures


MOVING = [False] * 10 + [True] * 6 + [False] * 20 + [True] * 3 + [False] * 20


def test_motion_fires_while_something_moves_and_a_while_longer() -> None:
    motion = Motion(rate=8.0, threshold=8.0, hold=0.5)
    frames = list(zip(times(8.0, len(MOVING) / 8.0), scene(MOVING), strict=True))
    fired = {round((at - START) / 1e6 * 8) for at in run(motion, frames, START)}
    assert fired == {*range(10, 16 + 4), *range(37, 39 + 4)}
    brief = {round((at - START) / 1e6 * 8) for at in run(Motion(rate=8.0, threshold=8.0, hold=0.0), frames, START)}
    assert brief == {*range(10, 16), *range(37, 39)}


def test_motion_outside_the_region_does_not_count() -> None:
    frames = list(zip(times(8.0, len(MOVING) / 8.0), scene(MOVING), strict=True))
    right = ((0.9, 0.0), (1.0, 0.0), (1.0, 1.0), (0.9, 1.0))
    assert run(Motion(rate=8.0, threshold=8.0, hold=0.5, region=right), frames, START) == []


@settings(max_examples=10)
@given(cut=st.integers(1, len(MOVING) - 1))
def test_motion_resumed_with_its_memory_goes_on_the_same(cut: int) -> None:
    motion = Motion(rate=8.0, threshold=8.0, hold=0.5)
    frames = list(zip(times(8.0, len(MOVING) / 8.0), scene(MOVING), strict=True))
    whole = run(motion, frames, START)
    since = frames[cut][0] - round(motion.memory * 1e6)
    again = run(motion, [frame for frame in frames if frame[0] >= since], START)
    assert [at for at in again if at >= frames[cut][0]] == [at for at in whole if at >= frames[cut][0]]


def test_a_capture_says_why_and_how_many_exposures() -> None:
    motion = Motion(rate=8.0, threshold=8.0, hold=0.5, exposures=3)
    pictures = scene([False, True])
    state, fired = motion.step(TriggerState(), Seen(at=START, origin=START, reduced=pictures[0]))
    assert fired is None
    state, fired = motion.step(state, Seen(at=START + 125_000, origin=START, reduced=pictures[1]))
    assert isinstance(fired, Fired) and fired.exposures == 3 and "over threshold 8" in fired.reason

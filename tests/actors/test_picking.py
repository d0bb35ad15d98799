"""Which frames get their pixels: those of the trigger's grid, all while somebody watches; none is lost."""

from __future__ import annotations

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.actors.sensor.picking import MOST_SHOTS, Picker, sampling_rate
from lpr.config import Trigger
from lpr.core.clock import SECOND, ManualClock
from lpr.core.frames import Frame
from lpr.core.live import ATTENTION, LiveView
from lpr.vision.sources import Shot, Wanted
from lpr.vision.triggers import FreeFlow, Motion, Seen, TriggerState
from tests.simulation.rig import Film

BASE = 1_700_000_000 * SECOND


def pictures(film: Film, rate: float | None, most: int, view: LiveView | None = None) -> list[list[tuple[int, bool]]]:
    """What each hop brings: position, and whether it has pixels."""
    picker = Picker(film, ManualClock(), view or LiveView("gate"), BASE, rate, live=False)
    hops: list[list[tuple[int, bool]]] = []
    while shots := picker.read(most):
        assert all(at == BASE + shot.offset for shot, at in shots)
        hops.append([(shot.position, shot.image is not None) for shot, _ in shots])
    return hops


@given(st.integers(0, 60), st.floats(1.0, 100.0), st.floats(0.2, 60.0), st.integers(1, 8), st.booleans())
def test_a_trigger_fires_alike_with_all_frames_and_with_those_picked(
    frames: int, film_rate: float, rate: float, most: int, flows: bool
) -> None:
    trigger = FreeFlow(rate) if flows else Motion(rate, threshold=0.0, hold=0.0)
    reduced = np.zeros((90, 160), np.uint8)

    def fired(picked: set[int]) -> list[int]:
        state, found = TriggerState(), list[int]()
        for index in range(frames):
            at = BASE + round(index * 1e6 / film_rate)
            if index in picked:
                state, hit = trigger.step(state, Seen(at=at, origin=BASE, reduced=reduced))
                found += [index] if hit is not None else []
        return found

    seen = [shot for hop in pictures(Film(frames, film_rate), rate, most) for shot in hop]
    assert [position for position, _ in seen] == list(range(frames)), "every frame comes once"
    assert fired({position for position, has in seen if has}) == fired(set(range(frames)))


def test_a_hop_brings_so_many_pictures_and_those_between() -> None:
    assert pictures(Film(10, 24.0), 8.0, 2) == [
        [(0, True), (1, False), (2, False), (3, True)],
        [(4, False), (5, False), (6, True), (7, False), (8, False), (9, True)],
    ]
    assert pictures(Film(3, 24.0), None, 1) == [[(0, True)], [(1, True)], [(2, True)]]
    assert [len(hop) for hop in pictures(Film(MOST_SHOTS + 2, 24.0), 0.01, 2)] == [MOST_SHOTS, 2]


@pytest.mark.anyio
async def test_attention_lasts_for_some_pictures() -> None:
    view = LiveView("gate")
    assert not view.watched

    def show() -> None:
        view.set_frame(Frame("gate", 0, 0, np.zeros((1, 1, 3), np.uint8)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(view.wait_newer, 0)
        await anyio.wait_all_tasks_blocked()
        assert view.watched
        assert all(has for hop in pictures(Film(6, 24.0), 8.0, 1, view) for _, has in hop)
        show()
    for _ in range(ATTENTION - 2):
        show()
    assert view.watched
    show()
    assert not view.watched


def test_of_a_live_source_the_clock_counts_and_a_hop_ends_in_time() -> None:
    clock = ManualClock()

    class Slow(Film):
        def read(self, wanted: Wanted | None = None) -> Shot | None:
            clock.advance(0.04)
            return super().read(wanted)

    picker = Picker(Slow(100, 25.0), clock, LiveView("gate"), clock.wall(), 0.5, live=True)
    begun = clock.wall()
    shots = picker.read(1)
    assert [shot.image is not None for shot, _ in shots] == [True]
    assert shots[0].at == begun + 40_000
    assert len(picker.read(1)) == 13, "half a second without a picture that is wanted"


@pytest.mark.parametrize(
    ("trigger", "rate"),
    [
        (Trigger(rate=5.0), 5.0),
        (Trigger(kind="motion", rate=4.0), 4.0),
        (Trigger(kind="motion", rate=4.0, exposures=2), None),
    ],
)
def test_only_a_trigger_that_goes_by_its_grid_is_sampled(trigger: Trigger, rate: float | None) -> None:
    assert sampling_rate(trigger) == rate

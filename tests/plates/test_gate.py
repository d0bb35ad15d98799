"""What is worth recording, and that a resumed run decides as the uninterrupted one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.events import CaptureTaken, FramesPassed, PlateRead
from lpr.plates.gate import GateRules, Glance, Scene, Shown, look, marked, recorded
from lpr.plates.voting import Rules
from tests.plates.drives import Car, Look, approach, capture_of, gated, jam, looks, stand

RULES, GATE = Rules(), GateRules()


def pictures(events: list[object]) -> int:
    return sum(isinstance(event, CaptureTaken) and bool(event.exposures) for event in events)


def test_one_vehicle_costs_a_handful_of_pictures() -> None:
    for seed in range(8):
        events = gated(list(looks([Car("KHN991", approach(0.5))], 20.0, rate=15.0, seed=seed)))
        assert 3 <= pictures([*events]) <= 16
        assert any(isinstance(event, FramesPassed) for event in events)


def test_a_standing_car_gives_a_trickle() -> None:
    events = gated(list(looks([Car("KHN991", stand(500, 500, 24))], 600.0)))
    captures = [event for event in events if isinstance(event, CaptureTaken)]
    assert pictures([*events]) <= 12
    assert 55 <= len(captures) <= 90


def test_a_jam_gives_a_bounded_stream() -> None:
    cars = [Car(f"JAM{n}A{n}7", jam(16.0 * n - 60, x=500)) for n in range(12)]
    events = gated(list(looks(cars, 120.0)))
    assert pictures([*events]) <= 12 * 16
    assert len(events) < 120 * 12


def test_an_empty_road_gives_progress_only() -> None:
    events = gated(list(looks([], 100.0)))
    assert [type(event) for event in events[1:-1]] == [FramesPassed] * 4


def test_a_vehicle_that_left_is_told_while_another_stays() -> None:
    cars = [Car("PARKED1", stand(200, 500, 24), missed=0.0), Car("KHN991", stand(800, 500, 24, until=4.0), missed=0.0)]
    events = gated(list(looks(cars, 8.0)))
    marks = [event for event in events if isinstance(event, FramesPassed)]
    assert len(marks) == 1
    last = [event for event in events if isinstance(event, PlateRead) and event.reading.text == "KHN991"][-1]
    assert marks[0].at - last.at == pytest.approx(1.6e6, abs=0.3e6), "and when it was last seen"


def test_photographs_with_plates_are_all_kept() -> None:
    shown = [
        Shown(at=at, position=n, readings=readings)
        for at, n, readings in looks([Car("KHN991", stand(500, 500, 24), missed=0.0)], 2.0)
    ]
    for each in shown:
        assert look(Scene(), Glance(), (each,), RULES, GATE, still=True)[1].keep == "pictures"
    assert look(Scene(), Glance(), (Shown(at=1, position=1),), RULES, GATE, still=True)[1].keep == "nothing"


def scene_after(events: list[object]) -> Scene:
    """The scene folded from what was recorded."""
    scene, index = Scene(), 0
    while index < len(events):
        event = events[index]
        index += 1
        if isinstance(event, CaptureTaken):
            reads: list[PlateRead] = []
            while index < len(events) and isinstance(events[index], PlateRead):
                read = events[index]
                assert isinstance(read, PlateRead)
                reads.append(read)
                index += 1
            scene = recorded(scene, event, reads, RULES, GATE)
        elif isinstance(event, FramesPassed):
            scene = marked(scene, event, RULES, GATE)
    return scene


CARS = [
    Car("PARKED1", stand(200, 500, 22)),
    Car("BRA2E19", approach(1.0, x=800)),
    Car("KHN991", jam(-40.0, x=500)),
    Car("AB123CD", approach(9.0, x=900), hidden=((10.5, 11.5),)),
]


@settings(max_examples=30)
@given(seed=st.integers(0, 100), cut=st.floats(0, 1))
def test_going_on_behind_any_record_decides_the_same(seed: int, cut: float) -> None:
    seen: list[Look] = list(looks(CARS, 16.0, seed=seed))
    whole = gated(seen)[1:-1]
    ends = [index for index, event in enumerate(whole) if isinstance(event, FramesPassed)] + [
        index - 1 for index, event in enumerate(whole) if isinstance(event, CaptureTaken) and event.exposures and index
    ]
    at = sorted(ends)[int(cut * (len(ends) - 1))]
    last = max(event.position for event in whole[: at + 1] if isinstance(event, CaptureTaken | FramesPassed))
    if any(event.position <= last for event in whole[at + 1 :] if isinstance(event, CaptureTaken | FramesPassed)):
        return
    rest = gated([each for each in seen if each[1] > last], scene=scene_after([*whole[: at + 1]]))[1:-1]
    assert whole[: at + 1] + rest == whole


def test_the_scene_is_bounded() -> None:
    scene = Scene()
    for index in range(200):
        many = [Car(f"{index:03d}{n:02d}XX", stand(100.0 * n, 90.0 * (index % 7), 20), missed=0.0) for n in range(8)]
        seen = next(iter(looks(many, 0.2)))
        event, *reads = capture_of((seen[0] + index * 200_000, index, seen[2]))
        assert isinstance(event, CaptureTaken)
        scene = recorded(scene, event, [read for read in reads if isinstance(read, PlateRead)], RULES, GATE)
    assert len(scene.followed) <= 64

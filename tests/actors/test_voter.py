"""The voter on simulated drives: one passage for one vehicle, whatever the road and the engine do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.actors.voter import Voter, VoterState
from lpr.config import Vote
from lpr.core.record import Record, make_record
from lpr.events import (
    Event,
    FramesPassed,
    ServiceStarted,
    SourceEnded,
    SourceLost,
    SourceOpened,
    SourceStalled,
)
from tests.plates import drives
from tests.plates.drives import (
    Car,
    across,
    approach,
    discarded,
    everything,
    gated,
    jam,
    looks,
    passages,
    records,
    stand,
)


def vote(events: Sequence[Event], config: Vote | None = None, state: VoterState | None = None) -> list[Event]:
    """What the voter decides on ``events``."""
    return fold(Voter(config), records(events), state)[1]


def fold(voter: Voter, inputs: Sequence[Record], state: VoterState | None = None) -> tuple[VoterState, list[Event]]:
    state = state or voter.initial()
    decided: list[Event] = []
    for record in inputs:
        state = voter.evolve(state, record)
        decided.extend(voter.decide(state, record))
    return state, decided


def plates(events: Sequence[Event]) -> list[str]:
    return [passage.plate for passage in passages(events)]


PLATES = ["BRA2E19", "KHN991", "AB123CD", "XYZ9K87", "RIO4A18", "HQW5678", "JBK0L42"]

DRIVES = {
    "one vehicle": [Car("KHN991", approach(0.5))],
    "one fast vehicle": [Car("KHN991", approach(0.5, speed=20.0))],
    "one that drives away": [Car("KHN991", approach(0.5, away=True))],
    "two in two lanes": [Car("ABC1234", approach(0.5, x=300)), Car("XYZ9K87", approach(0.7, x=900))],
    "a platoon": [Car(plate, approach(1.5 * index, speed=12)) for index, plate in enumerate(PLATES[:6])],
    "a fleet with like plates": [Car(f"FLT100{index}", approach(2.0 * index), error=0.0) for index in range(4)],
    "crossing": [Car("LEFT123", across(0.5, 300, 500)), Car("RGHT456", across(0.5, 330, -500))],
    "hidden on the way": [Car("KHN991", approach(0.5, speed=6.0), hidden=((2.5, 3.5),))],
    "a jam": [Car(plate, jam(16.0 * index - 40.0, x=500 + 10 * index)) for index, plate in enumerate(PLATES[:5])],
    "parked among traffic": [
        Car("PARKED1", stand(200, 500, 22)),
        *(Car(plate, approach(10.0 * index, x=800)) for index, plate in enumerate(PLATES[:6])),
    ],
    "a queue at a barrier": [
        Car(plate, stand(600, 600, 30, since=12.0 * index, until=12.0 * index + 11.0))
        for index, plate in enumerate(PLATES[:5])
    ],
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("recording", [everything, gated])
@pytest.mark.parametrize("name", DRIVES)
def test_every_vehicle_makes_one_passage(name: str, recording: object, seed: int) -> None:
    cars = DRIVES[name]
    seen = list(looks(cars, 110.0 if name == "a jam" else 75.0, seed=seed))
    events = gated(seen) if recording is gated else everything(seen)
    decided = vote(events)
    assert Counter(plates(decided)) == Counter(car.plate for car in cars), discarded(decided)


@pytest.mark.parametrize("seed", range(5, 12))
def test_a_jam_is_read_exactly_though_it_is_decided_while_far_away(seed: int) -> None:
    """Characters are lost in the distance, where vehicles are decided after 20 s: the readings together have them."""
    cars = DRIVES["a jam"]
    decided = vote(gated(list(looks(cars, 110.0, seed=seed))))
    assert Counter(plates(decided)) == Counter(car.plate for car in cars), discarded(decided)


def test_a_parked_car_is_reported_once_in_hours_and_costs_little() -> None:
    parked = Car("PARKED1", stand(200, 500, 22), hidden=[(600.0 * n, 600.0 * n + 60.0) for n in range(1, 6)])
    seen = list(looks([parked], 3600.0, rate=2.0))
    events = gated(seen)
    assert plates(vote(events)) == ["PARKED1"]
    pictures = sum(1 for event in events if getattr(event, "exposures", ()))
    assert pictures <= 20
    assert len(events) <= 3 * 3600 / 10


def test_direction_of_approach_and_leaving() -> None:
    for away, expected in ((False, "approach"), (True, "away")):
        decided = passages(vote(gated(list(looks([Car("KHN991", approach(0.5, away=away))], 12.0)))))
        assert [passage.direction for passage in decided] == [expected]


def test_the_same_plate_within_the_interval_is_discarded_and_after_it_is_not() -> None:
    twice = [Car("KHN991", approach(0.5)), Car("KHN991", approach(12.0)), Car("KHN991", approach(60.0))]
    decided = vote(gated(list(looks(twice, 70.0))))
    assert plates(decided) == ["KHN991", "KHN991"]
    assert [each.reason for each in discarded(decided)] == ["identical plate"]
    assert len(plates(vote(gated(list(looks(twice, 70.0))), Vote(same_plate_interval=0.0, still_in_view=2.0)))) == 3


def test_a_plate_that_nobody_can_read_makes_no_passage_unless_asked() -> None:
    reading = drives.read_of(Car("A", stand(1, 1, 20)), (600, 600, 20), random.Random(1))
    assert reading is not None
    unread = msgspec.structs.replace(reading, text="", characters=(), confidence=0.0)
    seen = [(drives.START + index * 125_000, index, (unread,)) for index in range(20)]
    assert [each.reason for each in discarded(vote(everything(seen)))] == ["unread"]
    assert plates(vote(everything(seen), Vote(unread=True))) == [""]


def test_low_reliability_and_too_few_readings_are_said() -> None:
    seen = list(looks([Car("KHN991", approach(0.5, speed=20), missed=0.0)], 6.0))
    decided = vote(everything(seen), Vote(min_confidence=0.999))
    assert {each.reason for each in discarded(decided)} == {"low reliability"}
    assert plates(decided) == []
    decided = vote(everything(seen), Vote(min_readings=40))
    assert {each.reason for each in discarded(decided)} == {"too few readings"}


def test_stills_stand_for_themselves() -> None:
    seen = [
        (drives.START + n * 1_000_000, n, readings)
        for n, (_, _, readings) in enumerate(looks([Car("KHN991", stand(600, 500, 30), missed=0.0)], 1.0, rate=3.0))
    ]
    events: list[Event] = [drives.OPENED]
    for each in seen:
        events.extend(drives.capture_of(each, still=True))
    events.append(SourceEnded(source=drives.SOURCE, content="00", frames=3, at=seen[-1][0]))
    assert len(plates(vote(events))) == 3


def live(events: Sequence[Event]) -> list[Event]:
    opened = SourceOpened(
        source=drives.SOURCE, kind="stream", address="rtsp://camera/1", width=1, height=1, rate=0, base=drives.START
    )
    return [opened, *events[1:-1]]


def test_a_stalled_or_lost_camera_lets_vehicles_pass() -> None:
    events = live(everything(list(looks([Car("KHN991", approach(0.0))], 3.0))))
    for last in (
        SourceStalled(source=drives.SOURCE, silent_s=10.0),
        SourceLost(source=drives.SOURCE, reason="gone", attempt=1, retry_in=1.0),
        ServiceStarted(release="1", config="", pid=1),
    ):
        voter = Voter()
        state, decided = fold(voter, records(events))
        assert plates(decided) == []
        record = make_record(10_000, last, wall=drives.START + 60_000_000)
        assert plates(voter.decide(voter.evolve(state, record), record)) == ["KHN991"]


def test_a_file_that_goes_on_after_a_kill_keeps_its_vehicles() -> None:
    seen = list(looks([Car("KHN991", approach(0.5))], 8.0))
    whole = everything(seen)
    middle = len(whole) // 2
    killed = [*whole[:middle], ServiceStarted(release="1", config="", pid=2), drives.OPENED, *whole[middle:]]
    assert vote(killed) == vote(whole)


def test_a_clock_set_back_an_hour_neither_closes_nor_doubles() -> None:
    seen = list(looks([Car("KHN991", approach(0.5))], 8.0))
    jumped = [(at - (3_600_000_000 if index >= 20 else 0), index, readings) for at, index, readings in seen]
    events = live(everything(jumped))
    last = jumped[-1][0] + 5_000_000
    assert plates(vote([*events, FramesPassed(source=drives.SOURCE, at=last, position=99)])) == ["KHN991"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.floats(0, 1), name=st.sampled_from(sorted(DRIVES)))
def test_folding_in_two_parts_with_the_state_stored_between_is_folding_in_one(seed: int, cut: float, name: str) -> None:
    inputs = records(everything(list(looks(DRIVES[name], 15.0, seed=seed))))
    voter = Voter()
    whole, decided = fold(voter, inputs)
    middle = round(cut * len(inputs))
    first, before = fold(voter, inputs[:middle])
    stored = msgspec.json.decode(msgspec.json.encode(first), type=VoterState)
    assert stored == first
    second, after = fold(voter, inputs[middle:], stored)
    assert before + after == decided
    assert second == whole


EVENTS = st.sampled_from(
    [
        *everything(list(looks(DRIVES["two in two lanes"], 4.0))),
        SourceLost(source="other", reason="", attempt=1, retry_in=1.0),
        SourceStalled(source=drives.SOURCE, silent_s=1.0),
        SourceEnded(source=drives.SOURCE, content="", frames=0, at=0),
        FramesPassed(source=drives.SOURCE, at=drives.START + 10**9, position=3),
        ServiceStarted(release="", config="", pid=1),
        *live(everything(list(looks(DRIVES["a jam"], 12.0)))),
    ]
)


@settings(max_examples=40, deadline=None)
@given(events=st.lists(EVENTS, max_size=80))
def test_any_order_of_events_is_folded(events: list[Event]) -> None:
    state, decided = fold(Voter(), records(events))
    msgspec.json.decode(msgspec.json.encode(state), type=VoterState)
    assert len(discarded(decided)) + len(passages(decided)) == len(decided)


def test_the_state_stays_small_in_a_flood_of_noise() -> None:
    chance = random.Random(5)
    seen: list[drives.Look] = []
    for index in range(200):
        cars = [Car("".join(chance.choices("ABCDEFGH123456", k=7)), stand(0, 0, 20)) for _ in range(12)]
        found = [drives.read_of(car, (chance.uniform(0, 4000), chance.uniform(0, 4000), 20), chance) for car in cars]
        seen.append((drives.START + index * 30_000, index, tuple(each for each in found if each is not None)))
    state, _ = fold(Voter(), records(everything(seen)[:-1]))
    assert len(state.views[drives.SOURCE].tracks) <= 64 + 12
    assert len(msgspec.json.encode(state)) < 4_000_000

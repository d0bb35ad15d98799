"""Subscriptions: what waits for whom, how long they live, what is bounded; and the times that clients write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lpr.protocols.onvif_events import (
    Filter,
    Limits,
    Message,
    Subscription,
    Subscriptions,
    TimeError,
    TooManySubscriptions,
    UnknownSubscription,
    lifetime,
    parse_duration,
    write_duration,
)
from lpr.protocols.onvif_events.filters import topic_of

SECOND = 1_000_000
TOPIC = topic_of("tns1:RuleEngine/Recognition/LicensePlate")
WALL = 1_750_000_000 * SECOND


def message(payload: int) -> Message[int]:
    return Message(TOPIC, (), payload)


def create(
    all_: Subscriptions[int], now: int, id: str, *, seconds: float = 60, owner: str = "nvr"
) -> Subscription[int]:
    return all_.create(now, id, "pull", owner, Filter(), seconds, ())


def test_each_gets_what_it_wants_in_order() -> None:
    all_ = Subscriptions[int](Limits())
    everything = create(all_, 0, "a")
    nothing = all_.create(0, "b", "pull", "nvr", Filter((lambda topic, items: False,)), 60, [message(0)])
    for number in range(5):
        assert all_.publish(message(number)) == [everything]
    assert [one.payload for one in all_.take(everything, 3)] == [0, 1, 2]
    assert [one.payload for one in all_.take(everything, 3)] == [3, 4]
    assert all_.take(nothing, 3) == []


def test_the_present_state_comes_first() -> None:
    all_ = Subscriptions[int](Limits())
    made = all_.create(0, "a", "pull", "nvr", Filter(), 60, [message(1), message(2)])
    all_.publish(message(3))
    assert [one.payload for one in all_.take(made, 9)] == [1, 2, 3]


def test_what_waits_is_bounded_and_what_is_lost_is_counted() -> None:
    all_ = Subscriptions[int](Limits(queue=3))
    made = create(all_, 0, "a")
    for number in range(10):
        all_.publish(message(number))
    assert [one.payload for one in all_.take(made, 99)] == [7, 8, 9]
    assert made.lost == 7


def test_a_subscription_ends_when_its_time_is_over() -> None:
    all_ = Subscriptions[int](Limits())
    made = create(all_, 0, "a", seconds=10)
    assert all_.due == 10 * SECOND
    assert all_.find(9 * SECOND, "a", "nvr") is made
    with pytest.raises(UnknownSubscription):
        all_.find(10 * SECOND, "a", "nvr")
    assert all_.expire(10 * SECOND) == [made]
    assert all_.due is None


def test_one_that_somebody_waits_at_does_not_end() -> None:
    all_ = Subscriptions[int](Limits())
    made = create(all_, 0, "a", seconds=10)
    made.pulling = 1
    assert all_.expire(20 * SECOND) == []
    all_.prolong(20 * SECOND, made, 30)
    made.pulling = 0
    assert all_.find(49 * SECOND, "a", "nvr") is made


def test_prolonging_never_shortens_unless_it_is_asked_for() -> None:
    all_ = Subscriptions[int](Limits())
    made = create(all_, 0, "a", seconds=100)
    all_.prolong(0, made, 10)
    assert made.ends == 100 * SECOND
    all_.prolong(0, made, 10, shorten=True)
    assert made.ends == 10 * SECOND


def test_another_account_finds_nothing() -> None:
    all_ = Subscriptions[int](Limits())
    create(all_, 0, "a", owner="nvr")
    with pytest.raises(UnknownSubscription):
        all_.find(0, "a", "other")


def test_one_that_nobody_asks_gives_way_when_all_are_taken() -> None:
    all_ = Subscriptions[int](Limits(pulls=2, idle=30))
    first = create(all_, 0, "a", seconds=1000)
    second = create(all_, 0, "b", seconds=1000)
    with pytest.raises(TooManySubscriptions, match="2"):
        create(all_, 29 * SECOND, "c")
    all_.find(20 * SECOND, "a", "nvr")
    create(all_, 31 * SECOND, "c", seconds=1000)
    assert all_.get("a") is first
    assert all_.get("b") is None
    first.pulling = 1
    with pytest.raises(TooManySubscriptions):
        create(all_, 60 * SECOND, "d")
    del second


def test_kinds_are_counted_apart() -> None:
    all_ = Subscriptions[int](Limits(pulls=1, pushes=1))
    create(all_, 0, "a")
    all_.create(0, "b", "push", "nvr", Filter(), 60, ())
    with pytest.raises(TooManySubscriptions):
        all_.create(0, "c", "push", "nvr", Filter(), 60, ())


def test_an_id_is_used_once() -> None:
    all_ = Subscriptions[int](Limits())
    create(all_, 0, "a")
    with pytest.raises(ValueError, match="already"):
        create(all_, 0, "a")


class Machine(RuleBasedStateMachine):
    """Whatever clients do, the bounds hold and each sees its messages in order, without repetition."""

    def __init__(self) -> None:
        super().__init__()
        self.all = Subscriptions[int](Limits(pulls=3, queue=4, idle=5))
        self.now = 0
        self.sent = 0
        self.made = 0
        self.seen: dict[str, int] = {}

    @rule(seconds=st.floats(0.1, 20))
    def subscribe(self, seconds: float) -> None:
        self.made += 1
        try:
            create(self.all, self.now, str(self.made), seconds=seconds)
        except TooManySubscriptions:
            return
        self.seen[str(self.made)] = self.sent

    @rule()
    def publish(self) -> None:
        self.sent += 1
        self.all.publish(message(self.sent))

    @rule(seconds=st.integers(0, 8))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.all.expire(self.now)

    @rule(which=st.integers(1, 30), most=st.integers(0, 6))
    def pull(self, which: int, most: int) -> None:
        try:
            found = self.all.find(self.now, str(which), "nvr")
        except UnknownSubscription:
            return
        for one in self.all.take(found, most):
            assert one.payload > self.seen[found.id]
            self.seen[found.id] = one.payload

    @invariant()
    def bounded(self) -> None:
        assert len(self.all) <= 3
        for number in range(self.made + 1):
            if (found := self.all.get(str(number))) is not None:
                assert len(found.waiting) <= 4
                assert found.lost + len(found.waiting) <= self.sent


TestMachine = Machine.TestCase


# --- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT60S", 60),
        ("PT1M", 60),
        ("PT1H30M", 5400),
        ("P1D", 86400),
        ("PT0.5S", 0.5),
        ("P1Y2M", 425 * 86400),
        ("-PT5S", -5),
        (" PT5S\n", 5),
        ("P999999999Y", 10 * 365 * 86400),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "60", "PT60", "P1DT", "PT-5S", "1H", "PT1S2M", "PT٣S"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(TimeError):
        parse_duration(text)


@given(st.integers(0, 10**8).map(lambda value: value / 1000))
def test_durations_are_read_back(seconds: float) -> None:
    assert parse_duration(write_duration(seconds)) == pytest.approx(seconds)


def test_negative_durations_are_not_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        write_duration(-1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 60),
        ("", 60),
        ("PT10S", 10),
        ("PT9999S", 600),
        ("2025-06-15T15:07:40Z", 60),
        ("2025-06-15T15:07:40.5", 60.5),
        ("2025-06-15T17:07:40+02:00", 60),
        ("2125-01-01T00:00:00Z", 600),
    ],
)
def test_how_long_a_subscription_lives(text: str | None, seconds: float) -> None:
    assert lifetime(text, WALL + 0, usual=60, longest=600) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["PT0S", "-PT5S", "2025-06-15T15:06:40Z", "2024-02-30T00:00:00Z", "soon", "PT"])
def test_a_subscription_ends_in_the_future(text: str) -> None:
    with pytest.raises(TimeError):
        lifetime(text, WALL, usual=60, longest=600)

"""What follows from an attempt: pure decisions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpr import events
from lpr.core.delivery import (
    BackoffPolicy,
    Delivered,
    DeliveryState,
    Outcome,
    Refused,
    Shipment,
    Unavailable,
    backoff,
    evolve,
    settle,
    waiting,
)
from tests.core.samples import AT, decided, signed

SECOND = 1_000_000
SHIPMENT = Shipment(7, "p" * 36, decided(), signed("p" * 36))

policies = st.builds(
    BackoffPolicy,
    first=st.floats(0.01, 10),
    longest=st.floats(10, 1000),
    factor=st.floats(1, 4),
    max_attempts=st.integers(0, 5),
    tell_first=st.integers(0, 5),
    tell_every=st.floats(0, 600),
)
jitters = st.floats(0, 1, exclude_max=True)
outcomes = st.one_of(
    st.builds(Delivered, st.text(max_size=5)),
    st.builds(Refused, st.text(max_size=5)),
    st.builds(Unavailable, st.text(max_size=5), st.none() | st.floats(0, 1e9)),
)


@given(policies, st.integers(1, 10_000), jitters)
def test_waits_grow_and_stay_within_bounds(policy: BackoffPolicy, attempt: int, jitter: float) -> None:
    wait = backoff(policy, attempt, jitter)
    assert policy.first / 2 <= wait <= policy.longest
    assert backoff(policy, attempt + 1, jitter) >= wait


def test_the_usual_waits() -> None:
    policy = BackoffPolicy(first=1.0, longest=300.0)
    assert [backoff(policy, attempt, 0.0) for attempt in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]


@given(policies, st.lists(st.tuples(outcomes, jitters, st.integers(0, 10**9)), max_size=30))
def test_the_state_is_a_fold_of_what_was_recorded(
    policy: BackoffPolicy, attempts: list[tuple[Outcome, float, int]]
) -> None:
    """Live and after a restart agree as far as events were written; attempts never count backwards."""
    state = folded = DeliveryState()
    now = AT
    for outcome, jitter, later in attempts:
        now += later
        step = settle(state, policy, "push", SHIPMENT, outcome, now, jitter)
        for event in step.events:
            folded = evolve(folded, "push", event, now)
        assert folded.attempt <= step.state.attempt
        if step.events:
            assert folded == step.state
        assert len(step.events) <= 1
        assert step.done == (step.state == DeliveryState())
        assert step.done or step.state.attempt == state.attempt + 1
        assert step.done or 0 < step.wait <= max(policy.longest, policy.longest_asked)
        state = step.state


@given(st.integers(1, 400))
def test_a_long_outage_is_told_at_a_bounded_rate(hours: int) -> None:
    policy = BackoffPolicy(first=1.0, longest=5.0, tell_first=3, tell_every=3600.0)
    state, now, told = DeliveryState(), AT, 0
    end = AT + hours * 60 * SECOND
    while now < end:
        step = settle(state, policy, "push", SHIPMENT, Unavailable("down"), now, 0.0)
        told += len(step.events)
        state, now = step.state, now + round(step.wait * SECOND)
    assert told <= 3 + hours / 60 + 1


def test_giving_up_parks_with_the_reason() -> None:
    policy = BackoffPolicy(max_attempts=2)
    one = settle(DeliveryState(), policy, "push", SHIPMENT, Unavailable("no route"), AT, 0.0)
    assert not one.done
    two = settle(one.state, policy, "push", SHIPMENT, Unavailable("no route"), AT, 0.0)
    (parked,) = two.events
    assert two.done and isinstance(parked, events.DeliveryParked)
    assert parked.reason == "given up after 2 attempts: no route" and parked.attempt == 2


def test_a_sink_may_ask_for_more_time_but_not_for_ever() -> None:
    policy = BackoffPolicy(longest_asked=600.0)
    assert settle(DeliveryState(), policy, "push", SHIPMENT, Unavailable("busy", 60.0), AT, 0.0).wait == 60.0
    assert settle(DeliveryState(), policy, "push", SHIPMENT, Unavailable("busy", 1e9), AT, 0.0).wait == 600.0
    assert settle(DeliveryState(), policy, "push", SHIPMENT, Unavailable("busy", 0.0), AT, 0.0).wait == 1.0


@given(st.integers(-(10**15), 10**15))
def test_a_wrong_clock_cannot_hold_a_sink_back(difference: int) -> None:
    policy = BackoffPolicy()
    state = DeliveryState(7, 3, AT, AT)
    assert 0.0 <= waiting(state, policy, 7, AT + difference) <= 3600.0
    assert waiting(state, policy, 8, AT + difference) == 0.0


def test_events_of_other_sinks_count_for_nothing() -> None:
    failed = events.DeliveryFailed(sink="other", passage="", record=7, attempt=3, reason="", retry_at=AT)
    assert evolve(DeliveryState(), "push", failed, AT) == DeliveryState()
    assert evolve(DeliveryState(7, 1, AT, AT), "push", decided(), AT) == DeliveryState(7, 1, AT, AT)

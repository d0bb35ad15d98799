"""The server's pure rules: admission, the tally of abuse, what counts as served."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lpr.actors.milesight_server.ledger import SETTLE, Ledger
from lpr.actors.milesight_server.positions import MAX_CLIENTS, Positions, PositionsDecider
from lpr.core.admission import MAX_ADDRESSES, MAX_REMOTES, Admission, RateTable, Tally
from lpr.core.record import make_record
from lpr.events import ClientJoined, ClientServed, ServerListening

SECOND = 1_000_000
STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "log in", "leave"]), st.integers(0, 20), st.sampled_from("abc")), max_size=80
)


@given(STEPS, st.integers(1, 6), st.integers(1, 6))
def test_places_are_bounded_and_logged_in_clients_keep_theirs(
    steps: list[tuple[str, int, str]], most: int, per_address: int
) -> None:
    admission = Admission(most, per_address)
    here: dict[int, str] = {}
    safe: set[int] = set()
    for number, (step, which, address) in enumerate(steps):
        if step == "come":
            refused, evicted = admission.admit(1000 + number, address)
            if evicted is not None:
                assert evicted not in safe
                del here[evicted]
            if refused is None:
                here[1000 + number] = address
        elif here:
            chosen = sorted(here)[which % len(here)]
            if step == "log in":
                admission.logged_in(chosen)
                safe.add(chosen)
            else:
                admission.release(chosen)
                admission.release(chosen)
                del here[chosen]
        assert len(admission) == len(here) <= most
        assert all(list(here.values()).count(a) <= per_address for a in "abc")


def test_the_one_that_waited_longest_makes_room() -> None:
    admission = Admission(2, 2)
    assert admission.admit(1, "a") == (None, None)
    assert admission.admit(2, "a") == (None, None)
    assert admission.admit(3, "b") == (None, 1)
    admission.logged_in(2)
    admission.logged_in(3)
    assert admission.admit(4, "b") == ("too many connections", None)


def test_a_rate_is_counted_over_a_minute_and_the_table_is_bounded() -> None:
    table = RateTable(2)
    table.note("a", 0)
    assert not table.full("a", 0)
    table.note("a", 30 * SECOND)
    assert table.full("a", 59 * SECOND)
    assert not table.full("a", 61 * SECOND)
    for number in range(3 * MAX_ADDRESSES):
        table.note(str(number), 0)
    assert not table.full("0", 0)
    assert len(table._seen) <= MAX_ADDRESSES  # pyright: ignore[reportPrivateUsage]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 100 * SECOND)), max_size=60))
def test_abuse_is_told_at_a_bounded_rate_and_nothing_is_lost(offences: list[tuple[int, int]]) -> None:
    tally, now, told, told_at = Tally("s", 60.0), 5, 0, list[int]()
    for kind, pause in offences:
        tally.note(f"kind {kind}", f"remote {kind}")
        event = tally.take(now)
        if event is not None:
            told += sum(event.counts.values())
            told_at.append(now)
            assert len(event.remotes) <= MAX_REMOTES
        now += pause
    rest = tally.take(now + 60 * SECOND)
    assert told + (sum(rest.counts.values()) if rest else 0) == len(offences)
    assert all(later - earlier >= 60 * SECOND for earlier, later in pairwise(told_at))
    assert not offences or told_at[0] == 5


def test_nothing_is_due_without_offences() -> None:
    tally = Tally("s")
    assert tally.due() is None
    assert tally.take(0) is None


@given(
    st.lists(st.tuples(st.sampled_from(["write", "acknowledge", "wait"]), st.integers(0, 3 * SETTLE // 2)), max_size=60)
)
def test_served_never_runs_ahead_of_the_acknowledgement(steps: list[tuple[str, int]]) -> None:
    ledger, now, end, acknowledged = Ledger(100), 0, 0, 0
    ends: dict[int, int] = {}
    known: dict[int, int] = {}
    record = 100
    served = 100
    for step, amount in steps:
        if step == "write":
            record, end = record + 1 + amount % 5, end + amount
            ends[record] = end
            ledger.wrote(record, end)
        elif step == "acknowledge":
            acknowledged = min(end, acknowledged + amount)
            ledger.acknowledge(acknowledged, now)
            for number, last in ends.items():
                if last <= acknowledged:
                    known.setdefault(number, now)
        else:
            now += amount
        before, served = served, ledger.served(now)
        assert served >= before
        assert served == 100 or known[served] + SETTLE <= now
    ledger.acknowledge(end, now)
    assert ledger.served(now + SETTLE) == record
    assert not ledger.open


def test_positions_are_the_logs_last_word() -> None:
    decider = PositionsDecider("nvr")
    state = decider.initial()
    for event in (
        ClientJoined(server="nvr", client="a", resumes_after=5),
        ClientServed(server="nvr", client="a", upto=9),
        ClientServed(server="nvr", client="a", upto=7),
        ClientServed(server="other", client="a", upto=99),
        ClientJoined(server="other", client="b", resumes_after=1),
        ServerListening(server="nvr", address="x"),
    ):
        record = make_record(1, event)
        state = decider.evolve(state, record)
        assert decider.decide(state, record) == ()
    assert state.clients == {"a": 7}
    assert decider.due(state) is None


def test_positions_are_bounded() -> None:
    state = Positions({str(number): number for number in range(MAX_CLIENTS)})
    state = state.moved("0", 1).moved("new", 2)
    assert len(state.clients) == MAX_CLIENTS
    assert "1" not in state.clients
    assert state.clients["0"] == 1

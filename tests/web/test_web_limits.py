"""Throttle, tally and sessions: bounded whatever strangers do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.http.limits import MAX_REMOTES, Tally, Throttle
from lpr.web.sessions import MAX_SESSIONS_PER_USER, Sessions

steps = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60)


@given(steps, st.integers(1, 5))
def test_never_more_failures_than_allowed_in_a_window(history: list[tuple[str, float]], attempts: int) -> None:
    throttle = Throttle(attempts, 60.0, keys=2)
    now, allowed = 0.0, dict[str, list[float]]()
    for key, pause in history:
        now += pause
        if throttle.retry_in(key, now) == 0:
            throttle.failed(key, now)
            allowed.setdefault(key, []).append(now)
    if len(allowed) <= 2:
        for times in allowed.values():
            assert all(sum(1 for t in times if end - 60 < t <= end) <= attempts for end in times)


def test_the_wait_is_told_and_ends() -> None:
    throttle = Throttle(2, 60.0)
    throttle.failed("a", 0.0)
    throttle.failed("a", 10.0)
    assert throttle.retry_in("a", 20.0) == pytest.approx(40.0)
    assert throttle.retry_in("b", 20.0) == 0
    assert throttle.retry_in("a", 60.5) == 0
    throttle.failed("a", 61.0)
    throttle.succeeded("a")
    assert throttle.retry_in("a", 61.0) == 0


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3), st.floats(0, 90)), max_size=80))
def test_a_tally_loses_nothing_and_keeps_its_rate(offences: list[tuple[str, str, float]]) -> None:
    tally = Tally(window=60.0, first=2.0, kinds=4)
    now, taken, times = 0.0, 0, list[float]()
    for kind, remote, pause in offences:
        now += pause
        tally.note(kind, remote, now)
        found = tally.take(now)
        if found is not None:
            times.append(now)
            taken += sum(found[1].values())
            assert len(found[1]) <= 5 and len(found[2]) <= MAX_REMOTES
    last = tally.take(now + 1000)
    taken += sum(last[1].values()) if last else 0
    assert taken == len(offences)
    assert all(after - before >= 60 for before, after in pairwise(times))


def test_sessions_expire_end_and_stay_bounded() -> None:
    sessions = Sessions(1000)
    token, session = sessions.open("maria", bytes(range(64)), 0)
    assert sessions.find(token, 999) is session
    assert (
        sessions.find(token + "x", 0) is None and sessions.find("é", 0) is None and sessions.find("x" * 999, 0) is None
    )
    assert sessions.find(token, 1000) is None and session.ended
    made = [sessions.open("maria", bytes([index]) * 64, 0) for index in range(MAX_SESSIONS_PER_USER + 10)]
    assert len(sessions) == MAX_SESSIONS_PER_USER
    assert made[0][1].ended and not made[-1][1].ended
    sessions.close_user("maria", but=made[-1][1])
    assert len(sessions) == 1
    with pytest.raises(ValueError, match="64 random bytes"):
        sessions.open("maria", b"", 0)

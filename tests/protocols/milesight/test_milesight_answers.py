"""What a receiver's answer means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.milesight.answers import redirected, retry_after, verdict_of


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        ("delivered", (200, 201, 202, 204)),
        ("refused", (400, 404, 405, 409, 410, 413, 415, 422)),
        ("unavailable", (401, 403, 407, 408, 429, 500, 502, 503, 504, 301, 302, 307, 304, 100, 999)),
    ],
)
def test_verdicts(verdict: str, statuses: tuple[int, ...]) -> None:
    assert {verdict_of(status) for status in statuses} == {verdict}


def test_retry_after() -> None:
    assert retry_after("120", 0.0) == 120.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 1445412420.0) == 60.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", 1445412490.0) == 0.0
    assert retry_after(None, 0.0) is None


@given(st.text(max_size=40), st.floats(0, 1e10))
def test_retry_after_never_raises(value: str, now: float) -> None:
    found = retry_after(value, now)
    assert found is None or found >= 0


@given(st.text(max_size=60), st.integers(100, 999), st.sampled_from(["GET", "POST"]))
def test_redirections_never_raise_and_never_lead_elsewhere(location: str, status: int, method: str) -> None:
    found = redirected("http://h:81/a", status, location, method)
    assert found is None or found.startswith("http://h:81")


def test_redirections() -> None:
    assert redirected("http://h/a", 307, "/b", "POST") == "http://h/b"
    assert redirected("http://h/a", 302, "/b", "POST") is None
    assert redirected("http://h/a", 302, "/b", "GET") == "http://h/b"
    assert redirected("http://h/a", 307, "http://other/b", "POST") is None
    assert redirected("https://h/a", 307, "http://h/a", "POST") is None
    assert redirected("http://h/a", 307, "http://h:81/b", "POST") is None

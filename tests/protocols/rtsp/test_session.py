"""Sessions: what may follow what, when they end, and the headers that speak of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtsp import (
    Channels,
    Ports,
    Refused,
    Session,
    State,
    format_range,
    format_rtp_info,
    format_session,
    parse_session,
)

SECOND = 1_000_000


def session(now: int = 0) -> Session:
    """One that has just begun."""
    return Session("abc", stream="main", user="nvr", address="192.0.2.1", timeout=60, now=now)


def test_the_way_of_a_session() -> None:
    s = session()
    assert s.state is State.INIT
    s.may_set_up("main", 0)
    s.set_up(0, Channels(0, 1))
    s.may_set_up("main", 1)
    s.set_up(1, Channels(2, 3))
    assert s.state is State.READY and s.interleaved
    assert s.play() and not s.play()
    assert s.pause() and not s.pause()
    assert s.play()
    assert s.tear_down(None) and s.state is State.CLOSED


STEPS: list[tuple[Callable[[Session], object], int]] = [
    (lambda s: s.may_set_up("sub", 1), 459),
    (lambda s: s.may_set_up("main", 0), 455),
    (lambda s: s.set_up(1, Ports(5000, 5001)), 461),
    (lambda s: s.tear_down(7), 455),
    (lambda s: (s.play(), s.may_set_up("main", 1)), 455),
    (lambda s: (s.set_up(1, Channels(2, 3)), s.play(), s.tear_down(1)), 459),
    (lambda s: (s.tear_down(None), s.may_set_up("main", 1)), 454),
    (lambda s: (s.tear_down(None), s.play()), 455),
    (lambda s: (s.tear_down(None), s.pause()), 455),
]


@pytest.mark.parametrize(("step", "status"), STEPS)
def test_what_does_not_follow_is_refused(step: Callable[[Session], object], status: int) -> None:
    s = session()
    s.set_up(0, Channels(0, 1))
    with pytest.raises(Refused) as caught:
        step(s)
    assert caught.value.status == status


def test_a_track_may_go_alone_while_nothing_is_played() -> None:
    s = session()
    s.set_up(0, Channels(0, 1))
    s.set_up(1, Channels(2, 3))
    assert not s.tear_down(1)
    assert s.tear_down(0)


def test_nothing_plays_without_a_track() -> None:
    with pytest.raises(Refused) as caught:
        session().play()
    assert caught.value.status == 455


@given(st.lists(st.integers(0, 10**9), max_size=10))
def test_a_session_lives_from_the_last_word_on(words: list[int]) -> None:
    s = session()
    for now in words:
        s.heard(now)
    assert s.expires == max([0, *words]) + 60 * SECOND


def test_the_headers() -> None:
    assert format_session(session()) == "abc;timeout=60"
    assert [parse_session(text) for text in (None, "abc", "abc;timeout=60", " abc ; x", "", "a b")] == [
        None,
        "abc",
        "abc",
        "abc",
        "",
        "",
    ]
    assert format_range(1_750_000_000_123_456) == "clock=20250615T150640.123Z-"
    assert format_rtp_info("rtsp://h/main/", [("trackID=0", 65536 + 7, 2**32 + 9), ("trackID=1", None, None)]) == (
        "url=rtsp://h/main/trackID=0;seq=7;rtptime=9,url=rtsp://h/main/trackID=1"
    )


@given(st.text(max_size=60))
def test_a_session_header_is_an_id_or_nothing(text: str) -> None:
    name = parse_session(text)
    assert name is not None and (name == "" or name.isprintable())

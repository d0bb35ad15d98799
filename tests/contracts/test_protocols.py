"""One suite for all stream protocols. See ``protocols.py``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.protocols import CASES, StreamCase

PORTIONS = st.lists(st.integers(1, 70), min_size=1, max_size=12)
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def portions(data: bytes, sizes: list[int]) -> list[bytes]:
    """``data`` cut into portions of ``sizes``, over and over."""
    found: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(found) % len(sizes)]
        found.append(data[at : at + size])
        at += size
    return found


def survive(case: StreamCase, parts: list[bytes]) -> list[object]:
    """Feed everything; the protocol's error may come, and then nothing more may."""
    stream = case.open()
    found: list[object] = []
    broken = False
    for part in parts:
        try:
            messages = stream.feed(part)
            assert not (broken and messages)
            found += messages
        except case.error:
            broken = True
        assert stream.held() <= case.most + len(part)
    return found


@each
@given(data=st.data())
def test_any_portions_give_the_same_messages(case: StreamCase, data: st.DataObject) -> None:
    stream = data.draw(case.valid)
    whole = case.open().feed(stream)
    assert survive(case, portions(stream, data.draw(PORTIONS))) == whole


@each
@given(data=st.data())
def test_a_stream_cut_short_gives_the_beginning(case: StreamCase, data: st.DataObject) -> None:
    stream = data.draw(case.valid)
    whole = case.open().feed(stream)
    cut = data.draw(st.integers(0, len(stream)))
    found = case.open().feed(stream[:cut])
    assert found == whole[: len(found)]


@each
@given(parts=st.lists(st.binary(max_size=100), max_size=20))
def test_random_bytes_raise_only_the_protocols_error(case: StreamCase, parts: list[bytes]) -> None:
    survive(case, parts)


@each
@given(data=st.data())
def test_damage_raises_only_the_protocols_error(case: StreamCase, data: st.DataObject) -> None:
    stream = bytearray(data.draw(case.valid.filter(bool)))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    survive(case, portions(bytes(stream), data.draw(PORTIONS)))


@each
@given(data=st.data())
def test_what_is_held_does_not_grow(case: StreamCase, data: st.DataObject) -> None:
    start = data.draw(case.valid.filter(bool))
    cut = data.draw(st.integers(1, len(start)))
    survive(case, [start[:cut], *[bytes([data.draw(st.integers(0, 255))]) * 500] * 30])

"""The trigger server's message, period and answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lpr.protocols.neural import (
    Discarded,
    MessageReader,
    Period,
    Received,
    Style,
    Trigger,
    TriggerReader,
    encode_answer,
)
from tests.protocols.neural.samples import SAMPLE

SECOND = 1_000_000


def come(*portions: bytes, message: bytes = b"TRIGGER") -> list[Trigger | Discarded]:
    reader = TriggerReader(message)
    return [found for portion in portions for found in reader.feed(portion)]


def test_the_message_counts_with_its_last_byte() -> None:
    assert come(b"TRIGGER") == [Trigger()]
    assert come(b"TRI", b"GGE", b"R") == [Trigger()]
    assert come(b"TRIGGER\r\nTRIGGER\nTRIGGER\0") == [Trigger()] * 3
    assert come(b"TRIGGERTRIGGER") == [Trigger()] * 2
    assert come(b"\r\n\r\n\0\0") == []


def test_another_message_is_discarded() -> None:
    assert come(b"HELLO\nTRIGGER\n") == [Discarded(5), Trigger()]
    assert come(b"trigger\n") == [Discarded(7)]
    assert come(b"XTRIGGER\n") == [Discarded(8)]
    assert come(b"TRIGGERS\n") == [Trigger(), Discarded(1)]


def test_a_pause_ends_what_is_not_whole() -> None:
    reader = TriggerReader(b"TRIGGER")
    assert reader.feed(b"HELLO") == []
    assert reader.open
    assert reader.pause() == [Discarded(5)]
    assert reader.feed(b"TRI") == []
    assert reader.pause() == [Discarded(3)]
    assert reader.pause() == []
    assert not reader.open
    assert reader.feed(b"TRIGGER") == [Trigger()]


@given(
    parts=st.lists(st.sampled_from([b"TRIGGER", b"TRIG", b"\n", b"\0", b"HELLO", b"\r\n", b"T"]), max_size=12),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
)
def test_portions_do_not_matter_and_little_is_held(parts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(parts)
    reader = TriggerReader(b"TRIGGER")
    found: list[Trigger | Discarded] = []
    at = step = 0
    while at < len(stream):
        size = sizes[step % len(sizes)]
        found += reader.feed(stream[at : at + size])
        assert reader.buffered < len(b"TRIGGER")
        at, step = at + size, step + 1
    assert found == come(stream)


def test_endless_rubbish_is_counted_and_not_kept() -> None:
    reader = TriggerReader(b"TRIGGER")
    for _ in range(100):
        assert reader.feed(b"A" * 10_000) == []
        assert reader.buffered == 0
    assert reader.feed(b"\n") == [Discarded(1_000_000)]


@pytest.mark.parametrize("message", [b"", b"\r\n", b"A\nB", b"A\0"])
def test_a_message_that_cannot_be_recognised_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="not empty"):
        TriggerReader(message)


def test_the_period_is_kept() -> None:
    period = Period(4.0)
    assert period.ask(-7) == 0
    assert period.ask(0) == 4 * SECOND - 7
    assert period.ask(4 * SECOND - 8) == 1
    assert period.ask(4 * SECOND - 7) == 0
    assert period.ask(4 * SECOND) == 4 * SECOND - 7


def test_a_refused_trigger_does_not_begin_the_period_anew() -> None:
    period = Period(5.0)
    period.ask(0)
    for now in range(1, 5):
        assert period.ask(now * SECOND) == (5 - now) * SECOND
    assert period.ask(5 * SECOND) == 0


def test_a_shorter_period_than_the_manuals_is_refused() -> None:
    with pytest.raises(ValueError, match="every 4 s at most"):
        Period(3.9)


def test_answers() -> None:
    assert encode_answer(SAMPLE, "NOPLATE", "SIMPLE", Style()) == b"1234BCD"
    nothing = replace(SAMPLE, plate="", feedback="REFUSED: too early", image=None)
    assert encode_answer(nothing, "REFUSED", "SIMPLE", Style(), b"\r\n") == b"REFUSED\r\n"
    for kind in ("XML", "XML_IMG", "JSON", "JSON_IMG"):
        reader = MessageReader()
        reader.feed(encode_answer(nothing, "REFUSED", kind, Style()))
        [message] = reader.messages()
        assert isinstance(message, Received)
        assert message.record.feedback == "REFUSED: too early"
        assert message.syntax == kind[:4].rstrip("_").lower()
    assert b"/9j/" in encode_answer(SAMPLE, "", "XML_IMG", Style())
    assert b"/9j/" not in encode_answer(SAMPLE, "", "XML", Style())

"""A connection's bytes cut into messages: frames, sizes that lie, what is refused, what is held."""

from __future__ import annotations

import tracemalloc

import pytest

from lpr.protocols.neural import Infoplate, MessageReader, ProtocolError, Received, Style, encode

XML = encode(Infoplate(time="2014-09-27 11:15:40.000", plate="AB12"), Style(framed=False))
JSON = encode(Infoplate(time="2014-09-27 11:15:40.000", plate="CD34"), Style(syntax="json", framed=False))


def plates(data: bytes, limit: int = 100_000) -> list[str]:
    reader = MessageReader(limit)
    reader.feed(data)
    found = [message.record.plate for message in reader.messages() if isinstance(message, Received)]
    reader.end()
    return found


def framed(document: bytes, size: int | None = None) -> bytes:
    return b"NEURAL%d" % (len(document) if size is None else size) + document


def test_messages_of_every_kind_follow_one_another() -> None:
    data = XML + JSON + framed(XML) + b"\r\n\0 " + framed(JSON) + b"\xef\xbb\xbf" + XML + b"\n" + JSON + b"\n"
    assert plates(data) == ["AB12", "CD34"] * 3


def test_white_space_between_size_and_document_is_passed_over() -> None:
    assert plates(b"NEURAL%d\r\n" % len(XML) + XML) == ["AB12"]


@pytest.mark.parametrize("size", [0, 1, len(XML) - 1, len(XML) + 6])
def test_a_size_that_lies_is_no_reason_to_lose_a_message(size: int) -> None:
    assert plates(framed(XML, size) + framed(XML)) == ["AB12", "AB12"]


def test_strings_and_braces_in_json_do_not_end_it() -> None:
    document = b'{"infoplate":{"DateHour":"2014-09-27 11:15:40.000","Plate":"}{\\"}\\\\"}}'
    assert plates(document + JSON) == ['}{"}\\', "CD34"]


def test_the_end_may_be_written_with_space() -> None:
    assert plates(XML.replace(b"</infoplate>", b"</infoplate \n>") + XML) == ["AB12", "AB12"]


@pytest.mark.parametrize(
    ("data", "offence"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad start"),
        (b"NEURALX", "bad size"),
        (b"NEURAL<infoplate>", "bad size"),
        (b"NEURAL12345678901", "bad size"),
        (b"NEURAL4294967295<", "too long"),
        (b"NEURAL9999999999", "too long"),
        (b"NEURAL20abc", "bad start"),
        (b"NEURAL20NEURAL20<infoplate>", "bad start"),
        (b"<infoplate>" + b"a" * 1000, "too long"),
        (b"{" + b"a" * 1000, "too long"),
        (b"<infoplate>" + b"a" * 1000 + b"</infoplate>", "too long"),
    ],
)
def test_what_is_refused(data: bytes, offence: str) -> None:
    reader = MessageReader(500)
    reader.feed(data)
    with pytest.raises(ProtocolError) as first:
        reader.next_message()
    assert first.value.offence == offence
    reader.feed(XML)
    with pytest.raises(ProtocolError) as second:
        reader.next_message()
    assert second.value is first.value
    assert reader.buffered == 0


@pytest.mark.parametrize("data", [b"N", b"NEURAL", b"NEURAL20", b"NEURAL20 ", XML[:-1], b"{", b"\xef"])
def test_an_end_inside_a_message_is_told(data: bytes) -> None:
    reader = MessageReader()
    reader.feed(data)
    assert reader.next_message() is None
    with pytest.raises(ProtocolError, match="cut off"):
        reader.end()


def test_nothing_but_space_is_a_good_end() -> None:
    reader = MessageReader()
    reader.feed(XML + b"\r\n \0")
    assert len(list(reader.messages())) == 1
    reader.end()


def test_one_byte_at_a_time_costs_no_more_than_its_length() -> None:
    """Both scans go on where they stopped: a long document in single bytes is not searched anew each time."""
    for document in (XML.replace(b"AB12", b"A" * 50_000), JSON.replace(b"CD34", b'\\"' * 25_000)):
        reader = MessageReader()
        found: list[object] = []
        for at in range(len(document)):
            reader.feed(document[at : at + 1])
            found += reader.messages()
        assert len(found) == 1


def test_a_bomb_costs_no_more_than_its_bytes() -> None:
    document = b"<infoplate>" + b"<a/>" * 500_000 + b"</infoplate>"
    reader = MessageReader()
    reader.feed(document)
    tracemalloc.start()
    try:
        list(reader.messages())
        assert tracemalloc.get_traced_memory()[1] < 2 * len(document)
    finally:
        tracemalloc.stop()


def test_a_limit_must_leave_room() -> None:
    with pytest.raises(ValueError, match="room"):
        MessageReader(0)

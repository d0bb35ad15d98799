"""Neural Labs' parsers under fuzz: a connection's messages in two cuts that must agree, and a trigger's bytes."""

from __future__ import annotations

from lpr.protocols.neural import (
    Evidence,
    Infoplate,
    MessageReader,
    ProtocolError,
    Received,
    Style,
    TriggerReader,
    encode,
)

_SAMPLE = Infoplate(
    time="2014-09-27 11:15:40.000",
    plate="1234BCD",
    confidence=99.99,
    image=b"\xff\xd8x",
    evidences=(Evidence(camera="1", image=b"\xff\xd8y"),),
    character_confidence=(99.0, 98.5),
    speed=25.0,
    others={"VIVOTEK Building No.": "192"},
)
MESSAGES = (
    encode(_SAMPLE, Style()),
    encode(_SAMPLE, Style(syntax="json")),
    encode(_SAMPLE, Style(form="short", framed=False)) * 2,
    b"<infoplate><Plate>A</Plate><Building No.>1</Building No.></infoplate>",
    b'<!DOCTYPE a [<!ENTITY x "y">]><infoplate>&x;</infoplate>',
)
TRIGGERS = (b"TRIGGER\r\n", b"HELLO\nTRIGGERTRIGGER")


def _read(data: bytes, step: int) -> list[str]:
    """What a reader of ``data`` in portions of ``step`` bytes gives, until an error."""
    reader = MessageReader(5000)
    found: list[str] = []
    try:
        for start in range(0, len(data), step):
            reader.feed(data[start : start + step])
            for message in reader.messages():
                found.append(repr(message))
                if isinstance(message, Received):
                    again = MessageReader()
                    again.feed(encode(message.record, Style()))
                    assert [type(one) for one in again.messages()] == [Received]
    except ProtocolError:
        pass
    return found


def messages(data: bytes) -> None:
    """What a camera sends, or what somebody sends in its place."""
    assert _read(data, 7) == _read(data, 8192)


def triggers(data: bytes) -> None:
    """What a trigger server's client sends."""
    whole, parts = TriggerReader(b"TRIGGER"), TriggerReader(b"TRIGGER")
    found = [one for start in range(0, len(data), 3) for one in parts.feed(data[start : start + 3])]
    assert found == whole.feed(data)
    assert whole.buffered < len(b"TRIGGER")
    assert parts.pause() == whole.pause()

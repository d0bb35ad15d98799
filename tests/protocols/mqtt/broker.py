"""A broker's packets, written by hand from the standard for the tests of the client."""

from __future__ import annotations

import struct

from hypothesis import strategies as st


def length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)


def packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + length(len(body)) + body


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def properties(*parts: bytes) -> bytes:
    whole = b"".join(parts)
    return length(len(whole)) + whole


CONNACK = packet(0x20, b"\x00\x00" + properties())
CONNACK_3 = packet(0x20, b"\x00\x00")
PONG = packet(0xD0, b"")


def message(topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, number: int = 7) -> bytes:
    head = text(topic) + (struct.pack(">H", number) if qos else b"") + properties()
    return packet(0x30 | (qos << 1) | retain, head + payload)


TOPIC = st.text(st.characters(codec="utf-8", exclude_characters="\0#+"), min_size=1, max_size=30)
MESSAGES = st.builds(
    message,
    TOPIC,
    st.binary(max_size=300),
    qos=st.integers(0, 1),
    retain=st.booleans(),
    number=st.integers(1, 0xFFFF),
)


def puback(number: int, code: int, reason: str) -> bytes:
    told = properties(b"\x1f" + text(reason), b"\x26" + text("a") + text("b"))
    return packet(0x40, struct.pack(">HB", number, code) + told)


PUBACKS = st.builds(
    puback,
    st.integers(1, 0xFFFF),
    st.sampled_from([0, 0x10, 0x87, 0x97, 0x99]),
    # the standard lets U+FEFF pass (section 1.5.4); paho does not in properties
    st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=20),
)
STREAMS = st.lists(st.one_of(MESSAGES, PUBACKS, st.just(PONG)), max_size=6).map(
    lambda parts: b"".join([CONNACK, *parts])
)
"""Whole conversations of version 5 as a broker sends them."""

"""The MQTT client against packets written by hand from the standards."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.mqtt import (
    Client,
    Connack,
    Goodbye,
    Identity,
    Message,
    MqttError,
    Pong,
    Puback,
    State,
    Suback,
    TooLargeError,
    Version,
    Will,
    answer_of,
    is_access,
    is_version,
    meaning,
    packets,
)
from tests.protocols.mqtt import broker

WILL = Will("lpr/status", b"offline")
IDENTITY = Identity("gate", "lpr", "s3cret", WILL, 30)


def active(version: Version = "5", *properties: bytes) -> Client:
    client = Client(IDENTITY, version=version)
    client.connect()
    client.receive(broker.packet(0x20, b"\0\0" + (broker.properties(*properties) if version == "5" else b"")))
    assert [type(event) for event in client.events()] == [Connack]
    return client


def test_connect_of_3_1_1_is_as_the_standard_writes_it() -> None:
    assert Client(IDENTITY, version="3.1.1").connect() == broker.packet(
        0x10,
        b"\x00\x04MQTT\x04\xee\x00\x1e"
        + broker.text("gate")
        + broker.text("lpr/status")
        + broker.text("offline")
        + broker.text("lpr")
        + broker.text("s3cret"),
    )


def test_connect_of_5_has_properties_for_itself_and_for_the_will() -> None:
    assert Client(IDENTITY, max_packet=1000).connect() == broker.packet(
        0x10,
        b"\x00\x04MQTT\x05\xee\x00\x1e"
        + broker.properties(b"\x27\x00\x00\x03\xe8")
        + broker.text("gate")
        + broker.properties()
        + broker.text("lpr/status")
        + broker.text("offline")
        + broker.text("lpr")
        + broker.text("s3cret"),
    )


def test_connect_without_user_and_will_has_no_flags_for_them() -> None:
    data = Client(Identity("x"), version="3.1.1").connect()
    assert data == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_publish_is_acknowledged_by_its_number(version: Version) -> None:
    client = active(version)
    data, number = client.publish("a/b", b"x", retain=True)
    none = b"\0" if version == "5" else b""
    assert data == broker.packet(0x33, broker.text("a/b") + struct.pack(">H", number) + none + b"x")
    client.receive(b"\x40\x02" + struct.pack(">H", number))
    assert list(client.events()) == [Puback(number)]


def test_a_refusal_says_why() -> None:
    client = active()
    _, number = client.publish("a", b"x")
    client.receive(
        broker.packet(0x40, struct.pack(">HB", number, 0x87) + broker.properties(b"\x1f" + broker.text("no rights")))
    )
    assert list(client.events()) == [Puback(number, 0x87, "no rights")]


def test_what_the_broker_says_of_itself_is_kept() -> None:
    client = active("5", b"\x27\x00\x00\x00\x20", b"\x13\x00\x0a", b"\x25\x00", b"\x24\x00")
    assert (client.largest, client.keep_alive, client.retains, client.acknowledges) == (32, 10, False, False)
    with pytest.raises(TooLargeError, match="the broker takes 32"):
        client.publish("a", b"x" * 40)
    data, number = client.publish("a", b"x", retain=True)
    assert (data[0], number) == (0x30, 0)


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "a\0b", "x" * 70_000])
def test_what_is_no_topic_is_not_sent(topic: str) -> None:
    with pytest.raises(ValueError):
        active().publish(topic, b"")


def test_a_subscription_and_what_it_brings() -> None:
    client = active()
    data, number = client.subscribe([("lpr/#", 1), ("x", 0)])
    assert data == broker.packet(
        0x82, struct.pack(">H", number) + b"\0" + broker.text("lpr/#") + b"\x01" + broker.text("x") + b"\x00"
    )
    client.receive(broker.packet(0x90, struct.pack(">H", number) + b"\0\x01\x87"))
    client.receive(broker.message("lpr/a", b"1", retain=True, number=9))
    granted, message = client.events()
    assert granted == Suback(number, (1, 0x87))
    assert isinstance(message, Message)
    assert (message.topic, message.payload, message.retain, message.packet) == ("lpr/a", b"1", True, 9)
    assert client.acknowledge(message) == b"\x40\x02\x00\x09"


def test_numbers_in_flight_are_not_given_twice() -> None:
    client = active()
    first = client.publish("a", b"")[1]
    numbers = {client.publish("a", b"")[1] for _ in range(0xFFFE)}
    assert len(numbers) == 0xFFFE and first not in numbers
    with pytest.raises(MqttError, match="65535"):
        client.publish("a", b"")


def test_a_goodbye_and_a_refused_connection() -> None:
    client = active()
    client.receive(broker.packet(0xE0, b"\x8b" + broker.properties(b"\x1f" + broker.text("maintenance"))))
    assert list(client.events()) == [Goodbye(0x8B, "maintenance")]
    refused = Client(IDENTITY)
    refused.connect()
    refused.receive(broker.packet(0x20, b"\x00\x86" + broker.properties()))
    assert list(refused.events()) == [Connack(0x86, False)]
    assert refused.state is State.CLOSED


@pytest.mark.parametrize(
    ("data", "offence"),
    [
        (b"SSH-2.0-OpenSSH", "unexpected packet"),
        (b"\x20\xff\x7f", "too large"),
        (b"\x20\xff\xff\xff\xff\x01", "bad length"),
        (b"\x30\x04\x00\x01a\x00", "unexpected packet"),
        (b"\x21\x03\x00\x00\x00", "bad flags"),
        (b"\x20\x01\x00", "cut packet"),
        (b"\x20\x05\x00\x00\x02\x7f\x00", "bad property"),
        (b"\x10\x00", "unexpected packet"),
    ],
)
def test_what_is_no_mqtt_ends_the_connection(data: bytes, offence: str) -> None:
    client = Client(IDENTITY, max_packet=1000)
    client.connect()
    client.receive(data)
    with pytest.raises(MqttError) as caught:
        list(client.events())
    assert caught.value.offence == offence
    assert client.state is State.CLOSED and client.buffered == 0
    client.receive(broker.PONG)
    assert list(client.events()) == []


def test_a_message_with_qos_2_was_not_asked_for() -> None:
    client = active()
    client.receive(broker.packet(0x34, broker.text("a") + b"\x00\x01\x00"))
    with pytest.raises(MqttError, match="QoS 2"):
        list(client.events())


@given(broker.STREAMS, st.lists(st.integers(1, 40), min_size=1))
def test_portions_change_nothing(data: bytes, sizes: list[int]) -> None:
    whole, cut = Client(IDENTITY), Client(IDENTITY)
    whole.connect()
    cut.connect()
    whole.receive(data)
    expected, found, at, turn = list(whole.events()), list[object](), 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        cut.receive(data[at : at + size])
        found += cut.events()
        at, turn = at + size, turn + 1
    assert found == expected


@given(st.integers(0, packets.MAX_REMAINING))
def test_lengths_are_written_as_the_standard_says(size: int) -> None:
    data = packets.encode_length(size)
    assert data == broker.length(size) and len(data) <= 4


@given(broker.TOPIC, st.binary(max_size=200), st.booleans(), st.sampled_from(["3.1.1", "5"]))
def test_what_is_published_reads_back(topic: str, payload: bytes, retain: bool, version: Version) -> None:
    data, number = active(version).publish(topic, payload, retain=retain)
    at = next(index for index in range(1, 5) if not data[index] & 0x80) + 1
    found = packets.decode(version, data[0], data[at:])
    assert found == Message(topic, payload, 1, retain, False, number)


def test_codes_in_words() -> None:
    assert meaning(4) == meaning(0x86) == "wrong user or password"
    assert meaning(0xF0) == "code 0xf0"
    assert is_access(0x87) and is_access(5) and not is_access(0x97)
    assert is_version(1) and is_version(0x84) and not is_version(4)
    assert [answer_of(code) for code in (0, 0x10, 0x87, 0x97, 0x99)] == [
        "delivered", "delivered", "unavailable", "unavailable", "refused",
    ]  # fmt: skip


def test_the_password_shows_nowhere() -> None:
    assert "s3cret" not in repr(IDENTITY)
    assert isinstance(Pong(), Pong)

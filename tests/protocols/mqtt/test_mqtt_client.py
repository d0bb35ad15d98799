"""The MQTT client against packets written by hand from the standards."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.mqtt import (
    Answer,
    Client,
    Connack,
    FromBroker,
    Goodbye,
    Identity,
    Message,
    MqttError,
    Pong,
    Puback,
    Suback,
    TooLargeError,
    Version,
    Will,
)
from tests.protocols.mqtt import broker

WILL = Will("lpr/status", b"offline")
IDENTITY = Identity("gate", "lpr", "s3cret", WILL, 30)


def started(version: Version = "5", max_packet: int = 1000) -> Client:
    client = Client(IDENTITY, version=version, max_packet=max_packet)
    client.connect()
    client.outgoing()
    return client


def active(version: Version = "5", *properties: bytes) -> Client:
    client = started(version)
    client.receive(broker.packet(0x20, b"\0\0" + (broker.properties(*properties) if version == "5" else b"")))
    assert list(client.events()) == [Connack(Answer(0, "Success"))]
    return client


class Clock:
    """paho's clock, in the test's hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("paho.mqtt.client.time_func", lambda: self.now)


def connected_as(identity: Identity, version: Version) -> bytes:
    client = Client(identity, version=version, max_packet=1000)
    client.connect()
    return client.outgoing()


def test_connect_of_3_1_1_is_as_the_standard_writes_it() -> None:
    assert connected_as(IDENTITY, "3.1.1") == broker.packet(
        0x10,
        b"\x00\x04MQTT\x04\xee\x00\x1e"
        + broker.text("gate")
        + broker.text("lpr/status")
        + broker.text("offline")
        + broker.text("lpr")
        + broker.text("s3cret"),
    )


def test_connect_of_5_has_properties_for_itself_and_for_the_will() -> None:
    assert connected_as(IDENTITY, "5") == broker.packet(
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
    assert connected_as(Identity("x"), "3.1.1") == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_publish_is_acknowledged_by_its_number(version: Version) -> None:
    client = active(version)
    number = client.publish("a/b", b"x", retain=True)
    none = b"\0" if version == "5" else b""
    assert client.outgoing() == broker.packet(0x33, broker.text("a/b") + struct.pack(">H", number) + none + b"x")
    assert client.outgoing() == b""
    client.receive(b"\x40\x02" + struct.pack(">H", number))
    assert list(client.events()) == [Puback(number, Answer(0, "Success"))]


@pytest.mark.parametrize(
    ("version", "told"), [("5", broker.properties(b"\x03" + broker.text("image/jpeg"))), ("3.1.1", b"")]
)
def test_the_type_of_a_message_is_told_in_5_alone(version: Version, told: bytes) -> None:
    client = active(version)
    number = client.publish("a", b"x", content="image/jpeg")
    assert client.outgoing() == broker.packet(0x32, broker.text("a") + struct.pack(">H", number) + told + b"x")


def test_a_refusal_says_why_and_is_no_delivery() -> None:
    client = active()
    number = client.publish("a", b"x")
    client.receive(
        broker.packet(0x40, struct.pack(">HB", number, 0x87) + broker.properties(b"\x1f" + broker.text("no rights")))
    )
    refusal = Answer(0x87, "Not authorized (no rights)")
    assert list(client.events()) == [Puback(number, refusal)] and refusal.refused


def test_what_the_broker_says_of_itself_is_kept() -> None:
    client = active("5", b"\x27\x00\x00\x00\x20", b"\x13\x00\x0a", b"\x25\x00", b"\x24\x00")
    assert (client.largest, client.keep_alive, client.acknowledges) == (32, 10, False)
    client.publish("a", b"x", retain=True)
    assert client.outgoing()[0] == 0x32


def test_what_the_broker_does_not_take_by_its_size_is_not_sent_and_not_waited_for() -> None:
    client = active("5", b"\x27\x00\x00\x00\x20")
    for _ in range(100):
        with pytest.raises(TooLargeError, match="48 bytes, the broker takes 32"):
            client.publish("a", b"x" * 40)
        assert client.outgoing() == b""
    number = client.publish("a", b"x" * 24)
    assert len(client.outgoing()) == 32
    client.receive(b"\x40\x02" + struct.pack(">H", number))
    assert list(client.events()) == [Puback(number, Answer(0, "Success"))]


@pytest.mark.parametrize("topic", ["a/#", "a/+/b", "x" * 70_000])
def test_what_is_no_topic_is_not_sent(topic: str) -> None:
    client = active()
    with pytest.raises(ValueError):
        client.publish(topic, b"")
    assert client.outgoing() == b""


def test_a_subscription_and_what_it_brings() -> None:
    client = active()
    client.subscribe(["lpr/#", "x"])
    sent = client.outgoing()
    asked, number = broker.text("lpr/#") + b"\x01" + broker.text("x") + b"\x01", sent[2:4]
    assert sent == broker.packet(0x82, number + b"\0" + asked)
    client.receive(broker.packet(0x90, number + b"\0\x01\x87"))
    client.receive(broker.message("lpr/a", b"1", retain=True, number=9))
    granted, message = client.events()
    assert isinstance(granted, Suback) and [one.refused for one in granted.answers] == [False, True]
    assert message == Message("lpr/a", b"1", 1, True)
    assert client.outgoing() == b"\x40\x02\x00\x09"


@pytest.mark.parametrize("wanted", ["", "a#", "#/a", "a+/b"])
def test_what_is_no_filter_is_not_asked_for(wanted: str) -> None:
    with pytest.raises(ValueError):
        active().subscribe([wanted])


def test_a_goodbye_ends_it() -> None:
    client = active()
    client.receive(broker.packet(0xE0, b"\x8b" + broker.properties(b"\x1f" + broker.text("maintenance"))))
    assert list(client.events()) == [Goodbye(Answer(0x8B, "Server shutting down (maintenance)"))]
    assert client.closed
    client.receive(broker.message("a", b""))
    assert list(client.events()) == []


@pytest.mark.parametrize(
    ("version", "said", "code", "access", "other"),
    [
        ("5", b"\x00\x86\x00", 0x86, True, False),
        ("5", b"\x00\x87\x00", 0x87, True, False),
        ("5", b"\x00\x84\x00", 0x84, False, True),
        ("5", b"\x00\x01", 0x84, False, True),
        ("5", b"\x00\x89\x00", 0x89, False, False),
        ("3.1.1", b"\x00\x01", 0x84, False, True),
        ("3.1.1", b"\x00\x02", 0x85, False, False),
        ("3.1.1", b"\x00\x03", 0x88, False, False),
        ("3.1.1", b"\x00\x04", 0x86, True, False),
        ("3.1.1", b"\x00\x05", 0x87, True, False),
        ("3.1.1", b"\x00\x77", 0x80, False, False),
    ],
)
def test_a_refused_connection_says_what_to_put_right(
    version: Version, said: bytes, code: int, access: bool, other: bool
) -> None:
    client = started(version)
    client.receive(broker.packet(0x20, said))
    (event,) = client.events()
    assert isinstance(event, Connack) and event.answer.refused and client.closed
    answer = event.answer
    assert (answer.code, answer.is_access, answer.is_version) == (code, access, other)


def test_only_what_is_about_the_message_is_final() -> None:
    codes = [code for code in (0, 0x10, 0x83, 0x87, 0x90, 0x97, 0x99) if Answer(code, "").is_final]
    assert codes == [0x90, 0x99]
    assert not Answer(0x10, "").refused


@pytest.mark.parametrize(
    ("version", "data", "part"),
    [
        ("5", b"SSH-2.0-OpenSSH", "begins with 0x53"),
        ("5", b"\x10\x00", "begins with 0x10"),
        ("5", b"\x21\x03\x00\x00\x00", "begins with 0x21"),
        ("5", b"\x30\x04\x00\x01a\x00", "begins with 0x30"),
        ("5", b"\x20\xff\x7f", "a packet of 16386 bytes; at most 1000"),
        ("5", b"\x20\xff\xff\xff\xff\x01", "more than four bytes"),
        ("5", b"\x20\x01\x00", "too small"),
        ("5", b"\x20\x05\x00\x00\x02\x7f\x00", "malformed"),
        ("5", b"\x20\x03\x00\x7f\x00", "malformed"),
        ("3.1.1", b"\x20\x03\x00\x00\x00", "size is wrong"),
    ],
)
def test_what_is_no_mqtt_ends_the_connection(version: Version, data: bytes, part: str) -> None:
    client = started(version)
    client.receive(data)
    with pytest.raises(MqttError) as caught:
        list(client.events())
    assert part in str(caught.value)
    assert client.closed
    client.receive(broker.CONNACK)
    assert list(client.events()) == []


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (broker.message("a", b"", qos=2), "QoS 2"),
        (broker.message("a", b"", number=0), "packet id 0"),
        (broker.packet(0x30, b"\x00\x01\xff\x00"), "UTF-8"),
        (broker.packet(0x30, b"\x00\x09a\x00"), "malformed"),
        (broker.CONNACK, "begins with 0x20"),
        (broker.packet(0x50, b"\x00\x01"), "begins with 0x50"),
        (broker.packet(0x62, b"\x00\x01"), "begins with 0x62"),
        (broker.packet(0x41, b"\x00\x01"), "begins with 0x41"),
        (broker.packet(0xC0, b""), "begins with 0xc0"),
        (broker.packet(0xF0, b""), "begins with 0xf0"),
        (broker.packet(0xD0, b"x"), "protocol"),
        (broker.packet(0x40, b"\x00"), "malformed"),
        (broker.packet(0x30, b"x" * 1001), "1004 bytes; at most 1000"),
    ],
)
def test_what_came_before_a_bad_packet_is_told_first(data: bytes, part: str) -> None:
    client, heard = active(), list[FromBroker]()
    client.receive(broker.message("a", b"1") + data + broker.message("b", b"2"))
    with pytest.raises(MqttError) as caught:
        heard.extend(client.events())
    assert heard == [Message("a", b"1", 1, False)] and part in str(caught.value)


def with_properties(kind: str, size: int) -> bytes:
    """A packet of a broker of version 5 with ``size`` bytes of properties, each an empty pair of the user's."""
    said = broker.length(size) + b"\x26\x00\x00\x00\x00" * (size // 5)
    return {
        "message": broker.packet(0x30, broker.text("a") + said),
        "acknowledged": broker.packet(0x32, broker.text("a") + b"\x00\x07" + said),
        "puback": broker.packet(0x40, b"\x00\x01\x00" + said),
        "suback": broker.packet(0x90, b"\x00\x01" + said + b"\x01"),
        "goodbye": broker.packet(0xE0, b"\x00" + said),
    }[kind]


@pytest.mark.parametrize("kind", ["message", "acknowledged", "puback", "suback", "goodbye"])
def test_more_properties_than_the_library_can_bear_are_not_read(kind: str) -> None:
    client = Client(IDENTITY)
    client.connect()
    client.receive(broker.CONNACK)
    assert len(list(client.events())) == 1
    client.receive(with_properties(kind, 8190))
    assert len(list(client.events())) == (0 if kind == "puback" else 1)
    client = Client(IDENTITY)
    client.connect()
    client.receive(broker.CONNACK + with_properties(kind, 8195))
    with pytest.raises(MqttError, match="8195 bytes of properties; at most 8192"):
        list(client.events())


def test_a_goodbye_is_no_packet_of_3_1_1() -> None:
    client = active("3.1.1")
    client.receive(b"\xe0\x00")
    with pytest.raises(MqttError, match="0xe0"):
        list(client.events())


def test_signs_of_life_are_given_and_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    client = active()
    for _ in range(3):
        clock.now += 29
        assert not client.tick() and client.outgoing() == b""
        clock.now += 1
        assert client.tick() and client.outgoing() == b"\xc0\x00"
        client.receive(broker.PONG)
        assert list(client.events()) == [Pong()]
    clock.now += 30
    assert client.tick() and client.outgoing() == b"\xc0\x00" and list(client.events()) == []
    clock.now += 30
    assert not client.tick()
    with pytest.raises(MqttError, match="sign of life within 30 s"):
        list(client.events())
    assert client.closed


def test_leaving_makes_the_broker_forget_the_will() -> None:
    client = active()
    client.disconnect()
    assert client.outgoing() == b"\xe0\x00" and client.closed
    assert not client.tick() and list(client.events()) == []


@given(broker.STREAMS, st.lists(st.integers(1, 40), min_size=1))
def test_portions_change_nothing(data: bytes, sizes: list[int]) -> None:
    whole, cut = started(), started()
    whole.receive(data)
    expected, found, at, turn = list(whole.events()), list[FromBroker](), 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        cut.receive(data[at : at + size])
        found += cut.events()
        at, turn = at + size, turn + 1
    assert found == expected
    assert cut.outgoing() == whole.outgoing()


@given(broker.TOPIC, st.binary(max_size=200), st.booleans(), st.sampled_from(["3.1.1", "5"]))
def test_what_is_published_reads_back(topic: str, payload: bytes, retain: bool, version: Version) -> None:
    sender, reader = active(version), active(version)
    sender.publish(topic, payload, retain=retain)
    reader.receive(sender.outgoing())
    assert list(reader.events()) == [Message(topic, payload, 1, retain)]


def test_the_password_shows_nowhere() -> None:
    assert "s3cret" not in repr(IDENTITY)

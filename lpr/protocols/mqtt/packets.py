"""MQTT control packets, versions 3.1.1 and 5.0, as a client writes and reads them. Pure.

    type and flags, 1 byte | remaining length, 1 to 4 bytes of 7 bits | variable header | payload

Sources: OASIS "MQTT Version 3.1.1" and "MQTT Version 5.0", section 2 (fixed header, strings, properties) and section 3
(each packet). A client's packets are written, a server's read; QoS 2 is neither asked for nor understood.

May import the standard library only.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Version: TypeAlias = Literal["3.1.1", "5"]
LEVELS: Mapping[Version, int] = {"3.1.1": 4, "5": 5}

MAX_REMAINING = 268_435_455
"""The largest remaining length that four bytes hold (section 2.1.4)."""
MAX_STRING = 65_535


class Kind(enum.IntEnum):
    """Packet types (section 2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class MqttError(Exception):
    """What came is no MQTT, or not what may come here. ``offence``: a short name for counting."""

    def __init__(self, offence: str, text: str) -> None:
        super().__init__(text)
        self.offence = offence


Value: TypeAlias = "int | str | bytes | tuple[str, str]"

_FORMS: Mapping[int, str] = {
    0x01: "byte", 0x02: "four", 0x03: "text", 0x08: "text", 0x09: "data", 0x0B: "variable", 0x11: "four",
    0x12: "text", 0x13: "two", 0x15: "text", 0x16: "data", 0x17: "byte", 0x18: "four", 0x19: "byte", 0x1A: "text",
    0x1C: "text", 0x1F: "text", 0x21: "two", 0x22: "two", 0x23: "two", 0x24: "byte", 0x25: "byte", 0x26: "pair",
    0x27: "four", 0x28: "byte", 0x29: "byte", 0x2A: "byte",
}  # fmt: skip
"""How each property of version 5 is written (section 2.2.2.2)."""

SESSION_EXPIRY = 0x11
ASSIGNED_CLIENT = 0x12
SERVER_KEEP_ALIVE = 0x13
REASON = 0x1F
RECEIVE_MAXIMUM = 0x21
MAXIMUM_QOS = 0x24
RETAIN_AVAILABLE = 0x25
MAXIMUM_PACKET = 0x27
CONTENT_TYPE = 0x03


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes for us when we are gone without a word. Always retained, with QoS 1."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Connack:
    """The broker's answer to CONNECT. ``code`` 0: accepted; ``properties``: by identifier (version 5)."""

    code: int
    session_present: bool
    properties: Mapping[int, Value] = field(default_factory=dict[int, Value])


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH from the broker. ``packet``: its id to acknowledge, 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    again: bool
    packet: int = 0
    properties: Mapping[int, Value] = field(default_factory=dict[int, Value])


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker has a PUBLISH of ours, or (``code`` from 0x80, version 5) does not want it."""

    packet: int
    code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Suback:
    """What was granted for each filter of a SUBSCRIBE: the QoS, or a code from 0x80."""

    packet: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """PINGRESP."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The broker's DISCONNECT (version 5)."""

    code: int
    reason: str = ""


FromBroker: TypeAlias = Connack | Message | Puback | Suback | Pong | Goodbye


def encode_length(length: int) -> bytes:
    """A variable byte integer (section 1.5.5 of version 5). Raises ValueError over 268,435,455."""
    if not 0 <= length <= MAX_REMAINING:
        raise ValueError(f"{length} bytes do not fit into a packet, which holds {MAX_REMAINING}")
    out = bytearray()
    while True:
        length, low = divmod(length, 128)
        out.append(low | (0x80 if length else 0))
        if not length:
            return bytes(out)


def packet(kind: Kind, flags: int, *parts: bytes) -> bytes:
    """One whole packet."""
    return b"".join((bytes(((kind << 4) | flags,)), encode_length(sum(map(len, parts))), *parts))


def text(value: str) -> bytes:
    """A UTF-8 string with its length. Raises ValueError for one over 65,535 bytes or with NUL."""
    data = value.encode("utf-8")
    if len(data) > MAX_STRING or "\0" in value:
        raise ValueError("a string of MQTT holds at most 65535 bytes of UTF-8 and no NUL")
    return struct.pack(">H", len(data)) + data


def _binary(value: bytes) -> bytes:
    if len(value) > MAX_STRING:
        raise ValueError("a field of MQTT holds at most 65535 bytes")
    return struct.pack(">H", len(value)) + value


def connect(
    version: Version,
    client: str,
    *,
    user: str | None,
    password: bytes | None,
    will: Will | None,
    keep_alive: int,
    clean: bool = True,
    max_packet: int = 0,
) -> bytes:
    """CONNECT (section 3.1). ``keep_alive``: seconds, 0 none; ``max_packet``: what we take (version 5), 0 any."""
    flags = 0x02 if clean else 0
    payload = [text(client)]
    if will is not None:
        flags |= 0x04 | 0x08 | 0x20
        payload += ([b"\0"] if version == "5" else []) + [text(will.topic), _binary(will.payload)]
    if user is not None:
        flags |= 0x80
        payload.append(text(user))
    if password is not None:
        flags |= 0x40
        payload.append(_binary(password))
    properties = b""
    if version == "5":
        limit = struct.pack(">BI", MAXIMUM_PACKET, max_packet) if max_packet else b""
        properties = encode_length(len(limit)) + limit
    header = text("MQTT") + struct.pack(">BBH", LEVELS[version], flags, keep_alive)
    return packet(Kind.CONNECT, 0, header, properties, *payload)


def publish(
    version: Version, topic: str, payload: bytes, *, qos: int, retain: bool, again: bool, number: int, content: str = ""
) -> bytes:
    """PUBLISH (section 3.3). ``number``: the packet id, used with QoS 1; ``content``: its type (version 5)."""
    head = text(topic) + (struct.pack(">H", number) if qos else b"")
    if version == "5":
        properties = struct.pack(">B", CONTENT_TYPE) + text(content) if content else b""
        head += encode_length(len(properties)) + properties
    return packet(Kind.PUBLISH, (again << 3) | (qos << 1) | retain, head, payload)


def puback(number: int) -> bytes:
    """PUBACK: we have it (section 3.4); the short form means success in both versions."""
    return packet(Kind.PUBACK, 0, struct.pack(">H", number))


def subscribe(version: Version, number: int, filters: Sequence[tuple[str, int]]) -> bytes:
    """SUBSCRIBE (section 3.8): topic filters with the QoS wanted."""
    properties = b"\0" if version == "5" else b""
    return packet(
        Kind.SUBSCRIBE,
        2,
        struct.pack(">H", number),
        properties,
        *(text(topic) + bytes((qos,)) for topic, qos in filters),
    )


def pingreq() -> bytes:
    """PINGREQ (section 3.12)."""
    return packet(Kind.PINGREQ, 0)


def disconnect() -> bytes:
    """DISCONNECT, in good order (section 3.14): the broker forgets the will. The same in both versions."""
    return packet(Kind.DISCONNECT, 0)


class _Reader:
    """The bytes of one packet, read from the front."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise MqttError("cut packet", f"{self._what}: {size} bytes wanted, {self.left} are left")
        found = self._data[self._at : self._at + size]
        self._at += size
        return found

    def rest(self) -> bytes:
        return self.take(self.left)

    def byte(self) -> int:
        return self.take(1)[0]

    def two(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def text(self) -> str:
        try:
            return self.take(self.two()).decode("utf-8")
        except UnicodeDecodeError:
            raise MqttError("bad text", f"{self._what}: a string is not UTF-8") from None

    def variable(self) -> int:
        value = 0
        for place in range(4):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                return value
        raise MqttError("bad length", f"{self._what}: a length of more than four bytes")

    def properties(self) -> dict[int, Value]:
        inner = _Reader(self.take(self.variable()), self._what)
        found: dict[int, Value] = {}
        while inner.left:
            key = inner.variable()
            match _FORMS.get(key):
                case "byte":
                    found[key] = inner.byte()
                case "two":
                    found[key] = inner.two()
                case "four":
                    found[key] = int.from_bytes(inner.take(4), "big")
                case "variable":
                    found[key] = inner.variable()
                case "text":
                    found[key] = inner.text()
                case "data":
                    found[key] = inner.take(inner.two())
                case "pair":
                    found[key] = (inner.text(), inner.text())
                case _:
                    raise MqttError("bad property", f"{self._what}: property 0x{key:02x} is not in the standard")
        return found


def decode(version: Version, first: int, body: bytes) -> FromBroker:
    """A broker's packet. ``first``: type and flags; ``body``: what follows the length. Raises MqttError."""
    kind, flags = first >> 4, first & 0x0F
    name = Kind(kind).name if kind in set(Kind) else f"packet type {kind}"
    reader = _Reader(body, name)
    if kind != Kind.PUBLISH and flags:
        raise MqttError("bad flags", f"{name} has the flags {flags:#x}, 0 is right")
    match kind:
        case Kind.PUBLISH:
            return _message(version, flags, reader)
        case Kind.CONNACK:
            present, code = reader.byte(), reader.byte()
            properties = reader.properties() if version == "5" and reader.left else {}
            return Connack(code, bool(present & 1), properties)
        case Kind.PUBACK:
            number, code, reason = _acknowledged(version, reader)
            return Puback(number, code, reason)
        case Kind.SUBACK:
            number = reader.two()
            if version == "5":
                reader.properties()
            return Suback(number, tuple(reader.rest()))
        case Kind.PINGRESP:
            return Pong()
        case Kind.DISCONNECT if version == "5":
            code = reader.byte() if reader.left else 0
            properties = reader.properties() if reader.left else {}
            return Goodbye(code, str(properties.get(REASON, "")))
        case _:
            raise MqttError("unexpected packet", f"{name} is nothing that a broker sends to this client")


def _message(version: Version, flags: int, reader: _Reader) -> Message:
    qos = (flags >> 1) & 3
    if qos > 1:
        raise MqttError("bad qos", f"a PUBLISH with QoS {qos}; at most 1 was asked for")
    topic = reader.text()
    number = reader.two() if qos else 0
    if qos and not number:
        raise MqttError("bad packet id", "a PUBLISH with QoS 1 and the packet id 0")
    properties = reader.properties() if version == "5" else {}
    return Message(topic, reader.rest(), qos, bool(flags & 1), bool(flags & 8), number, properties)


def _acknowledged(version: Version, reader: _Reader) -> tuple[int, int, str]:
    number = reader.two()
    code = reader.byte() if version == "5" and reader.left else 0
    properties = reader.properties() if version == "5" and reader.left else {}
    return number, code, str(properties.get(REASON, ""))

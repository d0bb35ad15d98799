"""An MQTT client without a socket: bytes in, what they say out, bytes to send out. No clock.

    IDLE --connect--> WAITING --CONNACK 0--> ACTIVE,   --any other CONNACK--> CLOSED

It remembers the packet ids in flight and what the broker said of itself (the largest packet, the keep alive, QoS).
Time-outs, pings and repeating after a lost connection belong to whoever holds the socket.
Source: OASIS MQTT 3.1.1 and 5.0, section 4.

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lpr.protocols.mqtt import packets
from lpr.protocols.mqtt.packets import Connack, FromBroker, Message, MqttError, Puback, Suback, Version, Will

_HEADER = 5
"""Bytes of the longest fixed header."""


class State(enum.Enum):
    """Where the connection is."""

    IDLE = "idle"
    WAITING = "waiting"
    ACTIVE = "active"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who connects. ``client``: its id at the broker, one at a time; ``keep_alive``: seconds between signs of life."""

    client: str
    user: str | None = None
    password: str | None = None
    will: Will | None = None
    keep_alive: int = 60

    def __repr__(self) -> str:
        return f"Identity(client={self.client!r}, user={self.user!r}, password=…)"


class TooLargeError(ValueError):
    """A message that the broker does not take by its size. The text says both."""


class Client:
    """One connection. ``max_packet``: the most bytes that a packet of the broker may have."""

    def __init__(self, identity: Identity, *, version: Version = "5", max_packet: int = 1_048_576) -> None:
        self._identity = identity
        self._version: Version = version
        self._max_packet = max_packet
        self._buffer = bytearray()
        self._next = 0
        self._flying: set[int] = set()
        self.state = State.IDLE
        self.keep_alive = identity.keep_alive
        self.largest = packets.MAX_REMAINING
        self.acknowledges = True
        self.retains = True

    @property
    def buffered(self) -> int:
        """Bytes held that have not become a packet."""
        return len(self._buffer)

    def connect(self) -> bytes:
        """The first packet."""
        self.state = State.WAITING
        who = self._identity
        return packets.connect(
            self._version,
            who.client,
            user=who.user,
            password=None if who.password is None else who.password.encode(),
            will=who.will,
            keep_alive=who.keep_alive,
            max_packet=self._max_packet,
        )

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, content: str = ""
    ) -> tuple[bytes, int]:
        """The bytes of a message and its packet id (0 with QoS 0). ``content``: its type, told in version 5.

        Raises TooLargeError, and ValueError for a topic that can't be sent.
        """
        if not topic or "#" in topic or "+" in topic:
            raise ValueError(f"{topic!r} is no topic to publish to")
        qos = min(qos, 1 if self.acknowledges else 0)
        number = self._number() if qos else 0
        data = packets.publish(
            self._version,
            topic,
            payload,
            qos=qos,
            retain=retain and self.retains,
            again=False,
            number=number,
            content=content,
        )
        if len(data) > self.largest:
            self._flying.discard(number)
            raise TooLargeError(f"the message has {len(data)} bytes, the broker takes {self.largest}")
        return data, number

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> tuple[bytes, int]:
        """The bytes of a subscription to topic filters with the QoS wanted, and its packet id."""
        number = self._number()
        return packets.subscribe(self._version, number, filters), number

    def acknowledge(self, message: Message) -> bytes:
        """What answers a message: PUBACK with QoS 1, nothing with QoS 0."""
        return packets.puback(message.packet) if message.qos else b""

    def receive(self, data: bytes) -> None:
        """Take bytes from the broker."""
        if self.state is not State.CLOSED:
            self._buffer += data

    def events(self) -> Iterator[FromBroker]:
        """Every packet that is whole by now. Raises MqttError; the state is CLOSED then."""
        while (event := self._event()) is not None:
            yield event

    def _event(self) -> FromBroker | None:
        if self.state is State.CLOSED:
            return None
        try:
            found = self._whole()
            if found is None:
                return None
            event = packets.decode(self._version, *found)
            self._follow(event)
        except MqttError:
            self.state = State.CLOSED
            self._buffer.clear()
            raise
        return event

    def _whole(self) -> tuple[int, bytes] | None:
        """The next packet's first byte and body, taken from the buffer."""
        if len(self._buffer) < 2:
            return None
        if self.state is State.WAITING and self._buffer[0] >> 4 != packets.Kind.CONNACK:
            raise MqttError("unexpected packet", f"the answer to CONNECT begins with 0x{self._buffer[0]:02x}")
        size = 0
        for place in range(1, _HEADER):
            if place >= len(self._buffer):
                return None
            byte = self._buffer[place]
            size |= (byte & 0x7F) << (7 * (place - 1))
            if not byte & 0x80:
                break
        else:
            raise MqttError("bad length", "a remaining length of more than four bytes: this is no MQTT")
        if size + place + 1 > self._max_packet:
            raise MqttError("too large", f"a packet of {size} bytes; at most {self._max_packet} are taken")
        end = place + 1 + size
        if len(self._buffer) < end:
            return None
        first, body = self._buffer[0], bytes(self._buffer[place + 1 : end])
        del self._buffer[:end]
        return first, body

    def _follow(self, event: FromBroker) -> None:
        if isinstance(event, Connack):
            if self.state is not State.WAITING:
                raise MqttError("unexpected packet", f"CONNACK while {self.state.value}")
            self.state = State.CLOSED if event.code else State.ACTIVE
            self._learn(event)
        elif self.state is not State.ACTIVE:
            raise MqttError("unexpected packet", f"{type(event).__name__} while {self.state.value}")
        elif isinstance(event, Puback | Suback):
            self._flying.discard(event.packet)

    def _learn(self, event: Connack) -> None:
        known = event.properties
        keep_alive, largest = known.get(packets.SERVER_KEEP_ALIVE), known.get(packets.MAXIMUM_PACKET)
        self.keep_alive = keep_alive if isinstance(keep_alive, int) else self.keep_alive
        self.largest = largest if isinstance(largest, int) else self.largest
        self.acknowledges = known.get(packets.MAXIMUM_QOS, 1) != 0
        self.retains = known.get(packets.RETAIN_AVAILABLE, 1) != 0

    def _number(self) -> int:
        """A packet id that is not in flight (section 2.2.1)."""
        for _ in range(0xFFFF):
            self._next = self._next % 0xFFFF + 1
            if self._next not in self._flying:
                self._flying.add(self._next)
                return self._next
        raise MqttError("no packet id", "65535 messages wait for their acknowledgement")

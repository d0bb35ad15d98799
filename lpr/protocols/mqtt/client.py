"""One connection to a broker: bytes in, what they say out, bytes to send out; paho-mqtt does what MQTT is.

paho writes and reads the packets, numbers, acknowledges, knows what is in flight and when a sign of life is due (by its
own monotonic clock). Its ``Client._create_socket`` is overridden, the one protected method that is used: what it takes
for the socket is ``_Wire``, whose bytes come from and go to whoever holds the connection. So cancellation, TLS and
time-outs are his, on asyncio as on trio. Repeating after a lost connection is, too.

May import paho and the standard library, besides this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from lpr.protocols.mqtt.gate import MAX_PACKET, PINGRESP, Gate, MqttError, Version
from lpr.protocols.mqtt.words import OTHER_VERSION, Answer, Connack, FromBroker, Goodbye, Message, Pong, Puback, Suback

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

_MALFORMED = "Received malformed packet: "


class TooLargeError(ValueError):
    """A message that the broker does not take by its size. The text says both."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes for us when we are gone without a word. Always retained, with QoS 1."""

    topic: str
    payload: bytes


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


class Client:
    """One connection. ``max_packet``: the most bytes that a packet of the broker may have.

    After each call ``outgoing`` is to be sent. One message is published at a time: the next when the one before is
    acknowledged. Nothing of it outlives the connection; another one is another ``Client``.
    """

    def __init__(self, identity: Identity, *, version: Version = "5", max_packet: int = 1_048_576) -> None:
        self._gate = Gate(version, max_packet)
        self._wire = _Wire()
        self._paho = _Paho(self._wire, identity, version)
        self._five = version == "5"
        self._keep_alive = identity.keep_alive
        self._heard: list[FromBroker] = []
        self._fault = ""
        self._said = ""
        self._retains = True
        self._most = max_packet
        self.closed = False
        self.largest = MAX_PACKET
        self.acknowledges = True
        self._listen(self._paho)

    @property
    def buffered(self) -> int:
        """Bytes held that have not become a packet."""
        return self._gate.buffered

    @property
    def keep_alive(self) -> int:
        """Seconds within which the broker wants a sign of life, 0 none."""
        return self._paho.keepalive

    def connect(self) -> None:
        """Say who connects, with a session of its own."""
        properties = None
        if self._five:
            properties = Properties(PacketTypes.CONNECT)
            properties.MaximumPacketSize = min(self._most, MAX_PACKET)
        # paho keeps host and port for its own socket alone
        self._paho.connect("broker", 1, self._keep_alive, properties=properties)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, content: str = "") -> int:
        """Publish with QoS 1; the message's number. ``content``: its type, told in version 5.

        Raises TooLargeError, and ValueError for a topic that can't be sent.
        """
        properties = None
        if self._five and content:
            properties = Properties(PacketTypes.PUBLISH)
            properties.ContentType = content
        start = len(self._wire.outgoing)
        info = self._paho.publish(topic, payload, 1, retain and self._retains, properties)
        size = len(self._wire.outgoing) - start
        if size > self.largest:
            del self._wire.outgoing[start:]
            self._paho.drop_out_messages()
            raise TooLargeError(f"the message has {size} bytes, the broker takes {self.largest}")
        return info.mid

    def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for topics with QoS 1. Raises ValueError for what is no filter."""
        self._paho.subscribe([(one, 1) for one in filters])

    def disconnect(self) -> None:
        """Take leave in good order: the broker forgets the will."""
        self._paho.disconnect()
        self.closed = True

    def tick(self) -> bool:
        """To be called several times within ``keep_alive``: a sign of life when one is due, whether it was. ``events``
        raises when the one before was not answered."""
        if self.closed:
            return False
        start = len(self._wire.outgoing)
        self._paho.loop_misc()
        if self._paho.socket() is None:
            self._fail(f"no answer to a sign of life within {self.keep_alive} s")
        return len(self._wire.outgoing) > start

    def outgoing(self) -> bytes:
        """What is to be sent, once."""
        data = bytes(self._wire.outgoing)
        self._wire.outgoing.clear()
        return data

    def receive(self, data: bytes) -> None:
        """Take bytes from the broker."""
        if self.closed:
            return
        self._gate.feed(data)
        try:
            while not self.closed and (packet := self._gate.packet()) is not None:
                self._read(packet)
        except MqttError as error:
            self._fail(str(error))
        if self.closed:
            self._gate.clear()

    def events(self) -> Iterator[FromBroker]:
        """What the broker has said since the last call. Raises MqttError behind the last of it."""
        heard, self._heard = self._heard, []
        yield from heard
        if self._fault:
            fault, self._fault = self._fault, ""
            raise MqttError(fault)

    def _read(self, packet: bytes) -> None:
        self._said = ""
        self._wire.incoming += packet
        try:
            code = self._paho.loop_read()
        except _OtherVersionError:
            self._hear_connack(ReasonCode(PacketTypes.CONNACK, identifier=OTHER_VERSION), None)
            return
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._fail(self._said or paho.error_string(code))
        elif packet[0] == PINGRESP:
            self._heard.append(Pong())

    def _fail(self, text: str) -> None:
        if not self.closed:
            self.closed = True
            self._fault = text

    # --- what paho tells -------------------------------------------------------------------------------

    def _listen(self, end: paho.Client) -> None:
        def connected(_end: paho.Client, _data: Any, _flags: Any, code: ReasonCode, more: Properties | None) -> None:
            self._hear_connack(code, more)

        def published(_end: paho.Client, _data: Any, number: int, code: ReasonCode, more: Properties | None) -> None:
            self._heard.append(Puback(number, _answer(code, more)))

        def subscribed(
            _end: paho.Client, _data: Any, number: int, codes: list[ReasonCode], more: Properties | None
        ) -> None:
            self._heard.append(Suback(number, tuple(_answer(code, more) for code in codes)))

        def message(_end: paho.Client, _data: Any, found: paho.MQTTMessage) -> None:
            self._hear_message(found)

        def disconnected(
            _end: paho.Client, _data: Any, flags: paho.DisconnectFlags, code: ReasonCode, more: Properties | None
        ) -> None:
            if flags.is_disconnect_packet_from_server:
                self._heard.append(Goodbye(_answer(code, more)))
                self.closed = True

        def log(_end: paho.Client, _data: Any, _level: int, text: str) -> None:
            if text.startswith(_MALFORMED):
                self._said = text

        end.on_connect = connected
        end.on_publish = published
        end.on_subscribe = subscribed
        end.on_message = message
        end.on_disconnect = disconnected
        end.on_log = log

    def _hear_connack(self, code: ReasonCode, more: Properties | None) -> None:
        answer = _answer(code, more)
        self.closed = answer.refused
        self.largest = getattr(more, "MaximumPacketSize", MAX_PACKET)
        self.acknowledges = getattr(more, "MaximumQoS", 1) != 0
        self._retains = getattr(more, "RetainAvailable", 1) != 0
        self._heard.append(Connack(answer))

    def _hear_message(self, found: paho.MQTTMessage) -> None:
        try:
            topic = found.topic
        except UnicodeDecodeError:
            self._fail("the topic of a message is not UTF-8")
            return
        if found.qos and not found.mid:
            self._fail("a message with QoS 1 and the packet id 0")
            return
        self._heard.append(Message(topic, bytes(found.payload), found.qos, found.retain))


class _OtherVersionError(Exception):
    """A broker of 3.1.1 does not speak it; paho would begin anew with 3.1."""


class _Wire:
    """What paho takes for a socket."""

    def __init__(self) -> None:
        self.incoming = bytearray()
        self.outgoing = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        """What there is."""
        if not self.incoming:
            raise BlockingIOError
        data = bytes(self.incoming[:buffer_size])
        del self.incoming[:buffer_size]
        return data

    def send(self, buffer: bytes | bytearray) -> int:
        """All of it."""
        self.outgoing += buffer
        return len(buffer)

    def close(self) -> None:
        """paho is through."""

    def fileno(self) -> int:
        """There is none."""
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""


class _Paho(paho.Client):
    """paho over a ``_Wire``."""

    def __init__(self, wire: _Wire, identity: Identity, version: Version) -> None:
        five = version == "5"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            identity.client,
            clean_session=None if five else True,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        )
        self._memory = wire
        self._begun = False
        self.max_inflight_messages = 0
        self.on_pre_connect = self._before
        self.username_pw_set(identity.user, identity.password)
        if identity.will is not None:
            self.will_set(identity.will.topic, identity.will.payload, qos=1, retain=True)

    def _create_socket(self) -> SocketLike:
        return self._memory

    def _before(self, _end: paho.Client, _data: Any) -> None:
        if self._begun:
            raise _OtherVersionError
        self._begun = True


def _answer(code: ReasonCode, more: Properties | None) -> Answer:
    own = str(getattr(more, "ReasonString", ""))[:100]
    return Answer(code.value, f"{code.getName()} ({own})" if own else code.getName())

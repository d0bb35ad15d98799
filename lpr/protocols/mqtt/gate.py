"""What a broker sends, cut into packets; what may not come here goes no further. Pure.

    type and flags, 1 byte | remaining length, 1 to 4 bytes of 7 bits | variable header | payload

paho, which reads the packets, takes any size up to 256 MiB, kinds of packets and flags that no broker sends to this
client, and needs time that grows with the square of a packet's properties (5 s for 64 KB of the smallest). Sources:
OASIS MQTT 3.1.1 and 5.0, section 2. May import the standard library only.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Version: TypeAlias = Literal["3.1.1", "5"]

MAX_PACKET = 268_435_455
"""The largest remaining length that four bytes hold (section 2.1.4)."""
MAX_PROPERTIES = 8192
"""Bytes of one packet's properties: some 0.2 s in paho when they are as small as can be."""
PINGRESP = 0xD0
_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _DISCONNECT = 0x20, 0x30, 0x40, 0x90, 0xE0
_PROPERTIES = {_CONNACK: 2, _PUBACK: 3, _SUBACK: 2, _DISCONNECT: 1}
"""Where properties begin in the body of a packet of version 5, with their length (section 3)."""


class MqttError(Exception):
    """What came is no MQTT, or not what may come here."""


class Gate:
    """``most``: the most bytes that one packet may have. After an error it is to be cleared."""

    def __init__(self, version: Version, most: int) -> None:
        self._five = version == "5"
        self._most = most
        self._buffer = bytearray()
        self._answered = False

    @property
    def buffered(self) -> int:
        """Bytes held that have not become a packet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the broker."""
        self._buffer += data

    def clear(self) -> None:
        """Let go of what has not become a packet."""
        self._buffer.clear()

    def packet(self) -> bytes | None:
        """The next whole packet. Raises MqttError."""
        if not self._buffer:
            return None
        self._may_come(self._buffer[0])
        found = _variable(self._buffer, 1)
        if found is None:
            return None
        size, start = found
        if start + size > self._most:
            raise MqttError(f"a packet of {start + size} bytes; at most {self._most} are taken")
        if len(self._buffer) < start + size:
            return None
        whole = bytes(self._buffer[: start + size])
        del self._buffer[: start + size]
        self._few_properties(whole, start)
        self._answered = True
        return whole

    def _may_come(self, first: int) -> None:
        if not self._answered:
            if first != _CONNACK:
                raise MqttError(f"the answer to CONNECT begins with 0x{first:02x}, 0x20 is right")
        elif first & 0xF0 == _PUBLISH:
            if first & 0x06 > 0x02:
                raise MqttError(f"a message with QoS {(first & 0x06) >> 1}; at most 1 was asked for")
        elif first not in (_PUBACK, _SUBACK, PINGRESP) and not (self._five and first == _DISCONNECT):
            raise MqttError(f"a packet that begins with 0x{first:02x} is nothing that a broker sends to this client")

    def _few_properties(self, whole: bytes, start: int) -> None:
        kind = whole[0] & 0xF0
        if kind == _PUBLISH:
            at = start + 2 + int.from_bytes(whole[start : start + 2], "big") + (2 if whole[0] & 0x06 else 0)
        else:
            at = start + _PROPERTIES.get(kind, 0)
        if self._five and kind != PINGRESP:
            found = _variable(whole, at)
            if found is not None and found[0] > MAX_PROPERTIES:
                raise MqttError(f"{found[0]} bytes of properties; at most {MAX_PROPERTIES} are taken")


def _variable(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The variable byte integer there (section 1.5.5 of version 5) and where it ends; None when it is not whole."""
    value = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    raise MqttError("a length of more than four bytes: this is no MQTT")

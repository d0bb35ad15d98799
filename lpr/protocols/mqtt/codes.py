"""What a broker's codes mean, in words, and whether waiting can help. Pure.

Source: MQTT 3.1.1, section 3.2.2.3 (CONNACK); MQTT 5.0, section 2.4 (reason codes). May import nothing.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Answer: TypeAlias = Literal["delivered", "refused", "unavailable"]

_CONNECT_3 = {
    1: "it does not speak this version of MQTT",
    2: "it does not want this client id",
    3: "it is not available",
    4: "wrong user or password",
    5: "it does not let this client in",
}
_REASONS = {
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "its own reason",
    0x84: "it does not speak this version of MQTT",
    0x85: "it does not want this client id",
    0x86: "wrong user or password",
    0x87: "not authorised",
    0x88: "it is not available",
    0x89: "it is busy",
    0x8A: "this client is banned",
    0x8B: "it is shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive time-out",
    0x8E: "another client took this client id",
    0x8F: "it does not want this topic filter",
    0x90: "it does not want this topic",
    0x91: "the packet id is in use",
    0x93: "more messages in flight than it takes",
    0x95: "the packet is too large",
    0x96: "messages come too fast",
    0x97: "a quota is used up",
    0x98: "administrative action",
    0x99: "the payload has not the form that it wants",
    0x9A: "it retains nothing",
    0x9B: "it does not offer this QoS",
    0x9C: "use another server",
    0x9D: "the server has moved",
    0x9F: "connections come too fast",
    0xA1: "it offers no subscription identifiers",
    0xA2: "it offers no wildcard subscriptions",
}
_OF_THIS_MESSAGE = frozenset({0x90, 0x95, 0x99})
"""Reasons that are about the message, so that sending it again is of no use."""
_ACCESS = frozenset({4, 5, 0x86, 0x87, 0x8C})


def meaning(code: int) -> str:
    """A code in words."""
    return _CONNECT_3.get(code) or _REASONS.get(code) or f"code 0x{code:02x}"


def is_access(code: int) -> bool:
    """Whether user, password or rights have to be put right."""
    return code in _ACCESS


def is_version(code: int) -> bool:
    """Whether the broker speaks another version."""
    return code in (1, 0x84)


def answer_of(code: int) -> Answer:
    """What a PUBACK means for a message: under 0x80 it is there; not authorised waits for somebody."""
    if code < 0x80:
        return "delivered"
    return "refused" if code in _OF_THIS_MESSAGE else "unavailable"

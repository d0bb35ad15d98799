"""What a broker says to a client, version 3.1.1 and 5.0 alike. Pure.

Source: OASIS MQTT 5.0, section 2.4 (reason codes). May import the standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

_ACCESS = frozenset({0x86, 0x87, 0x8C})
_OF_THIS_MESSAGE = frozenset({0x90, 0x95, 0x99})
"""Reasons that are about the message, so that sending it again is of no use."""
OTHER_VERSION = 0x84


@dataclass(frozen=True, slots=True)
class Answer:
    """A broker's word about something. ``code``: a reason of MQTT 5 (section 2.4), into which paho translates what
    3.1.1 says of a connection; ``text``: the same in the standard's words, and the broker's own."""

    code: int
    text: str

    @property
    def refused(self) -> bool:
        """Whether it is a no."""
        return self.code >= 0x80

    @property
    def is_access(self) -> bool:
        """Whether user, password or rights have to be put right."""
        return self.code in _ACCESS

    @property
    def is_version(self) -> bool:
        """Whether the broker speaks another version."""
        return self.code == OTHER_VERSION

    @property
    def is_final(self) -> bool:
        """Whether a refused message would be refused again; not authorised waits for somebody."""
        return self.code in _OF_THIS_MESSAGE


@dataclass(frozen=True, slots=True)
class Connack:
    """The broker's answer to CONNECT."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH from the broker; acknowledged already."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Puback:
    """The broker has the message with this number, or (version 5) does not want it: 3.1.1 has no way to say so."""

    number: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Suback:
    """What became of each filter of a subscription, in its order."""

    number: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a sign of life."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The broker's DISCONNECT (version 5)."""

    answer: Answer


FromBroker: TypeAlias = Connack | Message | Puback | Suback | Pong | Goodbye

"""The trigger server's side of a connection: the configured message asks for a picture, everything else is discarded.

The client connects and sends the message; another message is discarded; the answer is the plate or a document (VIVOTEK
manual, "Trigger Server"); a trigger may come every 4 seconds at most ("Trigger Mode"). How a message ends is not told:
it counts as soon as its last byte is there, line ends and NUL between messages are passed over, and what does not
match is discarded up to the next of them or to a pause. What a refused trigger, or one without a plate, is answered is
not told either: a word, configurable, in the plate's place for SIMPLE and in ``Feedback`` otherwise. Sans-IO.

May import the standard library only, besides this folder and ``lpr.events``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lpr.events import Micros
from lpr.protocols.neural.encoding import MessageFormat, Style, encode_as
from lpr.protocols.neural.record import Infoplate

MINIMUM_PERIOD = 4.0
"""Seconds; VIVOTEK manual: "the trigger period shall no less 4 seconds"."""

AnswerFormat: TypeAlias = Literal["SIMPLE"] | MessageFormat
_BETWEEN = b"\r\n\0"
_ENDS = re.compile(rb"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Trigger:
    """The configured message has come."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """Something else has come. ``size``: bytes."""

    size: int


class TriggerReader:
    """Incremental; holds less than the message's own length. ``message``: bytes that ask for a picture, not empty."""

    def __init__(self, message: bytes) -> None:
        if not message.strip(_BETWEEN) or _ENDS.search(message):
            raise ValueError("a trigger's message is not empty and has no line end or NUL in it")
        self._message = message
        self._buffer = bytearray()
        self._skipped = 0

    @property
    def buffered(self) -> int:
        """Bytes held of what may become the message."""
        return len(self._buffer)

    @property
    def open(self) -> bool:
        """Whether something has come that is not whole: after a while, ``pause``."""
        return bool(self._buffer or self._skipped)

    def feed(self, data: bytes) -> list[Trigger | Discarded]:
        """Take the next portion. Gives what has come by now, in order."""
        found: list[Trigger | Discarded] = []
        buffer = self._buffer
        buffer += data
        while True:
            if self._skipped:
                end = _ENDS.search(buffer)
                self._skipped += len(buffer) if end is None else end.start()
                del buffer[: len(buffer) if end is None else end.end()]
                if end is None:
                    return found
                found.append(Discarded(self._skipped))
                self._skipped = 0
            del buffer[: len(buffer) - len(buffer.lstrip(_BETWEEN))]
            if self._message.startswith(bytes(buffer[: len(self._message)])):
                if len(buffer) < len(self._message):
                    return found
                found.append(Trigger())
                del buffer[: len(self._message)]
            else:
                self._skipped = 1
                del buffer[:1]

    def pause(self) -> list[Trigger | Discarded]:
        """Nothing has come for a while: what is not whole is discarded."""
        size, self._skipped = self._skipped + len(self._buffer), 0
        self._buffer.clear()
        return [Discarded(size)] if size else []


class Period:
    """How often a trigger is let through. ``seconds``: between two, at least ``MINIMUM_PERIOD``."""

    def __init__(self, seconds: float = MINIMUM_PERIOD) -> None:
        if seconds < MINIMUM_PERIOD:
            raise ValueError(f"triggers come every {MINIMUM_PERIOD:g} s at most, not every {seconds:g} s")
        self._period: Micros = round(seconds * 1_000_000)
        self._last: Micros | None = None

    def ask(self, now: Micros) -> Micros:
        """0: let through, and the period begins. Else how long it still lasts, µs. ``now``: monotonic µs."""
        if self._last is not None and now < self._last + self._period:
            return self._last + self._period - now
        self._last = now
        return 0


def encode_answer(record: Infoplate, word: str, kind: AnswerFormat, style: Style, end: bytes = b"") -> bytes:
    """What the client is told. ``word``: stands for the plate in SIMPLE when there is none. ``end``: behind SIMPLE.

    ``style``: of the documents; see ``encode_as`` for the rest.
    """
    if kind == "SIMPLE":
        return (record.plate or word).encode("utf-8", "replace") + end
    return encode_as(record, kind, style)

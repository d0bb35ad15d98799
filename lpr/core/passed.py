"""Passages as servers need them: each signed passage with both its events, from the log, in order.

A passage is for the outside once it is signed, so what counts is the record of PassageSigned; ``Shipment`` joins it
with its PassageDecided. One that retention has taken, or that can't be decoded, is passed over.
May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from lpr.core.delivery import Shipment
from lpr.core.errors import RecordError
from lpr.core.reader import Readable
from lpr.core.record import Record
from lpr.events import PassageDecided, PassageSigned

__all__ = ["PAGE", "Shipment", "Waitable", "follow", "latest", "passage", "since"]

SIGNED = frozenset({PassageSigned.__name__})
PAGE = 64
"""Passages read from the log at once."""


class Waitable(Readable, Protocol):
    """A log that also says when it has grown: the service's ``EventLog``."""

    @property
    def head(self) -> int:
        """The number of the newest record."""
        ...

    async def wait(self, after: int) -> int:
        """The head, as soon as it is over ``after``."""
        ...


async def follow(log: Waitable, after: int | None = None) -> AsyncGenerator[Shipment, None]:
    """Every passage signed after the record ``after`` (None: from now on), as it comes, until it is closed.

    Raises LogUnavailable and LogClosedError.
    """
    position = log.head if after is None else after
    while True:
        head = log.head
        page = await log.read(position, types=SIGNED, limit=PAGE, upto=head)
        for record in page:
            position = record.seq
            if (found := await _whole(log, record)) is not None:
                yield found
        if len(page) < PAGE:
            position = max(position, head)
            await log.wait(position)


async def latest(log: Readable, count: int, before: int | None = None) -> list[Shipment]:
    """The ``count`` newest passages (signed before the record ``before``), newest first."""
    found: list[Shipment] = []
    while len(found) < count:
        page = await log.read_back(before, types=SIGNED, limit=min(PAGE, count - len(found)))
        if not page:
            break
        for record in page:
            if (whole := await _whole(log, record)) is not None:
                found.append(whole)
        before = page[-1].seq
    return found


async def since(log: Readable, after: int, limit: int = PAGE) -> list[Shipment]:
    """The oldest ``limit`` passages signed after the record ``after``."""
    found: list[Shipment] = []
    while len(found) < limit:
        page = await log.read(after, types=SIGNED, limit=min(PAGE, limit - len(found)))
        if not page:
            break
        for record in page:
            if (whole := await _whole(log, record)) is not None:
                found.append(whole)
        after = page[-1].seq
    return found


async def passage(log: Readable, seq: int) -> Shipment | None:
    """The passage whose PassageSigned is record ``seq``; None when there is none (any more)."""
    try:
        record = await log.get(seq)
    except RecordError:
        return None
    return None if record is None else await _whole(log, record)


async def _whole(log: Readable, record: Record) -> Shipment | None:
    try:
        signed = record.event
        if not isinstance(signed, PassageSigned):
            return None
        found = await log.by_id(signed.passage)
        decided = None if found is None else found.event
    except RecordError:
        return None
    if not isinstance(decided, PassageDecided):
        return None
    return Shipment(record=record.seq, passage=signed.passage, decided=decided, signed=signed)

"""What every sink is held against: a receiver that can be told how to behave. A new sink adds a ``SinkCase``.

A case opens a sink and its receiver together. The suite is ``test_sinks.py``; the contract is
``lpr.core.sinks.Sink.deliver`` and the words of ``lpr.core.delivery``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, get_args

from msgspec.structs import replace

from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.delivery import Outcome, Shipment
from lpr.events import PassageSigned, Picture
from tests.protocols.milesight.samples import PASSAGE

Behaviour: TypeAlias = Literal["accept", "refuse", "busy", "wrong password", "hang", "nonsense", "endless", "absent"]
SECRET = "s3cret-of-the-sink"


@dataclass(frozen=True)
class Got:
    """What a receiver understood of one delivery. ``id``: what it tells repetitions by."""

    id: str
    plate: str


class DeliveringSink(Protocol):
    """The part of a sink under test."""

    async def deliver(self, shipment: Shipment) -> Outcome: ...


class Bench(Protocol):
    """A sink with its receiver."""

    @property
    def sink(self) -> DeliveringSink: ...

    @property
    def got(self) -> list[Got]:
        """What the receiver has accepted, in order."""
        ...

    async def behave(self, behaviour: Behaviour) -> None:
        """From now on. "absent": nobody listens any more."""
        ...


@dataclass(frozen=True)
class SinkCase:
    """``open``: sink and receiver; the sink must use ``SECRET`` if it has a password, and give up within a second.

    ``behaviours``: what a receiver can express in this protocol; one without answers can neither refuse nor talk
    nonsense.
    """

    name: str
    open: Callable[[Path, BlobStore, Clock], AbstractAsyncContextManager[Bench]]
    behaviours: frozenset[Behaviour] = frozenset(get_args(Behaviour))


async def shipment(blobs: BlobStore, plate: str = "AB12CD", number: int = 2) -> Shipment:
    """A passage ready to be sent."""
    full, crop = await blobs.put(b"\xff\xd8full\xff\xd9"), await blobs.put(b"\xff\xd8plate\xff\xd9")
    decided = replace(PASSAGE, plate=plate)
    passage = f"01970000-0000-8000-8000-{number:012x}"
    signed = PassageSigned(
        passage=passage,
        plate=plate,
        at=PASSAGE.at,
        picture=Picture(blob=full, width=1280, height=720, bytes=8),
        plate_picture=Picture(blob=crop, width=128, height=32, bytes=9),
        key="",
    )
    return Shipment(number, passage, decided, signed)

"""Figures for the status page: how sinks, servers and clients stand, as a fold of the log. Decides nothing.

``Figures.latest`` is the state after the last record folded; it is only looked at, never decided by.
May import ``lpr.events`` and ``lpr.core``.
"""

from __future__ import annotations

import msgspec

from lpr.core.record import Record
from lpr.core.view import View
from lpr.events import (
    BlobMissing,
    ClientJoined,
    ClientLeft,
    ClientServed,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    Event,
    Micros,
    PassageDecided,
    PassageSigned,
    ReadingsDiscarded,
    ServerListening,
    ServiceStarted,
)

MAX_CLIENTS = 1000
"""Clients that are listed; more are counted only."""


class SinkFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One sink. ``last``: wall time of the last delivery, µs; ``retry_at``: None unless it waits."""

    delivered: int = 0
    parked: int = 0
    last: Micros | None = None
    retry_at: Micros | None = None
    error: str = ""


class ClientFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One connected client."""

    server: str
    client: str
    since: Micros
    upto: int


class FiguresState(msgspec.Struct, frozen=True, kw_only=True):
    """``servers``: name -> address; ``clients``: ``server/client`` -> figures, of this run of the service."""

    passages: int = 0
    signed: int = 0
    discarded: int = 0
    missing_pictures: int = 0
    last_passage: Micros | None = None
    sinks: dict[str, SinkFigures] = msgspec.field(default_factory=dict[str, SinkFigures])
    servers: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    clients: dict[str, ClientFigures] = msgspec.field(default_factory=dict[str, ClientFigures])


class _Decided(View, frozen=True, kw_only=True):
    of = PassageDecided
    at: Micros


class _Discarded(View, frozen=True, kw_only=True):
    of = ReadingsDiscarded


class _Signed(View, frozen=True, kw_only=True):
    of = PassageSigned


class Figures:
    """A decider that only folds. Of the large events it sees no more than it counts."""

    name = "figures"
    interests: tuple[type[Event], ...] = (
        ServiceStarted,
        BlobMissing,
        _Decided,
        _Discarded,
        _Signed,
        Delivered,
        DeliveryFailed,
        DeliveryParked,
        ServerListening,
        ClientJoined,
        ClientServed,
        ClientLeft,
    )
    state_type = FiguresState
    state_version = 1

    def __init__(self) -> None:
        self.latest = FiguresState()

    def initial(self) -> FiguresState:
        """Nothing has happened."""
        return FiguresState()

    def evolve(self, state: FiguresState, record: Record) -> FiguresState:
        """The figures after ``record``."""
        self.latest = after(state, record)
        return self.latest

    def decide(self, state: FiguresState, record: Record) -> tuple[Event, ...]:
        """Nothing."""
        del state, record
        return ()

    def due(self, state: FiguresState) -> Micros | None:
        """Never."""
        del state


def after(state: FiguresState, record: Record) -> FiguresState:
    """The fold itself; pure."""
    change = msgspec.structs.replace
    match record.event:
        case ServiceStarted():
            return change(state, servers={}, clients={})
        case BlobMissing():
            return change(state, missing_pictures=state.missing_pictures + 1)
        case _Decided(at=at):
            return change(state, passages=state.passages + 1, last_passage=at)
        case _Discarded():
            return change(state, discarded=state.discarded + 1)
        case _Signed():
            return change(state, signed=state.signed + 1)
        case Delivered(sink=sink):
            old = state.sinks.get(sink, SinkFigures())
            new = change(old, delivered=old.delivered + 1, last=record.wall, retry_at=None, error="")
            return change(state, sinks={**state.sinks, sink: new})
        case DeliveryFailed(sink=sink, reason=reason, retry_at=retry_at):
            new = change(state.sinks.get(sink, SinkFigures()), error=reason, retry_at=retry_at)
            return change(state, sinks={**state.sinks, sink: new})
        case DeliveryParked(sink=sink, reason=reason):
            old = state.sinks.get(sink, SinkFigures())
            new = change(old, parked=old.parked + 1, error=reason, retry_at=None)
            return change(state, sinks={**state.sinks, sink: new})
        case ServerListening(server=server, address=address):
            return change(state, servers={**state.servers, server: address})
        case ClientJoined(server=server, client=client, resumes_after=upto):
            if len(state.clients) >= MAX_CLIENTS:
                return state
            joined = ClientFigures(server=server, client=client, since=record.wall, upto=upto)
            return change(state, clients={**state.clients, f"{server}/{client}": joined})
        case ClientServed(server=server, client=client, upto=upto) if f"{server}/{client}" in state.clients:
            served = change(state.clients[f"{server}/{client}"], upto=upto)
            return change(state, clients={**state.clients, f"{server}/{client}": served})
        case ClientLeft(server=server, client=client):
            return change(state, clients={k: v for k, v in state.clients.items() if k != f"{server}/{client}"})
        case _:
            return state

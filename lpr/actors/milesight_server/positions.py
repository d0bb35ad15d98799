"""Up to which record each client is served: a fold of the log, so that a client that comes back gets what it missed.

A decider that decides nothing: the core's loop keeps its Baseline, so retention may prune what it was folded from.
May import ``lpr.events`` and ``lpr.core``.
"""

from __future__ import annotations

import msgspec

from lpr.core.record import Record
from lpr.events import ClientJoined, ClientServed, Event, Micros

MAX_CLIENTS = 4096
"""Clients whose positions are remembered; the one unseen for longest is forgotten first."""


class Positions(msgspec.Struct, frozen=True):
    """``clients``: identity (``<user>@<address>``) -> record up to which it is served, unseen longest first."""

    clients: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    def moved(self, client: str, position: int) -> Positions:
        """With the client at ``position``, which may lie before an earlier one: the log's last word counts."""
        clients = {name: known for name, known in self.clients.items() if name != client}
        clients[client] = position
        if len(clients) > MAX_CLIENTS:
            del clients[next(iter(clients))]
        return Positions(clients)


class PositionsDecider:
    """Folds ClientJoined and ClientServed of one server."""

    interests: tuple[type[Event], ...] = (ClientJoined, ClientServed)
    state_type = Positions
    state_version = 1

    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"{server}.positions"

    def initial(self) -> Positions:
        """Nobody was here."""
        return Positions()

    def evolve(self, state: Positions, record: Record) -> Positions:
        """See ``Positions.moved``."""
        event = record.event
        if isinstance(event, ClientJoined) and event.server == self.server:
            return state.moved(event.client, event.resumes_after)
        if isinstance(event, ClientServed) and event.server == self.server:
            return state.moved(event.client, event.upto)
        return state

    def decide(self, state: Positions, record: Record) -> tuple[Event, ...]:
        """Nothing follows."""
        del state, record
        return ()

    def due(self, state: Positions) -> Micros | None:
        """No deadline."""
        del state
        return None

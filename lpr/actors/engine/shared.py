"""The engines that all cameras share: so many pictures at once, and one that hangs is replaced.

A thread that hangs inside a model cannot be ended; what can be done is to stop waiting for it. Its engine is then
left to it, a fresh one takes the seat, and whatever the old one says later goes nowhere. ``Ticket`` says of one
camera's thread whether it reads and since when.

May import ``lpr.events``, ``lpr.core`` and ``lpr.vision``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lpr.core.clock import Clock
from lpr.events import Micros, Reading
from lpr.vision.engine import BatchEngine, Engine

__all__ = ["GivenUp", "SharedEngine", "Ticket"]


class GivenUp(Exception):
    """Nobody waits for this reading any more."""


@dataclass(eq=False)
class _Seat:
    """``engine``: None until it is made, by the thread that needs it first."""

    engine: Engine | None


@dataclass(eq=False)
class Ticket:
    """One camera's thread. ``since``: monotonic µs at which its engine began ``pictures`` pictures; None: it doesn't
    read, but waits for a seat or does something else."""

    since: Micros | None = None
    pictures: int = 0
    given_up: bool = False
    seat: _Seat | None = None


class SharedEngine:
    """``engine``: the first one; ``make``: makes another like it (None: there is no other, and a hung one is asked
    again); ``seats``: pictures read at the same time, each by an engine of its own."""

    def __init__(
        self, engine: Engine, clock: Clock, *, make: Callable[[], Engine] | None = None, seats: int = 1
    ) -> None:
        self.name = str(getattr(engine, "name", type(engine).__name__))
        self._clock = clock
        self._make = make or (lambda: engine)
        self._change = threading.Condition()
        count = seats if make is not None else 1
        self._free = [_Seat(None) for _ in range(count - 1)] + [_Seat(engine)]

    def read(self, images: Sequence[NDArray[np.uint8]], ticket: Ticket) -> tuple[tuple[Reading, ...], ...]:
        """The readings on each of ``images`` ((H, W, 3) BGR uint8). Blocking: waits for a free seat.

        Raises GivenUp when ``give_up`` was called in the meantime, and what the engine raises.
        """
        with self._change:
            while not self._free and not ticket.given_up:
                self._change.wait()
            if ticket.given_up:
                raise GivenUp
            seat = ticket.seat = self._free.pop()
            ticket.since, ticket.pictures = self._clock.mono(), len(images)
        try:
            if seat.engine is None:
                seat.engine = self._make()
            readings = _read(seat.engine, images)
        finally:
            with self._change:
                late = ticket.given_up  # then another seat stands in its place already
                if not late:
                    ticket.since, ticket.seat = None, None
                    self._free.append(seat)
                    self._change.notify()
        if late:
            raise GivenUp
        return readings

    def give_up(self, ticket: Ticket) -> bool:
        """Stop waiting for what ``ticket`` stands for, for good; whether an engine hung and was replaced."""
        with self._change:
            if ticket.given_up:
                return False
            ticket.given_up = True
            hung = ticket.seat is not None
            if hung:
                ticket.seat, ticket.since = None, None
                self._free.insert(0, _Seat(None))
            self._change.notify_all()
            return hung


def _read(engine: Engine, images: Sequence[NDArray[np.uint8]]) -> tuple[tuple[Reading, ...], ...]:
    if len(images) > 1 and hasattr(engine, "read_all"):
        return tuple(cast("BatchEngine", engine).read_all(images))
    return tuple(tuple(engine.read(image)) for image in images)

"""How far a client has come: what was written, what its machine has acknowledged, what counts as served. Pure.

The protocol has no acknowledgement, so TCP's is the best there is: a record counts as served once every byte of it
was acknowledged by the client's machine and ``SETTLE`` has passed, in which a living program reads it. What is
younger when a connection ends is sent again when the client comes back: at least once.

May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections import deque

from lpr.events import Micros

SETTLE: Micros = 1_000_000


class Ledger:
    """One connection. ``position``: the record up to which the client needs nothing."""

    def __init__(self, position: int) -> None:
        self._served = position
        self._written: deque[tuple[int, int]] = deque()
        self._acknowledged: deque[tuple[int, Micros]] = deque()

    @property
    def open(self) -> bool:
        """Whether anything written is not served yet."""
        return bool(self._written or self._acknowledged)

    def wrote(self, record: int, end: int) -> None:
        """``record`` lies before byte ``end`` of everything written to this connection."""
        if self._written and self._written[-1][1] == end:
            self._written.pop()
        self._written.append((record, end))

    def acknowledge(self, acknowledged: int, now: Micros) -> None:
        """The client's machine has the first ``acknowledged`` bytes."""
        last: int | None = None
        while self._written and self._written[0][1] <= acknowledged:
            last = self._written.popleft()[0]
        if last is not None:
            self._acknowledged.append((last, now))

    def served(self, now: Micros) -> int:
        """The record up to which everything counts as served at ``now`` (monotonic µs)."""
        while self._acknowledged and self._acknowledged[0][1] + SETTLE <= now:
            self._served = self._acknowledged.popleft()[0]
        return self._served

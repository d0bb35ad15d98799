"""What bounds strangers: failed log-ins by key, and a tally of abuse with a bounded rate. Pure: `now` comes in.

Times are seconds of any monotonic clock. Imports nothing of ours.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque

MAX_REMOTES = 8
"""Addresses kept in one tally (``AbuseSeen.remotes``)."""


class Throttle:
    """At most ``attempts`` failures in ``window`` seconds for each key; memory for ``keys`` keys, oldest forgotten."""

    def __init__(self, attempts: int, window: float, keys: int = 4096) -> None:
        self._attempts = attempts
        self._window = window
        self._keys = keys
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def retry_in(self, key: str, now: float) -> float:
        """Seconds until ``key`` may try again; 0: now."""
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        while failures and failures[0] <= now - self._window:
            failures.popleft()
        if not failures:
            del self._failures[key]
            return 0.0
        if len(failures) < self._attempts:
            return 0.0
        return failures[0] + self._window - now

    def failed(self, key: str, now: float) -> None:
        """``key`` failed at ``now``."""
        failures = self._failures.setdefault(key, deque(maxlen=self._attempts))
        failures.append(now)
        self._failures.move_to_end(key)
        while len(self._failures) > self._keys:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of ``key``."""
        self._failures.pop(key, None)


class Tally:
    """Counts by kind, handed out at most once in ``window`` seconds, the first after ``first`` seconds."""

    def __init__(self, window: float = 60.0, first: float = 2.0, kinds: int = 64) -> None:
        self._window = window
        self._first = first
        self._kinds = kinds
        self._counts: Counter[str] = Counter()
        self._remotes: OrderedDict[str, None] = OrderedDict()
        self._since = 0.0
        self._taken = -math.inf

    def note(self, kind: str, remote: str, now: float) -> None:
        """One more of ``kind`` from ``remote``; beyond the number of kinds it counts as "other"."""
        if not self._counts:
            self._since = now
        self._counts[kind if kind in self._counts or len(self._counts) < self._kinds else "other"] += 1
        if len(self._remotes) < MAX_REMOTES:
            self._remotes.setdefault(remote, None)

    def due(self) -> float | None:
        """When ``take`` gives something; None: nothing was counted."""
        return max(self._since + self._first, self._taken + self._window) if self._counts else None

    def take(self, now: float) -> tuple[float, dict[str, int], tuple[str, ...]] | None:
        """(seconds covered, counts, remotes), or None when it is not due. Starts again at nothing."""
        due = self.due()
        if due is None or now < due:
            return None
        answer = (round(now - self._since, 3), dict(self._counts), tuple(self._remotes))
        self._counts.clear()
        self._remotes.clear()
        self._taken = now
        return answer

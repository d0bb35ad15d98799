"""Who may connect and try to log in, and how often hostile input is told: pure rules, ``now`` handed in.

Times are monotonic µs. Every table is bounded, whatever the network sends.
May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque

from lpr.events import AbuseSeen, Micros

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
MAX_ADDRESSES = 1024
MAX_KINDS = 32
MAX_REMOTES = 8


class RateTable:
    """At most ``most`` of something a minute and address; ``MAX_ADDRESSES`` addresses, those seen last, are kept."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._seen: OrderedDict[str, deque[Micros]] = OrderedDict()

    def full(self, address: str, now: Micros) -> bool:
        """Whether the address has used up its last minute."""
        times = self._seen.get(address)
        if times is None:
            return False
        while times and times[0] <= now - MINUTE:
            times.popleft()
        if not times:
            del self._seen[address]
        return len(times) >= self.most

    def note(self, address: str, now: Micros) -> None:
        """One more of it, now."""
        times = self._seen.setdefault(address, deque(maxlen=self.most))
        self._seen.move_to_end(address)
        times.append(now)
        if len(self._seen) > MAX_ADDRESSES:
            self._seen.popitem(last=False)

    def take_back(self, address: str) -> None:
        """The latest one noted does not count after all."""
        times = self._seen.get(address)
        if times:
            times.pop()


class Admission:
    """Places for connections. One that has not logged in keeps its place only while nobody else needs it.

    ``max_clients``: connections in all; ``max_per_address``: of one address.
    """

    def __init__(self, max_clients: int, max_per_address: int) -> None:
        self.max_clients = max_clients
        self.max_per_address = max_per_address
        self._addresses: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._waiting: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._addresses)

    def admit(self, connection: int, address: str) -> tuple[str | None, int | None]:
        """Give ``connection`` a place: (None, evicted) or (why not, None).

        ``evicted``: the connection that has waited longest for its log-in and has to make room, or None.
        """
        if self._counts[address] >= self.max_per_address:
            return self._full(address, connection, own=True)
        if len(self._addresses) >= self.max_clients:
            return self._full(address, connection, own=False)
        self._take(connection, address)
        return None, None

    def holds(self, connection: int) -> bool:
        """Whether the connection has its place still: it may have been evicted before it was served at all."""
        return connection in self._addresses

    def logged_in(self, connection: int) -> None:
        """The connection keeps its place from now on."""
        self._waiting.pop(connection, None)

    def release(self, connection: int) -> None:
        """The connection has ended (or was evicted); a second call does nothing."""
        address = self._addresses.pop(connection, None)
        self._waiting.pop(connection, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _take(self, connection: int, address: str) -> None:
        self._addresses[connection] = address
        self._counts[address] += 1
        self._waiting[connection] = None

    def _full(self, address: str, connection: int, *, own: bool) -> tuple[str | None, int | None]:
        for waiting in self._waiting:
            if not own or self._addresses[waiting] == address:
                self.release(waiting)
                self._take(connection, address)
                return None, waiting
        if not self._counts[address]:
            del self._counts[address]
        return ("too many connections from one address" if own else "too many connections"), None


class Tally:
    """Hostile and broken input, summed so that it is told at once and then at most once in ``window`` seconds."""

    def __init__(self, server: str, window: float = 60.0) -> None:
        self.server = server
        self._window = round(window * SECOND)
        self._counts: Counter[str] = Counter()
        self._remotes: dict[str, None] = {}
        self._told_at: Micros | None = None

    def note(self, kind: str, remote: str) -> None:
        """One more offence of ``kind`` from ``remote``."""
        if kind not in self._counts and len(self._counts) >= MAX_KINDS:
            kind = "other"
        self._counts[kind] += 1
        if len(self._remotes) < MAX_REMOTES:
            self._remotes[remote] = None

    def due(self) -> Micros | None:
        """When ``take`` has something to give: None while nothing was seen."""
        if not self._counts:
            return None
        return 0 if self._told_at is None else self._told_at + self._window

    def take(self, now: Micros) -> AbuseSeen | None:
        """What was seen since the last time, when that is due."""
        due = self.due()
        if due is None or now < due:
            return None
        passed = 0 if self._told_at is None else now - self._told_at
        event = AbuseSeen(
            server=self.server,
            window_s=round(passed / SECOND, 3),
            counts=dict(self._counts),
            remotes=tuple(self._remotes),
        )
        self._counts.clear()
        self._remotes.clear()
        self._told_at = now
        return event

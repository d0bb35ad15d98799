"""The audit trail of an HTTP server: ApiCalled for who asked what, LoginFailed and AbuseSeen at a bounded rate.

Reads are written in batches behind the answer, with a bounded queue that refuses calls rather than lose entries; a
change is in the log before it is answered. May import ``lpr.core`` and ``lpr.events``.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal

from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogUnavailable
from lpr.core.log import EventLog
from lpr.events import AbuseSeen, ApiCalled, Event, LoginFailed
from lpr.http.limits import Tally

Audit = Literal["each", "once", "sum", "none"]
"""each: every call; once: a user's first call of a path in ``ONCE_WINDOW``; sum: calls counted over ``SUM_WINDOW``."""

ONCE_WINDOW = 600.0
SUM_WINDOW = 10.0
LOGIN_WINDOW = 60.0
MAX_WAITING = 2000
MAX_KEYS = 4096
MAX_QUERY = 512
SECRET = frozenset({"password", "token", "csrf"})


class AuditFull(Exception):
    """So many entries wait for an unwritable log that no more calls may be answered."""


class AuditTrail:
    """Call ``run`` as a task for the life of the server ``actor``. Times: seconds of the monotonic clock."""

    def __init__(self, log: EventLog, clock: Clock, actor: str) -> None:
        self._actor = actor
        self._log = log
        self._clock = clock
        self._waiting: list[Event] = []
        self._seen: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._sums: dict[tuple[str, str, str, str], tuple[float, int]] = {}
        self._failed: dict[tuple[str, str], tuple[float, int]] = {}
        self._abuse = Tally()
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return self._clock.mono() / 1e6

    def check(self) -> None:
        """Raises AuditFull."""
        if len(self._waiting) >= MAX_WAITING:
            raise AuditFull("the audit trail can't be written")

    async def called(
        self,
        how: Audit,
        user: str,
        remote: str,
        method: str,
        path: str,
        query: str,
        status: int,
        *,
        change: bool | None = None,
    ) -> None:
        """One call. A change (any method but GET and HEAD, unless ``change`` says it) is durable when this returns."""
        if how == "none":
            return
        if change is None:
            change = method not in ("GET", "HEAD")
        path, query = printable(path), printable(query)
        call = ApiCalled(user=user, remote=remote, method=method, path=path, query=query, status=status)
        if change:
            await self._log.append((call,), actor=self._actor)
            return
        now = self.now()
        if how == "once":
            key = (user, remote, path)
            if self._seen.get(key, -ONCE_WINDOW) > now - ONCE_WINDOW:
                return
            self._seen[key] = now
            self._seen.move_to_end(key)
            while len(self._seen) > MAX_KEYS:
                self._seen.popitem(last=False)
        elif how == "sum":
            entry = (user, remote, method, path)
            since, count = self._sums.get(entry, (now, 0))
            self._sums[entry] = (since, count + 1)
            self._wake.set()
            return
        self._put(call)

    def login_failed(self, user: str, remote: str) -> None:
        """A log-in failed: the first is written at once, further ones of the pair are summed over a minute."""
        now = self.now()
        key = (user, remote) if (user, remote) in self._failed or len(self._failed) < 256 else ("", "*")
        known = self._failed.get(key)
        if known is None:
            self._failed[key] = (now, 0)
            self._put(LoginFailed(user=user, remote=remote))
        else:
            self._failed[key] = (known[0], known[1] + 1)

    def abuse(self, kind: str, remote: str) -> None:
        """Hostile or broken input."""
        self._abuse.note(kind, remote, self.now())
        self._wake.set()

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        while True:
            self._wake.clear()
            self._collect(self.now())
            await self.flush()
            try:
                async with asyncio.timeout(self._idle()):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(0.05)  # what comes together is written together

    async def close(self) -> None:
        """Write everything, also what was still being summed."""
        self._collect(float("inf"))
        await self.flush()

    async def flush(self) -> None:
        """Write what waits; an unwritable log leaves it waiting."""
        async with self._writing:
            while self._waiting:
                batch = self._waiting[:256]
                try:
                    await self._log.append(batch, actor=self._actor)
                except LogUnavailable:
                    return
                except LogClosedError:
                    self._waiting.clear()
                    return
                del self._waiting[: len(batch)]

    def _put(self, event: Event) -> None:
        if len(self._waiting) < MAX_WAITING + 256:
            self._waiting.append(event)
        self._wake.set()

    def _idle(self) -> float:
        if self._waiting:
            return 1.0
        ends = [since + SUM_WINDOW for since, _ in self._sums.values()]
        ends += [since + LOGIN_WINDOW for since, _ in self._failed.values()]
        due = self._abuse.due()
        ends += [] if due is None else [due]
        return max(0.05, min(ends) - self.now()) if ends else 3600.0

    def _collect(self, now: float) -> None:
        for entry, (since, count) in list(self._sums.items()):
            if now >= since + SUM_WINDOW:
                del self._sums[entry]
                user, remote, method, path = entry
                self._put(
                    ApiCalled(user=user, remote=remote, method=method, path=path, query=f"calls={count}", status=200)
                )
        for key, (since, count) in list(self._failed.items()):
            if now >= since + LOGIN_WINDOW:
                del self._failed[key]
                if count:
                    self._put(LoginFailed(user=key[0], remote=key[1], count=count, window_s=LOGIN_WINDOW))
        taken = self._abuse.take(now)
        if taken is not None:
            window, counts, remotes = taken
            self._put(AbuseSeen(server=self._actor, window_s=min(window, 3600.0), counts=counts, remotes=remotes))


def clean_query(query: Mapping[str, str]) -> str:
    """The query for the trail: without secrets and of bounded length."""
    text = "&".join(f"{name}={'…' if name.lower() in SECRET else value}" for name, value in query.items())
    return text if len(text) <= MAX_QUERY else text[: MAX_QUERY - 1] + "…"


def printable(text: str) -> str:
    """``text`` with what is no Unicode (bytes of a request that are no UTF-8) written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

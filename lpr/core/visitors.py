"""Who is at a file server, whatever its protocol: places, log-ins, what is told of them, and how fast bytes go out.

A server asks ``enter`` for every connection, ``log_in`` for every password, says what was transferred, and calls
``leave``. Log-ins and transfers are told to the log one by one (they are the audit trail), failures and hostile input
at a bounded rate. May import ``lpr.events``.
"""

from __future__ import annotations

from collections.abc import Callable

from lpr.core.accounts import Level, Logins, LoginsBusy, allows
from lpr.core.admission import SECOND, Admission, RateTable
from lpr.core.chronicle import Chronicle
from lpr.core.clock import Clock
from lpr.events import FileTransferred, LoggedIn, LoginFailed, Micros

LOGINS = 240
"""Right log-ins a minute and address, so that a client which comes and goes does not fill the log."""
TOLD_FAILURES = 60
"""Failed log-ins a minute that are told one by one; the others are summed as hostile input."""
MAX_NAME = 64
"""Characters of a name in the log."""


class Visitor:
    """One connection. ``user``: "" until it is logged in. ``drop``: ends it; the server sets it."""

    def __init__(self, number: int, address: str) -> None:
        self.number = number
        self.address = address
        self.user = ""
        self.drop: Callable[[], object] = _nothing


class Visitors:
    """``server``: its name in the log. ``level``: the least account that may log in. ``attempts``: failed log-ins a
    minute and address; over that, passwords are not even looked at."""

    def __init__(
        self,
        server: str,
        *,
        logins: Logins,
        level: Level,
        chronicle: Chronicle,
        clock: Clock,
        max_clients: int,
        max_per_address: int,
        attempts: int,
    ) -> None:
        self.server = server
        self._logins = logins
        self._level: Level = level
        self._chronicle = chronicle
        self._clock = clock
        self._admission = Admission(max_clients, max_per_address)
        self._wrong = RateTable(attempts)
        self._right = RateTable(max(LOGINS, 2 * max_per_address))
        self._told = RateTable(TOLD_FAILURES)
        self._here: dict[int, Visitor] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._here)

    def enter(self, address: str) -> Visitor | None:
        """A place for a connection, None when there is none. One that never logged in may have to make room."""
        self._count += 1
        refused, evicted = self._admission.admit(self._count, address)
        if refused is not None:
            self._chronicle.offence(refused, address)
            return None
        if evicted is not None and (old := self._here.pop(evicted, None)) is not None:
            self._chronicle.offence("no log-in", old.address)
            old.drop()
        visitor = self._here[self._count] = Visitor(self._count, address)
        return visitor

    def leave(self, visitor: Visitor) -> None:
        """The connection has ended; a second call does nothing."""
        self._admission.release(visitor.number)
        self._here.pop(visitor.number, None)

    def all(self) -> list[Visitor]:
        """Everybody who is here."""
        return list(self._here.values())

    async def log_in(self, visitor: Visitor, name: str, password: str) -> bool:
        """Whether the password is right and the account may come in; told to the log either way."""
        now = self._clock.mono()
        if self._wrong.full(visitor.address, now) or self._right.full(visitor.address, now):
            self._chronicle.offence("too many log-ins", visitor.address)
            return False
        self._wrong.note(visitor.address, now)  # taken back when it is right: many at once are many
        try:
            level = await self._logins.check(name, password)
        except LoginsBusy:
            self._chronicle.offence("password checks are busy", visitor.address)
            return False
        if level is None or not allows(level, self._level):
            self._failed(visitor, name)
            return False
        self._wrong.take_back(visitor.address)
        self._welcome(visitor, name)
        return True

    def log_in_by_key(self, visitor: Visitor, name: str, level: Level | None) -> bool:
        """As ``log_in``, for one who has proved to own a key of the account ``name``, whose level is ``level``."""
        if level is None or not allows(level, self._level):
            self._failed(visitor, name)
            return False
        self._welcome(visitor, name)
        return True

    def transferred(self, visitor: Visitor, path: str, count: int, outcome: str) -> None:
        """``count`` bytes of ``path`` went to the client. ``outcome``: as in FileTransferred."""
        self._chronicle.tell(
            FileTransferred(
                server=self.server,
                user=visitor.user,
                remote=visitor.address,
                path=path,
                direction="out",
                bytes=count,
                outcome=outcome,
            )
        )

    def offence(self, kind: str, visitor: Visitor) -> None:
        """Hostile or broken input."""
        self._chronicle.offence(kind, visitor.address)

    def _welcome(self, visitor: Visitor, name: str) -> None:
        visitor.user = name
        self._right.note(visitor.address, self._clock.mono())
        self._admission.logged_in(visitor.number)
        self._chronicle.tell(LoggedIn(user=name, remote=visitor.address, server=self.server))

    def _failed(self, visitor: Visitor, name: str) -> None:
        now = self._clock.mono()
        self._chronicle.offence("wrong log-in", visitor.address)
        if not self._told.full("", now):
            self._told.note("", now)
            shown = "".join(char if char.isprintable() else "\ufffd" for char in name[:MAX_NAME])
            self._chronicle.tell(LoginFailed(user=shown, remote=visitor.address, server=self.server))


class Bandwidth:
    """Shares ``rate`` bytes a second among all who ask; 0: no limit. Half a second's worth may go at once."""

    def __init__(self, rate: int, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._free_at: Micros = 0

    def delay(self, count: int) -> float:
        """Seconds to wait before ``count`` bytes may go; they count from now on."""
        if not self._rate:
            return 0.0
        now = self._clock.mono()
        start = max(self._free_at, now - SECOND // 2)
        self._free_at = start + round(count / self._rate * SECOND)
        return max(0, self._free_at - now) / SECOND

    async def take(self, count: int) -> None:
        """Wait until ``count`` bytes may go."""
        if (seconds := self.delay(count)) > 0:
            await self._clock.sleep(seconds)


def _nothing() -> None:
    """Nobody is there to be dropped yet."""

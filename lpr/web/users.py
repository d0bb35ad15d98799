"""Who may use the service: a fold of the log, with the password hashes beside it in the credentials file.

``UserStore`` serves the API, the pages and the command line. A credential is durable before the event that speaks of
it; a removed user's credential is dead because the fold no longer knows the user.

May import ``lpr.core``, ``lpr.events``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import anyio
import msgspec
from anyio import to_thread

from lpr.core.clock import Clock
from lpr.core.record import Record
from lpr.events import Event, PasswordSet, UserAdded, UserChanged, UserRemoved
from lpr.web import credentials
from lpr.web.credentials import Cost, Credential, CredentialsFile

Role = Literal["administrator", "operator"]
ROLES: tuple[Role, ...] = ("administrator", "operator")
USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
FIRST_USER = "admin"
ACTOR = "users"
USER_EVENTS = ("UserAdded", "UserChanged", "UserRemoved", "PasswordSet")
MAX_USERS = 1000
MAX_WAITING = 16
"""Password checks that may wait for the one worker before the caller is told to come back."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class UserError(Exception):
    """A change of users is not possible. ``code``: a key of ``problems.PROBLEMS``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Log(Protocol):
    """What the store needs of an event log."""

    async def append(
        self, events: Sequence[Event], *, actor: str, cause: int = 0, cursor: int | None = None
    ) -> tuple[Record, ...]: ...

    async def read(
        self, after: int, *, types: Sequence[str] | None = None, limit: int = 500, upto: int | None = None
    ) -> Sequence[Record]: ...


@dataclass(frozen=True, slots=True)
class User:
    """``temporary``: the password must be changed at the next log-in; ``since``: wall time of the addition, µs."""

    name: str
    role: Role
    temporary: bool = False
    since: int = 0


Users = Mapping[str, User]


def evolve(users: Users, event: Event, wall: int = 0) -> Users:
    """The users after ``event``. Total: what doesn't fit (a change of an unknown user) changes nothing."""
    changed = dict(users)
    match event:
        case UserAdded(user=name, role=role) if role in ROLES:
            changed[name] = User(name, "administrator" if role == "administrator" else "operator", since=wall)
        case UserChanged(user=name, role=role) if name in users and role in ROLES:
            changed[name] = replace(users[name], role="administrator" if role == "administrator" else "operator")
        case UserRemoved(user=name):
            changed.pop(name, None)
        case PasswordSet(user=name, temporary=temporary) if name in users:
            changed[name] = replace(users[name], temporary=temporary)
        case _:
            return users
    return changed


def administrators(users: Users) -> tuple[str, ...]:
    """The names of the administrators."""
    return tuple(user.name for user in users.values() if user.role == "administrator")


def one_time_password(random: bytes) -> str:
    """16 letters and digits without look-alikes in groups of four (79 bits of ``random``'s 32 bytes)."""
    number = int.from_bytes(random, "big")
    letters: list[str] = []
    for _ in range(16):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


class UserStore:
    """The users of one data folder. ``load`` first. Changes are serialised; checks run one at a time in a thread."""

    def __init__(self, log: Log, clock: Clock, path: Path, *, cost: Cost | None = None) -> None:
        self._log = log
        self._clock = clock
        self._path = path
        self._cost = cost or Cost()
        self._users: Users = {}
        self._file = CredentialsFile()
        self._changing = anyio.Lock()
        self._worker = anyio.CapacityLimiter(1)
        self._waiting = 0
        self._nobody = Credential(salt=bytes(16), hash=bytes(32), cost=self._cost)

    async def load(self) -> None:
        """Fold the log, read the credentials. Raises CredentialsError."""
        self._file = await to_thread.run_sync(credentials.load, self._path)
        users: Users = {}
        after = 0
        while page := await self._log.read(after, types=USER_EVENTS, limit=500):
            for record in page:
                users = evolve(users, record.event, record.wall)
            after = page[-1].seq
        self._users = users

    async def ensure_administrator(self) -> tuple[str, str] | None:
        """On a first start make ``admin`` and return (name, one-time password) to be shown once; else None.

        Also when no administrator has a password left (the credentials file was removed): the first one gets a new one.
        """
        known = administrators(self._users)
        if any(name in self._file.users for name in known):
            return None
        password = one_time_password(self._clock.random_bytes(32))
        if known:
            await self._set(known[0], password, by="first start", temporary=True)
            return known[0], password
        events: tuple[Event, ...] = (
            (UserChanged(user=FIRST_USER, role="administrator", by="first start"),)
            if FIRST_USER in self._users
            else (UserAdded(user=FIRST_USER, role="administrator", by="first start"),)
        )
        await self._set(FIRST_USER, password, by="first start", temporary=True, before=events)
        return FIRST_USER, password

    def list(self) -> tuple[User, ...]:
        """All users by name."""
        return tuple(self._users[name] for name in sorted(self._users))

    def get(self, name: str) -> User | None:
        """The user, or None."""
        return self._users.get(name)

    async def add(self, name: str, role: str, password: str, *, by: str, temporary: bool = True) -> User:
        """A new user, whose password must by default be changed at the first log-in. Raises UserError."""
        _check_role(role)
        if not USER_NAME.fullmatch(name):
            raise UserError("bad_user_name", f"{name[:64]!r} can't be a user's name")
        if name in self._users:
            raise UserError("user_exists", f"there is a user {name} already")
        if len(self._users) >= MAX_USERS:
            raise UserError("busy", f"there are {MAX_USERS} users already")
        _check_password(name, password)
        await self._set(
            name, password, by=by, temporary=temporary, before=(UserAdded(user=name, role=role, by=by),), new=True
        )
        return self._known(name)

    async def set_role(self, name: str, role: str, *, by: str) -> User:
        """Change the role. Raises UserError (the last administrator stays one)."""
        _check_role(role)
        async with self._changing:
            user = self._known(name)
            if user.role != role:
                self._keep_administrator(name, losing=role != "administrator")
                await self._append(UserChanged(user=name, role=role, by=by))
        return self._known(name)

    async def set_password(self, name: str, password: str, *, by: str, temporary: bool = False) -> User:
        """Set a password. Raises UserError."""
        self._known(name)
        _check_password(name, password)
        await self._set(name, password, by=by, temporary=temporary)
        return self._known(name)

    async def remove(self, name: str, *, by: str) -> None:
        """Remove the user: first in the log, then the credential. Raises UserError (not the last administrator)."""
        async with self._changing:
            self._known(name)
            self._keep_administrator(name, losing=True)
            await self._append(UserRemoved(user=name, by=by))
            rest = {user: kept for user, kept in self._file.users.items() if user != name}
            await self._save(msgspec.structs.replace(self._file, users=rest))

    async def check(self, name: str, password: str) -> User | None:
        """The user if the password is right, else None; takes as long for an unknown user. Raises UserError (busy)."""
        if self._waiting >= MAX_WAITING:
            raise UserError("busy", f"{MAX_WAITING} password checks are waiting")
        credential = self._file.users.get(name) if name in self._users else None
        self._waiting += 1
        try:
            right = await to_thread.run_sync(
                credentials.matches, password, credential or self._nobody, limiter=self._worker
            )
        finally:
            self._waiting -= 1
        return self._users.get(name) if right and credential is not None else None

    def _known(self, name: str) -> User:
        user = self._users.get(name)
        if user is None:
            raise UserError("unknown_user", f"there is no user {name[:64]!r}")
        return user

    def _keep_administrator(self, name: str, *, losing: bool) -> None:
        if losing and administrators(self._users) == (name,):
            raise UserError("last_administrator", f"{name} is the only administrator")

    async def _set(
        self,
        name: str,
        password: str,
        *,
        by: str,
        temporary: bool,
        before: tuple[Event, ...] = (),
        new: bool = False,
    ) -> None:
        salt = self._clock.random_bytes(16)
        credential = await to_thread.run_sync(credentials.seal, password, salt, self._cost, limiter=self._worker)
        with anyio.CancelScope(shield=True):  # file and event belong together, whatever happens to the caller
            async with self._changing:
                if new and name in self._users:
                    raise UserError("user_exists", f"there is a user {name} already")
                if not before:
                    self._known(name)
                old = self._file
                await self._save(msgspec.structs.replace(old, users={**old.users, name: credential}))
                try:
                    await self._append(*before, PasswordSet(user=name, by=by, temporary=temporary))
                except Exception:
                    await self._save(old)
                    raise

    async def _save(self, content: CredentialsFile) -> None:
        await to_thread.run_sync(partial(credentials.save, self._path, content))
        self._file = content

    async def _append(self, *events: Event) -> None:
        for record in await self._log.append(events, actor=ACTOR):
            self._users = evolve(self._users, record.event, record.wall)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UserError("bad_parameter", f"role: {role[:32]!r} is none of {', '.join(ROLES)}")


def _check_password(name: str, password: str) -> None:
    problem = credentials.weakness(name, password)
    if problem:
        raise UserError("weak_password", problem)

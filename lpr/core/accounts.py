"""Accounts of machines, and how a server asks whether a password is right.

Protocols of cameras (HTTP Digest, WS-UsernameToken) prove a password without sending it, so whoever checks needs the
password itself. People's passwords are kept as scrypt hashes and can't serve; machines have accounts of their own,
whose passwords lie in files that the owner of the service alone can read. A protocol that brings the password (FTP,
SFTP, HTTP Basic) may ask for both, through ``Logins``. Imports nothing of ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

Level: TypeAlias = Literal["user", "operator", "administrator"]

LEVELS: tuple[Level, ...] = ("user", "operator", "administrator")
"""What an account may do, least first: look on; also take pictures and subscribe; also change settings."""


def allows(level: Level, needed: Level) -> bool:
    """Whether ``level`` is at least ``needed``."""
    return LEVELS.index(level) >= LEVELS.index(needed)


@dataclass(frozen=True, slots=True)
class Account:
    """``password`` is never shown by ``repr``."""

    name: str
    level: Level
    password: str = field(repr=False)


class Accounts:
    """The accounts of machines by name."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts: Mapping[str, Account] = {account.name: account for account in accounts}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def find(self, name: str) -> Account | None:
        """The account, or None."""
        return self._accounts.get(name)

    def password_of(self, name: str) -> str | None:
        """Its password, or None."""
        account = self._accounts.get(name)
        return None if account is None else account.password

    def check(self, name: str, password: str) -> Level | None:
        """The level when the password is right, else None; takes as long for an unknown name."""
        account = self._accounts.get(name)
        known = "" if account is None else account.password
        right = hmac.compare_digest(known.encode(), password.encode("utf-8", "replace"))
        return account.level if account is not None and right else None


class Logins(Protocol):
    """Everybody who may log in with a password: machines' accounts and people's users."""

    async def check(self, name: str, password: str) -> Level | None:
        """The level when the password is right, else None. May take tenths of a second (scrypt).

        Raises LoginsBusy when too many checks wait: answer "try again later".
        """
        ...


class LoginsBusy(Exception):
    """Too many password checks are waiting."""

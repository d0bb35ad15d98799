"""Users and the audit trail: who may log in, who did, and who asked for what.

Imports ``base``.
"""

from __future__ import annotations

from lpr.events.base import Event


class UserAdded(Event, frozen=True, kw_only=True):
    """``role``: "administrator" or "operator"; ``by``: who did it ("first start", "command line" or a user)."""

    user: str
    role: str
    by: str


class UserChanged(Event, frozen=True, kw_only=True):
    """The role of a user is now ``role``."""

    user: str
    role: str
    by: str


class UserRemoved(Event, frozen=True, kw_only=True):
    """The user may no longer log in; the name stays in the audit trail."""

    user: str
    by: str


class PasswordSet(Event, frozen=True, kw_only=True):
    """A password was set. The scrypt hash lies in the credentials file, never in the log.

    ``temporary``: it must be changed at the first log-in.
    """

    user: str
    by: str
    temporary: bool = False


class LoggedIn(Event, frozen=True, kw_only=True):
    """A log-in succeeded. ``server``: at which file server; "" for the REST API and the pages."""

    user: str
    remote: str
    server: str = ""


class LoginFailed(Event, frozen=True, kw_only=True):
    """Log-ins that failed, counted over ``window_s`` seconds (the rate of these events is bounded).

    ``server``: at which file server; "" for the REST API and the pages.
    """

    user: str
    remote: str
    count: int = 1
    window_s: float = 0.0
    server: str = ""


class ApiCalled(Event, frozen=True, kw_only=True):
    """Audit trail: who asked for what. ``path``: without the query; ``query``: without secrets."""

    user: str
    remote: str
    method: str
    path: str
    query: str
    status: int


EVENTS: tuple[type[Event], ...] = (
    UserAdded,
    UserChanged,
    UserRemoved,
    PasswordSet,
    LoggedIn,
    LoginFailed,
    ApiCalled,
)

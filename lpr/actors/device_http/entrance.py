"""Who calls: HTTP Digest and Basic against the machines' accounts (and Basic against people's users, too).

Wrong log-ins are counted by address; an address that has used up its minute is refused before a password is looked at.
A right Basic log-in is remembered for a minute as a keyed hash, since checking a person's takes a tenth of a second.
May import aiohttp, ``lpr.core``, ``lpr.http`` and ``lpr.protocols``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import web

from lpr.config import DeviceHttp as Settings
from lpr.core.accounts import Accounts, Level, Logins, LoginsBusy
from lpr.core.clock import SECOND, Clock
from lpr.http.audit import AuditTrail
from lpr.http.limits import Throttle
from lpr.protocols.http_auth import Challenger
from lpr.protocols.http_auth.challenge import parse

WINDOW = 60.0
"""Seconds over which wrong log-ins of an address are counted."""
REMEMBERED = 256
"""Right Basic log-ins that are remembered."""
REMEMBER_FOR = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Caller:
    """``name``: of the account or user."""

    name: str
    level: Level


class Refusal(Exception):
    """The call is not answered. ``response``: what to send instead."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


class Entrance:
    """``logins``: for Basic; None: machines' accounts alone."""

    def __init__(
        self,
        settings: Settings,
        realm: str,
        accounts: Accounts,
        logins: Logins | None,
        clock: Clock,
        audit: AuditTrail,
    ) -> None:
        self._methods = settings.methods
        self._accounts = accounts
        self._logins = logins
        self._clock = clock
        self._audit = audit
        self._secret = clock.random_bytes(32)
        self._challenger = Challenger(realm, clock.random_bytes(32), methods=settings.methods, life=settings.nonce_life)
        self._wrong = Throttle(settings.login_attempts, WINDOW)
        self._remembered: OrderedDict[bytes, tuple[Caller, int]] = OrderedDict()

    @property
    def accounts(self) -> Accounts:
        """The machines' accounts."""
        return self._accounts

    @property
    def audit(self) -> AuditTrail:
        """For parts that tell the trail about calls themselves (``audit="none"``)."""
        return self._audit

    async def identify(self, request: web.Request) -> Caller | None:
        """Who the Authorization field shows; None without one. Raises Refusal for a wrong one."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        remote = request.remote or ""
        self.admit(remote)
        given = parse(header)
        if given is not None and given.scheme == "basic" and "basic" in self._methods:
            return await self._basic(header, given.user, given.password, remote)
        verdict = self._challenger.check(
            header, request.method, request.raw_path, self._accounts.password_of, self._clock.mono()
        )
        if verdict.user is None:
            if not verdict.stale:
                self.wrong(given.user if given is not None else "", remote)
            raise Refusal(self.challenge(stale=verdict.stale))
        self.right(remote)
        account = self._accounts.find(verdict.user)
        assert account is not None
        return Caller(account.name, account.level)

    def admit(self, remote: str) -> None:
        """Raises Refusal when the address has tried too many wrong passwords."""
        wait = self._wrong.retry_in(remote, self._audit.now())
        if wait > 0:
            self._audit.abuse("too many log-ins", remote)
            raise Refusal(plain(429, "too many failed log-ins; wait", {"Retry-After": str(int(wait) + 1)}))

    def wrong(self, user: str, remote: str) -> None:
        """A log-in failed, here or in a part's own way."""
        self._wrong.failed(remote, self._audit.now())
        self._audit.login_failed(user if self._accounts.find(user) else "", remote)

    def right(self, remote: str) -> None:
        """A log-in succeeded."""
        self._wrong.succeeded(remote)

    def challenge(self, *, stale: bool = False) -> web.Response:
        """The 401 with its challenges."""
        response = plain(401, "log in with an account of this device")
        for value in self._challenger.challenges(self._clock.mono(), stale=stale):
            response.headers.add("WWW-Authenticate", value)
        return response

    async def _basic(self, header: str, user: str, password: str, remote: str) -> Caller:
        key = hmac.new(self._secret, header.encode("utf-8", "replace"), hashlib.sha256).digest()
        known = self._remembered.get(key)
        if known is not None and self._clock.mono() - known[1] < REMEMBER_FOR:
            return known[0]
        level = self._accounts.check(user, password)
        if level is None and self._logins is not None and self._accounts.find(user) is None:
            try:
                level = await self._logins.check(user, password)
            except LoginsBusy:
                raise Refusal(plain(503, "too many log-ins at once; try again", {"Retry-After": "2"})) from None
        if level is None:
            self.wrong(user, remote)
            raise Refusal(self.challenge())
        self.right(remote)
        caller = Caller(user, level)
        self._remembered[key] = (caller, self._clock.mono())
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return caller


def plain(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    """A short answer for people who look."""
    return web.Response(status=status, text=text + "\n", headers=headers)

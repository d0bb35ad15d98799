"""WS-Security's UsernameToken with a password digest: who signed a request, checked once and never again.

The digest is Base64(SHA-1(nonce, created, password)). A token is good while its time lies within ``window`` of ours,
and once: each nonce of a right token is remembered until its time is over. The table is bounded; when it is full the
oldest goes, and no token made at or before that one's time is taken any more. A password in the clear is refused.
Sans-IO: ``now`` is handed in. Source: OASIS WS-Security UsernameToken Profile 1.0, ONVIF Core 5.9.
May import this room.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from lpr.protocols.onvif.soap import Token

DIGEST = "PasswordDigest"
MAX_FIELD = 256
"""Characters of a name, nonce or time."""
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """``user``: who it is, None when that isn't shown; ``reason`` says why not, without secrets. ``guess``: a password
    was tried and is wrong, which counts as a failed log-in; a right one out of time or used before does not."""

    user: str | None
    reason: str = ""
    guess: bool = False


class Tokens:
    """``window``: seconds by which a token's time may differ from ours. ``most``: nonces that are remembered."""

    def __init__(self, window: float = 300.0, most: int = 4096) -> None:
        self._window = round(window * SECOND)
        self._most = most
        self._used: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._closed = 0

    def __len__(self) -> int:
        return len(self._used)

    def check(self, token: Token, password_of: Callable[[str], str | None], now: int) -> Judgement:
        """Whether ``token`` shows who asks. ``now``: wall time in µs; ``password_of``: None for an unknown account."""
        if token.kind != DIGEST:
            return Judgement(None, "the password must come as a digest (PasswordDigest)")
        if max(len(token.user), len(token.nonce), len(token.created), len(token.password)) > MAX_FIELD:
            return Judgement(None, "a field of the UsernameToken is too long")
        made = moment(token.created)
        if made is None:
            return Judgement(None, "Created is no time of XML Schema")
        try:
            nonce = base64.b64decode(token.nonce, validate=True)
        except (binascii.Error, ValueError):
            return Judgement(None, "Nonce is not Base64")
        if not nonce:
            return Judgement(None, "the UsernameToken has no Nonce")
        known = password_of(token.user)
        wanted = digest(nonce, token.created, known or "")
        right = hmac.compare_digest(wanted.encode(), token.password.encode("utf-8", "replace"))
        if not right or not known:
            return Judgement(None, "wrong user or password", guess=True)
        return self._once(token, made, now)

    def _once(self, token: Token, made: int, now: int) -> Judgement:
        """The digest is right; whether its time is, and whether it is new."""
        if abs(now - made) > self._window:
            return Judgement(None, f"Created is more than {self._window // SECOND} s from this device's time")
        key = (token.nonce, token.created)
        if made <= self._closed or key in self._used:
            return Judgement(None, "this UsernameToken was used before")
        while self._used and next(iter(self._used.values())) < now - self._window:
            self._forget()
        self._used[key] = made
        while len(self._used) > self._most:
            self._forget()
        return Judgement(token.user)

    def _forget(self) -> None:
        _, made = self._used.popitem(last=False)
        self._closed = max(self._closed, made)


def digest(nonce: bytes, created: str, password: str) -> str:
    """The password digest of a token, Base64."""
    made = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return base64.b64encode(made.digest()).decode("ascii")


def moment(text: str) -> int | None:
    """``xs:dateTime`` as µs since 1970; without a zone it is taken as UTC. None when it is none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        return round(parsed.timestamp() * SECOND)
    except (OverflowError, ValueError):
        return None

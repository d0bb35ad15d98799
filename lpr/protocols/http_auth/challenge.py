"""The server's side of HTTP authentication: challenges, and checking their answers. Digest (RFC 7616, SHA-256 and
MD5, qop "auth" and RFC 2069's form without it) and Basic (RFC 7617); for HTTP, RTSP and whatever else borrows them.

Nonces carry their own time, proved by a keyed hash, so unanswered challenges cost no memory. Each nonce's counts are
remembered while it lives, in a bounded table, so that an answer can't be used again. The order of the challenges is
SHA-256, MD5, Basic: with MD5 first, ffmpeg's clients fail. Sans-IO: ``now`` is handed in, in µs of a monotonic clock.

May import this room.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lpr.protocols.http_auth.digest import Algorithm, response

Method: TypeAlias = Literal["digest-sha256", "digest-md5", "basic"]
METHODS: tuple[Method, ...] = ("digest-sha256", "digest-md5", "basic")

MAX_HEADER = 4096
"""Characters of an Authorization field that are looked at; a longer one is refused."""
MAX_NONCES = 4096
"""Nonces whose counts are remembered; the one used longest ago is forgotten, and is good no more."""
WINDOW = 64
"""Counts of one nonce may arrive out of order by so many (a client with several connections)."""

_SECOND = 1_000_000
_PARAMETER = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')
_ALGORITHMS: Mapping[str, Algorithm] = {"digest-sha256": "SHA-256", "digest-md5": "MD5"}


@dataclass(frozen=True, slots=True)
class Given:
    """What a request's Authorization field says. ``scheme``: "digest" or "basic"; ``password``: of Basic alone."""

    scheme: str
    user: str
    password: str = ""
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``user``: who it is, None when that isn't shown. ``stale``: right but for an old nonce: challenge again with
    ``stale=True`` and count no failure. ``reason``: "" for none given, else why not, without secrets."""

    user: str | None
    stale: bool = False
    reason: str = ""


class Challenger:
    """One realm. ``secret``: random, for the nonces; ``methods``: what is offered; ``life``: seconds of a nonce."""

    def __init__(
        self, realm: str, secret: bytes, *, methods: Sequence[Method] = METHODS[:2], life: float = 300.0
    ) -> None:
        self.realm = realm.replace('"', "'").replace("\\", "/")
        self.methods = tuple(method for method in METHODS if method in methods)
        self._secret = secret
        self._life = round(life * _SECOND)
        self._counts: OrderedDict[str, _Counts] = OrderedDict()
        self._forgotten = 0

    def challenges(self, now: int, *, stale: bool = False) -> list[str]:
        """The values of WWW-Authenticate, one field each, in the order in which they are to be sent."""
        nonce = self._nonce(now)
        found: list[str] = []
        for method in self.methods:
            if method == "basic":
                found.append(f'Basic realm="{self.realm}", charset="UTF-8"')
            else:
                again = ", stale=true" if stale else ""
                found.append(
                    f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={_ALGORITHMS[method]}, qop="auth"{again}'
                )
        return found

    def check(
        self, header: str | None, method: str, target: str, password_of: Callable[[str], str | None], now: int
    ) -> Verdict:
        """Whether ``header`` (an Authorization field) shows who asks.

        ``method``: of the request. ``target``: as in the request line; a Digest answer may name it in another form, as
        clients behind proxies and RTSP clients do, so its own ``uri`` is what is hashed, and only its path is compared.
        ``password_of``: an account's password, None for an unknown one.
        """
        given = parse(header)
        if given is None:
            return Verdict(None, reason="" if not header else "malformed Authorization")
        if given.scheme == "basic":
            return self._basic(given, password_of)
        return self._digest(given.parameters or {}, method, target, password_of, now)

    def _basic(self, given: Given, password_of: Callable[[str], str | None]) -> Verdict:
        if "basic" not in self.methods:
            return Verdict(None, reason="Basic is not offered")
        known = password_of(given.user)
        right = hmac.compare_digest((known or "").encode(), given.password.encode("utf-8", "replace"))
        return Verdict(given.user) if known and right else Verdict(None, reason="wrong user or password")

    def _digest(
        self,
        given: Mapping[str, str],
        method: str,
        target: str,
        password_of: Callable[[str], str | None],
        now: int,
    ) -> Verdict:
        named = given.get("algorithm", "MD5").upper()
        offered: dict[str, Algorithm] = {_ALGORITHMS[m]: _ALGORITHMS[m] for m in self.methods if m != "basic"}
        base = offered.get(named.removesuffix("-SESS"))
        if base is None:
            return Verdict(None, reason=f"the algorithm {named[:20]} is not offered")
        if given.get("realm") != self.realm:
            return Verdict(None, reason="another realm")
        uri = given.get("uri", "")
        if not uri or _path(uri) != _path(target):
            return Verdict(None, reason="the answer is for another address")
        user = given.get("username", "")
        qop = given.get("qop", "").lower()
        if qop not in ("", "auth"):
            return Verdict(None, reason=f"qop {qop[:20]} is not offered")
        known = password_of(user)
        nonce = given.get("nonce", "")
        wanted = response(
            base,
            user=user,
            realm=self.realm,
            password=known or "",
            method=method,
            uri=uri,
            nonce=nonce,
            qop=qop,
            nc=given.get("nc", ""),
            cnonce=given.get("cnonce", ""),
            session=named.endswith("-SESS"),
        )
        right = hmac.compare_digest(wanted.encode(), given.get("response", "").lower().encode("utf-8", "replace"))
        if not right or not known:
            return Verdict(None, reason="wrong user or password")
        return self._used(nonce, given.get("nc", "") if qop else None, user, now)

    def _used(self, nonce: str, count: str | None, user: str, now: int) -> Verdict:
        """The answer is right; whether its nonce is good, and new in its count."""
        made = self._made(nonce)
        if made is None:
            return Verdict(None, stale=True, reason="unknown nonce")
        if now - made > self._life or made > now or (nonce not in self._counts and made < self._forgotten):
            return Verdict(None, stale=True, reason="old nonce")
        if count is None:  # RFC 2069: no count, so an answer is good while its nonce lives
            return Verdict(user)
        try:
            number = int(count, 16)
        except ValueError:
            return Verdict(None, reason="malformed nonce count")
        if len(count) != 8 or number < 1:
            return Verdict(None, reason="malformed nonce count")
        counts = self._counts.setdefault(nonce, _Counts(made))
        self._counts.move_to_end(nonce)
        while len(self._counts) > MAX_NONCES:
            _, gone = self._counts.popitem(last=False)
            self._forgotten = max(self._forgotten, gone.made + 1)
        if not counts.take(number):
            return Verdict(None, stale=True, reason="this answer was used before")
        return Verdict(user)

    def _nonce(self, now: int) -> str:
        stamp = f"{max(0, now):x}"
        return f"{stamp}-{self._proof(stamp)}"

    def _proof(self, stamp: str) -> str:
        return hmac.new(self._secret, stamp.encode(), hashlib.sha256).hexdigest()[:32]

    def _made(self, nonce: str) -> int | None:
        """When a nonce of ours was made; None for one that isn't."""
        stamp, _, proof = nonce.partition("-")
        if not re.fullmatch(r"[0-9a-f]{1,16}", stamp):
            return None
        return int(stamp, 16) if hmac.compare_digest(proof.encode(), self._proof(stamp).encode()) else None


class _Counts:
    """The counts that one nonce was used with: the highest, and which of the ``WINDOW`` before it."""

    def __init__(self, made: int) -> None:
        self.made = made
        self._highest = 0
        self._seen = 0

    def take(self, number: int) -> bool:
        """False when ``number`` was used before, or is too far behind to tell."""
        if number > self._highest:
            self._seen = (
                ((self._seen << (number - self._highest)) | 1) & ((1 << WINDOW) - 1)
                if (number - self._highest < WINDOW)
                else 1
            )
            self._highest = number
            return True
        bit = 1 << (self._highest - number)
        if self._highest - number >= WINDOW or self._seen & bit:
            return False
        self._seen |= bit
        return True


def parse(header: str | None) -> Given | None:
    """An Authorization field; None when there is none or it is malformed. Never raises."""
    if not header or len(header) > MAX_HEADER:
        return None
    scheme, _, rest = header.strip().partition(" ")
    match scheme.lower():
        case "basic":
            try:
                user, colon, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
            except (binascii.Error, UnicodeDecodeError, ValueError):
                return None
            return Given("basic", user, password) if colon else None
        case "digest":
            found: dict[str, str] = {}
            at = 0
            while at < len(rest):
                match = _PARAMETER.match(rest, at)
                if match is None or match[1].lower() in found:
                    return None
                quoted = match[2]
                found[match[1].lower()] = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                at = match.end()
            return Given("digest", found.get("username", ""), parameters=found)
        case _:
            return None


def _path(target: str) -> str:
    """The path of a target in absolute or origin form, without query and trailing slash."""
    rest = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/]*", "", target)
    return rest.partition("?")[0].rstrip("/")

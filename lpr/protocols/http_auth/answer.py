"""Answers to an HTTP server's challenge: Basic (RFC 7617) and Digest (RFC 7616, and RFC 2069's form without qop).

A server may offer several challenges, in one header field or in several. The strongest that can be answered is taken:
Digest with SHA-256, Digest with MD5, Basic. Nothing is sent before a challenge, so a password never goes in the clear
to a server that wants Digest. The nonce is used again with a rising count, so only the first request is sent twice.
The client's nonce is handed in: no randomness here.

May import this room.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lpr.protocols.http_auth.digest import Algorithm, response

_HASHES: dict[str, Algorithm] = {"SHA-256": "SHA-256", "MD5": "MD5"}
"""Digest algorithms that are answered, strongest first. Each also in its "-sess" form."""

MAX_HEADER = 8192
"""Bytes of challenges that are looked at."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ITEM = re.compile(
    rf"""[\s,]* (?: (?P<key>{_TOKEN}) \s*=\s* (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<plain>{_TOKEN}) )
              | (?P<scheme>{_TOKEN}) (?:\s+(?P<token68>[A-Za-z0-9._~+/-]+=*)(?=\s*(?:,|$)))? (?=[\s,]|$) )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: ``scheme`` in lower case and its parameters, keys in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])


def parse_challenges(fields: Iterable[str]) -> tuple[Challenge, ...]:
    """Every challenge in an answer's ``WWW-Authenticate`` fields. What is malformed ends its field; never raises."""
    found: list[Challenge] = []
    for text in fields:
        at, scheme, parameters = 0, "", dict[str, str]()
        while at < len(text[:MAX_HEADER]) and (match := _ITEM.match(text[:MAX_HEADER], at)):
            at = match.end()
            if match["scheme"]:
                if scheme:
                    found.append(Challenge(scheme, parameters))
                scheme, parameters = match["scheme"].lower(), {}
            elif scheme:
                value = match["plain"]
                if value is None:
                    value = re.sub(r"\\(.)", r"\1", match["quoted"])
                parameters.setdefault(match["key"].lower(), value)
        if scheme:
            found.append(Challenge(scheme, parameters))
    return tuple(found)


def basic(user: str, password: str) -> str:
    """The value of ``Authorization`` for Basic, in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def digest(
    challenge: Challenge, *, user: str, password: str, method: str, target: str, cnonce: str, count: int
) -> str | None:
    """The value of ``Authorization`` for a Digest challenge, or None when it can't be answered.

    ``target``: path and query as they stand in the request line; ``count``: how often this nonce has been used, from 1.
    """
    parameters = challenge.parameters
    realm, nonce = parameters.get("realm"), parameters.get("nonce")
    named = parameters.get("algorithm", "MD5")
    algorithm = named.upper()
    hashed = _HASHES.get(algorithm.removesuffix("-SESS"))
    offered = [word.strip().lower() for word in parameters.get("qop", "").split(",") if word.strip()]
    if realm is None or not nonce or hashed is None or (offered and "auth" not in offered):
        return None
    nc = f"{count:08x}"
    made = response(
        hashed,
        user=user,
        realm=realm,
        password=password,
        method=method,
        uri=target,
        nonce=nonce,
        qop="auth" if offered else "",
        nc=nc,
        cnonce=cnonce,
        session=algorithm.endswith("-SESS"),
    )
    items = {
        "username": _quote(user),
        "realm": _quote(realm),
        "nonce": _quote(nonce),
        "uri": _quote(target),
        "response": _quote(made),
    }
    if "algorithm" in parameters:
        items["algorithm"] = named
    if "opaque" in parameters:
        items["opaque"] = _quote(parameters["opaque"])
    if offered:
        items |= {"qop": "auth", "nc": nc}
    if offered or algorithm.endswith("-SESS"):
        items["cnonce"] = _quote(cnonce)
    return "Digest " + ", ".join(f"{key}={value}" for key, value in items.items())


class Authenticator:
    """Credentials for one receiver, and the challenge it last gave."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._challenge: Challenge | None = None
        self._count = 0

    def challenged(self, fields: Iterable[str]) -> bool:
        """Take the challenges of a 401 answer. True when another try is worth it: a challenge that can be answered
        and is not the one whose answer was refused just now. After False the next request goes without an answer."""
        refused = self._challenge
        best = min((c for c in parse_challenges(fields) if _rank(c) is not None), key=_order, default=None)
        if best is not None and refused is not None and best.scheme == refused.scheme:
            again = best.parameters.get("nonce") == refused.parameters.get("nonce")
            if again and best.parameters.get("stale", "").lower() != "true":
                best = None
        self._challenge = best
        self._count = 0
        return best is not None

    def answer(self, method: str, target: str, cnonce: str) -> str | None:
        """The value of ``Authorization`` for the next request, or None before a challenge."""
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return basic(self._user, self._password)
        self._count += 1
        return digest(
            challenge,
            user=self._user,
            password=self._password,
            method=method,
            target=target,
            cnonce=cnonce,
            count=self._count,
        )


def _rank(challenge: Challenge) -> int | None:
    """0 is strongest; None when it can't be answered."""
    if challenge.scheme == "basic":
        return len(_HASHES)
    if challenge.scheme != "digest":
        return None
    answered = digest(challenge, user="", password="", method="", target="", cnonce="", count=1)
    if answered is None:
        return None
    return list(_HASHES).index(challenge.parameters.get("algorithm", "MD5").upper().removesuffix("-SESS"))


def _order(challenge: Challenge) -> int:
    rank = _rank(challenge)
    return len(_HASHES) + 1 if rank is None else rank


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

"""Bearer tokens: JSON Web Tokens (RFC 7519) with HMAC-SHA-256 and nothing else (RFC 8725: one algorithm, fixed).

What a token says of its algorithm is not believed: only the one header that is written here is read. Imports nothing of
ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal, TypeAlias

import msgspec

Level: TypeAlias = Literal["user", "operator", "administrator"]

MAX_TOKEN = 1024
"""Characters of a token that is looked at."""
_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """``sub``: who; ``level``: of the account; ``exp``, ``iat``: its end and beginning, seconds since the epoch."""

    sub: str
    level: Level
    exp: int
    iat: int


def issue(secret: bytes, claims: Claims) -> str:
    """The token."""
    body = _HEADER + b"." + base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
    return (body + b"." + _signature(secret, body)).decode()


def check(secret: bytes, token: str) -> Claims | None:
    """What the token says, None when it is not ours. Whether it has ended is for the caller to see (``exp``)."""
    if len(token) > MAX_TOKEN or not token.isascii():
        return None
    body, _, signature = token.encode().rpartition(b".")
    header, _, claims = body.partition(b".")
    if header != _HEADER or not hmac.compare_digest(_signature(secret, body), signature):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)), type=Claims)
    except (msgspec.MsgspecError, ValueError):
        return None


def _signature(secret: bytes, body: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.new(secret, body, hashlib.sha256).digest()).rstrip(b"=")

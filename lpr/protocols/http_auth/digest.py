"""What a Digest answer is computed from, on either side (RFC 7616, 3.4). Standard library only."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

Algorithm: TypeAlias = Literal["SHA-256", "MD5"]


def hashed(algorithm: Algorithm, text: str) -> str:
    """Lower-case hex of the hash of ``text`` in UTF-8."""
    data = text.encode("utf-8", "surrogateescape")
    if algorithm == "SHA-256":
        return hashlib.sha256(data).hexdigest()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def response(
    algorithm: Algorithm,
    *,
    user: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    qop: str = "",
    nc: str = "",
    cnonce: str = "",
    session: bool = False,
) -> str:
    """The ``response`` of an answer, hex. ``qop`` "": RFC 2069's form; ``session``: the "-sess" algorithms."""
    secret = hashed(algorithm, f"{user}:{realm}:{password}")
    if session:
        secret = hashed(algorithm, f"{secret}:{nonce}:{cnonce}")
    between = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return hashed(algorithm, f"{secret}:{between}:{hashed(algorithm, f'{method}:{uri}')}")

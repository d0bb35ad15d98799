"""Who is logged in: random tokens, kept only as their SHA-256 and only in memory. A restart logs everybody out.

Pure but for its own table: the time and the random bytes come in. Times: µs of the monotonic clock. Imports nothing
of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, field

TOKEN_BYTES = 32
MAX_SESSIONS = 2048
MAX_SESSIONS_PER_USER = 64
MAX_TOKEN_TEXT = 64


@dataclass(eq=False)
class Session:
    """One log-in. ``csrf``: token for forms and calls with the cookie; ``ended``: log-out or removal, streams stop."""

    user: str
    csrf: str
    expires: int
    digest: bytes = field(repr=False)
    ended: bool = False


def encode(random: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(random).rstrip(b"=").decode()


class Sessions:
    """The table. At most ``MAX_SESSIONS`` and ``MAX_SESSIONS_PER_USER``; the oldest goes."""

    def __init__(self, lifetime: int) -> None:
        self._lifetime = lifetime
        self._by_digest: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_digest)

    def open(self, user: str, random: bytes, now: int) -> tuple[str, Session]:
        """(token, session) from 64 random bytes."""
        if len(random) != 2 * TOKEN_BYTES:
            raise ValueError(f"{2 * TOKEN_BYTES} random bytes are needed, got {len(random)}")
        token = encode(random[:TOKEN_BYTES])
        digest = hashlib.sha256(token.encode()).digest()
        session = Session(user, encode(random[TOKEN_BYTES:]), now + self._lifetime, digest)
        self._by_digest[digest] = session
        mine = [other for other in self._by_digest.values() if other.user == user]
        for other in mine[: max(0, len(mine) - MAX_SESSIONS_PER_USER)]:
            self.close(other)
        while len(self._by_digest) > MAX_SESSIONS:
            self.close(next(iter(self._by_digest.values())))
        return token, session

    def find(self, token: str, now: int) -> Session | None:
        """The live session of ``token``. The look-up goes by a hash, so its time tells nothing about the token."""
        if len(token) > MAX_TOKEN_TEXT or not token.isascii():
            return None
        session = self._by_digest.get(hashlib.sha256(token.encode()).digest())
        if session is not None and session.expires <= now:
            self.close(session)
            return None
        return session

    def alive(self, session: Session, now: int) -> bool:
        """Whether the session has neither ended nor expired: streams ask it again and again."""
        if not session.ended and session.expires <= now:
            self.close(session)
        return not session.ended

    def close(self, session: Session) -> None:
        """End one session."""
        session.ended = True
        self._by_digest.pop(session.digest, None)

    def close_user(self, user: str, *, but: Session | None = None) -> None:
        """End all sessions of ``user`` (removed, role or password changed), except ``but``."""
        for session in [other for other in self._by_digest.values() if other.user == user and other is not but]:
            self.close(session)


def same(left: str, right: str) -> bool:
    """Whether two tokens are the same, in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())

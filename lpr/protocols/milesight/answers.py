"""What an HTTP receiver's answer to a push means, and where a redirection may lead. Pure.

No manual says it; these are HTTP's own meanings (RFC 9110), seen from a sender that must lose nothing: an answer about
*this* request parks the passage, one about the receiver's state makes the whole sink wait.

May import the standard library only.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias
from urllib.parse import urljoin, urlsplit

Verdict: TypeAlias = Literal["delivered", "refused", "unavailable"]

TEMPORARY = frozenset({408, 421, 425, 429})
"""4xx that are about the moment, not the request."""
ACCESS = frozenset({401, 403, 407})
"""4xx that somebody has to put right at the receiver or in the configuration; the passages wait for that."""
SAME_METHOD = frozenset({307, 308})
REDIRECTIONS = 3


def verdict_of(status: int) -> Verdict:
    """2xx: it has the passage. Other 4xx: it does not want this one. Everything else: later."""
    if 200 <= status < 300:
        return "delivered"
    if 400 <= status < 500 and status not in TEMPORARY and status not in ACCESS:
        return "refused"
    return "unavailable"


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that the field ``Retry-After`` asks for, as a number or a date; ``now``: seconds since the epoch.

    None when the field is missing or makes no sense.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError, TypeError, OSError):
        return None


def redirected(url: str, status: int, location: str | None, method: str) -> str | None:
    """The address to go on to, or None when the redirection is not followed.

    Followed: within the same scheme, host and port, and where the method stays (any for GET; 307 and 308 for POST).
    """
    if not location or not 300 <= status < 400 or (method != "GET" and status not in SAME_METHOD):
        return None
    try:
        target = urljoin(url, location)
        before, after = urlsplit(url), urlsplit(target)
        same = (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)
    except ValueError:
        return None
    return target if same else None

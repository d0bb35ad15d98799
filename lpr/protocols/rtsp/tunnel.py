"""RTSP through HTTP: a GET whose answer never ends, and a POST whose body is the client's requests in Base64.

Both carry the same ``x-sessioncookie``. What goes to the client is plain on the GET's connection, ``$`` frames
included. Source: Apple's "Tunneling RTSP and RTP over HTTP", which ONVIF's Streaming Specification demands (5.1.1.4).

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import binascii
import re
from typing import Generic, TypeVar

from lpr.protocols.rtsp.messages import ProtocolError, Request

TUNNELLED = "application/x-rtsp-tunnelled"

_COOKIE = re.compile(r"[\x21-\x7e]{1,128}")
_FORBIDDEN = re.compile(rb"[^A-Za-z0-9+/=\s]")

T = TypeVar("T")


def tunnel_cookie(request: Request) -> str | None:
    """The cookie of a GET or POST that wants to be half of a tunnel, else None."""
    if request.method not in ("GET", "POST"):
        return None
    cookie = request.header("x-sessioncookie")
    return cookie if cookie is not None and _COOKIE.fullmatch(cookie) else None


def opening() -> bytes:
    """The answer to the GET, behind which the RTSP messages follow."""
    return (
        "HTTP/1.0 200 OK\r\n"
        "Cache-Control: no-store\r\n"
        "Pragma: no-cache\r\n"
        "Connection: close\r\n"
        f"Content-Type: {TUNNELLED}\r\n\r\n"
    ).encode()


def http_refusal(status: int, reason: str) -> bytes:
    """A whole HTTP answer that says no, after which the connection is closed."""
    return f"HTTP/1.0 {status} {reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


class Decoder:
    """Base64 in any portions, each message ended by its own padding or not, line ends anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def buffered(self) -> int:
        """Characters held, three at most."""
        return len(self._rest)

    def feed(self, data: bytes) -> bytes:
        """What the next characters stand for. Raises ProtocolError on anything that is no Base64."""
        if _FORBIDDEN.search(data):
            raise ProtocolError("bad tunnel", "characters that are no Base64 in a tunnel", 0)
        text = self._rest + data.translate(None, b" \t\r\n\v\f")
        whole = len(text) - len(text) % 4
        self._rest = text[whole:]
        return _decode(text[:whole])


def _decode(text: bytes) -> bytes:
    """Quanta of four characters, of which any may end in padding."""
    decoded = bytearray()
    at = 0
    while at < len(text):
        padded = text.find(b"=", at)
        end = len(text) if padded < 0 else padded - padded % 4 + 4
        try:
            decoded += binascii.a2b_base64(text[at:end], strict_mode=True)
        except binascii.Error:
            raise ProtocolError("bad tunnel", "malformed Base64 in a tunnel", 0) from None
        at = end
    return bytes(decoded)


class Tunnels(Generic[T]):
    """The GETs by their cookies, so that a POST finds its own. Bounded by whoever holds the connections.

    A cookie counts for the address that used it first; the same cookie from another address is another tunnel.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], T] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, cookie: str, address: str, outlet: T) -> bool:
        """A GET has come; False when its cookie is in use."""
        key = (address, cookie)
        if key in self._open:
            return False
        self._open[key] = outlet
        return True

    def find(self, cookie: str, address: str) -> T | None:
        """The GET that a POST belongs to."""
        return self._open.get((address, cookie))

    def remove(self, cookie: str, address: str) -> None:
        """The GET's connection has ended."""
        self._open.pop((address, cookie), None)

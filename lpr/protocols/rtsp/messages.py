"""RTSP 1.0's messages as values, and their bytes (RFC 2326, chapters 4 to 7 and 10.12).

May import the standard library only, besides this folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]

METHODS = (
    "OPTIONS",
    "DESCRIBE",
    "SETUP",
    "PLAY",
    "PAUSE",
    "GET_PARAMETER",
    "SET_PARAMETER",
    "TEARDOWN",
)
"""What a server of live streams understands."""

RECORDING = ("ANNOUNCE", "RECORD", "REDIRECT")
"""Methods that RFC 2326 has and such a server does not allow."""

REASONS: dict[int, str] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid In This State",
    457: "Invalid Range",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}
"""Status codes that are sent, with their phrases (RFC 2326, 7.1.1)."""


class ProtocolError(Exception):
    """The peer broke the protocol; the connection has to end. ``offence``: a kind for counting.

    ``status``: what to answer before closing, when an answer makes sense (0: none).
    """

    def __init__(self, offence: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.offence = offence
        self.status = status


class _WithHeaders:
    __slots__ = ()
    headers: Headers

    def header(self, name: str) -> str | None:
        """The value of a header whatever its case; several fields of one name are joined by ", "; None: not there."""
        wanted = name.lower()
        found = [value for key, value in self.headers if key.lower() == wanted]
        return ", ".join(found) if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """Every field of one name, as they came."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Request(_WithHeaders):
    """``version``: as in the request line, "RTSP/1.0"; "HTTP/1.0" or "HTTP/1.1" for the ends of a tunnel."""

    method: str
    url: str
    version: str = "RTSP/1.0"
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response(_WithHeaders):
    """``status``: see ``REASONS``; ``reason``: "" takes the phrase from there."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    reason: str = ""
    version: str = "RTSP/1.0"


@dataclass(frozen=True, slots=True)
class Interleaved:
    """A ``$`` frame: an RTP or RTCP packet on a channel of the connection (RFC 2326, 10.12)."""

    channel: int
    data: bytes


Message: TypeAlias = Request | Response | Interleaved


def encode_request(request: Request) -> bytes:
    """The bytes of a request; Content-Length is added when there is a body. Raises ValueError on what is no header."""
    return _encode(f"{request.method} {request.url} {request.version}", request.headers, request.body)


def encode_response(response: Response) -> bytes:
    """The bytes of an answer; Content-Length is added when there is a body. Raises ValueError on what is no header."""
    reason = response.reason or REASONS.get(response.status, "Unknown")
    return _encode(f"{response.version} {response.status} {reason}", response.headers, response.body)


def encode_interleaved(channel: int, data: bytes) -> bytes:
    """A packet with its ``$`` frame around. Raises ValueError over 65535 bytes or for no channel number."""
    if not 0 <= channel <= 255 or len(data) > 0xFFFF:
        raise ValueError(f"no interleaved frame: channel {channel}, {len(data)} bytes")
    return b"$" + bytes((channel,)) + len(data).to_bytes(2, "big") + data


def _encode(first: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [first]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    for line in lines:
        if not line.isprintable():
            raise ValueError(f"a line of a message with characters that must not be there: {line!r}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

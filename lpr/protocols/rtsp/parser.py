"""Bytes of a connection into messages: requests, answers and ``$`` frames, mixed and in any portions. Bounded.

Lenient where clients differ (bare line feeds, empty lines between messages, folded headers), strict where leniency
would be a risk (control characters, two lengths). A request whose version is HTTP is the beginning of a tunnel: its
head is given, and what follows stays raw (``raw``).

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import re

from lpr.protocols.rtsp.messages import Headers, Interleaved, Message, ProtocolError, Request, Response

MAX_HEADERS = 64
MAX_URL = 2048

_END = re.compile(rb"\r?\n\r?\n")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ADDRESS = re.compile(r"[\x21-\x7e]+")
_VERSION = re.compile(r"(?:RTSP|HTTP)/[0-9]\.[0-9]")
_LENGTH = re.compile(r"[0-9]{1,9}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Parser:
    """One direction of a connection. Sizes in bytes: ``max_head``: first line and headers; ``max_body``;
    ``max_frame``: payload of a ``$`` frame. After a ProtocolError nothing more is given."""

    def __init__(self, *, max_head: int = 8192, max_body: int = 8192, max_frame: int = 4096) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._max_frame = max_frame
        self._buffer = bytearray()
        self._searched = 0
        self._head: Request | Response | None = None
        self._missing = 0
        self._over = False
        self._raw = False

    @property
    def buffered(self) -> int:
        """Bytes held of what is not whole yet."""
        return len(self._buffer)

    @property
    def begun(self) -> bool:
        """Whether a message has begun and is not whole."""
        return bool(self._buffer) or self._head is not None

    @property
    def raw(self) -> bool:
        """Whether an HTTP request was given, behind which everything is raw: see ``take_raw``."""
        return self._raw

    def feed(self, data: bytes) -> None:
        """Take the next bytes; then call ``next`` until it gives None."""
        if not self._over:
            self._buffer += data

    def next(self) -> Message | None:
        """The next message, None when more bytes are needed. Raises ProtocolError."""
        if self._over or self._raw:
            return None
        try:
            return self._next()
        except ProtocolError:
            self._over = True
            self._buffer.clear()
            raise

    def take_raw(self) -> bytes:
        """What came behind an HTTP request's head since the last call."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def _next(self) -> Message | None:
        if self._head is not None:
            return self._with_body(self._head)
        blank = 0
        while blank < len(self._buffer) and self._buffer[blank] in b"\r\n":
            blank += 1
        if blank:
            del self._buffer[:blank]
            self._searched = 0
        if not self._buffer:
            return None
        if self._buffer[0] == 0x24:
            return self._frame()
        found = _END.search(self._buffer, self._searched)
        if found is None:
            if len(self._buffer) > self._max_head:
                raise ProtocolError("too long", f"a request's head of more than {self._max_head} bytes", 413)
            self._looks_like_text()
            self._searched = max(0, len(self._buffer) - 3)
            return None
        if found.start() > self._max_head:
            raise ProtocolError("too long", f"a request's head of more than {self._max_head} bytes", 413)
        head = bytes(self._buffer[: found.start()])
        del self._buffer[: found.end()]
        self._searched = 0
        message = _parse_head(head)
        if isinstance(message, Request) and message.version.startswith("HTTP/"):
            self._raw = True
            return message
        self._missing = _length_of(message.headers)
        if self._missing > self._max_body:
            raise ProtocolError("too long", f"a body of {self._missing} bytes; the most is {self._max_body}", 413)
        self._head = message
        return self._with_body(message)

    def _looks_like_text(self) -> None:
        """Refuse at the first byte what can't become a message, rather than wait for its end."""
        first = self._buffer[0]
        if not (0x41 <= first <= 0x5A or 0x61 <= first <= 0x7A):
            raise ProtocolError("bad start", f"a message that begins with byte {first:#04x}", 0)

    def _frame(self) -> Interleaved | None:
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[2:4], "big")
        if length > self._max_frame:
            raise ProtocolError("too long", f"a packet of {length} bytes; the most is {self._max_frame}", 0)
        if len(self._buffer) < 4 + length:
            return None
        frame = Interleaved(self._buffer[1], bytes(self._buffer[4 : 4 + length]))
        del self._buffer[: 4 + length]
        return frame

    def _with_body(self, head: Request | Response) -> Message | None:
        if len(self._buffer) < self._missing:
            return None
        body = bytes(self._buffer[: self._missing])
        del self._buffer[: self._missing]
        self._head, self._missing = None, 0
        if isinstance(head, Request):
            return Request(head.method, head.url, head.version, head.headers, body)
        return Response(head.status, head.headers, body, head.reason, head.version)


def _parse_head(head: bytes) -> Request | Response:
    lines = [line.removesuffix("\r") for line in head.decode("utf-8", "replace").split("\n")]
    for line in lines:
        if _CONTROL.search(line):
            raise ProtocolError("bad head", "control characters in a message's head")
    first = lines[0]
    words = first.split(" ")
    headers = _parse_headers(lines[1:])
    if _VERSION.fullmatch(words[0]):
        if len(words) < 2 or not re.fullmatch(r"[1-5][0-9]{2}", words[1]):
            raise ProtocolError("bad head", "a status line without a status")
        return Response(int(words[1]), headers, b"", " ".join(words[2:]), words[0])
    words = [word for word in words if word]
    if len(words) != 3 or not _TOKEN.fullmatch(words[0]) or not _VERSION.fullmatch(words[2]):
        raise ProtocolError("bad head", "a first line that is no request", 400)
    if not _ADDRESS.fullmatch(words[1]):
        raise ProtocolError("bad head", "an address with characters that belong in none")
    if len(words[1]) > MAX_URL:
        raise ProtocolError("too long", f"an address of more than {MAX_URL} characters", 413)
    return Request(words[0], words[1], words[2], headers)


def _parse_headers(lines: list[str]) -> Headers:
    found: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t"):
            if not found:
                raise ProtocolError("bad head", "a continued line before the first header")
            name, value = found[-1]
            found[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if not colon or not _TOKEN.fullmatch(name):
            raise ProtocolError("bad head", "a line among the headers that is none")
        found.append((name, value.strip().replace("\t", " ")))
        if len(found) > MAX_HEADERS:
            raise ProtocolError("too long", f"more than {MAX_HEADERS} headers", 413)
    return tuple(found)


def _length_of(headers: Headers) -> int:
    values = {value for name, value in headers if name.lower() == "content-length"}
    if not values:
        return 0
    if len(values) > 1 or not _LENGTH.fullmatch(next(iter(values))):
        raise ProtocolError("bad head", "a Content-Length that is no length")
    return int(values.pop())

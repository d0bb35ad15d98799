"""A client's side of RTSP 1.0: what to ask in which order, and what the answers say. Sans-IO.

``Client`` numbers requests, adds the session and the credentials, and pairs answers with what was asked; a session
description is read by ``media_of``, the address of a track made by ``control_url``. Source: RFC 2326 (appendix C.1.1
for controls), RFC 4566. May import the standard library only, besides this folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import urljoin

from lpr.protocols.rtsp.messages import (
    Headers,
    Interleaved,
    Request,
    Response,
    encode_request,
    encode_response,
)
from lpr.protocols.rtsp.parser import Parser

MAX_MEDIA = 64
MAX_LINES = 2000


class Credentials(Protocol):
    """Answers challenges: ``lpr.protocols.http_auth`` has it, with the client's nonces bound."""

    def challenged(self, fields: Iterable[str]) -> bool:
        """Take the challenges of a 401; whether another try is worth it."""
        ...

    def answer(self, method: str, target: str) -> str | None:
        """The value of Authorization; None before a challenge."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """``response`` to ``request``. ``matched``: whether its CSeq is that of the request; ``told``: its CSeq."""

    request: Request
    response: Response
    matched: bool
    told: str | None


Event: TypeAlias = "Answer | Interleaved | Request"


@dataclass(frozen=True, slots=True)
class Media:
    """One ``m=`` section. ``kind``: "video", "application", ...; ``payload_type``: the first format; ``encoding``,
    ``clock``: its rtpmap's, "" and 0 without one; ``control``: as written; ``lines``: the whole section."""

    kind: str
    profile: str
    payload_type: int
    encoding: str
    clock: int
    control: str
    lines: tuple[str, ...]


class Client:
    """One connection, one request at a time. ``credentials``: None: as nobody. ``agent``: who we say we are."""

    def __init__(self, credentials: Credentials | None = None, *, agent: str = "lpr", max_body: int = 65536) -> None:
        self._credentials = credentials
        self._agent = agent
        self._parser = Parser(max_head=16384, max_body=max_body, max_frame=65535)
        self._number = 0
        self._open: list[tuple[str, Request]] = []
        self.session = ""
        self.timeout = 60

    def ask(self, method: str, url: str, headers: Headers = ()) -> bytes:
        """The bytes of a request."""
        self._number += 1
        lines: list[tuple[str, str]] = [("CSeq", str(self._number)), ("User-Agent", self._agent)]
        if self.session:
            lines.append(("Session", self.session))
        authorization = self._credentials.answer(method, url) if self._credentials is not None else None
        if authorization is not None:
            lines.append(("Authorization", authorization))
        self._open.append((str(self._number), Request(method, url, headers=headers)))
        return encode_request(Request(method, url, headers=(*lines, *headers)))

    def again(self, answer: Answer) -> bytes | None:
        """After a 401: the same request with credentials, None when there are none that could help."""
        if self._credentials is None or not self._credentials.challenged(answer.response.all("WWW-Authenticate")):
            return None
        return self.ask(answer.request.method, answer.request.url, answer.request.headers)

    def decline(self, request: Request) -> bytes:
        """What answers a request of the server: nothing is done for it."""
        number = request.header("CSeq") or "0"
        return encode_response(Response(501, (("CSeq", number),)))

    def receive(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._parser.feed(data)

    def events(self) -> Iterator[Event]:
        """What is whole by now. Raises ProtocolError; nothing more comes then."""
        while (message := self._parser.next()) is not None:
            if not isinstance(message, Response):
                yield message
                continue
            told = message.header("CSeq")
            known = next((one for one in self._open if one[0] == told), None)
            if known is None and not self._open:
                continue
            chosen = known or self._open[0]
            self._open.remove(chosen)
            self._learn(message)
            yield Answer(chosen[1], message, known is not None, told)

    def _learn(self, response: Response) -> None:
        session = response.header("Session")
        if session is None or response.status >= 300:
            return
        name, *parameters = (part.strip() for part in session.split(";"))
        self.session = name[:256]
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "timeout" and re.fullmatch("[0-9]{1,6}", value.strip()):
                self.timeout = max(1, int(value))


def media_of(description: bytes) -> tuple[str, tuple[Media, ...]]:
    """The session's control ("" without one) and every media section. Lenient: what is malformed is passed over."""
    lines = [line.strip() for line in description.decode("utf-8", "replace").splitlines()[:MAX_LINES]]
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")][:MAX_MEDIA]
    head = lines[: starts[0]] if starts else lines
    sections = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=False)]
    found = (_media(section) for section in sections)
    return _attribute(head, "control"), tuple(one for one in found if one is not None)


def control_url(base: str, session_control: str, control: str) -> str:
    """The address to SETUP: ``control`` absolute, or relative to the session's control and that to ``base``."""
    start = base
    if session_control and session_control != "*":
        start = urljoin(base, session_control)
    if not control or control == "*":
        return start
    if re.match(r"rtsps?://", control, re.IGNORECASE):
        return control
    if not start.endswith("/"):
        start += "/"
    return start + control.lstrip("/") if not control.startswith("/") else urljoin(start, control)


def _media(section: Sequence[str]) -> Media | None:
    words = section[0][2:].split()
    if len(words) < 4 or not re.fullmatch("[0-9]{1,3}", words[3]):
        return None
    payload_type = int(words[3])
    encoding, clock = "", 0
    for line in section:
        match = re.fullmatch(r"a=rtpmap:\s*([0-9]{1,3})\s+([^/\s]+)/([0-9]{1,9})(?:/.*)?", line)
        if match is not None and int(match[1]) == payload_type:
            encoding, clock = match[2], int(match[3])
    return Media(words[0], words[2], payload_type, encoding, clock, _attribute(section, "control"), tuple(section))


def _attribute(lines: Iterable[str], name: str) -> str:
    start = f"a={name}:"
    return next((line[len(start) :].strip() for line in lines if line.startswith(start)), "")

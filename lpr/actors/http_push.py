"""Milesight's HTTP type as a sink: each passage is posted as JSON (or sent as a GET) to a receiver.

``lpr.core.sinks.run_sink`` drives it and keeps the order, the retries and the record of them; this is one attempt:
build the request, answer a challenge, read a bounded answer, and say what it means. At least once: the passage's id
stands in the header ``Idempotency-Key``, the same one each time.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``. aiohttp: asyncio only.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from yarl import URL

from lpr.config import HttpPush as Settings
from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.delivery import Delivered, Outcome, Refused, Shipment, Unavailable
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.events import Picture
from lpr.protocols.http_auth import Authenticator
from lpr.protocols.milesight.answers import REDIRECTIONS, redirected, retry_after, verdict_of
from lpr.protocols.milesight.passage import Wording, fields_of, get_url, post_body

SHOWN = 200
"""Characters of a receiver's answer that are kept in the log."""


class PushError(Exception):
    """The sink cannot be set up. The text names the setting and the remedy."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str
    challenges: tuple[str, ...]
    location: str | None
    retry_after: str | None


class HttpPushSink:
    """One receiver. An asynchronous context manager: the connection is kept between deliveries and closed at the end.

    ``password``: for ``settings.user``, "" without one. ``device``: its name in the JSON unless the settings have
    one. ``utc_offset``: local time of the JSON, "+02:00". ``lane_numbers``: camera to ``detection_region``, 1 to 4.
    Raises PushError for a user without a password or a certificate file that cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        blobs: BlobStore,
        clock: Clock,
        password: str = "",
        device: str = "Network Camera",
        utc_offset: str = "+00:00",
        lane_numbers: Mapping[str, int] | None = None,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._blobs = blobs
        self._clock = clock
        self._lane_numbers = dict(lane_numbers or {})
        self._wording = Wording(
            device=settings.device or device,
            plate_type=settings.plate_type,
            utc_offset=utc_offset,
            milliseconds=settings.milliseconds,
        )
        self._url, user, secret = _split_credentials(settings.url)
        user, secret = (settings.user, password) if settings.user is not None else (user, secret)
        if settings.user is not None and not password:
            raise PushError(f"{self.name}: a user without a password; put it into a file and name it as password_file")
        self._authenticator = None if user is None else Authenticator(user, secret)
        self._tls = _tls(self.name, settings.ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. ``deliver`` opens another one."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def deliver(self, shipment: Shipment) -> Outcome:
        """One attempt. Never raises for anything that the network or the receiver does."""
        method = self._settings.method.upper()
        if method == "GET":
            url, body = get_url(self._url, shipment.decided.plate), None
        else:
            url, body = self._url, await self._body(shipment)
        try:
            return await self._attempt(method, url, body, shipment.passage)
        except TimeoutError:
            return Unavailable(f"no answer from {_shown(url)} within {self._settings.timeout:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return Unavailable(
                f"{_shown(url)} has a certificate that is not trusted ({error.certificate_error}); "
                "name the authority's certificate as ca_file"
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Unavailable(f"{_shown(url)}: {str(error)[:SHOWN] or type(error).__name__}")

    async def _body(self, shipment: Shipment) -> bytes:
        images = self._settings.images
        signed = shipment.signed
        return post_body(
            fields_of(
                shipment.decided,
                self._wording,
                roi=self._lane_numbers.get(shipment.decided.source, 0),
                plate_image=await self._image(signed.plate_picture) if images in ("plate", "all") else None,
                full_image=await self._image(signed.picture) if images in ("full", "all") else None,
            )
        )

    async def _image(self, picture: Picture) -> bytes:
        """The picture, or nothing when it is gone: the passage is worth more than waiting for it."""
        if not picture.blob:
            return b""
        try:
            return await self._blobs.get(picture.blob)
        except (BlobMissingError, BlobDamagedError):
            return b""

    async def _attempt(self, method: str, url: str, body: bytes | None, passage: str) -> Outcome:
        challenged = False
        redirections = 0
        while True:
            answer = await self._request(method, url, body, passage)
            if answer.status == 401 and not challenged and self._authenticator is not None:
                challenged = True
                if self._authenticator.challenged(answer.challenges):
                    continue
            target = redirected(url, answer.status, answer.location, method)
            if target is not None and redirections < REDIRECTIONS:
                url, redirections = target, redirections + 1
                continue
            return self._outcome(url, answer)

    def _outcome(self, url: str, answer: _Answer) -> Outcome:
        said = f"{answer.status} {answer.text}".strip()
        match verdict_of(answer.status):
            case "delivered":
                return Delivered(said)
            case "refused":
                return Refused(f"{_shown(url)} answered {said}")
            case "unavailable":
                wait = retry_after(answer.retry_after, self._clock.wall() / 1_000_000)
                return Unavailable(f"{_shown(url)} answered {said}{self._hint(answer)}", wait)

    def _hint(self, answer: _Answer) -> str:
        if answer.status in (401, 407):
            known = self._authenticator is not None
            return "; correct user and password_file" if known else "; it wants a user and a password_file"
        if 300 <= answer.status < 400 and answer.location:
            return f"; it points to {_shown(answer.location)}, which is not followed: set url to the right address"
        return ""

    async def _request(self, method: str, url: str, body: bytes | None, passage: str) -> _Answer:
        address = URL(url, encoded=True)
        headers = {"Idempotency-Key": passage}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        if self._authenticator is not None:
            cnonce = self._clock.random_bytes(16).hex()
            authorization = self._authenticator.answer(method, address.raw_path_qs, cnonce)
            if authorization is not None:
                headers["Authorization"] = authorization
        async with (
            asyncio.timeout(self._settings.timeout),
            self._open().request(method, address, data=body, headers=headers, allow_redirects=False) as response,
        ):
            content = await _read(response, self._settings.max_answer)
            return _Answer(
                status=response.status,
                text=_one_line(content),
                challenges=tuple(response.headers.getall("WWW-Authenticate", [])),
                location=response.headers.get("Location"),
                retry_after=response.headers.get("Retry-After"),
            )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                trust_env=False,
                headers={"User-Agent": "lpr"},
            )
        return self._session


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """At most ``most`` bytes of the answer; of a longer one the rest is not read and the connection is closed."""
    content = bytearray()
    while len(content) < most:
        portion = await response.content.read(most - len(content))
        if not portion:
            return bytes(content)
        content += portion
    response.close()
    return bytes(content)


def _one_line(content: bytes) -> str:
    """The beginning of an answer for people: printable, on one line."""
    text = content[: 4 * SHOWN].decode("utf-8", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:SHOWN]


def _split_credentials(url: str) -> tuple[str, str | None, str]:
    """``https://user:password@host/`` as address, user and password: credentials never stand in a request's address."""
    parsed = URL(url)
    if parsed.user is None:
        return url, None, ""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), parsed.user, parsed.password or ""


def _shown(url: str) -> str:
    """An address for people: without credentials and query."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:SHOWN]
    except ValueError:
        return "an address that makes no sense"


def _tls(name: str, ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise PushError(
            f"{name}: ca_file {ca_file}: {error}; name a PEM file with the authority's certificate"
        ) from None

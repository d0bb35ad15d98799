"""One connection to a broker: open it, publish and wait for the acknowledgement, look whether it lives, close it.

One caller at a time; nothing runs in the background, since a client without subscriptions is sent nothing but
answers. anyio, so asyncio and trio. May import ``lpr.config`` and ``lpr.protocols``.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.abc import ByteStream

from lpr.config import Mqtt as Settings
from lpr.protocols.mqtt import Answer, Client, Connack, FromBroker, Goodbye, Identity, MqttError, Pong, Puback, Version

PORT, TLS_PORT = 1883, 8883
PEEK = 0.01
"""Seconds that ``look`` waits for something that is not expected."""
PORTION = 8192
"""Bytes read at once: answers are short, and while a broker sends without end others get their turn in between."""


T = TypeVar("T")


class LinkError(Exception):
    """The broker can't be used now. The text names it, what is wrong and, where there is one, the remedy."""


def context_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS as configured; None without. Raises LinkError for files that can't be used."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.client_certificate_file is not None:
            context.load_cert_chain(settings.client_certificate_file, settings.client_key_file)
    except (OSError, ssl.SSLError) as error:
        raise LinkError(
            f"{settings.name}: a certificate file can't be used: {error}; ca_file, client_certificate_file and"
            " client_key_file are to name PEM files"
        ) from None
    return context


class Link:
    """``identity``: as whom. Times out never: the caller bounds every call, and calls ``drop`` after a failure."""

    def __init__(self, settings: Settings, identity: Identity, context: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._identity = identity
        self._context = context
        self._stream: ByteStream | None = None
        self._client = Client(identity)
        port = settings.port or (TLS_PORT if settings.tls else PORT)
        self._port = port
        self.address = f"{settings.host}:{port}"

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._stream is not None

    @property
    def keep_alive(self) -> int:
        """Seconds within which the broker wants a sign of life, 0 none."""
        return self._client.keep_alive

    async def open(self) -> None:
        """Connect and log in. Raises LinkError."""
        settings = self._settings
        self._client = Client(self._identity, version=settings.version, max_packet=settings.max_packet)
        try:
            if self._context is None:
                self._stream = await anyio.connect_tcp(settings.host, self._port)
            else:
                self._stream = await anyio.connect_tcp(
                    settings.host,
                    self._port,
                    ssl_context=self._context,
                    tls=True,
                    tls_standard_compatible=False,
                    tls_hostname=settings.host,
                )
        except ssl.SSLCertVerificationError as error:
            raise LinkError(
                f"{self.address} has a certificate that is not trusted ({error.verify_message});"
                " name the authority's certificate as ca_file"
            ) from None
        except ssl.SSLError as error:
            raise LinkError(f"{self.address} speaks no TLS that we can use ({error.reason or error})") from None
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            raise LinkError(f"{self.address} closes the connection instead of speaking TLS") from None
        except OSError as error:
            raise LinkError(f"{self.address}: {_first(error)}") from None
        self._client.connect()
        answer = await self._until(lambda event: event.answer if isinstance(event, Connack) else None)
        if answer.refused:
            raise LinkError(f"{self.address}: {answer.text}{_hint(answer, settings.version)}")
        if not self._client.acknowledges:
            raise LinkError(f"{self.address} takes messages with QoS 0 alone, so none could be known to have arrived")

    async def publish(self, topic: str, payload: bytes, *, retain: bool, content: str = "") -> Answer:
        """Send with QoS 1; the broker's word about it. Raises LinkError, and TooLargeError before anything is sent."""
        number = self._client.publish(topic, payload, retain=retain, content=content)
        return await self._until(
            lambda event: event.answer if isinstance(event, Puback) and event.number == number else None
        )

    async def look(self) -> None:
        """Notice that the broker has closed; a sign of life and its answer, when one is due. Raises LinkError."""
        data = None
        with anyio.move_on_after(PEEK):
            data = await self._receive()
        if data is not None:
            self._client.receive(data)
        alive = self._client.tick()
        for event in self._events():
            self._farewell(event)
        if alive:
            await self._until(lambda event: event if isinstance(event, Pong) else None)
        await self._flush()

    async def close(self) -> None:
        """Take leave: the broker does not send the will."""
        if self._stream is not None and not self._client.closed:
            self._client.disconnect()
            await self._flush()
        await self.drop()

    async def drop(self) -> None:
        """Close without a word."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await anyio.aclose_forcefully(stream)

    async def _until(self, wanted: Callable[[FromBroker], T | None]) -> T:
        while True:
            for event in self._events():
                self._farewell(event)
                found = wanted(event)
                if found is not None:
                    return found
            await self._flush()
            self._client.receive(await self._receive())

    def _events(self) -> list[FromBroker]:
        try:
            return list(self._client.events())
        except MqttError as error:
            raise LinkError(f"{self.address} does not speak MQTT as it should: {error}") from None

    def _farewell(self, event: FromBroker) -> None:
        if isinstance(event, Goodbye):
            raise LinkError(f"{self.address} has closed the connection: {event.answer.text}")

    async def _flush(self) -> None:
        data = self._client.outgoing()
        try:
            if data:
                await self._open().send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise LinkError(f"{self.address} broke the connection off ({type(error).__name__})") from None

    async def _receive(self) -> bytes:
        try:
            return await self._open().receive(PORTION)
        except anyio.EndOfStream:
            raise LinkError(f"{self.address} has closed the connection") from None
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as error:
            raise LinkError(f"{self.address} broke the connection off ({type(error).__name__})") from None

    def _open(self) -> ByteStream:
        if self._stream is None:
            raise LinkError(f"{self.address}: there is no connection")
        return self._stream


def _hint(answer: Answer, version: Version) -> str:
    if answer.is_version:
        return f'; set version = "{"3.1.1" if version == "5" else "5"}"'
    return "; correct user and password_file, or the client's rights at the broker" if answer.is_access else ""


def _first(error: OSError) -> str:
    """The reason of a connection that did not come about; anyio puts the tries at several addresses into a group."""
    cause = error.__cause__
    inner: tuple[BaseException, ...] = getattr(cause, "exceptions", ())
    first = inner[0] if inner else cause if isinstance(cause, OSError) else error
    return getattr(first, "strerror", None) or str(first)

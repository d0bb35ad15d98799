"""The socket client as a sink: each passage is sent to a receiver that listens, a connection a passage.

The protocol has no answer, so how sure a delivery is depends on what the receiver does with its connection. After the
message our side of it is closed. A receiver that closes its own has read to the end; one that resets it has not. One
that leaves it open ("received" in the configuration) has it at least in its machine's memory: the kernel's
acknowledgement of every byte, and a moment in which it could have refused. ``lpr.core.sinks.run_sink`` keeps the order,
the retries and the record of them. At least once: ``GUID`` carries the passage's id, the same one each time.

May import ``lpr.events``, ``lpr.config``, ``lpr.core`` and ``lpr.protocols``. Runs on asyncio and trio.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from typing import Literal

import anyio
import anyio.abc

from lpr.actors.neural.writing import Writer
from lpr.config import NeuralClient as Settings
from lpr.core.blobs import BlobStore
from lpr.core.delivery import BackoffPolicy, Delivered, Outcome, Shipment, Unavailable
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.feed import Pictures
from lpr.core.sockets import unacknowledged
from lpr.events import Picture

MAX_ANSWER = 65536
"""Bytes that a receiver may say, which mean nothing, before its connection is closed."""
LOOK = 0.02
"""Seconds between two looks at what the receiver's machine has acknowledged."""


class NeuralClientSink:
    """One receiver. ``lane_numbers``: camera -> LaneID. ``utc_offset``: local time of the messages."""

    def __init__(
        self,
        settings: Settings,
        *,
        blobs: BlobStore,
        lane_numbers: Mapping[str, int] | None = None,
        utc_offset: str = "+00:00",
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._blobs = blobs
        self._writer = Writer(settings, lane_numbers=lane_numbers or {}, utc_offset=utc_offset)

    @property
    def policy(self) -> BackoffPolicy:
        """How its deliveries are repeated."""
        settings = self._settings
        return BackoffPolicy(settings.retry_first, settings.retry_max, max_attempts=settings.max_attempts)

    async def deliver(self, shipment: Shipment) -> Outcome:
        """One attempt. Never raises for anything that the network or the receiver does."""
        signed, images = shipment.signed, self._writer.images
        pictures = Pictures(
            plate=await self._image(signed.plate_picture) if images in ("plate", "all") else None,
            full=await self._image(signed.picture) if images in ("full", "all") else None,
        )
        message = self._writer.message(shipment, pictures)
        if message is None:
            return Delivered("not of these cameras")
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            with anyio.fail_after(self._settings.timeout):
                return await self._attempt(message, where)
        except TimeoutError:
            return Unavailable(f"{where} did not take the passage within {self._settings.timeout:g} s")
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            return Unavailable(f"{where}: {_cause(error)}")

    async def _attempt(self, message: bytes, where: str) -> Outcome:
        stream = await anyio.connect_tcp(self._settings.host, self._settings.port)
        try:
            await stream.send(message)
            await stream.send_eof()
            outcome = await self._confirmed(stream)
        finally:
            await anyio.aclose_forcefully(stream)
        if outcome == "closed":
            return Delivered(f"{len(message)} bytes, closed by the receiver")
        if outcome == "received" and self._settings.confirm == "received":
            return Delivered(f"{len(message)} bytes received")
        return Unavailable(
            f"{where} has not closed its connection, so the passage may be unread; if it never does, set confirm ="
            ' "received"'
        )

    async def _confirmed(self, stream: anyio.abc.SocketStream) -> Literal["closed", "received", "open"]:
        """What the receiver did until ``linger`` seconds after its machine had everything.

        Closing before everything has arrived is no confirmation: what is still under way is then answered with a
        reset. Raises OSError and BrokenResourceError for one.
        """
        sock = stream.extra(anyio.abc.SocketAttribute.raw_socket)
        over = anyio.Event()
        failure: anyio.BrokenResourceError | None = None
        closed, reset = False, _error(sock)

        async def read() -> None:
            nonlocal closed, failure
            heard = 0
            try:
                while heard < MAX_ANSWER:
                    heard += len(await stream.receive())
            except anyio.EndOfStream:
                closed = True
            except anyio.BrokenResourceError as error:
                failure = error
            over.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            while failure is None and not reset and unacknowledged(sock):
                await anyio.sleep(LOOK)
                reset = _error(sock)
            with anyio.move_on_after(self._settings.linger):
                await over.wait()
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        if reset := reset or _error(sock):
            raise OSError(reset, os.strerror(reset))
        if closed:
            return "closed"
        return "open" if unacknowledged(sock) else "received"

    async def _image(self, picture: Picture) -> bytes | None:
        """The picture, or nothing when it is gone: the passage is worth more than waiting for it."""
        if not picture.blob:
            return None
        try:
            return await self._blobs.get(picture.blob)
        except (BlobMissingError, BlobDamagedError):
            return None


def _error(sock: socket.socket) -> int:
    """What has befallen the connection, as errno; 0 nothing. A reset may have closed the socket already."""
    try:
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except OSError:
        return errno.ECONNRESET


def _cause(error: Exception) -> str:
    """An error for people: what the system said, shortened."""
    cause = error.__cause__ if isinstance(error, anyio.BrokenResourceError) and error.__cause__ else error
    return str(cause)[:200] or "the connection broke off"

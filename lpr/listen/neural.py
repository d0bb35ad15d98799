"""``infoplate`` messages: from cameras that listen, and from cameras that dial. anyio.

May import this room and the codec.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import anyio
from anyio.abc import SocketAttribute, SocketListener

from lpr.listen.neural_report import SOURCE, neural_report
from lpr.listen.report import Checks, Report
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, UNREACHABLE, ListenFailure, Target
from lpr.listen.wire import Wire, connected
from lpr.protocols.neural import MessageReader, ProtocolError

PORT = 8051


async def neural(target: Target) -> Source:
    """Connect and report what comes. Raises ListenFailure: not reached, or a stream that can't be cut into messages."""
    async with connected(target) as wire:
        reading = _Reading(target.limits.message)
        while (data := await wire.receive()) or not reading.ended:
            for report in reading.take(data):
                yield target.address, report
            if reading.failed is not None:
                raise ListenFailure(f"{target.address}: {reading.failed}", BROKEN)


async def neural_accepting(target: Target, ready: Callable[[str], None]) -> Source:
    """Listen for cameras that dial out and report what they bring, one camera at a time. ``ready``: is told where.

    A camera that says nothing for the time-out is left for the next. Raises ListenFailure when nothing can listen.
    """
    try:
        listener = await anyio.create_tcp_listener(local_host=target.host, local_port=target.port)
    except OSError as error:
        text = f"{target.address}: nothing can listen there: {error.strerror}; choose another"
        raise ListenFailure(text, UNREACHABLE) from None
    async with listener:
        ready(f"{target.host}:{listener.extra(SocketAttribute.local_port)}")
        first = cast("SocketListener", listener.listeners[0])
        while True:
            stream = await first.accept()
            async with stream:
                sender = str(stream.extra(SocketAttribute.remote_address)[0])
                wire, reading = Wire(stream, target), _Reading(target.limits.message)
                while not reading.ended:
                    data = await _patiently(wire, target.limits.connect)
                    for report in reading.take(data):
                        yield sender, report


async def _patiently(wire: Wire, patience: float) -> bytes:
    """The next bytes; b"" when the camera closed, broke off or said nothing for so long."""
    with anyio.move_on_after(patience):
        try:
            return await wire.receive()
        except ListenFailure:
            return b""
    return b""


class _Reading:
    """One connection's messages. ``ended``: nothing more comes; ``failed``: why it is no stream of messages."""

    def __init__(self, limit: int) -> None:
        self._reader = MessageReader(limit)
        self.ended = False
        self.failed: ProtocolError | None = None

    def take(self, data: bytes) -> list[Report]:
        """What is whole by now; b"": the end."""
        found: list[Report] = []
        try:
            if data:
                self._reader.feed(data)
            while (message := self._reader.next_message()) is not None:
                found.append(neural_report(message))
            if not data:
                self.ended = True
                self._reader.end()
        except ProtocolError as error:
            self.ended, self.failed = True, error
            checks = Checks(SOURCE)
            checks.add("stream", str(error), "NEURAL, size, document; or documents alone")
            found.append(Report("broken", {}, checks.found, raw=data, counts=False))
        return found

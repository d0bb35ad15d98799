"""A client of cameras that listen for readers of ``infoplate`` messages. anyio. May import this room and the codec."""

from __future__ import annotations

from lpr.listen.neural_report import SOURCE, neural_report
from lpr.listen.report import Checks, Report
from lpr.listen.session import Source
from lpr.listen.target import BROKEN, ListenFailure, Target
from lpr.listen.wire import connected
from lpr.protocols.neural import MessageReader, ProtocolError

PORT = 8051


async def neural(target: Target) -> Source:
    """Connect and report what comes. Raises ListenFailure: not reached, or a stream that can't be cut into messages."""
    reader = MessageReader(target.limits.message)
    async with connected(target) as wire:
        while True:
            data = await wire.receive()
            failed: ProtocolError | None = None
            try:
                if data:
                    reader.feed(data)
                else:
                    reader.end()
            except ProtocolError as error:
                failed = error
            while failed is None:
                try:
                    message = reader.next_message()
                except ProtocolError as error:
                    failed = error
                    break
                if message is None:
                    break
                yield target.address, neural_report(message)
            if failed is not None:
                checks = Checks(SOURCE)
                checks.add("stream", str(failed), "NEURAL, size, document; or documents alone")
                yield target.address, Report("broken", {}, checks.found, raw=data, counts=False)
                raise ListenFailure(f"{target.address}: {failed}", BROKEN)
            if not data:
                return

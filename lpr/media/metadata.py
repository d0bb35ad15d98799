"""A camera's plate events as a stream of XML documents (ONVIF Streaming Specification).

May import this room, ``lpr.core``, ``lpr.protocols``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio

from lpr.core.clock import Clock
from lpr.media.demand import OnDemand
from lpr.media.source import MetadataSource
from lpr.media.stream import Track
from lpr.protocols.rtp import xml

PAYLOAD_TYPE = 107
SYNC_GAP = 0.2
"""Synchronization points that viewers ask for are at least so far apart, seconds."""


class MetadataStream(OnDemand):
    """Each document is a frame that a viewer may begin with; one who joins has a synchronization point made."""

    def __init__(self, name: str, source: MetadataSource, clock: Clock) -> None:
        super().__init__(name, clock, PAYLOAD_TYPE, xml.CLOCK_RATE)
        self._source = source
        self._asked = anyio.Event()

    async def track(self) -> Track:
        """See MediaStream."""
        return Track("metadata", xml.ENCODING, PAYLOAD_TYPE, xml.CLOCK_RATE, xml.media_lines(PAYLOAD_TYPE))

    def request_key_frame(self) -> None:
        """A synchronization point, at most one in ``SYNC_GAP``."""
        self._asked.set()

    async def produce(self) -> None:
        """See OnDemand."""
        self._asked = anyio.Event()  # a new iterator begins with the present state anyway
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._synchronize)
            documents = self._source.documents()
            try:
                async for document in documents:
                    timestamp = self.timestamp(self.clock.mono())
                    self.deliver(xml.pack(document), key=True, at=self.clock.wall(), timestamp=timestamp)
            finally:
                if isinstance(documents, AsyncGenerator):
                    await documents.aclose()
            tasks.cancel_scope.cancel()

    async def _synchronize(self) -> None:
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            self._source.synchronize()
            await self.clock.sleep(SYNC_GAP)

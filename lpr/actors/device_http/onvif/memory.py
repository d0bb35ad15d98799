"""What clients change over the network (scopes, whether we are discovered, how streams are encoded): an event in the
log, which the service finds again when it starts. May import ``lpr.core``, ``lpr.events`` and ``lpr.protocols``.
"""

from __future__ import annotations

import dataclasses

import anyio
import msgspec

from lpr.core.log import EventLog
from lpr.events import OnvifChanged, OnvifStream
from lpr.protocols.onvif.model import Added, Encoding

ACTOR = "onvif"


class Memory:
    """``added``: what holds now. ``version`` grows with each change: WS-Discovery tells it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.added = Added()
        self.version = 1
        self._loaded = False
        self._changed = anyio.Event()

    async def load(self) -> None:
        """Find the newest change, once. Raises LogUnavailable."""
        if self._loaded:
            return
        found = await self._log.read_back(types=frozenset({OnvifChanged.__name__}), limit=1)
        if self._loaded:  # by another task meanwhile
            return
        self._loaded = True
        if found and isinstance(event := found[0].event, OnvifChanged):
            wishes = tuple(Encoding(**msgspec.structs.asdict(one)) for one in event.streams)
            self.added = Added(event.scopes, event.discoverable, wishes)
            self.version = found[0].seq

    async def keep(self, added: Added, user: str) -> None:
        """Make a change, for good. Raises LogUnavailable; nothing has changed then."""
        wishes = tuple(OnvifStream(**dataclasses.asdict(one)) for one in added.encodings)
        event = OnvifChanged(scopes=added.scopes, discoverable=added.discoverable, user=user, streams=wishes)
        written = await self._log.append((event,), actor=ACTOR)
        self.added = added
        self.version = written[-1].seq
        self._changed.set()
        self._changed = anyio.Event()

    async def wait(self, version: int) -> None:
        """Return as soon as ``version`` isn't the newest."""
        while self.version == version:
            await self._changed.wait()

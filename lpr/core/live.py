"""What a camera shows at this moment: its latest picture, the plates last seen in it, and how it is doing.

One ``LiveView`` a camera, in memory alone. The sensor, the trigger and the engine write it, the pages and the REST
API read it; nobody decides anything by it, and nothing of it is kept. It belongs to the event loop's thread: call
its methods from there only; ``watched`` may be asked from any. Imports ``lpr.events`` and the frame type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio
import msgspec

from lpr.core.frames import Frame
from lpr.events import Micros, Reading

ATTENTION = 16
"""Whoever has asked for a picture is taken to look on for so many new versions."""


class SourceStatus(msgspec.Struct, frozen=True):
    """How a source is doing.

    ``state``: "starting", "running", "stalled", "lost", "ended", "waiting" (the engine waits for disk or log) or
    "stopped". ``address``: without credentials. ``rate``: frames a second as measured since the last report;
    ``stated_rate``: as the source says, 0 unknown. ``frames``/``dropped``: since the start, decoded and overwritten
    before a trigger saw them. ``captures``/``recorded``/``readings``: captures looked at, captures written to the
    log, plates read. ``message``: one sentence for a person, "" when all is well.
    """

    source: str
    kind: str = ""
    address: str = ""
    state: str = "starting"
    message: str = ""
    width: int = 0
    height: int = 0
    stated_rate: float = 0.0
    rate: float = 0.0
    frames: int = 0
    dropped: int = 0
    captures: int = 0
    recorded: int = 0
    readings: int = 0
    position: int = 0
    at: Micros = 0
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """``version`` grows with every new frame or result. ``frame``: the newest picture, None before the first.

    ``readings``: the plates of ``read_frame``, the newest picture an engine has finished with; draw them on that
    one, or on ``frame`` when it is only a moment younger. ``reads``: grows with every result.
    """

    version: int
    frame: Frame | None
    read_frame: Frame | None
    readings: tuple[Reading, ...]
    reads: int = 0


class LiveView:
    """The latest of one source. ``status`` is replaced as a whole, never changed in place."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.status = SourceStatus(source)
        self._snapshot = LiveSnapshot(0, None, None, ())
        self._newer: anyio.Event | None = None
        self._read: anyio.Event | None = None
        self._asked = -ATTENTION

    @property
    def watched(self) -> bool:
        """Whether somebody looks on, so that frames which no trigger wants are worth their pixels."""
        return self._newer is not None or self._snapshot.version - self._asked < ATTENTION

    def update(self, **changes: Any) -> None:
        """Replace fields of ``status``."""
        self.status = msgspec.structs.replace(self.status, **changes)

    def set_frame(self, frame: Frame) -> None:
        """The sensor has a new picture."""
        before = self._snapshot
        self._publish(LiveSnapshot(before.version + 1, frame, before.read_frame, before.readings, before.reads))

    def set_readings(self, frame: Frame, readings: tuple[Reading, ...]) -> None:
        """The engine has finished with ``frame``."""
        before = self._snapshot
        self._publish(LiveSnapshot(before.version + 1, before.frame, frame, readings, before.reads + 1))
        if self._read is not None:
            self._read.set()
            self._read = None

    def snapshot(self) -> LiveSnapshot:
        """The newest picture and readings; costs nothing."""
        return self._snapshot

    async def wait_newer(self, version: int) -> LiveSnapshot:
        """Return as soon as the snapshot is newer than ``version``."""
        while self._snapshot.version <= version:
            self._asked = self._snapshot.version
            if self._newer is None:
                self._newer = anyio.Event()
            await self._newer.wait()
        return self._snapshot

    async def wait_read(self, reads: int) -> LiveSnapshot:
        """Return as soon as the engine has finished with more than ``reads`` pictures. Whoever waits here wants no
        pixels, and so does not count as looking on."""
        while self._snapshot.reads <= reads:
            if self._read is None:
                self._read = anyio.Event()
            await self._read.wait()
        return self._snapshot

    def _publish(self, snapshot: LiveSnapshot) -> None:
        self._snapshot = snapshot
        if self._newer is not None:
            self._newer.set()
            self._newer = None

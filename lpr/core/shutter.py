"""A capture that somebody asks for, now: the way from a server (socket, HTTP) into a camera's chain and back.

One ``Shutter`` a camera, in memory. ``fire`` waits for the next frame, has it read and recorded like any capture
(with pictures, whatever the gate thinks of it) and gives what came of it. The trigger takes requests from here, the
engine answers them. It belongs to the event loop's thread. May import ``lpr.events`` and anyio.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import anyio

from lpr.core.live import LiveView
from lpr.events import Exposure, Micros, Reading

MAX_WAITING = 4
"""Requests of one camera that may wait; more are refused."""
MAX_EXPOSURES = 8
BLIND = frozenset({"lost", "ended", "stopped"})
"""States of a source in which no frame will come."""


class ShutterRefused(Exception):
    """No picture can be taken. ``str(error)`` says why, for the one who asked."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A capture that was asked for. ``capture``: its name; ``at``: of its first exposure; ``exposures``: what is
    stored, oldest first; ``readings``: (index of the exposure, reading) of every plate."""

    capture: str
    at: Micros
    exposures: tuple[Exposure, ...]
    readings: tuple[tuple[int, Reading], ...]


class Asked:
    """One request on its way. ``begun``: the engine has it; until then no other capture may take its place."""

    def __init__(self, trigger: str, reason: str, exposures: int) -> None:
        self.trigger = trigger
        self.reason = reason
        self.exposures = exposures
        self.begun = False
        self.over = anyio.Event()
        self._shot: Shot | None = None
        self._failure = ""

    def done(self, shot: Shot) -> None:
        """The capture is recorded."""
        self._shot = shot
        self.over.set()

    def failed(self, why: str) -> None:
        """There is no capture."""
        self._failure = why
        self.begun = True
        self.over.set()

    def result(self) -> Shot:
        """What came of it, once ``over``. Raises ShutterRefused."""
        if self._shot is None:
            raise ShutterRefused(self._failure or "no picture was taken")
        return self._shot


class Shutter:
    """``view``: the camera's, which says whether it sees anything."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self._waiting: deque[Asked] = deque()

    @property
    def camera(self) -> str:
        """The camera's name."""
        return self._view.source

    async def fire(self, trigger: str, reason: str, *, exposures: int = 1, timeout: float = 10.0) -> Shot:
        """Take ``exposures`` frames in a row from the next on. ``trigger``, ``reason``: as CaptureTaken has them.

        Raises ShutterRefused: the camera sees nothing, too many wait, or it took longer than ``timeout`` seconds.
        """
        if not 1 <= exposures <= MAX_EXPOSURES:
            raise ShutterRefused(f"{exposures} exposures were asked for; 1 to {MAX_EXPOSURES} are possible")
        if self._view.status.state in BLIND:
            raise ShutterRefused(f"the camera {self.camera} gives no pictures ({self._view.status.state})")
        if len(self._waiting) >= MAX_WAITING:
            raise ShutterRefused(f"{MAX_WAITING} captures of the camera {self.camera} are waiting already")
        asked = Asked(trigger, reason, exposures)
        self._waiting.append(asked)
        with anyio.move_on_after(timeout):
            await asked.over.wait()
        if not asked.over.is_set():
            if asked in self._waiting:
                self._waiting.remove(asked)
            asked.failed(f"the camera {self.camera} gave no picture within {timeout:g} s")
        return asked.result()

    def take(self) -> Asked | None:
        """The oldest request, for the trigger; None: nobody asks."""
        return self._waiting.popleft() if self._waiting else None

"""What passes from a camera's sensor to its trigger and to its engine, in memory, and the chain that runs the three.

A sensor puts ``Moment``s into one slot, the trigger puts ``Capture``s into the next, the engine takes them. When a
file has ended an ``End`` goes the same way behind the last frame, and the engine says that it is through; only then
does the sensor record the end. If one of the three fails all three begin anew with fresh slots (``Chain``): what was
between them is read once more from the source, behind the last record. Imports ``lpr.events`` only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import anyio

from lpr.core.frames import Frame
from lpr.core.record import Record
from lpr.core.shutter import Asked
from lpr.events import Event, Micros

Emit: TypeAlias = Callable[[Sequence[Event]], Awaitable[tuple[Record, ...]]]
"""Appends events; returns when they are durable."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame on its way to the trigger.

    ``origin``: the time at which the source's time begins, so that a trigger's grid is the same in every run of a
    file. ``prime``: a frame from before the place to resume at; it makes the trigger's state and nothing else.
    ``still``: a photograph that stands for itself.
    """

    frame: Frame
    origin: Micros
    prime: bool = False
    still: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """One or more exposures, oldest first, taken for a trigger. ``trigger``, ``reason``: as in CaptureTaken.

    ``asked``: somebody waits for this one, so it is recorded with its pictures, whatever it shows.
    """

    exposures: tuple[Frame, ...]
    origin: Micros
    trigger: str
    reason: str
    still: bool = False
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Passing:
    """Nothing was captured up to the frame ``position`` with the time ``at``."""

    at: Micros
    position: int
    origin: Micros


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more will come. ``done``: set by the engine when everything before is recorded."""

    done: anyio.Event = field(default_factory=anyio.Event)


ToTrigger: TypeAlias = Moment | End
ToEngine: TypeAlias = Capture | Passing | End


def chain_name(camera: str) -> str:
    """The name under which a camera's chain runs and appends: also that of its baselines."""
    return f"camera:{camera}"


class Stage(Protocol):
    """A part of a chain: sensor, trigger or engine."""

    @property
    def name(self) -> str: ...

    async def run(self, emit: Emit) -> None:
        """Until what feeds it has ended, or cancelled."""
        ...


class Chain:
    """Stages that live and fail together. ``build`` makes them anew, with the slots between them, for each run."""

    def __init__(self, name: str, build: Callable[[], Sequence[Stage]]) -> None:
        self.name = name
        self._build = build

    async def run(self, emit: Emit) -> None:
        """Until every stage has ended; raises what the first failing one raises."""
        try:
            async with anyio.create_task_group() as tasks:
                for stage in self._build():
                    tasks.start_soon(stage.run, emit, name=stage.name)
        except BaseExceptionGroup as group:
            alone: tuple[BaseException, ...] = group.exceptions
            if len(alone) == 1:
                raise alone[0] from None
            raise

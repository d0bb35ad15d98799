"""When a capture is taken, as pure steps over the frames' own times and what is seen in them.

A trigger is a value with a ``step``: (state, what the frame shows) -> (state, Fired or None). The two of today are free
flow (a grid in time) and motion (VTR600 manual, "Motion Detector"); a virtual loop, a digital input or a call of the
API fit in as others, since a frame also brings the requests that came since the one before (``Seen.asked``).

The grid begins at the source's origin, and a state remembers no more than a short time, so a run that is resumed and
shown the frames of the last ``Trigger.memory`` seconds before goes on exactly as the uninterrupted one.
Imports numpy types, ``lpr.vision.motion``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lpr.events import Micros, Point
from lpr.vision.motion import motion_level, polygon_mask

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a frame brings to a trigger.

    ``at``: its time; ``origin``: where the source's time begins; ``reduced``: the reduced grey picture of
    ``lpr.vision.motion``, None unless the trigger ``wants`` it; ``asked``: requests from outside since the last frame.
    """

    at: Micros
    origin: Micros
    reduced: NDArray[np.uint8] | None = None
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fired:
    """A capture is to be taken. ``reason``: the figure behind it; ``exposures``: frames in a row, this one first."""

    reason: str
    exposures: int = 1


@dataclass(frozen=True, slots=True)
class TriggerState:
    """``cell``: of the time grid, None before the first frame; ``reduced``: the picture of the last cell;
    ``moved_at``: time of the last motion."""

    cell: int | None = None
    reduced: NDArray[np.uint8] | None = None
    moved_at: Micros | None = None


class Trigger(Protocol):
    """One way of triggering. ``kind``: as in CaptureTaken; ``memory``: seconds of frames that make its state."""

    @property
    def kind(self) -> str: ...

    @property
    def memory(self) -> float: ...

    def wants(self, state: TriggerState, at: Micros, origin: Micros) -> bool:
        """Whether ``step`` needs the reduced picture of this frame."""
        ...

    def step(self, state: TriggerState, seen: Seen) -> tuple[TriggerState, Fired | None]:
        """The state after a frame, and whether it fires."""
        ...


@dataclass(frozen=True, slots=True)
class FreeFlow:
    """Fires at the first frame of each cell of the grid. ``rate``: cells a second."""

    rate: float
    kind: str = "free-flow"

    @property
    def memory(self) -> float:
        """One frame before is enough; two cells hold one in any case."""
        return 2.0 / self.rate

    def wants(self, state: TriggerState, at: Micros, origin: Micros) -> bool:
        """Never: time is all it goes by."""
        return False

    def step(self, state: TriggerState, seen: Seen) -> tuple[TriggerState, Fired | None]:
        """See the class."""
        cell = cell_of(seen.at, seen.origin, self.rate)
        if cell == state.cell:
            return state, None
        return TriggerState(cell=cell), Fired(reason="")


@dataclass(frozen=True, slots=True)
class Motion:
    """Fires while something moves, and for ``hold`` seconds after.

    The first pictures of two cells following each other are compared; a level (0 to 100) of at least ``threshold`` is
    motion. ``region``: four corners as fractions of the picture; ``exposures``: sequential frames of a capture.
    """

    rate: float
    threshold: float
    hold: float
    exposures: int = 1
    region: tuple[Point, ...] | None = None
    kind: str = "motion"

    @property
    def memory(self) -> float:
        """The last motion that still holds, and the two pictures that it was seen in."""
        return self.hold + 4.0 / self.rate

    def wants(self, state: TriggerState, at: Micros, origin: Micros) -> bool:
        """Once in each cell."""
        return cell_of(at, origin, self.rate) != state.cell

    def step(self, state: TriggerState, seen: Seen) -> tuple[TriggerState, Fired | None]:
        """See the class. A frame without its picture in a new cell counts as still."""
        cell = cell_of(seen.at, seen.origin, self.rate)
        if cell == state.cell:
            return state, None
        level = 0.0
        if state.reduced is not None and seen.reduced is not None:
            level = motion_level(state.reduced, seen.reduced, _mask(self.region))
        moved_at = seen.at if level >= self.threshold and state.reduced is not None else state.moved_at
        after = TriggerState(cell=cell, reduced=seen.reduced, moved_at=moved_at)
        if moved_at is None or not 0 <= seen.at - moved_at <= self.hold * SECOND:
            return after, None
        if moved_at == seen.at:
            return after, Fired(f"level {level:.1f} over threshold {self.threshold:g}", self.exposures)
        return after, Fired(f"{(seen.at - moved_at) / SECOND:.1f} s after the last motion", self.exposures)


def cell_of(at: Micros, origin: Micros, rate: float) -> int:
    """The number of the grid's cell that a time lies in; the grid begins at ``origin`` with ``rate`` cells a second."""
    return (at - origin) // max(1, round(SECOND / rate))


@lru_cache(maxsize=32)
def _mask(region: tuple[Point, ...] | None) -> NDArray[np.bool_]:
    return polygon_mask(region)

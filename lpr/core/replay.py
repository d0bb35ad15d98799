"""Replay, in three meanings, none of which changes anything.

*Fold*: what was recorded is the truth; decisions and sinks don't run. *Shadow*: recorded inputs to today's
``decide``, and the differences from what it decided then: what would today's code, or these other settings, have
said? *Pixel*: the engines once more on the kept pictures. May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lpr.core.actor import Decider
from lpr.core.blobs import BlobStore
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.inputs import Inputs
from lpr.core.offload import Offload, in_thread
from lpr.core.reader import Readable
from lpr.core.record import Link
from lpr.events import Baseline, CaptureTaken, Event, PlateRead, Reading, TimerFired

S = TypeVar("S")

PAGE = 2000


# --- fold ----------------------------------------------------------------------------------------------


async def fold(log: Readable, decider: Decider[S], *, after: int = 0, upto: int | None = None) -> S:
    """The decider's state after every record up to ``upto``, from nothing: baselines are not used."""
    inputs = Inputs(decider.name, decider.interests)
    return await log.fold(inputs, decider.evolve, decider.initial(), after=after, upto=upto)


# --- shadow --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """On the input ``cause``, ``recorded`` was decided then and ``today`` would be decided now."""

    cause: int
    recorded: tuple[Event, ...]
    today: tuple[Event, ...]


async def shadow(log: Readable, decider: Decider[S], *, upto: int | None = None) -> AsyncGenerator[Difference]:
    """Differences between recorded and today's decisions, in the order of their inputs.

    Only inputs that the actor has decided on are compared (up to its cursor). Own outputs that are inputs too are
    fed as they were recorded. After pruning the state begins at what is left, so early decisions may differ.
    """
    cursor = await log.cursor(decider.name)
    inputs = Inputs(decider.name, decider.interests)
    state = decider.initial()
    open_: dict[int, tuple[Event, ...]] = {}
    group: list[Link] = []
    after = 0
    while page := await log.read(after, limit=PAGE, upto=upto):
        for record in page:
            if group and (record.actor != decider.name or record.cause != group[0].cause or _is_own_note(record)):
                if (difference := _compare(group, open_)) is not None:
                    yield difference
                group = []
            if record.actor == decider.name and not _is_own_note(record):
                group.append(record)
            if inputs.has(record):
                shown = inputs.shown(record)
                state = decider.evolve(state, shown)
                today = decider.decide(state, shown) if record.seq <= cursor else ()
                if today:
                    open_[record.seq] = today
        after = page[-1].seq
    if group and (difference := _compare(group, open_)) is not None:
        yield difference
    for cause, today in sorted(open_.items()):
        yield Difference(cause, (), today)


def _is_own_note(record: Link) -> bool:
    """Written by the loop, not decided."""
    return record.type in (_BASELINE, _TIMER)


def _compare(group: Sequence[Link], open_: dict[int, tuple[Event, ...]]) -> Difference | None:
    cause = group[0].cause
    recorded = tuple(record.event for record in group)
    today = open_.pop(cause, ())
    return Difference(cause, recorded, today) if recorded != today else None


_TIMER = TimerFired.__name__
_BASELINE = Baseline.__name__


# --- pixel ---------------------------------------------------------------------------------------------


class Engine(Protocol):
    """Reads the plates of one picture, (height, width, 3) uint8 BGR."""

    def read(self, image: NDArray[np.uint8]) -> Sequence[Reading]: ...


@dataclass(frozen=True)
class PixelDifference:
    """One exposure on which the engines of today and of then disagree.

    ``record``: the CaptureTaken. ``recorded``, ``today``: the texts, sorted. ``problem``: why the picture could not
    be read again, "" when it could.
    """

    record: int
    capture: str
    exposure: int
    recorded: tuple[str, ...]
    today: tuple[str, ...]
    problem: str = ""


@dataclass
class _Capture:
    record: int
    taken: CaptureTaken
    texts: dict[int, list[str]]


async def pixel(
    log: Readable,
    blobs: BlobStore,
    engine: Engine,
    decode: Callable[[bytes], NDArray[np.uint8]],
    *,
    after: int = 0,
    upto: int | None = None,
    offload: Offload = in_thread,
) -> AsyncGenerator[PixelDifference | None]:
    """Run ``engine`` on every kept exposure; yields a difference, or None for each exposure that agrees.

    ``decode``: JPEG bytes to (height, width, 3) uint8 BGR; raises ValueError for what is no picture.
    """
    types = frozenset({CaptureTaken.__name__, PlateRead.__name__})
    captures: dict[str, _Capture] = {}
    while page := await log.read(after, types=types, limit=PAGE, upto=upto):
        for record in page:
            event = record.event
            if isinstance(event, PlateRead) and (capture := captures.get(event.capture)) is not None:
                capture.texts.setdefault(event.exposure, []).append(event.reading.text)
            elif isinstance(event, CaptureTaken):
                for name in [n for n, c in captures.items() if c.taken.source == event.source]:
                    async for found in _again(captures.pop(name), blobs, engine, decode, offload):
                        yield found
                captures[event.capture] = _Capture(record.seq, event, {})
        after = page[-1].seq
    for capture in captures.values():
        async for found in _again(capture, blobs, engine, decode, offload):
            yield found


async def _again(
    capture: _Capture,
    blobs: BlobStore,
    engine: Engine,
    decode: Callable[[bytes], NDArray[np.uint8]],
    offload: Offload,
) -> AsyncGenerator[PixelDifference | None]:
    for index, exposure in enumerate(capture.taken.exposures):
        recorded = tuple(sorted(capture.texts.get(index, ())))
        today: tuple[str, ...] = ()
        problem = ""
        try:
            data = await blobs.get(exposure.picture.blob)
            today = await offload(partial(_read, engine, decode, data))
        except (BlobMissingError, BlobDamagedError, ValueError) as error:
            problem = str(error)
        same = recorded == today and not problem
        name = capture.taken.capture
        yield None if same else PixelDifference(capture.record, name, index, recorded, today, problem)


def _read(engine: Engine, decode: Callable[[bytes], NDArray[np.uint8]], data: bytes) -> tuple[str, ...]:
    return tuple(sorted(reading.text for reading in engine.read(decode(data))))

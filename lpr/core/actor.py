"""The actor contracts and the one loop: read after the cursor, evolve and decide, append outputs and cursor together.

Rules
- A decider's state is a function of its inputs in log order, so recovery (fold without deciding, from the latest
  Baseline to the cursor) and life run the same code. It decides on every input after the cursor.
- Inputs are the types in ``interests`` and the actor's own TimerFired. Own outputs don't feed back unless listed.
- The outputs of a page of inputs are one append, so a backlog goes at the speed of pages, not of commits. An input
  without outputs moves the cursor in memory only: deciding on it once more gives nothing once more.
- An input is never skipped: if deciding fails, what came before it is written and the actor fails at that place.

Sinks are in ``lpr.core.sinks``. May import ``lpr.events`` only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeAlias, TypeVar

import anyio
import msgspec

from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogDamagedError, LogUnavailable
from lpr.core.inputs import Inputs
from lpr.core.log import EventLog
from lpr.core.reader import Readable
from lpr.core.record import Record
from lpr.core.sinks import Sink, run_sink
from lpr.events import Baseline, Event, Micros, TimerFired

__all__ = [
    "ActorSettings",
    "Decider",
    "DeciderSettings",
    "Emit",
    "Sink",
    "Source",
    "Worker",
    "emitter",
    "recover",
    "run_decider",
    "run_sink",
    "run_source",
    "run_worker",
]

S = TypeVar("S")

Emit: TypeAlias = Callable[[Sequence[Event]], Awaitable[tuple[Record, ...]]]
"""Appends a source's events; returns when they are durable."""

PAGE = 500
"""Inputs folded and decided between two appends."""

DISTANCE = 20
"""A baseline is also due when the log has grown by this many times ``baseline_every``, however few were inputs."""

STOP_TIMEOUT = 5.0
"""Seconds that writing the last baseline may take when an actor is stopped."""


class DeciderSettings(Protocol):
    """What the loop needs of the configuration; ``lpr.config.Log`` fits."""

    @property
    def baseline_every(self) -> int:
        """Inputs between two baselines."""
        ...


@dataclass(frozen=True)
class ActorSettings:
    """``DeciderSettings`` with its default."""

    baseline_every: int = 5000


class Decider(Protocol[S]):
    """A pure actor. Nothing in it reads a clock, a random number, a file or a socket.

    ``name``: unique, the cursor's name. ``interests``: the events that it folds, or views of them
    (``lpr.core.view``), which it then finds in the records that it is shown. ``state_type``: what the state
    is decoded to from a Baseline; ``state_version``: a Baseline of another version is ignored.
    """

    @property
    def name(self) -> str: ...

    @property
    def interests(self) -> tuple[type[Event], ...]: ...

    @property
    def state_type(self) -> type[S]: ...

    @property
    def state_version(self) -> int: ...

    def initial(self) -> S:
        """The state before any record."""
        ...

    def evolve(self, state: S, record: Record) -> S:
        """The state after ``record``. Total: never raises on an event of the vocabulary."""
        ...

    def decide(self, state: S, record: Record) -> tuple[Event, ...]:
        """What follows from ``record``; ``state`` is the one after it."""
        ...

    def due(self, state: S) -> Micros | None:
        """Wall time at which a TimerFired for this actor is to be appended, if nothing else happens before."""
        ...


class Worker(Protocol):
    """An actor whose step needs I/O. ``work`` is done at least once for each input: it must be idempotent."""

    @property
    def name(self) -> str: ...

    @property
    def interests(self) -> tuple[type[Event], ...]: ...

    async def work(self, record: Record) -> tuple[Event, ...]:
        """Do what ``record`` asks for; the returned events and the cursor are written in one transaction."""
        ...


class Source(Protocol):
    """An actor that brings events from outside."""

    @property
    def name(self) -> str: ...

    async def run(self, emit: Emit) -> None:
        """Until the source ends (a file) or is cancelled."""
        ...


@dataclass(frozen=True)
class Recovered(Generic[S]):
    """A decider's state after the record ``upto``. ``baseline``: ``upto`` of the Baseline that it began with, or 0."""

    state: S
    upto: int
    baseline: int


async def recover(decider: Decider[S], log: Readable, upto: int) -> Recovered[S]:
    """Fold without deciding, from the latest Baseline that fits to the record ``upto``."""
    state, position = await _start(decider, log, upto)
    inputs = Inputs(decider.name, decider.interests)
    state = await log.fold(inputs, decider.evolve, state, after=position, upto=upto)
    return Recovered(state, max(position, upto), position)


async def _start(decider: Decider[S], log: Readable, upto: int) -> tuple[S, int]:
    record = await log.baseline(decider.name)
    event = record.event if record is not None else None
    if not isinstance(event, Baseline) or event.state_version != decider.state_version or event.upto > upto:
        return decider.initial(), 0
    try:
        return msgspec.json.decode(event.state, type=decider.state_type), event.upto
    except msgspec.MsgspecError:
        return decider.initial(), 0


class _Loop(Generic[S]):
    """The life of one decider between a start and a stop."""

    def __init__(
        self, decider: Decider[S], log: EventLog, clock: Clock, settings: DeciderSettings, begun: Recovered[S]
    ) -> None:
        self.decider = decider
        self.log = log
        self.clock = clock
        self.every = settings.baseline_every
        self.of_log = Inputs(decider.name, decider.interests)
        self.state = begun.state
        self.position = begun.upto
        self.baseline = begun.baseline
        self.inputs = 0
        self.fired: Micros | None = None

    async def run(self) -> None:
        while True:
            head = self.log.head
            page = await self.log.read(self.position, types=self.of_log.types, limit=PAGE, upto=head)
            await self.step(page, head if len(page) < PAGE else page[-1].seq)
            if len(page) == PAGE:
                continue
            if self.inputs >= self.every or self.position - self.baseline >= DISTANCE * self.every:
                await self.snapshot()
            await self.wait()

    async def step(self, page: Sequence[Record], upto: int) -> None:
        """Evolve and decide over ``page``, write the outputs, move on to ``upto``."""
        decider, state = self.decider, self.state
        outputs: list[Event] = []
        causes: list[int] = []
        done, inputs = self.position, 0
        failure: Exception | None = None
        for record in page:
            if self.of_log.has(record):
                try:
                    shown = self.of_log.shown(record)
                    after = decider.evolve(state, shown)
                    decided = decider.decide(after, shown)
                except Exception as error:
                    failure = error
                    break
                state = after
                inputs += 1
                outputs += decided
                causes += [record.seq] * len(decided)
            done = record.seq
        if failure is None:
            done = upto
        if outputs:
            await self.log.append(outputs, actor=decider.name, cause=causes, cursor=done)
        self.state, self.position = state, done
        self.inputs += inputs
        self.log.positions[decider.name] = done
        if failure is not None:
            raise failure

    async def wait(self) -> None:
        """Until the log has grown or the deadline has passed; a passed deadline is recorded."""
        due = self.decider.due(self.state)
        if due is None:
            await self.log.wait(self.position)
            return
        if self.clock.wall() < due:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(partial(self._until, due, tasks.cancel_scope))
                await self.log.wait(self.position)
                tasks.cancel_scope.cancel()
            return
        if due == self.fired:
            raise RuntimeError(
                f"{self.decider.name} keeps its deadline {due} after TimerFired for it: evolve must clear it"
            )
        if self.log.head == self.position:
            await self.log.append((TimerFired(actor=self.decider.name, due=due),), actor=self.decider.name)
            self.fired = due

    async def _until(self, due: Micros, scope: anyio.CancelScope) -> None:
        await self.clock.sleep_until(due)
        scope.cancel()

    async def snapshot(self) -> None:
        """Write a Baseline of the state as it is."""
        decider = self.decider
        state = msgspec.Raw(msgspec.json.encode(self.state))
        event = Baseline(actor=decider.name, state_version=decider.state_version, upto=self.position, state=state)
        await self.log.append((event,), actor=decider.name, cursor=self.position)
        self.baseline, self.inputs = self.position, 0


async def run_decider(
    decider: Decider[S], log: EventLog, clock: Clock, *, settings: DeciderSettings | None = None
) -> None:
    """Recover, then live until cancelled; writes a last Baseline then.

    Raises LogUnavailable and whatever the decider raises; to be supervised.
    """
    begun = await recover(decider, log, await log.cursor(decider.name))
    loop = _Loop(decider, log, clock, settings or ActorSettings(), begun)
    try:
        await loop.run()
    except anyio.get_cancelled_exc_class():
        if loop.inputs:
            with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                await _last(loop.snapshot)
        raise


async def _last(step: Callable[[], Awaitable[object]]) -> None:
    """Something that is only worth doing while the log takes it."""
    try:
        await step()
    except (LogUnavailable, LogClosedError, LogDamagedError):
        return


async def run_worker(worker: Worker, log: EventLog, clock: Clock, *, start: int = 0) -> None:
    """Work off inputs until cancelled. ``start``: where a worker without a cursor begins.

    Raises LogUnavailable and whatever ``work`` raises; to be supervised.
    """
    del clock
    types = frozenset(event.__name__ for event in worker.interests)
    position = saved = await log.cursor(worker.name) or start
    try:
        while True:
            head = log.head
            page = await log.read(position, types=types, limit=PAGE, upto=head)
            for record in page:
                outputs = await worker.work(record)
                if outputs:
                    await log.append(outputs, actor=worker.name, cause=record.seq, cursor=record.seq)
                    saved = record.seq
                position = record.seq
                log.positions[worker.name] = position
            if position - saved >= PAGE:
                await log.append((), actor=worker.name, cursor=position)
                saved = position
            if len(page) < PAGE:
                position = max(position, head)
                log.positions[worker.name] = position
                await log.wait(position)
    except anyio.get_cancelled_exc_class():
        if position > saved:
            with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                await _last(partial(log.append, (), actor=worker.name, cursor=position))
        raise


def emitter(log: EventLog, name: str) -> Emit:
    """What a source appends with, under its name."""

    async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
        return await log.append(events, actor=name)

    return emit


async def run_source(source: Source, log: EventLog) -> None:
    """Run a source until it ends or is cancelled."""
    await source.run(emitter(log, source.name))

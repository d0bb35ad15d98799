"""Keeps actors alive: one task group, failures recorded, backoff, a fresh start at the actor's cursor.

An optional actor that fails ``failures`` times within ``window`` seconds is parked until the next start of the
service, and says so; a vital one ends the process, for the service manager to start it again. While the log can't
be written nobody is to blame: actors wait and try again. A damaged log ends the process at once: opening it again
salvages it. May import ``lpr.events`` only.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar, cast

import anyio
from anyio.abc import TaskGroup

from lpr.core.clock import SECOND, Clock
from lpr.core.errors import LogClosedError, LogDamagedError, LogUnavailable
from lpr.core.log import EventLog
from lpr.events import ActorFailed, ActorParked, Event, Micros

_logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Exception)

Run: TypeAlias = Callable[[], Awaitable[None]]
State: TypeAlias = Literal["starting", "running", "backing off", "waiting for the log", "parked", "ended", "stopped"]

ACTOR = "supervisor"
MAX_ERROR = 500
"""Characters of an error in an event."""


@dataclass(frozen=True)
class SupervisionPolicy:
    """Durations in seconds. ``first_retry`` doubles with each failure within ``window`` up to ``longest_retry``.

    ``log_retry``: between two tries while the log can't be written.
    """

    failures: int = 5
    window: float = 60.0
    first_retry: float = 0.5
    longest_retry: float = 30.0
    log_retry: float = 1.0


@dataclass(frozen=True)
class ActorStatus:
    """How an actor is doing.

    ``failures``: since the service started. ``last_error``: "" when there was none. ``since``: wall time at which
    ``state`` began. ``position``: the last record that it has read, None for an actor that reads none; ``lag``:
    records behind the head, 0 when it is up to date.
    """

    name: str
    vital: bool
    state: State
    failures: int
    last_error: str
    since: Micros
    position: int | None
    lag: int


class VitalActorFailed(Exception):
    """The service can't go on: a vital actor failed too often. ``actor``: its name."""

    def __init__(self, actor: str, error: str) -> None:
        super().__init__(f"{actor} failed too often and the service can't do without it; last error: {error}")
        self.actor = actor


@dataclass
class _Actor:
    name: str
    run: Run
    vital: bool
    state: State = "starting"
    failures: int = 0
    last_error: str = ""
    since: Micros = 0
    recent: deque[Micros] = field(default_factory=deque[Micros])


class Supervisor:
    """Runs actors until it is cancelled, ``stop`` is called or a vital one gives up."""

    def __init__(self, log: EventLog, clock: Clock, policy: SupervisionPolicy | None = None) -> None:
        self._log = log
        self._clock = clock
        self._policy = policy or SupervisionPolicy()
        self._actors: dict[str, _Actor] = {}
        self._tasks: TaskGroup | None = None
        self._stopping = False

    def add(self, name: str, run: Run, vital: bool = False) -> None:
        """An actor; it starts with ``run`` of the supervisor, or now if that runs already. Names are unique."""
        if name in self._actors:
            raise ValueError(f"there is already an actor {name}; give each a name of its own")
        actor = self._actors[name] = _Actor(name, run, vital, since=self._clock.wall())
        if self._tasks is not None:
            self._tasks.start_soon(self._supervise, actor)

    async def run(self) -> None:
        """Until every actor has ended or is parked, or ``stop``. Raises VitalActorFailed, LogDamagedError."""
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                if self._stopping:
                    return
                for actor in self._actors.values():
                    tasks.start_soon(self._supervise, actor)
        except BaseExceptionGroup as group:
            fatal = _first(group, VitalActorFailed) or _first(group, LogDamagedError)
            if fatal is None:
                raise
            raise fatal from group
        finally:
            self._tasks = None

    def stop(self) -> None:
        """Cancel every actor; ``run`` returns when they have written their last baselines."""
        self._stopping = True
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()

    def status(self) -> tuple[ActorStatus, ...]:
        """How every actor is doing, in the order in which they were added."""
        head = self._log.head
        result: list[ActorStatus] = []
        for a in self._actors.values():
            position = self._log.positions.get(a.name)
            lag = max(0, head - position) if position is not None else 0
            result.append(ActorStatus(a.name, a.vital, a.state, a.failures, a.last_error, a.since, position, lag))
        return tuple(result)

    async def _supervise(self, actor: _Actor) -> None:
        try:
            while True:
                self._turn(actor, "running")
                try:
                    await actor.run()
                except Exception as error:
                    if not await self._goes_on(actor, error):
                        return
                else:
                    self._turn(actor, "ended")
                    return
        except anyio.get_cancelled_exc_class():
            self._turn(actor, "stopped")
            raise

    async def _goes_on(self, actor: _Actor, error: Exception) -> bool:
        """What follows from a failure: wait and go on (True), or park (False). Raises VitalActorFailed."""
        if (damage := _first(error, LogDamagedError)) is not None:
            raise damage
        if _only(error, LogClosedError):
            self._turn(actor, "stopped")
            return False
        if _only(error, LogUnavailable):
            actor.last_error = describe(error)
            self._turn(actor, "waiting for the log")
            await self._clock.sleep(self._policy.log_retry)
            return True
        now = self._clock.mono()
        actor.failures += 1
        actor.last_error = describe(error)
        actor.recent.append(now)
        while actor.recent and now - actor.recent[0] > self._policy.window * SECOND:
            actor.recent.popleft()
        count = len(actor.recent)
        _logger.error("%s failed (%d): %s", actor.name, count, actor.last_error, exc_info=error)
        if count >= self._policy.failures:
            if actor.vital:
                await self._tell(ActorFailed(actor=actor.name, error=actor.last_error, failures=count, retry_in=0.0))
                raise VitalActorFailed(actor.name, actor.last_error) from error
            self._turn(actor, "parked")
            await self._tell(ActorParked(actor=actor.name, error=actor.last_error, failures=count))
            return False
        wait = min(self._policy.longest_retry, self._policy.first_retry * 2.0 ** (count - 1))
        self._turn(actor, "backing off")
        await self._tell(ActorFailed(actor=actor.name, error=actor.last_error, failures=count, retry_in=wait))
        await self._clock.sleep(wait)
        return True

    async def _tell(self, event: Event) -> None:
        """Record it if the log takes it; the status and the process's own log have it in any case."""
        try:
            await self._log.append((event,), actor=ACTOR)
        except (LogUnavailable, LogClosedError) as error:
            _logger.error("%s could not be recorded: %s", type(event).__name__, error)

    def _turn(self, actor: _Actor, state: State) -> None:
        if actor.state != state:
            actor.state = state
            actor.since = self._clock.wall()


def describe(error: BaseException) -> str:
    """An error in one line, for an event: "ValueError: …", innermost ones of a group."""
    parts = _parts(error)
    if parts:
        text = "; ".join(describe(one) for one in parts)
    else:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = " ".join(text.split())
    return text if len(text) <= MAX_ERROR else text[: MAX_ERROR - 1] + "…"


def _parts(error: BaseException) -> tuple[BaseException, ...]:
    """The members of a group, nothing for any other error."""
    if not isinstance(error, BaseExceptionGroup):
        return ()
    return cast("BaseExceptionGroup[BaseException]", error).exceptions


def _first(error: BaseException, kind: type[E]) -> E | None:
    """The first exception of ``kind`` in a group, at any depth."""
    if isinstance(error, kind):
        return error
    for one in _parts(error):
        if (found := _first(one, kind)) is not None:
            return found
    return None


def _only(error: BaseException, kind: type[Exception]) -> bool:
    """Whether ``error`` is a ``kind``, or a group of nothing else."""
    parts = _parts(error)
    return all(_only(one, kind) for one in parts) if parts else isinstance(error, kind)

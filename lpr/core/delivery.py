"""What a delivery attempt can end in, and what follows from it. Pure: the clock and chance come as arguments.

An attempt ends in one of three ways: ``Delivered``, ``Refused`` (this passage is parked, others go on) or
``Unavailable`` (the whole sink waits). Outside, delivery is at least once, with the passage's id to tell
repetitions by; there is no "in progress" that a crash could leave behind. The shell is ``run_sink`` in
``lpr.core.sinks``. May import ``lpr.events`` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lpr import events
from lpr.events import Event, Micros, PassageDecided, PassageSigned

_SECOND = 1_000_000
_EXPONENT = 63


@dataclass(frozen=True, slots=True)
class Shipment:
    """One passage for one sink.

    ``record``: sequence number of the PassageSigned record. ``passage``: the passage's id, the key that tells
    repetitions. ``decided``, ``signed``: the two events that make it up.
    """

    record: int
    passage: str
    decided: PassageDecided
    signed: PassageSigned


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sink has it. ``answer``: what it said, shortened, for people."""

    answer: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The sink doesn't want this passage, now or later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The sink can't take anything now. ``retry_after``: seconds that it asked for, None when it didn't."""

    reason: str
    retry_after: float | None = None


Outcome: TypeAlias = Delivered | Refused | Unavailable


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """How long to wait. Durations in seconds.

    ``first``: after the first failure; each further one multiplies by ``factor`` up to ``longest``.
    ``max_attempts``: then the passage is parked, 0 never. ``longest_asked``: a sink's own wish is cut to this.
    ``tell_first``: so many failed attempts of a passage are each recorded; of later ones at most one in
    ``tell_every`` seconds, so an outage of days doesn't fill the log.
    """

    first: float = 1.0
    longest: float = 300.0
    factor: float = 2.0
    max_attempts: int = 0
    longest_asked: float = 3600.0
    tell_first: int = 10
    tell_every: float = 300.0


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """Where the open delivery of a sink stands.

    ``record``: its PassageSigned, 0 none. ``attempt``: attempts made. ``retry_at``: wall time of the next one.
    ``told_at``: wall time of the last DeliveryFailed.
    """

    record: int = 0
    attempt: int = 0
    retry_at: Micros = 0
    told_at: Micros = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from an outcome: events to record, the new state, whether the delivery is closed, else the wait."""

    events: tuple[Event, ...]
    state: DeliveryState
    done: bool
    wait: float = 0.0


def backoff(policy: BackoffPolicy, attempt: int, jitter: float) -> float:
    """Seconds to wait after the failed ``attempt`` (from 1). ``jitter`` in [0, 1) takes up to half of it off."""
    full = min(policy.longest, policy.first * policy.factor ** min(attempt - 1, _EXPONENT))
    return full * (1.0 - jitter / 2.0)


def evolve(state: DeliveryState, sink: str, event: Event, wall: Micros) -> DeliveryState:
    """Fold a recorded event into the state of ``sink``: how a restart finds out where it stood."""
    match event:
        case events.DeliveryFailed() if event.sink == sink:
            return DeliveryState(event.record, event.attempt, event.retry_at, wall)
        case events.Delivered() | events.DeliveryParked() if event.sink == sink:
            return DeliveryState()
        case _:
            return state


def waiting(state: DeliveryState, policy: BackoffPolicy, record: int, now: Micros) -> float:
    """Seconds still to wait before ``record`` is tried, after a restart.

    Bounded by the policy, so a wall clock that was wrong then or is wrong now can't hold a sink back for long.
    """
    if state.record != record:
        return 0.0
    remaining = (state.retry_at - now) / _SECOND
    return min(max(0.0, remaining), max(policy.longest, policy.longest_asked))


def settle(
    state: DeliveryState,
    policy: BackoffPolicy,
    sink: str,
    shipment: Shipment,
    outcome: Outcome,
    now: Micros,
    jitter: float,
) -> Step:
    """What follows from ``outcome`` of an attempt that ended at ``now``."""
    record, passage = shipment.record, shipment.passage
    attempt = (state.attempt if state.record == record else 0) + 1
    match outcome:
        case Delivered(answer):
            done = events.Delivered(sink=sink, passage=passage, record=record, attempt=attempt, answer=answer)
            return Step((done,), DeliveryState(), True)
        case Refused(reason):
            parked = events.DeliveryParked(sink=sink, passage=passage, record=record, attempt=attempt, reason=reason)
            return Step((parked,), DeliveryState(), True)
        case Unavailable(reason, retry_after):
            if policy.max_attempts and attempt >= policy.max_attempts:
                reason = f"given up after {attempt} attempts: {reason}"
                parked = events.DeliveryParked(
                    sink=sink, passage=passage, record=record, attempt=attempt, reason=reason
                )
                return Step((parked,), DeliveryState(), True)
            wait = backoff(policy, attempt, jitter)
            if retry_after is not None:
                wait = max(wait, min(retry_after, policy.longest_asked))
            retry_at = now + round(wait * _SECOND)
            told_at = state.told_at if state.record == record else 0
            tell = attempt <= policy.tell_first or not 0 <= now - told_at < policy.tell_every * _SECOND
            failed = events.DeliveryFailed(
                sink=sink, passage=passage, record=record, attempt=attempt, reason=reason, retry_at=retry_at
            )
            after = DeliveryState(record, attempt, retry_at, now if tell else told_at)
            return Step((failed,) if tell else (), after, False, wait)

"""The service and its log: starts and stops, damage, the chain, actors that failed.

Imports ``base``.
"""

from __future__ import annotations

import msgspec

from lpr.events.base import Event, Micros


class ServiceStarted(Event, frozen=True, kw_only=True):
    """The process opened the log. ``config``: SHA-256 (hex) of the effective configuration without secrets."""

    release: str
    config: str
    pid: int


class ServiceStopped(Event, frozen=True, kw_only=True):
    """The process closes the log in good order. ``reason``: "signal", "source ended", "request", ..."""

    reason: str


class LogRecovered(Event, frozen=True, kw_only=True):
    """On opening, the log was not as it was left. ``problem``: what was found; ``remedy``: what was done.

    ``kept``: the rows that could be carried over; ``lost_after``: the last sequence number kept.
    """

    problem: str
    remedy: str
    kept: int
    lost_after: int


class ClockStepped(Event, frozen=True, kw_only=True):
    """The wall clock moved against the monotonic clock by ``seconds`` (negative: back)."""

    seconds: float


class TimerFired(Event, frozen=True, kw_only=True):
    """The deadline ``due`` of ``actor`` has passed."""

    actor: str
    due: Micros


class Baseline(Event, frozen=True, kw_only=True):
    """Snapshot of an actor's state after folding every record up to ``upto``.

    ``state``: the state as JSON; ``state_version``: the actor's own version of it (another version is
    ignored and the actor folds from the log's beginning). Permission to prune what lies before.
    """

    actor: str
    state_version: int
    upto: int
    state: msgspec.Raw


class ChainSigned(Event, frozen=True, kw_only=True):
    """Signed checkpoint of the hash chain.

    ``upto``: last sequence number covered; ``head``: its chain hash, hex; ``key``: SHA-256 fingerprint
    (hex) of the signing key's modulus; ``signature``: hex, RSA PKCS#1 v1.5 over SHA-256 of the text
    ``lpr-chain:<log id>:<upto>:<head>``.
    """

    upto: int
    head: str
    key: str
    signature: str


class LogPruned(Event, frozen=True, kw_only=True):
    """Retention removed records up to ``upto`` (inclusive), whose chain hash was ``head`` (hex).

    ``records``: how many go. ``kept``: SHA-256 (hex) over the contents' hashes of those before ``upto`` that
    stay (audit), in order; "" when none stay.
    """

    upto: int
    head: str
    records: int
    kept: str = ""


class BlobMissing(Event, frozen=True, kw_only=True):
    """A picture that an event names is gone or damaged. ``noticed_by``: actor or server."""

    blob: str
    noticed_by: str
    problem: str


class ActorFailed(Event, frozen=True, kw_only=True):
    """An actor stopped with an error; it is started again in ``retry_in`` seconds."""

    actor: str
    error: str
    failures: int
    retry_in: float


class ActorParked(Event, frozen=True, kw_only=True):
    """An optional actor failed too often and stays out until the next start."""

    actor: str
    error: str
    failures: int


EVENTS: tuple[type[Event], ...] = (
    ServiceStarted,
    ServiceStopped,
    LogRecovered,
    ClockStepped,
    TimerFired,
    Baseline,
    ChainSigned,
    LogPruned,
    BlobMissing,
    ActorFailed,
    ActorParked,
)

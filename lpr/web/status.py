"""The state of the service as the API and the status page show it. The service fills it; this room only shows it.

The sources report themselves in ``lpr.core.live``. Times are µs since the Unix epoch (UTC), None when it never
happened. May import ``lpr.core`` and ``lpr.events``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lpr.core.live import SourceStatus
from lpr.events import Micros

State = Literal["running", "waiting", "failed", "parked", "ended", "stopped"]
"""waiting: nothing to do or backing off; failed: starts again soon; parked: stays out until the next start."""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    state: State
    detail: str = ""


class ActorStatus(_Row, frozen=True, kw_only=True):
    """``cursor``: last record it has dealt with; ``behind``: records of the log after that."""

    cursor: int = 0
    behind: int = 0
    failures: int = 0


class SinkStatus(_Row, frozen=True, kw_only=True):
    """``waiting``: passages not yet delivered; ``parked``: refused ones, which can be sent again."""

    delivered: int = 0
    waiting: int = 0
    parked: int = 0
    last_delivery: Micros | None = None
    retry_at: Micros | None = None
    last_error: str = ""


class ClientStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A client of a protocol server. ``upto``: last record written to it."""

    server: str
    client: str
    since: Micros
    upto: int = 0


class ServerStatus(_Row, frozen=True, kw_only=True):
    """A server and where it listens."""

    address: str = ""
    clients: int = 0


class LogStatus(msgspec.Struct, frozen=True, kw_only=True):
    """``log_bytes``, ``picture_bytes``, ``free_bytes``: on the disk. ``picture_bytes``: null until it is known for the
    first time."""

    log_id: str
    head: int
    log_bytes: int = 0
    picture_bytes: int | None = None
    free_bytes: int = 0


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What a person should know at once. ``code``: "disk", "camera", …, the sentence under ``trouble`` in the pages'
    texts; ``values``: what fills its gaps."""

    code: str
    values: dict[str, str] = {}


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """``troubles``: what a person should know at once; empty: all is well. ``problems``: the same as sentences in
    English. ``hints``: what could be better though nothing is wrong; the sentences are under ``hint`` in the texts."""

    release: str
    device: str
    started: Micros
    now: Micros
    log: LogStatus
    troubles: tuple[Trouble, ...] = ()
    problems: tuple[str, ...] = ()
    hints: tuple[Trouble, ...] = ()
    sources: tuple[SourceStatus, ...] = ()
    actors: tuple[ActorStatus, ...] = ()
    sinks: tuple[SinkStatus, ...] = ()
    servers: tuple[ServerStatus, ...] = ()
    clients: tuple[ClientStatus, ...] = ()

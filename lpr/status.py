"""The state of the service in one value, for the API, the status page and programs that embed it.

May import ``lpr.core``, ``lpr.actors.figures``, ``lpr.web.status`` (whose words it fills) and ``lpr.web.texts``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from lpr.actors.figures import FiguresState
from lpr.core.supervise import ActorStatus as Supervised
from lpr.events import LogRecovered
from lpr.web.status import (
    ActorStatus,
    ClientStatus,
    LogStatus,
    ServerStatus,
    ServiceStatus,
    SinkStatus,
    State,
    Trouble,
)
from lpr.web.texts import DEFAULT, texts_of

STATES: Mapping[str, State] = {
    "starting": "running",
    "running": "running",
    "backing off": "failed",
    "waiting for the log": "waiting",
    "parked": "parked",
    "ended": "ended",
    "stopped": "stopped",
}
"""The supervisor's states in the words of the API."""


def actors_of(supervised: Sequence[Supervised]) -> tuple[ActorStatus, ...]:
    """How each actor is doing."""
    return tuple(
        ActorStatus(
            name=actor.name,
            state=STATES.get(actor.state, "running"),
            detail=actor.last_error,
            cursor=actor.position or 0,
            behind=actor.lag,
            failures=actor.failures,
        )
        for actor in supervised
    )


def sinks_of(names: Sequence[str], figures: FiguresState, supervised: Mapping[str, Supervised]) -> Iterator[SinkStatus]:
    """How each sink stands; ``waiting`` counts signed passages that are neither delivered nor parked."""
    for name in names:
        known = figures.sinks.get(name)
        actor = supervised.get(name)
        delivered, parked = (known.delivered, known.parked) if known else (0, 0)
        waits = known is not None and known.retry_at is not None
        state: State = "waiting" if waits else STATES.get(actor.state if actor else "stopped", "running")
        yield SinkStatus(
            name=name,
            state=state,
            detail=known.error if known else "",
            delivered=delivered,
            waiting=max(0, figures.signed - delivered - parked),
            parked=parked,
            last_delivery=known.last if known else None,
            retry_at=known.retry_at if known else None,
            last_error=known.error if known else "",
        )


def servers_of(figures: FiguresState, supervised: Mapping[str, Supervised]) -> Iterator[ServerStatus]:
    """Where each server listens and how many clients it has."""
    for name, address in figures.servers.items():
        actor = supervised.get(name)
        count = sum(client.server == name for client in figures.clients.values())
        state = STATES.get(actor.state if actor else "stopped", "running")
        yield ServerStatus(name=name, state=state, address=address, clients=count)


def clients_of(figures: FiguresState) -> tuple[ClientStatus, ...]:
    """Who is connected."""
    clients = figures.clients.values()
    return tuple(ClientStatus(server=c.server, client=c.client, since=c.since, upto=c.upto) for c in clients)


def disk_of(log: Path, log_id: str, head: int, picture_bytes: int | None) -> LogStatus:
    """Sizes on the disk; the write-ahead log counts. ``picture_bytes``: None when not yet known."""
    used = sum(part.stat().st_size for part in (log, log.with_name(log.name + "-wal")) if part.exists())
    free = shutil.disk_usage(log.parent).free
    return LogStatus(log_id=log_id, head=head, log_bytes=used, picture_bytes=picture_bytes, free_bytes=free)


def troubles_of(
    status: ServiceStatus,
    figures: FiguresState,
    recovered: Sequence[LogRecovered],
    min_free: int,
    streams: Mapping[str, str] | None = None,
) -> Iterator[Trouble]:
    """What a person should know at once. ``recovered``: on opening the log; ``min_free``: bytes; ``streams``: what a
    stream of live pictures offers otherwise than configured, by its name."""
    for event in recovered[:1]:
        yield trouble("recovered", problem=event.problem, remedy=event.remedy)
    if status.log.free_bytes < min_free:
        yield trouble("disk", free=status.log.free_bytes // 1_000_000)
    if figures.missing_pictures:
        yield trouble("pictures", count=figures.missing_pictures)
    for actor in status.actors:
        if actor.state == "parked":
            yield trouble("parked", name=actor.name, detail=actor.detail)
        elif actor.state in ("failed", "waiting") and actor.detail:
            yield trouble("actor", name=actor.name, detail=actor.detail)
    for source in status.sources:
        if source.state in ("lost", "stalled", "waiting"):
            yield trouble("camera", name=source.source, detail=source.message or source.state)
    for name, detail in (streams or {}).items():
        yield trouble("stream", name=name, detail=detail)
    for sink in status.sinks:
        if sink.state == "waiting":
            yield trouble("sink", name=sink.name, detail=sink.last_error, count=sink.waiting)
        if sink.parked:
            yield trouble("refused", name=sink.name, count=sink.parked)


def hints_of(plain: Sequence[str]) -> Iterator[Trouble]:
    """What could be better though nothing is wrong. ``plain``: streams that are MJPEG for want of PyAV."""
    if plain:
        yield trouble("mjpeg", names=", ".join(plain))


def trouble(code: str, **values: object) -> Trouble:
    """A trouble with its values as text."""
    return Trouble(code=code, values={name: str(value) for name, value in values.items()})


def with_troubles(status: ServiceStatus, troubles: Sequence[Trouble]) -> ServiceStatus:
    """The status with these troubles, and with the sentences that say them in English."""
    english = texts_of(DEFAULT)
    said = tuple(english(f"trouble.{each.code}", **each.values) for each in troubles)
    return msgspec.structs.replace(status, troubles=tuple(troubles), problems=said)


class News:
    """Which problems to tell on the terminal: each once when it comes and once when it is over.

    Problems that differ in numbers alone (what is free, what waits) are the same one.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, problems: Sequence[str]) -> list[str]:
        """What is new since the last time."""
        now = {re.sub(r"\d+", "#", problem): problem for problem in problems}
        told = [problem for key, problem in now.items() if key not in self._known]
        told += [f"no longer: {problem}" for key, problem in self._known.items() if key not in now]
        self._known = {key: self._known.get(key, problem) for key, problem in now.items()}
        return told

"""The loop of a sink: every signed passage, in order, to one receiver, until it has it or refuses it.

The cursor moves with Delivered or DeliveryParked in one transaction; before that nothing is recorded but failed
attempts, so a crash means at most one repetition, with the same id. Decisions are in ``lpr.core.delivery``.
May import ``lpr.events`` only.
"""

from __future__ import annotations

from typing import Protocol

from lpr.core.blobs import BlobStore
from lpr.core.clock import Clock
from lpr.core.delivery import BackoffPolicy, DeliveryState, Outcome, Refused, Shipment, evolve, settle, waiting
from lpr.core.errors import BlobDamagedError, BlobMissingError
from lpr.core.log import EventLog
from lpr.core.record import Record
from lpr.events import (
    BlobMissing,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    PassageDecided,
    PassageSigned,
)

_JOBS = frozenset({PassageSigned.__name__, DeliveryRequested.__name__})
_OWN = frozenset({Delivered.__name__, DeliveryFailed.__name__, DeliveryParked.__name__})
_PAGE = 100


class Sink(Protocol):
    """A receiver of passages. ``name``: unique among actors; it is the cursor's name and stands in the events."""

    @property
    def name(self) -> str: ...

    async def deliver(self, shipment: Shipment) -> Outcome:
        """Try once. Never raises for an expected fault: that is an ``Unavailable`` or a ``Refused``.

        May raise BlobMissingError and BlobDamagedError for a picture that it needs: the passage is then parked.
        """
        ...


async def run_sink(
    sink: Sink, log: EventLog, blobs: BlobStore, clock: Clock, policy: BackoffPolicy, *, start: int = 0
) -> None:
    """Deliver until cancelled. ``start``: where a sink without a cursor begins (``log.head``: only what is new).

    Raises LogUnavailable and whatever ``deliver`` raises beyond its contract; to be supervised.
    """
    cursor = await log.cursor(sink.name)
    if not cursor and start:
        await log.append((), actor=sink.name, cursor=start)
        cursor = start
    state = await _where_it_stood(sink.name, log, cursor)
    while True:
        head = log.head
        jobs = await log.read(cursor, types=_JOBS, limit=_PAGE, upto=head)
        for job in jobs:
            if _is_for(job, sink.name):
                await _ship(sink, log, blobs, clock, policy, job, state)
                state = DeliveryState()
            cursor = job.seq
            log.positions[sink.name] = cursor
        if len(jobs) < _PAGE:
            cursor = max(cursor, head)
            log.positions[sink.name] = cursor
            await log.wait(cursor)


async def _where_it_stood(sink: str, log: EventLog, cursor: int) -> DeliveryState:
    """Fold the sink's own events since its cursor."""
    state, after = DeliveryState(), cursor
    while page := await log.read(after, types=_OWN):
        for record in page:
            state = evolve(state, sink, record.event, record.wall)
        after = page[-1].seq
    return state


def _is_for(job: Record, sink: str) -> bool:
    event = job.event
    return not isinstance(event, DeliveryRequested) or event.sink == sink


async def _ship(
    sink: Sink,
    log: EventLog,
    blobs: BlobStore,
    clock: Clock,
    policy: BackoffPolicy,
    job: Record,
    state: DeliveryState,
) -> None:
    """Try until the delivery of ``job`` is closed, and close it in the log together with the cursor."""
    found = await _load(log, job)
    if isinstance(found, DeliveryParked):
        parked = DeliveryParked(
            sink=sink.name, passage=found.passage, record=found.record, attempt=0, reason=found.reason
        )
        await log.append((parked,), actor=sink.name, cause=job.seq, cursor=job.seq)
        return
    told: set[str] = set()
    wait = waiting(state, policy, found.record, clock.wall())
    while True:
        if wait > 0:
            await clock.sleep(wait)
        missing = await _missing(sink.name, blobs, found.signed)
        outcome, needed = await _try(sink, found)
        noticed = {event.blob: event for event in (*needed, *missing) if event.blob not in told}
        told |= noticed.keys()
        step = settle(state, policy, sink.name, found, outcome, clock.wall(), clock.jitter())
        if step.events or noticed:
            cursor = job.seq if step.done else None
            await log.append((*noticed.values(), *step.events), actor=sink.name, cause=job.seq, cursor=cursor)
        if step.done:
            return
        state, wait = step.state, step.wait


async def _missing(sink: str, blobs: BlobStore, signed: PassageSigned) -> list[BlobMissing]:
    """The pictures of a passage that are gone or damaged."""
    found: list[BlobMissing] = []
    for picture in (signed.picture, signed.plate_picture):
        try:
            if picture.blob:
                await blobs.get(picture.blob)
        except (BlobMissingError, BlobDamagedError) as error:
            found.append(BlobMissing(blob=picture.blob, noticed_by=sink, problem=str(error)))
    return found


async def _try(sink: Sink, shipment: Shipment) -> tuple[Outcome, tuple[BlobMissing, ...]]:
    try:
        return await sink.deliver(shipment), ()
    except (BlobMissingError, BlobDamagedError) as error:
        noticed = BlobMissing(blob=error.blob, noticed_by=sink.name, problem=str(error))
        return Refused(str(error)), (noticed,)


async def _load(log: EventLog, job: Record) -> Shipment | DeliveryParked:
    """Join PassageSigned with its PassageDecided; DeliveryParked (without a sink) when one is gone."""
    event = job.event
    signed_record = await log.get(event.record) if isinstance(event, DeliveryRequested) else job
    signed = signed_record.event if signed_record is not None else None
    if signed_record is None or not isinstance(signed, PassageSigned):
        passage, record = (event.passage, event.record) if isinstance(event, DeliveryRequested) else ("", job.seq)
        reason = "the passage is no longer in the log" if signed_record is None else "that record is not a passage"
        return DeliveryParked(sink="", passage=passage, record=record, attempt=0, reason=reason)
    decided_record = await log.by_id(signed.passage)
    decided = decided_record.event if decided_record is not None else None
    if not isinstance(decided, PassageDecided):
        reason = "the passage's decision is no longer in the log"
        return DeliveryParked(sink="", passage=signed.passage, record=signed_record.seq, attempt=0, reason=reason)
    return Shipment(signed_record.seq, signed.passage, decided, signed)

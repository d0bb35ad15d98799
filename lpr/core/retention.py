"""What is kept and for how long: records and pictures deleted by range, in small transactions, verifiably.

How it works
- The cut is a sequence number: everything up to it goes, but for what ``Keep`` names. It follows from the age in
  days and, when pictures take more room than allowed, from their size. It never passes what a running actor still
  needs: a decider's records after its latest Baseline, a worker's after its cursor, an open delivery's two records.
- LogPruned is written first, with the chain's hash at the cut and a digest of what stays before it; ``sign`` may
  then close the chain with a signed checkpoint; after that records are deleted bit by bit. Cut short by a crash, the
  next run deletes the rest.
- A picture goes when no record names it any more. Files that were never named (a crash between picture and event)
  are found folder by folder, once they are older than the grace period.

Audit records (log-ins, API calls) stay ``audit_days``; users, passwords and the last state of each source stay for
good, because the present can't be told without them. May import ``lpr.events`` only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

import msgspec

from lpr.core.blobs import BlobStore
from lpr.core.chain import KeptDigest
from lpr.core.clock import SECOND, Clock
from lpr.core.log import EventLog
from lpr.core.record import Link, Record, seq_of
from lpr.events import (
    ApiCalled,
    Baseline,
    CaptureTaken,
    DeliveryRequested,
    Event,
    FileTransferred,
    FramesPassed,
    LoggedIn,
    LoginFailed,
    LogPruned,
    Micros,
    OnvifChanged,
    PassageSigned,
    PasswordSet,
    SourceEnded,
    SourceOpened,
    UserAdded,
    UserChanged,
    UserRemoved,
)

DAY: Micros = 86_400 * SECOND
ACTOR = "retention"
PAGE = 1000
BATCH = 500
"""Records deleted in one transaction."""

CANDIDATES = 20_000
"""Pictures considered for deletion in one pass."""

FOLDERS = 16
"""Folders of 256 searched for files that nobody named, in each run."""

GRACE: Micros = 3600 * SECOND
"""A picture younger than this may still be named by an event on its way."""

_BLOB = re.compile(rb'"blob":"([0-9a-f]{64})"')
_PICTURE = re.compile(rb'"blob":"([0-9a-f]{64})","width":\d+,"height":\d+,"bytes":(\d+)')
_JOBS = frozenset({PassageSigned.__name__, DeliveryRequested.__name__})

AUDIT: frozenset[str] = frozenset(event.__name__ for event in (LoggedIn, LoginFailed, ApiCalled, FileTransferred))
"""Kept ``audit_days``."""

LASTING: frozenset[str] = frozenset(
    e.__name__ for e in (UserAdded, UserChanged, UserRemoved, PasswordSet, OnvifChanged)
)
"""Kept for ever."""

NEWEST: frozenset[str] = frozenset(e.__name__ for e in (SourceOpened, SourceEnded, FramesPassed, CaptureTaken))
"""The newest of each source is kept: where a file was left, and when it began."""


class RetentionSettings(Protocol):
    """``lpr.config.Retention`` fits."""

    @property
    def days(self) -> float:
        """Age at which records and pictures go; 0: never."""
        ...

    @property
    def max_pictures_mb(self) -> int:
        """Room for pictures, in MB of 1,000,000 bytes; 0: no limit."""
        ...

    @property
    def every(self) -> float:
        """Seconds between two runs."""
        ...

    @property
    def audit_days(self) -> float:
        """Age at which audit records go; 0: never."""
        ...


@dataclass(frozen=True)
class Needs:
    """Who still needs what. ``deciders``, ``workers``, ``sinks``: the names of those that run."""

    deciders: Collection[str] = ()
    workers: Collection[str] = ()
    sinks: Collection[str] = ()


@dataclass
class Pruned:
    """What a run did. ``cut``: 0 when nothing was to be pruned."""

    cut: int = 0
    records: int = 0
    blobs: int = 0
    bytes_freed: int = 0


@dataclass
class _Plan:
    """What stays before a cut, and what goes."""

    digest: KeptDigest = field(default_factory=KeptDigest)
    kept: list[int] = field(default_factory=list[int])
    goes: int = 0


Seal: TypeAlias = Callable[[], Awaitable[object]]
"""Closes the chain with a signed checkpoint (``Checkpointer.checkpoint``)."""


class Retention:
    """An actor of its own kind: it deletes. ``run`` is to be supervised, as optional."""

    name = ACTOR

    def __init__(
        self,
        log: EventLog,
        blobs: BlobStore,
        clock: Clock,
        settings: RetentionSettings,
        needs: Needs,
        seal: Seal | None = None,
        grace: Micros = GRACE,
    ) -> None:
        self._log = log
        self._blobs = blobs
        self._clock = clock
        self._settings = settings
        self._needs = needs
        self._seal = seal
        self._grace = grace
        self._folder = 0
        self._done = Pruned()

    async def run(self) -> None:
        """Prune now and every ``settings.every`` seconds, until cancelled."""
        while True:
            await self.prune()
            await self._clock.sleep(self._settings.every)

    async def prune(self) -> Pruned:
        """One run. Raises LogUnavailable; safe to be cut short at any place."""
        self._done = Pruned()
        previous = await self._last_cut()
        old = previous.upto if previous is not None else 0
        if old:
            await self._delete(old)
        cut = min(max(await self._cut_by_age(), await self._cut_by_size(old)), await self._limit())
        if cut > old:
            await self._cut_at(cut)
        await self._search_folders()
        return self._done

    async def _cut_at(self, cut: int) -> None:
        """Record the cut, seal the chain, then delete."""
        plan = await self._plan(cut)
        last = await self._at_or_before(cut)
        if not plan.goes or last is None:
            return
        event = LogPruned(upto=last.seq, head=last.hash.hex(), records=plan.goes, kept=plan.digest.hex())
        await self._log.append((event,), actor=ACTOR, also=partial(_keep, plan.kept))
        if self._seal is not None:
            await self._seal()
        await self._delete(last.seq)
        self._done.cut = last.seq

    # --- where to cut ----------------------------------------------------------------------------------

    async def _last_cut(self) -> LogPruned | None:
        found = await self._log.read_back(types=(LogPruned.__name__,), limit=1)
        event = found[0].event if found else None
        return event if isinstance(event, LogPruned) else None

    async def _at_or_before(self, seq: int) -> Link | None:
        found = await self._log.read_back(seq + 1, limit=1)
        return found[0] if found else None

    async def _cut_by_age(self) -> int:
        """The last record that is old enough, by bisection: numbers rise with time but for steps of the clock."""
        if not self._settings.days:
            return 0
        limit = self._clock.wall() - round(self._settings.days * DAY)
        low, high = 0, self._log.head
        while low < high:
            middle = (low + high + 1) // 2
            found = await self._log.read(middle - 1, limit=1)
            if found and found[0].wall < limit:
                low = max(middle, found[0].seq)
            else:
                high = middle - 1
        return min(low, self._log.head)

    async def _cut_by_size(self, after: int) -> int:
        """The record up to which pictures must go for the rest to fit."""
        allowed = self._settings.max_pictures_mb * 1_000_000
        if not allowed:
            return 0
        excess = await self._blobs.total() - allowed
        seen: set[bytes] = set()
        cut = 0
        while excess > 0 and (page := await self._log.read(after, limit=PAGE)):
            for record in page:
                for blob, size in _PICTURE.findall(record.body):
                    excess -= 0 if blob in seen else int(size)
                    seen.add(blob)
                cut = record.seq
                if excess <= 0:
                    break
            after = page[-1].seq
        return cut

    async def _limit(self) -> int:
        """The last record that nobody running needs any more."""
        log = self._log
        cursors = await log.cursors()
        limit = log.head

        def reached(name: str) -> int:
            return max(cursors.get(name, (0, 0))[0], log.positions.get(name, 0))

        for name in self._needs.deciders:
            record = await log.baseline(name)
            event = record.event if record is not None else None
            limit = min(limit, event.upto if isinstance(event, Baseline) else 0)
        for name in self._needs.workers:
            limit = min(limit, reached(name))
        for name in self._needs.sinks:
            limit = min(limit, await self._limit_of_sink(name, reached(name)))
        return limit

    async def _limit_of_sink(self, name: str, cursor: int) -> int:
        """The last record before those that the open deliveries of a sink consist of."""
        limit = self._log.head
        after = cursor
        while page := await self._log.read(after, types=_JOBS, limit=PAGE):
            for record in page:
                event = record.event
                if isinstance(event, DeliveryRequested):
                    if event.sink == name:
                        limit = min(limit, record.seq - 1, *_parts(await self._log.get(event.record)))
                else:
                    limit = min(limit, *_parts(record))
            after = page[-1].seq
        return limit

    # --- what stays ------------------------------------------------------------------------------------

    async def _plan(self, cut: int) -> _Plan:
        """Walk over everything up to ``cut``: what stays and what goes."""
        audit_from = self._clock.wall() - round(self._settings.audit_days * DAY) if self._settings.audit_days else 0
        newest = await self._newest(cut)
        plan, after = _Plan(), 0
        while page := await self._log.read(after, limit=PAGE, upto=cut):
            for record in page:
                stays = record.type in LASTING or record.seq in newest
                if stays or (record.type in AUDIT and record.wall >= audit_from):
                    plan.digest.add(record)
                    plan.kept.append(record.seq)
                else:
                    plan.goes += 1
            after = page[-1].seq
        return plan

    async def _newest(self, cut: int) -> frozenset[int]:
        """The newest record of each of the types ``NEWEST`` and each source, up to ``cut``."""
        newest: dict[tuple[str, str], int] = {}
        after = 0
        while page := await self._log.read(after, types=NEWEST, limit=PAGE, upto=cut):
            for record in page:
                newest[record.type, _source(record)] = record.seq
            after = page[-1].seq
        return frozenset(newest.values())

    # --- deleting --------------------------------------------------------------------------------------

    async def _delete(self, upto: int) -> None:
        """Delete what goes up to ``upto``, batch by batch, and the pictures that nothing else names."""
        named: set[str] = set()
        kept = await self._log.kept()
        after = 0
        while page := await self._log.read(after, limit=BATCH, upto=upto):
            goes = [record for record in page if record.seq not in kept]
            if goes:
                named.update(blob for record in goes for blob in blobs_of(record))
                await self._log.delete([record.seq for record in goes])
                self._done.records += len(goes)
            after = page[-1].seq
            if len(named) >= CANDIDATES:
                await self._discard(named)
                named = set()
        await self._discard(named)

    async def _search_folders(self) -> None:
        """Find pictures that nobody ever named, in the next few folders."""
        candidates: set[str] = set()
        since = await self._blobs.now() - self._grace
        for _ in range(FOLDERS):
            stored = await self._blobs.listing(f"{self._folder:02x}")
            candidates.update(one.blob for one in stored if one.modified < since)
            self._folder = (self._folder + 1) % 256
            if len(candidates) >= CANDIDATES:
                break
        await self._discard(candidates)

    async def _discard(self, candidates: set[str]) -> None:
        """Delete those of ``candidates`` that no record names and that are old enough."""
        if not candidates:
            return
        since = await self._blobs.now() - self._grace
        after = 0
        while candidates and (page := await self._log.read(after, limit=PAGE)):
            for record in page:
                candidates.difference_update(blobs_of(record))
            after = page[-1].seq
        removed = await self._blobs.remove(candidates, unmodified_since=since)
        self._done.blobs += removed.files
        self._done.bytes_freed += removed.bytes


def blobs_of(record: Record) -> list[str]:
    """The pictures that a record names, whatever its type or version."""
    return [name.decode("ascii") for name in _BLOB.findall(record.body)]


def _parts(signed: Record | None) -> list[int]:
    """For the records that a shipment consists of: the last ones before each."""
    event: Event | None = signed.event if signed is not None else None
    if signed is None or not isinstance(event, PassageSigned):
        return []
    try:
        return [signed.seq - 1, seq_of(event.passage) - 1]
    except ValueError:
        return [signed.seq - 1]


class _Sourced(msgspec.Struct):
    source: str = ""


def _source(record: Record) -> str:
    return msgspec.json.decode(record.body, type=_Sourced).source


def _keep(seqs: list[int], connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM kept")
    connection.executemany("INSERT INTO kept VALUES (?)", [(seq,) for seq in seqs])

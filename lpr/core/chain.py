"""The hash chain over the log: signing checkpoints, and telling whether anything was altered or removed.

The key lives elsewhere: this module is given ``sign`` and ``check`` callbacks. What the chain shows: a record that
was changed, removed or put in between. What it can't show by itself: records removed from the very end, unless a
copy of a later checkpoint is kept somewhere else. May import ``lpr.events`` only.

After pruning, the chain begins at the cut: ``LogPruned.head`` is the hash of the last record removed. Records before
the cut that stay (audit) are covered by ``LogPruned.kept``. After a salvage, a gap that a LogRecovered owns up to is
reported as a gap, not as an alteration; a checkpoint over a record that lies in such a gap says nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from lpr.core.clock import Clock
from lpr.core.errors import LogClosedError, LogDamagedError, LogUnavailable, RecordError
from lpr.core.log import EventLog
from lpr.core.reader import LogReader
from lpr.core.record import Link, chain_hash, content, genesis
from lpr.events import ChainSigned, Event, LogPruned, LogRecovered

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signature of a text: RSA PKCS#1 v1.5 over SHA-256."""

Check: TypeAlias = Callable[[str, bytes, bytes], bool | None]
"""(fingerprint of the key, text, signature) -> whether it is right; None when that key isn't known."""

PAGE = 2000
MAX_PROBLEMS = 100
"""Problems named in a report at most; they are counted on."""

STOP_TIMEOUT = 5.0
ACTOR = "chain"


def checkpoint_text(log_id: str, upto: int, head: str) -> bytes:
    """What a checkpoint signs. ``head``: chain hash of the record ``upto``, hex."""
    return f"lpr-chain:{log_id}:{upto}:{head}".encode("ascii")


# --- signing -------------------------------------------------------------------------------------------


class Checkpointer:
    """Appends ChainSigned every ``every`` seconds and when it is stopped. ``key``: fingerprint of the key, hex."""

    name = ACTOR

    def __init__(self, log: EventLog, clock: Clock, sign: Sign, key: str, every: float = 3600.0) -> None:
        self._log = log
        self._clock = clock
        self._sign = sign
        self._key = key
        self._every = every

    async def run(self) -> None:
        """Until cancelled; the last checkpoint is written then. To be supervised."""
        try:
            while True:
                await self._clock.sleep(self._every)
                await self.checkpoint()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(STOP_TIMEOUT, shield=True):
                await self._last()
            raise

    async def checkpoint(self) -> Link | None:
        """Sign the chain's head now; None when there is nothing new since the last checkpoint."""
        found = await self._log.read_back(limit=1)
        if not found or found[0].type == ChainSigned.__name__:
            return None
        upto, head = found[0].seq, found[0].hash.hex()
        signature = self._sign(checkpoint_text(self._log.log_id, upto, head)).hex()
        event = ChainSigned(upto=upto, head=head, key=self._key, signature=signature)
        return (await self._log.append((event,), actor=ACTOR, cause=upto))[0]

    async def _last(self) -> None:
        try:
            await self.checkpoint()
        except (LogUnavailable, LogClosedError, LogDamagedError):
            return


# --- verifying -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """The chain is broken at record ``seq``."""

    seq: int
    text: str


@dataclass(frozen=True)
class Gap:
    """Records after ``after`` and before ``before`` were lost, and the record ``declared_by`` says so."""

    after: int
    before: int
    declared_by: int


@dataclass(frozen=True)
class ChainReport:
    """What verifying found.

    ``records``: looked at. ``first``, ``last``: sequence numbers of the chain proper. ``pruned_upto``: retention's
    cut, 0 none; ``kept``: records before it that stay. ``problems``: first ones first; ``problem_count``: all.
    ``gaps``: losses that the log owns up to. ``signed_upto``: last record covered by a good signature;
    ``checkpoints``: good signatures; ``unknown_keys``: fingerprints whose signatures could not be checked.
    ``head``: hash of the last record, hex: keep it elsewhere to notice a shortened log.
    """

    records: int
    first: int
    last: int
    head: str
    pruned_upto: int
    kept: int
    problems: tuple[Problem, ...]
    problem_count: int
    gaps: tuple[Gap, ...]
    checkpoints: int
    signed_upto: int
    unknown_keys: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing was altered, removed or put in between, as far as the chain can tell."""
        return self.problem_count == 0

    @property
    def first_broken(self) -> int | None:
        """The first record at which the chain breaks."""
        return self.problems[0].seq if self.problems else None


class KeptDigest:
    """SHA-256 over the contents' hashes of the records that stay before a cut, in order: ``LogPruned.kept``."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def add(self, record: Link) -> None:
        self.count += 1
        self._hash.update(hashlib.sha256(content(record)).digest())

    def hex(self) -> str:
        """Empty when nothing stays."""
        return self._hash.hexdigest() if self.count else ""


class _Walk:
    """The state of a verification: fed with every record in order."""

    def __init__(self, log_id: str, pruned: LogPruned | None, kept: frozenset[int], check: Check | None) -> None:
        self.log_id = log_id
        self.cut = pruned.upto if pruned is not None else 0
        self.pruned = pruned
        self.kept = kept
        self.check = check
        self.hash = bytes.fromhex(pruned.head) if pruned is not None else genesis(log_id)
        self.seq = self.cut
        self.first = 0
        self.records = 0
        self.digest = KeptDigest()
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.breaks: list[tuple[int, int]] = []
        self.declared: dict[int, int] = {}
        self.baseless: list[tuple[int, int]] = []
        self.checkpoints = 0
        self.signed_upto = 0
        self.unknown: set[str] = set()

    def problem(self, seq: int, text: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(seq, text))

    def feed(self, record: Link, hash_of: Callable[[int], bytes | None]) -> None:
        self.records += 1
        if record.seq <= self.cut:
            if record.seq in self.kept:
                self.digest.add(record)
            return
        self.first = self.first or record.seq
        if record.hash != chain_hash(self.hash, content(record)):
            if record.seq == self.seq + 1:
                self.problem(record.seq, "the record was altered, or the one before it was")
            else:
                self.breaks.append((self.seq, record.seq))
        if record.type == LogRecovered.__name__:
            event = _event(record)
            if isinstance(event, LogRecovered):
                self.declared.setdefault(event.lost_after, record.seq)
        elif record.type == ChainSigned.__name__:
            self.signed(record, hash_of)
        self.seq, self.hash = record.seq, record.hash

    def signed(self, record: Link, hash_of: Callable[[int], bytes | None]) -> None:
        event = _event(record)
        if not isinstance(event, ChainSigned) or event.upto <= self.cut:
            return
        hash_ = hash_of(event.upto)
        if hash_ is None:
            self.baseless.append((record.seq, event.upto))
            return
        if hash_.hex() != event.head:
            self.misfit(record.seq, event.upto)
            return
        if self.check is None:
            self.unknown.add(event.key)
            return
        try:
            signature = bytes.fromhex(event.signature)
        except ValueError:
            signature = b""
        verdict = self.check(event.key, checkpoint_text(self.log_id, event.upto, event.head), signature)
        if verdict is None:
            self.unknown.add(event.key)
        elif verdict:
            self.checkpoints += 1
            self.signed_upto = max(self.signed_upto, event.upto)
        else:
            self.problem(record.seq, f"the checkpoint over record {event.upto} has a false signature")

    def misfit(self, seq: int, upto: int) -> None:
        self.problem(seq, f"the checkpoint doesn't fit record {upto}: the chain was built anew")

    def report(self) -> ChainReport:
        gaps: list[Gap] = []
        for after, before in self.breaks:
            if after in self.declared:
                gaps.append(Gap(after, before, self.declared[after]))
            else:
                self.problem(before, f"records {after + 1} to {before - 1} were removed")
        for seq, upto in self.baseless:
            if not any(gap.after < upto < gap.before for gap in gaps):
                self.misfit(seq, upto)
        if self.pruned is not None and self.digest.hex() != self.pruned.kept:
            self.problem(self.cut, f"the records kept before the cut at {self.cut} were altered or removed")
        return ChainReport(
            records=self.records,
            first=self.first,
            last=self.seq,
            head=self.hash.hex(),
            pruned_upto=self.cut,
            kept=self.digest.count,
            problems=tuple(sorted(self.problems, key=lambda problem: problem.seq)),
            problem_count=self.problem_count,
            gaps=tuple(gaps),
            checkpoints=self.checkpoints,
            signed_upto=self.signed_upto,
            unknown_keys=tuple(sorted(self.unknown)),
        )


def _event(record: Link) -> Event | None:
    """The event; None for a body that was altered until it fits no more."""
    try:
        return record.event
    except RecordError:
        return None


async def verify(log: LogReader, check: Check | None = None) -> ChainReport:
    """Walk the whole log. ``check``: of signatures; without it only the chain itself is looked at.

    Raises LogUnavailable, LogDamagedError.
    """
    head = await log.head()
    found = await log.read_back(head + 1, types=(LogPruned.__name__,), limit=1)
    event = found[0].event if found else None
    pruned = event if isinstance(event, LogPruned) else None
    walk = _Walk(log.log_id, pruned, await log.kept() if pruned is not None else frozenset(), check)
    after = 0
    while page := await log.read(after, limit=PAGE, upto=head):
        wanted = [e.upto for r in page if r.type == ChainSigned.__name__ and isinstance(e := _event(r), ChainSigned)]
        hashes = {record.seq: record.hash for record in page}
        for seq in wanted:
            if seq not in hashes and (earlier := await log.get(seq)) is not None:
                hashes[seq] = earlier.hash
        for record in page:
            walk.feed(record, hashes.get)
        after = page[-1].seq
    return walk.report()

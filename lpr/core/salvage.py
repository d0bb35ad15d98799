"""A damaged log: keep the file, carry everything that can be read into a new one, and say what is missing.

Steps, each safe to be cut short: the new file is built under ``.salvage-part``, named ``.salvage`` when it is
whole, the old file and its WAL are renamed to ``.damaged-<n>``, the new one takes the place. ``finish`` does the rest
after a crash in between. Sequence numbers go on far behind the last one, so none is used twice.
Damage must not look like forgery, nor forgery like damage. Where a record and its hash disagree, the neighbours decide:
both can restore a hash that alone is damaged; a record beside a gap that no neighbour stands for counts as lost; any
other is carried over as it is, and ``lpr verify`` names it.
May import ``lpr.events`` only.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from lpr.core import store
from lpr.core.errors import LogUnavailable, RecordError
from lpr.core.record import CODEC, Link, chain_hash, content, content_of, genesis, tag_of
from lpr.events import Baseline, BlobMissing, DeliveryFailed, LogPruned, LogRecovered, Micros

JUMP = 1_000_000
"""Numbers left out behind the last one known: the lost records had some of them."""

_CHUNK = 256
_ROW_AT_LEAST = 64  # bytes that a record takes in the file: bounds the numbers used in one that can't be read
_MAX_GAPS = 1000
"""Gaps that are told, an event each; ``lpr verify`` calls records behind further ones removed."""
_NO_CURSOR = {DeliveryFailed.__name__, BlobMissing.__name__}
_ACTOR = "log"


class Stamp(NamedTuple):
    """Time and chance at the opening of the log. ``log_id``: for a log that has to be made."""

    wall: Micros
    mono: Micros
    boot: str
    log_id: str


class Gap(NamedTuple):
    """Records after ``after`` and before ``before`` can't be read."""

    after: int
    before: int


@dataclass
class Found:
    """What could be read. ``restored``: chain hashes; ``tail``: whether the end is known to be whole."""

    log_id: str
    kept: int = 0
    restored: int = 0
    last: int = 0
    used: int = 0
    tail: bool = False
    gaps: list[Gap] = field(default_factory=list[Gap])
    cursors: dict[str, int] = field(default_factory=dict[str, int])
    derived: dict[str, int] = field(default_factory=dict[str, int])
    baselines: dict[str, int] = field(default_factory=dict[str, int])


def salvage(path: Path, problem: str, stamp: Stamp) -> tuple[LogRecovered, ...]:
    """Replace the damaged log at ``path``; returns what was recorded in the new one.

    Raises LogUnavailable when there is no room for it: the damaged log is then as it was.
    """
    part = path.with_name(path.name + ".salvage-part")
    part.unlink(missing_ok=True)
    aside = _free_name(path)
    try:
        recovered = _build(path, part, problem, aside, stamp)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise LogUnavailable(f"{path} is damaged and there is no room to salvage it: {error}; make room") from error
    part.replace(_ready(path))
    finish(path)
    return recovered


def finish(path: Path) -> None:
    """Put a salvaged log into its place, if one is waiting."""
    ready = _ready(path)
    if not ready.exists():
        return
    aside = _free_name(path)
    if path.exists():
        path.replace(aside)
    else:
        aside = _last_name(path)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        wal.replace(aside.with_name(aside.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    ready.replace(path)
    store.suspect_marker(path).unlink(missing_ok=True)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _ready(path: Path) -> Path:
    return path.with_name(path.name + ".salvage")


def _free_name(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.name}.damaged-{number}").exists():
        number += 1
    return path.with_name(f"{path.name}.damaged-{number}")


def _last_name(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.name}.damaged-{number + 1}").exists():
        number += 1
    return path.with_name(f"{path.name}.damaged-{number}")


def _build(path: Path, part: Path, problem: str, aside: Path, stamp: Stamp) -> tuple[LogRecovered, ...]:
    """Write the new log whole: readable records, cursors, and what happened."""
    with closing(_new_file(part)) as target, closing(_Damaged(path)) as damaged:
        found = Found(damaged.log_id() or stamp.log_id)
        store.create(target, found.log_id)
        target.execute("BEGIN")
        found.cursors = damaged.cursors()
        found.used = damaged.used()
        pruned = damaged.pruned()
        last_hash = _carry(damaged, target, found, pruned)
        found.tail = found.last > 0 and found.last == found.used
        target.executemany("INSERT INTO kept VALUES (?)", [(seq,) for seq in damaged.kept_seqs()])
        _place_cursors(target, found)
        base = max(found.used, found.last, 0 if found.last else damaged.size() // _ROW_AT_LEAST) + JUMP
        told = _tell(found, problem, aside)
        _write_told(target, told, base, last_hash, stamp)
        target.execute("COMMIT")
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return told


def _new_file(part: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(part, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _carry(damaged: _Damaged, target: sqlite3.Connection, found: Found, pruned: LogPruned | None) -> bytes:
    """Copy every record that can be read and isn't contradicted by its neighbours; returns the hash to go on from.

    ``pruned``: the last cut of retention; what lies before it has holes by right, the chain begins behind it.
    """
    cut, start = (pruned.upto, bytes.fromhex(pruned.head)) if pruned is not None else (0, genesis(found.log_id))
    previous, after = start, cut
    for record, following in pairwise(chain(damaged.records(), (None,))):
        if record is None:
            break
        if record.seq > cut and record.hash != (proper := chain_hash(previous, content(record))):
            hash_ = _settled(record, following, proper if record.seq == after + 1 else None)
            if hash_ is None:
                continue
            if record.seq > after + 1:
                found.gaps.append(Gap(after, record.seq))
            found.restored += hash_ != record.hash
            record = msgspec.structs.replace(record, hash=hash_)
        store.insert(target, record)
        found.kept += 1
        found.last = record.seq
        _derive(record, found)
        if record.seq > cut:
            after, previous = record.seq, record.hash
    return previous


def _settled(record: Link, following: Link | None, proper: bytes | None) -> bytes | None:
    """The hash to carry over a record with that doesn't fit the hash before it; None: it counts as lost.

    ``following``: the next record that can be read; ``proper``: the hash by the record before it, None behind a gap.
    """
    if following is None or following.seq != record.seq + 1:
        return record.hash if proper is None else None
    if following.hash == chain_hash(record.hash, content(following)):
        return record.hash
    if proper is None:
        return None
    return proper if following.hash == chain_hash(proper, content(following)) else record.hash


def _derive(record: Link, found: Found) -> None:
    """How far an actor had come, from what it wrote."""
    cursor = record.cause
    if record.type == Baseline.__name__:
        event = record.event
        found.baselines[record.actor] = record.seq
        cursor = event.upto if isinstance(event, Baseline) else 0
    elif record.type in _NO_CURSOR:
        cursor = 0
    if cursor:
        found.derived[record.actor] = max(found.derived.get(record.actor, 0), cursor)


def _place_cursors(target: sqlite3.Connection, found: Found) -> None:
    """Where the end was lost, actors go back to what they are known to have written, and do the rest again.

    One of which nothing is left does everything again: what it wrote was lost, so nothing comes twice.
    """
    for actor in sorted(found.cursors.keys() | found.derived.keys()):
        stored, derived = found.cursors.get(actor), found.derived.get(actor, 0)
        if stored is None or not found.tail:
            stored = derived if stored is None else min(stored, derived)
        target.execute("INSERT INTO cursors VALUES (?, ?, ?)", (actor, stored, found.baselines.get(actor, 0)))


def _tell(found: Found, problem: str, aside: Path) -> tuple[LogRecovered, ...]:
    restored = f", {found.restored} of them with a chain hash restored from its neighbours" if found.restored else ""
    remedy = (
        f"{found.kept} records carried over{restored}; the damaged file is kept as {aside.name} "
        "(sqlite3's .recover may find more)"
    )
    told = [
        LogRecovered(
            problem=f"{problem}: records {gap.after + 1} to {gap.before - 1} can't be read",
            remedy=remedy,
            kept=found.kept,
            lost_after=gap.after,
        )
        for gap in found.gaps[:_MAX_GAPS]
    ]
    if not found.tail or not told:
        text = f"{problem}: nothing after record {found.last} can be read" if not found.tail else problem
        told.append(LogRecovered(problem=text, remedy=remedy, kept=found.kept, lost_after=found.last))
    return tuple(told)


def _write_told(
    target: sqlite3.Connection, told: tuple[LogRecovered, ...], base: int, previous: bytes, stamp: Stamp
) -> None:
    for seq, event in enumerate(told, base):
        made = CODEC.encode(event)
        kind, version, body = made.type, made.version, made.body
        covered = content_of(seq, kind, version, _ACTOR, 0, stamp.wall, stamp.mono, stamp.boot, body)
        previous = chain_hash(previous, covered)
        link = Link(seq, kind, version, stamp.wall, body, actor=_ACTOR, mono=stamp.mono, boot=stamp.boot, hash=previous)
        store.insert(target, link)


class _Damaged:
    """Reads a damaged log as far as that goes; every method gives what it can get and raises nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None
        try:
            self._connection = store.connect(path, busy_timeout=1.0, read_only=True)
            # Otherwise SQLite refuses a file that is shorter than its header says.
            self._connection.execute("PRAGMA writable_schema = ON")
        except sqlite3.Error:
            self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def _rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]] | None:
        """None: that part can't be read."""
        if self._connection is None:
            return None
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, UnicodeDecodeError):
            return None

    def log_id(self) -> str:
        rows = self._rows("SELECT value FROM meta WHERE name = 'log_id'")
        text = str(rows[0][0]) if rows else ""
        try:
            tag_of(text)
        except ValueError:
            return ""
        return text

    def used(self) -> int:
        """The highest number ever used, as far as is known."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        return _number(rows[0][0]) if rows else 0

    def cursors(self) -> dict[str, int]:
        rows = self._rows("SELECT actor, seq FROM cursors") or []
        return {str(actor): _number(seq) for actor, seq in rows}

    def kept_seqs(self) -> list[int]:
        return [_number(row[0]) for row in self._rows("SELECT seq FROM kept") or []]

    def pruned(self) -> LogPruned | None:
        """The last cut of retention; None when none can be read."""
        last: LogPruned | None = None
        for record in self.records(LogPruned.__name__):
            event = record.event
            last = event if isinstance(event, LogPruned) and _is_hash(event.head) else last
        return last

    def records(self, type_name: str | None = None) -> Iterator[Link]:
        """Every record that can be read, in order."""
        after, size = 0, _CHUNK
        condition = "" if type_name is None else "AND +type = ? "
        sql = f"SELECT {store.COLUMNS} FROM records WHERE seq > ? {condition}ORDER BY seq LIMIT ?"
        while True:
            names = () if type_name is None else (type_name,)
            rows = self._rows(sql, (after, *names, size))
            if rows is None and size > 1:
                size = max(1, size // 4)
                continue
            if rows is None:
                after, size = self._behind(after), _CHUNK
                if after == 0:
                    return
                continue
            for row in rows:
                record = _fit(row)
                if record is not None:
                    yield record
                after = max(after + 1, _number(row[0]))
            if len(rows) < size:
                return

    def _behind(self, after: int) -> int:
        """A number behind the broken place from which reading works again, 0 when there is none."""
        broken = self._rows("SELECT seq FROM records WHERE seq > ? ORDER BY seq LIMIT 1", (after,))
        if broken:
            return _number(broken[0][0])
        step, limit = 1, max(self.used(), after + self.size() // _ROW_AT_LEAST)
        while after + step <= limit:
            if self._readable(after + step):
                low, high = step // 2, step
                while high - low > 1:
                    middle = (low + high) // 2
                    works = self._readable(after + middle)
                    low, high = (low, middle) if works else (middle, high)
                return after + high
            step *= 2
        return 0

    def _readable(self, after: int) -> bool:
        sql = f"SELECT {store.COLUMNS} FROM records WHERE seq > ? ORDER BY seq LIMIT 1"
        return bool(self._rows(sql, (after,)))


def _is_hash(text: str) -> bool:
    """Whether a digest in hex: what was altered or damaged may still be an event."""
    try:
        return len(bytes.fromhex(text)) == hashlib.sha256().digest_size
    except ValueError:
        return False


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _fit(row: tuple[object, ...]) -> Link | None:
    """The row as a record, if every column is of its type and the body of the event's: no actor gets past another."""
    try:
        record = msgspec.convert(row, _Row).record()
        _ = record.event
    except (msgspec.ValidationError, RecordError):
        return None
    return record


class _Row(msgspec.Struct, array_like=True):
    seq: int
    type: str
    version: int
    actor: str
    cause: int
    wall: int
    mono: int
    boot: str
    body: bytes
    hash: bytes

    def record(self) -> Link:
        r = self
        return Link(r.seq, r.type, r.version, r.wall, r.body, 0, None, r.actor, r.cause, r.mono, r.boot, r.hash)

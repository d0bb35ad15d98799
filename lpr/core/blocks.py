"""Which types of events lie in which blocks of 256 records: how a log finds the records of a type.

An index over every record would cost each commit a page for each of its types, a third of what it writes. This
table gets a row when a type is met in a block for the first time; a reader of that type then goes through the blocks
that have it. A row may outlive its records: a block without them is looked at in vain. Imports nothing of ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

BITS = 8
"""A block has so many records: 2 to this power."""

SCHEMA = """
CREATE TABLE blocks(
    type TEXT NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY(type, block)
) WITHOUT ROWID;
"""
"""``block``: the records' sequence numbers divided by 256."""

Note: TypeAlias = tuple[str, int]
"""(type, block)."""

_NOTE = "INSERT OR IGNORE INTO blocks(type, block) VALUES (?, ?)"
_CHUNK = 256


class Notes:
    """What a writer has noted lately, so that it notes a type once a block."""

    def __init__(self) -> None:
        self._noted: set[Note] = set()

    def new(self, first: int, kinds: Sequence[str]) -> set[Note]:
        """What must be noted with records from the sequence number ``first``, of these types one after the other."""
        notes: set[Note] = set()
        while kinds:
            block = first >> BITS
            within = ((block + 1) << BITS) - first
            notes.update([(kind, block) for kind in set(kinds[:within])])
            first, kinds = first + within, kinds[within:]
        return notes - self._noted

    def keep(self, notes: set[Note]) -> None:
        """They are durable."""
        latest = max(block for _, block in notes)
        self._noted = {note for note in self._noted | notes if note[1] == latest}


def note(connection: sqlite3.Connection, notes: Iterable[Note]) -> None:
    """Write them down, in the transaction of their records."""
    connection.executemany(_NOTE, notes)


def fill(connection: sqlite3.Connection) -> None:
    """Note every record that there is."""
    connection.execute(f"INSERT OR IGNORE INTO blocks SELECT DISTINCT type, seq >> {BITS} FROM records")


def forget(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Drop the notes about blocks without records, from the block of ``first`` to that of ``last``."""
    connection.execute(
        "DELETE FROM blocks WHERE block BETWEEN ? AND ? AND NOT EXISTS("
        f"SELECT 1 FROM records WHERE seq BETWEEN block << {BITS} AND (block << {BITS}) + {(1 << BITS) - 1})",
        (first >> BITS, last >> BITS),
    )


def spans(
    connection: sqlite3.Connection, types: Sequence[str], after: int, last: int, *, back: bool = False
) -> Iterator[tuple[int, int]]:
    """Stretches of the log that have records of ``types``: (before its first number, its last), in order.

    Between ``after`` and ``last`` (inclusive); with ``back`` the last one first.
    """
    low, high = (after + 1) >> BITS, last >> BITS
    one = "SELECT block FROM blocks WHERE type = ? AND block BETWEEN ? AND ?"
    sql = f"{' UNION '.join([one] * len(types))} ORDER BY block {'DESC' if back else 'ASC'} LIMIT {_CHUNK}"
    while low <= high:
        parameters = [value for name in types for value in (name, low, high)]
        found = [int(row[0]) for row in connection.execute(sql, parameters).fetchall()]
        for first, end in _runs(found):
            yield max(after, (min(first, end) << BITS) - 1), min(last, ((max(first, end) + 1) << BITS) - 1)
        if len(found) < _CHUNK:
            return
        low, high = (low, found[-1] - 1) if back else (found[-1] + 1, high)


def _runs(blocks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbours as one: (first, last) of each run, in the order of ``blocks``."""
    start = end = None
    for block in blocks:
        if start is None or end is None or abs(block - end) != 1:
            if start is not None and end is not None:
                yield start, end
            start = block
        end = block
    if start is not None and end is not None:
        yield start, end

"""The catalogue's table of passages and the pure SQL that searches it.

The catalogue (``lpr.actors.catalogue``) writes this table as a projection of the log, in a database of its own
(``passages.db``); the REST API and the pages read it. Both sides build their SQL here, so the table has one
description. Nothing in it is the truth: delete the file and the catalogue builds it again from the log.

Times are integer microseconds since the Unix epoch, UTC. Paging is by the key (at, seq), newest first, so that a
passage that arrives while somebody pages moves nothing, and the cost of a page does not grow with its number.
Imports ``lpr.events`` only; opens no database itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from lpr.events import Box, Character, Corners, Micros

SCHEMA_VERSION = 2
"""Stored as ``user_version``; a catalogue with another one is built again."""

FILE_NAME = "passages.db"
"""The catalogue's file in the data folder."""

SCHEMA = """
CREATE TABLE passages (
    seq             INTEGER PRIMARY KEY,          -- sequence number of the PassageDecided record
    id              TEXT    NOT NULL UNIQUE,      -- the passage's id: the id of that record
    plate           TEXT    NOT NULL,             -- upper case, without separators; '' when nobody could read it
    twin            TEXT    NOT NULL,             -- the plate in the other Brazilian form, '' when it has none
    confidence      REAL    NOT NULL,             -- 0 to 1, the smallest of its characters'
    characters      TEXT    NOT NULL,             -- JSON: [{"char", "confidence", "others"}]
    country         TEXT,                         -- ISO 3166-1 alpha-2
    layout          TEXT,                         -- key of a format in lpr.plates.formats
    source          TEXT    NOT NULL,
    lane            TEXT    NOT NULL,
    direction       TEXT    NOT NULL,             -- approach, away, unknown
    at              INTEGER NOT NULL,             -- time of the best picture
    first_at        INTEGER NOT NULL,
    last_at         INTEGER NOT NULL,
    reads           INTEGER NOT NULL,
    capture         TEXT    NOT NULL,
    box             TEXT    NOT NULL,             -- JSON: [x1, y1, x2, y2] in pixels of the picture
    corners         TEXT    NOT NULL,             -- JSON: [[x, y] * 4]
    plate_colour    TEXT,
    vehicle         TEXT,
    vehicle_colour  TEXT,
    speed_kmh       REAL,
    make            TEXT,
    model           TEXT,
    plate_category  TEXT,
    plated          INTEGER NOT NULL,             -- 0: no plate was found on the vehicle
    decided         INTEGER NOT NULL,             -- wall time of the PassageDecided record
    picture         TEXT    NOT NULL,             -- blob of the best exposure, as captured
    picture_width   INTEGER NOT NULL,
    picture_height  INTEGER NOT NULL,
    signed_seq      INTEGER,                      -- sequence number of the PassageSigned record, NULL until then
    signed_picture  TEXT,                         -- blob of the picture with comment and signature
    plate_picture   TEXT                          -- blob of the rectified plate
);
CREATE INDEX passages_by_time   ON passages (at, seq);
CREATE INDEX passages_by_plate  ON passages (plate);
CREATE INDEX passages_by_source ON passages (source, at, seq);
CREATE INDEX passages_by_lane   ON passages (lane, at, seq);
CREATE TABLE deliveries (
    passage  TEXT    NOT NULL,                    -- the passage's id
    sink     TEXT    NOT NULL,
    state    TEXT    NOT NULL,                    -- delivered, failed (will be tried again), parked, requested
    attempt  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,                    -- sequence number of the record that says so
    at       INTEGER NOT NULL,                    -- wall time of that record
    detail   TEXT    NOT NULL,                    -- the receiver's answer or the reason
    PRIMARY KEY (passage, sink)
) WITHOUT ROWID;
CREATE TABLE position (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    log_id   TEXT    NOT NULL,                    -- the log this is a projection of
    cursor   INTEGER NOT NULL                     -- everything up to this record is in the tables
);
"""

COLUMNS = (
    "seq",
    "id",
    "plate",
    "confidence",
    "characters",
    "country",
    "layout",
    "source",
    "lane",
    "direction",
    "at",
    "first_at",
    "last_at",
    "reads",
    "capture",
    "box",
    "corners",
    "plate_colour",
    "vehicle",
    "vehicle_colour",
    "speed_kmh",
    "make",
    "model",
    "plate_category",
    "plated",
    "decided",
    "picture",
    "picture_width",
    "picture_height",
    "signed_seq",
    "signed_picture",
    "plate_picture",
)
"""The columns that every query of passages selects, in the order of ``PassageRow``'s fields."""

_JSON_COLUMNS = {"characters", "box", "corners"}
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM passages"

Parameters: TypeAlias = tuple[str | int | float, ...]
Cell: TypeAlias = str | int | float | bytes | None
Cursor: TypeAlias = tuple[Micros, int]
"""(at, seq) of the last row of a page."""


class SearchError(ValueError):
    """The query can't be used. ``str(error)`` names the field and what is allowed."""


class PassageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; every condition that is set must hold.

    ``plate``: part of a plate; with ``*`` (any characters) or ``?`` (one character) a pattern for the whole plate.
    Small letters, blanks and separators don't matter, and both forms of a Brazilian plate find each other
    (ABC1234 and ABC1C34). ``since`` <= at < ``until``. ``before``: the cursor of the page before this one.
    """

    plate: str = ""
    since: Micros | None = None
    until: Micros | None = None
    min_confidence: float = 0.0
    lane: str | None = None
    source: str | None = None
    country: str | None = None
    vehicle: str | None = None
    vehicle_colour: str | None = None
    category: str | None = None
    plated: bool | None = None
    before: Cursor | None = None
    oldest_first: bool = False
    limit: int = 50


class PassageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a search; the meaning of the fields is that of PassageDecided and of ``SCHEMA``."""

    seq: int
    id: str
    plate: str
    confidence: float
    characters: tuple[Character, ...]
    country: str | None
    layout: str | None
    source: str
    lane: str
    direction: str
    at: Micros
    first_at: Micros
    last_at: Micros
    reads: int
    capture: str
    box: Box
    corners: Corners
    plate_colour: str | None
    vehicle: str | None
    vehicle_colour: str | None
    speed_kmh: float | None
    make: str | None
    model: str | None
    plate_category: str | None
    plated: bool
    decided: Micros
    picture: str
    picture_width: int
    picture_height: int
    signed_seq: int | None
    signed_picture: str | None
    plate_picture: str | None


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one passage at one sink, the latest word."""

    passage: str
    sink: str
    state: str
    attempt: int
    seq: int
    at: Micros
    detail: str


MAX_LIMIT = 1000
"""Rows of one page at most; the number of pages has no limit."""

_MAX_PATTERN = 32


def search_sql(query: PassageQuery) -> tuple[str, Parameters]:
    """The statement for one page of ``query``, with one row more than the page so that ``page`` knows of a next one.

    Raises SearchError.
    """
    where, parameters = _conditions(query)
    if query.before is not None:
        where.append("(at, seq) > (?, ?)" if query.oldest_first else "(at, seq) < (?, ?)")
        parameters.extend(query.before)
    order = "ASC" if query.oldest_first else "DESC"
    if not 1 <= query.limit <= MAX_LIMIT:
        raise SearchError(f"limit: {query.limit} found, 1 to {MAX_LIMIT} allowed")
    sql = f"{_SELECT}{_clause(where)} ORDER BY at {order}, seq {order} LIMIT ?"
    return sql, (*parameters, query.limit + 1)


def count_sql(query: PassageQuery) -> tuple[str, Parameters]:
    """The statement that counts what ``query`` finds on all its pages. Raises SearchError."""
    where, parameters = _conditions(query)
    return f"SELECT count(*) FROM passages{_clause(where)}", tuple(parameters)


def by_id_sql(passage: str) -> tuple[str, Parameters]:
    """The statement for one passage by its id."""
    return f"{_SELECT} WHERE id = ?", (passage,)


def deliveries_sql(passage: str) -> tuple[str, Parameters]:
    """The statement for the deliveries of one passage, in the order of ``DeliveryRow``'s fields."""
    columns = "passage, sink, state, attempt, seq, at, detail"
    return f"SELECT {columns} FROM deliveries WHERE passage = ? ORDER BY sink", (passage,)


def cursor_sql() -> str:
    """The statement for the last sequence number that is in the tables (no row: nothing yet)."""
    return "SELECT cursor FROM position"


def page(rows: Sequence[Sequence[Cell]], query: PassageQuery) -> tuple[list[PassageRow], str | None]:
    """Rows of ``search_sql`` -> (the page, the text of the cursor of the next page or None at the end)."""
    found = [passage_row(row) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    return found, cursor_text((found[-1].at, found[-1].seq)) if more and found else None


def passage_row(row: Sequence[Cell]) -> PassageRow:
    """One row in the order of ``COLUMNS``."""
    values: dict[str, object] = {
        name: msgspec.json.decode(str(cell)) if name in _JSON_COLUMNS else cell
        for name, cell in zip(COLUMNS, row, strict=True)
    }
    values["plated"] = bool(values["plated"])
    return msgspec.convert(values, PassageRow)


def delivery_row(row: Sequence[Cell]) -> DeliveryRow:
    """One row of ``deliveries_sql``."""
    return msgspec.convert(dict(zip(DeliveryRow.__struct_fields__, row, strict=True)), DeliveryRow)


def cursor_text(cursor: Cursor) -> str:
    """A cursor as the API shows it: two numbers in hex with a dot between them."""
    at, seq = cursor
    return f"{at:x}.{seq:x}"


def cursor_of(text: str) -> Cursor:
    """The inverse of ``cursor_text``. Raises SearchError."""
    match = re.fullmatch(r"(-?[0-9a-f]{1,16})\.([0-9a-f]{1,16})", text)
    if match is None:
        raise SearchError(f"cursor: {text[:40]!r} found; take it from the answer to the page before")
    return _bounded(int(match[1], 16)), _bounded(int(match[2], 16))


def twin_plate(plate: str, country: str | None) -> str:
    """The other Brazilian form of a plate: ABC1234 <-> ABC1C34, "" for any other plate.

    The fifth character of an old plate is a digit, that of its Mercosul form the letter A to J for 0 to 9
    (Contran resolution 780/2019). Plates whose country is known to be another have no twin.
    """
    if country not in (None, "BR"):
        return ""
    if re.fullmatch(r"[A-Z]{3}[0-9]{4}", plate):
        return f"{plate[:4]}{chr(ord('A') + int(plate[4]))}{plate[5:]}"
    if re.fullmatch(r"[A-Z]{3}[0-9][A-J][0-9]{2}", plate):
        return f"{plate[:4]}{ord(plate[4]) - ord('A')}{plate[5:]}"
    return ""


def plate_pattern(text: str) -> str | None:
    """What a person typed -> a GLOB pattern, None when it asks for nothing. Raises SearchError."""
    kept = "".join(char for char in text.upper() if char.isalnum() or char in "*?")
    if len(kept) > _MAX_PATTERN:
        raise SearchError(f"plate: {len(kept)} characters found, at most {_MAX_PATTERN} allowed")
    if kept.strip("*") == "":
        return None
    pattern = re.sub(r"\*+", "*", kept)
    return pattern if "*" in pattern or "?" in pattern else f"*{pattern}*"


def _conditions(query: PassageQuery) -> tuple[list[str], list[str | int | float]]:
    where: list[str] = []
    parameters: list[str | int | float] = []
    equal: Mapping[str, str | int | None] = {
        "source": query.source,
        "lane": query.lane,
        "country": query.country,
        "vehicle": query.vehicle,
        "vehicle_colour": query.vehicle_colour,
        "plate_category": query.category,
        "plated": None if query.plated is None else int(query.plated),
    }
    for column, wanted in equal.items():
        if wanted is not None:
            where.append(f"{column} = ?")
            parameters.append(wanted)
    if query.since is not None:
        where.append("at >= ?")
        parameters.append(_bounded(query.since))
    if query.until is not None:
        where.append("at < ?")
        parameters.append(_bounded(query.until))
    if not 0.0 <= query.min_confidence <= 1.0:
        raise SearchError(f"min_confidence: {query.min_confidence} found, 0 to 1 allowed")
    if query.min_confidence > 0.0:
        where.append("confidence >= ?")
        parameters.append(query.min_confidence)
    pattern = plate_pattern(query.plate)
    if pattern is not None:
        where.append("(plate GLOB ? OR twin GLOB ?)")
        parameters.extend((pattern, pattern))
    return where, parameters


def _clause(where: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(where)}" if where else ""


def _bounded(number: int) -> int:
    """SQLite's integers have 64 bits; what lies outside finds the same as the border does."""
    return max(-(2**63), min(2**63 - 1, number))

"""The statements over the search table behind ``lpr.core.tree``: what lies in folders, and the text of a day's file.

The lines of a day's file are made by SQLite itself, so its size is a sum over the same expression that gives its text,
and neither needs the day in memory. Times: µs since the Unix epoch. Pure; ``lpr.core.search`` describes the table.
"""

from __future__ import annotations

from lpr.core.search import Cursor, Parameters
from lpr.core.tree import OTHER, UNREAD, Form, Kind
from lpr.events import Micros

BEGINNING: Cursor = (-(2**63), 0)
"""The cursor before every row."""

_PICTURE: dict[Kind, str] = {"pictures": "signed_picture", "plates": "plate_picture"}
_IN_SPAN = "at >= ? AND at < ?"


def next_sql(since: Micros) -> tuple[str, Parameters]:
    """The time of the first passage at or after ``since``; no row: there is none."""
    return "SELECT at FROM passages WHERE at >= ? ORDER BY at, seq LIMIT 1", (since,)


def images_sql(kind: Kind, since: Micros, until: Micros, after: Cursor, limit: int) -> tuple[str, Parameters]:
    """(at, record, plate, blob) of the signed passages of a span, by time, after the row ``after``."""
    column = _PICTURE[kind]
    return (
        f"SELECT at, seq, plate, {column} FROM passages WHERE {_IN_SPAN} AND (at, seq) > (?, ?)"
        f" AND {column} IS NOT NULL ORDER BY at, seq LIMIT ?",
        (since, until, *after, limit),
    )


def image_sql(kind: Kind, record: int) -> tuple[str, Parameters]:
    """(at, record, plate, blob) of one passage, when it is signed."""
    column = _PICTURE[kind]
    return f"SELECT at, seq, plate, {column} FROM passages WHERE seq = ? AND {column} IS NOT NULL", (record,)


# --- a day's file ---------------------------------------------------------------------------------------

COLUMNS = (
    "record",
    "id",
    "at",
    "plate",
    "confidence",
    "country",
    "layout",
    "camera",
    "lane",
    "direction",
    "first_at",
    "last_at",
    "reads",
    "speed_kmh",
    "vehicle",
    "vehicle_colour",
    "make",
    "model",
    "plate_colour",
    "plate_category",
    "plated",
    "picture",
    "plate_picture",
)
"""The columns of a day's file, and the keys of the JSON form. Times are ISO 8601 in UTC; ``picture`` and
``plate_picture`` are paths of the tree, which are there once the passage is signed and while the picture is kept."""

_FROM = {"record": "seq", "camera": "source"}
_NUMBERS = frozenset({"record", "confidence", "reads", "speed_kmh"})
_TIMES = frozenset({"at", "first_at", "last_at"})
_PATHS: dict[str, Kind] = {"picture": "pictures", "plate_picture": "plates"}


def _time(column: str) -> str:
    """ISO 8601 with µs. SQLite's division goes towards zero, so times before 1970 need a floor of their own."""
    whole = f"(({column} - (({column} % 1000000) + 1000000) % 1000000) / 1000000)"
    return f"strftime('%Y-%m-%dT%H:%M:%S', {whole}, 'unixepoch') || printf('.%06dZ', {column} - {whole} * 1000000)"


def _path(kind: Kind, utc_offset: int) -> str:
    """As ``tree.image_of``."""
    shifted = f"(at + {utc_offset * 60_000_000})"
    whole = f"(({shifted} - (({shifted} % 1000000) + 1000000) % 1000000) / 1000000)"
    plate = (
        f"CASE WHEN plate = '' THEN '{UNREAD}' WHEN length(plate) > 32 OR plate GLOB '*[^0-9A-Z]*'"
        f" THEN '{OTHER}' ELSE plate END"
    )
    return (
        f"strftime('/{kind}/%Y-%m-%d/%H/%Y%m%d-%H%M%S', {whole}, 'unixepoch')"
        f" || printf('-%03d', ({shifted} - {whole} * 1000000) / 1000) || '_' || {plate} || '_' || seq || '.jpg'"
    )


def _value(column: str, utc_offset: int) -> str:
    if column in _PATHS:
        return _path(_PATHS[column], utc_offset)
    return _time(column) if column in _TIMES else _FROM.get(column, column)


def _csv(column: str, utc_offset: int) -> str:
    value = _value(column, utc_offset)
    if column == "plated":
        return f"CASE {value} WHEN 0 THEN 'no' ELSE 'yes' END"
    if column in _NUMBERS or column in _TIMES or column in _PATHS:
        return f"coalesce({value}, '')"
    return f"CASE WHEN {value} IS NULL THEN '' ELSE '\"' || replace({value}, '\"', '\"\"') || '\"' END"


def _json(column: str, utc_offset: int) -> str:
    value = _value(column, utc_offset)
    return f"json(CASE {value} WHEN 0 THEN 'false' ELSE 'true' END)" if column == "plated" else value


def _line(form: Form, utc_offset: int) -> str:
    """The expression of one passage's line, without what separates it from the next."""
    if form == "csv":
        return " || ',' || ".join(_csv(column, utc_offset) for column in COLUMNS)
    return "json_object(" + ", ".join(f"'{column}', {_json(column, utc_offset)}" for column in COLUMNS) + ")"


def head_of(form: Form) -> bytes:
    """What a day's file begins with."""
    return (",".join(COLUMNS) + "\r\n").encode() if form == "csv" else b"[\n"


def tail_of(form: Form) -> bytes:
    """What it ends with."""
    return b"" if form == "csv" else b"\n]\n"


def line_of(form: Form, text: str, first: bool) -> bytes:
    """A passage's line with what separates it from its neighbours."""
    return f"{text}\r\n".encode() if form == "csv" else (text if first else f",\n{text}").encode()


def size_of(form: Form, lines: int, characters: int) -> int:
    """Bytes of a day's file of ``lines`` passages whose lines have ``characters`` bytes in all."""
    return len(head_of(form)) + characters + 2 * (lines if form == "csv" else max(lines - 1, 0)) + len(tail_of(form))


def count_sql(since: Micros, until: Micros) -> tuple[str, Parameters]:
    """(passages of a span, the highest record number among them): as long as it stays, so does a day's file."""
    return f"SELECT count(*), max(seq) FROM passages WHERE {_IN_SPAN}", (since, until)


def size_sql(form: Form, since: Micros, until: Micros, upto: int, utc_offset: int) -> tuple[str, Parameters]:
    """(lines, bytes of the lines, latest time) of a span's passages with record numbers up to ``upto``."""
    line = f"length(CAST({_line(form, utc_offset)} AS BLOB))"
    return (
        f"SELECT count(*), coalesce(sum({line}), 0), max(at) FROM passages WHERE {_IN_SPAN} AND seq <= ?",
        (since, until, upto),
    )


def lines_sql(
    form: Form, since: Micros, until: Micros, upto: int, utc_offset: int, after: Cursor, limit: int
) -> tuple[str, Parameters]:
    """(at, record, line) of a span's passages up to the record ``upto``, by time, after the row ``after``."""
    return (
        f"SELECT at, seq, {_line(form, utc_offset)} FROM passages WHERE {_IN_SPAN} AND seq <= ?"
        " AND (at, seq) > (?, ?) ORDER BY at, seq LIMIT ?",
        (since, until, upto, *after, limit),
    )

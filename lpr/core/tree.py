"""The tree of files that FTP and SFTP clients see: which paths there are and what each stands for. Pure; opens nothing.

::

    /pictures/2026-11-21/14/20261121-143205-250_ABC1D23_4711.jpg    the signed picture of the passage of record 4711
    /plates/2026-11-21/14/20261121-143205-250_ABC1D23_4711.jpg      its plate alone
    /records/2026-11-21.csv  and  /records/2026-11-21.json          a day's passages
    /lists/                                                         empty: there are no lists yet

No part of a path ever becomes a path of the machine's own files: a path is taken apart into a day, an hour and a
record number, and what those stand for is looked up in the search table. So nothing outside the tree can be named.
Days and hours are those of the configured local time. Imports ``lpr.events`` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias

from lpr.events import Micros

Kind: TypeAlias = Literal["pictures", "plates"]
Form: TypeAlias = Literal["csv", "json"]
KINDS: tuple[Kind, ...] = ("pictures", "plates")
FORMS: tuple[Form, ...] = ("csv", "json")

MAX_PATH = 1024
"""Characters of a path that is looked at."""
UNREAD = "unread"
"""Stands for the plate in the name of a picture on which it could not be read."""
OTHER = "other"
"""Stands for a plate with other characters than A to Z and 0 to 9."""

LATEST: Micros = 253_000_000_000_000_000
"""Passages from this time on (it lies in the year 9987) have no place in the tree."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_HOUR = re.compile(r"[01][0-9]|2[0-3]")
_IMAGE = re.compile(r"([0-9]{8})-([0-9]{2})[0-9]{4}-[0-9]{3}_[0-9A-Za-z]{1,32}_([1-9][0-9]{0,17})\.jpg")
_REPORT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.(csv|json)")
_PLATE = re.compile(r"[0-9A-Z]{1,32}")


@dataclass(frozen=True, slots=True)
class Root:
    """``/``"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """``/pictures`` or ``/plates``."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Day:
    """A day's folder in a shelf."""

    kind: Kind
    day: date


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour's folder in a day's; ``hour``: 0 to 23."""

    kind: Kind
    day: date
    hour: int


@dataclass(frozen=True, slots=True)
class Image:
    """A file in an hour's folder. ``record``: the number of the PassageDecided record that ``name`` ends in."""

    kind: Kind
    day: date
    hour: int
    name: str
    record: int


@dataclass(frozen=True, slots=True)
class Records:
    """``/records``"""


@dataclass(frozen=True, slots=True)
class Report:
    """A day's passages as one file."""

    day: date
    form: Form


@dataclass(frozen=True, slots=True)
class Lists:
    """``/lists``: empty."""


Folder: TypeAlias = Root | Shelf | Day | Hour | Records | Lists
File: TypeAlias = Image | Report
Node: TypeAlias = Folder | File

TOP = ("lists", "pictures", "plates", "records")
"""The folders of the root."""


def parts_of(path: str, folder: str = "/") -> tuple[str, ...] | None:
    """The names of an absolute path, or of one that starts at ``folder``, without ``.`` and ``..``, which never lead
    over the root. None for a path that no file can have: too long, or with control characters or backslashes."""
    if len(path) > MAX_PATH or any(char < " " or char in "\\\x7f" for char in path):
        return None
    names: list[str] = []
    for name in (path if path.startswith("/") else f"{folder}/{path}").split("/"):
        if name == "..":
            del names[-1:]
        elif name not in ("", "."):
            names.append(name)
    return tuple(names)


def absolute(path: str, folder: str = "/") -> str:
    """``path``, which may start at ``folder``, as the one way to write it; "/" for one that no file can have."""
    return "/" + "/".join(parts_of(path, folder) or ())


def resolve(path: str, folder: str = "/") -> Node | None:
    """What a path stands for, whether or not there is such a thing; None when the tree can have none there."""
    parts = parts_of(path, folder)
    match parts:
        case None:
            return None
        case ():
            return Root()
        case ("lists",):
            return Lists()
        case ("records",):
            return Records()
        case ("records", name):
            return _report(name)
        case ("pictures" | "plates" as kind, *rest):
            return _shelved(kind, rest)
        case _:
            return None


def path_of(node: Node) -> str:
    """The path of a node: the inverse of ``resolve``."""
    match node:
        case Root():
            return "/"
        case Lists():
            return "/lists"
        case Records():
            return "/records"
        case Report():
            return f"/records/{name_of(node)}"
        case Shelf(kind):
            return f"/{kind}"
        case Day(kind, day):
            return f"/{kind}/{day.isoformat()}"
        case Hour(kind, day, hour) | Image(kind, day, hour):
            folder = f"/{kind}/{day.isoformat()}/{hour:02d}"
            return folder if isinstance(node, Hour) else f"{folder}/{node.name}"


def name_of(node: Node) -> str:
    """The last name of a node's path; "" for the root."""
    if isinstance(node, Report):
        return f"{node.day.isoformat()}.{node.form}"
    return path_of(node).rpartition("/")[2]


def is_folder(node: Node) -> bool:
    return not isinstance(node, Image | Report)


# --- times ----------------------------------------------------------------------------------------------


def local(at: Micros, utc_offset: int) -> datetime:
    """The local time (its zone says UTC) of ``at``. ``utc_offset``: minutes east of UTC.

    Raises OverflowError for times that no calendar has.
    """
    return _EPOCH + timedelta(microseconds=at, minutes=utc_offset)


def image_of(kind: Kind, at: Micros, plate: str, record: int, utc_offset: int) -> Image:
    """The file of a passage."""
    when = local(at, utc_offset)
    shown = plate if _PLATE.fullmatch(plate) else (OTHER if plate else UNREAD)
    name = f"{when:%Y%m%d-%H%M%S}-{when.microsecond // 1000:03d}_{shown}_{record}.jpg"
    return Image(kind, when.date(), when.hour, name, record)


def span_of(node: Day | Hour | Report, utc_offset: int) -> tuple[Micros, Micros]:
    """(since, until) in µs since the epoch: a day's or an hour's passages have since <= at < until."""
    start = datetime(node.day.year, node.day.month, node.day.day, tzinfo=UTC)
    length = timedelta(days=1)
    if isinstance(node, Hour):
        start, length = start + timedelta(hours=node.hour), timedelta(hours=1)
    since = (start - _EPOCH) // timedelta(microseconds=1) - utc_offset * 60_000_000
    return since, since + length // timedelta(microseconds=1)


# --- names ----------------------------------------------------------------------------------------------


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None or not 1970 <= int(found[1]) <= 9987:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _report(name: str) -> Report | None:
    found = _REPORT.fullmatch(name)
    day = None if found is None else _day(found[1])
    return None if found is None or day is None else Report(day, "csv" if found[2] == "csv" else "json")


def _shelved(kind: Kind, rest: list[str]) -> Node | None:
    if not rest:
        return Shelf(kind)
    day = _day(rest[0])
    if day is None or len(rest) > 3:
        return None
    if len(rest) == 1:
        return Day(kind, day)
    if not _HOUR.fullmatch(rest[1]):
        return None
    hour = int(rest[1])
    if len(rest) == 2:
        return Hour(kind, day, hour)
    found = _IMAGE.fullmatch(rest[2])
    if found is None or found[1] != f"{day:%Y%m%d}" or int(found[2]) != hour:
        return None
    return Image(kind, day, hour, rest[2], int(found[3]))

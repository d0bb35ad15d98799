"""The lines of FTP's listings and the forms of its times, all in UTC: LIST as ``ls -l`` writes it, MLSD as in RFC 3659.

Pure. May import ``lpr.core``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lpr.core.shelves import Entry
from lpr.events import Micros

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HALF_A_YEAR = timedelta(days=182)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_line(entry: Entry, now: Micros) -> str:
    """A line of LIST: times of the last half year with the minute, others with the year."""
    at, today = _time(entry.modified), _time(now)
    recent = today - HALF_A_YEAR < at <= today
    when = f"{MONTHS[at.month - 1]} {at.day:2d} " + (f"{at:%H:%M}" if recent else f" {at.year}")
    mode = "dr-xr-xr-x" if entry.folder else "-r--r--r--"
    return f"{mode} 1 lpr lpr {entry.size:12d} {when} {entry.name}"


def facts_line(entry: Entry, *, kind: str | None = None) -> str:
    """A line of MLSD and MLST: ``type=file;size=…;modify=…; name``. ``kind``: instead of file or dir."""
    size = "" if entry.folder else f"size={entry.size};"
    return f"type={kind or ('dir' if entry.folder else 'file')};{size}modify={stamp(entry.modified)}; {entry.name}"


def stamp(at: Micros) -> str:
    """A time as MDTM gives it: YYYYMMDDHHMMSS."""
    return f"{_time(at):%Y%m%d%H%M%S}"


def target_of(argument: str) -> str:
    """The path in the argument of LIST and NLST: without the options (``-la``) that clients put before it."""
    rest = argument.strip()
    while rest.startswith("-"):
        rest = rest.partition(" ")[2].lstrip()
    return rest


def _time(at: Micros) -> datetime:
    return _EPOCH + timedelta(microseconds=max(0, at))

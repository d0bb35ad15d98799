"""Durations as XML Schema writes them, and the termination times of subscriptions. Pure.

Source: XML Schema part 2 (duration, dateTime), WS-BaseNotification 1.3 (AbsoluteOrRelativeTimeType). A month counts 30
days and a year 365: a subscription needs no calendar. May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from lpr.events import Micros

MAX_SECONDS: Final = 10 * 365 * 86400.0
"""Longer durations count as this."""

_DURATION = re.compile(
    r"(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_UNITS: Final = (365 * 86400, 30 * 86400, 86400, 3600, 60, 1)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeError(ValueError):
    """A text that is no duration and no time, or a time that has passed. Says which."""


def parse_duration(text: str) -> float:
    """Seconds of an xs:duration; negative ones are, too. Raises TimeError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]) or text.strip().endswith("T"):
        raise TimeError(f"{text[:64]!r} is no duration; write for example PT60S")
    seconds = sum(float(part or 0) * unit for part, unit in zip(match.groups()[1:], _UNITS, strict=True))
    return min(seconds, MAX_SECONDS) * (-1 if match[1] else 1)


def write_duration(seconds: float) -> str:
    """``PT60S``. Raises ValueError for a negative one."""
    if seconds < 0:
        raise ValueError("no negative durations")
    return f"PT{seconds:.3f}".rstrip("0").rstrip(".") + "S"


def lifetime(text: str | None, wall: Micros, *, usual: float, longest: float) -> float:
    """Seconds that a subscription shall live. ``text``: a duration, a time, or None (``usual``). More than ``longest``
    becomes ``longest``: the answer says when it ends. Raises TimeError, also for one that would be over already."""
    if text is None or not text.strip():
        return usual
    text = text.strip()
    seconds = parse_duration(text) if text.lstrip("-").startswith("P") else (_moment(text) - wall) / 1_000_000
    if seconds <= 0:
        raise TimeError(f"{text[:64]!r} is not in the future")
    return min(seconds, longest)


def _moment(text: str) -> Micros:
    """Of an xs:dateTime; without a zone it is UTC."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise TimeError(f"{text[:64]!r} is neither a duration nor a time; write for example PT60S")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zone = match[7], match[8]
    offset = 0
    if zone and zone not in ("Z", "z"):
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise TimeError(f"there is no time {text[:64]!r}") from None
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    return micros + int((fraction or "0").ljust(6, "0")[:6]) - offset * 60_000_000

"""HTML from templates: the jinja2 environment, and what templates need beyond plain data. No clock, no I/O but files.

May import ``lpr.plates``, ``lpr.events``, this room.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from lpr.plates.formats import REGIONS, by_key
from lpr.web.models import instant
from lpr.web.texts import LANGUAGES, Texts

ROOM = Path(__file__).parent
STATIC = ROOM / "static"
GOOD, FAIR = 0.9, 0.7
"""Reliabilities from which a character counts as good, and as fair."""

BANDS = {"BR": "BRASIL", "AR": "ARGENTINA", "UY": "URUGUAY", "PY": "PARAGUAY"}
"""What stands on the blue band of Mercosur plates."""

INK_ON = {"red": "white", "blue": "white", "green": "white", "yellow": "black", "orange": "black"}
"""The ink that is drawn on a ground of a hue that its format does not name."""


@dataclass(frozen=True, slots=True)
class PlateView:
    """A plate as it is drawn with CSS. ``groups``: its text in the groups of its format; ``band``: text of the blue
    band; ``side``: country code on the blue side of European plates; ``ground``, ``ink``: colour names."""

    groups: tuple[str, ...]
    ground: str = "white"
    ink: str = "black"
    band: str = ""
    side: str = ""
    code: str = ""


def plate_view(text: str, layout: str | None, country: str | None, colour: str | None = None) -> PlateView:
    """How to draw ``text``. An unknown format is drawn plain.

    ``colour``: the ground that was seen, a name of ``lpr.events.COLOURS``. A hue (red of taxis, blue of officials) goes
    before the format's own ground; black, grey and white are as often the light's, so they do not.
    """
    try:
        found = by_key(layout) if layout else None
    except KeyError:
        found = None
    if found is None or sum(found.groups) != len(text):
        return PlateView(groups=(text,), code=country or "")
    parts: list[str] = []
    start = 0
    for size in found.groups:
        parts.append(text[start : start + size])
        start += size
    hue = colour if colour in INK_ON and colour != found.ground else None
    mercosur = "mercosul" in found.key
    europe = found.country in REGIONS["europe"]
    return PlateView(
        groups=tuple(parts),
        ground=hue or found.ground,
        ink=INK_ON[hue] if hue else found.ink,
        band=BANDS.get(found.country, "") if mercosur else "",
        side=found.country if europe else "",
        code="" if mercosur or europe else found.country,
    )


def level(confidence: float) -> str:
    """good, fair or poor."""
    return "good" if confidence >= GOOD else "fair" if confidence >= FAIR else "poor"


def percent(confidence: float) -> int:
    """Whole percent, rounded down so that 100 means certain."""
    return int(min(max(confidence, 0.0), 1.0) * 100)


def size_text(count: float) -> str:
    """Bytes as a person reads them: 1.4 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def number(value: float) -> str:
    """12 345 with thin spaces."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def zone_of(offset: str) -> timezone:
    """ "-03:00" -> the time zone of the device."""
    sign, hours, minutes = offset[0], int(offset[1:3]), int(offset[4:6])
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if sign == "-" else span)


def shown_body(body: msgspec.Raw) -> str:
    """An event's body for people: indented; long numbers cut to four digits, as they stand exactly in the API."""
    text = msgspec.json.format(bytes(body), indent=1).decode("utf-8", "replace")
    return re.sub(r"(\d+\.\d{4})\d+", r"\1", text)


class Moments:
    """Times in the device's zone."""

    def __init__(self, zone: timezone) -> None:
        self._zone = zone

    def local(self, at: datetime | int) -> datetime:
        """An aware time or µs since the epoch, in the device's zone."""
        return (instant(at) if isinstance(at, int) else at).astimezone(self._zone)

    def day(self, at: datetime | int) -> str:
        """2026-03-01."""
        return f"{self.local(at):%Y-%m-%d}"

    def clock(self, at: datetime | int) -> str:
        """14:03:09."""
        return f"{self.local(at):%H:%M:%S}"

    def full(self, at: datetime | int) -> str:
        """2026-03-01 14:03:09.123."""
        local = self.local(at)
        return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"

    def iso(self, at: datetime | int) -> str:
        """For <time datetime>."""
        return self.local(at).isoformat(timespec="milliseconds")


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark of its content so that it may be cached for long."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"


@cache
def environment() -> jinja2.Environment:
    """The templates. Everything is escaped; an undefined name is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Any] = {
        "percent": percent,
        "level": level,
        "bytes": size_text,
        "number": number,
        "json": shown_body,
    }
    names: dict[str, Any] = {"asset": asset, "plate_view": plate_view, "languages": LANGUAGES}
    made.filters.update(filters)
    made.globals.update(names)
    return made


def render(template: str, texts: Texts, moments: Moments, **values: Any) -> str:
    """One page. ``t`` is the texts, ``when`` the times of the device's zone."""
    return environment().get_template(template).render(t=texts, when=moments, **values)

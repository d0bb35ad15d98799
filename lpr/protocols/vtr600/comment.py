"""The comment's text: ASCII ``key=value;key=value;`` in the VTR600's tags, both ways.

Readers split at ``;`` and then at the first ``=``. So within keys and values ``;``, ``%``, control characters and
everything outside ASCII are written as ``%XX`` of their UTF-8 bytes, and ``=`` in keys too; readers that do not
know this see the escapes as they stand. The signature works on the raw bytes and never on decoded text.

Sources: VTR600 manual ("Generated Information", "Digital signature"); tags and forms as published with the maker's
SDK documentation. Unverified: the numbers of CorPlaca and OCRCountryCode (sources contradict each other), what
TempoCaptura counts from. Tags that begin with ``Lpr`` are ours. Imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

Item: TypeAlias = tuple[str, str]
"""Key and value."""

NO_PLATE: Final = "0000000"
"""Stands in Placa when no plate was read."""
MAX_ITEMS: Final = 2048

VEHICLES: Final[dict[str, int]] = {
    "unknown": 0,
    "car": 1,
    "motorcycle": 2,
    "truck": 3,
    "bus": 4,
    "pickup": 5,
    "suv": 6,
    "van": 7,
    "tow": 8,
}
"""Numbers of the vehicle types in ClassifierList."""

_ESCAPED = re.compile(r"%(?:0[0-9A-F]|1[0-9A-F]|2[5]|3[BD]|7F|[89A-F][0-9A-F])")


class CommentError(ValueError):
    """A comment that cannot be written or read; the text says why."""


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ClassifierList. ``kind``: a name of ``VEHICLES``; ``percent``: 0-100; ``box``: x, y, w, h pixels."""

    kind: str = "unknown"
    percent: int = 0
    box: tuple[int, int, int, int] = (0, 0, 0, 0)


class Make(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of BMCList: brand, model and colour with their percentages."""

    brand: str = ""
    brand_percent: int = 0
    model: str = ""
    model_percent: int = 0
    colour: str = ""
    colour_percent: int = 0


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What a comment tells of a capture.

    ``plates``: upper case, no separators, several if several were read; none or "" is written as ``0000000``.
    ``boxes``: x, y, w, h pixels, one a plate. ``plate_colours``, ``country_codes``: the maker's numbers, one a plate.
    ``at``: µs since the Unix epoch; ``utc_offset``: minutes east of UTC of the local time in Horario (``Horario``
    has seconds only, so a comment without TempoCaptura gives whole seconds). ``voted``: the majority vote, "" when
    there was none. ``others``: further items as they stand, ours and unknown ones, in order.
    """

    plates: tuple[str, ...] = ()
    boxes: tuple[tuple[int, int, int, int], ...] = ()
    plate_colours: tuple[int, ...] = ()
    country_codes: tuple[int, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    makes: tuple[Make, ...] = ()
    at: int | None = None
    utc_offset: int = 0
    voted: str = ""
    others: tuple[Item, ...] = ()


# --- text -----------------------------------------------------------------------------------------------


def escape(text: str, *, key: bool = False) -> str:
    """Plain ASCII without ``;`` (and ``=`` in a key). Lone surrogates become ``?``."""
    out: list[str] = []
    for char in text:
        if " " <= char <= "~" and char not in ";%" and not (key and char == "="):
            out.append(char)
        else:
            out.extend(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
    return "".join(out)


def unescape(text: str) -> str:
    """Undo ``escape``; a ``%`` that no escape of ours follows stays as it is."""
    raw = _ESCAPED.sub(lambda found: chr(int(found[0][1:], 16)), text)
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw


def write_items(items: Iterable[Item]) -> bytes:
    """``key=value;`` for each item, in order. Raises CommentError for an empty key."""
    parts: list[str] = []
    for key, value in items:
        if not key:
            raise CommentError(f"a comment's item needs a key (its value: {value[:40]!r})")
        parts.append(f"{escape(key, key=True)}={escape(value)};")
    return "".join(parts).encode("ascii")


def read_items(comment: bytes) -> tuple[Item, ...]:
    """The items of a comment. Pieces without ``=`` get an empty value, empty pieces are passed over.

    Foreign bytes over 127 are taken as UTF-8 if they are, as Latin-1 if not. Raises CommentError for more
    than ``MAX_ITEMS`` pieces.
    """
    if comment.count(b";") > MAX_ITEMS:
        raise CommentError(f"a comment of more than {MAX_ITEMS} items")
    items: list[Item] = []
    for piece in comment.rstrip(b"\0").split(b";"):
        text = piece.decode("latin-1").strip("\r\n\0")
        if not text:
            continue
        key, _, value = text.partition("=")
        items.append((unescape(key), unescape(value)))
    return tuple(items)


# --- fields ---------------------------------------------------------------------------------------------


def items_of(fields: Fields) -> tuple[Item, ...]:
    """The items for ``fields``. Raises CommentError for what the form cannot carry."""
    for plate in fields.plates:
        if not re.fullmatch(r"[0-9A-Za-z*?-]*", plate):
            raise CommentError(f"plate {plate[:20]!r}: letters and digits only")
    items: list[Item] = [("Placa", "_".join(plate or NO_PLATE for plate in fields.plates) or NO_PLATE)]
    if fields.boxes:
        items.append(("CoordPlaca", "_".join(f"{x}x{y},{w}x{h}" for x, y, w, h in fields.boxes)))
    if fields.plate_colours:
        items.append(("CorPlaca", "_".join(map(str, fields.plate_colours))))
    if fields.country_codes:
        items.append(("OCRCountryCode", "_".join(map(str, fields.country_codes))))
    if fields.voted:
        items.append(("PlateMV", fields.voted))
    if fields.vehicles:
        entries = (
            "[" + ",".join(map(str, (VEHICLES.get(one.kind, 0), one.percent, *one.box))) + "]"
            for one in fields.vehicles
        )
        items.append(("ClassifierList", ",".join(entries)))
    if fields.makes:
        entries = (
            f'["{_quoted(m.brand)}",{m.brand_percent},"{_quoted(m.model)}",{m.model_percent},'
            f'"{_quoted(m.colour)}",{m.colour_percent}]'
            for m in fields.makes
        )
        items.append(("BMCList", ",".join(entries)))
    if fields.at is not None:
        items.append(("Horario", local_time(fields.at, fields.utc_offset)))
        items.append(("TempoCaptura", str(fields.at)))
    return (*items, *fields.others)


def _quoted(text: str) -> str:
    if '"' in text:
        raise CommentError(f"{text[:40]!r}: a quotation mark can't stand in BMCList")
    return text


def local_time(at: int, utc_offset: int) -> str:
    """``dd/mm/yy HH:MM:SS`` of ``at`` (µs since the Unix epoch), ``utc_offset`` minutes east of UTC.

    Raises CommentError for a time outside 1969 to 2068, which two digits of a year cannot tell.
    """
    try:
        when = _EPOCH + timedelta(microseconds=at, minutes=utc_offset)
    except OverflowError:
        raise CommentError(f"time {at} µs is outside the calendar") from None
    if not 1969 <= when.year <= 2068:
        raise CommentError(f"time {at} µs is in {when.year}: the form has two digits for the year (1969 to 2068)")
    return when.strftime("%d/%m/%y %H:%M:%S")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fields_of(items: Sequence[Item], *, utc_offset: int = 0) -> Fields:
    """What the items tell; what does not have the known form is kept in ``others``. Never raises.

    ``utc_offset``: minutes east of UTC, for a Horario without TempoCaptura. The first item of a key counts.
    """
    values: dict[str, str] = {}
    others: list[Item] = []
    for key, value in items:
        if key in _READERS and key not in values and _READERS[key].fullmatch(value):
            values[key] = value
        else:
            others.append((key, value))

    def parts(key: str) -> list[str]:
        return values[key].split("_") if key in values else []

    at = int(values["TempoCaptura"]) if "TempoCaptura" in values else None
    if at is None and "Horario" in values:
        at = _from_local(values["Horario"], utc_offset)
        if at is None:
            others.append(("Horario", values["Horario"]))
    plates = tuple("" if plate == NO_PLATE else plate for plate in parts("Placa"))
    return Fields(
        plates=() if plates == ("",) else plates,
        boxes=tuple(_four(re.split("[x,]", part)) for part in parts("CoordPlaca")),
        plate_colours=tuple(map(int, parts("CorPlaca"))),
        country_codes=tuple(map(int, parts("OCRCountryCode"))),
        vehicles=tuple(map(_vehicle, re.findall(r"\[([^]]*)\]", values.get("ClassifierList", "")))),
        makes=tuple(
            Make(brand=a, brand_percent=int(b), model=c, model_percent=int(d), colour=e, colour_percent=int(f))
            for a, b, c, d, e, f in _MAKE.findall(values.get("BMCList", ""))
        ),
        at=at,
        utc_offset=utc_offset,
        voted=values.get("PlateMV", ""),
        others=tuple(others),
    )


_NUMBER = r"\d{1,9}"
_AREA = rf"{_NUMBER}x{_NUMBER},{_NUMBER}x{_NUMBER}"
_ENTRY = rf"\[{_NUMBER}%?(?:,{_NUMBER}%?){{5}}\]"
_MAKE = re.compile(rf'\["([^"]*)",({_NUMBER}),"([^"]*)",({_NUMBER}),"([^"]*)",({_NUMBER})\]')
_READERS: Final[Mapping[str, re.Pattern[str]]] = {
    "Placa": re.compile(r"[0-9A-Za-z*?-]+(?:_[0-9A-Za-z*?-]+)*", re.ASCII),
    "CoordPlaca": re.compile(rf"{_AREA}(?:_{_AREA})*", re.ASCII),
    "CorPlaca": re.compile(rf"{_NUMBER}(?:_{_NUMBER})*", re.ASCII),
    "OCRCountryCode": re.compile(rf"{_NUMBER}(?:_{_NUMBER})*", re.ASCII),
    "PlateMV": re.compile(r"[^;]+"),
    "ClassifierList": re.compile(rf"{_ENTRY}(?:,{_ENTRY})*", re.ASCII),
    "BMCList": re.compile(rf"{_MAKE.pattern}(?:,{_MAKE.pattern})*", re.ASCII),
    "Horario": re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d", re.ASCII),
    "TempoCaptura": re.compile(r"-?\d{1,17}", re.ASCII),
}


def _four(numbers: Sequence[str]) -> tuple[int, int, int, int]:
    a, b, c, d = map(int, numbers)
    return (a, b, c, d)


def _vehicle(entry: str) -> Vehicle:
    kind, percent, *box = (int(number.rstrip("%")) for number in entry.split(","))
    name = next((name for name, code in VEHICLES.items() if code == kind), "unknown")
    return Vehicle(kind=name, percent=percent, box=(box[0], box[1], box[2], box[3]))


def _from_local(text: str, utc_offset: int) -> int | None:
    try:
        when = datetime.strptime(text, "%d/%m/%y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return round((when - _EPOCH - timedelta(minutes=utc_offset)) / timedelta(microseconds=1))

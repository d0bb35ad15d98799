"""The plate formats of each country, as data. A new country is new lines in ``FORMATS``, nothing else.

A format's ``template`` has one sign a character: ``A`` any letter, ``0`` any digit, ``C`` Chile's letters,
``M`` Mexico's letters, ``E`` the consonants that EU countries with a reduced set use. Texts are upper
case without separators. ``groups`` says where a separator stands ("3-4": after the third character) and, for
two rows, where the second row begins (the last separator).

Sources: Brazil, Contran resolutions 231/2007 and 780/2019; Mercosul, resolution GMC 33/14; the other countries'
patterns from their public rules as collected in the project's notes on formats (marked where doubtful). Text alone
cannot name the country (Uruguay and old Brazil share one pattern): layout, colour and the configured countries
decide together, and candidates stay ranked.

May import nothing of ours. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = [
    "CLASSES",
    "FORMATS",
    "REGIONS",
    "Format",
    "UnknownCountry",
    "by_key",
    "countries_of",
    "formats_for",
    "matching",
    "to_mercosul",
    "to_old_brazil",
]

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

CLASSES: Final[dict[str, str]] = {
    "A": _LETTERS,
    "0": "0123456789",
    "C": "BCDFGHJKLPRSTVWXYZ",
    "M": "ABCDEFGHJKLMNPRSTUVWXYZ",
    "E": "BCDFGHJKLMNPRSTVWXYZ",
}
"""Sign of a template to the characters it allows."""


class UnknownCountry(ValueError):
    """A configured country has no formats. The text names it and lists what there is."""


@dataclass(frozen=True, slots=True)
class Format:
    """One plate format.

    ``key``: its name everywhere ("br-old"). ``country``: ISO 3166-1 alpha-2. ``template``: see the module.
    ``groups``: lengths of the groups as drawn. ``rows``: 1 or 2. ``ground``, ``ink``: usual colours, names of
    ``lpr.events.COLOURS``. ``vehicle``: "car", "motorcycle" or "truck". ``common``: False for a format that
    is so loose that it must not override a reading (it only names a country).
    """

    key: str
    country: str
    template: str
    groups: tuple[int, ...]
    rows: int = 1
    ground: str = "white"
    ink: str = "black"
    vehicle: str = "car"
    common: bool = True

    @property
    def pattern(self) -> str:
        """The format as an anchored regular expression."""
        return "^" + "".join(f"[{CLASSES[sign]}]" for sign in self.template) + "$"

    def matches(self, text: str) -> bool:
        """Whether ``text`` (upper case, no separators) has this format."""
        return _compiled(self.pattern).fullmatch(text) is not None

    def allows(self, slot: int) -> str:
        """The characters allowed in ``slot``, counted from 0."""
        return CLASSES[self.template[slot]]


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _f(
    key: str,
    template: str,
    groups: str,
    *,
    rows: int = 1,
    ground: str = "white",
    ink: str = "black",
    vehicle: str = "car",
    common: bool = True,
) -> Format:
    sizes = tuple(int(n) for n in groups.split("-"))
    if sum(sizes) != len(template):
        raise ValueError(f"format {key!r}: groups {groups!r} do not add up to {len(template)} characters")
    return Format(key, key[:2].upper(), template, sizes, rows, ground, ink, vehicle, common)


FORMATS: Final[tuple[Format, ...]] = (
    # Southern Cone
    _f("br-old", "AAA0000", "3-4", ground="gray"),
    _f("br-mercosul", "AAA0A00", "3-4"),
    _f("br-old-moto", "AAA0000", "3-4", rows=2, ground="gray", vehicle="motorcycle"),
    _f("br-mercosul-moto", "AAA0A00", "3-4", rows=2, vehicle="motorcycle"),
    _f("ar-old", "AAA000", "3-3", ground="black", ink="white"),
    _f("ar-mercosul", "AA000AA", "2-3-2"),
    _f("ar-old-moto", "000AAA", "3-3", rows=2, ground="black", ink="white", vehicle="motorcycle"),
    _f("ar-mercosul-moto", "A000AAA", "4-3", rows=2, vehicle="motorcycle"),
    _f("cl-old", "AA0000", "2-2-2"),
    _f("cl-new", "CCCC00", "2-2-2"),
    _f("cl-moto", "CC000", "2-3", rows=2, vehicle="motorcycle"),
    _f("cl-moto-new", "CCC00", "3-2", rows=2, vehicle="motorcycle"),
    _f("py-old", "AAA000", "3-3"),
    _f("py-mercosul", "AAAA000", "4-3"),
    _f("py-old-moto", "000AAA", "3-3", rows=2, vehicle="motorcycle"),
    _f("py-mercosul-moto", "000AAAA", "3-4", rows=2, vehicle="motorcycle"),
    _f("uy-mercosul", "AAA0000", "3-4"),
    _f("uy-moto", "AAA000", "3-3", rows=2, vehicle="motorcycle"),
    # Andes
    _f("bo", "0000AAA", "4-3"),
    _f("bo-short", "000AAA", "3-3"),
    _f("pe", "A0A000", "3-3"),
    _f("pe-old", "AA0000", "2-4"),
    _f("pe-letters", "AAA000", "3-3"),
    _f("co", "AAA000", "3-3", ground="yellow"),
    _f("co-moto", "AAA00A", "3-3", rows=2, ground="yellow", vehicle="motorcycle"),
    _f("ec", "AAA0000", "3-4"),
    _f("ec-old", "AAA000", "3-3"),
    _f("ve", "AA000AA", "2-3-2"),
    # Mexico
    _f("mx", "MMM000M", "3-3-1"),
    _f("mx-old", "MMM0000", "3-2-2"),
    _f("mx-short", "MMM000", "3-3"),
    _f("mx-city", "M00MMM", "3-3"),
    _f("mx-truck", "MM0000", "2-4", vehicle="truck"),
    _f("mx-truck-long", "MM00000", "2-5", vehicle="truck"),
    _f("mx-moto", "M000M", "4-1", vehicle="motorcycle"),
    _f("mx-moto-digits", "0000M", "4-1", vehicle="motorcycle"),
    # European Union and neighbours (region pack)
    _f("de-3", "AAA000", "1-2-3", common=False),
    _f("de-4", "AAA0000", "1-2-4", common=False),
    _f("de-44", "AAAA0000", "2-2-4", common=False),
    _f("fr", "AA000AA", "2-3-2"),
    _f("it", "AA000AA", "2-3-2"),
    _f("es", "0000EEE", "4-3"),
    _f("gb", "AA00AAA", "4-3", ground="yellow"),
    _f("gb-prefix", "A000AAA", "4-3", ground="yellow"),
    _f("nl-4", "AA000A", "2-3-1", ground="yellow"),
    _f("nl-5", "00AAA0", "2-3-1", ground="yellow"),
    _f("nl-6", "00AAAA", "2-2-2", ground="yellow"),
    _f("nl-7", "AAAA00", "2-2-2", ground="yellow"),
    _f("be", "0AAA000", "1-3-3", ink="red"),
    _f("pl-5", "AA00000", "2-5"),
    _f("pl-4", "AAA0000", "3-4"),
    _f("pl-mix", "AA0000A", "2-5"),
    _f("ro", "AA00AAA", "2-2-3"),
    _f("ro-b", "A00AAA", "1-2-3"),
    _f("ro-b3", "A000AAA", "1-3-3"),
    _f("pt", "AA00AA", "2-2-2"),
    _f("pt-old", "0000AA", "2-2-2"),
    _f("se", "AAA000", "3-3"),
    _f("fi", "AAA000", "3-3"),
    _f("no", "AA00000", "2-5"),
    _f("dk", "AA00000", "2-2-3"),
    _f("cz", "0A00000", "3-4"),
    _f("sk", "AA000AA", "2-3-2"),
    _f("hu", "AAA000", "3-3"),
    _f("at", "AA00000", "2-5", common=False),
    _f("gr", "AAA0000", "3-4"),
    _f("lt", "AAA000", "3-3"),
    _f("lv", "AA0000", "2-4"),
    _f("ee", "000AAA", "3-3"),
    _f("hr", "AA0000AA", "2-4-2"),
    _f("si", "AAAA000", "2-2-3", common=False),
    _f("bg", "AA0000AA", "2-4-2"),
    # United States (region pack): the states' usual series; personal plates are free text
    _f("us-33", "AAA000", "3-3", common=False),
    _f("us-34", "AAA0000", "3-4", common=False),
    _f("us-ca", "0AAA000", "7", common=False),
    _f("us-d33", "000AAA", "3-3", common=False),
    _f("us-d43", "0000AAA", "4-3", common=False),
    _f("us-24", "AA00000", "2-5", common=False),
    _f("us-d6", "000000", "3-3", common=False),
    _f("us-a4", "AAAA00", "4-2", common=False),
    _f("us-12", "A00AAA", "3-3", common=False),
)
"""Every format. The first format of a country is its most usual one."""

REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "southern-cone": ("BR", "AR", "CL", "PY", "UY"),
    "andes": ("BO", "PE", "CO", "EC", "VE"),
    "latin-america": ("BR", "AR", "CL", "PY", "UY", "BO", "PE", "CO", "EC", "VE", "MX"),
    "europe": (
        "DE",
        "FR",
        "IT",
        "ES",
        "GB",
        "NL",
        "BE",
        "PL",
        "RO",
        "PT",
        "SE",
        "FI",
        "NO",
        "DK",
        "CZ",
        "SK",
        "HU",
        "AT",
        "GR",
        "LT",
        "LV",
        "EE",
        "HR",
        "SI",
        "BG",
    ),
    "us": ("US",),
}
"""Names that may stand for several countries in the configuration."""

_BY_KEY: Final[dict[str, Format]] = {format_.key: format_ for format_ in FORMATS}
_OLD_TO_NEW: Final = dict(zip("0123456789", "ABCDEFGHIJ", strict=True))
_NEW_TO_OLD: Final = {new: old for old, new in _OLD_TO_NEW.items()}


def by_key(key: str) -> Format:
    """The format named ``key``. Raises KeyError with what there is."""
    found = _BY_KEY.get(key)
    if found is None:
        raise KeyError(f"no plate format {key!r}; there are {', '.join(sorted(_BY_KEY))}")
    return found


def countries_of(names: Iterable[str]) -> tuple[str, ...]:
    """Country codes and region names to country codes, in order, each once.

    Raises UnknownCountry for a name that is neither.
    """
    known = {format_.country for format_ in FORMATS}
    out: list[str] = []
    for name in names:
        codes = REGIONS.get(name.lower(), (name.upper(),))
        for code in codes:
            if code not in known:
                raise UnknownCountry(
                    f"no plate formats for country {name!r}; known are {', '.join(sorted(known))} "
                    f"and the regions {', '.join(REGIONS)}"
                )
            if code not in out:
                out.append(code)
    return tuple(out)


def formats_for(countries: Iterable[str]) -> tuple[Format, ...]:
    """The formats of these countries (codes or region names), in the order of the countries."""
    return _formats_for(countries_of(countries))


@lru_cache(maxsize=128)
def _formats_for(codes: tuple[str, ...]) -> tuple[Format, ...]:
    return tuple(format_ for code in codes for format_ in FORMATS if format_.country == code)


def matching(text: str, countries: Iterable[str] = ()) -> tuple[Format, ...]:
    """The formats that ``text`` has, of these countries (all when none are named)."""
    wanted = formats_for(countries) or FORMATS
    return tuple(format_ for format_ in wanted if format_.matches(text))


def to_mercosul(text: str) -> str | None:
    """Old Brazilian plate to its Mercosul form (fifth character 0-9 to A-J), or None when it is not one."""
    if not _BY_KEY["br-old"].matches(text):
        return None
    return text[:4] + _OLD_TO_NEW[text[4]] + text[5:]


def to_old_brazil(text: str) -> str | None:
    """Mercosul plate to the old Brazilian form; None when it is not one or never had an old form (K-Z)."""
    if not _BY_KEY["br-mercosul"].matches(text) or text[4] not in _NEW_TO_OLD:
        return None
    return text[:4] + _NEW_TO_OLD[text[4]] + text[5:]

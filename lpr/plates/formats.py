"""The plate formats of each country, as data. A new country is new lines in ``FORMATS``, nothing else.

A format's ``template`` has one sign a character: ``0`` any digit, ``A`` any letter, the others some letters: ``C``
Chile's, ``M`` Mexico's (no I, O, Q), ``U`` any letter, but seldom I, O or Q (USA), ``E`` Spain's consonants, ``F``
France's, ``I`` Italy's, ``G`` Great Britain's (``L``: of its regions), ``N`` the Netherlands', ``V`` Poland's regions
and ``P`` its later letters, ``H``, ``B``, ``Y`` and ``J`` those that the Greek and the Cyrillic alphabets (Bulgaria,
Ukraine, Bosnia) share with the Latin one, ``R`` Norway's, ``S`` Sweden's, ``Z`` the Czech regions, ``K`` Ireland's
counties of one letter, ``T`` Turkey's, ``X`` Germany's E (electric) and H (historic). Texts are upper case without
separators. ``groups`` says where a separator stands ("3-4": after the third character) and, for two rows, where the
second row begins (the last separator).

Sources: Brazil, Contran resolutions 231/2007 and 780/2019; Mercosul, resolution GMC 33/14; the other countries'
patterns from their public rules as collected in the project's notes on formats; Europe's (``lpr.plates.europe``) and
the letters each country leaves out from general knowledge, not checked against each authority; the states of the USA:
``lpr.plates.us_states``. ``weight`` is an estimate of how many of the plates on a country's roads have the format. Text
alone cannot name the country (Uruguay and old Brazil share one pattern): layout, colour and the configured countries
decide together, and candidates stay ranked.

May import ``lpr.plates.europe`` and ``lpr.plates.us_states``. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lpr.plates.europe import COUNTRIES, european_rows
from lpr.plates.us_states import us_series

__all__ = [
    "CLASSES",
    "FORMATS",
    "RARE",
    "REGIONS",
    "Format",
    "UnknownCountry",
    "by_key",
    "countries_of",
    "formats_for",
    "matching",
    "odds_of",
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
    "F": "ABCDEFGHJKLMNPQRSTVWXYZ",
    "I": "ABCDEFGHJKLMNPRSTVWXYZ",
    "G": "ABCDEFGHJKLMNOPRSTUVWXYZ",
    "L": "ABCDEFGHKLMNOPRSVWXY",
    "N": "BDFGHJKLMNPRSTVXZ",
    "P": "ACEFGHJKLMNPRSTUVWXY",
    "H": "ABEHIKMNOPTXYZ",
    "B": "ABCEHKMOPTXY",
    "V": "BCDEFGHKLNOPRSTUWZ",
    "R": "ABCDEFHJKLNPRSTUVWXYZ",
    "S": "ABCDEFGHJKLMNOPRSTUWXYZ",
    "Z": "ABCEHJKLMPSTUZ",
    "K": "CDGLTW",
    "T": "ABCDEFGHIJKLMNOPRSTUVYZ",
    "Y": "ABCEHIKMOPTX",
    "J": "AEJKMOT",
    "X": "EH",
    "U": _LETTERS,
}
"""Sign of a template to the characters it allows."""

RARE: Final[dict[str, tuple[str, float]]] = {"U": ("IOQ", 0.2)}
"""Sign to those of its characters that are rarer than the others, and how rare (1: as the others)."""


class UnknownCountry(ValueError):
    """A configured country has no formats. The text names it and lists what there is."""


@dataclass(frozen=True, slots=True)
class Format:
    """One plate format.

    ``key``: its name everywhere ("br-old"). ``country``: ISO 3166-1 alpha-2. ``template``: see the module.
    ``groups``: lengths of the groups as drawn. ``rows``: 1 or 2. ``ground``, ``ink``: usual colours, names of
    ``lpr.events.COLOURS``. ``vehicle``: "car", "motorcycle" or "truck". ``common``: False for a format so
    loose or rare that the demo street does not draw it. ``weight``: its share of the plates on its country's roads; a
    country's add up to 1. ``codes``: name of the list in ``lpr.plates.districts`` of what its texts begin with, ""
    for none.
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
    weight: float = 1.0
    codes: str = ""

    @property
    def pattern(self) -> str:
        """The format as an anchored regular expression."""
        return "^" + "".join(f"[{CLASSES[sign]}]" for sign in self.template) + "$"

    @property
    def begins(self) -> int:
        """How many characters stand for the code of ``codes``: the first group; in Germany all letters before the
        digits, since nothing parts the district from those after it. 0 without ``codes``."""
        if not self.codes:
            return 0
        return self.template.index("0") if self.codes == "de" else self.groups[0]

    def matches(self, text: str) -> bool:
        """Whether ``text`` (upper case, no separators) has this format."""
        return _compiled(self.pattern).fullmatch(text) is not None

    def allows(self, slot: int) -> str:
        """The characters allowed in ``slot``, counted from 0."""
        return CLASSES[self.template[slot]]


@lru_cache(maxsize=64)
def odds_of(sign: str) -> dict[str, float]:
    """Each character that a template's sign allows and how likely it is; they add up to 1."""
    rare, share = RARE.get(sign, ("", 1.0))
    weights = {char: share if char in rare else 1.0 for char in CLASSES[sign]}
    whole = sum(weights.values())
    return {char: weight / whole for char, weight in weights.items()}


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
    weight: float = 1.0,
    codes: str = "",
) -> Format:
    sizes = tuple(int(n) for n in groups.split("-"))
    if sum(sizes) != len(template):
        raise ValueError(f"format {key!r}: groups {groups!r} do not add up to {len(template)} characters")
    return Format(key, key[:2].upper(), template, sizes, rows, ground, ink, vehicle, common, weight, codes)


def _european() -> tuple[Format, ...]:
    """Europe: the formats of ``lpr.plates.europe``."""
    return tuple(
        _f(
            row.key,
            row.template,
            row.groups,
            rows=row.rows,
            ground=row.ground,
            ink=row.ink,
            vehicle=row.vehicle,
            common=row.common and row.weight >= 0.03,
            weight=row.weight,
            codes=row.codes,
        )
        for row in european_rows()
    )


_US_KEYS: Final = {
    "UUU000": "us-33", "UUU0000": "us-34", "0UUU000": "us-ca", "000UUU": "us-d33", "0000UUU": "us-d43",
    "UU00000": "us-24", "000000": "us-d6", "UUUU00": "us-a4", "U00UUU": "us-12",
}  # fmt: skip
"""Patterns with a short name; the others are named by their pattern ("us-aa0a0a")."""


def _american() -> tuple[Format, ...]:
    """The USA: the patterns of all states, by their share; personal plates are free text."""
    return tuple(
        Format(
            _US_KEYS.get(template, "us-" + template.replace("U", "A").lower()),
            "US",
            template,
            groups,
            common=False,
            weight=round(weight, 5),
        )
        for template, groups, weight in us_series()
    )


FORMATS: Final[tuple[Format, ...]] = (
    # Southern Cone
    _f("br-old", "AAA0000", "3-4", weight=0.42, ground="gray"),
    _f("br-mercosul", "AAA0A00", "3-4", weight=0.34),
    _f("br-old-moto", "AAA0000", "3-4", weight=0.11, rows=2, ground="gray", vehicle="motorcycle"),
    _f("br-mercosul-moto", "AAA0A00", "3-4", weight=0.13, rows=2, vehicle="motorcycle"),
    _f("ar-old", "AAA000", "3-3", weight=0.48, ground="black", ink="white"),
    _f("ar-mercosul", "AA000AA", "2-3-2", weight=0.34),
    _f("ar-old-moto", "000AAA", "3-3", weight=0.1, rows=2, ground="black", ink="white", vehicle="motorcycle"),
    _f("ar-mercosul-moto", "A000AAA", "4-3", weight=0.08, rows=2, vehicle="motorcycle"),
    _f("cl-old", "AA0000", "2-2-2", weight=0.25),
    _f("cl-new", "CCCC00", "2-2-2", weight=0.65),
    _f("cl-moto", "CC000", "2-3", weight=0.05, rows=2, vehicle="motorcycle"),
    _f("cl-moto-new", "CCC00", "3-2", weight=0.05, rows=2, vehicle="motorcycle"),
    _f("py-old", "AAA000", "3-3", weight=0.45),
    _f("py-mercosul", "AAAA000", "4-3", weight=0.35),
    _f("py-old-moto", "000AAA", "3-3", weight=0.1, rows=2, vehicle="motorcycle"),
    _f("py-mercosul-moto", "000AAAA", "3-4", weight=0.1, rows=2, vehicle="motorcycle"),
    _f("uy-mercosul", "AAA0000", "3-4", weight=0.8),
    _f("uy-moto", "AAA000", "3-3", weight=0.2, rows=2, vehicle="motorcycle"),
    # Andes
    _f("bo", "0000AAA", "4-3", weight=0.85),
    _f("bo-short", "000AAA", "3-3", weight=0.15),
    _f("pe", "A0A000", "3-3", weight=0.5),
    _f("pe-old", "AA0000", "2-4", weight=0.15),
    _f("pe-letters", "AAA000", "3-3", weight=0.35),
    _f("co", "AAA000", "3-3", weight=0.7, ground="yellow"),
    _f("co-moto", "AAA00A", "3-3", weight=0.3, rows=2, ground="yellow", vehicle="motorcycle"),
    _f("ec", "AAA0000", "3-4", weight=0.7),
    _f("ec-old", "AAA000", "3-3", weight=0.2),
    _f("ec-moto", "AA000A", "2-4", weight=0.1, rows=2, vehicle="motorcycle"),
    _f("ve", "AA000AA", "2-3-2", weight=0.75),
    _f("ve-old", "AAA00A", "3-3", weight=0.25),
    # Mexico
    _f("mx", "MMM000M", "3-3-1", weight=0.45),
    _f("mx-old", "MMM0000", "3-2-2", weight=0.2),
    _f("mx-short", "MMM000", "3-3", weight=0.06),
    _f("mx-city", "M00MMM", "3-3", weight=0.1),
    _f("mx-truck", "MM0000", "2-4", weight=0.02, vehicle="truck"),
    _f("mx-truck-long", "MM00000", "2-5", weight=0.09, vehicle="truck"),
    _f("mx-moto", "M000M", "4-1", weight=0.04, vehicle="motorcycle"),
    _f("mx-moto-digits", "0000M", "4-1", weight=0.04, vehicle="motorcycle"),
    # Europe and its neighbours (region pack)
    *_european(),
    # United States (region pack)
    *_american(),
)
"""Every format. The first format of a country is its most usual one."""

REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "southern-cone": ("BR", "AR", "CL", "PY", "UY"),
    "andes": ("BO", "PE", "CO", "EC", "VE"),
    "latin-america": ("BR", "AR", "CL", "PY", "UY", "BO", "PE", "CO", "EC", "VE", "MX"),
    "europe": COUNTRIES,
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

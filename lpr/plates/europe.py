"""The plate formats of Europe and its neighbours, as data for ``lpr.plates.formats``, which says what the signs mean.

Where ``codes`` names a list of ``lpr.plates.districts`` the first group is a code (Germany's: all letters before the
digits).

Sources: the countries' public rules as generally known and collected in the project's notes; letters that a country
leaves out likewise, not checked against each authority. Weights are estimates of what is on the road; those of a
country add up to 1.

May import nothing. Pure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["COUNTRIES", "Row", "european_rows"]


class Row(NamedTuple):
    """One format; the fields are those of ``lpr.plates.formats.Format``, ``groups`` written "2-3-2"."""

    key: str
    template: str
    groups: str
    weight: float = 1.0
    codes: str = ""
    ground: str = "white"
    ink: str = "black"
    rows: int = 1
    vehicle: str = "car"
    common: bool = True


COUNTRIES: Final = (
    "DE", "FR", "IT", "ES", "GB", "NL", "BE", "PL", "RO", "PT", "SE", "FI", "NO", "DK", "CZ", "SK", "HU", "AT", "GR",
    "LT", "LV", "EE", "HR", "SI", "BG", "IE", "LU", "CH", "CY", "MT", "IS", "LI", "TR", "UA", "RS", "BA", "ME", "MK",
    "AL", "MD", "BY",
)  # fmt: skip


_AUTHORITIES: Final = (
    ("A0000", "1-4", 0.2), ("AA0000", "2-4", 0.2), ("AAA000", "3-3", 0.2), ("AA00000", "2-5", 0.15),
    ("AAA00000", "3-5", 0.15), ("A00000", "1-5", 0.1),
)  # fmt: skip


def _german() -> list[Row]:
    """Germany: a district of 1 to 3 letters, 1 or 2 letters, 1 to 4 digits, at most 8 signs in all; H (historic) and
    E (electric) may follow; authorities have digits alone behind the district."""
    shares: dict[tuple[int, int], tuple[float, str]] = {}
    for district, share in ((1, 0.2), (2, 0.35), (3, 0.45)):
        for letters, share_of_letters in ((1, 0.2), (2, 0.8)):
            for digits, share_of_digits in ((1, 0.02), (2, 0.13), (3, 0.45), (4, 0.4)):
                if district + letters + digits <= 8:
                    product = share * share_of_letters * share_of_digits
                    before, groups = shares.get((district + letters, digits), (0.0, ""))
                    groups = groups if before > product else f"{district}-{letters}-{digits}"
                    shares[district + letters, digits] = (before + product, groups)
    whole = sum(share for share, _ in shares.values())
    rows: list[Row] = []
    for (letters, digits), (share, groups) in sorted(shares.items(), key=lambda item: -item[1][0]):
        template, part = "A" * letters + "0" * digits, share / whole
        late = letters + digits < 8
        rows.append(Row(f"de-{letters}{digits}", template, groups, part * (0.95 if late else 0.97), "de", common=False))
        if late:
            rows.append(Row(f"de-{letters}{digits}e", template + "X", f"{groups}-1", part * 0.02, "de", common=False))
    left = 1 - sum(row.weight for row in rows)
    for template, groups, share in _AUTHORITIES:
        rows.append(Row(f"de-{template.lower()}", template, groups, left * share, "de-alone", common=False))
    return rows


_WEST: Final = (
    Row("fr", "FF000FF", "2-3-2", 0.86),
    Row("fr-old-2", "0000FF00", "4-2-2", 0.04),
    Row("fr-old-3", "000FFF00", "3-3-2", 0.05),
    Row("fr-old-32", "000FF00", "3-2-2", 0.02),
    Row("fr-old-22", "00FF00", "2-2-2", 0.005),
    Row("fr-old-41", "0000F00", "4-1-2", 0.005),
    Row("fr-old-23", "00FFF00", "2-3-2", 0.01),
    Row("fr-old-971", "000FFF000", "3-3-3", 0.005),
    Row("fr-old-corsica", "000FF0A", "3-2-2", 0.005),
    Row("it", "II000II", "2-3-2", 0.95),
    Row("it-moto", "II00000", "2-5", 0.05, rows=2, vehicle="motorcycle"),
    Row("es", "0000EEE", "4-3", 0.92),
    Row("es-old", "A0000AA", "1-4-2", 0.03, "es"),
    Row("es-old-2", "AA0000A", "2-4-1", 0.015, "es"),
    Row("es-old-22", "AA0000AA", "2-4-2", 0.025, "es"),
    Row("es-old-digits", "A000000", "1-6", 0.005, "es"),
    Row("es-old-digits-2", "AA000000", "2-6", 0.005, "es"),
    Row("gb", "LG00GGG", "4-3", 0.85, ground="yellow"),
    Row("gb-prefix", "G000GGG", "4-3", 0.04, ground="yellow"),
    Row("gb-prefix-2", "G00GGG", "3-3", 0.01, ground="yellow"),
    Row("gb-prefix-1", "G0GGG", "2-3", 0.01, ground="yellow"),
    Row("gb-ni", "GGG0000", "3-4", 0.04, ground="yellow"),
    Row("gb-suffix", "GGG000G", "3-4", 0.02, ground="yellow"),
    Row("gb-dateless", "GGG000", "3-3", 0.01, ground="yellow"),
    Row("gb-dateless-1", "0GGG", "1-3", 0.004, ground="yellow"),
    Row("gb-dateless-2", "GGG0", "3-1", 0.004, ground="yellow"),
    Row("gb-dateless-3", "GGG00", "3-2", 0.004, ground="yellow"),
    Row("gb-dateless-4", "00GGG", "2-3", 0.004, ground="yellow"),
    Row("gb-dateless-5", "000GGG", "3-3", 0.004, ground="yellow"),
    Row("nl-4", "NN000N", "2-3-1", 0.12, ground="yellow"),
    Row("nl-5", "00NNN0", "2-3-1", 0.28, ground="yellow"),
    Row("nl-6", "00NNNN", "2-2-2", 0.13, ground="yellow"),
    Row("nl-7", "NNNN00", "2-2-2", 0.08, ground="yellow"),
    Row("nl-8", "0NNN00", "1-3-2", 0.17, ground="yellow"),
    Row("nl-10", "N000NN", "1-3-2", 0.1, ground="yellow"),
    Row("nl-11", "NNN00N", "3-2-1", 0.025, ground="yellow"),
    Row("nl-3", "NN00NN", "2-2-2", 0.035, ground="yellow"),
    Row("nl-13", "N00NNN", "1-2-3", 0.03, ground="yellow"),
    Row("nl-14", "NNN000", "3-3", 0.005, ground="yellow"),
    Row("nl-middle", "00NN00", "2-2-2", 0.015, ground="yellow"),
    Row("nl-late", "0000NN", "2-2-2", 0.005, ground="yellow"),
    Row("nl-early", "NN0000", "2-2-2", 0.005, ground="yellow"),
    Row("be", "0AAA000", "1-3-3", 0.82, ink="red"),
    Row("be-old", "AAA000", "3-3", 0.12, ink="red"),
    Row("be-2008", "000AAA", "3-3", 0.05, ink="red"),
    Row("be-1973", "A000A", "1-3-1", 0.01, ink="red"),
    Row("ie", "000K00000", "3-1-5", 0.28),
    Row("ie-4", "000K0000", "3-1-4", 0.2),
    Row("ie-3", "000K000", "3-1-3", 0.05),
    Row("ie-county-5", "000AA0000", "3-2-4", 0.15),
    Row("ie-county-3", "000AA000", "3-2-3", 0.1),
    Row("ie-old", "00K00000", "2-1-5", 0.07),
    Row("ie-old-4", "00K0000", "2-1-4", 0.03),
    Row("ie-old-3", "00K000", "2-1-3", 0.01),
    Row("ie-old-6", "00K000000", "2-1-6", 0.03),
    Row("ie-county", "00AA0000", "2-2-4", 0.05),
    Row("ie-county-2", "00AA000", "2-2-3", 0.03),
    Row("lu", "AA0000", "2-4", 0.8),
    Row("lu-digits", "00000", "5", 0.17),
    Row("lu-digits-4", "0000", "4", 0.03),
)

_MIDDLE: Final = (
    Row("pl-5", "VA00000", "2-5", 0.23),
    Row("pl-4", "VAA0000", "3-4", 0.02),
    Row("pl-mix", "VA0000P", "2-5", 0.12),
    Row("pl-mix-2", "VA000PP", "2-5", 0.14),
    Row("pl-mix-3", "VA0P000", "2-5", 0.04),
    Row("pl-mix-4", "VA0PP00", "2-5", 0.03),
    Row("pl-county", "VAA00PP", "3-4", 0.1),
    Row("pl-county-2", "VAAP000", "3-4", 0.08),
    Row("pl-county-3", "VAA0P00", "3-4", 0.04),
    Row("pl-county-4", "VAA00P0", "3-4", 0.04),
    Row("pl-county-5", "VAAPP00", "3-4", 0.03),
    Row("pl-county-6", "VAA0PP0", "3-4", 0.02),
    Row("pl-county-7", "VAA00000", "3-5", 0.04),
    Row("pl-county-8", "VAA0000P", "3-5", 0.02),
    Row("pl-county-9", "VAA000PP", "3-5", 0.03),
    Row("pl-personal", "V0AAA", "2-3", 0.005),
    Row("pl-short", "VA0000", "2-4", 0.01),
    Row("pl-antique", "VA00P", "2-3", 0.005),
    Row("cz", "0Z00000", "3-4", 0.52),
    Row("cz-2", "0ZA0000", "3-4", 0.44),
    Row("cz-old", "AAA0000", "3-4", 0.03),
    Row("cz-moto", "0Z0000", "2-4", 0.01, rows=2, vehicle="motorcycle"),
    Row("sk", "AA000AA", "2-3-2", codes="sk"),
    Row("hu", "AAA000", "3-3", 0.8),
    Row("hu-2022", "AAAA000", "2-2-3", 0.2),
    Row("at-city", "A00000A", "1-6", 0.17, "at", common=False),
    Row("at-city-42", "A0000AA", "1-6", 0.05, "at", common=False),
    Row("at-city-3", "A000AA", "1-5", 0.1, "at", common=False),
    Row("at-city-33", "A000AAA", "1-6", 0.02, "at", common=False),
    Row("at-city-23", "A00AAA", "1-5", 0.02, "at", common=False),
    Row("at-city-41", "A0000A", "1-5", 0.03, "at", common=False),
    Row("at-city-5", "A00000", "1-5", 0.005, "at", common=False),
    Row("at-city-name", "A0AAA", "1-4", 0.005, "at", common=False),
    Row("at-3aa", "AA000AA", "2-5", 0.37, "at", common=False),
    Row("at-4a", "AA0000A", "2-5", 0.08, "at", common=False),
    Row("at-23", "AA00AAA", "2-5", 0.04, "at", common=False),
    Row("at-13", "AA0AAA", "2-4", 0.01, "at", common=False),
    Row("at-31", "AA000A", "2-4", 0.06, "at", common=False),
    Row("at", "AA00000", "2-5", 0.02, "at", common=False),
    Row("at-name", "AAAAA0", "2-4", 0.02, "at", common=False),
    Row("ch", "AA000000", "2-6", 0.6, "ch"),
    Row("ch-5", "AA00000", "2-5", 0.32, "ch"),
    Row("ch-4", "AA0000", "2-4", 0.06, "ch"),
    Row("ch-3", "AA000", "2-3", 0.02, "ch"),
    Row("li", "AA00000", "2-5", 0.7, "li", ground="black", ink="white"),
    Row("li-4", "AA0000", "2-4", 0.3, "li", ground="black", ink="white"),
    Row("si", "AAAA000", "2-2-3", 0.5, "si", common=False),
    Row("si-d", "AA00AAA", "2-2-3", 0.1, "si", common=False),
    Row("si-mix", "AAA0000", "2-2-3", 0.25, "si", common=False),
    Row("si-mix-2", "AAA000A", "2-2-3", 0.1, "si", common=False),
    Row("si-mix-3", "AA0000A", "2-2-3", 0.05, "si", common=False),
    Row("hr", "AA0000AA", "2-4-2", 0.55, "hr"),
    Row("hr-3", "AA000AA", "2-3-2", 0.4, "hr"),
    Row("hr-31", "AA000A", "2-3-1", 0.05, "hr"),
)

_NORTH: Final = (
    Row("se", "SSS000", "3-3", 0.78),
    Row("se-2019", "SSS00S", "3-3", 0.22),
    Row("fi", "AAA000", "3-3", 0.93),
    Row("fi-2", "AAA00", "3-2", 0.05),
    Row("fi-1", "AAA0", "3-1", 0.02),
    Row("no", "RR00000", "2-5", 0.95),
    Row("no-moto", "RR0000", "2-4", 0.05, rows=2, vehicle="motorcycle"),
    Row("dk", "MM00000", "2-2-3"),
    Row("is", "AAA00", "2-3", 0.6),
    Row("is-old", "AA000", "2-3", 0.4),
    Row("lt", "AAA000", "3-3"),
    Row("lv", "AA0000", "2-4", 0.95),
    Row("lv-3", "AA000", "2-3", 0.03),
    Row("lv-2", "AA00", "2-2", 0.02),
    Row("ee", "000AAA", "3-3"),
)

_SOUTH_AND_EAST: Final = (
    Row("ro", "AA00MAA", "2-2-3", 0.82, "ro"),
    Row("ro-b", "A00MAA", "1-2-3", 0.05, "ro"),
    Row("ro-b3", "A000MAA", "1-3-3", 0.13, "ro"),
    Row("pt", "AA00AA", "2-2-2", 0.25),
    Row("pt-middle", "00AA00", "2-2-2", 0.5),
    Row("pt-old", "0000AA", "2-2-2", 0.22),
    Row("pt-1937", "AA0000", "2-2-2", 0.03),
    Row("gr", "HHH0000", "3-4"),
    Row("cy", "AAA000", "3-3"),
    Row("mt", "AAA000", "3-3"),
    Row("bg", "AA0000BB", "2-4-2", 0.6, "bg"),
    Row("bg-city", "A0000BB", "1-4-2", 0.4, "bg"),
    Row("tr", "00TTT000", "2-3-3", 0.3, "tr"),
    Row("tr-32", "00TTT00", "2-3-2", 0.15, "tr"),
    Row("tr-24", "00TT0000", "2-2-4", 0.17, "tr"),
    Row("tr-23", "00TT000", "2-2-3", 0.2, "tr"),
    Row("tr-14", "00T0000", "2-1-4", 0.12, "tr"),
    Row("tr-15", "00T00000", "2-1-5", 0.06, "tr"),
    Row("ua", "YY0000YY", "2-4-2"),
    Row("by", "0000YY0", "4-2-1"),
    Row("md", "AAA000", "3-3"),
    Row("rs", "AA000AA", "2-3-2", 0.7, "rs"),
    Row("rs-4", "AA0000AA", "2-4-2", 0.3, "rs"),
    Row("ba", "J00J000", "3-1-3"),
    Row("me", "AAAA000", "2-2-3", codes="me"),
    Row("mk", "AA0000AA", "2-4-2", codes="mk"),
    Row("al", "AA000AA", "2-3-2"),
)


def european_rows() -> tuple[Row, ...]:
    """All of them, country by country, each country's most usual format first."""
    rows = (*_german(), *_WEST, *_MIDDLE, *_NORTH, *_SOUTH_AND_EAST)
    return tuple(row for code in COUNTRIES for row in rows if row.key[:2].upper() == code)

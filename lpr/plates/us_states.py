"""The plate series of the states of the USA, as data: what stands on the road of each, and how often.

``STATES`` holds for every state its registered vehicles and its series with their shares. A series is written as it
is drawn: ``M`` a letter (I, O and Q are left out of nearly all series, since they look like 1 and 0), ``A`` any letter,
``0`` a digit, "-" a gap. Shares count the plates of about the last twenty years, so the series before the present one
is there too, and trucks, trailers and commercial vehicles where they differ.

Sources: vehicles, millions: Federal Highway Administration, Highway Statistics 2015, table MV-1. Series: the states'
published designs, as collected in Wikipedia's "United States license plate designs and serial formats" (revisions of
2014 and 2021) and the articles on each state. The shares are estimates from the years in which a series was issued.
The text alone cannot name the state (a dozen write ABC-1234), so ``us_series`` adds them up by pattern.

May import nothing. Pure.
"""

from __future__ import annotations

from typing import Final

__all__ = ["STATES", "us_series"]

STATES: Final[dict[str, tuple[float, dict[str, float]]]] = {
    "AL": (5.4, {"0M-00000": 0.2, "00-M0000": 0.15, "0M-00M00": 0.15, "00-M00M0": 0.15, "0MM-0000": 0.15,
                 "00-MM000": 0.15, "MM-00000": 0.05}),
    "AK": (0.8, {"MMM-000": 1.0}),
    "AZ": (5.6, {"MMM0000": 0.65, "000-MMM": 0.1, "MMM-0MM": 0.08, "M0M-0MM": 0.05, "MM-00000": 0.06,
                 "M-00000": 0.06}),
    "AR": (2.8, {"000-MMM": 0.6, "MMM-00M": 0.3, "MMM-000": 0.1}),
    "CA": (29.4, {"0MAM000": 0.7, "0M00000": 0.14, "00000M0": 0.1, "000-MMM": 0.03, "0MM0000": 0.03}),
    "CO": (5.0, {"000-MMM": 0.6, "MMM-000": 0.15, "MMM-M00": 0.15, "MM-0000": 0.1}),
    "CT": (2.8, {"000-MMM": 0.5, "0MM-MM0": 0.15, "MM-00000": 0.2, "00-MM00": 0.05, "M-00000": 0.05, "00000": 0.05}),
    "DE": (1.0, {"000000": 0.75, "00000": 0.15, "MM000000": 0.1}),
    "DC": (0.3, {"MM-0000": 0.9, "000000": 0.1}),
    "FL": (16.1, {"MMM-M00": 0.42, "000-MMM": 0.14, "M00-0MM": 0.16, "00M-MMM": 0.04, "M00-MMM": 0.08,
                  "000-0MM": 0.08, "MM0-0MM": 0.03, "MMM-000": 0.05}),
    "GA": (8.1, {"MMM0000": 0.84, "000-MMM": 0.04, "0000-MMM": 0.03, "MMM-000": 0.05, "0000-MM": 0.04}),
    "HI": (1.2, {"MMM-000": 1.0}),
    "ID": (1.8, {"M-000000": 0.2, "0M-00000": 0.25, "0M-M0000": 0.2, "0M-MM000": 0.1, "0M-0000M": 0.15,
                 "00M-0000": 0.1}),
    "IL": (10.4, {"M00-0000": 0.4, "MM-00000": 0.22, "000-0000": 0.14, "MMM-000": 0.04, "M00000": 0.04,
                  "000000": 0.03, "0000000M": 0.04, "00000M": 0.05, "MM0000": 0.04}),
    "IN": (6.0, {"000MMM": 0.4, "000MM": 0.1, "000M": 0.06, "00M-0000": 0.12, "MMM-000": 0.12, "MM000MM": 0.05,
                 "MM0000": 0.05, "00-M000": 0.1}),
    "IA": (3.6, {"MMM-000": 0.5, "000-MMM": 0.42, "MM-0000": 0.08}),
    "KS": (2.6, {"000-MMM": 0.55, "MMM-000": 0.25, "0000-MMM": 0.2}),
    "KY": (4.1, {"000-MMM": 0.8, "M0M-000": 0.08, "MMM-000": 0.07, "0000-MM": 0.05}),
    "LA": (3.8, {"MMM-000": 0.5, "000-MMM": 0.3, "M000000": 0.2}),
    "ME": (1.1, {"0000-MM": 0.7, "000-MMM": 0.15, "000-MM": 0.1, "MMM-000": 0.05}),
    "MD": (4.0, {"0MM0000": 0.62, "0MMM00": 0.16, "MMM-000": 0.07, "M00-000": 0.05, "000-M000": 0.05,
                 "00M-000": 0.05}),
    "MA": (5.0, {"000-MM0": 0.2, "0MM-000": 0.25, "0MMM-00": 0.15, "000-MMM": 0.1, "0000-MM": 0.1, "00MM-00": 0.1,
                 "000-0MM": 0.03, "M00-000": 0.07}),
    "MI": (8.2, {"MMM-0000": 0.72, "0MMM00": 0.14, "MMM-000": 0.06, "MM-00000": 0.05, "000-MMM": 0.03}),
    "MN": (5.3, {"000-MMM": 0.5, "MMM-000": 0.42, "MM0-000": 0.03, "MM-00000": 0.05}),
    "MS": (2.0, {"MMM-000": 0.8, "MMM-0000": 0.15, "000-MMM": 0.05}),
    "MO": (5.4, {"MM0-M0M": 0.68, "000-MMM": 0.1, "0MM-000": 0.1, "0MM-00M": 0.07, "MMM-000": 0.05}),
    "MT": (1.7, {"0-00000M": 0.35, "00-0000M": 0.25, "MMM-000": 0.25, "0-0000M": 0.08, "00-000M": 0.07}),
    "NE": (1.9, {"MMM-000": 0.45, "0-M0000": 0.12, "00-M000": 0.2, "0-MM000": 0.05, "00-MM00": 0.06, "0-M000": 0.06,
                 "00-M00": 0.06}),
    "NV": (2.4, {"000-MMM": 0.35, "00M-000": 0.4, "MMM-000": 0.1, "000-M00": 0.15}),
    "NH": (1.3, {"000-0000": 0.75, "000000": 0.15, "000-000": 0.1}),
    "NJ": (5.9, {"M00-MMM": 0.42, "MMM-00M": 0.33, "MM-000M": 0.1, "MMM-0000": 0.02, "MM-000-M": 0.03,
                 "MMM-000": 0.04, "000-MMM": 0.06}),
    "NM": (1.8, {"000-MMM": 0.5, "MMM-000": 0.4, "MMM-M00": 0.1}),
    "NY": (10.6, {"MMM-0000": 0.76, "MMM-000": 0.04, "00000-MM": 0.1, "M00-0MM": 0.03, "M0M-000": 0.02,
                  "000-0MM": 0.05}),
    "NC": (8.1, {"MMM-0000": 0.86, "MM-0000": 0.08, "MMM-000": 0.06}),
    "ND": (0.9, {"MMM-000": 0.5, "000-MMM": 0.5}),
    "OH": (10.6, {"MMM-0000": 0.74, "MM00MM": 0.07, "MMM-000": 0.05, "MM-0000": 0.03, "000-MMM": 0.03,
                  "MMM-00M": 0.03, "MM-00000": 0.05}),
    "OK": (3.5, {"000-MMM": 0.45, "MMM-000": 0.5, "0MM-000": 0.05}),
    "OR": (3.8, {"000-MMM": 0.65, "MMM-000": 0.2, "M000000": 0.1, "0MM-000": 0.05}),
    "PA": (10.7, {"MMM-0000": 0.8, "MMM0000": 0.1, "M00-00M": 0.02, "MM-00000": 0.05, "MMM-000": 0.03}),
    "RI": (0.9, {"000-000": 0.5, "MM-000": 0.25, "00000": 0.15, "0MM-000": 0.1}),
    "SC": (4.2, {"MMM-000": 0.5, "0000-MM": 0.2, "000-0MM": 0.2, "M-000000": 0.1}),
    "SD": (1.2, {"0MM-000": 0.35, "00M-000": 0.2, "00M-M00": 0.2, "0MM-M00": 0.15, "00M-MM0": 0.1}),
    "TN": (5.6, {"M00-00M": 0.4, "000-MMM": 0.3, "0M0-0M0": 0.1, "MMM-0000": 0.06, "0000-MMM": 0.06, "MMM-000": 0.08}),
    "TX": (21.3, {"MMM-0000": 0.5, "MM0-M000": 0.16, "M00-MMM": 0.04, "000-MMM": 0.08, "MMM-000": 0.06,
                  "00M-MM0": 0.05, "MM0-0000": 0.09, "00M-MMM": 0.02}),
    "UT": (2.2, {"M00-0MM": 0.35, "000-MMM": 0.25, "0M0-MM": 0.2, "0M0-0M": 0.05, "00M-0M": 0.05, "MMM-000": 0.1}),
    "VT": (0.6, {"MMM-000": 0.85, "000M000": 0.1, "0MM00": 0.05}),
    "VA": (7.4, {"MMM-0000": 0.82, "MMM-000": 0.03, "MM-00000": 0.03, "00-000M": 0.05, "00-0000M": 0.03,
                 "MM-0000": 0.04}),
    "WA": (6.7, {"MMM0000": 0.6, "000-MMM": 0.22, "M00000M": 0.08, "M00000": 0.05, "0000-MM": 0.05}),
    "WV": (1.6, {"0M-0000": 0.3, "0MM-000": 0.5, "MMM-000": 0.1, "M-0000": 0.1}),
    "WI": (5.5, {"000-MMM": 0.55, "MMM-0000": 0.22, "MMM-000": 0.08, "MM-0000": 0.1, "M00-000": 0.05}),
    "WY": (0.8, {"0-00000": 0.3, "00-00000": 0.3, "0-0000M": 0.15, "00-000M": 0.15, "00-0000": 0.1}),
}  # fmt: skip
"""State to its vehicles in millions and its series: (vehicles, {series as drawn: share of the state's plates})."""


def us_series() -> tuple[tuple[str, tuple[int, ...], float], ...]:
    """Every pattern once: (template, groups, weight), the commonest first; the weights add up to 1.

    A camera stands in one state, and it is not known in which: states weigh by the square root of their vehicles.
    The groups are those of the state that has most plates of the pattern.
    """
    weights: dict[str, float] = {}
    drawn: dict[str, tuple[float, tuple[int, ...]]] = {}
    for vehicles, series in STATES.values():
        for written, share in series.items():
            template = written.replace("-", "")
            groups = tuple(len(part) for part in written.split("-"))
            weight = vehicles**0.5 * share
            weights[template] = weights.get(template, 0.0) + weight
            if weight > drawn.get(template, (0.0, ()))[0]:
                drawn[template] = (weight, groups)
    total = sum(weights.values())
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return tuple((template, drawn[template][1], weight / total) for template, weight in ranked)

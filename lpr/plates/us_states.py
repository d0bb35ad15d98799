"""The plate series of the states of the USA, as data: what stands on the road of each, and how often.

``STATES`` holds for every state its registered vehicles and its series with their shares. A series is written as it
is drawn: ``U`` a letter (most states leave out I, O and Q, since they look like 1 and 0), ``0`` a digit, "-" a gap.
Shares count the plates of about the last twenty years, so the series before the present one is there too, and trucks,
trailers and commercial vehicles where they differ.

Sources: vehicles, millions: Federal Highway Administration, Highway Statistics 2015, table MV-1, for the states from
Alabama to Florida; the others are round estimates not yet checked against that table. Series: excerpts of Wikipedia's
"United States license plate designs and serial formats", two public pattern lists to check against (Faker's, which
follows that page, and OpenALPR's), and general knowledge. No state was checked at its own authority. The shares are
estimates.
The text alone cannot name the state (a dozen write ABC-1234), so ``us_series`` adds them up by pattern.

May import nothing. Pure.
"""

from __future__ import annotations

from typing import Final

__all__ = ["STATES", "us_series"]

STATES: Final[dict[str, tuple[float, dict[str, float]]]] = {
    "AL": (5.4, {"0U-00000": 0.2, "00-U0000": 0.15, "0U-00U00": 0.15, "00-U00U0": 0.15, "0UU-0000": 0.15,
                 "00-UU000": 0.15, "UU-00000": 0.05}),
    "AK": (0.8, {"UUU-000": 1.0}),
    "AZ": (5.6, {"UUU0000": 0.65, "000-UUU": 0.1, "UUU-0UU": 0.08, "U0U-0UU": 0.05, "UU-00000": 0.06,
                 "U-00000": 0.06}),
    "AR": (2.8, {"000-UUU": 0.6, "UUU-00U": 0.3, "UUU-000": 0.1}),
    "CA": (29.4, {"0UUU000": 0.7, "0U00000": 0.14, "00000U0": 0.1, "000-UUU": 0.03, "0UU0000": 0.03}),
    "CO": (5.0, {"000-UUU": 0.6, "UUU-000": 0.15, "UUU-U00": 0.15, "UU-0000": 0.1}),
    "CT": (2.8, {"000-UUU": 0.5, "0UU-UU0": 0.15, "UU-00000": 0.2, "00-UU00": 0.05, "U-00000": 0.05, "00000": 0.05}),
    "DE": (1.0, {"000000": 0.75, "00000": 0.15, "UU000000": 0.1}),
    "DC": (0.3, {"UU-0000": 0.9, "000000": 0.1}),
    "FL": (16.1, {"UUU-U00": 0.42, "000-UUU": 0.14, "U00-0UU": 0.16, "00U-UUU": 0.04, "U00-UUU": 0.08,
                  "000-0UU": 0.08, "UU0-0UU": 0.03, "UUU-000": 0.05}),
    "GA": (8.1, {"UUU0000": 0.84, "000-UUU": 0.04, "0000-UUU": 0.03, "UUU-000": 0.05, "0000-UU": 0.04}),
    "HI": (1.2, {"UUU-000": 1.0}),
    "ID": (1.8, {"U-000000": 0.2, "0U-00000": 0.25, "0U-U0000": 0.2, "0U-UU000": 0.1, "0U-0000U": 0.15,
                 "00U-0000": 0.1}),
    "IL": (10.4, {"U00-0000": 0.4, "UU-00000": 0.22, "000-0000": 0.14, "UUU-000": 0.04, "U00000": 0.04,
                  "000000": 0.03, "0000000U": 0.04, "00000U": 0.05, "UU0000": 0.04}),
    "IN": (6.0, {"000UUU": 0.4, "000UU": 0.1, "000U": 0.06, "00U-0000": 0.12, "UUU-000": 0.12, "UU000UU": 0.05,
                 "UU0000": 0.05, "00-U000": 0.1}),
    "IA": (3.6, {"UUU-000": 0.5, "000-UUU": 0.42, "UU-0000": 0.08}),
    "KS": (2.6, {"000-UUU": 0.55, "UUU-000": 0.25, "0000-UUU": 0.2}),
    "KY": (4.1, {"000-UUU": 0.8, "U0U-000": 0.08, "UUU-000": 0.07, "0000-UU": 0.05}),
    "LA": (3.8, {"UUU-000": 0.5, "000-UUU": 0.3, "U000000": 0.2}),
    "ME": (1.1, {"0000-UU": 0.7, "000-UUU": 0.15, "000-UU": 0.1, "UUU-000": 0.05}),
    "MD": (4.0, {"0UU0000": 0.62, "0UUU00": 0.16, "UUU-000": 0.07, "U00-000": 0.05, "000-U000": 0.05,
                 "00U-000": 0.05}),
    "UA": (5.0, {"000-UU0": 0.2, "0UU-000": 0.25, "0UUU-00": 0.15, "000-UUU": 0.1, "0000-UU": 0.1, "00UU-00": 0.1,
                 "000-0UU": 0.03, "U00-000": 0.07}),
    "MI": (8.2, {"UUU-0000": 0.72, "0UUU00": 0.14, "UUU-000": 0.06, "UU-00000": 0.05, "000-UUU": 0.03}),
    "MN": (5.3, {"000-UUU": 0.5, "UUU-000": 0.42, "UU0-000": 0.03, "UU-00000": 0.05}),
    "MS": (2.0, {"UUU-000": 0.8, "UUU-0000": 0.15, "000-UUU": 0.05}),
    "MO": (5.4, {"UU0-U0U": 0.68, "000-UUU": 0.1, "0UU-000": 0.1, "0UU-00U": 0.07, "UUU-000": 0.05}),
    "MT": (1.7, {"0-00000U": 0.35, "00-0000U": 0.25, "UUU-000": 0.25, "0-0000U": 0.08, "00-000U": 0.07}),
    "NE": (1.9, {"UUU-000": 0.45, "0-U0000": 0.12, "00-U000": 0.2, "0-UU000": 0.05, "00-UU00": 0.06, "0-U000": 0.06,
                 "00-U00": 0.06}),
    "NV": (2.4, {"000-UUU": 0.35, "00U-000": 0.4, "UUU-000": 0.1, "000-U00": 0.15}),
    "NH": (1.3, {"000-0000": 0.75, "000000": 0.15, "000-000": 0.1}),
    "NJ": (5.9, {"U00-UUU": 0.42, "UUU-00U": 0.33, "UU-000U": 0.1, "UUU-0000": 0.02, "UU-000-U": 0.03,
                 "UUU-000": 0.04, "000-UUU": 0.06}),
    "NM": (1.8, {"000-UUU": 0.5, "UUU-000": 0.4, "UUU-U00": 0.1}),
    "NY": (10.6, {"UUU-0000": 0.76, "UUU-000": 0.04, "00000-UU": 0.1, "U00-0UU": 0.03, "U0U-000": 0.02,
                  "000-0UU": 0.05}),
    "NC": (8.1, {"UUU-0000": 0.86, "UU-0000": 0.08, "UUU-000": 0.06}),
    "ND": (0.9, {"UUU-000": 0.5, "000-UUU": 0.5}),
    "OH": (10.6, {"UUU-0000": 0.74, "UU00UU": 0.07, "UUU-000": 0.05, "UU-0000": 0.03, "000-UUU": 0.03,
                  "UUU-00U": 0.03, "UU-00000": 0.05}),
    "OK": (3.5, {"000-UUU": 0.45, "UUU-000": 0.5, "0UU-000": 0.05}),
    "OR": (3.8, {"000-UUU": 0.65, "UUU-000": 0.2, "U000000": 0.1, "0UU-000": 0.05}),
    "PA": (10.7, {"UUU-0000": 0.8, "UUU0000": 0.1, "U00-00U": 0.02, "UU-00000": 0.05, "UUU-000": 0.03}),
    "RI": (0.9, {"000-000": 0.5, "UU-000": 0.25, "00000": 0.15, "0UU-000": 0.1}),
    "SC": (4.2, {"UUU-000": 0.5, "0000-UU": 0.2, "000-0UU": 0.2, "U-000000": 0.1}),
    "SD": (1.2, {"0UU-000": 0.35, "00U-000": 0.2, "00U-U00": 0.2, "0UU-U00": 0.15, "00U-UU0": 0.1}),
    "TN": (5.6, {"U00-00U": 0.4, "000-UUU": 0.3, "0U0-0U0": 0.1, "UUU-0000": 0.06, "0000-UUU": 0.06, "UUU-000": 0.08}),
    "TX": (21.3, {"UUU-0000": 0.5, "UU0-U000": 0.16, "U00-UUU": 0.04, "000-UUU": 0.08, "UUU-000": 0.06,
                  "00U-UU0": 0.05, "UU0-0000": 0.09, "00U-UUU": 0.02}),
    "UT": (2.2, {"U00-0UU": 0.35, "000-UUU": 0.25, "0U0-UU": 0.2, "0U0-0U": 0.05, "00U-0U": 0.05, "UUU-000": 0.1}),
    "VT": (0.6, {"UUU-000": 0.85, "000U000": 0.1, "0UU00": 0.05}),
    "VA": (7.4, {"UUU-0000": 0.82, "UUU-000": 0.03, "UU-00000": 0.03, "00-000U": 0.05, "00-0000U": 0.03,
                 "UU-0000": 0.04}),
    "WA": (6.7, {"UUU0000": 0.6, "000-UUU": 0.22, "U00000U": 0.08, "U00000": 0.05, "0000-UU": 0.05}),
    "WV": (1.6, {"0U-0000": 0.3, "0UU-000": 0.5, "UUU-000": 0.1, "U-0000": 0.1}),
    "WI": (5.5, {"000-UUU": 0.55, "UUU-0000": 0.22, "UUU-000": 0.08, "UU-0000": 0.1, "U00-000": 0.05}),
    "WY": (0.8, {"0-00000": 0.3, "00-00000": 0.3, "0-0000U": 0.15, "00-000U": 0.15, "00-0000": 0.1}),
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

"""How likely a text is before the picture is seen: the formats of the configured countries, and everything else.

p(text) = P(own) · Σ P(format) / (number of its texts) + P(foreign) · the same over all other countries' formats
+ P(free) · a simple model of free texts (personal plates, formats that nobody listed). P(format) is the country's share
times the format's weight in the country (``lpr.plates.formats``), times what the reader's layout head says.

Configured countries are equally likely. When none is configured, all are, by the square root of their vehicles, so
that none outweighs the others. Foreign formats never make a text here; they keep one that was read from being bent
into an own format.

A format whose texts begin with the code of a district counts more for those that are in the list of its country
(``lpr.plates.districts``).

Pure. May import ``lpr.plates.districts``, ``lpr.plates.formats`` and ``lpr.plates.segments``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lpr.plates.districts import factor
from lpr.plates.formats import FORMATS, Format, countries_of, odds_of
from lpr.plates.segments import ALPHABET

__all__ = ["LONGEST", "VEHICLES", "Grammar", "Prior", "Priors", "free_log_probability", "grammar_for"]

VEHICLES: Final[dict[str, float]] = {
    "BR": 62, "AR": 15, "CL": 6, "PY": 1.5, "UY": 1.5, "BO": 2.2, "PE": 3.3, "CO": 8, "EC": 2.7, "VE": 4.5, "MX": 45,
    "DE": 53, "FR": 45, "IT": 45, "ES": 30, "GB": 37, "NL": 10, "BE": 7, "PL": 30, "RO": 9, "PT": 6.5, "SE": 5.6,
    "FI": 3.4, "NO": 3.5, "DK": 3.3, "CZ": 7, "SK": 2.9, "HU": 4.6, "AT": 5.7, "GR": 6.5, "LT": 1.7, "LV": 0.9,
    "EE": 0.9, "HR": 2.1, "SI": 1.4, "BG": 3.3, "IE": 2.6, "LU": 0.5, "CH": 5.3, "CY": 0.7, "MT": 0.4, "IS": 0.4,
    "LI": 0.04, "TR": 26, "UA": 10, "RS": 2.5, "BA": 1.1, "ME": 0.3, "MK": 0.5, "AL": 0.8, "MD": 1.1, "BY": 3.5,
    "US": 270,
}  # fmt: skip
"""Country to its vehicles in millions: round estimates, not taken from a table; only their square roots count."""

LONGEST: Final = max(len(format_.template) for format_ in FORMATS)
"""Characters of the longest format."""

_CODES: Final = {char: i for i, char in enumerate(ALPHABET)}
_SHAPE: Final = str.maketrans(ALPHABET, "0" * 10 + "A" * 26)

# Free texts: how long they are, and how often a letter follows a letter or a digit a digit.
_LENGTHS: Final = (0.05, 0.002, 0.01, 0.03, 0.06, 0.12, 0.28, 0.36, 0.1, 0.025, 0.01)
_STAYS: Final = 0.75


@dataclass(frozen=True, slots=True)
class Priors:
    """How the sources of texts share, and how far their word counts.

    ``free``: share of texts of no format at all. ``foreign``: of another country's format. ``style_power``: how far
    the layout head's probabilities are believed where they part the formats of one country (0: not, 1: wholly).
    ``even``: how far the prior is taken as a
    prior against evenly drawn characters (1: wholly). A reader has learned from texts, so its probabilities hold a
    prior already, which makes long texts as likely as short ones; 0 would count every character as an improbability.
    """

    free: float = 0.35
    foreign: float = 0.05
    style_power: float = 0.8
    even: float = 0.45


def free_log_probability(text: str) -> float:
    """ln of the probability of ``text`` among free texts: letters and digits in runs, seldom I, O or Q."""
    return _of_shape(text.translate(_SHAPE))[0] + _RARER * (text.count("I") + text.count("O") + text.count("Q"))


@lru_cache(maxsize=4096)
def _of_shape(shape: str) -> tuple[float, float]:
    """For texts of a shape ("AAA000") without I, O, Q: ln of the probability as a free text, and minus ln of the
    probability when letters and digits are equally common and each as common as the next."""
    letters, digits = shape.count("A"), shape.count("0")
    even = letters * _EVEN_LETTER + digits * _EVEN_DIGIT
    if len(shape) >= len(_LENGTHS):
        return -60.0 - 4.0 * len(shape), even
    turns = shape.count("A0") + shape.count("0A")
    stays = max(len(shape) - 1 - turns, 0)
    free = math.log(_LENGTHS[len(shape)] / 2) + turns * math.log(1 - _STAYS) + stays * math.log(_STAYS)
    return free + letters * math.log(odds_of("U")["A"]) + digits * math.log(0.1), even


_EVEN_LETTER: Final = math.log(2 * 23)
_EVEN_DIGIT: Final = math.log(2 * 10)
_RARER: Final = math.log(odds_of("U")["O"] / odds_of("U")["A"])

_LEAST_STYLE: Final = 0.02
_LEAST_WITHIN: Final = 0.05
"""Added to the layout head's probabilities, between the countries and between the formats of one: it is sometimes
wrong, and then very sure."""


class Grammar:
    """The formats of some countries as a prior over texts. Made by ``grammar_for``; never changes.

    ``worldwide``: no country was configured, so all are in it. ``formats``: its own formats. ``shares``: (formats,)
    float64, their prior shares, which add up to 1. ``templates``: the different templates among them, the shortest
    first (one that begins with the codes of several lists is there for each).
    ``letters``: (templates, LONGEST, 36) float64, ln of the probability of a character in a place of a template,
    -inf where it is not allowed. ``lengths``: (templates,) their lengths.
    """

    def __init__(self, codes: tuple[str, ...]) -> None:
        """``codes``: country codes, none for all. Use ``grammar_for``."""
        self.worldwide = not codes
        known = frozenset(codes) or frozenset(format_.country for format_ in FORMATS)
        self.formats = tuple(format_ for format_ in FORMATS if format_.country in known)
        size = {code: math.sqrt(VEHICLES[code]) if self.worldwide else 1.0 for code in known}
        self.shares = _normalised([size[format_.country] * format_.weight for format_ in self.formats])
        order = sorted(known)
        self._country_of = np.array([order.index(format_.country) for format_ in self.formats], np.intp)
        kinds = sorted(dict.fromkeys(_kind(format_) for format_ in self.formats), key=lambda kind: len(kind.template))
        self.templates = tuple(kind.template for kind in kinds)
        place = {kind: i for i, kind in enumerate(kinds)}
        self._template_of = np.array([place[_kind(format_)] for format_ in self.formats], np.intp)
        self._sorted_lengths = [len(template) for template in self.templates]
        self.lengths = np.array(self._sorted_lengths, np.intp)
        self.letters = np.full((len(self.templates), LONGEST, len(ALPHABET)), -np.inf)
        for i, template in enumerate(self.templates):
            for slot, sign in enumerate(template):
                for char, share in odds_of(sign).items():
                    self.letters[i, slot, _CODES[char]] = math.log(share)
        own: list[list[int]] = [[] for _ in kinds]
        for i, format_ in enumerate(self.formats):
            own[place[_kind(format_)]].append(i)
        self._formats_of = tuple(tuple(places) for places in own)
        self._own = _by_shape([(kind, i, 1.0) for i, kind in enumerate(kinds)])
        others = [format_ for format_ in FORMATS if format_.country not in known]
        weights = _normalised([math.sqrt(VEHICLES[format_.country]) * format_.weight for format_ in others])
        self._foreign = _by_shape(
            [(_kind(format_), 0, float(weight)) for format_, weight in zip(others, weights, strict=True)]
        )

    def weighed(self, styles: Mapping[str, float] | NDArray[np.float64] | None, power: float) -> NDArray[np.float64]:
        """(formats,) the shares after the layout head has spoken, adding up to 1.

        ``styles``: format key to probability (missing keys: 0), or the probability for each of ``formats``; none when
        there is no such head. ``power``: see ``Priors.style_power``.
        """
        if styles is None or not len(styles):
            return self.shares
        said = (
            styles if isinstance(styles, np.ndarray) else np.array([styles.get(one.key, 0.0) for one in self.formats])
        )
        between = np.bincount(self._country_of, self.shares * (said + _LEAST_STYLE))[self._country_of]
        formats = self.shares * (said + _LEAST_WITHIN) ** power
        within = formats / np.bincount(self._country_of, formats)[self._country_of]
        product = between * within
        return product / product.sum()

    def by_template(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(templates,) the formats' weights added up by template."""
        return np.asarray(np.bincount(self._template_of, weights, len(self.templates)), np.float64)

    def log_probability(self, text: str, shares: Sequence[float], priors: Priors) -> float:
        """ln p(text). ``shares``: of each template, as ``by_template`` gives them."""
        return self.prior(shares, priors).log_probability(text)

    def prior(self, shares: Sequence[float], priors: Priors) -> Prior:
        """The prior for the texts of one plate; ``shares`` as for ``log_probability``."""
        return Prior(self._own, self._foreign, shares, priors)

    def explains(self, text: str) -> bool:
        """Whether ``text`` has an own format."""
        return any(one.share(text) > 0 for one in self._own.get(text.translate(_SHAPE), ()))

    def gains(self, even: float) -> NDArray[np.float64]:
        """(36, LONGEST, templates) what a character adds to ``log_probability`` in each place of each template."""
        return _gains(self, even)

    def of_lengths(self, least: int, most: int) -> slice:
        """Which of ``templates`` have so many characters."""
        return slice(bisect_left(self._sorted_lengths, least), bisect_right(self._sorted_lengths, most))

    def named(self, text: str, weights: NDArray[np.float64], prior: Prior) -> list[tuple[Format, float]]:
        """The own formats of ``text`` and how likely each is, given the text; the likeliest first, equals in the order
        of ``FORMATS``. What is missing to 1 is what foreign formats and free texts explain. ``prior``: of the shares
        that ``by_template`` makes of the same ``weights``."""
        priors = prior.priors
        shape = text.translate(_SHAPE)
        whole = math.exp(prior.log_probability(text) - priors.even * _of_shape(shape)[1])
        known = 1 - priors.free - priors.foreign
        found = [
            (i, known * float(weights[i]) * share / whole)
            for one in self._own.get(shape, ())
            if (share := one.share(text)) > 0
            for i in self._formats_of[one.place]
        ]
        found.sort(key=lambda item: (-item[1], item[0]))
        return [(self.formats[i], share) for i, share in found]


class Prior:
    """p(text) for one plate: the grammar under what the layout head says, with what a shape's texts share kept.

    Made by ``Grammar.prior``.
    """

    def __init__(
        self,
        own: Mapping[str, Sequence[_Pattern]],
        foreign: Mapping[str, Sequence[_Pattern]],
        shares: Sequence[float],
        priors: Priors,
    ) -> None:
        self._own, self._foreign, self._shares, self.priors = own, foreign, shares, priors
        self._shapes: dict[str, tuple[float, float, float, list[tuple[float, _Pattern]]]] = {}

    def log_probability(self, text: str) -> float:
        """ln p(text)."""
        shape = text.translate(_SHAPE)
        known = self._shapes.get(shape)
        if known is None:
            known = self._shapes[shape] = self._of_shape(shape)
        constant, free, even, patterns = known
        rare = text.count("I") + text.count("O") + text.count("Q")
        total = constant + self.priors.free * math.exp(free + _RARER * rare)
        for share, pattern in patterns:
            total += share * pattern.share(text)
        return math.log(total + 1e-300) + even

    def _of_shape(self, shape: str) -> tuple[float, float, float, list[tuple[float, _Pattern]]]:
        """For all texts of a shape: what the patterns add to each alike, ln of the probability as a free text, what
        is taken against evenly drawn characters, and the other patterns with their shares."""
        priors = self.priors
        free, even = _of_shape(shape)
        constant = 0.0
        patterns: list[tuple[float, _Pattern]] = []
        shared = 1 - priors.free - priors.foreign
        ours = [(shared * self._shares[one.place], one) for one in self._own.get(shape, ())]
        for share, one in (*ours, *((priors.foreign, one) for one in self._foreign.get(shape, ()))):
            if one.odds or one.codes:
                patterns.append((share, one))
            else:
                constant += share * one.weight
        return constant, free, priors.even * even, patterns


class _Kind(NamedTuple):
    """What the formats have in common whose texts are equally likely."""

    template: str
    codes: str
    begins: int


def _kind(format_: Format) -> _Kind:
    return _Kind(format_.template, format_.codes, format_.begins)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A template among those of one shape."""

    place: int
    weight: float  # of the template, times the probability of the characters in all slots where that is constant
    odds: tuple[tuple[int, dict[str, float]], ...]  # the other slots
    codes: str
    begins: int

    def share(self, text: str) -> float:
        """The probability of ``text``, which has the template's shape."""
        share = self.weight * factor(self.codes, text[: self.begins]) if self.codes else self.weight
        for slot, odds in self.odds:
            share *= odds.get(text[slot], 0.0)
        return share


def _by_shape(kinds: Iterable[tuple[_Kind, int, float]]) -> dict[str, tuple[_Pattern, ...]]:
    """(kind, place, weight) by the shape of their texts; equal kinds at one place are added up."""
    weights: dict[tuple[_Kind, int], float] = {}
    for kind, place, weight in kinds:
        weights[kind, place] = weights.get((kind, place), 0.0) + weight
    found: dict[str, tuple[_Pattern, ...]] = {}
    for (kind, place), weight in weights.items():
        template = kind.template
        shape = "".join("0" if sign == "0" else "A" for sign in template)
        odds = tuple((slot, odds_of(sign)) for slot, sign in enumerate(template) if sign not in "0A")
        constant = weight * 10.0 ** -template.count("0") * 26.0 ** -template.count("A")
        found[shape] = (*found.get(shape, ()), _Pattern(place, constant, odds, kind.codes, kind.begins))
    return found


def _normalised(values: Iterable[float]) -> NDArray[np.float64]:
    array = np.array(list(values), np.float64)
    return array / max(float(array.sum()), 1e-300)


@lru_cache(maxsize=64)
def _gains(grammar: Grammar, even: float) -> NDArray[np.float64]:
    alike = [_EVEN_DIGIT] * 10 + [_EVEN_LETTER] * 26
    return np.ascontiguousarray((grammar.letters + even * np.array(alike)).transpose(2, 1, 0))


@lru_cache(maxsize=64)
def _grammar(codes: tuple[str, ...]) -> Grammar:
    return Grammar(codes)


def grammar_for(countries: Iterable[str] = ()) -> Grammar:
    """The grammar of these countries (codes or regions; none: of the world). Raises UnknownCountry."""
    return _grammar(countries_of(countries))

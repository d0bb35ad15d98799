"""The prior over texts: shares add up, formats and free texts are weighed, every country has its vehicles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.plates.formats import FORMATS, UnknownCountry, odds_of
from lpr.plates.grammar import LONGEST, VEHICLES, Priors, free_log_probability, grammar_for
from lpr.plates.segments import ALPHABET

PLAIN = Priors(even=0.0)


def probability(text: str, *countries: str, priors: Priors = PLAIN) -> float:
    grammar = grammar_for(countries)
    return math.exp(grammar.log_probability(text, grammar.by_template(grammar.shares).tolist(), priors))


def test_every_country_has_vehicles_and_nothing_outweighs_the_others_worldwide() -> None:
    assert set(VEHICLES) == {format_.country for format_ in FORMATS}
    world = grammar_for()
    assert world.worldwide and world.shares.sum() == pytest.approx(1)
    by_country: dict[str, float] = {}
    for format_, share in zip(world.formats, world.shares.tolist(), strict=True):
        by_country[format_.country] = by_country.get(format_.country, 0.0) + share
    assert max(by_country.values()) < 0.2


def test_configured_countries_are_equally_likely() -> None:
    both = grammar_for(["BR", "UY"])
    brazil = sum(s for f, s in zip(both.formats, both.shares.tolist(), strict=True) if f.country == "BR")
    assert not both.worldwide and brazil == pytest.approx(0.5, abs=1e-3)
    assert grammar_for(["br", "uy"]) is both
    with pytest.raises(UnknownCountry, match="'ZZ'"):
        grammar_for(["ZZ"])


def test_the_probability_of_a_text_is_the_sum_over_its_sources() -> None:
    own = (1 - PLAIN.free - PLAIN.foreign) * 0.47 / (26**4 * 10**3)
    free = PLAIN.free * math.exp(free_log_probability("ABC1D23"))
    assert probability("ABC1D23", "BR") == pytest.approx(own + free, rel=0.01)
    assert probability("AB123CD", "BR") > 5 * probability("AB12C3D", "BR")  # a foreign format helps


def test_free_texts_add_up() -> None:
    """Over all texts of two characters: the share of that length."""
    total = sum(math.exp(free_log_probability(a + b)) for a in ALPHABET for b in ALPHABET)
    assert total == pytest.approx(0.01, rel=0.02)
    assert free_log_probability("ABCD12") > free_log_probability("A1B2C3")
    assert free_log_probability("AAAAAA") > free_log_probability("AAAAAO")
    assert free_log_probability("A" * 40) < free_log_probability("A" * 9)


def test_the_layout_head_shifts_the_shares_but_not_without_limit() -> None:
    grammar = grammar_for(["BR"])
    keys = [format_.key for format_ in grammar.formats]
    shares = grammar.weighed({"br-old": 0.0, "br-mercosul": 1.0}, 0.8)
    assert shares.sum() == pytest.approx(1)
    assert 1 < shares[keys.index("br-mercosul")] / shares[keys.index("br-old")] < 20
    assert grammar.weighed(None, 0.8) is grammar.shares
    assert np.allclose(grammar.weighed({"br-old": 0.9}, 0.0), grammar.shares)


@given(st.sampled_from(FORMATS), st.data())
def test_a_text_is_named_by_its_format(format_: object, data: st.DataObject) -> None:
    from lpr.plates.formats import Format

    assert isinstance(format_, Format)
    text = "".join(data.draw(st.sampled_from(sorted(odds_of(sign)))) for sign in format_.template)
    assert 1 <= len(text) <= LONGEST
    grammar = grammar_for([format_.country])
    prior = grammar.prior(grammar.by_template(grammar.shares).tolist(), PLAIN)
    named = grammar.named(text, grammar.shares, prior)
    assert format_.key in [one.key for one, _ in named]
    assert [share for _, share in named] == sorted((share for _, share in named), reverse=True)
    assert 0 < sum(share for _, share in named) <= 1 + 1e-9
    place = grammar.templates.index(format_.template)
    each = sum(float(grammar.gains(0.0)[ALPHABET.index(char), slot, place]) for slot, char in enumerate(text))
    assert each == pytest.approx(sum(math.log(odds_of(s)[c]) for s, c in zip(format_.template, text, strict=True)))


@given(st.integers(0, 12), st.integers(0, 12))
def test_templates_of_some_lengths_lie_next_to_each_other(least: int, most: int) -> None:
    grammar = grammar_for()
    found = grammar.templates[grammar.of_lengths(least, most)]
    assert sorted(found) == sorted(one for one in grammar.templates if least <= len(one) <= most)


def test_a_listed_district_makes_a_text_likelier() -> None:
    assert probability("WESQW211", "DE") > 30 * probability("HESQW211", "DE")
    assert probability("CJ02AFM", "RO") > 30 * probability("QJ02AFM", "RO")
    priors = Priors(free=0.0, foreign=0.0, even=0.0)
    every = sum(probability(f"{a}{b}02AFM", "RO", priors=priors) for a in ALPHABET[10:] for b in ALPHABET[10:])
    assert every == pytest.approx(0.82 / (100 * 23 * 26 * 26), rel=1e-3)


def test_against_even_characters_a_longer_text_is_no_less_likely() -> None:
    """ "ABC1234" has many more fellows as "ABC123"; taken wholly against even characters that is no matter."""
    shorter, longer = probability("ABC123", "AR"), probability("ABC1234", "BR")
    assert shorter > 5 * longer
    whole = Priors(even=1.0)
    assert probability("ABC1234", "BR", priors=whole) > probability("ABC123", "AR", priors=whole)

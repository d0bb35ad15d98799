"""Formats as data: patterns, countries, and the two forms of a Brazilian plate."""

from __future__ import annotations

import itertools
import re
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.plates.districts import DISTRICTS, UNLISTED, factor
from lpr.plates.formats import (
    CLASSES,
    FORMATS,
    REGIONS,
    UnknownCountry,
    by_key,
    countries_of,
    formats_for,
    matching,
    odds_of,
    to_mercosul,
    to_old_brazil,
)
from lpr.plates.us_states import STATES, us_series
from lpr.scene.plates import random_text


def test_keys_are_unique_and_start_with_their_country() -> None:
    keys = [format_.key for format_ in FORMATS]
    assert len(set(keys)) == len(keys)
    assert all(format_.key[:2].upper() == format_.country for format_ in FORMATS)


@given(index=st.integers(0, len(FORMATS) - 1), seed=st.integers(0, 1000))
def test_a_text_made_for_a_format_matches_it(index: int, seed: int) -> None:
    format_ = FORMATS[index]
    text = random_text(np.random.default_rng(seed), format_)
    assert format_.matches(text)
    assert format_ in matching(text, [format_.country])
    assert all(char in format_.allows(slot) for slot, char in enumerate(text))
    assert sum(format_.groups) == len(format_.template)


@pytest.mark.parametrize(
    ("text", "country", "keys"),
    [
        ("ABC1234", "BR", {"br-old", "br-old-moto"}),
        ("ABC1D23", "BR", {"br-mercosul", "br-mercosul-moto"}),
        ("AB123CD", "AR", {"ar-mercosul"}),
        ("BBCL12", "CL", {"cl-new"}),
        ("AB1234", "CL", {"cl-old"}),
        ("ABCD123", "PY", {"py-mercosul"}),
        ("SAB1234", "UY", {"uy-mercosul"}),
        ("1234ABC", "BO", {"bo"}),
        ("ABC123D", "MX", {"mx"}),
        ("AIC123D", "MX", set[str]()),
    ],
)
def test_known_plates(text: str, country: str, keys: set[str]) -> None:
    assert {format_.key for format_ in matching(text, [country])} == keys


@given(st.from_regex(r"[A-Z]{3}[0-9]{4}", fullmatch=True))
def test_both_brazilian_forms_go_over_into_each_other(text: str) -> None:
    text = text.upper()
    new = to_mercosul(text)
    assert new is not None and by_key("br-mercosul").matches(new)
    assert to_old_brazil(new) == text


def test_what_has_no_other_form() -> None:
    assert to_mercosul("ABC1D23") is None
    assert to_old_brazil("ABC1K23") is None
    assert to_old_brazil("ABC1234") is None


def test_regions_and_unknown_countries() -> None:
    assert countries_of(["southern-cone", "br"]) == ("BR", "AR", "CL", "PY", "UY")
    assert formats_for([]) == ()
    for region in REGIONS:
        assert formats_for([region])
    with pytest.raises(UnknownCountry, match="'ZZ'"):
        formats_for(["ZZ"])
    with pytest.raises(KeyError, match="no plate format"):
        by_key("zz-1")
    assert "O" not in CLASSES["M"]


def test_the_weights_of_a_country_add_up_to_one() -> None:
    shares: dict[str, float] = {}
    for format_ in FORMATS:
        assert 0 < format_.weight <= 1
        shares[format_.country] = shares.get(format_.country, 0.0) + format_.weight
    assert shares == {country: pytest.approx(1, abs=1e-3) for country in shares}


def test_the_states_of_the_usa_become_patterns() -> None:
    for state, (vehicles, series) in STATES.items():
        assert vehicles > 0 and sum(series.values()) == pytest.approx(1, abs=1e-6), state
    patterns = {template: (groups, weight) for template, groups, weight in us_series()}
    assert max(patterns, key=lambda template: patterns[template][1]) == "UUU0000"
    assert patterns["UU0U0U"][0] == (3, 3)
    keys = {format_.key for format_ in matching("AB1C2D", ["US"])}
    assert keys == {"us-aa0a0a"}
    assert by_key("us-ca").matches("8ABC123")
    odds = odds_of("U")
    assert sum(odds.values()) == pytest.approx(1) and odds["O"] < odds["A"] / 2 and len(odds) == 26


def test_germanys_formats_hold_what_drives_there() -> None:
    for text in ("MKS5091", "BX1", "WESQW211", "STAHL123", "MAB123E", "SAB12H", "D7490", "WES07049"):
        assert any(format_.codes for format_ in matching(text, ["DE"])), text
    assert not matching("MABC12345", ["DE"]) and not matching("MAB123X", ["DE"])


def test_where_a_code_ends() -> None:
    assert by_key("de-43").begins == 4
    assert by_key("ro-b").begins == 1 and by_key("tr").begins == 2
    assert by_key("fr").begins == 0
    for format_ in FORMATS:
        assert not format_.codes or set(format_.template[: format_.begins]) <= {"A", "0"}, format_.key
        assert not format_.codes or format_.codes in DISTRICTS


@pytest.mark.parametrize(("codes", "length"), [("ro", 1), ("ro", 2), ("tr", 2), ("at", 2), ("de-alone", 2)])
def test_codes_only_shift_what_is_likely(codes: str, length: int) -> None:
    """Over all beginnings of a length the factors' mean is 1."""
    signs = "0123456789" if codes == "tr" else string.ascii_uppercase
    found = [factor(codes, "".join(chars)) for chars in itertools.product(signs, repeat=length)]
    assert sum(found) / len(found) == pytest.approx(1)
    assert min(found) == pytest.approx(UNLISTED)


def test_a_german_district_is_parted_from_the_letters_after_it() -> None:
    assert factor("de", "WESQW") > 100 * factor("de", "HESQW")
    assert factor("de", "MKS") > 1 > factor("de", "QKS") == UNLISTED
    found = [factor("de", "".join(chars)) for chars in itertools.product(string.ascii_uppercase, repeat=3)]
    assert sum(found) / len(found) == pytest.approx(1)
    assert factor("de", "ABCDEFG") == UNLISTED


def test_codes_are_plain_and_sorted_lists_hold_none_twice() -> None:
    for name, codes in DISTRICTS.items():
        assert all(re.fullmatch("[A-Z]{1,3}|[0-9]{2}", code) for code in codes), name
    assert len(DISTRICTS["de"]) > 700 and len(DISTRICTS["ro"]) == 42 and len(DISTRICTS["ch"]) == 26
    assert set(REGIONS["europe"]) >= {"DE", "FR", "TR", "UA", "CY"}

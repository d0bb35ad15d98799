"""Decoding: greedy where nothing is known, by the grammar where look-alikes disagree, never far from what was seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from lpr.plates.decode import ALPHABET, DecodeError, decode
from lpr.plates.formats import FORMATS
from lpr.plates.grammar import grammar_for

Slots = NDArray[np.float32]


def slots(text: str, sure: float = 0.97, count: int = 10) -> Slots:
    """Probabilities that read ``text`` ("_" is a blank slot)."""
    p = np.full((count, 37), (1 - sure) / 36, np.float32)
    for i in range(count):
        char = text[i] if i < len(text) else "_"
        p[i, 36 if char == "_" else ALPHABET.index(char)] = sure
    return p


def put(p: Slots, slot: int, **shares: float) -> Slots:
    """Set the probabilities of one slot: put(p, 2, A=0.6, D4=0.4) (D4: the digit 4)."""
    p = p.copy()
    p[slot] = 0.0002
    for name, share in shares.items():
        p[slot, ALPHABET.index(name[-1])] = share
    return p


def test_a_clear_plate_of_a_configured_country() -> None:
    found = decode(slots("ABC1D23"), grammar_for(["BR"]))
    assert (found.text, found.layout, found.country) == ("ABC1D23", "br-mercosul", "BR")
    assert 0.85 < found.confidence < 0.98
    assert [character.char for character in found.characters] == list("ABC1D23")


def test_blank_slots_in_the_middle_are_passed_over() -> None:
    assert decode(slots("AB_C12__34")).text == "ABC1234"


@pytest.mark.parametrize(("seen", "read"), [("ABC12O4", "ABC1204"), ("A8C1234", "A8C1234"), ("IBC12I4", "IBC1214")])
def test_look_alikes_go_by_the_slot(seen: str, read: str) -> None:
    found = decode(slots(seen), grammar_for(["BR"]))
    assert found.text == read
    assert (found.layout is None) == (read == "A8C1234")


def test_a_look_alike_counts_for_the_character_that_the_format_wants() -> None:
    p = put(slots("ABC1234"), 6, D0=0.5, O=0.49)
    found = decode(p, grammar_for(["BR"]))
    assert found.text == "ABC1230"
    assert found.characters[6].confidence > 0.98
    assert "O" not in [char for char, _ in found.characters[6].others]


def test_near_equals_are_decided_by_the_format_but_not_far_ones() -> None:
    near = put(slots("ABC1234"), 1, D8=0.5, B=0.45)
    assert decode(near, grammar_for(["BR"])).text == "ABC1234"
    far = put(slots("ABC1234"), 1, D8=0.9993, B=0.0001)
    found = decode(far, grammar_for(["BR"]))
    assert found.text == "A8C1234" and found.layout is None and found.country is None


def test_a_doubtful_extra_or_missing_slot() -> None:
    extra = put(slots("ABC12345"), 7, D5=0.4)
    extra[7, 36] = 0.35
    assert decode(extra, grammar_for(["BR"])).text == "ABC1234"
    missing = slots("ABC123_")
    missing[6, 36] = 0.55
    missing[6, ALPHABET.index("4")] = 0.42
    assert decode(missing, grammar_for(["BR"])).text == "ABC1234"


def test_the_prior_names_the_layout_where_the_text_cannot() -> None:
    p = slots("SAB1234")
    grammar = grammar_for(["BR", "UY"])
    assert decode(p, grammar, {"br-old": 0.9, "uy-mercosul": 0.05}).country == "BR"
    assert decode(p, grammar, {"br-old": 0.02, "uy-mercosul": 0.95}).country == "UY"
    layouts = [key for key, _ in decode(p, grammar, {"uy-mercosul": 0.95}).layouts]
    assert layouts[0] == "uy-mercosul" and "br-old" in layouts


def test_a_wrong_prior_does_not_change_what_was_clearly_seen() -> None:
    prior = {"br-old": 0.001, "br-mercosul": 0.999}
    for text in ("FSR0106", "DIW5121"):
        assert decode(slots(text), grammar_for(["BR"]), prior).text == text
    doubtful = put(slots("ABC1034"), 4, D0=0.5, O=0.46)
    assert decode(doubtful, grammar_for(["BR"]), prior).text == "ABC1O34"
    assert decode(doubtful, grammar_for(["BR"]), {"br-old": 0.999}).text == "ABC1034"


def test_without_countries_a_sure_prior_names_and_an_unsure_one_does_not() -> None:
    p = slots("ABC1234")
    assert decode(p).layout is None
    assert {"br-old", "uy-mercosul", "ec"} <= {key for key, _ in decode(p).layouts}
    assert decode(p, None, {"br-old": 0.9}).layout == "br-old"
    assert decode(p, None, {"br-old": 0.02}).layout is None
    assert decode(slots("QW1"), None, {"br-old": 0.9}).layout is None


def test_others_are_ranked_and_few() -> None:
    p = put(slots("ABC1234"), 0, A=0.5, B=0.2, C=0.1, D=0.08, E=0.06, F=0.05)
    others = decode(p, grammar_for(["BR"])).characters[0].others
    assert [char for char, _ in others] == ["B", "C", "D", "E"]


def test_nothing_to_read() -> None:
    found = decode(slots(""))
    assert (found.text, found.confidence, found.characters, found.layout) == ("", 0.0, (), None)


@pytest.mark.parametrize(
    "bad", [np.zeros((10, 36), np.float32), np.full((10, 37), np.nan, np.float32), np.zeros((10, 37), np.float32)]
)
def test_impossible_probabilities_are_refused(bad: Slots) -> None:
    with pytest.raises(DecodeError):
        decode(bad)


@given(
    hnp.arrays(np.float32, (10, 37), elements=st.floats(0.0009765625, 1, width=32)),
    st.sampled_from([(), ("BR",), ("AR", "CL"), ("us",), ("europe",)]),
)
def test_any_probabilities_give_a_sound_result(p: Slots, countries: tuple[str, ...]) -> None:
    found = decode(p, grammar_for(countries))
    assert len(found.text) == len(found.characters) <= 10
    assert "".join(character.char for character in found.characters) == found.text
    for character in found.characters:
        assert 0 <= character.confidence <= 1
        shares = [share for _, share in character.others]
        assert shares == sorted(shares, reverse=True) and len(shares) <= 4
        assert character.char not in [char for char, _ in character.others]
    if found.layout is not None:
        format_ = next(f for f in FORMATS if f.key == found.layout)
        assert format_.matches(found.text) and format_.country == found.country
    if found.characters:
        assert 0 < found.confidence <= min(character.confidence for character in found.characters)


def test_a_doubt_whether_there_is_one_more_character_is_one_about_the_text() -> None:
    p = slots("J868321")
    p[0] = 0.0
    p[0, ALPHABET.index("J")], p[0, 36] = 0.5, 0.5
    found = decode(p, grammar_for(("US",)))
    assert found.text in ("J868321", "868321")
    assert all(character.confidence > 0.9 for character in found.characters if character.char != "J")
    assert found.confidence < 0.9
    as_many = sum(share for text, share in found.candidates if len(text) == len(found.text))
    assert found.confidence == pytest.approx(as_many, abs=0.02)


@given(st.sampled_from([f for f in FORMATS if f.common and not f.codes]), st.data())
def test_a_clear_text_gives_way_to_nothing_but_a_commoner_look_alike(format_: object, data: st.DataObject) -> None:
    from lpr.plates.formats import Format

    assert isinstance(format_, Format)
    text = "".join(data.draw(st.sampled_from(format_.allows(slot))) for slot in range(len(format_.template)))
    found = decode(slots(text), grammar_for([format_.country]))
    assert found.country == format_.country
    if found.text != text:  # Ireland's 00IC000 may be its far commoner 001C000
        assert found.text.translate(_LOOK_ALIKES) == text.translate(_LOOK_ALIKES)
        assert next(f for f in FORMATS if f.key == found.layout).weight > format_.weight


_LOOK_ALIKES = str.maketrans({"O": "0", "Q": "0", "D": "0", "I": "1"})


@given(st.sampled_from(FORMATS), st.sampled_from([("BR",), ("US",), ("AR", "CL"), ("europe",), ()]), st.data())
def test_no_country_bends_a_clear_plate_beyond_look_alikes(
    format_: object, countries: tuple[str, ...], data: st.DataObject
) -> None:
    from lpr.plates.formats import Format

    assert isinstance(format_, Format)
    text = "".join(data.draw(st.sampled_from(format_.allows(slot))) for slot in range(len(format_.template)))
    found = decode(slots(text, sure=0.999), grammar_for(countries))
    assert found.text.translate(_LOOK_ALIKES) == text.translate(_LOOK_ALIKES)


def steps(text: str, **doubts: float) -> Slots:
    """CTC columns that spell ``text``, a blank after each character; ``doubts``: character to its probability."""
    p = np.full((2 * len(text) + 1, 37), 1e-6, np.float32)
    for i, char in enumerate(text):
        p[2 * i + 1, ALPHABET.index(char)] = doubts.get(char, 0.9995)
        p[2 * i + 1, 36] = 1 - doubts.get(char, 0.9995)
    p[::2, 36] = 1.0
    return p


def test_columns_of_a_ctc_reader() -> None:
    assert decode(steps("AAB1144"), grammar_for(["BR"]), ctc=True).text == "AAB1144"
    assert decode(steps(""), ctc=True).text == ""


def test_an_emblem_that_was_read_as_a_doubtful_character_is_left_out() -> None:
    p = steps("TNEP222", E=0.7)
    assert decode(p, grammar_for(["US"]), ctc=True).text == "TNP222"
    found = decode(steps("TNEP222", E=0.9999), grammar_for(["US"]), ctc=True)
    assert (found.text, found.layout) == ("TNEP222", None)


def test_a_series_of_a_state_parts_look_alikes() -> None:
    p = steps("UHIFOF", I=0.7, O=0.8)
    p[5, [ALPHABET.index("1"), 36]] = 0.299, 0.001
    p[9, [ALPHABET.index("0"), 36]] = 0.199, 0.001
    found = decode(p, grammar_for(["US"]), ctc=True)
    assert (found.text, found.layout) == ("UH1F0F", "us-aa0a0a")
    assert found.characters[4].char == "0" and "O" in dict(found.characters[4].others)


def test_the_alternatives_are_ranked_whole_texts() -> None:
    p = put(put(slots("ABC1234", sure=0.999), 3, D1=0.6, D7=0.39), 6, D4=0.9, D9=0.09)
    found = decode(p, grammar_for(["BR"]))
    assert [text for text, _ in found.candidates[:3]] == ["ABC1234", "ABC7234", "ABC1239"]
    shares = [share for _, share in found.candidates]
    assert shares == sorted(shares, reverse=True) and 0.95 < sum(shares) <= 1.001
    assert found.characters[3].confidence == pytest.approx(
        sum(s for t, s in found.candidates if t[3:4] == "1"), abs=0.02
    )
    assert found.characters[3].others[0][0] == "7"

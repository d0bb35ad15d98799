"""Probabilities of many readings together: alignment with blanks, likeness of views, the format's one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.events import Character
from lpr.plates.fusion import (
    ALIKE,
    UNLIKE,
    Grammar,
    Witness,
    correlation,
    fuse,
    independent,
    lay,
)

LETTER, DIGIT = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


def chars(
    text: str, *sure: float, others: dict[int, tuple[tuple[str, float], ...]] | None = None
) -> tuple[Character, ...]:
    told = sure if len(sure) == len(text) else (sure[0] if sure else 0.9,) * len(text)
    return tuple(
        Character(char=char, confidence=told[place], others=(others or {}).get(place, ()))
        for place, char in enumerate(text)
    )


def said(text: str, *sure: float, at: float = 0.0, weight: float = 1.0) -> Witness:
    return Witness(characters=chars(text, *sure), weight=weight, x=100.0 * at, y=100.0, width=80.0, height=20.0)


def read(reference: str, *witnesses: Witness, allowed: tuple[str, ...] = (), agreed: float = 1.0) -> str:
    formats = [Grammar(allowed, agreed)] if allowed else []
    return "".join(each.char for each in fuse(reference, witnesses, formats))


def test_a_reading_is_laid_over_another() -> None:
    laid = lay("KHN991", chars("HN991"))
    assert laid.at[0] is None and [each.char for each in laid.at if each] == list("HN991")
    laid = lay("KHN991", chars("KHNX991"))
    assert [each.char for each in laid.at if each] == list("KHN991")
    assert [(where, each.char) for where, each in laid.extra] == [((3, 0), "X")]
    laid = lay("ABC123", chars("BC123D"))
    assert laid.at[0] is None and laid.extra == (((6, 0), chars("D")[0]),)


def test_a_character_that_a_reading_thought_of_fits_its_place() -> None:
    """ "8Z" over "B": which of the two stands for the B is told by the candidates."""
    doubtful = chars("A8Z1", 0.9, 0.5, 0.5, 0.9, others={1: (("B", 0.45),), 2: (("2", 0.45),)})
    assert lay("AB1", doubtful).at[1] == doubtful[1]


def test_a_doubtful_insertion_is_a_blank_and_a_sure_one_is_not() -> None:
    plain = [said("KHN991", at=n) for n in range(3)]
    assert read("KHN991", *plain, said("KHN9911", 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.3, at=4)) == "KHN991"
    longer = [said("KHN9917", at=n) for n in range(2)]
    assert read("KHN991", *longer, said("KHN991", at=3)) == "KHN9917", "two sure ones, one that lost it"


def test_a_place_is_left_out_when_few_and_doubtful_readings_have_it() -> None:
    doubtful = (0.9, 0.9, 0.3, 0.9, 0.9)
    assert read("ABX12", said("ABX12", *doubtful), *(said("AB12", at=n) for n in range(1, 4))) == "AB12"


def test_what_all_thought_of_second_can_win() -> None:
    """No reading says it, all together do: three different misreads of an 8, each of which thought of it."""
    witnesses = [
        Witness(characters=chars("KHN9B1", 0.9, 0.9, 0.9, 0.9, 0.45, 0.9, others={4: (("8", 0.4),)}), weight=1.0),
        Witness(characters=chars("KHN931", 0.9, 0.9, 0.9, 0.9, 0.45, 0.9, others={4: (("8", 0.4),)}), weight=1.0),
        Witness(characters=chars("KHN961", 0.9, 0.9, 0.9, 0.9, 0.45, 0.9, others={4: (("8", 0.4),)}), weight=1.0),
    ]
    assert read("KHN9B1", *witnesses) == "KHN981"


def test_frames_that_show_the_same_prove_less_than_different_ones() -> None:
    same, apart = [said("KHN991", 0.8) for _ in range(6)], [said("KHN991", 0.8, at=n) for n in range(6)]
    assert 1.0 < independent(same) < independent(apart) < 6.0
    alike, unlike = fuse("KHN991", same), fuse("KHN991", apart)
    assert 0.8 < alike[0].confidence < unlike[0].confidence
    assert correlation(same[0], same[1]) == pytest.approx(ALIKE)
    assert correlation(apart[0], apart[5]) == pytest.approx(UNLIKE, abs=0.01)


def test_a_light_witness_is_outweighed() -> None:
    assert read("KHN981", said("KHN981", weight=0.2), said("KHN9B1", weight=1.0, at=2)) == "KHN9B1"


def test_the_format_parts_look_alikes_but_does_not_invent() -> None:
    layout = (LETTER, LETTER, LETTER, DIGIT, DIGIT, DIGIT)
    torn = [said("KHN9O1", 0.9, 0.9, 0.9, 0.9, 0.6, 0.9), said("KHN901", 0.9, 0.9, 0.9, 0.9, 0.5, 0.9, at=2)]
    assert read("KHN9O1", *torn) == "KHN9O1"
    assert read("KHN9O1", *torn, allowed=layout) == "KHN901"
    clear = [said("KHN9X1", 0.99, at=n) for n in range(3)]
    assert read("KHN9X1", *clear, allowed=layout) == "KHN9X1", "nobody thought of a digit"
    assert read("KHN9O1", *torn, allowed=(*layout, DIGIT)) == "KHN9O1", "a format of another length says nothing"


def test_the_format_decides_about_a_doubtful_place() -> None:
    layout = (LETTER, LETTER, LETTER, DIGIT, DIGIT, DIGIT)
    longer, other = (*layout, DIGIT), (*layout, LETTER, LETTER)
    readings = [said("KHN9917", 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5), said("KHN991", at=2)]
    assert read("KHN9917", *readings, allowed=longer) == "KHN9917"
    assert read("KHN9917", *readings, allowed=layout) == "KHN991"
    lost = [said("KHN9917", 0.9), *(said("KHN991", at=n) for n in range(1, 5))]
    assert read("KHN991", *lost, allowed=longer) == "KHN9917"
    assert read("KHN991", *lost, allowed=other) == read("KHN991", *lost, allowed=layout) == "KHN991"


def test_the_format_of_the_plates_own_length_has_the_word() -> None:
    """Readings that lost a character name a shorter format: that one says nothing of the whole."""
    shorter, whole = Grammar((LETTER,) * 6, 0.7), Grammar((LETTER, LETTER, LETTER, DIGIT, DIGIT, DIGIT, DIGIT), 0.6)
    sure = (0.9, 0.9, 0.9, 0.9, 0.45, 0.9, 0.9)
    readings = [said("KHN9O17", *sure, at=n) for n in range(2)] + [said("KHN9017", at=3)]
    assert "".join(each.char for each in fuse("KHN9O17", readings, [shorter])) == "KHN9O17"
    assert "".join(each.char for each in fuse("KHN9O17", readings, [shorter, whole])) == "KHN9017"


def test_a_format_counts_as_far_as_readings_agree_on_it() -> None:
    factors = [Grammar((DIGIT,), agreed).factor(0, "O") for agreed in (1.0, 0.5, 0.0)]
    assert factors == sorted(factors) and factors[0] < 0.1 and factors[2] == 1.0
    assert Grammar((DIGIT,), 1.0).factor(0, "0") == 1.0


def test_nothing_from_nobody() -> None:
    assert fuse("ABC", ()) == ()


SURE = st.floats(0.0, 1.0)
ANY = st.builds(
    Witness,
    characters=st.lists(
        st.builds(
            Character,
            char=st.sampled_from("ABC801"),
            confidence=SURE,
            others=st.lists(st.tuples(st.sampled_from("ABC801XYZ"), SURE), max_size=4).map(tuple),
        ),
        min_size=1,
        max_size=9,
    ).map(tuple),
    weight=st.floats(1e-6, 1e3),
    x=st.floats(-1e6, 1e6),
    y=st.floats(-1e6, 1e6),
    width=st.floats(0, 1e6),
    height=st.floats(0, 1e6),
)
FORMATS = st.lists(st.sampled_from([LETTER, DIGIT, "C"]), max_size=8).map(tuple)


@given(st.lists(ANY, min_size=1, max_size=8), FORMATS, SURE)
def test_any_readings_make_a_plate(witnesses: list[Witness], allowed: tuple[str, ...], agreed: float) -> None:
    fused = fuse(witnesses[0].text, witnesses, [Grammar(allowed, agreed)])
    assert fused
    for character in fused:
        assert 0.0 <= character.confidence <= 1.0
        assert all(0.0 <= share <= 1.0 for _, share in character.others) and len(character.others) <= 4
        assert character.confidence + sum(share for _, share in character.others) <= 1.001
        assert character.char not in dict(character.others)
    assert 1.0 <= independent(witnesses) <= len(witnesses) * 1.0001


@given(ANY, ANY)
def test_a_reading_is_laid_whole(first: Witness, second: Witness) -> None:
    laid = lay(first.text, second.characters)
    assert len(laid.at) == len(first.text)
    assert sum(each is not None for each in laid.at) + len(laid.extra) == len(second.characters)
    assert [where for where, _ in laid.extra] == sorted(where for where, _ in laid.extra)


@given(ANY)
def test_one_reading_keeps_its_length(witness: Witness) -> None:
    assert len(fuse(witness.text, [witness])) == len(witness.characters)

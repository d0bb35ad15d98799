"""What a plate's size leaves of a reading's confidence."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lpr.events import Character, Corners, Reading
from lpr.plates.legible import BLIND, CLEAR, legibility, plate_height, plate_width, trusted


def corners(width: float, height: float) -> Corners:
    return ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))


def reading(width: float, height: float, confidence: float = 0.8, text: str = "KHN991") -> Reading:
    told = tuple(Character(char=char, confidence=confidence, others=(("X", 0.1),)) for char in text)
    return Reading(
        text=text, confidence=confidence, characters=told, box=(0.0, 0.0, width, height), corners=corners(width, height)
    )


def test_a_plate_of_some_size_is_taken_at_its_word() -> None:
    large = reading(40.0, 13.0)
    assert trusted(large) is large


def test_nothing_can_be_read_on_a_plate_of_a_hundred_pixels() -> None:
    doubted = trusted(reading(19.0, 6.0, confidence=0.91))
    assert doubted.confidence == 0.0 and doubted.text == "KHN991"
    assert all(each.confidence == 0.0 and each.others == (("X", 0.0),) for each in doubted.characters)


def test_half_way_between_half_of_it_holds() -> None:
    side = (BLIND + CLEAR) / 2
    assert trusted(reading(2 * side, side / 2)).confidence == pytest.approx(0.4)


def test_two_rows_are_as_legible_as_one_of_the_same_area() -> None:
    assert legibility(corners(28.0, 7.0)) == pytest.approx(legibility(corners(14.0, 14.0)))


def test_what_has_no_text_has_nothing_to_doubt() -> None:
    empty = reading(10.0, 4.0, confidence=0.0, text="")
    assert trusted(empty) is empty


SIZES = st.floats(0.0, 1e4)
CONFIDENCES = st.integers(0, 10_000).map(lambda parts: parts / 10_000)
"""A reading's have four decimals."""


@given(SIZES, SIZES, st.floats(1.0, 10.0), CONFIDENCES)
@example(4609.0, 0.03125, 1.0, 1.0)
def test_a_larger_plate_is_never_less_legible_and_no_confidence_grows(
    width: float, height: float, larger: float, confidence: float
) -> None:
    assert 0.0 <= legibility(corners(width, height)) <= legibility(corners(larger * width, larger * height)) + 1e-9
    before = reading(width, height, confidence)
    after = trusted(before)
    assert after.text == before.text and after.confidence <= before.confidence
    assert after.confidence == min(each.confidence for each in after.characters)


@given(st.tuples(*[st.tuples(st.floats(), st.floats())] * 4))
def test_any_corners_are_borne(odd: Corners) -> None:
    assert 0.0 <= legibility(odd) <= 1.0
    assert plate_height(corners(40.0, 13.0)) == 13.0 and plate_width(corners(40.0, 13.0)) == 40.0

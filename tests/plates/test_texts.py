"""The distance of two texts and their alignment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpr.events import Character, Reading
from lpr.plates.texts import align, characters_of, contradictions, difference, part_of

TEXTS = st.text(alphabet="AB01", max_size=9)


def table_of(first: str, second: str) -> list[list[int]]:
    """The table as it is taught: the distances of all beginnings."""
    table = [[row + column for column in range(len(second) + 1)] for row in range(len(first) + 1)]
    for row, a in enumerate(first, 1):
        for column, b in enumerate(second, 1):
            changed = table[row - 1][column - 1] + (a != b)
            table[row][column] = min(changed, table[row - 1][column] + 1, table[row][column - 1] + 1)
    return table


@given(TEXTS, TEXTS)
def test_the_difference_is_levenshteins(first: str, second: str) -> None:
    assert difference(first, second) == table_of(first, second)[-1][-1]


@given(TEXTS, TEXTS)
def test_an_alignment_explains_the_difference(reference: str, text: str) -> None:
    places = align(reference, text)
    assert len(places) == len(reference)
    used = [place for place in places if place is not None]
    assert used == sorted(set(used))
    changed = sum(place is not None and text[place] != char for place, char in zip(places, reference, strict=True))
    assert changed + (len(reference) - len(used)) + (len(text) - len(used)) == difference(reference, text)


@given(TEXTS, TEXTS)
def test_an_alignment_is_the_way_back_through_the_whole_table(reference: str, text: str) -> None:
    table = table_of(reference, text)
    places: list[int | None] = [None] * len(reference)
    row, column = len(reference), len(text)
    changed = sum(a != b for a, b in zip(reference, text, strict=False))
    if row == column and table[-1][-1] == changed:
        assert align(reference, text) == tuple(range(row))
        return
    while row and column:
        same = reference[row - 1] == text[column - 1]
        if table[row][column] == table[row - 1][column - 1] + (not same):
            row, column = row - 1, column - 1
            places[row] = column
        elif table[row][column] == table[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
    assert align(reference, text) == tuple(places)


def test_a_lost_character_shifts_nothing_else() -> None:
    assert align("KHN991", "HN991") == (None, 0, 1, 2, 3, 4)
    assert align("KHN991", "KN991") == (0, None, 1, 2, 3, 4)
    assert align("KHN991", "KHN9911") == (0, 1, 2, 3, 4, 5) or align("KHN991", "KHN9911")[:4] == (0, 1, 2, 3)
    assert align("ABC", "") == (None, None, None)


def test_a_plate_that_was_cut_off_is_a_part_of_the_whole() -> None:
    assert part_of("A77", "YLG5A77") and part_of("YLG5A77", "A77"), "its end"
    assert part_of("UY12", "QY124QN"), "its beginning, one character misread"
    assert part_of("YLG5A", "G5A77"), "each lost another end"
    assert not part_of("77", "YLG5A77"), "too short to tell"
    assert not part_of("FLT1000", "FLT1001"), "another plate"
    assert not part_of("AAA1111", "AAA1112"), "another plate, however it is shifted"
    assert not part_of("XYZ123", "KHN991")


@given(TEXTS, TEXTS)
def test_being_parts_goes_both_ways(first: str, second: str) -> None:
    assert part_of(first, second) == part_of(second, first)


def test_huge_texts_are_cut() -> None:
    assert difference("A" * 10_000, "B" * 10_000) == 32


def test_contradictions_need_two_sure_characters() -> None:
    sure = [Character(char="A", confidence=0.95), Character(char="B", confidence=0.95)]
    other = [Character(char="A", confidence=0.95), Character(char="8", confidence=0.9)]
    poor = [Character(char="A", confidence=0.95), Character(char="8", confidence=0.5)]
    assert contradictions(sure, other) == 1
    assert contradictions(sure, poor) == 0
    assert contradictions(sure, other[:1]) == 0


def test_a_reading_without_characters_is_taken_at_its_confidence() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    reading = Reading(text="AB", confidence=0.5, characters=(), box=(0, 0, 1, 1), corners=corners)
    assert [(each.char, each.confidence) for each in characters_of(reading)] == [("A", 0.5), ("B", 0.5)]

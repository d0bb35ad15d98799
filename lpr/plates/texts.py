"""How far apart two plate texts are, and which character of one stands in which place of the other.

Readings of one vehicle differ by a misread character, or by one lost or invented at an end. Levenshtein's distance
measures that; the alignment behind it tells each reading's characters to which slot of the voted plate they belong.
Pure, total. Imports ``lpr.events`` (value types) and the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from lpr.events import Character, Reading

MAX_TEXT = 32
"""Longer texts are compared by their first characters only; no plate has so many."""


@lru_cache(maxsize=16384)
def difference(first: str, second: str) -> int:
    """Levenshtein's distance: the fewest characters changed, lost or added that turn one text into the other.

    Myers' bit-vector algorithm (J. ACM 46(3), 1999) as Hyyrö writes it: a column of the table is two integers.
    """
    if first == second:
        return 0
    first, second = first[:MAX_TEXT], second[:MAX_TEXT]
    if not first or not second:
        return len(first) + len(second)
    rows: dict[str, int] = {}
    for row, char in enumerate(first):
        rows[char] = rows.get(char, 0) | (1 << row)
    mask, top = (1 << len(first)) - 1, 1 << (len(first) - 1)
    up, down, distance = mask, 0, len(first)
    for char in second:
        same = rows.get(char, 0)
        vertical = same | down
        horizontal = (((same & up) + up) ^ up) | same
        plus, minus = down | ~(horizontal | up), up & horizontal
        distance += bool(plus & top) - bool(minus & top)
        plus, minus = (plus << 1) | 1, minus << 1
        up, down = (minus | ~(vertical | plus)) & mask, plus & vertical & mask
    return distance


@lru_cache(maxsize=16384)
def align(reference: str, text: str) -> tuple[int | None, ...]:
    """For each place of ``reference`` the place in ``text`` of the character that stands there, None: none does.

    Texts of the same length are laid over each other, unless shifting explains them with fewer changes.
    """
    reference, text = reference[:MAX_TEXT], text[:MAX_TEXT]
    row, column = len(reference), len(text)
    if row == column and difference(reference, text) >= sum(a != b for a, b in zip(reference, text, strict=True)):
        return tuple(range(row))
    places: list[int | None] = [None] * row
    while row and column and reference[row - 1] == text[column - 1]:  # equal ends always stand under each other
        row, column = row - 1, column - 1
        places[row] = column
    cost = [list(range(column + 1))]
    for own, char in enumerate(reference[:row]):
        above, left = cost[own], own + 1
        line = [left]
        for place in range(column):
            changed = above[place] + (char != text[place])
            left = min(changed, above[place + 1] + 1, left + 1)
            line.append(left)
        cost.append(line)
    while row and column:
        if cost[row][column] == cost[row - 1][column - 1] + (reference[row - 1] != text[column - 1]):
            row, column = row - 1, column - 1
            places[row] = column
        elif cost[row][column] == cost[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
    return tuple(places)


SHORTEST = 4
"""A text with fewer characters is a part of a plate, or no plate: beside longer ones of the same vehicle it says
little, however surely it was read."""

LEAST_SHARED = 3
"""Characters that a part of a plate must share with it to be known as such."""


@lru_cache(maxsize=16384)
def part_of(first: str, second: str) -> bool:
    """Whether both may be parts of one plate, cut off at an end: they agree wherever they overlap.

    At least ``LEAST_SHARED`` characters overlap. One in four of them may differ, but none in texts of one length, which
    are parts only when both are cut off.
    """
    first, second = first[:MAX_TEXT], second[:MAX_TEXT]
    for shift in range(LEAST_SHARED - len(second), len(first) - LEAST_SHARED + 1):
        since, until = max(0, shift), min(len(first), shift + len(second))
        shared = until - since
        if shared < LEAST_SHARED or shared == len(first) == len(second):
            continue
        differing = sum(first[place] != second[place - shift] for place in range(since, until))
        if differing == 0 or (4 * differing <= shared and len(first) != len(second)):
            return True
    return False


def characters_of(reading: Reading) -> tuple[Character, ...]:
    """One character for each of the text's; an engine that gives none is taken at its overall confidence."""
    if len(reading.characters) == len(reading.text):
        return reading.characters
    return tuple(Character(char=char, confidence=reading.confidence) for char in reading.text)


def contradictions(first: Sequence[Character], second: Sequence[Character], sure: float = 0.85) -> int:
    """In how many places both texts are sure of different characters: signs of two plates, not of one misread."""
    if len(first) != len(second):
        return 0
    pairs = zip(first, second, strict=True)
    return sum(a.char != b.char and a.confidence >= sure and b.confidence >= sure for a, b in pairs)

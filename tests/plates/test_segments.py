"""Segments: the strings that columns may spell, against counting all ways to write them; look-alikes."""

from __future__ import annotations

import math
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.plates.segments import ALPHABET, TWINS, of_slots, of_steps

BLANK = len(ALPHABET)


def columns(*shares: dict[str, float]) -> NDArray[np.float64]:
    """CTC columns; "_" is the blank, which gets what is left."""
    p = np.zeros((len(shares), BLANK + 1))
    for row, own in zip(p, shares, strict=True):
        for char, share in own.items():
            row[ALPHABET.index(char)] = share
        row[BLANK] = 1 - sum(own.values())
    return p


def spelled(p: NDArray[np.float64], used: str) -> dict[str, float]:
    """Every text with its probability, by trying each path through the columns."""
    found: dict[str, float] = {}
    codes = [*(ALPHABET.index(char) for char in used), BLANK]
    for path in product(codes, repeat=len(p)):
        text = "".join(ALPHABET[code] for code, _ in groupby(path) if code != BLANK)
        share = math.prod(float(p[i, code]) for i, code in enumerate(path))
        found[text] = found.get(text, 0.0) + share
    return found


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.floats(0.02, 0.3)] * 3), min_size=1, max_size=4))
def test_a_segment_holds_what_all_paths_spell(shares: list[tuple[float, ...]]) -> None:
    p = columns(*({"A": a, "B": b, "7": c} for a, b, c in shares))
    (segment,) = of_steps(p, 0.0)
    expected = spelled(p, "AB7")
    assert list(segment) == sorted(segment, key=lambda one: -one[1])
    for text, log in segment:  # of many that are all alike, the least are let go on the way
        assert 0.8 * expected[text] <= math.exp(log) <= expected[text] * (1 + 1e-9)
    assert segment[0][1] == pytest.approx(math.log(max(expected.values())), abs=0.05)


def test_sure_blanks_part_segments() -> None:
    p = columns({"A": 0.9}, {}, {"B": 0.4, "8": 0.5}, {"B": 0.1, "8": 0.8}, {})
    first, second = of_steps(p, 0.0)
    assert first[0] == ("A", pytest.approx(math.log(0.9)))
    strings = dict(second)
    assert strings["8"] > strings["B8"] > strings["B"]
    assert "88" not in strings  # there is no blank between


def test_a_repeat_needs_a_blank_between() -> None:
    p = columns({"A": 0.9}, {"A": 0.05}, {"A": 0.9})
    ((text, log), *_) = of_steps(p, 0.0)[0]
    assert text == "AA" and math.exp(log) == pytest.approx(0.9 * 0.95 * 0.9, rel=1e-6)


def test_look_alikes_are_lifted() -> None:
    (segment,) = of_steps(columns({"O": 0.95}), 0.2)
    shares = {text: math.exp(log) for text, log in segment}
    assert shares["0"] == pytest.approx(0.19) and shares["Q"] == pytest.approx(0.019)
    assert set(shares) == {"O", "0", "Q", ""}
    assert dict(of_slots(columns({"1": 0.6, "I": 0.3}), 0.1)[0])["I"] == pytest.approx(math.log(0.3))
    assert all(char not in dict(TWINS[char]) for char in TWINS)


def test_fixed_slots() -> None:
    p = columns({"A": 0.97}, {}, {"B": 0.6, "8": 0.3})
    first, second = of_slots(p, 0.0)
    assert [text for text, _ in first] == ["A", ""]
    assert [text for text, _ in second] == ["B", "8", ""]

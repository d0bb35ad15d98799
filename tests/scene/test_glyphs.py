"""Every face draws every character, whole, at any size; bad skeletons say what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lpr.scene.faces import ALPHABET, FACES
from lpr.scene.glyphs import GlyphError, glyph_mask


@pytest.mark.parametrize("name", sorted(FACES))
def test_a_face_draws_every_character(name: str) -> None:
    face = FACES[name]
    for char in ALPHABET:
        mask = glyph_mask(face, char, 40)
        assert mask.shape[0] == 40
        assert mask.shape[1] == max(2, round(40 * face.width_of(char)))
        ink = float(mask.mean())
        assert 0.15 < ink <= 1.0, char
        rows = np.flatnonzero(mask.max(1) > 0.3)
        assert rows[0] <= 3 and rows[-1] >= 36, f"{char} does not reach from the cap line to the base line"


@pytest.mark.parametrize("name", ["fe", "brazil", "us", "din", "uk"])
def test_characters_differ_unless_they_are_one_die(name: str) -> None:
    face = FACES[name]
    twins = {frozenset("O0"), frozenset("I1"), frozenset("QO"), frozenset("Q0")}
    masks = {char: glyph_mask(face, char, 48) for char in ALPHABET}
    for first in ALPHABET:
        for second in ALPHABET:
            if first < second and masks[first].shape == masks[second].shape:
                same = float(np.abs(masks[first] - masks[second]).mean()) < 0.01
                assert not same or frozenset((first, second)) in twins, (first, second)


def test_the_same_glyph_gives_the_same_pixels() -> None:
    glyph_mask.cache_clear()
    first = glyph_mask(FACES["fe"], "R", 33)
    glyph_mask.cache_clear()
    assert np.array_equal(first, glyph_mask(FACES["fe"], "R", 33))


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(GlyphError, match="no character 'Ä'"):
        glyph_mask(FACES["fe"], "Ä", 30)
    with pytest.raises(GlyphError, match="height"):
        glyph_mask(FACES["fe"], "A", 2)
    broken = replace(FACES["fe"], skeletons=(("A", "0,0 nonsense"),))
    with pytest.raises(GlyphError, match="nonsense"):
        glyph_mask(broken, "A", 30)
    short = replace(FACES["fe"], skeletons=(("A", "0,0"),))
    with pytest.raises(GlyphError, match="fewer than two"):
        glyph_mask(short, "A", 30)

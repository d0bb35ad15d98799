"""Whole plates: every format can be drawn, the characters lie inside, nothing random happens while drawing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.plates.formats import FORMATS, UnknownCountry, matching
from lpr.scene.glyphs import GlyphError
from lpr.scene.plates import PlateSpec, draw_layers, random_spec, random_text, render_plate, spec_for


@pytest.mark.parametrize("key", [format_.key for format_ in FORMATS])
def test_every_format_can_be_drawn(key: str) -> None:
    format_ = next(f for f in FORMATS if f.key == key)
    text = random_text(np.random.default_rng(3), format_)
    spec = spec_for(text, key)
    assert spec.rows == format_.rows
    image = render_plate(spec, 60)
    assert image.dtype == np.uint8 and image.shape[0] == 60 and image.shape[2] == 3
    layers = draw_layers(spec, 60)
    assert len(layers.boxes) == len(text)
    assert layers.ink.shape == image.shape[:2] == layers.ground.shape[:2]
    for x1, y1, x2, y2 in layers.boxes:
        assert 0 <= x1 < x2 <= image.shape[1] and 0 <= y1 < y2 <= 60
    tops = {box[1] for box in layers.boxes}
    assert len(tops) == format_.rows


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_random_spec_has_a_format_of_its_country_and_repeats(seed: int) -> None:
    spec = random_spec(np.random.default_rng(seed), ["BR", "AR"])
    assert spec == random_spec(np.random.default_rng(seed), ["BR", "AR"])
    assert spec.layout in {format_.key for format_ in matching(spec.text, ["BR", "AR"])}


def test_drawing_is_repeatable_and_visible() -> None:
    spec = spec_for("ABC1D23", "br-mercosul")
    first = render_plate(spec, 96)
    assert np.array_equal(first, render_plate(spec, 96))
    assert first.shape == (96, 295, 3)
    band, field = first[10, 60], first[60, 8]
    assert int(band[0]) > int(band[2]) + 60, "the band is blue"
    assert int(field.min()) > 200, "the ground is white"


def test_two_rows_without_groups_are_parted_in_the_middle() -> None:
    layers = draw_layers(PlateSpec(text="ABCD12", layout="other", rows=2, size_mm=(200, 170), glyph_mm=60), 80)
    assert [box[1] for box in layers.boxes].count(layers.boxes[0][1]) == 3


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(GlyphError, match="without separators"):
        spec_for("ABC-123", "br-old")
    with pytest.raises(GlyphError, match="height"):
        render_plate(spec_for("ABC1234", "br-old"), 3)
    with pytest.raises(UnknownCountry, match="XX"):
        random_spec(np.random.default_rng(0), ["XX"])

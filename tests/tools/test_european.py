"""What the training draws on European plates stays beside the text, and repeats from its seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lpr.scene.plates import PlateSpec, draw_layers, spec_for
from tools.train.european import EUROPEAN_FREE, european, furnish, rooms
from tools.train.lettering import Lettering
from tools.train.plates_data import SLOTS


def _spec(seed: int, text: str, layout: str, rows: int) -> PlateSpec:
    return european(np.random.default_rng(seed), replace(spec_for(text, layout), rows=rows))


@pytest.mark.parametrize("seed", range(24))
def test_the_text_of_a_varied_plate_is_drawn_whole_and_in_order(seed: int) -> None:
    spec = _spec(seed, "MKS5091", "de-34", 1 + seed % 2)
    layers = draw_layers(spec, 60)
    assert len(layers.boxes) == len(spec.text)
    tops = [box[1] for box in layers.boxes]
    assert tops == sorted(tops) and len(set(tops)) == spec.rows
    for a, b in zip(layers.boxes, layers.boxes[1:], strict=False):
        assert a[1] != b[1] or a[2] <= b[0] + 1
    height, width = layers.ink.shape
    assert all(0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height for x1, y1, x2, y2 in layers.boxes)


@pytest.mark.parametrize("seed", range(40))
def test_furniture_leaves_the_characters_readable_and_repeats(seed: int) -> None:
    spec = _spec(seed, "W3706L", "at-city", 1 + seed % 2)
    layers = draw_layers(spec, 60)

    def drawn() -> np.ndarray:
        rng = np.random.default_rng(seed)
        flat = np.full(layers.ink.shape, 200, np.float32)
        furnish(rng, flat, spec, layers.boxes, 20.0, Lettering((), 0, np.random.default_rng(0)).own("din", rng, 1.0))
        return flat

    flat = drawn()
    assert np.array_equal(flat, drawn())
    for x1, y1, x2, y2 in layers.boxes:
        assert (flat[y1:y2, x1:x2] != 200).mean() < 0.35


def test_furniture_is_drawn_at_all() -> None:
    spec = _spec(1, "W3706L", "at-city", 2)
    layers = draw_layers(spec, 60)
    rng = np.random.default_rng(1)
    glyphs = Lettering((), 0, np.random.default_rng(0)).own("din", rng, 1.0)
    changed = 0
    for _ in range(20):
        flat = np.full(layers.ink.shape, 200, np.float32)
        furnish(rng, flat, spec, layers.boxes, 20.0, glyphs)
        changed += bool((flat != 200).any())
    assert changed >= 10


def test_free_places_lie_beside_the_characters_of_their_row() -> None:
    boxes = [(30, 10, 50, 40), (90, 10, 110, 40), (20, 50, 40, 80), (42, 50, 60, 80)]
    found = rooms(boxes, 140)
    assert (50, 90, 10, 40) in found and (111, 140 * 0.98, 10, 40) in found
    assert not any(left == 40 and right == 42 for left, right, _, _ in found)


def test_a_band_beside_one_row_leaves_the_other_its_width() -> None:
    whole = replace(
        spec_for("WES07049", "de-34"), rows=2, upper=3, size_mm=(280, 200), align=(0.0, 0.0), text="WES0704"
    )
    upper = draw_layers(replace(whole, band_part="upper"), 80).boxes
    lower = draw_layers(replace(whole, band_part="lower"), 80).boxes
    assert upper[3][0] < lower[3][0] and upper[0][0] > lower[0][0]


def test_free_texts_fit_the_reader() -> None:
    assert all(2 < len(template) <= SLOTS and not set(template) - set("A0") for template in EUROPEAN_FREE)

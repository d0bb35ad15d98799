"""What the training draws beside a plate's text stays beside it, and repeats from its seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.scene.plates import draw_layers, spec_for
from tools.train.adorn import blend, emblem, fittings, frame
from tools.train.lettering import Lettering, find_fonts, find_symbols

NONE = np.zeros((0, 2, 2), np.uint8)


def _lettering() -> Lettering:
    return Lettering((), 0, np.random.default_rng(0))


@given(st.integers(-40, 40), st.integers(-40, 40))
def test_painting_is_cut_off_at_the_edges(x: int, y: int) -> None:
    picture = np.full((20, 30), 100, np.float32)
    blend(picture, np.ones((10, 12), np.float32), x, y, 0.0)
    rows, columns = np.meshgrid(range(20), range(30), indexing="ij")
    inside = (columns >= x) & (columns < x + 12) & (rows >= y) & (rows < y + 10)
    assert (picture[inside] == 0).all() and (picture[~inside] == 100).all()


@pytest.mark.parametrize("seed", range(12))
def test_an_emblem_leaves_the_characters_readable(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = draw_layers(spec_for("KCS173", "us-33"), 60)
    signs: list[NDArray[np.float32]] = [np.ones((48, 48), np.float32)]
    glyphs = _lettering().own("us", rng, 1.0)
    flat = np.full(layers.ink.shape, 200, np.float32)
    before = flat.copy()
    emblem(rng, flat, layers.boxes, 20.0, glyphs, NONE, signs)
    changed = flat != before
    for x1, y1, x2, y2 in layers.boxes:
        assert changed[y1:y2, x1:x2].mean() < 0.35
    again = before.copy()
    rng = np.random.default_rng(seed)
    glyphs = _lettering().own("us", rng, 1.0)
    emblem(rng, again, layers.boxes, 20.0, glyphs, NONE, signs)
    assert np.array_equal(flat, again)


@pytest.mark.parametrize("seed", range(12))
def test_a_frame_covers_edges_but_hardly_any_of_the_text(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = draw_layers(spec_for("EMR7094", "us-34"), 70)
    boxes = np.array(layers.boxes)
    band = (
        float(boxes[:, 0].min()), float(boxes[:, 1].min()), float(boxes[:, 2].max()), float(boxes[:, 3].max())
    )  # fmt: skip
    flat = np.asarray(layers.ink * 100, np.float32) + 100
    fittings(rng, flat, "us", 20.0, layers.boxes, _lettering().own("us", rng, 1.0))
    framed, (x, y) = frame(rng, flat, _lettering().own("us", rng, 1.0), band)
    assert framed.shape[0] >= flat.shape[0] and framed.shape[1] >= flat.shape[1]
    window = framed[y : y + flat.shape[0], x : x + flat.shape[1]]
    x1, y1, x2, y2 = (int(v) for v in band)
    assert (window[y1:y2, x1:x2] == flat[y1:y2, x1:x2]).mean() > 0.8


def test_fonts_of_signs_lend_no_characters(tmp_path: Path) -> None:
    (tmp_path / "symbols").mkdir()
    (tmp_path / "symbols" / "signs.ttf").write_bytes(b"")
    (tmp_path / "plain.ttf").write_bytes(b"")
    assert [path.name for path in find_fonts(tmp_path)] == ["plain.ttf"]
    assert find_symbols(None) == []

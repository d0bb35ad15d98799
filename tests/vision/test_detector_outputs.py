"""What a plate map says, cell by cell."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.vision.detect import DETECTOR, DetectorManifest
from lpr.vision.detector_outputs import MAP_CHANNELS, from_map, logit
from lpr.vision.manifest import ModelError, load_manifest

MANIFEST = load_manifest(DETECTOR, DetectorManifest)

Found = tuple[list[float], float, list[list[float]]]


def cell_by_cell(raw: np.ndarray[tuple[int, ...], np.dtype[np.float32]], least: float) -> list[Found]:
    """Boxes, scores and corners of the cells that count, as the module describes them."""
    stride, cells = MANIFEST.stride, list[Found]()
    for row in range(raw.shape[2]):
        for column in range(raw.shape[3]):
            own = raw[0, :, row, column].tolist()
            if own[0] <= logit(least) - 1.0:
                continue
            left, top, right, bottom = (math.exp(min(max(side, -3.0), 5.0)) * stride for side in own[1:5])
            x, y = (column + 0.5) * stride, (row + 0.5) * stride
            x1, y1, x2, y2 = x - left, y - top, x + right, y + bottom
            ends = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
            corners = [
                [ends[i][0] + own[5 + 2 * i] * (x2 - x1), ends[i][1] + own[6 + 2 * i] * (y2 - y1)] for i in range(4)
            ]
            cells.append(([x1, y1, x2, y2], 1 / (1 + math.exp(-own[0])), corners))
    sure = [box for box, score, _ in cells if score >= least]
    return [
        one
        for one in cells
        if one[1] >= least
        or any(
            box[0] < (one[0][0] + one[0][2]) / 2 < box[2] and box[1] < (one[0][1] + one[0][3]) / 2 < box[3]
            for box in sure
        )
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 9), st.sampled_from([0.2, 0.4, 0.7]))
@settings(deadline=None)
def test_a_plate_map_is_what_its_cells_say(seed: int, rows: int, columns: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 1, (1, MAP_CHANNELS, rows, columns)).astype(np.float32)
    raw[0, 0] = rng.uniform(-8, 3, (rows, columns))
    boxes, scores, corners = from_map(raw, MANIFEST, least, Path("detector.json"))
    assert boxes.dtype == scores.dtype == corners.dtype == np.float32
    wanted = cell_by_cell(raw, least)
    assert boxes.shape == (len(wanted), 4) and corners.shape == (len(wanted), 4, 2)
    for box, score, quad, (own_box, own_score, own_quad) in zip(boxes, scores, corners, wanted, strict=True):
        assert box == pytest.approx(own_box, rel=1e-4, abs=1e-2)
        assert score == pytest.approx(own_score, rel=1e-4)
        assert quad == pytest.approx(np.array(own_quad), rel=1e-4, abs=1e-2)


def test_of_many_cells_the_surest_count() -> None:
    raw = np.zeros((1, MAP_CHANNELS, 30, 30), np.float32)
    raw[0, 0] = np.linspace(0, 5, 900, dtype=np.float32).reshape(30, 30)
    _, scores, _ = from_map(raw, MANIFEST, 0.4, Path("detector.json"))
    assert len(scores) == 400
    assert scores.min() > 1 / (1 + math.exp(-raw[0, 0].ravel()[499]))


def test_a_map_of_another_shape_is_refused() -> None:
    with pytest.raises(ModelError, match="a plate map has shape"):
        from_map(np.zeros((1, 5, 4, 4), np.float32), MANIFEST, 0.4, Path("detector.json"))

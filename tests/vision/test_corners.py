"""The closer look: framing of its patch, the way back to the picture, its say in a detection, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.vision.corners import CornerFinder, cut, to_patch
from lpr.vision.detect import PlateDetector
from lpr.vision.manifest import ModelError
from tests.vision.corner_models import LEVEL, write_closer
from tests.vision.detector_models import write_detector

PICTURE = np.zeros((384, 640, 3), np.uint8)
SIZE = (96, 64)


def turned(width: float, height: float, degrees: float, x: float, y: float) -> NDArray[np.float64]:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    half = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    return half @ np.array([[c, s], [-s, c]]) + [x, y]


@given(st.floats(8, 600), st.floats(0.15, 1.2), st.floats(-40, 40), st.floats(-50, 900), st.floats(-50, 900))
@settings(max_examples=100, deadline=None)
def test_a_plate_lies_level_in_the_middle_of_its_patch(
    width: float, share: float, degrees: float, x: float, y: float
) -> None:
    quad = turned(width, width * share, degrees, x, y)
    matrix = to_patch(quad, SIZE, 1.7, 2.2)
    there = quad @ matrix[:, :2].T + matrix[:, 2]
    assert there.mean(0) == pytest.approx([48, 32], abs=1e-6)
    assert there[0, 1] == pytest.approx(there[1, 1], abs=1e-6)
    assert there[0, 0] < there[1, 0]
    assert there.min() > 0
    assert (there.max(0) < SIZE).all()


@pytest.mark.parametrize("width", [20.0, 56.0, 300.0])
def test_the_patch_shows_what_lies_there(width: float) -> None:
    picture = np.zeros((400, 600, 3), np.uint8)
    quad = turned(width, width / 2, 0, 300, 200)
    (x1, y1), (x2, y2) = quad[0].astype(int), quad[2].astype(int)
    picture[y1:y2, x1:x2] = 255
    matrix = to_patch(quad, SIZE, 1.7, 2.2)
    patch = cut(picture, matrix, SIZE)
    assert patch.shape == (64, 96, 3)
    there = np.array([[x1, y1], [x2, y2]]) @ matrix[:, :2].T + matrix[:, 2]
    area = float((there[1] - there[0]).prod())
    assert patch[:, :, 0].sum() / 255 == pytest.approx(area, rel=0.03)
    columns = patch[32, :, 0].astype(float)
    assert float((columns * (np.arange(96) + 0.5)).sum() / columns.sum()) == pytest.approx(there[:, 0].mean(), abs=0.3)


@pytest.mark.parametrize("degrees", [0.0, 25.0])
def test_corners_come_back_in_the_picture_s_pixels(tmp_path: Path, degrees: float) -> None:
    quad = turned(100, 40, degrees, 300, 200)
    given_corners: Corners = tuple((float(x), float(y)) for x, y in quad)  # pyright: ignore[reportAssignmentType]
    found, logits = CornerFinder(write_closer(tmp_path, LEVEL, 2.5)).look(PICTURE, [given_corners, given_corners])
    # The patch is 1.7 plate widths wide: the fractions of LEVEL are 0.6 of that, and 0.4 of two thirds of it.
    expected = turned(0.6 * 170, 0.4 * 170 * 64 / 96, degrees, 300, 200)
    assert found.shape == (2, 4, 2)
    assert found[1] == pytest.approx(expected, abs=1e-3)
    assert logits.tolist() == [2.5, 2.5]


def detector(tmp_path: Path, logit: float, score: float = 0.5, dim: float = 0.0, **changes: float) -> PlateDetector:
    write_closer(tmp_path, LEVEL, logit, **changes)
    # 640x384 halves exactly to 320x192.
    rows = np.array([[[50, 50, 100, 70, score], [200, 45, 244, 75, score - 0.01]]], np.float32)
    return PlateDetector(write_detector(tmp_path, rows, closer="closer.json"), min_score=0.4, dim=dim)


def test_a_second_look_confirms_and_places_the_corners(tmp_path: Path) -> None:
    found = detector(tmp_path, 2.0).detect(PICTURE)
    assert len(found) == 2
    assert found[0].score == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-3)
    for one in found:
        assert one.box == (*one.corners[0], *one.corners[2])
    centres = sorted(((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2) for one in found)
    assert centres[0] == pytest.approx((150, 120), abs=0.1)
    assert centres[1] == pytest.approx((444, 120), abs=0.1)


def test_a_second_look_rejects(tmp_path: Path) -> None:
    assert detector(tmp_path, -2.0).detect(PICTURE) == []


def test_a_detection_a_little_under_the_threshold_gets_its_second_look(tmp_path: Path) -> None:
    assert detector(tmp_path, 3.0, score=0.3).detect(PICTURE)
    assert detector(tmp_path, 3.0, score=0.05).detect(PICTURE) == []


def test_dim_detections_are_given_and_stay_under_the_threshold(tmp_path: Path) -> None:
    assert detector(tmp_path, 0.0, score=0.2, weight=1.0).detect(PICTURE) == []
    dim = detector(tmp_path, 0.0, score=0.2, dim=1.33, weight=1.0)
    assert [one.score for one in dim.detect(PICTURE)] == pytest.approx([0.2, 0.19], abs=1e-3)
    assert dim.scaled(1.0, quick=True).detect(PICTURE) == []
    # Seen from near they are plates, but that alone is not believed; nor are they given where it denies them.
    sure = detector(tmp_path, 8.0, score=0.2, dim=1.33, weight=1.0).detect(PICTURE)
    assert len(sure) == 2 and all(0.39 < one.score < 0.4 for one in sure)
    assert detector(tmp_path, -2.0, score=0.2, dim=1.33, weight=1.0).detect(PICTURE) == []
    assert len(detector(tmp_path, 8.0, score=0.35, dim=1.33, weight=1.0).detect(PICTURE)) == 2
    assert detector(tmp_path, 8.0, score=0.35, dim=1.33, weight=1.0).detect(PICTURE)[0].score > 0.9
    # Beside one that is over the threshold no dim one is looked at.
    rows = np.array([[[50, 50, 100, 70, 0.6], [200, 45, 244, 75, 0.2]]], np.float32)
    write_closer(tmp_path, LEVEL, 8.0, weight=1.0)
    mixed = PlateDetector(write_detector(tmp_path, rows, closer="closer.json"), min_score=0.4, dim=1.33)
    assert len(mixed.detect(PICTURE)) == 1


def test_weight_and_bias_are_the_manifest_s(tmp_path: Path) -> None:
    found = detector(tmp_path, 2.0, weight=0.5, bias=0.25).detect(PICTURE)
    assert found[0].score == pytest.approx(1 / (1 + np.exp(-1.25)), abs=1e-3)


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="SHA-256"):
        CornerFinder(write_closer(tmp_path, LEVEL, 0.0, sha256="0" * 64))
    with pytest.raises(ModelError, match="no output"):
        CornerFinder(write_closer(tmp_path, LEVEL, 0.0, score="sureness"))
    with pytest.raises(ModelError, match="reach"):
        CornerFinder(write_closer(tmp_path, LEVEL, 0.0, reach=0.5))
    with pytest.raises(ModelError, match="tall"):
        CornerFinder(write_closer(tmp_path, LEVEL, 0.0, tall=0.0))
    for odd in ({"weight": 1e6}, {"weight": -0.5}, {"bias": -1e4}):
        with pytest.raises(ModelError, match="allowed are 0 to 10 and -50 to 50"):
            CornerFinder(write_closer(tmp_path, LEVEL, 0.0, **odd))
    with pytest.raises(ModelError, match="outputs of shape"):
        CornerFinder(write_closer(tmp_path, LEVEL[:6], 0.0))
    with pytest.raises(ModelError, match="plain name"):
        detector_path = write_detector(tmp_path, np.zeros((1, 1, 5), np.float32), closer="../closer.json")
        PlateDetector(detector_path)


def test_a_quick_look_asks_about_more_and_keeps_its_threshold(tmp_path: Path) -> None:
    usual = detector(tmp_path, 4.0, score=0.28)
    assert usual.detect(PICTURE) == []  # too far under the threshold for a look
    assert len(usual.scaled(1.0, quick=True).detect(PICTURE)) == 2
    assert usual.scaled(1.0).detect(PICTURE) == [] == usual.detect(PICTURE)
    assert detector(tmp_path, -4.0, score=0.28).scaled(1.0, quick=True).detect(PICTURE) == []

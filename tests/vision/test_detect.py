"""The detector's shell: letterbox, decoding of both kinds of network, suppression, and what is refused."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.detect import Fit, PlateDetector, fit, letterbox, parts, suppress
from lpr.vision.letterbox import in_a_frame, like_a_plate
from lpr.vision.manifest import ModelError
from tests.vision.detector_models import plate_map, write_detector

PICTURE = np.zeros((384, 640, 3), np.uint8)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([320, 640, 1280]))
@settings(max_examples=200, deadline=None)
def test_every_picture_fits_its_letterbox(width: int, height: int, longest: int) -> None:
    place = fit(width, height, longest, 32)
    assert place.width % 32 == 0
    assert place.height % 32 == 0
    assert max(place.width, place.height) <= longest
    assert 0 < place.scale <= 2.0
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + round(width * place.scale) <= place.width
    assert place.top + round(height * place.scale) <= place.height


def test_the_letterbox_of_the_usual_picture_has_little_padding() -> None:
    place = fit(1280, 720, 640, 32)
    assert (place.width, place.height) == (640, 352)
    assert place.scale == pytest.approx(352 / 720)


def test_a_square_picture_costs_no_more_than_a_wide_one() -> None:
    place = fit(1600, 1200, 640, 32)
    assert (place.width, place.height) == (576, 416)


@given(st.integers(20, 3000), st.integers(20, 3000), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_tiles_cover_the_picture_and_overlap(width: int, height: int, tiles: int) -> None:
    whole, *rest = parts(width, height, tiles)
    assert whole == (0, 0, width, height)
    assert len(rest) == (tiles * tiles if tiles > 1 else 0)
    if not rest:
        return
    for low, high, side in ((0, 2, width), (1, 3, height)):
        spans = sorted({(part[low], part[high]) for part in rest})
        assert spans[0][0] == 0
        assert spans[-1][1] == side
        for (_, end), (start, _) in itertools.pairwise(spans):
            assert end - start >= (spans[0][1] - 2) / 8


def test_a_plate_in_a_tile_lies_where_it_is_in_the_picture(tmp_path: Path) -> None:
    # The network sees the same in every part; 2 x 2 tiles of 1166 x 350 pixels begin at 0 and 972, 292.
    manifest = write_detector(tmp_path, rows([150, 92, 170, 100, 0.6]))
    picture = np.zeros((642, 2138, 3), np.uint8)
    found = PlateDetector(manifest, tiles=2).detect(picture)
    assert len(found) == 5
    assert len(PlateDetector(manifest).detect(picture)) == 1
    lefts = sorted({round(one.box[0]) for one in found})
    assert len(lefts) == 3
    assert lefts[2] - lefts[0] == pytest.approx(2138 - 1167, abs=2)


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=50, deadline=None)
def test_the_letterbox_shows_the_whole_picture(width: int, height: int) -> None:
    place = fit(width, height, 64, 32)
    out = letterbox(np.full((height, width, 3), 255, np.uint8), place)
    assert out.shape == (place.height, place.width, 3)
    shown = np.argwhere(out[:, :, 0] == 255)
    assert shown.min(0).tolist() == [place.top, place.left]
    across, down = max(round(width * place.scale), 1), max(round(height * place.scale), 1)
    assert (shown.max(0) + 1).tolist() == [place.top + down, place.left + across]


def test_a_picture_of_the_input_s_size_is_not_touched() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (384, 640, 3), np.uint8)
    assert letterbox(picture, Fit(640, 384, 1.0, 0, 0)) is picture


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.floats(0.1, 0.9))
@settings(max_examples=60, deadline=None)
def test_suppression_keeps_each_row_once_and_leaders_apart(seed: int, count: int, overlap: float) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 50, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 40, (count, 2))], 1).astype(np.float32)
    scores = rng.random(count).astype(np.float32)
    groups = suppress(boxes, scores, overlap, 100)
    assert sorted(int(i) for group in groups for i in group) == list(range(count))
    leaders = [int(group[0]) for group in groups]
    assert [float(scores[i]) for i in leaders] == sorted((float(scores[i]) for i in leaders), reverse=True)
    for group in groups:
        assert scores[group[0]] == scores[group].max()


def rows(*values: list[float]) -> NDArray[np.float32]:
    return np.array([values], np.float32)


def test_rows_of_a_foreign_detector_come_back_in_the_picture_s_pixels(tmp_path: Path) -> None:
    # 640x384 halves exactly to 320x192.
    manifest = write_detector(tmp_path, rows([10, 20, 60, 40, 0.6], [100, 100, 150, 120, 0.9], [0, 0, 9, 9, 0.1]))
    found = PlateDetector(manifest).detect(PICTURE)
    assert [one.score for one in found] == pytest.approx([0.9, 0.6])
    assert found[0].box == pytest.approx((200, 200, 300, 240))
    assert found[1].box == pytest.approx((20, 40, 120, 80))
    assert found[1].corners == ((20, 40), (120, 40), (120, 80), (20, 80))


def test_columns_may_lie_in_any_order_and_classes_are_told_apart(tmp_path: Path) -> None:
    answer = rows([0, 10, 20, 60, 40, 1, 0.6], [0, 100, 100, 150, 120, 2, 0.9])
    columns = ["batch", "x1", "y1", "x2", "y2", "class", "score"]
    found = PlateDetector(write_detector(tmp_path, answer, columns=columns, plate_class=1)).detect(PICTURE)
    assert [one.score for one in found] == pytest.approx([0.6])


def raw(*cells: list[float]) -> NDArray[np.float32]:
    """The output of a YOLO export without suppression: (1, 4 + classes, cells)."""
    return np.array([cells], np.float32).transpose(0, 2, 1)


def test_raw_cells_are_suppressed_and_told_apart_by_class(tmp_path: Path) -> None:
    cells = raw(
        [35, 30, 50, 20, 0.7, 0.1], [36, 30, 50, 20, 0.9, 0.0], [125, 110, 50, 20, 0.2, 0.8], [9, 9, 0, 4, 0.9, 0.9]
    )
    found = PlateDetector(write_detector(tmp_path, cells, decoding="raw")).detect(PICTURE)
    assert [one.score for one in found] == pytest.approx([0.9, 0.8])
    assert found[0].box == pytest.approx((22, 40, 122, 80))
    found = PlateDetector(write_detector(tmp_path, cells, decoding="raw", plate_class=1)).detect(PICTURE)
    assert [one.box for one in found] == [pytest.approx((200, 200, 300, 240))]
    nothing = np.zeros((1, 5, 7), np.float32)
    assert PlateDetector(write_detector(tmp_path, nothing, decoding="raw")).detect(PICTURE) == []


def test_end_to_end_rows_without_a_detection(tmp_path: Path) -> None:
    columns = ["batch", "x1", "y1", "x2", "y2", "class", "score"]
    none = np.zeros((0, 7), np.float32)
    assert PlateDetector(write_detector(tmp_path, none, columns=columns)).detect(PICTURE) == []


def test_boxes_in_fractions_and_a_stretched_picture(tmp_path: Path) -> None:
    answer = rows([0.25, 0.5, 0.5, 0.75, 0.9])
    square = PICTURE[:, :384]
    found = PlateDetector(write_detector(tmp_path, answer, coordinates="fractions", fit="stretch")).detect(square)
    assert found[0].box == pytest.approx((96, 192, 192, 288))
    found = PlateDetector(write_detector(tmp_path, answer, coordinates="fractions")).detect(PICTURE)
    assert found[0].box == pytest.approx((160, 192, 320, 288))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"decoding": "raw"}, r"\(1, 4 \+ classes, cells\)"),
        ({"fit": "stretch", "multiple": 32}, "fixed size"),
        ({"input": {"name": "image", "width": 320, "height": 192, "colour": "rgb", "mean": [1.0]}}, "3 channels"),
        ({"input": {"name": "image", "width": 320, "height": 192, "colour": "rgb", "std": [1, 0, 1]}}, "std not 0"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        PlateDetector(write_detector(tmp_path, np.array([[10, 20, 60, 40, 0.6]], np.float32), **changes))


def test_a_raw_detector_without_that_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the model has 2 classes"):
        PlateDetector(write_detector(tmp_path, raw([1, 1, 2, 2, 0.5, 0.5]), decoding="raw", plate_class=2))


def test_overlapping_rows_are_one_plate(tmp_path: Path) -> None:
    answer = rows([10, 20, 60, 40, 0.8], [12, 20, 62, 41, 0.9], [11, 21, 59, 40, 0.7])
    found = PlateDetector(write_detector(tmp_path, answer)).detect(PICTURE)
    assert [one.score for one in found] == pytest.approx([0.9])


def test_damaged_rows_are_passed_over(tmp_path: Path) -> None:
    answer = rows([float("nan"), 20, 60, 40, 0.8], [60, 20, 10, 40, 0.9], [400, 300, 500, 350, 0.7])
    assert PlateDetector(write_detector(tmp_path, answer)).detect(PICTURE) == []


def test_a_plate_map_gives_tilted_corners(tmp_path: Path) -> None:
    sides = np.log(np.array([4.0, 1.5, 4.0, 1.5]))
    cell = [3.0, *sides.tolist(), 0, 0.2, 0, 0, 0, -0.2, 0, 0]
    answer = plate_map(24, 40, {(10, 20): cell})
    found = PlateDetector(write_detector(tmp_path, answer, decoding="plate-map")).detect(PICTURE)
    assert len(found) == 1
    assert found[0].score == pytest.approx(1 / (1 + np.exp(-3.0)))
    # Cell (10, 20) has its middle at (164, 84); sides are 32 and 12 pixels away; the picture is twice as large.
    assert found[0].box == pytest.approx((264, 144, 392, 192), abs=0.01)
    expected = [[264, 144 + 0.2 * 48], [392, 144], [392, 192 - 0.2 * 48], [264, 192]]
    assert np.array(found[0].corners) == pytest.approx(np.array(expected), abs=0.01)


def test_crossed_corners_become_those_of_their_box(tmp_path: Path) -> None:
    sides = np.log(np.array([4.0, 1.5, 4.0, 1.5]))
    cell = [3.0, *sides.tolist(), 1, 0, -1, 0, 0, 0, 0, 0]
    answer = plate_map(24, 40, {(10, 20): cell})
    found = PlateDetector(write_detector(tmp_path, answer, decoding="plate-map")).detect(PICTURE)
    assert np.array(found[0].corners) == pytest.approx(np.array([[264, 144], [392, 144], [392, 192], [264, 192]]))


def test_neighbouring_cells_are_one_plate_and_others_are_not(tmp_path: Path) -> None:
    sides = np.log(np.array([4.0, 1.5, 4.0, 1.5])).tolist()
    cells = {(10, x): [2.0 - abs(x - 20), *sides, *[0.0] * 8] for x in (19, 20, 21)}
    cells[(3, 5)] = [1.0, *sides, *[0.0] * 8]
    answer = plate_map(24, 40, cells)
    found = PlateDetector(write_detector(tmp_path, answer, decoding="plate-map")).detect(PICTURE)
    assert len(found) == 2


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 30))
@settings(max_examples=20, deadline=None)
def test_any_numbers_in_a_map_give_boxes_within_the_picture(
    tmp_path_factory: pytest.TempPathFactory, seed: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    answer = rng.normal(0, spread, (1, 13, 24, 40)).astype(np.float32)
    folder = tmp_path_factory.mktemp("map")
    for one in PlateDetector(write_detector(folder, answer, decoding="plate-map"), most=20).detect(PICTURE):
        x1, y1, x2, y2 = one.box
        assert 0 <= x1 < x2 <= 640
        assert 0 <= y1 < y2 <= 384
        assert 0 <= one.score <= 1
        assert np.isfinite(np.array(one.corners)).all()


def changed(path: Path, **changes: object) -> Path:
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, **changes}))
    return path


def test_what_does_not_fit_is_refused_with_the_file_and_the_reason(tmp_path: Path) -> None:
    answer = rows([10, 20, 60, 40, 0.6])

    def fresh(**changes: object) -> Path:
        return changed(write_detector(tmp_path, answer), **changes)

    with pytest.raises(ModelError, match=r"nowhere\.json.*cannot be read"):
        PlateDetector(tmp_path / "nowhere.json")
    with pytest.raises(ModelError, match=r"fake\.onnx.*SHA-256"):
        PlateDetector(fresh(sha256="0" * 64))
    with pytest.raises(ModelError, match="no output 'boxes'; it has out"):
        PlateDetector(fresh(output="boxes"))
    with pytest.raises(ModelError, match="no input 'picture'"):
        PlateDetector(fresh(input={"name": "picture", "width": 320, "height": 192, "colour": "rgb"}))
    with pytest.raises(ModelError, match="has shape"):
        PlateDetector(fresh(input={"name": "image", "width": 640, "height": 192, "colour": "rgb"}))
    with pytest.raises(ModelError, match="colour is gray"):
        PlateDetector(fresh(input={"name": "image", "width": 320, "height": 192, "colour": "gray"}))
    with pytest.raises(ModelError, match=r"columns must name.*missing \['score'\]"):
        PlateDetector(fresh(columns=["x1", "y1", "x2", "y2", "class"]))
    with pytest.raises(ModelError, match="names 6 columns"):
        PlateDetector(fresh(columns=["x1", "y1", "x2", "y2", "score", "class"]))
    with pytest.raises(ModelError, match="a plate map has shape"):
        PlateDetector(fresh(decoding="plate-map"))
    with pytest.raises(ModelError, match="not a valid manifest"):
        PlateDetector(fresh(kind="reader"))
    with pytest.raises(ModelError, match=r"min_score is 1\.5"):
        PlateDetector(fresh(min_score=1.5))
    with pytest.raises(ModelError, match="leave out detector_size"):
        PlateDetector(fresh(), size=1280)


def test_a_damaged_model_file_is_refused(tmp_path: Path) -> None:
    path = write_detector(tmp_path, rows([10, 20, 60, 40, 0.6]))
    model = tmp_path / "fake.onnx"
    model.write_bytes(model.read_bytes()[:-40])
    with pytest.raises(ModelError, match="damaged or another one"):
        PlateDetector(path)


# --- a picture that is nothing but a plate --------------------------------------------------------------------


def test_a_plate_without_surroundings_is_found_by_the_shipped_models() -> None:
    plate = render_plate(spec_for("MKS5091", "de-34"), 50)
    (found,) = PlateDetector().detect(plate)
    height, width = plate.shape[:2]
    x1, y1, x2, y2 = found.box
    assert x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height
    assert (x2 - x1) * (y2 - y1) > 0.6 * width * height
    assert np.abs(np.array(found.corners) - [[0, 0], [width, 0], [width, height], [0, height]]).max() < 0.25 * width


@pytest.mark.parametrize(
    ("width", "height", "may"),
    [(200, 50, True), (480, 120, True), (640, 360, False), (50, 200, False), (470, 60, False)],
)
def test_only_a_small_picture_of_a_plate_s_shape_may_be_one(width: int, height: int, may: bool) -> None:
    assert like_a_plate(width, height) is may


def test_a_frame_is_dark_all_round() -> None:
    framed, edge = in_a_frame(np.full((40, 100, 3), 200, np.uint8))
    assert framed.shape == (80, 140, 3) and edge == 20
    assert (framed[20:60, 20:120] == 200).all()
    framed[20:60, 20:120] = framed[0, 0, 0]
    assert len(np.unique(framed)) == 1 and framed[0, 0, 0] < 80


def test_nothing_in_the_frame_stays_nothing(tmp_path: Path) -> None:
    detector = PlateDetector(write_detector(tmp_path, np.zeros((1, 0, 5), np.float32), decoding="rows"))
    assert detector.detect(np.full((50, 200, 3), 200, np.uint8)) == []

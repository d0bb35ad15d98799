"""The training of the detector: composed scenes are repeatable and their labels true, targets and decoding agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.train.detector_dress import dress, framed
from tools.train.detector_paste import paste
from tools.train.detector_scenes import compose, plate_bank
from tools.train.detector_targets import Doubt, Plate, Scene, encode
from tools.train.scenes_data import Photo, apply, corner_trust, from_centres, load_photos

SIZE = (96, 160)


def photos(folder: Path) -> list[Photo]:
    """Two photographs with a plate each, one of them on a vehicle, one vehicle without a known plate."""
    (folder / "images").mkdir()
    rows: list[str] = []
    vehicles: list[str] = []
    for i in range(2):
        picture = np.random.default_rng(i).integers(0, 200, (30, 40, 3), np.uint8)
        name = f"images/{i}.png"
        cv2.imwrite(str(folder / name), cv2.resize(picture, (400, 300), interpolation=cv2.INTER_CUBIC))
        plates = [{"box": [150, 200, 230, 220], "corners": None}]
        rows.append(json.dumps({"image": name, "width": 400, "height": 300, "plates": plates}))
        boxes = [{"box": [100, 100, 300, 250], "type": "car"}, {"box": [310, 20, 390, 90], "type": None}]
        vehicles.append(json.dumps({"image": name, "vehicles": boxes, "uncertain": []}))
    (folder / "annotations.jsonl").write_text("\n".join(rows))
    (folder / "vehicles.jsonl").write_text("\n".join(vehicles))
    return load_photos(folder)


def test_photographs_come_with_their_boxes(tmp_path: Path) -> None:
    first = photos(tmp_path)[0]
    assert [level.shape[:2] for level in first.levels] == [(300, 400), (150, 200), (75, 100)]
    assert first.plates.shape == (1, 4, 2)
    assert first.bare.tolist() == [False, True]
    assert first.trust.tolist() == [0.5]


def test_only_long_boxes_stand_for_corners() -> None:
    assert corner_trust([10, 10, 110, 35], 200, 100) > corner_trust([10, 10, 110, 60], 200, 100)
    assert corner_trust([0, 10, 110, 35], 200, 100) == 0.0


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    return photos(tmp_path_factory.mktemp("photos"))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_scenes_are_repeatable_and_their_plates_lie_in_the_canvas(material: list[Photo], seed: int) -> None:
    bank = plate_bank(1, 6, 1.0)
    one = compose(np.random.default_rng(seed), material, bank, SIZE)
    two = compose(np.random.default_rng(seed), material, bank, SIZE)
    assert (one.image == two.image).all()
    assert one.image.shape == (*SIZE, 3)
    for plate in one.plates:
        cx, cy = plate.corners.mean(0)
        assert 0 <= cx < SIZE[1]
        assert 0 <= cy < SIZE[0]
    targets = encode(one)
    assert targets.shape == (16, SIZE[0] // 8, SIZE[1] // 8)
    assert np.isfinite(targets).all()
    assert targets[0].min() >= 0
    assert targets[0].max() <= 1
    assert (targets[1] >= 0).all()
    assert bool((targets[2] > 0).any()) == bool(one.plates)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_dressed_plate_knows_where_the_plate_in_it_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = np.full((60, 180, 3), 200, np.uint8)
    drawn = dress(rng, clean)
    assert (clean == 200).all()
    x1, y1, x2, y2 = drawn.inner
    assert (x2 - x1, y2 - y1) == (180, 60)
    assert drawn.aspect == 3.0
    # Laid out by its own corners as they are, the picture lies where it is.
    own = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], float)
    height, width = drawn.picture.shape[:2]
    assert drawn.outer(own) == pytest.approx(np.array([[0, 0], [width, 0], [width, height], [0, height]]), abs=1e-2)


def test_a_frame_reaches_beyond_its_plate() -> None:
    drawn = framed(np.random.default_rng(1), np.full((60, 120, 3), 200, np.uint8))
    outer = drawn.outer(np.array([[100.0, 100], [300, 100], [300, 200], [100, 200]]))
    assert (outer[0] < 100).all()
    assert outer[2, 0] > 300
    assert outer[2, 1] > 200


def test_what_is_pasted_fills_its_corners() -> None:
    canvas = np.zeros((60, 80, 3), np.uint8)
    paste(canvas, np.full((100, 300, 3), 255, np.uint8), np.array([[10.0, 10], [50, 10], [50, 25], [10, 25]]))
    assert canvas[10:25, 10:50].min() == 255
    assert canvas[:, :10].max() == 0
    assert canvas[:10].max() == 0
    assert canvas.astype(int).sum() / (255 * 3) == pytest.approx(40 * 15, rel=0.06)


def test_matrices_for_opencv_count_from_the_middle_of_a_pixel() -> None:
    double = np.diag([2.0, 2.0, 1.0])
    assert apply(from_centres(double), np.array([[0.0, 0.0]])).tolist() == [[0.5, 0.5]]


def test_decoding_a_plate_s_own_target_gives_the_plate() -> None:
    torch = pytest.importorskip("torch")
    from tools.train.detector_net import decode, loss

    corners = np.array([[40.0, 30.0], [100.0, 38.0], [98.0, 58.0], [38.0, 50.0]])
    scene = Scene(np.zeros((*SIZE, 3), np.uint8), (Plate(corners, 1.0),), (Doubt(corners + 70, 0.0),))
    targets = encode(scene)
    maps = np.zeros((1, 13, 12, 20), np.float32)
    maps[0, 0] = -12.0
    where = np.argwhere(targets[2] > 0)
    assert len(where) >= 1
    x1, y1, x2, y2 = scene.plates[0].box
    for row, column in where:
        x, y = (column + 0.5) * 8, (row + 0.5) * 8
        sides = np.maximum(np.array([x - x1, y - y1, x2 - x, y2 - y]), 0.5) / 8
        maps[0, 0, row, column] = 12.0
        maps[0, 1:5, row, column] = np.log(sides)
        base = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
        maps[0, 5:13, row, column] = ((corners - base) / (x2 - x1, y2 - y1)).reshape(8)
    boxes, found = decode(torch.from_numpy(maps))
    row, column = where[0]
    assert boxes[0, :, row, column].numpy() == pytest.approx(np.array([x1, y1, x2, y2]), abs=1e-3)
    assert found[0, :, row, column].numpy() == pytest.approx(corners.reshape(8), abs=1e-3)
    parts = loss(torch.from_numpy(maps), torch.from_numpy(targets[None]))
    assert float(parts.box) == pytest.approx(0.0, abs=1e-4)
    assert float(parts.corner) == pytest.approx(0.0, abs=1e-4)
    worse = loss(torch.from_numpy(maps * 0.5), torch.from_numpy(targets[None]))
    assert float(worse.total) > float(parts.total)


def test_the_network_learns_a_scene(tmp_path: Path, material: list[Photo]) -> None:
    torch = pytest.importorskip("torch")
    from tools.train.detector import average, learning_rate
    from tools.train.detector_net import PlateNet, Widths, loss

    torch.manual_seed(0)
    bank = plate_bank(1, 6, 1.0)
    scenes = [compose(np.random.default_rng(i), material, bank, SIZE) for i in range(4)]
    pictures = torch.from_numpy(np.stack([scene.image for scene in scenes]).transpose(0, 3, 1, 2) / np.float32(255))
    targets = torch.from_numpy(np.stack([encode(scene) for scene in scenes]))
    net = PlateNet(Widths(8, 8, 16, 16, 16, 16, 16))
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3)
    losses: list[float] = []
    for _ in range(25):
        total: Any = loss(net(pictures), targets).total
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(float(total.detach()))
    assert min(losses[-5:]) < 0.8 * losses[0]
    average(PlateNet(net.widths), net, 0.5)
    assert learning_rate(0, 0.0, 1.0, 10) < learning_rate(9, 0.0, 1.0, 10) == 1.0 > learning_rate(99, 0.9, 1.0, 10) > 0


def test_weights_of_an_earlier_shape_are_taken_over() -> None:
    torch = pytest.importorskip("torch")
    from tools.train.detector_net import PlateNet, Widths, adopt

    narrow, wide = Widths(8, 8, 16, 16, 16, 16, 16), Widths(12, 8, 16, 16, 16, 16, 16)
    torch.manual_seed(1)
    earlier: Any = PlateNet(wide)
    with torch.no_grad():  # four of the stem's channels say nothing
        earlier.s4[1][0].weight[:, [0, 3, 7, 11]] = 0.0
    weights = {name: value for name, value in earlier.state_dict().items() if not name.startswith(("s16.3.", "s16.4."))}
    net = PlateNet(narrow)
    adopt(net, weights)
    # Blocks that the other has not add nothing, and what is left of the stem is what it used.
    for block in (earlier.s16[3], earlier.s16[4]):
        torch.nn.init.zeros_(block.body[1][1].weight)
        torch.nn.init.zeros_(block.body[1][1].bias)
    picture = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        assert torch.allclose(net.eval()(picture), earlier.eval()(picture), atol=1e-5)
    adopt(net, net.state_dict())
    with pytest.raises(RuntimeError):
        adopt(PlateNet(Widths(8, 8, 24, 16, 16, 16, 16)), weights)

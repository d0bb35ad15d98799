"""Vehicles: where they are, what the models in the slots say, and vehicles without a plate."""

from __future__ import annotations

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.config import Vehicles
from lpr.events import Box, Corners, Reading, Vehicle
from lpr.plates.boxes import overlap
from lpr.scene.street import Street
from lpr.vision.manifest import ModelError
from lpr.vision.vehicle import VehicleReader, open_vehicles
from lpr.vision.vehicle_finder import VehicleFinder
from lpr.vision.vehicle_kind import CropClassifier, make_of
from lpr.vision.vehicle_region import (
    SIDE,
    box_region,
    cut,
    inside,
    plate_region,
    plate_size,
    vehicle_of,
    virtual_plate,
)
from tests.vision.vehicle_models import SIZE, write_constant, write_finder, write_linear

Image = NDArray[np.uint8]

side = st.floats(-2000, 4000)
sizes = st.floats(4, 1000)


def plate(x: float, y: float, width: float, height: float) -> Corners:
    dx, dy = width / 2, height / 2
    return ((x - dx, y - dy), (x + dx, y - dy), (x + dx, y + dy), (x - dx, y + dy))


def reading(corners: Corners, text: str = "ABC1234", **more: object) -> Reading:
    (x1, y1), _, (x2, y2), _ = corners
    made = Reading(text=text, confidence=0.9, characters=(), box=(x1, y1, x2, y2), corners=corners)
    return msgspec.structs.replace(made, **more)


# --- geometry -------------------------------------------------------------------------------------------


@given(side, side, sizes, sizes)
def test_a_plates_region_is_a_square_round_it(x: float, y: float, width: float, height: float) -> None:
    x1, y1, x2, y2 = plate_region(plate(x, y, width, height))
    assert x2 - x1 == pytest.approx(y2 - y1) == pytest.approx(SIDE * plate_size(plate(x, y, width, height)))
    assert x1 <= x - width / 2 and x2 >= x + width / 2 and y1 <= y - height / 2 and y2 >= y + height / 2
    assert y - y1 > y2 - y, "more of a vehicle is above its plate than below"


@given(side, side, sizes, sizes)
def test_a_vehicle_carries_the_plate_that_it_would_have(x: float, y: float, width: float, height: float) -> None:
    box: Box = (x, y, x + width, y + height)
    assert inside(virtual_plate(box), box)
    assert vehicle_of(virtual_plate(box), [box]) in (0, None)
    if height <= 1.5 * width:
        assert vehicle_of(virtual_plate(box), [box]) == 0
    x1, y1, x2, y2 = box_region(box)
    assert x1 <= x and y1 <= y and x2 >= x + width and y2 >= y + height


def test_the_nearer_vehicle_carries_the_plate_and_a_post_none() -> None:
    lorry, car, post = (0.0, 0.0, 600.0, 600.0), (100.0, 200.0, 400.0, 500.0), (230.0, 200.0, 270.0, 500.0)
    assert vehicle_of(plate(250, 450, 80, 20), [lorry, car, post]) == 1
    assert vehicle_of(plate(550, 100, 80, 20), [lorry, car, post]) == 0
    assert vehicle_of(plate(900, 100, 80, 20), [lorry, car, post]) is None


@given(side, side, sizes)
def test_any_region_gives_a_crop(x: float, y: float, size: float) -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    crop = cut(image, (x, y, x + size, y + size), 32)
    assert crop.shape == (32, 32, 3) and crop.dtype == np.uint8
    assert set(np.unique(crop)) <= {128, 200}


@pytest.mark.parametrize("region", [(0.0, 0.0, 0.0, 9.0), (0.0, 0.0, float("nan"), 9.0), (5.0, 5.0, 1.0, 9.0)])
def test_a_region_that_is_none_is_refused(region: Box) -> None:
    with pytest.raises(ValueError, match="region"):
        cut(np.zeros((9, 9, 3), np.uint8), region, 8)


def test_a_crop_shows_what_lies_there() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[50:, 50:] = 250
    crop = cut(image, (0, 0, 100, 100), 10)
    assert crop[7:, 7:].min() > 240 and crop[:4].max() < 10


# --- the slot for makes ---------------------------------------------------------------------------------


def vehicles_of(seed: int, kinds: tuple[str, ...]) -> list[tuple[Image, Corners, str]]:
    """Vehicles of a rendered street by day: frame, plate, kind."""
    street = Street(seed, 640, 360, rate=0.8)
    found: list[tuple[Image, Corners, str]] = []
    for index in range(26):
        near = [
            one
            for one in street.vehicles_at(index)
            if one.width >= 14 and one.visible > 0.95 and one.vehicle in kinds and one.box is not None
        ]
        if near:
            frame = street.frame(index)
            found.extend((frame, one.corners, one.vehicle) for one in near)
    return found


def grey(image: Image, corners: Corners) -> NDArray[np.float64]:
    return cut(image, plate_region(corners), SIZE).mean(2).astype(np.uint8).reshape(-1).astype(np.float64)


def test_a_model_trained_on_rendered_shapes_fills_the_slot_for_makes(tmp_path: Path) -> None:
    """Two "makes": cars and lorries. A ridge regression of their outlines is model enough."""
    names = {"car": "Alfa/Uno", "truck": "Berta"}
    shown = [one for seed in (1, 2, 3, 4) for one in vehicles_of(seed, ("car", "truck"))]
    x = np.array([grey(image, corners) for image, corners, _ in shown])
    y = np.array([1.0 if kind == "truck" else -1.0 for _, _, kind in shown], np.float64)
    lorries, cars = int((y > 0).sum()), int((y < 0).sum())
    assert lorries >= 3 and cars >= 3
    aim = np.array([1.0 / lorries if one > 0 else -1.0 / cars for one in y.tolist()], np.float64) * len(y) / 2
    mean = x.mean(0)
    kernel = (x - mean) @ (x - mean).T + 2e5 * np.eye(len(y))
    direction = np.asarray((x - mean).T @ np.linalg.solve(kernel, aim), np.float64)
    offset = float(mean @ direction)
    weights = np.stack([-4 * direction, 4 * direction], 1).astype(np.float32)
    bias = np.array([4 * offset, -4 * offset], np.float32)
    path = write_linear(tmp_path, "makes", weights, bias, classes=list(names.values()))
    reader = VehicleReader(makes=CropClassifier(path, "vehicle-make"))
    right = 0
    for image, corners, kind in shown:
        (told,) = reader.describe(image, [reading(corners)])
        assert told.vehicle is not None and told.vehicle.kind is None
        make, model = make_of(names[kind])
        right += (told.vehicle.make, told.vehicle.model) == (make, model)
    assert right >= 0.85 * len(shown)


def test_a_make_that_is_not_known_is_not_said(tmp_path: Path) -> None:
    path = write_constant(tmp_path, [0.0, 9.0], ["Fiat/Uno", "unknown"], kind="vehicle-make")
    (told,) = VehicleReader(makes=CropClassifier(path, "vehicle-make")).describe(
        np.zeros((90, 160, 3), np.uint8), [reading(plate(80, 60, 30, 10))]
    )
    assert told.vehicle == Vehicle()


def test_what_is_less_sure_than_the_manifest_says_is_not_said(tmp_path: Path) -> None:
    frame, one = np.zeros((90, 160, 3), np.uint8), [reading(plate(80, 60, 30, 10))]
    for least, kind in ((0.5, "bus"), (0.95, None)):
        path = write_constant(tmp_path, [0.0, 2.0], ["car", "bus"], min_confidence=least)
        (told,) = VehicleReader(kinds=CropClassifier(path, "vehicle-kind")).describe(frame, one)
        assert told.vehicle is not None and told.vehicle.kind == kind
        assert (told.vehicle.kind_confidence > 0.8) == (kind is not None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["car", "tank"]}, "tank"),
        ({"classes": ["car", "car"]}, "different"),
        ({"classes": ["car"]}, "different"),
        ({"temperature": 0.0}, "temperature"),
        ({"min_confidence": 2.0}, "min_confidence"),
        ({"output": "nothing"}, "output"),
        ({"kind": "vehicle-make"}, "vehicle-kind"),
        ({"sha256": "00"}, "SHA-256"),
        ({"input": {"name": "image", "width": 24, "height": 20, "colour": "gray"}}, "square"),
        ({"input": {"name": "other", "width": 24, "height": 24, "colour": "gray"}}, "other"),
        ({"strange": 1}, "strange"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = write_constant(tmp_path, [0.0, 1.0], ["car", "bus"], **changes)
    with pytest.raises(ModelError, match=said):
        CropClassifier(path, "vehicle-kind")


def test_a_model_with_other_classes_than_its_manifest_is_refused(tmp_path: Path) -> None:
    path = write_constant(tmp_path, [0.0, 1.0, 2.0], ["car", "bus"])
    with pytest.raises(ModelError, match="2 classes"):
        CropClassifier(path, "vehicle-kind")


@pytest.mark.parametrize(
    "logits", [[0.0, 0.0], [1e30, -1e30], [float("nan"), 1.0], [float("inf"), 0.0], [-700.0, 700.0]]
)
@pytest.mark.parametrize("activation", ["logits", "probabilities"])
def test_probabilities_add_up_whatever_a_network_says(tmp_path: Path, logits: list[float], activation: str) -> None:
    path = write_constant(tmp_path, logits, ["car", "bus"], activation=activation)
    rows = CropClassifier(path, "vehicle-kind").probabilities([np.zeros((SIZE, SIZE, 3), np.uint8)] * 2)
    assert rows.shape == (2, 2) and np.isfinite(rows).all() and (rows >= 0).all()
    assert rows.sum(1) == pytest.approx([1.0, 1.0])


# --- the finder -----------------------------------------------------------------------------------------


def test_vehicles_are_found_where_the_map_says(tmp_path: Path) -> None:
    """A cell's middle and the distances to the sides, scaled back to a picture twice as large and letterboxed."""
    sides = float(np.log(2.0))
    finder = VehicleFinder(write_finder(tmp_path, {(5, 8): (3.0, sides, sides, sides, sides)}))
    (one,) = finder.find(np.zeros((320, 512, 3), np.uint8))
    assert one.box == pytest.approx((208, 112, 336, 240), abs=0.01) and one.score == pytest.approx(0.9526, abs=1e-3)
    (one,) = finder.find(np.zeros((160, 512, 3), np.uint8))
    assert one.box == pytest.approx((208, 32, 336, 160), abs=0.01)


def test_neighbours_that_say_the_same_are_one_vehicle(tmp_path: Path) -> None:
    sides = float(np.log(3.0))
    cells = {(5, column): (2.0, sides, sides, sides, sides) for column in (7, 8)}
    assert len(VehicleFinder(write_finder(tmp_path, cells)).find(np.zeros((160, 256, 3), np.uint8))) == 1


def test_a_vehicle_without_a_plate_is_a_reading_of_its_own(tmp_path: Path) -> None:
    sides = float(np.log(2.0))
    cells = {(4, 4): (3.0, sides, sides, sides, sides), (5, 11): (3.0, sides, sides, sides, sides)}
    reader = VehicleReader(finder=VehicleFinder(write_finder(tmp_path, cells)), min_width=0.1)
    frame = np.zeros((160, 256, 3), np.uint8)
    first, second = reader.place(frame, [reading(plate(72, 90, 20, 6))])
    assert first.text == "ABC1234" and first.plated and first.vehicle is not None
    assert first.vehicle.box == pytest.approx((40, 40, 104, 104), abs=0.1)
    assert not second.plated and second.text == "" and second.vehicle is not None
    assert second.vehicle.box == pytest.approx((152, 56, 216, 120), abs=0.1)
    assert second.vehicle.box is not None and inside(second.corners, second.vehicle.box)


def test_small_vehicles_and_those_cut_off_have_no_passage(tmp_path: Path) -> None:
    frame = np.zeros((160, 256, 3), np.uint8)
    half, twice = float(np.log(0.5)), float(np.log(2.0))
    small, edge = (3.0, half, half, half, half), (3.0, twice, twice, twice, twice)
    reader = VehicleReader(finder=VehicleFinder(write_finder(tmp_path, {(5, 8): small, (9, 3): edge})), min_width=0.1)
    assert reader.place(frame, ()) == ()


def test_without_a_finder_readings_come_back_as_they_are() -> None:
    one = reading(plate(50, 50, 20, 6))
    assert VehicleReader().place(np.zeros((90, 160, 3), np.uint8), [one]) == (one,)
    assert not VehicleReader().finds


# --- what comes with the package ------------------------------------------------------------------------


def test_nothing_is_opened_when_vehicles_are_off() -> None:
    assert open_vehicles(Vehicles()) is None
    with pytest.raises(ModelError, match=r"engine\.vehicles\.find: .*enabled = true"):
        open_vehicles(Vehicles(find=True))


@pytest.fixture(scope="module")
def shipped() -> VehicleReader:
    found = open_vehicles(Vehicles(enabled=True))
    assert found is not None and not found.finds
    return found


def test_the_shipped_models_tell_rendered_cars_and_motorcycles(shipped: VehicleReader) -> None:
    """Of a few vehicles drawn large by day most are told right, and what is no vehicle gets no colour."""
    right = total = 0
    for image, corners, kind in vehicles_of(11, ("car", "suv", "motorcycle")):
        (told,) = shipped.describe(image, [reading(corners)])
        assert told.vehicle is not None
        if told.vehicle.kind is not None:
            total += 1
            right += told.vehicle.kind == ("motorcycle" if kind == "motorcycle" else "car")
    assert total >= 5 and right >= 0.7 * total


def test_a_grey_picture_has_no_colour(shipped: VehicleReader) -> None:
    image, corners, _ = vehicles_of(11, ("car",))[0]
    mono = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, 2).astype(np.uint8)
    (told,) = shipped.describe(mono, [reading(corners)])
    assert told.vehicle is not None and told.vehicle.colour == "unknown" and told.ink_colour is None


def test_describing_keeps_the_reading(shipped: VehicleReader) -> None:
    image, corners, _ = vehicles_of(11, ("car",))[0]
    one = reading(corners)
    (told,) = shipped.describe(image, [one])
    assert msgspec.structs.replace(told, vehicle=None, ink_colour=None) == one
    assert shipped.describe(image, []) == ()


def test_another_finder_takes_the_place_of_the_package_s(tmp_path: Path) -> None:
    own = open_vehicles(Vehicles(enabled=True, find=True, finder=str(write_finder(tmp_path, {}))))
    assert own is not None and own.finds
    with pytest.raises(ModelError, match="gone"):
        open_vehicles(Vehicles(enabled=True, find=True, finder=str(tmp_path / "gone.json")))


def test_the_package_s_finder_sees_the_vehicles_of_a_street() -> None:
    finder = VehicleFinder(min_score=Vehicles().min_score)
    street = Street(41, 640, 360, rate=1.0, start=3.0)
    seen = there = 0
    for index in range(24):
        found = finder.find(street.frame(index))
        every = [(truth.box, truth.visible) for truth in street.vehicles_at(index) if truth.box is not None]
        large = [box for box, visible in every if visible >= 0.3 and box[2] - box[0] >= 64]
        there += len(large)
        seen += sum(any(overlap(box, one.box) >= 0.5 for one in found) for box in large)
        assert all(any(overlap(box, one.box) >= 0.3 for box, _ in every) for one in found), "a vehicle where none is"
    assert there >= 20 and seen >= 0.6 * there

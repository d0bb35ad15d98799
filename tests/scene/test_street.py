"""The demo street: the same pixels each time, in any order; truth that fits the picture; sane traffic."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpr.plates.formats import by_key
from lpr.scene.camera import NEAR, PinholeCamera
from lpr.scene.plates import render_plate
from lpr.scene.street import Street, Truth, light_at, plate_of
from lpr.scene.traffic import LANES, LENGTHS, block_of, places_at
from tools.render_street import RenderError, main, render

SMALL = Street(1, 320, 180)


def test_frames_are_pure() -> None:
    """Asked in another order, of another street object, each frame has the same pixels."""
    numbers = [0, 37, 260, 1700, 2190]
    first = {n: SMALL.frame(n).copy() for n in numbers}
    again = Street(1, 320, 180)
    for number in reversed(numbers):
        frame = again.frame(number)
        assert frame.shape == (180, 320, 3)
        assert frame.dtype == np.uint8
        assert np.array_equal(frame, first[number])
        assert again.vehicles_at(number) == SMALL.vehicles_at(number)
    assert not np.array_equal(first[0], first[37])


def test_a_frame_is_nobodys_but_the_callers() -> None:
    frame = SMALL.frame(5)
    frame[:] = 0
    assert SMALL.frame(5).mean() > 10


def test_seeds_differ() -> None:
    assert not np.array_equal(Street(2, 320, 180).frame(50), SMALL.frame(50))


def test_what_it_cannot_draw() -> None:
    for size in ((100, 270), (480, 50), (5000, 270)):
        with pytest.raises(ValueError, match="can be drawn"):
            Street(1, *size)
    for rate in (0.0, -1.0, 500.0, float("nan")):
        with pytest.raises(ValueError, match="frames a second"):
            Street(1, 480, 270, rate)


def test_day_and_night() -> None:
    assert light_at(10).darkness == 0.0
    assert light_at(170).darkness == 1.0
    assert light_at(250) == light_at(10)
    day, night = SMALL.frame(150), SMALL.frame(2400)
    assert day.mean() > 2 * night.mean()


# --- truth ----------------------------------------------------------------------------------------------


def clear(street: Street, first: int, last: int, step: int = 5) -> list[tuple[int, Truth]]:
    """Plates that are well seen."""
    return [
        (n, truth)
        for n in range(first, last, step)
        for truth in street.vehicles_at(n)
        if truth.visible > 0.98 and truth.width > 60
    ]


def test_the_truth_is_where_the_plate_is() -> None:
    """The picture within the corners looks like the plate, and less so when they are moved."""
    street = Street(1)
    found = clear(street, 0, 700)[::4]
    assert len(found) >= 6
    for number, truth in found:
        gray = cv2.cvtColor(street.frame(number), cv2.COLOR_BGR2GRAY)
        vehicle = next(v for lane in LANES for b in range(-1, 3) for v in block_of(1, lane, b) if v.key == truth.key)
        plate = plate_of(1, vehicle)
        assert plate.spec.text == truth.plate
        flat = cv2.cvtColor(render_plate(plate.spec, 96), cv2.COLOR_BGR2GRAY)
        height, width = flat.shape

        def likeness(
            dx: float, dy: float, truth: Truth = truth, gray: object = gray, flat: object = flat,
            size: tuple[int, int] = (width, height),
        ) -> float:  # fmt: skip
            w, h = size
            here = np.array(truth.corners, np.float32) + np.array([dx, dy], np.float32) - np.float32(0.5)
            there = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - np.float32(0.5)
            seen = cv2.warpPerspective(np.asarray(gray), cv2.getPerspectiveTransform(here, there), size)
            return float(np.corrcoef(seen.ravel().astype(float), np.asarray(flat).ravel().astype(float))[0, 1])

        right = likeness(0, 0)
        assert right > 0.75, (number, truth, right)
        for dx, dy in ((2.5, 0), (-2.5, 0), (0, 2.5), (0, -2.5)):
            assert likeness(dx, dy) < right


def test_texts_fit_their_formats() -> None:
    seen: dict[int, str] = {}
    countries: set[str] = set()
    for number in range(0, 4500, 30):
        for truth in SMALL.vehicles_at(number):
            format_ = by_key(truth.layout)
            assert format_ is not None
            assert format_.matches(truth.plate)
            assert format_.country == truth.country
            assert seen.setdefault(truth.key, truth.plate) == truth.plate
            assert 0 <= truth.visible <= 1
            countries.add(truth.country)
    assert countries >= {"BR", "AR", "CL", "UY", "PY"}
    assert len(set(seen.values())) == len(seen)


def test_plates_grow_legible_in_both_directions() -> None:
    found = clear(Street(1), 0, 900)
    assert {truth.direction for _, truth in found} == {"approach", "away"}
    assert max(truth.width for _, truth in found) > 90


# --- traffic --------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.integers(0, 50), st.floats(0, 500))
def test_nobody_drives_through_another(seed: int, t: float) -> None:
    for lane in LANES:
        places = [place for place in places_at(seed, t) if place.vehicle.lane == lane]
        order = sorted(places, key=lambda place: place.z)
        for near, far in pairwise(order):
            assert near.z + LENGTHS[near.vehicle.kind] <= far.z + 1e-6 or near.z < -near.vehicle.length


@settings(max_examples=60)
@given(st.integers(0, 20), st.floats(0, 400))
def test_nobody_jumps(seed: int, t: float) -> None:
    """Between two frames a vehicle moves as its speed allows, and never backwards."""
    before = {place.vehicle.key: place.z for place in places_at(seed, t)}
    for place in places_at(seed, t + 1 / 15):
        if place.vehicle.key in before:
            way = place.z - before[place.vehicle.key]
            way = way if place.vehicle.lane.direction == "away" else -way
            assert -1e-6 <= way <= 15.0 / 15 + 0.05


def test_somebody_stops_and_two_come_at_once() -> None:
    stood = both = False
    for number in range(0, 3000, 10):
        places = places_at(1, number / 15)
        stood |= any(abs(place.speed) < 0.01 and place.vehicle.stop > 0 and 3 < place.z < 30 for place in places)
        both |= len({place.vehicle.lane.number for place in places if 4 < place.z < 12}) == 2
    assert stood
    assert both


def test_the_camera_projects_as_it_says() -> None:
    camera = PinholeCamera(1280, 720)
    points, depth = camera.project(np.array([[0.0, 0.0, 10.0], [0.0, 0.0, 40.0], [1.0, 0.0, 10.0], [0.0, 0.0, -5.0]]))
    assert points[0, 1] > points[1, 1] > camera.horizon()
    assert points[2, 0] > points[0, 0]
    assert depth[1] > depth[0] > NEAR > depth[3]


# --- the film -------------------------------------------------------------------------------------------


def test_a_film_with_its_truth(tmp_path: Path) -> None:
    out = tmp_path / "street.avi"
    arguments = [str(out), "--seconds", "1", "--seed", "3", "--rate", "15", "--width", "320"]
    assert main(arguments) == 0
    film = cv2.VideoCapture(str(out))
    frames = 0
    while film.read()[0]:
        frames += 1
    film.release()
    assert frames == 15
    lines = [json.loads(line) for line in (tmp_path / "street.truth.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(15))
    truth = Street(3, 320, 180).vehicles_at(14)
    assert [one["plate"] for one in lines[14]["vehicles"]] == [one.plate for one in truth]


def test_a_film_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="must end in"):
        render(SMALL, tmp_path / "street.gif", 1)
    assert main([str(tmp_path / "none" / "street.avi"), "--seconds", "0.1", "--width", "320"]) == 1
    assert main([str(tmp_path / "street.avi"), "--width", "10"]) == 1

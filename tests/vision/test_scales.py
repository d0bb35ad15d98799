"""Two scales and parts of a picture: each plate once, in the picture's own pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.vision.detect import Detection
from lpr.vision.rectify import corners_of_box
from lpr.vision.scales import Parts, TwoScales, parts


def detection(score: float, x1: float, y1: float, x2: float, y2: float) -> Detection:
    return Detection(score, (x1, y1, x2, y2), corners_of_box((x1, y1, x2, y2)))


class Fixed:
    name = "fixed"

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        return self.found


class Bright:
    """Finds the white rectangle."""

    name = "bright"

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        rows, columns = np.nonzero(image[..., 0])
        if not len(rows):
            return []
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [detection(0.5 + len(rows) / 10_000, *(float(value) for value in box))]


def test_the_surer_of_two_looks_at_a_plate_is_kept() -> None:
    near = Fixed(detection(0.6, 10, 10, 60, 30), detection(0.9, 100, 10, 150, 30))
    far = Fixed(detection(0.8, 12, 11, 61, 31), detection(0.5, 10, 60, 30, 70))
    both = TwoScales(near, far)
    found = both.detect(np.zeros((100, 200, 3), np.uint8))
    assert [one.score for one in found] == [0.9, 0.8, 0.5]
    assert both.name == "fixed"
    assert TwoScales(Fixed(), Fixed()).detect(np.zeros((4, 4, 3), np.uint8)) == []


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 4), st.integers(1, 4))
def test_parts_cover_the_picture_and_stay_in_it(width: int, height: int, across: int, down: int) -> None:
    seen = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in parts(width, height, across, down):
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
        seen[y1:y2, x1:x2] = True
    assert seen.all()


@given(st.integers(0, 360), st.integers(0, 270))
def test_a_plate_anywhere_is_found_once_and_whole(x: int, y: int) -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[y : y + 14, x : x + 40] = 255
    found = Parts(Bright()).detect(image)
    assert [one.box for one in found] == [(x, y, min(x + 40, 400), min(y + 14, 300))]
    assert found[0].corners[2] == (found[0].box[2], found[0].box[3])

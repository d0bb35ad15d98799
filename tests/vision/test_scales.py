"""Several scales of a picture: each plate once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lpr.vision.detect import Detection
from lpr.vision.rectify import corners_of_box
from lpr.vision.scales import Scales


def detection(score: float, x1: float, y1: float, x2: float, y2: float) -> Detection:
    return Detection(score, (x1, y1, x2, y2), corners_of_box((x1, y1, x2, y2)))


class Fixed:
    name = "fixed"

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        return self.found


def test_the_smaller_look_is_kept_and_the_larger_adds_what_it_missed() -> None:
    small = Fixed(detection(0.6, 10, 10, 60, 30))
    usual = Fixed(detection(0.8, 12, 11, 61, 31), detection(0.9, 100, 10, 150, 30))
    large = Fixed(detection(0.95, 101, 10, 150, 31), detection(0.5, 10, 60, 30, 70))
    every = Scales((small, usual, large))
    found = every.detect(np.zeros((100, 200, 3), np.uint8))
    assert [one.score for one in found] == [0.9, 0.6, 0.5]
    assert every.name == "fixed"
    assert Scales((Fixed(), Fixed())).detect(np.zeros((4, 4, 3), np.uint8)) == []


def test_a_dim_detection_gives_way_to_a_sure_one_and_of_dim_ones_the_best_is_kept() -> None:
    small = Fixed(detection(0.3, 10, 10, 60, 30), detection(0.2, 100, 10, 150, 30), detection(0.5, 10, 60, 60, 80))
    large = Fixed(detection(0.7, 12, 11, 61, 31), detection(0.25, 101, 10, 150, 31), detection(0.9, 11, 60, 60, 80))
    found = Scales((small, large), sure=0.4).detect(np.zeros((100, 200, 3), np.uint8))
    assert [one.score for one in found] == [0.7, 0.5, 0.25]

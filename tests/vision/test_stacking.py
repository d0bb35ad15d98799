"""Stacking exposures of one plate: which plates are one, how they are aligned, and what the mean gains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.vision.looks import CarefulReader
from lpr.vision.modes import MODES
from lpr.vision.ocr import PlateReader, SlotProbabilities
from lpr.vision.rectify import corners_of_box
from lpr.vision.stacking import same_plates, stacked
from tests.vision.reader_models import write_fixed

SIZE = (144, 48)


def plate() -> NDArray[np.uint8]:
    """A patch with strokes, gray."""
    out = np.full((SIZE[1], SIZE[0]), 200, np.uint8)
    cv2.putText(out, "KX 47 E", (8, 36), cv2.FONT_HERSHEY_DUPLEX, 1.0, 40, 3, cv2.LINE_AA)
    return out


def exposure(
    seed: int, shift: tuple[float, float] = (0.0, 0.0), gain: float = 1.0, noise: float = 25.0
) -> NDArray[np.uint8]:
    """The plate moved by ``shift`` pixels, in another light, noisy."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    moved = cv2.warpAffine(plate(), matrix, SIZE, borderMode=cv2.BORDER_REPLICATE).astype(np.float32) * gain
    rng = np.random.default_rng(seed)
    return np.clip(moved + rng.normal(0, noise, moved.shape), 0, 255).astype(np.uint8)


def likeness(patch: NDArray[np.uint8]) -> float:
    """Correlation with the plate as it is, 0 to 1."""
    return float(np.corrcoef(patch.ravel().astype(float), plate().ravel().astype(float))[0, 1])


@settings(max_examples=15, deadline=None)
@given(
    shifts=st.lists(st.tuples(st.floats(-3, 3), st.floats(-2, 2)), min_size=3, max_size=5),
    gain=st.floats(0.5, 1.1),
    seed=st.integers(0, 1000),
)
def test_a_stack_is_clearer_than_its_first_exposure(shifts: list[tuple[float, float]], gain: float, seed: int) -> None:
    patches = [exposure(seed)] + [exposure(seed + 1 + i, own, gain) for i, own in enumerate(shifts)]
    found = stacked(patches, 0)
    assert found is not None
    assert found.shape == (SIZE[1], SIZE[0])
    assert found.dtype == np.uint8
    assert likeness(found) > likeness(patches[0])


def test_colours_become_gray_and_the_lead_gives_place_and_light() -> None:
    patches = [np.repeat(one[..., None], 3, 2) for one in (exposure(1, (2.0, 1.0), 0.5), exposure(2), exposure(3))]
    found = stacked(patches, 2)
    assert found is not None
    assert found.ndim == 2
    assert abs(float(found.mean()) - float(patches[2].mean())) < 3
    assert likeness(found) > likeness(exposure(3))


@pytest.mark.parametrize("other", ["noise", "one level"])
def test_what_shows_something_else_is_left_out(other: str) -> None:
    strange = np.random.default_rng(5).integers(0, 256, (SIZE[1], SIZE[0])).astype(np.uint8)
    if other == "one level":
        strange[:] = 90
    assert stacked([exposure(1), strange], 0) is None
    assert stacked([exposure(1)], 0) is None


def test_plates_of_several_pictures_are_matched_by_place() -> None:
    here, moved, there = (corners_of_box(box) for box in ((10, 10, 40, 20), (16, 11, 46, 21), (100, 10, 130, 20)))
    assert same_plates([(0, here), (0, there), (1, moved), (2, moved), (2, there)]) == [[0, 2, 3], [1, 4]]
    assert same_plates([(0, here), (0, moved)]) == []  # of one picture they are two
    assert same_plates([(0, here), (1, there)]) == []
    assert same_plates([]) == []


class Counting(PlateReader):
    """Keeps the number of patches of each run."""

    def probabilities(self, patches: Sequence[NDArray[np.uint8]]) -> list[SlotProbabilities]:
        self.runs: list[int] = [*getattr(self, "runs", []), len(patches)]
        return super().probabilities(patches)


@pytest.mark.parametrize(("under", "stacks"), [(0.0, 0), (12.0, 0), (14.0, 1)])
def test_small_plates_of_several_exposures_get_one_look_more(under: float, stacks: int, tmp_path: Path) -> None:
    reader = Counting(write_fixed(tmp_path, "ABC1D23"))
    wide, high = 42, 13
    pictures: list[tuple[NDArray[np.uint8], list[Corners]]] = []
    for number in range(3):
        image = np.full((60, 120, 3), 90, np.uint8)
        small = cv2.resize(exposure(number, noise=4.0), (wide, high), interpolation=cv2.INTER_AREA)
        image[20 : 20 + high, 30 + number : 30 + number + wide] = small[..., None]
        near = corners_of_box((4.0, 36.0, 100.0, 58.0))  # too high to be stacked
        pictures.append((image, [corners_of_box((30.0 + number, 20.0, 72.0 + number, 33.0)), near]))
    texts = CarefulReader(reader, (), 0.0, under).read_all(pictures)
    assert [[text.text for text in own] for own in texts] == [["ABC1D23", "ABC1D23"]] * 3
    assert [count for count in reader.runs if count] == [6, 1][: 1 + stacks]


def test_only_who_spares_no_effort_stacks() -> None:
    assert {name for name, effort in MODES.items() if effort.stack_under} == {"thorough"}

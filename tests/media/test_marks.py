"""Where plates are drawn on newer pictures, and which pictures of a faster source are taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core.frames import Frame
from lpr.core.live import LiveSnapshot
from lpr.events import Reading
from lpr.media.marks import FRESH, SHOWN, Marks, Pace
from tests.media.rig import reading

IMAGE = np.zeros((100, 200, 3), np.uint8)


def frame(at: int, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = IMAGE) -> Frame:
    return Frame("gate", 0, at, image)


def lefts(found: tuple[Reading, ...]) -> list[float]:
    return [one.corners[0][0] for one in found]


def test_a_plate_moves_on_as_it_moved_between_the_last_two_readings() -> None:
    marks = Marks()
    first, second = (reading("AB123", 10, 50),), (reading("AB123", 30, 50), reading("NEW", 150, 5))
    assert lefts(marks.of(LiveSnapshot(1, frame(0), frame(0), first))) == [10]
    assert lefts(marks.of(LiveSnapshot(2, frame(50_000), frame(0), first))) == [10]
    assert lefts(marks.of(LiveSnapshot(3, frame(100_000), frame(100_000), second))) == [30, 150]
    assert lefts(marks.of(LiveSnapshot(4, frame(150_000), frame(100_000), second))) == [40, 150]
    assert lefts(marks.of(LiveSnapshot(5, frame(200_000), frame(100_000), second))) == [50, 150]


@pytest.mark.parametrize("speed", [-12.0, 12.0])
def test_a_plate_on_the_road_is_followed_in_perspective(speed: float) -> None:
    def seen(seconds: float) -> Reading:
        """A plate 0.5 m wide, 3 m left of and 4 m below a camera with a focal length of 1000 pixels."""
        distance = 20 + speed * seconds
        return reading("A", 900 - 3000 / distance, 100 + 4000 / distance, 500 / distance, 110 / distance)

    marks = Marks()
    marks.of(LiveSnapshot(1, frame(0), frame(0), (seen(0.0),)))
    (found,) = marks.of(LiveSnapshot(2, frame(500_000), frame(300_000), (seen(0.3),)))
    there, before = seen(0.5), seen(0.3)
    for one, other, old in zip(found.corners, there.corners, before.corners, strict=True):
        assert one == pytest.approx(other, abs=0.01) and one != pytest.approx(old, abs=5)


def test_old_readings_are_drawn_no_more() -> None:
    marks, plates = Marks(), (reading("AB", 10, 10),)
    assert marks.of(LiveSnapshot(1, frame(FRESH), frame(0), plates)) == plates
    assert marks.of(LiveSnapshot(2, frame(FRESH + 1), frame(0), plates)) == ()
    assert marks.of(LiveSnapshot(3, frame(100), frame(100), plates)) == plates
    assert marks.of(LiveSnapshot(4, frame(100 + SHOWN), frame(100), plates)) == plates
    assert marks.of(LiveSnapshot(5, frame(101 + SHOWN), frame(100), plates)) == ()
    assert marks.of(LiveSnapshot(3, frame(0), frame(1), plates)) == ()
    assert marks.of(LiveSnapshot(4, None, frame(0), plates)) == ()
    assert marks.of(LiveSnapshot(5, frame(0), None, plates)) == ()


def test_nothing_is_drawn_where_the_picture_has_another_size() -> None:
    other = np.zeros((50, 100, 3), np.uint8)
    assert Marks().of(LiveSnapshot(1, frame(0, other), frame(0), (reading("AB", 10, 10),))) == ()


def test_readings_long_apart_tell_nothing_of_a_movement() -> None:
    marks = Marks()
    marks.of(LiveSnapshot(1, frame(0), frame(0), (reading("AB", 10, 10),)))
    later = SHOWN + 1
    found = marks.of(LiveSnapshot(2, frame(later + 100), frame(later), (reading("AB", 30, 10),)))
    assert lefts(found) == [30]


def taken(rate: float, times: list[int]) -> int:
    pace = Pace(rate)
    return sum([pace.take(now) for now in times])


@pytest.mark.parametrize(("rate", "expected"), [(0, 300), (30, 300), (25, 250), (15, 150), (10, 100), (7, 70), (1, 10)])
def test_so_many_of_thirty_a_second(rate: float, expected: int) -> None:
    assert taken(rate, [number * 1_000_000 // 30 for number in range(300)]) == pytest.approx(expected, abs=2)


@given(st.lists(st.integers(-12_000, 12_000), min_size=100, max_size=100))
def test_a_camera_that_is_as_fast_loses_nothing_by_jitter(jitter: list[int]) -> None:
    times = sorted(number * 40_000 + late for number, late in enumerate(jitter))
    assert taken(25, times) >= 98


@given(st.floats(1, 60), st.lists(st.integers(1, 300_000), min_size=2, max_size=200))
def test_never_many_more_than_the_rate(rate: float, gaps: list[int]) -> None:
    times = [sum(gaps[:count]) for count in range(len(gaps))]
    assert taken(rate, times) <= (times[-1] - times[0]) / 1e6 * rate + 2

"""Where a plate will be: straight roads seen by a camera that stands."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lpr.plates.ways import SECOND, Place, onward


def seen(z: float, when: float, x: float = 2.0, down: float = 5.0, focal: float = 900.0) -> Place:
    """A plate of 0.4 × 0.13 m, ``z`` metres away, ``x`` beside and ``down`` below the camera."""
    return Place(
        round(when * SECOND), 480.0 + focal * x / z, 150.0 + focal * down / z, 0.4 * focal / z, 0.13 * focal / z
    )


def expected(places: list[Place], seconds: float) -> Place:
    dx, dy, growth = onward(places, (0.0, 0.0), places[-1], seconds)
    last = places[-1]
    return Place(
        last.when + round(seconds * SECOND), last.x + dx, last.y + dy, last.width * growth, last.height * growth
    )


@given(
    z=st.floats(12.0, 60.0),
    speed=st.floats(4.0, 20.0),
    leaves=st.booleans(),
    x=st.floats(-6.0, 6.0),
    down=st.floats(2.0, 8.0),
    ahead=st.floats(0.05, 1.0),
)
def test_a_vehicle_at_a_steady_speed_is_where_it_is_expected(
    z: float, speed: float, leaves: bool, x: float, down: float, ahead: float
) -> None:
    way = speed if leaves else -speed
    gone = [z + way * 0.125 * n for n in range(8)]
    then = gone[-1] + way * ahead
    assume(min(gone) > 5.0 and then > 5.0 and max(gone) > 1.2 * min(gone) and 0.55 < gone[-1] / then < 1.9)
    places = [seen(each, 0.125 * n, x, down) for n, each in enumerate(gone)]
    found, true = expected(places, ahead), seen(then, 0.875 + ahead, x, down)
    assert found.x == pytest.approx(true.x, abs=0.05 * true.width)
    assert found.y == pytest.approx(true.y, abs=0.05 * true.width)
    assert found.width == pytest.approx(true.width, rel=0.02)


def test_one_that_stands_stays() -> None:
    places = [Place(n * 125_000, 300.0 + (n % 2), 200.0, 40.0 + (n % 2), 13.0) for n in range(8)]
    dx, dy, growth = onward(places, (2.0, 0.0), places[-1], 0.5)
    assert (dx, dy, growth) == (1.0, 0.0, 1.0), "by its speed alone, its size says nothing"


def test_what_was_seen_long_ago_teaches_nothing() -> None:
    """It stood at the light for a minute; how it came there is not how it leaves."""
    came = [seen(40.0 - 2 * n, 0.125 * n) for n in range(8)]
    leaves = [seen(26.0 - n, 60.0 + 0.125 * n) for n in range(5)]
    assert expected([*came, *leaves], 0.5) == expected(leaves, 0.5)


@given(st.lists(st.builds(Place, st.integers(0, 10**7), *[st.floats(1.0, 1e6)] * 4), min_size=1, max_size=12))
def test_any_places_give_a_finite_way(places: list[Place]) -> None:
    places.sort(key=lambda each: each.when)
    dx, dy, growth = onward(places, (1e6, -1e6), places[0], 1.3)
    assert abs(dx) < 1e15 and abs(dy) < 1e15 and 0.5 <= growth <= 2.0

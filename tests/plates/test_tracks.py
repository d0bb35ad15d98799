"""Which reading is whose: the rules one by one."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lpr.events import Character, Reading
from lpr.plates.boxes import overlap, within
from lpr.plates.tracks import Trail, apart, assign, begin, beside, follow, likeness
from lpr.plates.voting import Rules
from lpr.plates.ways import Growth, direction, place_of

RULES = Rules()
SECOND = 1_000_000


def reading(text: str, x: float = 100.0, y: float = 100.0, height: float = 20.0, confidence: float = 0.9) -> Reading:
    width = 4.0 * height
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Reading(
        text=text,
        confidence=confidence,
        characters=tuple(Character(char=char, confidence=confidence) for char in text),
        box=box,
        corners=((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])),
    )


def trail(*readings: Reading, gap: float = 0.125) -> Trail:
    """A vehicle seen so at equal intervals."""
    followed = begin(0, readings[0], 0)
    for index, each in enumerate(readings[1:], start=1):
        followed = follow(followed, each, round(index * gap * SECOND))
    return followed


def fits(known: Trail, seen: Reading, after: float) -> bool:
    when = known.seen + round(after * SECOND)
    return likeness(known, seen, place_of(seen, when), RULES) > 0.0


MOVING = trail(*(reading("KHN991", y=100.0 + 20 * n) for n in range(5)))
STANDING = trail(*(reading("KHN991") for _ in range(5)))


def test_the_same_text_is_the_same_vehicle_wherever_it_went() -> None:
    assert fits(MOVING, reading("KHN991", x=900, y=700, height=60), 1.0)


def test_a_misread_is_where_the_vehicle_is_expected() -> None:
    assert fits(MOVING, reading("KHN9B1", y=200, confidence=0.6), 0.125)
    assert fits(MOVING, reading("KMM9B1", y=200, confidence=0.4), 0.125)
    assert not fits(MOVING, reading("KMM9B1", y=20, confidence=0.4), 0.125), "far behind"
    assert not fits(MOVING, reading("ZZZ111", x=700, confidence=0.4), 0.125), "in another lane"


def test_another_plate_surely_read_is_another_vehicle() -> None:
    assert not fits(MOVING, reading("XYZ123", y=180, x=160), 0.5)
    assert not fits(STANDING, reading("XYZ123"), 1.0), "it took the place"
    assert fits(STANDING, reading("XYZ123", confidence=0.6), 0.125), "nobody takes a place so soon"
    assert not fits(STANDING, reading("XYZ123", confidence=0.6), 1.0)


def test_a_fleet_is_told_apart() -> None:
    first = trail(*(reading("FLT1000", y=300.0 + 40 * n, height=18.0 + 2 * n) for n in range(5)))
    assert not fits(first, reading("FLT1001", y=120, height=9), 0.5)


def test_the_next_of_a_fleet_misread_as_the_one_before_is_another() -> None:
    """The same text, surely read, but a plate that grew doesn't shrink to a third at once: the next one comes."""
    first = trail(*(reading("FLT1000", y=300.0 + 40 * n, height=18.0 + 3 * n) for n in range(6)))
    assert not fits(first, reading("FLT1000", y=120, height=9), 0.5)
    assert fits(first, reading("FLT1000", y=700, height=45), 0.5)


def test_a_scrap_however_sure_belongs_to_the_vehicle_that_is_there() -> None:
    far = trail(*(reading("9H9", y=100.0 + 8 * n, height=10.0, confidence=0.9) for n in range(4)))
    assert fits(far, reading("TVE9K75", y=132, height=11), 0.125), "read at last"
    assert fits(MOVING, reading("7", y=200, confidence=0.95), 0.125)
    assert not fits(MOVING, reading("7", x=600, y=200, confidence=0.95), 0.125)


def test_a_plate_cut_off_by_the_pictures_edge_belongs_to_its_vehicle() -> None:
    assert fits(MOVING, reading("KHN9", y=200), 0.125)
    assert fits(trail(reading("991")), reading("KHN991", y=120), 0.125)
    assert not fits(MOVING, reading("KHN9", y=900), 0.125), "elsewhere"
    left = trail(*(reading("KHN991", x=100.0 - 10 * n) for n in range(4)))
    assert fits(left, reading("KHN9", x=20), 2.5), "and when it comes out again behind another"


def test_a_vehicle_that_stood_may_be_hidden() -> None:
    assert fits(STANDING, reading("KHN991"), 100.0)
    assert fits(STANDING, reading("KHN9B1", confidence=0.6), 100.0)
    assert fits(STANDING, reading("", confidence=0.0), 100.0)
    assert not fits(STANDING, reading("XYZ123"), 10.0)
    assert not fits(STANDING, reading("KHN991", x=700), 10.0)


def test_who_was_seen_once_is_not_known_to_have_stood() -> None:
    """In a jam the next one stops in the same place, and may be read poorly at first."""
    once = trail(reading("NJQW", confidence=0.97))
    poor = reading("MBP0614", confidence=0.45)
    assert fits(once, poor, 3.0) and not fits(once, poor, 6.7)
    stood = trail(*(reading("NJQW53") for _ in range(9)))
    assert fits(stood, poor, 6.7)


def test_half_a_plate_that_comes_out_from_behind_another_is_as_high_as_before() -> None:
    slow = trail(*(reading("RNC3005", x=100.0 - 2 * n, height=14.0) for n in range(6)))
    half = reading("3005", x=80.0, height=12.0)
    (_, top), (right, _), (_, bottom), _ = half.corners
    half = msgspec.structs.replace(half, corners=((80.0, top), (right, top), (right, bottom), (80.0, bottom)))
    assert fits(slow, half, 1.6)


def test_one_that_moved_is_gone_when_it_is_away_for_long() -> None:
    assert not fits(MOVING, reading("KHN9B1", y=180, confidence=0.6), 30.0)


def test_two_vehicles_that_cross_keep_their_plates() -> None:
    left = trail(*(reading("LEFT12", x=100.0 + 40 * n) for n in range(4)))
    right = trail(*(reading("RGHT34", x=400.0 - 40 * n) for n in range(4)))
    when = left.seen + 125_000
    misread = [reading("LEF712", x=260, confidence=0.5), reading("R6HT34", x=240, confidence=0.5)]
    assert assign([left, right], misread, when, RULES) == [0, 1]


def test_a_plate_found_twice_counts_once() -> None:
    doubles = [reading("KHN991", confidence=0.5), reading("KHN991", x=105), reading("XYZ123", x=500)]
    assert [each.text for each in apart(doubles)] == ["KHN991", "XYZ123"]
    assert apart(doubles)[0].confidence == 0.9


def test_a_plate_found_again_as_a_part_of_itself_counts_once() -> None:
    whole, part = reading("KHN991", height=20.0), reading("KHN9", x=85.0, height=12.0, confidence=0.8)
    assert within(part.box, whole.box) > 0.6 > overlap(part.box, whole.box)
    assert [each.text for each in apart([part, whole])] == ["KHN991"]
    beside_it = reading("XYZ123", x=185.0)
    assert len(apart([whole, beside_it])) == 2


def test_a_stray_misread_is_beside_a_vehicle_and_never_with_it() -> None:
    host = trail(*(reading("KHN991", y=100.0 + 20 * n) for n in range(4)), gap=0.25)
    assert beside(host, begin(1, reading("ZZ9", y=130), 400_000))
    assert not beside(host, begin(1, reading("ZZ9", y=140), 500_000)), "seen together"
    assert not beside(host, begin(1, reading("ZZ9", y=600), 400_000))


def test_the_direction_is_told_by_growth_and_by_the_way() -> None:
    assert direction(trail(*(reading("A", height=10.0 + n) for n in range(8))).growth) == "approach"
    assert direction(trail(*(reading("A", height=20.0 - n) for n in range(8))).growth) == "away"
    assert direction(trail(*(reading("A", y=10.0 * n) for n in range(8))).growth) == "approach"
    assert direction(trail(*(reading("A", y=-10.0 * n) for n in range(8))).growth) == "away"
    assert direction(trail(*(reading("A", x=50.0 * n) for n in range(8))).growth) == "unknown"
    assert direction(Growth()) == "unknown"


def road(text: str, z: float, confidence: float = 0.9) -> Reading:
    """A plate ``z`` metres down a straight road, seen by a camera 4 m above it."""
    return reading(text, x=480.0 + 6000.0 / z, y=150.0 + 10800.0 / z, height=300.0 / z, confidence=confidence)


LEAVING = trail(*(road("RJQ8D13", 10.0 + 1.25 * n) for n in range(9)))
"""At 10 m/s, last seen 20 m away."""


def test_what_is_read_on_a_vehicles_own_way_is_its_own_however_it_reads() -> None:
    """Half a second later nobody else can be where it is expected: who follows is behind, who comes elsewhere."""
    assert fits(LEAVING, road("YXL803", 25.0, confidence=0.8), 0.5)
    assert fits(LEAVING, road("YXL803", 23.5, confidence=0.8), 0.5), "it brakes"
    assert not fits(LEAVING, road("YXL803", 15.0, confidence=0.8), 0.5), "the next one"
    assert not fits(LEAVING, road("YXL803", 25.0, confidence=0.95), 0.5), "surely read: it came out from somewhere"
    assert not fits(LEAVING, road("YXL803", 32.0, confidence=0.8), 1.2), "after more than a second the next is there"


def test_the_next_vehicle_a_second_behind_is_not_the_one_before() -> None:
    for behind in (8.0, 10.0, 15.0):
        assert not fits(LEAVING, road("ABC1D23", 24.0 - behind, confidence=0.8), 0.4)


def test_a_misread_at_first_sight_is_the_vehicle_that_is_read_a_moment_later() -> None:
    first = trail(reading("ZKA144", x=856, y=489, height=24.0, confidence=0.87))
    assert fits(first, reading("ZKK0F44", x=802, y=429, height=20.0, confidence=0.99), 0.1)
    assert not fits(first, reading("BRX5M21", x=802, y=429, height=20.0, confidence=0.99), 0.1), "nothing in common"
    sure = trail(reading("ZKA1144", x=856, y=489, height=24.0, confidence=0.97))
    assert not fits(sure, reading("ZKK0F44", x=802, y=429, height=20.0, confidence=0.99), 0.1), "both are certain"


def test_two_rows_cut_off_by_the_pictures_edge_belong_to_the_plate_that_comes_in() -> None:
    """Each row has lost its last character, so what is left is no part of the whole text."""
    edge = trail(reading("CB916", x=943, y=461, height=20.0, confidence=0.99))
    assert fits(edge, reading("CBJ9I61", x=892, y=414, height=20.0, confidence=0.97), 0.1)
    assert not fits(edge, reading("XKJ7L02", x=892, y=414, height=20.0, confidence=0.97), 0.1)
    whole = trail(reading("CBJ9161", x=943, y=461, height=20.0, confidence=0.99))
    assert not fits(whole, reading("CBX9J07", x=892, y=414, height=20.0, confidence=0.97), 0.1), "as long: another"


def test_a_plate_too_small_to_be_read_says_nothing_about_whose_it_is() -> None:
    """T5 of a drive in the glare: 17 pixels wide, read as something else each time, surely each time."""
    far = begin(0, reading("XTN455", y=160, height=4.2, confidence=0.88), 0)
    assert not far.sure and far.plate == tuple(Character(char=char, confidence=0.0) for char in "XTN455")
    seen = [reading("PTRY76", y=158, height=4.2, confidence=0.79)]
    assert assign([far], seen, 100_000, RULES) == [0]
    small = trail(*(reading("KHN991", height=7.0, confidence=0.99) for _ in range(5)))
    assert small.sure
    assert assign([small], [reading("XYZ123", height=5.5, confidence=0.95)], small.seen + 200_000, RULES) == [0]
    near = begin(0, reading("XTN455", y=160, height=20.0, confidence=0.88), 0)
    assert assign([near], [reading("PTRY76", y=158, height=20.0, confidence=0.95)], 600_000, RULES) == [None]


def test_a_reflection_that_makes_a_plate_larger_for_a_frame_turns_nobody_round() -> None:
    grew = trail(*(reading("CTJ5315", y=200.0 + 8 * n, height=height) for n, height in enumerate((10, 11, 12, 13, 19))))
    assert fits(grew, reading("CTJ5315", y=242, height=13.0), 0.1)
    assert not fits(grew, reading("CTJ5315", y=160, height=8.0), 0.1), "a third smaller is the next of the fleet"


NUMBERS = st.floats(-1e9, 1e9)
ANY = st.builds(
    reading,
    st.text(alphabet="AB12", max_size=8),
    NUMBERS,
    NUMBERS,
    st.floats(0, 1e6),
    st.floats(0, 1),
)


@given(st.lists(st.lists(ANY, max_size=5), min_size=1, max_size=8), st.lists(st.integers(0, 10**9), min_size=8))
def test_any_readings_are_assigned_each_once(looks: list[list[Reading]], gaps: list[int]) -> None:
    trails: list[Trail] = []
    when = 0
    for readings, gap in zip(looks, gaps, strict=False):
        when += gap
        given_to = assign(trails, readings, when, RULES)
        taken = [index for index in given_to if index is not None]
        assert len(taken) == len(set(taken))
        for each, index in zip(readings, given_to, strict=True):
            if index is None:
                trails.append(begin(len(trails), each, when))
            else:
                trails[index] = follow(trails[index], each, when)
    stored = msgspec.json.decode(msgspec.json.encode(trails), type=list[Trail])
    assert stored == trails
    assert all(len(each.places) <= 12 and len(each.said) <= 4 for each in trails)


@given(ANY, ANY)
def test_the_overlap_is_a_share(one: Reading, other: Reading) -> None:
    assert 0.0 <= overlap(one.box, other.box) <= 1.0 + 1e-9
    assert 0.0 <= within(one.box, other.box) <= 1.0

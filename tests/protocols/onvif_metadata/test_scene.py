"""Objects keep their ids while they move; the property follows what is in view."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpr.events import Vehicle
from lpr.protocols.onvif_metadata import Scene
from lpr.protocols.onvif_metadata.scene import SECOND
from tests.protocols.onvif_metadata.samples import AT, passage, reading

STEP = 100_000


def look(scene: Scene, at: int, *seen: tuple[str, float, float]) -> list[int]:
    """Plates of 128 x 36 pixels at (x, y) in a picture of 1280 x 720: their ids."""
    readings = [reading(text, (x, y, x + 128, y + 36)) for text, x, y in seen]
    return [one.id for one in scene.look(at, 1280, 720, readings).objects]


def test_a_plate_keeps_its_id_while_it_moves() -> None:
    scene = Scene()
    ids = [look(scene, AT + step * STEP, ("ABC1234", 100.0 + 60 * step, 300.0)) for step in range(8)]
    assert ids == [[1]] * 8


def test_a_wrong_reading_in_between_is_the_same_plate() -> None:
    scene = Scene()
    texts = ["ABC1234", "A8C1234", "", "ABC1234"]
    ids = [look(scene, AT + step * STEP, (text, 100.0 + 20 * step, 300.0)) for step, text in enumerate(texts)]
    assert ids == [[1]] * 4


def test_the_same_text_is_followed_further_than_another_one() -> None:
    scene = Scene()
    look(scene, AT, ("ABC1234", 0.0, 300.0))
    assert look(scene, AT + STEP, ("ABC1234", 700.0, 300.0)) == [1]
    assert look(scene, AT + 2 * STEP, ("XYZ9876", 0.0, 300.0)) == [3]


def test_two_that_pass_each_other_are_told_apart_by_their_texts() -> None:
    scene = Scene()
    first = look(scene, AT, ("LEFT111", 400.0, 300.0), ("RIGHT22", 600.0, 300.0))
    second = look(scene, AT + STEP, ("RIGHT22", 420.0, 300.0), ("LEFT111", 580.0, 300.0))
    assert second == [first[1], first[0]]


def test_what_is_not_seen_any_longer_is_told_once_as_gone() -> None:
    scene = Scene(keep=1.0)
    look(scene, AT, ("ABC1234", 100.0, 300.0))
    assert scene.look(AT + SECOND, 1280, 720, []).gone == ()
    assert scene.look(AT + SECOND + 1, 1280, 720, []).gone == (1, 2)
    assert scene.look(AT + SECOND + 2, 1280, 720, []).gone == ()


def test_a_cleared_view_tells_what_is_gone_and_remembers_it() -> None:
    scene = Scene()
    look(scene, AT, ("43거6510", 100.0, 300.0))
    assert scene.clear(AT + SECOND).gone == (1, 2)
    assert scene.frame.objects == ()
    assert scene.clear(AT + SECOND).gone == ()
    assert scene.object_of(passage("43거6510")) == 1
    assert look(scene, AT + SECOND, ("43거6510", 100.0, 300.0)) == [3]


def test_a_passage_names_the_object_that_was_followed() -> None:
    scene = Scene()
    look(scene, AT, ("43거6510", 100.0, 300.0), ("OTHER11", 800.0, 300.0))
    assert scene.object_of(passage("43거6510")) == 1
    assert scene.object_of(passage("NEVER11")) is None
    assert scene.object_of(passage("43거6510", at=AT + 60 * SECOND)) is None
    scene.look(AT + 10 * SECOND, 1280, 720, [])
    assert scene.object_of(passage("43거6510")) == 1


def test_a_passage_is_found_by_its_earlier_text_and_by_its_place() -> None:
    scene = Scene()
    for step, text in enumerate(("ABC1234", "ABC1Z34", "")):
        look(scene, AT + step * STEP, (text, 100.0 + 10 * step, 300.0))
    assert scene.object_of(passage("ABC1234", at=AT + STEP)) == 1
    look(scene, AT + 3 * STEP, ("ABC1234", 130.0, 300.0), ("QQQ0000", 320.0, 540.0))
    assert scene.object_of(passage("VOTED99", at=AT + 3 * STEP)) == 3, "at (320, 540) of that picture"
    assert scene.object_of(passage("VOTED99", at=AT + 4 * STEP)) is None


def test_a_vehicle_is_the_parent_of_its_plate() -> None:
    scene = Scene()
    vehicle = Vehicle(kind="truck", kind_confidence=0.6, box=(0, 0, 640, 720))
    frame = scene.look(AT, 1280, 720, [reading("ABC1234", (100, 600, 228, 636), vehicle=vehicle)])
    carrier, plate = frame.objects
    assert (carrier.id, carrier.kind, carrier.likelihood) == (2, "Vehicle", 0.6)
    assert carrier.vehicle is not None
    assert carrier.vehicle.kind == "Truck"
    assert (plate.id, plate.parent, plate.kind) == (1, 2, "LicensePlate")


def test_a_vehicle_without_a_plate_is_a_vehicle() -> None:
    scene = Scene()
    frame = scene.look(AT, 1280, 720, [reading("", (100, 100, 300, 300), plated=False)])
    assert [(one.kind, one.plate) for one in frame.objects] == [("Vehicle", None)]


def test_the_property_holds_until_nothing_was_seen_for_a_while() -> None:
    scene = Scene(keep=2.0)
    assert scene.due is None
    assert scene.vehicle_seen(10)
    assert not scene.vehicle_seen(SECOND)
    assert scene.vehicle
    assert scene.due == 3 * SECOND
    assert not scene.expire(3 * SECOND - 1)
    assert scene.expire(3 * SECOND)
    assert not scene.expire(4 * SECOND)
    assert not scene.vehicle


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(("", "A1", "B2")), st.integers(0, 1200), st.integers(0, 700)), max_size=6),
        max_size=12,
    )
)
def test_ids_of_a_picture_are_all_different_and_what_is_held_is_bounded(
    pictures: list[list[tuple[str, int, int]]],
) -> None:
    scene = Scene(keep=0.15)
    for step, seen in enumerate(pictures):
        ids = look(scene, AT + step * STEP, *((text, float(x), float(y)) for text, x, y in seen))
        assert len(set(ids)) == len(seen)
    gone = scene.look(AT + 100 * SECOND, 1280, 720, []).gone
    assert len(set(gone)) == len(gone)
    assert scene.look(AT + 101 * SECOND, 1280, 720, []).gone == ()

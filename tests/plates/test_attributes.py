"""The vote on vehicles: kinds, colours, makes, categories of plates, and vehicles that have none."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.events import COLOURS, CaptureTaken, Exposure, PassageDecided, Picture, PlateRead, Reading, Vehicle
from lpr.plates import passages
from lpr.plates.attributes import LEAST, Attributes, attributes, weights_of, winner
from lpr.plates.categories import CATEGORIES, category_of, vehicle_of
from lpr.plates.formats import FORMATS
from lpr.plates.passages import View
from lpr.plates.voting import Rules

KINDS = ("car", "motorcycle", "bus", "truck", "van", "pickup")

share = st.floats(0.0, 1.0)
vehicles = st.builds(
    Vehicle,
    kind=st.none() | st.sampled_from(KINDS),
    kind_confidence=share,
    colour=st.sampled_from(COLOURS),
    colour_confidence=share,
    make=st.none() | st.sampled_from(("Fiat", "Ford")),
    model=st.none() | st.sampled_from(("Uno", "Ka")),
    make_confidence=share,
)


def reading(vehicle: Vehicle | None = None, height: float = 20.0, sharpness: float = 100.0, **more: object) -> Reading:
    made = Reading(
        text="ABC1D23",
        confidence=0.9,
        characters=(),
        box=(0.0, 0.0, 80.0, height),
        corners=((0.0, 0.0), (80.0, 0.0), (80.0, height), (0.0, height)),
        sharpness=sharpness,
        vehicle=vehicle,
    )
    return msgspec.structs.replace(made, **more)


readings = st.lists(
    st.builds(
        reading,
        vehicle=st.none() | vehicles,
        height=st.floats(0.0, 400.0),
        sharpness=st.floats(0.0, 1e5),
        ink_colour=st.none() | st.sampled_from(COLOURS),
    ),
    max_size=8,
)


@given(readings, st.randoms(use_true_random=False))
def test_the_order_of_the_readings_does_not_matter(given_: list[Reading], chance: object) -> None:
    other = sorted(given_, key=lambda one: (one.sharpness, one.box[3], repr(one.vehicle)))
    assert attributes(given_) == attributes(other)


@given(readings)
def test_only_what_somebody_said_is_elected(given_: list[Reading]) -> None:
    told = attributes(given_)
    seen = [one.vehicle for one in given_ if one.vehicle is not None]
    assert told.kind is None or told.kind in {one.kind for one in seen}
    assert told.colour is None or told.colour in {one.colour for one in seen} - {"unknown"}
    assert told.make is None or (told.make, told.model) in {(one.make, one.model) for one in seen}
    assert told.ink is None or told.ink in {one.ink_colour for one in given_}


@given(vehicles, st.integers(1, 6))
def test_all_agreeing_keeps_what_they_say(vehicle: Vehicle, count: int) -> None:
    told = attributes([reading(vehicle)] * count)
    assert told.kind == (vehicle.kind if vehicle.kind_confidence >= LEAST + 1e-9 else told.kind)
    if vehicle.colour != "unknown" and vehicle.colour_confidence > LEAST + 1e-9:
        assert told.colour == vehicle.colour
    if vehicle.colour == "unknown" or vehicle.colour_confidence < LEAST - 1e-9:
        assert told.colour is None


@given(readings, st.sampled_from(KINDS))
def test_another_voice_for_the_winner_keeps_it(given_: list[Reading], kind: str) -> None:
    told = attributes(given_).kind
    if told is not None:
        tallest = max(one.box[3] for one in given_)
        sharpest = max(one.sharpness for one in given_)
        more = reading(Vehicle(kind=told, kind_confidence=1.0), tallest, sharpest)
        assert attributes([*given_, more]).kind == told


def test_the_nearer_and_sharper_reading_counts_more() -> None:
    near = reading(Vehicle(kind="bus", kind_confidence=0.7), height=40.0, sharpness=400.0)
    far = reading(Vehicle(kind="truck", kind_confidence=0.8), height=10.0, sharpness=50.0)
    assert attributes([far, near]).kind == "bus"
    heavier, lighter = weights_of([near, far])
    assert heavier == pytest.approx(1.0) and lighter < 0.2


def test_a_draw_says_nothing() -> None:
    said = [reading(Vehicle(colour=name, colour_confidence=0.6)) for name in ("red", "blue")]
    assert attributes(said) == Attributes()


def test_nobody_says_anything() -> None:
    assert attributes([]) == attributes([reading(), reading(Vehicle())]) == Attributes()
    assert winner([("car", 0.0, 1.0), ("bus", 0.9, 0.0), (None, 1.0, 1.0)]) is None


# --- categories -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "layout", "ground", "ink", "category"),
    [
        ("BR", "br-mercosul", "white", "black", "private"),
        ("BR", "br-mercosul", "white", "red", "commercial"),
        ("BR", "br-mercosul-moto", "white", "blue", "official"),
        ("BR", "br-mercosul", "white", "orange", "diplomatic"),
        ("BR", "br-mercosul", "gray", "green", "special"),
        ("BR", "br-mercosul", "yellow", "black", None),
        ("AR", "ar-mercosul", "white", "black", None),
        ("AR", "ar-mercosul", "white", "red", "commercial"),
        ("BR", "br-old", "gray", None, "private"),
        ("BR", "br-old", "red", "white", "commercial"),
        ("BR", "br-old-moto", "black", None, "collection"),
        ("BR", "br-old", "unknown", None, None),
        ("CO", "co", "yellow", "black", "private"),
        ("CO", "co", "white", None, "commercial"),
        ("RO", "ro", "white", "red", "temporary"),
        ("DE", None, "white", "green", "special"),
        ("FR", "fr", "white", "black", None),
        (None, None, None, None, None),
    ],
)
def test_a_plates_colours_tell_its_category(
    country: str | None, layout: str | None, ground: str | None, ink: str | None, category: str | None
) -> None:
    assert category_of(country, layout, ground, ink) == category


@given(
    st.sampled_from([(one.country, one.key) for one in FORMATS]),
    st.none() | st.sampled_from(COLOURS),
    st.none() | st.sampled_from(COLOURS),
)
def test_any_plate_has_a_category_or_none(which: tuple[str, str], ground: str | None, ink: str | None) -> None:
    assert category_of(*which, ground, ink) in (*CATEGORIES, None)


def test_a_motorcycles_format_names_the_vehicle() -> None:
    assert vehicle_of("br-mercosul-moto") == "motorcycle"
    assert vehicle_of("br-mercosul") is None and vehicle_of(None) is None


# --- passages -------------------------------------------------------------------------------------------

RULES = Rules(unplated_readings=3)
STEP = 200_000


def bare(x: float, y: float = 300.0, width: float = 200.0) -> Reading:
    """A vehicle of 200 x 150 pixels without a plate."""
    box = (x, y, x + width, y + 0.75 * width)
    corners = ((x + 75, y + 110), (x + 125, y + 110), (x + 125, y + 125), (x + 75, y + 125))
    return Reading(
        text="",
        confidence=0.0,
        characters=(),
        box=(x + 75, y + 110, x + 125, y + 125),
        corners=corners,
        detection=0.8,
        vehicle=Vehicle(kind="car", kind_confidence=0.9, colour="red", colour_confidence=0.8, box=box),
        plated=False,
    )


def plated(x: float, y: float, text: str = "ABC1D23") -> Reading:
    corners = ((x, y), (x + 50, y), (x + 50, y + 15), (x, y + 15))
    return Reading(
        text=text, confidence=0.95, characters=(), box=(x, y, x + 50, y + 15), corners=corners, layout="br-mercosul",
        country="BR", plate_colour="white", ink_colour="red",
        vehicle=Vehicle(kind="van", kind_confidence=0.8),
    )  # fmt: skip


def drive(frames: list[list[Reading]], rules: Rules = RULES) -> list[passages.Outcome]:
    """Outcomes of frames 0.2 s apart, and of a quiet while after them."""
    view, found = View(source="gate"), list[passages.Outcome]()
    for number, shown in enumerate(frames):
        at = number * STEP
        picture = Picture(blob=f"{number:064x}", width=1280, height=720, bytes=1)
        capture = CaptureTaken(
            capture=f"gate@{at}", source="gate", lane="", trigger="free-flow", reason="", at=at, position=number,
            exposures=(Exposure(at=at, position=number, picture=picture),),
        )  # fmt: skip
        view, outcomes = passages.taken(view, capture, rules)
        found.extend(outcomes)
        for one in shown:
            read = PlateRead(
                capture=capture.capture, source="gate", lane="", at=at, exposure=0, reading=one, engine="", elapsed_ms=0
            )
            view = passages.read(view, read)
    view, outcomes = passages.passed(view, len(frames) * STEP + 5_000_000, rules)
    return [*found, *outcomes]


def test_a_vehicle_without_a_plate_is_a_passage() -> None:
    (one,) = drive([[bare(100.0 + 30 * i)] for i in range(5)])
    assert isinstance(one, PassageDecided)
    assert one.plate == "" and not one.plated and one.confidence == 0.0
    assert (one.vehicle, one.vehicle_colour, one.plate_category) == ("car", "red", None)
    assert one.box[2] - one.box[0] == 200.0, "the box is the vehicle's"


def test_one_seen_too_seldom_is_none() -> None:
    (one,) = drive([[bare(100.0)], [bare(110.0)]])
    assert not isinstance(one, PassageDecided) and one.reason == "no plate, too few sightings"


def test_a_plate_that_is_read_later_is_the_same_vehicles() -> None:
    frames = [[bare(100.0 + 20 * i)] for i in range(4)] + [[plated(255.0 + 20 * i, 410.0)] for i in range(4)]
    (one,) = drive(frames)
    assert isinstance(one, PassageDecided)
    assert one.plate == "ABC1D23" and one.plated
    assert one.plate_category == "commercial"


def test_a_box_beside_a_plate_that_was_read_is_no_second_vehicle() -> None:
    frames = [[plated(400.0, 420.0), bare(290.0, 320.0)] for _ in range(6)]
    found = drive(frames)
    assert [one.plate for one in found if isinstance(one, PassageDecided)] == ["ABC1D23"]
    assert [one.reason for one in found if not isinstance(one, PassageDecided)] == ["no plate beside ABC1D23"]


def test_a_vehicle_without_a_plate_beside_another_far_away_is_its_own() -> None:
    frames = [[plated(1000.0, 420.0), bare(100.0, 320.0)] for _ in range(6)]
    assert sorted(one.plate for one in drive(frames) if isinstance(one, PassageDecided)) == ["", "ABC1D23"]

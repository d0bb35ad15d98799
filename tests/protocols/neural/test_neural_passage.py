"""A passage and a reading in the words of an infoplate."""

from __future__ import annotations

from msgspec.structs import replace

from lpr.events import Character, Reading, Vehicle
from lpr.protocols.neural import Evidence, Wording, record_of_nothing, record_of_passage, record_of_reading
from lpr.protocols.neural.passage import local_time
from tests.protocols.milesight.samples import PASSAGE

WORDING = Wording(
    computer_id="7",
    location_id="3",
    camera_ids={"gate": "12"},
    lane_ids={"gate": "2"},
    country_names={"BE": "Belgium"},
    country_ids={"BE": 32},
    utc_offset="+02:00",
    columns={"Building No.": "192 {PLT}"},
)
ID = "01970000-0000-8000-8000-000000000002"


def test_a_passage() -> None:
    record = record_of_passage(PASSAGE, WORDING, id=ID, image=b"\xff\xd8full", evidences=[b"\xff\xd8plate"])
    assert record.time == "2024-02-01 08:00:05.509"
    assert (record.plate, record.confidence) == ("AMW212", 70.0)
    assert (record.country, record.country_id, record.country_iso2) == ("Belgium", 32, "BE")
    assert (record.camera_id, record.camera_name, record.computer_id, record.location_id) == ("12", "gate", "7", "3")
    assert (record.lane_name, record.lane_id, record.direction) == ("1", "2", -1)
    assert (record.left, record.top, record.width, record.height) == (473, 93, 203, 42)
    assert (record.list, record.speed, record.vehicle, record.colour) == (-1, None, "bus", "white")
    assert record.character_confidence == (70.0,) * 6
    assert record.image == b"\xff\xd8full"
    assert record.evidences == (Evidence(camera="12", image=b"\xff\xd8plate"),)
    assert record.guid == ID
    assert record.others == {"Building No.": "192 AMW212"}


def test_what_is_not_known_is_not_said() -> None:
    bare = replace(
        PASSAGE, country=None, direction="unknown", vehicle=None, vehicle_colour="unknown", plated=False, plate=""
    )
    record = record_of_passage(bare, Wording(), id=ID)
    assert (record.country, record.country_id, record.country_iso2) == ("", 0, None)
    assert (record.direction, record.vehicle, record.colour) == (0, None, None)
    assert (record.left, record.top, record.width, record.height) == (0, 0, 0, 0)
    assert (record.camera_id, record.lane_id, record.computer_id) == ("gate", "", "1")
    assert record.image is None


def test_an_approaching_vehicle_with_its_speed() -> None:
    record = record_of_passage(replace(PASSAGE, direction="approach", speed_kmh=25.5), WORDING, id=ID)
    assert (record.direction, record.speed) == (1, 25.5)


def test_a_reading() -> None:
    reading = Reading(
        text="AB12",
        confidence=0.5,
        characters=(Character(char="A", confidence=1.2),),
        box=(-3.0, 10.2, 50.0, 30.0),
        corners=((0, 0), (0, 0), (0, 0), (0, 0)),
        country="BE",
        vehicle=Vehicle(kind="car", colour="red", make="Fiat"),
    )
    record = record_of_reading(
        reading, WORDING, id="gate@1", source="gate", lane="", at=PASSAGE.at, elapsed_ms=31.6, image=b"\xff\xd8"
    )
    assert (record.plate, record.confidence, record.process_time) == ("AB12", 50.0, 32)
    assert (record.left, record.top, record.width, record.height) == (0, 10, 50, 20)
    assert (record.vehicle, record.colour, record.make, record.guid) == ("car", "red", "Fiat", "gate@1")
    assert record.character_confidence == (100.0,)


def test_the_answer_without_a_plate() -> None:
    record = record_of_nothing(WORDING, source="gate", lane="1", at=PASSAGE.at, feedback="NOPLATE")
    assert (record.plate, record.feedback, record.camera_id) == ("", "NOPLATE", "12")
    assert record.others == {"Building No.": "192 "}


def test_local_times() -> None:
    assert local_time(0, "-03:30") == "1969-12-31 20:30:00.000"
    assert local_time(1_999_999, "+00:00") == "1970-01-01 00:00:01.999"

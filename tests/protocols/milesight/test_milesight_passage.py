"""A passage in the wire's words, against the manual's table and the rules of the strictest receiver known."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lpr.events import COLOURS, Picture
from lpr.protocols.milesight.countries import ALPHA3, region_of
from lpr.protocols.milesight.metadata import encode_metadata
from lpr.protocols.milesight.passage import (
    Wording,
    fields_of,
    get_url,
    guid_of,
    local_time,
    metadata_of,
    pixels,
    post_body,
)
from tests.protocols.milesight.samples import PASSAGE

WORDING = Wording(utc_offset="+00:00")
FIELDS = fields_of(PASSAGE, WORDING, roi=1, plate_image=b"plate", full_image=b"full")

PASSAGES = st.builds(
    replace,
    st.just(PASSAGE),
    plate=st.text(max_size=300),
    confidence=st.floats(0, 1),
    country=st.one_of(st.none(), st.text(max_size=40)),
    at=st.integers(-(2**50), 2**52),
    direction=st.sampled_from(["approach", "away", "unknown", "sideways"]),
    plate_colour=st.one_of(st.none(), st.sampled_from(COLOURS), st.just("pink")),
    vehicle=st.one_of(st.none(), st.sampled_from(["car", "motorcycle", "bus", "truck", "suv"]), st.text(max_size=9)),
    speed_kmh=st.one_of(st.none(), st.floats(-10, 1e6)),
    box=st.tuples(*[st.floats(-1e6, 1e6)] * 4),
    picture=st.builds(
        Picture, blob=st.just("0" * 64), width=st.integers(1, 10**6), height=st.integers(1, 10**6), bytes=st.just(1)
    ),
)


def ex_nvr(body: bytes) -> dict[str, object]:
    """The rules of evercam/ex_nvr's parser in our words: raises where it would raise."""
    data = json.loads(body)
    assert all(isinstance(value, str) for value in data.values())
    width, height = int(data["resolution_width"]), int(data["resolution_height"])
    corners = [int(data[f"coordinate_{name}"]) for name in ("x1", "y1", "x2", "y2")]
    return {
        "plate": data["plate"],
        "time": datetime.fromisoformat(data["time"]),
        "direction": {"approach": "in", "away": "away"}.get(data["direction"].lower(), "unknown"),
        "list": {"white": "white", "black": "black"}.get(data["type"].lower(), "other"),
        "box": [corners[0] / width, corners[1] / height, corners[2] / width, corners[3] / height],
        "confidence": float(data["confidence"]),
        "image": base64.b64decode(data["plate_image"], validate=True),
    }


def test_the_manuals_table() -> None:
    assert {
        "device": "Network Camera",
        "time": "2024-02-01 06:00:05.509",
        "time_msec": "2024-02-01 06:00:05.509",
        "plate": "AMW212",
        "type": "Visitor",
        "speed": "-",
        "direction": "Away",
        "detection_region": "1",
        "region": "BEL",
        "resolution_width": "1280",
        "resolution_height": "720",
        "coordinate_x1": "473",
        "coordinate_y1": "93",
        "coordinate_x2": "676",
        "coordinate_y2": "135",
        "confidence": "0.70",
        "plate_color": "White",
        "vehicle_type": "Bus",
        "vehicle_color": "White",
        "Vehicle Brand": "-",
        "plate_image": base64.b64encode(b"plate").decode(),
        "full_image": base64.b64encode(b"full").decode(),
    } == FIELDS


def test_the_strictest_receiver_reads_it() -> None:
    found = ex_nvr(post_body(FIELDS))
    assert found["direction"] == "away"
    assert found["list"] == "other"
    assert found["image"] == b"plate"


@given(PASSAGES, st.sampled_from(["+00:00", "-03:00", "+05:45", "+14:00"]), st.booleans())
def test_the_strictest_receiver_reads_any_passage(passage: object, offset: str, milliseconds: bool) -> None:
    assert isinstance(passage, type(PASSAGE))
    wording = Wording(utc_offset=offset, milliseconds=milliseconds)
    clean = replace(passage, plate=passage.plate.encode("utf-8", "replace").decode(), at=abs(passage.at))
    ex_nvr(post_body(fields_of(clean, wording, roi=0, plate_image=b"", full_image=None)))


@given(PASSAGES)
def test_metadata_of_any_passage_can_be_encoded(passage: object) -> None:
    assert isinstance(passage, type(PASSAGE))
    encode_metadata(metadata_of(passage, guid=bytes(16), roi=4, plate_type=3), "1.6")


def test_absent_values_are_a_dash_and_images_not_sent_have_no_key() -> None:
    nothing = replace(
        PASSAGE, plate="", country=None, direction="unknown", plate_colour=None, vehicle=None, vehicle_colour="unknown"
    )
    fields = fields_of(nothing, WORDING, roi=0)
    absent = ("plate", "region", "direction", "plate_color", "vehicle_type", "vehicle_color", "detection_region")
    assert {fields[key] for key in absent} == {"-"}
    assert not {"plate_image", "full_image"} & fields.keys()
    assert fields_of(nothing, WORDING, roi=0, full_image=b"")["full_image"] == ""


def test_metadata_of_the_passage() -> None:
    m = metadata_of(replace(PASSAGE, speed_kmh=52.6, direction="approach"), guid=bytes(16), roi=2, plate_type=3)
    assert (m.time_ms, m.plate, m.region, m.roi, m.speed, m.direction) == (1706767205509, "AMW212", "BEL", 2, 53, 1)
    assert (m.plate_colour, m.vehicle, m.plate_type, m.width, m.height) == (7, 3, 3, 1280, 720)
    assert (m.x1, m.y1, m.x2, m.y2) == (473, 93, 676, 135)


def test_local_time() -> None:
    assert local_time(1_706_767_205_509_999, "-03:30", milliseconds=True) == "2024-02-01 02:30:05.509"
    assert local_time(1_706_767_205_509_999, "+05:45", milliseconds=False) == "2024-02-01 11:45:05"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://192.168.7.121:8080/api/lpr?", "http://192.168.7.121:8080/api/lpr?Caption=LPR&description=MS12345"),
        ("http://h", "http://h/?Caption=LPR&description=MS12345"),
        ("http://h/a?key=1%202", "http://h/a?key=1%202&Caption=LPR&description=MS12345"),
        ("http://h/a?key=1&#part", "http://h/a?key=1&Caption=LPR&description=MS12345"),
    ],
)
def test_the_plate_joins_whatever_query_there_is(url: str, expected: str) -> None:
    assert get_url(url, "MS12345") == expected


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_any_plate_survives_the_query(plate: str) -> None:
    query = urlsplit(get_url("http://h/a?b=c", plate)).query
    assert parse_qsl(query, keep_blank_values=True) == [("b", "c"), ("Caption", "LPR"), ("description", plate)]
    assert re.fullmatch(r"[!-~]+", query)


def test_regions_are_alpha_3() -> None:
    assert (region_of("BE"), region_of("de"), region_of(None), region_of("ZZ")) == ("BEL", "DEU", "", "ZZ")
    assert len(ALPHA3) == 250
    assert all(re.fullmatch("[A-Z]{2}", two) and re.fullmatch("[A-Z]{3}", three) for two, three in ALPHA3.items())
    assert len(set(ALPHA3.values())) == 250


def test_guids() -> None:
    assert guid_of("04f912bb-ce94-6540-89af-e83cd88f70be").hex() == "04f912bbce94654089afe83cd88f70be"
    with pytest.raises(ValueError, match="32 hex digits"):
        guid_of("04f912bb")


@given(st.tuples(*[st.floats(-1e9, 1e9)] * 4), st.integers(1, 100_000), st.integers(1, 100_000))
def test_boxes_stay_in_the_picture(box: tuple[float, float, float, float], width: int, height: int) -> None:
    x1, y1, x2, y2 = pixels(box, width, height)
    assert all(0 <= value <= min(width, 0xFFFF) for value in (x1, x2))
    assert all(0 <= value <= min(height, 0xFFFF) for value in (y1, y2))

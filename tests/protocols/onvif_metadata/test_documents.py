"""Documents in every form: as kept in golden files, valid by the public schema, and read back as they were meant."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given

from lpr.events import Vehicle
from lpr.protocols.onvif_metadata import (
    FORMS,
    MANUAL_TOKENS,
    FormName,
    Notification,
    SceneFrame,
    document,
    milesight_notification,
    parse_document,
    passage_frame,
    plate_notification,
    vehicle_notification,
)
from lpr.protocols.onvif_metadata.markup import number, parse_time, utc
from lpr.protocols.onvif_metadata.model import place_of
from lpr.protocols.onvif_metadata.scene import Scene
from tests.protocols.onvif_metadata import schemas
from tests.protocols.onvif_metadata.samples import AT, FRAME, TIME, TOKENS, golden, notifications, passage, reading

IMAGE = "/LPR/2018051506193401.jpg"


def moving() -> SceneFrame:
    """A plate and its vehicle, a moment before they pass."""
    scene = Scene()
    vehicle = Vehicle(kind="car", kind_confidence=0.7, colour="red", colour_confidence=0.6, box=(200, 200, 600, 640))
    return scene.look(AT - 200_000, 1280, 720, [reading("43거6510", (310, 530, 440, 570), vehicle=vehicle)])


def whole(form: FormName) -> bytes:
    """One document with everything in it."""
    decided = passage(speed=25.2)
    return document(
        form,
        frames=[moving(), passage_frame(decided, object_id=1, image=IMAGE)],
        notifications=[
            plate_notification(decided, TOKENS, image=IMAGE, object_id=1),
            vehicle_notification(AT, TOKENS, True),
            milesight_notification(decided, MANUAL_TOKENS, image=IMAGE),
        ],
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_document_is_as_kept(form: FormName) -> None:
    assert whole(form) == golden(f"{form}.xml")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "milesight"])
def test_a_document_is_valid_by_the_public_schema(form: FormName) -> None:
    schema = schemas.metadata_stream()
    assert schemas.faults(schema, whole(form)) == []
    assert schemas.faults(schema, document(form, frames=[SceneFrame(AT)])) == []


LATER = ("tt:Type", "tt:VehicleInfo", "tt:LicensePlateInfo", "tt:ImageRef", "tt:Speed", "tt:Direction")
"""Elements that came into the schema after 2014, whose edition onvif-zeep-async carries."""


@pytest.mark.parametrize("form", [form for form in FORMS if form != "milesight"])
def test_the_schema_of_2014_misses_only_what_came_later(form: FormName) -> None:
    pytest.importorskip("onvif", reason="onvif-zeep-async, which carries the schema, is not installed")
    from tests.protocols.onvif import schemas as of_2014

    found = of_2014.faults(fromstring(whole(form)))
    later = [f"Unexpected child with tag '{name}'" for name in LATER]
    later += [f"schema}}{name}' not found" for name in ("LicensePlateInfo", "BoundingBox", "VehicleInfo")]
    assert [fault for fault in found if not any(known in fault for known in later)] == []
    damaged = whole(form).replace(b'left="-0.5"', b"").replace(b' UtcTime="2018-05-15T06:19:34', b' UtcTime="2018-05')
    assert len(of_2014.faults(fromstring(damaged))) > len(found)


def test_the_schema_finds_real_faults() -> None:
    schema = schemas.metadata_stream()
    broken = whole("both").replace(b' UtcTime="2018-05-15T06:19:34.010Z"', b"").replace(b"PropertyOperation=", b"Op=")
    assert len(schemas.faults(schema, broken)) >= 2
    assert schemas.faults(schema, whole("milesight")), "the manual's root is no element of the schema"


def test_the_manuals_form_says_what_the_manual_says() -> None:
    text = whole("milesight").decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?><tt:MetaDataStream ')
    for part in (
        '<wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        "tns1:RuleEngine/LicensePlateDetector/LicensePlate</wsnt:Topic>",
        '<tt:Message UtcTime="2018-05-15T06:19:34Z" PropertyOperation="Changed">',
        '<tt:SimpleItem Name="VideoSourceConfigurationToken" Value="VideoSourceToken"/>',
        '<tt:SimpleItem Name="VideoAnalyticsConfigurationToken" Value="VideoAnalyticsToken"/>',
        '<tt:SimpleItem Name="Rule" Value="MyLicensePlateDetectorRule"/>',
        '<tt:Key><tt:SimpleItem Name="LicensePlateResult" Value="43거6510"/></tt:Key>',
        '<tt:SimpleItem Name="LicensePlatePicturePath" Value="/LPR/2018051506193401.jpg"/>',
        '<tt:SimpleItem Name="LicenseCarSpeed" Value="25km/h"/>',
        '<tt:SimpleItem Name="LicenseCarDirection" Value="1"/>',
    ):
        assert part in text
    assert "VideoAnalytics>" not in text


def test_what_is_not_known_is_left_out_or_a_dash() -> None:
    decided = passage(direction="unknown", vehicle=None, plate="")
    standard = plate_notification(decided, TOKENS)
    assert [name for name, _ in standard.data] == ["Likelihood"]
    assert "VehicleInfo" not in dict(standard.elements)
    manual = milesight_notification(decided, TOKENS, image=IMAGE)
    assert dict(manual.data)["LicenseCarSpeed"] == "-"
    assert dict(manual.data)["LicenseCarDirection"] == "0"
    assert dict(manual.key)["LicensePlateResult"] == "-"


def test_a_vehicle_without_a_plate_has_no_plate_in_its_frame() -> None:
    assert passage_frame(passage("", plated=False), object_id=1).objects == ()


def test_places_are_normalised_and_cut_to_the_picture() -> None:
    assert place_of((0, 0, 1280, 720), 1280, 720).centre == (0, 0)
    corner = place_of((-50, 700, 64, 900), 1280, 720)
    assert (corner.left, corner.right, corner.bottom) == (-1, -0.9, -1)
    assert corner.top == pytest.approx(1 - 700 / 360)
    with pytest.raises(ValueError, match="0x720"):
        place_of((0, 0, 1, 1), 0, 720)


@given(FRAME)
def test_frames_are_read_back(frame: SceneFrame) -> None:
    read = parse_document(document("onvif", frames=[frame]))
    assert read.frames == (frame,)
    assert read.deviations == ()


@given(notifications())
def test_notifications_are_read_back(notification: Notification) -> None:
    read = parse_document(document("onvif", notifications=[notification]))
    assert read.notifications == (notification,)


@given(TIME)
def test_times_are_read_back(at: int) -> None:
    assert parse_time(utc(at)) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T01:00:01.5+01:00", 1_500_000),
        ("1970-01-01T00:00:01.123456789", 1_123_456),
        ("1970-13-01T00:00:01Z", None),
        ("yesterday", None),
    ],
)
def test_times_of_others(text: str, at: int | None) -> None:
    assert parse_time(text) == at


def test_numbers_are_short_and_plain() -> None:
    assert [number(value) for value in (0.0, -0.00001, 1.0, 0.12345, -0.5, 1e-7)] == [
        "0",
        "0",
        "1",
        "0.1235",
        "-0.5",
        "0",
    ]


def test_text_that_xml_cannot_hold_is_replaced() -> None:
    hostile = passage("A<\x00&\"'>\ud800B")
    read = parse_document(document("both", notifications=[plate_notification(hostile, TOKENS)]))
    info = dict(read.notifications[0].elements)["LicensePlateInfo"]
    assert info.number == "A<\ufffd&\"'>\ufffdB"  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

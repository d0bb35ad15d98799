"""Documents of others: what can be understood is, deviations are named, hostile input is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif_metadata import (
    MANUAL_TOKENS,
    MetadataError,
    document,
    milesight_notification,
    parse_document,
    plate_notification,
    plate_of,
)
from tests.protocols.onvif_metadata.samples import AT, TOKENS, golden, passage

MANUAL = b"""<tt:MetaDataStream>
<tt:Event><wsnt:NotificationMessage>
<wsnt:Topic
Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:RuleEngine/Licens
ePlateDetector/LicensePlate</wsnt:Topic>
<wsnt:Message>
<tt:Message UtcTime="2018-05-15T06:19:34Z" PropertyOperation="Changed">
<tt:Source><tt:SimpleItem Name="VideoSourceConfigurationToken" Value="VideoSourceToken"/></tt:Source>
<tt:Key><tt:SimpleItem Name="LicensePlateResult" Value="AB 1234"/></tt:Key>
<tt:Data>
 <tt:SimpleItem Name="LicensePlatePicturePath" Value="/LPR/2018051506193401.jpg"/>
<tt:SimpleItem Name="LicenseCarSpeed" Value="25km/h"/>
<tt:SimpleItem Name="LicenseCarDirection" Value="1"/>
</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tt:Event>
</tt:MetaDataStream>"""
"""The manual's example as it is printed: prefixes without declarations, a line broken within the topic."""


def test_the_manuals_example_is_understood_as_printed() -> None:
    read = parse_document(MANUAL)
    seen = plate_of(read.notifications[0])
    assert seen is not None
    assert (seen.plate, seen.image, seen.speed, seen.direction) == (
        "AB 1234",
        "/LPR/2018051506193401.jpg",
        "25km/h",
        "approach",
    )
    assert seen.at == AT - 10_000
    assert set(read.deviations) == {
        "the prefix tt is not declared",
        "the prefix wsnt is not declared",
        "the root is tt:MetaDataStream (Milesight's manual); the schema's name is tt:MetadataStream",
        "there is white space within the topic",
    }


def test_both_forms_tell_the_same_plate() -> None:
    decided = passage(direction="away", speed=36.0)
    standard = plate_of(plate_notification(decided, TOKENS, image="/LPR/1.jpg"))
    manual = plate_of(milesight_notification(decided, MANUAL_TOKENS, image="/LPR/1.jpg"))
    assert standard is not None
    assert manual is not None
    assert (standard.plate, standard.direction, standard.image) == (manual.plate, manual.direction, manual.image)
    assert (standard.speed, manual.speed) == ("10", "36km/h")
    assert standard.likelihood == 0.93
    assert standard.country == "BR"


@pytest.mark.parametrize(
    ("before", "after", "deviation"),
    [
        ("tt:MetadataStream", "tt:Metadata", "the root is Metadata, not tt:MetadataStream"),
        (
            'Name="Likelihood" Value="0.93"',
            'Name="Likelihood" Value="93"',
            "the event's Likelihood is 93, not from 0 to 1",
        ),
        (
            '<tt:SimpleItem Name="Likelihood" Value="0.93"/>',
            "",
            "tns1:RuleEngine/Recognition/LicensePlate lacks Likelihood",
        ),
        ('Name="LicensePlateInfo"', 'Name="Plates"', "tns1:RuleEngine/Recognition/LicensePlate lacks LicensePlateInfo"),
        (
            'ConcreteSet"',
            'Whatever"',
            "the topic's dialect is 'http://www.onvif.org/ver10/tev/topicExpression/Whatever'",
        ),
        ('left="-0.5"', 'left="-50"', "a BoundingBox goes beyond -1 to 1"),
        ('left="-0.5"', 'left="0.9"', "a BoundingBox is turned round: left > right or bottom > top"),
        ('left="-0.5"', "", "a BoundingBox lacks left, top, right or bottom"),
        (".010Z", ".010", "UtcTime '2018-05-15T06:19:34.010' is not UTC with a Z"),
        (' UtcTime="2018-05-15T06:19:34.010Z"', "", "has no UtcTime"),
        (
            'Value="LPR"/>',
            'Value="LPR"/><tt:SimpleItem Name="Rule" Value="2"/>',
            "the item Rule is there more than once",
        ),
        ("tt:PlateNumber", "tt:Number", "a LicensePlateInfo has no PlateNumber"),
        ("<tt:Event>", "<tt:Noise/><tt:Event>", "Noise is no part of tt:MetadataStream"),
        ('<tt:SimpleItem Name="VideoSource" Value="VS0"/>', "<tt:SimpleItem/>", "has no Name or no Value"),
    ],
)
def test_a_departure_is_named(before: str, after: str, deviation: str) -> None:
    text = document("onvif", notifications=[plate_notification(passage(), TOKENS)]).decode()
    assert parse_document(text.encode()).deviations == ()
    assert before in text
    read = parse_document(text.replace(before, after).encode())
    assert any(deviation in found for found in read.deviations), read.deviations


@pytest.mark.parametrize("name", ["PlateNumber", "LicensePlate", "Plate", "PlateNo", "PlateText"])
def test_the_plate_is_found_under_other_makers_names(name: str) -> None:
    text = document("onvif", notifications=[plate_notification(passage(), TOKENS)]).decode()
    text = text.replace("Recognition/LicensePlate", "Vendor/Plate").replace('"LicensePlateInfo"', '"Other"')
    text = text.replace("</tt:Source>", f'</tt:Source><tt:Key><tt:SimpleItem Name="{name}" Value="XYZ1"/></tt:Key>')
    read = parse_document(text.encode())
    seen = plate_of(read.notifications[0])
    assert seen is not None
    assert seen.plate == "XYZ1"
    assert any(f"as the item {name}" in found for found in read.deviations)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "may not have"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "may not have"),
        (b"<a>" * 100 + b"</a>" * 100, "deeper than 64"),
        (b"<a>" + b"<b/>" * 20_001 + b"</a>", "more than 20000 elements"),
        (b"<a" + b" " * 2_000_000 + b"/>", "more than 1048576"),
        (b"<a>", "no XML"),
        (b"", "no XML"),
        (b"\xff\xfe\x00", "no XML"),
        (b"<tt:a><b></tt:a>", "no XML"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "multi-byte encodings"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "no XML"),
    ],
)
def test_hostile_input_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(MetadataError, match=re.escape(problem)):
        parse_document(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_an_error(data: bytes) -> None:
    try:
        parse_document(data)
    except MetadataError as error:
        assert str(error)


@given(st.data())
def test_damaged_documents_are_read_or_refused(data: st.DataObject) -> None:
    whole = golden("both.xml")
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    try:
        read = parse_document(damaged)
    except MetadataError:
        return
    assert len(read.deviations) <= 100


def test_padding_and_a_byte_order_mark_are_tolerated() -> None:
    text = b"\xef\xbb\xbf" + document("onvif", notifications=[plate_notification(passage(), TOKENS)]) + b"\0\0"
    read = parse_document(text)
    assert len(read.notifications) == 1
    assert read.deviations == ("the document has padding round it",)


def test_the_folder_of_golden_files_has_nothing_else() -> None:
    folder = Path(__file__).parents[2] / "golden" / "onvif_metadata"
    assert sorted(path.stem for path in folder.glob("*.xml")) == ["both", "milesight", "milesight-standard", "onvif"]

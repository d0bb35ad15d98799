"""An infoplate as bytes and back: every style, the golden messages, what other senders do differently."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lpr.protocols.neural import Broken, Infoplate, MessageFormat, MessageReader, Received, Style, encode, encode_as
from lpr.protocols.neural.decoding import MAX_ELEMENTS, decode_json, decode_xml
from lpr.protocols.neural.names import plain_name, xml_name
from lpr.protocols.neural.record import ALWAYS, SHORT
from tests.protocols.neural.samples import JPEG, NAME, RECORD, SAMPLE, STYLE, golden

# fmt: off
ORDER = [
    "DateHour", "Engine", "Plate", "Confidence", "Country", "CountryID", "ProcTime", "CharHeight", "CamID", "CamName",
    "ImageLeft", "ImageTop", "ImageWidth", "ImageHeight", "Path", "DirectionVector", "imgSize", "img", "ComputerID",
    "Feedback", "IncidenceID", "LocationID", "LaneName", "LaneID", "Evidences",
]
# fmt: on
"""The documented order, written down here a second time."""


def read(data: bytes) -> list[Received | Broken]:
    reader = MessageReader()
    reader.feed(data)
    found = list(reader.messages())
    reader.end()
    return found


def one(data: bytes) -> Received:
    [message] = read(data)
    assert isinstance(message, Received), message
    return message


@given(record=RECORD, style=STYLE)
def test_what_is_written_is_read_again_without_a_deviation(record: Infoplate, style: Style) -> None:
    message = one(encode(record, style))
    assert message.record == record
    assert message.deviations == ()
    assert message.framed is style.framed
    assert message.syntax == style.syntax


@given(name=NAME)
def test_any_name_makes_a_wellformed_element_and_comes_back(name: str) -> None:
    element = ET.fromstring(f"<{xml_name(name)}/>")
    assert plain_name(element.tag) == name


def test_the_manuals_own_name_is_written_as_dotnet_does() -> None:
    assert xml_name("VIVOTEK Building No.") == "VIVOTEK_x0020_Building_x0020_No."
    assert xml_name("") == "_"
    assert xml_name("1st") == "_x0031_st"
    assert xml_name("_x0020_") == "_x005F_x0020_"


@pytest.mark.parametrize(
    ("file", "style"),
    [
        ("full.xml", Style()),
        ("full.json", Style(syntax="json")),
        ("short.xml", Style(form="short")),
        ("short.json", Style(syntax="json", form="short", framed=False)),
    ],
)
def test_golden_messages(file: str, style: Style) -> None:
    assert encode(SAMPLE, style) == golden(file)


def test_a_parser_that_is_not_ours_finds_the_documented_order() -> None:
    root = ET.fromstring(encode(SAMPLE, Style(framed=False)))
    assert root.tag == "infoplate"
    assert [element.tag for element in root][: len(ORDER)] == ORDER
    assert root.findtext("Confidence") == "99.99"
    assert root.findtext("CamName") == "Entrance <north>"
    assert base64.b64decode(root.findtext("img") or "") == JPEG
    assert root.findtext("imgSize") == str(len(JPEG))
    assert [element.tag for element in root.find("Evidences/Evidence") or ()] == ["IdCamEv", "imgEVSize", "imgEV"]
    assert [name for name in ORDER if name != "imgSize"] == list(ALWAYS)


def test_a_column_with_the_roots_name_does_not_end_the_message() -> None:
    record = replace(SAMPLE, others={"infoplate": "1", "INFOPLATE": "2"})
    assert one(encode(record, Style())).record == record


def test_the_frame_counts_the_documents_bytes_not_its_characters() -> None:
    data = encode(replace(SAMPLE, plate="부산02가1234"), Style())
    size, document = data.removeprefix(b"NEURAL").split(b"<", 1)
    assert int(size) == len(b"<" + document)


def test_the_full_form_always_has_every_documented_field() -> None:
    root = ET.fromstring(encode(Infoplate(), Style(framed=False)))
    assert [element.tag for element in root] == ORDER
    assert root.findtext("imgSize") == "0"


def test_the_short_form_has_what_is_configured() -> None:
    bare = replace(SAMPLE, image=None, evidences=(), others={})
    root = ET.fromstring(encode(bare, Style(form="short", framed=False)))
    assert {element.tag for element in root} == set(SHORT)
    root = ET.fromstring(encode(bare, Style(form="short", short=("Plate", "Speed"), framed=False)))
    assert [element.tag for element in root] == ["Plate", "Speed"]
    with pytest.raises(ValueError, match="Plates; known are DateHour"):
        encode(bare, Style(form="short", short=("Plates",)))


def test_json_has_numbers_unless_texts_are_asked_for() -> None:
    found = json.loads(encode(SAMPLE, Style(syntax="json", framed=False)))["infoplate"]
    assert (found["Confidence"], found["DirectionVector"], found["CountryID"]) == (99.99, -1, 101)
    found = json.loads(encode(SAMPLE, Style(syntax="json", framed=False, numbers=False)))["infoplate"]
    assert (found["Confidence"], found["DirectionVector"], found["imgSize"]) == ("99.99", "-1", str(len(JPEG)))


@pytest.mark.parametrize(
    ("kind", "syntax", "pictures"),
    [("XML", "xml", False), ("XML_IMG", "xml", True), ("JSON", "json", False), ("JSON_IMG", "json", True)],
)
def test_the_formats_by_the_manuals_names(kind: MessageFormat, syntax: str, pictures: bool) -> None:
    message = one(encode_as(SAMPLE, kind, Style()))
    assert message.syntax == syntax
    assert (message.record.image is not None) is pictures
    assert bool(message.record.evidences) is pictures


def test_characters_that_xml_cannot_carry_do_not_break_the_document() -> None:
    record = replace(SAMPLE, plate="A\x00B\x1b\ud800]]>", camera_name="a\rb\nc", others={"\x00<": "\x01"})
    for style in (Style(), Style(syntax="json")):
        message = one(encode(record, style))
        assert message.record.plate == "A\ufffdB\ufffd\ufffd]]>"
        assert message.record.camera_name == "a\rb\nc"
        assert message.deviations == ()


PLAIN = b"<infoplate><DateHour>2014-09-27 11:15:40.000</DateHour><Plate>AB12</Plate>%s</infoplate>"


@pytest.mark.parametrize(
    ("document", "deviation"),
    [
        (PLAIN % b"<Confidence>99,5</Confidence>", "Confidence has a comma for a point"),
        (PLAIN % b"<Confidence>high</Confidence>", "Confidence is 'high', not a number"),
        (PLAIN % b"<CountryID>1.5</CountryID>", "CountryID is '1.5', not a whole number"),
        (PLAIN % b"<Speed>1e400</Speed>", "Speed is '1e400', not a number"),
        (PLAIN % b"<lane_id/><laneid>4</laneid>", "LaneID is written 'laneid'"),
        (PLAIN % b"<Engine>LPR</Engine>", "the fields are not in the documented order"),
        (PLAIN % b"<Plate>CD34</Plate>", "Plate stands there twice"),
        (PLAIN % b"<imgSize>9</imgSize><img>/9h4</img>", "img: size 9 announced, it has 3 bytes (4 of base64)"),
        (PLAIN % b"<img>AAAA</img>", "img is not a JPEG"),
        (PLAIN % b"<img>/9h4%</img>", "img is not base64"),
        (PLAIN % b"<CharConfidence>9;x</CharConfidence>", "CharConfidence is not numbers with ; between them"),
        (PLAIN % b"<a><b>1</b></a>", "b stands inside another element"),
        (PLAIN % b'<a b="1"/>', "a has attributes"),
        (PLAIN % b"hello", "text between the elements"),
        (b"<infoplate><Plate>AB12</Plate></infoplate>", "missing: DateHour"),
        (b"<InfoPlate><DateHour>now</DateHour><Plate/></InfoPlate>", "the root is written 'InfoPlate'"),
        (b"<infoplate><DateHour>now</DateHour><Plate/></infoplate>", "DateHour is 'now', not like"),
        (PLAIN % b"<Building No.>1</Building No.>", "not well-formed XML"),
        (b"NEURAL12" + PLAIN % b"", "the frame says 12 bytes, the document has "),
        (b'{"DateHour":"2014-09-27 11:15:40.000","Plate":"AB12"}', "no object infoplate round the fields"),
        (b'{"infoplate":{"DateHour":"2014-09-27 11:15:40.000","Plate":"AB12","x":[1]}}', "x is not a single value"),
        (b'{"infoplate":{"DateHour":"2014-09-27 11:15:40.000","Plate":"AB12"},"y":1}', "other keys beside infoplate"),
        (b'{"infoplate":{"DateHour":"2014-09-27 11:15:40.000","Plate":1,"Evidences":7}}', "Evidences is no list"),
    ],
)
def test_what_other_senders_do_is_read_and_named(document: bytes, deviation: str) -> None:
    message = one(document)
    assert any(deviation in told for told in message.deviations), message.deviations
    assert message.record.plate in ("AB12", "", "1")


def test_a_name_that_xml_does_not_allow_is_read_as_the_camera_sends_it() -> None:
    message = one(PLAIN % b"<VIVOTEK Building No.>192 &amp; 193</VIVOTEK Building No.>")
    assert message.record.others == {"VIVOTEK Building No.": "192 & 193"}
    inner = b"<IdCamEv>2</IdCamEv><imgEVSize>3</imgEVSize><imgEV>/9h4</imgEV>"
    evidence = b"<Evidences><Evidence>%s</Evidence></Evidences>" % inner
    message = one(PLAIN % (b"<No. 1>x</No. 1>" + evidence))
    assert [(found.camera, found.image) for found in message.record.evidences] == [("2", b"\xff\xd8x")]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "b">]><infoplate><Plate>&a;</Plate></infoplate>', "a DTD or an entity"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><infoplate/></infoplate>', "a DTD or an entity"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><infoplate><a b>&a;</a b></infoplate>', "a DTD or an entity"),
        (b"<infoplate>" + b"<a/>" * (MAX_ELEMENTS + 1) + b"</infoplate>", f"more than {MAX_ELEMENTS} elements"),
        (b"<infoplate>" + b"<a>" * 20 + b"</a>" * 20 + b"</infoplate>", "nested deeper"),
        (b"<infoplate><<<<</infoplate>", "not XML"),
        (b"<a b></a b><c>" + b"<c>" * 9000 + b"</infoplate>", "not XML"),
        (b"<other><infoplate></infoplate>", "not XML"),
        (b'<?xml version="1.0" encoding="klingon"?><infoplate></infoplate>', "encoding"),
        (b'{"infoplate":]}', "not JSON"),
        (b"{" + b'"a":[],' * 5000 + b'"b":1}', f"more than {MAX_ELEMENTS} values"),
        (b'{"a":' * 1500 + b"1" + b"}" * 1500, "not JSON"),
    ],
)
def test_what_means_nothing_is_broken_and_the_next_message_is_read(document: bytes, problem: str) -> None:
    first, second = read(document + b"\n" + PLAIN % b"")
    assert isinstance(first, Broken)
    assert problem in first.problem
    assert len(first.problem) < 200
    assert isinstance(second, Received)


@given(record=RECORD, style=STYLE, at=st.floats(0, 1), put=st.binary(max_size=5))
def test_documents_of_any_bytes_never_raise(record: Infoplate, style: Style, at: float, put: bytes) -> None:
    document = encode(record, style)
    cut = int(at * len(document))
    damaged = document[:cut] + put + document[cut + len(put) :]
    assert isinstance(decode_xml(damaged), Received | Broken)
    assert isinstance(decode_json(damaged), Received | Broken)

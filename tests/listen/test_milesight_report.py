"""Milesight's messages as reports: each deviation from the manual is named, and nothing else is."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lpr.listen.milesight_report import frame_report, get_report, is_milesight_post, post_report
from lpr.listen.report import Report
from lpr.protocols.milesight import REVISIONS, Metadata
from lpr.protocols.milesight.framing import LOGIN_REPLY, RECOGNITION, Frame, FrameParser
from lpr.protocols.milesight.messages import encode_recognition
from lpr.protocols.milesight.metadata import Revision
from lpr.protocols.milesight.passage import Wording, fields_of, metadata_of, post_body
from tests.listen.samples import JPEG, fields
from tests.protocols.milesight.samples import PASSAGE

GOOD = metadata_of(PASSAGE, guid=bytes(range(16)), roi=2, plate_type=3)


def recognised(metadata: Metadata, *images: bytes, revision: Revision = "1.6") -> Report:
    parser = FrameParser(1 << 20)
    parser.feed(encode_recognition(metadata, images, revision))
    frame = parser.next_frame()
    assert frame is not None
    return frame_report(frame)


@pytest.mark.parametrize("revision", REVISIONS)
def test_our_own_passages_deviate_in_nothing(revision: Revision) -> None:
    report = recognised(GOOD, JPEG, JPEG, revision=revision)
    assert report.deviations == []
    assert report.fields["revision"] == revision
    assert report.fields["plate"] == "AMW212"
    assert [name for name, _ in report.pictures] == ["image 0", "image 1"]


def test_every_field_is_told_in_words() -> None:
    found = recognised(GOOD).fields
    assert found["direction"] == "out" and found["vehicle"] == "bus" and found["plate_colour"] == "white"
    assert found["plate_type"] == "visitor" and found["roi"] == 2 and found["region"] == "BEL"
    assert found["box"] == [473, 93, 676, 135] and found["picture_width"] == 1280 and found["time_ms"] == 1706767205509


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"guid": bytes(16)}, "device id"),
        ({"time_ms": 1_706_767_205}, "time"),
        ({"vehicle_colour": 11}, "vehicle colour"),
        ({"plate_colour": 99}, "plate colour"),
        ({"direction": 3}, "direction"),
        ({"roi": 5}, "ROI id"),
        ({"number": "OTHER"}, "number"),
        ({"vehicle": 6}, "vehicle type"),
        ({"confidence": 70.0}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"plate_type": 0}, "plate type"),
        ({"width": 0}, "width, height"),
        ({"x2": 1281}, "box"),
        ({"x1": 700}, "box"),
        ({"rest": b"\1\2"}, "metadata size"),
    ],
)
def test_what_the_manual_does_not_allow_is_named(changes: dict[str, Any], field: str) -> None:
    (deviation,) = recognised(replace(GOOD, **changes)).deviations
    assert deviation.field == field
    assert deviation.found and deviation.expected and deviation.source


def test_pictures_are_looked_at() -> None:
    report = recognised(GOOD, JPEG[:-2], b"GIF89a")
    assert [(one.field, one.found[:6]) for one in report.deviations] == [
        ("image 0", "cut: n"),
        ("image 1", "begins"),
    ]


def test_announced_pictures_that_do_not_come() -> None:
    whole = encode_recognition(GOOD, (JPEG,), "1.6")
    data = whole[8:-2]
    size = struct.unpack_from("<I", data, 4)[0]
    report = frame_report(Frame(RECOGNITION, data[: 8 + size] + b"\x33\xff\x00\x00\x02\x00\x00\x00ab"))
    assert fields(report.deviations) == ["image count", "chunk"]
    assert report.fields["other_chunks"] == [{"id": "33 ff 00 00", "size": 2}]


def test_a_recognition_that_cannot_be_read_is_told_and_not_raised() -> None:
    report = frame_report(Frame(RECOGNITION, b"\x11\xff\x00\x00\xff\x00\x00\x00"))
    assert fields(report.deviations) == ["data"] and report.what == "passage"


@pytest.mark.parametrize(
    ("data", "result", "found"),
    [
        (b'{"result":"200"}', "200", []),
        (b'{"result":"401"}\0', "401", []),
        (b'{"result":200}', "200", ["result"]),
        (b'{"result":"ok"}', "ok", ["result"]),
        (b"{}", "", ["result"]),
        (b"200", "", ["result"]),
        (b"no", "", ["data"]),
    ],
)
def test_replies_to_the_log_in(data: bytes, result: str, found: list[str]) -> None:
    report = frame_report(Frame(LOGIN_REPLY, data))
    assert (report.fields["result"], fields(report.deviations), report.counts) == (result, found, False)


def test_an_unknown_command_is_named_with_its_json() -> None:
    report = frame_report(Frame(0x8802, b'{"count": 1}'))
    assert fields(report.deviations) == ["command"] and report.fields["json"] == {"count": 1}


@given(st.integers(0, 0xFFFF) | st.sampled_from([LOGIN_REPLY, RECOGNITION]), st.binary(max_size=300))
def test_no_frame_raises(command: int, data: bytes) -> None:
    report = frame_report(Frame(command, data))
    assert all(one.field and one.expected and one.source for one in report.deviations)


# --- HTTP ----------------------------------------------------------------------------------------------


def posted(**changes: Any) -> Report:
    content: dict[str, Any] = {
        **fields_of(PASSAGE, Wording(), roi=1, plate_image=JPEG, full_image=JPEG),
        **changes,
    }
    content = {key: value for key, value in content.items() if value is not ...}
    return post_report(json.dumps(content).encode(), content)


def test_our_own_post_deviates_in_nothing() -> None:
    report = posted()
    assert report.deviations == []
    assert [name for name, _ in report.pictures] == ["plate_image", "full_image"]
    assert report.fields["plate"] == "AMW212" and "plate_image" not in report.fields
    assert is_milesight_post(json.loads(post_body(fields_of(PASSAGE, Wording(), roi=0))))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"resolution_width": 1280}, "resolution_width"),
        ({"time": "2024-02-01T06:00:05Z"}, "time"),
        ({"type": "Guest"}, "type"),
        ({"direction": "In"}, "direction"),
        ({"detection_region": "5"}, "detection_region"),
        ({"coordinate_x1": "473.2"}, "coordinate_x1"),
        ({"coordinate_x1": "900"}, "coordinates"),
        ({"coordinate_y2": "900"}, "coordinates"),
        ({"confidence": "70"}, "confidence"),
        ({"confidence": "high"}, "confidence"),
        ({"speed": "25km/h"}, "speed"),
        ({"direction": ...}, "direction"),
        ({"plate_number": "A"}, "plate_number"),
        ({"plate_image": "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()}, "plate_image"),
        ({"plate_image": base64.b64encode(JPEG[:-2]).decode()}, "plate_image"),
        ({"full_image": 7}, "full_image"),
    ],
)
def test_what_receivers_choke_on_is_named(changes: dict[str, Any], field: str) -> None:
    (deviation,) = posted(**changes).deviations
    assert deviation.field == field


def test_what_is_not_known_is_a_hyphen() -> None:
    assert posted(speed="-", direction="-", detection_region="-", type="-", confidence="-").deviations == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"Caption": "LPR", "description": "A1"}, []),
        ({"Caption ": " LPR", "description": "A1"}, ["Caption"]),
        ({"Caption": "LPR"}, ["description"]),
    ],
)
def test_gets(query: dict[str, str], found: list[str]) -> None:
    assert fields(get_report(query, b"").deviations) == found


@given(st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.text(max_size=30)))
def test_no_post_raises(content: dict[str, Any]) -> None:
    post_report(b"", {"plate_image": "x", **content})

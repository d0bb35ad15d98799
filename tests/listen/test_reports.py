"""Reports of what brokers and pushing cameras send, told by its content; pictures, and the line that is printed."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.listen.http_report import Request, request_report
from lpr.listen.jpeg import jpeg_problem, jpeg_size
from lpr.listen.mqtt_report import message_report
from lpr.listen.report import MAX_DEVIATIONS, Checks, Report, line, shown
from lpr.protocols import neural
from lpr.protocols.milesight.passage import Wording, fields_of, post_body
from lpr.protocols.mqtt import Message
from lpr.protocols.mqtt_messages import Device, Topics, configurations, encode, passage_message, state_message
from lpr.protocols.onvif_metadata import (
    MILESIGHT_TOPIC,
    Tokens,
    document,
    ej_payload,
    ej_topic,
    notification_xml,
    plate_notification,
)
from tests.listen.samples import JPEG, fields
from tests.protocols.milesight.samples import PASSAGE
from tests.protocols.mqtt_messages.test_mqtt_messages import SIGNED

TOKENS = Tokens(video_source="VS0", rule="LPR")


def message(topic: str, payload: bytes | str | dict[str, Any]) -> Report:
    data = json.dumps(payload).encode() if isinstance(payload, dict) else payload
    return message_report(Message(topic, data.encode() if isinstance(data, str) else data, 1, False))


def test_our_own_messages_deviate_in_nothing() -> None:
    passage = encode(passage_message("1", PASSAGE, SIGNED, device="d", topics={}, images={}))
    told = plate_notification(PASSAGE, TOKENS)
    reports = [
        message("lpr/gate/passage", passage),
        message("lpr/gate/state", encode(state_message("1", PASSAGE, 1))),
        message(ej_topic("lpr", told), ej_payload(told)),
        message("lpr/status", "online"),
        message("lpr/gate/picture", JPEG),
        *(
            message(topic, document)
            for form in ("device", "components")
            for topic, document in configurations(Device("a", "b", "c"), ("gate",), Topics("lpr"), form=form).items()
        ),
    ]
    assert [report.what for report in reports][:6] == ["passage", "state", "event", "message", "picture", "discovery"]
    assert [report.deviations for report in reports if report.deviations] == []
    assert reports[0].fields["payload"]["plate"] == "AMW212" and reports[0].counts


@pytest.mark.parametrize(
    ("topic", "payload", "found"),
    [
        ("a/gate/passage", {"id": "1", "plate": 7}, ["plate"]),
        ("a/gate/state", {"plate": None, "confidence": None, "country": None, "direction": None, "at": None,
                          "id": None, "passages": 0, "more": 1}, ["more"]),
        ("a/onvif-ej", {"UtcTime": "2024-02-01T06:00:05Z", "Source": {}}, ["topic"]),
        ("a/onvif-ej/tns1:RuleEngine", {"UtcTime": "2024-02-01T06:00:05Z", "Source": {}}, ["topic"]),
        ("a/onvif-ej/x", {"UtcTime": "yesterday", "Data": []}, ["UtcTime", "Data", "Source"]),
        ("a/onvif-ej/x", {"UtcTime": "2024-02-01T06:00:05Z", "Source": {}, "Plate": "A"}, ["Plate"]),
        ("a/onvif-ej/x", b"[1]", ["payload"]),
        ("a/onvif-ej/x", b"<xml/>", ["payload"]),
        ("homeassistant/device/a b/config", {"device": {"name": "x"}, "components": {"p": {"platform": "sensor"}}},
         ["topic", "origin", "device"]),
        ("homeassistant/device/a/config", {"dev": {"ids": "1"}, "o": {"name": "x"}, "cmps": {"p": {"name": "x"}}},
         ["components.p.platform", "components.p.unique_id"]),
        ("homeassistant/sensor/a/config", {"device": {"ids": "1"}}, ["unique_id"]),
        ("a/picture", JPEG[:-2], ["payload"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_is_named(topic: str, payload: bytes | dict[str, Any], found: list[str]) -> None:
    assert fields(message(topic, payload).deviations) == found


@given(st.sampled_from(["a/passage", "a/onvif-ej/b", "homeassistant/device/a/config", "x"]), st.binary(max_size=80))
def test_no_message_raises(topic: str, payload: bytes) -> None:
    message(topic, payload)


# --- HTTP ----------------------------------------------------------------------------------------------

POST = post_body(fields_of(PASSAGE, Wording(), roi=1, plate_image=JPEG))


def request(body: bytes, kind: str = "application/json", **headers: str) -> Report:
    return request_report(Request("POST", "/lpr", {"content-type": kind, **headers}, body))


def test_a_push_is_told_by_its_content() -> None:
    report = request(POST, **{"idempotency-key": "17"})
    assert (report.what, report.deviations, report.fields["plate"]) == ("passage", [], "AMW212")
    assert report.fields["request"]["id"] == "17" and len(report.pictures) == 1
    get = request_report(Request("GET", "/a?Caption=LPR&description=AB%201", {}, b""))
    assert (get.what, get.fields["description"], get.deviations) == ("passage", "AB 1", [])
    plain = request_report(Request("GET", "/a?b=c", {}, b""))
    assert (plain.what, plain.fields["query"]) == ("message", {"b": "c"})


def test_infoplates_and_metadata_are_known() -> None:
    record = neural.Infoplate(time="2024-02-01 06:00:05.509", plate="AB1", confidence=70.0, image=JPEG)
    for syntax in ("xml", "json"):
        style = neural.Style(syntax=syntax, framed=False)
        report = request(neural.encode(record, style), f"application/{syntax}")
        assert (report.what, report.fields["plate"], report.fields["syntax"]) == ("passage", "AB1", syntax)
    told = document("onvif", notifications=[plate_notification(PASSAGE, TOKENS)])
    report = request(told, "application/xml")
    assert report.what == "passage" and report.fields["events"][0]["plate"]["plate"] == "AMW212"
    assert report.deviations == []
    assert MILESIGHT_TOPIC not in str(report.fields)


def test_notifications_of_a_device_are_known() -> None:
    told = plate_notification(PASSAGE, TOKENS)
    envelope = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{}</s:Body></s:Envelope>'
    notify = '<wsnt:Notify xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">{}</wsnt:Notify>'
    one = notification_xml(told, alone=True)
    report = request(envelope.format(notify.format(one)).encode(), "application/soap+xml")
    assert (report.what, report.deviations) == ("passage", [])
    assert report.fields["events"][0]["plate"]["plate"] == "AMW212"
    empty = request(envelope.format(notify.format("").replace("b-2", "b-1")).encode(), "application/soap+xml")
    assert fields(empty.deviations) == ["body", "NotificationMessage"]
    other = request(envelope.format("<a/>").encode(), "application/soap+xml")
    assert (other.what, other.deviations) == ("message", [])


def test_parts_are_taken_apart() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="event"\r\nContent-Type: application/json\r\n\r\n'
        + POST
        + b'\r\n--x\r\nContent-Disposition: form-data; name="shot"\r\nContent-Type: image/jpeg\r\n\r\n'
        + JPEG
        + b"\r\n--x--\r\n"
    )
    report = request(body, "multipart/form-data; boundary=x")
    assert (report.what, report.fields["plate"], report.deviations) == ("passage", "AMW212", [])
    assert [name for name, _ in report.pictures] == ["plate_image", "shot"]
    assert [part["name"] for part in report.fields["parts"]] == ["event", "shot"]


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (POST, "text/plain", ["Content-Type"]),
        (b"{no json", "application/json", ["body"]),
        (b"<infoplate><Plate>A</Plate>", "text/xml", ["infoplate"]),
        (b"nothing", "multipart/form-data", ["body"]),
        (JPEG[:-2], "image/jpeg", ["body"]),
        (b"hello", "text/plain", []),
    ],
)
def test_what_is_wrong_with_a_push_is_named(body: bytes, kind: str, found: list[str]) -> None:
    assert list(dict.fromkeys(fields(request(body, kind).deviations))) == found


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
    st.sampled_from(["application/json", "text/xml", "multipart/mixed; boundary=a", "", "multipart/mixed"]),
)
def test_no_push_raises(body: bytes, kind: str) -> None:
    request(body, kind)
    request(b"--a\r\n\r\n" + body + b"\r\n--a--", kind)


# --- pictures and the line -----------------------------------------------------------------------------


def test_a_jpeg_says_its_size() -> None:
    assert jpeg_size(JPEG) == (128, 32) and jpeg_problem(JPEG) == ""
    assert jpeg_problem(b"") and jpeg_problem(b"\xff\xd8\xff\xd9") and jpeg_problem(JPEG[:-2])
    assert jpeg_problem(JPEG + b"\0\0") == ""


@given(st.binary(max_size=100))
def test_no_bytes_are_too_strange_for_a_jpeg(data: bytes) -> None:
    jpeg_size(b"\xff\xd8" + data)
    jpeg_problem(data)


def test_the_line_is_golden() -> None:
    checks = Checks("manual")
    checks.add("roi", 9, "0 to 4")
    report = Report("passage", {"plate": "A1"}, checks.found, [("full", JPEG), ("bad", b"x")], b"raw")
    found = json.loads(
        line("milesight", "192.0.2.1:5000", "2024-02-01T06:00:05.509Z", report, {"full": "1.jpg"}, "1.bin")
    )
    assert found == {
        "at": "2024-02-01T06:00:05.509Z",
        "kind": "milesight",
        "from": "192.0.2.1:5000",
        "what": "passage",
        "bytes": 3,
        "raw": "1.bin",
        "fields": {"plate": "A1"},
        "pictures": [
            {"name": "full", "bytes": len(JPEG), "sha256": hashlib.sha256(JPEG).hexdigest(), "width": 128, "height": 32,
             "file": "1.jpg"},
            {"name": "bad", "bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()},
        ],
        "deviations": [{"field": "roi", "found": "9", "expected": "0 to 4", "source": "manual"}],
    }  # fmt: skip


def test_what_is_quoted_is_short_and_on_one_line() -> None:
    assert shown("a\nb\x1b[31m") == "a\\x0ab\\x1b[31m"
    assert len(shown("x" * 999)) == 200 and shown(b"\1\2") == "01 02"
    checks = Checks("s")
    for number in range(MAX_DEVIATIONS + 5):
        checks.add("f", number, "x")
    assert len(checks.found) == MAX_DEVIATIONS


def test_base64_of_the_samples_is_whole() -> None:
    assert base64.b64decode(json.loads(POST)["plate_image"]) == JPEG

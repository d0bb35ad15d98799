"""The documents, what a PUT may ask for, and the table that says what there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.pumatronix import documents
from lpr.protocols.pumatronix.documents import Field, Login, PutError, Settings, document, login_of, unchanged
from lpr.protocols.pumatronix.operations import OPERATIONS, rows

PAGE = Path(__file__).parents[3] / "docs" / "protocols" / "pumatronix.md"
SHOWN = Settings(
    device="gate", serial="5f" * 16, release="0.1.0", utc_offset="-03:00", max_plates=16, threads=2, timeout=30.0,
    min_confidence=0.5, country_code=55, voting=True, max_different_characters=2, same_plate_interval=30.0,
    best_exposure_only=True, vehicles=False, vehicles_without_plate=False, makes=False, min_vehicle_score=0.6, lane="1",
    jpeg_quality=90, signing=True, motion=False, trigger_threshold=8.0, exposures=2, stream_rate=10.0,
    stream_quality=80,
)  # fmt: skip
FIELDS = documents.settings_fields(SHOWN)


def test_the_majority_vote() -> None:
    assert document(FIELDS["/equipment/analytics"]) == {
        "voting": {
            "enabled": True,
            "maxDiffChars": 2,
            "samePlateDebounce": 30000,
            "keepBestOnly": True,
            "useClassifier": False,
            "forwardWithoutPlateIfTracker": False,
        }
    }


def test_documents_of_several_depths() -> None:
    assert document(FIELDS["/equipment/lanes"]) == {"enabled": True, "region0": {"name": "1"}}
    assert document(FIELDS["/equipment/misc"]) == {"jpegQuality": 90}
    assert document(FIELDS["/video/streams"])["mjpeg"]["main"]["framerate"] == 10.0


@pytest.mark.parametrize("path", sorted(FIELDS))
def test_what_was_read_can_be_put_back(path: str) -> None:
    unchanged(FIELDS[path], msgspec.json.encode(document(FIELDS[path])))
    unchanged(FIELDS[path], b"{}")


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        (
            "/equipment/analytics",
            {"voting": {"maxDiffChars": 3}},
            r"voting.maxDiffChars is 2 .*vote.max_different_char",
        ),
        ("/equipment/analytics", {"voting": {"enabled": 1}}, "voting.enabled is true"),
        ("/equipment/analytics", {"voting": 3}, "voting: this device has no such setting"),
        ("/equipment/ocr", {"ocr": {"roi": {"x0": 1}}}, "ocr.roi.x0: this device has no such setting"),
        ("/equipment/ocr", {"ocr": {"licensed": False}}, "nothing can change it"),
        ("/equipment/misc", {"jpegQuality": "90"}, "engine.jpeg_quality"),
        ("/equipment/misc", {"jpegQuality": None}, "engine.jpeg_quality"),
        ("/equipment/misc", [], "JSON object"),
        ("/equipment/misc", {str(number): 1 for number in range(600)}, "more than 512"),
    ],
)
def test_what_a_put_can_not_do(path: str, body: Any, says: str) -> None:
    with pytest.raises(PutError, match=says):
        unchanged(FIELDS[path], json.dumps(body).encode())


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode))
def test_any_body_is_answered(body: bytes) -> None:
    try:
        unchanged(FIELDS["/equipment/ocr"], body)
    except PutError:
        return
    assert json.loads(body) == {}


def test_deep_bodies() -> None:
    with pytest.raises(PutError):
        unchanged(FIELDS["/equipment/ocr"], b'{"a":' * 5000 + b"1" + b"}" * 5000)
    assert login_of(b'{"params":' * 5000) is None


def test_equal_numbers_are_equal() -> None:
    unchanged((Field(path=("a",), value=10.0),), b'{"a": 10}')


def test_log_ins() -> None:
    assert login_of(b'{"params":{"username":"a","password":"b"}}') == Login(username="a", password="b")
    for wrong in (b"", b"{}", b'{"params":{"username":"a"}}', b'{"params":{"username":1,"password":"b"}}', b"\xff"):
        assert login_of(wrong) is None


def test_the_table_names_each_operation_once() -> None:
    names = [(one.method, one.path) for one in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(one.says for one in OPERATIONS)
    assert {path for method, path in names if method == "PUT"} >= set(FIELDS)


def test_the_docs_have_the_table_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(rows()) in page, "print('\\n'.join(lpr.protocols.pumatronix.operations.rows())) into it"

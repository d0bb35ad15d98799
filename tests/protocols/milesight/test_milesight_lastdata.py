"""The pull API's answers, read as the two known clients read them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lpr.protocols.milesight.lastdata import LastRecord, form_of, last_record, render
from tests.protocols.milesight.samples import GOLDEN, PASSAGE, TEXT

FIRST = last_record(PASSAGE, path="2024020106000550.jpg", roi=2, utc_offset="+01:00")
SECOND = last_record(
    replace(PASSAGE, plate="", plated=False, direction="approach", country=None, at=PASSAGE.at - 1_000_000),
    path="2024020106000450-17.jpg",
    roi=0,
    utc_offset="+01:00",
)
KEYS = [
    "time",
    "plate",
    "path",
    "region",
    "direction",
    "roi_id",
    "plate_left",
    "plate_top",
    "plate_right",
    "plate_bottom",
]
RECORD = st.builds(
    LastRecord,
    time=TEXT,
    plate=TEXT,
    path=TEXT,
    region=TEXT,
    direction=st.integers(0, 2),
    **dict.fromkeys(KEYS[5:], st.integers(0, 9999)),
)


def read_as_ex_nvr(body: str) -> list[dict[str, str]]:
    """Ten lines a record, what is left over thrown away; the number at a key's end does not matter."""
    lines = body.split("\n")
    found: list[dict[str, str]] = []
    for start in range(0, len(lines) - len(lines) % 10, 10):
        pairs = (line.split("=", 1) for line in lines[start : start + 10])
        found.append({re.sub(r"_\d+$", "", key): value.strip() for key, value in pairs})
    return found


def read_as_the_bridge(body: str) -> list[str]:
    """The first three values between semicolons, without their quotes."""
    return [part.split("=")[1].strip().replace("'", "") for part in body.split(";")[:3]]


def test_golden_answers() -> None:
    for form in ("inf", "quoted", "json"):
        assert render([FIRST, SECOND], form) + b"\n" == (GOLDEN / f"lastdata.{form}").read_bytes()


def test_ten_lines_a_record() -> None:
    found = read_as_ex_nvr(render([FIRST, SECOND], "inf").decode())
    assert [list(record) for record in found] == [KEYS, KEYS]
    assert found[0] == {
        "time": "2024-02-01 07:00:05",
        "plate": "AMW212",
        "path": "2024020106000550.jpg",
        "region": "BEL",
        "direction": "2",
        "roi_id": "2",
        "plate_left": "473",
        "plate_top": "93",
        "plate_right": "676",
        "plate_bottom": "135",
    }
    assert (found[1]["direction"], found[1]["plate"], found[1]["plate_right"]) == ("1", "", "0")


@given(records=st.lists(RECORD, max_size=4))
def test_values_stay_in_their_places(records: list[LastRecord]) -> None:
    found = read_as_ex_nvr(render(records, "inf").decode())
    assert [list(record) for record in found] == [KEYS] * len(records)
    assert [record["plate"] for record in found] == [" ".join(record.plate.split()) for record in records]
    if records:
        assert len(render(records, "quoted").decode().split(";")) == len(KEYS) + 1
    assert [one["plate"] for one in json.loads(render(records, "json"))["lastdata"]] == [one.plate for one in records]


def test_the_newest_alone_in_quotes() -> None:
    found = read_as_the_bridge(render([FIRST, SECOND], "quoted").decode())
    assert found == ["2024-02-01 07:00:05", "AMW212", "LPR/2024020106000550.jpg"]


def test_nothing_has_passed_yet() -> None:
    assert (render([], "inf"), render([], "quoted")) == (b"", b"")
    assert json.loads(render([], "json")) == {"count": 0, "lastdata": []}
    assert read_as_ex_nvr("") == []


def test_times_to_the_millisecond() -> None:
    record = last_record(PASSAGE, path="", roi=0, utc_offset="+00:00", milliseconds=True)
    assert record.time == "2024-02-01 06:00:05.509"


@pytest.mark.parametrize(
    ("wanted", "form"),
    [(None, "quoted"), ("", "quoted"), ("inf", "inf"), ("INF", "inf"), ("json", "json"), ("x", None)],
)
def test_forms(wanted: str | None, form: str | None) -> None:
    assert form_of(wanted) == form

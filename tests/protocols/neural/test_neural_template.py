"""Macros: each one, what is no macro, and values that would break what they are put into."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from msgspec.structs import replace

from lpr.protocols.neural import MACROS, Infoplate, fill, unknown_macros
from tests.protocols.neural.samples import RECORD, SAMPLE

EVERY = "{PLT}|{DTE}|{IDCOMP}|{IDCAM}|{CNF}|{IDLIST}|{IDNAME}|{IDLAN}"


def test_every_macro() -> None:
    assert fill(EVERY, SAMPLE) == "1234BCD|2014-09-27 11:15:40.000|7|1|99.99|-1||1"
    listed = replace(SAMPLE, list=2, list_name="allow list")
    assert fill("{IDLIST} {IDNAME}", listed) == "2 allow list"
    assert set(EVERY.replace("{", "").replace("}", "").split("|")) == set(MACROS)


def test_what_is_no_macro_stays() -> None:
    assert fill("{plt} {X} {} {PLT {{PLT}}", SAMPLE) == "{plt} {X} {} {PLT {1234BCD}"
    assert unknown_macros("{PLT} {X} {Y} {X} {z}") == ("X", "Y")


def test_a_value_is_not_looked_at_again() -> None:
    assert fill("{PLT}", replace(SAMPLE, plate="{DTE}")) == "{DTE}"


@given(record=RECORD)
def test_values_stay_values_where_they_are_put(record: Infoplate) -> None:
    address = fill("http://host/lpr?plate={PLT}&when={DTE}", record, "url")
    assert parse_qs(urlsplit(address).query, keep_blank_values=True) == {"plate": [record.plate], "when": [record.time]}
    assert json.loads(fill('"{PLT}"', record, "json")) == record.plate
    assert (ET.fromstring(fill("<a>{PLT}</a>", record, "xml")).text or "") == record.plate


@pytest.mark.parametrize(
    ("plate", "name"),
    [("AB/12", "AB_12.jpg"), ("../../x", "_.._x.jpg"), ("a\0b:c", "a_b_c.jpg"), ("", "_.jpg"), ("..", "_.jpg")],
)
def test_a_files_name_leads_nowhere(plate: str, name: str) -> None:
    assert fill("{PLT}.jpg", replace(SAMPLE, plate=plate), "file") == name

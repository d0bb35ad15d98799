"""Samples and strategies shared by the tests of the Neural Labs formats."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from lpr.protocols.neural import Evidence, Infoplate, Style
from lpr.protocols.neural.record import BY_FOLDED

GOLDEN = Path(__file__).parents[2] / "golden" / "neural"
JPEG = b"\xff\xd8\xff\xe0 a street \xff\xd9"
PLATE_JPEG = b"\xff\xd8\xff\xe0 a plate \xff\xd9"

SAMPLE = Infoplate(
    time="2014-09-27 11:15:40.000",
    plate="1234BCD",
    confidence=99.99,
    country="ESP",
    country_id=101,
    process_time=32,
    character_height=28,
    camera_id="1",
    camera_name="Entrance <north>",
    left=473,
    top=93,
    width=203,
    height=42,
    path="/LPR/20140927111540.jpg",
    direction=-1,
    image=JPEG,
    computer_id="7",
    location_id="3",
    lane_name="Lane 1",
    lane_id="1",
    evidences=(Evidence(camera="1", image=PLATE_JPEG),),
    country_iso2="ES",
    speed=25.0,
    list=-1,
    character_confidence=(99.99, 98.5),
    vehicle="car",
    colour="white",
    guid="01970000-0000-8000-8000-000000000002",
    others={"VIVOTEK Building No.": "192"},
)

CHARACTERS = st.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=("Cs",))
TEXT = st.text(CHARACTERS, max_size=20)
COUNT = st.integers(-(10**9), 10**9)
PERCENT = st.integers(0, 10000).map(lambda value: value / 100)
IMAGE = st.binary(min_size=1, max_size=60).map(lambda rest: b"\xff\xd8" + rest)


NAME = st.text(CHARACTERS, min_size=1, max_size=20).filter(lambda name: name.casefold() not in BY_FOLDED)

RECORD = st.builds(
    Infoplate,
    time=st.datetimes().map(lambda at: f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}".rjust(23, "0")),
    engine=TEXT,
    plate=TEXT,
    confidence=PERCENT,
    country=TEXT,
    country_id=COUNT,
    process_time=COUNT,
    character_height=COUNT,
    camera_id=TEXT,
    camera_name=TEXT,
    left=COUNT,
    top=COUNT,
    width=COUNT,
    height=COUNT,
    path=TEXT,
    direction=st.integers(-1, 1),
    image=st.none() | IMAGE,
    computer_id=TEXT,
    feedback=TEXT,
    incidence_id=TEXT,
    location_id=TEXT,
    lane_name=TEXT,
    lane_id=TEXT,
    evidences=st.lists(st.builds(Evidence, camera=TEXT, image=IMAGE), max_size=3).map(tuple),
    country_iso2=st.none() | TEXT,
    event_id=st.none() | TEXT,
    speed=st.none() | PERCENT,
    latitude=st.none() | st.integers(-90_000_000, 90_000_000).map(lambda value: value / 1_000_000),
    list=st.none() | COUNT,
    character_confidence=st.none() | st.lists(PERCENT, min_size=1, max_size=8).map(tuple),
    guid=st.none() | TEXT,
    others=st.dictionaries(NAME, TEXT, max_size=3),
)

STYLE = st.builds(
    Style,
    syntax=st.sampled_from(["xml", "json"]),
    framed=st.booleans(),
    declaration=st.booleans(),
    size_of=st.sampled_from(["jpeg", "base64"]),
    numbers=st.booleans(),
    end=st.sampled_from([b"", b"\n", b"\r\n", b"\0"]),
)


def golden(name: str) -> bytes:
    """The bytes of ``tests/golden/neural/<name>``, without the line end that every text file has."""
    return (GOLDEN / name).read_bytes().removesuffix(b"\n")

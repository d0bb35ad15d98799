"""The comment's text: what is written is read again, what is foreign is kept, nothing breaks the form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.vtr600.comment import (
    VEHICLES,
    CommentError,
    Fields,
    Make,
    Vehicle,
    escape,
    fields_of,
    items_of,
    local_time,
    read_items,
    unescape,
    write_items,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.integers(0, 99999)
BOXES = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
PERCENTS = st.integers(0, 100)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"'), max_size=10)
PLATES = st.text("ABCXYZ0189", min_size=1, max_size=8).filter(lambda text: text != "0000000")

FIELDS = st.builds(
    Fields,
    plates=st.lists(PLATES, max_size=3).map(tuple),
    boxes=st.lists(BOXES, max_size=3).map(tuple),
    plate_colours=st.lists(NUMBERS, max_size=3).map(tuple),
    country_codes=st.lists(NUMBERS, max_size=3).map(tuple),
    vehicles=st.lists(
        st.builds(Vehicle, kind=st.sampled_from(sorted(VEHICLES)), percent=PERCENTS, box=BOXES), max_size=3
    ).map(tuple),
    makes=st.lists(
        st.builds(
            Make, brand=NAMES, brand_percent=PERCENTS, model=NAMES, model_percent=PERCENTS, colour=NAMES,
            colour_percent=PERCENTS,
        ),
        max_size=2,
    ).map(tuple),
    at=st.none() | st.integers(0, 3_000_000_000_000_000),
    utc_offset=st.integers(-720, 840),
    voted=PLATES | st.just(""),
    others=st.lists(st.tuples(st.sampled_from(["LprDevice", "Gamma", "x"]), TEXTS), max_size=3).map(tuple),
)  # fmt: skip


@given(TEXTS)
def test_escapes_are_plain_and_undone(text: str) -> None:
    for key in (False, True):
        written = escape(text, key=key)
        assert written.isascii()
        assert written.isprintable() or not written
        assert ";" not in written
        assert not (key and "=" in written)
        assert unescape(written) == text


def test_a_percent_of_others_stays() -> None:
    assert unescape("98%,10 50%x 100%") == "98%,10 50%x 100%"
    assert unescape("caf\xe9") == "caf\xe9"


@given(st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=8))
def test_items_are_read_as_written(items: list[tuple[str, str]]) -> None:
    comment = write_items(items)
    assert comment.isascii()
    assert read_items(comment) == tuple(items)


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(comment: bytes) -> None:
    fields_of(read_items(comment))


@given(
    st.lists(
        st.tuples(st.sampled_from(["Placa", "CoordPlaca", "Horario", "TempoCaptura", "BMCList", "CorPlaca"]), TEXTS)
    )
)
def test_values_of_no_known_form_are_kept(items: list[tuple[str, str]]) -> None:
    fields = fields_of(items)
    assert len(items_of(fields)) >= len({key for key, _ in items if key != "Horario"}) - 1


@given(FIELDS)
def test_fields_are_read_as_written(fields: Fields) -> None:
    items = read_items(write_items(items_of(fields)))
    assert fields_of(items, utc_offset=fields.utc_offset) == fields


def test_the_form_of_each_tag() -> None:
    fields = Fields(
        plates=("ABC1D23", ""),
        boxes=((10, 20, 120, 40), (5, 6, 7, 8)),
        plate_colours=(0, 1),
        country_codes=(55, 55),
        vehicles=(Vehicle(kind="car", percent=97, box=(1, 2, 3, 4)), Vehicle(kind="bus")),
        makes=(Make(brand="B", brand_percent=9, model="M", model_percent=8, colour="red", colour_percent=7),),
        at=1_700_000_000_123_456,
        utc_offset=-180,
        voted="ABC1D23",
        others=(("LprDevice", "gate; 1"),),
    )
    assert write_items(items_of(fields)) == (
        b"Placa=ABC1D23_0000000;CoordPlaca=10x20,120x40_5x6,7x8;CorPlaca=0_1;OCRCountryCode=55_55;PlateMV=ABC1D23;"
        b'ClassifierList=[1,97,1,2,3,4],[4,0,0,0,0,0];BMCList=["B",9,"M",8,"red",7];'
        b"Horario=14/11/23 19:13:20;TempoCaptura=1700000000123456;LprDevice=gate%3B 1;"
    )


def test_no_plate() -> None:
    assert write_items(items_of(Fields())) == b"Placa=0000000;"
    assert write_items(items_of(Fields(plates=("",)))) == b"Placa=0000000;"
    assert fields_of(read_items(b"Placa=0000000;")).plates == ()


def test_readers_that_know_nothing_of_escapes() -> None:
    comment = write_items([("Placa", "ABC1234"), ("Note", "a=b; c"), ("Sign", "00")])
    naive = dict(piece.split("=", 1) for piece in comment.decode("ascii").split(";") if piece)
    assert naive == {"Placa": "ABC1234", "Note": "a=b%3B c", "Sign": "00"}


def test_a_foreign_comment() -> None:
    fields = fields_of(
        read_items(b"Placa=AAA0000;Horario=01/02/24 03:04:05;ClassifierList=[2,88%,1,2,3,4];Ganho=3;;odd\0"),
        utc_offset=-180,
    )
    assert fields.plates == ("AAA0000",)
    assert fields.at == 1_706_767_445_000_000
    assert fields.vehicles == (Vehicle(kind="motorcycle", percent=88, box=(1, 2, 3, 4)),)
    assert fields.others == (("Ganho", "3"), ("odd", ""))


def test_what_the_form_cannot_carry() -> None:
    with pytest.raises(CommentError, match="needs a key"):
        write_items([("", "x")])
    with pytest.raises(CommentError, match="letters and digits"):
        items_of(Fields(plates=("A_B",)))
    with pytest.raises(CommentError, match="quotation"):
        items_of(Fields(makes=(Make(brand='a"b'),)))
    with pytest.raises(CommentError, match="two digits for the year"):
        local_time(5_000_000_000_000_000, 0)
    with pytest.raises(CommentError, match="outside the calendar"):
        local_time(10**18, 0)
    with pytest.raises(CommentError, match="more than 2048 items"):
        read_items(b"a=1;" * 3000)

"""The pure SQL of the search table, run against SQLite in memory."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core.search import (
    COLUMNS,
    SCHEMA,
    Cursor,
    PassageQuery,
    PassageRow,
    SearchError,
    count_sql,
    cursor_of,
    cursor_text,
    page,
    plate_pattern,
    search_sql,
    twin_plate,
)

PLATES = ["ABC1234", "ABC1C34", "KHN991", "KAA560", "BRA2E19", "", "ABC1235"]


def table(rows: list[tuple[str, int, str | None]]) -> sqlite3.Connection:
    """A catalogue with one row for each (plate, at, country)."""
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    for seq, (plate, at, country) in enumerate(rows, start=1):
        values: dict[str, object] = dict.fromkeys(COLUMNS, "")
        values.update(seq=seq, id=f"id{seq}", plate=plate, twin=twin_plate(plate, country), confidence=0.5)
        values.update(characters="[]", box="[0,0,1,1]", corners="[[0,0],[1,0],[1,1],[0,1]]", country=country)
        values.update(at=at, first_at=at, last_at=at, reads=1, decided=at, picture_width=1, picture_height=1)
        values.update(speed_kmh=None, signed_seq=None, lane=f"{seq % 2}", source="gate")
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        database.execute(f"INSERT INTO passages ({names}) VALUES ({marks})", tuple(values.values()))
    return database


def every_page(database: sqlite3.Connection, query: PassageQuery) -> list[PassageRow]:
    """Page until the end."""
    found: list[PassageRow] = []
    before: Cursor | None = None
    while True:
        asked = PassageQuery(
            plate=query.plate,
            since=query.since,
            until=query.until,
            lane=query.lane,
            oldest_first=query.oldest_first,
            limit=query.limit,
            before=before,
        )
        rows, more = page(database.execute(*search_sql(asked)).fetchall(), asked)
        found.extend(rows)
        if more is None:
            return found
        before = cursor_of(more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc-12", {"ABC1234", "ABC1C34", "ABC1235"}),
        ("1234", {"ABC1234", "ABC1C34"}),
        ("C34", {"ABC1234", "ABC1C34"}),
        ("K*", {"KHN991", "KAA560"}),
        ("K??5*", {"KAA560"}),
        ("A?C", set[str]()),
        ("*", set(PLATES)),
        ("[A-Z]", set[str]()),
    ],
)
def test_partial_plates_find_both_brazilian_forms(text: str, expected: set[str]) -> None:
    database = table([(plate, index, None) for index, plate in enumerate(PLATES)])
    assert {row.plate for row in every_page(database, PassageQuery(plate=text))} == expected


def test_a_plate_of_another_country_has_no_twin() -> None:
    assert twin_plate("ABC1234", "US") == ""
    assert twin_plate("ABC1234", "BR") == "ABC1C34"
    assert twin_plate("ABC1C34", None) == "ABC1234"


@given(
    times=st.lists(st.integers(0, 5), max_size=40),
    limit=st.integers(1, 7),
    oldest_first=st.booleans(),
    since=st.none() | st.integers(0, 5),
    until=st.none() | st.integers(0, 6),
)
def test_paging_shows_every_row_once_and_in_order(
    times: list[int], limit: int, oldest_first: bool, since: int | None, until: int | None
) -> None:
    database = table([("ABC1234", at, None) for at in times])
    query = PassageQuery(limit=limit, oldest_first=oldest_first, since=since, until=until)
    keys = [(row.at, row.seq) for row in every_page(database, query)]
    wanted = [(at, seq) for seq, at in enumerate(times, 1) if (since is None or at >= since)]
    wanted = [key for key in wanted if until is None or key[0] < until]
    assert keys == sorted(wanted, reverse=not oldest_first)
    assert database.execute(*count_sql(query)).fetchone() == (len(wanted),)


@given(st.text(max_size=40), st.integers(), st.integers())
def test_any_text_is_a_pattern_or_a_clear_error(text: str, since: int, until: int) -> None:
    database = table([("ABC1234", 1, None)])
    try:
        query = PassageQuery(plate=text, since=since, until=until)
        database.execute(*search_sql(query)).fetchall()
        plate_pattern(text)
    except SearchError as error:
        assert "plate" in str(error)


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_cursors_survive_their_text(at: int, seq: int) -> None:
    assert cursor_of(cursor_text((at, seq))) == (at, seq)


@given(st.text(max_size=40))
def test_a_foreign_cursor_is_refused(text: str) -> None:
    try:
        cursor_of(text)
    except SearchError as error:
        assert "cursor" in str(error)


@pytest.mark.parametrize("query", [PassageQuery(limit=0), PassageQuery(limit=10**6), PassageQuery(min_confidence=2)])
def test_impossible_queries_name_the_field(query: PassageQuery) -> None:
    with pytest.raises(SearchError, match=r"limit|min_confidence"):
        search_sql(query)

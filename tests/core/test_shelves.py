"""What lies in the tree: folders page by page, pictures as they were stored, a day's file of the size that is told."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpr.core import search, tree, tree_sql
from lpr.core.shelves import IMAGES, LINES, Entry, Opened, Shelves, Unavailable
from tests.core.shelf_rig import BASE, HOUR, Seen, fill, shelves

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 21)


async def names(there: Shelves, path: str) -> list[str]:
    node = tree.resolve(path)
    assert node is not None and not isinstance(node, tree.Image | tree.Report)
    return [entry.name async for entry in there.list(node)]


async def find(there: Shelves, path: str) -> Entry | None:
    node = tree.resolve(path)
    return None if node is None else await there.find(node)


async def opened(there: Shelves, path: str) -> Opened:
    node = tree.resolve(path)
    assert isinstance(node, tree.Image | tree.Report)
    file = await there.open(node)
    assert file is not None
    return file


async def content(there: Shelves, path: str, block: int = 65536) -> bytes:
    file = await opened(there, path)
    data = b""
    while piece := await file.read(len(data), block):
        data += piece
    await file.close()
    assert len(data) == file.size
    return data


async def test_folders_and_pictures(tmp_path: Path) -> None:
    fill(
        tmp_path,
        [
            Seen(at=BASE + 1_250_999),
            Seen(at=BASE + 2 * HOUR, plate="", jpeg=b"another"),
            Seen(at=BASE + 24 * HOUR, plate="京A12"),
            Seen(at=BASE + 3 * HOUR, jpeg=None, plate_jpeg=None),
        ],
    )
    there = shelves(tmp_path)
    assert await names(there, "/") == ["lists", "pictures", "plates", "records"]
    assert await names(there, "/lists") == []
    assert await names(there, "/pictures") == ["2026-11-21", "2026-11-22"]
    assert await names(there, "/plates/2026-11-21") == ["14", "16", "17"]
    assert await names(there, "/plates/2026-11-23") == []
    folder = "/pictures/2026-11-21/14"
    assert await names(there, folder) == ["20261121-140001-250_ABC1D23_1.jpg"]
    assert await names(there, "/pictures/2026-11-21/17") == []  # not signed yet
    assert await names(there, "/pictures/2026-11-21/16") == ["20261121-160000-000_unread_2.jpg"]
    assert await content(there, f"{folder}/20261121-140001-250_ABC1D23_1.jpg", block=3) == b"\xff\xd8signed\xff\xd9"
    plate = "/plates/2026-11-22/14/20261122-140000-000_other_3.jpg"
    assert await content(there, plate) == b"\xff\xd8plate\xff\xd9"
    assert await find(there, plate) == Entry("20261122-140000-000_other_3.jpg", False, 9, BASE + 24 * HOUR)
    assert await find(there, "/pictures/2026-11-21/14") == Entry("14", True, 0, BASE)
    assert await find(there, "/") == Entry("", True, 0, 0)


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/2026-11-20",
        "/pictures/2026-11-21/13",
        "/pictures/2026-11-21/14/20261121-140001-250_ABC1D23_2.jpg",
        "/pictures/2026-11-21/14/20261121-140001-251_ABC1D23_1.jpg",
        "/pictures/2026-11-21/14/20261121-140001-250_ABC1D24_1.jpg",
        "/records/2026-11-20.csv",
    ],
)
async def test_what_is_not_there(tmp_path: Path, path: str) -> None:
    fill(tmp_path, [Seen(at=BASE + 1_250_999)])
    there = shelves(tmp_path)
    assert await find(there, path) is None
    node = tree.resolve(path)
    assert not isinstance(node, tree.Image | tree.Report) or await there.open(node) is None


async def test_a_picture_that_retention_took_is_not_shown(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, keep=False)])
    there = shelves(tmp_path)
    assert await names(there, "/pictures/2026-11-21/14") == []
    path = "/pictures/2026-11-21/14/20261121-140000-000_ABC1D23_1.jpg"
    assert await find(there, path) is None
    node = tree.resolve(path)
    assert isinstance(node, tree.Image) and await there.open(node) is None


async def test_days_and_hours_are_local(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE + 11 * HOUR)])
    there = shelves(tmp_path, utc_offset=-180)
    assert await names(there, "/pictures/2026-11-21/22") == ["20261121-220000-000_ABC1D23_1.jpg"]
    assert await names(there, "/records") == ["2026-11-21.csv", "2026-11-21.json"]
    (record,) = json.loads(await content(there, "/records/2026-11-21.json"))
    assert record["at"] == "2026-11-22T01:00:00.000000Z"
    assert await content(there, record["picture"]) == b"\xff\xd8signed\xff\xd9"


async def test_many_pictures_and_lines_come_page_by_page(tmp_path: Path) -> None:
    count = LINES + IMAGES + 7
    fill(tmp_path, [Seen(at=BASE + number // 3) for number in range(count)])
    there = shelves(tmp_path)
    listed = await names(there, "/pictures/2026-11-21/14")
    assert len(set(listed)) == count
    records = json.loads(await content(there, "/records/2026-11-21.json", block=4096))
    assert [record["record"] for record in records] == list(range(1, count + 1))
    text = await content(there, "/records/2026-11-21.csv", block=999)
    assert len(list(csv.reader(io.StringIO(text.decode())))) == count + 1


async def test_a_days_file_is_read_from_anywhere(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE + number) for number in range(2 * LINES)])
    there = shelves(tmp_path)
    whole = await content(there, "/records/2026-11-21.csv")
    file = await opened(there, "/records/2026-11-21.csv")
    for offset in (len(whole) - 10, 0, 70_000, len(whole), len(whole) + 5, 3):
        assert await file.read(offset, 100) == whole[offset : offset + 100]


async def test_jumping_back_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpr.core.shelves.MAX_REWINDS", 2)
    monkeypatch.setattr("lpr.core.shelves.KEPT", 1000)
    fill(tmp_path, [Seen(at=BASE + number) for number in range(LINES)])
    there = shelves(tmp_path)
    file = await opened(there, "/records/2026-11-21.csv")
    for _ in range(2):
        assert len(await file.read(file.size - 1, 1)) == len(await file.read(0, 1)) == 1
    await file.read(file.size - 1, 1)
    with pytest.raises(Unavailable, match="from its beginning"):
        await file.read(0, 1)


async def test_a_day_that_grows_keeps_the_size_it_had_when_it_was_opened(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    there = shelves(tmp_path)
    file = await opened(there, "/records/2026-11-21.csv")
    first = await find(there, "/records/2026-11-21.csv")
    fill(tmp_path, [Seen(at=BASE), Seen(at=BASE + 1)])
    later = await find(there, "/records/2026-11-21.csv")
    assert first is not None and later is not None and later.size > first.size == file.size
    assert len(await file.read(0, 100_000)) == file.size


async def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    there = shelves(tmp_path)
    with pytest.raises(Unavailable, match="not been built"):
        await names(there, "/pictures")
    (tmp_path / search.FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match="can't be read"):
        await find(there, "/records/2026-11-21.csv")


def row_of(seen: Seen, form: tree.Form, utc_offset: int, folder: Path) -> tuple[Any, int]:
    fill(folder, [seen])
    connection = sqlite3.connect(folder / search.FILE_NAME)
    sql = tree_sql.lines_sql(form, -(2**62), 2**62, 10, utc_offset, tree_sql.BEGINNING, 5)
    line = connection.execute(*sql).fetchall()[0][2]
    size = connection.execute(*tree_sql.size_sql(form, -(2**62), 2**62, 10, utc_offset)).fetchone()[1]
    connection.close()
    return line, size


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(
        Seen,
        at=st.integers(0, 4 * 10**15),
        plate=st.one_of(st.from_regex("[A-Z0-9]{0,8}", fullmatch=True), st.text(max_size=40).filter("\0".__ne__)),
        lane=st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=10),
        make=st.none() | st.sampled_from(['a"b', "a,b", "a\nb", "é"]),
        plated=st.booleans(),
        jpeg=st.none(),
        plate_jpeg=st.none(),
    ),
    st.sampled_from([0, -180, 345]),
)
def test_the_lines_of_a_day_say_what_the_passage_says(tmp_path: Path, seen: Seen, utc_offset: int) -> None:
    if "\0" in seen.plate:
        return
    line, size = row_of(seen, "csv", utc_offset, tmp_path)
    assert size == len(line.encode())
    (values,) = csv.reader(io.StringIO(line, newline=""))
    found = dict(zip(tree_sql.COLUMNS, values, strict=True))
    image = tree.image_of("pictures", seen.at, seen.plate, 1, utc_offset)
    when = tree.local(seen.at, 0)
    assert found["picture"] == tree.path_of(image)
    assert found["at"] == when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert (found["plate"], found["lane"], found["make"]) == (seen.plate, seen.lane, seen.make or "")
    assert (found["confidence"], found["plated"], found["camera"]) == (
        "0.875",
        "yes" if seen.plated else "no",
        'gate "a"',
    )
    line, size = row_of(seen, "json", utc_offset, tmp_path)
    assert size == len(line.encode())
    entry = json.loads(line)
    assert tuple(entry) == tree_sql.COLUMNS
    assert (entry["plate"], entry["make"], entry["plated"]) == (seen.plate, seen.make, seen.plated)
    assert entry["plate_picture"] == tree.path_of(tree.image_of("plates", seen.at, seen.plate, 1, utc_offset))

"""The tree's paths: what can be named, and that nothing else can."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.core import tree

DAY = date(2026, 11, 21)
NAME = "20261121-143205-250_ABC1D23_4711.jpg"
HOUR = tree.Hour("pictures", DAY, 14)
IMAGE = tree.Image("pictures", DAY, 14, NAME, 4711)

offsets = st.sampled_from([-720, -180, 0, 60, 345, 840])
times = st.integers(86_400_000_000, 4_000_000_000_000_000)
pieces = st.sampled_from(
    ["..", ".", "", "pictures", "plates", "records", "lists", "2026-11-21", "14", NAME, "2026-11-21.csv", "etc", "\0"]
)


@pytest.mark.parametrize(
    ("path", "node"),
    [
        ("/", tree.Root()),
        ("", tree.Root()),
        ("/../../..", tree.Root()),
        ("/lists/", tree.Lists()),
        ("/records", tree.Records()),
        ("records/2026-11-21.json", tree.Report(DAY, "json")),
        ("/pictures", tree.Shelf("pictures")),
        ("//pictures/./2026-11-21/", tree.Day("pictures", DAY)),
        ("/plates/2026-11-21/../2026-11-21/00", tree.Hour("plates", DAY, 0)),
        (f"/pictures/2026-11-21/14/{NAME}", IMAGE),
        (f"/etc/../pictures/2026-11-21/14/{NAME}", IMAGE),
    ],
)
def test_what_a_path_stands_for(path: str, node: tree.Node) -> None:
    assert tree.resolve(path) == node


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/pictures/../../etc/passwd",
        "/pictures/2026-13-01",
        "/pictures/2026-02-30",
        "/pictures/0001-01-01",
        "/pictures/9988-12-31",
        "/pictures/２０２６-11-21",
        "/pictures/2026-11-21/24",
        "/pictures/2026-11-21/1",
        f"/pictures/2026-11-22/14/{NAME}",
        f"/pictures/2026-11-21/15/{NAME}",
        "/pictures/2026-11-21/14/20261121-143205-250_ABC1D23_0.jpg",
        "/pictures/2026-11-21/14/20261121-143205-250_ABC1D23_" + "9" * 19 + ".jpg",
        f"/pictures/2026-11-21/14/{NAME}/x",
        "/pictures\\2026-11-21",
        "/pictures/\0",
        "/records/2026-11-21.xml",
        "/records/2026-11-21.csv\n",
        "/" + "a" * 2000,
    ],
)
def test_what_is_no_path_of_the_tree(path: str) -> None:
    assert tree.resolve(path) is None


def test_a_relative_path_starts_at_its_folder() -> None:
    assert tree.resolve(NAME, "/pictures/2026-11-21/14") == IMAGE
    assert tree.resolve("../13", "/pictures/2026-11-21/14") == tree.Hour("pictures", DAY, 13)
    assert tree.absolute("../../..//x/.", "/pictures/2026-11-21") == "/x"
    assert tree.absolute("a\0b") == "/"


@given(st.lists(pieces, max_size=8), st.sampled_from(["/", ""]), st.sampled_from(["/", "/pictures", "/a/b"]))
def test_every_path_has_one_way_to_write_it(names: list[str], start: str, folder: str) -> None:
    path = start + "/".join(names)
    node = tree.resolve(path, folder)
    written = tree.absolute(path, folder)
    assert tree.absolute(written) == written and ".." not in written.split("/")
    if node is not None:
        assert tree.path_of(node) == written and tree.resolve(written) == node
        assert tree.name_of(node) == written.rpartition("/")[2]


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_is_answered(path: str, folder: str) -> None:
    node = tree.resolve(path, folder)
    assert node is None or tree.resolve(tree.path_of(node)) == node


@given(times, st.from_regex(r"[A-Z0-9]{0,10}", fullmatch=True), st.integers(1, 10**17), offsets)
def test_a_passage_is_found_under_its_own_name(at: int, plate: str, record: int, offset: int) -> None:
    image = tree.image_of("plates", at, plate, record, offset)
    assert tree.resolve(tree.path_of(image)) == image
    for node in (tree.Hour("plates", image.day, image.hour), tree.Day("plates", image.day)):
        since, until = tree.span_of(node, offset)
        assert since <= at < until


def test_names_of_pictures() -> None:
    at = 1_795_271_525_250_999
    assert tree.image_of("pictures", at, "ABC1D23", 4711, 0).name.endswith("-250_ABC1D23_4711.jpg")
    assert "_unread_" in tree.image_of("pictures", at, "", 4711, 0).name
    assert "_other_" in tree.image_of("pictures", at, "京A/..", 4711, 0).name

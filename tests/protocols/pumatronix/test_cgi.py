"""What is asked for of a snapshot, and several pictures in one body, read as Python's own reader of MIME reads them."""

from __future__ import annotations

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.pumatronix.cgi import (
    MJPEG_BOUNDARY,
    MULTIPART,
    SNAPSHOT_BOUNDARY,
    CgiError,
    Snapshot,
    multipart,
    part,
    snapshot_of,
)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ([], Snapshot()),
        ([("s", "500,1000,2000"), ("g", "1,2")], Snapshot(exposures=3)),
        ([("g", "40")], Snapshot(exposures=1)),
        ([("q", "80"), ("fmt", "jpg"), ("m", "0"), ("c", "-1"), ("t", "")], Snapshot(quality=80)),
        ([("q", "-1"), ("fmt", "")], Snapshot()),
        ([("User_lane", "a;b=c"), ("unknown", "x")], Snapshot(texts=(("User_lane", "a;b=c"),))),
    ],
)
def test_what_is_asked_for(parameters: list[tuple[str, str]], wanted: Snapshot) -> None:
    assert snapshot_of(parameters) == wanted


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("s", "1,,2", "s: numbers"),
        ("s", "x", "s: numbers"),
        ("g", ",".join("1" * 9), "9 exposures"),
        ("q", "0", "q: 1 to 100"),
        ("q", "101", "q: 1 to 100"),
        ("q", "٨", "q: 1 to 100"),
        ("fmt", "png", "fmt: jpg"),
        ("m", "1", "no mosaic"),
        ("c", "2", "no scenario"),
        ("r", "0,0,10,10", "no crop"),
        ("t", "hello", "no text overlay"),
        ("User_a b", "x", "User_"),
        ("User_a", "x" * 300, "User_"),
    ],
)
def test_what_is_refused(key: str, value: str, says: str) -> None:
    with pytest.raises(CgiError, match=says):
        snapshot_of([(key, value)])


def test_texts_are_bounded() -> None:
    with pytest.raises(CgiError, match="at most 16"):
        snapshot_of([(f"User_{number}", "x") for number in range(17)])


@given(
    st.lists(st.tuples(st.sampled_from(["s", "g", "q", "m", "fmt", "User_x", ""]) | st.text(), st.text()), max_size=9)
)
def test_any_parameters_are_answered(parameters: list[tuple[str, str]]) -> None:
    try:
        asked = snapshot_of(parameters)
    except CgiError:
        return
    assert 0 <= asked.exposures <= 8 and len(asked.texts) <= 16


@given(st.lists(st.binary(max_size=200).map(lambda data: data.replace(b"snapshot", b"")), min_size=2, max_size=8))
def test_several_pictures_in_one_body(pictures: list[bytes]) -> None:
    pictures = [b"\xff\xd8" + picture + b"\xff\xd9" for picture in pictures]
    read = message_from_bytes(f"Content-Type: {MULTIPART}\r\n\r\n".encode() + multipart(pictures))
    parts = [one for one in read.walk() if not one.is_multipart()]
    assert not read.defects
    for index, (one, picture) in enumerate(zip(parts, pictures, strict=True)):
        assert one.get_content_type() == "image/jpeg" and one["X-Frame-Index"] == str(index)
        assert one["Content-Length"] == str(len(picture))
    assert multipart(pictures).endswith(pictures[-1] + f"\r\n--{SNAPSHOT_BOUNDARY}--\r\n".encode())


def test_a_picture_of_the_stream() -> None:
    assert part(b"JPEG", MJPEG_BOUNDARY) == (
        b"--MjpegBoundary\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\nJPEG\r\n"
    )

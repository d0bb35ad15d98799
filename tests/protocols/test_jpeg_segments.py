"""Taking JPEGs apart and putting comments in: strict, bounded, and nothing raised but JpegError."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.vtr600.segments import (
    MAX_COMMENT,
    JpegError,
    insert_comment,
    last_comment,
    remove_comments,
    replace_comment,
    split,
)


def picture(width: int = 48, height: int = 32, *options: int) -> bytes:
    """A small JPEG with some detail."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85, *options])[1].tobytes()


PLAIN = picture()
PROGRESSIVE = picture(48, 32, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = picture(64, 48, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
KINDS = (PLAIN, PROGRESSIVE, RESTARTS)


def joined(data: bytes) -> bytes:
    jpeg = split(data)
    return b"".join(jpeg.raw(part) for part in jpeg.parts)


@pytest.mark.parametrize("data", KINDS, ids=("baseline", "progressive", "restarts"))
def test_every_byte_belongs_to_one_part(data: bytes) -> None:
    jpeg = split(data)
    assert joined(data) == data
    names = [part.name for part in jpeg.parts]
    assert names[0] == "SOI"
    assert names[-1] == "EOI"
    assert "scan" in names
    assert names.count("SOS") == (1 if data is not PROGRESSIVE else names.count("scan"))


def test_what_follows_the_end_is_kept() -> None:
    assert [p.name for p in split(PLAIN + b"more").parts][-1] == "trailer"
    assert joined(PLAIN + b"more") == PLAIN + b"more"


def test_fill_bytes_may_stand_before_a_marker() -> None:
    at = split(PLAIN).parts[1].start
    filled = PLAIN[:at] + b"\xff\xff" + PLAIN[at:]
    assert joined(filled) == filled


@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    for candidate in (data, b"\xff\xd8" + data, PLAIN[:180] + data):
        try:
            assert joined(candidate) == candidate
        except JpegError as error:
            assert str(error)


@given(st.sampled_from(KINDS), st.data())
def test_damaged_pictures_raise_nothing_else(data: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data)))
    end = draw.draw(st.integers(start, min(start + 20, len(data))))
    damaged = data[:start] + draw.draw(st.binary(max_size=20)) + data[end:]
    try:
        assert joined(damaged) == damaged
    except JpegError as error:
        assert str(error)


@given(st.integers(0, len(PLAIN) - 1))
def test_a_picture_cut_short_is_refused(length: int) -> None:
    with pytest.raises(JpegError):
        split(PLAIN[:length])


def test_limits() -> None:
    with pytest.raises(JpegError, match="more than the 100 taken"):
        split(PLAIN, max_bytes=100)
    many = PLAIN[:2] + b"\xff\xfe\x00\x02" * 50 + PLAIN[2:]
    with pytest.raises(JpegError, match="more than 40 segments"):
        split(many, max_parts=40)
    assert len(split(many).comments()) == 50


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "no JPEG"),
        (b"GIF89a", "no JPEG"),
        (b"\xff\xd8\xff\xd9", "before any picture data"),
        (b"\xff\xd8\xff\xfe\x00\x01", "at least 2"),
        (b"\xff\xd8\xff\xfe\x00\x50abc", "cut short"),
        (b"\xff\xd8\xff\xfe\x00", "within the length"),
        (b"\xff\xd8\xff\x00", "FF 00"),
        (b"\xff\xd8\xff\xda\x00\x02", "before any frame header"),
        (b"\xff\xd8\xff\xd8", "no place there"),
        (b"\xff\xd8\x00", "where a marker"),
        (b"\xff\xd8\xff", "within a marker"),
    ],
)
def test_the_error_names_what_is_wrong(data: bytes, text: str) -> None:
    with pytest.raises(JpegError, match=text):
        split(data)


@pytest.mark.parametrize("data", KINDS, ids=("baseline", "progressive", "restarts"))
@given(comment=st.binary(max_size=300))
def test_a_comment_in_and_out_again(data: bytes, comment: bytes) -> None:
    with_comment = insert_comment(data, comment)
    assert last_comment(with_comment) == comment
    assert remove_comments(with_comment) == data
    part = split(with_comment).comments()[-1]
    assert replace_comment(with_comment, part, None) == data
    other = replace_comment(with_comment, part, b"other")
    assert last_comment(other) == b"other"
    assert remove_comments(other) == data


def test_the_pixels_stay() -> None:
    before = cv2.imdecode(np.frombuffer(PLAIN, np.uint8), cv2.IMREAD_COLOR)
    after = cv2.imdecode(np.frombuffer(insert_comment(PLAIN, b"Placa=ABC1234;"), np.uint8), cv2.IMREAD_COLOR)
    assert before is not None
    assert after is not None
    assert np.array_equal(before, after)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4))
def test_readers_that_scan_back_meet_the_last_comment(earlier: list[bytes]) -> None:
    data = PLAIN
    for comment in (*earlier, b"Placa=ABC1234;"):
        data = insert_comment(data, comment)
    at = data.rfind(b"\xff\xfe")
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    assert data[at + 4 : at + 2 + length] == b"Placa=ABC1234;"


def test_the_longest_comment() -> None:
    longest = b"x" * MAX_COMMENT
    assert last_comment(insert_comment(PLAIN, longest)) == longest
    with pytest.raises(JpegError, match="65534 bytes: a JPEG segment holds 65533"):
        insert_comment(PLAIN, longest + b"x")


def test_only_a_comment_is_replaced() -> None:
    with pytest.raises(JpegError, match="no comment"):
        replace_comment(PLAIN, split(PLAIN).parts[1], b"")
    assert last_comment(PLAIN) is None

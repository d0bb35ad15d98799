"""Descriptions of streams, and the addresses of streams and tracks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtsp import base_of, control_of, describe, split_address

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "rtsp" / "main.sdp"
VIDEO = ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=42C01F")
AUDIO = ("m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000")
METADATA = ("m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000")


def test_the_form_that_real_clients_accept() -> None:
    made = describe(
        session=1_750_000_000,
        name="Gate main",
        host="192.0.2.1",
        tracks=[(0, VIDEO), (1, AUDIO), (2, METADATA)],
    )
    assert made == GOLDEN.read_bytes()


def test_an_address_of_ipv6_and_a_name_that_is_none() -> None:
    made = describe(session=1, name="a\r\nb", host="::1", tracks=[(0, VIDEO)]).decode()
    assert "o=- 1 1 IN IP6 ::1\r\ns=a b\r\nc=IN IP6 ::\r\n" in made
    assert "s=-\r\n" in describe(session=1, name="", host="::1", tracks=[]).decode()


@pytest.mark.parametrize("lines", [(), ("a=x",), ("m=video 0 RTP/AVP 96", "a=x\r\nm=audio")])
def test_lines_that_are_none_are_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="track 0"):
        describe(session=1, name="x", host="h", tracks=[(0, lines)])


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("rtsp://h:8554/main", ("main", None)),
        ("rtsp://h:8554/main/", ("main", None)),
        ("rtsp://h", ("", None)),
        ("rtsp://h/", ("", None)),
        ("*", ("", None)),
        ("/main/trackID=2", ("main", 2)),
        ("rtsps://h/main/trackID=0", ("main", 0)),
        ("RTSP://H/main/TRACKID=1/", ("main", 1)),
        ("rtsp://h/main?transportmode=unicast&profile=1", ("main", None)),
        ("rtsp://h/main/?x=/trackID=1", ("main", 1)),
        ("rtsp://h/main?a=b/trackID=1", ("main", 1)),
        ("rtsp://user:word@h/a/b/streamid=3", ("a/b", 3)),
        ("http://h/main", ("main", None)),
        ("ftp://h/main", None),
        ("main", None),
    ],
)
def test_addresses(url: str, found: object) -> None:
    assert split_address(url) == found


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("rtsp://h/main", "rtsp://h/main/"),
        ("rtsp://h/main/", "rtsp://h/main/"),
        ("rtsp://h/main?x=1", "rtsp://h/main/"),
    ],
)
def test_the_base_of_a_description(url: str, base: str) -> None:
    assert base_of(url) == base


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True), st.integers(0, 99))
def test_a_control_below_its_base_is_found_again(name: str, track: int) -> None:
    assert split_address(base_of(f"rtsp://h:8554/{name}") + control_of(track)) == (name, track)


@given(st.text(max_size=100))
def test_no_address_raises(url: str) -> None:
    found = split_address(url)
    assert found is None or not found[0].startswith("/")

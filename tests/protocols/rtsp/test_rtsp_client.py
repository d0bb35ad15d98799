"""The client's side of RTSP: descriptions read, controls joined, answers paired."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtsp import Interleaved, Request, describe
from lpr.protocols.rtsp.client import Answer, Client, Media, control_url, media_of

URL = "rtsp://192.0.2.1/main"


class Pass:
    """Credentials that answer every second challenge."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def challenged(self, fields: Iterable[str]) -> bool:
        self.asked.append(tuple(fields))
        return len(self.asked) == 1

    def answer(self, method: str, target: str) -> str | None:
        return f"Digest {method} {target}" if self.asked else None


def answers(client: Client, data: bytes) -> list[Answer]:
    client.receive(data)
    return [event for event in client.events() if isinstance(event, Answer)]


def test_requests_are_numbered_and_answers_paired() -> None:
    client = Client()
    assert client.ask("OPTIONS", "*") == b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: lpr\r\n\r\n"
    client.ask("DESCRIBE", URL)
    described, options = answers(client, b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\nRTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n")
    assert (described.request.method, described.matched) == ("DESCRIBE", True)
    assert (options.request.method, options.response.status) == ("OPTIONS", 404)


def test_an_answer_without_its_number_is_that_of_the_oldest_request() -> None:
    client = Client()
    client.ask("OPTIONS", "*")
    (answer,) = answers(client, b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\nRTSP/1.0 200 OK\r\n\r\n")
    assert (answer.request.method, answer.matched, answer.told) == ("OPTIONS", False, "7")


def test_the_session_is_kept_with_its_time() -> None:
    client = Client()
    client.ask("SETUP", URL)
    answers(client, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: abc;timeout=30\r\n\r\n")
    assert (client.session, client.timeout) == ("abc", 30)
    assert b"Session: abc\r\n" in client.ask("PLAY", URL)


def test_a_challenge_is_answered_once() -> None:
    client = Client(Pass())
    client.ask("DESCRIBE", URL, (("Accept", "application/sdp"),))
    refusal = (
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: %d\r\nWWW-Authenticate: Digest a\r\nWWW-Authenticate: Basic b\r\n\r\n"
    )
    (answer,) = answers(client, refusal % 1)
    again = client.again(answer)
    assert again is not None and b"Authorization: Digest DESCRIBE" in again and b"Accept: application/sdp" in again
    (answer,) = answers(client, refusal % 2)
    assert client.again(answer) is None
    assert Client().again(answer) is None


def test_frames_and_requests_of_the_server_come_in_between() -> None:
    client = Client()
    client.receive(b"$\0\0\2abOPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n")
    frame, request = client.events()
    assert frame == Interleaved(0, b"ab") and isinstance(request, Request)
    assert client.decline(request).startswith(b"RTSP/1.0 501 Not Implemented\r\nCSeq: 9\r\n")


def test_our_own_description_is_read() -> None:
    told = describe(
        session=1,
        name="x",
        host="192.0.2.1",
        tracks=[(0, ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000")),
                (2, ("m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000"))],
    )  # fmt: skip
    control, media = media_of(told)
    assert control == "*"
    assert [(one.kind, one.encoding, one.clock, one.control) for one in media] == [
        ("video", "H264", 90000, "trackID=0"),
        ("application", "vnd.onvif.metadata", 90000, "trackID=2"),
    ]


@pytest.mark.parametrize(
    ("base", "session", "control", "found"),
    [
        ("rtsp://h/main/", "*", "trackID=1", "rtsp://h/main/trackID=1"),
        ("rtsp://h/main", "", "trackID=1", "rtsp://h/main/trackID=1"),
        ("rtsp://h/main", "", "/other/1", "rtsp://h/other/1"),
        ("rtsp://h/main", "rtsp://h/x/", "t", "rtsp://h/x/t"),
        ("rtsp://h/main", "*", "rtsp://g/t", "rtsp://g/t"),
        ("rtsp://h/main", "*", "", "rtsp://h/main"),
        ("rtsp://h/main", "*", "*", "rtsp://h/main"),
    ],
)
def test_controls_are_joined_as_rfc_2326_says(base: str, session: str, control: str, found: str) -> None:
    assert control_url(base, session, control) == found


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: ("v=0\nm=application 0 RTP/AVP " + text).encode())
)
def test_no_description_raises(data: bytes) -> None:
    _, media = media_of(data)
    assert all(isinstance(one, Media) for one in media)

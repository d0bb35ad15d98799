"""Messages of RTSP in any portions, whole and broken; what is answered to what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtsp import (
    Interleaved,
    Message,
    Parser,
    ProtocolError,
    Request,
    Response,
    encode_interleaved,
    encode_request,
    encode_response,
)

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "rtsp"
TOKEN = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,12}", fullmatch=True)
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
HEADERS = st.lists(st.tuples(TOKEN.filter(lambda name: name.lower() != "content-length"), VALUE), max_size=6).map(tuple)
BODY = st.binary(max_size=80)
URL = st.from_regex(r"rtsp://[a-z0-9.]{1,12}(:[0-9]{1,5})?/[a-zA-Z0-9/=?&._-]{0,30}", fullmatch=True)
REQUESTS = st.builds(Request, TOKEN.map(str.upper), URL, st.just("RTSP/1.0"), HEADERS, BODY)
RESPONSES = st.builds(Response, st.integers(100, 599), HEADERS, BODY, st.just("Reason given"))
FRAMES = st.builds(Interleaved, st.integers(0, 255), st.binary(max_size=80))
MESSAGES = st.one_of(REQUESTS, RESPONSES, FRAMES)


def encoded(message: Message) -> bytes:
    """The bytes of any message."""
    match message:
        case Request():
            return encode_request(message)
        case Response():
            return encode_response(message)
        case Interleaved():
            return encode_interleaved(message.channel, message.data)


def without_length(message: Message) -> Message:
    """As it was before its body's length was written among its headers."""
    match message:
        case Request(method, url, version, headers, body):
            return Request(method, url, version, tuple(h for h in headers if h[0] != "Content-Length"), body)
        case Response(status, headers, body, reason, version):
            return Response(status, tuple(h for h in headers if h[0] != "Content-Length"), body, reason, version)
        case Interleaved():
            return message


def parsed(parser: Parser, data: bytes) -> list[Message]:
    """Everything that is whole."""
    parser.feed(data)
    found: list[Message] = []
    while (message := parser.next()) is not None:
        found.append(message)
    return found


@given(st.lists(MESSAGES, max_size=5), st.integers(1, 50))
def test_requests_answers_and_frames_mixed_come_back_as_they_were(messages: list[Message], portion: int) -> None:
    stream = b"".join(map(encoded, messages))
    parser = Parser()
    found: list[Message] = []
    for at in range(0, len(stream), portion):
        found += parsed(parser, stream[at : at + portion])
    assert [without_length(message) for message in found] == messages
    assert not parser.begun


def test_a_conversation_as_real_clients_lead_it() -> None:
    parser = Parser()
    found = parsed(parser, (GOLDEN / "ffmpeg-5.1.requests").read_bytes())
    methods = [message.method for message in found if isinstance(message, Request)]
    assert methods == ["OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    found = parsed(Parser(), (GOLDEN / "gstreamer-1.22.requests").read_bytes())
    methods = [message.method for message in found if isinstance(message, Request)]
    assert methods == ["OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]


def test_what_clients_do_differently_is_taken() -> None:
    data = b"\r\n\r\nOPTIONS * RTSP/1.0\nCSeq:1\nUser-Agent: a\n b\n\n\r\nPLAY rtsp://h/m RTSP/1.0\r\ncseq : 2\r\n\r\n"
    first, second = parsed(Parser(), data)
    assert isinstance(first, Request) and isinstance(second, Request)
    assert (first.header("cseq"), first.header("User-Agent")) == ("1", "a b")
    assert second.header("CSeq") == "2"


def test_fields_of_one_name_are_joined() -> None:
    (message,) = parsed(Parser(), b"SETUP * RTSP/1.0\r\nTransport: a\r\nTRANSPORT: b\r\n\r\n")
    assert isinstance(message, Request)
    assert (message.header("Transport"), message.all("transport"), message.header("X")) == ("a, b", ("a", "b"), None)


@pytest.mark.parametrize(
    ("data", "offence", "status"),
    [
        (b"\x16\x03\x01\x02\x00", "bad start", 0),
        (b"OPTIONS\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0 more\r\n\r\n", "bad head", 400),
        (b"OPTIONS * SIP/2.0\r\n\r\n", "bad head", 400),
        (b"OPTIONS rtsp://h/m\xc2\xa0 RTSP/1.0\r\n\r\n", "bad head", 400),
        (b"OPT(ONS * RTSP/1.0\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nCSeq\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\n folded\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\x00\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\rX: 2\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nContent-Length: 9999\r\n\r\n", "too long", 413),
        (b"OPTIONS " + b"a" * 3000 + b" RTSP/1.0\r\n\r\n", "too long", 413),
        (b"OPTIONS * RTSP/1.0\r\nX: " + b"a" * 9000, "too long", 413),
        (b"OPTIONS * RTSP/1.0\r\nX: " + b"a" * 9000 + b"\r\n\r\n", "too long", 413),
        (b"OPTIONS * RTSP/1.0\r\n" + b"X: 1\r\n" * 100 + b"\r\n", "too long", 413),
        (b"$\x00\xff\xff", "too long", 0),
        (b"RTSP/1.0 2x0 OK\r\n\r\n", "bad head", 400),
    ],
)
def test_what_is_broken_is_refused_at_once_and_for_good(data: bytes, offence: str, status: int) -> None:
    parser = Parser()
    with pytest.raises(ProtocolError) as caught:
        parsed(parser, data)
    assert (caught.value.offence, caught.value.status) == (offence, status)
    assert parsed(parser, b"OPTIONS * RTSP/1.0\r\n\r\n") == []
    assert parser.buffered == 0


def test_behind_an_http_request_everything_is_raw() -> None:
    parser = Parser()
    (message,) = parsed(parser, b"POST /main HTTP/1.0\r\nContent-Length: 32767\r\n\r\nT1BUSU9O")
    assert isinstance(message, Request) and message.version == "HTTP/1.0"
    assert parser.raw and parser.take_raw() == b"T1BUSU9O"
    assert parsed(parser, b"UyAq") == []
    assert parser.take_raw() == b"UyAq"


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\x00"])
def test_no_header_leaves_that_would_be_two(value: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        encode_response(Response(200, (("X", value),)))
    with pytest.raises(ValueError, match="characters"):
        encode_request(Request("OPTIONS", value))


def test_a_packet_too_long_for_its_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="interleaved"):
        encode_interleaved(0, bytes(65536))
    with pytest.raises(ValueError, match="interleaved"):
        encode_interleaved(256, b"")

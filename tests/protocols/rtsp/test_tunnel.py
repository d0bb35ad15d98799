"""RTSP through HTTP: the two halves, and the Base64 between them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.rtsp import Decoder, ProtocolError, Request, Tunnels, http_refusal, opening, tunnel_cookie


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.integers(1, 30), st.booleans())
def test_every_message_comes_out_whatever_the_portions(parts: list[bytes], portion: int, lines: bool) -> None:
    stream = b"".join(base64.encodebytes(part) if lines else base64.b64encode(part) for part in parts)
    decoder = Decoder()
    found = b"".join(decoder.feed(stream[at : at + portion]) for at in range(0, len(stream), portion))
    assert found == b"".join(parts)
    assert decoder.buffered == 0


@pytest.mark.parametrize("data", [b"OPTI\x00", b"a*cd", b"====", b"A===", b"QUJ=QQ=A"])
def test_what_is_no_base64_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        Decoder().feed(data)
    assert caught.value.offence == "bad tunnel"


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_random_bytes_raise_nothing_else_and_fill_nothing(parts: list[bytes]) -> None:
    decoder = Decoder()
    for part in parts:
        try:
            decoder.feed(part)
        except ProtocolError:
            return
        assert decoder.buffered < 4


def test_a_tunnel_is_asked_for_with_a_cookie() -> None:
    def asked(method: str, *headers: tuple[str, str]) -> str | None:
        return tunnel_cookie(Request(method, "/main", "HTTP/1.0", headers))

    assert asked("GET", ("x-sessioncookie", "abc")) == "abc"
    assert asked("POST", ("X-SessionCookie", "abc")) == "abc"
    assert asked("PUT", ("x-sessioncookie", "abc")) is None
    assert asked("GET") is None
    assert asked("GET", ("x-sessioncookie", "a b")) is None
    assert asked("GET", ("x-sessioncookie", "a" * 129)) is None


def test_the_answers() -> None:
    assert opening().startswith(b"HTTP/1.0 200 OK\r\n") and opening().endswith(b"application/x-rtsp-tunnelled\r\n\r\n")
    assert http_refusal(404, "Not Found").endswith(b"Content-Length: 0\r\n\r\n")


def test_a_post_finds_its_own_get_alone() -> None:
    tunnels: Tunnels[str] = Tunnels()
    assert tunnels.add("abc", "192.0.2.1", "one")
    assert not tunnels.add("abc", "192.0.2.1", "two")
    assert tunnels.add("abc", "192.0.2.2", "two")
    assert (tunnels.find("abc", "192.0.2.1"), tunnels.find("abc", "192.0.2.3")) == ("one", None)
    tunnels.remove("abc", "192.0.2.1")
    assert tunnels.find("abc", "192.0.2.1") is None
    assert len(tunnels) == 1

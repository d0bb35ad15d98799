"""Tokens: ours are read, nobody else's are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.pumatronix.tokens import Claims, Level, check, issue

SECRET = b"s" * 32
CLAIMS = Claims(sub="nvr", level="operator", exp=2000, iat=1000)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_is_a_json_web_token() -> None:
    header, body, signature = issue(SECRET, CLAIMS).split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": "nvr", "level": "operator", "exp": 2000, "iat": 1000}
    assert json.loads(base64.urlsafe_b64decode(body + "==")) == claims
    wanted = hmac.new(SECRET, f"{header}.{body}".encode(), hashlib.sha256).digest()
    assert signature == b64(wanted)


@given(st.text(max_size=64), st.sampled_from(["user", "operator", "administrator"]), st.integers(0, 2**40))
def test_round_trip(name: str, level: Level, at: int) -> None:
    if any("\ud800" <= char <= "\udfff" for char in name):
        return
    claims = Claims(sub=name, level=level, exp=at + 1, iat=at)
    assert check(SECRET, issue(SECRET, claims)) == claims


@pytest.mark.parametrize("alg", ["none", "HS512", "RS256", "hs256"])
def test_another_algorithm_is_not_believed(alg: str) -> None:
    head = b64(json.dumps({"alg": alg, "typ": "JWT"}).encode())
    body = issue(SECRET, CLAIMS).split(".")[1]
    signature = b64(hmac.new(SECRET, f"{head}.{body}".encode(), hashlib.sha256).digest())
    assert check(SECRET, f"{head}.{body}.{signature}") is None
    assert check(SECRET, f"{head}.{body}.") is None


def test_what_is_not_ours() -> None:
    token = issue(SECRET, CLAIMS)
    head, body, signature = token.split(".")
    other = b64(json.dumps({"sub": "nvr", "level": "administrator", "exp": 9000, "iat": 1}).encode())
    bad_level = b64(json.dumps({"sub": "nvr", "level": "god", "exp": 9000, "iat": 1}).encode())
    signed = b64(hmac.new(SECRET, f"{head}.{bad_level}".encode(), hashlib.sha256).digest())
    for wrong in (
        issue(b"x" * 32, CLAIMS), f"{head}.{other}.{signature}", f"{head}.{bad_level}.{signed}", token[:-1],
        token + "A",
        "", ".", "..", f"{head}.{body}", "é" * 10, "A" * 5000, token + " ",
    ):  # fmt: skip
        assert check(SECRET, wrong) is None


@given(st.text(max_size=200))
def test_any_text_is_no_token(text: str) -> None:
    assert check(SECRET, text) is None

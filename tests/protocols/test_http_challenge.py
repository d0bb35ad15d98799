"""Challenges and the check of their answers, against the answering side and against what an attacker would send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.http_auth import Authenticator, Challenger, Method, basic
from lpr.protocols.http_auth.challenge import MAX_NONCES, WINDOW, parse

SECOND = 1_000_000
PASSWORDS = {"nvr": "correct horse"}


def challenger(*methods: Method) -> Challenger:
    return Challenger("lpr", b"secret", methods=methods or ("digest-sha256", "digest-md5", "basic"), life=60.0)


def test_the_strongest_is_offered_first() -> None:
    schemes = [text.split(" ")[0] + ("SHA-256" if "SHA-256" in text else "") for text in challenger().challenges(0)]
    assert schemes == ["DigestSHA-256", "Digest", "Basic"]


@given(
    method=st.sampled_from(["GET", "POST", "DESCRIBE"]),
    path=st.from_regex(r"/[a-z0-9/._-]{0,30}", fullmatch=True),
    now=st.integers(0, 10**15),
    offered=st.sampled_from(["digest-sha256", "digest-md5", "basic"]),
    password=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
)
def test_whoever_knows_the_password_is_known(method: str, path: str, now: int, offered: Method, password: str) -> None:
    ours = challenger(offered)
    client = Authenticator("nvr", password)
    assert client.challenged(ours.challenges(now))
    for cnonce in ("one", "two"):
        header = client.answer(method, path, cnonce)
        assert ours.check(header, method, path, {"nvr": password}.get, now).user == "nvr"
    wrong = Authenticator("nvr", password + "x")
    wrong.challenged(ours.challenges(now))
    assert ours.check(wrong.answer(method, path, "three"), method, path, {"nvr": password}.get, now).user is None


def answered(ours: Challenger, now: int, target: str = "/x") -> str:
    client = Authenticator("nvr", PASSWORDS["nvr"])
    assert client.challenged(ours.challenges(now))
    header = client.answer("GET", target, "c")
    assert header is not None
    return header


def test_an_answer_is_good_once() -> None:
    ours = challenger()
    header = answered(ours, 0)
    assert ours.check(header, "GET", "/x", PASSWORDS.get, 0).user == "nvr"
    again = ours.check(header, "GET", "/x", PASSWORDS.get, 0)
    assert again.user is None and again.stale


def test_an_old_nonce_is_stale_and_a_foreign_one_too() -> None:
    ours = challenger()
    late = ours.check(answered(ours, 0), "GET", "/x", PASSWORDS.get, 61 * SECOND)
    assert (late.user, late.stale) == (None, True)
    foreign = Challenger("lpr", b"another secret", life=60.0)
    verdict = ours.check(answered(foreign, 0), "GET", "/x", PASSWORDS.get, 0)
    assert (verdict.user, verdict.stale) == (None, True)


def test_an_answer_for_another_address_or_method_is_none() -> None:
    ours = challenger()
    assert ours.check(answered(ours, 0), "GET", "/y", PASSWORDS.get, 0).user is None
    assert ours.check(answered(ours, 0), "POST", "/x", PASSWORDS.get, 0).user is None
    assert ours.check(answered(ours, 0, "rtsp://host/x/"), "GET", "/x", PASSWORDS.get, 0).user == "nvr"


def test_what_is_not_offered_is_refused() -> None:
    assert challenger("digest-md5").check(basic("nvr", "correct horse"), "GET", "/", PASSWORDS.get, 0).user is None
    assert challenger("basic").check(answered(challenger(), 0), "GET", "/x", PASSWORDS.get, 0).user is None


def test_an_unknown_user_with_an_empty_password_is_nobody() -> None:
    ours = challenger()
    client = Authenticator("stranger", "")
    client.challenged(ours.challenges(0))
    assert ours.check(client.answer("GET", "/x", "c"), "GET", "/x", PASSWORDS.get, 0).user is None
    assert ours.check(basic("stranger", ""), "GET", "/x", PASSWORDS.get, 0).user is None


@given(order=st.permutations(range(1, 12)))
def test_counts_may_come_in_any_order_each_once(order: list[int]) -> None:
    ours = challenger("digest-md5")
    client = Authenticator("nvr", PASSWORDS["nvr"])
    client.challenged(ours.challenges(5))
    headers = {count: client.answer("GET", "/x", "c") for count in range(1, 12)}
    for count in order:
        assert ours.check(headers[count], "GET", "/x", PASSWORDS.get, 5).user == "nvr"
    for count in order:
        assert ours.check(headers[count], "GET", "/x", PASSWORDS.get, 5).user is None


def test_a_count_far_behind_is_refused() -> None:
    ours = challenger("digest-md5")
    client = Authenticator("nvr", PASSWORDS["nvr"])
    client.challenged(ours.challenges(5))
    first = client.answer("GET", "/x", "c")
    last = [client.answer("GET", "/x", "c") for _ in range(WINDOW)][-1]
    assert ours.check(last, "GET", "/x", PASSWORDS.get, 5).user == "nvr"
    assert ours.check(first, "GET", "/x", PASSWORDS.get, 5).user is None


def test_memory_stays_bounded_and_forgotten_nonces_are_stale() -> None:
    ours = challenger("digest-md5")
    first = answered(ours, 0)
    assert ours.check(first, "GET", "/x", PASSWORDS.get, 0).user == "nvr"
    for now in range(1, MAX_NONCES + 1):
        assert ours.check(answered(ours, now), "GET", "/x", PASSWORDS.get, now).user == "nvr"
    assert ours.check(first, "GET", "/x", PASSWORDS.get, 0).stale


@given(st.text(max_size=200) | st.text(max_size=200).map(lambda text: "Digest " + text))
def test_nothing_sent_raises(text: str) -> None:
    parse(text)
    assert challenger().check(text, "GET", "/", PASSWORDS.get, 0).user is None


@pytest.mark.parametrize(
    "text", ["Basic !!!", "Basic bm9jb2xvbg==", "Digest a=1, a=2", "Bearer x", "Digest " + "x" * 9000]
)
def test_malformed_fields_are_none(text: str) -> None:
    assert parse(text) is None

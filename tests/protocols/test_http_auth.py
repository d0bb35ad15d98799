"""Answers to challenges: the examples of RFC 7616 and RFC 2617, several challenges, and malformed ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.http_auth import Authenticator, Challenge, basic, digest, parse_challenges

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    (challenge,) = parse_challenges([RFC_7616.format(algorithm)])
    answer = digest(
        challenge,
        user="Mufasa",
        password="Circle of Life",
        method="GET",
        target="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        count=1,
    )
    assert answer is not None
    assert f'response="{response}"' in answer
    assert "qop=auth, nc=00000001" in answer
    assert f"algorithm={algorithm}," in answer
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in answer


def test_the_example_of_rfc_2617_and_basic_of_rfc_7617() -> None:
    (challenge,) = parse_challenges(
        [
            'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
            'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        ]
    )
    answer = digest(
        challenge,
        user="Mufasa",
        password="Circle Of Life",
        method="GET",
        target="/dir/index.html",
        cnonce="0a4f113b",
        count=1,
    )
    assert answer is not None
    assert 'response="6629fae49393a05397450978507c4ef1"' in answer
    assert "algorithm" not in answer
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_without_qop_the_old_form_is_used() -> None:
    challenge = Challenge("digest", {"realm": "r", "nonce": "n"})
    answer = digest(challenge, user="u", password="p", method="GET", target="/", cnonce="c", count=1)
    assert answer is not None
    assert not re.search("qop|nc=|cnonce", answer)


def test_several_challenges_in_one_field_and_in_several() -> None:
    found = parse_challenges(['Basic realm="x, y", Digest realm=a, nonce="b\\"c", Negotiate, NTLM abc==', "Bearer"])
    assert [(challenge.scheme, dict(challenge.parameters)) for challenge in found] == [
        ("basic", {"realm": "x, y"}),
        ("digest", {"realm": "a", "nonce": 'b"c'}),
        ("negotiate", {}),
        ("ntlm", {}),
        ("bearer", {}),
    ]


def test_the_strongest_is_answered() -> None:
    authenticator = Authenticator("u", "p")
    assert authenticator.answer("GET", "/", "c") is None
    offers = [
        'Basic realm="r"',
        'Digest realm="r", nonce="1", algorithm=MD5',
        'Digest realm="r", nonce="2", algorithm=SHA-256',
    ]
    assert authenticator.challenged(offers)
    answer = authenticator.answer("GET", "/", "c")
    assert answer is not None
    assert "SHA-256" in answer
    assert 'nonce="2"' in answer


def test_what_cannot_be_answered_is_passed_over() -> None:
    authenticator = Authenticator("u", "p")
    for field in (
        'Digest realm="r", nonce="1", algorithm=SHA-512-256',
        'Digest realm="r", nonce="1", qop="auth-int"',
        'Digest realm="r", nonce=""',
        "Negotiate",
        "",
    ):
        assert not authenticator.challenged([field])
        assert authenticator.answer("GET", "/", "c") is None


def test_a_nonce_is_used_again_with_a_rising_count() -> None:
    authenticator = Authenticator("u", "p")
    assert authenticator.challenged(['Digest realm="r", nonce="1", qop="auth"'])
    counts = [re.findall("nc=([0-9a-f]+)", authenticator.answer("GET", "/", "c") or "") for _ in range(2)]
    assert counts == [["00000001"], ["00000002"]]
    assert authenticator.challenged(['Digest realm="r", nonce="2", qop="auth"'])
    assert "nc=00000001" in (authenticator.answer("GET", "/", "c") or "")


def test_a_refused_answer_is_not_given_twice() -> None:
    for challenge in ('Basic realm="r"', 'Digest realm="r", nonce="1", qop="auth"'):
        authenticator = Authenticator("u", "p")
        assert authenticator.challenged([challenge])
        assert authenticator.answer("GET", "/", "c")
        assert not authenticator.challenged([challenge])
        assert authenticator.answer("GET", "/", "c") is None
        assert authenticator.challenged([challenge])
    stale = 'Digest realm="r", nonce="1", qop="auth", stale=true'
    assert authenticator.challenged([stale])


@given(st.lists(st.text(max_size=200), max_size=3))
def test_any_field_is_parsed_without_raising(fields: list[str]) -> None:
    parse_challenges(fields)
    authenticator = Authenticator("u", "p")
    authenticator.challenged(fields)
    authenticator.answer("GET", "/", "c")


@given(
    st.dictionaries(
        st.sampled_from(["realm", "nonce", "qop", "algorithm", "opaque", "stale"]),
        st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=20),
    )
)
def test_parameters_read_back(parameters: dict[str, str]) -> None:
    quoted = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in parameters.items()}
    (challenge,) = parse_challenges(["Digest " + ", ".join(f'{key}="{value}"' for key, value in quoted.items())])
    assert dict(challenge.parameters) == parameters

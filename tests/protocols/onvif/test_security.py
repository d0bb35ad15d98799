"""UsernameToken: right once, within its time; bounded memory."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif.security import SECOND, Tokens, digest, moment
from lpr.protocols.onvif.soap import Token

NOW = 1_750_000_000_000_000
PASSWORDS = {"nvr": "secret", "empty": ""}


def at(when: int) -> str:
    return datetime.fromtimestamp(when / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def token(nonce: bytes = b"one", when: int = NOW, user: str = "nvr", password: str = "secret") -> Token:
    created = at(when)
    return Token(user, digest(nonce, created, password), "PasswordDigest", base64.b64encode(nonce).decode(), created)


def test_the_digest_of_the_specifications_example() -> None:
    """ONVIF's Application Programmer's Guide prints these values."""
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    assert digest(nonce, "2010-09-16T07:50:45Z", "userpassword") == "tuOSpGlFlIXsozq4HFNeeGeFLEI="


def test_a_right_token_is_good_once() -> None:
    tokens = Tokens()
    assert tokens.check(token(), PASSWORDS.get, NOW).user == "nvr"
    again = tokens.check(token(), PASSWORDS.get, NOW)
    assert again.user is None and not again.guess and "used before" in again.reason
    assert tokens.check(token(b"two"), PASSWORDS.get, NOW).user == "nvr"


@pytest.mark.parametrize("off", [-301, 301])
def test_a_token_out_of_time_is_refused_and_is_no_guess(off: int) -> None:
    judged = Tokens(300).check(token(when=NOW + off * SECOND), PASSWORDS.get, NOW)
    assert judged.user is None and not judged.guess and "300 s" in judged.reason


@pytest.mark.parametrize("off", [-299, 299])
def test_a_clock_may_be_off_a_little(off: int) -> None:
    assert Tokens(300).check(token(when=NOW + off * SECOND), PASSWORDS.get, NOW).user == "nvr"


def test_wrong_users_and_passwords_are_guesses() -> None:
    for wrong in (token(user="other"), token(password="wrong"), token(user="empty", password="")):
        judged = Tokens().check(wrong, PASSWORDS.get, NOW)
        assert judged.user is None and judged.guess and judged.reason == "wrong user or password"


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (Token("nvr", "secret", "PasswordText", "b25l", at(NOW)), "digest"),
        (Token("nvr", "x", "PasswordDigest", "b25l", "yesterday"), "Created"),
        (Token("nvr", "x", "PasswordDigest", "b25l", "2025-06-15"), "Created"),
        (Token("nvr", "x", "PasswordDigest", "***", at(NOW)), "Base64"),
        (Token("nvr", "x", "PasswordDigest", "", at(NOW)), "no Nonce"),
        (Token("n" * 257, "x", "PasswordDigest", "b25l", at(NOW)), "too long"),
    ],
    ids=range(6),
)
def test_what_is_malformed_is_refused(wrong: Token, part: str) -> None:
    judged = Tokens().check(wrong, PASSWORDS.get, NOW)
    assert judged.user is None and part in judged.reason and not judged.guess


def test_memory_is_bounded_and_nothing_is_good_twice_for_it() -> None:
    tokens = Tokens(300, most=10)
    made = [token(b"%d" % number, NOW + number) for number in range(30)]
    for one in made:
        assert tokens.check(one, PASSWORDS.get, NOW).user == "nvr"
    assert len(tokens) == 10
    for one in made:
        assert tokens.check(one, PASSWORDS.get, NOW).user is None


def test_nonces_are_forgotten_when_their_time_is_over() -> None:
    tokens = Tokens(300)
    first = token()
    assert tokens.check(first, PASSWORDS.get, NOW).user
    later = NOW + 301 * SECOND
    assert tokens.check(token(b"two", later), PASSWORDS.get, later).user
    assert len(tokens) == 1
    assert tokens.check(first, PASSWORDS.get, NOW).user is None, "not even if the clock goes back"


def test_secrets_are_not_shown() -> None:
    assert "tuOSp" not in repr(Token("nvr", "tuOSp", "PasswordDigest", "a", "b"))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_token_is_judged(user: str, password: str, nonce: str, created: str) -> None:
    judged = Tokens().check(Token(user, password, "PasswordDigest", nonce, created), PASSWORDS.get, NOW)
    assert judged.user is None and judged.reason


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-06-15T15:06:40Z", NOW),
        ("2025-06-15T15:06:40.000Z", NOW),
        ("2025-06-15T17:06:40+02:00", NOW),
        ("2025-06-15T15:06:40", NOW),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000_000),
        ("", None),
    ],
)
def test_times(written: str, read: int | None) -> None:
    assert moment(written) == read

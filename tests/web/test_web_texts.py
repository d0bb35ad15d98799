"""The texts: the same keys and the same gaps in every language, and none that a page lacks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.web.problems import PROBLEMS
from lpr.web.reasons import PATTERNS, reason_text
from lpr.web.render import ROOM
from lpr.web.texts import FOLDER, LANGUAGES, choose_language, flat, texts_of


def keys(language: str) -> dict[str, str]:
    return flat(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_gaps(language: str) -> None:
    english, other = keys("en"), keys(language)
    assert set(other) == set(english)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", other[key])) == set(re.findall(r"{(\w+)}", text)), key
        assert other[key].strip()


def test_what_templates_say_exists() -> None:
    known = set(keys("en"))
    for file in (ROOM / "templates").glob("*.html"):
        said = re.findall(r"\bt\(\s*[\"']([\w.]+)[\"']\s*[,)]", file.read_text(encoding="utf-8"))
        assert set(said) <= known, file.name
    assert {key.removeprefix("problem.") for key in known if key.startswith("problem.")} == {*PROBLEMS, "title", "home"}


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        (None, "fr, es;q=0.5, en;q=0.4", "es"),
        (None, "de", "en"),
        ("es", "pt", "es"),
        ("xx", "pt", "pt"),
        (None, "pt;q=0, es;q=0.1", "es"),
    ],
)
def test_the_language_is_the_readers(cookie: str | None, accepted: str, language: str) -> None:
    assert choose_language(cookie, accepted) == language


@given(st.text(), st.text())
def test_any_header_gives_a_language(cookie: str, accepted: str) -> None:
    assert choose_language(cookie, accepted) in LANGUAGES


def test_an_unknown_key_shows_itself() -> None:
    assert texts_of("en")("no.such") == "no.such"
    assert Path(FOLDER / "en.toml").is_file()


REASONS = (
    "new plate ABC1D23",
    "new plate",
    "ABC1D23 again",
    "again",
    " nearer",
    "ABC1D23 surer",
    "ABC1D23 instead of ABC1D2B",
    "ABC1D23 in doubt",
    "another has left",
    "photograph",
    "asked for",
    "level 14.2 over threshold 8",
    "0.4 s after the last motion",
)


@pytest.mark.parametrize("reason", REASONS)
def test_what_the_log_says_of_a_capture_is_known_in_every_language(reason: str) -> None:
    assert reason_text(reason, texts_of("en")).replace("unread", "").split() == reason.split()
    for language in ("pt", "es"):
        said = reason_text(f"{reason}; {REASONS[0]}", texts_of(language))
        assert reason not in said and said.count("ABC1D23") >= 1 and "{" not in said
    assert {name for name in PATTERNS for each in REASONS if PATTERNS[name].fullmatch(each)} == set(PATTERNS)


@given(st.text())
def test_an_unknown_reason_stays(reason: str) -> None:
    if not any(pattern.fullmatch(part) for part in reason.split("; ") for pattern in PATTERNS.values()):
        assert reason_text(reason, texts_of("es")) == reason


def test_the_gates_own_sentences_are_known() -> None:
    """The sentences stand in these files; one that is new there has to be known here, too."""
    root = ROOM.parent
    made = (root / "plates" / "gate.py").read_text(encoding="utf-8")
    templates = re.findall(r'return f"(\{reading\.text\}[^"]*)"', made)
    assert len(templates) >= 5
    for template in templates:
        assert any(pattern.fullmatch(re.sub(r"{[^}]+}", "AB1", template)) for pattern in PATTERNS.values()), template

"""The words of the pages in each language, from ``texts/*.toml``, and which language a person reads.

Imports nothing of ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "texts"
LANGUAGES: Mapping[str, str] = {"en": "English", "pt": "Português", "es": "Español"}
"""Code -> its own name. The first is the one for everybody else."""
DEFAULT = "en"


class Texts:
    """The texts of one language. ``texts("search.found", count=3)``; an unknown key gives the key itself."""

    def __init__(self, language: str, flat: Mapping[str, str]) -> None:
        self.language = language
        self._flat = flat

    def __call__(self, key: str, **values: object) -> str:
        text = self._flat.get(key)
        return key if text is None else text.format(**values) if values else text

    def get(self, key: str, otherwise: str) -> str:
        """The text, or ``otherwise`` when there is none."""
        return self._flat.get(key, otherwise)


@cache
def texts_of(language: str) -> Texts:
    """The texts of a language of ``LANGUAGES``."""
    return Texts(language, flat(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """{"a": {"b": "c"}} -> {"a.b": "c"}."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, str):
            found[prefix + key] = value
        else:
            found |= flat(value, f"{prefix}{key}.")
    return found


def choose_language(cookie: str | None, accepted: str) -> str:
    """The cookie's language, else the best of Accept-Language (RFC 9110, section 12.5.4), else English."""
    if cookie is not None and cookie in LANGUAGES:
        return cookie
    best, best_weight = DEFAULT, 0.0
    for item in accepted[:512].split(","):
        tag, _, parameter = item.strip().partition(";")
        language = tag.strip().split("-")[0].lower()
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0

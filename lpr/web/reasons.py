"""Why a capture was taken, in the reader's language. Pure. May import this room.

The log keeps English sentences, made in ``lpr.plates.gate``, ``lpr.vision.triggers``, ``lpr.actors.trigger`` and
``lpr.actors.engine``; a sentence that is not known here stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lpr.web.texts import Texts

PATTERNS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in (
        ("new", r"new plate ?(?P<plate>\w*)"),
        ("again", r"(?P<plate>\w*) ?again"),
        ("nearer", r"(?P<plate>\w*) ?nearer"),
        ("surer", r"(?P<plate>\w*) ?surer"),
        ("instead", r"(?P<plate>\w*) ?instead of ?(?P<other>\w*)"),
        ("doubt", r"(?P<plate>\w*) ?in doubt"),
        ("left", r"another has left"),
        ("photograph", r"photograph"),
        ("asked", r"asked for"),
        ("level", r"level (?P<level>[\d.]+) over threshold (?P<threshold>[\d.e+-]+)"),
        ("still", r"(?P<seconds>[\d.]+) s after the last motion"),
    )
}
"""Key under ``reason`` in the texts -> the whole sentence in the log."""


def reason_text(reason: str, texts: Texts) -> str:
    """``reason`` of CaptureTaken for the reader; several are joined by semicolons."""
    return "; ".join(_one(part, texts) for part in reason.split("; "))


def _one(part: str, texts: Texts) -> str:
    for name, pattern in PATTERNS.items():
        found = pattern.fullmatch(part)
        if found is not None:
            plain = texts("passage.unread")
            return texts(f"reason.{name}", **{key: value or plain for key, value in found.groupdict().items()})
    return part

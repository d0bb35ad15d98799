"""What came from a camera, as one line of JSON: every field decoded, every deviation from the specification named.

Pure. May import msgspec and the standard library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lpr.listen.jpeg import jpeg_problem, jpeg_size

SHOWN = 200
"""Characters of a peer's value that a report quotes of a deviation."""
MAX_DEVIATIONS = 200


class Deviation(msgspec.Struct, frozen=True, kw_only=True):
    """``field``: where; ``found``, ``expected``: in words or as written; ``source``: which specification says so."""

    field: str
    found: str
    expected: str
    source: str


class PictureFound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture that came along. ``name``: what the camera calls it; ``width``, ``height``: pixels, None when the bytes
    are no JPEG; ``file``: where it was saved."""

    name: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    file: str | None = None


@dataclass
class Report:
    """One thing that came. ``what``: "passage", "event", "frame", "log-in", "message", ...; ``raw``: its bytes as they
    came; ``pictures``: (name, bytes)."""

    what: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    deviations: list[Deviation] = field(default_factory=list[Deviation])
    pictures: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    raw: bytes = b""
    suffix: str = "bin"
    counts: bool = True


class Checks:
    """Collects deviations from one specification."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.found: list[Deviation] = []

    def add(self, name: str, found: object, expected: str, source: str = "") -> None:
        """One deviation; over ``MAX_DEVIATIONS`` they are left out."""
        if len(self.found) < MAX_DEVIATIONS:
            self.found.append(
                Deviation(field=name, found=shown(found), expected=expected, source=source or self._source)
            )

    def sentences(self, name: str, told: Iterable[str], expected: str = "as the specification says") -> None:
        """Deviations that a reader of ``lpr.protocols`` names in a sentence each."""
        for sentence in told:
            self.add(name, sentence, expected)

    def between(self, name: str, value: float, low: float, high: float, unit: str = "") -> bool:
        """``value`` lies within both ends; whether it does."""
        inside = low <= value <= high
        if not inside:
            self.add(name, value, f"{low:g} to {high:g}{unit}")
        return inside

    def one_of(self, name: str, value: object, allowed: Iterable[object]) -> bool:
        """``value`` is one of these; whether it is."""
        known = list(allowed)
        if value not in known:
            self.add(name, value, "one of " + ", ".join(str(one) or '""' for one in known))
        return value in known

    def jpeg(self, name: str, data: bytes) -> None:
        """``data`` is a whole JPEG."""
        problem = jpeg_problem(data)
        if problem:
            self.add(name, problem, "a whole JPEG")


def shown(value: object) -> str:
    """A value as a deviation quotes it: on one line, cut."""
    text = value if isinstance(value, str) else value.hex(" ") if isinstance(value, bytes) else str(value)
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: SHOWN + 1])
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def named(names: Mapping[int, str], value: int) -> str | int:
    """A code's name, or the code when it has none."""
    return names.get(value, value)


def pictures_of(report: Report, files: Mapping[str, str]) -> list[PictureFound]:
    """What is told of the pictures. ``files``: name to where it was saved."""
    found: list[PictureFound] = []
    for name, data in report.pictures:
        size = jpeg_size(data)
        found.append(
            PictureFound(
                name=name,
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                width=size[0] if size else None,
                height=size[1] if size else None,
                file=files.get(name),
            )
        )
    return found


def line(kind: str, sender: str, at: str, report: Report, files: Mapping[str, str], raw_file: str | None) -> str:
    """The report as one line of JSON. ``at``: when it came, ISO 8601."""
    body: dict[str, Any] = {"at": at, "kind": kind, "from": sender, "what": report.what, "bytes": len(report.raw)}
    if raw_file is not None:
        body["raw"] = raw_file
    body["fields"] = report.fields
    if report.pictures:
        body["pictures"] = pictures_of(report, files)
    body["deviations"] = report.deviations
    return msgspec.json.encode(body, enc_hook=_plain).decode()


def _plain(value: object) -> str:
    return str(value)

"""An ``infoplate`` document read: tolerant of what cameras really send, and naming each deviation. Pure and bounded.

A document that is whole gives a ``Received`` with whatever could be understood and the list of what is not as
documented; one that nothing can be made of gives a ``Broken``. Nothing is raised. XML is read without a tree: a DTD or
an entity refuses the document, depth and number of elements are limited, so a bomb costs no more than its bytes.
Column names with spaces, which VIVOTEK's manual shows, make XML that no parser takes: such a document is read by
pattern instead, and that is said.

May import ``msgspec``, ``defusedxml`` and the standard library.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from lpr.protocols.neural.encoding import ROOT, Syntax
from lpr.protocols.neural.names import plain_name
from lpr.protocols.neural.record import (
    BY_FOLDED,
    EVIDENCE,
    EVIDENCE_CAMERA,
    EVIDENCE_IMAGE,
    EVIDENCE_SIZE,
    EVIDENCES,
    FIELDS,
    IMAGE,
    IMAGE_SIZE,
    Evidence,
    Infoplate,
)

MAX_ELEMENTS = 2000
MAX_DEPTH = 8
MAX_EVIDENCES = 32
MAX_OTHERS = 200
MAX_DEVIATIONS = 50
SHOWN = 60
"""Characters of a peer's value that a deviation quotes."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")
_PAIR = re.compile(r"<([^<>/?!]{1,64})>([^<]*)</([^<>]{1,64})>")
_NEEDED = ("DateHour", "Plate")


@dataclass(frozen=True, slots=True)
class Received:
    """One message. ``deviations``: what is not as documented, for people, at most ``MAX_DEVIATIONS``.

    ``framed``: whether it came with the ``NEURAL`` frame. ``size``: bytes of the document.
    """

    record: Infoplate
    syntax: Syntax
    framed: bool
    size: int
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """A document that ends where it should and means nothing. ``problem``: why, for people."""

    syntax: Syntax
    size: int
    problem: str


Message: TypeAlias = Received | Broken


@dataclass
class _Found:
    """What was found before it is judged: names as sent, texts (or JSON values), in order."""

    pairs: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    evidences: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    deviations: list[str] = field(default_factory=list[str])
    root: str = ""

    def tell(self, deviation: str) -> None:
        if len(self.deviations) < MAX_DEVIATIONS:
            self.deviations.append(deviation)


class _Unusable(Exception):
    """Nothing can be made of the document."""


def decode_xml(document: bytes, *, framed: bool = False, before: Iterable[str] = ()) -> Message:
    """What an XML document says. ``before``: deviations known already (of the frame)."""
    found = _Found(deviations=list(before))
    try:
        try:
            _read_xml(document, found)
        except ParseError as error:
            _read_pairs(document, found, str(error))
        return _judged(found, "xml", framed, len(document))
    except _Unusable as error:
        return Broken("xml", len(document), str(error))


def decode_json(document: bytes, *, framed: bool = False, before: Iterable[str] = ()) -> Message:
    """What a JSON document says: an object under ``infoplate``, or, as a deviation, its fields without that."""
    found = _Found(deviations=list(before))
    try:
        _read_json(document, found)
        return _judged(found, "json", framed, len(document))
    except _Unusable as error:
        return Broken("json", len(document), str(error))


# --- XML -------------------------------------------------------------------------------------------------


class _Target:
    """Takes the parser's events; keeps the texts of the second level, and of the fourth within ``Evidences``."""

    def __init__(self, found: _Found) -> None:
        self._found = found
        self._path: list[str] = []
        self._text: list[str] = []
        self._elements = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _Unusable(f"more than {MAX_ELEMENTS} elements")
        if len(self._path) >= MAX_DEPTH:
            raise _Unusable(f"elements nested deeper than {MAX_DEPTH}")
        if attributes:
            self._found.tell(f"{tag[:SHOWN]} has attributes")
        self._path.append(tag)
        self._text = []
        if len(self._path) == 1:
            self._found.root = tag
        if len(self._path) == 3 and self._in_evidences() and tag.casefold() == EVIDENCE.casefold():
            self._found.evidences.append({})

    def end(self, tag: str) -> None:
        text, self._text = "".join(self._text), []
        depth, inside = len(self._path), self._in_evidences()
        self._path.pop()
        if depth == 2 and not inside:
            self._found.pairs.append((plain_name(tag), text))
        elif depth == 4 and inside and self._found.evidences:
            self._found.evidences[-1][tag.casefold()] = text
        elif depth > 2 and not inside:
            self._found.tell(f"{tag[:SHOWN]} stands inside another element")

    def data(self, data: str) -> None:
        if len(self._path) >= 2:
            self._text.append(data)
        elif data.strip():
            self._found.tell("text between the elements")

    def close(self) -> None:
        return

    def _in_evidences(self) -> bool:
        return len(self._path) >= 2 and self._path[1].casefold() == EVIDENCES.casefold()


def _read_xml(document: bytes, found: _Found) -> None:
    target = _Target(found)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        parser.feed(document)
        parser.close()
    except DefusedXmlException:
        raise _Unusable("a DTD or an entity, which is refused") from None
    except (LookupError, ValueError) as error:
        raise _Unusable(f"its encoding is not known: {str(error)[:SHOWN]}") from None


def _read_pairs(document: bytes, found: _Found, problem: str) -> None:
    """``<name>text</name>`` by pattern, for documents with names that XML does not allow."""
    text = document.decode("utf-8", "replace")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _Unusable("a DTD or an entity, which is refused")
    found.pairs.clear()
    found.evidences.clear()
    found.root = ROOT
    for match in _PAIR.finditer(text):
        name, value, closing = match.groups()
        if name != closing:
            continue
        folded = name.casefold()
        if folded == EVIDENCE_CAMERA.casefold():
            found.evidences.append({})
        if folded in (EVIDENCE_CAMERA.casefold(), EVIDENCE_IMAGE.casefold(), EVIDENCE_SIZE.casefold()):
            if found.evidences:
                found.evidences[-1][folded] = html.unescape(value)
            continue
        found.pairs.append((plain_name(name), html.unescape(value)))
        if len(found.pairs) > MAX_ELEMENTS:
            raise _Unusable(f"more than {MAX_ELEMENTS} elements")
    if not any(name.casefold() in BY_FOLDED for name, _ in found.pairs):
        raise _Unusable(f"not XML ({problem[:SHOWN]})")
    found.tell(f"not well-formed XML ({problem[:SHOWN]}); read by pattern")


# --- JSON ------------------------------------------------------------------------------------------------


def _read_json(document: bytes, found: _Found) -> None:
    if sum(map(document.count, (b",", b"{", b"["))) > 2 * MAX_ELEMENTS:
        raise _Unusable(f"more than {MAX_ELEMENTS} values")
    try:
        decoded = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Unusable(f"not JSON ({str(error)[:SHOWN]})") from None
    whole = _object(decoded)
    inner = next((value for name, value in whole.items() if name.casefold() == ROOT), None)
    if isinstance(inner, dict):
        found.root = next(name for name in whole if name.casefold() == ROOT)
        if len(whole) > 1:
            found.tell(f"other keys beside {ROOT}")
        fields = _object(cast("object", inner))
    else:
        found.root = ROOT
        found.tell(f"no object {ROOT} round the fields")
        fields = whole
    for name, value in fields.items():
        if name.casefold() == EVIDENCES.casefold():
            _read_json_evidences(value, found)
        elif isinstance(value, dict | list):
            found.tell(f"{name[:SHOWN]} is not a single value")
        elif value is not None:
            found.pairs.append((name, value))


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Unusable("JSON, and not an object")
    return cast("dict[str, Any]", value)


def _read_json_evidences(value: object, found: _Found) -> None:
    if isinstance(value, dict):
        inner = cast("dict[str, object]", value)
        value = next((part for name, part in inner.items() if name.casefold() == EVIDENCE.casefold()), None)
    if isinstance(value, dict):
        value = [cast("dict[str, object]", value)]
    if value is None or value == "":
        return
    if not isinstance(value, list):
        found.tell(f"{EVIDENCES} is no list")
        return
    for part in cast("list[object]", value)[: MAX_EVIDENCES + 1]:
        if isinstance(part, dict):
            found.evidences.append({name.casefold(): text for name, text in cast("dict[str, Any]", part).items()})


# --- judging ---------------------------------------------------------------------------------------------


def _judged(found: _Found, syntax: Syntax, framed: bool, size: int) -> Received:
    """Types, order, sizes: what can be understood becomes the record, everything else a deviation."""
    if found.root != ROOT:
        if found.root.casefold() != ROOT:
            raise _Unusable(f"its root is {found.root[:SHOWN]!r}, not {ROOT!r}")
        found.tell(f"the root is written {found.root!r}")
    values: dict[str, Any] = {}
    others: dict[str, str] = {}
    order: list[str] = []
    announced: Any = None
    for sent, value in found.pairs:
        name = BY_FOLDED.get(sent.casefold())
        if name is None:
            if len(others) < MAX_OTHERS:
                others[sent] = _text(value)
            continue
        if name != sent:
            found.tell(f"{name} is written {sent[:SHOWN]!r}")
        if name == IMAGE_SIZE:
            announced = value
            continue
        if name in values:
            found.tell(f"{name} stands there twice")
            continue
        order.append(name)
        values[name] = _image(value, announced, IMAGE, found) if name == IMAGE else _value(name, value, found)
    if syntax == "xml" and order != [name for name in FIELDS if name in order]:
        found.tell("the fields are not in the documented order")
    missing = [name for name in _NEEDED if name not in values]
    if missing:
        found.tell(f"missing: {', '.join(missing)}")
    time = values.get("DateHour")
    if isinstance(time, str) and not _TIME.fullmatch(time):
        found.tell(f"DateHour is {time[:SHOWN]!r}, not like '2014-09-27 11:15:40.000'")
    attributes = {FIELDS[name].name: value for name, value in values.items() if value is not None}
    record = Infoplate(**attributes, evidences=_evidences(found), others=others)
    return Received(record, syntax, framed, size, tuple(found.deviations))


def _evidences(found: _Found) -> tuple[Evidence, ...]:
    if len(found.evidences) > MAX_EVIDENCES:
        found.tell(f"more than {MAX_EVIDENCES} evidences; the rest is left out")
    kept: list[Evidence] = []
    for sent in found.evidences[:MAX_EVIDENCES]:
        image = _image(
            sent.get(EVIDENCE_IMAGE.casefold(), ""), sent.get(EVIDENCE_SIZE.casefold()), EVIDENCE_IMAGE, found
        )
        kept.append(Evidence(camera=_text(sent.get(EVIDENCE_CAMERA.casefold(), "")), image=image or b""))
    return tuple(kept)


def _image(value: Any, announced: Any, name: str, found: _Found) -> bytes | None:
    """The bytes of a picture, None without one; its size is compared with the one announced before it."""
    coded = "".join(_text(value).split())
    try:
        image = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        found.tell(f"{name} is not base64")
        return None
    if image and not image.startswith(b"\xff\xd8"):
        found.tell(f"{name} is not a JPEG")
    if announced is not None and _text(announced).strip() not in (str(len(image)), str(len(coded))):
        size = _text(announced)[:SHOWN]
        found.tell(f"{name}: size {size} announced, it has {len(image)} bytes ({len(coded)} of base64)")
    return image or None


def _value(name: str, value: Any, found: _Found) -> Any:
    """A field's value by its type, None (and a deviation) when it does not fit."""
    info = FIELDS[name]
    if name == "CharConfidence":
        return _percentages(value, found)
    if isinstance(info.default, str) or (info.default is None and _is_text(info.type)):
        return _text(value)
    text = _text(value).strip()
    if not text:
        return None
    if "," in text and "." not in text:
        found.tell(f"{name} has a comma for a point")
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not -1e15 < number < 1e15:
        found.tell(f"{name} is {text[:SHOWN]!r}, not a number")
        return None
    if isinstance(info.default, float) or (info.default is None and name != "List"):
        return number
    if number != int(number):
        found.tell(f"{name} is {text[:SHOWN]!r}, not a whole number")
    return int(number)


def _percentages(value: Any, found: _Found) -> tuple[float, ...] | None:
    try:
        return tuple(float(part) for part in _text(value).split(";") if part.strip())[:64]
    except ValueError:
        found.tell("CharConfidence is not numbers with ; between them")
        return None


def _is_text(kind: object) -> bool:
    return kind == str | None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()

"""An ``infoplate`` as bytes: XML or JSON, full or short, with the frame that Neural Labs puts round it. Pure.

XML: the fields of the documented order, then those known by name only, then further columns. JSON: nothing is known
but that it exists; the same names under ``infoplate`` (inferred), numbers as numbers unless asked otherwise. The frame
is ``NEURAL``, the document's size in bytes as decimal digits, the document. Every choice here that rests on a guess is
a field of ``Style``. Sources: docs/protocols/neural.md.

May import ``msgspec`` and the standard library.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import msgspec

from lpr.protocols.neural.names import clean, xml_name, xml_text
from lpr.protocols.neural.record import (
    ALWAYS,
    EVIDENCE,
    EVIDENCE_CAMERA,
    EVIDENCE_IMAGE,
    EVIDENCE_SIZE,
    EVIDENCES,
    FIELDS,
    IMAGE,
    IMAGE_SIZE,
    SHORT,
    Infoplate,
    text_of,
    value_of,
)

HEADER = b"NEURAL"
ROOT = "infoplate"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'

Syntax: TypeAlias = Literal["xml", "json"]
MessageFormat: TypeAlias = Literal["XML", "XML_IMG", "JSON", "JSON_IMG"]
"""The formats by the names of VIVOTEK's manual; _IMG has pictures in it."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a message is written.

    ``form``: "full", or "short" with the fields ``short`` (wire names, in the order of the wire whatever their order
    here) and the picture if there is one. ``framed``: with the ``NEURAL`` frame. ``declaration``: whether XML begins
    with its declaration. ``size_of``: what ``imgSize`` counts, the JPEG's bytes or the characters of its base64.
    ``numbers``: JSON has numbers as numbers, else everything is text. ``end``: put behind each message, outside the
    frame: a line end for readers of lines.
    """

    syntax: Syntax = "xml"
    form: Literal["full", "short"] = "full"
    short: tuple[str, ...] = SHORT
    framed: bool = True
    declaration: bool = True
    size_of: Literal["jpeg", "base64"] = "jpeg"
    numbers: bool = True
    end: bytes = b""


def encode(record: Infoplate, style: Style) -> bytes:
    """One message, framed if ``style`` says so. Raises ValueError for a name in ``style.short`` that is no field's."""
    document = (encode_xml if style.syntax == "xml" else encode_json)(record, style)
    head = HEADER + str(len(document)).encode() if style.framed else b""
    return head + document + style.end


def encode_as(record: Infoplate, kind: MessageFormat, style: Style) -> bytes:
    """One message in the format ``kind``: ``style`` with its syntax; pictures only where the format has them."""
    if not kind.endswith("_IMG"):
        record = msgspec.structs.replace(record, image=None, evidences=())
    return encode(record, replace(style, syntax="json" if kind.startswith("JSON") else "xml"))


def encode_xml(record: Infoplate, style: Style) -> bytes:
    """The XML document, UTF-8."""
    parts = [DECLARATION if style.declaration else "", f"<{ROOT}>"]
    for name, value in _said(record, style):
        if name == IMAGE:
            coded = _base64(value or b"")
            parts.append(_element(IMAGE_SIZE, str(_size(value or b"", coded, style))) + _element(IMAGE, coded))
        elif name == EVIDENCES:
            parts.append(_element(EVIDENCES, "".join(_evidence(camera, image, style) for camera, image in value)))
        else:
            parts.append(_element(name, xml_text(text_of(name, value))))
    parts += [_element(_column(name), xml_text(text)) for name, text in record.others.items()]
    parts.append(f"</{ROOT}>")
    return "".join(parts).encode("utf-8", "replace")


def encode_json(record: Infoplate, style: Style) -> bytes:
    """The JSON document, UTF-8: one object with the key ``infoplate``."""
    found: dict[str, Any] = {}
    for name, value in _said(record, style):
        if name == IMAGE:
            coded = _base64(value or b"")
            found[IMAGE_SIZE] = _number(_size(value or b"", coded, style), style)
            found[IMAGE] = coded
        elif name == EVIDENCES:
            found[EVIDENCES] = {EVIDENCE: [_evidence_json(camera, image, style) for camera, image in value]}
        elif isinstance(value, int | float):
            found[name] = _number(value, style, name)
        else:
            found[name] = text_of(name, value)
    found |= {clean(name): clean(text) for name, text in record.others.items() if name not in found}
    return msgspec.json.encode({ROOT: found})


def _said(record: Infoplate, style: Style) -> Iterator[tuple[str, Any]]:
    """(wire name, value) of what the message has, in the order of the wire; evidences as (camera, image)."""
    if unknown := set(style.short) - FIELDS.keys():
        raise ValueError(f"no field of an infoplate: {', '.join(sorted(unknown))}; known are {', '.join(FIELDS)}")
    full = style.form == "full"
    for name in FIELDS:
        value = value_of(record, name)
        if name == EVIDENCES:
            value = [(evidence.camera, evidence.image) for evidence in record.evidences]
            wanted = full or bool(value)
        elif name == IMAGE:
            wanted = full or value is not None
        else:
            wanted = (name in ALWAYS or value is not None) if full else name in style.short and value is not None
        if wanted:
            yield name, value


def _column(name: str) -> str:
    """A further element's name; never the root's, whose end is the end of the message for most readers."""
    if name.casefold() != ROOT:
        return xml_name(name)
    return f"_x{ord(name[0]):04X}_{name[1:]}"


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _evidence(camera: str, image: bytes, style: Style) -> str:
    coded = _base64(image)
    return _element(
        EVIDENCE,
        _element(EVIDENCE_CAMERA, xml_text(camera))
        + _element(EVIDENCE_SIZE, str(_size(image, coded, style)))
        + _element(EVIDENCE_IMAGE, coded),
    )


def _evidence_json(camera: str, image: bytes, style: Style) -> dict[str, Any]:
    coded = _base64(image)
    return {
        EVIDENCE_CAMERA: clean(camera),
        EVIDENCE_SIZE: _number(_size(image, coded, style), style),
        EVIDENCE_IMAGE: coded,
    }


def _base64(image: bytes) -> str:
    return base64.b64encode(image).decode("ascii")


def _size(image: bytes, coded: str, style: Style) -> int:
    return len(image) if style.size_of == "jpeg" else len(coded)


def _number(value: float, style: Style, name: str = "") -> Any:
    if not style.numbers:
        return text_of(name, value)
    return round(value, 6) if isinstance(value, float) else value

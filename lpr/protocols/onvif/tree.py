"""XML in and out: a parser that is bounded in every direction, and a writer that declares each prefix it uses.

No document type, so no entities and no external references; limits on bytes, elements, depth and attributes. Elements
are the standard library's, names in its ``{namespace}local`` form; ``Document.namespaces`` tells which prefixes hold at
an element, since topics and faults carry qualified names in their text.
Source: XML 1.0 (characters), Namespaces in XML. May import this room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from lpr.protocols.onvif.names import NAMESPACES, PREFIXES, q, split

Child: TypeAlias = "Element[str] | str | int | bool | float | list[Element[str]] | tuple[Element[str], ...] | None"

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUALIFIED = re.compile(r"(?<![\w.-])([A-Za-z][\w-]*):(?=[A-Za-z_])")
_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)


class XmlError(ValueError):
    """The bytes are no XML document that we take. The text says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``size``: bytes; ``elements``, ``depth``: of the document; ``attributes``: of one element."""

    size: int = 262_144
    elements: int = 5000
    depth: int = 48
    attributes: int = 64


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document. ``scopes``: the prefixes declared where they change."""

    root: Element
    scopes: Mapping[Element, Mapping[str, str]] = field(repr=False)

    def namespaces(self, element: Element) -> Mapping[str, str]:
        """Prefix ("" for the default) -> namespace at ``element``, one of this document."""
        return self.scopes[element]


class _Builder(ElementTree.TreeBuilder):
    """A tree builder that counts."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.scopes: dict[Element, Mapping[str, str]] = {}
        self._limits = limits
        self._open: list[Mapping[str, str]] = [{}]
        self._declared: dict[str, str] = {}

    def start_ns(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        if len(self._open) > self._limits.depth:
            raise XmlError(f"nested more than {self._limits.depth} deep")
        if len(self.scopes) >= self._limits.elements:
            raise XmlError(f"more than {self._limits.elements} elements")
        if len(attrs) + len(self._declared) > self._limits.attributes:
            raise XmlError(f"more than {self._limits.attributes} attributes at one element")
        scope = self._open[-1]
        if self._declared:
            scope = {**scope, **self._declared}
            self._declared = {}
        self._open.append(scope)
        element = super().start(tag, attrs)
        self.scopes[element] = scope
        return element

    def end(self, tag: str, /) -> Element:
        self._open.pop()
        return super().end(tag)


def parse(data: bytes, limits: Limits | None = None) -> Document:
    """The document in ``data``, in UTF-8 or UTF-16. Raises XmlError."""
    limits = limits or Limits()
    if len(data) > limits.size:
        raise XmlError(f"more than {limits.size} bytes")
    builder = _Builder(limits)
    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        root = parser.close()
    except XmlError:
        raise
    except DefusedXmlException:
        raise XmlError("a document type or an entity, which are not taken") from None
    except (ElementTree.ParseError, LookupError, ValueError, AssertionError) as error:
        raise XmlError(f"no well-formed XML ({error})") from None
    return Document(root, builder.scopes)


def element(name: str, *children: Child, **attributes: str | int | float | bool | None) -> Element:
    """A new element. ``name``: "tt:Name". ``children``: elements, text, numbers, truths; None and None attributes are
    left out. An attribute with a prefix is written ``wsnt__Dialect``."""
    made = Element(q(name))
    for key, value in attributes.items():
        if value is not None:
            made.set(q(key.replace("__", ":")), text(value))
    for child in children:
        if child is None:
            continue
        if isinstance(child, str | int | float):
            made.text = (made.text or "") + text(child)
        elif isinstance(child, Element):
            made.append(child)
        else:
            made.extend(child)
    return made


def text(value: str | int | float | bool) -> str:
    """A value as XML Schema writes it: true and false, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def words(found: Element | None) -> str:
    """The text in an element, stripped; "" for None."""
    return "" if found is None or found.text is None else found.text.strip()


def write(root: Element) -> bytes:
    """The document in UTF-8 with a declaration. All prefixes stand at the root: those of names, and those that are
    known and seem to be used in texts. Characters that XML 1.0 can't hold become U+FFFD."""
    prefixes: dict[str, str] = {}
    foreign = 0
    for node in root.iter():
        for name in (node.tag, *node.keys()):
            namespace = split(name)[0]
            if namespace and namespace not in prefixes:
                prefix = PREFIXES.get(namespace)
                if prefix is None:
                    prefix, foreign = f"n{foreign}", foreign + 1
                prefixes[namespace] = prefix
        for value in (node.text or "", *node.attrib.values()):
            for match in _QUALIFIED.finditer(value):
                if (namespace := NAMESPACES.get(match[1])) is not None:
                    prefixes[namespace] = match[1]
    prefixes[NAMESPACES["xml"]] = "xml"
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    declared = "".join(
        f' xmlns:{prefix}="{_attribute(uri)}"' for uri, prefix in sorted(prefixes.items(), key=lambda item: item[1])
    )
    _write(root, prefixes, declared.replace(f' xmlns:xml="{NAMESPACES["xml"]}"', ""), parts)
    return "".join(parts).encode("utf-8")


def _write(node: Element, prefixes: Mapping[str, str], declared: str, parts: list[str]) -> None:
    name = _short(node.tag, prefixes)
    parts.append(f"<{name}{declared}")
    parts.extend(f' {_short(key, prefixes)}="{_attribute(value)}"' for key, value in node.items())
    if len(node) or node.text:
        parts.append(">")
        if node.text:
            parts.append(escape(legal(node.text)).replace("\r", "&#13;"))
        for child in node:
            _write(child, prefixes, "", parts)
            if child.tail:
                parts.append(escape(legal(child.tail)).replace("\r", "&#13;"))
        parts.append(f"</{name}>")
    else:
        parts.append("/>")


def _short(tag: str, prefixes: Mapping[str, str]) -> str:
    namespace, name = split(tag)
    return f"{prefixes[namespace]}:{name}" if namespace else name


def _attribute(value: str) -> str:
    return escape(legal(value), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def legal(value: str) -> str:
    """``value`` with U+FFFD for what XML 1.0 can't hold."""
    return _ILLEGAL.sub("\ufffd", value)


def is_name(value: str) -> bool:
    """Whether ``value`` may be a local name."""
    return _NAME.match(value) is not None

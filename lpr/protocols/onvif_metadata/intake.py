"""XML of any maker taken in: bounded, without DTD and entities, tolerant where that costs nothing; oddities are noted.

Prefixes that nobody declared (Milesight's manual prints its example so) are taken for the usual ones. Pure. May import
defusedxml and the standard library, besides this folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from lpr.protocols.onvif_metadata.markup import NAMESPACES

MAX_BYTES = 1_048_576
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_DEVIATIONS = 100
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]")
_DECLARED = re.compile(r"xmlns:([A-Za-z_][\w.-]*)\s*=")
_ROOT = re.compile(r"<[A-Za-z_][\w.:-]*")
_ENCODING = re.compile(r"<\?xml[^>]*\?>")


class MetadataError(ValueError):
    """A document that is no XML, too large, or has a DTD or entities. The text says which."""


@dataclass(slots=True)
class Notes:
    """Deviations, each once."""

    found: dict[str, None] = field(default_factory=dict[str, None])

    def add(self, text: str) -> None:
        """One sentence."""
        if len(self.found) < MAX_DEVIATIONS:
            self.found[text[:300]] = None

    def all(self) -> tuple[str, ...]:
        """In the order met."""
        return tuple(self.found)


def tree(data: bytes, max_bytes: int, notes: Notes) -> Node:
    """The root of a document. Raises MetadataError."""
    if len(data) > max_bytes:
        raise MetadataError(f"the document has {len(data)} bytes, more than {max_bytes}")
    stripped = data.strip(b"\0 \t\r\n")
    if stripped != data.rstrip(b"\r\n"):
        notes.add("the document has padding round it")
    try:
        return _built(stripped)
    except MetadataError:
        raise
    except ParseError as error:
        if "unbound prefix" not in str(error):
            raise MetadataError(f"the document is no XML: {error}") from None
    except DefusedXmlException as error:
        raise MetadataError(f"the document has what it may not have: {type(error).__name__}") from None
    except (ValueError, LookupError) as error:
        raise MetadataError(f"the document is no XML that can be read: {error}") from None
    try:
        return _built(_with_prefixes(stripped, notes))
    except MetadataError:
        raise
    except (ParseError, ValueError, LookupError) as error:
        raise MetadataError(f"the document is no XML: {error}") from None


def _with_prefixes(data: bytes, notes: Notes) -> bytes:
    """The document with its undeclared prefixes declared at the root."""
    text = _ENCODING.sub("", data.decode("utf-8-sig"))
    used = dict.fromkeys(_PREFIX.findall(text))
    missing = [prefix for prefix in used if prefix not in set(_DECLARED.findall(text)) and prefix != "xmlns"]
    for prefix in missing:
        notes.add(f"the prefix {prefix} is not declared")
    added = "".join(f' xmlns:{prefix}="{NAMESPACES.get(prefix, "urn:undeclared:" + prefix)}"' for prefix in missing)
    return _ROOT.sub(lambda match: match.group() + added, text, count=1).encode()


def _built(data: bytes) -> Node:
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    parser.feed(data)
    parser.close()
    if builder.root is None:
        raise ParseError("no element found")
    return builder.root


class _Builder:
    """Builds the tree within the limits. Raises MetadataError."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0
        self._last: Node | None = None

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise MetadataError(f"the document has more than {MAX_ELEMENTS} elements or goes deeper than {MAX_DEPTH}")
        node = Node(tag, attrs)
        if self._open:
            self._open[-1].append(node)
        else:
            self.root = node
        self._open.append(node)
        self._last = None

    def end(self, tag: str) -> None:
        self._last = self._open.pop()

    def data(self, data: str) -> None:
        if self._last is not None:
            self._last.tail = (self._last.tail or "") + data
        elif self._open:
            self._open[-1].text = (self._open[-1].text or "") + data

    def close(self) -> Node | None:
        return self.root


def local(node: Node) -> str:
    """The name without its namespace."""
    return node.tag.rpartition("}")[2]


def expect_namespace(node: Node, namespace: str, notes: Notes) -> None:
    """Notes an element that is in another namespace."""
    found = node.tag.rpartition("}")[0].removeprefix("{")
    if found != namespace:
        notes.add(f"{local(node)} is in the namespace {found!r}, not {namespace!r}")


def child_of(node: Node, *names: str) -> Node | None:
    """The first child of one of these local names."""
    return next((child for child in node if local(child) in names), None)


def text_of(node: Node | None) -> str:
    """All text within, stripped; "" for None."""
    return "" if node is None else "".join(node.itertext()).strip()


def float_of(text: str | None) -> float | None:
    """A finite number of a sensible size, else None."""
    if text is None:
        return None
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if -1e12 < value < 1e12 else None

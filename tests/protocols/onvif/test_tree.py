"""XML in and out: what is written is read back; what is hostile is refused, cheaply."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif.names import NAMESPACES, q
from lpr.protocols.onvif.tree import Limits, XmlError, element, legal, parse, text, words, write

NAMES = st.sampled_from(["tt:Name", "tds:Scopes", "trt:Profiles", "{urn:other}Thing", "plain"])
TEXTS = st.text(max_size=20)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Element:
    name = draw(NAMES)
    made = Element(name if name.startswith("{") or ":" not in name else q(name))
    made.text = draw(TEXTS) or None
    for key in draw(st.lists(st.sampled_from(["token", q("xsi:type"), "{urn:other}x"]), unique=True, max_size=2)):
        made.set(key, draw(TEXTS))
    if depth:
        made.extend(draw(st.lists(trees(depth=depth - 1), max_size=3)))
    return made


def same(one: Element, other: Element) -> None:
    assert one.tag == other.tag
    assert legal(one.text or "") == (other.text or "")
    assert {key: legal(value) for key, value in one.items()} == dict(other.items())
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        same(left, right)


@given(trees())
def test_what_is_written_is_read_back(tree: Element) -> None:
    same(tree, parse(write(tree)).root)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse(data)
    except XmlError as error:
        assert str(error)


@given(st.binary(max_size=40), st.integers(0, 200))
def test_damaged_documents_are_read_or_refused(noise: bytes, place: int) -> None:
    whole = write(element("tds:GetServices", element("tds:IncludeCapability", True)))
    try:
        parse(whole[:place] + noise + whole[place:])
    except XmlError as error:
        assert str(error)


BOMB = b"""<!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]><x>&file;</x>"""


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/x.dtd'><x/>", "document type"),
        (b"<x>" * 49, "deep"),
        (b"<x>" + b"<y/>" * 5000 + b"</x>", "elements"),
        (b"<x " + b" ".join(b"a%d='1'" % number for number in range(65)) + b"/>", "attributes"),
        (b"<x " + b" ".join(b"xmlns:a%d='u'" % number for number in range(65)) + b"/>", "attributes"),
        (b"<x>" + b"y" * 262_144 + b"</x>", "bytes"),
        (b"", "well-formed"),
        (b"<x>&unknown;</x>", "well-formed"),
        (b"<?xml version='1.0' encoding='made-up'?><x/>", "well-formed"),
        (b"<x/><y/>", "well-formed"),
        ("<x>\ud800</x>".encode("utf-8", "surrogatepass"), "well-formed"),
    ],
    ids=range(13),
)
def test_what_is_not_taken_says_why(data: bytes, part: str) -> None:
    with pytest.raises(XmlError, match=part):
        parse(data)


def test_limits_are_the_callers() -> None:
    assert parse(b"<a><b/></a>", Limits(depth=2, elements=2)).root.tag == "a"
    with pytest.raises(XmlError):
        parse(b"<a><b/></a>", Limits(depth=1))
    with pytest.raises(XmlError):
        parse(b"<a><b/></a>", Limits(elements=1))


def test_prefixes_hold_where_they_are_declared() -> None:
    document = parse(b"<a xmlns:p='one'><b xmlns:p='two' xmlns='three'/><c/></a>")
    first, second = document.root
    assert document.namespaces(document.root) == {"p": "one"}
    assert document.namespaces(first) == {"p": "two", "": "three"}
    assert document.namespaces(second) == {"p": "one"}


def test_prefixes_in_texts_are_declared() -> None:
    data = write(element("tds:X", "tns1:RuleEngine/Recognition", element("tt:Y", Type="xs:string")))
    assert f'xmlns:tns1="{NAMESPACES["tns1"]}"'.encode() in data
    assert f'xmlns:xs="{NAMESPACES["xs"]}"'.encode() in data
    assert b"xmlns:ter" not in data and b"onvif:" not in data


def test_an_address_in_a_text_declares_nothing() -> None:
    assert b"xmlns:d=" not in write(element("tt:Uri", "rtsp://d:8554/main"))


@pytest.mark.parametrize(
    ("value", "written"),
    [(True, "true"), (False, "false"), (3, "3"), (25.0, "25"), (12.5, "12.5"), ("a b", "a b")],
)
def test_values_are_written_as_the_schema_wants(value: str | int | float | bool, written: str) -> None:
    assert text(value) == written


def test_elements_are_put_together() -> None:
    made = element("tt:A", "x", 1, None, [element("tt:B"), element("tt:C")], element("tt:D"), b=None, c=True)
    assert [child.tag for child in made] == [q("tt:B"), q("tt:C"), q("tt:D")]
    assert made.text == "x1" and dict(made.items()) == {"c": "true"}
    assert words(made) == "x1" and words(None) == "" and words(element("tt:E")) == ""

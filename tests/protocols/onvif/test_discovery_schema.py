"""WS-Discovery's messages validate against the public schemas, envelope, headers and body, whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif import soap
from lpr.protocols.onvif.discovery import Responder, Shown
from tests.protocols.onvif import schemas
from tests.protocols.onvif.test_discovery import ENDPOINT, RULES, SCOPES, Rig, probe, question
from tests.protocols.onvif.worlds import texts

RESOLVE = f"<d:Resolve><a:EndpointReference><a:Address>{ENDPOINT}</a:Address></a:EndpointReference></d:Resolve>"
letters = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Z", "C"]), min_size=1)
scopes = st.lists(st.builds("onvif://www.onvif.org/{}".format, letters), max_size=8).map(tuple)
numbers = st.integers(0, 2**40)


def messages(scopes: tuple[str, ...], version: int, instance: int, own: str) -> dict[str, bytes]:
    """Every message that the device sends, by its name."""
    made = Responder(
        ENDPOINT,
        lambda: Shown(scopes, version),
        lambda address: f"http://{address}:8000/onvif/device_service",
        instance=instance,
        fresh=lambda: bytes(range(16)),
    )
    answers = (made.receive(data, own, 0) for data in (probe(), question(RESOLVE, 2, "Resolve")))
    found = [made.hello(own), made.bye(), *(answer for answer in answers if answer is not None)]
    return {soap.parse(data).operation: data for data in found}


@given(scopes, numbers, numbers, st.ip_addresses(v=4).map(str))
def test_what_the_device_sends_validates(scopes: tuple[str, ...], version: int, instance: int, own: str) -> None:
    found = messages(scopes, version, instance, own)
    assert found.keys() == {"Hello", "Bye", "ProbeMatches", "ResolveMatches"}
    for name, data in found.items():
        assert schemas.discovery_faults(data) == [], name
    told = soap.parse(found["ProbeMatches"])
    assert texts(told.body, "d:Scopes") == [" ".join(scopes)]
    assert texts(told.body, "d:MetadataVersion") == [str(version % 2**32)]


@given(
    types=st.none() | st.lists(st.sampled_from(["dn:NetworkVideoTransmitter", "tds:Device"])).map(" ".join),
    asked=st.none() | st.lists(st.sampled_from(SCOPES)).map(" ".join),
    rule=st.none() | st.sampled_from(["rfc3986", "strcmp0"]).map(RULES.__add__),
    number=st.integers(1, 10**9),
)
def test_valid_questions_are_answered_validly(
    types: str | None, asked: str | None, rule: str | None, number: int
) -> None:
    data = probe(types, asked, rule, number)
    assert schemas.discovery_faults(data) == []
    answer = Rig().ask(data)
    assert answer is not None and schemas.discovery_faults(answer) == []
    assert f"<a:RelatesTo>urn:uuid:{number}</a:RelatesTo>".encode() in answer


def test_a_resolve_is_valid_and_so_is_its_answer() -> None:
    data = question(RESOLVE, 1, "Resolve")
    answer = Rig().ask(data)
    assert answer is not None and schemas.discovery_faults(data) == schemas.discovery_faults(answer) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"<d:MetadataVersion>3</d:MetadataVersion>", b""),
        (b"<d:MetadataVersion>3<", b"<d:MetadataVersion>-3<"),
        (b' InstanceId="7"', b""),
        (b"a:Address>", b"a:Adress>"),
        (b"env:Header>", b"env:Head>"),
        (b"dn:NetworkVideoTransmitter tds:Device", b"unknown:NetworkVideoTransmitter"),
    ],
    ids=["missing", "negative", "attribute", "addressing", "envelope", "prefix"],
)
def test_wrong_messages_are_noticed(right: bytes, wrong: bytes) -> None:
    hello = Rig().responder.hello("192.0.2.7")
    assert right in hello and schemas.discovery_faults(hello) == []
    assert schemas.discovery_faults(hello.replace(right, wrong))

"""Envelopes and faults, and the table that finds operations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif import soap
from lpr.protocols.onvif.names import NAMESPACES, q
from lpr.protocols.onvif.operations import Level, Operation, Service, Table, permit
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, parse, write
from tests.protocols.onvif.worlds import Place

ENV = NAMESPACES["env"]


def envelope(body: str, header: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{ENV}" xmlns:wsa="{NAMESPACES["wsa"]}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def test_a_request_is_read() -> None:
    request = soap.parse(
        envelope(
            '<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl"><IncludeCapability> true </IncludeCapability>'
            "</GetServices>",
            "<wsa:MessageID>urn:uuid:1</wsa:MessageID><wsa:Action>do it</wsa:Action><wsa:To>you</wsa:To>",
        )
    )
    assert (request.namespace, request.operation) == (NAMESPACES["tds"], "GetServices")
    assert request.value("tds:IncludeCapability") == "true" and request.value("tds:Nothing") == ""
    assert (request.message_id, request.action, request.to) == ("urn:uuid:1", "do it", "you")
    assert request.token is None
    assert request.namespaces(request.body)[""] == NAMESPACES["tds"]


def test_a_careless_namespace_is_forgiven() -> None:
    request = soap.parse(
        envelope(
            '<t:GetProfile xmlns:t="http://www.onvif.org/ver10/media/wsdl"><ProfileToken>a</ProfileToken></t:GetProfile>'
        )
    )
    assert request.value("trt:ProfileToken") == "a"


@pytest.mark.parametrize(
    ("data", "side"),
    [
        (b"", "Sender"),
        (b"<x/>", "Sender"),
        (envelope(""), "Sender"),
        (envelope("<a/><b/>"), "Sender"),
        (f'<s:Envelope xmlns:s="{ENV}"/>'.encode(), "Sender"),
        (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>', "VersionMismatch"),
        (envelope("<a/>", '<x:Odd xmlns:x="urn:x" s:mustUnderstand="1"/>'), "MustUnderstand"),
    ],
    ids=range(7),
)
def test_what_is_no_request_is_refused(data: bytes, side: str) -> None:
    with pytest.raises(Fault) as caught:
        soap.parse(data)
    assert caught.value.side == side and caught.value.status == 400
    assert parse(soap.refuse(caught.value)).root.tag == q("env:Envelope")


def test_an_odd_header_that_need_not_be_understood_is_passed_over() -> None:
    request = soap.parse(envelope("<a/>", '<x:Odd xmlns:x="urn:x" s:mustUnderstand="0"/>'))
    assert request.operation == "a" and len(request.headers) == 1


@given(st.binary(max_size=60), st.integers(0, 300))
def test_damaged_requests_are_read_or_refused(noise: bytes, place: int) -> None:
    whole = envelope('<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl"/>')
    try:
        soap.parse(whole[:place] + noise + whole[place:])
    except Fault as fault:
        assert soap.refuse(fault)


def test_the_golden_fault() -> None:
    fault = Fault("Sender", "ter:InvalidArgVal", "ter:NoProfile", reason="There is no <such> profile")
    assert soap.refuse(fault).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<env:Envelope xmlns:env="{ENV}" xmlns:ter="http://www.onvif.org/ver10/error"><env:Body><env:Fault><env:Code>'
        "<env:Value>env:Sender</env:Value><env:Subcode><env:Value>ter:InvalidArgVal</env:Value><env:Subcode>"
        "<env:Value>ter:NoProfile</env:Value></env:Subcode></env:Subcode></env:Code><env:Reason>"
        '<env:Text xml:lang="en">There is no &lt;such&gt; profile</env:Text></env:Reason></env:Fault></env:Body>'
        "</env:Envelope>"
    )


def test_answers_speak_addressing_when_the_request_does() -> None:
    asked = soap.parse(envelope("<a/>", "<wsa:MessageID>urn:uuid:7</wsa:MessageID>"))
    body = element("tds:GetHostnameResponse")
    found = soap.parse(soap.answer(body, asked))
    assert found.action == f"{NAMESPACES['tds']}/GetHostnameResponse"
    assert b"<wsa:RelatesTo>urn:uuid:7</wsa:RelatesTo>" in soap.answer(body, asked)
    assert b"Header" not in soap.answer(body, soap.parse(envelope("<a/>")))
    assert soap.parse(soap.answer(body, None, "other")).action == "other"
    refused = soap.refuse(Fault("Receiver", reason="no"), asked)
    assert soap.parse(refused).action == f"{NAMESPACES['wsa']}/soap/fault"


def test_the_receivers_faults_have_another_status() -> None:
    assert Fault("Receiver", reason="x").status == 500 and Fault("Sender", reason="x", status=401).status == 401


def test_the_table_finds_and_refuses() -> None:
    table = Place().table
    assert table.find(soap.parse(soap.answer(element("tmd:GetDigitalInputs")))).name == "GetDigitalInputs"
    for name in ("tds:MakeCoffee", "dn:GetServices"):
        with pytest.raises(Fault) as caught:
            table.find(soap.parse(soap.answer(element(name))))
        assert caught.value.subcodes == ("ter:ActionNotSupported",) and caught.value.side == "Receiver"
    with pytest.raises(Fault):
        table.find(soap.parse(envelope("<GetServices/>")))


def test_an_operation_is_there_once_and_may_be_of_another_namespace() -> None:
    twice = Service("tds", "/x", (Operation("A", "PRE_AUTH", None), Operation("A", "PRE_AUTH", None)))
    with pytest.raises(ValueError, match="twice"):
        Table.of([twice])
    table = Table.of([Service("tev", "/x", (Operation("wsnt:Renew", "READ_MEDIA", None),), also=("wsnt",))])
    assert table.find(soap.parse(soap.answer(element("wsnt:Renew")))).name == "wsnt:Renew"
    with pytest.raises(Fault, match="not known"):
        table.find(soap.parse(soap.answer(element("wsnt:Notify"))))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("tds:GetServices", None),
        ("tds:GetSystemDateAndTime", None),
        ("tds:GetCapabilities", None),
        ("tds:GetHostname", None),
        ("tds:GetWsdlUrl", None),
        ("tds:GetEndpointReference", None),
        ("trt:GetServiceCapabilities", None),
        ("trt:CreateProfile", None),
        ("tds:GetDeviceInformation", "user"),
        ("tds:GetNetworkInterfaces", "user"),
        ("trt:GetProfiles", "user"),
        ("trt:GetStreamUri", "user"),
        ("trt:DeleteProfile", "operator"),
        ("trt:SetVideoEncoderConfiguration", "operator"),
        ("tds:GetUsers", "administrator"),
        ("tds:SetScopes", "administrator"),
        ("tds:SystemReboot", "administrator"),
    ],
)
def test_who_may_call_what(name: str, least: Level | None) -> None:
    operation = Place().table.find(soap.parse(soap.answer(element(name))))
    order: list[Level | None] = [None, "user", "operator", "administrator"]
    for place, level in enumerate(order):
        if place >= order.index(least):
            permit(operation, level)
            continue
        with pytest.raises(Fault) as caught:
            permit(operation, level)
        assert caught.value.subcodes == ("ter:NotAuthorized",)
        assert caught.value.status == (401 if level is None else 400)


def test_nothing_else_is_open_to_everybody() -> None:
    opened = {
        operation.name.rpartition(":")[2]
        for service in Place().table.services
        for operation in service.operations
        if operation.access == "PRE_AUTH"
    }
    assert opened == {
        "GetServices",
        "GetCapabilities",
        "GetServiceCapabilities",
        "GetWsdlUrl",
        "GetEndpointReference",
        "GetSystemDateAndTime",
        "GetHostname",
        "CreateProfile",
    }


def test_what_is_not_offered_says_why() -> None:
    for service in Place().table.services:
        for operation in service.operations:
            assert operation.handler is not None or operation.why, operation.name


def test_writing_is_stable() -> None:
    place = Place()
    once, again = (write(place.call("trt:GetProfiles")) for _ in range(2))
    assert once == again

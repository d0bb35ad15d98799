"""Whole messages validate against the schema of SOAP 1.2: answers with their headers, and every kind of fault."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.actors.device_http.onvif_events import answers
from lpr.config import OnvifEvents
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.soap import Fault, Side
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif import schemas

REQUEST = soap.parse(
    soap.answer(element("tds:GetHostname"), None, "http://www.onvif.org/ver10/device/wsdl/GetHostname").replace(
        b"</env:Header>", b"<wsa:MessageID>urn:uuid:1</wsa:MessageID></env:Header>"
    )
)
SOONEST = element("wsnt:MinimumTime", "2020-01-01T00:00:00Z")
EVENTS = {
    **{name: answers.base_fault(name, 0, "why") for name in answers.FAULTS.values()},
    "SubscribeCreationFailedFault": answers.base_fault("SubscribeCreationFailedFault", 0, "why"),
    "UnableToGetMessagesFault": answers.base_fault("UnableToGetMessagesFault", 0, "why"),
    "UnacceptableTerminationTimeFault": answers.base_fault("UnacceptableTerminationTimeFault", 0, "why", SOONEST),
    "UnacceptableInitialTerminationTimeFault": answers.base_fault(
        "UnacceptableInitialTerminationTimeFault", 0, "why", SOONEST
    ),
    "InvalidFilterFault": answers.base_fault(
        "InvalidFilterFault", 0, "why", element("wsnt:UnknownFilter", "wsnt:Filter")
    ),
    "InvalidProducerPropertiesExpressionFault": answers.base_fault(
        "InvalidProducerPropertiesExpressionFault", 0, "why"
    ),
    "ResourceUnknownFault": answers.unknown(0),
    "PullMessagesFaultResponse": answers.too_long(OnvifEvents()),
}


def wrong(message: bytes) -> list[str]:
    return schemas.message_faults(schemas.soap12(), message)


@given(
    side=st.sampled_from(get_args(Side)),
    subcodes=st.lists(st.sampled_from(["ter:InvalidArgVal", "ter:NoProfile", "ter:NotAuthorized"]), max_size=3),
    reason=st.text(max_size=40),
    answered=st.booleans(),
)
def test_faults_validate(side: Side, subcodes: list[str], reason: str, answered: bool) -> None:
    fault = Fault(side, *subcodes, reason=reason, detail=[element("ter:More", reason)] if reason else [])
    assert wrong(soap.refuse(fault, REQUEST if answered else None)) == []


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_faults_of_the_events_service_validate(name: str) -> None:
    fault = EVENTS[name]
    message = soap.refuse(fault, REQUEST)
    assert f"{name}>".encode() in message and wrong(message) == []


def test_answers_validate_with_their_headers() -> None:
    body = element("wsnt:UnsubscribeResponse")
    assert wrong(soap.answer(body)) == wrong(soap.answer(body, REQUEST, "urn:done")) == []


@pytest.mark.parametrize(
    ("right", "bad"),
    [
        (b"env:Reason>", b"env:Why>"),
        (b"env:Sender", b"env:Server"),
        (b"<env:Value>ter:NoProfile", b"<env:Value>nothing:NoProfile"),
    ],
)
def test_wrong_faults_are_noticed(right: bytes, bad: bytes) -> None:
    message = soap.refuse(Fault("Sender", "ter:NoProfile", reason="why"))
    assert right in message and wrong(message.replace(right, bad))


def test_a_fault_of_events_without_its_time_is_noticed() -> None:
    message = soap.refuse(answers.unknown(0))
    start, end = message.index(b"<wsrf-bf:Timestamp"), message.index(b"<wsrf-bf:Description")
    assert wrong(message) == [] and wrong(message[:start] + message[end:])

"""The client's side of ONVIF's events: what is sent is what our server takes, what comes is read leniently."""

from __future__ import annotations

import contextlib
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpr.protocols.onvif import client
from lpr.protocols.onvif.client import AnswerError, RemoteFault, Signer
from lpr.protocols.onvif.names import local, q
from lpr.protocols.onvif.security import Tokens
from lpr.protocols.onvif.soap import Fault, answer, parse, refuse
from lpr.protocols.onvif.tree import element

NOW = 1_750_000_000_000_000


def test_a_signed_request_is_one_that_our_server_takes() -> None:
    signer = Signer("nvr", "secret", offset=30.0)
    body = client.request(client.get_services(), security=signer.token(b"0123456789abcdef", NOW))
    found = parse(body)
    assert found.operation == "GetServices" and found.token is not None
    judged = Tokens(window=5.0).check(found.token, {"nvr": "secret"}.get, NOW + 30_000_000)
    assert judged.user == "nvr"
    assert "secret" not in body.decode() and "secret" not in repr(signer)


def test_an_addressed_request_carries_the_subscriptions_parameters() -> None:
    given_by_camera = answer(
        element(
            "tev:CreatePullPointSubscriptionResponse",
            element(
                "tev:SubscriptionReference",
                element("wsa:Address", "http://192.0.2.1/sub"),
                element("wsa:ReferenceParameters", element("ter:Id", "7")),
            ),
            element("wsnt:CurrentTime", "2025-06-15T15:06:40Z"),
            element("wsnt:TerminationTime", "2025-06-15T15:07:40Z"),
        )
    )
    found = client.subscription(client.read_answer(given_by_camera))
    assert (found.address, found.termination) == ("http://192.0.2.1/sub", "2025-06-15T15:07:40Z")
    sent = parse(
        client.request(
            client.pull_messages(5, 10),
            action=client.ACTIONS["PullMessages"],
            to=found.address,
            message_id="urn:uuid:1",
            parameters=found.parameters,
        )
    )
    assert (sent.action, sent.to, sent.message_id) == (client.ACTIONS["PullMessages"], found.address, "urn:uuid:1")
    (parameter,) = [one for one in sent.headers if one.tag == q("ter:Id")]
    assert parameter.text == "7" and parameter.get(q("wsa:IsReferenceParameter")) == "true"
    assert sent.value("tev:Timeout") == "PT5S" and sent.value("tev:MessageLimit") == "10"


def test_faults_say_what_they_are() -> None:
    with pytest.raises(RemoteFault) as caught:
        client.read_answer(refuse(Fault("Sender", "ter:NotAuthorized", reason="Who is it?")))
    assert caught.value.codes == ("Sender", "NotAuthorized") and caught.value.is_access
    assert "Who is it?" in str(caught.value)
    inner = b"<e:Fault><faultcode>e:Client</faultcode><faultstring>no</faultstring></e:Fault>"
    old = b"<e:Envelope xmlns:e='x'><e:Body>" + inner + b"</e:Body></e:Envelope>"
    with pytest.raises(RemoteFault, match="Client: no"):
        client.read_answer(old)


@pytest.mark.parametrize("data", [b"", b"<html/>", b"<Envelope/>", b"<Envelope><Body/></Envelope>", b"HTTP"])
def test_what_is_no_answer_is_said(data: bytes) -> None:
    with pytest.raises(AnswerError):
        client.read_answer(data)


def test_a_subscription_without_an_address_is_none() -> None:
    with pytest.raises(AnswerError, match="address"):
        client.subscription(element("tev:CreatePullPointSubscriptionResponse"))


def clock(**changes: str) -> Element:
    told = {"Hour": "15", "Minute": "6", "Second": "40", "Year": "2025", "Month": "6", "Day": "15", **changes}
    return element("tds:R", element("tt:UTCDateTime", [element(f"tt:{name}", text) for name, text in told.items()]))


def test_the_devices_time() -> None:
    assert client.device_time(clock()) == NOW
    assert client.device_time(clock(Second="60")) == NOW + 19_000_000
    assert client.device_time(clock(Month="13")) is None
    assert client.device_time(clock(Year="soon")) is None
    assert client.device_time(element("tds:R")) is None


def test_the_events_service_is_found_in_either_answer() -> None:
    service = element(
        "tds:Service", element("tds:Namespace", client.TEV), element("tds:XAddr", "http://192.0.2.1/events")
    )
    assert client.event_address(element("tds:GetServicesResponse", service)) == "http://192.0.2.1/events"
    capability = element("tt:Events", element("tt:XAddr", "http://192.0.2.1/e"))
    assert client.event_address(element("tds:R", element("tds:Capabilities", capability))) == "http://192.0.2.1/e"
    assert client.event_address(element("tds:R")) == ""


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(AnswerError, RemoteFault):
        assert local(client.read_answer(data).tag)

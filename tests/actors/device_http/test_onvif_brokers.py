"""Brokers as the events service tells them: those of the file that get ONVIF's events, without passwords."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import pytest

from lpr.actors.device_http.onvif_events import Broker, EventsService, brokers_of
from lpr.actors.device_http.onvif_events.answers import capabilities
from lpr.config import Mqtt, OnvifEvents
from lpr.core.clock import ManualClock
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.operations import Call, Table
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, write
from tests.actors.device_http.test_onvif_part import NoPlates
from tests.protocols.onvif.worlds import texts
from tests.protocols.onvif_metadata import schemas

SECURE = Broker("mqtts", "broker.example.org", 8883, "lpr/north", "gate")
PLAIN = Broker("mqtt", "2001:db8::7", 1883, "lpr", None)


def asked(brokers: Sequence[Broker], address: str = "") -> Element:
    """The answer to GetEventBrokers, valid by the public schema."""
    events = EventsService(OnvifEvents(), NoPlates(), ManualClock(), brokers=brokers)
    body = element("tev:GetEventBrokers", element("tev:Address", address) if address else None)
    request = soap.parse(soap.answer(body))
    handler = Table.of([events.service()]).find(request).handler
    assert handler is not None
    found = handler(Call(request, "http://cam:8000", "cam", "/onvif/events", 0))
    assert isinstance(found, Element)
    assert schemas.faults(schemas.events(), write(found)) == []
    return found


def test_brokers_that_get_our_own_json_alone_are_none_of_onvifs() -> None:
    settings = (
        Mqtt(host="broker.example.org", prefix="lpr/north", user="gate", password_file="secret", onvif=True),
        Mqtt(name="other", host="other.example.org"),
        Mqtt(name="plain", host="2001:db8::7", tls=False, onvif=True),
        Mqtt(name="odd", host="odd.example.org", port=8884, onvif=True),
    )
    assert brokers_of(settings) == (SECURE, PLAIN, Broker("mqtts", "odd.example.org", 8884, "lpr", None))


def test_brokers_are_listed() -> None:
    found = asked([SECURE, PLAIN])
    assert texts(found, "tev:Address") == ["mqtts://broker.example.org:8883", "mqtt://[2001:db8::7]:1883"]
    assert texts(found, "tev:TopicPrefix") == ["lpr/north", "lpr"] and texts(found, "tev:QoS") == ["1", "1"]
    assert texts(found, "tev:UserName") == ["gate"] and texts(found, "tev:Password") == []


def test_one_broker_is_asked_for_by_its_address() -> None:
    assert texts(asked([SECURE, PLAIN], PLAIN.address), "tev:TopicPrefix") == ["lpr"]
    assert len(asked([SECURE], "mqtts://other.example.org:8883")) == 0 == len(asked([]))


@pytest.mark.parametrize(("brokers", "protocols", "most"), [((), None, None), ((SECURE, PLAIN), "mqtt mqtts", "2")])
def test_the_capabilities_tell_them(brokers: tuple[Broker, ...], protocols: str | None, most: str | None) -> None:
    found = capabilities(OnvifEvents(), brokers)
    assert (found.get("EventBrokerProtocols"), found.get("MaxEventBrokers")) == (protocols, most)
    answer = element("tev:GetServiceCapabilitiesResponse", found)
    assert schemas.faults(schemas.events(), write(answer)) == []


@pytest.mark.parametrize("name", ["AddEventBroker", "DeleteEventBroker"])
def test_none_is_added_or_taken_away_over_the_network(name: str) -> None:
    table = Table.of([EventsService(OnvifEvents(), NoPlates(), ManualClock(), brokers=[SECURE]).service()])
    operation = table.find(soap.parse(soap.answer(element(f"tev:{name}"))))
    assert operation.handler is None and operation.access == "WRITE_SYSTEM"
    with pytest.raises(Fault):
        table.find(soap.parse(soap.answer(element("tev:SetEventBroker"))))

"""What GetCapabilities says is what each service says of itself: ONVIF's test tool compares the two."""

from __future__ import annotations

import dataclasses
from xml.etree.ElementTree import Element

import pytest

from lpr.actors.device_http.onvif_events.answers import capabilities
from lpr.config import OnvifEvents
from lpr.protocols.onvif import soap
from lpr.protocols.onvif.model import Ports, Stream
from lpr.protocols.onvif.names import local
from lpr.protocols.onvif.operations import Call, Service, Table
from lpr.protocols.onvif.tables import services_of
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif.worlds import DEVICE, FINE, MAIN, SUB, Place

SERVICES = {"Device": "tds", "Media": "trt", "Analytics": "tan", "DeviceIO": "tmd"}
"""GetCapabilities' element, and the service that it is about."""
EVERYWHERE = {"MaximumNumberOfProfiles", "RTP_RTSP_TCP", "RTP_TCP", "RTPMulticast", "VideoSources", "AudioSources"} | {
    *("RuleSupport", "AnalyticsModuleSupport", "IPFilter", "ZeroConfiguration", "DynDNS", "IPVersion6", "TLS1.2"),
    *("DiscoveryResolve", "DiscoveryBye", "RemoteDiscovery", "SystemBackup", "SystemLogging", "FirmwareUpgrade"),
    *("TLS1.1", "OnboardKeyGeneration", "AccessPolicyConfig", "X.509Token", "SAMLToken", "KerberosToken", "RELToken"),
    *("VideoOutputs", "AudioOutputs", "RelayOutputs"),
}
"""What both say."""


def leaves(found: Element) -> dict[str, str]:
    """Every element's text by its name."""
    return {local(node.tag): node.text or "" for node in found.iter() if not len(node)}


def attributes(found: Element) -> dict[str, str]:
    """Every attribute by its name."""
    return {name: value for node in found.iter() for name, value in node.attrib.items()}


@pytest.mark.parametrize("streams", [(MAIN, SUB, FINE), (FINE,), (MAIN,), ()], ids=["all", "H.265", "H.264", "none"])
@pytest.mark.parametrize(
    "ports",
    [Ports(8000, None, 8554, None), Ports(None, 8443, None, 8322), Ports(8000, None, None, None)],
    ids=["plain", "TLS", "no RTSP"],
)
def test_both_say_the_same(streams: tuple[Stream, ...], ports: Ports) -> None:
    place = Place(dataclasses.replace(DEVICE, ports=lambda: ports), streams)
    said = place.call("tds:GetCapabilities", element("tds:Category", "All"))
    compared: set[str] = set()
    for name, prefix in SERVICES.items():
        (part,) = (node for node in said.iter() if local(node.tag) == name)
        own = attributes(place.call(f"{prefix}:GetServiceCapabilities"))
        for key, value in leaves(part).items():
            if key in own:
                assert value == own[key], (name, key)
                compared.add(key)
    assert compared == EVERYWHERE


def test_the_events_service_says_the_same() -> None:
    """But for pull points: those of WS-BaseNotification are not ONVIF's, which clients look for in GetCapabilities."""
    place = Place()
    events = Service("tev", "/onvif/events", (), capabilities=lambda: capabilities(OnvifEvents()))
    table = Table.of(services_of(place.world, (events,)))
    request = soap.parse(soap.answer(element("tds:GetCapabilities")))
    handler = table.find(request).handler
    assert handler is not None
    answer = handler(Call(request, "http://192.0.2.7:8000", "192.0.2.7", "/onvif/x", 0))
    assert isinstance(answer, Element)
    (part,) = (node for node in answer.iter() if local(node.tag) == "Events")
    said, own = leaves(part), attributes(capabilities(OnvifEvents()))
    assert {name for name in said if said[name] != own.get(name)} == {"XAddr", "WSPullPointSupport"}

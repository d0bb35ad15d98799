"""The device service's answers, and the faults that NVRs expect."""

from __future__ import annotations

import dataclasses

import pytest

from lpr.protocols.onvif.names import q
from lpr.protocols.onvif.tree import element, words
from tests.protocols.onvif.worlds import DEVICE, Place, refused, texts


def test_services_are_listed_with_addresses_that_the_caller_can_reach() -> None:
    place = Place()
    plain = place.call("tds:GetServices", element("tds:IncludeCapability", False))
    assert texts(plain, "tds:XAddr")[:3] == [
        "http://192.0.2.7:8000/onvif/device_service",
        "http://192.0.2.7:8000/onvif/media_service",
        "http://192.0.2.7:8000/onvif/media2_service",
    ]
    assert not list(plain.iter(q("tds:Capabilities")))
    full = place.call("tds:GetServices", element("tds:IncludeCapability", True))
    assert len(list(full.iter(q("trt:Capabilities")))) == 1


@pytest.mark.parametrize(
    ("categories", "found"),
    [
        ((), ["Analytics", "Device", "Imaging", "Media", "Extension"]),
        (("All",), ["Analytics", "Device", "Imaging", "Media", "Extension"]),
        (("Media",), ["Media"]),
        (("Media", "PTZ"), ["Media"]),
    ],
)
def test_capabilities(categories: tuple[str, ...], found: list[str]) -> None:
    answer = Place().call("tds:GetCapabilities", *(element("tds:Category", name) for name in categories))
    assert [child.tag.rpartition("}")[2] for child in answer[0]] == found


def test_capabilities_that_are_not_there() -> None:
    wanted = element("tds:Category", "PTZ")
    assert refused(Place(), "tds:GetCapabilities", wanted) == ("ter:ActionNotSupported", "ter:NoSuchService")
    assert refused(Place(), "tds:GetCapabilities", element("tds:Category", "Coffee"))[0] == "ter:InvalidArgVal"


def test_the_time_is_utc() -> None:
    found = Place().call("tds:GetSystemDateAndTime").find(f".//{q('tt:UTCDateTime')}")
    assert found is not None
    assert [words(node) for node in found.iter() if not len(node)] == ["15", "6", "40", "2025", "6", "15"]


def test_who_we_are() -> None:
    place = Place()
    assert texts(place.call("tds:GetEndpointReference"), "tds:GUID") == ["11111111-2222-4333-8444-555555555555"]
    assert texts(place.call("tds:GetNetworkInterfaces"), "tt:HwAddress") == ["02:00:5e:10:00:01"]
    assert texts(place.call("tds:GetNetworkProtocols"), "tt:Enabled") == ["true", "false", "true"]
    assert texts(place.call("tds:GetUsers"), "tt:UserLevel") == ["Operator", "Administrator"]
    assert not texts(place.call("tds:GetUsers"), "tt:Password")
    assert texts(place.call("tds:GetDNS"), "tt:IPv6Address") == ["2001:db8::1"]


def test_scopes_are_added_replaced_and_removed() -> None:
    place = Place()
    fixed = texts(place.call("tds:GetScopes"), "tt:ScopeItem")
    assert "onvif://www.onvif.org/Profile/Streaming" in fixed and "onvif://www.onvif.org/name/Gate%20camera" in fixed
    assert {"onvif://www.onvif.org/Profile/T", "onvif://www.onvif.org/Profile/M"} <= set(fixed)
    place.call("tds:AddScopes", element("tds:ScopeItem", "onvif://www.onvif.org/a"))
    place.call("tds:AddScopes", element("tds:ScopeItem", "onvif://www.onvif.org/b"))
    assert place.added.scopes == ("onvif://www.onvif.org/a", "onvif://www.onvif.org/b")
    assert texts(place.call("tds:GetScopes"), "tt:ScopeDef")[len(fixed) :] == ["Configurable"] * 2
    gone = place.call("tds:RemoveScopes", element("tds:ScopeItem", "onvif://www.onvif.org/a"))
    assert texts(gone, "tds:ScopeItem") == ["onvif://www.onvif.org/a"]
    place.call("tds:SetScopes", element("tds:Scopes", "onvif://www.onvif.org/c"), element("tds:Scopes", fixed[0]))
    assert place.added.scopes == ("onvif://www.onvif.org/c",)


def test_scopes_that_can_not_be() -> None:
    place = Place()
    name = "tds:ScopeItem"
    for wrong in ("no scheme", "onvif://" + "x" * 256, "", "onvif://[x"):
        assert refused(place, "tds:AddScopes", element(name, wrong)) == ("ter:InvalidArgVal",)
    assert refused(place, "tds:SetScopes") == ("ter:InvalidArgs",)
    assert refused(place, "tds:RemoveScopes", element(name, DEVICE.scopes[0]))[1] == "ter:FixedScope"
    assert refused(place, "tds:RemoveScopes", element(name, "onvif://x"))[1] == "ter:NoScope"
    many = [element(name, f"onvif://www.onvif.org/{number}") for number in range(33)]
    assert refused(place, "tds:AddScopes", *many) == ("ter:Action", "ter:TooManyScopes")
    assert place.added.scopes == ()


def test_discovery_is_switched_only_where_it_is_configured() -> None:
    place = Place()
    mode = "tds:DiscoveryMode"
    assert texts(place.call("tds:GetDiscoveryMode"), mode) == ["Discoverable"]
    place.call("tds:SetDiscoveryMode", element(mode, "NonDiscoverable"))
    assert texts(place.call("tds:GetDiscoveryMode"), mode) == ["NonDiscoverable"]
    assert refused(place, "tds:SetDiscoveryMode", element(mode, "Perhaps")) == ("ter:InvalidArgVal",)
    silent = Place(dataclasses.replace(DEVICE, discovery=False))
    assert texts(silent.call("tds:GetDiscoveryMode"), mode) == ["NonDiscoverable"]
    assert refused(silent, "tds:SetDiscoveryMode", element(mode, "Discoverable")) == ("ter:OperationProhibited",)


def test_what_a_computers_administrator_looks_after_is_refused() -> None:
    for name in ("tds:SystemReboot", "tds:SetSystemFactoryDefault"):
        assert refused(Place(), name) == ("ter:OperationProhibited",)

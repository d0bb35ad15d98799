"""ONVIF's services. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="ONVIF device, media, media2, analytics, device I/O",
        role="server",
        section="onvif",
        port="",
        transport="HTTP(S), at device_http",
        authentication="WS-UsernameToken digest, HTTP Digest",
        encryption="TLS by choice",
        source="ONVIF Core, Media, Media2, Analytics, DeviceIO specifications",
        page="onvif.md",
        verified=(
            Proof("onvif-zeep-async, in Home Assistant's order", "tests/e2e/test_onvif.py::test_home_assistants_order"),
            Proof("npm's onvif", "tests/e2e/test_onvif.py::test_npms_onvif"),
            Proof("curl (HTTP Digest)", "tests/e2e/test_onvif.py::test_curl_asks_with_digest"),
        ),
        unverified=(
            "Home Assistant itself, NVRs and VMSs of any maker",
            "ONVIF's own test tool, so no conformance is claimed",
        ),
    ),
    ProtocolFact(
        name="ONVIF events: PullPoint, base notification",
        role="server",
        section="onvif_events",
        port="",
        transport="HTTP(S), at device_http",
        authentication="WS-UsernameToken digest, HTTP Digest",
        encryption="TLS by choice",
        source="ONVIF Core Specification; WS-BaseNotification 1.3",
        page="onvif-metadata.md",
        verified=(
            Proof(
                "onvif-zeep-async: a pull point in Home Assistant's order",
                "tests/e2e/test_onvif_events.py::test_home_assistants_order",
            ),
            Proof(
                "onvif-zeep-async: Home Assistant's webhook",
                "tests/e2e/test_onvif_events.py::test_home_assistants_webhook",
            ),
        ),
        unverified=("NVRs and VMSs of any maker",),
    ),
    ProtocolFact(
        name="WS-Discovery",
        role="server",
        section="onvif",
        port="",
        transport="UDP 3702, multicast",
        authentication="none: the protocol has none",
        encryption="none",
        source="WS-Discovery (2005/04); ONVIF Core Specification",
        page="onvif.md",
        verified=(
            Proof("npm's onvif, on loopback", "tests/e2e/test_onvif.py::test_npms_onvif"),
            Proof("WSDiscovery, on loopback", "tests/e2e/test_onvif.py::test_wsdiscovery_finds_and_resolves_it"),
        ),
        unverified=("other clients, real networks",),
    ),
)

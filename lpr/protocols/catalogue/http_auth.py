"""Authentication over HTTP. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="HTTP Digest and Basic",
        role="both",
        section="",
        port="",
        transport="HTTP, RTSP",
        authentication="itself",
        encryption="none",
        source="RFC 7616, RFC 7617, RFC 2069",
        page="",
        verified=(Proof("curl", "tests/e2e/test_onvif.py::test_curl_asks_with_digest"),),
        unverified=("auth-int, userhash",),
    ),
)

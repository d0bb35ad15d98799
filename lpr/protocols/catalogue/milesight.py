"""Milesight's ways. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="Milesight LPR, TCP",
        role="server",
        section="milesight",
        port="port",
        transport="TCP",
        authentication="user and password in the protocol",
        encryption="none: the protocol has none",
        source="Milesight, Integration between LPR Camera and NVR(VMS), 1.0 to 1.6",
        page="milesight.md",
        verified=(),
        unverified=("Milesight's own NVR and cameras; the other end was written from the same manual",),
    ),
    ProtocolFact(
        name="Milesight LPR, HTTP push",
        role="client",
        section="push",
        port="",
        transport="HTTP(S)",
        authentication="Basic, Digest (MD5, SHA-256) when asked",
        encryption="TLS, verified",
        source="the same manual; a public receiver (ex_nvr) for what it leaves open",
        page="milesight.md",
        verified=(),
        unverified=("ex_nvr and other receivers: their rules were read, not run",),
    ),
    ProtocolFact(
        name="Milesight pull API (operator.cgi)",
        role="server",
        section="milesight_pull",
        port="",
        transport="HTTP(S), at device_http",
        authentication="Digest (SHA-256, MD5), Basic by choice",
        encryption="TLS by choice",
        source="known clients (ex_nvr's Milesight client)",
        page="milesight.md",
        verified=(Proof("curl (Digest)", "tests/e2e/test_sockets.py::test_curl_pulls_with_digest"),),
        unverified=("NVRs that use it",),
    ),
)

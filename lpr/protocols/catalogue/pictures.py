"""Pictures that NVRs fetch. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="Pictures of the ten latest passages (/LPR/….jpg)",
        role="server",
        section="device_http",
        port="port",
        transport="HTTP(S)",
        authentication="Digest (SHA-256, MD5), Basic by choice",
        encryption="TLS by choice",
        source="Milesight, Integration between LPR Camera and NVR(VMS), RTSP Type",
        page="onvif-metadata.md",
        verified=(Proof("curl (Digest)", "tests/e2e/test_sockets.py::test_curl_pulls_with_digest"),),
        unverified=("NVRs that follow the path in the metadata",),
    ),
)

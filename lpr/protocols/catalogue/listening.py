"""The other side: ``lpr listen``. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="lpr listen http: receiver of pushes",
        role="server",
        section="",
        port="",
        transport="HTTP(S)",
        authentication="Digest or Basic when --user is given",
        encryption="TLS with --certificate",
        source="the formats above",
        page="listen.md",
        verified=(Proof("curl", "tests/e2e/test_listen.py::test_pushes_of_curl_with_digest"),),
        unverified=("other makers' cameras",),
    ),
    ProtocolFact(
        name="lpr listen mqtt: subscriber",
        role="client",
        section="",
        port="",
        transport="TCP, TLS",
        authentication="user and password, client certificate",
        encryption="TLS, verified",
        source="OASIS MQTT 3.1.1 and 5.0",
        page="listen.md",
        verified=(Proof("Mosquitto", "tests/e2e/test_listen.py::test_topics_of_mosquitto"),),
        unverified=("other makers' cameras",),
    ),
    ProtocolFact(
        name="lpr listen milesight, neural, rtsp, onvif",
        role="client",
        section="",
        port="",
        transport="TCP, TLS",
        authentication="as the protocol has it",
        encryption="TLS, verified",
        source="the specifications above",
        page="listen.md",
        verified=(),
        unverified=("other makers' cameras: so far our own servers and deliberately broken ones",),
    ),
)

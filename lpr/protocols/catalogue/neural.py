"""Sockets of VIVOTEK and Neural Labs. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="infoplate sockets: client",
        role="client",
        section="neural_client",
        port="port",
        transport="TCP",
        authentication="none: the protocol has none",
        encryption="none",
        source="Neural Labs, NEURAL SERVER Data Integration 1.17 (transcription); VIVOTEK manual",
        page="neural.md",
        verified=(Proof("socat", "tests/e2e/test_sockets.py::test_socat_is_dialled_and_gets_whole_messages"),),
        unverified=("VIVOTEK's cameras and VAST2, Neural Server",),
    ),
    ProtocolFact(
        name="infoplate sockets: server",
        role="server",
        section="neural_server",
        port="port",
        transport="TCP",
        authentication="by address (allow)",
        encryption="none",
        source="the same",
        page="neural.md",
        verified=(
            Proof("bash", "tests/e2e/test_sockets.py::test_bash_reads_a_document_from_the_socket_server"),
            Proof("nc", "tests/e2e/test_sockets.py::test_nc_reads_lines_of_json"),
        ),
        unverified=("VIVOTEK's cameras and VAST2, Neural Server",),
    ),
    ProtocolFact(
        name="Trigger server",
        role="server",
        section="neural_trigger",
        port="port",
        transport="TCP",
        authentication="by address (allow)",
        encryption="none",
        source="VIVOTEK manual; the same",
        page="neural.md",
        verified=(Proof("nc", "tests/e2e/test_sockets.py::test_nc_triggers_and_a_trigger_too_early_is_answered"),),
        unverified=("devices that trigger VIVOTEK's cameras",),
    ),
)

"""Signed pictures. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import ProtocolFact

FACTS = (
    ProtocolFact(
        name="Signed JPEG (VTR600)",
        role="format",
        section="",
        port="",
        transport="files",
        authentication="RSA signature in the picture",
        encryption="none",
        source="VTR600 manual, Digital signature",
        page="vtr600-jpeg.md",
        verified=(),
        unverified=("Pumatronix's own verifier and equipment",),
    ),
)

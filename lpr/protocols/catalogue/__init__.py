"""What this software speaks, as data: each protocol, its role, who may ask, what of it was seen working with whom.

A file a protocol room, one row a way in or out. ``tools.protocols`` makes docs/protocols/README.md of it, and a test
holds the rows against the configuration (every server and sink is here) and against the tests that they name. Whoever
adds a protocol adds a file here. May import nothing of ours.
"""

from lpr.protocols.catalogue import (
    http_auth,
    listening,
    milesight,
    mqtt,
    neural,
    onvif,
    pictures,
    pumatronix,
    rtsp,
    transfer,
    vtr600,
)
from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS: tuple[ProtocolFact, ...] = (
    *milesight.FACTS,
    *rtsp.FACTS,
    *onvif.FACTS,
    *pictures.FACTS,
    *neural.FACTS,
    *mqtt.FACTS,
    *transfer.FACTS,
    *pumatronix.FACTS,
    *vtr600.FACTS,
    *http_auth.FACTS,
    *listening.FACTS,
)
"""Every row, in the order of the page."""

__all__ = ["FACTS", "Proof", "ProtocolFact"]

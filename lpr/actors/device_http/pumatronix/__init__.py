"""Pumatronix's addresses as a part of the device's HTTP server; what they mean: ``lpr.protocols.pumatronix``.

``part``      addresses, log-ins, the audit trail, documents
``pictures``  snapshots with their comments, the stream
``triggers``  captures as they happen, a queue for each client that waits
``row``       what such a client is sent
``world``     from the configuration to what the documents show
"""

from lpr.actors.device_http.pumatronix.part import PumatronixPart
from lpr.actors.device_http.pumatronix.pictures import Pictures, PumatronixCamera
from lpr.actors.device_http.pumatronix.triggers import Triggers
from lpr.actors.device_http.pumatronix.world import shown_settings

__all__ = ["Pictures", "PumatronixCamera", "PumatronixPart", "Triggers", "shown_settings"]

"""A change of how a stream is made, in the words of events.

Source: ONVIF Media2 Service Specification, "Configuration Change" (topic ``tns1:Media/ConfigurationChanged``: Token and
Type in the source, no data). Pure. May import ``lpr.events`` and this room.
"""

from __future__ import annotations

from lpr.events import Micros
from lpr.protocols.onvif_metadata.model import Notification

CONFIGURATION_TOPIC = "tns1:Media/ConfigurationChanged"


def configuration_notification(token: str, kind: str, at: Micros) -> Notification:
    """``token``: of the configuration that is another now; ``kind``: in Media2's word ("VideoEncoder")."""
    return Notification(CONFIGURATION_TOPIC, at, (("Token", token), ("Type", kind)))

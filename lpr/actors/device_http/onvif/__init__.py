"""ONVIF's services as a part of the device's HTTP server; the meaning of the messages is in ``lpr.protocols.onvif``.

``part``    addresses, log-ins, the audit trail
``world``   from the configuration to what the services tell
``memory``  what administrators change over the network, kept in the log
"""

from lpr.actors.device_http.onvif.memory import Memory
from lpr.actors.device_http.onvif.part import OnvifPart
from lpr.actors.device_http.onvif.world import StreamEncoders, device_of, interfaces_of, streams_of

__all__ = ["Memory", "OnvifPart", "StreamEncoders", "device_of", "interfaces_of", "streams_of"]

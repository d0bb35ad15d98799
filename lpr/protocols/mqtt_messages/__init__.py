"""What we say over MQTT: topics, passages and states as JSON, Home Assistant's discovery documents. Pure.

The bytes on the wire are ``lpr.protocols.mqtt``; ONVIF's ``onvif-ej`` is ``lpr.protocols.onvif_metadata``. What each
document is and what was tried with which client: docs/protocols/mqtt.md.
"""

from lpr.protocols.mqtt_messages.home_assistant import Device, configurations, node_of
from lpr.protocols.mqtt_messages.passage import (
    MESSAGES,
    PassageMessage,
    StateMessage,
    encode,
    passage_message,
    state_message,
)
from lpr.protocols.mqtt_messages.topics import OFFLINE, ONLINE, Topics, level

__all__ = [
    "MESSAGES",
    "OFFLINE",
    "ONLINE",
    "Device",
    "PassageMessage",
    "StateMessage",
    "Topics",
    "configurations",
    "encode",
    "level",
    "node_of",
    "passage_message",
    "state_message",
]

"""MQTT 3.1.1 and 5.0, the client's side, sans-IO: ``Client`` is the connection, ``packets`` its bytes.

Sources: OASIS "MQTT Version 3.1.1" (29 October 2014) and "MQTT Version 5.0" (7 March 2019). QoS 0 and 1; QoS 2,
sessions that outlive a connection, topic aliases and AUTH are left out: a passage is told apart by its id, so "at least
once" is enough. Why not a library: docs/decisions/0005-dependencies.md.
"""

from lpr.protocols.mqtt.client import Client, Identity, State, TooLargeError
from lpr.protocols.mqtt.codes import answer_of, is_access, is_version, meaning
from lpr.protocols.mqtt.packets import (
    Connack,
    FromBroker,
    Goodbye,
    Message,
    MqttError,
    Pong,
    Puback,
    Suback,
    Version,
    Will,
    disconnect,
    pingreq,
)

__all__ = [
    "Client",
    "Connack",
    "FromBroker",
    "Goodbye",
    "Identity",
    "Message",
    "MqttError",
    "Pong",
    "Puback",
    "State",
    "Suback",
    "TooLargeError",
    "Version",
    "Will",
    "answer_of",
    "disconnect",
    "is_access",
    "is_version",
    "meaning",
    "pingreq",
]

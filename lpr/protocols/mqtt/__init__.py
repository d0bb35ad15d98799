"""MQTT 3.1.1 and 5.0, a client's side, sans-IO: paho-mqtt between two buffers, without its socket and its thread.

``client``: the connection, paho behind it. ``gate``: what a broker sends, cut into packets; what paho would take too
kindly goes no further. ``words``: what a broker says. Sources: OASIS "MQTT Version 3.1.1" (29 October 2014) and "MQTT
Version 5.0" (7 March 2019); paho-mqtt 2.2. QoS 0 and 1; QoS 2, sessions that outlive a connection, topic aliases and
AUTH are left out: a passage is told apart by its id, so "at least once" is enough. Why paho, and why so:
docs/decisions/0005-dependencies.md.
"""

from lpr.protocols.mqtt.client import Client, Identity, TooLargeError, Will
from lpr.protocols.mqtt.gate import MqttError, Version
from lpr.protocols.mqtt.words import Answer, Connack, FromBroker, Goodbye, Message, Pong, Puback, Suback

__all__ = [
    "Answer",
    "Client",
    "Connack",
    "FromBroker",
    "Goodbye",
    "Identity",
    "Message",
    "MqttError",
    "Pong",
    "Puback",
    "Suback",
    "TooLargeError",
    "Version",
    "Will",
]

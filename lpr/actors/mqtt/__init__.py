"""MQTT: passages to a broker, what cameras show there, and Home Assistant's discovery.

``MqttSink`` is a sink (``lpr.core.sinks``) with a second loop, ``keep``, that holds the connection between passages.
"""

from lpr.actors.mqtt.link import LinkError
from lpr.actors.mqtt.sink import MqttSink, Surroundings

__all__ = ["LinkError", "MqttSink", "Surroundings"]

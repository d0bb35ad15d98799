"""ONVIF's events service: pull points and base notification, over what ``lpr.protocols.onvif_events`` decides.

``service`` answers the operations, ``answers`` writes their elements and faults, ``notify`` posts to subscribers,
``brokers`` tells which MQTT brokers get the events too.
"""

from lpr.actors.device_http.onvif_events.brokers import Broker, brokers_of
from lpr.actors.device_http.onvif_events.notify import NotifyError
from lpr.actors.device_http.onvif_events.service import EventFeed, EventsService

__all__ = ["Broker", "EventFeed", "EventsService", "NotifyError", "brokers_of"]

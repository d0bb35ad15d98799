"""Subscriptions to a device's events: pull points and base notification, without their SOAP. Pure, sans-IO.

``times``          durations, and how long a subscription shall live
``filters``        topic expressions and message content filters
``subscriptions``  who has subscribed, what waits for whom, when it ends

Sources: ONVIF Core 9 (event handling), WS-BaseNotification 1.3, WS-Topics 1.3. The messages themselves and their
envelopes are others' (``lpr.protocols.onvif_metadata``, ``lpr.protocols.onvif``); an actor joins them.
May import ``lpr.events`` and the standard library.
"""

from lpr.protocols.onvif_events.filters import (
    CONCRETE,
    CONCRETE_SET,
    ITEM_FILTER,
    Filter,
    FilterError,
    Item,
    content_filter,
    topic_filter,
)
from lpr.protocols.onvif_events.subscriptions import (
    Kind,
    Limits,
    Message,
    Subscription,
    Subscriptions,
    TooManySubscriptions,
    UnknownSubscription,
)
from lpr.protocols.onvif_events.times import TimeError, lifetime, parse_duration, write_duration

__all__ = [
    "CONCRETE",
    "CONCRETE_SET",
    "ITEM_FILTER",
    "Filter",
    "FilterError",
    "Item",
    "Kind",
    "Limits",
    "Message",
    "Subscription",
    "Subscriptions",
    "TimeError",
    "TooManySubscriptions",
    "UnknownSubscription",
    "content_filter",
    "lifetime",
    "parse_duration",
    "topic_filter",
    "write_duration",
]

"""The elements of the events service: answers, faults of WS-BaseNotification, notifications with whole addresses.

Source: event.wsdl, b-2.xsd (WS-BaseNotification 1.3), ONVIF Core 9.9 (SOAP faults: the receiver's, with status 500).
May import ``lpr.protocols`` and this room.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

from lpr.actors.device_http.onvif_events.brokers import Broker
from lpr.config import OnvifEvents as Settings
from lpr.events import Micros
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element
from lpr.protocols.onvif_events import CONCRETE, CONCRETE_SET, ITEM_FILTER, FilterError, write_duration
from lpr.protocols.onvif_metadata import Notification, notification_xml
from lpr.protocols.onvif_metadata.markup import utc
from lpr.protocols.onvif_metadata.topics import topic_set

TOPICS_LOCATION = "http://www.onvif.org/onvif/ver10/topics/topicns.xml"
SCHEMA_LOCATION = "http://www.onvif.org/onvif/ver10/schema/onvif.xsd"
TEV = "http://www.onvif.org/ver10/events/wsdl"
BW = "http://docs.oasis-open.org/wsn/bw-2"

FAULTS = {
    "dialect": "TopicExpressionDialectUnknownFault",
    "malformed": "InvalidTopicExpressionFault",
    "not supported": "TopicNotSupportedFault",
    "content": "InvalidMessageContentExpressionFault",
}
"""Reasons of a FilterError as WS-BaseNotification calls them."""


def base_fault(name: str, wall: Micros, reason: str, *more: Element) -> Fault:
    """A fault of WS-BaseNotification: ``wsnt:<name>`` (or with its own prefix) with its time."""
    qualified = name if ":" in name else f"wsnt:{name}"
    detail = element(
        qualified,
        element("wsrf-bf:Timestamp", utc(wall)),
        element("wsrf-bf:Description", reason),
        *more,
    )
    return Fault("Receiver", qualified, reason=reason, detail=(detail,))


def filter_fault(error: FilterError, wall: Micros) -> Fault:
    """What is wrong with a filter."""
    return base_fault(FAULTS[error.reason], wall, str(error))


def unknown(wall: Micros) -> Fault:
    """The subscription is not there (any more)."""
    return base_fault("wsrf-r:ResourceUnknownFault", wall, "There is no such subscription, or it has ended")


def too_long(settings: Settings) -> Fault:
    """A question that would wait longer than is allowed (ONVIF Core 9.1.2)."""
    detail = element(
        "tev:PullMessagesFaultResponse",
        element("tev:MaxTimeout", write_duration(settings.max_timeout)),
        element("tev:MaxMessageLimit", settings.max_messages),
    )
    reason = f"A question for events may wait {settings.max_timeout:g} s at most"
    return Fault(
        "Receiver",
        "ter:InvalidArgVal",
        reason=reason,
        detail=(detail,),
        action=f"{TEV}/PullPointSubscription/PullMessages/Fault/PullMessagesFaultResponse",
    )


def capabilities(settings: Settings, brokers: Sequence[Broker] = ()) -> Element:
    """tev:Capabilities. ``brokers``: those of the configuration file; no more can be added."""
    notify = settings.notify
    return element(
        "tev:Capabilities",
        WSSubscriptionPolicySupport=False,
        WSPullPointSupport=False,
        WSPausableSubscriptionManagerInterfaceSupport=False,
        MaxNotificationProducers=0 if notify is None else notify.max_subscriptions,
        MaxPullPoints=settings.max_pull_points,
        PersistentNotificationStorage=False,
        EventBrokerProtocols=" ".join(sorted({broker.scheme for broker in brokers})) or None,
        MaxEventBrokers=len(brokers) or None,
    )


def properties(topics: Collection[str]) -> Element:
    """tev:GetEventPropertiesResponse."""
    return element(
        "tev:GetEventPropertiesResponse",
        element("tev:TopicNamespaceLocation", TOPICS_LOCATION),
        element("wsnt:FixedTopicSet", True),
        topic_set(topics),
        element("wsnt:TopicExpressionDialect", CONCRETE_SET),
        element("wsnt:TopicExpressionDialect", CONCRETE),
        element("tev:MessageContentFilterDialect", ITEM_FILTER),
        element("tev:MessageContentSchemaLocation", SCHEMA_LOCATION),
    )


def subscribed(name: str, address: str, wall: Micros, ends: Micros) -> Element:
    """``tev:CreatePullPointSubscriptionResponse`` or ``wsnt:SubscribeResponse``. ``ends``: wall time."""
    return element(
        name,
        element(f"{name.partition(':')[0]}:SubscriptionReference", element("wsa:Address", address)),
        element("wsnt:CurrentTime", utc(wall)),
        element("wsnt:TerminationTime", utc(ends)),
    )


def pulled(wall: Micros, ends: Micros, notifications: Iterable[Element]) -> Element:
    """tev:PullMessagesResponse."""
    return element(
        "tev:PullMessagesResponse",
        element("tev:CurrentTime", utc(wall)),
        element("tev:TerminationTime", utc(ends)),
        list(notifications),
    )


def renewed(wall: Micros, ends: Micros) -> Element:
    """wsnt:RenewResponse."""
    return element(
        "wsnt:RenewResponse",
        element("wsnt:TerminationTime", utc(ends)),
        element("wsnt:CurrentTime", utc(wall)),
    )


def notification(found: Notification, base: str) -> Element:
    """A wsnt:NotificationMessage whose pictures' addresses are whole. ``base``: "http://host:port"."""
    data = tuple(
        (name, base + value if name == "ImageUri" and value.startswith("/") else value) for name, value in found.data
    )
    return fromstring(notification_xml(replace(found, data=data), alone=True))

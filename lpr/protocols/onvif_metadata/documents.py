"""Metadata documents and notification messages as XML, in the standard's form and in Milesight's. Pure.

A document is one whole XML text, as one RTP access unit of the metadata stream carries it (ONVIF Streaming
Specification, "Metadata"). The forms differ in the root, in the events, and in whether there are frames:

====================  =====================  ==========================================  ======
form                  root                   events                                      frames
====================  =====================  ==========================================  ======
onvif                 tt:MetadataStream      the standard's plate event, vehicle in view  yes
milesight             tt:MetaDataStream      Milesight's plate event                     no
milesight-standard    tt:MetadataStream      Milesight's plate event                     yes
both                  tt:MetadataStream      all of these                                yes
====================  =====================  ==========================================  ======

``tt:MetaDataStream`` is what the manual prints; the public schema has no such element, so both spellings are there.
Elements keep the order of the public schema (metadatastream.xsd). Prefixes are declared at the root, since readers
search for ``tt:`` and ``wsnt:`` as text.

May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lpr.protocols.onvif_metadata.markup import (
    CONCRETE_SET,
    declarations,
    element,
    number,
    utc,
    utc_seconds,
)
from lpr.protocols.onvif_metadata.model import (
    Element,
    Notification,
    Place,
    PlateInfo,
    SceneFrame,
    SceneObject,
    VehicleInfo,
)
from lpr.protocols.onvif_metadata.passage import MILESIGHT_TOPIC, MOTION_TOPIC, PLATE_TOPIC, VEHICLE_TOPIC

FormName: TypeAlias = Literal["onvif", "milesight", "milesight-standard", "both"]
RGB_SPACE = "http://www.onvif.org/ver10/colorspace/RGB"


@dataclass(frozen=True, slots=True)
class Form:
    """``root``: "MetadataStream" or "MetaDataStream"; ``topics``: the events that it carries; ``frames``: whether it
    describes pictures."""

    root: str
    topics: frozenset[str]
    frames: bool


FORMS: Mapping[FormName, Form] = {
    "onvif": Form("MetadataStream", frozenset({PLATE_TOPIC, VEHICLE_TOPIC, MOTION_TOPIC}), True),
    "milesight": Form("MetaDataStream", frozenset({MILESIGHT_TOPIC}), False),
    "milesight-standard": Form("MetadataStream", frozenset({MILESIGHT_TOPIC}), True),
    "both": Form("MetadataStream", frozenset({PLATE_TOPIC, VEHICLE_TOPIC, MOTION_TOPIC, MILESIGHT_TOPIC}), True),
}


def document(form: FormName, *, frames: Sequence[SceneFrame] = (), notifications: Iterable[Notification] = ()) -> bytes:
    """A document with what of all this the form carries; UTF-8. Where that is nothing, its root is empty."""
    kind = FORMS[form]
    told = [notification for notification in notifications if carried(form, notification)]
    shown = frames if kind.frames else ()
    parts: list[str] = []
    if shown:
        parts.append(element("tt:VideoAnalytics", None, [frame_xml(frame) for frame in shown]))
    if told:
        parts.append(element("tt:Event", None, [notification_xml(one) for one in told]))
    head = declarations("tt", "wsnt", "tns1")
    return ('<?xml version="1.0" encoding="UTF-8"?>' + element(f"tt:{kind.root}", head, parts)).encode()


def carried(form: FormName, notification: Notification) -> bool:
    """Whether this form has the event."""
    return notification.topic in FORMS[form].topics


def frame_xml(frame: SceneFrame, attributes: Mapping[str, str] | None = None, name: str = "tt:Frame") -> str:
    """One tt:Frame (or another element of its type). ``attributes``: besides UtcTime (namespaces, where it stands
    alone)."""
    content = [_object(one) for one in frame.objects]
    if frame.gone:
        content.append(
            element("tt:ObjectTree", None, [element("tt:Delete", {"ObjectId": str(one)}) for one in frame.gone])
        )
    return element(name, {**(attributes or {}), "UtcTime": utc(frame.at)}, content)


def notification_xml(notification: Notification, *, alone: bool = False) -> str:
    """One wsnt:NotificationMessage. ``alone``: with the namespaces, for an envelope that does not declare them."""
    attributes = {"UtcTime": (utc_seconds if notification.whole_seconds else utc)(notification.at)}
    if notification.operation is not None:
        attributes["PropertyOperation"] = notification.operation
    groups = [element("tt:Source", None, _items(notification.source))]
    if notification.key:
        groups.append(element("tt:Key", None, _items(notification.key)))
    if notification.data or notification.elements:
        values = [
            element("tt:ElementItem", {"Name": name}, [element_xml(name, value)])
            for name, value in notification.elements
        ]
        groups.append(element("tt:Data", None, [*_items(notification.data), *values]))
    message = element("wsnt:Message", None, [element("tt:Message", attributes, groups)])
    topic = element("wsnt:Topic", {"Dialect": CONCRETE_SET}, notification.topic)
    head = declarations("wsnt", "tt", "tns1") if alone else None
    return element("wsnt:NotificationMessage", head, [topic, message])


def element_xml(name: str, value: Element) -> str:
    """``value`` as the element ``tt:<name>``."""
    if isinstance(value, Place):
        return element(f"tt:{name}", _rectangle(value))
    if isinstance(value, PlateInfo):
        return element(f"tt:{name}", None, _plate(value))
    return element(f"tt:{name}", None, _vehicle(value))


def _items(items: Iterable[tuple[str, str]]) -> list[str]:
    return [element("tt:SimpleItem", {"Name": name, "Value": value}) for name, value in items]


def _rectangle(place: Place) -> dict[str, str]:
    return {
        "left": number(place.left),
        "top": number(place.top),
        "right": number(place.right),
        "bottom": number(place.bottom),
    }


def _object(one: SceneObject) -> str:
    x, y = one.place.centre
    appearance = [
        element(
            "tt:Shape",
            None,
            [
                element("tt:BoundingBox", _rectangle(one.place)),
                element("tt:CenterOfGravity", {"x": number(x), "y": number(y)}),
            ],
        ),
        element("tt:Class", None, [_likely("tt:Type", one.kind, one.likelihood)]),
    ]
    if one.vehicle is not None:
        appearance.append(element("tt:VehicleInfo", None, _vehicle(one.vehicle)))
    if one.plate is not None:
        appearance.append(element("tt:LicensePlateInfo", None, _plate(one.plate)))
    if one.image is not None:
        appearance.append(element("tt:ImageRef", None, one.image))
    attributes = {"ObjectId": str(one.id)}
    if one.parent is not None:
        attributes["Parent"] = str(one.parent)
    content = [element("tt:Appearance", None, appearance)]
    behaviour: list[str] = []
    if one.speed is not None:
        behaviour.append(element("tt:Speed", None, number(one.speed)))
    if one.yaw is not None:
        behaviour.append(element("tt:Direction", {"yaw": number(one.yaw)}))
    if behaviour:
        content.append(element("tt:Behaviour", None, behaviour))
    return element("tt:Object", attributes, content)


def _likely(name: str, text: str, likelihood: float | None) -> str:
    return element(name, None if likelihood is None else {"Likelihood": number(likelihood)}, text)


def _colour(colour: tuple[int, int, int] | None) -> list[str]:
    if colour is None:
        return []
    red, green, blue = (str(part) for part in colour)
    value = element("tt:Color", {"X": red, "Y": green, "Z": blue, "Colorspace": RGB_SPACE})
    return [element("tt:Color", None, [element("tt:ColorCluster", None, [value])])]


def _plate(plate: PlateInfo) -> list[str]:
    found = [_likely("tt:PlateNumber", plate.number, plate.likelihood)]
    if plate.kind is not None:
        found.append(element("tt:PlateType", None, plate.kind))
    if plate.country is not None:
        found.append(element("tt:CountryCode", None, plate.country))
    return found + _colour(plate.colour)


def _vehicle(vehicle: VehicleInfo) -> list[str]:
    found = [_likely("tt:Type", vehicle.kind, vehicle.likelihood)]
    if vehicle.brand is not None:
        found.append(element("tt:Brand", None, vehicle.brand))
    if vehicle.model is not None:
        found.append(element("tt:Model", None, vehicle.model))
    return found + _colour(vehicle.colour)

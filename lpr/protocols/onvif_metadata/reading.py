"""Reading metadata documents and notification messages of any maker, naming what departs from the specification. Pure.

For whoever listens to a camera (``lpr listen``): everything that can be understood is, and each departure is a
sentence in ``deviations``. Both forms of ``documents`` are known, with either spelling of the root, with prefixes that
nobody declared (Milesight's manual prints them so), and the plate under the names that other makers use.

Hostile input: no DTD, no entities (defusedxml), a limit on size, depth and the number of elements.

May import ``lpr.events``, defusedxml and the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element as Node

from lpr.events import Micros
from lpr.protocols.onvif_metadata import reading_values as values
from lpr.protocols.onvif_metadata.intake import (
    MAX_BYTES,
    MetadataError,
    Notes,
    child_of,
    expect_namespace,
    float_of,
    local,
    text_of,
    tree,
)
from lpr.protocols.onvif_metadata.markup import CONCRETE, CONCRETE_SET, TT, WSNT
from lpr.protocols.onvif_metadata.model import Element, Notification, Place, PlateInfo, SceneFrame, VehicleInfo
from lpr.protocols.onvif_metadata.passage import MILESIGHT_TOPIC, PLATE_TOPIC, UNKNOWN

__all__ = ["MetadataError", "Parsed", "PlateSeen", "parse_document", "parse_notification", "plate_of"]

OPERATIONS: Final = ("Initialized", "Changed", "Deleted")
PLATE_NAMES: Final = (
    "LicensePlateResult",
    "PlateNumber",
    "LicensePlate",
    "Plate",
    "PlateNo",
    "PlateText",
    "LicensePlateNumber",
)
"""Names under which makers put the plate into a simple item, Milesight's first."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """``root``: its local name. ``deviations``: sentences, in the order met, at most ``MAX_DEVIATIONS``."""

    root: str
    frames: tuple[SceneFrame, ...] = ()
    notifications: tuple[Notification, ...] = ()
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlateSeen:
    """A plate event in one shape, whatever form it came in. ``speed``: as written; ``direction``: "approach", "away" or
    None; ``image``: as written, absolute or relative to the device."""

    plate: str
    at: Micros
    topic: str
    likelihood: float | None = None
    country: str | None = None
    source: str | None = None
    rule: str | None = None
    image: str | None = None
    direction: str | None = None
    speed: str | None = None
    object_id: str | None = None
    place: Place | None = None
    vehicle: VehicleInfo | None = None


def parse_document(data: bytes, *, max_bytes: int = MAX_BYTES) -> Parsed:
    """What a metadata document says. Raises MetadataError."""
    notes = Notes()
    root = tree(data, max_bytes, notes)
    name = local(root)
    if name == "MetaDataStream":
        notes.add("the root is tt:MetaDataStream (Milesight's manual); the schema's name is tt:MetadataStream")
    elif name != "MetadataStream":
        notes.add(f"the root is {name}, not tt:MetadataStream")
    expect_namespace(root, TT, notes)
    frames: list[SceneFrame] = []
    notifications: list[Notification] = []
    for node in root:
        kind = local(node)
        if kind == "VideoAnalytics":
            frames += [values.frame_of(child, notes) for child in node if local(child) == "Frame"]
        elif kind == "Event":
            notifications += [_notification(child, notes) for child in node if local(child) == "NotificationMessage"]
        elif kind == "NotificationMessage":
            notes.add("a wsnt:NotificationMessage stands in the root, not in tt:Event")
            notifications.append(_notification(node, notes))
        elif kind not in ("PTZ", "Extension", "SensorData"):
            notes.add(f"{kind} is no part of tt:MetadataStream")
    return Parsed(name, tuple(frames), tuple(notifications), notes.all())


def parse_notification(node: Node) -> tuple[Notification, tuple[str, ...]]:
    """A wsnt:NotificationMessage that stands in a SOAP message, and its deviations. Raises nothing."""
    notes = Notes()
    return _notification(node, notes), notes.all()


def plate_of(notification: Notification) -> PlateSeen | None:
    """The plate that an event tells, in whichever form; None when it tells none."""
    items = dict((*notification.source, *notification.key, *notification.data))
    elements = dict(notification.elements)
    info, place, vehicle = (elements.get(name) for name in ("LicensePlateInfo", "BoundingBox", "VehicleInfo"))
    plate: str | None = None
    likelihood = float_of(items.get("Likelihood"))
    country: str | None = None
    if isinstance(info, PlateInfo):
        plate, country = info.number, info.country
        likelihood = info.likelihood if info.likelihood is not None else likelihood
    else:
        plate = next((items[name] for name in PLATE_NAMES if name in items), None)
    if plate is None:
        return None
    direction = {
        "Approaching": "approach",
        "Departing": "away",
        "1": "approach",
        "2": "away",
    }.get(items.get("Direction", items.get("LicenseCarDirection", "")))
    return PlateSeen(
        plate="" if plate == UNKNOWN else plate,
        at=notification.at,
        topic=notification.topic,
        likelihood=likelihood,
        country=country,
        source=next((items[name] for name in _SOURCES if name in items), None),
        rule=items.get("Rule"),
        image=items.get("ImageUri", items.get("ImageURI", items.get("LicensePlatePicturePath"))),
        direction=direction,
        speed=items.get("Speed", items.get("LicenseCarSpeed")),
        object_id=items.get("ObjectId"),
        place=place if isinstance(place, Place) else None,
        vehicle=vehicle if isinstance(vehicle, VehicleInfo) else None,
    )


_SOURCES = ("VideoSource", "VideoSourceConfigurationToken", "Source", "VideoSourceToken")


# --- events --------------------------------------------------------------------------------------------


def _notification(node: Node, notes: Notes) -> Notification:
    expect_namespace(node, WSNT, notes)
    topic = _topic(node, notes)
    outer = child_of(node, "Message")
    message = None if outer is None else child_of(outer, "Message")
    if message is None:
        notes.add(f"{topic or 'a notification'} has no tt:Message")
        return Notification(topic=topic, at=0, source=())
    expect_namespace(message, TT, notes)
    written = message.get("UtcTime")
    at = values.time_of(written, f"the event {topic}", notes)
    operation = message.get("PropertyOperation")
    if operation is not None and operation not in OPERATIONS:
        notes.add(f"PropertyOperation is {operation!r}, not one of {', '.join(OPERATIONS)}")
    groups: dict[str, tuple[tuple[str, str], ...]] = {}
    elements: list[tuple[str, Element]] = []
    for name in ("Source", "Key", "Data"):
        group = child_of(message, name)
        groups[name] = () if group is None else tuple(_items(group, notes))
        if group is not None:
            elements += _elements(group, notes)
    for other in message:
        if local(other) not in ("Source", "Key", "Data", "Extension"):
            notes.add(f"{local(other)} is no part of tt:Message")
    names = [name for group in groups.values() for name, _ in group] + [name for name, _ in elements]
    for name in sorted({name for name in names if names.count(name) > 1}):
        notes.add(f"the item {name} is there more than once")
    found = Notification(
        topic=topic,
        at=at,
        source=groups["Source"],
        key=groups["Key"],
        data=groups["Data"],
        elements=tuple(elements),
        operation=next((known for known in OPERATIONS if known == operation), None),
        whole_seconds=written is not None and "." not in written,
    )
    _check(found, notes)
    return found


def _topic(node: Node, notes: Notes) -> str:
    topic = child_of(node, "Topic")
    if topic is None:
        notes.add("a notification has no wsnt:Topic")
        return ""
    text = text_of(topic)
    if topic.get("Dialect") not in (CONCRETE_SET, CONCRETE):
        notes.add(f"the topic's dialect is {topic.get('Dialect')!r}")
    if any(character.isspace() for character in text):
        notes.add("there is white space within the topic")
        text = "".join(text.split())
    return text


def _items(group: Node, notes: Notes) -> Iterator[tuple[str, str]]:
    for node in group:
        if local(node) == "SimpleItem":
            name, value = node.get("Name"), node.get("Value")
            if name is None or value is None:
                notes.add(f"a SimpleItem of {local(group)} has no Name or no Value")
            if name is not None:
                yield name, value or ""
        elif local(node) not in ("ElementItem", "Extension"):
            notes.add(f"{local(node)} is no item")


def _elements(group: Node, notes: Notes) -> Iterator[tuple[str, Element]]:
    readers: dict[str, Callable[[Node, Notes], Element | None]] = {
        "LicensePlateInfo": values.plate_of,
        "VehicleInfo": values.vehicle_of,
        "BoundingBox": values.place_of,
    }
    for node in group:
        if local(node) != "ElementItem":
            continue
        name = node.get("Name") or ""
        inner = next(iter(node), None)
        reader = readers.get(name)
        if inner is None:
            notes.add(f"the ElementItem {name} is empty")
        elif reader is not None and (value := reader(inner, notes)) is not None:
            yield name, value


def _check(found: Notification, notes: Notes) -> None:
    """What the two plate events demand."""
    items = dict((*found.source, *found.key, *found.data))
    if not found.source:
        notes.add(f"{found.topic} has no Source")
    if found.topic.endswith(PLATE_TOPIC.removeprefix("tns1:")):
        _demand(dict(found.elements), ("LicensePlateInfo",), "LicensePlateInfo", found.topic, notes)
        _demand(items, ("Likelihood",), "Likelihood", found.topic, notes)
        _demand(items, ("VideoSource",), "VideoSource", found.topic, notes)
        if "Likelihood" in items:
            values.likelihood_of(items["Likelihood"], "the event's Likelihood", notes)
        return
    if found.topic.endswith(MILESIGHT_TOPIC.removeprefix("tns1:")):
        _demand(dict(found.key), ("LicensePlateResult",), "LicensePlateResult as Key", found.topic, notes)
        for name in ("LicensePlatePicturePath", "LicenseCarSpeed", "LicenseCarDirection"):
            _demand(dict(found.data), (name,), name, found.topic, notes)
        if re.fullmatch(r"\d+(\.\d+)?km/h", items.get("LicenseCarSpeed", "0km/h")) is None:
            notes.add(f'LicenseCarSpeed is {items["LicenseCarSpeed"]!r}, not like "25km/h"')
        if items.get("LicenseCarDirection", "0") not in ("0", "1", "2"):
            notes.add(f"LicenseCarDirection is {items['LicenseCarDirection']!r}, not 0, 1 or 2")
    elif "LicensePlateInfo" not in dict(found.elements):
        for name in PLATE_NAMES:
            if name in items:
                notes.add(f"the plate is told as the item {name} of {found.topic}, a topic of neither form")


def _demand(
    where: dict[str, str] | dict[str, Element], names: Iterable[str], what: str, topic: str, notes: Notes
) -> None:
    if not any(name in where for name in names):
        notes.add(f"{topic} lacks {what}")

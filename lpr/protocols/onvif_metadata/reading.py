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
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from lpr.events import Micros
from lpr.protocols.onvif_metadata.markup import CONCRETE, CONCRETE_SET, NAMESPACES, TT, WSNT, parse_time
from lpr.protocols.onvif_metadata.model import (
    Element,
    Notification,
    Place,
    PlateInfo,
    SceneFrame,
    SceneObject,
    VehicleInfo,
)
from lpr.protocols.onvif_metadata.passage import MILESIGHT_TOPIC, PLATE_TOPIC, UNKNOWN

MAX_BYTES = 1_048_576
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_DEVIATIONS = 100
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

_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z_]")
_DECLARED = re.compile(r"xmlns:([A-Za-z_][\w.-]*)\s*=")
_ROOT = re.compile(r"<[A-Za-z_][\w.:-]*")
_ENCODING = re.compile(r"<\?xml[^>]*\?>")


class MetadataError(ValueError):
    """A document that is no XML, too large, or has a DTD or entities. The text says which."""


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
    notes = _Notes()
    root = _tree(data, max_bytes, notes)
    name = _local(root)
    if name == "MetaDataStream":
        notes.add("the root is tt:MetaDataStream (Milesight's manual); the schema's name is tt:MetadataStream")
    elif name != "MetadataStream":
        notes.add(f"the root is {name}, not tt:MetadataStream")
    _expect_namespace(root, TT, notes)
    frames: list[SceneFrame] = []
    notifications: list[Notification] = []
    for node in root:
        kind = _local(node)
        if kind == "VideoAnalytics":
            frames += [_frame(child, notes) for child in node if _local(child) == "Frame"]
        elif kind == "Event":
            notifications += [_notification(child, notes) for child in node if _local(child) == "NotificationMessage"]
        elif kind == "NotificationMessage":
            notes.add("a wsnt:NotificationMessage stands in the root, not in tt:Event")
            notifications.append(_notification(node, notes))
        elif kind not in ("PTZ", "Extension", "SensorData"):
            notes.add(f"{kind} is no part of tt:MetadataStream")
    return Parsed(name, tuple(frames), tuple(notifications), notes.all())


def parse_notification(node: Node) -> tuple[Notification, tuple[str, ...]]:
    """A wsnt:NotificationMessage that stands in a SOAP message, and its deviations. Raises nothing."""
    notes = _Notes()
    return _notification(node, notes), notes.all()


def plate_of(notification: Notification) -> PlateSeen | None:
    """The plate that an event tells, in whichever form; None when it tells none."""
    items = dict((*notification.source, *notification.key, *notification.data))
    elements = dict(notification.elements)
    info, place, vehicle = (elements.get(name) for name in ("LicensePlateInfo", "BoundingBox", "VehicleInfo"))
    plate: str | None = None
    likelihood = _float(items.get("Likelihood"))
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


# --- the tree ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Notes:
    """Deviations, each once."""

    found: dict[str, None] = field(default_factory=dict[str, None])

    def add(self, text: str) -> None:
        if len(self.found) < MAX_DEVIATIONS:
            self.found[text[:300]] = None

    def all(self) -> tuple[str, ...]:
        return tuple(self.found)


def _tree(data: bytes, max_bytes: int, notes: _Notes) -> Node:
    if len(data) > max_bytes:
        raise MetadataError(f"the document has {len(data)} bytes, more than {max_bytes}")
    stripped = data.strip(b"\0 \t\r\n")
    if stripped != data.rstrip(b"\r\n"):
        notes.add("the document has padding round it")
    try:
        return _built(stripped)
    except MetadataError:
        raise
    except ParseError as error:
        if "unbound prefix" not in str(error):
            raise MetadataError(f"the document is no XML: {error}") from None
    except DefusedXmlException as error:
        raise MetadataError(f"the document has what it may not have: {type(error).__name__}") from None
    except (ValueError, LookupError) as error:
        raise MetadataError(f"the document is no XML that can be read: {error}") from None
    try:
        return _built(_with_prefixes(stripped, notes))
    except MetadataError:
        raise
    except (ParseError, ValueError, LookupError) as error:
        raise MetadataError(f"the document is no XML: {error}") from None


def _with_prefixes(data: bytes, notes: _Notes) -> bytes:
    """The document with its undeclared prefixes declared at the root."""
    text = _ENCODING.sub("", data.decode("utf-8-sig"))
    used = dict.fromkeys(_PREFIX.findall(text))
    missing = [prefix for prefix in used if prefix not in set(_DECLARED.findall(text)) and prefix != "xmlns"]
    for prefix in missing:
        notes.add(f"the prefix {prefix} is not declared")
    added = "".join(f' xmlns:{prefix}="{NAMESPACES.get(prefix, "urn:undeclared:" + prefix)}"' for prefix in missing)
    return _ROOT.sub(lambda match: match.group() + added, text, count=1).encode()


def _built(data: bytes) -> Node:
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    parser.feed(data)
    parser.close()
    if builder.root is None:
        raise ParseError("no element found")
    return builder.root


class _Builder:
    """Builds the tree within the limits. Raises MetadataError."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0
        self._last: Node | None = None

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise MetadataError(f"the document has more than {MAX_ELEMENTS} elements or goes deeper than {MAX_DEPTH}")
        node = Node(tag, attrs)
        if self._open:
            self._open[-1].append(node)
        else:
            self.root = node
        self._open.append(node)
        self._last = None

    def end(self, tag: str) -> None:
        self._last = self._open.pop()

    def data(self, data: str) -> None:
        if self._last is not None:
            self._last.tail = (self._last.tail or "") + data
        elif self._open:
            self._open[-1].text = (self._open[-1].text or "") + data

    def close(self) -> Node | None:
        return self.root


def _local(node: Node) -> str:
    return node.tag.rpartition("}")[2]


def _expect_namespace(node: Node, namespace: str, notes: _Notes) -> None:
    found = node.tag.rpartition("}")[0].removeprefix("{")
    if found != namespace:
        notes.add(f"{_local(node)} is in the namespace {found!r}, not {namespace!r}")


def _child(node: Node, *names: str) -> Node | None:
    return next((child for child in node if _local(child) in names), None)


def _text(node: Node | None) -> str:
    return "" if node is None else "".join(node.itertext()).strip()


def _float(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if -1e12 < value < 1e12 else None


# --- events --------------------------------------------------------------------------------------------


def _notification(node: Node, notes: _Notes) -> Notification:
    _expect_namespace(node, WSNT, notes)
    topic = _topic(node, notes)
    outer = _child(node, "Message")
    message = None if outer is None else _child(outer, "Message")
    if message is None:
        notes.add(f"{topic or 'a notification'} has no tt:Message")
        return Notification(topic=topic, at=0, source=())
    _expect_namespace(message, TT, notes)
    written = message.get("UtcTime")
    at = _time(written, f"the event {topic}", notes)
    operation = message.get("PropertyOperation")
    if operation is not None and operation not in OPERATIONS:
        notes.add(f"PropertyOperation is {operation!r}, not one of {', '.join(OPERATIONS)}")
    groups: dict[str, tuple[tuple[str, str], ...]] = {}
    elements: list[tuple[str, Element]] = []
    for name in ("Source", "Key", "Data"):
        group = _child(message, name)
        groups[name] = () if group is None else tuple(_items(group, notes))
        if group is not None:
            elements += _elements(group, notes)
    for other in message:
        if _local(other) not in ("Source", "Key", "Data", "Extension"):
            notes.add(f"{_local(other)} is no part of tt:Message")
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


def _topic(node: Node, notes: _Notes) -> str:
    topic = _child(node, "Topic")
    if topic is None:
        notes.add("a notification has no wsnt:Topic")
        return ""
    text = _text(topic)
    if topic.get("Dialect") not in (CONCRETE_SET, CONCRETE):
        notes.add(f"the topic's dialect is {topic.get('Dialect')!r}")
    if any(character.isspace() for character in text):
        notes.add("there is white space within the topic")
        text = "".join(text.split())
    return text


def _items(group: Node, notes: _Notes) -> Iterator[tuple[str, str]]:
    for node in group:
        if _local(node) == "SimpleItem":
            name, value = node.get("Name"), node.get("Value")
            if name is None or value is None:
                notes.add(f"a SimpleItem of {_local(group)} has no Name or no Value")
            if name is not None:
                yield name, value or ""
        elif _local(node) not in ("ElementItem", "Extension"):
            notes.add(f"{_local(node)} is no item")


def _elements(group: Node, notes: _Notes) -> Iterator[tuple[str, Element]]:
    readers: dict[str, Callable[[Node, _Notes], Element | None]] = {
        "LicensePlateInfo": _plate,
        "VehicleInfo": _vehicle,
        "BoundingBox": _place,
    }
    for node in group:
        if _local(node) != "ElementItem":
            continue
        name = node.get("Name") or ""
        inner = next(iter(node), None)
        reader = readers.get(name)
        if inner is None:
            notes.add(f"the ElementItem {name} is empty")
        elif reader is not None and (value := reader(inner, notes)) is not None:
            yield name, value


def _check(found: Notification, notes: _Notes) -> None:
    """What the two plate events demand."""
    items = dict((*found.source, *found.key, *found.data))
    if not found.source:
        notes.add(f"{found.topic} has no Source")
    if found.topic.endswith(PLATE_TOPIC.removeprefix("tns1:")):
        _demand(dict(found.elements), ("LicensePlateInfo",), "LicensePlateInfo", found.topic, notes)
        _demand(items, ("Likelihood",), "Likelihood", found.topic, notes)
        _demand(items, ("VideoSource",), "VideoSource", found.topic, notes)
        if "Likelihood" in items:
            _likelihood(items["Likelihood"], "the event's Likelihood", notes)
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
    where: dict[str, str] | dict[str, Element], names: Iterable[str], what: str, topic: str, notes: _Notes
) -> None:
    if not any(name in where for name in names):
        notes.add(f"{topic} lacks {what}")


# --- frames --------------------------------------------------------------------------------------------


def _frame(node: Node, notes: _Notes) -> SceneFrame:
    at = _time(node.get("UtcTime"), "a frame", notes)
    objects: list[SceneObject] = []
    gone: list[int] = []
    for child in node:
        kind = _local(child)
        if kind == "Object":
            if (found := _object(child, notes)) is not None:
                objects.append(found)
        elif kind == "ObjectTree":
            for removed in child:
                number = _float(removed.get("ObjectId")) if _local(removed) == "Delete" else None
                if number is not None:
                    gone.append(int(number))
    return SceneFrame(at, tuple(objects), tuple(gone))


def _object(node: Node, notes: _Notes) -> SceneObject | None:
    number, parent = _float(node.get("ObjectId")), _float(node.get("Parent"))
    if number is None:
        notes.add("an object has no ObjectId")
    appearance = _child(node, "Appearance")
    if appearance is None:
        return None
    shape = _child(appearance, "Shape")
    box = None if shape is None else _child(shape, "BoundingBox")
    place = None if box is None else _place(box, notes)
    if place is None:
        notes.add("an object has no BoundingBox")
        return None
    kind, likelihood = _class(appearance, notes)
    plate, vehicle = _child(appearance, "LicensePlateInfo"), _child(appearance, "VehicleInfo")
    image = _child(appearance, "ImageRef")
    behaviour = _child(node, "Behaviour")
    speed = None if behaviour is None else _child(behaviour, "Speed")
    direction = None if behaviour is None else _child(behaviour, "Direction")
    return SceneObject(
        id=int(number or 0),
        kind=kind,
        likelihood=likelihood,
        place=place,
        plate=None if plate is None else _plate(plate, notes),
        vehicle=None if vehicle is None else _vehicle(vehicle, notes),
        parent=None if parent is None else int(parent),
        image=None if image is None else _text(image),
        speed=None if speed is None else _float(_text(speed)),
        yaw=None if direction is None else _float(direction.get("yaw")),
    )


def _class(appearance: Node, notes: _Notes) -> tuple[str, float | None]:
    node = _child(appearance, "Class")
    if node is None:
        return "", None
    kind = _child(node, "Type")
    if kind is not None:
        return _text(kind), _likelihood(kind.get("Likelihood"), "the Likelihood of a class", notes)
    candidate = _child(node, "ClassCandidate")
    if candidate is None:
        notes.add("a Class has neither Type nor ClassCandidate")
        return "", None
    notes.add("a Class has the deprecated ClassCandidate")
    return _text(_child(candidate, "Type")), _likelihood(_text(_child(candidate, "Likelihood")), "a class", notes)


def _place(node: Node, notes: _Notes) -> Place | None:
    values = [_float(node.get(name)) for name in ("left", "top", "right", "bottom")]
    left, top, right, bottom = values
    if left is None or top is None or right is None or bottom is None:
        notes.add("a BoundingBox lacks left, top, right or bottom")
        return None
    if any(abs(value) > 1 for value in (left, top, right, bottom)):
        notes.add("a BoundingBox goes beyond -1 to 1")
    if left > right or bottom > top:
        notes.add("a BoundingBox is turned round: left > right or bottom > top")
    return Place(left, top, right, bottom)


def _plate(node: Node, notes: _Notes) -> PlateInfo:
    number = _child(node, "PlateNumber")
    if number is None:
        notes.add("a LicensePlateInfo has no PlateNumber")
    country, kind = _child(node, "CountryCode"), _child(node, "PlateType")
    return PlateInfo(
        number=_text(number),
        likelihood=None
        if number is None
        else _likelihood(number.get("Likelihood"), "the Likelihood of a plate", notes),
        country=None if country is None else _text(country),
        kind=None if kind is None else _text(kind),
        colour=_colour(node, notes),
    )


def _vehicle(node: Node, notes: _Notes) -> VehicleInfo:
    kind, brand, model = (_child(node, name) for name in ("Type", "Brand", "Model"))
    if kind is None:
        notes.add("a VehicleInfo has no Type")
    likelihood = None if kind is None else _likelihood(kind.get("Likelihood"), "the Likelihood of a vehicle", notes)
    return VehicleInfo(
        kind=_text(kind),
        likelihood=likelihood,
        brand=None if brand is None else _text(brand),
        model=None if model is None else _text(model),
        colour=_colour(node, notes),
    )


def _colour(node: Node, notes: _Notes) -> tuple[int, int, int] | None:
    outer = _child(node, "Color")
    cluster = None if outer is None else _child(outer, "ColorCluster")
    colour = None if cluster is None else _child(cluster, "Color")
    if colour is None or not (colour.get("Colorspace") or "").endswith("/RGB"):
        return None
    values = [_float(colour.get(name)) for name in ("X", "Y", "Z")]
    if any(value is None for value in values):
        notes.add("a Color lacks X, Y or Z")
        return None
    red, green, blue = (min(255, max(0, round(value or 0))) for value in values)
    return red, green, blue


def _likelihood(text: str | None, what: str, notes: _Notes) -> float | None:
    if text is None:
        return None
    value = _float(text)
    if value is None:
        notes.add(f"{what} is {text!r}, not a number")
    elif not 0 <= value <= 1:
        notes.add(f"{what} is {text}, not from 0 to 1")
    return value


def _time(text: str | None, what: str, notes: _Notes) -> Micros:
    if text is None:
        notes.add(f"{what} has no UtcTime")
        return 0
    at = parse_time(text)
    if at is None:
        notes.add(f"{what}: UtcTime {text!r} is no xs:dateTime")
        return 0
    if not text.rstrip().endswith(("Z", "z")):
        notes.add(f"{what}: UtcTime {text!r} is not UTC with a Z")
    return at

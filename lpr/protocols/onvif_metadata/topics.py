"""The topics of our events and what is in their messages: the TopicSet of GetEventProperties. Pure.

Source: ONVIF Core 9.4.3 (message description language) and 9.6 (topic structure); the messages are those that
``passage`` and ``configured`` make. May import ``lpr.events``, this room and the standard library.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import fromstring

from lpr.protocols.onvif_metadata.configured import CONFIGURATION_TOPIC
from lpr.protocols.onvif_metadata.markup import declarations, element
from lpr.protocols.onvif_metadata.passage import MILESIGHT_TOPIC, MOTION_TOPIC, PLATE_TOPIC, VEHICLE_TOPIC


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and the items of its messages, as (name, type). ``elements``: those of ``data`` that are ElementItems."""

    name: str
    source: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...] = ()
    key: tuple[tuple[str, str], ...] = ()
    elements: tuple[tuple[str, str], ...] = ()
    is_property: bool = False


_TOKEN, _TEXT = "tt:ReferenceToken", "xs:string"

TOPICS: tuple[Topic, ...] = (
    Topic(
        PLATE_TOPIC,
        source=(("VideoSource", _TOKEN), ("Rule", _TEXT)),
        data=(
            ("Likelihood", "xs:float"),
            ("ObjectId", "xs:integer"),
            ("ImageUri", "xs:anyURI"),
            ("Speed", "xs:float"),
            ("Direction", _TEXT),
        ),
        elements=(
            ("LicensePlateInfo", "tt:LicensePlateInfo"),
            ("BoundingBox", "tt:Rectangle"),
            ("VehicleInfo", "tt:VehicleInfo"),
        ),
    ),
    Topic(VEHICLE_TOPIC, source=(("Source", _TOKEN),), data=(("State", "xs:boolean"),), is_property=True),
    Topic(MOTION_TOPIC, source=(("Source", _TOKEN),), data=(("State", "xs:boolean"),), is_property=True),
    Topic(
        MILESIGHT_TOPIC,
        source=(
            ("VideoSourceConfigurationToken", _TOKEN),
            ("VideoAnalyticsConfigurationToken", _TOKEN),
            ("Rule", _TEXT),
        ),
        key=(("LicensePlateResult", _TEXT),),
        data=(
            ("LicensePlatePicturePath", _TEXT),
            ("LicenseCarSpeed", _TEXT),
            ("LicenseCarDirection", _TEXT),
        ),
        is_property=True,
    ),
    Topic(CONFIGURATION_TOPIC, source=(("Token", _TOKEN), ("Type", _TEXT))),
)


def topic_set(offered: Collection[str]) -> Node:
    """The wstop:TopicSet with those of ``TOPICS`` whose names are ``offered``."""
    shown = [(topic.name.split("/"), topic) for topic in TOPICS if topic.name in offered]
    head = declarations("wstop", "tns1", "tt", "xs")
    return fromstring(element("wstop:TopicSet", head, _branches(shown)))


def _branches(topics: Sequence[tuple[Sequence[str], Topic]]) -> list[str]:
    """The elements of these topics, each with what is left of its path."""
    made: list[str] = []
    for name in dict.fromkeys(path[0] for path, _ in topics):
        below = [(path[1:], topic) for path, topic in topics if path[0] == name]
        ends = [topic for path, topic in below if not path]
        attributes = {"wstop:topic": "true"} if ends else None
        inner = [description(topic) for topic in ends]
        made.append(element(name, attributes, inner + _branches([one for one in below if one[0]])))
    return made


def description(topic: Topic, name: str = "tt:MessageDescription", more: Sequence[str] = ()) -> str:
    """The tt:MessageDescription (or, with ``more`` behind it, the tt:Messages of a rule) as markup."""
    groups = [element("tt:Source", None, _items(topic.source))]
    if topic.key:
        groups.append(element("tt:Key", None, _items(topic.key)))
    if topic.data or topic.elements:
        groups.append(element("tt:Data", None, [*_items(topic.data), *_items(topic.elements, "Element")]))
    return element(name, {"IsProperty": "true" if topic.is_property else "false"}, [*groups, *more])


def _items(items: tuple[tuple[str, str], ...], kind: str = "Simple") -> list[str]:
    return [element(f"tt:{kind}ItemDescription", {"Name": name, "Type": type_}) for name, type_ in items]

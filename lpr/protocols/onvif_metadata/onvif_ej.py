"""Events as JSON over MQTT: ONVIF's ``onvif-ej``. Pure.

Topic: ``<prefix>/onvif-ej/<topic without its namespace>/<the values of Source>``, where a value that is a reference
token follows an "&": ``lpr/onvif-ej/RuleEngine/Recognition/LicensePlate/&VS0/LPR``. Payload: ``{"UtcTime": …,
"Source": {…}, "Key": {…}, "Data": {…}}``, the items by name. How an ElementItem becomes JSON is taken over from ONVIF's
JSON form of metadata (``onvif-mj``: attributes as "@name", text beside attributes as "#text"); for events no source
was found that says so.

Source: ONVIF Core (event broker), ONVIF Analytics Service Specification (JSON serialisation).
May import ``lpr.events``, msgspec and the standard library.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from lpr.protocols.onvif_metadata.markup import utc
from lpr.protocols.onvif_metadata.model import Element, Notification, Place, PlateInfo, VehicleInfo

Json: TypeAlias = "str | float | int | bool | dict[str, Json] | list[Json]"

PAYLOAD: Final = "onvif-ej"
TOKENS: Final = frozenset(
    {"VideoSource", "VideoSourceConfigurationToken", "VideoAnalyticsConfigurationToken", "Source", "VideoSourceToken"}
)
"""Source items whose values are reference tokens."""
_NUMBERS: Final = frozenset({"Likelihood", "Speed"})
_FORBIDDEN = str.maketrans("", "", "/#+\0")


def ej_topic(prefix: str, notification: Notification) -> str:
    """The MQTT topic. ``prefix``: may have levels of its own; what MQTT forbids in a level is left out."""
    local = "/".join(part.rpartition(":")[2].translate(_FORBIDDEN) for part in notification.topic.split("/"))
    levels = [
        ("&" if name in TOKENS else "") + value.translate(_FORBIDDEN) for name, value in notification.source if value
    ]
    return "/".join([prefix.strip("/"), PAYLOAD, local, *levels]).lstrip("/")


def ej_payload(notification: Notification) -> bytes:
    """The JSON document, UTF-8."""
    body: dict[str, Json] = {"UtcTime": utc(notification.at)}
    if notification.operation is not None:
        body["PropertyOperation"] = notification.operation
    body["Source"] = dict[str, Json](notification.source)
    if notification.key:
        body["Key"] = dict[str, Json](notification.key)
    data: dict[str, Json] = {name: _value(name, value) for name, value in notification.data}
    data.update((name, _element(value)) for name, value in notification.elements)
    if data:
        body["Data"] = data
    return msgspec.json.encode(body)


def _value(name: str, text: str) -> Json:
    if text in ("true", "false"):
        return text == "true"
    if name in _NUMBERS:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _element(value: Element) -> Json:
    if isinstance(value, Place):
        sides = {"left": value.left, "top": value.top, "right": value.right, "bottom": value.bottom}
        return {f"@{name}": round(side, 4) for name, side in sides.items()}
    if isinstance(value, PlateInfo):
        found: dict[str, Json] = {"PlateNumber": _likely(value.number, value.likelihood)}
        if value.kind is not None:
            found["PlateType"] = value.kind
        if value.country is not None:
            found["CountryCode"] = value.country
        return found | _colour(value)
    made: dict[str, Json] = {"Type": _likely(value.kind, value.likelihood)}
    if value.brand is not None:
        made["Brand"] = value.brand
    if value.model is not None:
        made["Model"] = value.model
    return made | _colour(value)


def _colour(value: PlateInfo | VehicleInfo) -> dict[str, Json]:
    if value.colour is None:
        return {}
    red, green, blue = value.colour
    colour: Json = {"@X": red, "@Y": green, "@Z": blue, "@Colorspace": "http://www.onvif.org/ver10/colorspace/RGB"}
    return {"Color": {"ColorCluster": [{"Color": colour}]}}


def _likely(text: str, likelihood: float | None) -> Json:
    return text if likelihood is None else {"@Likelihood": round(likelihood, 4), "#text": text}

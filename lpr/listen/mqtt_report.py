"""Messages of a broker as reports: ours, ``onvif-ej``, Home Assistant's discovery, pictures, anything. Pure.

Sources: schemas/mqtt.json; ONVIF Core Specification (event broker); Home Assistant's documentation of MQTT discovery.
May import this room, msgspec and the codecs.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec

from lpr.listen.report import Checks, Report
from lpr.protocols.mqtt import Message
from lpr.protocols.mqtt_messages import PassageMessage, StateMessage

OURS: Final = "schemas/mqtt.json"
ONVIF: Final = "ONVIF Core Specification, MQTT (onvif-ej)"
HOME_ASSISTANT: Final = "Home Assistant, MQTT discovery"
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_NODE = re.compile(r"[a-zA-Z0-9_-]+")
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def message_report(message: Message) -> Report:
    """Whatever a topic brings."""
    checks = Checks("MQTT")
    fields: dict[str, Any] = {"topic": message.topic, "qos": message.qos, "retained": message.retain}
    payload = message.payload
    if payload.startswith(b"\xff\xd8"):
        checks.jpeg("payload", payload)
        return Report("picture", fields, checks.found, [("payload", payload)], payload, "jpg")
    try:
        content: object = msgspec.json.decode(payload)
    except _BAD:
        return _text(message, fields)
    fields["payload"] = content
    levels = message.topic.split("/")
    if "onvif-ej" in levels:
        checks = Checks(ONVIF)
        _onvif(levels, content, checks)
        return Report("event", fields, checks.found, raw=payload, suffix="json")
    if levels[-1] == "config" and isinstance(content, dict) and len(levels) >= 4:
        checks = Checks(HOME_ASSISTANT)
        _discovery(levels, cast("dict[str, Any]", content), checks)
        return Report("discovery", fields, checks.found, raw=payload, suffix="json", counts=False)
    kind = {"passage": PassageMessage, "state": StateMessage}.get(levels[-1])
    if kind is not None and isinstance(content, dict):
        checks = Checks(OURS)
        _against(kind, payload, cast("dict[str, Any]", content), checks)
        what = "passage" if kind is PassageMessage else "state"
        return Report(what, fields, checks.found, raw=payload, suffix="json", counts=what == "passage")
    return Report("message", fields, raw=payload, suffix="json")


def _text(message: Message, fields: dict[str, Any]) -> Report:
    try:
        fields["payload"] = message.payload.decode("utf-8")
    except UnicodeDecodeError:
        fields["payload"] = message.payload[:64].hex(" ")
    deviations = []
    if "onvif-ej" in message.topic.split("/"):
        checks = Checks(ONVIF)
        checks.add("payload", message.payload[:64], "JSON")
        deviations = checks.found
    return Report("message", fields, deviations, raw=message.payload, suffix="txt")


def _against(kind: type[msgspec.Struct], payload: bytes, content: dict[str, Any], checks: Checks) -> None:
    try:
        msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at ")
        checks.add(where.strip("`$.") or "payload", text, "as the schema says")
    for name in content:
        if name not in kind.__struct_fields__:
            checks.add(name, "a key that the schema lacks", "the schema's keys")


def _onvif(levels: list[str], content: object, checks: Checks) -> None:
    if levels[-1] == "onvif-ej":
        checks.add("topic", "/".join(levels), "<prefix>/onvif-ej/<topic>/<source items>")
    if any(":" in level for level in levels):
        checks.add("topic", "/".join(levels), "the topic without its namespace prefix")
    if not isinstance(content, dict):
        checks.add("payload", type(content).__name__, "an object")
        return
    found = cast("dict[str, Any]", content)
    time = found.get("UtcTime")
    if not isinstance(time, str) or not _UTC.fullmatch(time):
        checks.add("UtcTime", time, "2024-02-01T06:00:05.509Z")
    for name in ("Source", "Key", "Data"):
        if name in found and not isinstance(found[name], dict):
            checks.add(name, type(found[name]).__name__, "an object")
    if "Source" not in found:
        checks.add("Source", "missing", "an object")
    for name in found:
        if name not in ("UtcTime", "PropertyOperation", "Source", "Key", "Data"):
            checks.add(name, "an unknown key", "UtcTime, PropertyOperation, Source, Key, Data")


_SHORT = {
    "dev": "device", "o": "origin", "cmps": "components", "p": "platform", "uniq_id": "unique_id", "ids": "identifiers",
    "cns": "connections", "t": "topic", "stat_t": "state_topic",
}  # fmt: skip


def _discovery(levels: list[str], content: dict[str, Any], checks: Checks) -> None:
    whole = {_SHORT.get(name, name): value for name, value in content.items()}
    for level in levels[2:-1]:
        if not _NODE.fullmatch(level):
            checks.add("topic", level, "a-z, A-Z, 0-9, _ and - in node and object ids")
    if not whole:
        return
    if levels[-3] == "device" or "components" in whole:
        for name in ("device", "origin", "components"):
            if not isinstance(whole.get(name), dict):
                checks.add(name, "missing", "an object at the root of a device's document")
        components = whole.get("components")
        for name, component in (cast("dict[str, Any]", components) if isinstance(components, dict) else {}).items():
            _component(name, component, checks)
        device = whole.get("device")
        if isinstance(device, dict):
            known = {_SHORT.get(name, name) for name in cast("dict[str, Any]", device)}
            if not known & {"identifiers", "connections"}:
                checks.add("device", ", ".join(sorted(known)), "identifiers or connections")
    elif "device" in whole and "unique_id" not in whole:
        checks.add("unique_id", "missing", "a unique_id beside device")


def _component(name: str, component: object, checks: Checks) -> None:
    if not isinstance(component, dict):
        checks.add(f"components.{name}", type(component).__name__, "an object")
        return
    keys = {_SHORT.get(key, key) for key in cast("dict[str, Any]", component)}
    for needed in ("platform", "unique_id"):
        if needed not in keys and not (needed == "unique_id" and keys == {"platform"}):
            checks.add(f"components.{name}.{needed}", "missing", "in every component")

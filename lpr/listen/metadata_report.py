"""ONVIF's metadata documents and notifications as reports. Pure.

Sources: ONVIF Analytics Service, Core and Streaming specifications; what is read and what counts as a deviation is in
``lpr.protocols.onvif_metadata.reading``. May import this room and that one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Final, cast

from lpr.listen.report import Checks, Report
from lpr.protocols.onvif_metadata import MetadataError, Notification, parse_document, plate_of

METADATA: Final = "ONVIF Analytics Service Specification, metadatastream.xsd"
EVENTS: Final = "ONVIF Core Specification, event handling"


def document_report(data: bytes) -> Report:
    """One document of a metadata stream."""
    checks = Checks(METADATA)
    try:
        parsed = parse_document(data)
    except MetadataError as error:
        checks.add("document", str(error), "a tt:MetadataStream")
        return Report("metadata", {}, checks.found, raw=data, suffix="xml")
    checks.sentences("document", parsed.deviations)
    events = [notification_fields(one) for one in parsed.notifications]
    frames = [plain(frame) for frame in parsed.frames]
    what = "passage" if any(plate_of(one) for one in parsed.notifications) else "event" if events else "metadata"
    fields: dict[str, Any] = {"root": parsed.root}
    if events:
        fields["events"] = events
    if frames:
        fields["frames"] = frames
    return Report(what, fields, checks.found, raw=data, suffix="xml")


def notification_report(notification: Notification, deviations: Iterable[str], raw: bytes) -> Report:
    """One wsnt:NotificationMessage of a PullPoint or a Notify."""
    checks = Checks(EVENTS)
    checks.sentences("notification", deviations)
    what = "passage" if plate_of(notification) else "event"
    return Report(what, notification_fields(notification), checks.found, raw=raw, suffix="xml")


def notification_fields(notification: Notification) -> dict[str, Any]:
    """Every item of an event; and the plate it tells in one shape, whatever form it has."""
    fields: dict[str, Any] = {
        "topic": notification.topic,
        "at": notification.at,
        "operation": notification.operation,
        "source": dict(notification.source),
        "key": dict(notification.key),
        "data": dict(notification.data),
        "elements": {name: plain(value) for name, value in notification.elements},
    }
    plate = plate_of(notification)
    if plate is not None:
        fields["plate"] = plain(plate)
    return {name: value for name, value in fields.items() if value not in (None, {})}


def plain(value: Any) -> Any:
    """A dataclass as JSON values, without what is None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return {name: inner for name, inner in found.items() if inner not in (None, [], ())}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in cast("Iterable[Any]", value)]
    return value

"""Answers of ONVIF's events service as reports. Pure.

Sources: ONVIF Core Specification ("Event handling"), event.wsdl, SOAP 1.2. May import this room and the codecs.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import Element, tostring

from lpr.listen.metadata_report import notification_report
from lpr.listen.report import Checks, Deviation, Report
from lpr.protocols.onvif.client import AnswerError, RemoteFault, messages, operation_of, read_answer
from lpr.protocols.onvif.names import NAMESPACES
from lpr.protocols.onvif.security import moment
from lpr.protocols.onvif_metadata import parse_notification

CORE: Final = "ONVIF Core Specification, event handling"
SOAP: Final = "SOAP 1.2, part 2"
CLOCK_OFF = 5.0
"""Seconds by which a camera's clock may differ from ours without a word."""


def answer_checks(name: str, namespace: str, content_type: str, body: Element) -> list[Deviation]:
    """What is wrong with the answer to ``name``. ``namespace``: a prefix of ``NAMESPACES``."""
    checks = Checks(SOAP)
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/soap+xml":
        checks.add("Content-Type", kind or "missing", "application/soap+xml")
    wanted = (NAMESPACES[namespace], f"{name}Response")
    if operation_of(body) != wanted:
        checks.add("body", f"{{{operation_of(body)[0]}}}{operation_of(body)[1]}", f"{{{wanted[0]}}}{wanted[1]}", CORE)
    return checks.found


def reach(address: str, host: str, port: int, checks: Checks, what: str) -> str:
    """``address`` as it can be reached: with the host and port that we came by, when it names others."""
    parts = urlsplit(address)
    try:
        named = (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError:
        named = (None, 0)
    if not parts.scheme:
        checks.add(what, address, "an absolute address")
    elif named[0] != host:
        checks.add(what, address, f"an address at {host}, under which the device was asked (behind NAT it can't be)")
    if named[0] == host and parts.scheme:
        return address
    shown = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme or "http", f"{shown}:{port}", parts.path or "/", parts.query, ""))


def times_checks(current: str, termination: str, checks: Checks) -> None:
    """CurrentTime and TerminationTime of a subscription."""
    times = {"CurrentTime": current, "TerminationTime": termination}
    known = {name: moment(text) for name, text in times.items()}
    for name, at in known.items():
        if at is None:
            checks.add(name, times[name] or "missing", "xs:dateTime")
        elif not times[name].endswith("Z") and "+" not in times[name][10:] and "-" not in times[name][10:]:
            checks.add(name, times[name], "a time zone: Z")
    start, end = known["CurrentTime"], known["TerminationTime"]
    if start is not None and end is not None and end <= start:
        checks.add("TerminationTime", termination, f"later than CurrentTime, {current}")


def pulled_reports(body: Element, limit: int) -> tuple[list[Deviation], list[Report]]:
    """What is wrong with an answer to PullMessages, and a report of each notification in it."""
    checks = Checks(CORE)
    current, termination, found = messages(body)
    times_checks(current, termination, checks)
    if len(found) > limit:
        checks.add("NotificationMessage", f"{len(found)} of them", f"at most {limit}, the MessageLimit")
    reports: list[Report] = []
    for node in found:
        notification, deviations = parse_notification(node)
        reports.append(notification_report(notification, deviations, tostring(node)))
    return checks.found, reports


def notify_report(data: bytes) -> Report | None:
    """What a device posts to a subscriber (base notification); None when it is no wsnt:Notify."""
    try:
        body = read_answer(data)
    except (AnswerError, RemoteFault):
        return None
    namespace, name = operation_of(body)
    if name != "Notify":
        return None
    checks = Checks(CORE)
    if namespace != NAMESPACES["wsnt"]:
        checks.add("body", f"{{{namespace}}}{name}", f"{{{NAMESPACES['wsnt']}}}Notify")
    found = messages(body)[2]
    if not found:
        checks.add("NotificationMessage", "missing", "at least one")
    reports: list[Report] = []
    for node in found:
        notification, deviations = parse_notification(node)
        reports.append(notification_report(notification, deviations, b""))
    what = "passage" if any(one.what == "passage" for one in reports) else "event"
    fields = {"events": [one.fields for one in reports]}
    return Report(
        what, fields, [*checks.found, *(one for report in reports for one in report.deviations)], raw=data, suffix="xml"
    )


def opening_report(fields: dict[str, Any], deviations: list[Deviation]) -> Report:
    """What was learnt before the first question for events."""
    return Report("opening", fields, deviations, counts=False)

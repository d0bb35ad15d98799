"""The tables of ONVIF's operations and profiles in ``docs/protocols/onvif.md``, from the tables of the code.

``python -m tools.onvif_operations`` writes them; a test says when they are stale. What is done of an operation is what
the code's tables say; what the profiles demand of a device is in ``tools.onvif_profiles``.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lpr.actors.device_http.onvif_events import EventsService
from lpr.config import OnvifEvents
from lpr.core.clock import ManualClock
from lpr.protocols.onvif.model import Device, World
from lpr.protocols.onvif.operations import NEEDED, Operation, Service
from lpr.protocols.onvif.tables import services_of
from tools.onvif_profiles import FEATURES, SOURCES, Feature

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "protocols" / "onvif.md"
BEGIN, END = "<!-- operations: made by tools.onvif_operations -->", "<!-- end of operations -->"
FEATURES_BEGIN, FEATURES_END = "<!-- profiles: made by tools.onvif_operations -->", "<!-- end of profiles -->"
WIDTH = 120
TITLES: Mapping[str, str] = {
    "tds": "Device service",
    "trt": "Media service (version 1)",
    "tr2": "Media2 service",
    "tev": "Events service, base notification",
    "tan": "Analytics service",
    "timg": "Imaging service",
    "tmd": "Device I/O service",
}


class _NoEvents:
    """Events of nothing."""

    def attach(self, listener: Callable[[str, Any], None]) -> None:
        """Nobody is told anything."""

    def detach(self, listener: Callable[[str, Any], None]) -> None:
        """Nor anything more."""

    def properties(self) -> list[Any]:
        """None."""
        return []


def services() -> tuple[Service, ...]:
    """Every service, as the device has it."""
    device = Device("", "", "", "", "", "", "urn:uuid:0")
    events = EventsService(OnvifEvents(), _NoEvents(), ManualClock())
    return services_of(World(device, list), (events.service(),))


def named(service: Service, operation: Operation) -> str:
    """With its prefix: "tds:GetServices", "wsnt:Renew"."""
    return operation.name if ":" in operation.name else f"{service.prefix}:{operation.name}"


def table(found: Iterable[Service]) -> str:
    """Markdown: a table a service."""
    parts: list[str] = []
    for service in found:
        parts.append(f"### {TITLES[service.prefix]}: `{service.prefix}`, `{service.path}`\n")
        parts.append("| operation | may call | S | T | M | |\n|---|---|---|---|---|---|")
        for operation in service.operations:
            name = named(service, operation)
            demands = " | ".join(demand(profile, name) for profile in FEATURES)
            parts.append(f"| {operation.name} | {_who(operation)} | {demands} | {state(operation)} |")
        parts.append("")
    return "\n".join(parts)


def demand(profile: str, name: str) -> str:
    """What a profile says of an operation: "M", "C" or "", with "?" when no text that names it was at hand."""
    marks = [
        feature.level + "?" * mark.endswith("?")
        for feature in FEATURES[profile]
        for mark in feature.operations
        if mark.removesuffix("?") == name
    ]
    return min(marks, key=("M", "M?", "C", "C?").index, default="")


def features(found: Iterable[Service]) -> str:
    """Markdown: for each profile where its list is from, and a table of its features."""
    states = {named(service, operation): state(operation) for service in found for operation in service.operations}
    parts: list[str] = []
    for profile, listed in FEATURES.items():
        parts.append(f"### Profile {profile}\n\n{textwrap.fill(f'Checked against: {SOURCES[profile]}', WIDTH)}\n")
        parts.append("| section | feature | | |\n|---|---|---|---|")
        parts += [f"| {one.section} | {one.title} | {one.level} | {fulfilled(one, states)} |" for one in listed]
        parts.append("")
    return "\n".join(parts)


def fulfilled(feature: Feature, states: Mapping[str, str]) -> str:
    """How much of a feature is done. ``states``: of every operation, by its name."""
    if feature.lacking:
        return f"does not apply: {feature.lacking}"
    groups = {
        "not": [name for name in feature.named if states[name].startswith("**no**")],
        "in part": [name for name in feature.named if states[name].startswith("in part")],
    }
    parts = [f"{word} {' '.join(f'`{name}`' for name in names)}" for word, names in groups.items() if names]
    parts += [f"**no** {what}: {why}" for what, why in feature.beside.items() if why]
    return "; ".join(parts) or "done"


def state(operation: Operation) -> str:
    """Done, in part, or not, and why."""
    if operation.handler is None:
        return f"**no**: {operation.why}"
    if operation.why.startswith("refused"):
        return f"**no**, {operation.why}"
    return f"in part: {operation.why}" if operation.why else "done"


def _who(operation: Operation) -> str:
    return NEEDED[operation.access] or "anybody"


def rendered() -> str:
    """The page with its tables as they should be. Raises ValueError when the page has no place for one."""
    page = PAGE.read_text(encoding="utf-8")
    found = services()
    for begin, end, made in ((FEATURES_BEGIN, FEATURES_END, features(found)), (BEGIN, END, table(found))):
        place = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
        if not place.search(page):
            raise ValueError(f"{PAGE} has no lines {begin} and {end}")
        whole = f"{begin}\n\n{made}\n{end}"
        page = place.sub(lambda _, whole=whole: whole, page)
    return page


def main() -> int:
    """Write the page's tables; 0."""
    PAGE.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

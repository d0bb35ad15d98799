"""Answers as they went out when they were looked at: ``python -m tests.protocols.onvif.golden`` writes them anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lpr.protocols.onvif import soap
from lpr.protocols.onvif.tree import element
from tests.protocols.onvif.test_discovery import Rig, probe
from tests.protocols.onvif.worlds import Place

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "onvif"


def _answer(name: str, *arguments: tuple[str, str]) -> Callable[[], bytes]:
    prefix = name.partition(":")[0]
    children = [element(f"{prefix}:{key}", value) for key, value in arguments]
    return lambda: soap.answer(Place().call(name, *children))


def _probed() -> bytes:
    data = Rig().ask(probe("dn:NetworkVideoTransmitter"))
    assert data is not None
    return data


MADE: Mapping[str, Callable[[], bytes]] = {
    "GetServices": _answer("tds:GetServices", ("IncludeCapability", "true")),
    "GetCapabilities": _answer("tds:GetCapabilities"),
    "GetSystemDateAndTime": _answer("tds:GetSystemDateAndTime"),
    "GetScopes": _answer("tds:GetScopes"),
    "GetProfiles": _answer("trt:GetProfiles"),
    "GetProfiles2": _answer("tr2:GetProfiles", ("Type", "All")),
    "GetVideoEncoderConfigurationOptions": _answer("trt:GetVideoEncoderConfigurationOptions"),
    "ProbeMatches": _probed,
}
"""File name without ".xml" -> what makes it."""


def path(name: str) -> Path:
    return FOLDER / f"{name}.xml"


def spread(data: bytes) -> str:
    """A line an element, so that differences show."""
    return data.decode().replace("><", ">\n<") + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for made, make in MADE.items():
        path(made).write_text(spread(make()), encoding="utf-8")

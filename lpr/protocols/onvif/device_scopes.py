"""The device service's scopes and discovery mode: the part of the device that administrators change over the network.

Source: ONVIF Core specification, 7.3.3 (scopes) and 8.3. May import this room.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.model import Added, Device, World
from lpr.protocols.onvif.operations import Call, Operation, Reply, invalid
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, words

MAX_SCOPES = 32
MAX_SCOPE = 256

_PROFILES = ("Streaming", "T", "M")
"""ONVIF profiles whose operations are offered; "Streaming" is how Profile S is announced."""


def fixed_scopes(device: Device, profiles: tuple[str, ...] = _PROFILES) -> list[str]:
    """The scopes that the device always has."""
    base = "onvif://www.onvif.org"
    found = [f"{base}/type/Network_Video_Transmitter", f"{base}/type/video_encoder", f"{base}/type/video_analytics"]
    found += [f"{base}/Profile/{name}" for name in profiles]
    found += [f"{base}/name/{quote(device.name, safe='')}", f"{base}/hardware/{quote(device.model, safe='')}"]
    if device.location:
        found.append(f"{base}/location/{quote(device.location, safe='')}")
    return found + [scope for scope in device.scopes if scope not in found]


def all_scopes(world: World) -> list[str]:
    """Fixed scopes and added ones, for discovery."""
    fixed = fixed_scopes(world.device)
    return fixed + [scope for scope in world.added().scopes if scope not in fixed]


def scope_operations(world: World) -> tuple[Operation, ...]:
    """The operations about scopes and about being discovered."""
    told = _Told(world)
    return (
        Operation("GetScopes", "READ_SYSTEM", told.scopes),
        Operation("SetScopes", "WRITE_SYSTEM", told.set_scopes),
        Operation("AddScopes", "WRITE_SYSTEM", told.add_scopes),
        Operation("RemoveScopes", "WRITE_SYSTEM", told.remove_scopes),
        Operation("GetDiscoveryMode", "READ_SYSTEM", told.discovery_mode),
        Operation("SetDiscoveryMode", "WRITE_SYSTEM", told.set_discovery_mode),
    )


class _Told:
    """The handlers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._device = world.device

    def scopes(self, call: Call) -> Element:
        del call
        fixed = fixed_scopes(self._device)
        found = [
            element("tds:Scopes", element("tt:ScopeDef", kind), element("tt:ScopeItem", scope))
            for kind, scopes in (("Fixed", fixed), ("Configurable", self._world.added().scopes))
            for scope in scopes
        ]
        return element("tds:GetScopesResponse", found)

    def set_scopes(self, call: Call) -> Reply:
        wanted = self._wanted([words(found) for found in call.request.all("tds:Scopes")])
        return self._keep("SetScopes", wanted)

    def add_scopes(self, call: Call) -> Reply:
        wanted = self._wanted([words(found) for found in call.request.all("tds:ScopeItem")])
        before = self._world.added().scopes
        return self._keep("AddScopes", [*before, *(scope for scope in wanted if scope not in before)])

    def remove_scopes(self, call: Call) -> Reply:
        wanted = [words(found) for found in call.request.all("tds:ScopeItem")]
        if not wanted:
            raise Fault("Sender", "ter:InvalidArgs", reason="A scope is needed")
        before, fixed = self._world.added().scopes, fixed_scopes(self._device)
        for scope in wanted:
            if scope in fixed:
                raise Fault(
                    "Sender",
                    "ter:OperationProhibited",
                    "ter:FixedScope",
                    reason=f"{scope} is fixed by the configuration",
                )
            if scope not in before:
                raise invalid("ter:NoScope", "There is no such scope")
        removed = [element("tds:ScopeItem", scope) for scope in wanted]
        return self._keep("RemoveScopes", [scope for scope in before if scope not in wanted], removed)

    def _wanted(self, scopes: list[str]) -> list[str]:
        if not scopes:
            raise Fault("Sender", "ter:InvalidArgs", reason="A scope is needed")
        fixed = fixed_scopes(self._device)
        for scope in scopes:
            if len(scope) > MAX_SCOPE or any(char.isspace() for char in scope) or not _is_uri(scope):
                raise Fault("Sender", "ter:InvalidArgVal", reason=f"No scope: an URI of at most {MAX_SCOPE} characters")
        return [scope for scope in dict.fromkeys(scopes) if scope not in fixed]

    def _keep(self, name: str, scopes: list[str], answer: list[Element] | None = None) -> Reply:
        if len(scopes) > MAX_SCOPES:
            raise Fault(
                "Receiver", "ter:Action", "ter:TooManyScopes", reason=f"At most {MAX_SCOPES} scopes can be added"
            )
        change = dataclasses.replace(self._world.added(), scopes=tuple(scopes))
        return Reply(element(f"tds:{name}Response", answer or []), change=change)

    def discovery_mode(self, call: Call) -> Element:
        del call
        shown = self._device.discovery and self._world.added().discoverable
        return element(
            "tds:GetDiscoveryModeResponse",
            element("tds:DiscoveryMode", "Discoverable" if shown else "NonDiscoverable"),
        )

    def set_discovery_mode(self, call: Call) -> Reply:
        wanted = call.request.value("tds:DiscoveryMode")
        if wanted not in ("Discoverable", "NonDiscoverable"):
            raise Fault("Sender", "ter:InvalidArgVal", reason="Discoverable or NonDiscoverable")
        if wanted == "Discoverable" and not self._device.discovery:
            raise Fault(
                "Sender", "ter:OperationProhibited", reason="Discovery is off in the configuration (onvif.discovery)"
            )
        change: Added = dataclasses.replace(self._world.added(), discoverable=wanted == "Discoverable")
        return Reply(element("tds:SetDiscoveryModeResponse"), change=change)


def _is_uri(text: str) -> bool:
    """Whether it has a scheme and, where it has one, a host that can be read."""
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False

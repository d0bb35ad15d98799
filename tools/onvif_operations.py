"""The table of ONVIF's operations in ``docs/protocols/onvif.md``, from the tables of the code.

``python -m tools.onvif_operations`` writes it; a test says when it is stale. What the profiles demand of a device
(``DEMANDS``) is from the profiles' published specifications: M mandatory, C if the device has the feature.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lpr.actors.device_http.onvif_events import EventsService
from lpr.config import OnvifEvents
from lpr.core.clock import ManualClock
from lpr.protocols.onvif.model import Device, World
from lpr.protocols.onvif.operations import NEEDED, Operation, Service
from lpr.protocols.onvif.tables import services_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "protocols" / "onvif.md"
BEGIN, END = "<!-- operations: made by tools.onvif_operations -->", "<!-- end of operations -->"
TITLES: Mapping[str, str] = {
    "tds": "Device service",
    "trt": "Media service (version 1)",
    "tr2": "Media2 service",
    "tev": "Events service, base notification",
    "tan": "Analytics service",
    "timg": "Imaging service",
    "tmd": "Device I/O service",
}

_DEVICE = """GetDeviceInformation GetSystemDateAndTime SetSystemDateAndTime SetSystemFactoryDefault SystemReboot
GetScopes SetScopes AddScopes RemoveScopes GetDiscoveryMode SetDiscoveryMode GetUsers CreateUsers DeleteUsers SetUser
GetHostname SetHostname GetDNS SetDNS GetNetworkInterfaces SetNetworkInterfaces GetNetworkProtocols SetNetworkProtocols
GetNetworkDefaultGateway SetNetworkDefaultGateway GetServices GetServiceCapabilities"""
_EVENTS = """CreatePullPointSubscription PullMessages SetSynchronizationPoint GetEventProperties
GetServiceCapabilities wsnt:Renew wsnt:Unsubscribe"""


def _both(prefix: str, names: str) -> frozenset[str]:
    return frozenset(name if ":" in name else f"{prefix}:{name}" for name in names.split())


DEMANDS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "S": {
        "M": _both("tds", _DEVICE)
        | _both("tds", "GetCapabilities GetWsdlUrl")
        | _both("tev", _EVENTS + " wsnt:Subscribe")
        | _both(
            "trt",
            """GetProfiles GetProfile CreateProfile DeleteProfile GetStreamUri GetServiceCapabilities GetVideoSources
            GetVideoSourceConfiguration GetVideoSourceConfigurations GetVideoSourceConfigurationOptions
            SetVideoSourceConfiguration AddVideoSourceConfiguration RemoveVideoSourceConfiguration
            GetCompatibleVideoSourceConfigurations GetVideoEncoderConfiguration GetVideoEncoderConfigurations
            GetVideoEncoderConfigurationOptions SetVideoEncoderConfiguration AddVideoEncoderConfiguration
            RemoveVideoEncoderConfiguration GetCompatibleVideoEncoderConfigurations
            GetGuaranteedNumberOfVideoEncoderInstances GetMetadataConfiguration GetMetadataConfigurations
            GetMetadataConfigurationOptions SetMetadataConfiguration AddMetadataConfiguration
            RemoveMetadataConfiguration GetCompatibleMetadataConfigurations SetSynchronizationPoint""",
        ),
        "C": _both("tds", "GetNTP SetNTP GetDynamicDNS GetZeroConfiguration GetIPAddressFilter GetRelayOutputs")
        | _both("tds", "SetRelayOutputSettings SetRelayOutputState SendAuxiliaryCommand")
        | _both("tev", "Seek")
        | _both(
            "trt",
            """StartMulticastStreaming StopMulticastStreaming GetAudioSources GetAudioSourceConfiguration
            GetAudioSourceConfigurations GetAudioSourceConfigurationOptions SetAudioSourceConfiguration
            AddAudioSourceConfiguration RemoveAudioSourceConfiguration GetCompatibleAudioSourceConfigurations
            GetAudioEncoderConfiguration GetAudioEncoderConfigurations GetAudioEncoderConfigurationOptions
            SetAudioEncoderConfiguration AddAudioEncoderConfiguration RemoveAudioEncoderConfiguration
            GetCompatibleAudioEncoderConfigurations AddPTZConfiguration RemovePTZConfiguration""",
        ),
    },
    "T": {
        "M": _both("tds", _DEVICE)
        | _both("tev", _EVENTS)
        | _both(
            "tr2",
            """GetServiceCapabilities GetProfiles CreateProfile DeleteProfile AddConfiguration RemoveConfiguration
            GetStreamUri GetSnapshotUri SetSynchronizationPoint GetVideoSourceConfigurations
            GetVideoSourceConfigurationOptions SetVideoSourceConfiguration GetVideoEncoderConfigurations
            GetVideoEncoderConfigurationOptions SetVideoEncoderConfiguration GetVideoEncoderInstances GetOSDs
            GetOSDOptions CreateOSD SetOSD DeleteOSD GetMetadataConfigurations GetMetadataConfigurationOptions
            SetMetadataConfiguration""",
        )
        | _both("trt", "GetVideoSources")
        | _both("timg", "GetServiceCapabilities GetImagingSettings SetImagingSettings GetOptions"),
        "C": _both("tds", "GetNTP SetNTP GetRelayOutputs SetRelayOutputSettings SetRelayOutputState")
        | _both("timg", "Move Stop GetMoveOptions GetStatus")
        | _both("tmd", "GetServiceCapabilities GetDigitalInputs GetRelayOutputOptions SetRelayOutputSettings")
        | _both("tmd", "GetDigitalInputConfigurationOptions SetDigitalInputConfigurations")
        | _both(
            "tr2",
            """StartMulticastStreaming StopMulticastStreaming GetVideoSourceModes SetVideoSourceMode
            GetAudioSourceConfigurations GetAudioSourceConfigurationOptions SetAudioSourceConfiguration
            GetAudioEncoderConfigurations GetAudioEncoderConfigurationOptions SetAudioEncoderConfiguration
            GetAudioOutputConfigurations GetAudioOutputConfigurationOptions SetAudioOutputConfiguration
            GetAudioDecoderConfigurations GetAudioDecoderConfigurationOptions SetAudioDecoderConfiguration
            GetMasks GetMaskOptions SetMask CreateMask DeleteMask""",
        )
        | _both("trt", "GetAudioSources GetAudioOutputs"),
    },
    "M": {
        "M": _both("tds", _DEVICE)
        | _both(
            "tr2",
            """GetServiceCapabilities GetProfiles GetStreamUri SetSynchronizationPoint GetMetadataConfigurations
            GetMetadataConfigurationOptions SetMetadataConfiguration GetAnalyticsConfigurations""",
        )
        | _both(
            "tan",
            """GetServiceCapabilities GetSupportedAnalyticsModules GetAnalyticsModules CreateAnalyticsModules
            DeleteAnalyticsModules ModifyAnalyticsModules GetAnalyticsModuleOptions GetSupportedMetadata""",
        ),
        "C": _both("tev", _EVENTS)
        | _both("tr2", "CreateProfile DeleteProfile AddConfiguration RemoveConfiguration")
        | _both("tan", "GetSupportedRules GetRules CreateRules ModifyRules DeleteRules GetRuleOptions"),
    },
}
"""Profile -> M or C -> operations."""


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
            demands = " | ".join(demand(profile, name) for profile in DEMANDS)
            parts.append(f"| {operation.name} | {_who(operation)} | {demands} | {state(operation)} |")
        parts.append("")
    return "\n".join(parts)


def demand(profile: str, name: str) -> str:
    """What a profile says of an operation."""
    return next((mark for mark, names in DEMANDS[profile].items() if name in names), "")


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
    """The page with the table as it should be. Raises ValueError when the page has no place for it."""
    page = PAGE.read_text(encoding="utf-8")
    place = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    if not place.search(page):
        raise ValueError(f"{PAGE} has no lines {BEGIN} and {END}")
    made = f"{BEGIN}\n\n{table(services())}\n{END}"
    return place.sub(lambda _: made, page)


def main() -> int:
    """Write the page; 0."""
    PAGE.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

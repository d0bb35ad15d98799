"""What the profiles S, T and M of ONVIF demand of a device, feature by feature; ``tools.onvif_operations`` shows it.

Where each list comes from is said in ``SOURCES``, which stands in the docs. An operation with "?" behind it is from
memory: no text that names it was at hand. PTZ's own operations are left out, since there is no PTZ here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["M", "C"]

SOURCES: Mapping[str, str] = {
    "S": "Profile S v1.3 (November 2019). Its text was not at hand. The operations were checked against the list of"
    " functions of Profile S in the sources of ONVIF's own Device Test Tool, as published in public repositories, and"
    " the sections against public tests and notes that cite v1.3; sections without a number could not be checked."
    " GetServices and the services' GetServiceCapabilities are not in that list: Core demands them.",
    "T": "Profile T v1.0 (September 2018), its whole text: every function list for devices of chapters 7 and 8.",
    "M": "Profile M v1.0 (June 2021), by public notes that go through chapters 7 and 8 section by section and name the"
    " operations; the text itself and v1.1 (March 2024) were not at hand. The device service's operations were checked"
    " against the conditions under which ONVIF's Device Test Tool tests them, as published reports of it show: what it"
    " tests on every device, on those with network or user configuration (no features of Profile M), or for profiles"
    " other than M. Rows with `?` could not be checked.",
}
"""Profile -> which text and version its features were checked against."""


@dataclass(frozen=True, slots=True)
class Feature:
    """``section``: of the profile's specification, "" where not known. ``level``: M mandatory, C if the device has it.
    ``operations``: with prefixes, "?" behind the unsure. ``beside``: what else is demanded -> why it is not done, ""
    when it is. ``lacking``: of a conditional feature, why it does not apply here."""

    section: str
    title: str
    level: Level
    operations: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    lacking: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """The operations without their marks."""
        return tuple(name.removesuffix("?") for name in self.operations)


def _names(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(name if ":" in name else f"{prefix}:{name}" for name in names.split())


NO_MULTICAST = "streams go to one receiver each"
NO_PTZ = "there is no PTZ"
NO_RELAYS = "there are no relay outputs"
NO_CLOCK = "the computer's administrator looks after its clock"
NO_NETWORK = "the computer's administrator looks after its network"
NO_SOUND_OUT = "sound is not played by this device"
DONE = ""

_DISCOVERY = _names("tds", "GetDiscoveryMode SetDiscoveryMode GetScopes SetScopes AddScopes RemoveScopes")
_NETWORK = _names(
    "tds",
    """GetHostname SetHostname GetDNS SetDNS GetNetworkInterfaces SetNetworkInterfaces GetNetworkProtocols
    SetNetworkProtocols GetNetworkDefaultGateway SetNetworkDefaultGateway""",
)
_SYSTEM = _names(
    "tds", "GetDeviceInformation GetSystemDateAndTime SetSystemDateAndTime SetSystemFactoryDefault SystemReboot"
)
_USERS = _names("tds", "GetUsers CreateUsers DeleteUsers SetUser")
_PULLED = _names(
    "tev", "SetSynchronizationPoint CreatePullPointSubscription PullMessages GetEventProperties wsnt:Unsubscribe"
)
_FILTERS = {"topic filter": DONE, "message content filter": DONE}
_UNICAST = {"RTP by UDP": DONE, "RTP in RTSP over HTTP": DONE}
_T_STREAM = {**_UNICAST, "RTSP over HTTPS": DONE, "RTP by UDP multicast": NO_MULTICAST}
_CHANGED = {
    "event Media/ConfigurationChanged": DONE,
}
_PROFILE_CHANGED = {"event Media/ProfileChanged": "profiles are fixed: nothing changes"}


def _single(kind: str) -> tuple[str, ...]:
    """Media's operations about one kind of configuration."""
    whole = f"{kind}Configuration"
    return _names(
        "trt",
        f"Get{whole} Get{whole}s Add{whole} Remove{whole} Set{whole} GetCompatible{whole}s Get{whole}Options",
    )


FEATURES: Mapping[str, tuple[Feature, ...]] = {
    "S": (
        Feature("7.1", "User authentication", "M", beside={"WS-UsernameToken": DONE, "HTTP Digest": DONE}),
        Feature("7.2", "Capabilities", "M", _names("tds", "GetCapabilities GetWsdlUrl")),
        Feature("7.3", "Discovery", "M", _DISCOVERY, {"WS-Discovery": DONE}),
        Feature("7.4", "Network configuration", "M", _NETWORK),
        Feature("7.5", "System", "M", _SYSTEM),
        Feature("7.6", "User handling", "M", _USERS),
        Feature(
            "7.7",
            "Event handling",
            "M",
            (*_PULLED, *_names("wsnt", "wsnt:Subscribe wsnt:Renew")),
            {"Notify": DONE, **_FILTERS},
        ),
        Feature(
            "7.8",
            "Video streaming",
            "M",
            _names("trt", "GetProfiles GetStreamUri SetSynchronizationPoint"),
            {"RTSP": DONE, **_UNICAST},
        ),
        Feature("7.9", "Video streaming: MJPEG", "M", beside={"JPEG by RTSP": DONE}),
        Feature(
            "",
            "Video encoder configuration",
            "M",
            (*_single("VideoEncoder"), "trt:GetGuaranteedNumberOfVideoEncoderInstances"),
        ),
        Feature(
            "",
            "Media profile configuration",
            "M",
            _names("trt", "GetProfiles GetProfile CreateProfile DeleteProfile"),
        ),
        Feature("", "Video source configuration", "M", ("trt:GetVideoSources", *_single("VideoSource"))),
        Feature("7.13", "Metadata configuration", "M", _single("Metadata")),
        Feature("8.2", "Video streaming: H.264", "C", beside={"H.264 by RTSP": DONE}),
        Feature(
            "", "Multicast", "C", _names("trt", "StartMulticastStreaming StopMulticastStreaming"), lacking=NO_MULTICAST
        ),
        Feature("", "PTZ", "C", _names("trt", "AddPTZConfiguration RemovePTZConfiguration"), lacking=NO_PTZ),
        Feature(
            "",
            "Audio streaming",
            "C",
            ("trt:GetAudioSources", *_single("AudioSource"), *_single("AudioEncoder")),
            {"PCMU or AAC by RTSP": DONE},
        ),
        Feature(
            "",
            "Relay outputs",
            "C",
            _names("tds", "GetRelayOutputs SetRelayOutputSettings SetRelayOutputState"),
            lacking=NO_RELAYS,
        ),
        Feature("", "NTP", "C", _names("tds", "GetNTP SetNTP"), lacking=NO_CLOCK),
        Feature("", "Dynamic DNS", "C", _names("tds", "GetDynamicDNS SetDynamicDNS"), lacking=NO_NETWORK),
        Feature(
            "",
            "Zero configuration",
            "C",
            _names("tds", "GetZeroConfiguration SetZeroConfiguration"),
            lacking=NO_NETWORK,
        ),
        Feature(
            "",
            "IP address filtering",
            "C",
            _names("tds", "GetIPAddressFilter SetIPAddressFilter AddIPAddressFilter RemoveIPAddressFilter"),
            lacking="a firewall does that",
        ),
    ),
    "T": (
        Feature("7.1", "User authentication", "M", beside={"HTTP Digest": DONE, "RTSP Digest": DONE}),
        Feature(
            "7.2",
            "Capabilities",
            "M",
            (
                *_names("tds", "GetServices GetServiceCapabilities GetWsdlUrl tev:GetServiceCapabilities"),
                *_names("tr2", "GetServiceCapabilities timg:GetServiceCapabilities tmd:GetServiceCapabilities"),
            ),
            {"two pull points at least": DONE},
        ),
        Feature("7.2", "Capabilities of analytics", "C", ("tan:GetServiceCapabilities",)),
        Feature("7.3", "Discovery", "M", _DISCOVERY, {"WS-Discovery": DONE, "scope Profile/T": DONE}),
        Feature("7.4", "Network configuration", "M", _NETWORK),
        Feature("7.5", "System", "M", _SYSTEM),
        Feature("7.6", "User handling", "M", _USERS),
        Feature("7.7", "Event handling", "M", _PULLED, _FILTERS),
        Feature(
            "7.8",
            "Media profile management",
            "M",
            _names("tr2", "CreateProfile DeleteProfile GetVideoSourceConfigurations GetVideoEncoderInstances"),
            _PROFILE_CHANGED,
        ),
        Feature(
            "7.9",
            "Video streaming",
            "M",
            _names("tr2", "GetProfiles GetStreamUri SetSynchronizationPoint"),
            {"H.264 or H.265": DONE, **_T_STREAM},
        ),
        Feature(
            "7.10",
            "Configuration of video profile",
            "M",
            (
                "tmd:GetVideoSources",
                *_names("tr2", "GetProfiles GetVideoSourceConfigurations GetVideoEncoderConfigurations"),
                *_names("tr2", "AddConfiguration RemoveConfiguration"),
            ),
            _PROFILE_CHANGED,
        ),
        Feature(
            "7.11",
            "Video source configuration",
            "M",
            _names(
                "tr2",
                "GetVideoSourceConfigurations GetVideoSourceConfigurationOptions SetVideoSourceConfiguration",
            ),
            {"event Media/ConfigurationChanged": "video source configurations are not changed"},
        ),
        Feature(
            "7.12",
            "Video encoder configuration",
            "M",
            _names(
                "tr2",
                "GetVideoEncoderConfigurations GetVideoEncoderConfigurationOptions SetVideoEncoderConfiguration",
            ),
            _CHANGED,
        ),
        Feature(
            "7.13",
            "Metadata streaming",
            "M",
            _names("tr2", "GetProfiles GetStreamUri SetSynchronizationPoint"),
            _T_STREAM,
        ),
        Feature(
            "7.14",
            "Configuration of metadata profile",
            "M",
            _names("tr2", "GetProfiles GetMetadataConfigurations AddConfiguration RemoveConfiguration"),
            _PROFILE_CHANGED,
        ),
        Feature(
            "7.15",
            "Metadata configuration",
            "M",
            _names("tr2", "GetMetadataConfigurations GetMetadataConfigurationOptions SetMetadataConfiguration"),
            {"event Media/ConfigurationChanged": "metadata configurations are not changed"},
        ),
        Feature(
            "7.16",
            "Imaging settings",
            "M",
            ("tmd:GetVideoSources", *_names("timg", "GetImagingSettings GetOptions SetImagingSettings")),
        ),
        Feature("7.17", "Tampering", "M", beside={"one of the tampering events": "nothing looks for tampering"}),
        Feature(
            "7.18",
            "On-screen display",
            "M",
            _names("tr2", "CreateOSD DeleteOSD GetVideoSourceConfigurations GetOSDs GetOSDOptions SetOSD"),
        ),
        Feature("7.19", "JPEG snapshot", "M", ("tr2:GetSnapshotUri",)),
        Feature("7.20", "Motion alarm events", "M", beside={"event VideoSource/MotionAlarm": DONE}),
        Feature("7.21", "Absolute PTZ move", "C", lacking=NO_PTZ),
        Feature("7.22", "Continuous PTZ move", "C", lacking=NO_PTZ),
        Feature("8.1 to 8.4", "PTZ profile, configuration, presets, home position", "C", lacking=NO_PTZ),
        Feature(
            "8.5",
            "Configuration of analytics profile",
            "C",
            _names("tr2", "GetProfiles GetAnalyticsConfigurations AddConfiguration RemoveConfiguration"),
            _PROFILE_CHANGED,
        ),
        Feature(
            "8.6",
            "Motion region detector configuration",
            "C",
            _names("tan", "GetSupportedRules GetRules GetRuleOptions CreateRules ModifyRules DeleteRules"),
            lacking="there is no such rule, that of plates alone",
        ),
        Feature(
            "8.7",
            "Video source mode",
            "C",
            _names("tr2", "tmd:GetVideoSources GetVideoSourceModes SetVideoSourceMode"),
            lacking="a source has one mode",
        ),
        Feature("8.8", "NTP", "C", _names("tds", "GetNTP SetNTP"), lacking=NO_CLOCK),
        Feature(
            "8.9",
            "Audio streaming",
            "C",
            _names("tr2", "GetProfiles GetStreamUri"),
            {"PCMU or AAC": DONE, **_T_STREAM},
        ),
        Feature(
            "8.10",
            "Configuration of audio profile",
            "C",
            (
                *_names("tmd", "GetAudioSources tr2:GetProfiles tr2:GetAudioSourceConfigurations"),
                *_names("tr2", "GetAudioEncoderConfigurations AddConfiguration RemoveConfiguration"),
            ),
            _PROFILE_CHANGED,
        ),
        Feature(
            "8.11",
            "Audio encoder configuration",
            "C",
            _names(
                "tr2",
                "GetAudioEncoderConfigurations GetAudioEncoderConfigurationOptions SetAudioEncoderConfiguration",
            ),
            {"event Media/ConfigurationChanged": "audio encoder configurations are not changed"},
        ),
        Feature(
            "8.12",
            "Audio output streaming",
            "C",
            _names("tr2", "GetProfiles GetStreamUri GetAudioDecoderConfigurationOptions"),
            lacking=NO_SOUND_OUT,
        ),
        Feature(
            "8.13",
            "Configuration of audio output profile",
            "C",
            (
                *_names("tmd", "GetAudioOutputs tr2:GetProfiles tr2:GetAudioOutputConfigurations"),
                *_names("tr2", "GetAudioDecoderConfigurations AddConfiguration RemoveConfiguration"),
            ),
            lacking=NO_SOUND_OUT,
        ),
        Feature(
            "8.14",
            "Focus control",
            "C",
            _names("timg", "tmd:GetVideoSources GetMoveOptions Move Stop GetStatus"),
            lacking="there is no focus motor",
        ),
        Feature(
            "8.15",
            "Relay outputs",
            "C",
            (
                *_names("tds", "GetRelayOutputs SetRelayOutputState"),
                *_names("tmd", "GetRelayOutputOptions SetRelayOutputSettings"),
            ),
            lacking=NO_RELAYS,
        ),
        Feature(
            "8.16",
            "Digital inputs",
            "C",
            _names("tmd", "GetDigitalInputs GetDigitalInputConfigurationOptions SetDigitalInputConfigurations"),
            lacking="there are no digital inputs",
        ),
        Feature(
            "8.17", "Auxiliary commands", "C", ("tds:SendAuxiliaryCommand",), lacking="there are no auxiliary commands"
        ),
    ),
    "M": (
        Feature("7.1", "User authentication", "M", beside={"HTTP Digest": DONE}),
        Feature("7.2", "Services", "M", _names("tds", "GetServices GetServiceCapabilities?")),
        Feature(
            "7.3",
            "Discovery",
            "M",
            tuple(f"{name}?" for name in _DISCOVERY),
            {"WS-Discovery": DONE, "scope Profile/M": DONE},
        ),
        Feature(
            "7.4",
            "System",
            "M",
            _names("tds", "GetDeviceInformation GetSystemDateAndTime SystemReboot"),
        ),
        Feature(
            "7.5",
            "Metadata streaming",
            "M",
            _names("tr2", "GetProfiles GetStreamUri SetSynchronizationPoint GetServiceCapabilities?"),
            {"RTSP": DONE, **_UNICAST},
        ),
        Feature("7.6", "Metadata information", "M", _names("tan", "GetSupportedMetadata GetServiceCapabilities"), {}),
        Feature(
            "7.7",
            "Configuration of metadata profile",
            "M",
            _names("tr2", "GetMetadataConfigurations AddConfiguration RemoveConfiguration"),
        ),
        Feature(
            "7.8",
            "Metadata configuration",
            "M",
            _names("tr2", "GetMetadataConfigurations GetMetadataConfigurationOptions SetMetadataConfiguration"),
        ),
        Feature(
            "7.9",
            "Configuration of analytics profile",
            "M",
            _names("tr2", "GetAnalyticsConfigurations AddConfiguration"),
        ),
        Feature(
            "7.10",
            "Analytics module configuration",
            "M",
            _names(
                "tan",
                """GetSupportedAnalyticsModules GetAnalyticsModules CreateAnalyticsModules DeleteAnalyticsModules
                GetAnalyticsModuleOptions ModifyAnalyticsModules""",
            ),
        ),
        Feature(
            "8.1",
            "Media profile management",
            "C",
            _names("tr2", "CreateProfile DeleteProfile"),
            lacking="profiles are the streams of the configuration file",
        ),
        Feature("8.2", "Video streaming", "C", ("tr2:GetStreamUri",)),
        Feature("8.3", "Sending of images", "C", beside={"a picture's address in the metadata": DONE}),
        Feature(
            "8.4",
            "Events by pull points",
            "C",
            _names(
                "tev",
                """CreatePullPointSubscription PullMessages wsnt:Unsubscribe SetSynchronizationPoint?
                GetEventProperties? GetServiceCapabilities?""",
            ),
        ),
        Feature(
            "8.5",
            "Events by MQTT",
            "C",
            _names("tev", "GetEventBrokers AddEventBroker DeleteEventBroker"),
            {"events as JSON to a broker": DONE},
        ),
        Feature(
            "8.6",
            "Rule configuration",
            "C",
            _names("tan", "GetSupportedRules GetRules GetRuleOptions CreateRules ModifyRules DeleteRules"),
        ),
        Feature("8.7", "Object classification", "C", beside={"tt:Class in the metadata": DONE}),
        Feature("8.8, 8.9", "Human face and body metadata", "C", lacking="people are not looked for"),
        Feature("8.10", "Vehicle metadata", "C", beside={"tt:VehicleInfo in the metadata": DONE}),
        Feature("8.11", "License plate metadata", "C", beside={"tt:LicensePlateInfo in the metadata": DONE}),
        Feature("8.12", "Geolocation metadata", "C", lacking="places are not measured"),
        Feature("8.13", "Face recognition event", "C", lacking="people are not looked for"),
        Feature(
            "8.14",
            "License plate recognition event",
            "C",
            ("tan:GetSupportedRules",),
            {"event RuleEngine/Recognition/LicensePlate": DONE},
        ),
        Feature("8.15", "Line crossing counter", "C", lacking="nothing is counted at lines"),
    ),
}
"""Profile -> its features, in the order of its specification."""

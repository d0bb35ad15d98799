"""Device I/O, imaging and analytics: small services that mostly tell what there is.

Device I/O has the tokens of video and audio sources (older clients ask for them in Media's messages) and empty lists.
Imaging has no settings: the camera behind a source keeps its own. Analytics shows the modules and rules of plate
recognition as they run; they are configured in the file. What they say of themselves is handed in
(``World.analytics``).
Source: ONVIF Device I/O, Imaging and Analytics service specifications and their WSDL files. May import this room.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.configurations import audio_sources
from lpr.protocols.onvif.model import Source, World, copy_as
from lpr.protocols.onvif.operations import Call, Handler, Operation, Service, invalid
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, text

IO_PATH = "/onvif/deviceio_service"
IMAGING_PATH = "/onvif/imaging_service"
ANALYTICS_PATH = "/onvif/analytics_service"

SERIAL = "there are no serial ports"
OUTPUT = "there are no video or audio outputs"
RELAY = "refused with ter:RelayToken: there are no relay outputs"
NO_SETTINGS = "only without settings: the camera behind a source keeps its own; else ter:SettingsInvalid"
NO_FOCUS = "refused with ter:NoImagingForSource: there is no focus motor"
FILE = "modules and rules are set in the configuration file"


def device_io_service(world: World) -> Service:
    """The table of Device I/O."""

    def video() -> list[str]:
        return [source.token for source in world.sources()]

    def capabilities() -> Element:
        return element(
            "tmd:Capabilities",
            VideoSources=len(video()),
            VideoOutputs=0,
            AudioSources=len(audio_sources(world)),
            AudioOutputs=0,
            RelayOutputs=0,
            SerialPorts=0,
            DigitalInputs=0,
        )

    def service_capabilities(call: Call) -> Element:
        del call
        return element("tmd:GetServiceCapabilitiesResponse", capabilities())

    def no_relay(call: Call) -> Element:
        del call
        raise invalid("ter:RelayToken", "There are no relay outputs")

    return Service(
        "tmd",
        IO_PATH,
        (
            Operation("GetServiceCapabilities", "PRE_AUTH", service_capabilities),
            Operation("GetVideoSources", "READ_MEDIA", _tokens("tmd:GetVideoSources", video)),
            Operation("GetAudioSources", "READ_MEDIA", _tokens("tmd:GetAudioSources", lambda: audio_sources(world))),
            Operation("GetAudioOutputs", "READ_MEDIA", _empty("tmd:GetAudioOutputs")),
            Operation("GetVideoOutputs", "READ_MEDIA", _empty("tmd:GetVideoOutputs")),
            Operation("GetDigitalInputs", "READ_MEDIA", _empty("tmd:GetDigitalInputs")),
            Operation("GetSerialPorts", "READ_MEDIA", _empty("tmd:GetSerialPorts")),
            Operation("GetRelayOutputOptions", "READ_MEDIA", _empty("tmd:GetRelayOutputOptions")),
            Operation("SetRelayOutputSettings", "ACTUATE", no_relay, RELAY),
            Operation("GetVideoOutputConfiguration", "READ_MEDIA", None, OUTPUT),
            Operation("GetVideoOutputConfigurationOptions", "READ_MEDIA", None, OUTPUT),
            Operation("SetVideoOutputConfiguration", "ACTUATE", None, OUTPUT),
            Operation("GetAudioOutputConfiguration", "READ_MEDIA", None, OUTPUT),
            Operation("GetAudioOutputConfigurationOptions", "READ_MEDIA", None, OUTPUT),
            Operation("SetAudioOutputConfiguration", "ACTUATE", None, OUTPUT),
            Operation("GetDigitalInputConfigurationOptions", "READ_MEDIA", None, "there are no digital inputs"),
            Operation("SetDigitalInputConfigurations", "ACTUATE", None, "there are no digital inputs"),
            Operation("GetSerialPortConfiguration", "READ_MEDIA", None, SERIAL),
            Operation("GetSerialPortConfigurationOptions", "READ_MEDIA", None, SERIAL),
            Operation("SetSerialPortConfiguration", "ACTUATE", None, SERIAL),
            Operation("SendReceiveSerialCommand", "ACTUATE", None, SERIAL),
        ),
        (20, 12),
        capabilities,
    )


def imaging_service(world: World) -> Service:
    """The table of Imaging."""

    def capabilities() -> Element:
        return element("timg:Capabilities", ImageStabilization=False, Presets=False)

    def service_capabilities(call: Call) -> Element:
        del call
        return element("timg:GetServiceCapabilitiesResponse", capabilities())

    def known(call: Call) -> Source:
        token = call.request.value("timg:VideoSourceToken")
        for source in world.sources():
            if source.token == token:
                return source
        raise invalid("ter:NoSource", "There is no video source of this token")

    def settings(call: Call) -> Element:
        known(call)
        return element("timg:GetImagingSettingsResponse", element("timg:ImagingSettings"))

    def options(call: Call) -> Element:
        known(call)
        return element("timg:GetOptionsResponse", element("timg:ImagingOptions"))

    def move_options(call: Call) -> Element:
        known(call)
        return element("timg:GetMoveOptionsResponse", element("timg:MoveOptions"))

    def status(call: Call) -> Element:
        known(call)
        return element("timg:GetStatusResponse", element("timg:Status"))

    def set_settings(call: Call) -> Element:
        known(call)
        wanted = call.request.find("timg:ImagingSettings")
        if wanted is not None and len(wanted):
            raise invalid("ter:SettingsInvalid", "The camera behind this source keeps its own imaging settings")
        return element("timg:SetImagingSettingsResponse")

    def no_focus(call: Call) -> Element:
        known(call)
        raise Fault("Receiver", "ter:ActionNotSupported", "ter:NoImagingForSource", reason="There is no focus motor")

    return Service(
        "timg",
        IMAGING_PATH,
        (
            Operation("GetServiceCapabilities", "PRE_AUTH", service_capabilities),
            Operation("GetImagingSettings", "READ_MEDIA", settings),
            Operation("SetImagingSettings", "ACTUATE", set_settings, NO_SETTINGS),
            Operation("GetOptions", "READ_MEDIA", options),
            Operation("GetMoveOptions", "READ_MEDIA", move_options),
            Operation("GetStatus", "READ_MEDIA", status),
            Operation("Move", "ACTUATE", no_focus, NO_FOCUS),
            Operation("Stop", "ACTUATE", no_focus, NO_FOCUS),
            Operation("GetPresets", "READ_MEDIA", None, "there are no imaging presets"),
            Operation("GetCurrentPreset", "READ_MEDIA", None, "there are no imaging presets"),
            Operation("SetCurrentPreset", "ACTUATE", None, "there are no imaging presets"),
        ),
        (19, 6),
        capabilities,
    )


def analytics_service(world: World) -> Service:
    """The table of Analytics."""
    told = _Analytics(world)
    return Service(
        "tan",
        ANALYTICS_PATH,
        (
            Operation("GetServiceCapabilities", "PRE_AUTH", told.service_capabilities),
            Operation("GetSupportedAnalyticsModules", "READ_MEDIA", told.supported_modules),
            Operation("GetAnalyticsModules", "READ_MEDIA", told.modules),
            Operation("GetAnalyticsModuleOptions", "READ_MEDIA", told.nothing("GetAnalyticsModuleOptions")),
            Operation("CreateAnalyticsModules", "ACTUATE", None, FILE),
            Operation("ModifyAnalyticsModules", "ACTUATE", None, FILE),
            Operation("DeleteAnalyticsModules", "ACTUATE", None, FILE),
            Operation("GetSupportedRules", "READ_MEDIA", told.supported_rules),
            Operation("GetRules", "READ_MEDIA", told.rules),
            Operation("GetRuleOptions", "READ_MEDIA", told.nothing("GetRuleOptions")),
            Operation("CreateRules", "ACTUATE", None, FILE),
            Operation("ModifyRules", "ACTUATE", None, FILE),
            Operation("DeleteRules", "ACTUATE", None, FILE),
            Operation("GetSupportedMetadata", "READ_MEDIA", told.supported_metadata),
        ),
        (22, 12),
        told.capabilities,
    )


class _Analytics:
    """The handlers of Analytics."""

    def __init__(self, world: World) -> None:
        self._world = world

    def capabilities(self) -> Element:
        """Of the service."""
        return element(
            "tan:Capabilities",
            RuleSupport=True,
            AnalyticsModuleSupport=True,
            CellBasedSceneDescriptionSupported=False,
            RuleOptionsSupported=True,
            AnalyticsModuleOptionsSupported=True,
            SupportedMetadata=True,
            ImageSendingType="RemoteStorage",
        )

    def service_capabilities(self, call: Call) -> Element:
        del call
        return element("tan:GetServiceCapabilitiesResponse", self.capabilities())

    def _source(self, call: Call) -> Source:
        token = call.request.value("tan:ConfigurationToken")
        for source in self._world.sources():
            if source.analytics == token:
                return source
        raise invalid("ter:NoConfig", "There is no video analytics configuration of this token")

    def supported_modules(self, call: Call) -> Element:
        content = self._world.analytics(self._source(call))
        return element(
            "tan:GetSupportedAnalyticsModulesResponse",
            element(
                "tan:SupportedAnalyticsModules",
                [copy_as("tt:AnalyticsModuleDescription", found) for found in content.module_descriptions],
            ),
        )

    def modules(self, call: Call) -> Element:
        content = self._world.analytics(self._source(call))
        return element(
            "tan:GetAnalyticsModulesResponse", [copy_as("tan:AnalyticsModule", found) for found in content.modules]
        )

    def supported_rules(self, call: Call) -> Element:
        content = self._world.analytics(self._source(call))
        return element(
            "tan:GetSupportedRulesResponse",
            element(
                "tan:SupportedRules",
                [copy_as("tt:RuleDescription", found) for found in content.rule_descriptions],
            ),
        )

    def rules(self, call: Call) -> Element:
        content = self._world.analytics(self._source(call))
        return element("tan:GetRulesResponse", [copy_as("tan:Rule", found) for found in content.rules])

    def nothing(self, name: str) -> Handler:
        """An empty list for a known configuration."""

        def handle(call: Call) -> Element:
            self._source(call)
            return element(f"tan:{name}Response")

        return handle

    def supported_metadata(self, call: Call) -> Element:
        wanted = call.request.value("tan:Type").rpartition(":")[2]
        samples: dict[str, Element] = {}
        for source in self._world.sources():
            samples.update(self._world.analytics(source).samples)
        return element(
            "tan:GetSupportedMetadataResponse",
            [
                element("tan:AnalyticsModule", copy_as("tan:SampleFrame", sample), Type=text(kind))
                for kind, sample in samples.items()
                if wanted in ("", kind.rpartition(":")[2])
            ],
        )


def _empty(name: str) -> Handler:
    return lambda call: element(f"{name}Response")


def _tokens(name: str, of: Callable[[], list[str]]) -> Handler:
    return lambda call: element(f"{name}Response", [element("tmd:Token", token) for token in of()])

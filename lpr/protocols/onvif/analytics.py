"""Analytics: the modules and rules of plate recognition as they run; they are configured in the file.

What they say of themselves is handed in (``World.analytics``).
Source: ONVIF Analytics service specification, analytics.wsdl. May import this room.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from lpr.protocols.onvif.model import Source, World, copy_as
from lpr.protocols.onvif.operations import Call, Handler, Operation, Service, invalid
from lpr.protocols.onvif.tree import element, text

PATH = "/onvif/analytics_service"

FILE = "modules and rules are set in the configuration file"


def analytics_service(world: World) -> Service:
    """The table of Analytics."""
    told = _Analytics(world)
    return Service(
        "tan",
        PATH,
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

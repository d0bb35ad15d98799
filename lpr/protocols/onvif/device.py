"""The device service: who and what we are, and which other services there are.

What a computer's administrator looks after (its network, its clock, its users) is told as it is and not changed from
here; such operations are refused with their reason. Scopes and the discovery mode can be changed.
Source: ONVIF Core specification, chapter 8, and devicemgmt.wsdl. May import this room.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.configurations import audio_sources
from lpr.protocols.onvif.device_network import network_operations
from lpr.protocols.onvif.device_scopes import scope_operations
from lpr.protocols.onvif.media_common import told_by_media
from lpr.protocols.onvif.model import World
from lpr.protocols.onvif.operations import Call, Operation, Service, invalid
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, words

PATH = "/onvif/device_service"
VERSION = (23, 12)
CLOCK = "the computer's administrator looks after its clock"
REBOOT = "refused with ter:OperationProhibited: this is a service on a computer, which has its own manager"
FACTORY = "refused with ter:OperationProhibited: the configuration is a file"
RELAY = "refused with ter:RelayToken: there are no relay outputs"
USERS = "accounts are made in the configuration file, not over the network"


def device_service(world: World, services: Callable[[], tuple[Service, ...]]) -> Service:
    """The table. ``services``: all of the device, this one among them."""
    told = _Told(world, services)
    return Service(
        "tds",
        PATH,
        (
            Operation("GetServices", "PRE_AUTH", told.services),
            Operation("GetCapabilities", "PRE_AUTH", told.capabilities),
            Operation("GetServiceCapabilities", "PRE_AUTH", told.service_capabilities),
            Operation("GetWsdlUrl", "PRE_AUTH", told.wsdl_url),
            Operation("GetEndpointReference", "PRE_AUTH", told.endpoint),
            Operation("GetSystemDateAndTime", "PRE_AUTH", told.date_and_time),
            Operation("SetSystemDateAndTime", "WRITE_SYSTEM", None, CLOCK),
            Operation("GetDeviceInformation", "READ_SYSTEM", told.information),
            *scope_operations(world),
            Operation("GetUsers", "READ_SYSTEM_SECRET", told.users),
            Operation("CreateUsers", "WRITE_SYSTEM", None, USERS),
            Operation("DeleteUsers", "WRITE_SYSTEM", None, USERS),
            Operation("SetUser", "WRITE_SYSTEM", None, USERS),
            Operation("SystemReboot", "UNRECOVERABLE", told.reboot, REBOOT),
            Operation("SetSystemFactoryDefault", "UNRECOVERABLE", told.factory_default, FACTORY),
            Operation("GetSystemLog", "READ_SYSTEM_SENSITIVE", None, "the log has its own API and commands"),
            Operation("GetSystemSupportInformation", "READ_SYSTEM_SENSITIVE", None, "the log has its own API"),
            Operation("GetRelayOutputs", "READ_MEDIA", told.relay_outputs),
            Operation("SetRelayOutputSettings", "ACTUATE", told.no_relay, RELAY),
            Operation("SetRelayOutputState", "ACTUATE", told.no_relay, RELAY),
            Operation("SendAuxiliaryCommand", "ACTUATE", None, "there are no auxiliary commands"),
            *network_operations(world.device),
        ),
        VERSION,
        told.service_capabilities_element,
    )


class _Told:
    """The handlers."""

    def __init__(self, world: World, services: Callable[[], tuple[Service, ...]]) -> None:
        self._world = world
        self._services = services
        self._device = world.device

    def services(self, call: Call) -> Element:
        wanted = call.request.value("tds:IncludeCapability") in ("true", "1")
        found: list[Element] = []
        for service in self._services():
            if not service.announced:
                continue
            capabilities = service.capabilities() if wanted and service.capabilities is not None else None
            found.append(
                element(
                    "tds:Service",
                    element("tds:Namespace", service.namespace),
                    element("tds:XAddr", call.base + service.path),
                    None if capabilities is None else element("tds:Capabilities", capabilities),
                    element(
                        "tds:Version", element("tt:Major", service.version[0]), element("tt:Minor", service.version[1])
                    ),
                )
            )
        return element("tds:GetServicesResponse", found)

    def service_capabilities(self, call: Call) -> Element:
        del call
        return element("tds:GetServiceCapabilitiesResponse", self.service_capabilities_element())

    def service_capabilities_element(self) -> Element:
        device = self._device
        return element(
            "tds:Capabilities",
            element(
                "tds:Network",
                IPFilter=False,
                ZeroConfiguration=False,
                IPVersion6=False,
                DynDNS=False,
                Dot11Configuration=False,
                Dot1XConfigurations=0,
                HostnameFromDHCP=False,
                NTP=0,
                DHCPv6=False,
            ),
            _with(
                element(
                    "tds:Security",
                    OnboardKeyGeneration=False,
                    AccessPolicyConfig=False,
                    DefaultAccessPolicy=True,
                    Dot1X=False,
                    RemoteUserHandling=False,
                    SAMLToken=False,
                    KerberosToken=False,
                    UsernameToken=True,
                    HttpDigest=True,
                    RELToken=False,
                    MaxUsers=device.max_users,
                ),
                {"TLS1.0": False, "TLS1.1": False, "TLS1.2": device.ports().https is not None, "X.509Token": False},
            ),
            element(
                "tds:System",
                DiscoveryResolve=True,
                DiscoveryBye=True,
                RemoteDiscovery=False,
                SystemBackup=False,
                SystemLogging=False,
                FirmwareUpgrade=False,
                HttpFirmwareUpgrade=False,
                HttpSystemBackup=False,
                HttpSystemLogging=False,
                HttpSupportInformation=False,
            ),
        )

    def capabilities(self, call: Call) -> Element:
        wanted = [words(found) for found in call.request.all("tds:Category")] or ["All"]
        known = {"Analytics", "Device", "Events", "Imaging", "Media", "PTZ", "All"}
        if not known.issuperset(wanted):
            raise invalid("ter:InvalidArgVal", "There is no such category of capabilities")
        if set(wanted) == {"PTZ"}:
            raise Fault("Receiver", "ter:ActionNotSupported", "ter:NoSuchService", reason="There is no PTZ service")
        paths = {service.prefix: call.base + service.path for service in self._services() if service.announced}
        parts: dict[str, tuple[str, Callable[[str], Element]]] = {
            "Analytics": ("tan", self._analytics),
            "Device": ("tds", self._device_capabilities),
            "Events": ("tev", _events),
            "Imaging": ("timg", _imaging),
            "Media": ("trt", self._media),
        }
        found = [
            make(paths[prefix])
            for name, (prefix, make) in parts.items()
            if prefix in paths and ("All" in wanted or name in wanted)
        ]
        extension = None
        if "All" in wanted and "tmd" in paths:
            extension = element("tt:Extension", self._device_io(paths["tmd"]))
        return element("tds:GetCapabilitiesResponse", element("tds:Capabilities", found, extension))

    def _analytics(self, where: str) -> Element:
        return element(
            "tt:Analytics",
            element("tt:XAddr", where),
            element("tt:RuleSupport", True),
            element("tt:AnalyticsModuleSupport", True),
        )

    def _device_capabilities(self, where: str) -> Element:
        version = element("tt:SupportedVersions", element("tt:Major", VERSION[0]), element("tt:Minor", VERSION[1]))
        security: list[Element] = [
            element(f"tt:{name}", name == "TLS1.2" and self._device.ports().https is not None)
            for name in (
                "TLS1.1",
                "TLS1.2",
                "OnboardKeyGeneration",
                "AccessPolicyConfig",
                "X.509Token",
                "SAMLToken",
                "KerberosToken",
                "RELToken",
            )
        ]
        return element(
            "tt:Device",
            element("tt:XAddr", where),
            element(
                "tt:Network",
                [element(f"tt:{name}", False) for name in ("IPFilter", "ZeroConfiguration", "IPVersion6", "DynDNS")],
            ),
            element(
                "tt:System",
                element("tt:DiscoveryResolve", True),
                element("tt:DiscoveryBye", True),
                element("tt:RemoteDiscovery", False),
                element("tt:SystemBackup", False),
                element("tt:SystemLogging", False),
                element("tt:FirmwareUpgrade", False),
                version,
            ),
            element("tt:IO", element("tt:InputConnectors", 0), element("tt:RelayOutputs", 0)),
            element("tt:Security", security),
        )

    def _media(self, where: str) -> Element:
        return element(
            "tt:Media",
            element("tt:XAddr", where),
            element(
                "tt:StreamingCapabilities",
                element("tt:RTPMulticast", False),
                element("tt:RTP_TCP", True),
                element("tt:RTP_RTSP_TCP", self._device.ports().streamed),
            ),
            element(
                "tt:Extension",
                element(
                    "tt:ProfileCapabilities", element("tt:MaximumNumberOfProfiles", len(told_by_media(self._world)))
                ),
            ),
        )

    def _device_io(self, where: str) -> Element:
        return element(
            "tt:DeviceIO",
            element("tt:XAddr", where),
            element("tt:VideoSources", len(self._world.sources())),
            element("tt:VideoOutputs", 0),
            element("tt:AudioSources", len(audio_sources(self._world))),
            element("tt:AudioOutputs", 0),
            element("tt:RelayOutputs", 0),
        )

    def wsdl_url(self, call: Call) -> Element:
        del call
        return element(
            "tds:GetWsdlUrlResponse", element("tds:WsdlUrl", "https://www.onvif.org/profiles/specifications/")
        )

    def endpoint(self, call: Call) -> Element:
        del call
        guid = self._device.endpoint.removeprefix("urn:uuid:")
        return element("tds:GetEndpointReferenceResponse", element("tds:GUID", guid))

    def date_and_time(self, call: Call) -> Element:
        now = datetime.fromtimestamp(call.now // 1_000_000, UTC)
        return element(
            "tds:GetSystemDateAndTimeResponse",
            element(
                "tds:SystemDateAndTime",
                element("tt:DateTimeType", "NTP"),
                element("tt:DaylightSavings", False),
                element("tt:TimeZone", element("tt:TZ", "UTC0")),
                _date_time("tt:UTCDateTime", now),
                _date_time("tt:LocalDateTime", now),
            ),
        )

    def information(self, call: Call) -> Element:
        del call
        device = self._device
        return element(
            "tds:GetDeviceInformationResponse",
            element("tds:Manufacturer", device.manufacturer),
            element("tds:Model", device.model),
            element("tds:FirmwareVersion", device.firmware),
            element("tds:SerialNumber", device.serial),
            element("tds:HardwareId", device.hardware),
        )

    def users(self, call: Call) -> Element:
        del call
        return element(
            "tds:GetUsersResponse",
            [
                element("tds:User", element("tt:Username", name), element("tt:UserLevel", level.capitalize()))
                for name, level in self._device.accounts
            ],
        )

    def reboot(self, call: Call) -> Element:
        del call
        raise Fault(
            "Sender", "ter:OperationProhibited", reason="This is a service on a computer: restart it by its manager"
        )

    def factory_default(self, call: Call) -> Element:
        del call
        raise Fault(
            "Sender", "ter:OperationProhibited", reason="The configuration is a file: it is not reset over the network"
        )

    def relay_outputs(self, call: Call) -> Element:
        del call
        return element("tds:GetRelayOutputsResponse")

    def no_relay(self, call: Call) -> Element:
        del call
        raise invalid("ter:RelayToken", "There are no relay outputs")


def _with(found: Element, attributes: dict[str, bool]) -> Element:
    """Attributes whose names are no Python names."""
    for name, value in attributes.items():
        found.set(name, "true" if value else "false")
    return found


def _events(where: str) -> Element:
    return element(
        "tt:Events",
        element("tt:XAddr", where),
        element("tt:WSSubscriptionPolicySupport", False),
        element("tt:WSPullPointSupport", True),
        element("tt:WSPausableSubscriptionManagerInterfaceSupport", False),
    )


def _imaging(where: str) -> Element:
    return element("tt:Imaging", element("tt:XAddr", where))


def _date_time(name: str, now: datetime) -> Element:
    return element(
        name,
        element(
            "tt:Time",
            element("tt:Hour", now.hour),
            element("tt:Minute", now.minute),
            element("tt:Second", now.second),
        ),
        element("tt:Date", element("tt:Year", now.year), element("tt:Month", now.month), element("tt:Day", now.day)),
    )

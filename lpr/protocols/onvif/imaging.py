"""Imaging: no settings and no focus, since the camera behind a source keeps its own.

Source: ONVIF Imaging service specification, imaging.wsdl. May import this room.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from lpr.protocols.onvif.model import Source, World
from lpr.protocols.onvif.operations import Call, Operation, Service, invalid
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element

PATH = "/onvif/imaging_service"

NO_SETTINGS = "only without settings: the camera behind a source keeps its own; else ter:SettingsInvalid"
NO_FOCUS = "refused with ter:NoImagingForSource: there is no focus motor"


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
        PATH,
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

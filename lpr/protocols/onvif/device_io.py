"""Device I/O: the tokens of video and audio sources (older clients ask for them in Media's messages) and empty lists.

Source: ONVIF Device I/O service specification, deviceio.wsdl. May import this room.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.configurations import audio_sources
from lpr.protocols.onvif.model import World
from lpr.protocols.onvif.operations import Call, Handler, Operation, Service, invalid
from lpr.protocols.onvif.tree import element

PATH = "/onvif/deviceio_service"

SERIAL = "there are no serial ports"
OUTPUT = "there are no video or audio outputs"
RELAY = "refused with ter:RelayToken: there are no relay outputs"


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
        PATH,
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


def _empty(name: str) -> Handler:
    return lambda call: element(f"{name}Response")


def _tokens(name: str, of: Callable[[], list[str]]) -> Handler:
    return lambda call: element(f"{name}Response", [element("tmd:Token", token) for token in of()])

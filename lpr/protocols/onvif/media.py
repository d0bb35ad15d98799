"""The media service (version 1): profiles, their configurations, and where the streams are.

It knows JPEG and H.264 alone, so a stream in H.265 has no profile here; Media2 has it.
Source: ONVIF Media service specification, media.wsdl. May import this room.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from lpr.protocols.onvif import configurations as made
from lpr.protocols.onvif import media_common as common
from lpr.protocols.onvif.media_answers import MediaAnswers
from lpr.protocols.onvif.media_common import Kind
from lpr.protocols.onvif.model import Stream, World
from lpr.protocols.onvif.operations import Call, Handler, Operation, Service, invalid
from lpr.protocols.onvif.tree import element

PATH = "/onvif/media_service"
NO_OUTPUT = "sound is not played by this device"
NO_PTZ = "there is no PTZ"

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("VideoSource", "VideoSource"),
    ("VideoEncoder", "VideoEncoder"),
    ("AudioSource", "AudioSource"),
    ("AudioEncoder", "AudioEncoder"),
    ("VideoAnalytics", "Analytics"),
    ("Metadata", "Metadata"),
)
"""As Media calls them, and as Media2 does."""
_IN_PROFILE = (_KINDS[0], _KINDS[2], _KINDS[1], *_KINDS[3:])
"""The order in which a profile has them."""


def media_service(world: World) -> Service:
    """The table."""
    told = _Told(world)
    operations = [
        Operation("GetServiceCapabilities", "PRE_AUTH", told.service_capabilities),
        Operation("GetProfiles", "READ_MEDIA", told.profiles),
        Operation("GetProfile", "READ_MEDIA", told.profile),
        # Always refused. Synology's NVR asks without credentials and wants to read why there is no room.
        Operation("CreateProfile", "PRE_AUTH", told.create_profile, common.NO_CREATE),
        Operation("DeleteProfile", "ACTUATE", told.delete_profile, common.NO_DELETE),
        Operation("GetVideoSources", "READ_MEDIA", told.video_sources),
        Operation("GetAudioSources", "READ_MEDIA", told.audio_sources),
        Operation("GetAudioOutputs", "READ_MEDIA", told.empty("GetAudioOutputs")),
        Operation("GetStreamUri", "READ_MEDIA", told.stream_uri),
        Operation("GetSnapshotUri", "READ_MEDIA", told.snapshot_uri),
        Operation("SetSynchronizationPoint", "READ_MEDIA", told.synchronization_point),
        Operation("StartMulticastStreaming", "ACTUATE", None, "there is no multicast"),
        Operation("StopMulticastStreaming", "ACTUATE", None, "there is no multicast"),
        Operation("GetGuaranteedNumberOfVideoEncoderInstances", "READ_MEDIA", told.encoder_instances),
        Operation("GetVideoEncoderConfigurationOptions", "READ_MEDIA", told.video_encoder_options),
        Operation("GetVideoSourceConfigurationOptions", "READ_MEDIA", told.video_source_options),
        Operation("GetAudioSourceConfigurationOptions", "READ_MEDIA", told.audio_source_options),
        Operation("GetAudioEncoderConfigurationOptions", "READ_MEDIA", told.audio_encoder_options),
        Operation("GetMetadataConfigurationOptions", "READ_MEDIA", told.metadata_options),
        Operation("GetVideoSourceModes", "READ_MEDIA", None, "a source has one mode"),
        Operation("SetVideoSourceMode", "ACTUATE", None, "a source has one mode"),
        Operation("GetOSDs", "READ_MEDIA", told.empty("GetOSDs")),
        Operation("GetOSD", "READ_MEDIA", told.no_osd, common.NO_OSD),
        Operation("GetOSDOptions", "READ_MEDIA", told.osd_options),
        Operation("SetOSD", "ACTUATE", told.no_osd, common.NO_OSD),
        Operation("CreateOSD", "ACTUATE", told.create_osd, common.NO_CREATE_OSD),
        Operation("DeleteOSD", "ACTUATE", told.no_osd, common.NO_OSD),
        Operation("GetAudioOutputConfigurations", "READ_MEDIA", told.empty("GetAudioOutputConfigurations")),
        Operation("GetAudioDecoderConfigurations", "READ_MEDIA", told.empty("GetAudioDecoderConfigurations")),
        Operation("GetCompatibleAudioOutputConfigurations", "READ_MEDIA", _empty_for(told, "AudioOutput")),
        Operation("GetCompatibleAudioDecoderConfigurations", "READ_MEDIA", _empty_for(told, "AudioDecoder")),
        Operation("GetAudioOutputConfiguration", "READ_MEDIA", told.no_configuration, common.NO_CONFIGURATION),
        Operation("GetAudioDecoderConfiguration", "READ_MEDIA", told.no_configuration, common.NO_CONFIGURATION),
        Operation("GetAudioOutputConfigurationOptions", "READ_MEDIA", None, NO_OUTPUT),
        Operation("GetAudioDecoderConfigurationOptions", "READ_MEDIA", None, NO_OUTPUT),
        Operation("SetAudioOutputConfiguration", "ACTUATE", None, NO_OUTPUT),
        Operation("SetAudioDecoderConfiguration", "ACTUATE", None, NO_OUTPUT),
        Operation("AddPTZConfiguration", "ACTUATE", None, NO_PTZ),
        Operation("RemovePTZConfiguration", "ACTUATE", None, NO_PTZ),
        Operation("AddAudioOutputConfiguration", "ACTUATE", None, NO_OUTPUT),
        Operation("RemoveAudioOutputConfiguration", "ACTUATE", None, NO_OUTPUT),
        Operation("AddAudioDecoderConfiguration", "ACTUATE", None, NO_OUTPUT),
        Operation("RemoveAudioDecoderConfiguration", "ACTUATE", None, NO_OUTPUT),
    ]
    for name, kind in _KINDS:
        operations += [
            Operation(f"Get{name}Configurations", "READ_MEDIA", told.all_of(name, kind)),
            Operation(f"Get{name}Configuration", "READ_MEDIA", told.one_of(name, kind)),
            Operation(f"GetCompatible{name}Configurations", "READ_MEDIA", told.compatible(name, kind)),
            Operation(f"Set{name}Configuration", "ACTUATE", told.set(name, kind), common.ONLY_SET[kind]),
            Operation(f"Add{name}Configuration", "ACTUATE", told.add(name, kind), common.ONLY_OWN),
            Operation(f"Remove{name}Configuration", "ACTUATE", told.remove, common.NO_REMOVE),
        ]
    return Service("trt", PATH, tuple(operations), (21, 12), told.capabilities)


def _empty_for(told: _Told, name: str) -> Handler:
    def handle(call: Call) -> Element:
        told.of_call(call)
        return element(f"trt:GetCompatible{name}ConfigurationsResponse")

    return handle


class _Told(MediaAnswers):
    """The handlers."""

    prefix, second = "trt", False

    @property
    def streams(self) -> Sequence[Stream]:
        return common.told_by_media(self._world)

    def capabilities(self) -> Element:
        streamed = self._world.device.ports().streamed
        return element(
            "trt:Capabilities",
            element("trt:ProfileCapabilities", MaximumNumberOfProfiles=len(self.streams)),
            element(
                "trt:StreamingCapabilities",
                RTPMulticast=False,
                RTP_TCP=True,
                RTP_RTSP_TCP=streamed,
                NonAggregateControl=False,
                NoRTSPStreaming=not streamed,
            ),
            SnapshotUri=True,
            Rotation=False,
            VideoSourceMode=False,
            OSD=False,
        )

    def _profile(self, name: str, stream: Stream) -> Element:
        parts: list[Element] = []
        for kind_name, kind in _IN_PROFILE:
            found = common.listing(self._world, kind, [stream], second=False)
            parts += [make(f"tt:{kind_name}Configuration") for make in found.values()]
        return element(name, element("tt:Name", stream.name), parts, token=stream.name, fixed=True)

    def profiles(self, call: Call) -> Element:
        del call
        return element("trt:GetProfilesResponse", [self._profile("trt:Profiles", stream) for stream in self.streams])

    def profile(self, call: Call) -> Element:
        return element("trt:GetProfileResponse", self._profile("trt:Profile", self.of_call(call)))

    def delete_profile(self, call: Call) -> Element:
        self.of_call(call)
        raise common.fixed_profile()

    def video_sources(self, call: Call) -> Element:
        del call
        return element(
            "trt:GetVideoSourcesResponse",
            [
                element(
                    "trt:VideoSources",
                    element("tt:Framerate", source.rate),
                    made.resolution("tt:Resolution", source.width, source.height),
                    token=source.token,
                )
                for source in self._world.sources()
            ],
        )

    def audio_sources(self, call: Call) -> Element:
        del call
        return element(
            "trt:GetAudioSourcesResponse",
            [
                element("trt:AudioSources", element("tt:Channels", 1), token=token)
                for token in made.audio_sources(self._world)
            ],
        )

    def stream_uri(self, call: Call) -> Element:
        stream = self.of_call(call)
        kind = call.request.value("trt:StreamSetup", "tt:Stream").replace("_", "-").lower()
        if kind not in ("", "rtp-unicast"):
            raise invalid("ter:InvalidStreamSetup", "Only RTP-Unicast is offered")
        protocol = call.request.value("trt:StreamSetup", "tt:Transport", "tt:Protocol").upper()
        transports: dict[str, common.Transport] = {"": "tcp", "UDP": "udp", "TCP": "tcp", "RTSP": "tcp", "HTTP": "http"}
        if protocol not in transports:
            raise invalid("ter:InvalidStreamSetup", "UDP, RTSP and HTTP are offered")
        address = common.stream_address(self._world.device, call, stream, transports[protocol])
        return element("trt:GetStreamUriResponse", _media_uri(address))

    def snapshot_uri(self, call: Call) -> Element:
        return element("trt:GetSnapshotUriResponse", _media_uri(common.snapshot_address(call, self.of_call(call))))

    def all_of(self, name: str, kind: Kind) -> Handler:
        """Get…Configurations."""

        def handle(call: Call) -> Element:
            del call
            found = common.listing(self._world, kind, self.streams, second=False)
            return element(
                f"trt:Get{name}ConfigurationsResponse", [make("trt:Configurations") for make in found.values()]
            )

        return handle

    def compatible(self, name: str, kind: Kind) -> Handler:
        """GetCompatible…Configurations: the profile's own."""

        def handle(call: Call) -> Element:
            found = common.listing(self._world, kind, [self.of_call(call)], second=False)
            return element(
                f"trt:GetCompatible{name}ConfigurationsResponse",
                [make("trt:Configurations") for make in found.values()],
            )

        return handle

    def one_of(self, name: str, kind: Kind) -> Handler:
        """Get…Configuration."""

        def handle(call: Call) -> Element:
            token = self.value(call, "ConfigurationToken")
            found = common.listing(self._world, kind, self.streams, second=False)
            if token not in found:
                raise common.no_configuration()
            return element(f"trt:Get{name}ConfigurationResponse", found[token]("trt:Configuration"))

        return handle

    def add(self, name: str, kind: Kind) -> Handler:
        """Add…Configuration: to a fixed profile, only what is there already."""

        def handle(call: Call) -> Element:
            own = common.listing(self._world, kind, [self.of_call(call)], second=False)
            token = self.value(call, "ConfigurationToken")
            if token not in common.listing(self._world, kind, self.streams, second=False):
                raise common.no_configuration()
            if token not in own:
                raise common.fixed_parts()
            return element(f"trt:Add{name}ConfigurationResponse")

        return handle

    def no_configuration(self, call: Call) -> Element:
        del call
        raise common.no_configuration()

    def encoder_instances(self, call: Call) -> Element:
        streams = self.of_source(call)
        return element(
            "trt:GetGuaranteedNumberOfVideoEncoderInstancesResponse",
            element("trt:TotalNumber", len(streams)),
            element("trt:JPEG", sum(stream.codec == "mjpeg" for stream in streams)),
            element("trt:H264", sum(stream.codec == "h264" for stream in streams)),
        )

    def video_encoder_options(self, call: Call) -> Element:
        streams = self.chosen(call, "VideoEncoder")
        jpeg = [stream for stream in streams if stream.codec == "mjpeg"]
        h264 = [stream for stream in streams if stream.codec == "h264"]
        extension = [
            element(f"tt:{name}", _options(found, name), _bits(found))
            for name, found in (("JPEG", jpeg), ("H264", h264))
            if found
        ]
        return element(
            "trt:GetVideoEncoderConfigurationOptionsResponse",
            element(
                "trt:Options",
                made.span("tt:QualityRange", [stream.ranges.quality for stream in streams] or [(1, 1)]),
                element("tt:JPEG", _options(jpeg, "JPEG")) if jpeg else None,
                element("tt:H264", _options(h264, "H264")) if h264 else None,
                element("tt:Extension", extension) if extension else None,
            ),
        )

    def audio_encoder_options(self, call: Call) -> Element:
        streams = [stream for stream in self.chosen(call, "AudioEncoder") if stream.audio != "none"]
        return element(
            "trt:GetAudioEncoderConfigurationOptionsResponse",
            element("trt:Options", made.audio_options("tt:Options", streams, second=False)),
        )


def _media_uri(address: str) -> Element:
    return element(
        "trt:MediaUri",
        element("tt:Uri", address),
        element("tt:InvalidAfterConnect", False),
        element("tt:InvalidAfterReboot", False),
        element("tt:Timeout", "PT0S"),
    )


def _options(streams: Sequence[Stream], name: str) -> list[Element]:
    """The children of tt:JpegOptions and tt:H264Options."""
    ranges = [stream.ranges for stream in streams]
    sizes = dict.fromkeys(size for found in ranges for size in found.sizes)
    h264 = name == "H264"
    made_of = [made.resolution("tt:ResolutionsAvailable", *size) for size in sizes]
    if h264:
        made_of.append(made.span("tt:GovLengthRange", [found.key_frames for found in ranges]))
    made_of.append(made.span("tt:FrameRateRange", [found.rate for found in ranges]))
    made_of.append(made.whole_range("tt:EncodingIntervalRange", 1, 1))
    if h264:
        profiles = dict.fromkeys(stream.profile for stream in streams)
        made_of += [element("tt:H264ProfilesSupported", profile) for profile in profiles]
    return made_of


def _bits(streams: Sequence[Stream]) -> Element:
    return made.span("tt:BitrateRange", [stream.ranges.bitrate for stream in streams])

"""The media service, version 2: the same streams as in version 1, and those in H.265.

Source: ONVIF Media2 service specification, ver20/media.wsdl (as published in github.com/onvif/specs, 24.06).
May import this room.
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
from lpr.protocols.onvif.tree import element, text, words

PATH = "/onvif/media2_service"
NO_OUTPUT = "sound is not played by this device"

_KINDS: tuple[Kind, ...] = ("VideoSource", "AudioSource", "VideoEncoder", "AudioEncoder", "Analytics", "Metadata")
"""In the order of tr2:ConfigurationSet."""
RATES = (1, 2, 5, 10, 12, 15, 20, 25, 30, 50, 60)
"""Frames a second that are offered, as far as the source has them."""
_NAMES = frozenset({"All", "AudioOutput", "AudioDecoder", "PTZ", "Receiver", *_KINDS})


def media2_service(world: World) -> Service:
    """The table."""
    told = _Told(world)
    operations = [
        Operation("GetServiceCapabilities", "PRE_AUTH", told.service_capabilities),
        Operation("GetProfiles", "READ_MEDIA", told.profiles),
        # Always refused, as in Media: whoever asks may read why there is no room.
        Operation("CreateProfile", "PRE_AUTH", told.create_profile, common.NO_CREATE),
        Operation("DeleteProfile", "ACTUATE", told.delete_profile, common.NO_DELETE),
        Operation("AddConfiguration", "ACTUATE", told.add_configuration, common.ONLY_OWN),
        Operation("RemoveConfiguration", "ACTUATE", told.remove, common.NO_REMOVE),
        Operation("GetStreamUri", "READ_MEDIA", told.stream_uri),
        Operation("GetSnapshotUri", "READ_MEDIA", told.snapshot_uri),
        Operation("SetSynchronizationPoint", "READ_MEDIA", told.synchronization_point),
        Operation("StartMulticastStreaming", "ACTUATE", None, "there is no multicast"),
        Operation("StopMulticastStreaming", "ACTUATE", None, "there is no multicast"),
        Operation("GetVideoEncoderInstances", "READ_MEDIA", told.encoder_instances),
        Operation("GetVideoEncoderConfigurationOptions", "READ_MEDIA", told.video_encoder_options),
        Operation("GetVideoSourceConfigurationOptions", "READ_MEDIA", told.video_source_options),
        Operation("GetAudioSourceConfigurationOptions", "READ_MEDIA", told.audio_source_options),
        Operation("GetAudioEncoderConfigurationOptions", "READ_MEDIA", told.audio_encoder_options),
        Operation("GetMetadataConfigurationOptions", "READ_MEDIA", told.metadata_options),
        Operation("GetVideoSourceModes", "READ_MEDIA", None, "a source has one mode"),
        Operation("SetVideoSourceMode", "ACTUATE", None, "a source has one mode"),
        Operation("GetOSDs", "READ_MEDIA", told.empty("GetOSDs")),
        Operation("GetOSDOptions", "READ_MEDIA", told.osd_options),
        Operation("SetOSD", "ACTUATE", told.no_osd, common.NO_OSD),
        Operation("CreateOSD", "ACTUATE", told.create_osd, common.NO_CREATE_OSD),
        Operation("DeleteOSD", "ACTUATE", told.no_osd, common.NO_OSD),
        Operation("GetMasks", "READ_MEDIA", None, "there are no privacy masks"),
        Operation("GetMaskOptions", "READ_MEDIA", None, "there are no privacy masks"),
        Operation("SetMask", "ACTUATE", None, "there are no privacy masks"),
        Operation("CreateMask", "ACTUATE", None, "there are no privacy masks"),
        Operation("DeleteMask", "ACTUATE", None, "there are no privacy masks"),
        Operation("GetAudioOutputConfigurations", "READ_MEDIA", told.empty("GetAudioOutputConfigurations")),
        Operation("GetAudioDecoderConfigurations", "READ_MEDIA", told.empty("GetAudioDecoderConfigurations")),
        Operation("GetAudioOutputConfigurationOptions", "READ_MEDIA", None, NO_OUTPUT),
        Operation("GetAudioDecoderConfigurationOptions", "READ_MEDIA", None, NO_OUTPUT),
        Operation("SetAudioOutputConfiguration", "ACTUATE", None, NO_OUTPUT),
        Operation("SetAudioDecoderConfiguration", "ACTUATE", None, NO_OUTPUT),
    ]
    for kind in _KINDS:
        operations.append(Operation(f"Get{kind}Configurations", "READ_MEDIA", told.all_of(kind)))
        if kind != "Analytics":
            operations.append(
                Operation(f"Set{kind}Configuration", "ACTUATE", told.set(kind, kind), common.ONLY_SET[kind])
            )
    return Service("tr2", PATH, tuple(operations), (21, 12), told.capabilities)


class _Told(MediaAnswers):
    """The handlers."""

    prefix, second = "tr2", True

    @property
    def streams(self) -> Sequence[Stream]:
        return self._world.streams()

    def capabilities(self) -> Element:
        streamed = self._world.device.ports().streamed
        return element(
            "tr2:Capabilities",
            element(
                "tr2:ProfileCapabilities",
                MaximumNumberOfProfiles=len(self.streams),
                ConfigurationsSupported=" ".join(_KINDS),
            ),
            element(
                "tr2:StreamingCapabilities",
                RTSPStreaming=streamed,
                RTPMulticast=False,
                RTP_RTSP_TCP=streamed,
                NonAggregateControl=False,
                AutoStartMulticast=False,
            ),
            SnapshotUri=True,
            Rotation=False,
            VideoSourceMode=False,
            OSD=False,
            Mask=False,
        )

    def profiles(self, call: Call) -> Element:
        token = call.request.value("tr2:Token")
        wanted = [words(found) for found in call.request.all("tr2:Type")]
        if not _NAMES.issuperset(wanted):
            raise invalid("ter:InvalidArgVal", "There is no such type of configuration")
        streams = [common.profile(self.streams, token)] if token else self.streams
        return element("tr2:GetProfilesResponse", [self._profile(stream, wanted) for stream in streams])

    def _profile(self, stream: Stream, wanted: Sequence[str]) -> Element:
        parts: list[Element] = []
        for kind in _KINDS:
            if "All" in wanted or kind in wanted:
                found = common.listing(self._world, kind, [stream], second=True)
                parts += [make(f"tr2:{kind}") for make in found.values()]
        return element(
            "tr2:Profiles",
            element("tr2:Name", stream.name),
            element("tr2:Configurations", parts) if wanted else None,
            token=stream.name,
            fixed=True,
        )

    def delete_profile(self, call: Call) -> Element:
        common.profile(self.streams, call.request.value("tr2:Token"))
        raise common.fixed_profile()

    def add_configuration(self, call: Call) -> Element:
        stream = self.of_call(call)
        for reference in call.request.all("tr2:Configuration"):
            kind, token = _reference(reference)
            known = {name: common.listing(self._world, name, self.streams, second=True) for name in _KINDS}
            if kind not in known or (token and token not in known[kind]):
                raise invalid("ter:NoConfig", "There is no configuration of this type and token")
            if token not in common.listing(self._world, kind, [stream], second=True):
                raise common.fixed_parts()
        return element("tr2:AddConfigurationResponse")

    def stream_uri(self, call: Call) -> Element:
        stream = self.of_call(call)
        protocol = call.request.value("tr2:Protocol").replace("-", "").lower()
        transports: dict[str, common.Transport] = {
            "": "tcp",
            "rtspunicast": "udp",
            "rtsp": "tcp",
            "rtspoverhttp": "http",
        }
        device = self._world.device
        if protocol == "rtspsunicast" and device.ports().rtsps is not None and device.ports().rtsp is None:
            protocol = "rtsp"
        if protocol not in transports:
            raise invalid("ter:InvalidStreamSetup", "RtspUnicast, RTSP and RtspOverHttp are offered")
        address = common.stream_address(device, call, stream, transports[protocol])
        return element("tr2:GetStreamUriResponse", element("tr2:Uri", address))

    def snapshot_uri(self, call: Call) -> Element:
        address = common.snapshot_address(call, self.of_call(call))
        return element("tr2:GetSnapshotUriResponse", element("tr2:Uri", address))

    def all_of(self, kind: Kind) -> Handler:
        """Get…Configurations."""

        def handle(call: Call) -> Element:
            found = common.listing(self._world, kind, self.chosen(call, kind), second=True)
            wanted = self.value(call, "ConfigurationToken")
            return element(
                f"tr2:Get{kind}ConfigurationsResponse",
                [make("tr2:Configurations") for token, make in found.items() if wanted in ("", token)],
            )

        return handle

    def encoder_instances(self, call: Call) -> Element:
        streams = self.of_source(call)
        counted: dict[str, int] = {}
        for stream in streams:
            name = {"h264": "H264", "h265": "H265", "mjpeg": "JPEG"}[stream.codec]
            counted[name] = counted.get(name, 0) + 1
        codecs = [
            element("tr2:Codec", element("tr2:Encoding", name), element("tr2:Number", count))
            for name, count in counted.items()
        ]
        return element(
            "tr2:GetVideoEncoderInstancesResponse",
            element("tr2:Info", codecs, element("tr2:Total", len(streams))),
        )

    def video_encoder_options(self, call: Call) -> Element:
        streams = self.chosen(call, "VideoEncoder")
        return element(
            "tr2:GetVideoEncoderConfigurationOptionsResponse",
            [
                _encoder_options(name, found)
                for name, codec in (("H265", "h265"), ("H264", "h264"), ("JPEG", "mjpeg"))
                if (found := [stream for stream in streams if stream.codec == codec])
            ],
        )

    def audio_encoder_options(self, call: Call) -> Element:
        streams = [stream for stream in self.chosen(call, "AudioEncoder") if stream.audio != "none"]
        return element(
            "tr2:GetAudioEncoderConfigurationOptionsResponse", made.audio_options("tr2:Options", streams, second=True)
        )


def _reference(found: Element) -> tuple[Kind, str]:
    """tr2:ConfigurationRef: type and token. Raises Fault for a type that profiles here never have."""
    named = {child.tag.rpartition("}")[2]: words(child) for child in found}
    for kind in _KINDS:
        if named.get("Type") == kind:
            return kind, named.get("Token", "")
    raise invalid("ter:NoConfig", "There is no configuration of this type")


def _encoder_options(name: str, streams: Sequence[Stream]) -> Element:
    """tt:VideoEncoder2ConfigurationOptions."""
    moving = name != "JPEG"
    ranges = [stream.ranges for stream in streams]
    key_frames = [end for found in ranges for end in found.key_frames]
    rates = {stream.rate for stream in streams}
    for found in ranges:
        rates |= {float(rate) for rate in (*RATES, *found.rate) if found.rate[0] <= rate <= found.rate[1]}
    return element(
        "tr2:Options",
        element("tt:Encoding", name),
        made.span("tt:QualityRange", [found.quality for found in ranges]),
        [
            made.resolution("tt:ResolutionsAvailable", *size)
            for size in dict.fromkeys(size for found in ranges for size in found.sizes)
        ],
        made.span("tt:BitrateRange", [found.bitrate for found in ranges]),
        GovLengthRange=f"{min(key_frames)} {max(key_frames)}" if moving else None,
        FrameRatesSupported=" ".join(text(rate) for rate in sorted(rates)),
        ProfilesSupported=" ".join(dict.fromkeys(stream.profile for stream in streams)) if moving else None,
        ConstantBitRateSupported=False,
    )

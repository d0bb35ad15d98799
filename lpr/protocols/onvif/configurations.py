"""The configurations of profiles as elements: what Media and Media2 have in common, and what differs between them.

Source: onvif.xsd (types), ONVIF Media service specification 5.2 and Media2 service specification 5.2; the types of
Media2's encoders from the public schema's later editions. May import this room.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.model import Analytics, Source, Stream, World, copy_as
from lpr.protocols.onvif.tree import element

TIMEOUT = "PT60S"
"""The session time-out that configurations name."""

_VIDEO = {"h264": "H264", "h265": "H265", "mjpeg": "JPEG"}
_AUDIO = {"pcmu": "G711", "aac": "AAC"}
_AUDIO2 = {"pcmu": "PCMU", "aac": "MP4A-LATM"}


def multicast() -> Element:
    """No multicast, in the way in which the schema demands it."""
    return element(
        "tt:Multicast",
        element("tt:Address", element("tt:Type", "IPv4"), element("tt:IPv4Address", "0.0.0.0")),
        element("tt:Port", 0),
        element("tt:TTL", 0),
        element("tt:AutoStart", False),
    )


def resolution(name: str, width: int, height: int) -> Element:
    """tt:VideoResolution."""
    return element(name, element("tt:Width", width), element("tt:Height", height))


def whole_range(name: str, low: int, high: int) -> Element:
    """tt:IntRange, and tt:FloatRange with whole ends."""
    return element(name, element("tt:Min", low), element("tt:Max", high))


def span(name: str, found: Sequence[tuple[int, int]]) -> Element:
    """tt:IntRange over several."""
    return whole_range(name, min(low for low, _ in found), max(high for _, high in found))


def video_source(name: str, source: Source, uses: int) -> Element:
    """tt:VideoSourceConfiguration. ``uses``: by how many profiles."""
    return element(
        name,
        element("tt:Name", source.name),
        element("tt:UseCount", uses),
        element("tt:SourceToken", source.token),
        element("tt:Bounds", x=0, y=0, width=source.width, height=source.height),
        token=source.configuration,
    )


def audio_source(name: str, source: Source, uses: int) -> Element:
    """tt:AudioSourceConfiguration."""
    return element(
        name,
        element("tt:Name", f"{source.name} sound"),
        element("tt:UseCount", uses),
        element("tt:SourceToken", source.audio),
        token=source.audio_configuration,
    )


def video_encoder(name: str, stream: Stream) -> Element:
    """tt:VideoEncoderConfiguration, of Media. The stream isn't H.265, which that can't say."""
    h264 = None
    if stream.codec == "h264":
        h264 = element("tt:H264", element("tt:GovLength", stream.key_frames), element("tt:H264Profile", stream.profile))
    return element(
        name,
        element("tt:Name", stream.name),
        element("tt:UseCount", 1),
        element("tt:Encoding", _VIDEO[stream.codec]),
        resolution("tt:Resolution", stream.width, stream.height),
        element("tt:Quality", float(stream.quality)),
        element(
            "tt:RateControl",
            element("tt:FrameRateLimit", max(1, round(stream.rate))),
            element("tt:EncodingInterval", 1),
            element("tt:BitrateLimit", stream.bitrate),
        ),
        h264,
        multicast(),
        element("tt:SessionTimeout", TIMEOUT),
        token=stream.encoder,
    )


def video_encoder2(name: str, stream: Stream) -> Element:
    """tt:VideoEncoder2Configuration, of Media2."""
    moving = stream.codec != "mjpeg"
    return element(
        name,
        element("tt:Name", stream.name),
        element("tt:UseCount", 1),
        element("tt:Encoding", _VIDEO[stream.codec]),
        resolution("tt:Resolution", stream.width, stream.height),
        element(
            "tt:RateControl",
            element("tt:FrameRateLimit", stream.rate),
            element("tt:BitrateLimit", stream.bitrate),
            ConstantBitRate=False,
        ),
        multicast(),
        element("tt:Quality", float(stream.quality)),
        token=stream.encoder,
        GovLength=stream.key_frames if moving else None,
        Profile=stream.profile if moving else None,
    )


def audio_encoder(name: str, stream: Stream, *, second: bool) -> Element:
    """tt:AudioEncoderConfiguration, or Media2's tt:AudioEncoder2Configuration when ``second``."""
    return element(
        name,
        element("tt:Name", f"{stream.name} sound"),
        element("tt:UseCount", 1),
        element("tt:Encoding", (_AUDIO2 if second else _AUDIO)[stream.audio]),
        multicast() if second else None,
        element("tt:Bitrate", stream.audio_bitrate),
        element("tt:SampleRate", stream.audio_rate // 1000),
        None if second else multicast(),
        None if second else element("tt:SessionTimeout", TIMEOUT),
        token=stream.audio_encoder,
    )


def analytics(name: str, source: Source, content: Analytics, uses: int) -> Element:
    """tt:VideoAnalyticsConfiguration."""
    return element(
        name,
        element("tt:Name", f"{source.name} plates"),
        element("tt:UseCount", uses),
        element(
            "tt:AnalyticsEngineConfiguration",
            [copy_as("tt:AnalyticsModule", module) for module in content.modules],
        ),
        element("tt:RuleEngineConfiguration", [copy_as("tt:Rule", rule) for rule in content.rules]),
        token=source.analytics,
    )


def metadata(name: str, stream: Stream) -> Element:
    """tt:MetadataConfiguration: plates and events go together."""
    return element(
        name,
        element("tt:Name", f"{stream.name} metadata"),
        element("tt:UseCount", 1),
        element("tt:Events"),
        element("tt:Analytics", True),
        multicast(),
        element("tt:SessionTimeout", TIMEOUT),
        token=stream.metadata_configuration,
    )


def metadata_options(name: str) -> Element:
    """tt:MetadataConfigurationOptions."""
    return element(
        name,
        element(
            "tt:PTZStatusFilterOptions",
            element("tt:PanTiltStatusSupported", False),
            element("tt:ZoomStatusSupported", False),
            element("tt:PanTiltPositionSupported", False),
            element("tt:ZoomPositionSupported", False),
        ),
    )


def video_source_options(name: str, sources: list[Source]) -> Element:
    """tt:VideoSourceConfigurationOptions: the whole picture and nothing else."""
    first = sources[0]
    return element(
        name,
        element(
            "tt:BoundsRange",
            whole_range("tt:XRange", 0, 0),
            whole_range("tt:YRange", 0, 0),
            whole_range("tt:WidthRange", first.width, first.width),
            whole_range("tt:HeightRange", first.height, first.height),
        ),
        [element("tt:VideoSourceTokensAvailable", source.token) for source in sources],
    )


def audio_options(name: str, streams: list[Stream], *, second: bool) -> list[Element]:
    """What the sound of ``streams`` may be: tt:AudioEncoderConfigurationOption elements, or Media2's."""
    found: dict[tuple[str, int, int], Element] = {}
    for stream in streams:
        encoding = (_AUDIO2 if second else _AUDIO)[stream.audio]
        found[encoding, stream.audio_bitrate, stream.audio_rate] = element(
            name,
            element("tt:Encoding", encoding),
            element("tt:BitrateList", element("tt:Items", stream.audio_bitrate)),
            element("tt:SampleRateList", element("tt:Items", stream.audio_rate // 1000)),
        )
    return list(found.values())


def osd_options(name: str) -> Element:
    """tt:OSDConfigurationOptions: none can be made; the schema demands that a type and a position are named."""
    return element(
        name,
        element("tt:MaximumNumberOfOSDs", Total=0, Image=0, PlainText=0, Date=0, Time=0, DateAndTime=0),
        element("tt:Type", "Text"),
        element("tt:PositionOption", "Custom"),
        element("tt:TextOption", element("tt:Type", "Plain")),
    )


def uses(world: World, source: Source) -> int:
    """How many streams show a source."""
    return sum(stream.source.number == source.number for stream in world.streams())


def sounding(world: World) -> list[Stream]:
    """The streams with sound."""
    return [stream for stream in world.streams() if stream.audio != "none"]


def audio_sources(world: World) -> list[str]:
    """The tokens of the sources whose sound is in a stream, each once."""
    return list(dict.fromkeys(stream.source.audio for stream in sounding(world)))

"""What Media and Media2 share: finding profiles and configurations, addresses of streams, and refusing changes.

Profiles are made by the configuration file: each is "fixed", its parts can't be exchanged, and a Set that asks for what
is there already succeeds, since NVRs write back what they have read. May import this room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias
from xml.etree.ElementTree import Element

from lpr.protocols.onvif import configurations as made
from lpr.protocols.onvif.model import Device, Encoding, Stream, World
from lpr.protocols.onvif.names import local
from lpr.protocols.onvif.operations import Call, invalid
from lpr.protocols.onvif.soap import Fault
from lpr.protocols.onvif.tree import element, words

Kind: TypeAlias = Literal["VideoSource", "VideoEncoder", "AudioSource", "AudioEncoder", "Analytics", "Metadata"]
Maker: TypeAlias = Callable[[str], Element]
Transport: TypeAlias = Literal["udp", "tcp", "http"]

NO_CREATE = "refused with ter:MaxNVTProfiles: profiles are the streams of the configuration file"
NO_DELETE = "refused with ter:DeletionOfFixedProfile: profiles are fixed"
NO_REMOVE = "refused with ter:ConfigurationConflict: profiles are fixed"
ONLY_OWN = "only what the profile has already: profiles are fixed; else ter:ConfigurationConflict"
NO_OSD = "refused with ter:NoConfig: there are no OSDs"
NO_CREATE_OSD = "refused with ter:MaxOSDs: boxes are burnt in by the stream's configuration"
NO_CONFIGURATION = "refused with ter:NoConfig: sound is not played by this device"
_ONLY_SAME = "only what is there already: it is set in the configuration file; else ter:ConfigModify"
ONLY_SET: Mapping[Kind, str] = {
    "VideoSource": _ONLY_SAME,
    "VideoEncoder": "size, rate, bits, quality, key frames (`change_streams`); the codec stays",
    "AudioSource": _ONLY_SAME,
    "AudioEncoder": _ONLY_SAME,
    "Analytics": _ONLY_SAME,
    "Metadata": _ONLY_SAME,
}
"""What Set…Configuration does not do."""

SNAPSHOT_PATH = "/onvif/snapshot"
_NOT_COMPARED = frozenset({"UseCount", "Name", "SessionTimeout", "Multicast"})
_CHANGEABLE = frozenset(
    {"Width", "Height", "Quality", "FrameRateLimit", "EncodingInterval", "BitrateLimit", "GovLength", "@GovLength"}
)
"""What of an encoder's configuration may be another; the rest must be what it is."""


def told_by_media(world: World) -> list[Stream]:
    """The streams that have a profile in Media (version 1), which has no word for H.265."""
    return [stream for stream in world.streams() if stream.codec != "h265"]


def listing(world: World, kind: Kind, streams: Iterable[Stream], *, second: bool) -> Mapping[str, Maker]:
    """Token -> what makes the element, of every configuration of a kind that ``streams`` have, each once."""
    found: dict[str, Maker] = {}
    for stream in streams:
        token, maker = _configuration(world, kind, stream, second)
        if token:
            found.setdefault(token, maker)
    return found


def _configuration(world: World, kind: Kind, stream: Stream, second: bool) -> tuple[str, Maker]:
    source = stream.source
    match kind:
        case "VideoSource":
            return source.configuration, lambda name: made.video_source(name, source, made.uses(world, source))
        case "VideoEncoder":
            make = made.video_encoder2 if second else made.video_encoder
            return stream.encoder, lambda name: make(name, stream)
        case "AudioSource":
            uses = sum(other.source.number == source.number for other in made.sounding(world))
            token = "" if stream.audio == "none" else source.audio_configuration
            return token, lambda name: made.audio_source(name, source, uses)
        case "AudioEncoder":
            token = "" if stream.audio == "none" else stream.audio_encoder
            return token, lambda name: made.audio_encoder(name, stream, second=second)
        case "Analytics":
            return source.analytics, lambda name: made.analytics(
                name, source, world.analytics(source), made.uses(world, source)
            )
        case "Metadata":
            token = stream.metadata_configuration if stream.metadata else ""
            return token, lambda name: made.metadata(name, stream)


def profile(streams: Iterable[Stream], token: str) -> Stream:
    """The stream whose profile has ``token``. Raises Fault (ter:NoProfile)."""
    for stream in streams:
        if stream.name == token:
            return stream
    raise invalid("ter:NoProfile", "There is no profile of this token")


def with_configuration(
    world: World, kind: Kind, streams: Iterable[Stream], token: str, *, second: bool
) -> list[Stream]:
    """The streams that have the configuration ``token``. Raises Fault (ter:NoConfig)."""
    found = [stream for stream in streams if token in listing(world, kind, [stream], second=second)]
    if not found:
        raise no_configuration()
    return found


def chosen(
    world: World, kind: Kind, streams: Iterable[Stream], configuration: str, token: str, *, second: bool
) -> list[Stream]:
    """The streams that an options or list request is about: of a configuration, of a profile, or all ("" each)."""
    kept = list(streams)
    if token:
        kept = [profile(kept, token)]
    if configuration:
        kept = with_configuration(world, kind, kept, configuration, second=second)
    return kept


def unchanged(current: Element, wanted: Element, *, encoder: bool = False) -> None:
    """Raises Fault (ter:ConfigModify) when ``wanted`` says something else than ``current``; what it leaves out, how
    often it is used, multicast and the time-out are not compared; of an ``encoder``, what can be changed neither."""
    left = dict(_leaves(current))
    for path, value in _leaves(wanted):
        known = left.get(path)
        if encoder and path[-1] in _CHANGEABLE:
            continue
        if known is not None and value and not _same(known, value):
            raise invalid("ter:ConfigModify", f"{path[-1]} is set in the configuration file and can't be changed here")


def encoding_of(stream: Stream, wanted: Element) -> Encoding | None:
    """What a Set…EncoderConfiguration of either media service wants of ``stream``; None when that is how it is.

    Numbers outside the ranges are taken as the nearest inside; a size must be one of those offered, and codec and
    codec profile stay. Raises Fault (ter:ConfigModify).
    """
    given = {path: value for path, value in _leaves(wanted) if value}
    ranges = stream.ranges

    def number(now: float, span: tuple[int, int], *path: str) -> float:
        try:
            asked = float(given.get(path, now))
        except ValueError:
            raise invalid("ter:ConfigModify", f"{path[-1]} is no number") from None
        if math.isnan(asked) or min(abs(asked - now), abs(asked - round(now))) < 1e-3:
            return now  # Media knows whole rates only, so a rate comes back rounded
        if not stream.sizes:
            raise invalid("ter:ConfigModify", f"{path[-1]} is set in the configuration file and can't be changed here")
        return min(max(asked, span[0]), span[1])

    wide = round(number(stream.width, (0, 65_535), "Resolution", "Width"))
    high = round(number(stream.height, (0, 65_535), "Resolution", "Height"))
    if (wide, high) not in (*ranges.sizes, (stream.width, stream.height)):
        listed = ", ".join(f"{width}x{height}" for width, height in ranges.sizes)
        raise invalid("ter:ConfigModify", f"Width and Height: {wide}x{high} is not offered; offered are {listed}")
    second = ("@GovLength",) in given
    made = Encoding(
        stream.name,
        wide,
        high,
        number(stream.rate, ranges.rate, "RateControl", "FrameRateLimit"),
        round(number(stream.bitrate, ranges.bitrate, "RateControl", "BitrateLimit")),
        round(number(stream.quality, ranges.quality, "Quality")),
        round(number(stream.key_frames, ranges.key_frames, *(("@GovLength",) if second else ("H264", "GovLength")))),
    )
    now = Encoding(
        stream.name, stream.width, stream.height, stream.rate, stream.bitrate, stream.quality, stream.key_frames
    )
    return None if made == now else made


def _leaves(found: Element, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    leaves = [((*path, f"@{local(key)}"), value) for key, value in found.items()]
    for child in found:
        name = local(child.tag)
        if name in _NOT_COMPARED:
            continue
        if len(child) or child.attrib:
            leaves += _leaves(child, (*path, name))
        else:
            leaves.append(((*path, name), words(child)))
    return leaves


def _same(one: str, other: str) -> bool:
    try:
        return abs(float(one) - float(other)) < 1e-3
    except ValueError:
        return one.strip().lower() == other.strip().lower()


def stream_address(device: Device, call: Call, stream: Stream, transport: Transport) -> str:
    """Where a client gets a stream. RTSP over HTTP has an http(s) address on the RTSP server's port (ONVIF Streaming
    specification 5.1.1). Raises Fault when that way is not offered."""
    ports = device.ports()
    host = f"[{call.host}]" if ":" in call.host else call.host
    plain, port = ports.rtsp is not None, ports.rtsp if ports.rtsp is not None else ports.rtsps
    if port is None or (transport == "udp" and not (ports.udp and plain)):
        raise invalid("ter:InvalidStreamSetup", "The stream is not offered over this transport")
    scheme = ("http" if transport == "http" else "rtsp") + ("" if plain else "s")
    return f"{scheme}://{host}:{port}{stream.path}"


def snapshot_address(call: Call, stream: Stream) -> str:
    """Where a client gets the latest picture."""
    return f"{call.base}{SNAPSHOT_PATH}/{stream.name}"


def no_configuration() -> Fault:
    """The refusal of a token that no configuration has."""
    return invalid("ter:NoConfig", "There is no configuration of this token")


def no_more_profiles() -> Fault:
    """CreateProfile's refusal: profiles come from the configuration, there is no room for others."""
    return Fault(
        "Receiver",
        "ter:Action",
        "ter:MaxNVTProfiles",
        reason="Profiles are streams of the configuration file; no more can be made",
    )


def fixed_profile() -> Fault:
    """DeleteProfile's refusal."""
    return Fault("Sender", "ter:Action", "ter:DeletionOfFixedProfile", reason="This profile is fixed")


def fixed_parts() -> Fault:
    """The refusal to put another configuration into a profile, or to take one out."""
    return Fault(
        "Receiver",
        "ter:Action",
        "ter:ConfigurationConflict",
        reason="This profile is fixed: its parts stay as they are",
    )


def video_source_options(prefix: str, streams: Sequence[Stream]) -> Element:
    """The answer of GetVideoSourceConfigurationOptions. ``prefix``: of the service's namespace. Raises Fault."""
    sources = list({stream.source.number: stream.source for stream in streams}.values())
    if not sources:
        raise invalid("ter:NoConfig", "There is no video source")
    options = made.video_source_options(f"{prefix}:Options", sources)
    return element(f"{prefix}:GetVideoSourceConfigurationOptionsResponse", options)


def audio_source_options(prefix: str, streams: Sequence[Stream]) -> Element:
    """The answer of GetAudioSourceConfigurationOptions. ``prefix``: of the service's namespace. Raises Fault."""
    tokens = dict.fromkeys(stream.source.audio for stream in streams if stream.audio != "none")
    if not tokens:
        raise invalid("ter:NoConfig", "There is no sound")
    return element(
        f"{prefix}:GetAudioSourceConfigurationOptionsResponse",
        element(f"{prefix}:Options", [element("tt:InputTokensAvailable", token) for token in tokens]),
    )

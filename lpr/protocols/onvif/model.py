"""What the services tell about: the device, its sources and its streams. Plain values; whoever wires the device fills
them in. A stream is a profile, with the profile's configurations named after it.

May import this room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from xml.etree.ElementTree import Element

from lpr.protocols.onvif.operations import Level
from lpr.protocols.onvif.tree import element

Codec: TypeAlias = Literal["h264", "h265", "mjpeg"]
Audio: TypeAlias = Literal["none", "pcmu", "aac"]


@dataclass(frozen=True, slots=True)
class Source:
    """A camera. ``number``: from 0, in its tokens. ``width``, ``height``: of its picture, pixels; ``rate``: frames a
    second."""

    number: int
    name: str
    width: int
    height: int
    rate: float

    @property
    def token(self) -> str:
        """Of the video source."""
        return f"VS{self.number}"

    @property
    def configuration(self) -> str:
        """Token of the video source configuration."""
        return f"VSC{self.number}"

    @property
    def analytics(self) -> str:
        """Token of the video analytics configuration."""
        return f"VAC{self.number}"

    @property
    def audio(self) -> str:
        """Token of the audio source."""
        return f"AS{self.number}"

    @property
    def audio_configuration(self) -> str:
        """Token of the audio source configuration."""
        return f"ASC{self.number}"


BITRATES = (64, 20_000)
"""kbit/s that an encoder may be set to."""
KEY_FRAME_SECONDS = 10
"""Seconds between two key frames at most, where they are set over the network."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Least and most, both included: quality 1 to 100, frames a second, kbit/s, frames between two key frames."""

    sizes: tuple[tuple[int, int], ...]
    quality: tuple[int, int]
    rate: tuple[int, int]
    bitrate: tuple[int, int]
    key_frames: tuple[int, int]


def encoder_token(stream: str) -> str:
    """Token of a stream's video encoder configuration."""
    return f"{stream}-video"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a client wants a stream encoded, within its ranges; the units are the stream's. ``base``: which settings
    of the configuration file this is a change of: others there, and it counts no more."""

    stream: str
    width: int
    height: int
    rate: float
    bitrate: int
    quality: int
    key_frames: int
    base: str = ""

    @property
    def encoder(self) -> str:
        """Token of the video encoder configuration that it is about."""
        return encoder_token(self.stream)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of the RTSP server. ``name``: also the profile's token; ``path``: of its address ("/main").

    ``width``, ``height``: of the encoded picture, pixels; ``rate``: frames a second; ``bitrate``: kbit/s; ``quality``:
    1 to 100; ``key_frames``: frames between two key frames; ``profile``: of H.264 or H.265. ``audio_rate``: samples a
    second; ``audio_bitrate``: kbit/s. ``metadata``: it carries the plate events. ``sizes``: pictures that it may be set
    to; empty: it can't be changed.
    """

    name: str
    source: Source
    path: str
    codec: Codec
    width: int
    height: int
    rate: float
    bitrate: int
    quality: int
    key_frames: int
    profile: str = "Main"
    audio: Audio = "none"
    audio_rate: int = 8000
    audio_bitrate: int = 64
    metadata: bool = True
    sizes: tuple[tuple[int, int], ...] = ()

    @property
    def ranges(self) -> Ranges:
        """What it may be set to."""
        if not self.sizes:
            one = (self.quality, self.quality)
            rate = max(1, round(self.rate))
            bitrate, key_frames = (self.bitrate, self.bitrate), (self.key_frames, self.key_frames)
            return Ranges(((self.width, self.height),), one, (rate, rate), bitrate, key_frames)
        most = max(1, round(self.source.rate))
        return Ranges(self.sizes, (1, 100), (1, most), BITRATES, (1, most * KEY_FRAME_SECONDS))

    @property
    def encoder(self) -> str:
        """Token of the video encoder configuration."""
        return encoder_token(self.name)

    @property
    def audio_encoder(self) -> str:
        """Token of the audio encoder configuration."""
        return f"{self.name}-audio"

    @property
    def metadata_configuration(self) -> str:
        """Token of the metadata configuration."""
        return f"{self.name}-metadata"


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. ``hardware``: its address as "02:00:5e:10:00:01"; ``address``: IPv4 or None."""

    name: str
    hardware: str
    address: str | None = None
    prefix: int = 24
    mtu: int | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the device listens; None: not at all. ``udp``: RTP may go by UDP."""

    http: int | None
    https: int | None
    rtsp: int | None
    rtsps: int | None
    udp: bool = True

    @property
    def streamed(self) -> bool:
        """Whether there is an RTSP server at all."""
        return self.rtsp is not None or self.rtsps is not None


@dataclass(frozen=True, slots=True)
class Device:
    """What doesn't change while the service runs. ``endpoint``: "urn:uuid:…", the same for good. ``scopes``: further
    scopes, fixed by the configuration. ``dns``: name servers; ``domains``: search domains; ``gateway``: IPv4.
    ``ports``: as they are now, since a free one may have been taken."""

    name: str
    manufacturer: str
    model: str
    firmware: str
    serial: str
    hardware: str
    endpoint: str
    location: str = ""
    hostname: str = "lpr"
    scopes: tuple[str, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    ports: Callable[[], Ports] = lambda: Ports(8000, None, 8554, None)
    dns: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    gateway: str | None = None
    accounts: tuple[tuple[str, Level], ...] = ()
    discovery: bool = False
    max_users: int = 32


@dataclass(frozen=True, slots=True)
class Added:
    """What was changed over the network: ``scopes`` besides the fixed ones; ``discoverable``; ``encodings`` of
    streams."""

    scopes: tuple[str, ...] = ()
    discoverable: bool = True
    encodings: tuple[Encoding, ...] = ()

    def encoded(self, encoding: Encoding) -> Added:
        """With another encoding of one stream."""
        others = tuple(one for one in self.encodings if one.stream != encoding.stream)
        return replace(self, encodings=(*others, encoding))


@dataclass(frozen=True, slots=True)
class Analytics:
    """What the analytics service shows of a source: descriptions and configurations, as elements of ``tt:`` types.

    ``modules``, ``rules``: tt:Config elements; ``module_descriptions``, ``rule_descriptions``: tt:ConfigDescription
    elements, whatever they are called. ``samples``: the type of a module
    ("tt:LicensePlateRecognition") and a tt:Frame that shows what its metadata may hold.
    """

    modules: tuple[Element, ...] = ()
    rules: tuple[Element, ...] = ()
    module_descriptions: tuple[Element, ...] = ()
    rule_descriptions: tuple[Element, ...] = ()
    samples: tuple[tuple[str, Element], ...] = ()


class Once:
    """Streams that are looked up once a request: an answer asks for them many times. ``forget`` before each."""

    def __init__(self, make: Callable[[], Sequence[Stream]]) -> None:
        self._make = make
        self._kept: Sequence[Stream] | None = None

    def __call__(self) -> Sequence[Stream]:
        if self._kept is None:
            self._kept = self._make()
        return self._kept

    def forget(self) -> None:
        """Look them up again when they are asked for next."""
        self._kept = None


@dataclass(frozen=True, slots=True)
class World:
    """What the handlers look at, freshly for each call. ``analytics``: of a source. ``key_frame``: asks a stream for
    a key frame and a whole metadata document. ``forget``: called before each request, so that what is kept during one
    is looked up anew."""

    device: Device
    streams: Callable[[], Sequence[Stream]]
    added: Callable[[], Added] = Added
    analytics: Callable[[Source], Analytics] = lambda source: Analytics()
    key_frame: Callable[[Stream], None] = lambda stream: None
    forget: Callable[[], None] = lambda: None

    def sources(self) -> list[Source]:
        """The sources of the streams, each once, in their order."""
        return list({stream.source.number: stream.source for stream in self.streams()}.values())


def copy_as(name: str, found: Element) -> Element:
    """``found`` under another name ("tan:Rule"), its attributes and children the same."""
    made = element(name)
    made.attrib.update(found.attrib)
    made.text = found.text
    made.extend(found)
    return made

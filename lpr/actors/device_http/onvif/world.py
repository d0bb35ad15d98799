"""From the configuration and the running service to what the ONVIF services tell about.

May import ``lpr.config``, ``lpr.core``, ``lpr.media``, ``lpr.protocols``.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from lpr.config import Config, DeviceHttp, Onvif, RtspStream
from lpr.core.accounts import Accounts
from lpr.core.interfaces import Found, NoInterfaceError, gateway, interface, interfaces, resolvers
from lpr.core.live import LiveView
from lpr.media.encoder import available, choose_codec, fit
from lpr.media.encoding import Codec
from lpr.media.source import Presentation
from lpr.protocols.onvif.discovery import urn
from lpr.protocols.onvif.model import Added, Device, Interface, Ports, Source, Stream

USUAL_SIZE = (1920, 1080)
"""Pixels of a camera that has not shown a picture yet."""
USUAL_RATE = 25.0
PCMU_BITRATE, AAC_BITRATE = 64, 64
"""kbit/s: PCMU's by definition; AAC's is the source's own, and only a guess of it is told."""
PROFILES: Mapping[Codec, str] = {"h264": "Baseline", "h265": "Main", "mjpeg": ""}
"""What the encoders' settings make of each codec (x264's preset "ultrafast")."""


WIDTHS = (3840, 2560, 1920, 1280, 960, 640, 480, 320)
"""Pictures' widths that clients may choose, as far as the camera has them."""


class Presented(Protocol):
    """``lpr.media.room.MediaRoom`` fits."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the streams."""
        ...

    def presentation(self, name: str) -> Presentation | None:
        """A stream."""
        ...


def device_of(
    settings: Onvif,
    config: Config,
    *,
    log_id: str,
    version: str,
    accounts: Accounts,
    ports: Callable[[], Ports],
    known: Sequence[Found] | None = None,
) -> Device:
    """The device as configured. ``log_id``: makes serial number, endpoint and hardware address, the same for good.
    ``known``: the computer's interfaces; None: asked for. Raises NoInterfaceError for a configured one that is not
    there.
    """
    there = list(interfaces() if known is None else known)
    servers, domains = resolvers()
    return Device(
        name=settings.name or config.device,
        manufacturer=settings.manufacturer,
        model=settings.model,
        firmware=version,
        serial=log_id[:32],
        hardware=settings.hardware,
        endpoint=urn(_made(log_id, "endpoint")),
        location=settings.location,
        hostname=_hostname(),
        scopes=settings.scopes,
        interfaces=tuple(_interfaces(settings, config, there, log_id)),
        ports=ports,
        dns=servers,
        domains=domains,
        gateway=gateway(),
        accounts=tuple((account.name, account.level) for account in accounts),
        discovery=settings.discovery,
    )


def interfaces_of(settings: Onvif, http: DeviceHttp, known: Sequence[Found] | None = None) -> list[Found]:
    """The interfaces on which discovery answers. Raises NoInterfaceError, also when none is named, and when the server
    does not listen at the address that would be told."""
    there = list(interfaces() if known is None else known)
    if not settings.interfaces:
        listed = ", ".join(found.name for found in there) or "none"
        raise NoInterfaceError(f"discovery needs interfaces; name some of these: {listed}")
    chosen = list(dict.fromkeys(interface(name, there) for name in settings.interfaces))
    for found in chosen:
        if http.address is None and http.host not in ("", "0.0.0.0", "::", found.address):
            raise NoInterfaceError(
                f"discovery on {found.name} would tell {found.address}, where the server does not listen;"
                f' set device_http.host = "{found.address}" or "0.0.0.0"'
            )
    return chosen


def _interfaces(settings: Onvif, config: Config, there: Sequence[Found], log_id: str) -> list[Interface]:
    """Those that are configured, else those that the HTTP server listens at, else all; each with an address of its own
    making, unless one is configured."""
    if settings.interfaces:
        chosen = list(dict.fromkeys(interface(name, list(there)) for name in settings.interfaces))
    else:
        host = "" if config.device_http is None else config.device_http.host
        chosen = [found for found in there if host in (found.address, found.name)]
        chosen = chosen or [found for found in there if not found.address.startswith("127.")] or list(there)
    first = settings.hw_address.lower() if settings.hw_address else hardware_address(log_id)
    return [
        Interface(found.name, _next_address(first, number), found.address, found.prefix, found.mtu)
        for number, found in enumerate(chosen or [Found("net0", "127.0.0.1", 8)])
    ]


def hardware_address(log_id: str) -> str:
    """A hardware address made from the log's id: locally administered, the same for good, another for each service."""
    return ":".join(f"{byte:02x}" for byte in (0x02, *_made(log_id, "hardware")[:5]))


def _next_address(first: str, number: int) -> str:
    value = int(first.replace(":", ""), 16)
    text = f"{value & 0xFFFFFF000000 | (value + number) & 0xFFFFFF:012x}"
    return ":".join(text[place : place + 2] for place in range(0, 12, 2))


def _made(log_id: str, what: str) -> bytes:
    return hashlib.sha256(f"lpr onvif {what} {log_id}".encode()).digest()


def _hostname() -> str:
    name = "".join(char for char in socket.gethostname() if char.isalnum() or char in "-.")
    return name[:63] or "lpr"


class Configurable(Protocol):
    """``lpr.media.room.MediaRoom`` fits."""

    def configure(self, settings: RtspStream) -> None:
        """Other settings for the stream of that name, until the next start."""
        ...


class StreamEncoders:
    """Streams that clients may change. ``streams``: as the configuration file has them."""

    def __init__(self, room: Configurable, streams: Sequence[RtspStream]) -> None:
        self._room = room
        self._streams = {stream.name: stream for stream in streams}

    def base(self, stream: str) -> str:
        """A digest of the configuration of a stream."""
        return hashlib.sha256(msgspec.json.encode(self._streams[stream])).hexdigest()[:16]

    def apply(self, added: Added) -> None:
        """Encode from now on as clients wish, where the configuration is the one that they changed."""
        for wish in added.encodings:
            configured = self._streams.get(wish.stream)
            if configured is None or self.base(wish.stream) != wish.base:
                continue
            self._room.configure(
                msgspec.structs.replace(
                    configured,
                    width=wish.width,
                    height=0,  # as the picture's shape demands: that is how the offered sizes are made
                    rate=wish.rate,
                    bitrate=wish.bitrate,
                    quality=wish.quality,
                    key_frame_interval=min(60.0, wish.key_frames / wish.rate),
                )
            )


def streams_of(
    config: Config,
    presented: Presented,
    views: Mapping[str, LiveView],
    codecs: frozenset[Codec] | None = None,
    *,
    changeable: bool = False,
) -> list[Stream]:
    """Every stream as it is now. ``codecs``: what can be encoded; None: found out. ``changeable``: by clients."""
    there = available() if codecs is None else codecs
    numbers = {camera.name: number for number, camera in enumerate(config.cameras)}
    sources = {name: _source(numbers[name], name, views.get(name)) for name in dict.fromkeys(numbers)}
    found: list[Stream] = []
    for name in presented.names:
        shown = presented.presentation(name)
        if shown is not None:
            codec = choose_codec(shown.settings.codec, there)[0]
            found.append(_stream(shown, sources[shown.camera], codec, changeable))
    return found


def _source(number: int, name: str, view: LiveView | None) -> Source:
    width, height = USUAL_SIZE
    rate = USUAL_RATE
    if view is not None:
        status = view.status
        if status.width and status.height:
            width, height = status.width, status.height
        if 1.0 <= status.stated_rate <= 120.0:
            rate = status.stated_rate
    return Source(number, name, width, height, rate)


def _sizes(source: Source, codec: Codec) -> tuple[tuple[int, int], ...]:
    """The pictures that a stream may show of a source, the largest first."""
    whole = (source.width, source.height)
    wide = [width for width in WIDTHS if width < source.width]
    return tuple(dict.fromkeys(fit(whole, width, 0, codec) for width in (0, *wide)))


def _stream(shown: Presentation, source: Source, codec: Codec, changeable: bool) -> Stream:
    settings: RtspStream = shown.settings
    width, height = fit((source.width, source.height), settings.width, settings.height, codec)
    rate = min(settings.rate, source.rate) if settings.rate else source.rate
    sound = settings.audio if shown.audio is not None else "none"
    return Stream(
        name=shown.name,
        source=source,
        path=f"/{shown.name}",
        codec=codec,
        width=width,
        height=height,
        rate=rate,
        bitrate=settings.bitrate,
        quality=settings.quality,
        key_frames=max(1, round(settings.key_frame_interval * rate)),
        profile=PROFILES[codec],
        audio=sound,
        audio_rate=8000 if shown.audio is None else shown.audio.clock_rate,
        audio_bitrate=AAC_BITRATE if sound == "aac" else PCMU_BITRATE,
        metadata=settings.metadata != "none",
        sizes=_sizes(source, codec) if changeable else (),
    )

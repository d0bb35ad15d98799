"""From the configuration to what the ONVIF services tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from lpr.actors.device_http.onvif.world import (
    StreamEncoders,
    device_of,
    hardware_address,
    interfaces_of,
    streams_of,
)
from lpr.config import Camera, Config, DeviceHttp, Onvif, RtspStream
from lpr.core.accounts import Account, Accounts
from lpr.core.clock import ManualClock
from lpr.core.interfaces import Found, NoInterfaceError
from lpr.core.live import LiveView
from lpr.media.encoding import Codec
from lpr.media.source import Presentation
from lpr.media.stream import MediaStream
from lpr.protocols.onvif.model import Added, Device, Encoding, Ports

KNOWN = [
    Found("lo", "127.0.0.1", 8),
    Found("eth0", "192.0.2.7", 24, "02:00:5e:10:00:01", 1500),
    Found("eth1", "198.51.100.7", 16),
]
ACCOUNTS = Accounts([Account("nvr", "operator", "secret")])


def device(settings: Onvif, log_id: str = "a" * 32, host: str = "") -> Device:
    config = Config(device="Gate", device_http=DeviceHttp(host=host))
    return device_of(
        settings,
        config,
        log_id=log_id,
        version="1.2",
        accounts=ACCOUNTS,
        ports=lambda: Ports(8000, None, 8554, None),
        known=KNOWN,
    )


def test_the_devices_names_are_its_own_and_stay() -> None:
    one, same, other = device(Onvif()), device(Onvif()), device(Onvif(), "b" * 32)
    assert one.endpoint == same.endpoint != other.endpoint and one.endpoint.startswith("urn:uuid:")
    assert one.interfaces == same.interfaces
    assert one.interfaces[0].hardware != other.interfaces[0].hardware
    assert one.interfaces[0].hardware == hardware_address("a" * 32) and one.interfaces[0].hardware[:2] == "02"
    assert (one.name, device(Onvif(name="Yard")).name) == ("Gate", "Yard")
    assert one.accounts == (("nvr", "operator"),) and one.firmware == "1.2"


@pytest.mark.parametrize(
    ("settings", "host", "names"),
    [
        (Onvif(), "", ["eth0", "eth1"]),
        (Onvif(), "192.0.2.7", ["eth0"]),
        (Onvif(), "127.0.0.1", ["lo"]),
        (Onvif(interfaces=("198.51.100.7", "eth1")), "", ["eth1"]),
    ],
)
def test_interfaces_are_those_that_matter(settings: Onvif, host: str, names: list[str]) -> None:
    found = device(settings, host=host).interfaces
    assert [one.name for one in found] == names
    assert len({one.hardware for one in found}) == len(found)


def test_a_configured_hardware_address_is_told() -> None:
    found = device(Onvif(hw_address="02:00:00:FF:FF:FF")).interfaces
    assert [one.hardware for one in found] == ["02:00:00:ff:ff:ff", "02:00:00:00:00:00"]


def test_discovery_needs_interfaces_that_are_there() -> None:
    everywhere = DeviceHttp(host="0.0.0.0")
    assert [one.name for one in interfaces_of(Onvif(interfaces=("eth0",)), everywhere, KNOWN)] == ["eth0"]
    with pytest.raises(NoInterfaceError, match="lo, eth0, eth1"):
        interfaces_of(Onvif(), everywhere, KNOWN)
    with pytest.raises(NoInterfaceError, match="wlan0"):
        interfaces_of(Onvif(interfaces=("wlan0",)), everywhere, KNOWN)


def test_discovery_tells_no_address_where_nobody_listens() -> None:
    settings = Onvif(interfaces=("eth0",))
    with pytest.raises(NoInterfaceError, match=r'device_http\.host = "192\.0\.2\.7"'):
        interfaces_of(settings, DeviceHttp(), KNOWN)
    assert interfaces_of(settings, DeviceHttp(host="192.0.2.7"), KNOWN)
    assert interfaces_of(settings, DeviceHttp(address="camera.example.org"), KNOWN)


@dataclass
class Room:
    """Streams as the media room has them."""

    streams: Sequence[RtspStream]
    configured: list[RtspStream] = field(default_factory=list[RtspStream])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(stream.name for stream in self.streams)

    def presentation(self, name: str) -> Presentation | None:
        found = next(stream for stream in self.streams if stream.name == name)
        video = MediaStream(name, ManualClock(), 96, 90_000)
        return Presentation(name, found.camera or "gate", found, video)

    def configure(self, settings: RtspStream) -> None:
        self.configured.append(settings)


CONFIG = Config(cameras=(Camera(name="other"), Camera(name="gate")))
EVERY: frozenset[Codec] = frozenset({"h264", "h265", "mjpeg"})


def test_streams_are_told_as_they_are_encoded() -> None:
    view = LiveView("gate")
    room = Room([RtspStream(name="main", width=640), RtspStream(name="sub", codec="mjpeg", rate=0, metadata="none")])
    early = streams_of(CONFIG, room, {"gate": view}, EVERY)
    assert [(one.width, one.height) for one in early] == [(640, 360), (1920, 1080)]
    view.update(width=800, height=600, stated_rate=12.5)
    main, sub = streams_of(CONFIG, room, {"gate": view}, EVERY)
    assert (main.codec, main.width, main.height, main.rate, main.key_frames) == ("h264", 640, 480, 12.5, 25)
    assert (sub.codec, sub.width, sub.height, sub.rate, sub.metadata) == ("mjpeg", 800, 600, 12.5, False)
    assert main.source.token == "VS1" and main.path == "/main" and main.sizes == ()
    assert streams_of(CONFIG, room, {}, frozenset({"mjpeg"}))[0].codec == "mjpeg"


def test_a_changeable_stream_offers_its_cameras_pictures() -> None:
    view = LiveView("gate")
    view.update(width=1280, height=720)
    (main,) = streams_of(CONFIG, Room([RtspStream(name="main")]), {"gate": view}, EVERY, changeable=True)
    assert main.sizes == ((1280, 720), (960, 540), (640, 360), (480, 270), (320, 180))


@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1600, 1200), (704, 576), (640, 480), (4000, 3000)])
def test_what_is_offered_is_what_comes_out(codec: Codec, size: tuple[int, int]) -> None:
    view = LiveView("gate")
    view.update(width=size[0], height=size[1])
    (main,) = streams_of(CONFIG, Room([RtspStream(name="main", codec=codec)]), {"gate": view}, EVERY, changeable=True)
    for width, height in main.sizes:
        room = Room([RtspStream(name="main", codec=codec)])
        encoders = StreamEncoders(room, room.streams)
        encoders.apply(Added((), True, (Encoding("main", width, height, 5, 500, 60, 20, encoders.base("main")),)))
        (now,) = streams_of(CONFIG, Room(room.configured), {"gate": view}, EVERY, changeable=True)
        assert (now.width, now.height) == (width, height)


def test_wishes_are_kept_while_the_file_is_the_same() -> None:
    configured = RtspStream(name="main", boxes=True)
    room = Room([])
    encoders = StreamEncoders(room, [configured])
    wish = Encoding("main", 640, 360, 10.0, 500, 60, 20, encoders.base("main"))
    encoders.apply(Added((), True, (wish,)))
    (found,) = room.configured
    assert (found.width, found.rate, found.bitrate, found.key_frame_interval, found.boxes) == (
        640,
        10.0,
        500,
        2.0,
        True,
    )
    edited = StreamEncoders(room, [msgspec.structs.replace(configured, bitrate=1000)])
    edited.apply(Added((), True, (wish, Encoding("gone", 1, 1, 1, 1, 1, 1))))
    assert len(room.configured) == 1

"""The whole configuration: one TOML file (``lpr.toml``) as msgspec structs, a file a room; ``lpr.settings`` loads it.

What the file declares is fixed for the run; what operators change at run time lives in the log. Durations are
seconds, sizes bytes (or MB where the name says so), coordinates of regions are fractions of the picture (0 to 1),
so a region keeps its place when a camera changes its resolution. A server or sink is on when its section is there.
Imports ``lpr.events`` only.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from lpr.config.base import Count, Fraction, Name, NotNegative, Port, Positive, Region, Section, Tls
from lpr.config.camera import Camera, Trigger
from lpr.config.device import Account, DeviceHttp
from lpr.config.engine import Engine, Vehicles, Vote
from lpr.config.events import OnvifEvents, OnvifNotify
from lpr.config.milesight import HttpPush, MilesightPull, MilesightServer
from lpr.config.mqtt import Mqtt
from lpr.config.neural import NeuralClient, NeuralMessages, NeuralPassages, NeuralServer, NeuralTrigger
from lpr.config.onvif import Onvif
from lpr.config.pumatronix import Pumatronix
from lpr.config.records import Log, Retention, Sign
from lpr.config.rtsp import Rtsp, RtspStream
from lpr.config.transfer import FtpServer, SftpKey, SftpServer
from lpr.config.web import Web

__all__ = [
    "Account",
    "Camera",
    "Config",
    "Count",
    "DeviceHttp",
    "Engine",
    "Fraction",
    "FtpServer",
    "HttpPush",
    "Log",
    "MilesightPull",
    "MilesightServer",
    "Mqtt",
    "Name",
    "NeuralClient",
    "NeuralMessages",
    "NeuralPassages",
    "NeuralServer",
    "NeuralTrigger",
    "NotNegative",
    "Onvif",
    "OnvifEvents",
    "OnvifNotify",
    "Port",
    "Positive",
    "Pumatronix",
    "Region",
    "Retention",
    "Rtsp",
    "RtspStream",
    "Section",
    "SftpKey",
    "SftpServer",
    "Sign",
    "Tls",
    "Trigger",
    "Vehicles",
    "Vote",
    "Web",
]


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    data: Annotated[str, Meta(description="folder of the log, pictures and keys")] = "lpr-data"
    device: Annotated[str, Meta(max_length=64, description="name of this device in messages")] = "Network Camera"
    until_end: Annotated[bool, Meta(description="stop when every source has ended and all is delivered")] = False
    cameras: Annotated[tuple[Camera, ...], Meta(min_length=1, max_length=16)] = msgspec.field(
        default_factory=lambda: (Camera(),)
    )
    engine: Engine = msgspec.field(default_factory=Engine)
    vote: Vote = msgspec.field(default_factory=Vote)
    sign: Sign = msgspec.field(default_factory=Sign)
    web: Web = msgspec.field(default_factory=Web)
    milesight: tuple[MilesightServer, ...] = ()
    milesight_pull: MilesightPull = msgspec.field(default_factory=MilesightPull)
    push: Annotated[tuple[HttpPush, ...], Meta(max_length=3)] = ()
    mqtt: Annotated[tuple[Mqtt, ...], Meta(max_length=8, description="brokers")] = ()
    accounts: Annotated[
        tuple[Account, ...], Meta(max_length=32, description="machines' accounts; none: one, nvr, with a made password")
    ] = ()
    device_http: DeviceHttp | None = None
    onvif_events: OnvifEvents = msgspec.field(default_factory=OnvifEvents)
    rtsp: Rtsp | None = None
    onvif: Onvif | None = None
    pumatronix: Pumatronix | None = None
    ftp: FtpServer | None = None
    sftp: SftpServer | None = None
    neural_client: Annotated[tuple[NeuralClient, ...], Meta(max_length=8)] = ()
    neural_server: Annotated[tuple[NeuralServer, ...], Meta(max_length=8)] = ()
    neural_trigger: Annotated[tuple[NeuralTrigger, ...], Meta(max_length=16)] = ()
    retention: Retention = msgspec.field(default_factory=Retention)
    log: Log = msgspec.field(default_factory=Log)

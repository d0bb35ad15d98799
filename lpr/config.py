"""The whole configuration: one TOML file (``lpr.toml``) as msgspec structs. Loading is in ``lpr.settings``.

What the file declares is fixed for the run; what operators change at run time lives in the log. Durations are
seconds, sizes bytes (or MB where the name says so), coordinates of regions are fractions of the picture (0 to 1),
so a region keeps its place when a camera changes its resolution. Imports ``lpr.events`` only.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Name: TypeAlias = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="a-z, 0-9, - and _; at most 32")
]
Port: TypeAlias = Annotated[int, Meta(ge=0, le=65535, description="0: any free port")]
Fraction: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive: TypeAlias = Annotated[float, Meta(gt=0.0)]
NotNegative: TypeAlias = Annotated[float, Meta(ge=0.0)]
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Region: TypeAlias = tuple[
    tuple[Fraction, Fraction], tuple[Fraction, Fraction], tuple[Fraction, Fraction], tuple[Fraction, Fraction]
]
"""Four corners of a polygon, fractions of the picture's width and height, in order round it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section: an unknown key is an error."""


class Trigger(Section, frozen=True, kw_only=True):
    """When a capture is taken (VTR600 manual: Image Capture Architecture, Motion Detector)."""

    kind: Literal["free-flow", "motion"] = "free-flow"
    rate: Annotated[float, Meta(gt=0, le=60, description="captures a second of the source's own time, at most")] = 8.0
    threshold: Annotated[float, Meta(ge=0, le=100, description="motion: variation between two images, 0-100")] = 8.0
    region: Region | None = None
    exposures: Annotated[int, Meta(ge=1, le=8, description="motion: sequential images of one capture")] = 1
    hold: Annotated[float, Meta(ge=0, le=60, description="motion: goes on capturing so long after the last motion")] = (
        1.0
    )


class Camera(Section, frozen=True, kw_only=True):
    """One source of frames.

    ``source``: "demo", a video file, a folder of images, "rtsp://…", "http://…" or a device ("/dev/video0").
    ``credentials_file``: a file with ``user:password`` for a URL, so that they stay out of this one.
    """

    name: Name = "camera"
    source: str = "demo"
    lane: Annotated[str, Meta(max_length=32)] = ""
    lane_number: Annotated[int, Meta(ge=0, le=4, description="Milesight's ROI id, 0 = unknown")] = 1
    trigger: Trigger = msgspec.field(default_factory=Trigger)
    credentials_file: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    fast: Annotated[bool, Meta(description="files: as quick as it goes instead of the file's own pace")] = False
    repeat: Annotated[bool, Meta(description="files and folders: begin again at the end")] = False
    image_interval: Annotated[float, Meta(gt=0, description="folder: seconds between two images")] = 1.0
    image_sequence: Annotated[bool, Meta(description="folder: the images follow each other like a video")] = False
    stall_after: Positive = 10.0
    retry_first: Positive = 1.0
    retry_max: Positive = 60.0
    report_every: Positive = 300.0
    max_width: Annotated[int, Meta(ge=64, le=16384)] = 8192
    max_height: Annotated[int, Meta(ge=64, le=16384)] = 8192


class Vehicles(Section, frozen=True, kw_only=True):
    """Kind, colour, make and model of vehicles, looked at on pictures that are recorded; vehicles without a plate.

    Off unless asked for: the models that come with lpr tell cars and little else, and colours three times in four.
    ``makes``: the slot for a model of makes, docs/vehicles.md says how to fill it. ``find``: look for vehicles in every
    picture, so that one without a plate is a passage, too; it costs a few milliseconds a picture and errs.
    """

    enabled: bool = False
    kinds: Annotated[str, Meta(description="manifest of another ONNX classifier of kinds")] | None = None
    makes: Annotated[str, Meta(description="manifest of an ONNX classifier of makes and models")] | None = None
    find: Annotated[bool, Meta(description="a vehicle without a plate is a passage, too")] = False
    finder: Annotated[str, Meta(description="manifest of another ONNX finder of vehicles")] | None = None
    min_score: Annotated[float, Meta(ge=0, le=1, description="of a vehicle that the finder says is there")] = 0.6
    min_width: Annotated[
        float, Meta(ge=0, le=1, description="of a vehicle without a plate, as a part of the picture's width")
    ] = 0.1


class Engine(Section, frozen=True, kw_only=True):
    """Plate detection and reading. ``countries``: ISO alpha-2, formats of these are preferred; empty: all.

    ``mode``, ``threads``, ``timeout``: the VTR600 manual's processing mode, threads and time-out.
    """

    countries: tuple[Annotated[str, Meta(pattern="^[A-Z]{2}$")], ...] = ()
    detector: Annotated[str, Meta(description="manifest of another ONNX detector")] | None = None
    reader: Annotated[str, Meta(description="manifest of another ONNX reader")] | None = None
    min_detection: Fraction = 0.4
    min_plate_width: Annotated[int, Meta(ge=4, le=4096, description="pixels")] = 16
    max_plates: Annotated[int, Meta(ge=1, le=64)] = 16
    min_characters: Annotated[
        int, Meta(ge=0, le=10, description="a shorter text doesn't make a plate of a doubtful detection")
    ] = 4
    detector_size: Annotated[int, Meta(ge=128, le=4096, description="longest side given to the detector")] | None = None
    tiles: Annotated[
        int, Meta(ge=1, le=4, description="panoramic pictures: rows and columns searched one by one besides the whole")
    ] = 1
    mode: Annotated[
        Literal["fast", "normal", "thorough"],
        Meta(description="effort: a small look, second looks at doubtful plates, or two scales and many looks"),
    ] = "normal"
    threads: Annotated[
        int, Meta(ge=1, le=64, description="cores for reading: so many pictures at once (lpr.read: for one picture)")
    ] = 1
    timeout: Annotated[float, Meta(gt=0, le=600, description="seconds; a picture that takes longer is given up")] = 30.0
    jpeg_quality: Annotated[int, Meta(ge=30, le=100)] = 90
    region: Region | None = None
    vehicles: Vehicles = msgspec.field(default_factory=Vehicles)


class Vote(Section, frozen=True, kw_only=True):
    """Majority vote (VTR600 manual) and the life of a vehicle in view."""

    enabled: bool = True
    max_different_characters: Annotated[int, Meta(ge=0, le=10)] = 2
    same_plate_interval: Annotated[float, Meta(ge=0, description="minimum seconds between identical plates")] = 30.0
    last_readings: Annotated[int, Meta(ge=0, description="only the last N readings of a vehicle vote; 0: all")] = 0
    min_confidence: Fraction = 0.5
    min_readings: Count = 1
    best_exposure_only: bool = True
    max_pictures: Annotated[int, Meta(ge=1, le=16)] = 4
    gone_after: Annotated[float, Meta(gt=0, description="a vehicle unseen for so long has passed")] = 1.5
    longest: Annotated[float, Meta(gt=0, description="a vehicle in view this long is decided, then only watched")] = (
        20.0
    )
    still_in_view: Annotated[
        float, Meta(gt=0, description="a standing vehicle may be hidden so long and stay the same")
    ] = 120.0
    unread: Annotated[bool, Meta(description="a plate that nobody could read still makes a passage")] = False
    unplated_readings: Annotated[
        int, Meta(ge=1, description="so many sightings of a vehicle without a plate make a passage")
    ] = 5


class Sign(Section, frozen=True, kw_only=True):
    """Signed JPEGs (VTR600 manual: Digital signature). ``key_file``: PEM or P12; without it a key is made."""

    enabled: bool = True
    key_file: str | None = None
    key_password_file: str | None = None
    key_bits: Literal[1024, 2048, 4096] = 2048
    device: Annotated[str, Meta(max_length=64, description="name of the equipment in the comment")] = "lpr"
    utc_offset: Annotated[str, Meta(pattern=r"^[+-]\d{2}:\d{2}$", description="local time in comments and pushes")] = (
        "+00:00"
    )
    country_codes: dict[str, int] = msgspec.field(default_factory=lambda: {"BR": 55})
    plate_colour_codes: dict[str, int] = msgspec.field(default_factory=dict[str, int])


class Tls(Section, frozen=True, kw_only=True):
    """``certificate_file`` and ``key_file``: PEM."""

    certificate_file: str
    key_file: str


class Web(Section, frozen=True, kw_only=True):
    """REST API and pages. On an address other than loopback, use TLS or a proxy that does."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8080
    tls: Tls | None = None
    session_hours: Positive = 12.0
    max_body: Annotated[int, Meta(ge=1024)] = 65536
    max_clients: Count = 256
    request_timeout: Positive = 30.0
    login_attempts: Annotated[int, Meta(ge=1, description="failed log-ins a minute and address")] = 10
    live_rate: Annotated[float, Meta(gt=0, le=30, description="pictures a second of the live view")] = 6.0
    live_width: Annotated[int, Meta(ge=160, le=4096)] = 960


class MilesightServer(Section, frozen=True, kw_only=True):
    """Milesight's TCP type: the NVR connects here. ``password_file`` holds the password; none is built in."""

    name: Name = "milesight"
    host: str = "127.0.0.1"
    port: Port = 5000
    user: Annotated[str, Meta(min_length=1, max_length=64)] = "admin"
    password_file: str | None = None
    revision: Literal["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"] = "1.6"
    images: Literal["none", "plate", "full", "all"] = "all"
    resume: Annotated[bool, Meta(description="a client that comes back gets what it missed")] = True
    new_clients: Annotated[
        Literal["now", "beginning"], Meta(description="what a client gets that was never here: only what comes, or all")
    ] = "now"
    resume_limit: Annotated[int, Meta(ge=0, description="at most so many missed passages")] = 10000
    plate_type: Annotated[int, Meta(ge=0, le=3, description="1 black 2 white 3 visitor")] = 3
    device_id: Annotated[str, Meta(pattern="^[0-9a-fA-F-]{32,36}$", description="GUID; none: from the log")] | None = (
        None
    )
    max_clients: Count = 512
    max_clients_per_address: Count = 512
    login_timeout: Positive = 10.0
    max_message: Annotated[int, Meta(ge=64, description="bytes accepted from a client in one message")] = 4096
    send_timeout: Annotated[float, Meta(gt=0, description="a client that takes nothing for so long is dropped")] = 30.0
    buffer: Annotated[int, Meta(ge=65536, description="bytes waiting for one client")] = 1_048_576
    login_attempts: Annotated[int, Meta(ge=1, description="wrong log-ins before the connection is closed")] = 3


class HttpPush(Section, frozen=True, kw_only=True):
    """Milesight's HTTP type: passages are posted (JSON) or sent as GET to a receiver."""

    name: Name = "push"
    url: Annotated[str, Meta(pattern=r"^https?://", max_length=2048)]
    method: Literal["post", "get"] = "post"
    user: str | None = None
    password_file: str | None = None
    images: Literal["none", "plate", "full", "all"] = "all"
    device: str | None = None
    plate_type: Literal["Black", "White", "Visitor", "-"] = "Visitor"
    milliseconds: bool = True
    ca_file: str | None = None
    timeout: Positive = 15.0
    max_answer: Annotated[int, Meta(ge=256)] = 65536
    retry_first: Positive = 1.0
    retry_max: Positive = 300.0
    max_attempts: Annotated[int, Meta(ge=0, description="0: without end")] = 0


class Retention(Section, frozen=True, kw_only=True):
    """What is kept. 0 days: for ever."""

    days: NotNegative = 30.0
    max_pictures_mb: Annotated[int, Meta(ge=0, description="0: no limit")] = 0
    every: Positive = 3600.0
    audit_days: NotNegative = 365.0


class Log(Section, frozen=True, kw_only=True):
    """The event log. ``checkpoint_every``: seconds between signed checkpoints of the chain."""

    batch: Annotated[int, Meta(ge=1, le=10000, description="events in one transaction at most")] = 256
    queue: Annotated[int, Meta(ge=1, description="events waiting to be written before sources wait")] = 4096
    ring: Annotated[int, Meta(ge=0, description="recent records kept in memory")] = 2048
    busy_timeout: NotNegative = 5.0
    checkpoint_every: Positive = 3600.0
    baseline_every: Annotated[int, Meta(ge=100, description="input records between two baselines of an actor")] = 5000
    min_free_mb: Annotated[int, Meta(ge=0, description="below this free space captures stop, with a message")] = 100


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
    push: Annotated[tuple[HttpPush, ...], Meta(max_length=3)] = ()
    retention: Retention = msgspec.field(default_factory=Retention)
    log: Log = msgspec.field(default_factory=Log)

"""Every event of the log, in the order in which a passage lives them. Read this first.

An event is a frozen msgspec struct. The log stores it with its type name and version in columns of
their own (see ``lpr.core.record``), stamps it with the time and derives its id; events carry neither.

Units, everywhere: times are integer **microseconds since the Unix epoch, UTC** (``Micros``), durations
are seconds (``float``) unless a name says otherwise, coordinates are pixels of the named picture with
the origin at the top left corner, x to the right and y down, confidences run from 0 to 1.

Imports nothing of ours. Evolution: a new field with a default keeps the version; a changed meaning gets
a new ``version`` and an upcaster in ``lpr.core.upcast``. History is never edited.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec

Micros: TypeAlias = int
"""Microseconds since the Unix epoch, UTC."""

Point: TypeAlias = tuple[float, float]
"""(x, y) in pixels."""

Box: TypeAlias = tuple[float, float, float, float]
"""(x1, y1, x2, y2) in pixels: left, top, right, bottom."""

Corners: TypeAlias = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left *of the plate* (not of the picture), in pixels."""


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the value types that events are made of."""


class Character(Value, frozen=True, kw_only=True):
    """One character of a plate as it was read.

    ``char``: one upper-case letter or digit. ``confidence``: probability that it is right, 0 to 1.
    ``others``: other candidates for this slot with their probabilities, best first, at most four.
    """

    char: str
    confidence: float
    others: tuple[tuple[str, float], ...] = ()


class Vehicle(Value, frozen=True, kw_only=True):
    """A vehicle as an engine saw it on one exposure.

    ``kind``: "car", "motorcycle", "bus", "truck", "van", "pickup", or None when it can't be told; ``colour``: a name of
    ``COLOURS``, "unknown" at night and on monochrome pictures; ``make``, ``model``: as the network in the slot says.
    Confidences are 0 to 1, 0 where nothing is said. ``box``: pixels of the exposure, None when the vehicle is known by
    its plate alone.
    """

    kind: str | None = None
    kind_confidence: float = 0.0
    colour: str = "unknown"
    colour_confidence: float = 0.0
    make: str | None = None
    model: str | None = None
    make_confidence: float = 0.0
    box: Box | None = None


class Reading(Value, frozen=True, kw_only=True):
    """One plate as an engine read it on one exposure. Coordinates are pixels of that exposure.

    ``text``: upper case, without separators; empty when a plate was found but could not be read.
    ``confidence``: the smallest of the characters' confidences. ``detection``: the detector's score.
    ``country``: ISO 3166-1 alpha-2, or None when it is not known. ``layout``: the key of a format in
    ``lpr.plates.formats`` ("br-old", "br-mercosul", ...), or None for an unknown format.
    ``rows``: 1 or 2. ``plate_colour``: a name of ``COLOURS``, or None. ``sharpness``: variance of the
    Laplacian of the rectified plate, grey levels squared (quality weight of the vote). ``vehicle``: what carries the
    plate, None when nobody looked. ``plated``: False for a vehicle on which no plate was found: its text is empty, its
    box and corners are where a plate would be, ``detection`` is the score of the vehicle. ``ink_colour``: of the
    plate's characters, a name of ``COLOURS``, or None. ``candidates``: the likeliest whole texts with their
    probabilities, best first, ``text`` among them; empty from an engine that names none.
    """

    text: str
    confidence: float
    characters: tuple[Character, ...]
    box: Box
    corners: Corners
    detection: float = 1.0
    country: str | None = None
    layout: str | None = None
    rows: int = 1
    plate_colour: str | None = None
    sharpness: float = 0.0
    vehicle: Vehicle | None = None
    plated: bool = True
    ink_colour: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()


COLOURS = (
    "unknown",
    "black",
    "blue",
    "cyan",
    "gray",
    "green",
    "red",
    "white",
    "yellow",
    "violet",
    "orange",
)
"""The colour names of the wire protocols, in the order of Milesight's colour table (0 = unknown)."""


class Picture(Value, frozen=True, kw_only=True):
    """A JPEG in the blob store. ``blob``: lower-case hex SHA-256 of its bytes. ``width``, ``height``: pixels."""

    blob: str
    width: int
    height: int
    bytes: int


class Exposure(Value, frozen=True, kw_only=True):
    """One picture of a capture.

    ``at``: the frame's own time. ``position``: index of the frame in its source, counted from 0 over
    every decoded frame, so a file can be resumed there.
    """

    at: Micros
    position: int
    picture: Picture


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every event. ``version`` is the version of the event's meaning, not of its fields."""

    version: ClassVar[int] = 1


# --- the service and its log ---------------------------------------------------------------------------


class ServiceStarted(Event, frozen=True, kw_only=True):
    """The process opened the log. ``config``: SHA-256 (hex) of the effective configuration without secrets."""

    release: str
    config: str
    pid: int


class ServiceStopped(Event, frozen=True, kw_only=True):
    """The process closes the log in good order. ``reason``: "signal", "source ended", "request", ..."""

    reason: str


class LogRecovered(Event, frozen=True, kw_only=True):
    """On opening, the log was not as it was left. ``problem``: what was found; ``remedy``: what was done.

    ``kept``: the rows that could be carried over; ``lost_after``: the last sequence number kept.
    """

    problem: str
    remedy: str
    kept: int
    lost_after: int


class ClockStepped(Event, frozen=True, kw_only=True):
    """The wall clock moved against the monotonic clock by ``seconds`` (negative: back)."""

    seconds: float


class TimerFired(Event, frozen=True, kw_only=True):
    """The deadline ``due`` of ``actor`` has passed."""

    actor: str
    due: Micros


class Baseline(Event, frozen=True, kw_only=True):
    """Snapshot of an actor's state after folding every record up to ``upto``.

    ``state``: the state as JSON; ``state_version``: the actor's own version of it (another version is
    ignored and the actor folds from the log's beginning). Permission to prune what lies before.
    """

    actor: str
    state_version: int
    upto: int
    state: msgspec.Raw


class ChainSigned(Event, frozen=True, kw_only=True):
    """Signed checkpoint of the hash chain.

    ``upto``: last sequence number covered; ``head``: its chain hash, hex; ``key``: SHA-256 fingerprint
    (hex) of the signing key's modulus; ``signature``: hex, RSA PKCS#1 v1.5 over SHA-256 of the text
    ``lpr-chain:<log id>:<upto>:<head>``.
    """

    upto: int
    head: str
    key: str
    signature: str


class LogPruned(Event, frozen=True, kw_only=True):
    """Retention removed records up to ``upto`` (inclusive), whose chain hash was ``head`` (hex).

    ``records``: how many go. ``kept``: SHA-256 (hex) over the contents' hashes of those before ``upto`` that
    stay (audit), in order; "" when none stay.
    """

    upto: int
    head: str
    records: int
    kept: str = ""


class BlobMissing(Event, frozen=True, kw_only=True):
    """A picture that an event names is gone or damaged. ``noticed_by``: actor or server."""

    blob: str
    noticed_by: str
    problem: str


class ActorFailed(Event, frozen=True, kw_only=True):
    """An actor stopped with an error; it is started again in ``retry_in`` seconds."""

    actor: str
    error: str
    failures: int
    retry_in: float


class ActorParked(Event, frozen=True, kw_only=True):
    """An optional actor failed too often and stays out until the next start."""

    actor: str
    error: str
    failures: int


# --- users and audit -----------------------------------------------------------------------------------


class UserAdded(Event, frozen=True, kw_only=True):
    """``role``: "administrator" or "operator"; ``by``: who did it ("first start", "command line" or a user)."""

    user: str
    role: str
    by: str


class UserChanged(Event, frozen=True, kw_only=True):
    """The role of a user is now ``role``."""

    user: str
    role: str
    by: str


class UserRemoved(Event, frozen=True, kw_only=True):
    """The user may no longer log in; the name stays in the audit trail."""

    user: str
    by: str


class PasswordSet(Event, frozen=True, kw_only=True):
    """A password was set. The scrypt hash lies in the credentials file, never in the log.

    ``temporary``: it must be changed at the first log-in.
    """

    user: str
    by: str
    temporary: bool = False


class LoggedIn(Event, frozen=True, kw_only=True):
    """A log-in succeeded. ``server``: at which file server; "" for the REST API and the pages."""

    user: str
    remote: str
    server: str = ""


class LoginFailed(Event, frozen=True, kw_only=True):
    """Log-ins that failed, counted over ``window_s`` seconds (the rate of these events is bounded).

    ``server``: at which file server; "" for the REST API and the pages.
    """

    user: str
    remote: str
    count: int = 1
    window_s: float = 0.0
    server: str = ""


class ApiCalled(Event, frozen=True, kw_only=True):
    """Audit trail: who asked for what. ``path``: without the query; ``query``: without secrets."""

    user: str
    remote: str
    method: str
    path: str
    query: str
    status: int


# --- source --------------------------------------------------------------------------------------------


class SourceOpened(Event, frozen=True, kw_only=True):
    """A source delivers frames.

    ``kind``: "file", "stream", "device", "folder" or "demo"; ``address``: without credentials;
    ``content``: identity of a file or folder (hex SHA-256 of size, name and first megabyte), "" for live
    sources; ``position``: first frame to come; ``base``: the time of frame 0 of a file or folder, kept
    over restarts so that frame times repeat; ``rate``: frames a second as the source states it, 0 unknown.
    """

    source: str
    kind: str
    address: str
    width: int
    height: int
    rate: float
    base: Micros
    content: str = ""
    position: int = 0


class SourceChanged(Event, frozen=True, kw_only=True):
    """The frames have another size from ``position`` on."""

    source: str
    width: int
    height: int
    position: int
    at: Micros


class SourceStalled(Event, frozen=True, kw_only=True):
    """The source is open but has delivered no frame for ``silent_s`` seconds."""

    source: str
    silent_s: float


class SourceLost(Event, frozen=True, kw_only=True):
    """The source could not be opened or broke off; the next attempt is in ``retry_in`` seconds."""

    source: str
    reason: str
    attempt: int
    retry_in: float


class SourceEnded(Event, frozen=True, kw_only=True):
    """A file or folder was read to its end. ``frames``: decoded in all; ``at``: time of the last one."""

    source: str
    content: str
    frames: int
    at: Micros


class SourceReported(Event, frozen=True, kw_only=True):
    """Figures of a source since its last report: frames decoded, dropped (latest wins), rate per second."""

    source: str
    frames: int
    dropped: int
    rate: float
    at: Micros


class FramesPassed(Event, frozen=True, kw_only=True):
    """Every frame up to ``position`` has gone through trigger and engine; nothing more was worth recording.

    Written when a scene that had plates has gone quiet and, rarely, to mark progress: a restart resumes
    behind the last of these (or of CaptureTaken), and the voter closes what lies long enough before ``at``.
    """

    source: str
    at: Micros
    position: int


# --- a passage -----------------------------------------------------------------------------------------


class CaptureTaken(Event, frozen=True, kw_only=True):
    """A trigger took a capture, its pictures are durable, its readings follow as PlateRead.

    ``capture``: ``<source>@<at>``, unique in a log; ``trigger``: "free-flow", "motion", "interval",
    "api", ...; ``reason``: the figure behind it ("level 12.5 over threshold 8"); ``still``: a photograph
    that stands for itself: no other capture shows the same vehicle at the same moment.
    """

    capture: str
    source: str
    lane: str
    trigger: str
    reason: str
    at: Micros
    position: int
    exposures: tuple[Exposure, ...]
    still: bool = False


class PlateRead(Event, frozen=True, kw_only=True):
    """The engine read one plate on one exposure (``exposure``: its index in the capture)."""

    capture: str
    source: str
    lane: str
    at: Micros
    exposure: int
    reading: Reading
    engine: str
    elapsed_ms: float


class CaptureFailed(Event, frozen=True, kw_only=True):
    """A capture was lost before its pictures were durable (disk full, engine error, time-out)."""

    source: str
    at: Micros
    position: int
    reason: str


class Vote(Value, frozen=True, kw_only=True):
    """One reading that took part in a vote. ``text``, ``confidence``: as read; ``weight``: in the vote."""

    capture: str
    exposure: int
    text: str
    confidence: float
    weight: float


class PassageDecided(Event, frozen=True, kw_only=True):
    """One vehicle has passed: the voted plate. The record's id is the passage's id.

    ``plate``: upper case, without separators, "" when it could not be read; ``confidence``: the smallest of
    the voted characters' confidences; ``first_at``/``last_at``: first and last time the vehicle was seen;
    ``at``: time of the best picture. ``capture``, ``exposure``, ``picture``, ``box``, ``corners``: the best
    recognition. ``direction``: "approach", "away" or "unknown". ``votes``: best first, at most 32;
    ``reads``: how many readings there were in all. ``pictures``: further kept exposures (empty with "best
    exposure only"). ``vehicle``: "car", "motorcycle", "bus", "truck", "van", "pickup" or None; ``vehicle_colour``: a
    name of ``COLOURS`` or None; ``make``, ``model``: None without a model for them. ``plate_category``: "private",
    "commercial", "official", "diplomatic", ... (``lpr.plates.categories``) or None. ``plated``: False when no plate was
    found on the vehicle at all. ``speed_kmh``: None when it is not measured.
    """

    source: str
    lane: str
    plate: str
    confidence: float
    characters: tuple[Character, ...]
    country: str | None
    layout: str | None
    at: Micros
    first_at: Micros
    last_at: Micros
    capture: str
    exposure: int
    picture: Picture
    box: Box
    corners: Corners
    direction: str
    reads: int
    votes: tuple[Vote, ...]
    pictures: tuple[Picture, ...] = ()
    plate_colour: str | None = None
    vehicle: str | None = None
    vehicle_colour: str | None = None
    speed_kmh: float | None = None
    trigger: str = ""
    make: str | None = None
    model: str | None = None
    plate_category: str | None = None
    plated: bool = True


class ReadingsDiscarded(Event, frozen=True, kw_only=True):
    """A vehicle's readings did not become a passage. ``reason``: "identical plate" (within the minimum
    interval of a passage), "low reliability", "too few readings", ..."""

    source: str
    lane: str
    plate: str
    confidence: float
    reads: int
    first_at: Micros
    last_at: Micros
    reason: str


class PassageSigned(Event, frozen=True, kw_only=True):
    """The passage's pictures for the outside. ``passage``: the passage's id; ``picture``: the whole JPEG
    with comment and signature; ``plate_picture``: the rectified plate, JPEG, unsigned crop of it;
    ``key``: fingerprint of the signing key (hex SHA-256 of the modulus), "" when signing is off."""

    passage: str
    plate: str
    at: Micros
    picture: Picture
    plate_picture: Picture
    key: str


# --- deliveries ----------------------------------------------------------------------------------------


class Delivered(Event, frozen=True, kw_only=True):
    """``sink`` has the passage. ``record``: sequence number of its PassageSigned record."""

    sink: str
    passage: str
    record: int
    attempt: int
    answer: str = ""


class DeliveryFailed(Event, frozen=True, kw_only=True):
    """The sink is unavailable; the whole sink waits until ``retry_at``."""

    sink: str
    passage: str
    record: int
    attempt: int
    reason: str
    retry_at: Micros


class DeliveryParked(Event, frozen=True, kw_only=True):
    """The sink refused this passage for good; others go on. It can be sent again on request."""

    sink: str
    passage: str
    record: int
    attempt: int
    reason: str


class DeliveryRequested(Event, frozen=True, kw_only=True):
    """Somebody asked to send a parked (or any) passage to ``sink`` again."""

    sink: str
    passage: str
    record: int
    by: str


# --- protocol servers ----------------------------------------------------------------------------------


class ServerListening(Event, frozen=True, kw_only=True):
    """A server accepts connections at ``address`` (host:port)."""

    server: str
    address: str


class ClientJoined(Event, frozen=True, kw_only=True):
    """A client logged in. ``client``: its identity for resuming (``<user>@<address>``)."""

    server: str
    client: str
    resumes_after: int


class ClientServed(Event, frozen=True, kw_only=True):
    """Everything up to record ``upto`` was written to the client's connection (bounded rate)."""

    server: str
    client: str
    upto: int


class ClientLeft(Event, frozen=True, kw_only=True):
    """A connection ended. ``reason``: "closed by client", "too slow", "protocol error: ...", "stopped".

    ``sent``: passages or answers; ``ignored``: messages of the client that mean nothing to this server.
    """

    server: str
    client: str
    reason: str
    sent: int
    ignored: int = 0


class FileTransferred(Event, frozen=True, kw_only=True):
    """Audit trail: a file was transferred at a file server (FTP, SFTP).

    ``path``: absolute in the tree that clients see; ``direction``: "out" (to the client); ``bytes``: handed to the
    connection; ``outcome``: "done", "aborted" (by the client, or it read a part only) or what went wrong.
    """

    server: str
    user: str
    remote: str
    path: str
    direction: str
    bytes: int
    outcome: str


class OnvifStream(Value, frozen=True, kw_only=True):
    """How a stream is encoded by a client's wish. ``base``: a digest of the configuration that was changed: with
    another one in the file, the wish counts no more. ``width``, ``height``: pixels; ``rate``: frames a second;
    ``bitrate``: kbit/s; ``quality``: 1 to 100; ``key_frames``: frames between two key frames."""

    stream: str
    base: str
    width: int
    height: int
    rate: float
    bitrate: int
    quality: int
    key_frames: int


class OnvifChanged(Event, frozen=True, kw_only=True):
    """A client changed by ONVIF what the device says of itself, or how streams are encoded. ``scopes``: those besides
    the configured ones; ``discoverable``: whether WS-Discovery answers; ``streams``: those that differ from the
    configuration; ``user``: who did it. All of it as it is from now on."""

    scopes: tuple[str, ...]
    discoverable: bool
    user: str
    streams: tuple[OnvifStream, ...] = ()


class AbuseSeen(Event, frozen=True, kw_only=True):
    """Hostile or broken input at a server, summed over ``window_s`` seconds so that the rate is bounded.

    ``counts``: kind of offence -> number; ``remotes``: at most eight addresses.
    """

    server: str
    window_s: float
    counts: dict[str, int]
    remotes: tuple[str, ...]


EVENTS: tuple[type[Event], ...] = (
    ServiceStarted,
    ServiceStopped,
    LogRecovered,
    ClockStepped,
    TimerFired,
    Baseline,
    ChainSigned,
    LogPruned,
    BlobMissing,
    ActorFailed,
    ActorParked,
    UserAdded,
    UserChanged,
    UserRemoved,
    PasswordSet,
    LoggedIn,
    LoginFailed,
    ApiCalled,
    SourceOpened,
    SourceChanged,
    SourceStalled,
    SourceLost,
    SourceEnded,
    SourceReported,
    FramesPassed,
    CaptureTaken,
    PlateRead,
    CaptureFailed,
    PassageDecided,
    ReadingsDiscarded,
    PassageSigned,
    Delivered,
    DeliveryFailed,
    DeliveryParked,
    DeliveryRequested,
    ServerListening,
    ClientJoined,
    ClientServed,
    ClientLeft,
    FileTransferred,
    OnvifChanged,
    AbuseSeen,
)
"""Every event type. The name in the log is the class's name."""

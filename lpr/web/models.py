"""The documents of the REST API: what goes in and out, as msgspec structs. The OpenAPI document is made from them.

Times go out as RFC 3339 text in UTC with microseconds; coordinates are pixels of the passage's picture, origin at the
top left; confidences run from 0 to 1. A field may be added, never removed or changed in meaning, within v1.
May import ``lpr.core`` and ``lpr.events``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lpr.core.search import MAX_LIMIT
from lpr.events import Box, Character, Corners, Micros, Vote
from lpr.web.credentials import MAX_PASSWORD, MIN_PASSWORD

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = 253_402_300_799_999_999  # the last microsecond of the year 9999


def instant(at: Micros) -> datetime:
    """µs since the epoch -> aware UTC time; what lies outside the years 1970-9999 is brought to their border."""
    return EPOCH + timedelta(microseconds=min(max(at, 0), FAR))


def micros(at: datetime) -> Micros:
    """Aware time -> µs since the epoch."""
    return (at - EPOCH) // timedelta(microseconds=1)


Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset, such as 2026-03-01T12:00:00-03:00")]
Text = Annotated[str, Meta(max_length=64)]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
Role = Literal["administrator", "operator"]


class _In(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what comes in: an unknown field is an error."""


class _Out(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what goes out."""


# --- log-in and users ----------------------------------------------------------------------------------


class Login(_In, frozen=True, kw_only=True):
    """User and password."""

    user: Text
    password: Password


class LoggedInAnswer(_Out, frozen=True, kw_only=True):
    """``token``: to be sent as ``Authorization: Bearer <token>``; ``expires``: when it ends by itself.

    ``password_change_required``: nothing else is possible until the password has been changed.
    """

    token: str
    expires: datetime
    user: str
    role: Role
    password_change_required: bool


class Me(_Out, frozen=True, kw_only=True):
    """Who is logged in. ``csrf``: to be sent as ``X-CSRF-Token`` with changes, when the cookie identifies the user."""

    user: str
    role: Role
    password_change_required: bool
    csrf: str


class PasswordChange(_In, frozen=True, kw_only=True):
    """The own password, old and new."""

    current: Password
    new: Annotated[str, Meta(min_length=1, max_length=1024, description=f"{MIN_PASSWORD} to {MAX_PASSWORD} characters")]


class UserDocument(_Out, frozen=True, kw_only=True):
    """``temporary_password``: it must be changed at the next log-in."""

    user: str
    role: Role
    temporary_password: bool
    since: datetime


class UserList(_Out, frozen=True, kw_only=True):
    """All users by name."""

    items: tuple[UserDocument, ...]


class NewUser(_In, frozen=True, kw_only=True):
    """A user to be added; the password must be changed at the first log-in."""

    user: Text
    role: Role
    password: Password


class UserChange(_In, frozen=True, kw_only=True):
    """What is given is changed. A password set by another must be changed at the next log-in."""

    role: Role | None = None
    password: Password | None = None


# --- passages ------------------------------------------------------------------------------------------


class Filter(_In, frozen=True, kw_only=True):
    """What to search for; every condition given must hold."""

    since: Time | None = msgspec.field(default=None, name="from")
    until: Time | None = msgspec.field(default=None, name="to")
    plate: Annotated[
        str,
        Meta(
            max_length=64,
            description="part of a plate, or a pattern of the whole plate with * (any characters) and ? (one)."
            " Both forms of a Brazilian plate find each other.",
        ),
    ] = ""
    min_confidence: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    lane: Annotated[str, Meta(max_length=32)] | None = None
    camera: Annotated[str, Meta(max_length=32)] | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")] | None = None
    vehicle: (
        Annotated[str, Meta(pattern="^[a-z]{1,16}$", description="car, motorcycle, bus, truck, van or pickup")] | None
    ) = None
    vehicle_colour: Annotated[str, Meta(pattern="^[a-z]{1,16}$", description="a colour of the vehicle")] | None = None
    category: (
        Annotated[str, Meta(pattern="^[a-z]{1,16}$", description="of the plate: private, official, ...")] | None
    ) = None
    plated: Annotated[Literal["true", "false"], Meta(description="false: vehicles without a plate")] | None = None
    order: Literal["newest", "oldest"] = "newest"


class PageQuery(Filter, frozen=True, kw_only=True):
    """A search with its page. ``cursor``: ``next`` of the page before."""

    cursor: Annotated[str, Meta(max_length=64)] | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = 50


class PictureLink(_Out, frozen=True, kw_only=True):
    """Where a JPEG can be fetched. ``sha256``: lower-case hex of its bytes, also its ETag."""

    url: str
    sha256: str


class PassageDocument(_Out, frozen=True, kw_only=True):
    """One vehicle that has passed. ``plate``: upper case, without separators, "" when nobody could read it.
    ``plated``: False when no plate was found on it; ``box`` is then the vehicle's.

    ``confidence``: the smallest of its characters'. ``box``, ``corners``: pixels of the picture, whose size is
    ``width`` × ``height``. ``signed``: the picture carries comment and signature; before, its link is to the plain
    one and ``plate_picture`` is null. ``seq``: of its record in the log.
    """

    id: str
    seq: int
    plate: str
    confidence: float
    characters: tuple[Character, ...]
    country: str | None
    layout: str | None
    camera: str
    lane: str
    direction: str
    at: datetime
    first_at: datetime
    last_at: datetime
    reads: int
    plate_colour: str | None
    vehicle: str | None
    vehicle_colour: str | None
    speed_kmh: float | None
    make: str | None
    model: str | None
    plate_category: str | None
    plated: bool
    box: Box
    corners: Corners
    width: int
    height: int
    signed: bool
    picture: PictureLink
    plate_picture: PictureLink | None


class PassagePage(_Out, frozen=True, kw_only=True):
    """``next``: the cursor of the next page, null at the end. The number of pages has no limit."""

    items: tuple[PassageDocument, ...]
    next: str | None


class Count(_Out, frozen=True, kw_only=True):
    """How many passages a search finds on all its pages."""

    count: int


class DeliveryDocument(_Out, frozen=True, kw_only=True):
    """What became of a passage at one sink. ``state``: delivered, failed (will be tried again), parked, requested."""

    sink: str
    state: str
    attempt: int
    at: datetime
    detail: str


class EventDocument(_Out, frozen=True, kw_only=True):
    """A record of the log. ``body``: the event as it was stored, see schemas/events. ``cause``: seq, 0 none."""

    seq: int
    id: str
    type: str
    version: int
    actor: str
    cause: int
    at: datetime
    body: msgspec.Raw


class PassageDetail(_Out, frozen=True, kw_only=True):
    """A passage with its why: every event that led to it and followed from it, in the order of the log.

    ``complete``: False when some of the events were removed by retention or lie too far back.
    """

    passage: PassageDocument
    votes: tuple[Vote, ...]
    deliveries: tuple[DeliveryDocument, ...]
    events: tuple[EventDocument, ...]
    complete: bool


class Redelivery(_In, frozen=True, kw_only=True):
    """Send the passage to ``sink`` again."""

    sink: Annotated[str, Meta(min_length=1, max_length=32)]


class Accepted(_Out, frozen=True, kw_only=True):
    """The request is in the log as record ``seq``."""

    seq: int


# --- events, cameras -----------------------------------------------------------------------------------


class EventQuery(_In, frozen=True, kw_only=True):
    """``after``: the last sequence number already known. ``types``: names with commas between, none: all."""

    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    types: Annotated[str, Meta(max_length=1024)] = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class StreamQuery(_In, frozen=True, kw_only=True):
    """``after``: resume behind this record; none: what comes from now on. The header Last-Event-ID goes before it."""

    after: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    types: Annotated[str, Meta(max_length=1024)] = ""


class EventPage(_Out, frozen=True, kw_only=True):
    """``next``: ``after`` of the next page; ``head``: the last record of the log at this moment."""

    items: tuple[EventDocument, ...]
    next: int
    head: int


class CameraDocument(_Out, frozen=True, kw_only=True):
    """A camera. ``state``: starting, running, stalled, lost, ended, waiting or stopped."""

    name: str
    lane: str
    state: str
    message: str
    width: int
    height: int
    rate: float
    live: str
    snapshot: str


class CameraList(_Out, frozen=True, kw_only=True):
    """The cameras in the order of the configuration."""

    items: tuple[CameraDocument, ...]


class LiveQuery(_In, frozen=True, kw_only=True):
    """``boxes``: draw the plates that were just read. ``rate``: pictures a second, at most ``web.live_rate``."""

    boxes: Literal["0", "1"] = "1"
    rate: Annotated[float, Meta(gt=0.0, le=30.0)] = 30.0


class SnapshotQuery(_In, frozen=True, kw_only=True):
    """``boxes``: draw the plates that were just read."""

    boxes: Literal["0", "1"] = "0"

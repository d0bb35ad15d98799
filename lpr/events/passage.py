"""A passage, from the capture that a trigger took to its signed pictures.

Imports ``base`` and ``values``.
"""

from __future__ import annotations

from lpr.events.base import Box, Corners, Event, Micros, Value
from lpr.events.values import Character, Exposure, Picture, Reading


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


EVENTS: tuple[type[Event], ...] = (
    CaptureTaken,
    PlateRead,
    CaptureFailed,
    PassageDecided,
    ReadingsDiscarded,
    PassageSigned,
)

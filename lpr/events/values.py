"""The values that events of a passage are made of: characters, readings, vehicles, pictures.

Imports ``base``.
"""

from __future__ import annotations

from lpr.events.base import Box, Corners, Micros, Value

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
    ``confidence``: the smallest of the characters' confidences, or, if that is smaller, the probability that there
    are as many. ``detection``: the detector's score.
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

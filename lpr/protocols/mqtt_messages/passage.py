"""What a passage and a camera say over MQTT: JSON documents with a schema (``schemas/mqtt.json``). Pure.

These documents are ours; no standard describes them. A new key may come at any time, a key never changes its meaning:
that would be a new ``version``. Readers pass over keys that they don't know.

May import ``lpr.events``, msgspec and the standard library.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from lpr.events import Box, Corners, Micros, PassageDecided, PassageSigned, Picture

VERSION = 1


class CharacterMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One character. ``confidence``: 0 to 1."""

    char: str
    confidence: float


class VehicleMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The vehicle, as far as somebody looked at it: null where nothing is known."""

    kind: str | None = None
    colour: str | None = None
    make: str | None = None
    model: str | None = None


class PictureMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A JPEG of the passage. ``sha256``: of its bytes, hex; ``topic``: where it is published, null when it is not;
    ``data``: the JPEG in base64 when the configuration puts pictures into the message, else null."""

    width: int
    height: int
    bytes: int
    sha256: str
    topic: str | None = None
    data: str | None = None


class PassageMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One vehicle has passed.

    ``id``: the passage's; the same document may come twice with it, never two passages. ``device``, ``camera``,
    ``lane``: where. ``at``, ``first_at``, ``last_at``: UTC, ISO 8601 with milliseconds: the best picture, and when the
    vehicle was first and last seen. ``plate``: upper case without separators, "" when it could not be read;
    ``plated``: false for a vehicle without a plate. ``confidence``: 0 to 1. ``country``: ISO 3166-1 alpha-2.
    ``format``: a key of the plate formats. ``direction``: "approach", "away" or "unknown". ``speed_kmh``: km/h, null
    when not measured. ``box``: left, top, right, bottom; ``corners``: top left, top right, bottom right, bottom left
    of the plate; both pixels of ``picture``. ``reads``: readings that were voted on.
    """

    version: int = VERSION
    id: str
    device: str
    camera: str
    lane: str
    at: str
    first_at: str
    last_at: str
    plate: str
    plated: bool
    confidence: float
    characters: tuple[CharacterMessage, ...]
    country: str | None
    format: str | None
    plate_colour: str | None
    plate_category: str | None
    direction: str
    vehicle: VehicleMessage
    speed_kmh: float | None
    box: Box
    corners: Corners
    reads: int
    picture: PictureMessage
    plate_picture: PictureMessage | None


class StateMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The last passage of a camera in few words, retained: what sensors show. ``confidence``: per cent, one decimal;
    ``passages``: since the service started. Values that are not known are null."""

    plate: str | None
    confidence: float | None
    country: str | None
    direction: str | None
    at: str | None
    id: str | None
    passages: int


MESSAGES: tuple[type[msgspec.Struct], ...] = (PassageMessage, StateMessage)
"""The documents, for the schema."""


def iso(at: Micros) -> str:
    """``2024-02-01T06:00:05.509Z``, cut to milliseconds."""
    seconds, micros = divmod(at, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{micros // 1000:03d}Z"


def passage_message(
    passage: str,
    decided: PassageDecided,
    signed: PassageSigned,
    *,
    device: str,
    topics: Mapping[str, str],
    images: Mapping[str, bytes],
) -> PassageMessage:
    """The document of a passage. ``topics``: "full" and "plate", where those pictures are published; ``images``: those
    that are put into it."""
    plate_picture = None
    if signed.plate_picture.blob:
        plate_picture = _picture(signed.plate_picture, topics.get("plate"), images.get("plate"))
    return PassageMessage(
        id=passage,
        device=device,
        camera=decided.source,
        lane=decided.lane,
        at=iso(decided.at),
        first_at=iso(decided.first_at),
        last_at=iso(decided.last_at),
        plate=decided.plate,
        plated=decided.plated,
        confidence=round(decided.confidence, 4),
        characters=tuple(
            CharacterMessage(char=one.char, confidence=round(one.confidence, 4)) for one in decided.characters
        ),
        country=decided.country,
        format=decided.layout,
        plate_colour=decided.plate_colour,
        plate_category=decided.plate_category,
        direction=decided.direction,
        vehicle=VehicleMessage(
            kind=decided.vehicle, colour=decided.vehicle_colour, make=decided.make, model=decided.model
        ),
        speed_kmh=decided.speed_kmh,
        box=decided.box,
        corners=decided.corners,
        reads=decided.reads,
        picture=_picture(signed.picture, topics.get("full"), images.get("full")),
        plate_picture=plate_picture,
    )


def state_message(passage: str, decided: PassageDecided, passages: int) -> StateMessage:
    """What the sensors of a camera show after a passage."""
    return StateMessage(
        plate=decided.plate or None,
        confidence=round(100 * decided.confidence, 1),
        country=decided.country,
        direction=None if decided.direction == "unknown" else decided.direction,
        at=iso(decided.at),
        id=passage,
        passages=passages,
    )


def encode(message: msgspec.Struct) -> bytes:
    """A document as JSON, UTF-8."""
    return msgspec.json.encode(message)


def _picture(picture: Picture, topic: str | None, image: bytes | None) -> PictureMessage:
    return PictureMessage(
        width=picture.width,
        height=picture.height,
        bytes=picture.bytes,
        sha256=picture.blob,
        topic=topic,
        data=None if image is None else base64.b64encode(image).decode("ascii"),
    )

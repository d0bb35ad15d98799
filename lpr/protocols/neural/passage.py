"""A passage, or a reading that a trigger asked for, as an ``infoplate``. Pure.

What is chosen here and not told by any source is marked in docs/protocols/neural.md: ``DateHour`` is local time by a
fixed offset, confidences are percent, the plate's box is given in pixels of the picture, numbers for cameras, lanes
and countries come from the configuration, and what is not known is 0 or empty.

May import ``lpr.events``, ``msgspec`` and the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from lpr.events import Box, Character, Micros, PassageDecided, Reading
from lpr.protocols.neural.record import NOT_IN_A_LIST, Evidence, Infoplate
from lpr.protocols.neural.template import fill

DIRECTIONS = {"approach": 1, "away": -1}


@dataclass(frozen=True, slots=True)
class Wording:
    """What a receiver is told besides the passage.

    ``computer_id``, ``location_id``: of this installation. ``camera_ids``, ``lane_ids``: camera -> CamID, LaneID;
    without one CamID is the camera's name and LaneID empty. ``country_names``, ``country_ids``: ISO 3166-1 alpha-2 ->
    Country and CountryID; without one the code itself and 0. ``utc_offset``: "+02:00". ``columns``: further elements,
    name -> text with macros.
    """

    computer_id: str = "1"
    location_id: str = ""
    camera_ids: Mapping[str, str] = field(default_factory=dict[str, str])
    lane_ids: Mapping[str, str] = field(default_factory=dict[str, str])
    country_names: Mapping[str, str] = field(default_factory=dict[str, str])
    country_ids: Mapping[str, int] = field(default_factory=dict[str, int])
    utc_offset: str = "+00:00"
    columns: Mapping[str, str] = field(default_factory=dict[str, str])


def record_of_passage(
    passage: PassageDecided, wording: Wording, *, id: str, image: bytes | None = None, evidences: Sequence[bytes] = ()
) -> Infoplate:
    """``id``: the passage's, which tells repetitions. ``image``: JPEG, None without; ``evidences``: more of them."""
    left, top, width, height = _pixels(passage.box) if passage.plated else (0, 0, 0, 0)
    record = _record(wording, passage.source, passage.lane, passage.at, passage.country, passage.characters)
    return _finished(
        msgspec.structs.replace(
            record,
            plate=passage.plate,
            confidence=_percent(passage.confidence),
            left=left,
            top=top,
            width=width,
            height=height,
            direction=DIRECTIONS.get(passage.direction, 0),
            image=image,
            evidences=tuple(Evidence(camera=record.camera_id, image=picture) for picture in evidences),
            speed=passage.speed_kmh,
            make=passage.make,
            colour=_known(passage.vehicle_colour),
            vehicle=passage.vehicle,
            guid=id,
        ),
        wording,
    )


def record_of_reading(
    reading: Reading,
    wording: Wording,
    *,
    id: str,
    source: str,
    lane: str,
    at: Micros,
    elapsed_ms: float = 0.0,
    image: bytes | None = None,
    evidences: Sequence[bytes] = (),
) -> Infoplate:
    """One reading of a picture that was asked for.

    ``id``: the capture's. ``at``: the picture's time. ``elapsed_ms``: what the engine took.
    """
    left, top, width, height = _pixels(reading.box) if reading.plated else (0, 0, 0, 0)
    record = _record(wording, source, lane, at, reading.country, reading.characters)
    vehicle = reading.vehicle
    return _finished(
        msgspec.structs.replace(
            record,
            plate=reading.text,
            confidence=_percent(reading.confidence),
            process_time=max(0, round(elapsed_ms)),
            left=left,
            top=top,
            width=width,
            height=height,
            image=image,
            evidences=tuple(Evidence(camera=record.camera_id, image=picture) for picture in evidences),
            make=None if vehicle is None else vehicle.make,
            colour=None if vehicle is None else _known(vehicle.colour),
            vehicle=None if vehicle is None else vehicle.kind,
            guid=id,
        ),
        wording,
    )


def record_of_nothing(
    wording: Wording, *, source: str, lane: str, at: Micros, feedback: str, id: str | None = None
) -> Infoplate:
    """The answer to a trigger that gave no plate: everything but a plate, and ``feedback`` says why."""
    record = _record(wording, source, lane, at, None, ())
    return _finished(msgspec.structs.replace(record, feedback=feedback, guid=id), wording)


def local_time(at: Micros, utc_offset: str) -> str:
    """``2014-09-27 11:15:40.000``: local time without a zone, cut (not rounded) to milliseconds."""
    sign = -1 if utc_offset.startswith("-") else 1
    zone = timezone(sign * timedelta(hours=int(utc_offset[1:3]), minutes=int(utc_offset[4:6])))
    seconds, micros = divmod(at, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{micros // 1000:03d}"


def _record(
    wording: Wording, source: str, lane: str, at: Micros, country: str | None, characters: Sequence[Character]
) -> Infoplate:
    code = country or ""
    return Infoplate(
        time=local_time(at, wording.utc_offset),
        country=wording.country_names.get(code, code),
        country_id=wording.country_ids.get(code, 0),
        country_iso2=country,
        camera_id=wording.camera_ids.get(source, source),
        camera_name=source,
        computer_id=wording.computer_id,
        location_id=wording.location_id,
        lane_name=lane,
        lane_id=wording.lane_ids.get(source, ""),
        list=NOT_IN_A_LIST,
        character_confidence=tuple(_percent(character.confidence) for character in characters) or None,
    )


def _finished(record: Infoplate, wording: Wording) -> Infoplate:
    columns = {name: fill(template, record) for name, template in wording.columns.items()}
    return msgspec.structs.replace(record, others=columns)


def _pixels(box: Box) -> tuple[int, int, int, int]:
    """Left, top, width, height in whole pixels that cover the box."""
    left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    return left, top, max(0, math.ceil(box[2]) - left), max(0, math.ceil(box[3]) - top)


def _percent(confidence: float) -> float:
    return round(100.0 * min(1.0, max(0.0, confidence)), 2)


def _known(colour: str | None) -> str | None:
    return None if colour == "unknown" else colour

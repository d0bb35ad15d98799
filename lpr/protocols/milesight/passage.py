"""A passage in Milesight's words: metadata of the TCP type, JSON fields and address of the HTTP type. Pure.

What the manual leaves open is chosen here and marked in docs/protocols/milesight.md: In is a vehicle that
approaches, Out one that goes away; the region is ISO 3166-1 alpha-3; times of the HTTP type are local time by a
fixed offset; every value of the JSON is text and "-" is "not known"; a van is the manual's minibus, a pickup its car;
a vehicle without a plate has an empty plate and the coordinates 0.

May import ``lpr.events``, ``msgspec`` and the standard library.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from lpr.events import COLOURS, Micros, PassageDecided
from lpr.protocols.milesight.countries import region_of
from lpr.protocols.milesight.metadata import MAX_PLATE, Metadata, cut_utf8

ABSENT = "-"
VEHICLES = {
    "car": 1,
    "motorcycle": 2,
    "motorbike": 2,
    "motor bike": 2,
    "bus": 3,
    "truck": 4,
    "minibus": 5,
    "van": 5,
    "pickup": 1,
}
DIRECTIONS = {"approach": 1, "away": 2}
_VEHICLE_TEXT = {"motorcycle": "Motor", "motorbike": "Motor", "suv": "SUV"}
_U16 = 0xFFFF
_U64 = 0xFFFF_FFFF_FFFF_FFFF


def guid_of(text: str) -> bytes:
    """16 bytes of a GUID written in hex, in the order written, hyphens passed over.

    The manual shows the bytes alone, so no field is turned round as Microsoft's GUIDs are. Raises ValueError.
    """
    raw = bytes.fromhex(text.replace("-", ""))
    if len(raw) != 16:
        raise ValueError(f"a GUID has 32 hex digits, {text!r} has {2 * len(raw)}")
    return raw


def pixels(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """A box in whole pixels that covers it, inside the picture and the wire's u16."""
    x1, y1, x2, y2 = box
    right, bottom = min(width, _U16), min(height, _U16)
    return (
        _within(math.floor(x1), right),
        _within(math.floor(y1), bottom),
        _within(math.ceil(x2), right),
        _within(math.ceil(y2), bottom),
    )


def metadata_of(passage: PassageDecided, *, guid: bytes, roi: int, plate_type: int) -> Metadata:
    """The metadata chunk's values. ``guid``: the device's, 16 bytes; ``roi``: 0 to 4; ``plate_type``: 0 to 3."""
    width, height = passage.picture.width, passage.picture.height
    x1, y1, x2, y2 = plate_pixels(passage)
    return Metadata(
        guid=guid,
        time_ms=_within(passage.at // 1000, _U64),
        plate=cut_utf8(passage.plate, MAX_PLATE).decode(),
        vehicle_colour=_colour(passage.vehicle_colour),
        plate_colour=_colour(passage.plate_colour),
        speed=0 if passage.speed_kmh is None else _within(round(passage.speed_kmh), _U16),
        direction=DIRECTIONS.get(passage.direction, 0),
        region=region_of(passage.country),
        roi=roi,
        vehicle=VEHICLES.get((passage.vehicle or "").lower(), 0),
        confidence=passage.confidence,
        plate_type=plate_type,
        width=min(width, _U16),
        height=min(height, _U16),
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
    )


@dataclass(frozen=True, slots=True)
class Wording:
    """What a receiver is told besides the passage. ``device``: the device's name; ``plate_type``: "Visitor", ...;
    ``utc_offset``: "+02:00", the local time of ``time``; ``milliseconds``: whether ``time`` has them."""

    device: str = "Network Camera"
    plate_type: str = "Visitor"
    utc_offset: str = "+00:00"
    milliseconds: bool = True


def fields_of(
    passage: PassageDecided,
    wording: Wording,
    *,
    roi: int,
    plate_image: bytes | None = None,
    full_image: bytes | None = None,
) -> dict[str, str]:
    """Keys and values of the POST, in the manual's order. An image that is None has no key, as when a camera is
    configured not to send it; ``b""`` (configured but lost) gives an empty value. Images are bare base64."""
    width, height = passage.picture.width, passage.picture.height
    x1, y1, x2, y2 = plate_pixels(passage)
    precise = local_time(passage.at, wording.utc_offset, milliseconds=True)
    fields = {
        "device": wording.device or ABSENT,
        "time": precise if wording.milliseconds else local_time(passage.at, wording.utc_offset, milliseconds=False),
        "time_msec": precise,
        "plate": passage.plate or ABSENT,
        "type": wording.plate_type,
        "speed": ABSENT if passage.speed_kmh is None else str(max(0, round(passage.speed_kmh))),
        "direction": passage.direction.capitalize() if passage.direction in DIRECTIONS else ABSENT,
        "detection_region": str(roi) if roi else ABSENT,
        "region": region_of(passage.country) or ABSENT,
        "resolution_width": str(width),
        "resolution_height": str(height),
        "coordinate_x1": str(x1),
        "coordinate_y1": str(y1),
        "coordinate_x2": str(x2),
        "coordinate_y2": str(y2),
        "confidence": f"{passage.confidence:.2f}",
        "plate_color": _colour_text(passage.plate_colour),
        "vehicle_type": _vehicle_text(passage.vehicle),
        "vehicle_color": _colour_text(passage.vehicle_colour),
        "Vehicle Brand": " ".join(word for word in (passage.make, passage.model) if word) or ABSENT,
    }
    for key, image in (("plate_image", plate_image), ("full_image", full_image)):
        if image is not None:
            fields[key] = base64.b64encode(image).decode("ascii")
    return fields


def post_body(fields: Mapping[str, str]) -> bytes:
    """The POST's body: one JSON object, UTF-8."""
    return msgspec.json.encode(fields)


def get_url(url: str, plate: str) -> str:
    """``url`` with ``Caption=LPR&description=PLATE`` joined to whatever query it has; a fragment is dropped.

    The spaces that the manual prints around "=" are taken for typography.
    """
    parts = urlsplit(url)
    query = f"Caption=LPR&description={quote(plate or ABSENT, safe='')}"
    if parts.query:
        query = f"{parts.query.removesuffix('&')}&{query}"
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))


def local_time(at: Micros, utc_offset: str, *, milliseconds: bool) -> str:
    """``2024-02-01 06:00:05.509``: local time without a zone, cut (not rounded) to milliseconds or seconds."""
    sign = -1 if utc_offset.startswith("-") else 1
    hours, minutes = int(utc_offset[1:3]), int(utc_offset[4:6])
    zone = timezone(sign * timedelta(hours=hours, minutes=minutes))
    seconds, micros = divmod(at, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{micros // 1000:03d}" if milliseconds else text


def plate_pixels(passage: PassageDecided) -> tuple[int, int, int, int]:
    """Where the plate is, all 0 for a vehicle without one."""
    if not passage.plated:
        return (0, 0, 0, 0)
    return pixels(passage.box, passage.picture.width, passage.picture.height)


def _colour(name: str | None) -> int:
    return COLOURS.index(name) if name in COLOURS else 0


def _colour_text(name: str | None) -> str:
    return ABSENT if not name or name == "unknown" else name.capitalize()


def _vehicle_text(name: str | None) -> str:
    if not name:
        return ABSENT
    return _VEHICLE_TEXT.get(name.lower(), name.capitalize())


def _within(value: int, most: int) -> int:
    return max(0, min(value, most))

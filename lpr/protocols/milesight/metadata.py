"""The metadata chunk of COMM_RECOG_POST, revisions 1.0 to 1.6 (manual, "COMM_RECOG_POST" and its table of revisions).

Offsets, little-endian, N = bytes of the plate's UTF-8:

    0 GUID 16 | 16 time u64 ms | 24 number 16 | 40 vehicle colour u8 | 41 plate colour u8 | 42 speed u16 | 44 images u8
    45 direction u8 | 46 region 32 | 78 ROI u8 | 79 N u8 | 80 plate N | +0 vehicle type u8 | +1 confidence f32
    +5 plate type u8 | +6 distance i32 | +10 azimuth f32 | +14 vehicles u32 | +18 width, height, x1, y1, x2, y2 u16 each

A revision is a prefix of the next. The decoder goes by the chunk's size, whatever the peer calls its revision, and
keeps what a later revision may have added. The 16 bytes of the old number stay in every revision: only with them do
the fields add up to the manual's 110 + N.

May import ``lpr.events``, ``msgspec`` and the standard library.
"""

from __future__ import annotations

import struct
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec.structs import replace

from lpr.protocols.milesight.framing import ProtocolError

Revision: TypeAlias = Literal["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]
REVISIONS: tuple[Revision, ...] = get_args(Revision)

NUMBER_SIZE = 16
REGION_SIZE = 32
MAX_PLATE = 255

_BASE = struct.Struct("<16sQ16sBBHB")
_REGION_ROI = struct.Struct("<32sB")
_QUALITY = struct.Struct("<fBifI")
_PLACE = struct.Struct("<6H")


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the metadata chunk says. Fields that the revision lacks have their defaults.

    ``guid``: the device's id, 16 raw bytes. ``time_ms``: milliseconds since the Unix epoch, UTC. ``plate``: text, at
    most 255 bytes of UTF-8. ``number``: the old 16-byte number; None: cut from ``plate``. Colours: index in
    ``lpr.events.COLOURS``. ``speed``: km/h. ``images``: how many image chunks follow. ``direction``: 0 unknown, 1 in,
    2 out. ``region``: text, at most 32 bytes. ``roi``: 1 to 4, 0 unknown. ``vehicle``: 0 unknown, 1 car, 2 motor bike,
    3 bus, 4 truck, 5 minibus. ``confidence``: 0 to 1. ``plate_type``: 1 black, 2 white, 3 visitor. ``distance``,
    ``azimuth``, ``vehicles``: only with a radar. ``width``, ``height``: of the picture that ``x1`` ... ``y2`` (the
    plate's box) are measured in, pixels. ``rest``: bytes behind the revision's last field, from a later revision.
    """

    guid: bytes
    time_ms: int
    plate: str = ""
    number: str | None = None
    vehicle_colour: int = 0
    plate_colour: int = 0
    speed: int = 0
    images: int = 0
    direction: int = 0
    region: str = ""
    roi: int = 0
    vehicle: int = 0
    confidence: float = 0.0
    plate_type: int = 0
    distance: int = 0
    azimuth: float = 0.0
    vehicles: int = 0
    width: int = 0
    height: int = 0
    x1: int = 0
    y1: int = 0
    x2: int = 0
    y2: int = 0
    rest: bytes = b""


def cut_utf8(text: str, size: int) -> bytes:
    """``text`` as UTF-8, cut to at most ``size`` bytes without breaking a character."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore").encode()


def _text(field: bytes) -> str:
    """A NUL-padded field. Cameras may cut it inside a character, so what is not UTF-8 becomes U+FFFD."""
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def encode_metadata(metadata: Metadata, revision: Revision) -> bytes:
    """The chunk's content, without the chunk's header, as ``revision`` has it; ``rest`` follows 1.6 alone.

    Raises ValueError when a value does not fit into its field.
    """
    level = REVISIONS.index(revision)
    plate = metadata.plate.encode("utf-8", "replace")
    if len(plate) > MAX_PLATE:
        raise ValueError(f"the plate has {len(plate)} bytes of UTF-8, at most {MAX_PLATE} fit")
    if len(metadata.guid) != 16:
        raise ValueError(f"a GUID has 16 bytes, not {len(metadata.guid)}")
    number = cut_utf8(metadata.plate if metadata.number is None else metadata.number, NUMBER_SIZE)
    m = metadata
    try:
        parts = [_BASE.pack(m.guid, m.time_ms, number, m.vehicle_colour, m.plate_colour, m.speed, m.images)]
        if level >= 1:
            parts.append(struct.pack("<B", m.direction))
        if level >= 2:
            parts.append(_REGION_ROI.pack(cut_utf8(m.region, REGION_SIZE), m.roi))
        if level >= 3:
            parts.append(struct.pack("<B", len(plate)) + plate)
        if level >= 4:
            parts.append(struct.pack("<B", m.vehicle))
        if level >= 5:
            parts.append(_QUALITY.pack(m.confidence, m.plate_type, m.distance, m.azimuth, m.vehicles))
        if level >= 6:
            parts.append(_PLACE.pack(m.width, m.height, m.x1, m.y1, m.x2, m.y2) + m.rest)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"a value of the metadata does not fit into its field: {error}") from None
    return b"".join(parts)


def decode_metadata(data: bytes) -> Metadata:
    """Metadata from a chunk's content of any revision, by its size alone.

    Before 1.3 the plate is the old 16-byte number. Raises ProtocolError "bad metadata".
    """
    if len(data) < _BASE.size:
        raise ProtocolError("bad metadata", f"{len(data)} bytes, revision 1.0 already has {_BASE.size}")
    guid, time_ms, number_field, vehicle_colour, plate_colour, speed, images = _BASE.unpack_from(data)
    number = _text(number_field)
    found = Metadata(
        guid=guid,
        time_ms=time_ms,
        plate=number,
        number=number,
        vehicle_colour=vehicle_colour,
        plate_colour=plate_colour,
        speed=speed,
        images=images,
    )
    found, at = _decode_later(found, data, _BASE.size)
    return replace(found, rest=data[at:]) if at < len(data) else found


def _decode_later(found: Metadata, data: bytes, at: int) -> tuple[Metadata, int]:
    """What 1.1 and later add from offset ``at`` on; also gives the offset behind the last field found."""
    if len(data) < at + 1:
        return found, at
    found = replace(found, direction=data[at])
    at += 1
    if len(data) < at + _REGION_ROI.size:
        return found, at
    region, roi = _REGION_ROI.unpack_from(data, at)
    found = replace(found, region=_text(region), roi=roi)
    at += _REGION_ROI.size
    if len(data) < at + 1:
        return found, at
    size = data[at]
    if len(data) < at + 1 + size:
        raise ProtocolError("bad metadata", f"a plate of {size} bytes announced, {len(data) - at - 1} are there")
    try:
        found = replace(found, plate=data[at + 1 : at + 1 + size].decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ProtocolError("bad metadata", f"the plate is not UTF-8: {error.reason}") from None
    at += 1 + size
    if len(data) < at + 1:
        return found, at
    found = replace(found, vehicle=data[at])
    at += 1
    if len(data) < at + _QUALITY.size:
        return found, at
    confidence, plate_type, distance, azimuth, vehicles = _QUALITY.unpack_from(data, at)
    found = replace(
        found, confidence=confidence, plate_type=plate_type, distance=distance, azimuth=azimuth, vehicles=vehicles
    )
    at += _QUALITY.size
    if len(data) < at + _PLACE.size:
        return found, at
    width, height, x1, y1, x2, y2 = _PLACE.unpack_from(data, at)
    return replace(found, width=width, height=height, x1=x1, y1=y1, x2=x2, y2=y2), at + _PLACE.size

"""Milesight's messages as reports: every field in words, everything that departs from the manual named. Pure.

Sources: *Integration between LPR Camera and NVR(VMS)*, Milesight, revision 1.6 ("TCP Type", "HTTP Type"); of what it
leaves open the receivers named in docs/protocols/milesight.md. May import this room, ``lpr.events`` and the codec.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import math
import re
import struct
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from lpr.events import COLOURS
from lpr.listen.report import Checks, Report, named
from lpr.protocols.milesight import Metadata, ProtocolError
from lpr.protocols.milesight.framing import LOGIN_REPLY, RECOGNITION, Frame
from lpr.protocols.milesight.messages import META_CHUNK, decode_recognition
from lpr.protocols.milesight.metadata import cut_utf8

FRAME: Final = "Milesight manual 1.6, TCP Type"
RECOG: Final = "Milesight manual 1.6, COMM_RECOG_POST"
HTTP: Final = "Milesight manual 1.6, HTTP Type"
RECEIVERS: Final = "known receivers (ex_nvr)"

DIRECTIONS = {0: "unknown", 1: "in", 2: "out"}
VEHICLES = {0: "unknown", 1: "car", 2: "motor bike", 3: "bus", 4: "truck", 5: "minibus"}
PLATE_TYPES = {1: "black", 2: "white", 3: "visitor"}
_COLOURS = dict(enumerate(COLOURS))
_SIZES = ((110, "1.6"), (98, "1.5"), (81, "1.4"), (80, "1.3"))
EARLIEST_MS = 946_684_800_000
"""The year 2000: an earlier time is none, or counts something else than milliseconds."""


def frame_report(frame: Frame) -> Report:
    """A frame of the camera, whatever it is."""
    if frame.command == LOGIN_REPLY:
        return login_report(frame)
    if frame.command == RECOGNITION:
        return recognition_report(frame)
    checks = Checks(FRAME)
    checks.add("command", f"0x{frame.command:04x}", "0x8001 (COMM_LOGIN_REPLY) or 0x8801 (COMM_RECOG_POST)")
    fields: dict[str, Any] = {"command": f"0x{frame.command:04x}", "size": len(frame.data)}
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fields["json"] = msgspec.json.decode(frame.data)
    return Report("message", fields, checks.found, raw=frame.data, counts=False)


def login_report(frame: Frame) -> Report:
    """COMM_LOGIN_REPLY; ``fields["result"]`` is what was answered, "" when that can't be told."""
    checks = Checks("Milesight manual 1.6, COMM_LOGIN_REPLY")
    result: object = ""
    try:
        content: object = msgspec.json.decode(frame.data.rstrip(b"\0\r\n "))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        checks.add("data", frame.data, 'JSON, {"result": "200"}')
    else:
        if isinstance(content, dict) and "result" in content:
            result = cast("dict[str, object]", content)["result"]
            if not isinstance(result, str):
                checks.add("result", f"{result!r} ({type(result).__name__})", 'text: "200"')
            checks.one_of("result", str(result), ("200", "400", "401"))
        else:
            checks.add("result", frame.data, 'an object with "result"')
    return Report("log-in", {"result": str(result)}, checks.found, raw=frame.data, counts=False)


def recognition_report(frame: Frame) -> Report:
    """COMM_RECOG_POST."""
    checks = Checks(RECOG)
    try:
        found = decode_recognition(frame.data)
    except ProtocolError as error:
        checks.add("data", error.detail, "chunks that add up, metadata of revision 1.0 to 1.6")
        return Report("passage", {}, checks.found, raw=frame.data)
    size = _metadata_size(frame.data)
    m = found.metadata
    fields = metadata_fields(m)
    fields["revision"] = _revision(size, m, checks)
    fields["other_chunks"] = [{"id": kind.hex(" "), "size": len(content)} for kind, content in found.others]
    _check_metadata(m, size, checks)
    if m.images != len(found.images):
        checks.add("image count", m.images, f"{len(found.images)}: so many image chunks follow")
    for kind, content in found.others:
        checks.add(
            "chunk", f"{kind.hex(' ')} with {len(content)} bytes", "11 ff 00 00 (metadata) or 22 ff 00 00 (image)"
        )
    pictures = [(f"image {index}", data) for index, data in enumerate(found.images)]
    for name, data in pictures:
        checks.jpeg(name, data)
    return Report("passage", fields, checks.found, pictures, frame.data)


def metadata_fields(m: Metadata) -> dict[str, Any]:
    """Every field of the metadata chunk; codes as names where they have one."""
    return {
        "device": m.guid.hex(),
        "time_ms": m.time_ms,
        "plate": m.plate,
        "number": m.number,
        "vehicle_colour": named(_COLOURS, m.vehicle_colour),
        "plate_colour": named(_COLOURS, m.plate_colour),
        "speed_kmh": m.speed,
        "images": m.images,
        "direction": named(DIRECTIONS, m.direction),
        "region": m.region,
        "roi": m.roi,
        "vehicle": named(VEHICLES, m.vehicle),
        "confidence": round(m.confidence, 4) if math.isfinite(m.confidence) else str(m.confidence),
        "plate_type": named(PLATE_TYPES, m.plate_type),
        "distance": m.distance,
        "azimuth": round(m.azimuth, 4) if math.isfinite(m.azimuth) else str(m.azimuth),
        "vehicles": m.vehicles,
        "picture_width": m.width,
        "picture_height": m.height,
        "box": [m.x1, m.y1, m.x2, m.y2],
        "further_bytes": m.rest.hex(" "),
    }


def _metadata_size(data: bytes) -> int:
    """Bytes of the first metadata chunk; the chunks are known to add up."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == META_CHUNK:
            return size
        at += 8 + size
    return 0


def _revision(size: int, m: Metadata, checks: Checks) -> str:
    """The revision that the chunk's size is that of."""
    plate = len(m.plate.encode()) if size >= 80 else 0
    for base, revision in _SIZES:
        if size == base + plate:
            return revision
    for exact, revision in ((79, "1.2"), (46, "1.1"), (45, "1.0")):
        if size == exact:
            return revision
    expected = f"45, 46, 79, {80 + plate}, {81 + plate}, {98 + plate} or {110 + plate} for this plate"
    checks.add("metadata size", f"{size} bytes", expected)
    return "unknown"


def _check_metadata(m: Metadata, size: int, checks: Checks) -> None:
    if not any(m.guid):
        checks.add("device id", "all zero", "the device's GUID")
    if m.time_ms < EARLIEST_MS:
        checks.add("time", m.time_ms, "milliseconds since 1970; this would be before the year 2000 (seconds?)")
    checks.one_of("vehicle colour", m.vehicle_colour, range(len(COLOURS)))
    checks.one_of("plate colour", m.plate_colour, range(len(COLOURS)))
    if size >= 46:
        checks.one_of("direction", m.direction, DIRECTIONS)
    if size >= 79:
        checks.one_of("ROI id", m.roi, range(5))
    plate = len(m.plate.encode())
    if size >= 80:
        number = cut_utf8(m.plate, 16).decode()
        if m.number is not None and m.number not in ("", number):
            checks.add("number", m.number, f"{number!r}, the plate cut to 16 bytes, or nothing")
        if "\0" in m.plate:
            checks.add("plate", m.plate, "text without NUL: the length says where it ends")
    if size >= 81 + plate:
        checks.one_of("vehicle type", m.vehicle, VEHICLES)
    if size >= 98 + plate:
        if not math.isfinite(m.confidence):
            checks.add("confidence", m.confidence, "0 to 1")
        elif not 0 <= m.confidence <= 1:
            hint = " (per cent?)" if 1 < m.confidence <= 100 else ""
            checks.add("confidence", f"{m.confidence:g}{hint}", "0 to 1", "inferred: the HTTP type's example is 0.70")
        checks.one_of("plate type", m.plate_type, PLATE_TYPES)
    if size >= 110 + plate:
        _check_box(m, checks)


def _check_box(m: Metadata, checks: Checks) -> None:
    if not m.width or not m.height:
        checks.add("width, height", f"{m.width}x{m.height}", "the size of the picture that the box is measured in")
    elif m.x2 > m.width or m.y2 > m.height:
        checks.add("box", f"{m.x1},{m.y1} to {m.x2},{m.y2}", f"inside {m.width}x{m.height}")
    if m.x1 > m.x2 or m.y1 > m.y2:
        checks.add("box", f"{m.x1},{m.y1} to {m.x2},{m.y2}", "left before right, top above bottom")


# --- HTTP type -----------------------------------------------------------------------------------------

REQUIRED = (
    "device", "time", "plate", "type", "speed", "direction", "detection_region", "region", "resolution_width",
    "resolution_height", "coordinate_x1", "coordinate_y1", "coordinate_x2", "coordinate_y2", "confidence",
    "plate_color", "vehicle_type", "vehicle_color",
)  # fmt: skip
IMAGES = ("plate_image", "full_image", "evidence_image0", "evidence_image1")
FURTHER = ("time_msec", "Vehicle Brand")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?")
_WHOLE = ("resolution_width", "resolution_height", "coordinate_x1", "coordinate_y1", "coordinate_x2", "coordinate_y2")
_BARE = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def is_milesight_post(content: object) -> bool:
    """Whether a JSON object looks like the HTTP type's."""
    return isinstance(content, dict) and "plate" in content and ("coordinate_x1" in content or "time" in content)


def post_report(body: bytes, content: Mapping[str, Any]) -> Report:
    """The POST's JSON."""
    checks = Checks(HTTP)
    fields: dict[str, Any] = {}
    pictures: list[tuple[str, bytes]] = []
    for key, value in content.items():
        if key in IMAGES:
            data = _image(key, value, checks)
            if data:
                pictures.append((key, data))
                checks.jpeg(key, data)
            continue
        fields[key] = value
        if not isinstance(value, str):
            checks.add(key, f"{value!r} ({type(value).__name__})", "text: every value is a JSON string", RECEIVERS)
        if key not in REQUIRED and key not in FURTHER:
            checks.add(key, "a key that the manual lacks", "the manual's keys")
    for key in REQUIRED:
        if key not in content:
            checks.add(key, "missing", 'every key, "-" for what is not known')
    _check_post({key: str(value) for key, value in content.items() if key not in IMAGES}, checks)
    return Report("passage", fields, checks.found, pictures, body, "json")


def get_report(query: Mapping[str, str], raw: bytes) -> Report:
    """The GET's query."""
    checks = Checks(HTTP)
    if query.get("Caption", "").strip() != "LPR":
        checks.add("Caption", query.get("Caption", "missing"), "LPR")
    if "description" not in query:
        checks.add("description", "missing", "the plate")
    return Report("passage", dict(query), checks.found, raw=raw, suffix="txt")


def _image(key: str, value: object, checks: Checks) -> bytes:
    if not isinstance(value, str):
        checks.add(key, type(value).__name__, "base64")
        return b""
    text = value
    if text.startswith("data:"):
        checks.add(key, text[:40], "bare base64, no data URI", RECEIVERS)
        text = text.partition(",")[2]
    if not _BARE.fullmatch(text):
        checks.add(key, "characters besides base64 (line breaks?)", "bare base64")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        checks.add(key, str(error), "base64")
        return b""


def _check_post(content: Mapping[str, str], checks: Checks) -> None:
    def given(key: str) -> str | None:
        value = content.get(key)
        return None if value is None or value == "-" else value

    for key in ("time", "time_msec"):
        value = given(key)
        if value is not None and not _TIME.fullmatch(value):
            checks.add(key, value, "2020-11-03 20:29:48, with milliseconds or without")
    if (value := given("type")) is not None:
        checks.one_of("type", value, ("Black", "White", "Visitor"))
    if (value := given("direction")) is not None:
        checks.one_of("direction", value, ("Approach", "Away"))
    if (value := given("detection_region")) is not None:
        checks.one_of("detection_region", value, ("1", "2", "3", "4"))
    numbers: dict[str, int] = {}
    for key in _WHOLE:
        value = given(key)
        if value is None:
            continue
        if value.isascii() and value.isdigit():
            numbers[key] = int(value[:9])
        else:
            checks.add(key, value, "whole pixels")
    if (value := given("speed")) is not None and not (value.isascii() and value.isdigit()):
        checks.add("speed", value, 'km/h as digits, "-" when not measured')
    if (value := given("confidence")) is not None:
        try:
            inside = 0 <= float(value) <= 1
        except ValueError:
            inside = False
        if not inside:
            checks.add("confidence", value, "0 to 1, as 0.70")
    _check_corners(numbers, checks)


def _check_corners(numbers: Mapping[str, int], checks: Checks) -> None:
    if not numbers.keys() >= set(_WHOLE):
        return
    width, height, x1, y1, x2, y2 = (numbers[key] for key in _WHOLE)
    if x1 > x2 or y1 > y2:
        checks.add("coordinates", f"{x1},{y1} to {x2},{y2}", "left before right, top above bottom")
    if x2 > width or y2 > height:
        checks.add("coordinates", f"{x1},{y1} to {x2},{y2}", f"inside {width}x{height}")

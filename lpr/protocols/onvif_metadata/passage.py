"""A passage in the words of metadata: the standard's plate event, Milesight's, and the objects of its best picture.

Sources: ONVIF Analytics Service Specification, annex "Recognition rule engines" (rule tt:LicensePlateRecognition,
topic ``tns1:RuleEngine/Recognition/LicensePlate``: Likelihood and LicensePlateInfo are mandatory); Milesight's manual
"Integration between LPR Camera and NVR(VMS)", "2. RTSP Type". Home Assistant and others know no plate topic but the
property ``tns1:RuleEngine/MyRuleDetector/VehicleDetect`` with the source item "Source" and "State" first in the data,
so a vehicle in view is told that way, too, and as the motion alarm by which NVRs record. What is chosen here without a
source says docs/protocols/onvif-metadata.md.

Pure. May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lpr.events import Micros, PassageDecided, Vehicle
from lpr.protocols.onvif_metadata.markup import number
from lpr.protocols.onvif_metadata.model import (
    Element,
    Notification,
    Operation,
    PlateInfo,
    SceneFrame,
    SceneObject,
    VehicleInfo,
    place_of,
)

PLATE_TOPIC = "tns1:RuleEngine/Recognition/LicensePlate"
MILESIGHT_TOPIC = "tns1:RuleEngine/LicensePlateDetector/LicensePlate"
VEHICLE_TOPIC = "tns1:RuleEngine/MyRuleDetector/VehicleDetect"
MOTION_TOPIC = "tns1:VideoSource/MotionAlarm"

UNKNOWN = "-"
"""Milesight's word for what isn't known, as in its HTTP type."""
DIRECTIONS: Mapping[str, str] = {"approach": "Approaching", "away": "Departing"}
YAW: Mapping[str, float] = {"approach": -90.0, "away": 90.0}
MILESIGHT_DIRECTIONS: Mapping[str, str] = {"approach": "1", "away": "2"}
PLATE_KINDS: Mapping[str, str] = {"diplomatic": "Diplomat", "temporary": "Temporary", "police": "Police"}
VEHICLE_KINDS: Mapping[str, str] = {
    "car": "Car",
    "van": "Car",
    "pickup": "Car",
    "truck": "Truck",
    "bus": "Bus",
    "motorcycle": "Motorcycle",
}
RGB: Mapping[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "cyan": (0, 255, 255),
    "gray": (128, 128, 128),
    "green": (0, 128, 0),
    "red": (255, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
    "violet": (128, 0, 128),
    "orange": (255, 165, 0),
}
"""The names of ``lpr.events.COLOURS`` as typical colours."""

KMH = 1 / 3.6
"""Metres a second in a kilometre an hour."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """How a camera is called in the services of ONVIF: reference tokens, at most 64 characters each, and the name of
    the rule that tells its plates."""

    video_source: str = "VideoSourceToken"
    video_source_configuration: str = "VideoSourceToken"
    analytics_configuration: str = "VideoAnalyticsToken"
    rule: str = "MyLicensePlateDetectorRule"


MANUAL_TOKENS = Tokens()
"""The names that Milesight's manual prints: what an NVR made for it may look for."""


RULE = "LPR"
"""The name of our rule."""


def camera_tokens(number: int) -> Tokens:
    """Of the camera ``number`` (from 0), as the media services call it: VS0, VSC0, VAC0."""
    return Tokens(f"VS{number}", f"VSC{number}", f"VAC{number}", RULE)


def plate_info(passage: PassageDecided) -> PlateInfo:
    """What is known of the plate; its number is empty when it could not be read."""
    kind = None
    if passage.plate_category is not None:
        kind = PLATE_KINDS.get(passage.plate_category, "Normal")
    return PlateInfo(
        number=passage.plate,
        likelihood=passage.confidence,
        country=passage.country,
        kind=kind,
        colour=RGB.get(passage.plate_colour or ""),
    )


def vehicle_info(passage: PassageDecided) -> VehicleInfo | None:
    """What is known of the vehicle; None without a kind that ONVIF has a word for."""
    kind = VEHICLE_KINDS.get(passage.vehicle or "")
    if kind is None:
        return None
    colour = RGB.get(passage.vehicle_colour or "")
    return VehicleInfo(kind=kind, brand=passage.make, model=passage.model, colour=colour)


def seen_vehicle(vehicle: Vehicle) -> VehicleInfo | None:
    """The same of a vehicle on one picture."""
    kind = VEHICLE_KINDS.get(vehicle.kind or "")
    if kind is None:
        return None
    return VehicleInfo(
        kind=kind,
        likelihood=vehicle.kind_confidence,
        brand=vehicle.make,
        model=vehicle.model,
        colour=RGB.get(vehicle.colour),
    )


def plate_notification(
    passage: PassageDecided, tokens: Tokens, *, image: str | None = None, object_id: int | None = None
) -> Notification:
    """The standard's event. ``image``: where the passage's picture is; ``object_id``: of the plate in the frames."""
    data = [("Likelihood", number(passage.confidence))]
    if object_id is not None:
        data.append(("ObjectId", str(object_id)))
    if image is not None:
        data.append(("ImageUri", image))
    if passage.speed_kmh is not None:
        data.append(("Speed", number(passage.speed_kmh * KMH)))
    if passage.direction in DIRECTIONS:
        data.append(("Direction", DIRECTIONS[passage.direction]))
    elements: list[tuple[str, Element]] = [("LicensePlateInfo", plate_info(passage))]
    if passage.plated and passage.picture.width and passage.picture.height:
        elements.append(("BoundingBox", place_of(passage.box, passage.picture.width, passage.picture.height)))
    if (vehicle := vehicle_info(passage)) is not None:
        elements.append(("VehicleInfo", vehicle))
    return Notification(
        topic=PLATE_TOPIC,
        at=passage.at,
        source=(("VideoSource", tokens.video_source), ("Rule", tokens.rule)),
        data=tuple(data),
        elements=tuple(elements),
    )


def milesight_notification(passage: PassageDecided, tokens: Tokens, *, image: str) -> Notification:
    """Milesight's event. ``image``: ``/LPR/….jpg``, relative to the device as the manual has it."""
    speed = UNKNOWN if passage.speed_kmh is None else f"{max(0, round(passage.speed_kmh))}km/h"
    return Notification(
        topic=MILESIGHT_TOPIC,
        at=passage.at,
        source=(
            ("VideoSourceConfigurationToken", tokens.video_source_configuration),
            ("VideoAnalyticsConfigurationToken", tokens.analytics_configuration),
            ("Rule", tokens.rule),
        ),
        key=(("LicensePlateResult", passage.plate or UNKNOWN),),
        data=(
            ("LicensePlatePicturePath", image),
            ("LicenseCarSpeed", speed),
            ("LicenseCarDirection", MILESIGHT_DIRECTIONS.get(passage.direction, "0")),
        ),
        operation="Changed",
        whole_seconds=True,
    )


def vehicle_notification(
    at: Micros, tokens: Tokens, state: bool, operation: Operation = "Changed", topic: str = VEHICLE_TOPIC
) -> Notification:
    """The property "a vehicle is in view" of a camera; with ``MOTION_TOPIC`` the same as a motion alarm."""
    return Notification(
        topic=topic,
        at=at,
        source=(("Source", tokens.video_source),),
        data=(("State", "true" if state else "false"),),
        operation=operation,
    )


def passage_frame(passage: PassageDecided, *, object_id: int, image: str | None = None) -> SceneFrame:
    """The passage's best picture as a frame: the plate as it was voted, in its place. Without a picture's size or a
    plate: a frame without objects."""
    picture = passage.picture
    if not passage.plated or picture.width <= 0 or picture.height <= 0:
        return SceneFrame(passage.at)
    plate = SceneObject(
        id=object_id,
        kind="LicensePlate",
        likelihood=passage.confidence,
        place=place_of(passage.box, picture.width, picture.height),
        plate=plate_info(passage),
        vehicle=vehicle_info(passage),
        image=image,
        speed=None if passage.speed_kmh is None else passage.speed_kmh * KMH,
        yaw=YAW.get(passage.direction),
    )
    return SceneFrame(passage.at, (plate,))

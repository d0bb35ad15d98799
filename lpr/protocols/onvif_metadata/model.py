"""What a metadata document says, before it has a form: notifications, and the objects of a picture. Pure values.

Sources: ONVIF Analytics Service Specification (scene description, annex "Recognition rule engines"), ONVIF Core
(event notifications), the public schema metadatastream.xsd. Boxes are in ONVIF's normalised coordinates: x from -1 at
the left to 1 at the right edge, y from -1 at the bottom to 1 at the top. Likelihoods go from 0 to 1, times are
microseconds UTC.

May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from lpr.events import Box, Micros

Operation: TypeAlias = Literal["Initialized", "Changed", "Deleted"]


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle in normalised coordinates: ``left`` <= ``right``, ``bottom`` <= ``top``."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def place_of(box: Box, width: int, height: int) -> Place:
    """``box`` in pixels of a picture of that size, cut to the picture. Raises ValueError for a picture without size."""
    if width <= 0 or height <= 0:
        raise ValueError(f"a picture of {width}x{height} has no places")
    x1, x2 = (min(max(value / width * 2 - 1, -1.0), 1.0) for value in (box[0], box[2]))
    y1, y2 = (min(max(1 - value / height * 2, -1.0), 1.0) for value in (box[1], box[3]))
    return Place(left=min(x1, x2), top=max(y1, y2), right=max(x1, x2), bottom=min(y1, y2))


@dataclass(frozen=True, slots=True)
class PlateInfo:
    """tt:LicensePlateInfo. ``kind``: tt:PlateType ("Normal", "Police", "Diplomat", "Temporary"); ``country``:
    ISO 3166-1 alpha-2; ``colour``: RGB, 0 to 255 each."""

    number: str
    likelihood: float | None = None
    country: str | None = None
    kind: str | None = None
    colour: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class VehicleInfo:
    """tt:VehicleInfo. ``kind``: tt:VehicleType ("Bus", "Car", "Truck", "Bicycle", "Motorcycle")."""

    kind: str
    likelihood: float | None = None
    brand: str | None = None
    model: str | None = None
    colour: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class SceneObject:
    """tt:Object. ``kind``: tt:ObjectType ("LicensePlate", "Vehicle"), ``likelihood`` of it; ``parent``: the id of the
    vehicle that carries the plate; ``image``: where its picture is; ``speed``: metres a second; ``yaw``: where it goes,
    in degrees (90: away from the device, -90: towards it)."""

    id: int
    kind: str
    likelihood: float | None
    place: Place
    plate: PlateInfo | None = None
    vehicle: VehicleInfo | None = None
    parent: int | None = None
    image: str | None = None
    speed: float | None = None
    yaw: float | None = None


@dataclass(frozen=True, slots=True)
class SceneFrame:
    """tt:Frame: what one picture shows. ``gone``: ids of objects that are not followed any longer."""

    at: Micros
    objects: tuple[SceneObject, ...] = ()
    gone: tuple[int, ...] = ()


Element: TypeAlias = "PlateInfo | VehicleInfo | Place"
"""The value of a tt:ElementItem."""


@dataclass(frozen=True, slots=True)
class Notification:
    """wsnt:NotificationMessage with one tt:Message.

    ``topic``: with its prefix ("tns1:RuleEngine/…"). ``operation``: for properties only. ``whole_seconds``: its time is
    written without a fraction. The name of every item is unique.
    """

    topic: str
    at: Micros
    source: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...] = ()
    key: tuple[tuple[str, str], ...] = ()
    elements: tuple[tuple[str, Element], ...] = ()
    operation: Operation | None = None
    whole_seconds: bool = False

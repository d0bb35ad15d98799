"""Frames, places, plates and vehicles of any maker's documents, with their departures from the specification. Pure.

Source: metadatastream.xsd, ONVIF Analytics Service Specification. Imports the standard library and this folder.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element as Node

from lpr.events import Micros
from lpr.protocols.onvif_metadata.intake import Notes, child_of, float_of, local, text_of
from lpr.protocols.onvif_metadata.markup import parse_time
from lpr.protocols.onvif_metadata.model import Place, PlateInfo, SceneFrame, SceneObject, VehicleInfo


def frame_of(node: Node, notes: Notes) -> SceneFrame:
    """A tt:Frame; objects without a place are left out."""
    at = time_of(node.get("UtcTime"), "a frame", notes)
    objects: list[SceneObject] = []
    gone: list[int] = []
    for child in node:
        kind = local(child)
        if kind == "Object":
            if (found := _object(child, notes)) is not None:
                objects.append(found)
        elif kind == "ObjectTree":
            for removed in child:
                number = float_of(removed.get("ObjectId")) if local(removed) == "Delete" else None
                if number is not None:
                    gone.append(int(number))
    return SceneFrame(at, tuple(objects), tuple(gone))


def _object(node: Node, notes: Notes) -> SceneObject | None:
    number, parent = float_of(node.get("ObjectId")), float_of(node.get("Parent"))
    if number is None:
        notes.add("an object has no ObjectId")
    appearance = child_of(node, "Appearance")
    if appearance is None:
        return None
    shape = child_of(appearance, "Shape")
    box = None if shape is None else child_of(shape, "BoundingBox")
    place = None if box is None else place_of(box, notes)
    if place is None:
        notes.add("an object has no BoundingBox")
        return None
    kind, likelihood = _class(appearance, notes)
    plate, vehicle = child_of(appearance, "LicensePlateInfo"), child_of(appearance, "VehicleInfo")
    image = child_of(appearance, "ImageRef")
    behaviour = child_of(node, "Behaviour")
    speed = None if behaviour is None else child_of(behaviour, "Speed")
    direction = None if behaviour is None else child_of(behaviour, "Direction")
    return SceneObject(
        id=int(number or 0),
        kind=kind,
        likelihood=likelihood,
        place=place,
        plate=None if plate is None else plate_of(plate, notes),
        vehicle=None if vehicle is None else vehicle_of(vehicle, notes),
        parent=None if parent is None else int(parent),
        image=None if image is None else text_of(image),
        speed=None if speed is None else float_of(text_of(speed)),
        yaw=None if direction is None else float_of(direction.get("yaw")),
    )


def _class(appearance: Node, notes: Notes) -> tuple[str, float | None]:
    node = child_of(appearance, "Class")
    if node is None:
        return "", None
    kind = child_of(node, "Type")
    if kind is not None:
        return text_of(kind), likelihood_of(kind.get("Likelihood"), "the Likelihood of a class", notes)
    candidate = child_of(node, "ClassCandidate")
    if candidate is None:
        notes.add("a Class has neither Type nor ClassCandidate")
        return "", None
    notes.add("a Class has the deprecated ClassCandidate")
    return text_of(child_of(candidate, "Type")), likelihood_of(
        text_of(child_of(candidate, "Likelihood")), "a class", notes
    )


def place_of(node: Node, notes: Notes) -> Place | None:
    """A tt:Rectangle, as written; None when a side is missing."""
    values = [float_of(node.get(name)) for name in ("left", "top", "right", "bottom")]
    left, top, right, bottom = values
    if left is None or top is None or right is None or bottom is None:
        notes.add("a BoundingBox lacks left, top, right or bottom")
        return None
    if any(abs(value) > 1 for value in (left, top, right, bottom)):
        notes.add("a BoundingBox goes beyond -1 to 1")
    if left > right or bottom > top:
        notes.add("a BoundingBox is turned round: left > right or bottom > top")
    return Place(left, top, right, bottom)


def plate_of(node: Node, notes: Notes) -> PlateInfo:
    """A tt:LicensePlateInfo."""
    number = child_of(node, "PlateNumber")
    if number is None:
        notes.add("a LicensePlateInfo has no PlateNumber")
    country, kind = child_of(node, "CountryCode"), child_of(node, "PlateType")
    return PlateInfo(
        number=text_of(number),
        likelihood=None
        if number is None
        else likelihood_of(number.get("Likelihood"), "the Likelihood of a plate", notes),
        country=None if country is None else text_of(country),
        kind=None if kind is None else text_of(kind),
        colour=_colour(node, notes),
    )


def vehicle_of(node: Node, notes: Notes) -> VehicleInfo:
    """A tt:VehicleInfo."""
    kind, brand, model = (child_of(node, name) for name in ("Type", "Brand", "Model"))
    if kind is None:
        notes.add("a VehicleInfo has no Type")
    likelihood = None if kind is None else likelihood_of(kind.get("Likelihood"), "the Likelihood of a vehicle", notes)
    return VehicleInfo(
        kind=text_of(kind),
        likelihood=likelihood,
        brand=None if brand is None else text_of(brand),
        model=None if model is None else text_of(model),
        colour=_colour(node, notes),
    )


def _colour(node: Node, notes: Notes) -> tuple[int, int, int] | None:
    outer = child_of(node, "Color")
    cluster = None if outer is None else child_of(outer, "ColorCluster")
    colour = None if cluster is None else child_of(cluster, "Color")
    if colour is None or not (colour.get("Colorspace") or "").endswith("/RGB"):
        return None
    values = [float_of(colour.get(name)) for name in ("X", "Y", "Z")]
    if any(value is None for value in values):
        notes.add("a Color lacks X, Y or Z")
        return None
    red, green, blue = (min(255, max(0, round(value or 0))) for value in values)
    return red, green, blue


def likelihood_of(text: str | None, what: str, notes: Notes) -> float | None:
    """A likelihood, as written; None where there is no number. ``what``: for the note."""
    if text is None:
        return None
    value = float_of(text)
    if value is None:
        notes.add(f"{what} is {text!r}, not a number")
    elif not 0 <= value <= 1:
        notes.add(f"{what} is {text}, not from 0 to 1")
    return value


def time_of(text: str | None, what: str, notes: Notes) -> Micros:
    """Microseconds of an xs:dateTime, 0 where there is none. ``what``: for the note."""
    if text is None:
        notes.add(f"{what} has no UtcTime")
        return 0
    at = parse_time(text)
    if at is None:
        notes.add(f"{what}: UtcTime {text!r} is no xs:dateTime")
        return 0
    if not text.rstrip().endswith(("Z", "z")):
        notes.add(f"{what}: UtcTime {text!r} is not UTC with a Z")
    return at

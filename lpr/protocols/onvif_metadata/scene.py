"""What a camera's metadata stream shows while vehicles are in view: objects that keep their id as they move. Pure.

The engine gives the plates of one picture after the other; ``Scene`` says which of them is which: a text that it had
lately, not far off, else the nearest place. It also holds the property "a vehicle is in view". The log's voter decides
what passed (``lpr.plates``); here it is only about boxes that move. Times are handed in: ``at`` a picture's own,
``now`` of a clock that never steps; both microseconds.

May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lpr.events import Micros, PassageDecided, Reading
from lpr.protocols.onvif_metadata.model import Place, PlateInfo, SceneFrame, SceneObject, place_of
from lpr.protocols.onvif_metadata.passage import RGB, seen_vehicle

SECOND: Micros = 1_000_000
NEAR = 1.5
"""Objects within so many of their widths are the same one, whatever they read."""
FAR = 12.0
"""With the same text so many widths."""
REMEMBERED = 64
"""Objects that went lately and whose ids a passage may still name."""
PLACES = 512
"""Places of objects that are remembered with their time, for the same."""
TEXTS = 8
"""Texts of an object that are remembered."""
MOST_OBJECTS = 32
"""Of one picture; further ones are left out."""
_LAST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Seen:
    """An object in view. ``number``: its id; the vehicle round a plate has the next one. ``texts``: what was read on
    it lately, the newest first."""

    number: int
    texts: tuple[str, ...]
    place: Place
    at: Micros


class Scene:
    """One camera. ``keep``: seconds for which an object that isn't seen is still the same one, and for which the
    property stays true."""

    def __init__(self, keep: float = 2.0) -> None:
        self._keep = round(keep * SECOND)
        self._next = 1
        self._seen: list[_Seen] = []
        self._left: list[_Seen] = []
        self._places: deque[tuple[Micros, Place, int]] = deque(maxlen=PLACES)
        self._frame = SceneFrame(0)
        self._vehicle_until: Micros | None = None

    # --- objects -----------------------------------------------------------------------------------------

    @property
    def frame(self) -> SceneFrame:
        """The latest picture's objects."""
        return self._frame

    def look(self, at: Micros, width: int, height: int, readings: Sequence[Reading]) -> SceneFrame:
        """A picture of ``width`` x ``height`` pixels taken at ``at`` shows these. Raises ValueError without a size."""
        places = [place_of(reading.box, width, height) for reading in readings[:MOST_OBJECTS]]
        matched = self._match(at, readings[:MOST_OBJECTS], places)
        kept: list[_Seen] = []
        objects: list[SceneObject] = []
        for reading, place, known in zip(readings, places, matched, strict=False):
            seen = _Seen(self._new(), (), place, at) if known is None else replace(known, place=place, at=at)
            if reading.text:
                others = [text for text in seen.texts if text != reading.text]
                seen = replace(seen, texts=(reading.text, *others[: TEXTS - 1]))
            kept.append(seen)
            self._places.append((at, place, seen.number))
            objects += _objects(seen.number, reading, place, width, height)
        still = [one for one in self._seen if one not in matched]
        gone = [one for one in still if at - one.at > self._keep or one.at > at]
        self._left = (self._left + gone)[-REMEMBERED:]
        self._seen = kept + [one for one in still if one not in gone]
        self._frame = SceneFrame(at, tuple(objects), _ids(gone))
        return self._frame

    def clear(self, at: Micros) -> SceneFrame:
        """Nothing is in view any longer."""
        gone, self._seen = self._seen, []
        self._left = (self._left + gone)[-REMEMBERED:]
        self._frame = SceneFrame(at, (), _ids(gone))
        return self._frame

    def object_of(self, passage: PassageDecided) -> int | None:
        """The id of the plate that passed, if it was followed: by its place in the passage's best picture, else by its
        text."""
        picture = passage.picture
        if picture.width > 0 and picture.height > 0:
            place = place_of(passage.box, picture.width, picture.height)
            there = [number for at, seen, number in self._places if at == passage.at and _distance(seen, place) <= 0.5]
            if there:
                return there[-1]
        fitting = [
            one
            for one in (*self._left, *self._seen)
            if passage.plate in one.texts and passage.first_at - self._keep <= one.at <= passage.last_at + self._keep
        ]
        return max(fitting, key=lambda one: one.at).number if fitting else None

    def new_object(self) -> int:
        """An id for a plate that wasn't followed."""
        return self._new()

    def _new(self) -> int:
        number = self._next
        self._next = number + 2 if number + 3 < _LAST_ID else 1
        return number

    def _match(self, at: Micros, readings: Sequence[Reading], places: Sequence[Place]) -> list[_Seen | None]:
        """For each reading the object that it is, nearest and equal ones first."""
        pairs: list[tuple[bool, float, int, _Seen]] = []
        for index, (reading, place) in enumerate(zip(readings, places, strict=True)):
            for one in self._seen:
                if not 0 <= at - one.at <= self._keep:
                    continue
                same = bool(reading.text) and reading.text in one.texts
                distance = _distance(place, one.place)
                if distance <= (FAR if same else NEAR):
                    pairs.append((not same, distance, index, one))
        matched: list[_Seen | None] = [None] * len(places)
        taken: set[int] = set()
        for _, _, index, one in sorted(pairs, key=lambda pair: pair[:3]):
            if matched[index] is None and one.number not in taken:
                matched[index] = one
                taken.add(one.number)
        return matched

    # --- the property ------------------------------------------------------------------------------------

    @property
    def vehicle(self) -> bool:
        """Whether a vehicle is in view."""
        return self._vehicle_until is not None

    @property
    def due(self) -> Micros | None:
        """When ``expire`` has something to say at the latest, in the time of ``now``."""
        return self._vehicle_until

    def vehicle_seen(self, now: Micros) -> bool:
        """A vehicle is in view; True when there was none before."""
        before, self._vehicle_until = self._vehicle_until, now + self._keep
        return before is None

    def expire(self, now: Micros) -> bool:
        """Whether by now the vehicle is gone; once."""
        if self._vehicle_until is None or now < self._vehicle_until:
            return False
        self._vehicle_until = None
        return True


def _ids(seen: Sequence[_Seen]) -> tuple[int, ...]:
    """Of plates and of the vehicles round them."""
    return tuple(number for one in seen for number in (one.number, one.number + 1))


def _distance(one: Place, other: Place) -> float:
    """Between the centres, in widths of the wider one."""
    width = max(one.right - one.left, other.right - other.left, 1e-6)
    (x1, y1), (x2, y2) = one.centre, other.centre
    return float(((x1 - x2) ** 2 + (y1 - y2) ** 2) ** 0.5 / width)


def _objects(number: int, reading: Reading, place: Place, width: int, height: int) -> list[SceneObject]:
    """A reading as objects: the vehicle, if its box is known, and the plate."""
    vehicle = reading.vehicle
    info = None if vehicle is None else seen_vehicle(vehicle)
    found: list[SceneObject] = []
    parent: int | None = None
    if not reading.plated:
        round_it = place if vehicle is None or vehicle.box is None else place_of(vehicle.box, width, height)
        return [SceneObject(id=number, kind="Vehicle", likelihood=reading.detection, place=round_it, vehicle=info)]
    if vehicle is not None and vehicle.box is not None:
        parent = number + 1
        found.append(
            SceneObject(
                id=parent,
                kind="Vehicle",
                likelihood=vehicle.kind_confidence or None,
                place=place_of(vehicle.box, width, height),
                vehicle=info,
            )
        )
    plate = PlateInfo(
        number=reading.text,
        likelihood=reading.confidence,
        country=reading.country,
        colour=RGB.get(reading.plate_colour or ""),
    )
    found.append(
        SceneObject(
            id=number,
            kind="LicensePlate",
            likelihood=reading.detection,
            place=place,
            plate=plate if reading.text else None,
            parent=parent,
        )
    )
    return found

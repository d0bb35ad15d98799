"""What carries a plate: kind, colour, make and model of vehicles, and vehicles that show no plate.

``VehicleReader.describe`` adds a ``Vehicle`` to the readings of a picture that is recorded (not to every frame: it
costs a few milliseconds a plate). ``VehicleReader.place`` is for every frame and does something only with a finder
(``engine.vehicles.find``): it says which box belongs to which plate and adds a reading for each vehicle without one,
so that the same gate, tracks and vote follow it. Where a plate would be (``virtual_plate``) stands for its plate, so a
vehicle whose plate becomes readable later is still the same one.

The crop comes from the vehicle's box when there is one, else from the region round its plate (``vehicle_region``).
Arrays only, no state but the models. May import the modules beside it, ``lpr.events`` and numpy, msgspec.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Reading, Vehicle
from lpr.vision.colour import NOTHING, PaintModel, ink_of, load_paint, paint_of
from lpr.vision.manifest import ModelError
from lpr.vision.vehicle_finder import FINDER, VehicleFinder
from lpr.vision.vehicle_kind import KIND_MODEL, MAKE_UNKNOWN, NONE, CropClassifier, make_of
from lpr.vision.vehicle_region import box_region, cut, inside, plate_region, vehicle_of, virtual_plate

__all__ = ["VehicleOptions", "VehicleReader", "open_vehicles"]

PLATE_WITHOUT_VEHICLE: Final = 0.5
"""A crop that shows no vehicle with this probability has no colour either."""


class VehicleOptions(Protocol):
    """What ``open_vehicles`` asks of a configuration (``lpr.config.Vehicles`` has it)."""

    @property
    def enabled(self) -> bool: ...
    @property
    def kinds(self) -> str | None: ...
    @property
    def makes(self) -> str | None: ...
    @property
    def find(self) -> bool: ...
    @property
    def finder(self) -> str | None: ...
    @property
    def min_score(self) -> float: ...
    @property
    def min_width(self) -> float: ...


class VehicleReader:
    """Models about vehicles, each of them optional. All cameras may share it: it looks at one picture at a time."""

    def __init__(
        self,
        *,
        kinds: CropClassifier | None = None,
        makes: CropClassifier | None = None,
        paint: PaintModel | None = None,
        finder: VehicleFinder | None = None,
        min_width: float = 0.1,
    ) -> None:
        """``min_width``: a vehicle without a plate is at least this part of the picture's width wide."""
        self._kinds, self._makes, self._paint, self._finder = kinds, makes, paint, finder
        self._min_width = min_width
        self._turn = threading.Lock()

    @property
    def finds(self) -> bool:
        """Whether vehicles without a plate are looked for."""
        return self._finder is not None

    def place(self, image: NDArray[np.uint8], readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """``readings`` with the boxes of their vehicles, and one more for each vehicle without a plate.

        ``image``: (H, W, 3) BGR uint8. Without a finder the readings come back as they are. Raises ModelError.
        """
        if self._finder is None:
            return tuple(readings)
        width, height = image.shape[1], image.shape[0]
        with self._turn:
            found = self._finder.find(image)
        boxes = [one.box for one in found]
        placed: list[Reading] = []
        carrying: set[int] = set()
        for reading in readings:
            index = vehicle_of(reading.corners, boxes)
            if index is None:
                placed.append(reading)
                continue
            carrying.add(index)
            placed.append(msgspec.structs.replace(reading, vehicle=Vehicle(box=_tenths(boxes[index]))))
        for index, one in enumerate(found):
            taken = index in carrying or any(inside(reading.corners, one.box) for reading in readings)
            if taken or one.box[2] - one.box[0] < self._min_width * width or _cut_off(one.box, width, height):
                continue
            placed.append(_unplated(one.box, one.score))
        return tuple(placed)

    def describe(self, image: NDArray[np.uint8], readings: Sequence[Reading]) -> tuple[Reading, ...]:
        """``readings`` with what can be said of their vehicles. ``image``: as for ``place``. Raises ModelError."""
        if not readings:
            return ()
        regions = [self._region(reading) for reading in readings]
        with self._turn:
            kinds = self._told(self._kinds, image, regions)
            makes = self._told(self._makes, image, regions)
        return tuple(
            self._described(image, reading, kind, make)
            for reading, kind, make in zip(readings, kinds, makes, strict=True)
        )

    def _region(self, reading: Reading) -> Box:
        box = reading.vehicle.box if reading.vehicle is not None else None
        return plate_region(reading.corners) if box is None else box_region(box)

    def _told(
        self, model: CropClassifier | None, image: NDArray[np.uint8], regions: Sequence[Box]
    ) -> list[tuple[str, float]]:
        """The surest class of each region and its probability, ("", 0) without a model."""
        if model is None:
            return [("", 0.0)] * len(regions)
        rows = model.probabilities([cut(image, region, model.size) for region in regions])
        best = rows.argmax(1)
        least = model.manifest.min_confidence
        return [
            (model.manifest.classes[int(i)], float(row[i])) if row[i] >= least else ("", 0.0)
            for row, i in zip(rows, best, strict=True)
        ]

    def _described(
        self, image: NDArray[np.uint8], reading: Reading, kind: tuple[str, float], make: tuple[str, float]
    ) -> Reading:
        box = reading.vehicle.box if reading.vehicle is not None else None
        nothing = kind[0] == NONE and kind[1] >= PLATE_WITHOUT_VEHICLE
        paint = NOTHING if nothing or self._paint is None else paint_of(image, reading.corners, box, self._paint)
        ink = ink_of(image, reading.corners) if reading.plated and reading.text else None
        named = make_of(make[0]) if make[0] not in ("", MAKE_UNKNOWN) else (None, None)
        vehicle = Vehicle(
            kind=kind[0] if kind[0] not in ("", NONE) else None,
            kind_confidence=round(kind[1], 4) if kind[0] not in ("", NONE) else 0.0,
            colour=paint.colour,
            colour_confidence=round(paint.confidence, 4),
            make=named[0],
            model=named[1],
            make_confidence=round(make[1], 4) if named[0] is not None else 0.0,
            box=box,
        )
        return msgspec.structs.replace(reading, vehicle=vehicle, ink_colour=ink)


def _unplated(box: Box, score: float) -> Reading:
    corners = virtual_plate(box)
    top_left, _, bottom_right, _ = corners
    return Reading(
        text="",
        confidence=0.0,
        characters=(),
        box=_tenths((*top_left, *bottom_right)),
        corners=corners,
        detection=round(score, 4),
        vehicle=Vehicle(box=_tenths(box)),
        plated=False,
    )


def _cut_off(box: Box, width: int, height: int) -> bool:
    """Whether a vehicle reaches out of the picture below or at a side: its plate may be outside."""
    return box[0] <= 1.0 or box[2] >= width - 1.0 or box[3] >= height - 1.0


def _tenths(box: Box) -> Box:
    return round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1)


def open_vehicles(options: VehicleOptions, threads: int = 1) -> VehicleReader | None:
    """The models that ``options`` name, None when vehicles are not looked at. Raises ModelError, also for options that
    would do nothing because vehicles are not looked at."""
    if not options.enabled:
        named = {"kinds": options.kinds, "makes": options.makes, "finder": options.finder, "find": options.find}
        idle = [f"engine.vehicles.{key}" for key, value in named.items() if value]
        if idle:
            raise ModelError(f"{', '.join(idle)}: vehicles are not looked at; set engine.vehicles.enabled = true, too")
        return None
    kinds = Path(options.kinds) if options.kinds is not None else KIND_MODEL
    if options.min_width < 0:
        raise ModelError(f"min_width is {options.min_width}; it is a part of the picture's width, 0 to 1")
    return VehicleReader(
        kinds=CropClassifier(kinds, "vehicle-kind", threads),
        makes=CropClassifier(Path(options.makes), "vehicle-make", threads) if options.makes is not None else None,
        paint=load_paint(),
        finder=_finder(options, threads) if options.find else None,
        min_width=options.min_width,
    )


def _finder(options: VehicleOptions, threads: int) -> VehicleFinder:
    path = Path(options.finder) if options.finder is not None else FINDER
    return VehicleFinder(path, threads, min_score=options.min_score)

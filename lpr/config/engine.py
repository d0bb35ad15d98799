"""Detection, reading, vehicles and the vote. May import this room."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lpr.config.base import Count, Fraction, Region, Section


class Vehicles(Section, frozen=True, kw_only=True):
    """Kind, colour, make and model of vehicles, looked at on pictures that are recorded; vehicles without a plate.

    Off unless asked for: the models that come with lpr tell cars and little else, and colours three times in four.
    ``makes``: the slot for a model of makes, docs/vehicles.md says how to fill it. ``find``: look for vehicles in every
    picture, so that one without a plate is a passage, too; it costs a few milliseconds a picture and errs.
    """

    enabled: bool = False
    kinds: Annotated[str, Meta(description="manifest of another ONNX classifier of kinds")] | None = None
    makes: Annotated[str, Meta(description="manifest of an ONNX classifier of makes and models")] | None = None
    find: Annotated[bool, Meta(description="a vehicle without a plate is a passage, too")] = False
    finder: Annotated[str, Meta(description="manifest of another ONNX finder of vehicles")] | None = None
    min_score: Annotated[float, Meta(ge=0, le=1, description="of a vehicle that the finder says is there")] = 0.6
    min_width: Annotated[
        float, Meta(ge=0, le=1, description="of a vehicle without a plate, as a part of the picture's width")
    ] = 0.1


Country = Annotated[
    str,
    Meta(
        pattern="^([A-Z]{2}|[a-z]+(-[a-z]+)*)$",
        description="ISO 3166-1 alpha-2, or a region: southern-cone, andes, latin-america, europe, us",
    ),
]


class Engine(Section, frozen=True, kw_only=True):
    """Plate detection and reading. ``countries``: ISO alpha-2 codes, or regions as ``lpr.plates.formats`` names them;
    formats of these are preferred; empty: all.

    ``mode``, ``threads``, ``timeout``: the VTR600 manual's processing mode, threads and time-out.
    """

    countries: tuple[Country, ...] = ()
    detector: Annotated[str, Meta(description="manifest of another ONNX detector")] | None = None
    reader: Annotated[str, Meta(description="manifest of another ONNX reader")] | None = None
    min_detection: Fraction = 0.4
    min_plate_width: Annotated[int, Meta(ge=4, le=4096, description="pixels")] = 16
    max_plates: Annotated[int, Meta(ge=1, le=64)] = 16
    min_characters: Annotated[
        int, Meta(ge=0, le=10, description="a shorter text doesn't make a plate of a doubtful detection")
    ] = 4
    detector_size: Annotated[int, Meta(ge=128, le=4096, description="longest side given to the detector")] | None = None
    tiles: Annotated[
        int, Meta(ge=1, le=4, description="panoramic pictures: rows and columns searched one by one besides the whole")
    ] = 1
    quick_look: Annotated[
        bool, Meta(description="fast, normal: a smaller picture first; false: more far plates beside a near one")
    ] = True
    dim_plates: Annotated[
        bool, Meta(description="normal, thorough: a detection under min_detection may count for its clear text")
    ] = True
    mode: Annotated[
        Literal["fast", "normal", "thorough"],
        Meta(description="effort: one look at each plate, second looks at doubtful ones, or two scales and many looks"),
    ] = "normal"
    threads: Annotated[
        int, Meta(ge=1, le=64, description="cores for reading: so many pictures at once (lpr.read: for one picture)")
    ] = 1
    timeout: Annotated[float, Meta(gt=0, le=600, description="seconds; a picture that takes longer is given up")] = 30.0
    max_megapixels: Annotated[
        float, Meta(gt=0, le=1000, description="larger pictures are refused, but for JPEGs that can be read smaller")
    ] = 64.0
    jpeg_quality: Annotated[int, Meta(ge=30, le=100)] = 90
    region: Region | None = None
    vehicles: Vehicles = msgspec.field(default_factory=Vehicles)


class Vote(Section, frozen=True, kw_only=True):
    """Majority vote (VTR600 manual) and the life of a vehicle in view."""

    enabled: bool = True
    max_different_characters: Annotated[int, Meta(ge=0, le=10)] = 2
    same_plate_interval: Annotated[float, Meta(ge=0, description="minimum seconds between identical plates")] = 30.0
    last_readings: Annotated[int, Meta(ge=0, description="only the last N readings of a vehicle vote; 0: all")] = 0
    min_confidence: Fraction = 0.5
    min_readings: Count = 1
    best_exposure_only: bool = True
    max_pictures: Annotated[int, Meta(ge=1, le=16)] = 4
    gone_after: Annotated[float, Meta(gt=0, description="a vehicle unseen for so long has passed")] = 1.5
    longest: Annotated[float, Meta(gt=0, description="a vehicle in view this long is decided, then only watched")] = (
        20.0
    )
    still_in_view: Annotated[
        float, Meta(gt=0, description="a standing vehicle may be hidden so long and stay the same")
    ] = 120.0
    unread: Annotated[bool, Meta(description="a plate that nobody could read still makes a passage")] = False
    unplated_readings: Annotated[
        int, Meta(ge=1, description="so many sightings of a vehicle without a plate make a passage")
    ] = 5

"""The recognition engine behind an interface of one method: a picture in, the readings on it out.

``OnnxEngine`` joins the detector, the crop by four corners and the reader. Whatever else can read plates takes its
place by offering ``read``. An engine keeps its models loaded, holds no other state and is not safe for two threads at
once: each worker thread has its own. How hard it looks is its mode (``lpr.vision.modes``).

May import the modules beside it, ``lpr.events`` (Reading, Point), msgspec, cv2 and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners, Point, Reading
from lpr.vision.detect import Detection, PlateDetector
from lpr.vision.letterbox import like_a_plate
from lpr.vision.looks import CarefulReader
from lpr.vision.modes import MODES, Effort
from lpr.vision.motion import polygon_mask
from lpr.vision.ocr import PlateReader, PlateText
from lpr.vision.pictures import MAX_PIXELS, ImageError, decode_image
from lpr.vision.rectify import whole
from lpr.vision.scales import Finder, Scales
from lpr.vision.verdict import CLEAR, GLANCE, MOST_DIM, UNKNOWN, confirmed, enough_read, legible

__all__ = [
    "BatchEngine",
    "Engine",
    "EngineOptions",
    "ImageError",
    "Limits",
    "OnnxEngine",
    "chosen",
    "decode_image",
    "enlarged",
    "limit_threads",
    "open_engine",
]


class Engine(Protocol):
    """Anything that reads plates."""

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        """The plates on ``image`` ((H, W, 3) BGR uint8), best first, in its pixels."""
        ...


class BatchEngine(Engine, Protocol):
    """An engine that reads several pictures together for less than one by one."""

    def read_all(self, images: Sequence[NDArray[np.uint8]]) -> Sequence[tuple[Reading, ...]]:
        """``read`` of each of ``images``."""
        ...


class EngineOptions(Protocol):
    """What ``open_engine`` asks of a configuration (``lpr.config.Engine`` has it)."""

    @property
    def countries(self) -> tuple[str, ...]: ...
    @property
    def detector(self) -> str | None: ...
    @property
    def reader(self) -> str | None: ...
    @property
    def min_detection(self) -> float: ...
    @property
    def min_plate_width(self) -> int: ...
    @property
    def max_plates(self) -> int: ...
    @property
    def min_characters(self) -> int: ...
    @property
    def detector_size(self) -> int | None: ...
    @property
    def quick_look(self) -> bool: ...
    @property
    def dim_plates(self) -> bool: ...
    @property
    def mode(self) -> str: ...
    @property
    def tiles(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def max_megapixels(self) -> float: ...
    @property
    def region(self) -> Sequence[Point] | None: ...


class TextReader(Protocol):
    """What the engine needs of a reader; ``lpr.vision.looks.CarefulReader`` is one."""

    @property
    def name(self) -> str: ...
    def read(
        self, image_bgr: NDArray[np.uint8], corners_list: Sequence[Corners], countries: Sequence[str] = ()
    ) -> Sequence[PlateText]: ...
    def read_all(
        self, pictures: Sequence[tuple[NDArray[np.uint8], Sequence[Corners]]], countries: Sequence[str] = ()
    ) -> Sequence[Sequence[PlateText]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which detections are read. ``min_width``: pixels of the box; ``region``: polygon in which the plate's middle
    must lie, in fractions of the picture's width and height; ``most``: plates of one picture, surest first;
    ``min_characters``: a shorter text doesn't confirm a doubtful detection (``confirmed``)."""

    min_width: float = 16.0
    region: tuple[Point, ...] | None = None
    most: int = 16
    min_characters: int = 4


CUT_OUT = 0.5
"""The score of a picture without a detection that is taken for one plate, since its shape and its text say so."""

CUT_OUT_FROM = 1.85
"""Width over height of such a picture: no camera's whole picture is so wide (16 : 9 is 1.78)."""

QUICK_FROM = 480
"""Longest side in pixels of a picture that is worth a quick look first; smaller ones take little time anyway."""


def chosen(found: Sequence[Detection], width: int, height: int, limits: Limits) -> list[Detection]:
    """The detections of a picture of ``width`` x ``height`` pixels that ``limits`` let through, in their order."""
    kept: list[Detection] = []
    for one in found:
        x1, y1, x2, y2 = one.box
        if x2 - x1 < limits.min_width:
            continue
        if limits.region is not None and not _inside(((x1 + x2) / 2 / width, (y1 + y2) / 2 / height), limits.region):
            continue
        kept.append(one)
    return kept[: limits.most]


def _inside(point: Point, polygon: Sequence[Point]) -> bool:
    """Even-odd rule; a point on the last column or row of the picture counts as within it."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


class OnnxEngine:
    """Detector and reader in onnxruntime, joined by the crop of ``lpr.vision.rectify``."""

    def __init__(
        self,
        detector: Finder,
        reader: TextReader,
        *,
        quick: Finder | None = None,
        enough: float = 0.7,
        sure: float = 0.0,
        glance: TextReader | None = None,
        countries: Sequence[str] = (),
        limits: Limits | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """``quick``: looks first; ``detector`` then looks where that was not ``enough`` (``enough_read``). ``sure``:
        the score under which a detection is read only where no other gave a text, by ``glance`` (none: ``reader``),
        and its text must be ``legible``.
        ``countries``: whose formats are preferred, none: all. ``max_pixels``: larger pictures are refused."""
        self.detector, self.reader, self.quick, self.enough, self.sure = detector, reader, quick, enough, sure
        self.glance = reader if glance is None else glance
        self.countries = tuple(countries)
        self.limits = limits or Limits()
        self.max_pixels = max_pixels
        if self.limits.region is not None:
            polygon_mask(self.limits.region)  # refuses a polygon that is none

    @property
    def name(self) -> str:
        """Names of the models, for the log."""
        return f"{self.detector.name} + {self.reader.name}"

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        """The plates on ``image`` ((H, W, 3) BGR uint8), best first (detector's score times reader's confidence).

        A plate that was found and could not be read has an empty text. Raises ImageError for another kind of array or
        too large a picture, ModelError when a model fails.
        """
        return self.read_all([image])[0]

    def read_all(self, images: Sequence[NDArray[np.uint8]]) -> tuple[tuple[Reading, ...], ...]:
        """``read`` of each of ``images`` (exposures of one capture): their plates go through the reader together."""
        for image in images:
            self._check(image)
        plates = self._read_where_found(images)
        return tuple(
            own if any(plate.text for plate in own) else self._as_one_plate(image) or own
            for image, own in zip(images, plates, strict=True)
        )

    def _read_where_found(self, images: Sequence[NDArray[np.uint8]]) -> tuple[tuple[Reading, ...], ...]:
        """What is read where the detector, or the quick look before it, finds plates."""
        if self.quick is None:
            return self._read_by(self.detector, images)
        large = [i for i, image in enumerate(images) if max(image.shape) >= QUICK_FROM]
        plates: list[tuple[Reading, ...]] = [()] * len(images)
        for i, own in zip(large, self._read_by(self.quick, [images[i] for i in large]), strict=True):
            plates[i] = own
        doubtful = [i for i, own in enumerate(plates) if not enough_read(own, self.enough)]
        for i, own in zip(doubtful, self._read_by(self.detector, [images[i] for i in doubtful]), strict=True):
            plates[i] = own
        return tuple(plates)

    def _read_by(self, finder: Finder, images: Sequence[NDArray[np.uint8]]) -> tuple[tuple[Reading, ...], ...]:
        """What is read where ``finder`` finds plates."""
        found = [chosen(finder.detect(image), image.shape[1], image.shape[0], self.limits) for image in images]
        sure = [[one for one in own if one.score >= self.sure] for own in found]
        plates = self._texts(self.reader, images, sure)
        dim = [
            []
            if any(plate.text for plate in read) or like_a_plate(image.shape[1], image.shape[0])
            else [one for one in own if one.score < self.sure][:MOST_DIM]
            for image, own, read in zip(images, found, plates, strict=True)
        ]
        return tuple((*more, *own) for more, own in zip(self._texts(self.glance, images, dim), plates, strict=True))

    def _texts(
        self, reader: TextReader, images: Sequence[NDArray[np.uint8]], found: Sequence[Sequence[Detection]]
    ) -> list[tuple[Reading, ...]]:
        """What ``reader`` reads at the detections ``found`` on each of ``images``."""
        if not any(found):
            return [()] * len(found)
        plates = [(image, [one.corners for one in own]) for image, own in zip(images, found, strict=True)]
        texts = reader.read_all(plates, self.countries)
        return [self._readings(own, read) for own, read in zip(found, texts, strict=True)]

    def _as_one_plate(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        """What is read on a picture that looks like a plate cut out, taken for one; nothing where that is not clear."""
        height, width = image.shape[:2]
        if not like_a_plate(width, height) or width < CUT_OUT_FROM * height:
            return ()
        one = Detection(CUT_OUT, (0.0, 0.0, float(width), float(height)), whole(image))
        if not chosen([one], width, height, self.limits):
            return ()
        text = self.reader.read(image, [one.corners], self.countries)[0]
        least = CLEAR if text.layout is not None else CLEAR + UNKNOWN
        return self._readings([one], [text]) if text.confidence >= least else ()

    def _check(self, image: NDArray[np.uint8]) -> None:
        """Raises ImageError for what is no picture, or too large a one."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ImageError(f"array of {image.dtype} {image.shape}: needed is uint8 (H, W, 3) in BGR order")
        height, width = image.shape[:2]
        if height * width > self.max_pixels:
            raise ImageError(f"array of {width} x {height} pixels; the limit is {self.max_pixels / 1e6:.6g} megapixels")

    def _readings(self, found: Sequence[Detection], texts: Sequence[PlateText]) -> tuple[Reading, ...]:
        """Detections and their texts as readings, best first."""
        readings = [
            Reading(
                text=text.text,
                confidence=text.confidence,
                characters=text.characters,
                box=_tenths(one.box),
                corners=(
                    _tenth(one.corners[0]),
                    _tenth(one.corners[1]),
                    _tenth(one.corners[2]),
                    _tenth(one.corners[3]),
                ),
                detection=round(one.score, 4),
                country=text.country,
                layout=text.layout,
                rows=text.rows,
                plate_colour=text.plate_colour,
                sharpness=text.sharpness,
                candidates=text.candidates,
            )
            for one, text in zip(found, texts, strict=True)
            if self._is_plate(one, text)
        ]
        readings.sort(key=lambda reading: (reading.text == "", -reading.confidence * reading.detection))
        return tuple(readings)

    def _is_plate(self, found: Detection, text: PlateText) -> bool:
        least, known = self.limits.min_characters, text.layout is not None
        if found.score < self.sure:
            return legible(text.text, text.confidence, least, known)
        return confirmed(found.score, text.text, text.confidence, least, known)


def enlarged(reading: Reading, times: float) -> Reading:
    """``reading`` with the coordinates of a picture that is ``times`` as large as the one it was read on."""
    a, b, c, d = (_tenth((x * times, y * times)) for x, y in reading.corners)
    vehicle = reading.vehicle
    if vehicle is not None and vehicle.box is not None:
        vehicle = msgspec.structs.replace(vehicle, box=_times(vehicle.box, times))
    return msgspec.structs.replace(reading, box=_times(reading.box, times), corners=(a, b, c, d), vehicle=vehicle)


def _times(box: Box, times: float) -> Box:
    x1, y1, x2, y2 = box
    return _tenths((x1 * times, y1 * times, x2 * times, y2 * times))


def _tenth(point: Point) -> Point:
    """A point to a tenth of a pixel: more means nothing, and readings are written to the log."""
    return round(point[0], 1), round(point[1], 1)


def _tenths(box: Box) -> Box:
    """A box to tenths of a pixel."""
    return round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1)


def limit_threads(threads: int) -> None:
    """Let OpenCV use so many threads for one picture, in this process.

    Its own pool waits by spinning, which costs more than it gains on pictures of a few megapixels.
    """
    cv2.setNumThreads(threads)


def open_engine(options: EngineOptions, countries: Sequence[str] | None = None) -> OnnxEngine:
    """The engine that ``options`` describe. ``countries``: instead of theirs. Raises ModelError, UnknownCountry."""
    effort = MODES[options.mode]
    if not options.dim_plates:
        effort = replace(effort, dim=0.0)
    reader = PlateReader(Path(options.reader) if options.reader is not None else None, options.threads)
    limits = Limits(
        min_width=float(options.min_plate_width),
        region=None if options.region is None else tuple(options.region),
        most=options.max_plates,
        min_characters=options.min_characters,
    )
    usual, quick = _open_finders(options, effort)
    careful = CarefulReader(reader, effort.framings, effort.doubt, effort.stack_under)
    return OnnxEngine(
        usual,
        careful,
        quick=quick,
        # What is dim counts only if it is clear at first sight, so a second look is worth nothing but where all get it.
        glance=careful if effort.doubt > 1 else CarefulReader(reader, (), 0.0, least=GLANCE),
        enough=effort.enough,
        sure=options.min_detection,
        countries=options.countries if countries is None else countries,
        limits=limits,
        max_pixels=round(options.max_megapixels * 1e6),
    )


def _open_finders(options: EngineOptions, effort: Effort) -> tuple[Finder, Finder | None]:
    """The detector and the one that looks before, if any. ``detector_size`` is the size that scales are shares of."""
    path = Path(options.detector) if options.detector is not None else None

    def opened(tiles: int, size: int | None = None) -> PlateDetector:
        return PlateDetector(
            path, options.threads, size=size, tiles=tiles, min_score=options.min_detection, dim=effort.dim
        )

    usual = opened(options.tiles, options.detector_size)
    free = usual.manifest.multiple > 0
    if not effort.scales:
        # Who searches the picture in parts looks for small plates, which the quick look is not made for.
        quick = free and options.quick_look and effort.quick_scale and options.tiles == 1
        return usual, usual.scaled(effort.quick_scale, quick=True) if quick else None
    if free:
        return Scales(tuple(usual.scaled(scale) for scale in effort.scales), options.min_detection), None
    return opened(max(options.tiles, 2)), None

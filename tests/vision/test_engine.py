"""The engine: which detections are read, in which order they come, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.config import Engine as EngineConfig
from lpr.events import Character, Corners
from lpr.vision.detect import Detection, PlateDetector
from lpr.vision.engine import (
    QUICK_FROM,
    ImageError,
    Limits,
    OnnxEngine,
    chosen,
    open_engine,
)
from lpr.vision.looks import ALL_LOOKS, SECOND_LOOKS, CarefulReader
from lpr.vision.modes import MODES
from lpr.vision.ocr import PlateText
from lpr.vision.rectify import corners_of_box
from lpr.vision.scales import Scales
from lpr.vision.verdict import confirmed, enough_read, legible
from tests.vision.detector_models import write_detector

PICTURE = np.zeros((220, 200, 3), np.uint8)


def detection(score: float, x1: float, y1: float, x2: float, y2: float) -> Detection:
    box = (x1, y1, x2, y2)
    return Detection(score, box, corners_of_box(box))


class FakeDetector:
    name = "fake detector"

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        return self.found


class FakeReader:
    """Reads each plate as the text of its left side."""

    name = "fake reader"

    def __init__(self, texts: dict[float, tuple[str, float]], layout: str | None = None) -> None:
        self.texts, self.layout = texts, layout
        self.asked: list[tuple[Sequence[Corners], Sequence[str]]] = []

    def read(
        self, image_bgr: NDArray[np.uint8], corners_list: Sequence[Corners], countries: Sequence[str] = ()
    ) -> list[PlateText]:
        self.asked.append((corners_list, countries))
        out: list[PlateText] = []
        for corners in corners_list:
            text, confidence = self.texts[corners[0][0]]
            out.append(
                PlateText(
                    text=text,
                    confidence=confidence,
                    characters=tuple(Character(char=char, confidence=confidence) for char in text),
                    country="BR" if text else None,
                    layout=self.layout if text else None,
                    rows=1,
                    plate_colour="gray",
                    sharpness=12.0,
                )
            )
        return out

    def read_all(
        self, pictures: Sequence[tuple[NDArray[np.uint8], Sequence[Corners]]], countries: Sequence[str] = ()
    ) -> list[list[PlateText]]:
        return [self.read(image, corners_list, countries) for image, corners_list in pictures]


def test_readings_come_best_first_with_the_empty_ones_behind() -> None:
    detector = FakeDetector(
        detection(0.9, 10, 10, 60, 30), detection(0.92, 70, 10, 120, 30), detection(0.7, 130, 10, 180, 30)
    )
    reader = FakeReader({10.0: ("", 0.0), 70.0: ("ABC1234", 0.5), 130.0: ("XYZ9876", 0.9)})
    readings = OnnxEngine(detector, reader, countries=("BR",)).read(PICTURE)
    assert [reading.text for reading in readings] == ["XYZ9876", "ABC1234", ""]
    assert readings[0].box == (130, 10, 180, 30)
    assert readings[0].detection == 0.7
    assert readings[0].country == "BR"
    assert readings[0].sharpness == 12.0
    assert reader.asked[0][1] == ("BR",)


def test_a_dim_detection_is_read_only_where_nothing_else_is() -> None:
    dim = detection(0.2, 70, 10, 120, 30)
    clear = {10.0: ("ABC1234", 0.9), 70.0: ("XYZ9876", 0.9)}

    def read(texts: dict[float, tuple[str, float]], *found: Detection, layout: str | None = "br-old") -> list[str]:
        reader = FakeReader(texts, layout)
        return [one.text for one in OnnxEngine(FakeDetector(*found), reader, sure=0.4).read(PICTURE)]

    assert read(clear, detection(0.95, 10, 10, 60, 30), dim) == ["ABC1234"]
    assert read(clear, dim) == ["XYZ9876"]
    assert read(clear, dim, layout=None) == [] == read({70.0: ("XYZ9876", 0.8)}, dim)
    # A plate that cannot be read stays in sight beside what is read at a dim one.
    assert read({10.0: ("", 0.0), 70.0: ("XYZ9876", 0.9)}, detection(0.95, 10, 10, 60, 30), dim) == ["XYZ9876", ""]
    many = [detection(0.3 - i / 100, 20.0 * i, 10, 20.0 * i + 18, 20) for i in range(5)]
    texts = {20.0 * i: (f"ABC123{i}", 0.9) for i in range(5)}
    assert read(texts, *many) == ["ABC1230", "ABC1231"]


def test_dim_detections_are_read_at_a_glance() -> None:
    careful, glance = FakeReader({}, "br-old"), FakeReader({70.0: ("XYZ9876", 0.9)}, "br-old")
    found = FakeDetector(detection(0.2, 70, 10, 120, 30))
    (plate,) = OnnxEngine(found, careful, sure=0.4, glance=glance).read(PICTURE)
    assert plate.text == "XYZ9876" and careful.asked == []


def test_a_picture_of_a_plate_s_shape_is_no_place_for_dim_detections() -> None:
    reader = FakeReader({70.0: ("XYZ9876", 0.9), 0.0: ("", 0.0)}, "br-old")
    engine = OnnxEngine(FakeDetector(detection(0.2, 70, 10, 120, 30)), reader, sure=0.4)
    assert engine.read(np.zeros((60, 200, 3), np.uint8)) == ()


def test_only_a_clear_text_of_a_known_format_makes_a_plate_of_a_dim_detection() -> None:
    assert legible("ABC1234", 0.85, 4, known=True)
    assert not legible("ABC1234", 0.84, 4, known=True) and not legible("ABC1234", 0.99, 4, known=False)
    assert not legible("AB1", 0.99, 4, known=True)


def test_nothing_found_asks_no_reader() -> None:
    reader = FakeReader({})
    assert OnnxEngine(FakeDetector(), reader).read(PICTURE) == ()
    assert reader.asked == []


def test_exposures_are_read_together() -> None:
    class Brightest(FakeDetector):
        def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
            return self.found if image.any() else []

    reader = FakeReader({10.0: ("ABC1234", 0.9)})
    engine = OnnxEngine(Brightest(detection(0.9, 10, 10, 60, 30)), reader)
    readings = engine.read_all([PICTURE, PICTURE + 1, PICTURE])
    assert [[each.text for each in own] for own in readings] == [[], ["ABC1234"], []]
    assert engine.read_all([]) == () and engine.read_all([PICTURE]) == ((),)


class Counting(FakeDetector):
    """Counts the pictures that it is asked about."""

    asked = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        self.asked += 1
        return super().detect(image)


LARGE = np.zeros((100, QUICK_FROM, 3), np.uint8)


@pytest.mark.parametrize(
    ("text", "confidence", "quick_is_enough"),
    [("ABC1234", 0.95, True), ("ABC1234", 0.85, False), ("ABC1234", 0.3, False), ("", 0.0, False)],
)
def test_the_usual_look_follows_where_a_quick_one_was_not_enough(
    text: str, confidence: float, quick_is_enough: bool
) -> None:
    quick, usual = Counting(detection(0.95, 10, 10, 60, 30)), Counting(detection(0.95, 70, 10, 120, 30))
    reader = FakeReader({10.0: (text, confidence), 70.0: ("XYZ9876", 0.5)})
    (plate,) = OnnxEngine(usual, reader, quick=quick).read(LARGE)
    assert (quick.asked, usual.asked) == (1, 0 if quick_is_enough else 1)
    assert plate.text == (text if quick_is_enough else "XYZ9876")


def test_a_quick_look_that_finds_nothing_is_followed_by_the_usual_one() -> None:
    quick, usual = Counting(), Counting(detection(0.95, 70, 10, 120, 30))
    engine = OnnxEngine(usual, FakeReader({70.0: ("XYZ9876", 0.5)}), quick=quick)
    assert [plate.text for plate in engine.read(LARGE)] == ["XYZ9876"]
    assert (quick.asked, usual.asked) == (1, 1)


def test_small_pictures_get_the_usual_look_alone() -> None:
    quick, usual = Counting(), Counting(detection(0.95, 70, 10, 120, 30))
    engine = OnnxEngine(usual, FakeReader({70.0: ("XYZ9876", 0.5)}), quick=quick)
    assert [plate.text for plate in engine.read(LARGE[:, :-1])] == ["XYZ9876"]
    assert (quick.asked, usual.asked) == (0, 1)


def test_of_several_pictures_those_in_doubt_are_looked_at_again_in_their_places() -> None:
    class InTheLight(Counting):
        def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
            found = super().detect(image)
            return found if image.any() else []

    quick = InTheLight(detection(0.95, 10, 10, 60, 30))
    usual = Counting(detection(0.95, 70, 10, 120, 30))
    reader = FakeReader({10.0: ("ABC1234", 0.95), 70.0: ("XYZ9876", 0.5)})
    read = OnnxEngine(usual, reader, quick=quick).read_all([LARGE, LARGE + 1, PICTURE, LARGE + 1])
    assert [plate.text for (plate,) in read] == ["XYZ9876", "ABC1234", "XYZ9876", "ABC1234"]
    assert (quick.asked, usual.asked) == (3, 2)


def test_a_known_format_needs_less_confidence_for_a_quick_look_to_be_enough() -> None:
    import msgspec

    reader = FakeReader({10.0: ("ABC1234", 0.8)})
    (plate,) = OnnxEngine(FakeDetector(detection(0.95, 10, 10, 60, 30)), reader).read(PICTURE)
    known = msgspec.structs.replace(plate, layout="br-old")
    assert not enough_read([plate], 0.7) and enough_read([plate], 0.6)
    assert enough_read([plate, known], 0.7) and not enough_read([known], 0.85)
    assert not enough_read([], 0.0) and not enough_read([msgspec.structs.replace(known, text="")], 0.0)


def test_limits_choose_by_width_region_and_number() -> None:
    found = [detection(0.9, 10, 10, 60, 30), detection(0.8, 70, 10, 82, 30), detection(0.7, 130, 70, 180, 90)]
    assert chosen(found, 200, 100, Limits(min_width=16)) == [found[0], found[2]]
    assert chosen(found, 200, 100, Limits(min_width=0, most=1)) == [found[0]]
    lower = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
    assert chosen(found, 200, 100, Limits(region=lower)) == [found[2]]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_region_of_the_whole_picture_keeps_every_middle_within_it(x: float, y: float) -> None:
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    left, top = x * 180, y * 80
    found = [detection(0.9, left, top, left + 20, top + 20)]
    assert chosen(found, 200, 100, Limits(region=whole)) == found


def test_what_is_no_picture_is_refused() -> None:
    engine = OnnxEngine(FakeDetector(), FakeReader({}), max_pixels=30_000)
    with pytest.raises(ImageError, match="needed is uint8"):
        engine.read(PICTURE[:, :, 0])
    with pytest.raises(ImageError, match="needed is uint8"):
        engine.read(PICTURE[:0])
    with pytest.raises(ImageError, match="300 x 200 pixels; the limit is 0"):
        engine.read(np.zeros((200, 300, 3), np.uint8))


def test_a_region_that_is_none_is_refused_when_the_engine_is_made() -> None:
    with pytest.raises(ValueError, match="three finite corners"):
        OnnxEngine(FakeDetector(), FakeReader({}), limits=Limits(region=((0.0, 0.0), (1.0, 1.0))))


@pytest.mark.parametrize(
    ("detection", "text", "confidence", "kept"),
    [
        (0.9, "", 0.0, True),
        (0.65, "CC", 0.9, False),
        (0.65, "ABC1234", 0.05, True),
        (0.45, "ABC1234", 0.05, False),
        (0.45, "ABC1234", 0.6, True),
        (0.45, "", 0.0, False),
    ],
)
def test_a_doubtful_detection_needs_its_text(detection: float, text: str, confidence: float, kept: bool) -> None:
    assert confirmed(detection, text, confidence, 4) is kept


def test_a_doubtful_text_of_no_known_format_is_no_plate() -> None:
    assert not confirmed(0.8, "4040", 0.55, 4, known=False)
    assert confirmed(0.8, "4040", 0.75, 4, known=False) and confirmed(0.95, "4040", 0.1, 4, known=False)


# --- modes ----------------------------------------------------------------------------------------------------


def test_the_modes_are_those_of_the_configuration() -> None:
    import msgspec

    kinds = {field.name: field.type for field in msgspec.structs.fields(EngineConfig)}
    assert set(get_args(get_args(kinds["mode"])[0])) == set(MODES)


def opened(mode: str, **changes: object) -> tuple[OnnxEngine, CarefulReader]:
    import msgspec

    engine = open_engine(msgspec.convert({"mode": mode, **changes}, EngineConfig))
    assert isinstance(engine.reader, CarefulReader)
    return engine, engine.reader


def test_each_mode_looks_harder_than_the_one_before() -> None:
    fast, fast_reader = opened("fast")
    normal, reader = opened("normal", detector_size=960)
    thorough, thorough_reader = opened("thorough")
    for engine, size in ((fast, 640), (normal, 960)):
        assert isinstance(engine.detector, PlateDetector) and isinstance(engine.quick, PlateDetector)
        assert (engine.detector.size, engine.quick.size) == (size, 0.6 * size)
    assert isinstance(thorough.detector, Scales) and thorough.quick is None
    assert [look.size for look in thorough.detector.looks if isinstance(look, PlateDetector)] == [448, 640, 1024]
    assert (fast_reader.framings, reader.framings, thorough_reader.framings) == ((), SECOND_LOOKS, ALL_LOOKS)
    assert reader.doubt < 1 < thorough_reader.doubt
    assert 0 < fast.enough < normal.enough < 1


def test_a_detector_of_a_fixed_size_is_given_parts_instead_of_another_scale(tmp_path: Path) -> None:
    path = write_detector(tmp_path, np.array([[10, 20, 90, 50, 0.9]], np.float32))
    thorough, _ = opened("thorough", detector=str(path))
    assert isinstance(thorough.detector, PlateDetector) and thorough.detector.tiles == 2
    fast, _ = opened("fast", detector=str(path))
    assert isinstance(fast.detector, PlateDetector) and fast.detector.size == 320
    assert fast.quick is None and thorough.quick is None
    assert len(thorough.detector.detect(np.zeros((192, 320, 3), np.uint8))) >= 1


@pytest.mark.parametrize(
    ("mode", "wanted", "dim"), [("normal", True, True), ("normal", False, False), ("fast", True, False)]
)
def test_dim_detections_are_for_who_wants_them(mode: str, wanted: bool, dim: bool) -> None:
    engine, _ = opened(mode, dim_plates=wanted, quick_look=False)
    assert isinstance(engine.detector, PlateDetector) and engine.sure == 0.4
    assert (engine.detector.least_score < 0.2) is dim and (engine.detector.least_score == pytest.approx(0.4)) is not dim


@pytest.mark.parametrize(("changes", "tiles"), [({"tiles": 2}, 2), ({"quick_look": False}, 1)])
def test_no_quick_look_for_who_searches_in_parts_or_does_not_want_it(changes: dict[str, object], tiles: int) -> None:
    normal, _ = opened("normal", **changes)
    assert normal.quick is None and isinstance(normal.detector, PlateDetector)
    assert (normal.detector.tiles, normal.detector.size) == (tiles, 640)


@pytest.mark.parametrize(
    ("size", "confidence", "limits", "read"),
    [
        ((200, 60), 0.95, Limits(), True),
        ((200, 60), 0.85, Limits(), False),  # of no known format, so it has to be clearer
        ((60, 200), 0.95, Limits(), False),
        ((480, 270), 0.95, Limits(), False),  # a small camera's whole picture
        ((800, 240), 0.95, Limits(), False),
        ((200, 60), 0.95, Limits(min_width=300), False),
        ((200, 60), 0.95, Limits(min_characters=8), False),
    ],
)
def test_a_cut_out_plate_that_no_detector_sees_is_read_where_it_is_clear(
    size: tuple[int, int], confidence: float, limits: Limits, read: bool
) -> None:
    engine = OnnxEngine(FakeDetector(), FakeReader({0.0: ("ABC1234", confidence)}), limits=limits)
    found = engine.read(np.full((size[1], size[0], 3), 90, np.uint8))
    assert [(one.text, one.box, one.detection) for one in found] == ([("ABC1234", (0, 0, *size), 0.5)] if read else [])

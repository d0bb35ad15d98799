"""The reader: slots and CTC, several plates, colours; and the shipped model on drawn plates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lpr.events import Corners
from lpr.plates.formats import UnknownCountry
from lpr.plates.grammar import grammar_for
from lpr.scene.plates import render_plate, spec_for
from lpr.vision.ocr import PlateReader, plate_colour, style_prior, style_shares
from lpr.vision.rectify import corners_of_box
from tests.vision.reader_models import write_fixed


def test_fixed_slots(tmp_path: Path) -> None:
    reader = PlateReader(write_fixed(tmp_path, "ABC1D23"))
    image = np.zeros((40, 90, 3), np.uint8)
    flat: Corners = ((0, 0), (5, 0), (9, 0), (12, 0))
    found = reader.read(image, [corners_of_box((5, 5, 80, 30)), flat], ["BR"])
    assert [plate.text for plate in found] == ["ABC1D23", ""]
    assert found[0].layout == "br-mercosul" and found[0].country == "BR" and found[0].rows == 1
    assert found[0].characters[0].confidence > 0.9
    assert found[1].confidence == 0.0


def test_ctc_drops_repeats_and_blanks(tmp_path: Path) -> None:
    reader = PlateReader(write_fixed(tmp_path, "AA_ABB_11", steps=12, ctc=True))
    assert reader.read(np.zeros((20, 60), np.uint8), [corners_of_box((0, 0, 60, 20))])[0].text == "AAB1"
    blank = PlateReader(write_fixed(tmp_path, "", steps=12, ctc=True))
    assert blank.read(np.zeros((20, 60), np.uint8), [corners_of_box((0, 0, 60, 20))])[0].text == ""


def test_more_plates_than_one_batch(tmp_path: Path) -> None:
    reader = PlateReader(write_fixed(tmp_path, "AB12"))
    boxes = [corners_of_box((i, 0, i + 30, 20)) for i in range(70)]
    assert [plate.text for plate in reader.read(np.zeros((30, 120, 3), np.uint8), boxes)] == ["AB12"] * 70
    assert reader.read(np.zeros((30, 120, 3), np.uint8), []) == []


def test_an_unknown_country_is_named(tmp_path: Path) -> None:
    reader = PlateReader(write_fixed(tmp_path, "AB12"))
    with pytest.raises(UnknownCountry, match="QQ"):
        reader.read(np.zeros((30, 120, 3), np.uint8), [], ["QQ"])


@pytest.mark.parametrize(
    ("layout", "variant", "colour"),
    [("br-mercosul", 0, "white"), ("br-old", 2, "red"), ("ar-old", 0, "black"), ("co", 0, "yellow")],
)
def test_the_colour_of_the_ground(layout: str, variant: int, colour: str) -> None:
    text = {"br-mercosul": "ABC1D23", "br-old": "ABC1234"}.get(layout, "ABC123")
    assert plate_colour(render_plate(spec_for(text, layout, variant=variant), 48)) == colour


def test_styles_become_a_prior_for_formats() -> None:
    prior = style_prior({"br-old": 0.7, "eu": 0.2, "us": 0.1, "cl": 0.05})
    assert prior["br-old"] == prior["br-old-moto"] == 0.7
    assert prior["de-33"] == 0.2 and prior["us-33"] == 0.1 and prior["cl-new"] == 0.05


@pytest.mark.parametrize("countries", [(), ("BR",), ("DE", "US")])
def test_the_prior_is_the_same_for_the_formats_of_a_grammar(countries: tuple[str, ...]) -> None:
    layouts = {"br-old": 0.7, "eu": 0.2, "us": 0.1, "cl": 0.05}
    grammar = grammar_for(countries)
    prior = style_prior(layouts)
    assert style_shares(layouts, grammar).tolist() == [prior.get(one.key, 0.0) for one in grammar.formats]
    assert np.array_equal(grammar.weighed(prior, 0.8), grammar.weighed(style_shares(layouts, grammar), 0.8))


# --- the shipped model ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("ABC1D23", "br-mercosul"),
        ("RTV4H86", "br-mercosul"),
        ("KLM7359", "br-old"),
        ("GJA5809", "br-old"),
        ("AB123CD", "ar-mercosul"),
        ("GER741", "ar-old"),
        ("HJKL45", "cl-new"),
        ("B47TRX", "ro-b"),
        ("LFS658", "us-33"),
    ],
)
def test_the_shipped_reader_reads_clear_plates(shipped: PlateReader, text: str, layout: str) -> None:
    plate = render_plate(spec_for(text, layout), 64)
    height, width = plate.shape[:2]
    scene = np.full((height + 60, width + 80, 3), 90, np.uint8)
    scene[30 : 30 + height, 40 : 40 + width] = plate
    found = shipped.read(scene, [corners_of_box((40, 30, 40 + width, 30 + height))], [layout[:2].upper()])[0]
    assert found.text == text
    assert found.country == layout[:2].upper()
    assert found.confidence > 0.5 and found.sharpness > 0


def test_the_shipped_reader_parts_one_row_from_two(shipped: PlateReader) -> None:
    rows: list[int] = []
    for layout in ("br-mercosul", "br-mercosul-moto"):
        plate = render_plate(spec_for("ABC1D23", layout), 96)
        height, width = plate.shape[:2]
        rows.append(shipped.read(plate, [corners_of_box((0, 0, width, height))], ["BR"])[0].rows)
    assert rows == [1, 2]


def test_the_shipped_reader_is_small() -> None:
    from lpr.vision.manifest import READER

    assert READER.with_name("reader.onnx").stat().st_size < 2_000_000


@pytest.fixture(scope="module")
def shipped() -> PlateReader:
    return PlateReader()

"""The colour of paint: painted cards with a plate under coloured and dim light, rendered vehicles, inks of plates."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.events import COLOURS, Corners
from lpr.scene.plates import render_plate, spec_for
from lpr.vision.colour import (
    NOTHING,
    PAINT_MODEL,
    UNKNOWN,
    Paint,
    PaintModel,
    ink_of,
    load_paint,
    paint_of,
)
from lpr.vision.colour_measure import FEATURES, HUES, MIRROR, measured
from lpr.vision.manifest import ModelError

Image = NDArray[np.uint8]

PLATE: Corners = ((280.0, 290.0), (360.0, 290.0), (360.0, 312.0), (280.0, 312.0))

PAINTS: dict[str, tuple[int, int, int]] = {
    "red": (40, 30, 190),
    "blue": (170, 80, 30),
    "green": (60, 130, 40),
    "yellow": (40, 200, 235),
    "orange": (30, 120, 240),
    "white": (236, 236, 234),
    "black": (26, 25, 24),
}


def card(paint: tuple[int, int, int]) -> Image:
    """A street of grey and green with a car of flat paint, its windows, tyres, lamps and white plate; (480, 640, 3)."""
    rng = np.random.default_rng(3)
    image = np.full((480, 640, 3), (205, 190, 175), np.uint8)  # sky
    image[150:] = (120, 122, 124)
    image[100:170, :] = (60, 110, 80)
    cv2.rectangle(image, (180, 190), (460, 330), paint, -1)
    cv2.rectangle(image, (215, 130), (425, 190), (60, 55, 50), -1)
    for x in (200, 400):
        cv2.rectangle(image, (x, 325), (x + 45, 360), (25, 25, 25), -1)
    cv2.rectangle(image, (185, 245), (215, 265), (30, 25, 170), -1)
    cv2.rectangle(image, (425, 245), (455, 265), (30, 25, 170), -1)
    plate = render_plate(spec_for("ABC1D23", "br-mercosul"), 22)
    image[290:312, 280:360] = cv2.resize(plate, (80, 22), interpolation=cv2.INTER_AREA)
    noise = rng.normal(0, 4, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 1.0) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> PaintModel:
    return load_paint()


@pytest.mark.parametrize("name", PAINTS)
def test_flat_paint_is_named(name: str, model: PaintModel) -> None:
    paint = paint_of(card(PAINTS[name]), PLATE, None, model)
    assert paint.colour == name and 0.45 <= paint.confidence <= 1.0


@pytest.mark.parametrize("name", ["red", "blue", "green", "yellow"])
@pytest.mark.parametrize("light", [(1.12, 1.0, 0.88), (0.85, 1.0, 1.12), (0.6, 0.6, 0.6)])
def test_another_light_does_not_change_a_hue(name: str, light: tuple[float, float, float], model: PaintModel) -> None:
    lit = np.clip(card(PAINTS[name]) * np.array(light), 0, 255).astype(np.uint8)
    assert paint_of(lit, PLATE, None, model).colour == name


def test_what_cannot_be_told_is_unknown(model: PaintModel) -> None:
    image = card(PAINTS["red"])
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, 2).astype(np.uint8)
    dark = (image * 0.06).astype(np.uint8)
    sodium = (grey * np.array([0.1, 0.45, 0.95])).astype(np.uint8)
    magenta = (grey * np.array([0.95, 0.5, 0.9])).astype(np.uint8)
    for shown in (grey, dark, sodium, magenta):
        assert measured(shown, PLATE) is None
        assert paint_of(shown, PLATE, None, model) == NOTHING == Paint(UNKNOWN, 0.0)


def test_a_box_keeps_the_neighbour_out(model: PaintModel) -> None:
    """Half of the surroundings are another car: with the vehicle's box they don't count."""
    image = card(PAINTS["white"])
    image[200:330, 340:] = (170, 80, 30)
    image[290:312, 280:360] = card(PAINTS["white"])[290:312, 280:360]
    inside, outside = measured(image, PLATE, (180, 130, 340, 360)), measured(image, PLATE)
    assert inside is not None and outside is not None
    blue = [hue[0] for hue in HUES].index("blue")
    assert inside[blue] < 0.15 < outside[blue]


@settings(max_examples=40)
@given(
    st.tuples(*[st.floats(-300, 900)] * 2),
    st.floats(2, 400),
    st.floats(2, 200),
    st.sampled_from(["red", "white", "black"]),
)
def test_any_plate_in_any_place_gets_an_answer(at: tuple[float, float], width: float, height: float, name: str) -> None:
    x, y = at
    corners: Corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    paint = paint_of(CARDS[name], corners, None, MODEL)
    assert paint.colour in COLOURS and 0.0 <= paint.confidence <= 1.0
    assert (paint.colour == UNKNOWN) == (paint.confidence == 0.0)


CARDS = {name: card(PAINTS[name]) for name in ("red", "white", "black")}
MODEL = load_paint()


@given(st.lists(st.floats(-2, 2, width=32), min_size=FEATURES, max_size=FEATURES))
def test_probabilities_add_up_and_a_mirror_changes_nothing(numbers: list[float]) -> None:
    measurement = np.array(numbers, np.float32)
    chances = MODEL.probabilities(measurement)
    assert set(chances) == set(COLOURS) - {UNKNOWN}
    assert sum(chances.values()) == pytest.approx(1.0, abs=1e-5)
    assert MODEL.probabilities(measurement[MIRROR]) == pytest.approx(chances, abs=1e-5)


@pytest.mark.parametrize("name", ["red", "black"])
def test_a_measurement_is_finite_and_mirrors(name: str) -> None:
    """Of the mirrored picture the numbers are the mirrored ones; letters and rounding differ a little."""
    image = CARDS[name]
    mirrored = np.ascontiguousarray(image[:, ::-1])
    corners: Corners = ((280.0, 290.0), (360.0, 290.0), (360.0, 312.0), (280.0, 312.0))
    there, back = measured(image, corners), measured(mirrored, corners)
    assert there is not None and back is not None and there.shape == (FEATURES,) and np.isfinite(there).all()
    assert float(np.median(np.abs(there[MIRROR] - back))) < 0.01


def test_models_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "paint.json"
    good = json.loads(PAINT_MODEL.read_text())
    (tmp_path / good["file"]).write_bytes((PAINT_MODEL.parent / good["file"]).read_bytes())
    path.write_text(json.dumps(good))
    assert load_paint(path).manifest.min_confidence == good["min_confidence"]
    bad: list[tuple[dict[str, object], str]] = [
        ({"features": 25}, "takes 25 numbers"),
        ({"classes": ["white", "black"]}, "classes must be"),
        ({"min_confidence": 1.5}, "within 0 to 1"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"output": "nothing"}, "cannot run"),
        ({"file": "elsewhere.onnx"}, "cannot be read"),
    ]
    for change, reason in bad:
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(ModelError, match=reason):
            load_paint(path)


# --- ink ------------------------------------------------------------------------------------------------


def inked(colour: tuple[int, int, int], ground: tuple[int, int, int] = (226, 236, 242)) -> Image:
    """A plate of 200 x 64 pixels with thick letters, on a grey picture."""
    image = np.full((160, 300, 3), (110, 112, 115), np.uint8)
    cv2.rectangle(image, (50, 50), (249, 113), ground, -1)
    cv2.putText(image, "ABC1D23", (62, 98), cv2.FONT_HERSHEY_SIMPLEX, 1.25, colour, 5, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 0.8).astype(np.uint8)


INKED: Corners = ((50.0, 50.0), (250.0, 50.0), (250.0, 114.0), (50.0, 114.0))


@pytest.mark.parametrize(
    ("ink", "name"),
    [
        ((25, 25, 25), "black"),
        ((35, 30, 190), "red"),
        ((170, 70, 30), "blue"),
        ((50, 120, 30), "green"),
        ((30, 140, 200), "orange"),
    ],
)
def test_ink_is_named(ink: tuple[int, int, int], name: str) -> None:
    assert ink_of(inked(ink), INKED) == name


def test_light_ink_on_dark_ground_is_white() -> None:
    assert ink_of(inked((240, 240, 240), (40, 30, 24)), INKED) == "white"


def test_ink_is_not_said_where_it_cannot_be_seen() -> None:
    image = inked((35, 30, 190))
    small: Corners = ((50.0, 50.0), (90.0, 50.0), (90.0, 62.0), (50.0, 62.0))
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, 2).astype(np.uint8)
    assert ink_of(image, small) is None and ink_of(grey, INKED) is None
    assert ink_of(np.full((160, 300, 3), 120, np.uint8), INKED) is None

"""Several looks at one plate: framings, and what is made of looks that disagree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.plates.decode import ALPHABET
from lpr.vision.looks import ALL_LOOKS, CarefulReader, Framing, framed, merged
from lpr.vision.ocr import PlateReader, SlotProbabilities
from lpr.vision.rectify import corners_of_box
from tests.vision.reader_models import write_fixed

TEXTS = st.text(ALPHABET, min_size=1, max_size=9)


def look(text: str, sure: float = 0.9, other: str = "", two_rows: float | None = None) -> SlotProbabilities:
    """Slots that say ``text``, with the rest of the probability on ``other``'s characters (else spread); "_": blank."""
    slots = np.full((len(text), 37), (1 - sure) / 36 if not other else 0.0, np.float32)
    for place, char in enumerate(text):
        if other:
            slots[place, (ALPHABET + "_").index(other[place])] += 1 - sure
        slots[place, (ALPHABET + "_").index(char)] = sure if not other or other[place] != char else 1.0
    return SlotProbabilities(slots, {"br-old": 0.6, "us": 0.4}, two_rows)


def said(slots: SlotProbabilities) -> str:
    """The likeliest character of each slot: what the looks say before any format is asked."""
    return "".join((ALPHABET + "_")[int(at)] for at in slots.characters.argmax(1)).replace("_", "")


def sureness(slots: SlotProbabilities) -> float:
    return float(slots.characters.max(1).min())


# --- framings -----------------------------------------------------------------------------------------------


@given(st.floats(-0.2, 0.5), st.floats(-0.2, 0.5), st.floats(-20, 20))
def test_a_framing_keeps_the_middle_and_changes_the_size(wider: float, higher: float, turn: float) -> None:
    corners: Corners = ((10.0, 20.0), (110.0, 20.0), (110.0, 60.0), (10.0, 60.0))
    points = np.array(framed(corners, Framing(wider, higher, turn)))
    assert points.mean(0) == pytest.approx([60.0, 40.0])
    assert np.linalg.norm(points[1] - points[0]) == pytest.approx(100 * (1 + wider))
    assert np.linalg.norm(points[3] - points[0]) == pytest.approx(40 * (1 + higher))
    across = points[1] - points[0]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(turn, abs=1e-6)


def test_no_framing_changes_nothing() -> None:
    corners: Corners = ((10.0, 22.0), (110.0, 20.0), (112.0, 60.0), (9.0, 61.0))
    assert np.allclose(framed(corners, Framing()), corners)


# --- merging ------------------------------------------------------------------------------------------------


def test_what_all_looks_together_make_likeliest_is_read() -> None:
    looks = [look("ABC1234", 0.9), look("A8C1234", 0.6, "ABC1234"), look("A8C1234", 0.6, "ABC1234")]
    assert said(merged(looks)) == "ABC1234"
    assert said(merged([look("ABC1234", 0.4), look("A8C1234", 0.9), look("A8C1234", 0.9)])) == "A8C1234"


def test_disagreement_lowers_the_reliability() -> None:
    alone = sureness(merged([look("ABC1234")]))
    doubted = sureness(merged([look("ABC1234"), look("ABC1Z34", 0.8)]))
    assert doubted < alone - 0.2


def test_a_lost_character_is_found_by_the_others() -> None:
    looks = [look("AB1234", 0.5), look("ABC1234", 0.9), look("ABC1234", 0.8)]
    found = merged(looks)
    assert said(found) == "ABC1234"
    assert found.characters[2, 36] > 0.1  # the look that lost it counts for the blank


def test_a_character_that_one_look_invented_is_dropped() -> None:
    looks = [look("ABCI1234", 0.6), look("ABC1234", 0.55), look("ABC1234", 0.55)]
    assert said(merged(looks)) == "ABC1234"


def test_columns_of_a_ctc_reader_become_slots() -> None:
    columns = look("AA_BB_B__1", 0.9)
    two = SlotProbabilities(columns.characters, {}, None, ctc=True)
    found = merged([two, two])
    assert not found.ctc and said(found) == "ABB1" and len(found.characters) == 4
    alone = merged([two])
    assert alone is two


def test_layouts_and_rows_are_means_and_nothing_stays_nothing() -> None:
    found = merged([look("AB12", two_rows=0.9), look("AB12", two_rows=0.5), look("AB12")])
    assert found.two_rows == pytest.approx(0.7)
    assert found.layouts["br-old"] == pytest.approx(0.6)
    assert said(merged([look("___"), look("__")])) == ""
    assert said(merged([look("___"), look("AB12", 0.6)])) == "AB12"
    with pytest.raises(ValueError, match="at least one"):
        merged([])


@given(st.lists(st.tuples(TEXTS, st.floats(0.3, 1.0)), min_size=1, max_size=4))
def test_what_comes_out_is_a_distribution(values: list[tuple[str, float]]) -> None:
    found = merged([look(text, sure) for text, sure in values]).characters
    assert np.allclose(found.sum(1), 1.0, atol=1e-5) and (found >= 0).all()


@given(TEXTS, st.lists(st.floats(0.5, 1.0), min_size=1, max_size=5))
def test_looks_that_agree_say_the_same_together(text: str, sure: list[float]) -> None:
    assert said(merged([look(text, each) for each in sure])) == text


# --- the reader ---------------------------------------------------------------------------------------------


class Counting(PlateReader):
    """Counts the patches it reads."""

    patches = 0

    def probabilities(self, patches: Sequence[NDArray[np.uint8]]) -> list[SlotProbabilities]:
        self.patches += len(patches)
        return super().probabilities(patches)


IMAGE = np.zeros((60, 200, 3), np.uint8)
FLAT: Corners = ((0, 0), (5, 0), (9, 0), (12, 0))


def test_only_doubtful_plates_are_looked_at_again(tmp_path: Path) -> None:
    reader = Counting(write_fixed(tmp_path, "ABC1D23"))
    plates = [corners_of_box((5, 5, 80, 30)), FLAT, corners_of_box((100, 5, 180, 30))]
    assert [text.text for text in CarefulReader(reader, ALL_LOOKS, doubt=0.5).read(IMAGE, plates)] == [
        "ABC1D23",
        "",
        "ABC1D23",
    ]
    assert reader.patches == 2
    found = CarefulReader(reader, ALL_LOOKS, doubt=2.0).read(IMAGE, plates, ["BR"])
    assert reader.patches == 2 + 2 + 2 * len(ALL_LOOKS)
    assert [text.text for text in found] == ["ABC1D23", "", "ABC1D23"]
    assert found[0].layout == "br-mercosul"
    assert CarefulReader(reader).read(IMAGE, []) == []
    assert CarefulReader(reader).name == "fixed"


def test_it_reads_as_the_plain_reader_does_when_nothing_is_doubtful(tmp_path: Path) -> None:
    reader = PlateReader(write_fixed(tmp_path, "ABC1D23"))
    plates = [corners_of_box((5, 5, 80, 30)), FLAT]
    assert CarefulReader(reader, (), 0.0).read(IMAGE, plates, ["BR"]) == reader.read(IMAGE, plates, ["BR"])


def test_plates_of_several_pictures_are_read_together(tmp_path: Path) -> None:
    reader = Counting(write_fixed(tmp_path, "ABC1D23"))
    plates = [corners_of_box((5, 5, 80, 30)), FLAT]
    found = CarefulReader(reader, ALL_LOOKS, doubt=2.0).read_all([(IMAGE, plates), (IMAGE, []), (IMAGE, plates[:1])])
    assert [[text.text for text in own] for own in found] == [["ABC1D23", ""], [], ["ABC1D23"]]


def test_what_the_network_is_unsure_of_at_a_glance_has_no_text(tmp_path: Path) -> None:
    reader = PlateReader(write_fixed(tmp_path, "ABC1D23"))
    plates = [corners_of_box((5, 5, 80, 30))]
    (seen,) = reader.probabilities([np.zeros((reader.manifest.input.height, reader.manifest.input.width), np.uint8)])
    rows = seen.characters[seen.characters.argmax(1) != len(ALPHABET)]
    sure = float(rows.max(1).min())
    assert [text.text for text in CarefulReader(reader, (), 0.0, least=sure * 0.99).read(IMAGE, plates)] == ["ABC1D23"]
    (nothing,) = CarefulReader(reader, (), 0.0, least=sure * 1.01).read(IMAGE, plates)
    assert (nothing.text, nothing.confidence) == ("", 0.0)

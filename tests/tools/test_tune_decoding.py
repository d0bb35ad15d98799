"""The search for decoding's values: it finds what makes known texts likelier, and leaves what is good."""

from __future__ import annotations

import numpy as np
import pytest

from lpr.plates.decode import ALPHABET, DecodeSettings
from lpr.plates.grammar import Priors
from lpr.vision.ocr import SlotProbabilities
from tools.tune_decoding import Known, figures_of, main, neighbours, search


def seen(text: str, sure: float) -> SlotProbabilities:
    p = np.full((len(text), 37), (1 - sure) / 36, np.float32)
    for row, char in zip(p, text, strict=True):
        row[ALPHABET.index(char)] = sure
    return SlotProbabilities(p, {}, None)


def test_figures_count_texts_and_surprise() -> None:
    known = Known("x", "BR", ((seen("ABC1234", 0.99), "ABC1234"), (seen("XYZ9876", 0.99), "XYZ0000")))
    figures = figures_of(known, ("BR",), DecodeSettings())
    assert figures.exact == figures.folded == 0.5
    assert 3 < figures.surprise < 4 and figures.loss == pytest.approx(figures.surprise + 0.5)


def test_each_neighbour_differs_in_one_value() -> None:
    start = DecodeSettings()
    found = neighbours(start)
    assert len({title for title, _ in found}) == len(found) == 12
    for _, one in found:
        changed = (one.trust != start.trust) + (one.twins != start.twins) + (one.priors != start.priors)
        assert changed == 1


def test_a_reader_that_is_always_right_is_trusted_more(capsys: pytest.CaptureFixture[str]) -> None:
    known = Known("x", "BR", tuple((seen(text, 0.8), text) for text in ("ABC1D23", "XYZ9876", "QWE4R56")))
    start = DecodeSettings(trust=0.5, priors=Priors())
    best = search([known], start)
    assert best.trust > start.trust
    assert capsys.readouterr().out.startswith("as they are")


def test_a_folder_needs_its_country() -> None:
    with pytest.raises(SystemExit, match="FOLDER=COUNTRY"):
        main(["somewhere"])

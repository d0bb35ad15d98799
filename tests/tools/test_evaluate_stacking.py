"""The tool that measures stacking: its exposures, its figures and its command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lpr.plates.legible import plate_height
from tools.evaluate_stacking import burst, main


def test_a_burst_is_repeatable_and_as_high_as_asked() -> None:
    text, shots = burst(np.random.default_rng(4), 12.0, 3, ("BR",))
    again, others = burst(np.random.default_rng(4), 12.0, 3, ("BR",))
    assert (text, len(shots)) == (again, 3)
    for (image, corners), (other, same) in zip(shots, others, strict=True):
        assert (image == other).all()
        assert corners == same
        assert plate_height(corners) == pytest.approx(12.0, rel=0.25)
        assert image.std() > 3  # the plate is on it
    assert any((shots[0][0] != image).any() for image, _ in shots[1:])


def test_plates_of_a_readable_size_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--plates", "4", "--exposures", "2", "--height", "30", "--country", "BR"]
    assert main([*words, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["30"]
    assert figures["vote"] >= 0.75
    assert figures["vote with the stack"] >= 0.75
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("30 px, 4 plates of 2 exposures: one exposure ")


def test_a_height_out_of_range_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--height", "2"])
    assert "--height is 4 to 100" in capsys.readouterr().err

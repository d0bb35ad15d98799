"""What a tool is asked for is checked before it begins hours of work."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools import compare, evaluate_detector, evaluate_tracking, tune_decoding
from tools.evaluate.__main__ import main as evaluate
from tools.options import existing_file, existing_folder, from_one, from_zero, new_file


def test_numbers() -> None:
    assert from_zero("0") == 0 and from_one("12") == 12
    for kind, text, said in (
        (from_zero, "-1", "-1 is too few; 0 or more"),
        (from_one, "0", "0 is too few; 1 or more"),
        (from_one, "1.5", "'1.5' is no whole number"),
    ):
        with pytest.raises(ArgumentTypeError, match=said):
            kind(text)


def test_files(tmp_path: Path) -> None:
    assert new_file(str(tmp_path / "a.json")) == tmp_path / "a.json"
    assert existing_folder(str(tmp_path)) == tmp_path
    with pytest.raises(ArgumentTypeError, match=r"there is no folder .*none; make it first"):
        new_file(str(tmp_path / "none" / "a.json"))
    with pytest.raises(ArgumentTypeError, match="is a folder; name a file"):
        new_file(str(tmp_path))
    with pytest.raises(ArgumentTypeError, match="there is no such file"):
        existing_file(str(tmp_path))
    with pytest.raises(ArgumentTypeError, match="there is no such folder"):
        existing_folder(str(tmp_path / "none"))


def test_a_tool_ends_before_it_measures_what_it_could_not_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = ["--json", str(tmp_path / "none" / "figures.json")]
    for main, words in (
        (evaluate, [str(tmp_path), *lost]),
        (compare.main, [str(tmp_path), *lost]),
        (evaluate_tracking.main, ["--engine", "simulated", *lost]),
    ):
        with pytest.raises(SystemExit):
            main(words)
        assert "make it first" in capsys.readouterr().err


def test_figures_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text("{")
    with pytest.raises(SystemExit, match="not the figures of a --json"):
        evaluate(["--from", str(path)])
    path.write_text("[]")
    with pytest.raises(SystemExit, match="it has no folders"):
        evaluate(["--from", str(path)])


def test_a_street_that_cannot_be_drawn_is_said() -> None:
    with pytest.raises(SystemExit, match="10×6 pixels: 160×90 to 3840×2160"):
        evaluate_tracking.main(["--engine", "simulated", "--drives", "jam", "--seeds", "1", "--width", "10", "--quiet"])


def test_there_is_nothing_to_compare_without_texts(tmp_path: Path) -> None:
    (tmp_path / "annotations.jsonl").write_text('{"image": "a.png", "plates": []}\n')
    with pytest.raises(SystemExit, match="no plate with a known text"):
        compare.main([str(tmp_path)])


def test_the_detector_s_tool_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate_detector.main([])
    assert "name at least one folder, or --backgrounds" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="neither annotations"):
        evaluate_detector.main([str(tmp_path)])
    picture = tmp_path / "a.png"
    assert cv2.imwrite(str(picture), np.zeros((40, 60, 3), np.uint8))
    with pytest.raises(SystemExit, match="pictures without a plate go behind --backgrounds"):
        evaluate_detector.main([str(tmp_path)])
    evaluate_detector.main(["--backgrounds", str(tmp_path)])
    assert json.loads(capsys.readouterr().out)["backgrounds"]["pictures"] == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [("x", "write FOLDER=COUNTRY"), ("x=ZZ", "no plate formats for country 'ZZ'"), ("x=BR", "x: neither annotations")],
)
def test_the_decoding_s_tool_says_what_is_wrong(
    word: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=said):
        tune_decoding.main([word])

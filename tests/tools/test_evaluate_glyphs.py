"""Drawn glyphs against a reference: the same fits wholly, another character is named, bad input is said."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lpr.scene.faces import ALPHABET, FACES
from lpr.scene.glyphs import glyph_mask
from tools.evaluate_glyphs import main, overlap_of, pictures_of


def _pictures(folder: Path, names: dict[str, str]) -> Path:
    """Dark characters on light: file name to the character of the face "brazil" that it shows."""
    folder.mkdir()
    for name, char in names.items():
        ink = np.pad(glyph_mask(FACES["brazil"], char, 120), 10)
        assert cv2.imwrite(str(folder / f"{name}.png"), (255 - 225 * ink).astype(np.uint8))
    return folder


def test_a_face_is_wholly_like_itself_and_a_wrong_glyph_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _pictures(tmp_path / "glyphs", {"A": "A", "B": "8", "I1": "I", "-": "I", "plate": "X"})
    assert main(["brazil", str(folder), "--json", "--sheet", str(tmp_path / "sheet.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    own = {one["char"]: one for one in found["glyphs"]}
    assert set(own) == {"A", "B", "I", "1"}  # names of other things are passed over
    assert own["A"]["overlap"] > 0.96 and own["A"]["like"] == "A" and abs(own["A"]["wider"] - 1) < 0.03
    assert own["B"]["like"] == "8" and own["B"]["its_overlap"] > 0.96 > own["B"]["overlap"]
    assert own["I"]["overlap"] > 0.9 and own["1"]["overlap"] > 0.9
    assert found["mean"] == pytest.approx(sum(one["overlap"] for one in own.values()) / 4, abs=2e-3)
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
    assert main(["brazil", str(folder)]) == 0
    assert "B  overlap" in capsys.readouterr().out


def test_the_ink_behind_a_light_rim_is_left_out(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "glyphs", {"T": "T"})
    plain = pictures_of(folder)["T"]
    picture = cv2.imread(str(folder / "T.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    picture[60:130, 10:26] = 20  # dark, as large pictures of single glyphs have it, but apart from the stem
    assert cv2.imwrite(str(folder / "T.png"), picture)
    assert overlap_of(plain, pictures_of(folder)["T"]) > 0.99


def test_the_reader_reads_what_a_reference_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = _pictures(tmp_path / "right", {char: char for char in ALPHABET})
    turned = {char: ALPHABET[(place + 1) % 36] for place, char in enumerate(ALPHABET)}
    wrong = _pictures(tmp_path / "wrong", turned)
    words = ["--read", "6", "--layout", "br-old", "--json"]
    assert main(["brazil", str(right), *words]) == 0
    misread = json.loads(capsys.readouterr().out)["misread"]
    assert misread["ours"] == misread["reference"] == {}
    assert main(["brazil", str(wrong), *words]) == 0
    assert len(json.loads(capsys.readouterr().out)["misread"]["reference"]) > 5


@pytest.mark.parametrize(
    ("names", "words", "message"),
    [
        ({}, [], "has no picture"),
        ({"A": "A"}, ["--read", "1"], "no plates can be written"),
        ({char: char for char in ALPHABET}, ["--read", "1", "--layout", "xx"], "no layout 'xx'"),
    ],
)
def test_what_cannot_be_measured_is_said(
    tmp_path: Path, names: dict[str, str], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _pictures(tmp_path / "glyphs", names)
    with pytest.raises(SystemExit):
        main(["brazil", str(folder), *words])
    assert message in capsys.readouterr().err


def test_a_picture_that_shows_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _pictures(tmp_path / "glyphs", {"A": "A"})
    assert cv2.imwrite(str(folder / "B.png"), np.full((40, 30), 255, np.uint8))
    with pytest.raises(SystemExit):
        main(["brazil", str(folder)])
    assert "B.png shows nothing dark" in capsys.readouterr().err
    (folder / "B.png").write_bytes(b"no picture")
    with pytest.raises(SystemExit):
        main(["brazil", str(folder)])
    assert "cannot be read" in capsys.readouterr().err

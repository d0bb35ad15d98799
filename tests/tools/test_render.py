"""Contact sheets: right size, something on them; folders that can be measured; what is wrong is said."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.pictures import decode_image
from tools.evaluate.samples import load
from tools.render import Drawn, Shown, faces, main, plates, scenes, sheet, street, training, variants, write_folder


def test_sheets() -> None:
    assert faces(16).shape[2] == 3
    first, again = plates(3, ["BR"], 1), plates(3, ["BR"], 1)
    assert all(np.array_equal(one.picture, other.picture) for one, other in zip(first, again, strict=True))
    assert {one.plates[0].country for one in first} == {"BR"}
    assert {one.shape for one in training(3, 2, None, None)} == {(62, 144, 3)}
    drawn = sheet([one.picture for one in plates(9, ["BR"], 1)], 8, (200, 80))
    assert drawn.shape == (160, 1600, 3) and drawn.std() > 20


def test_a_plate_in_all_its_colours() -> None:
    found = variants("ABC1D23", "br-mercosul")
    assert len(found) > 3 and len({one.picture.tobytes() for one in found}) == len(found)
    assert np.array_equal(found[0].picture, render_plate(spec_for("ABC1D23", "br-mercosul")))


def test_the_street_is_a_folder_to_measure_on(tmp_path: Path) -> None:
    drawn = list(street(2, 3))
    texts = [plate.text for one in drawn for plate in one.plates]
    assert any(texts) and None in texts, "near ones have a text, far ones none"
    write_folder(tmp_path / "street", drawn)
    folder = load(tmp_path / "street")
    assert len(folder.photos) == 2 and folder.texts == len(texts) - texts.count(None) and not folder.crops
    with pytest.raises(FileExistsError, match="name a new folder"):
        write_folder(tmp_path / "street", drawn)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    main(["--out", str(out), "--count", "2", "--country", "AR", "--folder", str(tmp_path / "ar")])
    assert capsys.readouterr().out == f"{out}: 1600 x 80\n"
    assert decode_image(out).shape == (80, 1600, 3)
    folder = load(tmp_path / "ar")
    assert folder.crops and folder.texts == 2
    main(["--out", str(out), "--text", "abc1d23"])
    main(["--out", str(out), "--street", "--count", "1"])
    assert decode_image(out).shape == (360, 1920, 3)


def test_scenes_are_outlined(tmp_path: Path) -> None:
    for name in ("openimages_lp", "ro_robertlucian"):
        (tmp_path / name).mkdir()
        picture = np.full((240, 320, 3), 120, np.uint8)
        assert cv2.imwrite(str(tmp_path / name / "a.png"), picture)
        record = {"image": "a.png", "width": 320, "height": 240, "plates": [{"box": [100, 100, 180, 120]}]}
        (tmp_path / name / "annotations.jsonl").write_text(json.dumps(record) + "\n")
    found = scenes(4, 5, tmp_path)
    assert {one.picture.shape for one in found} == {(288, 384, 3)} and any(one.plates for one in found)
    main(["--out", str(tmp_path / "s.jpg"), "--count", "1", "--scenes", str(tmp_path)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "a.txt"], "no picture can be written with this ending"),
        (["--out", "a.png", "--country", "ZZ"], "no plate formats for country 'ZZ'"),
        (["--out", "a.png", "--text", "AB-1"], "must be A-Z and 0-9"),
        (["--out", "a.png", "--text", "AB1", "--layout", "xx"], "no plate format 'xx'; there are"),
        (["--out", "a.png", "--scenes", "."], "no annotations.jsonl there"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=said):
        main([*words, "--count", "1"])


def test_a_folder_is_of_plates_or_of_the_street(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "a.png"), "--faces", "--folder", str(tmp_path / "x")])
    assert "only plates and the street" in capsys.readouterr().err


def test_annotations_are_in_pixels(tmp_path: Path) -> None:
    shown = Shown(((10.0, 20.0), (50.5, 21.0), (50.0, 33.0), (9.5, 32.0)), "AB12", "BR")
    write_folder(tmp_path / "one", [Drawn(np.zeros((60, 80, 3), np.uint8), (shown,))])
    record = json.loads((tmp_path / "one" / "annotations.jsonl").read_text())
    assert (record["width"], record["height"]) == (80, 60)
    assert record["plates"] == [
        {"box": [9.5, 20.0, 50.5, 33.0], "corners": [[10.0, 20.0], [50.5, 21.0], [50.0, 33.0], [9.5, 32.0]],
         "text": "AB12", "country": "BR"}
    ]  # fmt: skip

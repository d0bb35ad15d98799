"""Trying further looks: what is tried, and that a look counts as it is read."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.looks import Framing
from lpr.vision.ocr import PlateReader
from lpr.vision.rectify import corners_of_box
from tools.tune_looks import Seen, framing_of, main, tried, variants


def test_looks_are_tried_alone_and_together() -> None:
    first, second = Framing(0.1, 0.2), Framing(0.0, 0.0, 2.5)
    assert variants([first], [0.5]) == [((), 0.0), ((first,), 0.5)]
    assert variants([first, second], [0.5, 0.9])[1:] == [
        ((first,), 0.5), ((first,), 0.9), ((second,), 0.5), ((second,), 0.9), ((first, second), 0.5),
        ((first, second), 0.9),
    ]  # fmt: skip


def test_a_look_is_two_or_three_numbers() -> None:
    assert framing_of("0.2,0.25") == Framing(0.2, 0.25) and framing_of("0,-0.1,2.5") == Framing(0.0, -0.1, 2.5)
    for wrong in ("0.2", "a,b", "1,2,3,4", ""):
        with pytest.raises(SystemExit, match="WIDER,HIGHER"):
            framing_of(wrong)


def _scene() -> tuple[np.ndarray, tuple[int, int, int, int]]:
    plate = render_plate(spec_for("ABC1D23", "br-mercosul"), 60)
    scene = np.full((360, 480, 3), 90, np.uint8)
    scene[150 : 150 + plate.shape[0], 120 : 120 + plate.shape[1]] = plate
    return scene, (120, 150, 120 + plate.shape[1], 150 + plate.shape[0])


def test_right_pictures_and_plates_looked_at_again_are_counted() -> None:
    scene, box = _scene()
    corners = corners_of_box((float(box[0]), float(box[1]), float(box[2]), float(box[3])))
    seen = [Seen(scene, (corners,), frozenset({"ABC1D23"})), Seen(scene, (corners,), frozenset({"XYZ9Z99"}))]
    reader = PlateReader()
    assert tried(seen, reader, (), 0.0) == (1, 0)
    assert tried(seen, reader, (Framing(0.1, 0.1),), 2.0) == (1, 2)


def test_the_command_says_what_each_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene, box = _scene()
    cv2.imwrite(str(tmp_path / "a.png"), scene)
    record = {"image": "a.png", "width": 480, "height": 360, "plates": [{"box": box, "text": "ABC1D23"}]}
    (tmp_path / "annotations.jsonl").write_text(json.dumps(record), encoding="utf-8")
    main([str(tmp_path), "--look", "0.1,0.1", "--doubt", "2"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("no further look") and f"{tmp_path.name} 1 of 1 (0 again)" in first
    assert second.startswith("0.1,0.1,0, doubt 2") and "1 of 1 (1 again)" in second
    with pytest.raises(SystemExit, match="neither annotations"):
        main([str(tmp_path / "none")])

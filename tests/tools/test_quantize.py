"""Static int8: a model keeps its answers, gets smaller, and its manifest fits it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.manifest import READER
from lpr.vision.ocr import PlateReader
from lpr.vision.rectify import whole
from tools.quantize import main, quantize

pytest.importorskip("onnx")


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Drawn plates as a labelled folder of crops."""
    folder = tmp_path / "crops"
    folder.mkdir()
    lines: list[str] = []
    for number, text in enumerate(("ABC1D23", "RTV4H86", "KLM7F59", "GJA5B09", "QWE2R34", "ZXC8V76")):
        plate = render_plate(spec_for(text, "br-mercosul"), 60)
        height, width = plate.shape[:2]
        cv2.imwrite(str(folder / f"{number}.png"), plate)
        record = {"box": [0, 0, width, height], "corners": None, "text": text}
        lines.append(json.dumps({"image": f"{number}.png", "width": width, "height": height, "plates": [record]}))
    (folder / "annotations.jsonl").write_text("\n".join(lines))
    return folder


def test_a_reader_keeps_its_answers(tmp_path: Path, crops: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "int8"
    main([str(READER), "--pictures", str(crops), "--out", str(out)])
    report = json.loads(capsys.readouterr().out)
    assert report["bytes"] < 1.2 * report["bytes_before"]
    assert report["worst_change"] < report["range_of_outputs"]
    reader = PlateReader(out / READER.name)
    assert reader.name.endswith("-int8")
    plate = render_plate(spec_for("ABC1D23", "br-mercosul"), 64)
    assert reader.read(plate, [whole(plate)], ["BR"])[0].text == "ABC1D23"
    assert sorted(path.name for path in out.iterdir()) == ["reader.json", "reader.onnx"]


def test_what_cannot_be_quantized_is_said(tmp_path: Path, crops: Path) -> None:
    with pytest.raises(SystemExit, match="cannot be read"):
        copy = tmp_path / "reader.json"
        copy.write_bytes(READER.read_bytes())
        main([str(copy), "--pictures", str(crops), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="would overwrite"):
        main([str(READER), "--pictures", str(crops), "--out", str(READER.parent)])
    with pytest.raises(SystemExit, match="neither annotations"):
        (tmp_path / "empty").mkdir()
        main([str(READER), "--pictures", str(tmp_path / "empty"), "--out", str(tmp_path / "out")])
    with pytest.raises(ValueError, match="at least one batch"):
        quantize(READER.with_name("reader.onnx"), tmp_path / "x.onnx", [])

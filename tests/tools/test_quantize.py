"""Static int8: a model keeps its answers, gets smaller, and its manifest fits it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.detect import PlateDetector
from lpr.vision.detector_manifest import DETECTOR, DetectorManifest
from lpr.vision.manifest import READER, load_manifest
from lpr.vision.ocr import PlateReader
from lpr.vision.rectify import whole
from tools.quantize import batches_for, main, quantize


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
    out = ["--pictures", str(crops), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=r"nothing\.json: the model's manifest cannot be read"):
        main([str(tmp_path / "nothing.json"), *out])
    with pytest.raises(SystemExit, match=r"reader\.md: not a valid manifest"):
        main([str(READER.with_name("reader.md")), *out])
    with pytest.raises(SystemExit, match="of kind 'vehicle-kind'; detectors and readers can be quantized"):
        main([str(READER.with_name("vehicle.json")), *out])
    with pytest.raises(SystemExit, match=r"detector\.onnx: the model is quantized already"):
        main([str(DETECTOR), *out])
    with pytest.raises(SystemExit, match="names nodes that the model hasn't: somewhere"):
        main([str(READER), *out, "--exclude", "somewhere"])
    with pytest.raises(ValueError, match="at least one batch"):
        quantize(READER.with_name("reader.onnx"), tmp_path / "x.onnx", [])


def conv_detector(folder: Path, **changes: object) -> Path:
    """A detector of one convolution in float32, whose rows are none; its manifest's path."""
    make, kinds, arrays = cast("Any", helper), cast("Any", TensorProto), cast("Any", numpy_helper)
    nodes = [
        make.make_node("Conv", ["image", "weights"], ["maps"], name="conv"),
        make.make_node("ReduceMean", ["maps"], ["mean"], axes=[2, 3], keepdims=0),
        make.make_node("Unsqueeze", ["mean", "axis"], ["rows"]),
    ]
    weights = np.random.default_rng(1).normal(0, 0.1, (5, 3, 3, 3)).astype(np.float32)
    constants = [arrays.from_array(weights, "weights"), arrays.from_array(np.array([1], np.int64), "axis")]
    graph = make.make_graph(
        nodes,
        "conv",
        [make.make_tensor_value_info("image", kinds.FLOAT, [1, 3, 64, 96])],
        [make.make_tensor_value_info("rows", kinds.FLOAT, [1, 1, 5])],
        constants,
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    data = cast("bytes", model.SerializeToString())
    (folder / "conv.onnx").write_bytes(data)
    manifest: dict[str, object] = {
        "kind": "detector", "name": "conv", "file": "conv.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "input": {"name": "image", "width": 96, "height": 64, "colour": "rgb", "scale": 1 / 255}, "output": "rows",
        "decoding": "rows", **changes,
    }  # fmt: skip
    path = folder / "conv.json"
    path.write_text(json.dumps(manifest))
    return path


def test_a_detector_keeps_its_closer_look(tmp_path: Path, crops: Path) -> None:
    for name in ("corners.json", "corners.onnx"):
        (tmp_path / name).write_bytes(DETECTOR.with_name(name).read_bytes())
    path, out = conv_detector(tmp_path, closer="corners.json"), tmp_path / "int8"
    main([str(path), "--pictures", str(crops), "--out", str(out)])
    assert PlateDetector(out / "conv.json").name.startswith("conv-int8")


def test_ranges_are_measured_on_pictures_as_the_detector_gets_them(tmp_path: Path, crops: Path) -> None:
    """A stretched picture has no grey border."""
    grey: dict[str, bool] = {}
    for way in ("stretch", "letterbox"):
        manifest = load_manifest(conv_detector(tmp_path, fit=way), DetectorManifest)
        picture = batches_for(manifest, [crops], 1)[0]["image"]
        assert picture.shape == (1, 3, 64, 96)
        grey[way] = bool(np.allclose(picture[:, :, 0], 114 / 255))
    assert grey == {"stretch": False, "letterbox": True}

"""``python -m tools.train``: from pictures to a model that an engine loads in one command, and on after an end."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lpr.scene.plates import render_plate, spec_for
from lpr.vision.corners import CornersManifest
from lpr.vision.detect import PlateDetector
from lpr.vision.manifest import load_manifest, model_file
from lpr.vision.ocr import PlateReader
from lpr.vision.vehicle_finder import VehicleFinder
from lpr.vision.vehicle_kind import CropClassifier
from tools.train.__main__ import COURSES, main

TEXTS = ("ABC1D23", "RTV4H86")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both sets of photographs with two drawn ones each, and a set of crops of vehicles."""
    root = tmp_path_factory.mktemp("train")
    for name in ("openimages_lp", "ro_robertlucian"):
        (root / name / "images").mkdir(parents=True)
        lines: list[str] = []
        vehicles: list[str] = []
        for number, text in enumerate(TEXTS):
            noise = np.random.default_rng(number).integers(0, 200, (24, 32, 3), np.uint8)
            picture = np.asarray(cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)
            plate = render_plate(spec_for(text, "br-mercosul"), 30)
            picture[150:180, 100 : 100 + plate.shape[1]] = plate
            image = f"images/run{number}.png"
            assert cv2.imwrite(str(root / name / image), picture)
            box = [100, 150, 100 + plate.shape[1], 180]
            record = {"box": box, "corners": None, "text": text, "country": "BR"}
            lines.append(json.dumps({"image": image, "width": 320, "height": 240, "plates": [record]}))
            car = {"box": [60, 60, 240, 220], "type": "car"}
            vehicles.append(json.dumps({"image": image, "vehicles": [car], "uncertain": []}))
        (root / name / "annotations.jsonl").write_text("\n".join(lines) + "\n")
        (root / name / "vehicles.jsonl").write_text("\n".join(vehicles) + "\n")
    types = root / "vehicle_types"
    types.mkdir()
    rows = ["image,class"]
    for number, kind in enumerate(("car", "truck", "van") * 4):
        crop = np.random.default_rng(number).integers(0, 255, (100, 100, 3), np.uint8)
        assert cv2.imwrite(str(types / f"{number}.png"), crop)
        rows.append(f"{number}.png,{kind}")
    (types / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def steps(number: int, *more: str) -> list[str]:
    return ["--steps", str(number), "--batch", "2", *more]


def test_the_detector_and_its_closer_look(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    words = ["--data", str(data), "--plates", "6", "--workers", "0"]
    out = ["--out", str(tmp_path / "detector")]
    main(["detector", *words, *out, *steps(1), "--name", "tiny"])
    made = tmp_path / "detector" / "detector.json"
    assert PlateDetector(made).name.startswith("tiny")
    main(["detector", *words, *out, *steps(2), "--resume"])
    assert "steps 1 to 2" in capsys.readouterr().out
    assert PlateDetector(made).name.startswith("plates-2")

    out = ["--out", str(tmp_path / "corners"), "--detector", str(made)]
    main(["corners", *words, *out, *steps(1), "--report", "1", "--bias", "-0.5"])
    first = capsys.readouterr().out
    main(["corners", *words, *out, *steps(2), "--report", "1", "--resume"])
    assert "step 1 " in first and "step 1 " not in (again := capsys.readouterr().out) and "step 2 " in again
    placed = str(tmp_path / "corners" / "corners.json")
    main(["corners", *words, *out, *steps(3), "--report", "1", "--resume", "--place", placed, "--bf16"])
    manifest = load_manifest(tmp_path / "corners" / "corners.json", CornersManifest)
    assert manifest.name == "corners-3" and model_file(tmp_path / "corners" / "x", manifest.file, manifest.sha256)


def test_a_manifest_that_cannot_be_read_is_told(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SystemExit, match=r"none\.json: .*check the path"):
        main(["corners", "--data", str(data), "--out", str(tmp_path), "--place", str(tmp_path / "none.json")])


def test_closer_looks_begin_with_such_weights_alone(data: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"shadow": {"weight": torch.zeros(3)}}, tmp_path / "other.pt")
    for wrong in (tmp_path / "other.pt", Path(__file__)):
        with pytest.raises(SystemExit, match=r"no such network; give last\.pt"):
            main(["corners", "--data", str(data), "--out", str(tmp_path), "--init", str(wrong)])
    with pytest.raises(SystemExit, match="No such file"):
        main(["corners", "--data", str(data), "--out", str(tmp_path), "--init", str(tmp_path / "none.pt")])


def test_the_reader_with_the_plates_of_photographs(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    words = ["--data", str(data), "--out", str(tmp_path), "--workers", "0", "--capacity", "256", "--ready", "256"]
    main(["reader", *words, *steps(1), "--name", "tiny", "--temperature", "1.5"])
    reader = PlateReader(tmp_path / "reader.json")
    assert reader.name.startswith("tiny") and reader.manifest.temperature == 1.5
    assert (tmp_path / "real.npz").is_file()


def test_the_kind_of_vehicles(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    words = ["--data", str(data), "--out", str(tmp_path), "--rendered", "1", "--report", "1"]
    main(["vehicle", *words, *steps(1)])
    main(["vehicle", *words, *steps(2), "--resume"])
    assert "steps 1 to 2" in capsys.readouterr().out
    assert CropClassifier(tmp_path / "vehicle.json", "vehicle-kind").manifest.name == "lpr-vehicle-2"


def test_the_finder_of_vehicles(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    words = ["--data", str(data), "--out", str(tmp_path), "--rendered", "1", "--name", "tiny"]
    main(["finder", *words, *steps(1)])
    assert VehicleFinder(tmp_path / "vehicle_finder.json").manifest.name == "tiny"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps", "0"], "--steps 0 needs --seconds"),
        (["--ready", "300", "--capacity", "256"], "--ready 300 is more than --capacity 256 holds"),
        (["--real", "none.npz"], "there is no such file"),
        (["--teacher", "none.onnx"], "--teacher: [Errno 2] No such file"),
        (["--init", "none.pt"], "--init: [Errno 2] No such file"),
        (["--init", "none.onnx"], "--init: [Errno 2] No such file"),
        (["--init", __file__], "cannot be read; give what a training wrote"),
    ],
)
def test_a_reader_that_could_never_be_trained(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SystemExit):
        main(["reader", "--out", str(tmp_path), *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", COURSES)
def test_each_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0 and "--out OUT" in capsys.readouterr().out


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SystemExit, match=r"tools\.train detector: .*openimages_lp: no annotations\.jsonl there"):
        main(["detector", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *steps(1)])
    with pytest.raises(SystemExit):
        main(["nothing"])


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    own: Any = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "tools.train":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return own(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SystemExit, match=r"training needs torch.*pip install -e '\.\[train\]'"):
        main(["detector", "--data", "x"])

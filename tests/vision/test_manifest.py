"""A model that cannot be used is refused when it is loaded, with the place and the remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from lpr.vision.detect import DetectorManifest
from lpr.vision.manifest import InputSpec, ModelError, ReaderManifest, load_manifest, prepare
from lpr.vision.ocr import PlateReader
from tests.vision.reader_models import write_fixed, write_slots


def changed(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


def test_a_damaged_model_is_refused_by_its_hash(tmp_path: Path) -> None:
    path = write_fixed(tmp_path, "ABC1234")
    data = bytearray((tmp_path / "fixed.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "fixed.onnx").write_bytes(bytes(data))
    with pytest.raises(ModelError, match="SHA-256"):
        PlateReader(path)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    import hashlib

    path = write_fixed(tmp_path, "A", sha256=hashlib.sha256(b"junk").hexdigest())
    (tmp_path / "fixed.onnx").write_bytes(b"junk")
    with pytest.raises(ModelError, match="onnxruntime cannot load"):
        PlateReader(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        PlateReader(tmp_path / "none.json")
    path = write_fixed(tmp_path, "A")
    (tmp_path / "fixed.onnx").unlink()
    with pytest.raises(ModelError, match=r"fixed\.onnx"):
        PlateReader(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "gray"}, "colour"),
        ({"kind": "detector"}, "detector"),
        ({"blank": 40}, "blank is 40"),
        ({"alphabet": "ABC_", "blank": 3}, "lacks '0'"),
        ({"alphabet": "aBCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"}, "alphabet"),
        ({"slots": 0}, "slots"),
        ({"slots": 9}, "9 slots"),
        ({"temperature": 0}, "temperature"),
        ({"characters": "plate"}, "no output 'plate'"),
        ({"layout_output": "style"}, "layouts"),
        ({"file": "../fixed.onnx"}, "plain name"),
        ({"input": {"name": "image", "width": 32, "height": 16}}, "no input 'image'"),
        ({"input": {"name": "pixels", "width": 64, "height": 16}}, "shape"),
        ({"input": {"name": "pixels", "width": 32, "height": 16, "colour": "rgb"}}, "shape"),
        ({"input": {"name": "pixels", "width": 32, "height": 16, "dtype": "uint8"}}, "takes tensor"),
        ({"input": {"name": "pixels", "width": 3, "height": 16}}, "input size"),
    ],
)
def test_a_manifest_that_contradicts_the_model(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    path = write_fixed(tmp_path, "ABC1234", **changes)
    with pytest.raises(ModelError, match=says):
        PlateReader(path)


def test_a_manifest_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("{")
    with pytest.raises(ModelError, match="not a valid manifest"):
        load_manifest(path, ReaderManifest)


def test_layouts_and_colours_of_the_input() -> None:
    bgr = np.zeros((2, 3, 3), np.uint8)
    bgr[..., 0], bgr[..., 2] = 10, 200
    rgb = prepare([bgr], InputSpec(name="x", width=3, height=2, layout="NHWC", colour="rgb", scale=0.5, offset=1.0))
    assert rgb.shape == (1, 2, 3, 3) and rgb[0, 0, 0].tolist() == [101.0, 1.0, 6.0]
    own = prepare([bgr], InputSpec(name="x", width=3, height=2, colour="bgr", dtype="uint8"))
    assert own.shape == (1, 3, 2, 3) and own[0, 0, 0, 0] == 10 and own.dtype == np.uint8
    with pytest.raises(ModelError, match="channels"):
        prepare([bgr], InputSpec(name="x", width=3, height=2))
    with pytest.raises(ModelError, match="patches are"):
        prepare([bgr], InputSpec(name="x", width=4, height=2, colour="bgr"))


def test_each_channel_may_be_normalised_by_itself() -> None:
    bgr = np.zeros((2, 3, 3), np.uint8)
    bgr[..., 0], bgr[..., 1], bgr[..., 2] = 255, 51, 102
    spec = InputSpec(name="x", width=3, height=2, colour="rgb", scale=1 / 255, mean=(0.4, 0.1, 0.5), std=(1, 2, 0.5))
    values = prepare([bgr], spec)
    assert values.shape == (1, 3, 2, 3) and values.dtype == np.float32
    assert values[0, :, 1, 2] == pytest.approx([0.0, 0.05, 1.0], abs=1e-6)


def test_a_reader_of_fixed_slots_as_fast_plate_ocr_exports_them(tmp_path: Path) -> None:
    """uint8 NHWC in RGB, one softmax a slot in one row, "_" for what is behind the last character."""
    path = write_slots(tmp_path, "AB12CD")
    reader = PlateReader(path)
    image = np.zeros((80, 200, 3), np.uint8)
    (text,) = reader.read(image, [((10, 10), (150, 10), (150, 50), (10, 50))])
    assert text.text == "AB12CD"
    with pytest.raises(ModelError, match="takes pixels as they are"):
        PlateReader(changed(path, input={**json.loads(path.read_text())["input"], "scale": 0.5}))


def test_the_manifests_that_the_page_shows_are_valid() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    kinds: list[str] = []
    for text in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        kind = json.loads(text)["kind"]
        manifest = msgspec.json.decode(text, type=DetectorManifest if kind == "detector" else ReaderManifest)
        manifest.check(Path("page.json"))
        kinds.append(kind)
    assert kinds == ["detector", "reader"]

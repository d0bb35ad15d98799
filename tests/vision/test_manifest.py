"""A model that cannot be used is refused when it is loaded, with the place and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lpr.vision.manifest import InputSpec, ModelError, ReaderManifest, load_manifest, prepare
from lpr.vision.ocr import PlateReader
from tests.vision.reader_models import write_fixed


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

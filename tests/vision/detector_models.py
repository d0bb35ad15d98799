"""Small ONNX detectors made on the spot: they answer the same whatever the picture."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


def constant_model(path: Path, answer: NDArray[np.float32], shape: tuple[int | str, ...], dtype: int) -> None:
    """A model with the input ``image`` of ``shape`` whose output ``out`` is ``answer``."""
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMin", ["numbers"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "zero"], ["nothing"]),
        helper.make_node("Add", ["answer", "nothing"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("image", dtype, list(shape))],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, list(answer.shape))],
        [numpy_helper.from_array(answer, "answer"), numpy_helper.from_array(np.zeros((), np.float32), "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())


def write_detector(folder: Path, answer: NDArray[np.float32], **changes: Any) -> Path:
    """Model and manifest in ``folder``; ``changes`` replace keys of the manifest. Returns the manifest's path.

    The input is NCHW float32 RGB of 320 x 192, as YOLO exports have it.
    """
    model = folder / "fake.onnx"
    constant_model(model, answer, (1, 3, 192, 320), TensorProto.FLOAT)
    manifest: dict[str, Any] = {
        "kind": "detector",
        "name": "fake",
        "file": "fake.onnx",
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "input": {"name": "image", "width": 320, "height": 192, "colour": "rgb", "scale": 1 / 255},
        "output": "out",
        "decoding": "rows",
        "columns": ["x1", "y1", "x2", "y2", "score"],
        **changes,
    }
    path = folder / "fake.json"
    path.write_text(json.dumps(manifest))
    return path


def plate_map(rows: int, columns: int, cells: dict[tuple[int, int], list[float]]) -> NDArray[np.float32]:
    """A plate map with nothing but ``cells``: (row, column) -> 13 numbers."""
    out = np.zeros((1, 13, rows, columns), np.float32)
    out[0, 0] = -9.0
    for (row, column), numbers in cells.items():
        out[0, :, row, column] = numbers
    return out

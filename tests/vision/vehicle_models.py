"""Small ONNX networks about vehicles, made on the spot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.vision.detector_models import constant_model

SIZE = 24
"""Sides of the crop of ``write_linear``, pixels."""


def write_linear(
    folder: Path, name: str, weights: NDArray[np.float32], bias: NDArray[np.float32], **changes: Any
) -> Path:
    """A classifier: logits = grey pixels (0 to 255) of a 24 x 24 crop @ ``weights`` + ``bias``; the manifest's path."""
    make, kinds, array = cast("Any", helper), cast("Any", TensorProto), cast("Any", numpy_helper)
    nodes = [
        make.make_node("Reshape", ["image", "flat"], ["row"]),
        make.make_node("MatMul", ["row", "weights"], ["product"]),
        make.make_node("Add", ["product", "bias"], ["classes"]),
    ]
    constants = [
        array.from_array(np.array([-1, SIZE * SIZE], np.int64), "flat"),
        array.from_array(weights.astype(np.float32), "weights"),
        array.from_array(bias.astype(np.float32), "bias"),
    ]
    graph = make.make_graph(
        nodes,
        name,
        [make.make_tensor_value_info("image", kinds.FLOAT, ["batch", 1, SIZE, SIZE])],
        [make.make_tensor_value_info("classes", kinds.FLOAT, ["batch", weights.shape[1]])],
        constants,
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    data = cast("bytes", model.SerializeToString())
    (folder / f"{name}.onnx").write_bytes(data)
    manifest: dict[str, Any] = {
        "kind": "vehicle-make",
        "name": name,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "input": {"name": "image", "width": SIZE, "height": SIZE, "colour": "gray"},
        "output": "classes",
        "activation": "logits",
        **changes,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return path


def write_constant(folder: Path, logits: list[float], names: list[str], **changes: Any) -> Path:
    """A classifier that always says the same; its manifest's path."""
    weights = np.zeros((SIZE * SIZE, len(logits)), np.float32)
    bias = np.array(logits, np.float32)
    return write_linear(folder, "constant", weights, bias, **{"kind": "vehicle-kind", "classes": names, **changes})


def write_finder(folder: Path, cells: dict[tuple[int, int], tuple[float, float, float, float, float]]) -> Path:
    """A finder of 256 x 160 that always says ``cells``: (row, column) -> logit, logarithms of four sides in strides."""
    out = np.zeros((1, 5, 10, 16), np.float32)
    out[:, 0] = -20.0
    for (row, column), numbers in cells.items():
        out[0, :, row, column] = numbers
    model = folder / "finder.onnx"
    constant_model(model, out, (1, 160, 256, 3), cast("Any", TensorProto).UINT8)
    manifest = {
        "kind": "vehicle-finder",
        "name": "always",
        "file": "finder.onnx",
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "input": {"name": "image", "width": 256, "height": 160, "layout": "NHWC", "colour": "bgr", "dtype": "uint8"},
        "output": "out",
    }
    path = folder / "finder.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return path

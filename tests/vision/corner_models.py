"""Small ONNX networks for the closer look: they answer the same for every patch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

LEVEL = [0.2, 0.3, 0.8, 0.3, 0.8, 0.7, 0.2, 0.7]
"""Corners of a level plate in the middle of the patch, in its fractions."""


def write_closer(folder: Path, corners: list[float], logit: float, **changes: Any) -> Path:
    """Model and manifest in ``folder``; ``changes`` replace keys of the manifest. Returns the manifest's path."""
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMin", ["numbers"], ["least"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["least", "one"], ["column"]),
        helper.make_node("Mul", ["column", "zero"], ["nothing"]),
        helper.make_node("Add", ["answer", "nothing"], ["corners"]),
        helper.make_node("Add", ["logit", "nothing"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 64, 96, 3])],
        [
            helper.make_tensor_value_info("corners", TensorProto.FLOAT, ["batch", 8]),
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            numpy_helper.from_array(np.array([corners], np.float32), "answer"),
            numpy_helper.from_array(np.array([[logit]], np.float32), "logit"),
            numpy_helper.from_array(np.zeros((), np.float32), "zero"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = folder / "closer.onnx"
    path.write_bytes(model.SerializeToString())
    manifest: dict[str, Any] = {
        "kind": "corners",
        "name": "fake",
        "file": "closer.onnx",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "input": {"name": "image", "width": 96, "height": 64, "layout": "NHWC", "colour": "bgr", "dtype": "uint8"},
        "corners": "corners",
        "score": "score",
        "reach": 1.7,
        "tall": 2.2,
        "weight": 1.0,
        **changes,
    }
    (folder / "closer.json").write_text(json.dumps(manifest))
    return folder / "closer.json"

"""Tiny ONNX readers for tests: they put out what the picture's pixels say, so a test knows the answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from lpr.plates.decode import ALPHABET

SLOTS = 10
CLASSES = 37


def write_fixed(folder: Path, text: str, *, steps: int = SLOTS, ctc: bool = False, **changes: Any) -> Path:
    """A reader that always reads ``text`` ("_" is blank); the manifest's path. ``changes`` go over the manifest."""
    logits = np.zeros((1, steps, CLASSES), np.float32)
    for i in range(steps):
        char = text[i] if i < len(text) else "_"
        logits[0, i, CLASSES - 1 if char == "_" else ALPHABET.index(char)] = 8.0
    make = cast("Any", helper)
    kinds = cast("Any", TensorProto)
    # mean of the picture times nought, so the output has the picture's batch
    nodes = [
        make.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=1),
        make.make_node("Mul", ["mean", "nought"], ["flat"]),
        make.make_node("Squeeze", ["flat", "axis"], ["row"]),
        make.make_node("Add", ["row", "logits"], ["characters"]),
    ]
    constants = [
        cast("Any", numpy_helper).from_array(np.zeros((1, 1, 1, 1), np.float32), "nought"),
        cast("Any", numpy_helper).from_array(np.array([3], np.int64), "axis"),
        cast("Any", numpy_helper).from_array(logits, "logits"),
    ]
    graph = make.make_graph(
        nodes,
        "fixed",
        [make.make_tensor_value_info("pixels", kinds.FLOAT, ["batch", 1, 16, 32])],
        [make.make_tensor_value_info("characters", kinds.FLOAT, ["batch", steps, CLASSES])],
        constants,
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    data = cast("bytes", model.SerializeToString())
    (folder / "fixed.onnx").write_bytes(data)
    manifest: dict[str, Any] = {
        "kind": "reader", "name": "fixed", "file": "fixed.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "input": {"name": "pixels", "width": 32, "height": 16}, "characters": "characters",
        "alphabet": ALPHABET + "_", "blank": 36, "slots": steps, "decoding": "ctc" if ctc else "slots",
    }  # fmt: skip
    manifest.update(changes)
    path = folder / "fixed.json"
    path.write_text(json.dumps(manifest))
    return path


def write_slots(folder: Path, text: str, slots: int = 9) -> Path:
    """A reader as fast-plate-ocr exports one: ``input`` (batch, 64, 128, 3) uint8, ``plate`` (batch, slots * 37)
    softmax. It always reads ``text``."""
    shares = np.full((1, slots, CLASSES), 0.02 / 36, np.float32)
    for i in range(slots):
        shares[0, i, ALPHABET.index(text[i]) if i < len(text) else CLASSES - 1] = 0.98
    make, kinds, arrays = cast("Any", helper), cast("Any", TensorProto), cast("Any", numpy_helper)
    nodes = [
        make.make_node("Cast", ["input"], ["pixels"], to=kinds.FLOAT),
        make.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=1),
        make.make_node("Mul", ["mean", "nought"], ["flat"]),
        make.make_node("Squeeze", ["flat", "axes"], ["row"]),
        make.make_node("Add", ["row", "shares"], ["plate"]),
    ]
    constants = [
        arrays.from_array(np.zeros((1, 1, 1, 1), np.float32), "nought"),
        arrays.from_array(np.array([2, 3], np.int64), "axes"),
        arrays.from_array(shares.reshape(1, -1), "shares"),
    ]
    graph = make.make_graph(
        nodes,
        "slots",
        [make.make_tensor_value_info("input", kinds.UINT8, ["batch", 64, 128, 3])],
        [make.make_tensor_value_info("plate", kinds.FLOAT, ["batch", slots * CLASSES])],
        constants,
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    data = cast("bytes", model.SerializeToString())
    (folder / "slots.onnx").write_bytes(data)
    manifest = {
        "kind": "reader", "name": "slots", "file": "slots.onnx", "sha256": hashlib.sha256(data).hexdigest(),
        "input": {"name": "input", "width": 128, "height": 64, "layout": "NHWC", "colour": "rgb", "dtype": "uint8"},
        "characters": "plate", "alphabet": ALPHABET + "_", "blank": 36, "slots": slots, "activation": "softmax",
        "margin": [0.0, 0.0],
    }  # fmt: skip
    path = folder / "slots.json"
    path.write_text(json.dumps(manifest))
    return path

"""From trained weights to the shipped reader: ``python -m tools.train.export_reader --weights reader.pt --out DIR``.

Writes ``reader.onnx`` and its manifest ``reader.json``. ``--int8`` quantizes the convolutions statically (QDQ, per
channel) on rendered plates; without it the weights are stored as they are. ``--temperature`` goes into the manifest.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lpr.plates.decode import ALPHABET
from lpr.vision.rectify import MARGIN
from tools.train.plates_data import HEIGHT, STYLE_NAMES, WIDTH
from tools.train.reader_net import STEPS, ReaderNet, net_for
from tools.train.stream import BLOCK, ROW, Recipe, make_block, make_factory, unpack

__all__ = ["calibration_pictures", "export", "main", "write_manifest"]

SOURCES = (
    "rendered plates: own glyphs, and OFL/Apache/MIT/free fonts named in reader.md",
    "openimages_lp: Open Images plate crops, CC BY 4.0 (pictures CC BY 2.0, Open Images authors)",
    "ro_robertlucian: github RobertLucian/license-plate-dataset, MIT",
)


class _Heads(nn.Module):
    """The network without its training output."""

    def __init__(self, net: ReaderNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.net(pixels)


def calibration_pictures(count: int, seed: int) -> NDArray[np.float32]:
    """Rendered plates (count, 1, HEIGHT, WIDTH) float32, 0 to 255."""
    recipe = Recipe(seed, variants=2)
    rows = np.empty((max(count, 1), ROW), np.uint8)
    make_block(make_factory(recipe), recipe, 0, 0, rows[:BLOCK])
    patches = unpack(rows)[0][:count]
    return patches[:, None].astype(np.float32)


def export(weights: Path, path: Path) -> None:
    """Write the ONNX file of ``weights``. The batch is free."""
    net = net_for(cast("dict[str, Tensor]", torch.load(weights, map_location="cpu", weights_only=True))).eval()
    example = torch.zeros((2, 1, HEIGHT, WIDTH))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cast("Any", torch.onnx).export(
            _Heads(net).eval(), (example,), str(path), input_names=["pixels"],
            output_names=["characters", "style", "two_rows"], opset_version=17, dynamo=False,
            dynamic_axes={name: {0: "batch"} for name in ("pixels", "characters", "style", "two_rows")},
        )  # fmt: skip
    tools = cast("Any", onnx)
    model = tools.load(str(path))
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    tools.checker.check_model(model)
    tools.save(model, str(path))


def quantize(source: Path, target: Path, pictures: NDArray[np.float32]) -> None:
    """Static int8 of the convolutions, per channel, QDQ."""
    q = cast("Any", importlib.import_module("onnxruntime.quantization"))
    shapes = cast("Any", importlib.import_module("onnxruntime.quantization.shape_inference"))
    batches = iter(np.array_split(pictures, max(1, len(pictures) // 16)))

    def get_next(_: object) -> dict[str, NDArray[np.float32]] | None:
        batch = next(batches, None)
        return None if batch is None else {"pixels": batch}

    reader = type("Reader", (q.CalibrationDataReader,), {"get_next": get_next})
    ready = target.with_suffix(".ready.onnx")
    shapes.quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
    q.quantize_static(
        str(ready), str(target), reader(),
        quant_format=q.QuantFormat.QDQ, per_channel=True,
        op_types_to_quantize=["Conv"], activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
    )  # fmt: skip
    ready.unlink()


def write_manifest(folder: Path, name: str, temperature: float, margin: tuple[float, float] = MARGIN) -> None:
    """``reader.json`` beside ``reader.onnx``. ``margin``: round the plate, as shares of its width and height."""
    data = (folder / "reader.onnx").read_bytes()
    manifest = {
        "kind": "reader",
        "name": name,
        "file": "reader.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "input": {"name": "pixels", "width": WIDTH, "height": HEIGHT, "layout": "NCHW", "colour": "gray",
                  "dtype": "float32", "scale": 1.0, "offset": 0.0},
        "characters": "characters",
        "alphabet": ALPHABET + "_",
        "blank": len(ALPHABET),
        "slots": STEPS,
        "decoding": "ctc",
        "activation": "logits",
        "temperature": temperature,
        "layout_output": "style",
        "layouts": list(STYLE_NAMES),
        "rows_output": "two_rows",
        "margin": list(margin),
        "licence": "Apache-2.0",
        "sources": list(SOURCES),
    }  # fmt: skip
    (folder / "reader.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.export_reader", description="Export the trained reader to ONNX.")
    parser.add_argument("--weights", type=Path, required=True, help="reader.pt of tools.train.reader")
    parser.add_argument("--out", type=Path, required=True, help="folder for reader.onnx and reader.json")
    parser.add_argument("--name", default="reader-1")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument(
        "--margin", type=float, nargs=2, default=MARGIN, metavar=("WIDTH", "HEIGHT"),
        help="round the plate, as shares of its sides; the training draws 6 and 10 %% mostly",
    )  # fmt: skip
    parser.add_argument("--int8", action="store_true")
    given = parser.parse_args(words)
    given.out.mkdir(parents=True, exist_ok=True)
    target = given.out / "reader.onnx"
    if given.int8:
        plain = given.out / "reader.plain.onnx"
        export(given.weights, plain)
        quantize(plain, target, calibration_pictures(256, 11))
        plain.unlink()
    else:
        export(given.weights, target)
    write_manifest(given.out, given.name, given.temperature, (given.margin[0], given.margin[1]))
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()

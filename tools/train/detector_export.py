"""From a checkpoint to the detector that ships.

``python -m tools.train.detector_export --checkpoint FILE --models FOLDER`` writes ``detector.onnx`` and
``detector.json`` (the manifest, with the SHA-256). ``--int8 --data FOLDER`` writes a statically quantised one instead
(QDQ, per channel, the output convolution left in fp32).

May import: torch, onnxruntime, msgspec, numpy, OpenCV, ``lpr.vision`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from lpr.vision.detect import DetectorManifest, fit, letterbox
from lpr.vision.manifest import InputSpec
from tools.train.detector import FOLDERS, export
from tools.train.detector_net import STRIDE, PlateNet

SOURCES = (
    "openimages_lp: Open Images photographs (CC BY 2.0, their Flickr authors), plate boxes by the Roboflow export "
    '"Google Licence Plates" (CC BY 4.0)',
    "ro_robertlucian: github.com/RobertLucian/license-plate-dataset (MIT)",
    "plates and look-alikes rendered by tools/train",
)

IN_FLOAT = ("/net/s4/s4.0/s4.0.0/Conv", "/net/s4/s4.1/s4.1.0/Conv", "/net/out/Conv")
"""Convolutions that stay in fp32: the first two are slower in int8 (3 and 16 channels), the last places the corners."""


def pictures(files: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    """Inputs of the detector, (1, H, W, 3), from picture files."""
    for path in files:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            picture = np.asarray(image, np.uint8)
            place = fit(picture.shape[1], picture.shape[0], 640, 32)
            yield letterbox(picture, place)[None]


class Calibration:
    """Inputs for static quantisation, as onnxruntime's calibrators ask for them."""

    def __init__(self, inputs: Iterable[NDArray[np.uint8]]) -> None:
        self.inputs = iter(inputs)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next input of the network, or None behind the last."""
        batch = next(self.inputs, None)
        return None if batch is None else {"image": batch}


def quantise(source: Path, target: Path, inputs: Iterable[NDArray[np.uint8]], in_float: Sequence[str]) -> None:
    """Static int8 of ``source`` with value ranges measured on ``inputs``; the nodes ``in_float`` stay in fp32."""
    import onnxruntime.quantization as quantization
    from onnxruntime.quantization import shape_inference

    q: Any = quantization
    prepare: Any = shape_inference

    ready = target.with_suffix(".prepared.onnx")
    prepare.quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
    options: dict[str, Any] = {
        "quant_format": q.QuantFormat.QDQ,
        "per_channel": True,
        "activation_type": q.QuantType.QUInt8,
        "weight_type": q.QuantType.QInt8,
        "reduce_range": True,  # 8-bit products overflow 16-bit sums on processors without VNNI
        "calibrate_method": q.CalibrationMethod.MinMax,
        "nodes_to_exclude": list(in_float),
    }
    reader: Any = Calibration(inputs)
    q.quantize_static(str(ready), str(target), reader, **options)
    ready.unlink()


def write_manifest(models: Path, name: str, min_score: float) -> None:
    """``detector.json`` for the ``detector.onnx`` beside it."""
    digest = hashlib.sha256((models / "detector.onnx").read_bytes()).hexdigest()
    manifest = DetectorManifest(
        kind="detector",
        name=name,
        file="detector.onnx",
        sha256=digest,
        input=InputSpec(name="image", width=640, height=384, layout="NHWC", colour="bgr", dtype="uint8"),
        output="plates",
        decoding="plate-map",
        multiple=32,
        stride=STRIDE,
        min_score=min_score,
        closer="corners.json" if (models / "corners.json").exists() else None,
        licence="Apache-2.0",
        sources=SOURCES,
    )
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()
    (models / "detector.json").write_text(text + "\n")


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.detector_export", description="Export the plate detector.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True, help="folder for detector.onnx and detector.json")
    parser.add_argument("--name", default="", help="the model's name; plates-STEPS if none is given")
    parser.add_argument("--min-score", type=float, default=0.4)
    parser.add_argument("--shift", type=float, default=0.0, help="added to the logit of every score")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--data", type=Path, default=None, help="training photographs, to measure ranges (int8)")
    args = parser.parse_args(words)
    state = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    net = PlateNet()
    net.load_state_dict(state["shadow"])
    # The soft targets of the training leave the scores low: the shift puts the working point at --min-score.
    with torch.no_grad():
        cast("Any", net.out.bias)[0] += args.shift
    args.models.mkdir(parents=True, exist_ok=True)
    target = args.models / "detector.onnx"
    if args.int8:
        if args.data is None:
            parser.error("--int8 needs --data")
        float_model = args.models / "detector.fp32.onnx"
        export(net, float_model)
        files = [path for name in FOLDERS for path in sorted((args.data / name / "images").glob("*.jpg"))[:60]]
        quantise(float_model, target, pictures(files), IN_FLOAT)
        float_model.unlink()
    else:
        export(net, target)
    write_manifest(args.models, args.name or f"plates-{int(state['step'])}", args.min_score)
    print(f"wrote {target} ({target.stat().st_size} bytes) and detector.json")


if __name__ == "__main__":
    main()

"""From a checkpoint of ``tools.train.corners`` to the network that ships.

``python -m tools.train.corners_export --checkpoint FILE --models FOLDER`` writes ``corners.onnx`` and ``corners.json``
(the manifest, with the SHA-256). ``--int8 --data FOLDER`` quantises it (QDQ, per channel; the first convolution, the
heat maps and what follows them stay in fp32), with value ranges measured on annotated plates.

May import: torch, numpy, OpenCV, msgspec, ``lpr.vision`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from lpr.vision.corners import CornersManifest, cut, to_patch
from lpr.vision.manifest import InputSpec
from tools.train.corners import export
from tools.train.corners_net import REACH, SIZE, TALL, CornerNet
from tools.train.detector import FOLDERS
from tools.train.detector_export import SOURCES, quantise
from tools.train.mean import weights_of
from tools.train.scenes_data import load_photos

IN_FLOAT = ("/net/s2/s2.0/Conv", "/net/head/head.1/Conv", "/net/whole/Gemm", "/net/score/Gemm", "/net/MatMul")
"""Nodes that stay in fp32: few multiply-adds, and the places of the corners."""


def plates(data: Path, most: int) -> Iterator[NDArray[np.uint8]]:
    """Inputs of the network, (1, 64, 96, 3), from annotated plates."""
    for name in FOLDERS:
        for photo in load_photos(data / name, longest=1280, limit=most):
            for quad in photo.plates[:2]:
                yield cut(photo.levels[0], to_patch(quad, SIZE, REACH, TALL), SIZE)[None]


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.corners_export", description="Export the closer look.")
    parser.add_argument("--checkpoint", type=Path, required=True, help="of tools.train.corners, or a mean of several")
    parser.add_argument("--name", help="the model's; by default after the checkpoint's step")
    parser.add_argument("--models", type=Path, required=True, help="folder for corners.onnx and corners.json")
    parser.add_argument("--weight", type=float, default=0.5, help="of its logit in the detector's score")
    parser.add_argument("--bias", type=float, default=0.0, help="added to the logit of the detector's score")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--data", type=Path, default=None, help="training photographs, to measure ranges (int8)")
    args = parser.parse_args(words)
    if args.int8 and args.data is None:
        parser.error("--int8 needs --data")
    name = args.name
    if name is None:
        step = torch.load(args.checkpoint, map_location="cpu", weights_only=True).get("step")
        if not isinstance(step, int):
            parser.error(f"{args.checkpoint} is no checkpoint (a mean?); give it a --name")
        name = f"corners-{step}"
    net = CornerNet()
    net.load_state_dict(weights_of(args.checkpoint))
    args.models.mkdir(parents=True, exist_ok=True)
    target = args.models / "corners.onnx"
    if args.int8:
        float_model = args.models / "corners.fp32.onnx"
        export(net, float_model)
        quantise(float_model, target, plates(args.data, 100), IN_FLOAT)
        float_model.unlink()
    else:
        export(net, target)
    manifest = CornersManifest(
        kind="corners",
        name=name,
        file=target.name,
        sha256=hashlib.sha256(target.read_bytes()).hexdigest(),
        input=InputSpec(name="image", width=SIZE[0], height=SIZE[1], layout="NHWC", colour="bgr", dtype="uint8"),
        corners="corners",
        score="score",
        reach=REACH,
        tall=TALL,
        weight=args.weight,
        bias=args.bias,
        licence="Apache-2.0",
        sources=SOURCES,
    )
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()
    (args.models / "corners.json").write_text(text + "\n")
    print(f"wrote {target} ({manifest.sha256})")


if __name__ == "__main__":
    main()

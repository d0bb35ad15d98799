"""From a checkpoint of ``tools.train.corners`` to the network that ships.

``python -m tools.train.corners_export --checkpoint FILE --models FOLDER`` writes ``corners.onnx`` and ``corners.json``
(the manifest, with the SHA-256), in fp32: the network takes 0.4 ms a plate, and int8 would cost corners.

May import: torch, msgspec, ``lpr.vision`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import msgspec
import torch

from lpr.vision.corners import CornersManifest
from lpr.vision.manifest import InputSpec
from tools.train.corners import export
from tools.train.corners_net import REACH, SIZE, TALL, CornerNet
from tools.train.detector_export import SOURCES


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.corners_export", description="Export the closer look.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True, help="folder for corners.onnx and corners.json")
    parser.add_argument("--weight", type=float, default=0.5, help="of its logit in the detector's score")
    parser.add_argument("--bias", type=float, default=0.0, help="added to the logit of the detector's score")
    args = parser.parse_args(words)
    state = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    net = CornerNet()
    net.load_state_dict(state["shadow"])
    args.models.mkdir(parents=True, exist_ok=True)
    target = args.models / "corners.onnx"
    export(net, target)
    manifest = CornersManifest(
        kind="corners",
        name=f"corners-{int(state['step'])}",
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

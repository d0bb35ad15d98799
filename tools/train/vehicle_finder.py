"""Train the finder of vehicles: ``python -m tools.train.vehicle_finder --data ../shared/data/train``.

Photographs with sure vehicles (``tools.train.vehicle_data``) and frames of the rendered street, each scaled, cut and
mirrored to 256 x 160 so that its vehicles are 14 to 300 pixels wide (``tools.train.vehicle_scenes``). Goes on from
``OUT/checkpoint.pt`` when it is there; writes ``vehicle_finder.onnx`` and its manifest, its scores brought to
probabilities on the held-out photographs, and measures on the held-out pictures.

May import torch, numpy, OpenCV, ``lpr.vision`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import json
import time
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lpr.vision.vehicle_finder import VehicleFinder
from tools.train.checkpoint import device, keep, resumed
from tools.train.detector import average, learning_rate
from tools.train.vehicle_finder_export import Scale, export, figures, fitted, judged
from tools.train.vehicle_net import FinderNet, finder_loss
from tools.train.vehicle_scenes import batch, photographs, rendered


def train(args: argparse.Namespace) -> None:
    """Run the training that ``args`` describe."""
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    cast("Any", torch).manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    photos, drawn = photographs(args.data, args.limit), rendered(args.rendered, args.seed)
    held = {"photographs": [s for s in photos if s.held], "rendered": [s for s in drawn if s.held]}
    photos, drawn = [s for s in photos if not s.held], [s for s in drawn if not s.held]
    where = device()
    net = cast("FinderNet", cast("Any", FinderNet()).to(where, memory_format=torch.channels_last))
    shadow = deepcopy(net).eval()
    optimiser: Any = torch.optim.AdamW(net.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.03)
    print(f"{len(photos)} photographs, {len(drawn)} rendered frames, {args.steps} steps of {args.batch}", flush=True)
    if args.init is not None:
        kept = cast("dict[str, Tensor]", torch.load(args.init, map_location="cpu", weights_only=True))
        net.load_state_dict(kept)
        shadow.load_state_dict(kept)
    checkpoint = args.out / "checkpoint.pt"
    steps, spent = resumed(checkpoint, net, shadow, optimiser)
    rng = np.random.default_rng((args.seed, steps))
    began, total = time.monotonic() - spent, 0.0
    for step in range(steps, args.steps):
        passed = (time.monotonic() - began) / args.seconds if args.seconds else 0.0
        if passed >= 1.0:
            break
        done = max(step / args.steps, passed)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, done, args.rate, args.warm)
        steps = step + 1
        x, told = batch(rng, photos, drawn, args.batch)
        x = x.to(where).to(memory_format=cast("Any", torch.channels_last))
        loss = finder_loss(net(x), told.to(where))
        optimiser.zero_grad(set_to_none=True)
        cast("Any", loss).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 4.0)
        optimiser.step()
        average(shadow, net, min(args.keep, (step + 1) / (step + 10)))
        total += float(loss.detach())
        if (step + 1) % args.report == 0 or step + 1 == args.steps:
            rate = (step + 1) * args.batch / (time.monotonic() - began)
            print(f"step {step + 1}/{args.steps} loss {total / args.report:.4f} {rate:.0f} pictures/s", flush=True)
            total = 0.0
            keep(checkpoint, net, shadow, optimiser, steps, time.monotonic() - began)
    keep(checkpoint, net, shadow, optimiser, steps, time.monotonic() - began)
    shadow.cpu()
    torch.save(shadow.state_dict(), args.out / "vehicle_finder.pt")
    export(shadow, args.out, args.name, args.min_score, Scale())
    raw = VehicleFinder(args.out / "vehicle_finder.json", min_score=0.1)
    scale = fitted(judged(raw, held["photographs"]))
    print(f"scores as probabilities: logits times {scale.gain:.3f}, plus {scale.offset:.3f}", flush=True)
    export(shadow, args.out, args.name, args.min_score, scale)
    text = json.dumps({name: figures(args.out, scenes) for name, scenes in held.items() if scenes}, indent=1)
    (args.out / "finder_figures.json").write_text(text + "\n", encoding="utf-8")
    print(text, flush=True)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.vehicle_finder", description="Train the finder of vehicles.")
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the shared data")
    parser.add_argument("--out", type=Path, default=Path("build/vehicle"))
    parser.add_argument("--steps", type=int, default=6000, help="batches in all; 0: export --init as it is")
    parser.add_argument("--init", type=Path, default=None, help="weights to start from")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--warm", type=int, default=100, help="steps of warm-up")
    parser.add_argument("--keep", type=float, default=0.996, help="EMA of the weights")
    parser.add_argument("--rendered", type=int, default=120, help="rendered frames")
    parser.add_argument("--name", default="lpr-vehicle-finder-1", help="the model's name, for the log")
    parser.add_argument("--min-score", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None, help="photographs of each folder at most (smoke runs)")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long, however few batches; 0: don't")
    parser.add_argument("--report", type=int, default=50)
    return parser.parse_args(words)


if __name__ == "__main__":
    train(arguments())

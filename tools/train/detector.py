"""Train the plate detector: ``python -m tools.train.detector --data FOLDER --out FOLDER``.

One command from the training photographs to a checkpoint and ``detector.onnx`` (``python -m tools.train detector``: and
its manifest). Runs on a CPU (one torch thread,
loaders in other processes) or on a GPU where there is one; ``--resume`` goes on from the last checkpoint.
The learning rate follows a cosine over ``--steps``, or ``--minutes`` if these end earlier; a checkpoint is kept every
minute; weights are averaged (EMA) and the average is exported.

May import: torch, numpy, OpenCV, the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import math
import os
import time
import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tools.options import from_one
from tools.train.detector_net import PlateNet, adopt, loss
from tools.train.detector_scenes import compose, plate_bank
from tools.train.detector_targets import encode
from tools.train.scenes_data import Photo, load_photos

SMALL, LARGE = (288, 384), (384, 640)
"""Canvas sizes (height, width): most batches see small ones, every sixth a half batch of large ones."""
_torch: Any = torch  # for the functions of torch that carry no types
FOLDERS = ("openimages_lp", "ro_robertlucian")


class Scenes(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches: pictures [N, 3, H, W] uint8 and targets [N, 16, H/8, W/8], repeatable for a seed."""

    def __init__(self, photos: list[Photo], bank: list[Any], batch: int, seed: int, start: int) -> None:
        self.photos, self.bank, self.batch, self.seed, self.start = photos, bank, batch, seed, start

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        info = get_worker_info()
        index, stride = (self.start + info.id, info.num_workers) if info else (self.start, 1)
        while True:
            large = index % 6 == 5
            rng = np.random.default_rng((self.seed, index))
            scenes = [
                compose(rng, self.photos, self.bank, LARGE if large else SMALL)
                for _ in range(self.batch // 2 if large else self.batch)
            ]
            pictures = np.stack([s.image for s in scenes]).transpose(0, 3, 1, 2)
            yield (
                _torch.from_numpy(np.ascontiguousarray(pictures)),
                _torch.from_numpy(np.stack([encode(s) for s in scenes])),
            )
            index += stride


class Deployed(nn.Module):
    """The network as it ships: input uint8 BGR [N, H, W, 3], output [N, 13, H/8, W/8]."""

    def __init__(self, net: PlateNet) -> None:
        super().__init__()
        self.net = deepcopy(net).eval()
        stem: Any = self.net.s4[0]
        with torch.no_grad():
            stem[0].weight.div_(255.0)

    def forward(self, image: Tensor) -> Tensor:
        return self.net(image.permute(0, 3, 1, 2).float())


def export(net: PlateNet, path: Path) -> None:
    """Write ``net`` as ONNX with free batch, height and width (multiples of 32)."""
    axes = {"image": {0: "batch", 1: "height", 2: "width"}, "plates": {0: "batch", 2: "rows", 3: "columns"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no further package
        _torch.onnx.export(
            Deployed(net).cpu(),
            (torch.zeros(1, 384, 640, 3, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["image"],
            output_names=["plates"],
            dynamic_axes=axes,
        )


def learning_rate(step: int, done: float, peak: float, warm: int) -> float:
    """Linear warm-up over ``warm`` steps, then a cosine down to a fiftieth of the peak when ``done`` (0 to 1) is 1."""
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))))


def gentle(_: int) -> None:
    """Loaders leave the processor to the training itself where there is not enough for both."""
    os.nice(1)


def average(shadow: nn.Module, live: nn.Module, keep: float) -> None:
    """Exponential moving average of parameters and statistics."""
    with torch.no_grad():
        for old, new in zip(shadow.state_dict().values(), live.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, 1.0 - keep)
            else:
                old.copy_(new)


def train(args: argparse.Namespace) -> None:
    """Run the training that ``args`` describe."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(0)  # a pool of OpenCV threads would not survive the fork into the loaders
    _torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    photos = [photo for name in FOLDERS for photo in load_photos(args.data / name, limit=args.limit)]
    bank = plate_bank(args.seed, args.plates, args.plain)
    net = cast("PlateNet", cast("Any", PlateNet()).to(device, memory_format=torch.channels_last))
    if args.init is not None:
        adopt(net, torch.load(args.init, map_location=device, weights_only=True)["shadow"])
    shadow = deepcopy(net).eval()
    decay = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimiser: Any = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
        lr=args.rate,
        betas=(0.9, 0.98),
    )
    start, last = 0, args.out / "last.pt"
    if args.resume and last.exists():
        state = torch.load(last, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        shadow.load_state_dict(state["shadow"])
        optimiser.load_state_dict(state["optimiser"])
        start = int(state["step"])
    loader = DataLoader(
        Scenes(photos, bank, args.batch, args.seed, start),
        batch_size=None,
        num_workers=args.workers,
        prefetch_factor=4 if args.workers else None,
        worker_init_fn=gentle,
        pin_memory=device.type == "cuda",
    )
    print(
        f"{len(photos)} photographs, {len(bank)} rendered plates, {device}, steps {start} to {args.steps}", flush=True
    )
    sums = np.zeros(3)
    began, seen, saved = time.monotonic(), 0, time.monotonic()
    done = start / args.steps
    for step, (pictures, targets) in zip(range(start, args.steps), loader, strict=False):
        done = max(step / args.steps, (time.monotonic() - began) / (args.minutes * 60) if args.minutes else 0.0)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, done, args.rate, args.warm)
        x = pictures.to(device, non_blocking=True).to(memory_format=torch.channels_last).float() / 255.0
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            maps = net(x)
        parts = loss(maps, targets.to(device, non_blocking=True))
        optimiser.zero_grad(set_to_none=True)
        cast("Any", parts.total).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 4.0)
        optimiser.step()
        average(shadow, net, min(args.keep, (step + 1) / (step + 20)))
        sums += [float(parts.score.detach()), float(parts.box.detach()), float(parts.corner.detach())]
        seen += len(pictures)
        if (step + 1) % args.report == 0 or step + 1 == args.steps:
            rate = seen / (time.monotonic() - began)
            means = sums / args.report
            print(
                f"step {step + 1}/{args.steps} score {means[0]:.4f} box {means[1]:.4f} corner {means[2]:.4f} "
                f"{rate:.1f} pictures/s",
                flush=True,
            )
            sums[:] = 0
        if time.monotonic() - saved > 60 or done >= 1.0 or step + 1 == args.steps:
            saved = time.monotonic()
            state = {
                "net": net.state_dict(),
                "shadow": shadow.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step + 1,
            }
            torch.save(state, last.with_suffix(".new"))
            last.with_suffix(".new").replace(last)
        if done >= 1.0:
            break
    export(shadow, args.out / "detector.onnx")
    print(f"wrote {args.out / 'detector.onnx'}", flush=True)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.detector", description="Train the plate detector.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {' and '.join(FOLDERS)}")
    parser.add_argument("--out", type=Path, default=Path("build/detector"), help="folder for checkpoints and ONNX")
    parser.add_argument("--steps", type=from_one, default=8000, help="batches in all")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="end after so many minutes if steps are left (0: no)"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--warm", type=int, default=200, help="steps of warm-up")
    parser.add_argument("--keep", type=float, default=0.998, help="EMA of the weights")
    parser.add_argument("--plates", type=int, default=3000, help="rendered plates in the bank")
    parser.add_argument("--plain", type=float, default=0.15, help="share of rendered plates of no country")
    parser.add_argument(
        "--init",
        type=Path,
        default=None,
        help="checkpoint whose averaged weights to start from; also one of a narrower or wider network (``adopt``)",
    )
    parser.add_argument("--workers", type=int, default=1, help="loader processes")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None, help="photographs of each folder at most (smoke runs)")
    parser.add_argument("--report", type=int, default=50)
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt where there is one")
    return parser.parse_args(words)


if __name__ == "__main__":
    train(arguments())

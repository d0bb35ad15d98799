"""Train the closer look: ``python -m tools.train.corners --data FOLDER --out FOLDER``.

First a detector is run over the training photographs, to see what it finds there rightly and wrongly
(``findings.jsonl``, kept); then the network learns from composed scenes and from these findings. ``--place`` puts
corners on annotated plates by an earlier network, where its box agrees with the annotated one.

May import: torch, numpy, OpenCV, ``lpr.vision``, the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import pickle
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

from lpr.events import Box, Corners
from lpr.plates.boxes import overlap
from lpr.vision.corners import CornerFinder
from lpr.vision.detect import PlateDetector
from tools.options import from_one
from tools.train.checkpoint import device, keep, resumed
from tools.train.corners_data import (
    Finding,
    Sample,
    finding_sample,
    flat_samples,
    load_findings,
    save_findings,
    scene_samples,
)
from tools.train.corners_net import SIZE, CornerNet, loss
from tools.train.detector import FOLDERS, average, learning_rate
from tools.train.detector_scenes import plate_bank
from tools.train.mean import weights_of
from tools.train.scenes_data import Array, Photo, load_photos

_torch: Any = torch  # for the functions of torch that carry no types
LONGEST = 1280
"""Longest side in pixels of the photographs as they are held."""
FLAT = 0.3
"""Plates on surfaces without texture for each composed scene."""


def _box(quad: Array) -> Box:
    points = np.asarray(quad, float)
    (x1, y1), (x2, y2) = points.min(0), points.max(0)
    return float(x1), float(y1), float(x2), float(y2)


def find(photos: list[Photo], detector: PlateDetector) -> list[Finding]:
    """What ``detector`` finds in ``photos``: annotated plates, with corners as far as the box can say them, and what is
    certainly none. Detections on vehicles whose plate nobody annotated are left out."""
    out: list[Finding] = []
    for number, photo in enumerate(photos):
        quads = list(photo.plates)
        for one in detector.detect(photo.levels[0]):
            found = np.array(one.corners, float)
            near = [overlap(one.box, _box(quad)) for quad in quads]
            best = int(np.argmax(near)) if near else -1
            if best >= 0 and near[best] > 0.4:
                trust = float(photo.trust[best])
                out.append(Finding(number, found, quads[best], 0.25 if trust >= 0.5 else 0.0))
                continue
            x, y = found.mean(0)
            touched = any(share > 0.02 for share in near)
            doubtful = any(
                b[0] < x < b[2] and b[1] < y < b[3]
                for b, bare in zip(photo.vehicles, photo.bare, strict=True)
                if bare and one.box[2] - one.box[0] < 0.45 * (b[2] - b[0])
            )
            if not touched and not doubtful:
                out.append(Finding(number, found, None, 0.0))
    return out


def placed(finder: CornerFinder, photos: list[Photo], findings: list[Finding]) -> list[Finding]:
    """``findings`` with corners put by ``finder`` where the box round them agrees with the annotated one."""
    out: list[Finding] = []
    for one in findings:
        if one.quad is None:
            out.append(one)
            continue
        quad: Array = one.quad
        truth, image = _box(quad), photos[one.photo].levels[0]
        for _ in range(2):
            (found,), _ = finder.look(image, [cast("Corners", quad.tolist())])
            quad = np.asarray(found, float)
            if overlap(_box(quad), truth) < 0.3:
                break
        if overlap(_box(quad), truth) > 0.8:
            # The annotated box knows how far the plate reaches, the network how it is turned.
            low, high = quad.min(0), quad.max(0)
            x1, y1, x2, y2 = truth
            quad = (quad - low) / (high - low) * [x2 - x1, y2 - y1] + [x1, y1]
            out.append(Finding(one.photo, one.found, quad, 0.5))
        else:
            out.append(Finding(one.photo, one.found, one.quad, 0.0))
    return out


class Patches(IterableDataset[tuple[Tensor, ...]]):
    """Endless batches of (patches [N, 3, 64, 96] uint8, corners [N, 8], weights [N], plate [N])."""

    def __init__(
        self, photos: list[Photo], bank: list[Any], findings: list[Finding], batch: int, seed: int, start: int = 0
    ) -> None:
        """``start``: batches that a training which goes on has behind it; it sees others than those."""
        self.photos, self.bank, self.findings, self.batch = photos, bank, findings, batch
        self.seeds = (seed, start) if start else (seed,)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        info = get_worker_info()
        rng = np.random.default_rng((*self.seeds, info.id if info else 0))
        right = [f for f in self.findings if f.quad is not None]
        wrong = [f for f in self.findings if f.quad is None]
        stock: list[Sample] = []
        while True:
            while len(stock) < self.batch * 8:
                stock += scene_samples(rng, self.photos, self.bank)
                if rng.random() < FLAT:
                    stock += flat_samples(rng, self.bank)
                for kind in (right, wrong):
                    for _ in range(2 if kind else 0):
                        one = kind[int(rng.integers(0, len(kind)))]
                        stock.append(finding_sample(rng, self.photos[one.photo], one))
            order = rng.permutation(len(stock))
            batch = [stock[int(i)] for i in order[: self.batch]]
            stock = [stock[int(i)] for i in order[self.batch :]]
            yield (
                _torch.from_numpy(np.ascontiguousarray(np.stack([s.patch for s in batch]).transpose(0, 3, 1, 2))),
                _torch.from_numpy(np.stack([s.corners for s in batch])),
                _torch.tensor([s.weight for s in batch], dtype=_torch.float32),
                _torch.tensor([s.plate for s in batch], dtype=_torch.float32),
            )


class Deployed(nn.Module):
    """The network as it ships: input uint8 BGR [N, 64, 96, 3], outputs corners [N, 8] and score [N, 1]."""

    def __init__(self, net: CornerNet) -> None:
        super().__init__()
        self.net = deepcopy(net).eval()
        with torch.no_grad():
            cast("Any", self.net.s2[0]).weight.div_(255.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        corners, score, _ = self.net(image.permute(0, 3, 1, 2).float())
        return corners, score


def export(net: CornerNet, path: Path) -> None:
    """Write ``net`` as ONNX with a free batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no further package
        _torch.onnx.export(
            Deployed(net).cpu(),
            (torch.zeros(1, SIZE[1], SIZE[0], 3, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["image"],
            output_names=["corners", "score"],
            dynamic_axes={"image": {0: "batch"}, "corners": {0: "batch"}, "score": {0: "batch"}},
        )


def begun(init: Path | None) -> CornerNet:
    """The network to train, with the weights in ``init``. Raises OSError, SystemExit for a file that has none of it."""
    net = CornerNet()
    if init is not None:
        try:
            net.load_state_dict(weights_of(init))
        except (ValueError, RuntimeError, pickle.UnpicklingError):
            raise SystemExit(f"tools.train corners: {init}: no such network; give last.pt or a mean of such") from None
    return net


def train(args: argparse.Namespace) -> None:
    """Run the training that ``args`` describe."""
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(0)  # a pool of OpenCV threads would not survive the fork into the loaders
    _torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    placer = None if args.place is None else CornerFinder(args.place)
    net = begun(args.init)
    photos = [p for name in FOLDERS for p in load_photos(args.data / name, longest=LONGEST, limit=args.limit)]
    kept = args.out / "findings.jsonl"
    if not kept.exists():
        save_findings(kept, find(photos, PlateDetector(args.detector, min_score=args.min_score)))
    findings = load_findings(kept)
    if placer is not None:
        findings = placed(placer, photos, findings)
    where = device()
    net = cast("CornerNet", cast("Any", net.train()).to(where, memory_format=torch.channels_last))
    shadow = deepcopy(net).eval()
    optimiser: Any = torch.optim.AdamW(net.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.02)
    last = args.out / "last.pt"
    start, spent = resumed(last, net, shadow, optimiser) if args.resume else (0, 0.0)
    bank = plate_bank(args.seed, args.plates, 0.15, (40, 150))
    loader = DataLoader(
        Patches(photos, bank, findings, args.batch, args.seed, start),
        batch_size=None,
        num_workers=args.workers,
        prefetch_factor=4 if args.workers else None,
    )
    good = sum(f.weight > 0 for f in findings)
    print(f"{len(photos)} photographs, {len(findings)} findings, {good} with corners", flush=True)
    sums, began, saved, seen = np.zeros(3), time.monotonic() - spent, time.monotonic(), 0
    for step, parts in zip(range(start, args.steps), loader, strict=False):
        patches, corners, weight, plate = (part.to(where) for part in parts)
        done = max(step / args.steps, (time.monotonic() - began) / (args.minutes * 60) if args.minutes else 0.0)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, done, args.rate, 100)
        x = patches.to(memory_format=torch.channels_last).float() / 255.0
        with torch.autocast(where.type, torch.bfloat16, enabled=args.bf16):
            outputs = net(x)
        outputs = tuple(part.float() for part in outputs)
        corner, score = loss(outputs, corners, weight, plate, net.place)
        optimiser.zero_grad(set_to_none=True)
        cast("Any", corner + score).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 4.0)
        optimiser.step()
        average(shadow, net, min(0.998, (step + 1) / (step + 20)))
        right = ((outputs[1][:, 0].detach() > 0) == (plate > 0.5)).float().mean()
        sums += [float(corner.detach()), float(score.detach()), float(right)]
        seen += len(x)
        if (step + 1) % args.report == 0:
            a, b, c = sums / args.report
            rate = seen / (time.monotonic() - began - spent)
            print(f"step {step + 1} corner {a:.4f} score {b:.4f} right {c:.4f} {rate:.0f} patches/s", flush=True)
            sums[:] = 0
        if time.monotonic() - saved > 60 or done >= 1.0 or step + 1 == args.steps:
            saved = time.monotonic()
            keep(last, net, shadow, optimiser, step + 1, time.monotonic() - began)
        if done >= 1.0:
            break
    export(shadow.cpu(), args.out / "corners.onnx")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.corners", description="Train the closer look at a plate.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {' and '.join(FOLDERS)}")
    parser.add_argument("--out", type=Path, default=Path("build/corners"), help="folder for checkpoints and ONNX")
    parser.add_argument("--steps", type=from_one, default=8000, help="batches in all")
    parser.add_argument("--minutes", type=float, default=0.0, help="end after so long even with steps left")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--plates", type=int, default=3000, help="rendered plates in the bank")
    parser.add_argument("--detector", type=Path, default=None, help="manifest of the detector to look through")
    parser.add_argument("--min-score", type=float, default=0.25, help="of the detections that are taken as samples")
    parser.add_argument("--init", type=Path, default=None, help="weights to start from: a checkpoint or a mean")
    parser.add_argument("--place", type=Path, default=None, help="manifest of a network that puts corners on plates")
    parser.add_argument("--bf16", action="store_true", help="bfloat16: quicker on a processor with AMX, else slower")
    parser.add_argument("--workers", type=int, default=1, help="loader processes")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None, help="photographs of each folder at most (smoke runs)")
    parser.add_argument("--report", type=int, default=100)
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt where there is one")
    return parser.parse_args(words)


if __name__ == "__main__":
    train(arguments())

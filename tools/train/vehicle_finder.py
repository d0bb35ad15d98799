"""Train the finder of vehicles: ``python -m tools.train.vehicle_finder --data ../shared/data/train``.

Photographs with sure vehicles (``tools.train.vehicle_data``) and frames of the rendered street, each scaled, cut and
mirrored to 256 x 160 so that its vehicles are 14 to 300 pixels wide. Boxes of which less than ``LEAST_SEEN`` stays in
the cut, boxes that only one of the labelling detectors saw, and tiny ones neither teach nor deny. Goes on from
``OUT/checkpoint.pt`` when it is there; writes ``vehicle_finder.onnx`` and its manifest, and measures on the held-out
pictures.

May import torch, numpy, OpenCV, ``lpr.vision``, ``lpr.scene`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import json
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lpr.events import Box
from lpr.plates.boxes import area, overlap
from lpr.scene.street import Street
from lpr.vision.manifest import InputSpec
from lpr.vision.vehicle_finder import FinderManifest, VehicleFinder
from tools.train.detector import average, learning_rate
from tools.train.detector_photo import photograph
from tools.train.vehicle import SOURCES
from tools.train.vehicle_data import load, pictures
from tools.train.vehicle_export import write_manifest, write_onnx
from tools.train.vehicle_net import FINDER_SIZE, STRIDE, FinderNet, finder_loss

Image = NDArray[np.uint8]

LEAST_SEEN: Final = 0.4
LEAST_SIDE: Final = 12.0
"""Vehicles less wide or high than this in the network's input neither teach nor deny, pixels."""
SHARE: Final = 0.6
"""A vehicle of n positive cells counts n to the power of 1 - SHARE."""
RENDERED_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture (H, W, 3) BGR, the boxes of its vehicles, and places of which nothing is known."""

    image: Image
    boxes: tuple[Box, ...]
    unknown: tuple[Box, ...]
    held: bool


def photographs(data: Path, limit: int | None = None) -> list[Scene]:
    """The photographs, at most 512 pixels long."""
    found: list[Scene] = []
    for name in ("openimages_lp", "ro_robertlucian"):
        for picture in pictures(data / name)[:limit]:
            image = load(picture.path)
            scale = min(1.0, 512 / max(image.shape[:2]))
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            boxes = tuple(scaled(box, scale) for box, _ in picture.vehicles)
            found.append(Scene(small, boxes, tuple(scaled(box, scale) for box in picture.uncertain), picture.held))
    return found


def rendered(count: int, seed: int) -> list[Scene]:
    """Frames of rendered streets, 12 of each, by day, dusk and night. Vehicles mostly hidden are unknown."""
    found: list[Scene] = []
    while len(found) < count:
        number = seed + len(found) // 12
        street = Street(number, 512, 288, rate=0.4, start=31.0 * number)
        for index in range(min(12, count - len(found))):
            boxes: list[Box] = []
            unknown: list[Box] = []
            for truth in street.vehicles_at(index):
                if truth.box is not None:
                    (boxes if truth.visible >= 0.3 or truth.box[3] >= street.height else unknown).append(truth.box)
            found.append(Scene(street.frame(index), tuple(boxes), tuple(unknown), number % 7 == 0))
    return found


def scaled(box: Box, factor: float, x: float = 0.0, y: float = 0.0) -> Box:
    """A box after scaling by ``factor`` and then moving by (x, y)."""
    return (box[0] * factor + x, box[1] * factor + y, box[2] * factor + x, box[3] * factor + y)


def clipped(box: Box) -> Box:
    """The part of a box inside the network's input."""
    width, height = FINDER_SIZE
    return (max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3]))


def view(rng: np.random.Generator, scene: Scene) -> tuple[Image, list[Box], list[Box]]:
    """A random part of a scene as the network's input: the picture, its boxes and what is unknown."""
    width, height = FINDER_SIZE
    rows, columns = scene.image.shape[:2]
    whole = min(width / columns, height / rows)
    scale = whole * float(np.exp(rng.uniform(-0.25, 0.75)))
    if scene.boxes:
        largest = max(max(box[2] - box[0], box[3] - box[1]) for box in scene.boxes)
        scale = float(np.clip(scale, 14 / largest, 400 / largest))
    free_x, free_y = width - columns * scale, height - rows * scale
    x = float(rng.uniform(min(0.0, free_x), max(0.0, free_x)))
    y = float(rng.uniform(min(0.0, free_y), max(0.0, free_y)))
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    source = scene.image
    if scale < 0.6:
        source = np.asarray(cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, :2] *= 2.0
    grey = (114, 114, 114)
    image = np.asarray(cv2.warpAffine(source, matrix, (width, height), borderValue=grey), np.uint8)
    boxes = [scaled(box, scale, x, y) for box in scene.boxes]
    unknown = [scaled(box, scale, x, y) for box in scene.unknown]
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        boxes = [(width - box[2], box[1], width - box[0], box[3]) for box in boxes]
        unknown = [(width - box[2], box[1], width - box[0], box[3]) for box in unknown]
    if rng.random() < 0.3:
        image = np.ascontiguousarray(image[..., rng.permutation(3)])
    kept: list[Box] = []
    for box in boxes:
        seen = clipped(box)
        big = min(seen[2] - seen[0], seen[3] - seen[1]) >= LEAST_SIDE
        if area(seen) >= LEAST_SEEN * area(box) and big:
            kept.append(seen)
        elif area(seen) > 0:
            unknown.append(seen)
    return photograph(rng, image), kept, [clipped(box) for box in unknown]


def targets(boxes: list[Box], unknown: list[Box]) -> NDArray[np.float32]:
    """[7, 10, 16]: heat, weight of the heat, weight of the box, box."""
    width, height = FINDER_SIZE
    h, w = height // STRIDE, width // STRIDE
    out = np.zeros((7, h, w), np.float32)
    out[1] = 1.0
    ys, xs = np.mgrid[0:h, 0:w]
    px, py = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
    for x1, y1, x2, y2 in unknown:
        out[1][(px > x1) & (px < x2) & (py > y1) & (py < y2)] = 0.0
    for x1, y1, x2, y2 in sorted(boxes, key=lambda box: -area(box)):
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        rx, ry = max((x2 - x1) * 0.25, 6.0), max((y2 - y1) * 0.25, 6.0)
        distance = ((px - cx) / rx) ** 2 + ((py - cy) / ry) ** 2
        nearest = (min(int(cy // STRIDE), h - 1), min(int(cx // STRIDE), w - 1))
        distance[nearest] = min(float(distance[nearest]), 0.05)
        positive = distance <= 1.0
        inside = (px > x1) & (px < x2) & (py > y1) & (py < y2)
        out[1][inside & ~positive] = 0.3
        bell = np.exp(-1.0 * distance) * (distance < 4.0)
        out[0] = np.maximum(np.where(inside | positive, bell, 0.0), np.where(positive, 0.0, out[0]))
        weight = float(positive.sum()) ** -SHARE
        out[1][positive] = weight
        out[2][positive] = weight
        out[3:7, positive] = np.array([x1, y1, x2, y2], np.float32)[:, None]
    return out


def batch(rng: np.random.Generator, photos: list[Scene], drawn: list[Scene], count: int) -> tuple[Tensor, Tensor]:
    """(pictures [count, 3, 160, 256] 0 to 1, targets [count, 7, 10, 16])."""
    images: list[Image] = []
    told: list[NDArray[np.float32]] = []
    for _ in range(count):
        group = drawn if drawn and (not photos or rng.random() < RENDERED_SHARE) else photos
        image, boxes, unknown = view(rng, group[int(rng.integers(len(group)))])
        images.append(image)
        told.append(targets(boxes, unknown))
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255.0)
    return x, torch.from_numpy(np.stack(told))


class Deployed(nn.Module):
    """The network as it ships: uint8 BGR [N, H, W, 3] in, [N, 5, H/16, W/16] out."""

    def __init__(self, net: FinderNet) -> None:
        super().__init__()
        self.net = deepcopy(net).eval()

    def forward(self, image: Tensor) -> Tensor:
        return self.net(image.permute(0, 3, 1, 2).float() / 255.0)


def export(net: FinderNet, folder: Path, steps: int, min_score: float) -> None:
    """``vehicle_finder.onnx`` and ``vehicle_finder.json``."""
    target = folder / "vehicle_finder.onnx"
    width, height = FINDER_SIZE
    digest = write_onnx(Deployed(net), FINDER_SIZE, "vehicles", target)
    manifest = FinderManifest(
        kind="vehicle-finder",
        name=f"lpr-vehicle-finder-{steps}",
        file=target.name,
        sha256=digest,
        input=InputSpec(name="image", width=width, height=height, layout="NHWC", colour="bgr", dtype="uint8"),
        output="vehicles",
        stride=STRIDE,
        min_score=min_score,
        licence="Apache-2.0",
        sources=SOURCES[1:],
    )
    write_manifest(manifest, folder / "vehicle_finder.json")


def measured(finder: VehicleFinder, scenes: list[Scene], least: float) -> dict[str, float]:
    """Recall and precision at IoU 0.5 of vehicles at least ``least`` of the picture's width wide.

    Detections over unknown places, or of smaller vehicles, count neither way.
    """
    found = right = there = hit = 0
    for scene in scenes:
        width = scene.image.shape[1]
        wanted = [box for box in scene.boxes if box[2] - box[0] >= least * width]
        said = [one for one in finder.find(scene.image) if one.box[2] - one.box[0] >= least * width]
        there += len(wanted)
        hit += sum(any(overlap(box, one.box) >= 0.5 for one in said) for box in wanted)
        for one in said:
            if any(overlap(box, one.box) >= 0.5 for box in scene.boxes):
                right += 1
                found += 1
            elif all(overlap(box, one.box) < 0.3 for box in scene.unknown):
                found += 1
    return {
        "vehicles": there,
        "recall": round(hit / max(there, 1), 4),
        "detections": found,
        "precision": round(right / max(found, 1), 4),
    }


def figures(folder: Path, scenes: list[Scene]) -> dict[str, Any]:
    """The table of recall and precision by threshold and size."""
    table: dict[str, Any] = {}
    for score in (0.3, 0.4, 0.5, 0.6, 0.7):
        finder = VehicleFinder(folder / "vehicle_finder.json", min_score=score)
        for least in (0.1, 0.2):
            table[f"score {score}, from {least:.0%} of the width"] = measured(finder, scenes, least)
    return table


def train(args: argparse.Namespace) -> None:
    """Run the training that ``args`` describe."""
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    cast("Any", torch).manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    photos, drawn = photographs(args.data, args.limit), rendered(args.rendered, args.seed)
    held = {"photographs": [s for s in photos if s.held], "rendered": [s for s in drawn if s.held]}
    photos, drawn = [s for s in photos if not s.held], [s for s in drawn if not s.held]
    net = FinderNet().to(memory_format=cast("Any", torch.channels_last))
    shadow = deepcopy(net).eval()
    optimiser: Any = torch.optim.AdamW(net.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.03)
    print(f"{len(photos)} photographs, {len(drawn)} rendered frames, {args.steps} steps of {args.batch}", flush=True)
    checkpoint = args.out / "checkpoint.pt"
    steps, spent = _resume(checkpoint, net, shadow, optimiser)
    rng = np.random.default_rng((args.seed, steps))
    began, total = time.monotonic() - spent, 0.0
    for step in range(steps, args.steps):
        passed = (time.monotonic() - began) / args.seconds if args.seconds else 0.0
        if passed >= 1.0:
            break
        at = max(step, round(passed * args.steps)) if step >= args.warm else step
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(at, args.steps, args.rate, args.warm)
        steps = step + 1
        x, told = batch(rng, photos, drawn, args.batch)
        loss = finder_loss(net(x.to(memory_format=cast("Any", torch.channels_last))), told)
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
            _keep(checkpoint, net, shadow, optimiser, steps, time.monotonic() - began)
    _keep(checkpoint, net, shadow, optimiser, steps, time.monotonic() - began)
    torch.save(shadow.state_dict(), args.out / "vehicle_finder.pt")
    export(shadow, args.out, steps, args.min_score)
    text = json.dumps({name: figures(args.out, scenes) for name, scenes in held.items() if scenes}, indent=1)
    (args.out / "finder_figures.json").write_text(text + "\n", encoding="utf-8")
    print(text, flush=True)


def _keep(path: Path, net: FinderNet, shadow: FinderNet, optimiser: Any, steps: int, spent: float) -> None:
    """Write a checkpoint, in one go."""
    state = {"net": net.state_dict(), "shadow": shadow.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({**state, "steps": steps, "spent": spent}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _resume(path: Path, net: FinderNet, shadow: FinderNet, optimiser: Any) -> tuple[int, float]:
    """(batches, seconds) that a checkpoint has behind it, whose state is taken over; zeros without one."""
    if not path.exists():
        return 0, 0.0
    kept = cast("dict[str, Any]", torch.load(path, map_location="cpu", weights_only=True))
    net.load_state_dict(kept["net"])
    shadow.load_state_dict(kept["shadow"])
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["steps"]), float(kept["spent"])


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.vehicle_finder", description="Train the finder of vehicles.")
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the shared data")
    parser.add_argument("--out", type=Path, default=Path("build/vehicle"))
    parser.add_argument("--steps", type=int, default=1200, help="batches in all")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--warm", type=int, default=100, help="steps of warm-up")
    parser.add_argument("--keep", type=float, default=0.996, help="EMA of the weights")
    parser.add_argument("--rendered", type=int, default=120, help="rendered frames")
    parser.add_argument("--min-score", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None, help="photographs of each folder at most (smoke runs)")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long, however few batches; 0: don't")
    parser.add_argument("--report", type=int, default=50)
    return parser.parse_args(words)


if __name__ == "__main__":
    train(arguments())

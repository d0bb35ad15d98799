"""Train the classifier of vehicle kinds: ``python -m tools.train vehicle --data ../shared/data/train``.

Writes a checkpoint a minute (``--resume`` goes on from it), ``vehicle.onnx`` and its manifest ``vehicle.json``, and
prints what the held-out crops say, by source. A batch draws its crops by source and class (``SHARES``), so that the
rare kinds are seen as often as cars; each crop is shifted, scaled, mirrored, recoloured, made grey or dark, blurred and
compressed anew every time. A GPU is used when there is one.

May import torch, numpy, OpenCV, ``lpr.vision`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lpr.vision.manifest import InputSpec
from lpr.vision.vehicle_kind import KindManifest
from lpr.vision.vehicle_region import cut
from tools.options import from_one
from tools.train.checkpoint import device, keep, resumed
from tools.train.detector import average, learning_rate
from tools.train.detector_photo import photograph
from tools.train.vehicle_data import ROOM, STORED, Crop, all_crops, centre
from tools.train.vehicle_export import write_manifest, write_onnx
from tools.train.vehicle_net import CLASSES, KIND_SIZE, KindNet, kind_loss

_torch: Any = torch  # for the functions of torch that carry no types
SOURCES: Final = (
    "vehicle_types: zenodo.org/record/6634554, A Dataset Containing Tiny and Low Quality Images for Vehicle "
    "Classification (CC BY 4.0)",
    "openimages_lp: Open Images photographs (CC BY 2.0, their Flickr authors), by the Roboflow export "
    '"Google Licence Plates" (CC BY 4.0)',
    "ro_robertlucian: github.com/RobertLucian/license-plate-dataset (MIT)",
    "vehicles rendered by lpr/scene",
)
SHARES: Final = {
    "vehicle_types": 0.33,
    "openimages_lp": 0.32,
    "openimages_lp plate": 0.17,
    "ro_robertlucian": 0.06,
    "ro_robertlucian plate": 0.03,
    "rendered": 0.09,
}
"""How much of a batch comes from where."""
BALANCE: Final = 0.6
"""Within a source a class of n crops is drawn in proportion to n to the power of 1 - BALANCE."""


def augmented(rng: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One stored crop as some camera, standing a little elsewhere, would give it."""
    side = STORED / (1 + 2 * ROOM)
    scale = side * float(np.exp(rng.uniform(-0.2, 0.22)))
    x, y = STORED / 2 + side * rng.uniform(-0.09, 0.09), STORED / 2 + side * rng.uniform(-0.09, 0.09)
    half_x, half_y = scale / 2, scale / 2 * float(np.exp(rng.normal(0, 0.05)))
    box = (x - half_x, y - half_y, x + half_x, y + half_y)
    patch = cut(image, box, KIND_SIZE)
    if rng.random() < 0.2:  # seen from far away
        small = int(rng.integers(18, 50))
        tiny = cv2.resize(patch, (small, small), interpolation=cv2.INTER_AREA)
        patch = np.asarray(cv2.resize(tiny, (KIND_SIZE, KIND_SIZE), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.5:
        patch = np.ascontiguousarray(patch[:, ::-1])
    if rng.random() < 0.3:  # a paint of another colour
        patch = np.ascontiguousarray(patch[..., rng.permutation(3)])
    return photograph(rng, patch) if rng.random() < 0.5 else patch


class Drawer:
    """Draws batches from crops."""

    def __init__(self, crops: list[Crop], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        groups: dict[str, dict[str, list[Crop]]] = defaultdict(lambda: defaultdict(list))
        for crop in crops:
            groups[crop.source][crop.label].append(crop)
        self.groups = {source: list(classes.values()) for source, classes in groups.items()}
        shares = np.array([SHARES[source] for source in self.groups])
        self.shares = shares / shares.sum()
        self.odds = {
            source: np.array([len(group) ** (1 - BALANCE) for group in lists]) for source, lists in self.groups.items()
        }

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """(pictures [count, 3, 64, 64] 0 to 1, weights of the classes [count, 7])."""
        names = list(self.groups)
        images: list[NDArray[np.uint8]] = []
        allowed: list[tuple[float, ...]] = []
        for which in self.rng.choice(len(names), count, p=self.shares):
            lists, odds = self.groups[names[which]], self.odds[names[which]]
            group = lists[int(self.rng.choice(len(lists), p=odds / odds.sum()))]
            crop = group[int(self.rng.integers(len(group)))]
            images.append(augmented(self.rng, crop.image))
            allowed.append(crop.allowed)
        pictures = _torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255.0)
        return pictures, torch.tensor(allowed)


class Deployed(nn.Module):
    """The network as it ships: uint8 BGR [N, 64, 64, 3] in, probabilities [N, 7] out, softened by ``temperature``."""

    def __init__(self, net: KindNet, temperature: float) -> None:
        super().__init__()
        self.net = deepcopy(net).eval()
        self.temperature = temperature

    def forward(self, image: Tensor) -> Tensor:
        logits = self.net(image.permute(0, 3, 1, 2).float() / 255.0)
        return torch.softmax(logits / self.temperature, 1)


def logits_of(net: nn.Module, crops: list[Crop], grey: bool = False) -> NDArray[np.float32]:
    """The network's word on the centres of crops, [N, 7]. ``grey``: as a monochrome camera gives them."""
    out: list[NDArray[np.float32]] = []
    for start in range(0, len(crops), 128):
        images = np.stack([centre(crop.image) for crop in crops[start : start + 128]])
        if grey:
            images = np.repeat(images.mean(3, keepdims=True), 3, 3)
        x = _torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255.0
        with torch.no_grad():
            out.append(np.asarray(net(x).numpy(), np.float32))
    return np.concatenate(out)


def figures(logits: NDArray[np.float32], crops: list[Crop], temperature: float) -> dict[str, Any]:
    """By source: how many crops with a sure label are told right, by class, and when said with 0.6 at least."""
    soft = np.asarray(torch.softmax(_torch.from_numpy(logits) / temperature, 1).numpy(), np.float32)
    best, sure = [int(one) for one in soft.argmax(1)], soft.max(1)
    by: dict[str, dict[str, Any]] = {}
    for source in sorted({crop.source for crop in crops}):
        rows = [i for i, crop in enumerate(crops) if crop.source == source and crop.label]
        if not rows:
            continue
        right = np.array([CLASSES[best[i]] == crops[i].label for i in rows])
        fits = np.array([crops[i].allowed[best[i]] > 0 for i in rows])
        said = np.array([sure[i] >= 0.6 for i in rows])
        table: dict[str, str] = {}
        for label in CLASSES:
            own = [i for i in rows if crops[i].label == label]
            if own:
                table[label] = f"{sum(CLASSES[best[i]] == label for i in own)}/{len(own)}"
        by[source] = {
            "crops": len(rows),
            "right": round(float(right.mean()), 4),
            "fitting": round(float(fits.mean()), 4),
            "said": round(float(said.mean()), 4),
            "right when said": round(float(right[said].mean()), 4) if said.any() else None,
            "classes": table,
        }
    return by


def temperature_of(logits: NDArray[np.float32], crops: list[Crop]) -> float:
    """The temperature with which the held-out crops are likeliest."""
    allowed = torch.tensor([crop.allowed for crop in crops])
    rising = [0.6 + 0.1 * step for step in range(30)]
    losses = [float(kind_loss(_torch.from_numpy(logits) / one, allowed)) for one in rising]
    return round(rising[int(np.argmin(losses))], 2)


def export(net: KindNet, temperature: float, folder: Path, steps: int) -> None:
    """``vehicle.onnx`` and ``vehicle.json``."""
    target = folder / "vehicle.onnx"
    digest = write_onnx(Deployed(net, temperature), (KIND_SIZE, KIND_SIZE), "kinds", target)
    manifest = KindManifest(
        kind="vehicle-kind",
        name=f"lpr-vehicle-{steps}",
        file=target.name,
        sha256=digest,
        input=InputSpec(name="image", width=KIND_SIZE, height=KIND_SIZE, layout="NHWC", colour="bgr", dtype="uint8"),
        output="kinds",
        classes=CLASSES,
        min_confidence=0.6,
        licence="Apache-2.0",
        sources=SOURCES,
    )
    write_manifest(manifest, folder / "vehicle.json")


def train(args: argparse.Namespace) -> None:
    """Run the training that ``args`` describe."""
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    _torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    crops = all_crops(args.data, args.rendered, args.seed, args.limit)
    held = [crop for crop in crops if crop.held]
    drawer = Drawer([crop for crop in crops if not crop.held], args.seed)
    where = device()
    net = cast("KindNet", cast("Any", KindNet()).to(where, memory_format=torch.channels_last))
    if args.init is not None:
        net.load_state_dict(torch.load(args.init, map_location="cpu", weights_only=True))
    shadow = deepcopy(net).eval()
    optimiser: Any = torch.optim.AdamW(net.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.03)
    last = args.out / "vehicle.last.pt"
    steps, spent = resumed(last, net, shadow, optimiser) if args.resume else (0, 0.0)
    if steps:
        drawer.rng = np.random.default_rng((args.seed, steps))
    began, total, saved = time.monotonic() - spent, 0.0, time.monotonic()
    print(f"{len(crops)} crops, {len(held)} held out, steps {steps} to {args.steps} of {args.batch}", flush=True)
    for step in range(steps, args.steps):
        passed = (time.monotonic() - began) / args.seconds if args.seconds else 0.0
        if passed >= 1.0:
            break
        done = max(step / args.steps, passed)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, done, args.rate, args.warm)
        steps = step + 1
        x, allowed = drawer.batch(args.batch)
        x = x.to(where).to(memory_format=cast("Any", torch.channels_last))
        loss = kind_loss(net(x), allowed.to(where))
        optimiser.zero_grad(set_to_none=True)
        cast("Any", loss).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        average(shadow, net, min(args.keep, (step + 1) / (step + 10)))
        total += float(loss.detach())
        if (step + 1) % args.report == 0 or step + 1 == args.steps:
            rate = (step + 1) * args.batch / (time.monotonic() - began)
            print(f"step {step + 1}/{args.steps} loss {total / args.report:.4f} {rate:.0f} crops/s", flush=True)
            total = 0.0
        if time.monotonic() - saved > 60 or step + 1 == args.steps:
            saved = time.monotonic()
            keep(last, net, shadow, optimiser, steps, saved - began)
    shadow.cpu()
    torch.save(shadow.state_dict(), args.out / "vehicle.pt")
    if held:
        logits = logits_of(shadow, held)
        temperature = temperature_of(logits, held)
        told = {"temperature": temperature, "colour": figures(logits, held, temperature)}
        told["grey"] = figures(logits_of(shadow, held, grey=True), held, temperature)
        text = json.dumps(told, indent=1)
        (args.out / "figures.json").write_text(text + "\n", encoding="utf-8")
        print(text, flush=True)
    else:
        temperature = 1.0
    export(shadow, temperature, args.out, steps)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.train.vehicle", description="Train the classifier of vehicle kinds.")
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the shared data")
    parser.add_argument("--out", type=Path, default=Path("build/vehicle"))
    parser.add_argument("--steps", type=from_one, default=3000, help="batches in all")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long, however few batches; 0: don't")
    parser.add_argument("--init", type=Path, default=None, help="weights to start from")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--warm", type=int, default=40, help="steps of warm-up")
    parser.add_argument("--keep", type=float, default=0.99, help="EMA of the weights")
    parser.add_argument("--rendered", type=int, default=160, help="crops of rendered vehicles")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=int, default=25)
    parser.add_argument("--limit", type=int, default=None, help="pictures of each folder at most (smoke runs)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/vehicle.last.pt where there is one")
    return parser.parse_args(words)


if __name__ == "__main__":
    train(arguments())

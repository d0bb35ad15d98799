"""The finder of vehicles as it ships, its scores brought to probabilities, and how well it finds.

May import torch, numpy, ``lpr.vision``, ``lpr.plates.boxes`` and the other ``tools.train`` modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lpr.plates.boxes import overlap
from lpr.vision.manifest import InputSpec
from lpr.vision.vehicle_finder import FinderManifest, VehicleFinder
from tools.train.vehicle import SOURCES
from tools.train.vehicle_export import write_manifest, write_onnx
from tools.train.vehicle_net import FINDER_SIZE, STRIDE, FinderNet
from tools.train.vehicle_scenes import Scene

__all__ = ["Scale", "export", "figures", "fitted", "judged"]


@dataclass(frozen=True, slots=True)
class Scale:
    """What makes probabilities of the network's scores: their logits times ``gain``, plus ``offset``."""

    gain: float = 1.0
    offset: float = 0.0


class Deployed(nn.Module):
    """The network as it ships: uint8 BGR [N, H, W, 3] in, [N, 5, H/16, W/16] out, scores brought to ``scale``."""

    def __init__(self, net: FinderNet, scale: Scale) -> None:
        super().__init__()
        self.net = deepcopy(net).eval()
        self.scale = scale

    def forward(self, image: Tensor) -> Tensor:
        out = self.net(image.permute(0, 3, 1, 2).float() / 255.0)
        return torch.cat((out[:, :1] * self.scale.gain + self.scale.offset, out[:, 1:]), 1)


def export(net: FinderNet, folder: Path, name: str, min_score: float, scale: Scale) -> None:
    """``vehicle_finder.onnx`` and ``vehicle_finder.json``."""
    target = folder / "vehicle_finder.onnx"
    width, height = FINDER_SIZE
    digest = write_onnx(Deployed(net, scale), FINDER_SIZE, "vehicles", target)
    manifest = FinderManifest(
        kind="vehicle-finder",
        name=name,
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


def judged(finder: VehicleFinder, scenes: Sequence[Scene]) -> list[tuple[float, bool]]:
    """(score, whether it is a vehicle) of everything found where something is known."""
    said: list[tuple[float, bool]] = []
    for scene in scenes:
        for one in finder.find(scene.image):
            right = any(overlap(box, one.box) >= 0.5 for box in scene.boxes)
            if right or all(overlap(box, one.box) < 0.3 for box in scene.unknown):
                said.append((one.score, right))
    return said


def fitted(said: Sequence[tuple[float, bool]]) -> Scale:
    """The scale under which the scores of ``said`` are likeliest (logistic regression by Newton's method).

    Too few of them, or of one kind only, leave the scores as they are."""
    right = np.array([one for _, one in said], np.float64)
    if len(said) < 30 or right.min() == right.max():
        return Scale()
    scores = np.clip(np.array([score for score, _ in said], np.float64), 1e-4, 1 - 1e-4)
    x = np.stack([np.log(scores / (1 - scores)), np.ones(len(said))], 1)
    weights = np.array([1.0, 0.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (p - right) + 1e-3 * weights
        curve = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
        weights = weights - np.linalg.solve(curve, slope)
    return Scale(float(weights[0]), float(weights[1])) if weights[0] > 0.1 else Scale()


def measured(finder: VehicleFinder, scenes: Sequence[Scene], least: float) -> dict[str, float]:
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


def figures(folder: Path, scenes: Sequence[Scene]) -> dict[str, Any]:
    """The table of recall and precision by threshold and size."""
    table: dict[str, Any] = {}
    for score in (0.3, 0.4, 0.5, 0.6, 0.7):
        finder = VehicleFinder(folder / "vehicle_finder.json", min_score=score)
        for least in (0.1, 0.2):
            table[f"score {score}, from {least:.0%} of the width"] = measured(finder, scenes, least)
    return table

"""The network of the closer look: where the four corners of one plate lie in a patch, and whether there is a plate.

Each corner is the mean place of a heat map at a quarter of the patch's size (soft-argmax, integral regression: Sun et
al. 2018, arXiv:1711.08229), which needs no large layer and is exact to a fraction of a cell.

May import: torch, ``tools.train.detector_net``.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train.detector_net import Bottleneck, ConvUnit

SIZE = (96, 64)
"""Width and height of the patch, pixels."""
REACH, TALL = 1.7, 2.2
"""Framing of the patch: ``lpr.vision.corners.CornersManifest``."""
GRID = (SIZE[1] // 4, SIZE[0] // 4)
"""Rows and columns of a heat map."""


class CornerNet(nn.Module):
    """Input [N, 3, 64, 96] of float BGR values 0 to 1; outputs corners [N, 8] in fractions of the patch, logit [N, 1],
    and the logarithms of the heat maps [N, 4, 16 * 24]."""

    def __init__(self, stem: int = 16, s4: int = 32, s8: int = 48, s16: int = 64, neck: int = 32) -> None:
        super().__init__()
        self.s2 = ConvUnit(3, stem, 3, 2)
        self.s4 = nn.Sequential(ConvUnit(stem, s4, 3, 2), Bottleneck(s4))
        self.s8 = nn.Sequential(ConvUnit(s4, s8, 3, 2), Bottleneck(s8), Bottleneck(s8))
        self.s16 = nn.Sequential(ConvUnit(s8, s16, 3, 2), Bottleneck(s16), Bottleneck(s16))
        # What lies where in the whole patch, for every place of it.
        self.whole = nn.Linear(s16 * GRID[0] * GRID[1] // 16, neck)
        self.l4 = ConvUnit(s4, neck, 1, act=False)
        self.l8 = ConvUnit(s8, neck, 1, act=False)
        self.l16 = ConvUnit(s16, neck, 1, act=False)
        self.m8 = ConvUnit(neck, neck, 3)
        self.head = nn.Sequential(ConvUnit(neck, neck, 3), nn.Conv2d(neck, 4, 1))
        self.score = nn.Linear(s16 + neck, 1)
        rows, columns = GRID
        xs = (torch.arange(columns) + 0.5) / columns
        ys = (torch.arange(rows) + 0.5) / rows
        self.place: Tensor
        self.register_buffer("place", torch.stack((xs.repeat(rows), ys.repeat_interleave(columns)), 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a = self.s4(self.s2(x))
        b = self.s8(a)
        c = self.s16(b)
        whole = torch.relu(self.whole(c.flatten(1)))
        up8 = F.interpolate(self.l16(c), scale_factor=2.0, mode="nearest")
        p8 = self.m8(torch.relu(self.l8(b) + up8 + whole[:, :, None, None]))
        p4 = torch.relu(self.l4(a) + F.interpolate(p8, scale_factor=2.0, mode="nearest"))
        heat = F.log_softmax(self.head(p4).float().flatten(2), 2)
        # A mean place in bfloat16 would be off by a third of a pixel.
        with torch.autocast(x.device.type, enabled=False):
            corners = (heat.exp() @ self.place).flatten(1)
        score = self.score(torch.cat((c.mean((2, 3)), whole), 1))
        return corners, score, heat


def loss(
    outputs: tuple[Tensor, Tensor, Tensor], corners: Tensor, weight: Tensor, plate: Tensor, place: Tensor
) -> tuple[Tensor, Tensor]:
    """(loss of the corners, loss of the score). ``corners`` [N, 8] in fractions of the patch; ``weight`` [N] of each
    sample's corners; ``plate`` [N]: 1 for a plate, 0 for none; ``place``: the network's grid."""
    found, score, heat = outputs
    scale = found.new_tensor(SIZE * 4)
    truth = corners * scale
    quad = truth.view(-1, 4, 2)
    left, right = cast("Any", quad[:, 3] - quad[:, 0]), cast("Any", quad[:, 2] - quad[:, 1])
    height = cast("Tensor", (left.norm(dim=1) + right.norm(dim=1)) / 2)
    off = (found * scale - truth) / height.clamp(min=6.0)[:, None]
    near = F.smooth_l1_loss(off, torch.zeros_like(off), beta=0.05, reduction="none").mean(1)
    # A bell of one cell round the true corner keeps the maps narrow.
    gap = (place[None, None] - corners.view(-1, 4, 1, 2)) * found.new_tensor(SIZE) / 4
    bell = torch.softmax(-gap.square().sum(3) / (2 * 0.8**2), 2)
    spread = -(bell * heat).sum(2).mean(1)
    total = weight.sum().clamp(min=1.0)
    corner = ((near * 4 + spread * 0.1) * weight).sum() / total
    return corner, F.binary_cross_entropy_with_logits(score[:, 0], plate)

"""The two small networks about vehicles: what kind of vehicle a square crop shows, and where vehicles are.

``KindNet`` takes a square crop (``lpr.vision.vehicle_region``) and gives one logit a class of ``CLASSES``. Its labels
are often only partly known (the photographs' "truck" may be a van), so ``kind_loss`` takes for each crop a weight a
class: the loss is the negative logarithm of the weighted sum of the probabilities.

``FinderNet`` gives for each cell of 16 input pixels the logit of "a vehicle's middle is near" and the logarithms of the
distances from the cell's centre to the four sides of its box, in strides (FCOS, arXiv:1904.01355); its losses are
those of the plate detector (``tools.train.detector_net``), without corners. May import torch and ``detector_net``.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train.detector_net import Bottleneck, ConvUnit, Wide, box_iou

CLASSES: Final = ("car", "motorcycle", "bus", "truck", "van", "pickup", "none")
"""Kinds of vehicle as the events name them, and "none": no vehicle."""
KIND_SIZE: Final = 64
"""Sides of a crop, pixels."""
FINDER_SIZE: Final = (256, 160)
"""Width and height of the finder's input, pixels."""
STRIDE: Final = 16
LOG_RANGE: Final = (-3.0, 4.0)
QUALITY_FLOOR: Final = 0.6
"""Target of a vehicle's score while its predicted box is nowhere near; 1 where it fits exactly."""


class KindNet(nn.Module):
    """Input [N, 3, 64, 64] of float BGR values 0 to 1; output [N, 7] logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvUnit(3, 16, 3, 2),
            ConvUnit(16, 32, 3, 2),
            Bottleneck(32),
            ConvUnit(32, 56, 3, 2),
            Bottleneck(56),
            Bottleneck(56),
            ConvUnit(56, 112, 3, 2),
            Wide(112),
            Wide(112),
        )
        self.out = nn.Sequential(nn.Dropout(0.2), nn.Linear(112, len(CLASSES)))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.body(x).mean((2, 3)))


def kind_loss(logits: Tensor, allowed: Tensor) -> Tensor:
    """Mean over the batch of -log sum(allowed * p); ``allowed`` [N, 7]: 1 for the label, less for what it may hide."""
    chances = torch.log_softmax(logits.float(), 1) + allowed.clamp(min=1e-4).log()
    return -torch.logsumexp(chances, 1).mean()


class FinderNet(nn.Module):
    """Input [N, 3, H, W] of float BGR values 0 to 1, H and W multiples of 32; output [N, 5, H/16, W/16]."""

    def __init__(self) -> None:
        super().__init__()
        self.s8 = nn.Sequential(ConvUnit(3, 12, 3, 2), ConvUnit(12, 20, 3, 2), ConvUnit(20, 36, 3, 2), Bottleneck(36))
        self.s16 = nn.Sequential(ConvUnit(36, 64, 3, 2), Bottleneck(64), Bottleneck(64))
        self.s32 = nn.Sequential(ConvUnit(64, 112, 3, 2), Wide(112), Wide(112), Wide(112))
        self.l16 = ConvUnit(64, 48, 1, act=False)
        self.l32 = ConvUnit(112, 48, 1, act=False)
        self.head = nn.Sequential(ConvUnit(48, 48, 3), ConvUnit(48, 48, 1))
        self.out = nn.Conv2d(48, 5, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        self.out.bias = nn.Parameter(torch.tensor([-3.0, 0.5, 0.5, 0.5, 0.5]))

    def forward(self, x: Tensor) -> Tensor:
        b = self.s16(self.s8(x))
        c = self.s32(b)
        up = F.interpolate(self.l32(c), scale_factor=2.0, mode="nearest")
        return self.out(self.head(torch.relu(self.l16(b) + up)))


def boxes_of(maps: Tensor) -> Tensor:
    """Boxes [N, 4, h, w] of every cell, in input pixels."""
    h, w = maps.shape[2:]
    ys = (torch.arange(h, dtype=maps.dtype, device=maps.device) + 0.5).view(1, 1, h, 1) * STRIDE
    xs = (torch.arange(w, dtype=maps.dtype, device=maps.device) + 0.5).view(1, 1, 1, w) * STRIDE
    sides = maps[:, 1:5].clamp(*LOG_RANGE).exp() * STRIDE
    return torch.cat((xs - sides[:, :1], ys - sides[:, 1:2], xs + sides[:, 2:3], ys + sides[:, 3:4]), 1)


def finder_loss(maps: Tensor, targets: Tensor) -> Tensor:
    """``targets`` [N, 7, h, w]: heat, weight of the heat, weight of the box, box (4) in input pixels."""
    maps = maps.float()
    heat, heat_weight, box_weight = targets[:, 0], targets[:, 1], targets[:, 2]
    count = box_weight.sum().clamp(min=1.0)
    where = box_weight > 0
    found, truth = boxes_of(maps).permute(0, 2, 3, 1)[where], targets[:, 3:7].permute(0, 2, 3, 1)[where]
    iou, diou = box_iou(found, truth)
    box = ((1.0 - diou) * box_weight[where]).sum() / count
    quality = torch.ones_like(heat)
    quality[where] = QUALITY_FLOOR + (1.0 - QUALITY_FLOOR) * iou.detach()
    soft = heat * quality
    logit = maps[:, 0]
    gap = (torch.sigmoid(logit.detach()) - soft).abs()
    focal = F.binary_cross_entropy_with_logits(logit, soft, reduction="none") * gap.square()
    return (focal * heat_weight).sum() / count + 2.0 * box

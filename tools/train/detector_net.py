"""The plate detector's network and its loss: one output map at a stride of 8 pixels.

Each cell of the map holds 13 numbers: the logit of the score, the logarithms of the distances from the
cell's centre to the left, top, right and bottom side of the plate's box (in strides), and for each of the
four corners of the plate (top left, top right, bottom right, bottom left) its offset from that corner of
the box, in fractions of the box's width and height. An upright plate so has all offsets near zero, and a
plate of which only the box is known still teaches everything but the offsets.

Anchor-free boxes from cell centres: FCOS (Tian et al. 2019, arXiv:1904.01355). Soft targets of the score that
carry the overlap of the predicted box: generalised focal loss (Li et al. 2020, arXiv:2006.04388). Box loss:
DIoU (Zheng et al. 2019, arXiv:1911.08287).

May import: torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 8
"""Input pixels a cell."""
CHANNELS = 13
"""Numbers a cell: score, four sides, four corners of two coordinates."""
LOG_RANGE = (-3.0, 5.0)
"""Bounds of the logarithm of a side's distance in strides: 0.4 to 1187 pixels."""
QUALITY_FLOOR = 0.7
"""Target of a plate's score while its predicted box is nowhere near; 1 where it fits exactly."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Channels of the stages at strides 2, 4, 8, 16 and 32, of the neck and of the head.

    The first is no wider than one block of the processor's vector instructions: a quarter of the network's time goes
    by at strides 2 and 4.
    """

    stem: int = 8
    s4: int = 24
    s8: int = 40
    s16: int = 64
    s32: int = 96
    neck: int = 40
    head: int = 64


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation and (if ``act``) ReLU."""

    def __init__(self, cin: int, cout: int, k: int = 3, stride: int = 1, groups: int = 1, act: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False),
            nn.BatchNorm2d(cout, momentum=0.03),
        ]
        super().__init__(*layers, *([nn.ReLU()] if act else []))


class Bottleneck(nn.Module):
    """Residual block: 1x1 to half the channels, 3x3 back."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvUnit(c, c // 2, 1), ConvUnit(c // 2, c, 3, act=False))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class Wide(nn.Module):
    """Residual block with a depthwise 7x7 convolution: sees far at little cost where the map is small."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvUnit(c, c, 7, groups=c), ConvUnit(c, c, 1, act=False))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class PlateNet(nn.Module):
    """Input [N, 3, H, W] of float BGR values 0 to 1, H and W multiples of 32; output [N, 13, H/8, W/8]."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        w = widths or Widths()
        self.widths = w
        self.s4 = nn.Sequential(ConvUnit(3, w.stem, 3, 2), ConvUnit(w.stem, w.s4, 3, 2))
        self.s8 = nn.Sequential(ConvUnit(w.s4, w.s8, 3, 2), Bottleneck(w.s8))
        self.s16 = nn.Sequential(
            ConvUnit(w.s8, w.s16, 3, 2), Bottleneck(w.s16), Bottleneck(w.s16), Wide(w.s16), Wide(w.s16)
        )
        self.s32 = nn.Sequential(ConvUnit(w.s16, w.s32, 3, 2), Wide(w.s32), Wide(w.s32), Wide(w.s32))
        self.l8 = ConvUnit(w.s8, w.neck, 1, act=False)
        self.l16 = ConvUnit(w.s16, w.neck, 1, act=False)
        self.l32 = ConvUnit(w.s32, w.neck, 1, act=False)
        self.m16 = ConvUnit(w.neck, w.neck, 3)
        self.head = nn.Sequential(ConvUnit(w.neck, w.neck, 3), ConvUnit(w.neck, w.head, 1))
        self.out = nn.Conv2d(w.head, CHANNELS, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        first = torch.zeros(CHANNELS)
        first[0] = -4.0  # at the start no cell is taken for a plate
        self.out.bias = nn.Parameter(first)

    def forward(self, x: Tensor) -> Tensor:
        a = self.s8(self.s4(x))
        b = self.s16(a)
        c = self.s32(b)
        p16 = self.m16(torch.relu(self.l16(b) + F.interpolate(self.l32(c), scale_factor=2.0, mode="nearest")))
        p8 = torch.relu(self.l8(a) + F.interpolate(p16, scale_factor=2.0, mode="nearest"))
        return self.out(self.head(p8))


def adopt(net: PlateNet, weights: dict[str, Tensor]) -> None:
    """Give ``net`` the ``weights`` of another whose stem may be wider, or which may have fewer blocks at stride 16.

    Of a wider stem the channels that the next convolution weighs most are kept; a block that the other has not adds
    nothing at first. Raises RuntimeError where anything else differs.
    """
    weights = dict(weights)
    first, scale, then = weights["s4.0.0.weight"], weights["s4.0.1.weight"], weights["s4.1.0.weight"]
    narrow = net.widths.stem
    if len(first) > narrow:
        telling = then.flatten(2).square().sum(2).sum(0).sqrt() * scale.abs()
        best = torch.sort(torch.topk(telling, narrow).indices).values
        for name in ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var"):
            weights[f"s4.0.{name}"] = weights[f"s4.0.{name}"][best]
        weights["s4.1.0.weight"] = then[:, best]
    own = net.state_dict()
    for place, block in enumerate(net.s16):
        before = f"s16.{place}."
        if isinstance(block, Wide) and not any(name.startswith(before) for name in weights):
            weights |= {name: value for name, value in own.items() if name.startswith(before)}
            weights[f"{before}body.1.1.weight"] = torch.zeros_like(own[f"{before}body.1.1.weight"])
    net.load_state_dict(weights)


def decode(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes [N, 4, h, w] and corners [N, 8, h, w] of every cell, in input pixels."""
    h, w = maps.shape[2:]
    ys = (torch.arange(h, dtype=maps.dtype, device=maps.device) + 0.5).view(1, 1, h, 1) * STRIDE
    xs = (torch.arange(w, dtype=maps.dtype, device=maps.device) + 0.5).view(1, 1, 1, w) * STRIDE
    sides = maps[:, 1:5].clamp(*LOG_RANGE).exp() * STRIDE
    left, top, right, bottom = xs - sides[:, :1], ys - sides[:, 1:2], xs + sides[:, 2:3], ys + sides[:, 3:4]
    boxes = torch.cat((left, top, right, bottom), 1)
    width, height = right - left, bottom - top
    base = torch.cat((left, top, right, top, right, bottom, left, bottom), 1)
    scale = torch.cat((width, height) * 4, 1)
    return boxes, base + maps[:, 5:13] * scale


def box_iou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and DIoU of boxes [M, 4] with boxes [M, 4]."""
    tl, br = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (br - tl).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inter
    iou = inter / union.clamp(min=1e-6)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    gap = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(1)
    return iou, iou - gap / hull.square().sum(1).clamp(min=1e-6)


@dataclass(frozen=True, slots=True)
class Losses:
    """Parts of the loss of one batch, each a scalar."""

    score: Tensor
    box: Tensor
    corner: Tensor

    @property
    def total(self) -> Tensor:
        return self.score + 2.0 * self.box + 2.0 * self.corner


def loss(maps: Tensor, targets: Tensor) -> Losses:
    """``maps`` as the network gives them, ``targets`` [N, 16, h, w] as ``detector_targets.encode`` makes them."""
    maps = maps.float()
    heat, heat_weight = targets[:, 0], targets[:, 1]
    box_weight, corner_weight = targets[:, 2], targets[:, 3]
    plates = box_weight.sum().clamp(min=1.0)
    boxes, corners = decode(maps)
    where = box_weight > 0
    found, truth = boxes.permute(0, 2, 3, 1)[where], targets[:, 4:8].permute(0, 2, 3, 1)[where]
    iou, diou = box_iou(found, truth)
    weight = box_weight[where]
    box = ((1.0 - diou) * weight).sum() / plates

    size = (truth[:, 2:] - truth[:, :2]).clamp(min=1.0)
    unit = (size[:, 0] * size[:, 1]).sqrt().unsqueeze(1)
    off = (corners.permute(0, 2, 3, 1)[where] - targets[:, 8:16].permute(0, 2, 3, 1)[where]) / unit
    per_cell = F.smooth_l1_loss(off, torch.zeros_like(off), beta=0.05, reduction="none").mean(1)
    corner = (per_cell * corner_weight[where]).sum() / plates

    quality = torch.ones_like(heat)
    quality[where] = QUALITY_FLOOR + (1.0 - QUALITY_FLOOR) * iou.detach()
    soft = heat * quality
    logit = maps[:, 0]
    gap = (torch.sigmoid(logit.detach()) - soft).abs()
    focal = F.binary_cross_entropy_with_logits(logit, soft, reduction="none") * gap.square()
    score = (focal * heat_weight).sum() / plates
    return Losses(score, box, corner)

"""The reader's network (PyTorch): a small convolutional body, two lines read column by column, two layers that let
the columns see each other (formats are a matter of the whole text), and heads for characters, style and rows.

The characters are learned with CTC: the network need not know which column belongs to which character, nor count.
Slots with an attention each were tried first: they had to count and doubled or dropped characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from tools.train.plates_data import HEIGHT, STYLE_NAMES, WIDTH

__all__ = ["CLASSES", "FULL", "LARGE", "LIGHT", "LINES", "STEPS", "ReaderNet", "Shape", "adopt", "net_for"]

CLASSES = 37
LINES = 2
STEPS = LINES * WIDTH // 4


@dataclass(frozen=True, slots=True)
class Shape:
    """``widths``: channels after the first convolution, the second, those at a quarter of the width, and the rest.
    ``light``: convolutions at a quarter of the width see each channel by itself. ``fine``: one convolution more at
    half the width, where the strokes of a character are still apart."""

    widths: tuple[int, int, int, int] = (16, 24, 56, 104)
    light: bool = False
    fine: bool = False


FULL = Shape()
LARGE = Shape((16, 32, 72, 104), fine=True)
LIGHT = Shape((8, 24, 56, 104), light=True)


def _conv(inner: int, outer: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.conv(x)))


class _Wide(nn.Module):
    """A depthwise 5x7 and a pointwise convolution: sees the neighbours of a character cheaply."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depth = nn.Conv2d(width, width, (5, 7), 1, (2, 3), groups=width, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.point = nn.Conv2d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.depth(x)))
        return torch.relu(x + self.norm2(self.point(y)))


class _Down(nn.Module):
    """Halves the height: a depthwise 3x3 and a pointwise convolution."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.depth = nn.Conv2d(inner, inner, 3, (2, 1), 1, groups=inner, bias=False)
        self.point = nn.Conv2d(inner, outer, 1, bias=False)
        self.norm = nn.BatchNorm2d(outer)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.point(self.depth(x))))


class _Mixer(nn.Module):
    """One transformer layer over the steps, written out so that it exports to plain operators, and to few: sizes are
    constants, and a step is a row, so that a layer with its bias is one operator."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Rows (N * STEPS, width) to the same."""
        qkv = self.qkv(self.norm1(x)).reshape(-1, STEPS, 3 * self.heads, self.size).transpose(1, 2)
        q, k, v = qkv.split(self.heads, 1)
        weights = torch.softmax(q @ k.transpose(-2, -1) * self.size**-0.5, -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(-1, self.heads * self.size))
        return x + self.down(torch.relu(self.up(self.norm2(x))))


class ReaderNet(nn.Module):
    """Input (N, 1, HEIGHT, WIDTH) float, pixels 0 to 255. Outputs: characters (N, STEPS, 37) logits, the columns of
    the upper (or only) line and then those of the lower line; style (N, styles) logits; two_rows (N,) logit."""

    def __init__(self, shape: Shape = FULL) -> None:
        super().__init__()
        a, b, c, width = shape.widths
        self.shape, self.width = shape, width
        middle: list[nn.Module] = (
            [_Wide(c), _Wide(c), _Down(c, width), _Wide(width)]
            if shape.light
            else [_Residual(c), _Residual(c), _conv(c, width, (2, 1))]
        )
        second = _conv(a, b).append(_Residual(b)) if shape.fine else _conv(a, b)
        self.body = nn.Sequential(
            _conv(1, a, 2), second, _conv(b, c, 2), *middle, _Wide(width), _Wide(width), _Wide(width)
        )
        self.high = nn.Parameter(torch.zeros(1, width, HEIGHT // 8, 1))
        self.lines = nn.Conv2d(width, LINES, 1)
        self.places = nn.Parameter(torch.zeros(1, STEPS, width))
        self.mixer = nn.Sequential(_Mixer(width, 4, 2 * width), _Mixer(width, 4, 2 * width))
        self.norm = nn.LayerNorm(width)
        self.chars = nn.Linear(width, CLASSES)
        self.style = nn.Linear(2 * width, len(STYLE_NAMES))
        self.rows = nn.Linear(2 * width, 1)
        nn.init.normal_(self.high, std=0.3)
        nn.init.normal_(self.places, std=0.02)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = pixels * (1 / 255)
        mean = x.mean((2, 3), keepdim=True)
        spread = ((x - mean) ** 2).mean((2, 3), keepdim=True).sqrt()
        seen = self.body((x - mean) / (spread + 0.02))
        placed = seen + self.high
        weights = torch.softmax(self.lines(placed), 2)  # (N, LINES, rows, columns): which rows a line reads
        columns = [(placed * weights[:, line : line + 1]).sum(2) for line in range(LINES)]
        steps = torch.cat(columns, 2).transpose(1, 2) + self.places
        mixed = self.norm(self.mixer(steps.reshape(-1, self.width)))
        whole = torch.cat((mixed.reshape(-1, STEPS, self.width).mean(1), seen.mean((2, 3))), 1)
        return self.chars(mixed).reshape(-1, STEPS, CLASSES), self.style(whole), self.rows(whole)[:, 0]


def net_for(weights: Mapping[str, Tensor]) -> ReaderNet:
    """The network of ``weights``. Raises RuntimeError where they are of no shape that there is."""
    found = LARGE if "body.1.3.conv.weight" in weights else LIGHT if "body.5.depth.weight" in weights else FULL
    net = ReaderNet(found)
    net.load_state_dict(weights)
    return net


def adopt(net: ReaderNet, weights: Mapping[str, Tensor]) -> None:
    """Give ``net`` what it can use of the ``weights`` of another, which may be of another shape.

    What agrees in name and shape is taken over. A larger one begins as the same function: what it has more of counts
    for nothing until it has learned. A light one takes of a full one the channels of the first convolution
    that the second weighs most, and of the convolution that halves the height the nearest separable one; a block that
    the other has not adds nothing at first.
    """
    own = net.state_dict()
    if net.shape.light and "body.5.0.weight" in weights:
        # The first of the light one's four blocks behind the lowered height is new, those at a quarter are, too.
        kept = {_later(name): value for name, value in weights.items()}
        kept |= {f"body.{i}.norm2.weight": torch.zeros_like(own[f"body.{i}.norm2.weight"]) for i in (3, 4, 6)}
        weights = kept | _first_channels(weights, net.shape.widths[0]) | _separated(weights)
    elif not net.shape.light:
        weights = {name: _grown(value, own.get(name)) for name, value in weights.items()}
        if net.shape.fine and "body.1.3.conv.weight" not in weights:
            weights["body.1.3.norm.weight"] = torch.zeros_like(own["body.1.3.norm.weight"])
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    net.load_state_dict(own | fitting)


def _grown(value: Tensor, own: Tensor | None) -> Tensor:
    """``value`` in the shape of ``own``, where that is larger: channels that come out more are ``own``'s, and what
    came out before does not see channels that go in more."""
    if own is None or own.ndim != value.ndim or own.shape == value.shape:
        return value
    if any(here < there for here, there in zip(own.shape, value.shape, strict=True)):
        return value
    grown = own.clone()
    grown[: len(value)] = 0.0
    grown[tuple(slice(length) for length in value.shape)] = value
    return grown


def _later(name: str) -> str:
    """The name in a light network of what a full one calls ``name``: behind the lowered height one place later."""
    for place in (6, 7, 8):
        if name.startswith(f"body.{place}."):
            return name.replace(f"body.{place}.", f"body.{place + 1}.")
    return name


def _first_channels(weights: Mapping[str, Tensor], keep: int) -> dict[str, Tensor]:
    """The first convolution with only ``keep`` of its channels, and the second, which sees no more."""
    then = weights["body.1.0.weight"]
    telling = then.flatten(2).square().sum(2).sum(0).sqrt() * weights["body.0.1.weight"].abs()
    best = torch.sort(torch.topk(telling, min(keep, len(telling))).indices).values
    names = ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var")
    return {f"body.0.{name}": weights[f"body.0.{name}"][best] for name in names} | {"body.1.0.weight": then[:, best]}


def _separated(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolution that halves the height as a depthwise and a pointwise one: for each channel that goes in the
    best product of one pattern and a factor for each channel that comes out."""
    dense = weights["body.5.0.weight"]  # (out, in, 3, 3)
    algebra: Any = torch.linalg
    u, s, v = cast("tuple[Tensor, Tensor, Tensor]", algebra.svd(dense.flatten(2).permute(1, 0, 2), full_matrices=False))
    depth = v[:, 0].reshape(-1, 1, 3, 3)
    point = (u[:, :, 0] * s[:, :1]).transpose(0, 1)[:, :, None, None]
    parts = ("weight", "bias", "running_mean", "running_var")
    norm = {f"body.5.norm.{name}": weights[f"body.5.1.{name}"] for name in parts}
    return {"body.5.depth.weight": depth, "body.5.point.weight": point} | norm

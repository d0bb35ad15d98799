"""The reader's network (PyTorch): a small convolutional body, two lines read column by column, two layers that let
the columns see each other (formats are a matter of the whole text), and heads for characters, style and rows.

The characters are learned with CTC: the network need not know which column belongs to which character, nor count.
Slots with an attention each were tried first: they had to count and doubled or dropped characters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tools.train.plates_data import HEIGHT, STYLE_NAMES, WIDTH

__all__ = ["CLASSES", "LINES", "STEPS", "ReaderNet"]

CLASSES = 37
LINES = 2
STEPS = LINES * WIDTH // 4


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


class _Mixer(nn.Module):
    """One transformer layer over the slots, written out so that it exports to plain operators."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        slots, width = x.shape[1], x.shape[2]
        size = width // self.heads
        qkv = self.qkv(self.norm1(x)).reshape(-1, slots, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = torch.softmax(q @ k.transpose(-2, -1) * size**-0.5, -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(-1, slots, width))
        return x + self.down(torch.relu(self.up(self.norm2(x))))


class ReaderNet(nn.Module):
    """Input (N, 1, HEIGHT, WIDTH) float, pixels 0 to 255. Outputs: characters (N, STEPS, 37) logits, the columns of
    the upper (or only) line and then those of the lower line; style (N, styles) logits; two_rows (N,) logit."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 24, 56, 104)) -> None:
        super().__init__()
        a, b, c, width = widths
        self.body = nn.Sequential(
            _conv(1, a, 2), _conv(a, b), _conv(b, c, 2), _Residual(c), _Residual(c), _conv(c, width, (2, 1)),
            _Wide(width), _Wide(width), _Wide(width),
        )  # fmt: skip
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
        steps = torch.cat(columns, 2).transpose(1, 2)
        mixed = self.norm(self.mixer(steps + self.places))
        whole = torch.cat((mixed.mean(1), seen.mean((2, 3))), 1)
        return self.chars(mixed), self.style(whole), self.rows(whole)[:, 0]

"""What the reader's normalizations have seen: the mean and the spread of each channel over the pictures of a training.

A network whose weights were made by other means than training (a mean of several) gives its layers other values than
any of the trainings did; measured anew, its normalizations fit again (Izmailov et al. 2018, "Averaging weights leads to
wider optima", arXiv:1803.05407, section 3.1).

May import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.train.reader_net import net_for
from tools.train.stream import BLOCK, ROW, Recipe, make_block, make_factory, unpack

__all__ = ["MEASURED", "pictures", "settled"]

MEASURED: Final = 1024
"""Pictures on which normalizations are measured, without another number."""
_BATCH: Final = 128


def pictures(recipe: Recipe, count: int) -> NDArray[np.uint8]:
    """``count`` samples of a training: (count, HEIGHT, WIDTH)."""
    factory = make_factory(recipe)
    rows = np.empty((count, ROW), np.uint8)
    for number, begin in enumerate(range(0, count, BLOCK)):
        make_block(factory, recipe, 0, number, rows[begin : begin + BLOCK])
    return unpack(rows)[0]


def settled(weights: Mapping[str, Tensor], seen: NDArray[np.uint8]) -> dict[str, Tensor]:
    """``weights`` of a reader with its normalizations measured on ``seen`` (N, HEIGHT, WIDTH), N at least 2.

    Raises RuntimeError where they are of no reader.
    """
    net = net_for(weights).train()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.reset_running_stats()
            part.momentum = None  # the plain mean over all batches
    with torch.no_grad():
        for batch in np.array_split(seen, max(1, len(seen) // _BATCH)):
            net(torch.tensor(batch[:, None].astype(np.float32)))
    return net.state_dict()

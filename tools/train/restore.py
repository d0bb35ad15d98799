"""Weights that a training can begin with, out of a reader as it ships: ``python -m tools.train.restore OUT``.

A reader's ONNX file holds each convolution with its normalization folded in. The normalization is put back by what the
convolution gives on the pictures of a training, so that the network says the same and learns as before. Thus who has
the package alone can train its reader further; ``tools.train.reader --init reader.onnx`` does the same at once.

May import torch, onnx. The folding: Jacob et al. 2018, arXiv:1712.05877, section 3.2.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.train.normalizations import MEASURED, pictures
from tools.train.reader_net import FULL, LARGE, LIGHT, ReaderNet, adopt
from tools.train.stream import Recipe

__all__ = ["main", "restore"]

SHIPPED: Final = Path("lpr/vision/models/reader.onnx")
_EPSILON: Final = 1e-5
"""Of PyTorch's normalization."""


def _folded(path: Path) -> tuple[dict[str, Tensor], list[tuple[Tensor, Tensor | None]]]:
    """(what keeps its name, weight and bias of each other convolution in the order in which they are used)."""
    tools = cast("Any", onnx)
    data = path.read_bytes()
    try:
        graph = tools.load_from_string(data).graph
    except Exception as error:  # whatever protobuf makes of it
        raise ValueError(f"{path}: cannot be read as ONNX: {error}") from None
    held = {part.name: torch.tensor(np.array(tools.numpy_helper.to_array(part))) for part in graph.initializer}
    heads = {name for name in held if name.startswith("net.") and not name.startswith("net.body.")}
    named = {name.removeprefix("net."): held[name] for name in heads}
    used = [list(node.input) for node in graph.node if node.op_type == "Conv"]
    of_body = [names for names in used if names[1] not in heads]
    # In an int8 file the weights are what another operator makes of numbers; then the shapes fit nothing.
    nothing = torch.zeros(0)
    return named, [(held.get(names[1], nothing), held.get(names[2]) if names[2:] else None) for names in of_body]


def _pairs(net: ReaderNet) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions of ``net``'s body in the order in which they are used, each with its normalization if any."""
    found: list[tuple[nn.Conv2d, nn.BatchNorm2d | None]] = []
    for part in net.body.modules():
        if isinstance(part, nn.Conv2d):
            found.append((part, None))
        elif isinstance(part, nn.BatchNorm2d):
            found[-1] = (found[-1][0], part)
    return found


def restore(path: Path, seen: NDArray[np.uint8]) -> dict[str, Tensor]:
    """The weights of the reader in ``path``, a file of ``tools.train.export_reader`` in float32.

    ``seen`` (N, HEIGHT, WIDTH): pictures on which the normalizations are measured. Raises OSError; ValueError for
    another network, or an int8 one.
    """
    named, folded = _folded(path)
    for shape in (FULL, LARGE, LIGHT):
        net = ReaderNet(shape).eval()
        pairs = _pairs(net)
        if [tuple(conv.weight.shape) for conv, _ in pairs] == [tuple(weight.shape) for weight, _ in folded]:
            break
    else:
        raise ValueError(
            f"{path}: no reader of tools.train.export_reader in float32; give one that was made without --int8"
        )
    own = net.state_dict()
    if {name: value.shape for name, value in named.items()} != {
        name: value.shape for name, value in own.items() if not name.startswith("body.")
    }:
        raise ValueError(f"{path}: its heads are not those of tools.train.reader_net")
    net.load_state_dict(own | named)
    with torch.no_grad():
        for (conv, norm), (weight, bias) in zip(pairs, folded, strict=True):
            conv.weight.copy_(weight)
            if norm is not None:
                # Scaled to what a fresh one has, for the step that a rate makes; the normalization undoes it.
                conv.weight /= _lengths(weight).reshape(-1, 1, 1, 1)
                _measure(net, conv, norm, weight, torch.zeros(len(weight)) if bias is None else bias, seen)
    return net.state_dict()


def _lengths(weight: Tensor) -> Tensor:
    """The length of what each channel that comes out weighs with; never 0."""
    return weight.flatten(1).square().sum(1).sqrt().clamp(min=1e-6)


def _measure(
    net: ReaderNet, conv: nn.Conv2d, norm: nn.BatchNorm2d, weight: Tensor, bias: Tensor, seen: NDArray[np.uint8]
) -> None:
    """Set ``norm`` so that behind ``conv`` it gives what ``weight`` and ``bias`` alone gave."""
    given: list[Tensor] = []
    hook = conv.register_forward_hook(lambda _conv, _inputs, out: given.append(cast("Tensor", out)))
    for part in np.array_split(seen, max(1, len(seen) // 64)):
        net(torch.tensor(part[:, None].astype(np.float32)))
    hook.remove()
    total = sum(len(out) * out[0, 0].numel() for out in given)
    mean = cast("Tensor", sum(out.sum((0, 2, 3)) for out in given)) / total
    spread = cast("Tensor", sum((out - mean[:, None, None]).square().sum((0, 2, 3)) for out in given)) / total
    assert norm.running_mean is not None and norm.running_var is not None
    scale = _lengths(weight)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(spread)
    norm.weight.copy_(scale * (spread + _EPSILON).sqrt())
    norm.bias.copy_(bias + scale * mean)


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="tools.train.restore", description="Weights to train a shipped reader further."
    )
    parser.add_argument("out", type=Path, help="the file to write, for example reader.pt")
    parser.add_argument("--model", type=Path, default=SHIPPED, help="reader.onnx; without it the one that ships")
    parser.add_argument("--count", type=int, default=MEASURED, help="pictures on which it is measured")
    parser.add_argument("--fonts", type=Path, help="folder of freely licensed fonts to mix in")
    parser.add_argument("--real", type=Path, help="file made by tools.train.gather")
    parser.add_argument("--large", action="store_true", help="grown to the larger shape, the same function")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(words)
    if given.count < 1:
        parser.error("--count has to be 1 or more")
    try:
        weights = restore(given.model, pictures(Recipe(given.seed, given.fonts, given.real), given.count))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if given.large:
        cast("Any", torch).manual_seed(given.seed)
        grown = ReaderNet(LARGE)
        adopt(grown, weights)
        weights = grown.state_dict()
    torch.save(weights, given.out)
    print(f"{given.out}: {sum(value.numel() for value in weights.values()):,} numbers of {given.model}")


if __name__ == "__main__":
    main()

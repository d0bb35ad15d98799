"""The mean of several trainings' weights: ``python -m tools.train.mean OUT FILE=WEIGHT FILE=WEIGHT …``.

Networks that began from the same weights lie so near each other that a mean of them often reads better than each
(Wortsman et al. 2022, "Model soups", arXiv:2203.05482). A file is what a training wrote: averaged weights
(``reader.pt``), or a checkpoint, of which its averaged weights count. The weights have to add up to 1.
``--measure``: a reader's normalizations are then measured anew (``tools.train.normalizations``): distant trainings need
it.

May import torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from tools.train.normalizations import pictures, settled
from tools.train.stream import Recipe

__all__ = ["main", "mean", "weights_of"]


def weights_of(path: Path) -> dict[str, Tensor]:
    """The averaged weights in ``path``. Raises OSError, ValueError for a file that holds none."""
    held = cast("dict[str, Any]", torch.load(path, map_location="cpu", weights_only=True))
    found = held.get("average", held.get("shadow", held))
    if not isinstance(found, dict) or not all(
        isinstance(value, Tensor) for value in cast("dict[str, Any]", found).values()
    ):
        raise ValueError(f"{path}: no weights in it; give what a training wrote, reader.pt, checkpoint.pt or last.pt")
    return cast("dict[str, Tensor]", found)


def mean(parts: Sequence[tuple[Mapping[str, Tensor], float]]) -> dict[str, Tensor]:
    """The weighted mean of ``parts``; what is no floating point number is the first part's.

    Raises ValueError when the weights do not add up to 1 or the networks differ.
    """
    if not parts or abs(sum(weight for _, weight in parts) - 1.0) > 1e-6:
        raise ValueError("the weights have to add up to 1")
    first = parts[0][0]
    for other, _ in parts[1:]:
        if {name: value.shape for name, value in other.items()} != {name: value.shape for name, value in first.items()}:
            raise ValueError("the files hold different networks; only weights of one network have a mean")
    out: dict[str, Tensor] = {}
    for name, value in first.items():
        if value.is_floating_point():
            total = sum((part[name].double() * weight for part, weight in parts), torch.zeros_like(value.double()))
            out[name] = total.to(value.dtype)
        else:
            out[name] = value.clone()
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the mean of several trainings' weights.")
    parser.add_argument("out", type=Path, help="the file to write, for example reader.pt")
    parser.add_argument("parts", nargs="+", metavar="FILE=WEIGHT", help="weights and their share, which add up to 1")
    parser.add_argument("--measure", type=int, default=0, metavar="N", help="a reader: normalize by N pictures")
    parser.add_argument("--fonts", type=Path, help="folder of freely licensed fonts to mix into these")
    parser.add_argument("--real", type=Path, help="file made by tools.train.gather, to mix into these")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.measure < 0 or given.measure == 1:
        parser.error("--measure takes 2 pictures or more")
    try:
        split = [str(part).rpartition("=") for part in given.parts]
        result = mean([(weights_of(Path(name)), float(weight)) for name, _, weight in split])
        if given.measure:
            result = settled(result, pictures(Recipe(given.seed, given.fonts, given.real), given.measure))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    except RuntimeError:
        parser.error("--measure: these are no weights of a reader")
    torch.save(result, given.out)
    print(f"{given.out}: mean of {len(split)}")


if __name__ == "__main__":
    main()

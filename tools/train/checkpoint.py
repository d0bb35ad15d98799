"""A training's state on the disk, so that one that was ended goes on.

Needs PyTorch; may import nothing of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

__all__ = ["device", "keep", "resumed"]


def device() -> torch.device:
    """The GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def keep(path: Path, net: nn.Module, shadow: nn.Module, optimiser: Any, step: int, spent: float) -> None:
    """Write ``path`` in one go: weights, their average ``shadow``, the optimiser's state, ``step`` batches and
    ``spent`` seconds behind it."""
    new = path.with_suffix(".new")
    state = {"net": net.state_dict(), "shadow": shadow.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({**state, "step": step, "spent": spent}, new)
    new.replace(path)


def resumed(path: Path, net: nn.Module, shadow: nn.Module, optimiser: Any) -> tuple[int, float]:
    """(batches, seconds) that lie behind the checkpoint ``path``, whose state is taken over; zeros without one."""
    if not path.exists():
        return 0, 0.0
    kept = cast("dict[str, Any]", torch.load(path, map_location=device(), weights_only=True))
    net.load_state_dict(kept["net"])
    shadow.load_state_dict(kept["shadow"])
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["step"]), float(kept["spent"])

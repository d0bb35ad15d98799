"""Looking for plates at two scales: the whole picture small, and again larger.

The larger look finds plates too small for the first one; what both find is one plate, and the surer look's corners are
kept. (A network of a fixed size gets the picture in parts instead: ``tiles`` of ``lpr.vision.detect``.)

Pure but for the detectors that it is given. May import ``lpr.vision.detect`` and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lpr.vision.detect import Detection, suppress

__all__ = ["Finder", "TwoScales", "unique"]

SAME: Final = 0.3
"""Overlap (IoU) from which two detections of different looks are one plate."""


class Finder(Protocol):
    """Finds plates; ``lpr.vision.detect.PlateDetector`` is one."""

    @property
    def name(self) -> str: ...
    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]: ...


@dataclass(frozen=True)
class TwoScales:
    """``near``: the usual look. ``far``: the one for small plates."""

    near: Finder
    far: Finder

    @property
    def name(self) -> str:
        """The models' name, for the log."""
        return self.near.name

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Plates on ``image`` ((H, W, 3) BGR uint8) by both looks, best first, in its pixels. Raises ModelError."""
        return unique([*self.near.detect(image), *self.far.detect(image)])


def unique(found: Sequence[Detection]) -> list[Detection]:
    """``found`` with each plate once, the surest detection of it, best first."""
    if not found:
        return []
    boxes = np.array([one.box for one in found], np.float32)
    scores = np.array([one.score for one in found], np.float32)
    return [found[int(group[0])] for group in suppress(boxes, scores, SAME, len(found))]

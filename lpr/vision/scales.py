"""Looking for plates at several scales: the whole picture small, and again larger.

A larger look finds plates too small for the one before; what two looks find is one plate, and the smaller look's
corners are kept, since there the plate is as large as those that the network has learned most from. (A network of a
fixed size gets the picture in parts instead: ``tiles`` of ``lpr.vision.detect``.)

Pure but for the detectors that it is given. May import ``lpr.vision.detect`` and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lpr.vision.detect import Detection, suppress

__all__ = ["Finder", "Scales", "first_seen"]

SAME: Final = 0.3
"""Overlap (IoU) from which two detections of different looks are one plate."""


class Finder(Protocol):
    """Finds plates; ``lpr.vision.detect.PlateDetector`` is one."""

    @property
    def name(self) -> str: ...
    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]: ...


@dataclass(frozen=True)
class Scales:
    """``looks``: at least one, the smallest picture first. ``sure``: a score under this gives way to one over it."""

    looks: tuple[Finder, ...]
    sure: float = 0.0

    @property
    def name(self) -> str:
        """The models' name, for the log."""
        return self.looks[0].name

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Plates on ``image`` ((H, W, 3) BGR uint8) by all looks, best first, in its pixels. Raises ModelError."""
        return first_seen([look.detect(image) for look in self.looks], self.sure)


def first_seen(looks: Sequence[Sequence[Detection]], sure: float = 0.0) -> list[Detection]:
    """Each plate once, as the first of ``looks`` that has it with a score of ``sure`` shows it, or else the one with
    the best score; best first."""
    found = [one for look in looks for one in look]
    found.sort(key=lambda one: -one.score if one.score < sure else -1.0)
    if not found:
        return []
    boxes = np.array([one.box for one in found], np.float32)
    order = np.arange(len(found), 0, -1, dtype=np.float32)
    kept = [found[int(group[0])] for group in suppress(boxes, order, SAME, len(found))]
    return sorted(kept, key=lambda one: -one.score)

"""One clearer patch of a far plate from several exposures of it: super-resolution by stacking frames.

Each exposure of a plate a few pixels high shows its strokes sampled in other places and under other noise. Their
patches (``lpr.vision.rectify``), which the corners align but for a pixel or two, are aligned to the surest one's by an
affine transform (enhanced correlation coefficient, Evangelidis and Psarakis 2008), brought to one contrast and
averaged. docs/models.md says what it gains.

Pure. May import ``lpr.events`` (Corners), ``lpr.plates.boxes``, ``rectify`` beside it, numpy and cv2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.plates.boxes import around, overlap
from lpr.vision.rectify import to_gray

__all__ = ["same_plates", "stacked"]

_SAME: Final = 0.3
"""Overlap (IoU) from which plates of two exposures are one: between exposures a vehicle moves by a part of it."""
_ALIKE: Final = 0.6
"""Correlation from which an aligned patch shows the same as the first."""
_SOFT: Final = 1.0
"""Sigma in pixels of the blur under which patches are aligned, lest their noise is."""
_STEPS: Final = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 1e-4)
_WINDOW: Final = 5
_find: Any = cv2.findTransformECC  # its stub knows no call without a mask

Floats = NDArray[np.float32]


def same_plates(plates: Sequence[tuple[int, Corners]]) -> list[list[int]]:
    """Groups of places in ``plates`` ((number of the picture, corners in pixels)) that show one plate in two or more
    pictures of the same size: at most one of each picture, in their order. Each belongs to one group at most."""
    groups: list[list[int]] = []
    boxes = [around(corners) for _, corners in plates]
    for i, (picture, _) in enumerate(plates):
        shares = [
            max(overlap(boxes[i], boxes[other]) for other in group) if plates[group[-1]][0] != picture else 0.0
            for group in groups
        ]
        best = max(range(len(groups)), key=lambda at: shares[at], default=None)
        if best is None or shares[best] < _SAME:
            groups.append([i])
        else:
            groups[best].append(i)
    return [group for group in groups if len(group) > 1]


def stacked(patches: Sequence[NDArray[np.uint8]], lead: int) -> NDArray[np.uint8] | None:
    """The mean of ``patches`` (of one size, (h, w) gray or (h, w, 3) BGR uint8) aligned to the one at ``lead``, as
    (h, w) gray uint8 in that one's contrast; None where no other shows the same."""
    gray = [to_gray(patch).astype(np.float32) for patch in patches]
    level, spread = float(gray[lead].mean()), float(gray[lead].std())
    first = _even(gray[lead])
    total, count = first.copy(), 1
    soft = _softened(first)
    for number, patch in enumerate(gray):
        if number == lead:
            continue
        own = _even(patch)
        matrix = _aligned(soft, _softened(own))
        if matrix is None:
            continue
        total += cv2.warpAffine(
            own,
            matrix,
            (own.shape[1], own.shape[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        count += 1
    if count == 1:
        return None
    return np.asarray(np.clip(np.rint(_even(total) * spread + level), 0, 255), np.uint8)


def _aligned(first: Floats, other: Floats) -> NDArray[np.float32] | None:
    """The affine transform [2, 3] from pixels of ``first`` to those of ``other``; None where they are not alike."""
    matrix = np.eye(2, 3, dtype=np.float32)
    try:
        likeness, found = _find(first, other, matrix, cv2.MOTION_AFFINE, _STEPS, None, _WINDOW)
    except cv2.error:  # so little alike that it does not converge
        return None
    return np.asarray(found, np.float32) if likeness >= _ALIKE else None


def _softened(patch: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(patch, (0, 0), _SOFT), np.float32)


def _even(patch: Floats) -> Floats:
    """Of mean 0 and deviation 1, since exposures differ in light."""
    return np.asarray((patch - patch.mean()) / max(float(patch.std()), 1e-3), np.float32)

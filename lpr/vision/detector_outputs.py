"""What the three kinds of detector networks give, as boxes and scores in pixels of their input.

"plate-map" is the one that comes with the package (``models/detector.md``): at a stride of a few pixels each cell
holds the logit of a score, the logarithms of the distances in strides to the four sides of a box (left, top, right,
bottom), and for each corner of the plate its offset from that corner of the box in fractions of the box. "rows" are
end-to-end detectors as YOLO exports give them: one row a detection, whose columns the manifest names. "raw" are YOLO
exports without suppression, (1, 4 + classes, cells): middle, width and height of a box and a score a class.

Pure. May import ``lpr.vision.detector_manifest`` and ``manifest`` (ModelError), numpy.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lpr.vision.detector_manifest import DetectorManifest
from lpr.vision.manifest import ModelError

__all__ = ["MAP_CHANNELS", "NEARLY", "Floats", "from_map", "from_raw", "from_rows", "logit", "lowered"]

MAP_CHANNELS: Final = 13
"""Numbers a cell of a plate map: score, four sides, four corners of two coordinates."""

_LOG_RANGE: Final = (-3.0, 5.0)
_MOST_CANDIDATES: Final = 400
_OF_BOX: Final = ((0, 1), (2, 1), (2, 3), (0, 3))
"""x and y of the corners of a box (x1, y1, x2, y2), clockwise from the top left: their places in it."""

Floats = NDArray[np.float32]


NEARLY: Final = 1.0
"""By how much the logit of a score may lie under the least one for a cell to have a say in where a plate lies."""


def logit(score: float) -> float:
    """The logit of a score, which is kept from 0 and 1 by a ten-thousandth."""
    return math.log(max(score, 1e-4) / max(1.0 - score, 1e-4))


def lowered(score: float, by: float) -> float:
    """The score whose logit lies ``by`` under that of ``score``; 0 stays 0."""
    return 1.0 / (1.0 + math.exp(by - logit(score))) if score > 0 else 0.0


def from_map(raw: Floats, manifest: DetectorManifest, least: float, path: Path) -> tuple[Floats, Floats, Floats]:
    """Boxes, scores and corners (n, 4, 2) of a plate map (1, MAP_CHANNELS, rows, columns), in pixels of the input.

    ``least``: score from which a cell counts. ``path``: the manifest's, for the error. Raises ModelError."""
    if raw.ndim != 4 or raw.shape[0] != 1 or raw.shape[1] != MAP_CHANNELS:
        raise ModelError(f"{path}: a plate map has shape (1, {MAP_CHANNELS}, rows, columns), not {raw.shape}")
    table = raw.reshape(MAP_CHANNELS, -1)
    # Neighbours of a peak that are nearly as sure take part in placing its corners.
    at = np.flatnonzero(table[0] > logit(least) - NEARLY)
    if len(at) > _MOST_CANDIDATES:
        at = at[np.argsort(-table[0, at], kind="stable")[:_MOST_CANDIDATES]]
    cells = table[:, at]
    scores = 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(cells[0], -30), 30)))
    if not (scores >= least).any():
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 4, 2), np.float32)
    # All arrays have their cells last: x and y of each cell, then of the two ends of its box, then of the corners.
    sides = np.exp(np.minimum(np.maximum(cells[1:5], _LOG_RANGE[0]), _LOG_RANGE[1])) * manifest.stride
    rows, columns = np.divmod(at, raw.shape[3])
    middles = (np.array([columns, rows]) + 0.5) * manifest.stride
    low, high = middles - sides[:2], middles + sides[2:]
    boxes = np.concatenate([low, high])
    corners = boxes[np.array(_OF_BOX)] + cells[5:].reshape(4, 2, -1) * (high - low)
    kept = _kept(low, high, scores >= least)
    return (
        np.ascontiguousarray(boxes[:, kept].T, np.float32),
        scores[kept],
        np.ascontiguousarray(corners[:, :, kept].transpose(2, 0, 1), np.float32),
    )


def from_rows(raw: Floats, manifest: DetectorManifest, least: float, path: Path) -> tuple[Floats, Floats]:
    """Boxes and scores of end-to-end output, one row a detection, as the manifest's columns say. Raises ModelError."""
    columns = manifest.columns
    table = raw.reshape(-1, raw.shape[-1]) if raw.ndim else raw.reshape(0, 0)
    if raw.ndim < 2 or raw.shape[-1] != len(columns):
        raise ModelError(
            f"{path}: output {manifest.output!r} has shape {raw.shape}; the manifest names "
            f"{len(columns)} columns: {', '.join(columns)}"
        )
    where = {name: table[:, i] for i, name in enumerate(columns)}
    keep = np.isfinite(table).all(1) & (where["score"] >= least)
    if manifest.plate_class is not None and "class" in where:
        keep &= np.round(where["class"]) == manifest.plate_class
    boxes = np.stack([where["x1"], where["y1"], where["x2"], where["y2"]], 1)
    keep &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return boxes[keep].astype(np.float32), np.clip(where["score"][keep], 0, 1).astype(np.float32)


def from_raw(raw: Floats, manifest: DetectorManifest, least: float, path: Path) -> tuple[Floats, Floats]:
    """Boxes and scores of a YOLO export without suppression, (1, 4 + classes, cells). Raises ModelError."""
    if raw.ndim != 3 or raw.shape[0] != 1 or raw.shape[1] < 5:
        raise ModelError(
            f"{path}: output {manifest.output!r} has shape {raw.shape}; a raw detector's is (1, 4 + classes, "
            "cells); use decoding rows for one that suppresses by itself"
        )
    classes = raw.shape[1] - 4
    if manifest.plate_class is not None and not 0 <= manifest.plate_class < classes:
        raise ModelError(f"{path}: plate_class is {manifest.plate_class}; the model has {classes} classes")
    shares = raw[0, 4:] if manifest.plate_class is None else raw[0, 4 + manifest.plate_class][None]
    scores = shares.max(0)
    use = np.flatnonzero((scores >= least) & np.isfinite(raw[0]).all(0) & (raw[0, 2:4] > 0).all(0))
    if len(use) > _MOST_CANDIDATES:
        use = use[np.argsort(-scores[use], kind="stable")[:_MOST_CANDIDATES]]
    middle, half = raw[0, :2, use], raw[0, 2:4, use] / 2
    boxes = np.concatenate([middle - half, middle + half], 1)
    return boxes.astype(np.float32), np.clip(scores[use], 0, 1).astype(np.float32)


def _kept(low: NDArray[Any], high: NDArray[Any], sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which boxes, from ``low`` (2, n) to ``high``, count: the ``sure`` ones, and others whose centre lies in a sure
    one's box."""
    centres = ((low + high) / 2)[:, None]
    inside = (centres > low[:, sure, None]) & (centres < high[:, sure, None])
    return sure | (inside[0] & inside[1]).any(0)

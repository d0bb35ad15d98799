"""Find plates in a picture: score, box and four corners of each, by one ONNX network that a manifest describes.

Three kinds of network fit (``lpr.vision.detector_outputs``); where one gives boxes alone, the corners are theirs.

Where the manifest names a network for it, each plate is looked at again from near (``lpr.vision.corners``), which
places its corners and has a say in its score.

May import ``lpr.vision.corners``, ``detector_manifest``, ``detector_outputs``, ``letterbox``, ``manifest`` and
``rectify``, ``lpr.events`` (Box, Corners), numpy, msgspec.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box, Corners
from lpr.vision.corners import CornerFinder
from lpr.vision.detector_manifest import DETECTOR, DetectorManifest
from lpr.vision.detector_outputs import NEARLY, Floats, from_map, from_raw, from_rows, logit, lowered
from lpr.vision.letterbox import (
    GREY,
    Fit,
    Part,
    fit,
    in_a_frame,
    letterbox,
    like_a_plate,
    parts,
    placed,
    shrunk,
)
from lpr.vision.manifest import ModelError, check_input, load_manifest, model_file, open_session, prepare
from lpr.vision.rectify import corners_of_box

__all__ = ["DETECTOR", "Detection", "DetectorManifest", "Fit", "PlateDetector", "fit", "letterbox", "parts", "suppress"]

_DOUBT: Final = 0.45
"""By how much the logit of a score may lie under the threshold for a second look."""
_MOST_LOOKS: Final = 16
_MOST_DOUBTS: Final = 2
"""Second looks at detections over and under the threshold, of one picture."""
_QUICK_DOUBT: Final = 0.6
_QUICK_DOUBTS: Final = 2
"""The same two for a quick look at a smaller picture (``docs/models.md`` has what was tried)."""
_MOST_DIM: Final = 3
"""Second looks at detections of a picture on which none is over the threshold, where dim ones are wanted, too."""
_FAR: Final = 0.25
"""A second look that moves the corners farther (in plate heights) is worth a third."""

_CLOSE: Final = 192
"""Longest side of the input for plates that fill the picture."""
_WIDE: Final = 0.3
"""Share of the picture's width from which a plate may be a piece of a larger one."""
_RIM: Final = 2
"""Pixels: what comes so near to a tile's rim is cut by it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One plate. ``score``: 0 to 1. ``box`` and ``corners``: pixels of the picture it was found in."""

    score: float
    box: Box
    corners: Corners


def suppress(boxes: Floats, scores: Floats, overlap: float, most: int) -> list[NDArray[np.intp]]:
    """Greedy non-maximum suppression: groups of rows, best group first, each led by its best row.

    ``boxes``: (n, 4); ``scores``: (n,). A row joins the first group whose leader it overlaps by an IoU over
    ``overlap``, or in which one box lies nearly whole in the other.
    """
    return list(islice(_groups(boxes, scores, overlap), most))


def _groups(boxes: Floats, scores: Floats, overlap: float) -> Iterator[NDArray[np.intp]]:
    """The groups of ``suppress`` one by one, since who needs few of many doesn't want to wait for the others."""
    order = np.argsort(-scores, kind="stable")
    x1, y1, x2, y2 = (side[order] for side in boxes.T)
    areas = np.maximum((x2 - x1) * (y2 - y1), 1e-6)
    left = np.arange(len(order))
    while len(left) > 1:
        lead, own = left[0], areas[left]
        wide = np.minimum(x2[left], x2[lead]) - np.maximum(x1[left], x1[lead])
        high = np.minimum(y2[left], y2[lead]) - np.maximum(y1[left], y1[lead])
        inter = np.maximum(wide, 0) * np.maximum(high, 0)
        # IoU over ``overlap``, or most of the smaller box in the other; both without dividing.
        same = (inter > overlap * (own + areas[lead] - inter)) | (inter > 0.8 * np.minimum(own, areas[lead]))
        same[0] = True
        yield order[left[same]]
        left = left[~same]
    if len(left):
        yield order[left]


class PlateDetector:
    """A detector network with its decoding. Not safe for two threads at once; cheap to make twice."""

    def __init__(
        self,
        manifest_path: Path | None = None,
        threads: int = 1,
        *,
        size: int | None = None,
        tiles: int = 1,
        min_score: float | None = None,
        dim: float = 0.0,
        overlap: float = 0.4,
        most: int = 50,
    ) -> None:
        """``manifest_path``: None for the detector of the package. ``size``: longest side of the input in pixels, for
        networks of free size (larger finds farther plates and costs its square). ``tiles``: for panoramic pictures,
        so many rows and columns of overlapping parts are searched besides the whole. ``min_score``: None for the
        manifest's. ``dim``: by how much the logit of a score may lie under that threshold for a detection to be given
        all the same, for who has other reasons to believe in it. ``overlap``: IoU from which two detections are one.
        ``most``: detections a picture at most. Raises ModelError.
        """
        self.path = manifest_path if manifest_path is not None else DETECTOR
        self.manifest = manifest = load_manifest(self.path, DetectorManifest)
        manifest.check(self.path)
        if size is not None and manifest.multiple == 0 and size != max(manifest.input.width, manifest.input.height):
            raise ModelError(
                f"{self.path}: the model takes {manifest.input.width} x {manifest.input.height} pixels only; "
                f"leave out detector_size = {size}"
            )
        self.size = size or max(manifest.input.width, manifest.input.height)
        self.min_score = manifest.min_score if min_score is None else min_score
        self.least_score = lowered(self.min_score, dim)
        self.overlap, self.most, self.tiles = overlap, most, tiles
        self._closer = None if manifest.closer is None else CornerFinder(self.path.parent / manifest.closer, threads)
        self._looked_from, self._doubts, self._followed = self._looked_at(_DOUBT), _MOST_DOUBTS, False
        self._session = open_session(
            self.path.parent / manifest.file, model_file(self.path, manifest.file, manifest.sha256), threads
        )
        check_input(self.path, self._session, manifest.input)
        names = [value.name for value in self._session.get_outputs()]
        if manifest.output not in names:
            raise ModelError(f"{self.path}: the model has no output {manifest.output!r}; it has {', '.join(names)}")
        self._run(np.full((64, 64, 3), GREY, np.uint8), self.size)

    @property
    def name(self) -> str:
        """The model's name, for the log."""
        return self.manifest.name

    def scaled(self, scale: float, *, quick: bool = False) -> PlateDetector:
        """The same network with an input of ``scale`` times the size; for networks of free size. It shares what this
        one holds, so both belong to one thread.

        ``quick``: for a look that another follows when it finds nothing. More that is under the threshold is looked
        at from near, since a smaller picture gives lower scores; plates that fill the picture are left to the other.
        """
        other = copy.copy(self)
        other.size = round(self.size * scale)
        if quick:
            other._looked_from, other._doubts, other._followed = self._looked_at(_QUICK_DOUBT), _QUICK_DOUBTS, True
            other.least_score = self.min_score
        return other

    def _looked_at(self, doubt: float) -> float:
        """The score from which a detection is looked at: ``doubt`` under the threshold if there is a look from near."""
        return lowered(self.min_score, doubt if self._closer is not None else 0.0)

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Plates on ``image`` ((H, W, 3) BGR uint8), best first, in its pixels, down to ``least_score``: those under
        ``min_score`` come last and need not be plates. Raises ModelError."""
        found = self._searched(image)
        height, width = image.shape[:2]
        if self._sure(found) or not like_a_plate(width, height):
            return found
        # Perhaps the picture is a plate, cut out without anything round it: seen in a frame it is one like others.
        around, edge = in_a_frame(image)
        moved = [_moved(one, -edge, width, height) for one in self._searched(around)]
        framed = [one for one in moved if min(one.box[2] - one.box[0], one.box[3] - one.box[1]) >= 1.0]
        return self._apart([*framed, *found])

    def _sure(self, found: Sequence[Detection]) -> list[Detection]:
        """Those over the threshold."""
        return [one for one in found if one.score >= self.min_score]

    def _searched(self, image: NDArray[np.uint8]) -> list[Detection]:
        height, width = image.shape[:2]
        dim = self.least_score < self.min_score
        seen = [self._seen(image, part, self.size) for part in parts(width, height, self.tiles)]
        found = self._joined(image, seen, dim)
        sure = self._sure(found)
        widest = max((one.box[2] - one.box[0] for one in sure), default=width)
        if self.manifest.multiple == 0 or self.size < 2 * _CLOSE or widest < _WIDE * width:
            return found
        if self._followed and not sure:
            return found
        # Nothing, or pieces of a plate that fills the picture: seen much smaller, such a plate is one like others.
        step = max(max(width, height) // (2 * _CLOSE), 1)
        small = np.ascontiguousarray(image[::step, ::step])
        boxes, scores, corners = self._seen(small, (0, 0, small.shape[1], small.shape[0]), _CLOSE)
        near = self._joined(image, [(boxes * step, scores, corners * step)])
        return self._apart([*near, *found])

    def _joined(
        self, image: NDArray[np.uint8], seen: Sequence[tuple[Floats, Floats, Floats]], dim: bool = False
    ) -> list[Detection]:
        """The plates among boxes, scores and corners of parts of ``image``, in its pixels, looked at from near.
        ``dim``: where none is over the threshold, those far under it, too."""
        height, width = image.shape[:2]
        boxes, scores, corners = (
            seen[0] if len(seen) == 1 else (np.concatenate([one[i] for one in seen]) for i in range(3))
        )
        found: list[Detection] = []
        for group in islice(_groups(boxes, scores, self.overlap), self.most):
            score = float(scores[group[0]])
            if self._closer is not None and not self._worth_a_look(score, found, dim):
                break
            box = _within(boxes[group[0]].tolist(), width, height)
            if min(box[2] - box[0], box[3] - box[1]) < 1.0:
                continue
            if score >= self._looked_from:
                # What is far dimmer has no say in where this one lies.
                group = group[scores[group] > lowered(self._looked_from, NEARLY)]
            found.append(Detection(score, box, _corners(_agreed(group, boxes, scores, corners))))
        return found if self._closer is None else self._apart(self._looked_again(self._closer, image, found))

    def _worth_a_look(self, score: float, found: Sequence[Detection], dim: bool) -> bool:
        """Whether a detection of this score is looked at from near beside ``found``, which are surer."""
        if score >= self.min_score:
            return len(found) < _MOST_LOOKS
        sure = len(self._sure(found))
        if dim and not sure:
            return len(found) < _MOST_DIM
        return score >= self._looked_from and len(found) < min(sure + self._doubts, _MOST_LOOKS)

    def _apart(self, found: Sequence[Detection]) -> list[Detection]:
        """``found`` without those that are the same plate as a better one, best first."""
        if len(found) <= 1:
            return list(found)
        boxes = np.array([one.box for one in found], np.float32).reshape(-1, 4)
        scores = np.array([one.score for one in found], np.float32)
        return [found[int(group[0])] for group in suppress(boxes, scores, self.overlap, self.most)]

    def _seen(self, image: NDArray[np.uint8], part: Part, longest: int) -> tuple[Floats, Floats, Floats]:
        """Boxes, scores and corners of what is found in a part of ``image``, in pixels of the whole; what is cut by the
        part's rim inside the picture is left to the part that has it whole. ``longest``: side of the input."""
        x1, y1, x2, y2 = part
        height, width = image.shape[:2]
        place, boxes, scores, corners = self._run(image[y1:y2, x1:x2], longest)
        left, top = x1 - place.left / place.scale, y1 - place.top / place.scale
        boxes = boxes / place.scale + np.array([left, top, left, top], np.float32)
        corners = corners / place.scale + np.array([left, top], np.float32)
        if part == (0, 0, width, height):
            return boxes, scores, corners
        low, high = np.array([x1, y1]) + _RIM * (np.array([x1, y1]) > 0), np.array([x2, y2])
        high = high - _RIM * (high < [width, height])
        whole = ((boxes[:, :2] >= low) | (low == 0)).all(1) & ((boxes[:, 2:] <= high) | (high == [width, height])).all(
            1
        )
        return boxes[whole], scores[whole], corners[whole]

    def _looked_again(
        self, closer: CornerFinder, image: NDArray[np.uint8], found: Sequence[Detection]
    ) -> list[Detection]:
        """``found``, seen from near: corners and scores anew, those under ``least_score`` left out."""
        if not found:
            return []
        height, width = image.shape[:2]
        weight, bias = closer.manifest.weight, closer.manifest.bias
        quads, logits = closer.look(image, [one.corners for one in found])
        again: list[tuple[float, Floats]] = []
        far: list[int] = []
        doubtful = len(self._sure(found)) + self._doubts
        for number, (one, quad, seen) in enumerate(zip(found, quads, logits.tolist(), strict=True)):
            score = 1.0 / (1.0 + math.exp(-(logit(one.score) + weight * min(max(seen, -8.0), 8.0) + bias)))
            if one.score < self._looked_from or number >= doubtful:
                # Too dim to be a plate for what is seen from near alone.
                score = min(score, math.nextafter(self.min_score, 0.0))
            if score >= self.least_score:
                if _moved_by(one.corners, quad) > _FAR:
                    far.append(len(again))
                again.append((score, quad))
        if far:
            third, _ = closer.look(image, [_corners(again[i][1]) for i in far])
            for i, quad in zip(far, third, strict=True):
                again[i] = (again[i][0], quad)
        kept: list[Detection] = []
        for score, quad in again:
            corners = quad.tolist()
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            box = _within((min(xs), min(ys), max(xs), max(ys)), width, height)
            if min(box[2] - box[0], box[3] - box[1]) >= 1.0:
                kept.append(Detection(score, box, _corners(quad)))
        return kept

    def _run(self, image: NDArray[np.uint8], longest: int) -> tuple[Fit, Floats, Floats, Floats]:
        manifest, spec = self.manifest, self.manifest.input
        height, width = image.shape[:2]
        if manifest.fit == "stretch":
            place = Fit(spec.width, spec.height, 1.0, 0, 0)
            picture = shrunk(image, (spec.width, spec.height))
        else:
            free = manifest.multiple > 0
            place = (
                fit(width, height, longest, manifest.multiple)
                if free
                else placed(width, height, spec.width, spec.height, 8.0)
            )
            picture = letterbox(image, place)
        spec = msgspec.structs.replace(spec, width=place.width, height=place.height)
        batch = prepare([picture], spec)
        try:
            raw = np.asarray(self._session.run([manifest.output], {spec.name: batch})[0], np.float32)
        except Exception as error:  # onnxruntime raises bare classes of its own
            reason = str(error).splitlines()[0][:200]
            raise ModelError(f"{self.path}: the model cannot run on {batch.shape}: {reason}") from error
        least = min(self.least_score, self._looked_from)
        if manifest.decoding == "plate-map":
            return place, *from_map(raw, manifest, least, self.path)
        decoded = from_rows if manifest.decoding == "rows" else from_raw
        boxes, scores = decoded(raw, manifest, least, self.path)
        if manifest.coordinates == "fractions":
            boxes = boxes * np.array([place.width, place.height] * 2, np.float32)
        if manifest.fit == "stretch":
            boxes = boxes * np.array([width / place.width, height / place.height] * 2, np.float32)
        return place, boxes, scores, boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def _moved(one: Detection, by: int, width: int, height: int) -> Detection:
    """``one`` moved right and down by ``by`` pixels, its box cut off at the edges of a picture of that size."""
    x1, y1, x2, y2 = one.box
    box = (max(x1 + by, 0.0), max(y1 + by, 0.0), min(x2 + by, float(width)), min(y2 + by, float(height)))
    a, b, c, d = ((x + by, y + by) for x, y in one.corners)
    return Detection(one.score, box, (a, b, c, d))


def _moved_by(before: Corners, after: Floats) -> float:
    """How far the corners of a plate lie from where they were, on average, in heights of the plate (its left side)."""
    height = max(math.dist(before[3], before[0]), 1.0)
    return sum(math.dist(a, b) for a, b in zip(before, after.tolist(), strict=True)) / 4 / height


def _agreed(group: NDArray[np.intp], boxes: Floats, scores: Floats, corners: Floats) -> Floats:
    """Corners of a group: the mean of its leader's and those nearly in the same place, weighted by score squared."""
    if len(group) == 1:
        return corners[group[0]]
    lead = boxes[group[0]]
    span = np.maximum(lead[2:] - lead[:2], 1.0)
    off = np.abs(boxes[group] - lead).reshape(-1, 2, 2) / span
    close = group[off.max((1, 2)) < 0.12]
    weight = (scores[close] ** 2)[:, None, None]
    return np.asarray((corners[close] * weight).sum(0) / weight.sum(0), np.float32)


def _within(box: Sequence[float], width: int, height: int) -> Box:
    """``box`` cut off at the edges of a picture of that size."""
    x1, x2 = (min(max(x, 0.0), float(width)) for x in box[::2])
    y1, y2 = (min(max(y, 0.0), float(height)) for y in box[1::2])
    return (x1, y1, x2, y2)


def _corners(quad: NDArray[Any]) -> Corners:
    """Corners as they go round a plate; where a network crossed them, those of the box round them."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.tolist()
    points: Corners = ((ax, ay), (bx, by), (cx, cy), (dx, dy))
    for i in range(4):
        (px, py), (qx, qy), (rx, ry) = points[i], points[(i + 1) % 4], points[(i + 2) % 4]
        if (qx - px) * (ry - qy) - (qy - py) * (rx - qx) <= 0:
            return corners_of_box((min(ax, bx, cx, dx), min(ay, by, cy, dy), max(ax, bx, cx, dx), max(ay, by, cy, dy)))
    return points

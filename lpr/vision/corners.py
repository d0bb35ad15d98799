"""A second, closer look at a plate that a detector has found: exact corners, and whether it is a plate at all.

A detector sees the whole picture reduced, where a far plate is a few cells wide. This network sees the plate alone, cut
from the picture at full size and turned level, and says where its four corners lie. It costs a fraction of a
millisecond a plate. Training: ``tools/train/corners.py``; figures: ``models/corners.md``.

May import ``lpr.vision.manifest`` and ``rectify``, ``lpr.events`` (Corners), numpy, cv2, msgspec.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.vision.manifest import InputSpec, ModelError, check_input, load_manifest, model_file, open_session, prepare

__all__ = ["CORNERS", "CornerFinder", "CornersManifest", "cut", "to_patch"]

CORNERS: Final = Path(__file__).parent / "models" / "corners.json"
"""The network that comes with the package."""

_MOST_FINER: Final = 4

Floats = NDArray[np.float32]
Array = NDArray[np.float64]


class CornersManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network for the closer look.

    ``corners``: its output (batch, 8): x and y of top left, top right, bottom right, bottom left in fractions of the
    patch. ``score``: its output (batch, 1): the logit of there being a plate. ``reach``: width of the patch in widths
    of the plate. ``tall``: a plate higher than 1 / ``tall`` of its width counts as ``tall`` times its height wide.
    ``weight`` and ``bias``: what a logit adds to the detector's one: ``weight * logit + bias``.
    """

    kind: Literal["corners"]
    name: str
    file: str
    sha256: str
    input: InputSpec
    corners: str
    score: str
    reach: float
    tall: float
    weight: float = 0.0
    bias: float = 0.0
    licence: str = ""
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values out of range."""
        if not (8 <= self.input.width <= 512 and 8 <= self.input.height <= 512):
            raise ModelError(f"{path}: input size {self.input.width} x {self.input.height} is outside 8..512")
        if not 1.0 <= self.reach <= 8.0:
            raise ModelError(f"{path}: reach is {self.reach}; allowed are 1 to 8")
        if not 0.5 <= self.tall <= 8.0:
            raise ModelError(f"{path}: tall is {self.tall}; allowed are 0.5 to 8")
        if not (0.0 <= self.weight <= 10.0 and -50.0 <= self.bias <= 50.0):
            raise ModelError(f"{path}: weight is {self.weight} and bias {self.bias}; allowed are 0 to 10 and -50 to 50")


def to_patch(quad: Array, size: tuple[int, int], reach: float, tall: float) -> Array:
    """The similarity [2, 3] from pixels of the picture to pixels of a patch of ``size`` (width, height) in which
    ``quad`` (corners [4, 2] of a plate, about right) lies level in the middle.

    Both count points between pixels (the first pixel reaches from 0 to 1).
    """
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.tolist()
    across = ((bx - ax + cx - dx) / 2, (by - ay + cy - dy) / 2)
    width = math.hypot(*across)
    height = math.hypot((dx - ax + cx - bx) / 2, (dy - ay + cy - by) / 2)
    scale = size[0] / (reach * max(width, tall * height, 4.0))
    c, s = (one / max(width, 1e-6) * scale for one in across)
    x, y = (ax + bx + cx + dx) / 4, (ay + by + cy + dy) / 4
    return np.array([[c, s, size[0] / 2 - c * x - s * y], [-s, c, size[1] / 2 + s * x - c * y]])


def cut(image: NDArray[np.uint8], matrix: Array, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The patch of ``size`` (width, height) of ``image`` (H, W, 3) under ``matrix``; a reduction is averaged."""
    scale = math.hypot(float(matrix[0, 0]), float(matrix[0, 1]))
    finer = min(max(math.ceil(0.45 / max(scale, 1e-6)), 1), _MOST_FINER)
    fine = matrix * finer
    fine[:, 2] += fine[:, 0] * 0.5 + fine[:, 1] * 0.5 - 0.5  # from points between pixels to middles of pixels
    patch = cv2.warpAffine(
        image, fine, (size[0] * finer, size[1] * finer), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if finer > 1:
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    return np.asarray(patch, np.uint8)


class CornerFinder:
    """The network of a manifest. Not safe for two threads at once; cheap to make twice."""

    def __init__(self, manifest_path: Path | None = None, threads: int = 1) -> None:
        """``manifest_path``: None for the network of the package. Raises ModelError."""
        self.path = manifest_path if manifest_path is not None else CORNERS
        self.manifest = manifest = load_manifest(self.path, CornersManifest)
        manifest.check(self.path)
        self._session = open_session(
            self.path.parent / manifest.file, model_file(self.path, manifest.file, manifest.sha256), threads
        )
        check_input(self.path, self._session, manifest.input)
        names = [value.name for value in self._session.get_outputs()]
        missing = sorted({manifest.corners, manifest.score} - set(names))
        if missing:
            raise ModelError(f"{self.path}: the model has no output {missing}; it has {', '.join(names)}")
        self.look(np.zeros((8, 8, 3), np.uint8), [((0.0, 0.0), (8.0, 0.0), (8.0, 4.0), (0.0, 4.0))])

    def look(self, image: NDArray[np.uint8], quads: Sequence[Corners]) -> tuple[Floats, Floats]:
        """Corners [n, 4, 2] in pixels of ``image`` ((H, W, 3) BGR uint8) and logits [n] for the plates that lie about
        at ``quads``. Raises ModelError."""
        manifest = self.manifest
        size = (manifest.input.width, manifest.input.height)
        matrices = [to_patch(np.array(quad, np.float64), size, manifest.reach, manifest.tall) for quad in quads]
        batch: Any = prepare([cut(image, matrix, size) for matrix in matrices], manifest.input)
        try:
            outputs = self._session.run([manifest.corners, manifest.score], {manifest.input.name: batch})
        except Exception as error:  # onnxruntime raises bare classes of its own
            reason = str(error).splitlines()[0][:200]
            raise ModelError(f"{self.path}: the model cannot run on {batch.shape}: {reason}") from error
        raw, logits = np.asarray(outputs[0], np.float64), np.asarray(outputs[1], np.float32)
        if raw.shape != (len(quads), 8) or logits.size != len(quads):
            raise ModelError(
                f"{self.path}: outputs of shape {raw.shape} and {logits.shape}; {len(quads)} plates need "
                f"({len(quads)}, 8) and ({len(quads)}, 1)"
            )
        there = np.array(matrices)
        points = raw.reshape(-1, 4, 2) * size - there[:, None, :, 2]
        turned = there[:, :, :2]  # turned and scaled: transposed and over the scale squared it is its own inverse
        found = points @ turned / (turned[:, :1, :] ** 2).sum(2, keepdims=True)
        return found.astype(np.float32), logits.reshape(-1)

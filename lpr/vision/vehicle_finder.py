"""Find vehicles in a picture: a score and a box of each, by a small ONNX network that a manifest describes.

Such a network (``tools/train/vehicle_finder.py`` makes one; ``models/vehicle_finder.md`` is the package's card) takes
256 x 160 pixels and gives, at a stride of 16, the logit of a score and the logarithms of the distances to a box's four
sides in strides. It is off by default (``engine.vehicles.find``): what it finds besides vehicles becomes passages
without a plate.

May import ``lpr.vision.manifest`` and ``detect`` (letterbox, suppression), ``lpr.events`` (Box), numpy, msgspec.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import Box
from lpr.vision.detect import Fit, letterbox, suppress
from lpr.vision.manifest import InputSpec, ModelError, check_input, load_manifest, model_file, open_session, prepare

__all__ = ["FINDER", "FinderManifest", "Found", "VehicleFinder", "decode", "placed"]

FINDER: Final = Path(__file__).parent / "models" / "vehicle_finder.json"
"""The finder that comes with the package."""

_LOG_RANGE: Final = (-3.0, 4.0)
_MOST_CANDIDATES: Final = 200

Floats = NDArray[np.float32]


class FinderManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finder of vehicles. ``input``: width and height are those of the letterbox. ``output``: (1, 5, rows, columns),
    see the module. ``min_score``: the threshold that the model was made for."""

    kind: Literal["vehicle-finder"]
    name: str
    file: str
    sha256: str
    input: InputSpec
    output: str
    stride: int = 16
    min_score: float = 0.5
    licence: str = ""
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values that contradict each other."""
        spec = self.input
        if not (64 <= spec.width <= 2048 and 64 <= spec.height <= 2048) or spec.width % 32 or spec.height % 32:
            raise ModelError(f"{path}: input {spec.width} x {spec.height} must be multiples of 32 within 64 to 2048")
        if spec.colour == "gray":
            raise ModelError(f"{path}: input colour is gray; a finder takes bgr or rgb")
        if not 1 <= self.stride <= 64 or not 0.0 <= self.min_score <= 1.0:
            raise ModelError(f"{path}: stride {self.stride} must be 1 to 64, min_score {self.min_score} 0 to 1")


@dataclass(frozen=True, slots=True)
class Found:
    """One vehicle. ``score``: 0 to 1. ``box``: pixels of the picture it was found in, inside it."""

    score: float
    box: Box


def placed(width: int, height: int, across: int, down: int) -> Fit:
    """Where a picture of ``width`` x ``height`` lies in an input of ``across`` x ``down``: as large as it goes."""
    scale = min(across / width, down / height)
    left = (across - max(round(width * scale), 1)) // 2
    top = (down - max(round(height * scale), 1)) // 2
    return Fit(across, down, scale, left, top)


def decode(raw: Floats, stride: int, min_score: float) -> tuple[Floats, Floats]:
    """Boxes (n, 4) in input pixels and scores (n,) of the cells of (1, 5, rows, columns) from ``min_score`` on."""
    logits = np.clip(raw[0, 0], -30.0, 30.0)
    rows, columns = np.nonzero(logits >= np.log(max(min_score, 1e-4) / max(1.0 - min_score, 1e-4)))
    peak = logits[rows, columns]
    if len(peak) > _MOST_CANDIDATES:
        best = np.argsort(-peak, kind="stable")[:_MOST_CANDIDATES]
        rows, columns, peak = rows[best], columns[best], peak[best]
    sides = np.exp(np.clip(raw[0, 1:5, rows, columns], *_LOG_RANGE)) * stride
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    boxes = np.stack([x - sides[:, 0], y - sides[:, 1], x + sides[:, 2], y + sides[:, 3]], 1)
    return boxes.astype(np.float32), (1.0 / (1.0 + np.exp(-peak))).astype(np.float32)


class VehicleFinder:
    """The network in onnxruntime. Not safe for two threads at once."""

    def __init__(
        self,
        manifest_path: Path | None = None,
        threads: int = 1,
        *,
        min_score: float | None = None,
        overlap: float = 0.5,
        most: int = 32,
    ) -> None:
        """``manifest_path``: None for the finder of the package. ``min_score``: None for the manifest's. ``overlap``:
        IoU from which two boxes are one vehicle. ``most``: vehicles a picture. Raises ModelError."""
        self.path = manifest_path if manifest_path is not None else FINDER
        self.manifest = manifest = load_manifest(self.path, FinderManifest)
        manifest.check(self.path)
        self.min_score = manifest.min_score if min_score is None else min_score
        self.overlap, self.most = overlap, most
        data = model_file(self.path, manifest.file, manifest.sha256)
        self._session = open_session(self.path.parent / manifest.file, data, threads)
        check_input(self.path, self._session, manifest.input)
        names = [value.name for value in self._session.get_outputs()]
        if manifest.output not in names:
            raise ModelError(f"{self.path}: the model has no output {manifest.output!r}; it has {', '.join(names)}")
        self.find(np.full((64, 64, 3), 128, np.uint8))

    @property
    def name(self) -> str:
        """The model's name, for the log."""
        return self.manifest.name

    def find(self, image: NDArray[np.uint8]) -> list[Found]:
        """Vehicles on ``image`` ((H, W, 3) BGR uint8), surest first, in its pixels. Raises ModelError."""
        spec = self.manifest.input
        height, width = image.shape[:2]
        place = placed(width, height, spec.width, spec.height)
        feed = prepare([letterbox(image, place)], spec)
        try:
            raw: NDArray[Any] = np.asarray(self._session.run([self.manifest.output], {spec.name: feed})[0], np.float32)
        except Exception as error:  # onnxruntime raises bare classes of its own
            reason = str(error).splitlines()[0][:200]
            raise ModelError(f"{self.path}: the model cannot run on {feed.shape}: {reason}") from error
        if raw.ndim != 4 or raw.shape[:2] != (1, 5):
            raise ModelError(f"{self.path}: a map of vehicles has shape (1, 5, rows, columns), not {raw.shape}")
        boxes, scores = decode(raw, self.manifest.stride, self.min_score)
        found: list[Found] = []
        for group in suppress(boxes, scores, self.overlap, self.most):
            weights = scores[group][:, None] ** 2
            mean = (boxes[group] * weights).sum(0) / weights.sum()
            x1, y1, x2, y2 = ((mean - [place.left, place.top] * 2) / place.scale).tolist()
            box = (max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
            if box[2] - box[0] >= 1.0 and box[3] - box[1] >= 1.0:
                found.append(Found(float(scores[group[0]]), box))
        return found

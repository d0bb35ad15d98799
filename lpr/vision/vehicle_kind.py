"""Networks that say what a square crop of a vehicle shows: its kind (in the package), its make and model (a slot).

A manifest describes either. ``vehicle-kind``: the classes are kinds as the events name them (``KINDS``) and "none" for
a crop without a vehicle. ``vehicle-make``: the classes are "Make" or "Make/Model" ("Fiat/Uno"), and "unknown"; no such
network comes with the package, since no data was found whose licence lets weights be given away; docs/vehicles.md
says how to make one. The crop is that of ``lpr.vision.vehicle_region``.

May import ``lpr.vision.manifest``, msgspec and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.vision.manifest import InputSpec, ModelError, check_input, load_manifest, model_file, open_session, prepare

__all__ = ["KINDS", "KIND_MODEL", "MAKE_UNKNOWN", "NONE", "CropClassifier", "KindManifest", "make_of"]

KINDS: Final = ("car", "motorcycle", "bus", "truck", "van", "pickup")
"""Kinds of vehicle in the events. Milesight's minibus is a van."""

NONE: Final = "none"
"""The class of a crop that shows no vehicle."""

MAKE_UNKNOWN: Final = "unknown"
"""The class of a vehicle whose make the network doesn't know."""

KIND_MODEL: Final = Path(__file__).parent / "models" / "vehicle.json"
"""The network of kinds that comes with the package."""

MAX_CLASSES: Final = 4096


class KindManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A classifier of crops.

    ``input``: a square crop; ``output``: (batch, classes). ``classes``: see the module. ``activation``: what the output
    is; ``temperature`` divides logits (calibration). ``min_confidence``: what is less sure is not said.
    """

    kind: Literal["vehicle-kind", "vehicle-make"]
    name: str
    file: str
    sha256: str
    input: InputSpec
    output: str
    classes: tuple[str, ...]
    activation: Literal["probabilities", "logits"] = "probabilities"
    temperature: float = 1.0
    min_confidence: float = 0.5
    licence: str = ""
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values that contradict each other."""
        if not 2 <= len(self.classes) <= MAX_CLASSES or len(set(self.classes)) != len(self.classes):
            raise ModelError(
                f"{path}: classes must name 2 to {MAX_CLASSES} different classes, found {len(self.classes)}"
            )
        unknown = sorted(set(self.classes) - {*KINDS, NONE})
        if self.kind == "vehicle-kind" and unknown:
            raise ModelError(f"{path}: classes of a vehicle-kind are {', '.join((*KINDS, NONE))}; found {unknown}")
        bad = [one for one in self.classes if not one.isprintable() or not one.strip() or len(one) > 64]
        if bad:
            raise ModelError(f"{path}: a class is 1 to 64 printable characters, found {bad[0]!r}")
        if not (8 <= self.input.width <= 1024 and self.input.width == self.input.height):
            raise ModelError(
                f"{path}: the crop is square, 8 to 1024 pixels; input says {self.input.width} x {self.input.height}"
            )
        if self.temperature <= 0 or not 0.0 <= self.min_confidence <= 1.0:
            raise ModelError(
                f"{path}: temperature {self.temperature} must be above 0 and min_confidence "
                f"{self.min_confidence} within 0 to 1"
            )


class CropClassifier:
    """A network in onnxruntime that names what a crop shows. Not safe for two threads at once."""

    def __init__(
        self, manifest_path: Path, expected: Literal["vehicle-kind", "vehicle-make"], threads: int = 1
    ) -> None:
        """``expected``: what the network is to tell. Loads and tries it; raises ModelError."""
        self.path = manifest_path
        self.manifest = manifest = load_manifest(manifest_path, KindManifest)
        if manifest.kind != expected:
            raise ModelError(f"{manifest_path}: the model is a {manifest.kind}; needed is a {expected}")
        manifest.check(manifest_path)
        data = model_file(manifest_path, manifest.file, manifest.sha256)
        self._session = open_session(manifest_path.parent / manifest.file, data, threads)
        check_input(manifest_path, self._session, manifest.input)
        names = [value.name for value in self._session.get_outputs()]
        if manifest.output not in names:
            raise ModelError(f"{manifest_path}: the model has no output {manifest.output!r}; it has {', '.join(names)}")
        self.probabilities([np.full((self.size, self.size, 3), 128, np.uint8)])

    @property
    def name(self) -> str:
        """The model's name, for the log."""
        return self.manifest.name

    @property
    def size(self) -> int:
        """Sides of the crop, pixels."""
        return self.manifest.input.width

    def probabilities(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(n, classes), each row summing to 1, of ``crops`` ((size, size, 3) BGR uint8). Raises ModelError."""
        manifest = self.manifest
        if not crops:
            return np.zeros((0, len(manifest.classes)), np.float32)
        patches = list(crops)
        if manifest.input.colour == "gray":
            patches = [np.asarray(crop.mean(2), np.uint8) for crop in patches]
        batch = prepare(patches, manifest.input)
        try:
            raw: NDArray[Any] = np.asarray(self._session.run([manifest.output], {manifest.input.name: batch})[0])
        except Exception as error:  # onnxruntime raises bare classes of its own
            reason = str(error).splitlines()[0][:200]
            raise ModelError(f"{self.path}: the model cannot run on {batch.shape}: {reason}") from error
        if raw.shape != (len(crops), len(manifest.classes)):
            raise ModelError(
                f"{self.path}: output {manifest.output!r} has shape {raw.shape}; the manifest names "
                f"{len(manifest.classes)} classes for {len(crops)} crops"
            )
        values = np.nan_to_num(raw.astype(np.float64), nan=0.0, posinf=1e30, neginf=-1e30)
        if manifest.activation == "logits":
            values = values / manifest.temperature
            values = np.exp(values - values.max(1, keepdims=True))
        values = np.clip(values, 0.0, None)
        total = values.sum(1, keepdims=True)
        even = np.full_like(values, 1.0 / len(manifest.classes))
        return np.where(total > 0, values / np.where(total > 0, total, 1.0), even).astype(np.float32)


def make_of(name: str) -> tuple[str, str | None]:
    """The class "Make/Model" as (make, model), "Make" as (make, None)."""
    make, _, model = name.partition("/")
    return make.strip(), model.strip() or None

"""What a plate detector's manifest says, and which detector comes with the package.

May import ``lpr.vision.manifest`` and msgspec.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from lpr.vision.manifest import InputSpec, ModelError

__all__ = ["DETECTOR", "DetectorManifest"]

DETECTOR: Final = Path(__file__).parent / "models" / "detector.json"
"""The detector that comes with the package."""

_COLUMNS: Final = frozenset({"x1", "y1", "x2", "y2", "score", "class", "batch", "ignored"})


class DetectorManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plate detector.

    ``input``: its width and height are the size of the letterbox; where ``multiple`` is not 0 the network takes any
    size in multiples of it, and the size follows the picture's shape. ``output``: the output's name. ``decoding``:
    "plate-map" (with ``stride``), "rows" (with ``columns``: what each column of a row is, "ignored" for others) or
    "raw". ``coordinates``: of the boxes of rows and raw, pixels of the input or fractions of it. ``fit``: how a picture
    is brought to the input's size: "letterbox" (its shape kept, the rest grey) or "stretch". ``plate_class``: rows of
    another class are passed over; None takes all. ``min_score``: the threshold that the model was made for.
    ``closer``: manifest beside this one of the network
    that looks at each plate again, None for no second look.
    """

    kind: Literal["detector"]
    name: str
    file: str
    sha256: str
    input: InputSpec
    output: str
    decoding: Literal["plate-map", "rows", "raw"] = "plate-map"
    coordinates: Literal["pixels", "fractions"] = "pixels"
    fit: Literal["letterbox", "stretch"] = "letterbox"
    multiple: int = 0
    stride: int = 8
    columns: tuple[str, ...] = ("x1", "y1", "x2", "y2", "score")
    plate_class: int | None = None
    min_score: float = 0.4
    closer: str | None = None
    licence: str = ""
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values that contradict each other."""
        spec = self.input
        spec.check(path)
        if not (32 <= spec.width <= 4096 and 32 <= spec.height <= 4096):
            raise ModelError(f"{path}: input size {spec.width} x {spec.height} is outside 32..4096")
        if spec.colour == "gray":
            raise ModelError(f"{path}: input colour is gray; a detector takes bgr or rgb")
        if self.multiple < 0 or self.multiple > 256 or not 1 <= self.stride <= 64:
            raise ModelError(f"{path}: multiple {self.multiple} must be 0..256 and stride {self.stride} 1..64")
        unknown = sorted(set(self.columns) - _COLUMNS)
        missing = sorted({"x1", "y1", "x2", "y2", "score"} - set(self.columns))
        if self.decoding == "rows" and (unknown or missing):
            raise ModelError(
                f"{path}: columns must name x1, y1, x2, y2 and score, and else only class, batch, ignored; "
                f"missing {missing}, unknown {unknown}"
            )
        if self.fit == "stretch" and (self.multiple or self.decoding == "plate-map"):
            raise ModelError(f"{path}: fit stretch is for rows and raw detectors of a fixed size (multiple 0)")
        if self.closer is not None and Path(self.closer).name != self.closer:
            raise ModelError(f"{path}: closer must be a plain name beside the manifest, not {self.closer!r}")
        if not 0.0 <= self.min_score <= 1.0:
            raise ModelError(f"{path}: min_score is {self.min_score}; allowed are 0 to 1")

"""The colour of a vehicle's paint: one of the ten names of the wire protocols; and the colour of a plate's characters.

What is measured of the paint, and what can't be told at all (monochrome, sodium light, darkness), is in
``lpr.vision.colour_measure``. Here a kernel machine (least squares with a Gaussian kernel, as one small ONNX
graph) makes probabilities of it; less sure than the manifest's ``min_confidence`` is "unknown". Fitted on photographs
of train/ whose colours were named by eye (``tools/train/vehicle_colour.py``); figures in
lpr/vision/models/vehicle_colour.md.

May import ``lpr.vision`` (colour_measure, manifest, rectify), ``lpr.events``, msgspec and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lpr.events import COLOURS, Box, Corners
from lpr.vision.colour_measure import FEATURES, HUES, lab_of, measured
from lpr.vision.manifest import ModelError, load_manifest, model_file, open_session
from lpr.vision.rectify import RectifyError, rectify

__all__ = [
    "NOTHING",
    "PAINT_MODEL",
    "UNKNOWN",
    "Paint",
    "PaintManifest",
    "PaintModel",
    "ink_of",
    "load_paint",
    "paint_of",
]

UNKNOWN: Final = "unknown"
PAINT_MODEL: Final = Path(__file__).parent / "models" / "vehicle_colour.json"
"""The network that comes with the package."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Paint:
    """``colour``: a name of ``lpr.events.COLOURS``; ``confidence``: probability that it is right, 0 with "unknown"."""

    colour: str
    confidence: float


NOTHING: Final = Paint(UNKNOWN, 0.0)


class PaintManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network that tells colours.

    ``input``: name of its input, float32 [N, ``features``], measurements as ``lpr.vision.colour_measure`` makes them.
    ``output``: float32 [N, classes], probabilities of ``classes`` in their order. A colour less likely than
    ``min_confidence`` isn't told."""

    kind: Literal["vehicle-colour"]
    name: str
    file: str
    sha256: str
    input: str
    features: int
    output: str
    classes: tuple[str, ...]
    min_confidence: float = 0.5
    licence: str = ""
    sources: tuple[str, ...] = ()

    def check(self, path: Path) -> None:
        """Raises ModelError for values that contradict each other."""
        if self.features != FEATURES:
            raise ModelError(f"{path}: the model takes {self.features} numbers, the measurement has {FEATURES}")
        if set(self.classes) != set(COLOURS) - {UNKNOWN} or len(self.classes) != len(COLOURS) - 1:
            names = ", ".join(sorted(set(COLOURS) - {UNKNOWN}))
            raise ModelError(f"{path}: classes must be {names}, each once; found {', '.join(self.classes)}")
        if not 0.0 <= self.min_confidence <= 1.0:
            raise ModelError(f"{path}: min_confidence {self.min_confidence} must be within 0 to 1")


class PaintModel:
    """The network in onnxruntime; its probabilities are the same for the mirrored picture."""

    def __init__(self, path: Path = PAINT_MODEL, threads: int = 1) -> None:
        """Loads and tries it. Raises ModelError."""
        self.path = path
        self.manifest = load_manifest(path, PaintManifest)
        self.manifest.check(path)
        data = model_file(path, self.manifest.file, self.manifest.sha256)
        self._session = open_session(path.parent / self.manifest.file, data, threads)
        self.probabilities(np.zeros(FEATURES, np.float32))

    def probabilities(self, measurement: Floats) -> dict[str, float]:
        """The probability of each colour. ``measurement``: (FEATURES,). Raises ModelError."""
        names = self.manifest.classes
        try:
            raw: NDArray[Any] = np.asarray(
                self._session.run([self.manifest.output], {self.manifest.input: measurement[None].astype(np.float32)})[
                    0
                ]
            )
        except Exception as error:  # onnxruntime raises bare classes of its own
            reason = str(error).splitlines()[0][:200]
            raise ModelError(f"{self.path}: the model cannot run: {reason}") from error
        if raw.shape != (1, len(names)):
            raise ModelError(f"{self.path}: output has shape {raw.shape}; the manifest names {len(names)} classes")
        return dict(zip(names, raw[0].astype(np.float64).tolist(), strict=True))


def load_paint(path: Path = PAINT_MODEL, threads: int = 1) -> PaintModel:
    """The model of a manifest. Raises ModelError."""
    return PaintModel(path, threads)


def paint_of(image: NDArray[np.uint8], corners: Corners, box: Box | None, model: PaintModel) -> Paint:
    """The colour of a vehicle's paint; arguments as ``measured`` takes them. Raises ModelError."""
    measurement = measured(image, corners, box)
    if measurement is None:
        return NOTHING
    chances = model.probabilities(measurement)
    colour = max(chances, key=lambda name: (chances[name], name))
    return Paint(colour, chances[colour]) if chances[colour] >= model.manifest.min_confidence else NOTHING


INK_WIDTH: Final = 64.0
"""A plate narrower than this, in pixels, has no room for the colour of its ink."""
INK_CHROMA: Final = 22.0
"""CIE chroma from which the ink of a plate has a colour; below ``INK_BLACK`` it has none, between nothing is said."""
INK_BLACK: Final = 12.0


def ink_of(image: NDArray[np.uint8], corners: Corners) -> str | None:
    """The colour of a plate's characters: "black", "red", "blue", "green", "orange", "gray" or "white"; None untold.

    ``image``: (H, W, 3) BGR uint8. The characters are what stands out most from the ground in the plate's middle;
    their thin strokes mix with it, so the darkest tenth (on a light ground) is what is looked at. Says nothing of a
    plate under ``INK_WIDTH`` pixels, of a monochrome picture and of too little contrast.
    """
    width = np.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
    if width < INK_WIDTH:
        return None
    try:
        plate = rectify(image, corners, (96, 32), (-0.05, -0.12))
    except RectifyError:
        return None
    pixels = plate[8:].reshape(-1, 3).astype(np.float32) / 255.0
    if float((pixels.max(1) - pixels.min(1)).max()) < 0.02:  # monochrome
        return None
    lab = lab_of(pixels)
    low, middle, high = np.percentile(lab[:, 0], [10, 50, 92])
    if high - low < 25.0:
        return None
    on_light = high - middle <= middle - low
    ground = lab[lab[:, 0] >= np.percentile(lab[:, 0], 60)] if on_light else lab[lab[:, 0] <= middle]
    ink = lab[lab[:, 0] <= low] if on_light else lab[lab[:, 0] >= high]
    if not on_light:
        return "white" if float(np.hypot(*ink[:, 1:].mean(0))) < INK_CHROMA else None
    # Against the ground, so that a cast of the light doesn't colour black letters.
    cast = ground[:, 1:].mean(0)
    if float(np.hypot(*cast)) > INK_CHROMA:
        return "black" if float(np.hypot(*ink[:, 1:].mean(0))) < INK_BLACK else None
    a, b = ink[:, 1:].mean(0) - 0.5 * cast
    chroma = float(np.hypot(a, b))
    if chroma < INK_BLACK:
        return "black" if float(ink[:, 0].mean()) < 45.0 else "gray"
    if chroma < INK_CHROMA:
        return None
    angle = float(np.degrees(np.arctan2(b, a)) % 360)
    name = min(HUES, key=lambda hue: abs((angle - hue[1] + 180) % 360 - 180) / hue[2])[0]
    return {"cyan": "blue", "violet": "blue", "yellow": "orange"}.get(name, name)

"""lpr as a library: the plates of one picture, without a service, a log or an event loop.

May import ``lpr.events``, ``lpr.config``, ``lpr.core.clock`` and ``lpr.vision``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lpr.config import Engine as EngineConfig
from lpr.core.clock import SystemClock
from lpr.events import Reading as Plate
from lpr.vision.engine import Engine, ImageError, decode_image, enlarged, open_engine
from lpr.vision.manifest import ModelError
from lpr.vision.pictures import MOST_DECODED, decode_bounded

__all__ = ["Image", "ImageError", "ModelError", "Plate", "Reader", "read"]

Image: TypeAlias = str | Path | bytes | NDArray[np.uint8]
"""A file's path, the bytes of one, or an array: (H, W, 3) BGR or (H, W) grey, uint8."""


class Reader:
    """Reads plates; keeps the models loaded. One call at a time; give each thread its own.

    ``countries``: ISO alpha-2 codes whose formats are preferred, none: all known. ``config``: everything else.
    Raises ModelError when a model can't be used.
    """

    def __init__(self, countries: Sequence[str] = (), config: EngineConfig | None = None) -> None:
        settings = config or EngineConfig()
        self._engine: Engine = open_engine(settings, countries=tuple(countries) or settings.countries)
        self._most = round(settings.max_megapixels * 1e6)
        self._clock = SystemClock()

    def read(self, image: Image) -> tuple[Plate, ...]:
        """The plates on ``image``, best first; coordinates are pixels of the picture as it is shown (EXIF applied).

        A JPEG of more than 16 megapixels is read at a half, a quarter or an eighth of its size, so that memory stays
        bounded; another picture has at most the configuration's ``max_megapixels``. Raises ImageError, which names the
        file and what is wrong with it.
        """
        if isinstance(image, np.ndarray):
            return self._engine.read(as_array(image))
        pixels, smaller = decode_bounded(image, most=min(MOST_DECODED, self._most), max_pixels=self._most)
        plates = self._engine.read(pixels)
        return plates if smaller == 1.0 else tuple(enlarged(plate, smaller) for plate in plates)

    def timed(self, image: Image) -> tuple[tuple[Plate, ...], float]:
        """``read``, and the milliseconds it took with decoding."""
        start = self._clock.mono()
        plates = self.read(image)
        return plates, (self._clock.mono() - start) / 1000


def as_array(image: Image) -> NDArray[np.uint8]:
    """``image`` as (H, W, 3) BGR uint8. Raises ImageError."""
    if not isinstance(image, np.ndarray):
        return decode_image(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape or image.shape[2:] not in ((), (3,)):
        raise ImageError(f"array of {image.dtype} {image.shape}: needed is uint8 (H, W, 3) in BGR order or (H, W) grey")
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image


@lru_cache(maxsize=4)
def _reader(countries: tuple[str, ...]) -> Reader:
    return Reader(countries)


def read(image: Image, countries: Sequence[str] = ()) -> tuple[Plate, ...]:
    """The plates on one picture, best first. The models stay loaded between calls.

    Raises ImageError, ModelError, and ValueError (UnknownCountry) for a country that no formats are known of.
    """
    return _reader(tuple(countries)).read(image)

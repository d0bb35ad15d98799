"""A folder of images as a source of frames, in the natural order of their names; or one image alone.

A file that is no picture is reported and passed over; a JPEG larger than a frame may be comes smaller
(``decode_bounded``). Imports ``lpr.vision.sources``, ``lpr.vision.pictures``.
"""

from __future__ import annotations

import re
from pathlib import Path

from lpr.vision.pictures import ImageError, decode_bounded
from lpr.vision.sources import IMAGES, Opening, Shot, SourceError, Wanted, folder_identity, missing

__all__ = ["FolderReader", "natural_key", "open_folder"]

MAX_IMAGES = 1_000_000
"""A folder with more images is refused."""


class FolderReader:
    """The images of a folder, ``interval`` seconds apart. ``max_size``: (width, height) of the largest accepted."""

    def __init__(self, paths: list[Path], opening: Opening, interval: float, max_size: tuple[int, int]) -> None:
        self.opening = opening
        self._paths = paths
        self._interval = interval
        self._max_size = max_size
        self._position = 0

    def skip(self, count: int) -> int:
        """See ``lpr.vision.sources.Reader``."""
        skipped = min(count, len(self._paths) - self._position)
        self._position += skipped
        return skipped

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        """See ``lpr.vision.sources.Reader``. An unreadable image has a ``problem`` instead of pixels; all are read."""
        del wanted
        if self._position >= len(self._paths):
            return None
        position = self._position
        path = self._paths[position]
        self._position += 1
        offset = round(position * self._interval * 1e6)
        width, height = self._max_size
        try:
            image, _ = decode_bounded(path, most=width * height, max_pixels=width * height)
        except ImageError as error:
            return Shot(position, offset, None, str(error))
        if image.shape[1] > width or image.shape[0] > height:
            found = f"{image.shape[1]} x {image.shape[0]} pixels, the limit is {width} x {height} (max_width)"
            return Shot(position, offset, None, f"{path}: {found}")
        return Shot(position, offset, image)

    def close(self) -> None:
        """Nothing is held open."""


def open_folder(address: str, *, interval: float = 1.0, max_size: tuple[int, int] = (8192, 8192)) -> FolderReader:
    """The images in a folder (not in the folders within), or one image. Raises SourceError."""
    place = Path(address)
    try:
        paths = [place] if place.is_file() else sorted(_images(place), key=lambda path: natural_key(path.name))
        if not paths:
            endings = ", ".join(ending[1:] for ending in IMAGES)
            raise SourceError(f"{place}: no images in this folder; known are {endings}", final=True)
        content = folder_identity(paths)
    except OSError:
        raise missing(place) from None
    if len(paths) > MAX_IMAGES:
        raise SourceError(f"{place}: {len(paths)} images, the limit is {MAX_IMAGES}; split the folder", final=True)
    opening = Opening("folder", str(place), 0, 0, 1.0 / interval, content, len(paths))
    return FolderReader(paths, opening, interval, max_size)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts numbers in names by their value: img2 comes before img10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    numbered = tuple((0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts)
    return (*numbered, (2, 0, name))


def _images(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGES and not path.name.startswith(".") and path.is_file()
    ]

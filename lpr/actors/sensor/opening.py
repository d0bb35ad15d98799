"""Opening the source that a camera's configuration names; the demo street as one more reader.

Blocking: the sensor gives it a thread. May import ``lpr.config``, ``lpr.vision`` and ``lpr.scene``.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lpr.config import Camera
from lpr.vision.sources import Opening, Reader, Shot, Wanted, demo_seed, kind_of, read_credentials
from lpr.vision.stills import open_folder
from lpr.vision.video import open_video

DEMO_SIZE = (1280, 720)
DEMO_RATE = 15.0

SILENCE = 4.0
"""A read of a stream ends after so many times ``stall_after``: later than the sensor's own watch over it gives up."""


class Scene(Protocol):
    """Something that draws any frame; ``lpr.scene.street.Street`` is one."""

    def frame(self, index: int) -> NDArray[np.uint8]:
        """The picture number ``index``: (H, W, 3) BGR."""
        ...


class DemoReader:
    """The demo street. Any frame can be asked for, so those that nobody has time for cost nothing."""

    def __init__(self, scene: Scene, opening: Opening) -> None:
        self.opening = opening
        self._scene = scene
        self._position = 0

    def skip(self, count: int) -> int:
        """See Reader."""
        self._position += count
        return count

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        """See Reader; never ends."""
        position = self._position
        self._position += 1
        offset = round(position * 1e6 / self.opening.rate)
        if wanted is not None and not wanted(offset):
            return Shot(position, offset, None)
        return Shot(position, offset, self._scene.frame(position))

    def close(self) -> None:
        """Nothing is held open."""


def open_source(camera: Camera) -> Reader:
    """The reader of ``camera``'s source. Raises SourceError, which names the address and the remedy."""
    kind = kind_of(camera.source)
    max_size = (camera.max_width, camera.max_height)
    if kind == "demo":
        return _open_demo(camera.source)
    if kind == "folder":
        return open_folder(camera.source, interval=camera.image_interval, max_size=max_size)
    return open_video(
        camera.source,
        credentials=read_credentials(camera.credentials_file),
        transport=camera.transport,
        timeout=camera.stall_after,
        silence=SILENCE * camera.stall_after,
        max_size=max_size,
    )


def _open_demo(address: str) -> DemoReader:
    from lpr.scene.street import Street  # drawn only where it is asked for

    width, height = DEMO_SIZE
    street = Street(demo_seed(address), width, height, DEMO_RATE)
    return DemoReader(street, Opening("demo", address, width, height, DEMO_RATE))

"""The demo street: a camera's view of a small road, drawn by our own code, with what is true about every picture.

``Street.frame(index)`` is a pure function of the seed and the index: any frame can be asked for in any order and
gives the same pixels each time. Imports ``lpr.scene``, ``lpr.events`` (value types), numpy and OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.events import Corners
from lpr.scene.camera import NEAR, PinholeCamera
from lpr.scene.traffic import Direction, Place, places_at


@dataclass(frozen=True)
class Truth:
    """One vehicle with a plate in a frame.

    ``plate``: upper case, no separators; ``country``: ISO alpha-2; ``layout``: key of a format in ``lpr.plates``;
    ``corners``: of the plate, pixels of the frame (may lie outside it); ``visible``: part of the plate inside the
    frame and not hidden by another vehicle, 0 to 1; ``lane`` counts from 1; ``key``: the same in every frame.
    """

    key: int
    plate: str
    country: str
    layout: str
    corners: Corners
    visible: float
    vehicle: str
    colour: str
    lane: int
    direction: Direction


class Street:
    """A street with traffic. ``rate``: frames a second; ``width``, ``height``: pixels."""

    def __init__(self, seed: int = 1, width: int = 1280, height: int = 720, rate: float = 15.0) -> None:
        self.seed, self.width, self.height, self.rate = seed, width, height, rate
        self.camera = PinholeCamera(width, height)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """The picture number ``index`` (from 0): (height, width, 3), BGR."""
        image = np.full((self.height, self.width, 3), 120, np.uint8)
        for place in places_at(self.seed, index / self.rate):
            quad = self._plate(place)
            if quad is not None:
                cv2.fillConvexPoly(image, np.round(quad).astype(np.int32), (230, 230, 230))
        return image

    def _plate(self, place: Place) -> NDArray[np.float64] | None:
        x, z = place.vehicle.lane.x, place.z
        box = np.array([[x - 0.2, 0.7, z], [x + 0.2, 0.7, z], [x + 0.2, 0.57, z], [x - 0.2, 0.57, z]])
        points, depth = self.camera.project(box)
        return points if float(depth.min()) > NEAR else None

    def vehicles_at(self, index: int) -> tuple[Truth, ...]:
        """What is true in the picture number ``index``, the nearest vehicle first."""
        return ()

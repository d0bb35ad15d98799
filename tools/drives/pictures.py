"""A drive as pictures: the street of ``lpr.scene`` with the drive's traffic, and what light and lens do to it.

``DriveStreet.frame(index)`` and ``DriveStreet.vehicles_at(index)`` are pure functions of the drive and the index.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.scene.plates import spec_for
from lpr.scene.raster import Image, glow
from lpr.scene.street import EXPOSURE, Light, Plate, Street, Truth
from lpr.scene.traffic import Lane, Place, Vehicle
from tools.drives.roads import Drive

REFERENCE = 960
"""The width in pixels that shake and blur are given for."""


class DriveStreet(Street):
    """The street of one drive. ``rate``: frames a second; ``width``, ``height``: pixels."""

    def __init__(self, drive: Drive, rate: float = 10.0, width: int = 960, height: int = 540) -> None:
        super().__init__(drive.seed, width, height, rate, start=drive.start, cycle=240.0)
        self.drive = drive
        self._plates = {mover.key: _plate(mover.plate, mover.layout) for mover in drive.movers}

    @property
    def frames(self) -> int:
        """How many pictures the drive has."""
        return round(self.drive.seconds * self.rate)

    def light(self, index: int) -> Light:
        """The light of the drive's beginning, all the way."""
        return super().light(0)

    def places(self, index: int) -> tuple[Place, ...]:
        """Every vehicle in the picture number ``index``, the farthest first."""
        t = index / self.rate
        found: list[Place] = []
        for mover in self.drive.movers:
            place = mover.place(t)
            if place is None:
                continue
            lane = Lane(1 if mover.direction == "away" else 2, 0.0, mover.direction)
            speed = mover.speed(t)
            vehicle = Vehicle(
                key=mover.key, kind=mover.kind, paint=mover.paint, lane=lane, start=mover.enters, speed=speed,
                stop=0.0, offset=place[0], yaw=0.0, style=mover.style,
            )  # fmt: skip
            found.append(Place(vehicle, place[1], speed, speed + 0.2 < mover.speed(max(t - 0.2, 0.0))))
        return tuple(sorted(found, key=lambda each: -each.z))

    def plate(self, vehicle: Vehicle) -> Plate:
        """The plate of the drive's vehicle."""
        return self._plates[vehicle.key]

    def shutter(self, light: Light) -> float:
        """The drive's exposure, or that of the light."""
        return super().shutter(light) if self.drive.shutter is None else self.drive.shutter

    def sun(self, truth: Truth, index: int) -> tuple[float, float]:
        """A reflection on a plate: (its middle in plate widths from the left edge, its strength 0 to 1)."""
        y = sum(corner[1] for corner in truth.corners) / 4.0 / self.height
        place = 1.6 * sin(2.0 * pi * (2.1 * y + 0.37 * truth.key)) + 0.5
        return place, self.drive.glare * (0.55 + 0.45 * cos(0.9 * index / self.rate * 2.0 * pi + truth.key))

    def veil(self, index: int) -> float:
        """How much of the picture's contrast the sun takes away, 0 to 1."""
        wave = 0.5 + 0.5 * sin(2.0 * pi * (index / self.rate / 2.3) + self.drive.seed)
        return 0.65 * self.drive.glare * wave

    def shake(self, index: int) -> tuple[float, float]:
        """How far (pixels) the picture moves during the exposure."""
        angle, way = np.random.default_rng([self.seed, 41, index]).uniform((0.0, 0.0), (2 * pi, 1.0))
        most = self.drive.shake * self.width / REFERENCE * float(way) ** 1.5
        return most * cos(float(angle)), most * sin(float(angle))

    def smear(self, place: Place) -> tuple[float, float]:
        """How far (pixels) a plate moves during the exposure, without the shake."""
        return self._blur(place, self.light(0))

    def frame(self, index: int) -> NDArray[np.uint8]:
        """The picture number ``index`` (from 0): (height, width, 3), BGR."""
        image = super().frame(index)
        if self.drive.glare > 0.0:
            for truth in self.vehicles_at(index):
                self._reflect(image, truth, index)
            veil = self.veil(index)
            image = cast("Image", cv2.addWeighted(image, 1.0 - veil, image, 0.0, 235.0 * veil))
        x, y = self.shake(index)
        if abs(x) + abs(y) >= 0.5:
            image = cast("Image", cv2.filter2D(image, -1, _line(round(x, 1), round(y, 1))))
        if self.drive.defocus > 0.0:
            image = cast("Image", cv2.GaussianBlur(image, (0, 0), self.drive.defocus * self.width / REFERENCE))
        return image

    def _reflect(self, image: Image, truth: Truth, index: int) -> None:
        place, strength = self.sun(truth, index)
        if not -0.5 < place < 1.5 or truth.visible < 0.3:
            return
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = truth.corners
        x = (x1 + x4) / 2 + place * ((x2 + x3) - (x1 + x4)) / 2
        y = (y1 + y4) / 2 + place * ((y2 + y3) - (y1 + y4)) / 2
        glow(image, x, y, 0.75 * truth.width, (255, 255, 255), strength)


def exposure_of(light: Light) -> float:
    """Seconds of exposure that the street takes in this light."""
    return EXPOSURE[0] + (EXPOSURE[1] - EXPOSURE[0]) * light.lamps


@lru_cache(maxsize=256)
def _plate(text: str, layout: str) -> Plate:
    spec = spec_for(text, layout)
    return Plate(spec, layout[:2].upper(), spec.size_mm[0] / 1000, spec.size_mm[1] / 1000)


@lru_cache(maxsize=256)
def _line(x: float, y: float) -> NDArray[np.float32]:
    """A kernel that smears along (x, y) pixels."""
    size = 2 * int(max(abs(x), abs(y)) // 2 + 1) + 1
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    for part in np.linspace(-0.5, 0.5, 4 * size):
        kernel[round(middle + part * y), round(middle + part * x)] += 1.0
    return kernel / kernel.sum()

"""The demo street's camera: a pinhole on a mast, looking down along the road.

World coordinates are metres: x to the right, y up, z along the road away from the camera; the ground is
y = 0 and the camera stands above (``x``, 0). Picture coordinates are pixels, origin at the top left
corner. Imports numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

NEAR = 0.9
"""Metres before the lens: nothing nearer is drawn."""


@dataclass(frozen=True)
class PinholeCamera:
    """A pinhole camera. ``focal``: focal length in picture widths; angles in degrees; ``x``, ``y``: metres."""

    width: int = 1280
    height: int = 720
    focal: float = 1.3
    x: float = 0.12
    y: float = 2.5
    pitch: float = 8.4
    yaw: float = -0.8
    roll: float = 0.5

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """The 3×4 projection matrix: homogeneous pixels = matrix @ (x, y, z, 1); its third row is the depth."""
        p, w, r = radians(self.pitch), radians(self.yaw), radians(self.roll)
        # Camera axes: right, down, forward.
        axes = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])
        turn = np.array([[cos(w), 0, -sin(w)], [0, 1, 0], [sin(w), 0, cos(w)]])
        tilt = np.array([[1, 0, 0], [0, cos(p), -sin(p)], [0, sin(p), cos(p)]])
        lean = np.array([[cos(r), -sin(r), 0], [sin(r), cos(r), 0], [0, 0, 1]])
        rotation = lean @ tilt @ turn @ axes
        f = self.focal * self.width
        inner = np.array([[f, 0, self.width / 2], [0, f, self.height / 2], [0, 0, 1.0]])
        place = rotation @ -np.array([[self.x], [self.y], [0.0]])
        return inner @ np.hstack([rotation, place])

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Project world points (N, 3) to pixels (N, 2) and depths (N,) in metres.

        Points with a depth under ``NEAR`` give meaningless pixels: look at the depth first.
        """
        m = self.matrix
        rays = points @ m[:, :3].T + m[:, 3]
        depth = rays[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        return rays[:, :2] / safe[:, None], depth

    def horizon(self, x: float = 0.0) -> float:
        """Row (pixels) of the horizon at the picture's middle column (of the vanishing direction ``x`` = slope)."""
        m = self.matrix
        ray = m[:, :3] @ np.array([x, 0.0, 1.0])
        return float(ray[1] / ray[2])

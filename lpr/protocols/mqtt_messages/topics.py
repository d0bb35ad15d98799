"""The topics of a device and its cameras. Pure.

    <prefix>/status                     "online" or "offline" (last will), retained
    <prefix>/<camera>/passage           every passage, JSON
    <prefix>/<camera>/state             the last one in few words, JSON, retained
    <prefix>/<camera>/status            "online" or "offline": the camera, retained
    <prefix>/<camera>/picture           the last picture, JPEG, retained
    <prefix>/<camera>/plate             the last plate's picture, JPEG, retained

May import the standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ONLINE = "online"
OFFLINE = "offline"


def level(name: str) -> str:
    """``name`` as one level of a topic: what is no letter, digit, - or _ becomes _ (Home Assistant's rule)."""
    return re.sub(r"[^0-9A-Za-z_-]", "_", name) or "_"


@dataclass(frozen=True, slots=True)
class Topics:
    """``prefix``: one or more levels, without a slash at either end."""

    prefix: str

    @property
    def status(self) -> str:
        return f"{self.prefix}/status"

    def passage(self, camera: str) -> str:
        return f"{self.prefix}/{level(camera)}/passage"

    def state(self, camera: str) -> str:
        return f"{self.prefix}/{level(camera)}/state"

    def camera_status(self, camera: str) -> str:
        return f"{self.prefix}/{level(camera)}/status"

    def picture(self, camera: str) -> str:
        return f"{self.prefix}/{level(camera)}/picture"

    def plate_picture(self, camera: str) -> str:
        return f"{self.prefix}/{level(camera)}/plate"

"""The names under which the latest passages' pictures are fetched: ``/LPR/2018051506193401.jpg``. Pure.

Source: Milesight's manual, "2. RTSP Type": "Only 10 latest images are available for download." Its example has the
event's UTC time to the second and two digits more, which are taken for hundredths of a second here. Times can collide,
and then the name of the later passage is followed by the number of its record: among ten passages in a row no two
names are equal, and the same log gives the same names to everybody who asks, after a restart, too.

May import ``lpr.events`` and the standard library.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import UTC, datetime, timedelta

from lpr.events import Micros

KEPT = 10
"""Pictures that can be fetched."""
FOLDER = "/LPR/"
_NAME = re.compile(r"[0-9]{16}(-[0-9]{1,19})?\.jpg", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(at: Micros) -> str:
    """``2018051506193401``: UTC, to hundredths of a second (cut)."""
    moment = _EPOCH + timedelta(microseconds=at)
    return f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 10_000:02d}"


def is_name(text: str) -> bool:
    """Whether ``text`` can be the name of a picture; anything else isn't even looked for."""
    return _NAME.fullmatch(text) is not None


class PictureNames:
    """Names passages one after the other, in the order of their records.

    ``MEMORY``: so many passages before the first one whose name counts must be shown to a new one, oldest first.
    """

    MEMORY = KEPT - 1

    def __init__(self) -> None:
        self._recent: deque[str] = deque(maxlen=self.MEMORY)

    def name(self, at: Micros, record: int) -> str:
        """The file name of the next passage. ``at``: its time; ``record``: the number of its PassageSigned."""
        time = stamp(at)
        collides = time in self._recent
        self._recent.append(time)
        return f"{time}-{record}.jpg" if collides else f"{time}.jpg"

"""A camera that a test moves, an encoder that says what it was given, and a run in which time jumps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np
import trio
import trio.testing

from lpr.config import RtspStream
from lpr.core.clock import SimulatedClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.core.offload import inline
from lpr.events import Character, Reading
from lpr.media.encoding import Encoded, EncoderError, Settings
from lpr.media.video import VideoStream

T = TypeVar("T")


def simulate(main: Callable[[], Awaitable[T]]) -> T:
    """Run under trio's MockClock: time jumps on whenever nothing can go on."""
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Camera:
    """A live view that is given frames. ``clock``: simulated; a frame bears its wall time, less ``age`` seconds."""

    def __init__(self, rate: float = 25.0, size: tuple[int, int] = (64, 48), age: float = 0.0) -> None:
        self.clock = SimulatedClock(seed=1)
        self.view = LiveView("gate")
        self.view.update(stated_rate=rate)
        self.gap = 1 / rate
        self.size = size
        self.age = age
        self.frames: list[Frame] = []

    def show(self) -> Frame:
        """One more frame, now."""
        wide, high = self.size
        number = len(self.frames)
        image = np.full((high, wide, 3), number % 250, np.uint8)
        frame = Frame("gate", number, self.clock.wall() - round(self.age * 1e6), image)
        self.frames.append(frame)
        self.view.set_frame(frame)
        return frame

    async def play(self, count: int, jitter: Callable[[int], float] = lambda number: 0.0) -> None:
        """``count`` frames at the camera's rate."""
        for number in range(count):
            self.show()
            await trio.sleep(self.gap + jitter(number))


class SayingEncoder:
    """Each picture is a payload that names it: its grey level and whether it is a key."""

    def __init__(self, settings: Settings, log: list[tuple[Settings, int, bool]]) -> None:
        self.settings = settings
        self.sdp = ("m=video 0 RTP/AVP 96", f"a=x-size:{settings.width}x{settings.height}")
        self._log = log

    def encode(self, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], *, key: bool) -> Encoded | None:
        assert image.shape == (self.settings.height, self.settings.width, 3)
        level = int(image[-1, -1, 0])
        self._log.append((self.settings, level, key))
        return Encoded((bytes((level,)),), key)


class Bench:
    """A ``VideoStream`` over a ``Camera`` with ``SayingEncoder``s. ``encoded``: (settings, grey level, key) of each.

    ``cost``: seconds that encoding a picture takes. ``broken``: what opening an encoder fails with.
    """

    def __init__(self, camera: Camera, settings: RtspStream | None = None, cost: float = 0.0) -> None:
        self.camera = camera
        self.cost = cost
        self.broken = ""
        self.opened = 0
        self.encoded: list[tuple[Settings, int, bool]] = []
        self.stream = VideoStream(
            settings or RtspStream(rate=0, key_frame_interval=60),
            "h264",
            camera.view,
            camera.clock,
            offload=self._costly if cost else inline,
            open_with=self._open,
        )

    @property
    def keys(self) -> int:
        return sum(key for _, _, key in self.encoded)

    def _open(self, settings: Settings) -> SayingEncoder:
        if self.broken:
            raise EncoderError(self.broken)
        self.opened += 1
        return SayingEncoder(settings, self.encoded)

    async def _costly(self, work: Callable[[], T], /) -> T:
        await trio.sleep(self.cost)
        return work()


def reading(text: str, left: float, top: float, width: float = 40.0, height: float = 10.0) -> Reading:
    """A plate with its upper left corner at (left, top)."""
    right, bottom = left + width, top + height
    return Reading(
        text=text,
        confidence=0.95,
        characters=tuple(Character(char=char, confidence=0.95) for char in text),
        box=(left, top, right, bottom),
        corners=((left, top), (right, top), (right, bottom), (left, bottom)),
    )

"""The newest picture comes even from a camera that shows another while it is encoded."""

from __future__ import annotations

import anyio
import numpy as np
import pytest

from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.media import live
from lpr.media.live import LiveRoom

pytestmark = pytest.mark.anyio


async def test_the_newest_picture_of_a_camera_that_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    view = LiveView("gate")
    count = 0

    def show() -> None:
        nonlocal count
        count += 1
        view.set_frame(Frame("gate", count, count, np.zeros((8, 8, 3), np.uint8)))

    class Overtaken(live.Channel):
        async def _encode(self) -> None:
            await super()._encode()
            show()

    monkeypatch.setattr(live, "Channel", Overtaken)
    show()
    room = LiveRoom({"gate": view}, SystemClock(), width=640, rate=1000)
    with anyio.fail_after(60):
        assert (await room.snapshot("gate"))[:2] == b"\xff\xd8"
    assert count == 2

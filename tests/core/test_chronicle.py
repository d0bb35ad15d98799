"""What servers tell the log: at once, summed, and kept while the log takes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest

from lpr.core.chronicle import MAX_PENDING, Chronicle
from lpr.core.clock import ManualClock
from lpr.core.errors import LogUnavailable
from lpr.core.record import Record
from lpr.events import AbuseSeen, ClientLeft, Event

pytestmark = pytest.mark.anyio


class Log:
    """Takes events, or refuses while ``full``."""

    def __init__(self) -> None:
        self.full = False
        self.events: list[Event] = []
        self.asked = anyio.Event()

    async def emit(self, events: Sequence[Event]) -> tuple[Record, ...]:
        self.asked.set()
        if self.full:
            raise LogUnavailable("the disk is full")
        self.events += events
        return ()


def left(number: int) -> ClientLeft:
    return ClientLeft(server="rtsp", client=str(number), reason="", sent=0)


async def test_offences_are_told_at_once_and_then_once_a_minute() -> None:
    log, clock = Log(), ManualClock()
    chronicle = Chronicle("rtsp", log.emit, clock)
    for _ in range(3):
        chronicle.offence("wrong log-in", "192.0.2.1")
    assert await chronicle.flush()
    chronicle.offence("wrong log-in", "192.0.2.1")
    assert await chronicle.flush()
    counts = [event.counts for event in log.events if isinstance(event, AbuseSeen)]
    assert counts == [{"wrong log-in": 3}]
    clock.advance(61.0)
    assert await chronicle.flush()
    assert len(log.events) == 2


async def test_what_the_log_refuses_waits_in_order_and_bounded() -> None:
    log = Log()
    chronicle = Chronicle("rtsp", log.emit, ManualClock())
    log.full = True
    for number in range(MAX_PENDING + 5):
        chronicle.tell(left(number))
    assert not await chronicle.flush()
    assert chronicle.waiting == MAX_PENDING
    log.full = False
    chronicle.tell(left(-1))
    assert await chronicle.flush()
    assert [event.client for event in log.events if isinstance(event, ClientLeft)][-2:] == [str(MAX_PENDING + 4), "-1"]


async def test_run_writes_what_comes_and_the_rest_at_its_end() -> None:
    log = Log()
    chronicle = Chronicle("rtsp", log.emit, ManualClock())
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chronicle.run)
            chronicle.tell(left(1))
            await log.asked.wait()
            chronicle.tell(left(2))
            tasks.cancel_scope.cancel()
    assert len(log.events) == 2


async def test_a_tally_that_waits_does_not_hold_up_other_events() -> None:
    log = Log()
    chronicle = Chronicle("rtsp", log.emit, ManualClock())
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(chronicle.run)
            chronicle.offence("junk", "a")
            await log.asked.wait()
            log.asked = anyio.Event()
            chronicle.offence("junk", "a")
            await anyio.lowlevel.checkpoint()
            chronicle.tell(left(1))
            await log.asked.wait()
            tasks.cancel_scope.cancel()
    assert any(isinstance(event, ClientLeft) for event in log.events)

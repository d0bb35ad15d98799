"""The loop of a sink: at least once, in order, with what failed in the log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from lpr import events
from lpr.core.blobs import BlobMissingError, BlobStore
from lpr.core.clock import SECOND, ManualClock
from lpr.core.delivery import BackoffPolicy, Delivered, Outcome, Refused, Shipment, Unavailable
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.core.record import Record
from lpr.core.sinks import run_sink
from lpr.events import DeliveryRequested, Picture
from tests.core.samples import decided, signed

pytestmark = pytest.mark.anyio
POLICY = BackoffPolicy(first=10.0, longest=10.0)


class Receiver:
    """A sink that answers from a list, then with Delivered. ``got``: the passages of every attempt."""

    def __init__(self, *answers: Outcome | Exception, name: str = "push") -> None:
        self.name = name
        self.answers = list(answers)
        self.got: list[Shipment] = []

    async def deliver(self, shipment: Shipment) -> Outcome:
        await anyio.lowlevel.checkpoint()
        self.got.append(shipment)
        answer = self.answers.pop(0) if self.answers else Delivered("200")
        if isinstance(answer, Exception):
            raise answer
        return answer


class House:
    """A log with blobs and a clock, and the life of a sink over it."""

    def __init__(self, log: EventLog, folder: Path, clock: ManualClock) -> None:
        self.log = log
        self.blobs = BlobStore(folder / "blobs", inline)
        self.clock = clock

    async def passage(self, number: int = 0, shown: Picture | None = None) -> tuple[Record, Record]:
        """One passage, decided and signed; its picture is stored."""
        if shown is None:
            data = f"picture {number}".encode()
            shown = Picture(blob=await self.blobs.put(data), width=1, height=1, bytes=len(data))
        (one,) = await self.log.append([decided(number, shown=shown)], actor="voter")
        (two,) = await self.log.append([signed(one.id, shown)], actor="signer", cause=one.seq)
        return one, two

    async def until(self, sink: Receiver, done: Callable[[], bool], start: int = 0) -> None:
        """Run the sink until ``done``, time passing whenever everything waits."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(run_sink, sink, self.log, self.blobs, self.clock, POLICY, start=start))
            while not done():
                await anyio.wait_all_tasks_blocked()
                self.clock.advance(1.0)
            tasks.cancel_scope.cancel()

    async def notes(self) -> list[events.Event]:
        """What sinks have recorded."""
        types = {"Delivered", "DeliveryFailed", "DeliveryParked", "BlobMissing"}
        return [record.event for record in await self.log.read(0, types=types)]

    def settled(self, sink: str = "push") -> int:
        return self.log.positions.get(sink, 0)


async def test_a_passage_is_delivered_once_with_what_belongs_to_it(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        one, two = await house.passage()
        sink = Receiver()
        await house.until(sink, lambda: house.settled() >= two.seq)
        (shipment,) = sink.got
        assert (shipment.record, shipment.passage) == (two.seq, one.id)
        assert (shipment.decided, shipment.signed) == (one.event, two.event)
        expected = events.Delivered(sink="push", passage=one.id, record=two.seq, attempt=1, answer="200")
        assert await house.notes() == [expected]
        assert await log.cursor("push") == two.seq
        await house.until(sink, lambda: house.settled() >= two.seq)
        assert len(sink.got) == 1


async def test_an_outage_holds_the_sink_and_keeps_the_order(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        passages = [await house.passage(number) for number in range(3)]
        sink = Receiver(Unavailable("down"), Unavailable("down"))
        begun = clock.mono()
        await house.until(sink, lambda: house.settled() >= passages[-1][1].seq)
        assert clock.mono() - begun >= 10 * SECOND
        ids = [passage[0].id for passage in passages]
        assert [s.passage for s in sink.got] == [ids[0], ids[0], ids[0], ids[1], ids[2]]
        notes = await house.notes()
        assert [type(e).__name__ for e in notes] == ["DeliveryFailed"] * 2 + ["Delivered"] * 3
        assert isinstance(notes[2], events.Delivered) and notes[2].attempt == 3


async def test_a_restart_goes_on_with_the_attempts_and_the_wait(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        _, two = await house.passage()
        first = Receiver(Unavailable("down"))
        await house.until(first, lambda: log.head > two.seq)
        at = clock.wall()
        second = Receiver()
        await house.until(second, lambda: house.settled() >= two.seq)
        assert clock.wall() - at >= 3 * SECOND, "the wait that was recorded goes on"
        notes = await house.notes()
        assert isinstance(notes[-1], events.Delivered) and notes[-1].attempt == 2


async def test_a_refused_passage_is_parked_and_can_be_sent_again(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        one, two = await house.passage(1)
        _, four = await house.passage(2)
        sink = Receiver(Refused("no such plate"))
        await house.until(sink, lambda: house.settled() >= four.seq)
        assert [type(e).__name__ for e in await house.notes()] == ["DeliveryParked", "Delivered"]
        for name in ("somebody else", "push"):
            request = DeliveryRequested(sink=name, passage=one.id, record=two.seq, by="admin")
            await log.append([request], actor="api")
        await house.until(sink, lambda: house.settled() >= log.head)
        assert [s.passage for s in sink.got].count(one.id) == 2
        assert [type(e).__name__ for e in await house.notes()] == ["DeliveryParked", "Delivered", "Delivered"]


async def test_what_is_no_longer_there_is_parked(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        await log.append([signed("0" * 36)], actor="signer")
        await log.append([DeliveryRequested(sink="push", passage="x", record=999, by="admin")], actor="api")
        await log.append([DeliveryRequested(sink="push", passage="x", record=2, by="admin")], actor="api")
        sink = Receiver()
        await house.until(sink, lambda: house.settled() >= log.head)
        assert sink.got == []
        reasons = [e.reason for e in await house.notes() if isinstance(e, events.DeliveryParked)]
        assert reasons == [
            "the passage's decision is no longer in the log",
            "the passage is no longer in the log",
            "that record is not a passage",
        ]


async def test_a_missing_picture_is_told_and_the_passage_goes_all_the_same(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        _, two = await house.passage(shown=Picture(blob="e" * 64, width=1, height=1, bytes=1))
        sink = Receiver()
        await house.until(sink, lambda: house.settled() >= two.seq)
        assert [type(e).__name__ for e in await house.notes()] == ["BlobMissing", "Delivered"], (
            "once, though it is named twice"
        )


async def test_a_sink_that_cannot_do_without_the_picture_parks_the_passage(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        _, two = await house.passage()
        sink = Receiver(BlobMissingError("e" * 64, "picture is missing"))
        await house.until(sink, lambda: house.settled() >= two.seq)
        assert [type(e).__name__ for e in await house.notes()] == ["BlobMissing", "DeliveryParked"]


async def test_sinks_do_not_wait_for_each_other(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        _, two = await house.passage()
        stuck = Receiver(*[Unavailable("down")] * 50, name="stuck")
        well = Receiver(name="well")
        async with anyio.create_task_group() as tasks:
            for sink in (stuck, well):
                tasks.start_soon(run_sink, sink, log, house.blobs, clock, POLICY)
            while house.settled("well") < two.seq:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert len(well.got) == 1
        assert await log.cursor("stuck") == 0


async def test_a_new_sink_can_begin_with_what_is_new(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        house = House(log, tmp_path, clock)
        await house.passage(1)
        start = log.head
        one, two = await house.passage(2)
        sink = Receiver()
        await house.until(sink, lambda: house.settled() >= two.seq, start=start)
        assert [s.passage for s in sink.got] == [one.id]

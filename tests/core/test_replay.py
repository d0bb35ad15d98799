"""Replay: fold, shadow, pixel."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

from lpr.core.actor import run_decider
from lpr.core.blobs import BlobStore
from lpr.core.clock import ManualClock
from lpr.core.log import EventLog, LogReader
from lpr.core.offload import inline
from lpr.core.replay import Difference, PixelDifference, fold, pixel, shadow
from lpr.events import Picture, PlateRead, Reading, SourceStalled, TimerFired
from tests.core.samples import AT, Adder, Sums, passed, taken

pytestmark = pytest.mark.anyio


async def recorded(path: Path, count: int = 25) -> None:
    """A log with ``count`` inputs of the adder and what it said."""
    clock = ManualClock()
    async with EventLog.open(path, clock, offload=inline) as log, anyio.create_task_group() as tasks:
        tasks.start_soon(run_decider, Adder(), log, clock)
        for number in range(count):
            await log.append([passed(number)], actor="source")
            await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()


async def test_a_fold_takes_what_was_recorded(tmp_path: Path) -> None:
    await recorded(tmp_path / "log.db")
    async with LogReader.open(tmp_path / "log.db", ManualClock()) as log:
        assert await fold(log, Adder()) == Sums(sum(range(25)), 25)
        assert (await fold(log, Adder(), upto=3)).inputs == 3


async def test_a_shadow_of_the_same_code_has_no_differences(tmp_path: Path) -> None:
    await recorded(tmp_path / "log.db")
    async with LogReader.open(tmp_path / "log.db", ManualClock()) as log:
        assert [d async for d in shadow(log, Adder())] == []


async def test_a_shadow_with_other_settings_shows_what_they_would_have_said(tmp_path: Path) -> None:
    await recorded(tmp_path / "log.db")
    async with LogReader.open(tmp_path / "log.db", ManualClock()) as log:
        found = [d async for d in shadow(log, Adder(every=20))]
        inputs = [record.seq for record in await log.read(0, types={"FramesPassed"})]
    said = SourceStalled(source="sum 45", silent_s=0.0)
    assert found == [Difference(inputs[9], (said,), ())]
    async with LogReader.open(tmp_path / "log.db", ManualClock()) as log:
        found = [d async for d in shadow(log, Adder(every=5))]
    assert [(d.cause, len(d.recorded), len(d.today)) for d in found] == [
        (inputs[4], 0, 1),
        (inputs[14], 0, 1),
        (inputs[24], 0, 1),
    ]


async def test_what_was_not_decided_on_yet_is_no_difference(tmp_path: Path) -> None:
    clock = ManualClock()
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        await log.append([passed(n) for n in range(30)], actor="source")
        await log.append([TimerFired(actor="other", due=1)], actor="other")
    async with LogReader.open(tmp_path / "log.db", clock) as log:
        assert [d async for d in shadow(log, Adder())] == []


class Oracle:
    """An engine that reads the plate from the picture's bytes."""

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        text = bytes(image.reshape(-1)).decode("ascii").strip()
        return tuple(reading(part) for part in text.split())


def reading(text: str) -> Reading:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    return Reading(text=text, confidence=1.0, characters=(), box=(0.0, 0.0, 1.0, 1.0), corners=corners)


def decode(data: bytes) -> NDArray[np.uint8]:
    if data.startswith(b"broken"):
        raise ValueError("not a JPEG")
    return np.frombuffer(data, np.uint8).reshape(1, -1, 1)


async def test_the_engines_read_the_kept_pictures_again(tmp_path: Path) -> None:
    clock = ManualClock()
    blobs = BlobStore(tmp_path / "blobs", inline)
    shown = ["AAA1", "BBB2 CCC3", "", "broken", "missing"]
    was = [["AAA1"], ["CCC3", "BBB3"], ["DDD4"], ["EEE5"], []]
    async with EventLog.open(tmp_path / "log.db", clock, offload=inline) as log:
        for number, (text, texts) in enumerate(zip(shown, was, strict=True)):
            blob = await blobs.put(text.encode().ljust(20))
            if text == "missing":
                await blobs.remove([blob])
            capture = taken(number, Picture(blob=blob, width=20, height=1, bytes=20))
            reads = [
                PlateRead(
                    capture=capture.capture,
                    source="camera",
                    lane="",
                    at=AT,
                    exposure=0,
                    reading=reading(one),
                    engine="",
                    elapsed_ms=1.0,
                )
                for one in texts
            ]
            await log.append([capture, *reads], actor="engine")
        found = [d async for d in pixel(log, blobs, Oracle(), decode, offload=inline)]
    assert found[0] is None
    assert isinstance(found[1], PixelDifference)
    assert (found[1].recorded, found[1].today) == (("BBB3", "CCC3"), ("BBB2", "CCC3"))
    assert isinstance(found[2], PixelDifference) and (found[2].recorded, found[2].today) == (("DDD4",), ())
    assert isinstance(found[3], PixelDifference) and found[3].problem == "not a JPEG"
    assert isinstance(found[4], PixelDifference) and "is missing" in found[4].problem


async def test_replays_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    await recorded(path)
    before = await anyio.Path(path).read_bytes()
    async with LogReader.open(path, ManualClock()) as log:
        await fold(log, Adder())
        _ = [d async for d in shadow(log, Adder())]
        _ = [d async for d in pixel(log, BlobStore(tmp_path / "b"), Oracle(), partial(decode))]
    assert await anyio.Path(path).read_bytes() == before
    assert not await anyio.Path(tmp_path / "b").exists()

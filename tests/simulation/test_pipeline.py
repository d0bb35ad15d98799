"""From a source to passages: what a kill, a fault, an end or a restart does to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import msgspec
import pytest

from lpr.config import Camera, Config, Trigger
from lpr.core.actor import emitter
from lpr.core.live import LiveView
from lpr.events import (
    Baseline,
    CaptureFailed,
    CaptureTaken,
    Event,
    FramesPassed,
    PassageDecided,
    PlateRead,
    ReadingsDiscarded,
    SourceEnded,
    SourceLost,
    SourceOpened,
)
from lpr.plates.voting import Rules
from lpr.vision.sources import Reader, SourceError
from lpr.vision.stills import open_folder
from tests.plates.drives import Car, approach, stand
from tests.simulation.rig import Film, Rig, TableEngine, comparable, drawn

pytestmark = pytest.mark.anyio

RATE = 16.0
SECONDS = 24.0
CARS = [
    Car("PARKED1", stand(200, 500, 22, until=20.0)),
    Car("BRA2E19", approach(1.0, x=800)),
    Car("KHN991", approach(8.0, x=800, speed=14)),
    Car("AB123CD", approach(14.0, x=500)),
]
SEEN = (CaptureTaken, PlateRead, FramesPassed, SourceEnded)
DECIDED = (PassageDecided, ReadingsDiscarded)


def rig(root: Path, **camera: object) -> Rig:
    settings = msgspec.convert({"name": "gate", "source": "film.avi", "fast": True, **camera}, Camera)
    root.mkdir(exist_ok=True)
    frames = int(SECONDS * RATE)

    def opener(_: Camera) -> Reader:
        return Film(frames, RATE)

    return Rig(root, settings, TableEngine(CARS, SECONDS, RATE, seed=3), opener)


async def outcome(where: Rig) -> list[object]:
    opened = await where.events(SourceOpened)
    assert isinstance(opened[0], SourceOpened)
    assert {event.base for event in opened if isinstance(event, SourceOpened)} == {opened[0].base}
    base = opened[0].base
    return comparable(await where.events(*SEEN), base) + comparable(await where.events(*DECIDED), base)


async def plates(where: Rig) -> list[str]:
    return [event.plate for event in await where.events(PassageDecided) if isinstance(event, PassageDecided)]


async def test_every_vehicle_is_one_passage_and_the_log_stays_small(tmp_path: Path) -> None:
    where = rig(tmp_path)
    assert await where.run()
    assert Counter(await plates(where)) == Counter(car.plate for car in CARS)
    captures = await where.events(CaptureTaken)
    assert len(where.engine.asked) == SECONDS * 8
    assert sum(bool(event.exposures) for event in captures if isinstance(event, CaptureTaken)) < 60


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("trigger", [Trigger(), Trigger(kind="motion", rate=4.0, threshold=0.0, exposures=2, hold=0.5)])
async def test_kills_at_any_append_change_nothing(tmp_path: Path, after: bool, trigger: Trigger) -> None:
    whole = rig(tmp_path / "whole", trigger=trigger)
    assert await whole.run()
    expected = await outcome(whole)
    killed = rig(tmp_path / "killed", trigger=trigger)
    rounds = 0
    for kill_at in (2, 3, 2, 5, 9, 4, 14, 7):
        rounds += 1
        if await killed.run(kill_at, after):
            break
    while not await killed.run():
        pass
    assert await outcome(killed) == expected
    assert rounds > 4


async def test_read_one_by_one_or_several_at_a_time_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = rig(tmp_path / "several")
    assert await several.run()
    monkeypatch.setattr("lpr.actors.sensor.sensor.MOST_AHEAD", 1)
    single = rig(tmp_path / "single")
    for kill_at in (9, 7, 12):
        assert not await single.run(kill_at)
    assert await single.run()
    assert await outcome(single) == await outcome(several)


async def test_a_short_memory_with_baselines_decides_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rig(tmp_path / "whole")
    assert await whole.run()
    monkeypatch.setattr("lpr.actors.engine.engine.BASELINE_EVERY", 3)
    killed = rig(tmp_path / "killed")
    for kill_at in (6, 5, 4):
        assert not await killed.run(kill_at)
    assert await killed.run()
    assert await outcome(killed) == await outcome(whole)
    actors = {event.actor for event in await killed.events(Baseline) if isinstance(event, Baseline)}
    assert "camera:gate" in actors


async def test_a_file_that_was_read_is_not_read_again_unless_it_changes(tmp_path: Path) -> None:
    where = rig(tmp_path)
    assert await where.run()
    count = len(await where.events())
    async with where.opened() as log:
        view = LiveView("gate")
        await where.chain(log, view).run(_refused)
        assert view.status.state == "ended"
        assert "repeat" in view.status.message
    assert len(await where.events()) == count
    where.opener = lambda _: Film(32, RATE, content="changed")
    assert await where.run()
    assert len(await where.events(SourceEnded)) == 2


async def _refused(events: object) -> tuple[()]:
    raise AssertionError(f"nothing is to be recorded, not {events}")


async def test_a_repeated_file_goes_on_in_time(tmp_path: Path) -> None:
    where = rig(tmp_path, repeat=True)
    where.opener = lambda _: Film(24, RATE)
    assert not await where.run(kill_at=14)
    opened = [event for event in await where.events(SourceOpened) if isinstance(event, SourceOpened)]
    ended = [event for event in await where.events(SourceEnded) if isinstance(event, SourceEnded)]
    assert len(opened) > 1
    assert opened[1].base > ended[0].at
    assert opened[1].position == 0


async def test_a_failing_engine_costs_captures_and_says_so_seldom(tmp_path: Path) -> None:
    where = rig(tmp_path)

    class Broken(TableEngine):
        def read(self, image: object) -> tuple[()]:
            raise RuntimeError("model damaged")

    where.engine = Broken([], 1.0, 1.0)
    assert await where.run()
    failed = await where.events(CaptureFailed)
    assert 1 <= len(failed) <= 3
    assert isinstance(failed[0], CaptureFailed) and "model damaged" in failed[0].reason
    assert len(await where.events(SourceEnded)) == 1


async def test_a_source_that_cannot_be_opened_is_said_and_a_hopeless_one_given_up(tmp_path: Path) -> None:
    where = rig(tmp_path, retry_first=0.001, retry_max=0.001)

    def opener(_: Camera) -> Reader:
        raise SourceError("film.avi: there is no such file or folder; check the camera's source")

    where.opener = opener
    assert await where.run()
    lost = [event for event in await where.events(SourceLost) if isinstance(event, SourceLost)]
    assert [event.attempt for event in lost] == [1, 2, 3, 4, 5]
    assert lost[-1].retry_in == 0.0


async def test_a_lost_camera_is_opened_again(tmp_path: Path) -> None:
    where = rig(tmp_path, source="rtsp://camera/1", retry_first=0.001, retry_max=0.002)
    openings = 0

    def opener(_: Camera) -> Reader:
        nonlocal openings
        openings += 1
        return Film(10, RATE, kind="stream", content="")

    where.opener = opener
    assert not await where.run(kill_at=8)
    kinds = [type(event) for event in await where.events(SourceOpened, SourceLost)]
    assert kinds[:4] == [SourceOpened, SourceLost, SourceOpened, SourceLost]
    assert openings >= 2


async def test_a_full_disk_stops_a_file_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rig(tmp_path / "whole")
    assert await whole.run()
    expected = await outcome(whole)
    where = rig(tmp_path / "full")
    free = iter([0, 0, 10**12, 0, 10**12])

    def free_bytes(_: Path) -> int:
        return next(free, 10**12)

    monkeypatch.setattr("lpr.core.blobs._free_bytes", free_bytes)
    monkeypatch.setattr("lpr.actors.engine.engine.FIRST_RETRY", 0.001)
    assert await where.run()
    assert await outcome(where) == expected


async def test_photographs_are_passages_each_and_unreadable_ones_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in (40, 41, 170):
        cv2.imwrite(str(folder / f"img{index}.png"), drawn(index))
    (folder / "img5.jpg").write_bytes(b"no picture")
    where = rig(tmp_path, source=str(folder))
    where.opener = lambda camera: open_folder(camera.source)
    where.engine.table = {number: where.engine.table[number] for number in (40, 41, 170)}
    expected = sum(len(readings) for readings in where.engine.table.values())
    assert await where.run()
    assert where.engine.asked == [40, 41, 170]
    told: list[Event] = await where.events(CaptureFailed)
    assert len(told) == 1 and isinstance(told[0], CaptureFailed) and "img5.jpg" in told[0].reason
    assert len(await plates(where)) + len(await where.events(ReadingsDiscarded)) == expected


async def test_the_live_view_shows_the_latest(tmp_path: Path) -> None:
    where = rig(tmp_path)
    view = LiveView("gate")
    async with where.opened() as log:
        await where.chain(log, view).run(emitter(log, "camera"))
    assert view.status.frames == SECONDS * RATE
    assert view.status.captures == view.status.frames / 2
    assert view.snapshot().frame is not None
    assert view.snapshot().read_frame is not None


def test_config_of_the_vote_and_of_the_rules_agree() -> None:
    assert msgspec.to_builtins(Rules()) == msgspec.to_builtins(Config().vote)

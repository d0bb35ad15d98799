"""Plate metadata from a log and a live view: events, moving boxes, quiet moments, synchronization points, slow readers.

Everything runs under trio's MockClock: seconds pass as soon as nothing else can happen.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import pytest
import trio
import trio.testing

from lpr.core.actor import emitter
from lpr.core.clock import SECOND, SimulatedClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.core.log import EventLog
from lpr.core.offload import inline
from lpr.events import Reading
from lpr.media.plate_metadata import QUEUE, CameraMetadata, MetadataCamera, PlateMetadata
from lpr.protocols.onvif_metadata import FormName, Notification, Parsed, camera_tokens, parse_document, plate_of
from tests.core.samples import signed
from tests.protocols.onvif_metadata.samples import passage, reading

T = TypeVar("T")


def simulate(main: Callable[[], Awaitable[T]]) -> T:
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@dataclass
class Street:
    """One camera, ``gate``, whose passages and readings a test makes."""

    log: EventLog
    clock: SimulatedClock
    view: LiveView
    metadata: PlateMetadata
    position: int = 0

    async def passes(self, plate: str, source: str = "gate") -> None:
        """A passage is decided and signed."""
        at = self.clock.wall()
        decided = msgspec.structs.replace(passage(plate, at=at), source=source)
        (record,) = await self.log.append((decided,), actor="voter")
        await self.log.append((signed(record.id),), actor="signer")

    def shows(self, *readings: Reading) -> None:
        """The engine has read a picture of 1280 x 720."""
        frame = Frame("gate", self.position, self.clock.wall(), np.zeros((720, 1280, 3), np.uint8))
        self.position += 1
        self.view.set_readings(frame, readings)


@asynccontextmanager
async def street(folder: Path, images: str = "") -> AsyncGenerator[Street, None]:
    clock = SimulatedClock()
    view = LiveView("gate")
    async with EventLog.open(folder / "log.db", clock, offload=inline) as log:
        metadata = PlateMetadata({"gate": MetadataCamera(view, camera_tokens(0))}, log, clock, images=images)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(metadata.run, emitter(log, metadata.name))
            await trio.testing.wait_all_tasks_blocked()
            yield Street(log, clock, view, metadata)
            nursery.cancel_scope.cancel()


class Reader:
    """Collects a source's documents, with the time at which each came."""

    def __init__(self, source: CameraMetadata) -> None:
        self.documents: list[Parsed] = []
        self.times: list[float] = []
        self._source = source

    async def run(self) -> None:
        async for document in self._source.documents():
            self.documents.append(parse_document(document))
            self.times.append(trio.current_time())

    def plates(self) -> list[str]:
        events = [one for document in self.documents for one in document.notifications]
        return [seen.plate for one in events if (seen := plate_of(one)) is not None]

    def states(self) -> list[tuple[str | None, str]]:
        events = [one for document in self.documents for one in document.notifications]
        return [(one.operation, dict(one.data)["State"]) for one in events if one.topic.endswith("VehicleDetect")]


async def settle() -> None:
    """Until everything that is to come without time passing has come."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def readers(place: Street, *forms: FormName) -> AsyncGenerator[list[Reader], None]:
    made = [Reader(place.metadata.source("gate", form)) for form in forms]
    async with trio.open_nursery() as nursery:
        for one in made:
            nursery.start_soon(one.run)
        await settle()
        yield made
        nursery.cancel_scope.cancel()


def test_a_passage_is_told_in_each_form(tmp_path: Path) -> None:
    async def main() -> None:
        told: list[tuple[str, Notification]] = []
        async with street(tmp_path, "http://cam:8000/") as place:
            place.metadata.attach(lambda camera, notification: told.append((camera, notification)))
            async with readers(place, "onvif", "milesight", "milesight-standard", "both") as found:
                await place.passes("ABC1234")
                await place.passes("XYZ9876")
                await settle()
                assert [one.plates() for one in found] == [
                    ["ABC1234", "XYZ9876"],
                    ["ABC1234", "XYZ9876"],
                    ["ABC1234", "XYZ9876"],
                    ["ABC1234", "ABC1234", "XYZ9876", "XYZ9876"],
                ]
                images = [
                    [seen.image for doc in one.documents for event in doc.notifications if (seen := plate_of(event))]
                    for one in found
                ]
                assert images[0] == ["http://cam:8000" + path for path in images[1] if path]
                assert all(path is not None and path.startswith("/LPR/20250615") for path in images[1])
                assert len(set(images[1])) == 2
                roots = [{document.root for document in one.documents} for one in found]
                assert roots == [{"MetadataStream"}, {"MetaDataStream"}, {"MetadataStream"}, {"MetadataStream"}]
            topics = [notification.topic.rpartition("/")[2] for _, notification in told]
            assert topics == ["VehicleDetect", "MotionAlarm", *4 * ["LicensePlate"]]
            assert {camera for camera, _ in told} == {"gate"}

    simulate(main)


def test_boxes_move_with_the_plate_before_it_has_passed(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place, readers(place, "onvif", "milesight") as (standard, manual):
            for step in range(5):
                place.shows(reading("ABC1234", (100.0 + 60 * step, 300.0, 228.0 + 60 * step, 336.0)))
                await settle()
            objects = [one for document in standard.documents for frame in document.frames for one in frame.objects]
            assert [one.id for one in objects] == [1] * 5
            assert [one.plate.number for one in objects if one.plate] == ["ABC1234"] * 5
            lefts = [one.place.left for one in objects]
            assert lefts == sorted(lefts)
            assert len(set(lefts)) == 5
            assert len(manual.documents) == 1, "the manual's form has no frames"
            await place.passes("ABC1234")
            await settle()
            event = standard.documents[-1].notifications[0]
            assert dict(event.data)["ObjectId"] == "1"
            assert not place.view.watched, "metadata wants no pixels"

    simulate(main)


def test_a_quiet_street_says_so_each_second(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place, readers(place, "onvif", "milesight") as found:
            await trio.sleep(10)
            for one in found:
                gaps = [later - earlier for earlier, later in zip(one.times, one.times[1:], strict=False)]
                assert len(gaps) >= 9
                assert max(gaps) <= 1.0
            assert all(len(document.frames) == 1 for document in found[0].documents)
            times = [document.frames[0].at for document in found[0].documents]
            assert times == sorted(set(times))

    simulate(main)


def test_the_property_goes_with_what_is_in_view(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place, readers(place, "onvif") as (found,):
            place.shows(reading("ABC1234", (100, 300, 228, 336)))
            await settle()
            await trio.sleep(1.5)
            place.shows(reading("ABC1234", (120, 300, 248, 336)))
            await trio.sleep(1.9)
            assert found.states() == [("Initialized", "false"), ("Changed", "true")]
            assert place.metadata.properties()[0].data == (("State", "true"),)
            await trio.sleep(0.2)
            assert found.states()[2:] == [("Changed", "false")]
            assert found.documents[-1].frames[0].gone == (1, 2)
            assert found.documents[-1].frames[0].objects == ()
            place.shows()
            await settle()
            await place.passes("NEVERSEEN")
            await settle()
            assert found.states()[3:] == [("Changed", "true")]

    simulate(main)


def test_a_new_reader_and_a_synchronization_point_get_the_whole_state(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            place.shows(reading("ABC1234", (100, 300, 228, 336)))
            await settle()
            source = place.metadata.source("gate", "onvif")
            late = Reader(source)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(late.run)
                await settle()
                source.synchronize()
                await settle()
                nursery.cancel_scope.cancel()
            assert late.states() == [("Initialized", "true")] * 2
            assert [len(document.frames[0].objects) for document in late.documents] == [1, 1]
            source.synchronize()  # nobody reads any more

    simulate(main)


def test_a_slow_reader_loses_live_frames_before_events(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            documents = place.metadata.source("gate", "onvif").documents()
            await anext(documents)
            await place.passes("ABC1234")
            await settle()
            for step in range(3 * QUEUE):
                place.shows(reading("XYZ9876", (100.0 + step, 300.0, 228.0 + step, 336.0)))
                await settle()
            waiting = [parse_document(await anext(documents)) for _ in range(QUEUE)]
            assert [seen.plate for one in waiting for event in one.notifications if (seen := plate_of(event))] == [
                "ABC1234"
            ]
            frames = [one for one in waiting if one.frames and one.frames[0].objects]
            assert frames[-1].frames[0].objects[0].place.left == pytest.approx(
                2 * (100 + 3 * QUEUE - 1) / 1280 - 1, abs=1e-4
            )
            await documents.aclose()
            place.shows(reading("XYZ9876", (100, 300, 228, 336)))
            await settle()

    simulate(main)


def test_other_cameras_and_unread_plates_are_no_plate_events(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place, readers(place, "onvif") as (found,):
            await place.passes("ABC1234", source="elsewhere")
            await place.passes("")
            await settle()
            assert found.plates() == []
            assert found.states() == [("Initialized", "false"), ("Changed", "true")]
            with pytest.raises(KeyError):
                place.metadata.source("elsewhere", "onvif")

    simulate(main)


def test_a_recording_goes_by_its_own_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            old = place.clock.wall() - 3600 * SECOND
            place.view.set_frame(Frame("gate", 0, old, np.zeros((72, 128, 3), np.uint8)))
            async with readers(place, "onvif") as (found,):
                assert found.documents[0].frames[0].at == old // 1000 * 1000

    simulate(main)


def test_names_of_pictures_go_on_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as place:
            await place.passes("FIRST11")
            await settle()
            again = PlateMetadata({"gate": MetadataCamera(place.view, camera_tokens(0))}, place.log, place.clock)
            told: list[Notification] = []
            again.attach(lambda camera, notification: told.append(notification))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(again.run, emitter(place.log, "again"))
                await settle()
                await place.passes("SECOND2")
                await settle()
                nursery.cancel_scope.cancel()
            seen = [plate for one in told if (plate := plate_of(one)) is not None]
            assert seen[0].plate == "SECOND2"
            assert seen[0].image is not None
            assert "-" in seen[0].image, "the same hundredth of a second as the first one"

    simulate(main)


def test_nobody_is_told_after_detaching(tmp_path: Path) -> None:
    async def main() -> None:
        told: list[str] = []
        listener = partial(_note, told)
        async with street(tmp_path) as place:
            place.metadata.attach(listener)
            place.metadata.detach(listener)
            place.metadata.detach(listener)
            await place.passes("ABC1234")
            await settle()
            assert told == []

    simulate(main)


def _note(told: list[str], camera: str, notification: Notification) -> None:
    told.append(camera + notification.topic)

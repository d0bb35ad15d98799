"""The ring of the ten latest pictures: names, eviction, restarts, who may fetch them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import msgspec
import pytest

from lpr.actors.device_http.pictures import PictureRing
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.events import Picture
from tests.actors.device_http.rig import Rig, serving
from tests.core.samples import signed
from tests.protocols.onvif_metadata.samples import AT, passage

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Place:
    """A server with the ring over a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = BlobStore(folder / "blobs")
        self.ring: PictureRing

    async def start(self, stack: AsyncExitStack) -> Rig:
        log = await stack.enter_async_context(EventLog.open(self.folder / "log.db", SystemClock()))
        self.ring = PictureRing(log, self.blobs)
        rig = await stack.enter_async_context(serving(self.folder, [self.ring], log=log))
        with anyio.fail_after(20):
            await self.ring.filled.wait()
        return rig

    async def passes(self, log: EventLog, number: int, at: int = AT) -> None:
        """A passage whose picture says its number; returns once the ring has it."""
        data = f"picture {number}".encode()
        blob = await self.blobs.put(data)
        (record,) = await log.append((passage(f"ABC{number:04d}", at=at),), actor="voter")
        made = msgspec.structs.replace(
            signed(record.id), picture=Picture(blob=blob, width=1, height=1, bytes=len(data))
        )
        await log.append((made,), actor="signer")
        with anyio.fail_after(20):
            while not (found := self.ring.latest()) or found[0].shipment.passage != record.id:
                await self.ring.grown.wait()


async def test_the_ten_latest_pictures_and_no_more(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with AsyncExitStack() as stack:
        rig = await place.start(stack)
        for number in range(12):
            await place.passes(rig.log, number, AT + number * 1_000_000)
        names = [one.name for one in place.ring.latest()]
        assert names == [f"20180515061{9_34 + number:03d}01.jpg" for number in range(11, 1, -1)]
        status, body, response = await rig.call("/LPR/2018051506194501.jpg")
        assert (status, body, response.content_type) == (200, b"picture 11", "image/jpeg")
        assert (await rig.call("/LPR/2018051506193601.jpg"))[:2] == (200, b"picture 2")
        assert (await rig.call("/LPR/2018051506193501.jpg"))[0] == 404
        assert (await rig.call("/LPR/2018051506194501.jpg", account=None))[0] == 401


async def test_names_that_collide_are_told_apart_and_stay_after_a_restart(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with AsyncExitStack() as stack:
        rig = await place.start(stack)
        for number in range(14):
            await place.passes(rig.log, number)
        before = [one.name for one in place.ring.latest()]
        assert len(set(before)) == 10
        pictures = [(await rig.call(f"/LPR/{name}"))[1] for name in before]
        assert pictures == [f"picture {number}".encode() for number in range(13, 3, -1)]
    async with AsyncExitStack() as stack:
        rig = await place.start(stack)
        assert [one.name for one in place.ring.latest()] == before
        assert [(await rig.call(f"/LPR/{name}"))[1] for name in before] == pictures


async def test_a_picture_that_is_gone_from_the_store_is_not_there(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with AsyncExitStack() as stack:
        rig = await place.start(stack)
        await place.passes(rig.log, 1)
        await place.blobs.remove([place.ring.latest()[0].shipment.signed.picture.blob])
        assert (await rig.call("/LPR/2018051506193401.jpg"))[0] == 404


@pytest.mark.parametrize("path", ["/LPR/", "/LPR/x.jpg", "/LPR/..%2F..%2Flog.db", "/LPR/%00", "/LPR/" + "1" * 3000])
async def test_anything_else_is_not_there(tmp_path: Path, path: str) -> None:
    place = Place(tmp_path)
    async with AsyncExitStack() as stack:
        rig = await place.start(stack)
        assert (await rig.call(path, ask="/LPR/x.jpg"))[0] in (400, 401, 404)

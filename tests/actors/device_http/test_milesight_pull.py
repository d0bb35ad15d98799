"""Milesight's pull API over HTTP: who may ask, what is answered, every named picture can be fetched."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from lpr.actors.device_http.milesight import ADMIN, OPERATOR, Facts, MilesightPull
from lpr.actors.device_http.pictures import PictureRing
from lpr.config import MilesightPull as Settings
from lpr.core.blobs import BlobStore
from lpr.core.clock import SystemClock
from lpr.core.log import EventLog
from lpr.events import PassageSigned, Picture
from tests.actors.device_http.rig import Rig, serving
from tests.protocols.milesight.samples import PASSAGE

pytestmark = pytest.mark.anyio
LAST = f"{OPERATOR}?action=get.lpr.lastdata"
FACTS = Facts("Gate's; camera", "lpr", "0123456789abcdef", "0.1.0")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Pull:
    """A server with the ring and the pull API."""

    rig: Rig
    blobs: BlobStore
    ring: PictureRing

    async def passage(self, plate: str, second: int = 0, source: str = "gate") -> None:
        """A passage in the log, and in the ring."""
        jpeg = b"\xff\xd8" + plate.encode() + b"\xff\xd9"
        picture = Picture(blob=await self.blobs.put(jpeg), width=1280, height=720, bytes=len(jpeg))
        at = PASSAGE.at + second * 1_000_000
        (decided,) = await self.rig.log.append([replace(PASSAGE, plate=plate, at=at, source=source)], actor="voter")
        signed = PassageSigned(passage=decided.id, plate=plate, at=at, picture=picture, plate_picture=picture, key="")
        await self.rig.log.append([signed], actor="signer")

    async def until_there(self, plate: str) -> None:
        """Ask until the newest passage is ``plate``."""
        while True:
            _, body, _ = await self.rig.call(f"{LAST}&format=inf")
            if f"plate_0={plate}\n".encode() in body:
                return


@asynccontextmanager
async def pulling(folder: Path, settings: Settings | None = None) -> AsyncGenerator[Pull]:
    clock, blobs = SystemClock(), BlobStore(folder / "blobs")
    async with EventLog.open(folder / "events.db", clock) as log:
        ring = PictureRing(log, blobs)
        part = MilesightPull(settings or Settings(), ring, FACTS, lane_numbers={"gate": 3}, utc_offset="+00:00")
        async with serving(folder, [ring, part], clock=clock, log=log) as rig:
            yield Pull(rig, blobs, ring)


async def test_ten_lines_a_passage_and_every_picture_can_be_fetched(tmp_path: Path) -> None:
    async with pulling(tmp_path) as pull:
        for number in range(12):
            await pull.passage(f"AB{number}", number)
        await pull.until_there("AB11")
        status, body, response = await pull.rig.call(f"{LAST}&format=inf")
        assert (status, response.content_type) == (200, "text/plain")
        lines = body.decode().splitlines()
        assert len(lines) == 100
        assert lines[:3] == ["time_0=2024-02-01 06:00:16", "plate_0=AB11", "path_0=2024020106001650.jpg"]
        assert lines[10] == "time_1=2024-02-01 06:00:15"
        assert lines[5] == "roi_id_0=3"
        for index in range(10):
            name = lines[10 * index + 2].partition("=")[2]
            status, picture, response = await pull.rig.call(f"LPR/{name}")
            assert (status, response.content_type) == (200, "image/jpeg")
            assert picture == b"\xff\xd8" + lines[10 * index + 1].partition("=")[2].encode() + b"\xff\xd9"


async def test_the_other_forms(tmp_path: Path) -> None:
    async with pulling(tmp_path) as pull:
        await pull.passage("AB1")
        await pull.until_there("AB1")
        _, body, _ = await pull.rig.call(f"{LAST}&type=1")
        assert body.startswith(b"time='2024-02-01 06:00:05';plate='AB1';path='LPR/2024020106000550.jpg';")
        path = body.decode().split(";")[2].split("'")[1]
        assert (await pull.rig.call(path))[0] == 200
        _, body, response = await pull.rig.call(f"{LAST}&format=json")
        assert response.content_type == "application/json"
        assert json.loads(body)["lastdata"][0]["plate"] == "AB1"


async def test_what_is_configured(tmp_path: Path) -> None:
    async with pulling(tmp_path, Settings(records=1, milliseconds=True, cameras=("gate",))) as pull:
        await pull.passage("AB1")
        await pull.passage("AB2", 1)
        await pull.passage("YARD", 2, source="yard")
        await pull.until_there("AB2")
        _, body, _ = await pull.rig.call(f"{LAST}&format=inf")
        assert body.decode().splitlines()[:2] == ["time_0=2024-02-01 06:00:06.509", "plate_0=AB2"]
        assert len(body.decode().splitlines()) == 10


async def test_before_the_first_passage_the_answer_is_empty(tmp_path: Path) -> None:
    async with pulling(tmp_path) as pull:
        assert (await pull.rig.call(f"{LAST}&format=inf"))[:2] == (200, b"")


async def test_a_log_in_is_needed(tmp_path: Path) -> None:
    async with pulling(tmp_path) as pull:
        for path in (LAST, f"{ADMIN}?action=get.system.information"):
            status, _, response = await pull.rig.call(path, account=None)
            assert status == 401
            assert response.headers["WWW-Authenticate"].startswith("Digest")
        assert (await pull.rig.call(LAST, account="viewer"))[0] == 200


@pytest.mark.parametrize(
    "query", ["", "?action=set.lpr.lastdata", "?action=get.lpr.lastdata&format=xml", "?action=" + "x" * 2000]
)
async def test_what_is_not_known_is_said(tmp_path: Path, query: str) -> None:
    async with pulling(tmp_path) as pull:
        status, body, _ = await pull.rig.call(OPERATOR + query)
        assert status == 400
        assert b"get.lpr.lastdata" in body or b"format is" in body


async def test_what_the_device_is(tmp_path: Path) -> None:
    async with pulling(tmp_path) as pull:
        _, body, _ = await pull.rig.call(f"{ADMIN}?action=get.system.information&format=json")
        assert json.loads(body) == {
            "deviceName": "Gate's; camera",
            "model": "lpr",
            "snCode": "0123456789abcdef",
            "firmwareVersion": "0.1.0",
        }
        _, body, _ = await pull.rig.call(f"{ADMIN}?action=get.system.information")
        assert body.startswith(b"deviceName='Gates camera';model='lpr';")
        assert (await pull.rig.call(f"{ADMIN}?action=get.system.information&format=xml"))[0] == 400
        assert (await pull.rig.call(f"{ADMIN}?action=reboot"))[0] == 400

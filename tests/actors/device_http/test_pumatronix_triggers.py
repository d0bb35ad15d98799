"""Clients that wait for triggered pictures: who gets which capture, what a slow one loses, when it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from socket import socket
from typing import Any, cast

import aiohttp
import anyio
import cv2
import msgspec
import numpy as np
import pytest

from lpr.actors.device_http.pumatronix import Triggers, triggers
from lpr.actors.device_http.pumatronix.triggers import TooManyWaiting, shots
from lpr.config import Pumatronix as Settings
from lpr.core.blobs import name_of
from lpr.core.clock import SystemClock
from lpr.core.errors import LogUnavailable
from lpr.core.log import EventLog
from lpr.core.record import Link
from lpr.core.shutter import Shot
from lpr.events import ApiCalled, Picture, SourceLost
from lpr.protocols.vtr600.comment import fields_of, read_items
from lpr.protocols.vtr600.segments import last_comment
from tests.actors.device_http.pumatronix_rig import AT, FakeCamera, began, pumatronix, recorded
from tests.actors.device_http.rig import ACCOUNTS

PATIENCE = 30
BASIC = {"Authorization": aiohttp.encode_basic_auth("viewer", ACCOUNTS.password_of("viewer") or "")}
TRIGGER = "api/trigger.cgi"


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


# --- the captures ------------------------------------------------------------------------------------------


@asynccontextmanager
async def captures(
    folder: Path, *, clients: int = 8, queue: int = 8
) -> AsyncGenerator[tuple[EventLog, Triggers], None]:
    async with EventLog.open(folder / "events.db", SystemClock()) as log, anyio.create_task_group() as tasks:
        made = Triggers(log, "gate", clients=clients, queue=queue)
        tasks.start_soon(made.run)
        with anyio.fail_after(PATIENCE):
            yield log, made
        tasks.cancel_scope.cancel()


async def test_a_client_gets_the_captures_of_its_camera_from_now_on(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path)
    async with captures(tmp_path) as (log, made):
        await log.append(recorded(camera.shot(1, "gate@1")), actor="engine")
        with made.waiting() as first:
            two = camera.shot(2, "gate@2")
            await log.append([*recorded(camera.shot(1, "north@1"), "north"), *recorded(two)], actor="engine")
            sighting = Shot("gate@3", AT, (), two.readings)
            await log.append(recorded(sighting), actor="engine")
            with made.waiting() as second:
                await log.append(recorded(four := camera.shot(1, "gate@4")), actor="engine")
                for client, wanted in ((first, (two, four)), (second, (four,))):
                    for shot in wanted:
                        taken = await client.next()
                        assert taken is not None and (taken.shot, taken.lost) == (shot, 0)


async def test_one_who_comes_later_gets_nothing_from_before(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path)
    async with captures(tmp_path) as (log, made):
        with made.waiting():
            pass
        await log.append(recorded(camera.shot(1, "gate@1")), actor="engine")
        with made.waiting() as client:
            await log.append(recorded(two := camera.shot(1, "gate@2")), actor="engine")
            taken = await client.next()
            assert taken is not None and taken.shot == two


async def test_a_slow_client_loses_the_oldest_and_is_told(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path)
    async with captures(tmp_path, queue=2) as (log, made):
        with made.waiting() as slow, made.waiting() as quick:
            for number in range(5):
                await log.append(recorded(camera.shot(1, f"gate@{number}")), actor="engine")
                taken = await quick.next()
                assert taken is not None and (taken.shot.capture, taken.lost) == (f"gate@{number}", 0)
            for number, lost in ((3, 3), (4, 0)):
                taken = await slow.next()
                assert taken is not None and (taken.shot.capture, taken.lost) == (f"gate@{number}", lost)


async def test_places_are_bounded_and_come_back(tmp_path: Path) -> None:
    async with captures(tmp_path, clients=1) as (_, made):
        with made.waiting(), pytest.raises(TooManyWaiting, match="1 clients wait"), made.waiting():
            pass
        with made.waiting():
            pass


async def test_the_end_comes_after_what_waits(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path)
    async with captures(tmp_path) as (log, made):
        with made.waiting() as client, made.waiting() as other:
            await log.append(recorded(camera.shot(1)), actor="engine")
            assert await other.next() is not None
            client.end()
            assert await client.next() is not None
            assert await client.next() is None


async def test_a_log_that_can_not_be_read_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggers, "RETRY", 0.01)
    camera = FakeCamera(tmp_path)
    async with EventLog.open(tmp_path / "events.db", SystemClock()) as log, anyio.create_task_group() as tasks:
        read, broken = log.read, [True, True]

        async def reading(*given: Any, **named: Any) -> list[Link]:
            if broken:
                broken.pop()
                raise LogUnavailable("the disk is full")
            return await read(*given, **named)

        monkeypatch.setattr(log, "read", reading)
        made = Triggers(log, "gate", clients=1, queue=1)
        tasks.start_soon(made.run)
        with anyio.fail_after(PATIENCE), made.waiting() as client:
            await log.append(recorded(camera.shot(1)), actor="engine")
            assert await client.next() is not None
        assert not broken
        tasks.cancel_scope.cancel()


async def test_captures_over_several_pages_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggers, "PAGE", 3)
    camera = FakeCamera(tmp_path)
    async with captures(tmp_path, queue=9) as (log, made):
        with made.waiting() as client:
            every = [camera.shot(1, f"gate@{number}") for number in range(7)]
            await log.append([event for shot in every for event in recorded(shot)], actor="engine")
            for shot in every:
                taken = await client.next()
                assert taken is not None and taken.shot == shot


async def test_a_record_that_can_not_be_decoded_is_passed_over(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path)
    async with EventLog.open(tmp_path / "events.db", SystemClock()) as log:
        records = await log.append(recorded(camera.shot(1)), actor="engine")
    broken = Link(1, "CaptureTaken", 1, 0, b"{}")
    other = Link(2, SourceLost.__name__, 1, 0, b"{}")
    assert [shot.capture for _, shot in shots([broken, other, *records], "gate")] == [f"gate@{AT}"]


# --- the answers -------------------------------------------------------------------------------------------


def plates(jpeg: bytes) -> tuple[str, ...]:
    text = last_comment(jpeg)
    assert text is not None
    return fields_of(read_items(text), utc_offset=-180).plates


async def refusal(response: aiohttp.ClientResponse) -> tuple[int, str]:
    return response.status, json.loads(await response.read())["error"]


async def test_each_capture_is_a_part_as_it_happens(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        with anyio.fail_after(PATIENCE):
            async with rig.session.get(rig.url + TRIGGER + "?User_lane=north", headers=BASIC) as response:
                assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=trigger"
                reader = aiohttp.MultipartReader.from_response(response)
                for number in range(3):
                    await rig.log.append(recorded(camera.shot(2, f"gate@{number}")), actor="engine")
                    for index, read in ((0, ("ABC1D23",)), (1, ())):
                        part = cast(aiohttp.BodyPartReader, await reader.next())
                        assert part.headers["X-Frame-Index"] == str(index)
                        assert "X-Captures-Lost" not in part.headers
                        picture = bytes(await part.read())
                        assert plates(picture) == read
                        assert f"LprCapture=gate@{number};".encode() in picture and b"User_lane=north;" in picture
            await began(rig)
        assert camera.fired == []
        calls = [record.event for record in await rig.log.read(0, types=(ApiCalled.__name__,))]
        told = [call for call in calls if isinstance(call, ApiCalled) and call.path == "/" + TRIGGER]
        assert [(call.user, call.status, call.query) for call in told] == [("viewer", 200, "User_lane=north")]


async def test_what_is_captured_by_force_comes_to_those_who_wait(tmp_path: Path) -> None:
    """As the maker has it: force=1 is answered by a line of text, the picture goes to those who wait."""
    async with pumatronix(tmp_path) as (rig, camera):
        status, body, answer = await rig.call(TRIGGER + "?force=1&s=1,2")
        assert (status, body, answer.content_type) == (200, b"forceTriggerRequest", "text/plain")
        assert camera.fired == [("api", "trigger for nvr", 2)]


async def test_a_row_of_whole_answers(tmp_path: Path) -> None:
    """Read by Python's own reader of HTTP answers, one after the other from one connection."""
    async with pumatronix(tmp_path, Settings(trigger_form="responses")) as (rig, camera):
        place = rig.server.place
        assert place is not None
        with anyio.fail_after(PATIENCE):
            async with await anyio.connect_tcp(place.host, place.port) as stream:
                ask = f"GET /{TRIGGER} HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC['Authorization']}\r\n\r\n"
                await stream.send(ask.encode())
                await began(rig)
                for number in range(3):
                    await rig.log.append(recorded(camera.shot(2, f"gate@{number}")), actor="engine")
                data = b""
                while data.count(b"\xff\xd9") < 6:
                    data += await stream.receive()
        row = BytesIO(data)
        for number in range(6):
            answer = HTTPResponse(cast(socket, Row(row)), method="GET")
            answer.begin()
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
            assert answer.headers["X-Frame-Index"] == str(number % 2)
            assert answer.headers["Cache-Control"] == "no-store"
            assert f"LprCapture=gate@{number // 2};".encode() in answer.read()
        assert row.read() == b""


class Row:
    """What HTTPResponse needs of a socket: here one file for all of them."""

    def __init__(self, file: BytesIO) -> None:
        self.file = file

    def makefile(self, mode: str) -> BytesIO:
        assert mode == "rb"
        return Open(self.file)


class Open(BytesIO):
    """Reads on from ``file`` and leaves it open."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        return self._file.read(size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._file.readline(size)


async def test_an_ordinary_client_takes_the_first_of_the_row(tmp_path: Path) -> None:
    async with (
        pumatronix(tmp_path, Settings(trigger_form="responses")) as (rig, camera),
        anyio.create_task_group() as tasks,
    ):

        async def take() -> None:
            async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as response:
                assert response.status == 200 and plates(await response.read()) == ("ABC1D23",)
            tasks.cancel_scope.cancel()

        with anyio.fail_after(PATIENCE):
            tasks.start_soon(take)
            await began(rig)
            await rig.log.append(recorded(camera.shot(1)), actor="engine")
            await anyio.sleep_forever()


@pytest.mark.parametrize(("form", "status"), [("multipart", 200), ("responses", 204)])
async def test_it_ends_when_nothing_is_captured(tmp_path: Path, form: Any, status: int) -> None:
    settings = Settings(trigger_form=form, trigger_idle=0.05)
    async with pumatronix(tmp_path, settings) as (rig, _):
        with anyio.fail_after(PATIENCE):
            async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as response:
                assert response.status == status
                assert await response.read() == (b"\r\n--trigger--\r\n" if status == 200 else b"")


async def test_it_ends_with_the_service(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with pumatronix(tmp_path) as (rig, _):
            response = await session.get(rig.url + TRIGGER, headers=BASIC)
        with anyio.fail_after(PATIENCE):
            assert (await response.read()).endswith(b"--trigger--\r\n")


async def test_a_client_that_goes_gives_its_place_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpr.actors.device_http.pumatronix.row.LOOK", 0.02)
    async with pumatronix(tmp_path, Settings(trigger_clients=1)) as (rig, _):
        with anyio.fail_after(PATIENCE):
            async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as first:
                assert first.status == 200
                async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as second:
                    assert await refusal(second) == (503, "1 clients wait for captures already")
            while True:
                async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as again:
                    if again.status == 200:
                        break


async def test_a_picture_that_is_gone_counts_as_lost(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        with anyio.fail_after(PATIENCE):
            async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as response:
                whole = camera.shot(1, "gate@1")
                missing = Picture(blob=name_of(b"gone"), width=64, height=48, bytes=4)
                exposure = msgspec.structs.replace(whole.exposures[0], picture=missing)
                await rig.log.append(recorded(replace(whole, exposures=(exposure,))), actor="engine")
                await rig.log.append(recorded(camera.shot(2, "gate@2")), actor="engine")
                reader = aiohttp.MultipartReader.from_response(response)
                first = cast(aiohttp.BodyPartReader, await reader.next())
                assert first.headers["X-Captures-Lost"] == "1"
                assert b"LprCapture=gate@2;" in bytes(await first.read())
                second = cast(aiohttp.BodyPartReader, await reader.next())
                assert "X-Captures-Lost" not in second.headers


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("s=1,2", "s, g: whatever takes a capture"),
        ("m=1", "m: there is no mosaic here"),
        ("q=0", "q: 1 to 100"),
        ("force=1&q=50", "q, User_: no picture"),
        ("force=1&User_a=b", "q, User_: no picture"),
    ],
)
async def test_refused(tmp_path: Path, query: str, says: str) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        status, body, _ = await rig.call(f"{TRIGGER}?{query}")
        assert status == 400 and json.loads(body)["error"].startswith(says)
        assert camera.fired == []


async def test_who_may(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera):
        status, body, _ = await rig.call(TRIGGER + "?force=1", "viewer")
        assert status == 403 and b"operator" in body and camera.fired == []
        assert (await rig.call(TRIGGER, None))[0] == 401
        camera.broken = "the disk is full"
        status, body, _ = await rig.call(TRIGGER + "?force=1")
        assert status == 503 and json.loads(body) == {"error": "the disk is full"}


async def test_a_client_that_takes_nothing_is_dropped_and_holds_up_nobody(tmp_path: Path) -> None:
    async with pumatronix(tmp_path, Settings(trigger_clients=2), send_timeout=0.3) as (rig, camera):
        noise = np.random.default_rng(1).integers(0, 255, (1500, 2000, 3), np.uint8)
        jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
        camera.blobs.store(jpeg)
        picture = Picture(blob=name_of(jpeg), width=2000, height=1500, bytes=len(jpeg))
        place = rig.server.place
        assert place is not None and len(jpeg) > 1_000_000
        with anyio.fail_after(PATIENCE):
            async with await anyio.connect_tcp(place.host, place.port) as stalled:
                ask = f"GET /{TRIGGER} HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC['Authorization']}\r\n\r\n"
                await stalled.send(ask.encode())
                await began(rig)
                async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as quick:
                    reader = aiohttp.MultipartReader.from_response(quick)
                    for number in range(8):
                        whole = camera.shot(1, f"gate@{number}")
                        exposure = msgspec.structs.replace(whole.exposures[0], picture=picture)
                        await rig.log.append(recorded(replace(whole, exposures=(exposure,) * 2)), actor="engine")
                        for _ in range(2):
                            part = cast(aiohttp.BodyPartReader, await reader.next())
                            assert f"LprCapture=gate@{number};".encode() in bytes(await part.read())
                            assert "X-Captures-Lost" not in part.headers
                    while True:  # the stalled one's place is free once it was dropped
                        async with rig.session.get(rig.url + TRIGGER, headers=BASIC) as again:
                            if again.status == 200:
                                break
                        await anyio.sleep(0.02)

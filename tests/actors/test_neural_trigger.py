"""The trigger server: answers, the period, refusals, what is discarded, idle and slow clients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lpr.events import AbuseSeen, BlobMissing, ClientJoined, ClientLeft, Picture
from tests.actors.milesight_rig import Rig, rig
from tests.actors.neural_rig import Camera, messages, reading, start_trigger

pytestmark = pytest.mark.anyio
FULL = b"\xff\xd8full"


async def picture(r: Rig, data: bytes = FULL) -> Picture:
    return Picture(blob=await r.blobs.put(data), width=1280, height=720, bytes=len(data))


async def test_a_trigger_is_answered_with_the_plate_alone(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        camera = Camera(readings=((0, reading("AB12")),))
        server = await start_trigger(r, camera)
        client = await r.connect(server)
        await client.send(b"TRIGGER\r\n")
        assert await client.receive() == b"AB12"
        assert camera.fired == ["socket: neural-trigger from 127.0.0.1"]
        assert r.blobs.reads == 0


async def test_the_surest_reading_of_all_captures_is_the_answer(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        readings = ((0, reading("AB1Z", 0.5)), (1, reading("AB12", 0.8)), (2, reading("", 0.99)))
        server = await start_trigger(r, Camera(await picture(r), readings), answer="XML_IMG", captures=3)
        client = await r.connect(server)
        await client.send(b"TRIGGER")
        [message] = await messages(client, 1)
        record = message.record
        assert (record.plate, record.confidence, record.image) == ("AB12", 80.0, FULL)
        assert record.time == "2024-02-01 06:00:05.510"
        assert (record.camera_name, record.lane_name, record.lane_id, record.guid) == (
            "gate", "1", "2", "gate@1706767205509999",
        )  # fmt: skip
        assert (record.left, record.top, record.width, record.height) == (10, 20, 100, 30)


@pytest.mark.parametrize(
    ("answer", "pictures"), [("XML", False), ("XML_IMG", True), ("JSON", False), ("JSON_IMG", True)]
)
async def test_without_a_plate_the_answer_says_so(tmp_path: Path, answer: str, pictures: bool) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(r, Camera(await picture(r)), answer=answer)
        client = await r.connect(server)
        await client.send(b"TRIGGER\n")
        [message] = await messages(client, 1)
        assert (message.record.plate, message.record.feedback) == ("", "NOPLATE")
        assert message.record.image == (FULL if pictures else None)
        assert message.syntax == answer[:4].removesuffix("_").lower()


async def test_simple_answers_without_a_plate_and_with_an_end(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(r, Camera(), simple_end="crlf", no_plate="-")
        client = await r.connect(server)
        await client.send(b"TRIGGER\n")
        assert await client.receive() == b"-\r\n"


async def test_the_period_is_kept_over_all_clients_and_a_refused_trigger_is_answered(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        camera = Camera(readings=((0, reading("AB12")),))
        server = await start_trigger(r, camera, period=5, answer="JSON", framed=False)
        first, second = await r.connect(server), await r.connect(server)
        await first.send(b"TRIGGER")
        assert json.loads(await first.receive())["infoplate"]["Plate"] == "AB12"
        r.clock.advance(2.6)
        await second.send(b"TRIGGER")
        answer = json.loads(await second.receive())["infoplate"]
        assert (answer["Plate"], answer["Feedback"]) == ("", "REFUSED: the next trigger may come in 2.4 s")
        assert len(camera.fired) == 1
        r.clock.advance(2.4)
        await second.send(b"TRIGGER")
        assert json.loads(await second.receive())["infoplate"]["Plate"] == "AB12"
        assert len(camera.fired) == 2


async def test_a_camera_that_sees_nothing_refuses(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(r, Camera(refuses="the camera gate gives no pictures (lost)"), answer="XML")
        client = await r.connect(server)
        await client.send(b"TRIGGER")
        [message] = await messages(client, 1)
        assert message.record.feedback == "REFUSED: the camera gate gives no pictures (lost)"


async def test_simple_refusals_are_one_word(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(r, Camera(readings=((0, reading("AB12")),)), simple_end="lf")
        client = await r.connect(server)
        await client.send(b"TRIGGER\nTRIGGER\n")
        received = b""
        while received.count(b"\n") < 2:
            received += await client.receive()
        assert received == b"AB12\nREFUSED\n"


async def test_another_message_is_discarded_and_counted(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        camera = Camera(readings=((0, reading("AB12")),))
        server = await start_trigger(r, camera, message="GO!")
        client = await r.connect(server)
        await client.send(b"TRIGGER\r\ngo!\r\nGO!")
        assert await client.receive() == b"AB12"
        assert len(camera.fired) == 1
        [abuse] = await r.told(AbuseSeen)
        assert abuse.counts == {"not the trigger's message": 2}


async def test_an_unfinished_message_is_discarded_after_a_pause(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        camera = Camera(readings=((0, reading("AB12")),))
        server = await start_trigger(r, camera, pause=0.5)
        client = await r.connect(server)
        await r.told(ClientJoined)
        await client.send(b"TRIG")
        await r.told(AbuseSeen)
        await client.send(b"TRIGGER")
        assert await client.receive() == b"AB12"
        assert len(camera.fired) == 1


async def test_a_client_that_closes_its_side_still_gets_its_answer(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(r, Camera(readings=((0, reading("AB12")),)))
        client = await r.connect(server)
        await client.send(b"TRIGGER")
        client.sock.shutdown(1)
        assert await client.receive() == b"AB12"
        assert await client.closed()
        [left] = await r.told(ClientLeft)
        assert (left.reason, left.sent) == ("closed by client", 1)


async def test_idle_connections_end_and_make_room_before(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(
            r, Camera(readings=((0, reading("AB12")),)), idle_timeout=10, max_clients=2, max_clients_per_address=2
        )
        used, idle = await r.connect(server), await r.connect(server)
        await r.told(ClientJoined, 2)
        await used.send(b"TRIGGER")
        assert await used.receive() == b"AB12"
        third = await r.connect(server)
        assert await idle.closed()
        await r.told(ClientJoined, 3)
        await r.until(lambda: server.clients == 1, advance=0.25)
        assert await third.closed()
        r.clock.advance(100)
        await used.send(b"TRIGGER")
        assert await used.receive() == b"AB12"
        reasons = [event.reason for event in await r.told(ClientLeft, 2)]
        assert reasons == ["made room for another connection", "nothing was triggered in time"]


async def test_idle_and_endlessly_slow_strangers_do_not_keep_a_controller_out(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        camera = Camera(readings=((0, reading("AB12")),))
        server = await start_trigger(r, camera, max_clients=20, max_clients_per_address=20, connects=1000)
        strangers = [await r.connect(server) for _ in range(100)]
        await r.told(ClientJoined, 100)
        for stranger in strangers[-10:]:
            await stranger.send(b"T")
        controller = await r.connect(server)
        for byte in b"TRIGGER":
            await controller.send(bytes([byte]))
            await r.settle(5)
        assert await controller.receive() == b"AB12"
        assert server.clients == 20
        assert len(camera.fired) == 1


async def test_a_client_that_takes_no_answers_is_dropped(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        big = await picture(r, b"\xff\xd8" + bytes(4_000_000))
        server = await start_trigger(r, Camera(big, ((0, reading("AB12")),)), answer="XML_IMG", send_timeout=5)
        client = await r.connect(server, receive_buffer=4096)
        await client.send(b"TRIGGER")
        [left] = await r.told(ClientLeft)
        assert left.reason == "too slow"
        assert await client.closed()


async def test_a_picture_that_is_gone_again_is_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_trigger(r, Camera(readings=((0, reading("AB12")),)), answer="XML_IMG")
        client = await r.connect(server)
        await client.send(b"TRIGGER")
        [message] = await messages(client, 1)
        assert (message.record.plate, message.record.image) == ("AB12", None)
        [missing] = await r.told(BlobMissing)
        assert missing.noticed_by == "neural-trigger"

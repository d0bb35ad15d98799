"""The small NVR and the small receiver, as people run them, against the real server and the real push."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from lpr.events import ClientJoined
from lpr.protocols.milesight import Metadata, encode_login_reply, encode_recognition
from tests.actors.milesight_rig import PASSWORD, rig
from tools.fake_nvr import Keeper, Refused, Visit, stay, visit

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_nvr_keeps_passages_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "passages.jsonl"
    async with rig(tmp_path) as r:
        server = await r.start()
        with record.open("a", encoding="utf-8") as file:
            keeper = Keeper(tmp_path, file, 2, quiet=False)
            where = Visit(*server.addresses[0], "admin", PASSWORD, register=True)
            staying = asyncio.create_task(stay(where, keeper, once=False, retry=0.0))
            await r.told(ClientJoined)
            await r.passage("AB1", full=b"the street", crop=b"the plate")
            await r.passage("부산 1", full=b"the street", crop=None)
            assert await staying == 0
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["plate"] for line in lines] == ["AB1", "부산 1"]
    assert [len(line["images"]) for line in lines] == [2, 1]
    assert (tmp_path / "1706767205509-AB1-0.jpg").read_bytes() == b"the plate"
    assert (tmp_path / "1706767205509-AB1-1.jpg").read_bytes() == b"the street"
    assert "AB1" in capsys.readouterr().out


async def test_the_nvr_says_why_it_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        where = Visit(*server.addresses[0], "admin", "wrong")
        assert await stay(where, Keeper(None, None, 0, True), once=True, retry=0.0) == 1
        with pytest.raises(Refused, match="401"):
            await visit(where, Keeper(None, None, 0, True))
    assert await stay(where, Keeper(None, None, 0, True), once=True, retry=0.0) == 2
    assert "log-in refused: 401" in capsys.readouterr().err


async def test_the_nvr_tells_a_server_of_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    async with server:
        where = Visit("127.0.0.1", server.sockets[0].getsockname()[1], "admin", "x")
        assert await stay(where, Keeper(None, None, 0, True), once=True, retry=0.0) == 1
    assert "not Milesight's protocol: bad start" in capsys.readouterr().err


async def test_the_nvr_comes_back_when_a_camera_is_killed_inside_a_message() -> None:
    visits = 0

    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await reader.read(1000)
        metadata = Metadata(guid=bytes(16), time_ms=0, plate=f"AB{visits}")
        message = encode_recognition(metadata, (b"jpeg" * 100,), "1.6")
        writer.write(encode_login_reply("200") + (message if visits == 3 else message[:50]))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(dying, "127.0.0.1", 0)
    async with server:
        keeper = Keeper(None, None, 1, True)
        where = Visit("127.0.0.1", server.sockets[0].getsockname()[1], "admin", "x")
        assert await stay(where, keeper, once=False, retry=0.0) == 0
    assert (visits, keeper.seen) == (3, 1)

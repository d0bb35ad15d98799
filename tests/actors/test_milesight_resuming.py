"""What a client of the Milesight server missed, it gets when it comes back. On asyncio and trio."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpr.events import ClientJoined, ClientLeft, ClientServed
from tests.actors.milesight_rig import rig

pytestmark = pytest.mark.anyio


async def test_a_client_that_comes_back_gets_what_it_missed(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        await r.passage("AB0")
        client = await r.join(server)
        seen = await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]
        served = await r.told(ClientServed)
        assert [event.upto for event in served] == [seen]
        client.close()
        await r.told(ClientLeft)
        await r.passage("AB2")
        await r.passage("AB3")
        again = await r.join(server)
        assert await again.plates(2) == ["AB2", "AB3"]
        joined = await r.events(ClientJoined)
        assert joined[-1].client == "admin@127.0.0.1"
        assert joined[-1].resumes_after == seen


async def test_what_was_not_acknowledged_and_settled_is_sent_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        client = await r.join(server)
        await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]
        client.close()  # at once: whether its program has used the passage is anybody's guess
        await r.until(lambda: server.clients == 0)
        again = await r.join(server)
        assert await again.plates(1) == ["AB1"]


async def test_resuming_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        first = await r.start(name="one")
        client = await r.join(first)
        await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]
        await r.told(ClientServed)
        await r.passage("AB2")
        await client.plates(1)
        second = await r.start(name="one")
        again = await r.join(second)
        assert await again.plates(1) == ["AB2"]
        third = await r.start(name="another")
        elsewhere = await r.join(third)
        await r.passage("AB3")
        assert await elsewhere.plates(1) == ["AB3"]


async def test_without_resume_a_client_begins_at_the_head(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(resume=False)
        (await r.join(server)).close()
        await r.until(lambda: server.clients == 0)
        await r.passage("AB1")
        client = await r.join(server)
        await r.passage("AB2")
        assert await client.plates(1) == ["AB2"]


async def test_resuming_has_a_limit(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(resume_limit=3)
        (await r.join(server)).close()
        await r.until(lambda: server.clients == 0)
        for number in range(6):
            await r.passage(f"AB{number}")
        client = await r.join(server)
        assert await client.plates(3) == ["AB3", "AB4", "AB5"]


async def test_a_client_far_behind_pages_from_the_log(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        (await r.join(server)).close()
        await r.until(lambda: server.clients == 0)
        plates = [f"P{number}" for number in range(150)]
        for plate in plates:
            await r.passage(plate, full=None, crop=None)
        again = await r.start(name="milesight")
        client = await r.join(again)
        assert await client.plates(150) == plates


async def test_served_is_told_at_a_bounded_rate(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        client = await r.join(await r.start())
        for number in range(30):
            await r.passage(f"AB{number}", full=None, crop=None)
            await client.plates(1)
        assert await r.events(ClientServed) == []
        served = await r.told(ClientServed)
        assert served[-1].upto == r.log.head - 1
        assert len(served) <= 2

"""Clients of the Milesight server that take little, and pictures that go meanwhile. On asyncio and trio."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpr.events import AbuseSeen, BlobMissing, ClientLeft, PassageSigned, Picture
from lpr.protocols.milesight import encode_registration
from tests.actors.milesight_rig import rig

pytestmark = pytest.mark.anyio
BIG = bytes(range(256)) * 1536  # 384 KiB, more than the buffers of a stalled connection take


async def test_a_client_that_takes_nothing_is_dropped_and_harms_nobody(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(buffer=65536, send_timeout=30.0, cache=1)
        stalled, good = await r.join(server, receive_buffer=16384), await r.join(server)
        for number in range(4):
            await r.passage(f"AB{number}", full=BIG)
            assert await good.plates(1) == [f"AB{number}"]
        assert server.feed.cached <= len(BIG) + 200
        r.clock.advance(29)
        await r.settle()
        assert server.clients == 2
        left = await r.told(ClientLeft)
        assert left[0].reason == "too slow"
        assert left[0].sent == 0
        assert (await r.told(AbuseSeen))[0].counts == {"too slow": 1}
        await r.passage("AB4")
        assert await good.plates(1) == ["AB4"]
        assert await stalled.closed()


async def test_a_slow_client_gets_every_byte_though_its_passage_left_the_cache(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(buffer=65536, cache=1)
        slow, good = await r.join(server, receive_buffer=16384), await r.join(server)
        for number in range(3):
            await r.passage(f"AB{number}", full=BIG)
            await good.plates(1)
        assert [passage.images[1] == BIG for passage in await slow.passages(3)] == [True] * 3


async def test_a_picture_removed_while_it_is_sent_ends_that_connection(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(buffer=65536, cache=1)
        slow = await r.join(server, receive_buffer=16384)
        await r.passage("AB0", full=BIG)
        await r.until(lambda: r.blobs.reads >= 2)
        await r.settle()
        signed = await r.events(PassageSigned)
        r.blobs.path(signed[0].picture.blob).unlink()
        await r.passage("AB1")
        await (await r.join(server)).send(encode_registration())
        await server.feed.message(r.log.head)
        await r.until(lambda: server.feed.cached < len(BIG))
        assert await slow.closed()
        left = await r.told(ClientLeft)
        assert left[0].reason == "a picture was removed while it was being sent"


async def test_a_missing_picture_does_not_hold_up_its_passage(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        client = await r.join(server)
        gone = Picture(blob="ab" * 32, width=1, height=1, bytes=1)
        seq = await r.passage("AB1", full=None)
        first = (await r.events(PassageSigned))[0]
        await r.log.append(
            [PassageSigned(passage=first.passage, plate="", at=0, picture=gone, plate_picture=gone, key="")],
            actor="signer",
        )
        passages = await client.passages(2)
        assert [passage.images for passage in passages] == [(b"plate",), ()]
        missing = await r.told(BlobMissing)
        assert [(event.blob, event.noticed_by) for event in missing] == [("ab" * 32, "milesight")]
        assert seq


async def test_a_passage_whose_decision_is_gone_is_passed_over(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        client = await r.join(await r.start())
        nothing = Picture(blob="", width=0, height=0, bytes=0)
        await r.log.append(
            [PassageSigned(passage="?", plate="", at=0, picture=nothing, plate_picture=nothing, key="")], actor="signer"
        )
        await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]

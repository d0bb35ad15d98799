"""The socket server: what readers get, who may connect, slow and hostile readers, a log that takes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from lpr.actors.neural import NeuralServer
from lpr.config import NeuralServer as NeuralServerSettings
from lpr.core.actor import emitter
from lpr.core.errors import BlobMissingError, LogUnavailable
from lpr.core.record import Record
from lpr.events import AbuseSeen, BlobMissing, ClientJoined, ClientLeft, Event, ServerListening
from tests.actors.milesight_rig import Client, rig
from tests.actors.neural_rig import messages, passage, start_server

pytestmark = pytest.mark.anyio
BIG = b"\xff\xd8" + bytes(3_000_000)


async def test_every_reader_gets_every_passage_from_its_connection_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r)
        await passage(r, "BEFORE")
        await r.until(lambda: r.log.head > 0)
        first, second = await r.connect(server), await r.connect(server)
        await r.told(ClientJoined, 2)
        for plate in ("AA11", "BB22"):
            await passage(r, plate, full=b"\xff\xd8full")
        for client in (first, second):
            found = await messages(client, 2)
            assert [message.record.plate for message in found] == ["AA11", "BB22"]
            assert [message.record.image for message in found] == [b"\xff\xd8full"] * 2
            assert found[0].record.lane_id == "2"
            assert found[0].framed
        assert server.clients == 2
        [listening] = await r.events(ServerListening)
        assert listening.server == "neural-server"


async def test_pictures_are_read_once_for_all_and_only_when_wanted(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, format="JSON")
        clients = [await r.connect(server) for _ in range(5)]
        await r.told(ClientJoined, 5)
        await passage(r, "AA11")
        for client in clients:
            [message] = await messages(client, 1)
            assert (message.syntax, message.record.image) == ("json", None)
        assert r.blobs.reads == 0
        with_pictures = await start_server(r, name="other", plate_evidence=True)
        clients = [await r.connect(with_pictures) for _ in range(5)]
        await r.told(ClientJoined, 10)
        await passage(r, "BB22", full=b"\xff\xd8full", crop=b"\xff\xd8plate")
        for client in clients:
            [message] = await messages(client, 1)
            assert [evidence.image for evidence in message.record.evidences] == [b"\xff\xd8plate"]
        assert r.blobs.reads == 2


async def test_only_the_configured_cameras(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        none, some = await start_server(r, cameras=["yard"]), await start_server(r, name="b", cameras=["gate"])
        deaf, client = await r.connect(none), await r.connect(some)
        await r.told(ClientJoined, 2)
        await passage(r, "AA11")
        assert [message.record.plate for message in await messages(client, 1)] == ["AA11"]
        await r.until(lambda: len(none.feed._built) == 1)  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(BlockingIOError):
            deaf.sock.recv(1)


async def test_the_short_form_and_columns(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(
            r, format="XML", form="short", short_fields=["Plate"], framed=False, end="crlf", columns={"No. 1": "{PLT}!"}
        )
        client = await r.connect(server)
        await r.told(ClientJoined)
        await passage(r, "A<1")
        data = await client.receive()
        assert data.startswith(b"<?xml")
        assert b"<infoplate><Plate>A&lt;1</Plate><No._x0020_1>A&lt;1!</No._x0020_1></infoplate>\r\n" in data


async def test_a_stalled_reader_costs_no_memory_is_dropped_and_holds_up_nobody(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, send_timeout=5, buffer=65536)
        slow = await r.connect(server, receive_buffer=4096)
        await r.told(ClientJoined)
        for number in range(3):
            await passage(r, f"AA{number}", full=BIG)
        quick = await r.connect(server)
        await r.told(ClientJoined, 2)
        await passage(r, "ZZ99", full=BIG)
        assert [message.record.plate for message in await messages(quick, 1)] == ["ZZ99"]
        assert server.feed.cached < 2 * 4_100_000
        [left] = await r.told(ClientLeft)
        assert (left.client, left.reason) == (f"127.0.0.1:{slow.sock.getsockname()[1]}", "too slow")
        assert server.clients == 1
        [abuse] = await r.events(AbuseSeen)
        assert abuse.counts == {"too slow": 1}
        assert await slow.closed()


async def test_a_lost_picture_is_told_once_and_the_passages_still_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(blob: str) -> bytes:
        raise BlobMissingError(blob, "there is no such picture")

    async with rig(tmp_path) as r:
        monkeypatch.setattr(r.blobs, "get", gone)
        server = await start_server(r)
        client = await r.connect(server)
        await r.told(ClientJoined)
        for plate in ("AA11", "BB22"):
            await passage(r, plate)
        found = [message.record for message in await messages(client, 2)]
        assert [(record.plate, record.image) for record in found] == [("AA11", None), ("BB22", None)]
        assert len(await r.told(BlobMissing)) == 1


@pytest.mark.parametrize("allow", [["10.0.0.0/8", "fd00::/8"], ["127.0.0.2"]])
async def test_an_address_that_is_not_allowed_is_closed_at_once(tmp_path: Path, allow: list[str]) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, allow=allow)
        client = await r.connect(server)
        assert await client.closed()
        [abuse] = await r.told(AbuseSeen)
        assert abuse.counts == {"address not allowed": 1}
        assert await r.events(ClientJoined) == []


async def test_idle_connections_are_bounded_by_address_and_in_all(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, max_clients=3, max_clients_per_address=2)
        kept = [await r.connect(server) for _ in range(2)]
        await r.told(ClientJoined, 2)
        refused = await r.connect(server)
        assert await refused.closed()
        await passage(r, "AA11")
        for client in kept:
            assert len(await messages(client, 1)) == 1


async def test_two_hundred_idle_connections_cost_nobody_a_passage(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, max_clients=100, max_clients_per_address=100, connects=1000)
        idle = [await r.connect(server) for _ in range(200)]
        await r.told(ClientJoined, 100)
        [*_, abuse] = await r.told(AbuseSeen)
        assert set(abuse.counts) == {"too many connections from one address"}
        assert server.clients == 100
        await passage(r, "AA11")
        assert [message.record.plate for message in await messages(idle[0], 1)] == ["AA11"]
        assert r.blobs.reads == 1


async def test_coming_and_going_does_not_fill_the_log(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, connects=5)
        clients: list[Client] = []
        for _ in range(20):
            clients.append(await r.connect(server))
            clients[-1].close()
        [*_, abuse] = await r.told(AbuseSeen)
        assert set(abuse.counts) == {"too many connections a minute"}
        await r.until(lambda: server.clients == 0, advance=0.25)
        assert len(await r.events(ClientJoined)) == 5


async def test_a_reader_that_talks_is_let_go(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r, max_input=1000)
        client = await r.connect(server)
        await r.told(ClientJoined)
        await client.send(b"x" * 900)
        await passage(r, "AA11")
        assert len(await messages(client, 1)) == 1
        await client.send(b"x" * 200)
        assert await client.closed()
        [left] = await r.told(ClientLeft)
        assert left.reason == "it sends what nobody asked for"
        assert left.sent == 1


async def test_a_log_that_takes_nothing_holds_up_no_reader(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        broken = False
        real = emitter(r.log, "neural-server")

        async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
            if broken:
                raise LogUnavailable("the disk is full")
            return await real(events)

        server = await start_server(r, emit=emit)
        broken = True
        client = await r.connect(server)
        await r.until(lambda: server.clients == 1)
        await passage(r, "AA11")
        assert len(await messages(client, 1)) == 1
        assert await r.events(ClientJoined) == []
        broken = False
        assert len(await r.told(ClientJoined)) == 1


async def test_a_supervisor_may_run_it_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await start_server(r)
        port = server.addresses[0][1]
        assert port
        first = await r.connect(server)
        await r.told(ClientJoined)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, emitter(r.log, server.name))
            await r.told(ServerListening, 2)
            second = await r.connect(server)
            await r.told(ClientJoined, 2)
            await passage(r, "AA11")
            assert len(await messages(second, 1)) == 1
            tasks.cancel_scope.cancel()
        first.close()


async def test_the_log_is_told_who_was_there_at_the_end(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = NeuralServer(NeuralServerSettings(port=0), log=r.log, blobs=r.blobs, clock=r.clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, emitter(r.log, server.name))
            await r.until(server.started.is_set)
            for _ in range(3):
                await r.connect(server)
            await r.told(ClientJoined, 3)
            tasks.cancel_scope.cancel()
        assert [event.reason for event in await r.events(ClientLeft)] == ["stopped"] * 3

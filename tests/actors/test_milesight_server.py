"""The Milesight server with real sockets: what clients get, from its start to its end. On asyncio and trio."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import pytest

from lpr.actors.milesight_server import ListenError
from lpr.core.actor import emitter
from lpr.events import ClientLeft, ServerListening
from lpr.protocols.milesight import encode_frame, encode_login_request
from tests.actors.milesight_rig import rig

pytestmark = pytest.mark.anyio


async def test_a_client_that_logged_in_gets_every_passage(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        client = await r.join(server)
        await r.passage("AB1", full=b"the street", crop=b"the plate")
        await r.passage("AB2")
        first, second = await client.passages(2)
        assert first.images == (b"the plate", b"the street")
        assert (first.metadata.plate, second.metadata.plate) == ("AB1", "AB2")
        assert (first.metadata.roi, first.metadata.region, first.metadata.guid.hex()) == (2, "BEL", r.log.log_id)
        (listening,) = await r.events(ServerListening)
        assert listening.address == f"127.0.0.1:{server.addresses[0][1]}"


@pytest.mark.parametrize(("images", "sent"), [("none", ()), ("plate", (b"plate",)), ("full", (b"full",))])
async def test_images_by_configuration(tmp_path: Path, images: str, sent: tuple[bytes, ...]) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(images=images, device_id="04f912bb-ce94-6540-89af-e83cd88f70be", revision="1.3")
        client = await r.join(server)
        await r.passage("AB1")
        (passage,) = await client.passages(1)
        assert passage.images == sent
        assert passage.metadata.guid.hex() == "04f912bbce94654089afe83cd88f70be"
        assert passage.metadata.width == 0  # 1.3 has no such field


async def test_a_passage_is_built_once_for_all_clients(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        clients = [await r.join(server) for _ in range(5)]
        await r.passage("AB1")
        assert [await client.plates(1) for client in clients] == [["AB1"]] * 5
        assert r.blobs.reads == 2


async def test_later_messages_of_a_client(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        client = await r.join(server)
        await client.send(client.connection.register() + encode_frame(0x4242, b"?") + encode_frame(1, b"not json"))
        await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]
        await client.send(encode_login_request("admin", "wrong"))
        assert await client.closed()
        assert (await r.told(ClientLeft))[0].reason == "wrong log-in"


async def test_a_port_in_use_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with rig(tmp_path) as r:
            with pytest.raises(ListenError, match=f"milesight: cannot listen at 127.0.0.1:{port}: another program"):
                await r.server({"port": port}).run(emitter(r.log, "milesight"))


async def test_a_stop_is_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        await r.join(server)
        await r.join(server)
        r.tasks.cancel_scope.cancel()
        await r.settle(1)
    async with rig(tmp_path) as r:
        assert [event.reason for event in await r.events(ClientLeft)] == ["stopped"] * 2


async def test_a_server_needs_a_password(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        with pytest.raises(ValueError, match="milesight: no password"):
            r.server({}, password="")


async def test_the_same_actor_can_run_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = r.server({})
        for plate in ("AB1", "AB2"):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.run, emitter(r.log, server.name))
                await r.until(lambda: bool(server.addresses))
                client = await r.join(server)
                await r.passage(plate)
                assert (await client.plates(1))[-1] == "AB1"
                tasks.cancel_scope.cancel()
            server.addresses = ()


@pytest.mark.parametrize(("registrations", "plates"), [("note", ["AA11", "BB22", "CC33"]), ("obey", ["AA11", "CC33"])])
async def test_a_client_that_registers_for_other_messages_alone(
    tmp_path: Path, registrations: str, plates: list[str]
) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(registrations=registrations)
        client = await r.join(server)
        await r.passage("AA11")
        found = await client.plates(1)
        await client.send(encode_frame(7, b'{"registerAll":0,"vehiclecount":1}') + encode_frame(9, b"later"))
        connection = next(iter(server._clients.values()))  # pyright: ignore[reportPrivateUsage]
        await r.until(lambda: connection.ignored == 1)
        record = await r.passage("BB22")
        if "BB22" in plates:
            found += await client.plates(1)
        await r.until(lambda: connection.ledger.served(r.clock.mono()) >= record, advance=0.25)
        await client.send(client.connection.register())
        await client.send(encode_frame(9, b"later"))
        await r.until(lambda: connection.ignored == 2)
        await r.passage("CC33")
        assert found + await client.plates(1) == plates
        client.close()
        [left] = await r.told(ClientLeft)
        assert (left.sent, left.ignored) == (len(plates), 2)

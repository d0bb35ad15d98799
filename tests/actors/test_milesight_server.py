"""The Milesight server with real sockets: log-in, fan-out, resuming, slow and hostile clients. On asyncio and trio."""

from __future__ import annotations

import random
import resource
import socket
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from lpr.actors.milesight_server import ListenError
from lpr.core.actor import emitter
from lpr.core.errors import LogUnavailable
from lpr.core.record import Record
from lpr.events import (
    AbuseSeen,
    BlobMissing,
    ClientJoined,
    ClientLeft,
    ClientServed,
    Event,
    PassageSigned,
    Picture,
    ServerListening,
)
from lpr.protocols.milesight import encode_frame, encode_login_request, encode_registration
from tests.actors.milesight_rig import Client, rig

pytestmark = pytest.mark.anyio
BIG = bytes(range(256)) * 1536  # 384 KiB, more than the buffers of a stalled connection take


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


async def test_nobody_gets_anything_without_the_right_password(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(login_attempts=2)
        client = await r.connect(server)
        await r.passage("AB1")
        assert await client.log_in("admin", "wrong") == "401"
        assert await client.log_in("root", "quite secret") == "401"
        assert await client.closed()
        (abuse,) = await r.told(AbuseSeen)
        assert abuse.remotes == ("127.0.0.1",)
        assert abuse.counts["wrong log-in"] >= 1
        assert await r.events(ClientJoined) == []


async def test_a_login_that_is_no_login_is_answered_with_400(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        client = await r.connect(await r.start())
        await client.send(encode_frame(1, b"[" * 4000))
        client.connection.log_in("", "")
        reply = await client.next()
        assert getattr(reply, "result", None) == "400"


async def test_wrong_logins_of_an_address_are_bounded(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(login_attempts=10)
        results: list[str] = []
        for _ in range(4):
            client = await r.connect(server)
            results += [await client.log_in("admin", str(attempt)) for attempt in range(10)]
        assert results == ["401"] * 30 + ["429"] * 10
        assert await (await r.connect(server)).log_in() == "429"
        r.clock.advance(61)
        assert await (await r.connect(server)).log_in() == "200"


async def test_a_log_in_has_to_come_in_time_and_single_bytes_gain_none(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(login_timeout=10.0)
        silent, dripping = await r.connect(server), await r.connect(server)
        await r.until(lambda: server.clients == 2)
        for byte in encode_login_request("admin", "quite secret")[:9]:
            await dripping.send(bytes([byte]))
            await r.settle()
            r.clock.advance(1)
        assert server.clients == 2
        r.clock.advance(1)
        assert await silent.closed()
        assert await dripping.closed()
        await r.until(lambda: server.clients == 0)
        abuse = await r.told(AbuseSeen)
        assert abuse[0].counts["no log-in"] >= 1
        assert abuse[0].window_s == 0.0


@pytest.mark.parametrize(
    ("data", "offence"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad start"),
        (bytes.fromhex("ccff 0100 ffffffff") + bytes(1000), "too long"),
        (bytes.fromhex("ccff 0100 00000000"), "bad size"),
        (bytes.fromhex("ccff 0100 03000000 00 0000"), "bad end"),
        (encode_registration(), "unexpected command"),
        (encode_frame(0x8801, b""), "unexpected command"),
    ],
)
async def test_broken_input_ends_one_connection_alone(tmp_path: Path, data: bytes, offence: str) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        good, bad = await r.join(server), await r.connect(server)
        await bad.send(data)
        assert await bad.closed()
        (abuse,) = await r.told(AbuseSeen)
        assert abuse.counts == {offence: 1}
        await r.passage("AB1")
        assert await good.plates(1) == ["AB1"]


async def test_half_frames_and_random_bytes_leave_nothing_behind(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start()
        good = await r.join(server)
        chance = random.Random(1)
        login = encode_login_request("admin", "quite secret")
        for turn in range(40):
            client = await r.connect(server)
            await client.send(login[: chance.randrange(len(login))] if turn % 2 else chance.randbytes(300))
            client.close()
        await r.until(lambda: server.clients == 1)
        await r.passage("AB1")
        assert await good.plates(1) == ["AB1"]
        r.clock.advance(60)
        abuse = await r.told(AbuseSeen, 2)
        assert len(abuse) == 2
        assert set(abuse[0].counts) | set(abuse[1].counts) <= {"bad start", "cut off", "bad size", "too long"}


async def test_thousands_of_idle_connections_make_room_for_one_that_logs_in(tmp_path: Path) -> None:
    handles, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(2000, handles - 200)
    async with rig(tmp_path) as r:
        server = await r.start(max_clients=8)
        idle = [await r.connect(server) for _ in range(count)]
        client = await r.join(server)
        await r.until(lambda: server.clients <= 8)
        await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]
        assert await idle[0].closed()
        first = await r.told(AbuseSeen)
        await r.settle(200)
        assert len(await r.events(AbuseSeen)) == len(first) == 1
        r.clock.advance(60)
        abuse = await r.told(AbuseSeen, 2)
        assert len(abuse) == 2
        assert sum(event.counts["no log-in"] for event in abuse) >= count - 8


async def test_when_all_places_are_taken_by_logged_in_clients_another_is_refused(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(max_clients=2)
        clients = [await r.join(server) for _ in range(2)]
        assert await (await r.connect(server)).closed()
        assert (await r.told(AbuseSeen))[0].counts == {"too many connections": 1}
        clients[0].close()
        await r.until(lambda: server.clients == 1)
        await r.join(server)


async def test_one_address_has_its_own_limit(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        server = await r.start(max_clients_per_address=1)
        await r.join(server)
        assert await (await r.connect(server)).closed()
        assert (await r.told(AbuseSeen))[0].counts == {"too many connections from one address": 1}


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


async def test_a_log_that_takes_nothing_keeps_new_clients_out_and_the_others_in(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        broken = False
        through = emitter(r.log, "milesight")

        async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
            if broken:
                raise LogUnavailable("the disk is full")
            return await through(events)

        server = await r.start(emit=emit)
        client = await r.join(server)
        broken = True
        refused = await r.connect(server)
        await refused.send(encode_login_request("admin", "quite secret"))
        assert await refused.closed()
        await r.passage("AB1")
        assert await client.plates(1) == ["AB1"]
        client.close()
        await r.until(lambda: server.clients == 0, advance=1)
        broken = False
        assert (await r.told(ClientLeft))[0].reason == "closed by client"


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


async def test_a_rush_of_connections_never_takes_more_places_than_there_are(tmp_path: Path) -> None:
    """The second is taken in before the first is served at all, on trio every other time."""
    async with rig(tmp_path) as r:
        server = await r.start(max_clients=1)
        for _ in range(10):
            rush = [socket.socket() for _ in range(2)]
            r.clients += [Client(sock) for sock in rush]
            for sock in rush:
                sock.setblocking(False)
                sock.connect_ex(server.addresses[0])
            await r.settle()
            assert server.clients == 1
            assert await r.clients[-2].closed()
            assert await r.clients[-1].log_in() == "200"
            r.clients[-1].close()
            await r.until(lambda: server.clients == 0)

"""Who is let in by the Milesight server: log-ins, places, broken input, rushes. On asyncio and trio."""

from __future__ import annotations

import random
import resource
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from lpr.core.actor import emitter
from lpr.core.errors import LogUnavailable
from lpr.core.record import Record
from lpr.events import AbuseSeen, ClientJoined, ClientLeft, Event
from lpr.protocols.milesight import encode_frame, encode_login_request, encode_registration
from tests.actors.milesight_rig import Client, rig

pytestmark = pytest.mark.anyio


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

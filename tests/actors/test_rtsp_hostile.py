"""Viewers who stall, and clients who mean harm: each costs little, ends in time, disturbs nobody. asyncio, trio."""

from __future__ import annotations

import random

import pytest

from lpr.actors.rtsp_server import RtspServer
from lpr.events import AbuseSeen, ClientLeft
from lpr.protocols.rtp.packet import decode_packet
from lpr.protocols.rtsp import Response, encode_interleaved, encode_request
from tests.actors.rtsp_rig import PASSWORD, Client, Rig, rig

pytestmark = pytest.mark.anyio
PART = bytes(1380)


async def watching(r: Rig, server: RtspServer, *, receive_buffer: int = 0) -> Client:
    """A client that watches main through its connection."""
    client = await r.connect(server, receive_buffer=receive_buffer)
    await client.watch()
    viewers = server.viewers
    await r.until(lambda: server.viewers > viewers or r.room.video.asked > 0)
    answered = False
    while not answered:
        await r.settle(10)
        r.room.video.give(b"first")
        message = await client.next()
        answered = isinstance(message, Response) and message.status == 200
    return client


def counted(r: Rig) -> dict[str, int]:
    """Every offence that was told."""
    found: dict[str, int] = {}
    for event in r.of(AbuseSeen):
        for kind, count in event.counts.items():
            found[kind] = found.get(kind, 0) + count
    return found


async def test_a_viewer_who_takes_nothing_is_dropped_and_holds_up_nobody() -> None:
    async with rig() as r:
        server = await r.start({"buffer": 2_097_152, "send_timeout": 10.0})
        stalled = await watching(r, server, receive_buffer=4096)
        good = await watching(r, server)
        for number in range(60):
            given = r.room.video.give(PART, key=number % 25 == 0, parts=100)
            while (await good.frame()).data != given.rtp[-1]:
                pass
        assert server.viewers == 2
        await r.until(lambda: server.viewers == 1, advance=1)
        assert stalled.sock.fileno() >= 0
        await r.until(lambda: bool(r.of(ClientLeft)))
        assert r.of(ClientLeft)[0].reason == "too slow"
        await r.until(lambda: "too slow" in counted(r), advance=1)


async def test_a_slow_viewer_loses_frames_and_goes_on_with_a_key_frame() -> None:
    async with rig() as r:
        server = await r.start({"buffer": 262_144})
        slow = await watching(r, server, receive_buffer=4096)
        for _ in range(60):  # more than the buffers of both kernels and the server take
            r.room.video.give(PART, key=False, parts=100)
        asked = r.room.video.asked
        count = 0
        while r.room.video.asked == asked:  # it reads again: once all is out, a key frame is asked for
            await slow.frame()
            count += 1
            await r.settle(3)
        r.room.video.give(b"delta", key=False)
        r.room.video.give(b"key!", key=True)
        tail: list[bytes] = []
        while not tail or tail[-1] != b"key!":
            frame = await slow.frame()
            if frame.channel == 0:
                tail.append(decode_packet(frame.data).payload)
        assert b"delta" not in tail
        assert count < 6000


async def test_a_log_in_has_to_come_in_time() -> None:
    async with rig() as r:
        server = await r.start({"login_timeout": 15.0})
        silent, dripping, polite = [await r.connect(server) for _ in range(3)]
        await r.until(lambda: server.connections == 3)
        request = encode_request(polite.request("OPTIONS", "*"))
        for number in range(14):
            await dripping.send(request[number : number + 1])
            await polite.send(encode_request(polite.request("OPTIONS", "*")))
            assert (await polite.answer()).status == 200
            r.clock.advance(1)
            await r.settle()
        assert server.connections == 3
        r.clock.advance(2)
        for client in (silent, dripping, polite):
            assert await client.closed()
        await r.until(lambda: server.connections == 0)
        await r.until(lambda: counted(r).get("no log-in") == 3, advance=5)


async def test_half_a_request_ends_the_connection_though_its_sender_is_known() -> None:
    async with rig() as r:
        server = await r.start({"request_timeout": 15.0})
        client = await r.connect(server)
        assert (await client.set_up("main/trackID=0")).status == 200
        for byte in b"GET_PARAMETER ":
            await client.send(bytes([byte]))
            await r.settle()
            r.clock.advance(1)
        await r.until(lambda: server.connections == 0, advance=1)
        assert await client.closed()
        assert len(server.sessions) == 0
        await r.until(lambda: "half request" in counted(r))


async def test_who_is_known_and_does_nothing_goes() -> None:
    async with rig() as r:
        server = await r.start({"idle_timeout": 60.0})
        client = await r.connect(server)
        assert (await client.ask("DESCRIBE", "main")).status == 200
        r.clock.advance(58)
        await r.settle()
        assert server.connections == 1
        await r.until(lambda: server.connections == 0, advance=1)
        assert counted(r) == {}


@pytest.mark.parametrize(
    ("data", "offence", "answered"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", "bad start", None),
        (b"GARBAGE\r\n\r\n", "bad head", 400),
        (b"OPTIONS * RTSP/1.0\r\nX: " + b"a" * 20000, "too long", 413),
        (b"DESCRIBE * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 999999999\r\n\r\n", "too long", 413),
        (b"$\x00\xff\xff" + bytes(100), "too long", None),
    ],
)
async def test_broken_input_ends_one_connection_alone(data: bytes, offence: str, answered: int | None) -> None:
    async with rig() as r:
        server = await r.start()
        good, bad = await r.connect(server), await r.connect(server)
        await bad.send(data)
        message = await bad.next()
        assert (message.status if isinstance(message, Response) else None) == answered
        assert await bad.closed()
        assert (await good.ask("DESCRIBE", "main")).status == 200
        await r.until(lambda: counted(r) == {offence: 1})


async def test_wrong_log_ins_of_an_address_are_bounded() -> None:
    async with rig() as r:
        server = await r.start({"login_attempts": 3})
        for status in (401, 401, 401, 403):
            client = await r.connect(server)
            client.login = type(client.login)("nvr", "wrong")
            assert (await client.ask("DESCRIBE", "main")).status == status
        assert await client.closed()
        right = await r.connect(server)
        assert (await right.ask("DESCRIBE", "main")).status == 403
        r.clock.advance(61)
        right = await r.connect(server)
        assert (await right.ask("DESCRIBE", "main")).status == 200


async def test_connections_that_have_not_logged_in_make_room() -> None:
    async with rig() as r:
        server = await r.start({"max_clients": 20, "idle_timeout": 1000.0})
        known = await r.connect(server)
        assert (await known.ask("DESCRIBE", "main")).status == 200
        idle = [await r.connect(server) for _ in range(200)]
        client = await r.connect(server)
        assert (await client.ask("DESCRIBE", "main")).status == 200
        assert (await known.ask("DESCRIBE", "main")).status == 200
        assert server.connections <= 20
        assert await idle[0].closed()


async def test_sessions_of_a_connection_and_of_an_address_are_bounded() -> None:
    async with rig() as r:
        server = await r.start({"max_clients_per_address": 10})
        statuses: list[int] = []
        for _ in range(2):
            client = await r.connect(server)
            for _ in range(9):
                client.session = ""
                statuses.append((await client.set_up("main/trackID=0", "RTP/AVP/TCP;unicast")).status)
        assert statuses == [200] * 8 + [453] + [200] * 2 + [453] * 7
        assert len(server.sessions) == 10


async def test_who_comes_and_goes_does_not_fill_the_log() -> None:
    async with rig() as r:
        server = await r.start({"max_clients_per_address": 4, "start_wait": 0.0})
        client = await r.connect(server)
        statuses: list[int] = []
        for _ in range(250):
            client.session = ""
            statuses.append((await client.set_up("main/trackID=0")).status)
            if statuses[-1] == 200:
                assert (await client.ask("PLAY", "main/")).status == 200
                assert (await client.ask("TEARDOWN", "main/")).status == 200
        assert statuses == [200] * 240 + [453] * 10
        r.clock.advance(61)
        await r.settle()
        client = await r.connect(server)
        assert (await client.set_up("main/trackID=0")).status == 200


async def test_a_viewer_by_udp_who_leaves_before_play_is_answered_leaves_nothing() -> None:
    async with rig() as r:
        server = await r.start({"start_wait": 60.0})
        client = await r.connect(server)
        await client.set_up("main/trackID=0", "RTP/AVP;unicast;client_port=5000-5001")
        await client.send(encode_request(client.request("PLAY", "main/")))
        await r.until(lambda: r.room.video.viewers == 1)
        client.sock.close()
        r.room.audio.give(b"sound")
        await r.until(lambda: server.connections == 0, advance=1)
        assert (len(server.sessions), r.room.video.viewers) == (0, 0)


async def test_answers_that_nobody_reads_end_the_connection() -> None:
    async with rig() as r:
        server = await r.start()
        client = await r.connect(server, receive_buffer=2048)
        await r.until(lambda: server.connections == 1)
        request = encode_request(client.request("OPTIONS", "*"))
        try:
            for _ in range(1000):
                await client.send(request * 100)
                if server.connections == 0:
                    break
                await r.settle(2)
        except OSError:
            pass
        await r.until(lambda: server.connections == 0)
        await r.until(lambda: "replies unread" in counted(r))


async def test_junk_on_channels_and_random_bytes_leave_nothing_behind() -> None:
    async with rig() as r:
        server = await r.start()
        client = await r.connect(server)
        assert (await client.set_up("main/trackID=0")).status == 200
        await client.send(b"".join(encode_interleaved(n % 256, b"junk") for n in range(500)))
        assert (await client.ask("GET_PARAMETER", "main/")).status == 200
        chance = random.Random(5)
        words = [
            b"OPTIONS",
            b"SETUP",
            b" ",
            b"\r\n",
            b"rtsp://h/main",
            b"RTSP/1.0",
            b"CSeq: 1",
            b"$\x00\x00\x01x",
            b"\xff",
        ]
        for _ in range(40):
            bad = await r.connect(server)
            await bad.send(b"".join(chance.choice(words) for _ in range(30)))
            bad.sock.close()
        await r.until(lambda: server.connections == 1)
        assert (await client.ask("GET_PARAMETER", "main/")).status == 200


async def test_what_a_client_calls_itself_comes_back_harmless() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        await client.send("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nRequire: a\u00a0b\u2028c\r\n\r\n".encode())
        answer = await client.answer()
        assert (answer.status, answer.header("Unsupported")) == (551, "a?b?c")
        await client.send(b"OPTIONS * RTSP/1.0\r\nCSeq: 1; x\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.header("CSeq")) == (400, None)


async def test_no_password_is_ever_told() -> None:
    async with rig() as r:
        server = await r.start({"methods": ["basic"]})
        client = await r.connect(server)
        client.login = type(client.login)("nvr", PASSWORD + "x")
        await client.ask("DESCRIBE", "main")
        client.login = type(client.login)("nvr", PASSWORD)
        assert (await client.ask("DESCRIBE", "main")).status == 200
        await r.until(lambda: bool(counted(r)))
        assert PASSWORD not in repr(r.told)

"""Streams of the RTSP server through the connection and over UDP: joining, key frames, pausing, reports, the end."""

from __future__ import annotations

import socket

import pytest

from lpr.events import ClientJoined, ClientLeft
from lpr.protocols.rtp.packet import decode_packet
from lpr.protocols.rtp.rtcp import Description, Goodbye, ReceiverReport, SenderReport, decode, encode, wall_time
from lpr.protocols.rtsp import Interleaved, encode_request
from tests.actors.rtsp_rig import packet, play, rig

pytestmark = pytest.mark.anyio


async def test_a_stream_through_the_connection() -> None:
    async with rig() as r:
        server = await r.start()
        client = await r.connect(server)
        assert (await client.set_up("main/trackID=0", "RTP/AVP/TCP;unicast;interleaved=4-5")).status == 200
        second = await client.set_up("main/trackID=2", "RTP/AVP/TCP;unicast;interleaved=4-5")
        assert "interleaved=0-1" in (second.header("Transport") or ""), "channels in use give others"
        await client.send(encode_request(client.request("PLAY", "main/", ("Range", "npt=0.000-"))))
        await r.until(lambda: r.room.metadata.viewers == 1)
        r.room.video.give(b"delta", key=False)
        given = r.room.video.give(b"key", parts=3)
        answer = await client.answer()
        first = decode_packet(given.rtp[0])
        assert answer.status == 200
        assert answer.header("Range") == "clock=20250615T150640.000Z-"
        assert answer.header("RTP-Info") == (
            f"url={client.base}main/trackID=0;seq={first.sequence};rtptime={first.timestamp},"
            f"url={client.base}main/trackID=2;seq={r.room.metadata.next_sequence};"
            f"rtptime={r.room.metadata.timestamp(0)}"
        )
        assert client.frames == []
        report = await client.frame()
        assert report.channel == 5
        sender, name = decode(report.data)
        assert isinstance(sender, SenderReport) and sender.timestamp == first.timestamp
        assert wall_time(sender.ntp) == r.clock.wall()
        assert isinstance(name, Description) and name.cname == "Gate"
        assert [await client.frame() for _ in range(3)] == [Interleaved(4, data) for data in given.rtp]
        r.room.metadata.give(b"<xml/>")
        assert [(await client.frame()).channel for _ in range(2)] == [1, 0]
        await r.until(lambda: bool(r.of(ClientJoined)))
        (joined,) = r.of(ClientJoined)
        assert joined.client == "nvr@127.0.0.1/main"
        assert (await client.ask("TEARDOWN", "main/")).status == 200
        await r.until(lambda: bool(r.of(ClientLeft)))
        assert r.of(ClientLeft)[0].sent == 2
        assert (r.room.video.viewers, r.room.video.stops, len(server.sessions)) == (0, 1, 0)


async def test_reports_come_at_the_start_and_every_five_seconds() -> None:
    async with rig() as r:
        client = await r.connect(await r.start({"report_every": 5.0}))
        await play(r, client)
        for _ in range(11):
            r.clock.advance(1)
            r.room.video.give(b"next", key=False)
        channels = [(await client.frame()).channel for _ in range(15)]
        assert channels.count(1) == 3
        assert channels[:2] == [1, 0]


async def test_all_viewers_get_the_same_bytes_and_one_stream_is_asked_for_once() -> None:
    async with rig() as r:
        server = await r.start()
        clients = [await r.connect(server) for _ in range(5)]
        for client in clients:
            await play(r, client)
        assert r.room.video.starts == 1
        assert r.room.video.viewers == 1
        for client in clients:
            while (await client.frame()).data[-5:] != b"first":
                pass
        given = r.room.video.give(b"shared", key=False)
        found: list[bytes] = []
        for client in clients:
            while (frame := await client.frame()).data[-6:] != b"shared":
                pass
            found.append(frame.data)
        assert set(found) == {given.rtp[0]}


async def test_who_joins_begins_with_a_key_frame_and_one_is_asked_for() -> None:
    async with rig() as r:
        server = await r.start()
        one, two = await r.connect(server), await r.connect(server)
        await play(r, one)
        asked = r.room.video.asked
        await two.watch()
        await r.until(lambda: r.room.video.asked > asked)
        r.room.video.give(b"delta", key=False)
        r.room.video.give(b"key")
        assert (await two.answer()).status == 200
        frames = [await two.frame() for _ in range(2)]
        assert [frame.channel for frame in frames] == [1, 0]
        assert decode_packet(frames[1].data).payload == b"key"


async def test_play_is_answered_though_no_picture_comes() -> None:
    async with rig() as r:
        client = await r.connect(await r.start({"start_wait": 0.0}))
        await client.watch()
        answer = await client.answer()
        assert answer.status == 200
        assert f"seq={r.room.video.next_sequence}" in (answer.header("RTP-Info") or "")


async def test_pause_stops_and_play_goes_on_with_a_key_frame() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        await play(r, client)
        assert (await client.ask("PAUSE", "main/")).status == 200
        assert r.room.video.viewers == 0
        assert (await client.ask("PAUSE", "main/")).status == 200
        await client.send(encode_request(client.request("PLAY", "main/trackID=0")))
        await r.until(lambda: r.room.video.viewers == 1)
        r.room.video.give(b"again")
        assert (await client.answer()).status == 200
        assert (await client.ask("PLAY", "main/")).status == 200, "once more does no harm"
        assert (await client.ask("SETUP", "main/trackID=1", ("Transport", "RTP/AVP/TCP"))).status == 455


async def test_a_stream_by_udp() -> None:
    async with rig() as r:
        server = await r.start()
        client = await r.connect(server)
        rtp, rtcp = r.udp(), r.udp()
        ports = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
        answer = await client.set_up(
            "main/trackID=0", f"RTP/AVP/TCP;unicast;mode=RECORD,RTP/AVP;unicast;client_port={ports}"
        )
        transport = answer.header("Transport") or ""
        here = transport.partition("server_port=")[2].partition(";")[0].split("-")
        assert f"client_port={ports};" in transport
        assert int(here[0]) % 2 == 0 and int(here[1]) == int(here[0]) + 1
        rtp.sendto(b"\xce\xfa\xed\xfe", ("127.0.0.1", int(here[0])))  # ffmpeg's way through routers
        await client.send(encode_request(client.request("PLAY", "main/")))
        await r.until(lambda: r.room.video.viewers == 1)
        given = r.room.video.give(b"key", parts=3)
        assert (await client.answer()).status == 200
        assert [await packet(rtp) for _ in range(3)] == list(given.rtp)
        assert isinstance(decode(await packet(rtcp))[0], SenderReport)

        # Receiver reports keep the session; the connection may go.
        client.sock.close()
        await r.until(lambda: server.connections == 0)
        for _ in range(4):
            r.clock.advance(40)
            rtcp.sendto(encode([ReceiverReport(7)]), ("127.0.0.1", int(here[1])))
            rtcp.sendto(b"junk", ("127.0.0.1", int(here[1])))
            r.clock.advance(1)
            await r.settle(200)
            assert server.viewers == 1
        await r.until(lambda: len(server.sessions) == 0, advance=1)
        assert r.room.video.viewers == 0
        *_, last = [decode(await packet(rtcp)) for _ in range(1)]
        assert isinstance(last[-1], Goodbye)
        await r.until(lambda: bool(r.of(ClientLeft)))
        assert r.of(ClientLeft)[0].reason == "timed out"


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no ::1")
async def test_a_stream_by_udp_over_ipv6() -> None:
    async with rig() as r:
        server = await r.start({"host": "::1"})
        client = await r.connect(server)
        assert b"IN IP6 ::1\r\n" in (await client.ask("DESCRIBE", "sub")).body
        rtp, rtcp = r.udp("::1"), r.udp("::1")
        ports = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
        assert (await client.set_up("sub/trackID=0", f"RTP/AVP;unicast;client_port={ports}")).status == 200
        await client.send(encode_request(client.request("PLAY", "sub/")))
        await r.until(lambda: r.room.sub.viewers == 1)
        given = r.room.sub.give(b"key")
        assert (await client.answer()).status == 200
        assert await packet(rtp) == given.rtp[0]
        assert isinstance(decode(await packet(rtcp))[0], SenderReport)


async def test_a_large_frame_goes_by_udp_in_bursts_and_in_order() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        rtp, rtcp = r.udp(), r.udp()
        ports = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
        await client.set_up("sub/trackID=0", f"RTP/AVP;unicast;client_port={ports}")
        await client.send(encode_request(client.request("PLAY", "sub/")))
        await r.until(lambda: r.room.sub.viewers == 1)
        given = [r.room.sub.give(b"key", parts=150), r.room.sub.give(b"delta", key=False)]
        assert (await client.answer()).status == 200
        got = [await packet(rtp) for _ in range(64)]
        with pytest.raises(BlockingIOError):
            rtp.recv(2048)  # the rest waits for its time
        for _ in range(2):
            await r.settle()
            r.clock.advance(0.002)
        got += [await packet(rtp) for _ in range(87)]
        assert got == [*given[0].rtp, *given[1].rtp]


async def test_the_end_of_a_stream_is_the_end_of_its_viewers() -> None:
    async with rig() as r:
        server = await r.start()
        client, other = await r.connect(server), await r.connect(server)
        await play(r, client)
        await play(r, other, "sub/trackID=0")
        r.room.video.fail("the camera has gone")
        assert await client.closed()
        await r.until(lambda: bool(r.of(ClientLeft)))
        assert r.of(ClientLeft)[0].reason == "the stream has ended: the camera has gone"
        assert server.viewers == 1

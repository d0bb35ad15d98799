"""The RTSP server with real sockets: log-in, descriptions, sessions, transports, reports, tunnels. asyncio and trio."""

from __future__ import annotations

import base64
import socket
import ssl
from pathlib import Path

import anyio
import pytest
import trustme

from lpr.actors.rtsp_server import ListenError, RtspServer
from lpr.config import Rtsp, Tls
from lpr.core.accounts import Accounts
from lpr.core.clock import ManualClock
from lpr.events import ClientJoined, ClientLeft, ServerListening
from lpr.protocols.rtp.packet import decode_packet
from lpr.protocols.rtp.rtcp import Description, Goodbye, ReceiverReport, SenderReport, decode, encode, wall_time
from lpr.protocols.rtsp import Interleaved, encode_interleaved, encode_request
from tests.actors.rtsp_rig import PASSWORD, Client, Rig, Room, packet, rig

pytestmark = pytest.mark.anyio


async def play(r: Rig, client: Client, path: str = "main/trackID=0") -> None:
    """Watch a stream through the connection: PLAY is answered with the first frame."""
    await client.watch(path)
    stream = r.room.sub if path.startswith("sub") else r.room.video
    await r.until(lambda: stream.viewers > 0)
    await r.settle()
    stream.give(b"first")
    answer = await client.answer()
    assert answer.status == 200


async def test_options_need_no_log_in_and_list_what_keeps_a_session() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        await client.send(encode_request(client.request("OPTIONS", "*")))
        answer = await client.answer()
        assert answer.status == 200
        assert "GET_PARAMETER" in (answer.header("Public") or "")
        assert answer.header("CSeq") == "1"


async def test_a_description_is_for_those_who_log_in() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        await client.send(encode_request(client.request("DESCRIBE", "main")))
        refused = await client.answer()
        challenges = refused.all("WWW-Authenticate")
        assert refused.status == 401 and refused.body == b""
        assert ["SHA-256" in text for text in challenges] == [True, False], "SHA-256 first, MD5 last"
        for _ in range(2):
            answer = await client.ask("DESCRIBE", "main?profile=1", ("Accept", "application/sdp"))
            assert answer.status == 200
            assert answer.header("Content-Base") == f"{client.base}main/"
            lines = answer.body.decode().split("\r\n")
            assert [line for line in lines if line.startswith(("m=", "a=control"))] == [
                "a=control:*",
                "m=video 0 RTP/AVP 96",
                "a=control:trackID=0",
                "m=audio 0 RTP/AVP 0",
                "a=control:trackID=1",
                "m=application 0 RTP/AVP 107",
                "a=control:trackID=2",
            ]
            assert "o=- " in answer.body.decode() and "s=Gate main" in lines


async def test_no_name_is_the_first_stream_and_a_track_without_material_is_left_out() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        r.room.audio.problem = "the source has no sound"
        body = (await client.ask("DESCRIBE", "")).body
        assert b"trackID=0" in body and b"trackID=1" not in body and b"trackID=2" in body
        r.room.video.problem = "no picture yet"
        assert (await client.ask("DESCRIBE", "main")).status == 503


async def test_basic_and_guests_by_choice() -> None:
    async with rig() as r:
        client = await r.connect(await r.start({"methods": ["basic"]}))
        assert (await client.ask("DESCRIBE", "main")).status == 200
        guest = await r.connect(await r.start({"guests": True, "name": "open"}))
        await guest.send(encode_request(guest.request("DESCRIBE", "main")))
        assert (await guest.answer()).status == 200


async def test_an_answer_seen_on_one_connection_is_of_no_use_on_another() -> None:
    async with rig() as r:
        server = await r.start()
        client, thief = await r.connect(server), await r.connect(server)
        assert (await client.ask("DESCRIBE", "main")).status == 200
        seen = client.login.answer("DESCRIBE", client.base + "main", "cnonce")
        assert seen is not None
        request = thief.request("DESCRIBE", "main", ("Authorization", seen))
        await thief.send(encode_request(request))
        answer = await thief.answer()
        assert answer.status == 401
        assert "stale=true" in answer.all("WWW-Authenticate")[0]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "other", (), 404),
        ("DESCRIBE", "main", (("Accept", "text/html"),), 406),
        ("DESCRIBE", "main", (("Require", "www.onvif.org/ver20/backchannel"),), 551),
        ("ANNOUNCE", "main", (), 405),
        ("RECORD", "main", (), 405),
        ("FETCH", "main", (), 501),
        ("SETUP", "main/trackID=0", (), 461),
        ("SETUP", "main/trackID=0", (("Transport", "RTP/AVP;multicast"),), 461),
        ("SETUP", "main/trackID=9", (("Transport", "RTP/AVP/TCP"),), 404),
        ("SETUP", "main", (("Transport", "RTP/AVP/TCP"),), 459),
        ("PLAY", "main", (), 454),
        ("TEARDOWN", "main", (("Session", "unknown"),), 454),
        ("GET_PARAMETER", "main", (), 200),
        ("SET_PARAMETER", "main", (), 200),
    ],
)
async def test_what_is_answered(method: str, path: str, headers: tuple[tuple[str, str], ...], status: int) -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        answer = await client.ask(method, path, *headers)
        assert answer.status == status
        if status == 551:
            assert answer.header("Unsupported") == "www.onvif.org/ver20/backchannel"


async def test_other_versions_and_requests_without_a_number() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        await client.send(b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\n\r\n")
        assert [(await client.answer()).status for _ in range(2)] == [505, 400]


async def test_parameters_that_nobody_knows_are_refused() -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        assert (await client.ask("SET_PARAMETER", "main", body=b"x: 1\r\n")).status == 451
        assert (await client.ask("GET_PARAMETER", "main", body=b"x\r\n")).status == 200


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


async def test_a_session_ends_that_says_nothing_and_lives_that_asks() -> None:
    async with rig() as r:
        server = await r.start({"idle_timeout": 1000.0})
        client = await r.connect(server)
        assert (await client.set_up("main/trackID=0")).header("Session") == f"{client.session};timeout=60"
        for _ in range(3):
            r.clock.advance(50)
            await r.settle()
            assert (await client.ask("GET_PARAMETER", "main/")).status == 200
        r.clock.advance(50)
        await client.send(encode_interleaved(1, encode([ReceiverReport(7)])))
        await r.settle()
        r.clock.advance(50)
        await r.settle()
        assert len(server.sessions) == 1
        await r.until(lambda: len(server.sessions) == 0, advance=1)
        assert (await client.ask("GET_PARAMETER", "main/")).status == 454


async def test_a_session_is_of_its_user_and_address() -> None:
    async with rig() as r:
        server = await r.start()
        client, other = await r.connect(server), await r.connect(server)
        await client.set_up("main/trackID=0")
        other.login = type(other.login)("other", PASSWORD)
        assert (await other.ask("DESCRIBE", "main")).status == 200
        other.session = client.session
        assert (await other.ask("TEARDOWN", "main/")).status == 454
        assert len(server.sessions) == 1


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


async def test_requests_through_http() -> None:
    async with rig() as r:
        server = await r.start()
        outlet, inlet = await r.connect(server), await r.connect(server)
        await outlet.send(b"GET /main HTTP/1.0\r\nx-sessioncookie: abc\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n")
        opened = await outlet.answer()
        assert (opened.status, opened.header("Content-Type")) == (200, "application/x-rtsp-tunnelled")
        await inlet.send(b"POST /main HTTP/1.0\r\nx-sessioncookie: abc\r\nContent-Length: 32767\r\n\r\n")

        async def ask(method: str, path: str, *headers: tuple[str, str]) -> int:
            for _ in range(2):
                data = base64.b64encode(encode_request(outlet.request(method, path, *headers)))
                await inlet.send(data[:11])
                await inlet.send(data[11:])
                if method == "PLAY":
                    await r.until(lambda: r.room.video.viewers == 1)
                    r.room.video.give(b"key")
                answer = await outlet.answer()
                outlet.session = (answer.header("Session") or outlet.session).partition(";")[0]
                if answer.status != 401 or not outlet.login.challenged(answer.all("WWW-Authenticate")):
                    return answer.status
            raise AssertionError

        assert await ask("DESCRIBE", "main") == 200
        assert await ask("SETUP", "main/trackID=0", ("Transport", "RTP/AVP;unicast;client_port=5000-5001")) == 461
        assert await ask("SETUP", "main/trackID=0", ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")) == 200
        assert await ask("PLAY", "main/") == 200
        assert [(await outlet.frame()).channel for _ in range(2)] == [1, 0]

        # The POST may end and another one go on; a second GET with the same cookie may not.
        inlet.sock.close()
        inlet = await r.connect(server)
        await inlet.send(b"POST /main HTTP/1.0\r\nx-sessioncookie: abc\r\n\r\n")
        assert await ask("GET_PARAMETER", "main/") == 200
        twin = await r.connect(server)
        await twin.send(b"GET /main HTTP/1.0\r\nx-sessioncookie: abc\r\n\r\n")
        assert (await twin.answer()).status == 409
        outlet.sock.close()
        assert await inlet.closed()
        await r.until(lambda: len(server.sessions) == 0 and server.connections == 0)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST /main HTTP/1.0\r\nx-sessioncookie: nobody\r\n\r\n", 404),
        (b"GET /main HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PUT /main HTTP/1.1\r\nx-sessioncookie: a\r\n\r\n", 400),
    ],
)
async def test_http_that_is_no_tunnel_is_sent_away(data: bytes, status: int) -> None:
    async with rig() as r:
        client = await r.connect(await r.start())
        await client.send(data)
        assert (await client.answer()).status == status
        assert await client.closed()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_stream_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(tmp_path / "server.pem")
    there = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    tls = {"certificate_file": "c", "key_file": "k"}
    async with rig() as r:
        server = await r.start({"tls": tls, "guests": True}, tls=here)
        host, port = server.tls_addresses[0]
        async with await anyio.connect_tcp(host, port, tls=True, ssl_context=there, tls_standard_compatible=False) as s:
            await s.send(
                b"SETUP rtsps://h/main/trackID=0 RTSP/1.0\r\nCSeq: 1\r\n"
                b"Transport: RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
            )
            answer = (await s.receive()).decode()
            assert "RTP/AVP/TCP" in answer, "nothing leaves in the clear"
            session = answer.split("Session: ")[1].split(";")[0]
            await s.send(f"PLAY rtsps://h/main RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n".encode())
            await r.until(lambda: r.room.video.viewers == 1)
            big = bytes(range(256)) * 4000
            given = r.room.video.give(big[:1388], parts=900)
            found = b""
            while len(found) < given.size + 4 * 900:
                found += await s.receive()
            assert given.interleaved(0) in found
        listening = [event.address for event in r.of(ServerListening)]
        assert listening == [f"127.0.0.1:{server.addresses[0][1]}", f"127.0.0.1:{port}"]


async def test_a_stop_is_told_and_the_server_runs_again() -> None:
    async with rig() as r:
        made = Rtsp(port=0, guests=True)
        server = RtspServer(made, presentations=r.room, accounts=Accounts(()), clock=r.clock)
        for runs in (1, 2):
            client: Client | None = None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.run, r.emit)
                await r.until(lambda runs=runs: len(r.of(ServerListening)) == runs)
                client = await r.connect(server)
                await play(r, client)
                assert server.viewers == 1
                tasks.cancel_scope.cancel()
            assert client is not None and await client.closed()
            assert r.room.video.viewers == 0
            assert [event.reason for event in r.of(ClientLeft)] == ["stopped"] * runs


async def test_an_address_that_is_taken_says_so() -> None:
    async with rig() as r:
        server = await r.start()
        with pytest.raises(ListenError, match="another program uses this port"):
            await RtspServer(
                Rtsp(port=server.addresses[0][1]),
                presentations=Room(r.clock),
                accounts=Accounts(()),
                clock=r.clock,
            ).run(_nobody)
        taken = r.udp().getsockname()[1]
        with pytest.raises(ListenError, match="udp_port"):
            await RtspServer(
                Rtsp(port=0, udp_port=taken & ~1),
                presentations=Room(r.clock),
                accounts=Accounts(()),
                clock=r.clock,
            ).run(_nobody)


async def _nobody(events: object) -> tuple[()]:
    del events
    return ()


def test_a_server_that_could_not_be_reached_is_refused() -> None:
    clock = ManualClock()
    room, nobody = Room(clock), Accounts(())
    with pytest.raises(ValueError, match="tls"):
        RtspServer(Rtsp(plain=False), presentations=room, accounts=nobody, clock=clock)
    with pytest.raises(ValueError, match="certificate"):
        files = Tls(certificate_file="c", key_file="k")
        RtspServer(Rtsp(tls=files), presentations=room, accounts=nobody, clock=clock)

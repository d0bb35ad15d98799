"""The RTSP server with real sockets: log-in, descriptions, what is answered, sessions, its life. asyncio and trio."""

from __future__ import annotations

import anyio
import pytest

from lpr.actors.rtsp_server import ListenError, RtspServer
from lpr.config import Rtsp, Tls
from lpr.core.accounts import Accounts
from lpr.core.clock import ManualClock
from lpr.events import ClientLeft, ServerListening
from lpr.protocols.rtp.rtcp import ReceiverReport, encode
from lpr.protocols.rtsp import encode_interleaved, encode_request
from tests.actors.rtsp_rig import PASSWORD, Client, Room, play, rig

pytestmark = pytest.mark.anyio


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

"""RTSP through HTTP and over TLS."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import anyio
import pytest
import trustme

from lpr.events import ServerListening
from lpr.protocols.rtsp import encode_request
from tests.actors.rtsp_rig import rig

pytestmark = pytest.mark.anyio


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

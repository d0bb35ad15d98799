"""The real server against strangers: random bytes, slow and stuck clients, crowds. Users must not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpr.config import Tls
from lpr.core.errors import LogUnavailable
from lpr.events import AbuseSeen, ApiCalled, ServerListening
from lpr.http.guard import Bounds, GuardedHandler
from lpr.http.listening import HttpServerError, PortTakenError
from lpr.web import credentials
from lpr.web.context import WebContext
from lpr.web.server import WebServer
from tests.web.sample import DEFAULT, OPERATOR, SECRET, Site, open_site

SMALL = Bounds(header_timeout=0.3, send_timeout=0.3)


@asynccontextmanager
async def serving(context: WebContext) -> AsyncGenerator[WebServer]:
    """The server, listening."""
    server = WebServer(context)
    task = asyncio.create_task(server.run())
    waiting = asyncio.create_task(server.listening.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            waiting.cancel()
            await task
        yield server
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """Everything until the other side closes."""
    with suppress(ConnectionError):
        return await reader.read()
    return b""


async def log_in(session: aiohttp.ClientSession, server: WebServer) -> dict[str, str]:
    """Headers of the operator."""
    async with session.post(f"{server.url}api/v1/login", json={"user": OPERATOR, "password": SECRET}) as answer:
        return {"Authorization": f"Bearer {(await answer.json())['token']}"}


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncGenerator[Site]:
    """A site without passages, with small limits."""
    config = msgspec.structs.replace(
        DEFAULT, web=msgspec.structs.replace(DEFAULT.web, max_clients=6, request_timeout=0.5)
    )
    async with open_site(tmp_path, config) as site:
        yield site


def hurried(site: Site) -> WebContext:
    """The site's context with short time limits."""
    return replace(site.context, bounds=SMALL)


def request_of(method: str, path: str, headers: str, body: str) -> bytes:
    """A request that looks like one."""
    text = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\nConnection: close\r\n\r\n{body}"
    return text.encode("utf-8", "surrogatepass")


requests = st.one_of(
    st.binary(min_size=1, max_size=600),
    st.builds(
        request_of,
        st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI"]),
        st.sampled_from(
            [
                "/",
                "/api/v1/login",
                "/api/v1/passages",
                "/api/v1/passages/%zz",
                "/api/v1/events/stream?after=x",
                "/static/../app.py",
                "/static/%2e%2e%2fapp.py",
                "/login?next=//evil.test",
                "*",
                "http://[::1/",
                "/?lang=%0d%0aX:1",
            ]
        ),
        st.sampled_from(
            [
                "X: y",
                "Content-Length: 4294967296",
                "Content-Length: -1",
                "Content-Length: 5\r\nContent-Length: 6",
                "Transfer-Encoding: chunked",
                "Content-Type: application/json\r\nContent-Length: 2",
                "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3",
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 20",
                "Cookie: lpr_session=\x7f; lpr_lang=../../en",
                "Authorization: Bearer \u00e9",
                'If-None-Match: ,,"',
                "Expect: 100-continue\r\nContent-Length: 9",
                "Upgrade: websocket\r\nConnection: upgrade",
                "Content-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: 3",
                "Accept-Language: " + ",".join(["pt;q=x"] * 99),
                "Y: " + "z" * 9000,
                "\r\n".join(f"A{index}: b" for index in range(80)),
            ]
        ),
        st.text(max_size=40),
    ),
)


@pytest.mark.anyio
async def test_random_input_never_makes_an_error_of_ours(fresh: Site, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(hurried(fresh)) as server:
        loop = asyncio.get_running_loop()

        async def throw(data: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                writer.write(data)
                with suppress(ConnectionError):
                    await writer.drain()
                if writer.can_write_eof():
                    writer.write_eof()
                return await until_closed(reader)
            finally:
                writer.close()

        @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(requests)
        def hostile(data: bytes) -> None:
            answer = asyncio.run_coroutine_threadsafe(throw(data), loop).result()
            assert b" 500 " not in answer.split(b"\r\n", 1)[0]
            assert b"Traceback" not in answer

        await asyncio.to_thread(hostile)
        async with aiohttp.ClientSession() as session:
            headers = await log_in(session, server)
            async with session.get(f"{server.url}api/v1/me", headers=headers) as answer:
                assert answer.status == 200
    seen = [record.event for record in await fresh.log.read(0, types=("AbuseSeen",))]
    assert 1 <= len(seen) <= 3
    assert all(isinstance(one, AbuseSeen) and one.remotes == ("127.0.0.1",) for one in seen)
    assert sum(one.counts.get("malformed request", 0) for one in seen if isinstance(one, AbuseSeen)) > 5
    assert not [record for record in caplog.records if record.name == "lpr.web"]


pieces = st.one_of(
    st.binary(max_size=12).map(lambda data: bytes(byte for byte in data if byte not in b"\r\n #?")),
    st.sampled_from([b"%00", b"%FF", b"%ED%A0%80", b"\xff\xfe", b"%zz", b"..", b"*", b"\xed\xa0\x80", b"\x7f"]),
)
places = st.sampled_from(
    [
        b"/api/v1/passages?plate=%b",
        b"/api/v1/passages?cursor=%b",
        b"/api/v1/passages?from=%b",
        b"/api/v1/passages/count?lane=%b",
        b"/api/v1/passages/%b",
        b"/api/v1/passages/%b/picture",
        b"/api/v1/users/%b",
        b"/api/v1/events?types=%b",
        b"/api/v1/events?after=%b",
        b"/api/v1/cameras/%b/snapshot.jpg",
        b"/passages?plate=%b&from=%b",
        b"/passages/%b?asked=%b",
        b"/?camera=%b&lang=%b",
        b"/static/%b?v=%b",
        b"/%b",
    ]
)


@pytest.mark.anyio
async def test_a_users_odd_requests_never_make_an_error_of_ours(fresh: Site, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(hurried(fresh)) as server, aiohttp.ClientSession() as session:
        loop = asyncio.get_running_loop()
        headers = await log_in(session, server)

        async def ask(data: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(data)
            try:
                return await until_closed(reader)
            finally:
                writer.close()

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(places, pieces, st.sampled_from([b"GET", b"DELETE", b"PATCH"]))
        def odd(place: bytes, piece: bytes, method: bytes) -> None:
            target = place.replace(b"%b", piece)
            head = f"\r\nAuthorization: {headers['Authorization']}\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            answer = asyncio.run_coroutine_threadsafe(ask(method + b" " + target + b" HTTP/1.1" + head), loop).result()
            assert b" 500 " not in answer.split(b"\r\n", 1)[0], target

        await asyncio.to_thread(odd)
        async with session.get(f"{server.url}api/v1/me", headers=headers) as answer:
            assert answer.status == 200
    assert not [record for record in caplog.records if record.name == "lpr.web"]
    called = [record.event for record in await fresh.log.read(0, types=("ApiCalled",), limit=1000)]
    # How many depends on what hypothesis drew (repeated reads are counted together); each names its user.
    assert len(called) >= 10
    assert all(isinstance(event, ApiCalled) and event.user for event in called)


@pytest.mark.anyio
async def test_slow_headers_are_cut_off(fresh: Site) -> None:
    async with serving(hurried(fresh)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

        async def trickle() -> None:
            for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"y" * 100_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.01)

        slow = asyncio.create_task(trickle())
        assert await until_closed(reader) == b""
        slow.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await slow
        writer.close()


@pytest.mark.anyio
async def test_a_slow_body_ends_as_408(fresh: Site) -> None:
    async with serving(fresh.context) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        answer = await until_closed(reader)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"request_timeout" in answer
        writer.close()


@pytest.mark.anyio
async def test_a_crowd_of_strangers_never_displaces_a_user(fresh: Site) -> None:
    async with serving(fresh.context) as server, aiohttp.ClientSession() as session:
        headers = await log_in(session, server)
        tail = await session.get(f"{server.url}api/v1/events/stream?types=ServiceStopped", headers=headers)
        assert tail.status == 200
        crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(40)]
        async with session.get(f"{server.url}api/v1/me", headers=headers) as answer:
            assert answer.status == 200
        gone = [asyncio.create_task(until_closed(reader)) for reader, _ in crowd]
        done, _ = await asyncio.wait(gone, timeout=0.2)
        assert len(done) >= 34
        assert not tail.closed and (await tail.content.readline()).startswith(b"retry")
        tail.close()
        for _, writer in crowd:
            writer.close()
        for task in gone:
            task.cancel()
        await asyncio.wait(gone)


@pytest.mark.anyio
async def test_a_client_that_takes_nothing_is_cut_off_and_others_go_on(
    fresh: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = asyncio.Event()
    abort = GuardedHandler.abort

    def noted(handler: GuardedHandler) -> None:
        abort(handler)
        cut.set()

    monkeypatch.setattr(GuardedHandler, "abort", noted)
    await fresh.fill(3)
    picture = f"api/v1/passages/{fresh.ids[0]}/picture"
    async with serving(hurried(fresh)) as server, aiohttp.ClientSession() as session:
        headers = await log_in(session, server)
        stuck, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        ask = f"GET /{picture} HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
        writer.write(ask.encode() * 400)
        async with session.get(server.url + picture, headers=headers) as answer:
            assert answer.status == 200 and len(await answer.read()) > 10_000
        await cut.wait()
        taken = b""
        with suppress(ConnectionError):
            while chunk := await stuck.read(1 << 20):
                taken += chunk
        writer.close()
        assert taken.count(b"HTTP/1.1 200") < 400


@pytest.mark.anyio
async def test_a_stop_ends_open_streams(fresh: Site) -> None:
    async with aiohttp.ClientSession() as session:
        async with serving(fresh.context) as server:
            headers = await log_in(session, server)
            tail = await session.get(f"{server.url}api/v1/events/stream", headers=headers)
            assert (await tail.content.readline()).startswith(b"retry")
        with pytest.raises(aiohttp.ClientError):
            while await tail.content.readany():
                pass
        tail.close()
        with pytest.raises(aiohttp.ClientError):
            await session.get(server.url)
    calls = [record.event for record in await fresh.log.read(0, types=("ApiCalled",))]
    assert len(calls) == 1, "the trail is written to its end"


@pytest.mark.anyio
async def test_a_full_disk_is_said_when_a_password_is_set(fresh: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _: credentials.CredentialsFile) -> None:
        raise credentials.CredentialsError(f"{path}: can't be written (No space left on device); free disk space")

    async with serving(fresh.context) as server, aiohttp.ClientSession() as session:
        headers = await log_in(session, server)
        monkeypatch.setattr(credentials, "save", full)
        change = {"current": SECRET, "new": "another good secret"}
        async with session.put(f"{server.url}api/v1/me/password", json=change, headers=headers) as answer:
            assert answer.status == 503 and (await answer.json())["code"] == "credentials_unavailable"
        assert await fresh.users.check(OPERATOR, SECRET) is not None


@pytest.mark.anyio
async def test_a_taken_port_is_named(fresh: Site) -> None:
    async with serving(fresh.context) as server:
        web = msgspec.structs.replace(fresh.config.web, port=server.port)
        second = WebServer(replace(fresh.context, config=msgspec.structs.replace(fresh.config, web=web)))
        with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{server.port} is used .* web\.port"):
            await second.run()
        listening = [record.event for record in await fresh.log.read(0, types=("ServerListening",))]
        assert listening[-1] == ServerListening(server="web", address=f"127.0.0.1:{server.port}")


@pytest.mark.anyio
async def test_bad_addresses_and_certificates_are_named(fresh: Site, tmp_path: Path) -> None:
    def with_web(**changes: object) -> WebServer:
        web = msgspec.structs.replace(fresh.config.web, **changes)
        return WebServer(replace(fresh.context, config=msgspec.structs.replace(fresh.config, web=web)))

    with pytest.raises(HttpServerError, match=r"web\.host"):
        await with_web(host="192.0.2.1").run()
    absent = Tls(certificate_file=str(tmp_path / "no.pem"), key_file=str(tmp_path / "no.key"))
    with pytest.raises(HttpServerError, match="does not exist"):
        await with_web(tls=absent).run()
    (tmp_path / "bad.pem").write_text("nonsense")
    bad = Tls(certificate_file=str(tmp_path / "bad.pem"), key_file=str(tmp_path / "bad.pem"))
    with pytest.raises(HttpServerError, match="must be PEM"):
        await with_web(tls=bad).run()


@pytest.mark.anyio
async def test_an_unwritable_log_is_said_and_reading_goes_on(fresh: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await fresh.fill(3)
    async with serving(fresh.context) as server, aiohttp.ClientSession() as session:
        headers = await log_in(session, server)

        async def full(*_: object, **__: object) -> None:
            raise LogUnavailable("events.db: the disk is full; free some space")

        monkeypatch.setattr(fresh.log, "append", full)
        async with session.get(f"{server.url}api/v1/passages", headers=headers) as answer:
            assert answer.status == 200 and len((await answer.json())["items"]) == 3
        path = f"{server.url}api/v1/passages/{fresh.ids[0]}/deliveries"
        async with session.post(path, json={"sink": "city"}, headers=headers) as answer:
            assert answer.status == 503 and "disk is full" in (await answer.json())["detail"]
        monkeypatch.undo()

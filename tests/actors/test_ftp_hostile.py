"""Hostile, slow and broken clients of the FTP server, and its bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpr.config import FtpServer as Settings
from lpr.events import AbuseSeen
from tests.actors.ftp_rig import BIG, FOLDER, NAME, Client, connect, served
from tests.actors.transfer_rig import PICTURE
from tests.core.shelf_rig import BASE, Seen, fill


@pytest.fixture
def anyio_backend() -> str:
    """aioftp needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


async def test_a_transfer_that_is_aborted(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=BIG)])
    async with served(tmp_path) as (port, told):
        client = await Client.to(port)
        _, writer = await client.data()
        assert (await client.ask(f"RETR {FOLDER}/{NAME}")).startswith("150")
        assert (await client.ask("LIST")).startswith("450")
        client.writer.write(b"\xff\xf4\xff\xf2")  # as clients of old do: Telnet's interrupt and mark
        assert (await client.ask("ABOR")).startswith("426")
        assert (await client.reply()).startswith("226")
        writer.close()
        ((_, _, sent, outcome),) = await told.transfers()
        assert sent < len(BIG) and outcome == "aborted"
        assert b"pictures" in await client.fetch("NLST /")


async def test_a_client_that_leaves_in_a_transfer(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=BIG)])
    async with served(tmp_path) as (port, told):
        client = await Client.to(port)
        _, writer = await client.data()
        assert (await client.ask(f"RETR {FOLDER}/{NAME}")).startswith("150")
        client.writer.transport.abort()
        writer.transport.abort()
        assert (await told.transfers())[0][3] in ("aborted", "connection lost")


async def test_a_client_that_takes_nothing_is_dropped(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=BIG)])
    async with served(tmp_path, Settings(port=0, plain=True, send_timeout=0.3)) as (port, told):
        client = await Client.to(port)
        _, writer = await client.data()
        assert (await client.ask(f"RETR {FOLDER}/{NAME}")).startswith("150")
        assert (await told.transfers())[0][3] == "too slow"
        assert (await client.reply()).startswith("426")
        writer.close()


async def test_a_transfer_without_a_data_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpr.actors.ftp_server.link.DATA_TIMEOUT", 0.1)
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path) as (port, told):
        client = await Client.to(port)
        await client.data_port()
        assert (await client.ask(f"RETR {FOLDER}/{NAME}")).startswith("150")
        assert (await client.reply()).startswith("425")
        assert (await told.transfers())[0][2:] == (0, "no data connection")


async def test_a_stranger_gets_no_data(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path) as (port, told):
        client = await Client.to(port)
        data_port = await client.data_port()
        stranger, theirs = await connect(data_port, own="127.0.0.2")
        with anyio.fail_after(30):
            assert await stranger.read() == b""
        theirs.close()
        abuse = (await told.of(AbuseSeen))[0]
        assert isinstance(abuse, AbuseSeen) and abuse.counts == {"stranger at a data port": 1}
        reader, writer = await connect(data_port)
        client.send(b"NLST\r\n")
        assert b"lists" in await reader.read()
        writer.close()


async def test_who_never_logs_in_is_dropped(tmp_path: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, Settings(port=0, plain=True, login_timeout=0.3)) as (port, told):
        client = await Client.to(port, log_in=False)
        assert await client.reply() == "421 Nothing was asked for too long"
        await client.over()
        assert await told.of(AbuseSeen)


async def test_who_asks_for_nothing_is_dropped_but_not_in_a_transfer(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=PICTURE)])
    config = Settings(port=0, plain=True, idle_timeout=0.2, bandwidth=300_000)
    async with served(tmp_path, config) as (port, _):
        client = await Client.to(port)
        assert await client.fetch(f"RETR {FOLDER}/{NAME}") == PICTURE
        assert (await client.reply()).startswith("421")
        await client.over()


async def test_an_overlong_line_ends_the_connection(tmp_path: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path) as (port, _):
        client = await Client.to(port, log_in=False)
        client.send(b"A" * 100_000)
        assert (await client.reply()).startswith("500")
        await client.over()


async def test_places_are_bounded(tmp_path: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, Settings(port=0, plain=True, max_clients=2, max_clients_per_address=2)) as (port, _):
        silent = await Client.to(port, log_in=False)
        first = await Client.to(port)
        second = await Client.to(port)
        await silent.over()  # it never logged in, and made room
        third = Client(*await connect(port))
        assert await third.reply() == ""
        first.writer.close()
        await first.over()
        assert (await second.ask("NOOP")).startswith("200")


async def test_clients_that_leave_at_any_moment_leave_nothing_behind(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    config = Settings(port=0, plain=True, max_clients=20, max_clients_per_address=20)
    with anyio.fail_after(60):
        async with served(tmp_path, config) as (port, _):
            for number in range(120):
                client = await Client.to(port)
                _, data = await client.data()
                client.send([b"QUIT\r\n", b"NOOP\r\nQUIT\r\n", b"NLST\r\nABOR\r\nQUIT\r\n", b"LIST\r\n"][number % 4])
                if number % 3:
                    await client.reply()
                data.transport.abort()
                client.writer.transport.abort()
            assert (await (await Client.to(port)).ask("NOOP")).startswith("200")


async def test_the_range_of_data_ports_is_kept_and_given_back(tmp_path: Path) -> None:
    fill(tmp_path, [])
    probe = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    one = int(probe.sockets[0].getsockname()[1])
    probe.close()
    await probe.wait_closed()
    async with served(tmp_path, Settings(port=0, plain=True, passive_ports=(one, one))) as (port, _):
        for _ in range(2):
            client = await Client.to(port)
            assert await client.data_port() == one
            other = await Client.to(port)
            assert (await other.ask("EPSV")).startswith("421")
            assert (await client.ask("QUIT")).startswith("221")
            await client.over()


async def test_the_address_for_clients_behind_a_translation(tmp_path: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, Settings(port=0, plain=True, address="203.0.113.7")) as (port, _):
        assert "(203,0,113,7," in await (await Client.to(port)).ask("PASV")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=8))
def test_any_bytes_are_survived(tmp_path: Path, lines: list[bytes]) -> None:
    fill(tmp_path, [])

    async def run() -> None:
        async with served(tmp_path) as (port, _):
            client = await Client.to(port, log_in=False)
            client.send(b"\r\n".join([*lines, b"QUIT", b""]))
            await client.over()
            assert (await (await Client.to(port)).ask("NOOP")).startswith("200")

    anyio.run(run)

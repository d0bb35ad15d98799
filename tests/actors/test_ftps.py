"""FTP's encryption: explicit, implicit, by choice, and what goes wrong with it."""

from __future__ import annotations

import ftplib
from pathlib import Path

import pytest

from lpr.actors.ftp_server import FtpServer
from lpr.config import FtpServer as Settings
from lpr.core.clock import SystemClock
from lpr.core.sockets import ListenError
from lpr.events import AbuseSeen
from tests.actors.ftp_rig import FOLDER, NAME, Client, connect, in_thread, secured, served
from tests.actors.transfer_rig import NVR, PASSWORD, PICTURE, TestLogins, Told
from tests.core.shelf_rig import BASE, Seen, fill, shelves


@pytest.fixture
def anyio_backend() -> str:
    """aioftp needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


async def test_ftps_with_pythons_own_client(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=PICTURE)])
    config, context = secured(tmp_path)
    async with served(tmp_path, config) as (port, told):

        def session() -> list[bytes]:
            with ftplib.FTP_TLS(context=context) as ftp:
                ftp.connect("127.0.0.1", port, timeout=30)
                with pytest.raises(ftplib.error_perm, match="AUTH TLS first"):
                    ftp.sendcmd("USER nvr")
                ftp.login(NVR, PASSWORD)
                with pytest.raises(ftplib.error_perm, match="521"):
                    ftp.nlst()
                with pytest.raises(ftplib.error_perm, match="534"):
                    ftp.prot_c()
                ftp.prot_p()
                assert ftp.nlst("/pictures") == ["2026-11-21"]
                found: list[bytes] = []
                ftp.retrbinary(f"RETR {FOLDER}/{NAME}", found.append)
                return found

        assert b"".join(await in_thread(session)) == PICTURE
        assert (await told.transfers())[0][2:] == (len(PICTURE), "done")


async def test_encryption_by_choice(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    config, context = secured(tmp_path, plain=True)
    async with served(tmp_path, config) as (port, _):
        client = await Client.to(port)
        assert b"pictures" in await client.fetch("NLST")

        def session() -> list[str]:
            with ftplib.FTP_TLS(context=context) as ftp:
                ftp.connect("127.0.0.1", port, timeout=30)
                ftp.login(NVR, PASSWORD)
                in_clear = ftp.nlst()
                ftp.prot_p()
                return in_clear + ftp.nlst()

        assert (await in_thread(session)).count("pictures") == 2


async def test_implicit_encryption(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    config, context = secured(tmp_path, implicit=True)
    async with served(tmp_path, config) as (port, told):
        streams = await connect(port, tls=context)
        client = Client(*streams)
        assert (await client.reply()).startswith("220")
        await client.ask(f"USER {NVR}")
        assert (await client.ask(f"PASS {PASSWORD}")).startswith("230")
        assert (await client.ask("AUTH TLS")).startswith("503")
        data_port = await client.data_port()
        reader, writer = await connect(data_port, tls=context)
        client.send(b"NLST\r\n")
        assert b"records" in await reader.read()
        writer.close()
        plain = Client(*await connect(port))
        plain.send(b"USER nvr\r\n")
        await plain.over()
        assert await told.of(AbuseSeen)


async def test_what_comes_before_the_encryption_is_not_taken_for_the_clients(tmp_path: Path) -> None:
    fill(tmp_path, [])
    config, _ = secured(tmp_path)
    async with served(tmp_path, config) as (port, told):
        client = await Client.to(port, log_in=False)
        client.send(b"AUTH TLS\r\nUSER nvr\r\n")
        assert await client.reply() == ""
        abuse = (await told.of(AbuseSeen))[0]
        assert isinstance(abuse, AbuseSeen) and abuse.counts == {"data before TLS": 1}


async def test_a_broken_handshake_ends_its_connection_alone(tmp_path: Path) -> None:
    fill(tmp_path, [])
    config, _ = secured(tmp_path)
    async with served(tmp_path, config) as (port, _):
        client = await Client.to(port, log_in=False)
        assert (await client.ask("AUTH TLS")).startswith("234")
        client.send(b"no handshake at all\r\n" * 20)
        await client.over()
        assert (await (await Client.to(port, log_in=False)).ask("NOOP")).startswith("200")


async def test_a_bad_certificate_is_told(tmp_path: Path) -> None:
    config, _ = secured(tmp_path)
    (tmp_path / "cert.pem").write_text("no certificate")
    server = FtpServer(config, shelves=shelves(tmp_path), logins=TestLogins(), clock=SystemClock())
    with pytest.raises(ListenError, match=r"ftp\.tls: the certificate .*cert\.pem can't be used"):
        await server.run(Told().emit)


def test_without_encryption_only_when_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain = true"):
        FtpServer(Settings(port=0), shelves=shelves(tmp_path), logins=TestLogins(), clock=SystemClock())

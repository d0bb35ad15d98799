"""The FTP server: what it serves, whom it lets in, and what hostile, slow and broken clients get."""

from __future__ import annotations

import asyncio
import ftplib
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from anyio import to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpr.actors.ftp_server import FtpServer
from lpr.actors.ftp_server.listing import facts_line, list_line, stamp, target_of
from lpr.config import FtpServer as Settings
from lpr.core.clock import SystemClock
from lpr.core.shelves import Entry
from lpr.core.sockets import ListenError
from lpr.events import AbuseSeen, LoggedIn, LoginFailed, ServerListening
from tests.actors.transfer_rig import NVR, PASSWORD, PICTURE, TestLogins, Told, certificate, running
from tests.core.shelf_rig import BASE, HOUR, Seen, fill, shelves

T = TypeVar("T")
NAME = "20261121-140000-000_ABC1D23_1.jpg"
FOLDER = "/pictures/2026-11-21/14"


@pytest.fixture
def anyio_backend() -> str:
    """aioftp needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


OPEN: list[asyncio.StreamWriter] = []
"""Of the clients of the server that runs; closed when it ends."""


async def connect(
    port: int, *, tls: ssl.SSLContext | None = None, own: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = None if tls is None else "localhost"
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname=name, local_addr=(own, 0)
    )
    OPEN.append(writer)
    return reader, writer


@asynccontextmanager
async def served(
    folder: Path, config: Settings | None = None, logins: TestLogins | None = None
) -> AsyncGenerator[tuple[int, Told], None]:
    server = FtpServer(
        config or Settings(port=0, plain=True),
        shelves=shelves(folder),
        logins=logins or TestLogins(),
        clock=SystemClock(),
    )
    async with running(server) as (port, told):
        try:
            yield port, told
        finally:
            for writer in OPEN:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
            OPEN.clear()


class Client:
    """A control connection, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int, *, log_in: bool = True) -> Client:
        client = cls(*await connect(port))
        assert (await client.reply()).startswith("220")
        if log_in:
            assert (await client.ask(f"USER {NVR}")).startswith("331")
            assert (await client.ask(f"PASS {PASSWORD}")).startswith("230")
        return client

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> str:
        """The last line of the next reply; "" at the end."""
        with anyio.fail_after(30):
            while line := (await self.reader.readline()).decode():
                if line[3:4] == " " and line[:3].isdigit():
                    break
        return line.rstrip()

    async def ask(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def data(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A data connection."""
        return await connect(await self.data_port())

    async def data_port(self) -> int:
        return int((await self.ask("EPSV")).split("|||")[1].split("|")[0])

    async def fetch(self, command: str) -> bytes:
        reader, writer = await self.data()
        assert (await self.ask(command)).startswith("150")
        content = await reader.read()
        assert (await self.reply()).startswith("226")
        writer.close()
        return content

    async def over(self) -> None:
        """The server ends the connection."""
        with anyio.fail_after(30):
            try:
                while await self.reader.read(4096):
                    continue
            except ConnectionResetError:
                return


async def test_folders_and_files(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=PICTURE), Seen(at=BASE + HOUR)])
    async with served(tmp_path) as (port, told):
        client = await Client.to(port)
        assert (await client.ask("PWD")).startswith('257 "/"')
        assert (await client.fetch("NLST")).split() == [b"lists", b"pictures", b"plates", b"records"]
        assert (await client.ask(f"CWD {FOLDER}")).startswith("250")
        assert (await client.fetch("LIST -la")).decode().split()[-1] == NAME
        assert (await client.fetch(f"MLSD {FOLDER}")).startswith(b"type=file;size=307204;modify=20261121140000; 2026")
        assert await client.ask(f"SIZE {NAME}") == f"213 {len(PICTURE)}"
        assert await client.ask(f"MDTM {NAME}") == "213 20261121140000"
        assert await client.fetch(f"RETR {NAME}") == PICTURE
        assert (await client.ask("REST 307000")).startswith("350")
        assert await client.fetch(f"RETR {NAME}") == PICTURE[307_000:]
        assert (await client.ask("CDUP")).startswith("250")
        assert (await client.fetch("NLST")).split() == [b"14", b"15"]
        assert (await client.fetch("NLST /lists")) == b""
        size = int((await client.ask("SIZE /records/2026-11-21.csv")).split()[1])
        assert len(await client.fetch("RETR /records/2026-11-21.csv")) == size
        path = f"{FOLDER}/{NAME}"
        assert await told.transfers(3) == [
            (NVR, path, len(PICTURE), "done"),
            (NVR, path, 204, "done"),
            (NVR, "/records/2026-11-21.csv", size, "done"),
        ]
        assert isinstance(told.events[0], ServerListening)
        assert LoggedIn(user=NVR, remote="127.0.0.1", server="ftp") in told.events
        assert (await client.ask("QUIT")).startswith("221")
        await client.over()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("RETR ../../../etc/passwd", "550"),
        ("RETR /etc/passwd", "550"),
        ("RETR /pictures", "550"),
        (f"RETR {FOLDER}/20261121-140000-000_ABC1D23_2.jpg", "550"),
        ("CWD /etc", "550"),
        (f"CWD {FOLDER}/{NAME}", "550"),
        ("SIZE /pictures", "550"),
        ("MLST /nowhere", "550"),
        ("STOR x", "550"),
        ("APPE x", "550"),
        (f"DELE {FOLDER}/{NAME}", "550"),
        ("MKD x", "550"),
        ("RMD /lists", "550"),
        ("RNFR /lists", "550"),
        ("SITE CHMOD 777 x", "550"),
        ("RETR /records/2026-11-21.csv", "425"),
        ("LIST", "425"),
        ("REST x", "501"),
        ("REST -1", "501"),
        ("REST ²", "501"),
        ("EPSV 9", "522"),
        ("EPSV ALL", "200"),
        ("PORT 127,0,0,1,4,1", "502"),
        ("AUTH TLS", "502"),
        ("PROT P", "503"),
        ("PBSZ 0", "503"),
        ("OPTS UTF8 ON", "200"),
        ("OPTS HASH", "501"),
        ("USER other", "503"),
        ("PASS other", "503"),
        ("FEAT", "211"),
        ("SYST", "215"),
        ("NOOP", "200"),
        ("TYPE I", "200"),
        ("MLST /lists", "250"),
        ("XXXX", "502"),
        ("RÉTR x", "502"),
        ("", "502"),
        ("ABOR", "226"),
    ],
)
async def test_replies(tmp_path: Path, command: str, code: str) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path) as (port, _):
        client = await Client.to(port)
        assert (await client.ask(command))[:3] == code
        assert (await client.ask("PWD"))[:3] == "257"  # goes on


async def test_nothing_without_a_log_in(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path) as (port, _):
        client = await Client.to(port, log_in=False)
        for command in ("PWD", "CWD /", "LIST", "NLST", "MLSD", "MLST /", "RETR x", "SIZE x", "MDTM x", "EPSV", "PASV"):
            assert (await client.ask(command))[:3] == "530"
        assert (await client.ask("PASS x"))[:3] == "503"


async def test_every_reachable_command_is_ours(tmp_path: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path) as (port, _):
        client = await Client.to(port)
        for command in ("STOR", "APPE", "MKD", "RMD", "DELE", "RNFR", "RNTO"):
            assert (await client.ask(f"{command} /x"))[:3] in ("550", "502")


async def test_commands_are_dealt_with_one_after_the_other(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path) as (port, told):
        client = await Client.to(port, log_in=False)
        client.send(f"USER {NVR}\r\nPASS {PASSWORD}\r\nUSER viewer\r\nPWD\r\nNOOP\r\n".encode())
        assert [(await client.reply())[:3] for _ in range(5)] == ["331", "230", "503", "257", "200"]
        assert await told.of(LoggedIn) == [LoggedIn(user=NVR, remote="127.0.0.1", server="ftp")]


async def test_nothing_is_read_after_the_last_command(tmp_path: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path) as (port, _):
        client = await Client.to(port)
        client.send(b"QUIT\r\nNOOP\r\nXXXX\r\n")
        assert (await client.reply()).startswith("221")
        assert await client.reply() == ""


async def test_wrong_log_ins_end_the_connection_and_then_are_not_looked_at(tmp_path: Path) -> None:
    fill(tmp_path, [])
    logins = TestLogins()
    async with served(tmp_path, Settings(port=0, plain=True, login_attempts=5), logins) as (port, told):
        for _ in range(3):
            client = await Client.to(port, log_in=False)
            for _ in range(3):
                await client.ask(f"USER {NVR}")
                assert (await client.ask("PASS wrong"))[:3] == "530"
            await client.over()
        assert logins.asked == 5
        assert len(await told.of(LoginFailed, 5)) == 5
        client = await Client.to(port, log_in=False)
        await client.ask(f"USER {NVR}")
        assert (await client.ask(f"PASS {PASSWORD}"))[:3] == "530"


async def test_the_level_of_the_account_counts(tmp_path: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, Settings(port=0, plain=True, level="operator")) as (port, _):
        client = await Client.to(port, log_in=False)
        await client.ask("USER viewer")
        assert (await client.ask("PASS only looking 1"))[:3] == "530"
        await client.ask(f"USER {NVR}")
        assert (await client.ask(f"PASS {PASSWORD}"))[:3] == "230"


async def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with served(tmp_path) as (port, _):
        client = await Client.to(port)
        assert (await client.ask("SIZE /records/2026-11-21.csv")).startswith("451 passages.db has not been built yet")


# --- encryption -----------------------------------------------------------------------------------------


def secured(folder: Path, *, implicit: bool = False, plain: bool = False) -> tuple[Settings, ssl.SSLContext]:
    tls, authority = certificate(folder)
    return Settings(port=0, tls=tls, implicit=implicit, plain=plain), ssl.create_default_context(cafile=str(authority))


async def in_thread(work: Callable[[], T]) -> T:
    with anyio.fail_after(60):
        return await to_thread.run_sync(work)


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


# --- slow, hostile, broken ------------------------------------------------------------------------------

BIG = b"\xff\xd8" + bytes(40_000_000)


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


# --- lines ----------------------------------------------------------------------------------------------


def test_lines_of_listings() -> None:
    file = Entry("a.jpg", False, 12, BASE)
    assert list_line(file, BASE + HOUR) == "-r--r--r-- 1 lpr lpr           12 Nov 21 14:00 a.jpg"
    assert list_line(file, BASE + 400 * 24 * HOUR).endswith("Nov 21  2026 a.jpg")
    assert list_line(file, BASE - HOUR).endswith("Nov 21  2026 a.jpg")
    assert list_line(Entry("x", True, 0, 0), BASE).startswith("dr-xr-xr-x")
    assert facts_line(file) == "type=file;size=12;modify=20261121140000; a.jpg"
    assert facts_line(Entry("x", True, 0, BASE)) == "type=dir;modify=20261121140000; x"
    assert stamp(-5) == "19700101000000"


@pytest.mark.parametrize(("argument", "path"), [("", ""), ("-la", ""), ("-l -a /x", "/x"), (" /a b", "/a b")])
def test_options_of_listings_are_not_paths(argument: str, path: str) -> None:
    assert target_of(argument) == path

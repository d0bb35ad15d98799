"""The FTP server: what it serves and whom it lets in."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpr.actors.ftp_server.listing import facts_line, list_line, stamp, target_of
from lpr.config import FtpServer as Settings
from lpr.core.shelves import Entry
from lpr.events import LoggedIn, LoginFailed, ServerListening
from tests.actors.ftp_rig import FOLDER, NAME, Client, served
from tests.actors.transfer_rig import NVR, PASSWORD, PICTURE, TestLogins
from tests.core.shelf_rig import BASE, HOUR, Seen, fill


@pytest.fixture
def anyio_backend() -> str:
    """aioftp needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


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

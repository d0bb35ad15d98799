"""The SFTP server: what it serves, whom it lets in, and what hostile, slow and broken clients get."""

from __future__ import annotations

import asyncio
import inspect
import socket
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import asyncssh
import pytest
from asyncssh import constants as ssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lpr.actors.sftp_server import SftpServer
from lpr.actors.sftp_server.files import Files
from lpr.actors.sftp_server.keys import client_keys, host_keys
from lpr.config import SftpKey
from lpr.config import SftpServer as Settings
from lpr.core.clock import SystemClock
from lpr.core.sockets import ListenError
from lpr.events import AbuseSeen, LoggedIn, LoginFailed
from tests.actors.transfer_rig import NVR, PASSWORD, PICTURE, TestLogins, Told, running
from tests.core.shelf_rig import BASE, HOUR, Seen, fill, shelves

NAME = "20261121-140000-000_ABC1D23_1.jpg"
FILE = f"/pictures/2026-11-21/14/{NAME}"


@pytest.fixture
def anyio_backend() -> str:
    """asyncssh needs asyncio."""
    return "asyncio"


pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with host keys, which take a while to make."""
    folder = tmp_path_factory.mktemp("keys")
    host_keys(folder)
    return folder


@asynccontextmanager
async def served(
    folder: Path, keys: Path, config: Settings | None = None, logins: TestLogins | None = None
) -> AsyncGenerator[tuple[int, Told], None]:
    logins = logins or TestLogins()
    server = SftpServer(
        config or Settings(port=0),
        shelves=shelves(folder),
        logins=logins,
        accounts=logins.accounts,
        keys_folder=keys,
        clock=SystemClock(),
    )
    async with running(server) as (port, told):
        yield port, told


@asynccontextmanager
async def connected(
    port: int, *, user: str = NVR, password: str | None = PASSWORD, key: asyncssh.SSHKey | None = None
) -> AsyncGenerator[asyncssh.SSHClientConnection, None]:
    connection = await asyncssh.connect(
        "127.0.0.1",
        port,
        username=user,
        password=password,
        client_keys=None if key is None else [key],
        known_hosts=None,
        config=None,
        agent_path=None,
    )
    try:
        yield connection
    finally:
        connection.abort()
        with anyio.fail_after(20):
            await connection.wait_closed()


def client_key() -> asyncssh.SSHKey:
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return asyncssh.import_private_key(made)


def stuck(sock: socket.socket) -> int:
    """As when the kernel says that nothing is taken."""
    return 10**9


async def test_folders_and_files(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=PICTURE), Seen(at=BASE + HOUR)])
    async with served(tmp_path, keys) as (port, told), connected(port) as connection:
        sftp = await connection.start_sftp_client()
        assert sorted(await sftp.listdir("/")) == [".", "..", "lists", "pictures", "plates", "records"]
        assert set(await sftp.listdir("/pictures/2026-11-21")) == {".", "..", "14", "15"}
        assert set(await sftp.listdir("/lists")) == {".", ".."}
        assert await sftp.realpath("../../pictures/./x/..") == "/pictures"
        found = await sftp.stat(FILE)
        assert (found.size, found.mtime) == (len(PICTURE), BASE // 1_000_000)
        assert found.permissions == stat.S_IFREG | 0o444
        async with sftp.open(FILE, "rb") as file:
            assert await file.read() == PICTURE
        async with sftp.open("/records/2026-11-21.csv", "rb") as file:
            assert (await file.read(10, 5)) == b"d,id,at,pl"
            size = (await file.stat()).size
        assert size is not None and size > 100
        transfers = await told.transfers(2)
        assert transfers[0] == (NVR, FILE, len(PICTURE), "done")
        assert transfers[1][1:] == ("/records/2026-11-21.csv", 10, "aborted")
        assert LoggedIn(user=NVR, remote="127.0.0.1", server="sftp") in told.events


async def test_nothing_can_be_changed(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path, keys) as (port, _), connected(port) as connection:
        sftp = await connection.start_sftp_client()
        for mode in ("wb", "ab", "r+b", "xb"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.open("/new", mode)
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.open(FILE, ssh.FXF_READ | ssh.FXF_TRUNC)
        for change in (
            sftp.remove(FILE),
            sftp.mkdir("/new"),
            sftp.rmdir("/lists"),
            sftp.rename(FILE, "/new"),
            sftp.posix_rename(FILE, "/new"),
            sftp.symlink("/etc/passwd", "/new"),
            sftp.link(FILE, "/new"),
            sftp.chmod(FILE, 0o777),
            sftp.truncate(FILE, 0),
            sftp.statvfs("/"),
        ):
            with pytest.raises(asyncssh.SFTPError):
                await change
        async with sftp.open(FILE, "rb") as file:
            with pytest.raises(asyncssh.SFTPError):
                await file.write(b"x")
            with pytest.raises(asyncssh.SFTPError):
                await file.fsync()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/passwd", b"/\xff", "/pictures", "/pictures/\\..", "/lists/x"]
)
async def test_what_is_not_there(tmp_path: Path, keys: Path, path: str | bytes) -> None:
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path, keys) as (port, _), connected(port) as connection:
        sftp = await connection.start_sftp_client()
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.open(path, "rb")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.listdir(FILE)
        with pytest.raises(asyncssh.SFTPError):
            await sftp.readlink("/lists")


def test_every_operation_of_asyncssh_is_overridden() -> None:
    """The rest works on the machine's own files."""
    harmless = {
        "channel", "connection", "env", "logger", "convert_attrs", "format_longname", "map_path", "reverse_map_path",
    }  # fmt: skip
    base = {name for name, _ in inspect.getmembers(asyncssh.SFTPServer) if not name.startswith("_")}
    assert base - harmless <= vars(Files).keys()


async def test_a_table_that_is_not_there_is_told(tmp_path: Path, keys: Path) -> None:
    async with served(tmp_path, keys) as (port, _), connected(port) as connection:
        sftp = await connection.start_sftp_client()
        with pytest.raises(asyncssh.SFTPFailure, match="has not been built yet"):
            await sftp.stat("/records/2026-11-21.csv")
        with pytest.raises(asyncssh.SFTPFailure, match="has not been built yet"):
            await sftp.listdir("/pictures")


async def test_wrong_passwords(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [])
    logins = TestLogins()
    async with served(tmp_path, keys, Settings(port=0, login_attempts=2), logins) as (port, told):
        for _ in range(3):
            with pytest.raises(asyncssh.PermissionDenied):
                async with connected(port, password="wrong"):
                    raise AssertionError("not reached")
        assert logins.asked == 2
        assert len(await told.of(LoginFailed, 2)) == 2
        with pytest.raises(asyncssh.PermissionDenied):
            async with connected(port):
                raise AssertionError("not reached")


async def test_the_level_of_the_account_counts(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, keys, Settings(port=0, level="operator")) as (port, _):
        with pytest.raises(asyncssh.PermissionDenied):
            async with connected(port, user="viewer", password="only looking 1"):
                raise AssertionError("not reached")
        async with connected(port):
            pass


async def test_keys_of_machines(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [])
    right, other = client_key(), client_key()
    file = tmp_path / "authorized"
    file.write_bytes(other.export_public_key() + right.export_public_key())
    (tmp_path / "unknown").write_bytes(right.export_public_key())
    config = Settings(
        port=0,
        keys=(
            SftpKey(account=NVR, public_key_file=str(file)),
            SftpKey(account="gone", public_key_file=str(tmp_path / "unknown")),
        ),
    )
    async with served(tmp_path, keys, config) as (port, told):
        for key in (right, other):
            async with connected(port, password=None, key=key) as connection:
                sftp = await connection.start_sftp_client()
                assert "lists" in await sftp.listdir("/")
        assert len(await told.of(LoggedIn, 2)) == 2
        with pytest.raises(asyncssh.PermissionDenied):
            async with connected(port, password=None, key=client_key()):
                raise AssertionError("not reached")
        # a key of an account that is not there (any more) opens nothing
        with suppress(asyncssh.Error, OSError):
            async with connected(port, user="gone", password=None, key=right) as connection:
                with pytest.raises((asyncssh.Error, OSError)):
                    await connection.start_sftp_client()
        assert len([event for event in told.events if isinstance(event, LoggedIn)]) == 2


async def test_no_shell_no_command_no_forwarding(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, keys) as (port, _), connected(port) as connection:
        with pytest.raises(asyncssh.Error):
            await connection.run("ls", check=True)
        with pytest.raises(asyncssh.Error):
            await connection.run(check=True)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_connection(asyncssh.SSHTCPSession, "127.0.0.1", port)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", port)


async def test_sessions_and_open_files_are_bounded(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpr.actors.sftp_server.server.MAX_SESSIONS", 2)
    fill(tmp_path, [Seen(at=BASE)])
    async with served(tmp_path, keys, Settings(port=0, max_open=3)) as (port, _), connected(port) as connection:
        first, second = await connection.start_sftp_client(), await connection.start_sftp_client()
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        second.exit()
        await second.wait_closed()
        with anyio.fail_after(20):
            while True:
                with suppress(asyncssh.ChannelOpenError):
                    (await connection.start_sftp_client()).exit()
                    break
        files = [await first.open(FILE, "rb") for _ in range(4)]
        with pytest.raises(asyncssh.SFTPFailure, match="are open"):
            await first.open(FILE, "rb")
        with pytest.raises(asyncssh.SFTPFailure, match="are open"):
            await first.listdir("/")
        await files[0].close()
        await first.open(FILE, "rb")


async def test_a_client_that_leaves_in_a_transfer(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [Seen(at=BASE, jpeg=PICTURE)])
    async with served(tmp_path, keys) as (port, told):
        async with connected(port) as connection:
            sftp = await connection.start_sftp_client()
            file = await sftp.open(FILE, "rb")
            await file.read(1000)
        assert await told.transfers() == [(NVR, FILE, 1000, "aborted")]


async def test_who_asks_for_nothing_is_dropped(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpr.actors.sftp_server.server.TICK", 0.05)
    fill(tmp_path, [])
    config = Settings(port=0, idle_timeout=0.2)
    async with served(tmp_path, keys, config) as (port, _), connected(port) as connection:
        with anyio.fail_after(20):
            await connection.wait_closed()


async def test_a_client_that_takes_nothing_is_dropped(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel says is under way decides; here it always says too much."""
    fill(tmp_path, [Seen(at=BASE)])
    async with (
        served(tmp_path, keys, Settings(port=0, send_timeout=0.2)) as (port, told),
        connected(port) as connection,
    ):
        sftp = await connection.start_sftp_client()
        monkeypatch.setattr("lpr.actors.sftp_server.server.unacknowledged", stuck)
        with pytest.raises((asyncssh.Error, OSError)), anyio.fail_after(20):
            await sftp.stat("/")
        abuse = (await told.of(AbuseSeen))[0]
        assert isinstance(abuse, AbuseSeen) and abuse.counts == {"too slow": 1}


async def test_who_never_logs_in_is_dropped_and_makes_room(tmp_path: Path, keys: Path) -> None:
    fill(tmp_path, [])
    config = Settings(port=0, login_timeout=0.5, max_clients=2, max_clients_per_address=2)
    async with served(tmp_path, keys, config) as (port, told):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for reader, writer in silent:
            with anyio.fail_after(20), suppress(ConnectionResetError):
                while await reader.read(100):
                    continue
            writer.close()
        assert await told.of(AbuseSeen)


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" + bytes(2000), b"\xff" * 5000])
async def test_broken_input_ends_its_connection_alone(tmp_path: Path, keys: Path, greeting: bytes) -> None:
    fill(tmp_path, [])
    async with served(tmp_path, keys, Settings(port=0, login_timeout=2)) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(greeting)
        with anyio.fail_after(20), suppress(ConnectionResetError):
            while await reader.read(4096):
                continue
        writer.close()
        async with connected(port):
            pass


async def test_a_port_that_is_taken_is_told(tmp_path: Path, keys: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = Settings(port=taken.getsockname()[1])
        logins = TestLogins()
        server = SftpServer(
            config, shelves=shelves(tmp_path), logins=logins, accounts=logins.accounts, keys_folder=keys,
            clock=SystemClock(),
        )  # fmt: skip
        with pytest.raises(ListenError, match="another program"):
            await server.run(Told().emit)


def test_host_keys_are_made_once_and_for_the_owner_alone(keys: Path) -> None:
    files = sorted(keys.iterdir())
    assert [file.name for file in files] == ["sftp-ed25519.key", "sftp-rsa.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    before = [file.read_bytes() for file in files]
    assert [key.get_algorithm() for key in host_keys(keys)] == ["ssh-ed25519", "ssh-rsa"]
    assert [file.read_bytes() for file in files] == before


def test_keys_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "sftp-ed25519.key").write_text("no key")
    with pytest.raises(ListenError, match=r"sftp: the host key .*sftp-ed25519\.key can't be used"):
        host_keys(tmp_path)
    with pytest.raises(ListenError, match=r"sftp\.keys: .* can't be used"):
        client_keys([SftpKey(account=NVR, public_key_file=str(tmp_path / "sftp-ed25519.key"))])

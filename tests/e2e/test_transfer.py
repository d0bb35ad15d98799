"""The file servers and the clients that people use: curl, lftp and OpenSSH's sftp."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from lpr.actors.ftp_server import FtpServer
from lpr.actors.sftp_server import SftpServer
from lpr.config import FtpServer as FtpSettings
from lpr.config import SftpKey
from lpr.config import SftpServer as SftpSettings
from lpr.core.clock import SystemClock
from lpr.core.shelves import Shelves
from tests.actors.transfer_rig import NVR, PASSWORD, PICTURE, TestLogins, certificate, running
from tests.core.shelf_rig import BASE, HOUR, Seen, fill, shelves

NAME = "20261121-140000-000_ABC1D23_1.jpg"
FILE = f"/pictures/2026-11-21/14/{NAME}"
PATIENCE = 60


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def tree(tmp_path: Path) -> Shelves:
    passages = [Seen(at=BASE + number * 1_000_000, jpeg=PICTURE) for number in range(300)]
    fill(tmp_path, [*passages, Seen(at=BASE + 24 * HOUR)])
    return shelves(tmp_path)


pytestmark = pytest.mark.anyio


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


async def call(*command: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
    """What the program prints; it must succeed."""

    def run() -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, **(env or {})}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, env=surroundings, check=False
        )

    with anyio.fail_after(2 * PATIENCE):
        done = await to_thread.run_sync(run)
    assert done.returncode == 0, f"{command[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def ftp(tree: Shelves, settings: FtpSettings) -> FtpServer:
    return FtpServer(settings, shelves=tree, logins=TestLogins(), clock=SystemClock())


@needs("curl")
@pytest.mark.parametrize("way", ["plain", "explicit", "implicit"])
async def test_curl_fetches_over_ftp_and_ftps(tmp_path: Path, tree: Shelves, way: str) -> None:
    tls, authority = certificate(tmp_path)
    settings = FtpSettings(
        port=0, plain=way == "plain", tls=None if way == "plain" else tls, implicit=way == "implicit"
    )
    curl = ["curl", "-sS", "-u", f"{NVR}:{PASSWORD}"]
    curl += [] if way == "plain" else ["--cacert", str(authority), "--ssl-reqd"]
    scheme = "ftps" if way == "implicit" else "ftp"
    async with running(ftp(tree, settings)) as (port, told):
        there = f"{scheme}://localhost:{port}"
        listed = await call(*curl, f"{there}/pictures/2026-11-21/14/")
        assert len(listed.splitlines()) == 300 and listed.split()[8] == NAME
        await call(*curl, "-o", str(tmp_path / "got.jpg"), f"{there}{FILE}")
        assert (tmp_path / "got.jpg").read_bytes() == PICTURE
        await call(*curl, "-C", "300000", "-o", str(tmp_path / "rest.jpg"), f"{there}{FILE}")
        assert (tmp_path / "rest.jpg").read_bytes() == PICTURE[300_000:]
        records = await call(*curl, f"{there}/records/2026-11-21.csv")
        assert len(records.splitlines()) == 301
        assert [transfer[3] for transfer in await told.transfers(3)] == ["done"] * 3


@needs("lftp")
@pytest.mark.parametrize("way", ["plain", "explicit"])
async def test_lftp_mirrors_a_day(tmp_path: Path, tree: Shelves, way: str) -> None:
    tls, authority = certificate(tmp_path)
    settings = FtpSettings(port=0, plain=way == "plain", tls=None if way == "plain" else tls)
    async with running(ftp(tree, settings)) as (port, _):
        script = (
            f"set ssl:ca-file {authority}; set ftp:ssl-force {'no' if way == 'plain' else 'yes'};"
            "set ftp:ssl-protect-data yes; set net:max-retries 2; set net:timeout 20;"
            f"open -u {NVR},'{PASSWORD}' ftp://localhost:{port};"
            f"mirror --parallel=3 /plates/2026-11-22 {tmp_path}/day; ls /records; bye"
        )
        printed = await call("lftp", "--norc", "-c", script)
        assert "2026-11-21.json" in printed
        mirrored = [file.relative_to(tmp_path / "day").as_posix() for file in (tmp_path / "day").rglob("*.jpg")]
        assert mirrored == ["14/20261122-140000-000_ABC1D23_301.jpg"]


@needs("sftp")
@needs("ssh-keygen")
@pytest.mark.parametrize("way", ["password", "key"])
async def test_openssh_fetches_over_sftp(tmp_path: Path, tree: Shelves, way: str) -> None:
    await call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id"))
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\necho '{PASSWORD}'\n")
    ask.chmod(0o700)
    logins = TestLogins()
    server = SftpServer(
        SftpSettings(port=0, keys=(SftpKey(account=NVR, public_key_file=str(tmp_path / "id.pub")),)),
        shelves=tree,
        logins=logins,
        accounts=logins.accounts,
        keys_folder=tmp_path / "keys",
        clock=SystemClock(),
    )
    options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known"]
    options += (
        ["-i", str(tmp_path / "id"), "-o", "BatchMode=yes"] if way == "key" else ["-o", "PubkeyAuthentication=no"]
    )
    batch = (
        f"cd pictures/2026-11-21\nls -l 14\nget 14/{NAME} {tmp_path}/got.jpg\n"
        f"get /records/2026-11-21.json {tmp_path}/r\n"
        f"-put {tmp_path}/got.jpg /lists/new.jpg\n-rm 14/{NAME}\n-get ../../../../etc/passwd {tmp_path}/stolen\n"
    )
    async with running(server) as (port, told):
        printed = await call(
            "sftp", *options, "-P", str(port), "-q", f"{NVR}@127.0.0.1", stdin=batch,
            env={"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": "none"},
        )  # fmt: skip
        assert sum(line.endswith(".jpg") and line.startswith("-r--r--r--") for line in printed.splitlines()) == 300
        assert (tmp_path / "got.jpg").read_bytes() == PICTURE
        assert not (tmp_path / "stolen").exists()
        size = (tmp_path / "r").stat().st_size
        assert await told.transfers(2) == [
            (NVR, FILE, len(PICTURE), "done"),
            (NVR, "/records/2026-11-21.json", size, "done"),
        ]

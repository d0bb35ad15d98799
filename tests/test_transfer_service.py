"""The file servers and Pumatronix's addresses as parts of a service: wired, configured, refused."""

from __future__ import annotations

import ftplib
import json
import socket
from pathlib import Path

import anyio
import asyncssh
import cv2
import numpy as np
import pytest
from aiohttp import ClientSession
from anyio import to_thread
from numpy.typing import NDArray

import lpr
from lpr import settings
from lpr.config import Camera, Config, DeviceHttp, FtpServer, Pumatronix, SftpServer, Web
from lpr.core.tree_sql import COLUMNS
from lpr.events import Character, FileTransferred, Reading, ServerListening
from lpr.settings import ConfigError


@pytest.fixture
def anyio_backend() -> str:
    """The whole service has aiohttp in it: asyncio."""
    return "asyncio"


class Greys:
    """An engine for pictures of one grey: the plate is ABC and the grey's number."""

    name = "greys"

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        text = f"ABC{int(image[0, 0, 0]):04d}"
        characters = tuple(Character(char=char, confidence=0.95) for char in text)
        corners = ((10.0, 10.0), (90.0, 10.0), (90.0, 40.0), (10.0, 40.0))
        box = (10.0, 10.0, 90.0, 40.0)
        return (Reading(text=text, confidence=0.95, characters=characters, box=box, corners=corners, sharpness=100.0),)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.anyio
async def test_what_a_service_recorded_can_be_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for grey in (40, 120):
        cv2.imwrite(str(folder / f"{grey:03}.png"), np.full((120, 160, 3), grey, np.uint8))
    ports = free_port(), free_port(), free_port()
    config = Config(
        data=str(tmp_path / "data"),
        cameras=(Camera(name="gate", source=str(folder), fast=True),),
        web=Web(enabled=False),
        device_http=DeviceHttp(port=ports[0]),
        pumatronix=Pumatronix(),
        ftp=FtpServer(port=ports[1], plain=True),
        sftp=SftpServer(port=ports[2]),
    )

    def over_ftp(password: str) -> tuple[list[str], bytes]:
        found: list[bytes] = []
        with ftplib.FTP() as ftp:
            ftp.connect("127.0.0.1", ports[1], timeout=60)
            ftp.login("nvr", password)
            (day,) = ftp.nlst("/pictures")
            names = [name for hour in ftp.nlst(f"/pictures/{day}") for name in ftp.nlst(f"/pictures/{day}/{hour}")]
            ftp.retrbinary(f"RETR /records/{day}.json", found.append)
        return names, b"".join(found)

    async with lpr.open(config, engine=Greys()) as service:
        with anyio.fail_after(120):
            await service.settled()
            while len(await service.log.read(0, types=(ServerListening.__name__,))) < 3:  # host keys are being made
                await service.log.wait(service.log.head)
            password = (tmp_path / "data" / "keys" / "nvr.password").read_text().strip()
            names, records = await to_thread.run_sync(over_ftp, password)
            assert sorted(name.split("_")[1] for name in names) == ["ABC0040", "ABC0120"]
            rows = json.loads(records)
            assert [tuple(row) for row in rows] == [COLUMNS] * 2
            async with (
                asyncssh.connect(
                    "127.0.0.1", ports[2], username="nvr", password=password, known_hosts=None, config=None
                ) as connection,
                connection.start_sftp_client() as sftp,
            ):
                for row in rows:
                    async with sftp.open(row["picture"], "rb") as file:
                        assert (await file.read())[:2] == b"\xff\xd8"
            async with ClientSession() as session:
                login = {"params": {"username": "nvr", "password": password}}
                address = f"http://127.0.0.1:{ports[0]}/api"
                async with session.post(f"{address}/auth", json=login) as response:
                    token = (await response.json())["token"]
                headers = {"Authorization": f"Bearer {token}"}
                async with session.get(f"{address}/equipment/general", headers=headers) as response:
                    assert (await response.json())["serial"] == service.log.log_id
            while len(found := await service.log.read(0, types=(FileTransferred.__name__,))) < 3:
                await service.log.wait(service.log.head)
        servers = [record.event.server for record in found if isinstance(record.event, FileTransferred)]
        assert servers == ["ftp", "sftp", "sftp"]


def load(tmp_path: Path, text: str) -> settings.Settings:
    path = tmp_path / "lpr.toml"
    path.write_text(text)
    return settings.load(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[ftp]\n", "ftp: it has no TLS; .*ftp.plain = true"),
        ("[ftp]\nplain = true\nimplicit = true\n", "ftp.implicit"),
        ("[ftp]\nplain = true\npassive_ports = [50010, 50000]\n", "ftp.passive_ports: the first port is over the last"),
        ("[ftp]\nplain = true\npassive_ports = [20, 50000]\n", "ftp.passive_ports"),
        ("[ftp]\nplain = true\naddress = 'camera'\n", "ftp.address"),
        ("[ftp.tls]\ncertificate_file = 'no.pem'\nkey_file = 'no.key'\n", "ftp.tls.certificate_file: there is no file"),
        ("[sftp]\n[[sftp.keys]]\naccount = 'nvr'\npublic_key_file = 'no.pub'\n", "sftp.keys.0.public_key_file"),
        ("[sftp]\nport = 2121\n[ftp]\nplain = true\n", "port 2121 is already that of ftp.port"),
        ("[pumatronix]\n", r"pumatronix: .*add \[device_http\]"),
        ("[device_http]\n[pumatronix]\ncamera = 'north'\n", "there is no camera 'north'; known: camera"),
        ("[device_http]\n[pumatronix]\nexposures = 9\n", "pumatronix.exposures"),
    ],
)
def test_what_a_configuration_can_not_say(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, text)


def test_a_warning_before_passwords_cross_the_network_in_clear(tmp_path: Path) -> None:
    text = "[ftp]\nplain = true\nhost = '0.0.0.0'\n"
    assert any("ftp.plain" in warning for warning in load(tmp_path, text).warnings)
    assert not any("ftp" in warning for warning in load(tmp_path, "[ftp]\nplain = true\n").warnings)

"""A service inside a program: photographs in, passages out, and what it refuses at the start."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import cv2
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

import lpr
from lpr.config import Camera, Config, MilesightServer, Rtsp, RtspStream, Vote, Web
from lpr.core.errors import LogLockedError
from lpr.events import Character, PassageDecided, Reading
from lpr.media import room
from lpr.preparing import StartError
from lpr.service import pause_between
from lpr.web.status import Trouble

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The whole service has aiohttp in it: asyncio."""
    return "asyncio"


class Greys:
    """An engine for pictures of one grey: the plate is ABC and the grey's number."""

    name = "greys"

    def read(self, image: NDArray[np.uint8]) -> tuple[Reading, ...]:
        text = f"ABC{int(image[0, 0, 0]):04d}"
        return (
            Reading(
                text=text,
                confidence=0.95,
                characters=tuple(Character(char=char, confidence=0.95) for char in text),
                box=(10.0, 10.0, 90.0, 40.0),
                corners=((10.0, 10.0), (90.0, 10.0), (90.0, 40.0), (10.0, 40.0)),
                sharpness=100.0,
            ),
        )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A folder of three photographs and nothing that listens."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for grey in (40, 120, 200):
        cv2.imwrite(str(folder / f"{grey:03}.png"), np.full((120, 160, 3), grey, np.uint8))
    camera = Camera(name="gate", source=str(folder), fast=True, lane="in")
    return Config(data=str(tmp_path / "data"), cameras=(camera,), web=Web(enabled=False), vote=Vote(), until_end=True)


async def run(config: Config) -> list[PassageDecided]:
    found: list[PassageDecided] = []
    async with lpr.open(config, engine=Greys()) as service:
        with anyio.fail_after(120):
            await service.wait()
        for record in await service.log.read(0, types=("PassageDecided",)):
            assert isinstance(record.event, PassageDecided)
            found.append(record.event)
    return found


async def test_each_photograph_becomes_a_passage(config: Config) -> None:
    passages = await run(config)
    assert [passage.plate for passage in passages] == ["ABC0040", "ABC0120", "ABC0200"]
    assert {(passage.source, passage.lane) for passage in passages} == {("gate", "in")}


async def test_a_folder_that_was_read_is_not_read_again(config: Config) -> None:
    first = await run(config)
    assert await run(config) == first


async def test_passages_can_be_followed(config: Config) -> None:
    plates: list[str] = []
    async with lpr.open(config, engine=Greys()) as service:
        with anyio.fail_after(120):
            async for record in service.follow("PassageSigned", after=0):
                plates.append(getattr(record.event, "plate", ""))
                if len(plates) == 3:
                    break
        status = await service.status()
    assert plates == ["ABC0040", "ABC0120", "ABC0200"]
    assert {actor.name for actor in status.actors} >= {"voter", "signer", "catalogue", "camera:gate"}


async def test_a_stream_that_is_not_as_configured_is_told(config: Config) -> None:
    streams = (RtspStream(codec="mjpeg", audio="pcmu"),)
    async with lpr.open(
        replace(config, rtsp=Rtsp(port=0, streams=streams), until_end=False), engine=Greys()
    ) as service:
        with anyio.fail_after(120):
            status = await service.status()
            while not (told := [one for one in status.troubles if one.code == "stream"]):  # until the source was asked
                status = await service.status()
    assert [one.values for one in told] == [{"name": "main", "detail": "no sound: only files and streams have sound"}]
    assert "Stream main: no sound: only files and streams have sound" in status.problems


async def test_a_stream_that_chose_for_itself_is_a_hint(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available", lambda: frozenset({"mjpeg"}))
    streams = (RtspStream(audio="none"),)
    async with lpr.open(
        replace(config, rtsp=Rtsp(port=0, streams=streams), until_end=False), engine=Greys()
    ) as service:
        status = await service.status()
    assert status.hints == (Trouble(code="mjpeg", values={"names": "main"}),)
    assert not [one for one in status.troubles if one.code == "stream"]


async def test_the_room_of_pictures_is_known_soon(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpr.service, "MEASURE", (0.01, 0.1))
    async with lpr.open(replace(config, until_end=False), engine=Greys()) as service:
        assert (await service.status()).log.picture_bytes is None  # not looked yet, which is not 0
        with anyio.fail_after(120):
            while len(await service.log.read(0, types=("PassageSigned",))) < 3:
                await service.log.wait(service.log.head)
            total = await service.blobs.total()
            while (await service.status()).log.picture_bytes != total:
                await service.clock.sleep(0.01)
    assert total > 0


def test_few_pictures_are_looked_at_often_and_many_seldom() -> None:
    assert [pause_between(took) for took in (0, 40_000, 200_000, 60_000_000)] == [5.0, 5.0, 20.0, 300.0]


async def test_an_error_of_the_program_is_raised_as_it_is(config: Config) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with lpr.open(config, engine=Greys()):
            raise KeyError("mine")


async def test_one_process_a_data_folder(config: Config) -> None:
    async with lpr.open(config, engine=Greys()):
        with pytest.raises(LogLockedError, match="data"):
            async with lpr.open(config, engine=Greys()):
                pass


async def test_a_taken_port_is_named(config: Config) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        for taken in (
            replace(config, web=Web(port=port)),
            replace(config, milesight=(MilesightServer(port=port),)),
        ):
            with pytest.raises(StartError, match=rf"port {port} of 127\.0\.0\.1 is taken"):
                async with lpr.open(taken, engine=Greys()):
                    pass


async def test_a_data_folder_that_cannot_be_used(config: Config, tmp_path: Path) -> None:

    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="file"):
        async with lpr.open(replace(config, data=str(tmp_path / "file")), engine=Greys()):
            pass


async def test_the_first_password_is_told_once(config: Config) -> None:

    config = replace(config, web=Web(port=0))
    async with lpr.open(config, engine=Greys()) as service:
        assert service.first_login is not None
        secret = service.first_login.password
        everything = b"".join([record.body for record in await service.log.read(0)])
        assert secret.encode() not in everything
    async with lpr.open(config, engine=Greys()) as service:
        assert service.first_login is None

"""Sources that are gone, broken, empty, silent, or change: an event and a message, never a crash; the rest goes on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import pytest

from lpr.cli.main import main
from lpr.core.clock import SimulatedClock
from lpr.events import CaptureFailed, ClockStepped, SourceChanged, SourceEnded, SourceLost, SourceOpened, SourceStalled
from tests.e2e.harness import free_port
from tests.e2e.mjpeg import motion_jpeg
from tests.e2e.numbered import (
    PERIOD,
    check,
    config,
    drawn,
    logged,
    no_problem,
    opened,
    plates,
    problem,
    read_plates,
    records,
    relative,
    run,
    until,
    write_film,
)
from tests.vision.reader_models import write_fixed

pytestmark = pytest.mark.anyio


async def lost(tmp_path: Path, source: Path | str) -> tuple[str, str]:
    """What the status page and the event say of a source that can't be used."""
    async with opened(config(tmp_path, source)) as service:
        told = await problem(service, "Camera gate")
        (record, *_) = await logged(service.log, "SourceLost")
    event = record.event
    assert isinstance(event, SourceLost) and event.reason in told
    assert "Traceback" not in told and "\n" not in told
    return told, event.reason


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    told, _ = await lost(tmp_path, tmp_path / "none.mp4")
    assert str(tmp_path / "none.mp4") in told and "no such file" in told


async def test_a_file_that_comes_later(tmp_path: Path, numbers: Path) -> None:
    """It is tried again, so a disk that is mounted late is found."""
    film = tmp_path / "film.avi"
    async with opened(config(tmp_path, film)) as service:
        await logged(service.log, "SourceLost")
        shutil.copy(numbers, film)
        await service.settled()
        await no_problem(service)
    assert await read_plates(tmp_path) == plates(4)


async def test_a_stream_that_refuses(tmp_path: Path) -> None:
    port = free_port()
    told, _ = await lost(tmp_path, f"rtsp://127.0.0.1:{port}/stream")
    assert f"127.0.0.1:{port}" in told and "is the camera on" in told


async def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    told, _ = await lost(tmp_path, tmp_path / "empty")
    assert "no images" in told


async def test_a_film_of_garbage(tmp_path: Path) -> None:
    (tmp_path / "garbage.avi").write_bytes(bytes(range(256)) * 400)
    told, _ = await lost(tmp_path, tmp_path / "garbage.avi")
    assert "garbage.avi" in told and "ffprobe" in told


async def test_a_film_that_is_cut_short(tmp_path: Path, numbers: Path) -> None:
    """What is there is processed, and the status says that it may not be all."""
    film = tmp_path / "cut.avi"
    shutil.copy(numbers, film)
    os.truncate(film, film.stat().st_size * 6 // 10)
    async with opened(config(tmp_path, film)) as service:
        await service.settled()
        (status,) = (await service.status()).sources
    assert status.state == "ended" and "cut short" in status.message
    assert (await read_plates(tmp_path))[:2] == plates(2)
    await check(tmp_path)


def test_the_command_says_what_is_wrong(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """``lpr run FILE --until-end`` on a file that is no video: a line on standard error and exit code 1."""
    (tmp_path / "garbage.avi").write_bytes(b"nothing")
    options = ("--until-end", "--data", str(tmp_path / "data"), "--set", "web.enabled=false")
    reader = ("--set", f"engine.reader={write_fixed(tmp_path, 'ABC1D23')}")
    assert main(["run", str(tmp_path / "garbage.avi"), *options, *reader]) == 1
    (line,) = caplog.messages
    assert "garbage.avi" in line and "\n" not in line
    assert capfd.readouterr().err == "", "nothing of the libraries' own"


async def test_photographs_of_several_sizes(tmp_path: Path) -> None:
    """Each stands for itself; one that is none is reported and passed over."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for vehicle, (width, height) in enumerate(((320, 192), (640, 384), (480, 640))):
        image = drawn(vehicle * PERIOD + 5, width, height)
        assert cv2.imwrite(str(folder / f"{vehicle}.png"), image)
    (folder / "1b.png").write_bytes(b"no picture")
    await run(config(tmp_path, folder))
    assert await read_plates(tmp_path) == plates(3)
    (failed,) = [record.event for record in await records(tmp_path, "CaptureFailed")]
    assert isinstance(failed, CaptureFailed) and "1b.png" in failed.reason
    await check(tmp_path)


async def test_images_that_follow_each_other_change_their_size(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(2 * PERIOD):
        size = (320, 192) if number < PERIOD else (640, 384)
        assert cv2.imwrite(str(folder / f"{number}.bmp"), drawn(number, *size))
    await run(config(tmp_path, folder, {"image_sequence": True, "image_interval": 0.1}))
    (changed,) = [record.event for record in await records(tmp_path, "SourceChanged")]
    assert isinstance(changed, SourceChanged)
    assert (changed.width, changed.height, changed.position) == (640, 384, PERIOD)
    assert await read_plates(tmp_path) == plates(2)
    await check(tmp_path)


async def test_a_camera_that_stalls_changes_its_size_and_hangs_up(tmp_path: Path) -> None:
    """All in the life of one live source; meanwhile the clock jumps back an hour."""
    clock = SimulatedClock()
    with motion_jpeg() as camera:
        settings = config(tmp_path, camera.url, {"stall_after": 1.5, "retry_first": 0.05, "retry_max": 0.2})
        async with opened(settings, clock=clock) as service:
            await logged(service.log, "SourceOpened")
            await logged(service.log, "PassageDecided")

            camera.sends.clear()
            stalled = (await logged(service.log, "SourceStalled"))[0].event
            assert isinstance(stalled, SourceStalled) and stalled.silent_s >= 1.5
            await problem(service, "Camera gate", "no frame")
            camera.sends.set()
            await no_problem(service)

            clock.step(-3600.0)
            before = len(await service.log.read(0, types=("PassageDecided",)))
            await logged(service.log, "PassageDecided", before + 1)
            (stepped,) = [record.event for record in await logged(service.log, "ClockStepped")]
            assert isinstance(stepped, ClockStepped) and stepped.seconds < -3590

            frames = service.views["gate"].status.frames
            camera.size = (640, 384)
            await until(lambda: service.views["gate"].status.frames > frames + 10)

            openings = len(await service.log.read(0, types=("SourceOpened",)))
            camera.hangs_up.set()
            await logged(service.log, "SourceLost")
            again = (await logged(service.log, "SourceOpened", openings + 1))[-1].event
            assert isinstance(again, SourceOpened) and (again.width, again.height) == (640, 384)
            before = len(await service.log.read(0, types=("PassageDecided",)))
            await logged(service.log, "PassageDecided", before + 1)
    found = await read_plates(tmp_path)
    assert len(found) == len(set(found)) >= 3, "each vehicle once"
    await check(tmp_path, all_signed=False)


async def test_a_film_gives_the_same_passages_at_any_pace(tmp_path: Path) -> None:
    film = write_film(tmp_path / "short.avi", PERIOD + 12)
    await run(config(tmp_path / "fast", film))
    await run(config(tmp_path / "paced", film, {"fast": False}))
    fast, paced = await relative(tmp_path / "fast"), await relative(tmp_path / "paced")
    assert fast == paced
    assert [plate for plate, *_ in fast] == plates(2)


async def test_a_film_that_was_read_is_not_read_again(tmp_path: Path, numbers: Path) -> None:
    """Neither after its end nor after a stop in the middle; a changed file is another film."""
    film = tmp_path / "film.avi"
    shutil.copy(numbers, film)
    await run(config(tmp_path, film))
    async with opened(config(tmp_path, film)) as service:
        await service.settled()
        (status,) = (await service.status()).sources
        assert status.state == "ended" and "read to its end before" in status.message
    assert await read_plates(tmp_path) == plates(4)
    (ended,) = [record.event for record in await records(tmp_path, "SourceEnded")]
    assert isinstance(ended, SourceEnded) and ended.frames == 4 * PERIOD
    write_film(film, 5 * PERIOD)
    await run(config(tmp_path, film, vote={"same_plate_interval": 0}))
    assert await read_plates(tmp_path) == plates(4) + plates(5)
    await check(tmp_path)

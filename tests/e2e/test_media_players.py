"""The room's own encoders, sound and boxes behind the RTSP server; ffmpeg plays them, strict, without a warning."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import anyio
import cv2
import numpy as np
import pytest

from lpr.actors.rtsp_server import RtspServer
from lpr.config import Camera, Rtsp, RtspStream
from lpr.core.accounts import Account, Accounts
from lpr.core.clock import SystemClock
from lpr.core.frames import Frame
from lpr.core.live import LiveView
from lpr.core.record import Record
from lpr.events import Event
from lpr.media.encoder import has_libav
from lpr.media.room import MediaRoom
from tests.media.rig import reading

PASSWORD = "quite-secret"
TONE = 700
STREAMS = (
    RtspStream(name="h264", codec="h264", audio="aac", metadata="none"),
    RtspStream(name="h265", codec="h265", audio="pcmu", metadata="none", width=160),
    RtspStream(name="mjpeg", codec="mjpeg", metadata="none", boxes=True),
)
PLAIN = ("-v", "warning", "-analyzeduration", "500000", "-rtsp_transport", "tcp")
STRICT = ("-xerror", "-err_detect", "explode", *PLAIN)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
    pytest.mark.skipif(not has_libav(), reason="PyAV is not installed (the extra 'video')"),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose sound counts alone: the pictures come from the live view."""
    import subprocess

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sources = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:d=20", "-f", "lavfi", "-i", f"sine=f={TONE}:d=20")
    subprocess.run(("ffmpeg", "-v", "error", *sources, "-c:v", "mpeg4", "-c:a", "aac", str(path)), check=True)
    return path


@asynccontextmanager
async def serving(film: Path) -> AsyncGenerator[str, None]:
    """The server; its pictures are grey with a blue square that moves, and a plate is read at one place."""
    clock, view = SystemClock(), LiveView("gate")
    view.update(stated_rate=25.0)
    room = MediaRoom(STREAMS, [Camera(name="gate", source=str(film), repeat=True)], {"gate": view}, clock)
    accounts = Accounts([Account("nvr", "user", PASSWORD)])
    server = RtspServer(Rtsp(port=0, streams=STREAMS), presentations=room, accounts=accounts, clock=clock)

    async def play() -> None:
        began, number = anyio.current_time(), 0
        while True:
            image = np.full((240, 320, 3), 128, np.uint8)
            image[40:80, number % 280 : number % 280 + 40] = (255, 0, 0)
            frame = Frame("gate", number, clock.wall(), image)
            view.set_frame(frame)
            view.set_readings(frame, (reading("AB123CD", 100, 150, 100, 25),))
            number += 1
            await anyio.sleep_until(began + number / 25)

    async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
        return ()

    async def has_sound(name: str) -> None:
        while (shown := room.presentation(name)) is None or shown.audio is None:  # noqa: ASYNC110 - found out aside
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(room.run)
        tasks.start_soon(play)
        tasks.start_soon(server.run, emit)
        with anyio.fail_after(60):
            await server.started.wait()
            for name in ("h264", "h265"):
                await has_sound(name)
            yield f"rtsp://nvr:{PASSWORD}@127.0.0.1:{server.addresses[0][1]}"
        tasks.cancel_scope.cancel()


async def run(*command: str) -> str:
    """What a program prints on both its outputs; it has to end well."""
    done = await anyio.run_process(command, check=False)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, text
    return text


async def test_pictures_and_sound_play_and_keep_time(film: Path, tmp_path: Path) -> None:
    async with serving(film) as address:
        for name in ("h264", "h265"):
            wave = tmp_path / f"{name}.wav"
            nowhere = ("-map", "0:v", "-t", "1.5", "-fps_mode", "vfr", "-f", "null", "-")
            sound = ("-map", "0:a", "-t", "1.5", "-ac", "1", "-ar", "8000", str(wave))
            assert await run("ffmpeg", "-y", *STRICT, "-i", f"{address}/{name}", *nowhere, *sound) == ""
            samples = np.frombuffer(wave.read_bytes()[100:], np.int16).astype(np.float64)
            spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
            assert np.argmax(spectrum) * 8000 / len(samples) == pytest.approx(TONE, abs=8)
            found = await run(
                "ffprobe", *PLAIN, "-read_intervals", "%+2", "-show_packets", "-of", "json", f"{address}/{name}"
            )
            packets = json.loads(found)["packets"]
            for kind in ("video", "audio"):
                times = [int(one["pts"]) for one in packets if one["codec_type"] == kind and "pts" in one]
                assert len(times) > 3 and all(a < b for a, b in pairwise(times))


async def test_what_is_shown_is_what_was_seen_with_the_plate_drawn(film: Path, tmp_path: Path) -> None:
    async with serving(film) as address:
        for name, size in (("h264", (320, 240)), ("h265", (160, 120)), ("mjpeg", (320, 240))):
            target = tmp_path / f"{name}.png"
            one = ("-map", "0:v", "-frames:v", "1", "-update", "1", str(target))
            await run("ffmpeg", "-y", "-v", "error", "-rtsp_transport", "tcp", "-i", f"{address}/{name}", *one)
            image = cv2.imread(str(target))
            assert image is not None and (image.shape[1], image.shape[0]) == size
            scale = size[0] / 320
            grey = image[round(225 * scale), round(20 * scale)].astype(int)
            assert np.abs(grey - 128).max() <= 4
            blue = image[round(60 * scale)].astype(int)
            assert 30 * scale <= (blue[:, 0] - blue[:, 2] > 100).sum() <= 50 * scale
            drawn = image[round(150 * scale), round(150 * scale)].astype(int)
            assert (np.abs(drawn - 128).max() > 20) == (name == "mjpeg")

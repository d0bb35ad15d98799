"""Pumatronix's addresses with curl, aiohttp and ffmpeg."""

from __future__ import annotations

import json
import shutil
import subprocess
from email import message_from_bytes
from pathlib import Path

import aiohttp
import anyio
import pytest
from anyio import to_thread

from lpr.config import Pumatronix as Settings
from tests.actors.device_http.pumatronix_rig import began, pumatronix, recorded

PATIENCE = 60


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = [pytest.mark.anyio, pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")]


async def curl(*arguments: str, code: int = 0) -> bytes:
    def run() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(("curl", "-sS", *arguments), capture_output=True, timeout=PATIENCE, check=False)

    with anyio.fail_after(2 * PATIENCE):
        done = await to_thread.run_sync(run)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout


async def test_curl_logs_in_and_takes_pictures(tmp_path: Path) -> None:
    async with pumatronix(tmp_path, Settings(stream_rate=50)) as (rig, camera):
        login = json.dumps({"params": {"username": "nvr", "password": "nvr-secret"}})
        there = f"{rig.url}api"
        answer = json.loads(await curl("-H", "Content-Type: application/json", "-d", login, f"{there}/auth"))
        token = f"Authorization: Bearer {answer['token']}"
        await curl("-f", "-H", token, "-o", str(tmp_path / "one.jpg"), f"{there}/snapshot.cgi")
        assert b"Placa=ABC1D23;" in (tmp_path / "one.jpg").read_bytes()
        assert (await curl("-f", "-H", token, f"{there}/lastframe.cgi"))[:2] == b"\xff\xd8"
        assert await curl("-f", "-H", token, f"{there}/trigger.cgi?force=1") == b"forceTriggerRequest"
        several = await curl("-f", "-i", "-H", token, f"{there}/snapshot.cgi?s=1,2")
        message = message_from_bytes(several.partition(b"\r\n")[2])
        assert [part.get_content_type() for part in message.walk()] == ["multipart/related", "image/jpeg", "image/jpeg"]
        assert len(camera.fired) == 3
        assert json.loads(await curl("-f", "-H", token, f"{there}/equipment/analytics"))["voting"]["enabled"] is True


async def test_curl_with_digest_and_the_stream(tmp_path: Path) -> None:
    async with pumatronix(tmp_path, Settings(stream_rate=50)) as (rig, _):
        there = f"{rig.url}api"
        digest = ("--digest", "-u", "nvr:nvr-secret")
        assert (await curl("-f", *digest, f"{there}/snapshot.cgi?q=50"))[:2] == b"\xff\xd8"
        assert (await curl("-f", *digest, f"{there}/lastframe.cgi"))[:2] == b"\xff\xd8"
        stream = await curl(*digest, "-m", "3", f"{there}/mjpegvideo.cgi", code=28)  # 28: -m ended it
        assert stream.startswith(b"--MjpegBoundary\r\nContent-Type: image/jpeg\r\n") and stream.count(b"\xff\xd8") > 1
        put = json.dumps({"voting": {"enabled": False}})
        boss = ("--digest", "-u", "boss:boss-secret")
        assert b"vote.enabled" in await curl(*boss, "-X", "PUT", "-d", put, f"{there}/equipment/analytics")
        assert await curl("-o", "/dev/null", "-w", "%{http_code}", f"{there}/snapshot.cgi") == b"401"


async def test_captures_as_they_happen(tmp_path: Path) -> None:
    """curl writes what it gets as it gets it; the parts are then read by Python's reader of MIME."""
    async with pumatronix(tmp_path) as (rig, camera):
        asked = f"{rig.url}api/trigger.cgi?User_lane=north"
        command = ("curl", "-sSN", "-i", "-u", "nvr:nvr-secret", asked)
        async with await anyio.open_process(command, stdin=None) as waiting:
            assert waiting.stdout is not None
            got = b""
            with anyio.fail_after(PATIENCE):
                for number in range(4):
                    while got.count(b"LprCapture=") < 2 * number or b"\r\n\r\n" not in got:
                        got += await waiting.stdout.receive()
                    await rig.log.append(recorded(camera.shot(2, f"gate@{number}")), actor="engine")
                while got.count(b"LprCapture=") < 8:
                    got += await waiting.stdout.receive()
            waiting.terminate()
        message = message_from_bytes(got.partition(b"\r\n")[2] + b"--trigger--\r\n")
        pictures = [part.get_payload(decode=True) for part in message.walk() if part.get_content_type() == "image/jpeg"]
        assert len(pictures) == 8
        for at, picture in enumerate(pictures):
            assert isinstance(picture, bytes) and f"LprCapture=gate@{at // 2};".encode() in picture


async def test_aiohttp_reads_captures_as_they_happen(tmp_path: Path) -> None:
    """With its own Digest and its own reader of multipart."""
    digest = aiohttp.DigestAuthMiddleware("nvr", "nvr-secret")
    async with pumatronix(tmp_path) as (rig, camera), aiohttp.ClientSession(middlewares=(digest,)) as session:
        with anyio.fail_after(PATIENCE):
            async with session.get(f"{rig.url}api/trigger.cgi?q=60") as response:
                reader = aiohttp.MultipartReader.from_response(response)
                for number in range(4):
                    await rig.log.append(recorded(camera.shot(1, f"gate@{number}")), actor="engine")
                    part = await reader.next()
                    assert isinstance(part, aiohttp.BodyPartReader)
                    picture = bytes(await part.read())
                    assert f"LprCapture=gate@{number};".encode() in picture and b"Placa=ABC1D23;" in picture


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
async def test_ffmpeg_plays_captures_as_they_happen(tmp_path: Path) -> None:
    async with pumatronix(tmp_path) as (rig, camera), anyio.create_task_group() as tasks:

        async def play() -> None:
            head = f"Authorization: {aiohttp.encode_basic_auth('nvr', 'nvr-secret')}\r\n"
            source = ("-f", "mpjpeg", "-headers", head, "-i", f"{rig.url}api/trigger.cgi")
            take = ("-frames:v", "4", "-fps_mode", "passthrough", "-f", "null", "-")
            done = await anyio.run_process(("ffmpeg", "-v", "warning", "-xerror", *source, *take), check=False)
            assert (done.returncode, done.stderr) == (0, b"")
            tasks.cancel_scope.cancel()

        with anyio.fail_after(PATIENCE):
            tasks.start_soon(play)
            await began(rig)
            for number in range(8):  # it looks at some before it begins
                await rig.log.append(recorded(camera.shot(2, f"gate@{number}")), actor="engine")
            await anyio.sleep_forever()


async def test_curl_waits_for_the_next_capture_of_a_row(tmp_path: Path) -> None:
    async with (
        pumatronix(tmp_path, Settings(trigger_form="responses")) as (rig, camera),
        anyio.create_task_group() as tasks,
    ):

        async def next_capture() -> None:
            picture = await curl("-f", "-u", "nvr:nvr-secret", f"{rig.url}api/trigger.cgi")
            assert b"LprCapture=gate@7;" in picture and picture.endswith(b"\xff\xd9")
            tasks.cancel_scope.cancel()

        tasks.start_soon(next_capture)
        with anyio.fail_after(PATIENCE):
            await began(rig)
            await rig.log.append(recorded(camera.shot(1, "gate@7")), actor="engine")
            await anyio.sleep_forever()

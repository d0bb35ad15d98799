"""The RTSP server with real players: ffmpeg and ffprobe (strict: no warning at all), GStreamer, OpenCV, PyAV.

The streams are films that ffmpeg has encoded (``rtsp_film``), so that the server alone is tried; the last test runs the
whole service. Players that are not installed are passed over.
"""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import anyio
import anyio.to_thread
import cv2
import pytest
import trustme

from lpr.actors.rtsp_server import RtspServer
from lpr.config import Rtsp, Tls
from lpr.core.accounts import Account, Accounts
from lpr.core.clock import SystemClock
from lpr.core.record import Record
from lpr.events import ClientJoined, Event
from tests.e2e import harness, rtsp_film

PASSWORD = "quite secret"
ESCAPED = "quite%20secret"
SECONDS = 40.0
"""Until a player is given up."""
BRIEF = ("-analyzeduration", "300000")
"""ffmpeg looks at a stream for so long, µs, instead of seconds."""
RECORD = (("-copyts",), ("-bsf:v", "setts=ts=DTS"))
"""Before the input and before the output: puts the first picture's time back, which ffmpeg's parser does not find."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg, which makes the films, is not installed"),
]
gstreamer = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="gst-launch-1.0 is not installed")


@dataclass
class Place:
    """A server that runs. ``told``: what the log was told."""

    server: RtspServer
    told: list[Event]

    def url(self, stream: str, *, scheme: str = "rtsp", login: bool = True) -> str:
        """The address of a stream."""
        secure = scheme in ("rtsps", "rtspsh")
        port = (self.server.tls_addresses if secure else self.server.addresses)[0][1]
        return f"{scheme}://{f'nvr:{ESCAPED}@' if login else ''}127.0.0.1:{port}/{stream}"


@pytest.fixture(scope="module")
def films() -> dict[str, rtsp_film.Film]:
    """A film of each codec."""
    return {codec: rtsp_film.encode(codec, seconds=2.0) for codec in ("h264", "h265", "mjpeg")}


@asynccontextmanager
async def serving(films: dict[str, rtsp_film.Film], tls: ssl.SSLContext | None = None) -> AsyncGenerator[Place]:
    """The server with a stream a film; h264 has plate events, too."""
    clock, told = SystemClock(), list[Event]()

    async def emit(events: Sequence[Event]) -> tuple[Record, ...]:
        told.extend(events)
        return ()

    room = rtsp_film.FilmRoom(clock, films, texts=("h264",))
    files = None if tls is None else Tls(certificate_file="here", key_file="here")
    settings = Rtsp(port=0, tls_port=0, tls=files)
    accounts = Accounts([Account("nvr", "user", PASSWORD)])
    server = RtspServer(settings, presentations=room, accounts=accounts, clock=clock, tls=tls)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(room.run)
        tasks.start_soon(server.run, emit)
        with anyio.fail_after(SECONDS):
            await server.started.wait()
            yield Place(server, told)
        tasks.cancel_scope.cancel()


async def said(*command: str) -> str:
    """What a program prints on both its outputs; it has to end well."""
    done = await anyio.run_process(command, check=False)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, text
    return text


@pytest.mark.parametrize("transport", ["tcp", "udp", "http"])
@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
async def test_ffmpeg_plays_every_codec_over_every_transport(
    films: dict[str, rtsp_film.Film], codec: str, transport: str
) -> None:
    strict = (*BRIEF, "-v", "warning", "-xerror", "-err_detect", "explode", "-rtsp_transport", transport)
    take = ("-map", "0:v", "-frames:v", "10", "-fps_mode", "passthrough", "-f", "null", "-")
    async with serving(films) as place:
        assert await said("ffmpeg", *strict, "-i", place.url(codec), *take) == ""
        assert any(isinstance(event, ClientJoined) for event in place.told)


@pytest.mark.parametrize("container", ["mkv", "mp4"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
async def test_ffmpeg_records_without_a_word(
    films: dict[str, rtsp_film.Film], codec: str, transport: str, container: str, tmp_path: Path
) -> None:
    """As it comes, into a file: every picture is there, with its own time. ``RECORD`` is explained in rtsp.md."""
    found = tmp_path / f"film.{container}"
    how = (*BRIEF, "-v", "warning", "-xerror", "-rtsp_transport", transport)
    before, after = RECORD if codec != "mjpeg" else ((), ())
    async with serving(films) as place:
        take = ("-map", "0:v", "-frames:v", "30", "-c", "copy", *after, str(found))
        assert await said("ffmpeg", *how, *before, "-i", place.url(codec), *take) == ""
    assert await times(found) == [number * 40 for number in range(30)]


async def test_ffmpeg_says_of_us_what_it_says_of_itself(films: dict[str, rtsp_film.Film], tmp_path: Path) -> None:
    """Without ``RECORD`` ffmpeg (5.1 to 8.1) loses the time of the first picture of H.264 and H.265 over RTSP, whoever
    sends it; here ffmpeg itself."""
    take = ("-map", "0:v", "-frames:v", "30", "-c", "copy", str(tmp_path / "film.mkv"), "-y")
    async with serving(films) as place:
        ours = await said("ffmpeg", *BRIEF, "-v", "warning", "-rtsp_transport", "tcp", "-i", place.url("h265"), *take)
    where = f"rtsp://127.0.0.1:{harness.free_port()}/film"
    source = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "20", "-c:v", "libx265", "-g", "25")
    zero = ("-preset", "ultrafast", "-tune", "zerolatency", "-x265-params", "log-level=error")
    send = ("ffmpeg", "-v", "quiet", *source, *zero, "-f", "rtsp", "-rtsp_transport", "tcp", where)
    theirs = ""
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:

            async def sent() -> None:
                while True:  # until the other one listens, and after it has what it wants
                    await anyio.run_process(send, check=False)

            tasks.start_soon(sent)
            theirs = await said("ffmpeg", *BRIEF, "-v", "warning", "-rtsp_flags", "listen", "-i", where, *take)
            tasks.cancel_scope.cancel()
    assert warnings(ours) == warnings(theirs)


def warnings(text: str) -> list[str]:
    """What ffmpeg said, without the addresses of its parts in memory."""
    return [re.sub("0x[0-9a-f]+", "", line) for line in text.splitlines() if line.strip()]


async def times(file: Path) -> list[int]:
    """The times of a film's packets, ms."""
    rows = await said("ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", str(file))
    return [round(1000 * float(row.rstrip(","))) for row in rows.split()]


@pytest.mark.parametrize("tunnel", [False, True])
async def test_ffmpeg_over_tls(films: dict[str, rtsp_film.Film], tmp_path: Path, tunnel: bool) -> None:
    async with serving(films, certificate(tmp_path)) as place:
        url = place.url("h264", scheme="rtsps")
        how = ("-rtsp_transport", "https") if tunnel else ()
        url = url.replace("rtsps:", "rtsp:") if tunnel else url
        take = ("-map", "0:v", "-frames:v", "10", "-fps_mode", "passthrough", "-f", "null", "-")
        assert await said("ffmpeg", *BRIEF, "-v", "warning", "-xerror", *how, "-i", url, *take) == ""


async def test_ffprobe_sees_what_is_there(films: dict[str, rtsp_film.Film]) -> None:
    async with serving(films) as place:
        text = await said("ffprobe", *BRIEF, "-v", "error", "-show_streams", "-of", "json", place.url("h264"))
        streams = json.loads(text)["streams"]
        kinds = [(one["codec_type"], one.get("codec_name")) for one in streams]
        assert kinds[0] == ("video", "h264") and kinds[1][0] == "data"
        assert (streams[0]["width"], streams[0]["height"]) == (320, 240)


async def test_ffmpeg_takes_the_plate_events_unchanged(films: dict[str, rtsp_film.Film], tmp_path: Path) -> None:
    found = tmp_path / "documents"
    async with serving(films) as place:
        take = ("-map", "0:d", "-t", "1.2", "-c", "copy", "-f", "data", str(found))
        await said("ffmpeg", *BRIEF, "-v", "error", "-rtsp_transport", "tcp", "-i", place.url("h264"), *take)
    assert rtsp_film.DOCUMENT in found.read_bytes()


@gstreamer
@pytest.mark.parametrize("transport", ["rtsp tcp", "rtsp udp", "rtsph", "rtsps", "rtspsh"])
async def test_gstreamer_over_every_transport(films: dict[str, rtsp_film.Film], transport: str, tmp_path: Path) -> None:
    scheme, _, protocol = transport.partition(" ")
    how = ("tls-validation-flags=0",) if scheme in ("rtsps", "rtspsh") else (f"protocols={protocol or 'tcp'}",)
    async with serving(films, certificate(tmp_path)) as place:
        source = ("rtspsrc", f"location={place.url('h264', scheme=scheme, login=False)}", "user-id=nvr", "latency=50")
        login = f"user-pw={PASSWORD}"
        rest = ["!", "rtph264depay", "!", "h264parse", "!", "fakesink", "num-buffers=15"]
        assert await said("gst-launch-1.0", "-q", *source, login, *how, *rest) == ""


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_opencv_reads_pictures(
    films: dict[str, rtsp_film.Film], transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", f"rtsp_transport;{transport}|analyzeduration;300000")

    def read(url: str) -> list[tuple[int, ...]]:
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
        found = [capture.read() for _ in range(5)]
        capture.release()
        return [picture.shape for well, picture in found if well]

    async with serving(films) as place:
        for codec in films:
            assert await anyio.to_thread.run_sync(read, place.url(codec)) == [(240, 320, 3)] * 5


@pytest.mark.skipif(find_spec("av") is None, reason="PyAV is not installed")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_pyav_begins_with_a_key_frame(films: dict[str, rtsp_film.Film], transport: str) -> None:
    import av

    def read(url: str) -> list[bool]:
        with av.open(url, options={"rtsp_transport": transport, "analyzeduration": "300000"}) as container:
            pictures = container.decode(video=0)
            return [next(pictures).key_frame for _ in range(5)]

    async with serving(films) as place:
        for codec in ("h264", "h265"):
            assert await anyio.to_thread.run_sync(read, place.url(codec)) == [True, False, False, False, False]


async def test_a_wrong_password_shows_nothing(films: dict[str, rtsp_film.Film]) -> None:
    async with serving(films) as place:
        url = place.url("h264").replace(ESCAPED, "wrong")
        done = await anyio.run_process(("ffprobe", "-v", "error", url), check=False)
        assert done.returncode != 0 and b"401" in done.stderr
        assert not any(isinstance(event, ClientJoined) for event in place.told)


async def test_the_whole_service_as_a_camera(tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    make = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-t", "5", "-c:v", "mjpeg")
    await said(*make, "-q:v", "5", str(film))
    port = harness.free_port()
    streams = '[[rtsp.streams]]\ncodec = "mjpeg"\n[[rtsp.streams]]\nname = "small"\nwidth = 160\ncodec = "mjpeg"\n'
    where = harness.place(tmp_path, str(film), f"[rtsp]\nport = {port}\n{streams}", "repeat = true")
    process = harness.start(where)
    try:
        password = where.data / "keys" / "nvr.password"
        await anyio.to_thread.run_sync(harness.until, lambda: _serves(port, password), "pictures", process)
        login = f"nvr:{password.read_text().strip()}"
        for stream, width in (("main", 320), ("small", 160)):
            url = f"rtsp://{login}@127.0.0.1:{port}/{stream}"
            text = await said("ffprobe", *BRIEF, "-v", "error", "-show_streams", "-of", "json", url)
            video, metadata = json.loads(text)["streams"]
            assert (video["codec_name"], video["width"], metadata["codec_type"]) == ("mjpeg", width, "data")
    finally:
        assert await anyio.to_thread.run_sync(harness.stop, process) == 0


def _serves(port: int, password: Path) -> bool:
    """Whether the stream has pictures by now."""
    if not password.exists():
        return False
    url = f"rtsp://nvr:{password.read_text().strip()}@127.0.0.1:{port}/main"
    done = subprocess.run(("ffprobe", *BRIEF, "-v", "quiet", url), check=False, timeout=SECONDS)
    return done.returncode == 0


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS for 127.0.0.1."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = folder / "server.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    made.load_cert_chain(pem)
    return made

"""A source's sound: read, sent, decoded again. Needs PyAV."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from lpr.config import Camera
from lpr.core.clock import SystemClock
from lpr.core.live import LiveView
from lpr.media.audio import DRIFT, AudioStream, Line
from lpr.media.encoder import has_libav
from lpr.media.stream import MediaUnavailable, Packets
from lpr.protocols.rtp.audio import AacUnpacker, PcmuUnpacker
from lpr.protocols.rtp.packet import decode_packet
from tests.protocols.rtp import received

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not has_libav(), reason="PyAV is not installed (the extra 'video')"),
]
TONE = 700.0
"""Hz."""


def film(path: Path, *, sound: bool = True, seconds: float = 3.0, rate: int = 44100) -> Path:
    """A film whose left and right channels are a tone; with a picture, so that it is a film without sound too."""
    import av

    container: Any = av.open(str(path), "w")
    video = container.add_stream("mpeg4", rate=10)
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    audio = container.add_stream("aac", rate=rate, layout="stereo") if sound else None
    for number in range(round(seconds * 10)):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), format="rgb24")
        container.mux(video.encode(picture))
    if audio is not None:
        wave = np.sin(2 * np.pi * TONE * np.arange(round(seconds * rate)) / rate).astype(np.float32) * 0.5
        for start in range(0, len(wave) - 1024, 1024):
            sound_frame = av.AudioFrame.from_ndarray(
                np.stack([wave[start : start + 1024]] * 2), format="fltp", layout="stereo"
            )
            sound_frame.sample_rate, sound_frame.pts = rate, start
            container.mux(audio.encode(sound_frame))
        container.mux(audio.encode(None))
    container.mux(video.encode(None))
    container.close()
    return path


def stream_of(camera: Camera, form: Any) -> AudioStream:
    return AudioStream(camera, form, LiveView(camera.name), SystemClock())


async def listen(stream: AudioStream, seconds: float) -> list[Packets]:
    """So much sound, as it comes."""
    found: list[Packets] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.run)
        async with stream.subscribe() as pieces:
            with anyio.fail_after(30):
                async for packets in pieces:
                    found.append(packets)
                    if (packets.timestamp - found[0].timestamp) & 0xFFFFFFFF >= seconds * stream.clock_rate:
                        break
        tasks.cancel_scope.cancel()
    return found


def loudest(samples: np.ndarray[Any, np.dtype[np.float32]], rate: int) -> float:
    """The frequency that a sound has most of, Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate / len(samples)


def decoded(codec: str, rate: int, layout: str, pieces: list[bytes], config: bytes | None = None) -> Any:
    import av

    decoder: Any = av.CodecContext.create(codec, "r")
    decoder.sample_rate, decoder.layout = rate, layout
    if config is not None:
        decoder.extradata = config
    frames = [frame for piece in pieces for frame in decoder.decode(av.Packet(piece))]
    return np.concatenate([np.atleast_2d(frame.to_ndarray())[0] for frame in frames]).astype(np.float32)


@pytest.mark.parametrize("rate", [44100, 48000, 16000])
async def test_pcmu_comes_back(tmp_path: Path, rate: int) -> None:
    stream = stream_of(Camera(source=str(film(tmp_path / "a.mp4", rate=rate))), "pcmu")
    await stream.probe()
    track = await stream.track()
    assert (track.codec, track.clock_rate, track.payload_type, stream.problem) == ("PCMU", 8000, 0, "")
    found = await listen(stream, 0.5)
    frames = [frame for packets in found for frame in received(PcmuUnpacker(), packets.rtp)]
    assert all(len(frame.parts[0]) == 160 for frame in frames)
    steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(found)}
    assert steps == {160}
    sound = decoded("pcm_mulaw", 8000, "mono", [frame.parts[0] for frame in frames])
    assert loudest(sound[800:], 8000) == pytest.approx(TONE, abs=5)


async def test_aac_comes_back(tmp_path: Path) -> None:
    stream = stream_of(Camera(source=str(film(tmp_path / "a.mp4"))), "aac")
    await stream.probe()
    track = await stream.track()
    assert (track.clock_rate, track.payload_type) == (44100, 97)
    assert track.sdp[1] == "a=rtpmap:97 MPEG4-GENERIC/44100/2"
    found = await listen(stream, 0.5)
    assert all(decode_packet(packets.rtp[-1]).marker for packets in found)
    unpacker = AacUnpacker()
    parts = [part for packets in found for frame in received(unpacker, packets.rtp) for part in frame.parts]
    steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(found)}
    assert steps == {1024}
    config = bytes.fromhex(track.sdp[2].rpartition("=")[2])
    sound = decoded("aac", 44100, "stereo", parts, config)
    assert loudest(sound[4096:], 44100) == pytest.approx(TONE, abs=8)


def demo(folder: Path) -> str:
    return "demo"


def mute(folder: Path) -> str:
    return str(film(folder / "mute.mp4", sound=False))


def missing(folder: Path) -> str:
    return str(folder / "none.mp4")


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (demo, "only files and streams have sound"),
        (mute, "mute.mp4 has no sound"),
        (missing, "none.mp4: its sound can't be read"),
    ],
)
async def test_where_there_is_no_sound_it_is_said(tmp_path: Path, make: Callable[[Path], str], part: str) -> None:
    stream = stream_of(Camera(source=make(tmp_path)), "pcmu")
    assert "not known yet" in stream.problem
    await stream.probe()
    assert part in stream.problem
    with pytest.raises(MediaUnavailable, match="sound"):
        await stream.track()


async def test_a_password_is_never_told(tmp_path: Path) -> None:
    secret = tmp_path / "credentials"
    secret.write_text("admin:s3cret-pass")
    camera = Camera(source="rtsp://127.0.0.1:9/x", credentials_file=str(secret), stall_after=1.0, retry_first=60.0)
    stream = stream_of(camera, "pcmu")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.probe)
        with anyio.fail_after(20):
            while "not known yet" in stream.problem:  # noqa: ASYNC110 - the problem is a plain text, as servers see it
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert "127.0.0.1:9" in stream.problem and "s3cret" not in stream.problem


@pytest.mark.parametrize("rate", [8000, 44100])
async def test_pieces_lie_one_behind_the_other_and_near_the_clock(rate: int) -> None:
    from lpr.media.sound import Tone

    tone = Tone("aac", rate, 1, 1024)
    line, length = Line(tone), 1024 * 1_000_000 // rate
    places: list[int] = []

    def come(now: int) -> bool:
        """A piece; whether it is sent."""
        found = line.place(now)
        if found is not None:
            places.append(found[0] * rate // 1_000_000 + found[1])
        return found is not None

    assert all(come(number * length) for number in range(100))
    assert [b - a for a, b in pairwise(places)] == [1024] * 99
    stall = 100 * length + 3 * DRIFT
    assert come(stall)  # behind a stall it goes on at the clock's time
    assert places[-1] == pytest.approx(stall * rate / 1e6, abs=1)
    sent = [come(stall) for _ in range(200)]  # what was held up comes all at once
    assert sent.count(True) == pytest.approx(DRIFT / length, abs=2) and not sent[-1]
    assert come(stall + 10 * DRIFT)
    assert all(a < b for a, b in pairwise(places))


async def test_a_film_that_is_repeated_sounds_on(tmp_path: Path) -> None:
    source = film(tmp_path / "short.mp4", seconds=0.4)
    stream = stream_of(Camera(source=str(source), repeat=True), "pcmu")
    await stream.probe()
    found = await listen(stream, 1.0)
    assert len(found) >= 40

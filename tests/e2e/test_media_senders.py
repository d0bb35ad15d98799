"""Other people's RTP through our depacketisers: FFmpeg and GStreamer send, we unpack, and the pictures are whole."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import pytest

from lpr.protocols.rtp import h264, h265, rtcp
from lpr.protocols.rtp.audio import AacUnpacker, PcmuUnpacker
from lpr.protocols.rtp.frames import RtpFrame, Unpacker
from lpr.protocols.rtp.jpeg import JpegUnpacker
from lpr.protocols.rtp.order import Reception
from lpr.protocols.rtp.packet import decode_packet

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_gstreamer = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="gst-launch-1.0 is not installed")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=700:sample_rate=44100")


@dataclass
class Sender:
    """A program that sends to ``rtp`` (and its reports to ``reports``)."""

    rtp: socket.socket
    reports: socket.socket

    def receive(self, unpacker: Unpacker, frames: int, clock_rate: int = 90000) -> tuple[list[RtpFrame], Reception]:
        """So many frames, with the account of what came."""
        found: list[RtpFrame] = []
        account = Reception(clock_rate)
        while len(found) < frames:
            packet = decode_packet(self.rtp.recv(65536))
            account.packet(packet, 0)
            found += unpacker.add(packet)
        return found, account


@contextmanager
def sending(command: Sequence[str]) -> Generator[Sender]:
    """``PORT`` and ``CONTROL`` in ``command`` are the ports to send to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp, socket.socket(type=socket.SOCK_DGRAM) as reports:
        for one in (rtp, reports):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
            one.bind(("127.0.0.1", 0))
            one.settimeout(10)
        port, control = rtp.getsockname()[1], reports.getsockname()[1]
        words = [word.replace("PORT", str(port)).replace("CONTROL", str(control)) for word in command]
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield Sender(rtp, reports)
        finally:
            process.kill()
            process.wait()


def ffmpeg(*words: str) -> list[str]:
    return ["ffmpeg", "-nostdin", "-re", *words, "-f", "rtp", "rtp://127.0.0.1:PORT?rtcpport=CONTROL&pkt_size=1200"]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("codec", "unpacker", "sets"),
    [
        (("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"), h264.H264Unpacker, {7, 8, 5}),
        (("-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency"), h265.H265Unpacker, {32, 33, 34}),
    ],
)
def test_ffmpegs_films(codec: tuple[str, ...], unpacker: type[Unpacker], sets: set[int]) -> None:
    kind = h264.kind if unpacker is h264.H264Unpacker else h265.kind
    with sending(ffmpeg(*PICTURE, "-g", "10", "-b:v", "4M", *codec)) as sender:
        frames, account = sender.receive(unpacker(), 25)
        report = rtcp.decode(sender.reports.recv(2000))
    assert not any(frame.damaged for frame in frames) and account.lost == 0
    assert {kind(unit) for frame in frames for unit in frame.parts} >= sets
    steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(frames)}
    assert steps == {3600}
    assert isinstance(report[0], rtcp.SenderReport) and report[0].ssrc == account.ssrc


@needs_ffmpeg
def test_ffmpegs_mjpeg() -> None:
    plain = ("-huffman", "default", "-force_duplicated_matrix", "1", "-pix_fmt", "yuvj420p")
    options = ("-c:v", "mjpeg", "-q:v", "3", *plain)
    with sending(ffmpeg(*PICTURE, *options)) as sender:
        frames, _ = sender.receive(JpegUnpacker(), 5)
    for frame in frames:
        image = cv2.imdecode(np.frombuffer(frame.parts[0], np.uint8), cv2.IMREAD_COLOR)
        assert image is not None and image.shape == (240, 320, 3) and image.std() > 40


@needs_ffmpeg
def test_ffmpegs_sound() -> None:
    with sending(ffmpeg(*SOUND, "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1")) as sender:
        frames, _ = sender.receive(PcmuUnpacker(), 10, 8000)
    assert all(frame.parts[0] for frame in frames)
    with sending(ffmpeg(*SOUND, "-c:a", "aac")) as sender:
        frames, _ = sender.receive(AacUnpacker(), 10, 44100)
    assert not any(frame.damaged for frame in frames) and all(frame.parts for frame in frames)


GST = ("gst-launch-1.0", "-q")
GST_PICTURE = ("videotestsrc", "is-live=true", "!", "video/x-raw,format=I420,width=320,height=240,framerate=25/1", "!")
GST_SINK = ("!", "udpsink", "host=127.0.0.1", "port=PORT")


@needs_gstreamer
def test_gstreamers_mjpeg() -> None:
    with sending((*GST, *GST_PICTURE, "jpegenc", "!", "rtpjpegpay", *GST_SINK)) as sender:
        frames, account = sender.receive(JpegUnpacker(), 5)
    assert account.lost == 0
    for frame in frames:
        image = cv2.imdecode(np.frombuffer(frame.parts[0], np.uint8), cv2.IMREAD_COLOR)
        assert image is not None and image.shape == (240, 320, 3) and image.std() > 40


@needs_gstreamer
@needs_ffmpeg
def test_gstreamers_aggregated_units(tmp_path_factory: pytest.TempPathFactory) -> None:
    film = tmp_path_factory.mktemp("film") / "film.h264"
    made = ("ffmpeg", "-v", "error", *PICTURE, "-t", "4", "-c:v", "libx264", "-g", "10", "-bf", "0", str(film))
    subprocess.run(made, check=True, stdin=subprocess.DEVNULL)
    payer = ("rtph264pay", "aggregate-mode=zero-latency", "config-interval=-1")
    parse = ("filesrc", f"location={film}", "!", "h264parse", "!", "identity", "sleep-time=20000", "!")
    with sending((*GST, *parse, *payer, *GST_SINK)) as sender:
        frames, account = sender.receive(h264.H264Unpacker(), 25)
    assert account.lost == 0 and not any(frame.damaged for frame in frames)
    assert {h264.kind(unit) for frame in frames for unit in frame.parts} >= {1, 5, 7, 8}

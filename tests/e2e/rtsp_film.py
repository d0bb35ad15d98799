"""A film that ffmpeg encoded, played as RTSP streams: what the RTSP server alone is seen with, without our encoders.

Every codec is encoded once a session of tests; whoever joins sees the film from its key frame on, as if one had been
asked of an encoder.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from lpr.config import RtspStream
from lpr.core.clock import Clock
from lpr.media.source import Presentation
from lpr.media.stream import MediaStream, Track
from lpr.protocols.rtp import h264, h265, jpeg
from lpr.protocols.rtp import xml as metadata
from lpr.protocols.rtp.nal import split

RATE = 25
SECOND = 1_000_000
DOCUMENT = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">'
    b"</tt:MetadataStream>"
)


@dataclass(frozen=True)
class Film:
    """``frames``: payloads of each picture, the first a key frame. ``sdp``: its media lines."""

    codec: str
    frames: tuple[tuple[bytes, ...], ...]
    keys: tuple[bool, ...]
    payload_type: int
    sdp: tuple[str, ...]


def encode(codec: str, *, seconds: float = 4.0, size: str = "320x240", bitrate: str = "500k") -> Film:
    """A test picture, encoded by the ffmpeg of this machine. ``codec``: "h264", "h265", "mjpeg"."""
    options = {
        "h264": ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", "sliced-threads=0"],
        "h265": ["-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-x265-params", "log-level=error"],
        "mjpeg": ["-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p", "-q:v", "6"],
    }[codec]
    container = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}[codec]
    limits = [] if codec == "mjpeg" else ["-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate, "-g", str(RATE)]
    pixels = [] if codec == "mjpeg" else ["-pix_fmt", "yuv420p"]
    source = f"testsrc2=size={size}:rate={RATE}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", str(seconds), *options, *pixels, *limits]
    data = subprocess.run([*command, "-f", container, "-"], check=True, stdout=subprocess.PIPE).stdout
    return {"h264": _h264, "h265": _h265, "mjpeg": _mjpeg}[codec](data)


def _h264(data: bytes) -> Film:
    units, frames, keys = split(data), list[tuple[bytes, ...]](), list[bool]()
    current: list[bytes] = []
    for unit in units:
        current.append(unit)
        if h264.kind(unit) in (1, 5):
            frames.append(tuple(h264.pack(current)))
            keys.append(h264.kind(unit) == 5)
            current = []
    sps = next(unit for unit in units if h264.kind(unit) == h264.SPS)
    pps = next(unit for unit in units if h264.kind(unit) == h264.PPS)
    return Film("H264", tuple(frames), tuple(keys), 96, h264.media_lines(96, sps, pps))


def _h265(data: bytes) -> Film:
    units, frames, keys = split(data), list[tuple[bytes, ...]](), list[bool]()
    current: list[bytes] = []
    for unit in units:
        current.append(unit)
        if h265.kind(unit) < 32:
            frames.append(tuple(h265.pack(current)))
            keys.append(16 <= h265.kind(unit) <= 21)
            current = []
    sets = [next(unit for unit in units if h265.kind(unit) == kind) for kind in (32, 33, 34)]
    return Film("H265", tuple(frames), tuple(keys), 96, h265.media_lines(96, *sets))


def _mjpeg(data: bytes) -> Film:
    pictures = [b"\xff\xd8" + part for part in data.split(b"\xff\xd8") if part]
    frames = tuple(tuple(jpeg.pack(jpeg.parse_jpeg(picture))) for picture in pictures)
    return Film("JPEG", frames, (True,) * len(frames), 26, jpeg.media_lines())


class FilmStream(MediaStream):
    """Plays a film round and round at its own pace while somebody watches; ``run`` has to be running."""

    def __init__(self, name: str, clock: Clock, film: Film) -> None:
        super().__init__(name, clock, film.payload_type, 90000)
        self.film = film
        self.next = 0

    async def track(self) -> Track:
        return Track("video", self.film.codec, self.payload_type, self.clock_rate, self.film.sdp)

    def request_key_frame(self) -> None:
        if not self.film.keys[self.next]:
            self.next = 0

    def tick(self, due: int) -> None:
        """The next picture, which is due at ``due`` (monotonic µs)."""
        frame, key = self.film.frames[self.next], self.film.keys[self.next]
        self.next = (self.next + 1) % len(self.film.frames)
        self.deliver(frame, key=key, at=self.clock.wall(), timestamp=self.timestamp(due))


class TextStream(MediaStream):
    """A metadata document a second."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock, 107, 90000)

    async def track(self) -> Track:
        return Track("metadata", "vnd.onvif.metadata", 107, 90000, metadata.media_lines(107))

    def tick(self, due: int) -> None:
        """The next document."""
        self.deliver(metadata.pack(DOCUMENT), key=True, at=self.clock.wall(), timestamp=self.timestamp(due))


class FilmRoom:
    """Presentations of films: what the server asks."""

    def __init__(self, clock: Clock, films: dict[str, Film], *, texts: Sequence[str] = ()) -> None:
        self.clock = clock
        self.found: dict[str, Presentation] = {}
        for name, film in films.items():
            video = FilmStream(name, clock, film)
            text = TextStream(f"{name}.metadata", clock) if name in texts else None
            self.found[name] = Presentation(name, "gate", RtspStream(name=name), video, None, text)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.found)

    def presentation(self, name: str) -> Presentation | None:
        return self.found.get(name)

    async def run(self) -> None:
        """Play everything until cancelled."""
        start, count = self.clock.mono(), 0
        while True:
            due = start + count * SECOND // RATE
            for presentation in self.found.values():
                for stream in presentation.streams:
                    if not stream.viewers or not isinstance(stream, FilmStream | TextStream):
                        continue
                    if isinstance(stream, FilmStream) or count % RATE == 0:
                        stream.tick(due)
            count += 1
            await anyio.sleep(max(0, due + SECOND // RATE - self.clock.mono()) / SECOND)

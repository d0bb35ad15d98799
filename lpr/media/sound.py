"""A source's sound, read and encoded with PyAV: the only module that does. Blocking; for one thread at a time.

May import this room, ``lpr.protocols``, PyAV.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import av
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from lpr.media.stream import MediaUnavailable
from lpr.protocols.rtp import audio

Form: TypeAlias = Literal["pcmu", "aac"]
PCMU_SAMPLES = 160
AAC_SAMPLES = 1024
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
AAC_BITS = 64_000
"""Bits a second of one channel."""


@dataclass(frozen=True, slots=True)
class Tone:
    """How sound is sent. ``rate``: samples a second; ``channels``: 1 or 2; ``samples``: in one piece."""

    form: Form
    rate: int
    channels: int
    samples: int

    @property
    def layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"


@dataclass(frozen=True, slots=True)
class Piece:
    """``data``: ``Tone.samples`` of sound, encoded; ``offset``: seconds since the beginning of what is read."""

    data: bytes
    offset: float


class SoundReader:
    """The sound of an open source, in the form that is sent."""

    def __init__(
        self, address: str, name: str, form: Form, *, transport: str = "tcp", timeout: float = 10.0, start: float = 0.0
    ) -> None:
        """``name``: the address without credentials, for messages. ``start``: seconds into a file.

        Raises MediaUnavailable: can't be opened, no sound, a codec that isn't known.
        """
        self._name = name
        options = {"rtsp_transport": transport, "allowed_media_types": "audio"} if "://" in address else {}
        try:
            self._container: InputContainer = av.open(address, "r", options=options, timeout=(timeout, timeout))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaUnavailable(f"{name}: its sound can't be read ({_plain(error)})") from None
        try:
            if not self._container.streams.audio:
                raise MediaUnavailable(f"{name} has no sound")
            source = self._container.streams.audio[0].codec_context
            self.tone = _tone(form, source.sample_rate, source.channels)
            self._prepare(start)
        except (av.error.FFmpegError, ValueError) as error:
            self._container.close()
            raise MediaUnavailable(f"{name}: its sound can't be used ({_plain(error)})") from None
        except MediaUnavailable:
            self._container.close()
            raise
        self._ready: deque[Piece] = deque()
        self._packets: Iterator[Any] = iter(cast("Any", self._container).demux(audio=0))
        self._samples = 0
        self._lock = threading.Lock()
        self._closed = False

    def _prepare(self, start: float) -> None:
        if start > 0:
            self._container.seek(round(start * av.time_base))
        form = "s16" if self.tone.form == "pcmu" else "fltp"
        encoder = cast("AudioCodecContext", av.CodecContext.create(_ENCODERS[self.tone.form], "w"))
        encoder.sample_rate, encoder.layout, encoder.format = self.tone.rate, self.tone.layout, form
        if self.tone.form == "aac":
            encoder.bit_rate = AAC_BITS * self.tone.channels
        encoder.open()
        self._encode = cast("Any", encoder).encode
        self._resampler = AudioResampler(
            format=form, layout=self.tone.layout, rate=self.tone.rate, frame_size=self.tone.samples
        )

    def read(self) -> Piece | None:
        """The next piece; None at the end. Raises MediaUnavailable when the source breaks off."""
        try:
            with self._lock:
                return None if self._closed else self._read()
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Let go of the source, from any thread: one that still reads does it when it comes back."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._container.close()
            finally:
                self._lock.release()

    def _read(self) -> Piece | None:
        try:
            while not self._ready:
                packet = next(self._packets, None)
                if packet is None:
                    return None
                self._take(packet)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaUnavailable(f"{self._name}: its sound broke off ({_plain(error)})") from None
        return self._ready.popleft()

    def _take(self, packet: Any) -> None:
        for frame in packet.decode():
            for part in self._resampler.resample(frame):
                part.pts = self._samples
                for coded in self._encode(part):
                    data = bytes(coded)
                    if 0 < len(data) <= audio.MAX_ACCESS_UNIT:
                        self._ready.append(Piece(data, self._samples / self.tone.rate))
                self._samples += part.samples


_ENCODERS: dict[Form, str] = {"pcmu": "pcm_mulaw", "aac": "aac"}


def _tone(form: Form, rate: int, channels: int) -> Tone:
    if form == "pcmu":
        return Tone(form, audio.PCMU_RATE, 1, PCMU_SAMPLES)
    near = next((one for one in AAC_RATES if one <= rate), AAC_RATES[-1])
    return Tone(form, near, 1 if channels == 1 else 2, AAC_SAMPLES)


def _plain(error: Exception) -> str:
    """FFmpeg's words without the address, which may hold a password."""
    text = getattr(error, "strerror", None)
    return text if isinstance(text, str) and text else type(error).__name__

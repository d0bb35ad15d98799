"""H.264 and H.265 with libx264 and libx265 through PyAV: the only module that encodes pictures with it.

Settings are for one viewer's delay, not for a file: no frames held back, one thread, no scene cuts, bit rate bounded
over half a second (without ``maxrate`` and ``bufsize`` a key frame of 720p reached 0.75 MB). Parameter sets go before
every key frame and into the SDP. An open encoder can't change its bit rate: open another one.
May import this room, ``lpr.protocols``, PyAV, OpenCV.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any, cast

import av
import av.error
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from numpy.typing import NDArray

from lpr.media.encoding import Codec, Encoded, EncoderError, Image, Settings
from lpr.protocols.rtp import h264, h265, nal

PAYLOAD_TYPE = 96
_NAMES: dict[Codec, str] = {"h264": "libx264", "h265": "libx265"}
_BUFFER_SECONDS = 0.5
_SPACE, _PRIMARIES, _TRANSFER, _LIMITED = 5, 5, 6, 1
"""BT.601 in limited range (as ITU-T H.273 numbers it), which is what OpenCV's I420 is."""
_MANY_FRAMES = 100_000
"""Between two key frames that the encoder puts itself: the stream asks for them by the clock."""


@cache
def encoders() -> frozenset[Codec]:
    """Those that this PyAV was built with."""
    return frozenset(codec for codec, name in _NAMES.items() if name in av.codecs_available)


class LibavEncoder:
    """One open encoder; its threads have the priority of the thread that opens it."""

    def __init__(self, settings: Settings) -> None:
        """Raises EncoderError."""
        self._codec = settings.codec
        try:
            self._context = _open(settings)
        except (av.error.FFmpegError, ValueError) as error:
            raise EncoderError(f"{_NAMES[settings.codec]} can't be opened: {error}") from error
        units = nal.split(bytes(self._context.extradata or b""))
        kinds = (h264.SPS, h264.PPS) if self._codec == "h264" else (h265.VPS, h265.SPS, h265.PPS)
        self._sets = tuple(unit for wanted in kinds for unit in units if self._kind(unit) == wanted)
        if len(self._sets) != len(kinds):
            raise EncoderError(f"{_NAMES[settings.codec]} gave no parameter sets")
        self._encode = cast("Any", self._context).encode
        self._frames = 0

    @property
    def sdp(self) -> tuple[str, ...]:
        """See Encoder."""
        if self._codec == "h264":
            sps, pps = self._sets
            return h264.media_lines(PAYLOAD_TYPE, sps, pps)
        vps, sps, pps = self._sets
        return h265.media_lines(PAYLOAD_TYPE, vps, sps, pps)

    def encode(self, image: Image, *, key: bool) -> Encoded | None:
        """See Encoder."""
        planes = cast("NDArray[np.uint8]", cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420))
        try:
            # Not copied here, where the interpreter would wait for it, but by FFmpeg, where it does not.
            frame = VideoFrame.from_numpy_buffer(planes, format="yuv420p")
            frame.pts = self._frames
            if key:
                frame.pict_type = PictureType.I
            packets: list[Any] = self._encode(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise EncoderError(f"a picture can't be encoded: {error}") from error
        self._frames += 1
        if not packets:
            return None
        units = [unit for packet in packets for unit in nal.split(bytes(packet)) if not self._is_note(unit)]
        intra = any(packet.is_keyframe for packet in packets)
        pack = h264.pack if self._codec == "h264" else h265.pack
        return Encoded(tuple(pack((*self._sets, *units) if intra else units)), intra)

    def _kind(self, unit: bytes) -> int:
        return h264.kind(unit) if self._codec == "h264" else h265.kind(unit)

    def _is_note(self, unit: bytes) -> bool:
        """Supplemental information: what the encoder says of itself and its buffers; no viewer needs it."""
        kind = self._kind(unit)
        return kind == h264.SEI if self._codec == "h264" else kind in (h265.PREFIX_SEI, h265.SUFFIX_SEI)


def _open(settings: Settings) -> VideoCodecContext:
    context = cast("VideoCodecContext", av.CodecContext.create(_NAMES[settings.codec], "w"))
    rate = Fraction(settings.rate).limit_denominator(1000)
    context.width, context.height, context.pix_fmt = settings.width, settings.height, "yuv420p"
    context.framerate, context.time_base = rate, 1 / rate
    context.gop_size, context.max_b_frames, context.thread_count = _MANY_FRAMES, 0, 1
    context.bit_rate = settings.bitrate * 1000
    context.colorspace, context.color_primaries = _SPACE, _PRIMARIES
    context.color_trc, context.color_range = _TRANSFER, _LIMITED
    context.flags |= Flags.global_header
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "maxrate": str(settings.bitrate * 1000),
        "bufsize": str(round(settings.bitrate * 1000 * _BUFFER_SECONDS)),
    }
    if settings.codec == "h264":
        context.options |= {"sc_threshold": "0"}
    else:
        quiet = "log-level=none:info=0:repeat-headers=0"
        context.options |= {"x265-params": f"scenecut=0:open-gop=0:pools=none:frame-threads=1:{quiet}"}
    context.open()
    return context

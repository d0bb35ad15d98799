"""What encodes pictures: MJPEG with OpenCV, and which codecs this installation has.

H.264 and H.265 need PyAV (the optional extra ``video``), whose wheel brings GPL libraries; ``lpr.media.libav`` alone
imports it, and only where it is installed. MJPEG needs nothing besides. Encoders block and belong to one thread at a
time. May import this room, ``lpr.protocols``, OpenCV.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Literal

import cv2

from lpr.media.encoding import Codec, Encoded, Encoder, EncoderError, Image, Settings
from lpr.protocols.rtp import jpeg

MISSING = "PyAV is not installed, which H.264, H.265 and sound need: pip install 'lpr[video]'"


class MjpegEncoder:
    """Each picture a JPEG of its own (RFC 2435)."""

    def __init__(self, settings: Settings) -> None:
        self._quality = settings.quality

    @property
    def sdp(self) -> tuple[str, ...]:
        """See Encoder."""
        return jpeg.media_lines()

    def encode(self, image: Image, *, key: bool) -> Encoded:
        """See Encoder."""
        try:
            scan = jpeg.parse_jpeg(encode_jpeg(image, self._quality))
        except jpeg.JpegError as error:
            raise EncoderError(str(error)) from error
        return Encoded(tuple(jpeg.pack(scan)), True)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """A baseline JPEG of 4:2:0 with the standard Huffman tables. Raises EncoderError."""
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420),
    ]
    done, data = cv2.imencode(".jpg", image, options)
    if not done:
        raise EncoderError(f"OpenCV could not encode a picture of {image.shape[1]} x {image.shape[0]} pixels")
    return data.tobytes()


@cache
def has_libav() -> bool:
    """Whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


@cache
def available() -> frozenset[Codec]:
    """The codecs that can be encoded here."""
    if not has_libav():
        return frozenset({"mjpeg"})
    from lpr.media.libav import encoders

    return frozenset({"mjpeg", *encoders()})


def choose_codec(asked: Literal["auto", "h264", "h265", "mjpeg"], there: frozenset[Codec]) -> tuple[Codec, str]:
    """What is encoded where ``asked`` is configured, and one sentence for people when that is something else."""
    if asked == "auto":
        return ("h264", "") if "h264" in there else ("mjpeg", f"MJPEG is offered: {MISSING}")
    if asked in there:
        return asked, ""
    return "mjpeg", f"MJPEG is offered instead of {asked.upper()}: {MISSING}"


def open_encoder(settings: Settings) -> Encoder:
    """Raises EncoderError."""
    if settings.codec == "mjpeg":
        return MjpegEncoder(settings)
    if settings.codec not in available():
        raise EncoderError(MISSING)
    from lpr.media.libav import LibavEncoder

    return LibavEncoder(settings)


def fit(size: tuple[int, int], width: int, height: int, codec: Codec) -> tuple[int, int]:
    """Width and height to encode a picture of ``size`` with: its shape kept, within ``width`` and ``height`` (0: as the
    shape demands), never larger than it but for rounding to the codec's steps (8 for MJPEG, at most 2040; else 2)."""
    step, most = (8, jpeg.MOST_PIXELS) if codec == "mjpeg" else (2, 16384)
    limits = (min(width or most, most), min(height or most, most))
    scale = min(1.0, *(limit / side for limit, side in zip(limits, size, strict=True)))
    wide, high = (max(step, min(most, round(side * scale / step) * step)) for side in size)
    return wide, high

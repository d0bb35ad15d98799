"""What every encoder is opened with and gives: the interface alone.

May import nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Codec", "Encoded", "Encoder", "EncoderError", "Image", "Settings"]

Codec: TypeAlias = Literal["h264", "h265", "mjpeg"]
Image: TypeAlias = NDArray[np.uint8]
"""(height, width, 3), BGR."""


class EncoderError(Exception):
    """A picture can't be encoded, or an encoder not opened. The text says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an encoder is opened with. ``width``, ``height``: pixels of every picture it gets. ``rate``: frames a second
    that its bit rate counts with. ``bitrate``: kbit/s. ``quality``: of MJPEG, 1 to 100."""

    codec: Codec
    width: int
    height: int
    rate: float
    bitrate: int
    quality: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """One picture as payloads of RTP, which the stream puts headers on. ``key``: it needs no other one."""

    payloads: tuple[bytes, ...]
    key: bool


class Encoder(Protocol):
    """One open encoder. To be used from one thread at a time; ends when it is let go of."""

    @property
    def sdp(self) -> tuple[str, ...]:
        """The lines of the media description that its pictures need (parameter sets)."""
        ...

    def encode(self, image: Image, *, key: bool) -> Encoded | None:
        """A picture of the size in its settings; ``key``: as a key frame. None: it keeps it for now. Raises
        EncoderError."""
        ...

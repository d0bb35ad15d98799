"""Video files, network streams and V4L2 devices, read with OpenCV (FFmpeg, V4L2).

Frames of a file are counted from 0 over every decoded one and passed over by grabbing, so a position is exact; their
times are those of the file. RTSP goes over TCP unless UDP is asked for, and every wait for the network is bounded.
Imports ``lpr.vision.sources``, cv2.
"""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import cv2
import cv2.utils.logging as opencv_log
import numpy as np
from numpy.typing import NDArray

from lpr.events import Micros
from lpr.vision.sources import (
    Kind,
    Opening,
    Shot,
    SourceError,
    Wanted,
    file_identity,
    kind_of,
    missing,
    with_credentials,
    without_credentials,
)

__all__ = ["VideoReader", "open_video"]

FALLBACK_RATE: Final = 25.0
"""Frames a second of a file that states none and has no times."""

MAX_RATE: Final = 1000.0
_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_PORTS: Final = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "http": 80, "https": 443}
_opening = threading.Lock()
"""FFmpeg's options are taken from the environment, so two sources never open at the same time."""


class VideoReader:
    """One open video, stream or device. ``recorded``: its frames bear their own times."""

    def __init__(self, capture: cv2.VideoCapture, opening: Opening, recorded: bool) -> None:
        self.opening = opening
        self._capture = capture
        self._recorded = recorded
        self._position = 0
        self._first: float | None = None
        self._offset: Micros = -1
        self._step: Micros = round(1e6 / (opening.rate or FALLBACK_RATE))

    def skip(self, count: int) -> int:
        """See ``lpr.vision.sources.Reader``."""
        for done in range(count):
            if not self._grab():
                return done
        return count

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        """See ``lpr.vision.sources.Reader``. A frame that isn't wanted is decoded and not converted."""
        if not self._grab():
            return None
        if wanted is not None and not wanted(self._offset):
            return Shot(self._position - 1, self._offset, None)
        found, image = self._capture.retrieve()
        if not found:
            return Shot(self._position - 1, self._offset, None, "the frame can't be decoded")
        picture = _three_channels(np.asarray(image))
        return Shot(self._position - 1, self._offset, picture)

    def close(self) -> None:
        """See ``lpr.vision.sources.Reader``."""
        self._capture.release()

    def _grab(self) -> bool:
        if not self._capture.grab():
            return False
        self._position += 1
        if self._recorded:
            self._offset = self._time()
        return True

    def _time(self) -> Micros:
        """µs of the grabbed frame after the first; where the file's times don't rise, one step of its rate more."""
        now = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        if self._first is None:
            self._first = now
            return 0
        offset = round((now - self._first) * 1000.0)
        return offset if offset > self._offset else self._offset + self._step


def open_video(
    address: str,
    *,
    credentials: str | None = None,
    transport: Literal["tcp", "udp"] = "tcp",
    timeout: float = 10.0,
    silence: float = 40.0,
    max_size: tuple[int, int] = (8192, 8192),
) -> VideoReader:
    """Open a file, a URL or a device. ``timeout``: seconds for opening a stream, ``silence``: for each frame of it.

    ``max_size``: (width, height); larger frames are refused. Raises SourceError.
    """
    kind, shown = kind_of(address), without_credentials(address)
    content = _content(Path(address)) if kind == "file" else ""
    if kind == "device" and not Path(address).exists():
        raise SourceError(f"{address}: there is no such device; connect the camera (v4l2-ctl --list-devices shows it)")
    capture = _open(kind, with_credentials(address, credentials), transport, timeout, silence)
    if not capture.isOpened():
        capture.release()
        raise _refused(kind, address, shown)
    width, height = round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if width > max_size[0] or height > max_size[1]:
        capture.release()
        limit = f"{max_size[0]} x {max_size[1]}"
        raise SourceError(f"{shown}: frames of {width} x {height} pixels, the limit is {limit} (max_width)", final=True)
    stated = capture.get(cv2.CAP_PROP_FPS)
    rate = stated if 0.0 < stated <= MAX_RATE else 0.0
    frames = max(0, round(min(1e12, capture.get(cv2.CAP_PROP_FRAME_COUNT)))) if kind == "file" else 0
    opening = Opening(kind, shown, width, height, rate, content, frames)
    return VideoReader(capture, opening, recorded=kind == "file")


def _content(path: Path) -> str:
    try:
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: the file is empty", final=True)
        return file_identity(path)
    except OSError:
        raise missing(path) from None


def _open(kind: Kind, address: str, transport: str, timeout: float, silence: float) -> cv2.VideoCapture:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    opencv_log.setLogLevel(opencv_log.LOG_LEVEL_SILENT)  # what it has to say is said by SourceError
    if kind == "device":
        return cv2.VideoCapture(address, cv2.CAP_V4L2)
    if kind == "file":
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG)
    opening, frame = max(1, round(timeout * 1000.0)), max(1, round(silence * 1000.0))
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, opening, cv2.CAP_PROP_READ_TIMEOUT_MSEC, frame]
    with _opening:
        before = os.environ.get(_OPTIONS)
        if address.lower().startswith("rtsp"):
            os.environ[_OPTIONS] = f"rtsp_transport;{transport}"
        try:
            return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)
        finally:
            if before is None:
                os.environ.pop(_OPTIONS, None)
            else:
                os.environ[_OPTIONS] = before


def _refused(kind: Kind, address: str, shown: str) -> SourceError:
    if kind == "file":
        return SourceError(f"{shown}: no video that FFmpeg can read; try it with ffprobe, or convert it", final=True)
    if kind == "device":
        return SourceError(f"{shown}: can't be opened; is another program using it, are you in the group video?")
    return SourceError(f"{shown}: {_why(address)}")


def _why(address: str) -> str:
    """Why a URL can't be opened, as far as a connection to its port tells."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme.lower(), 0)
    except ValueError:
        return "this is no URL; write rtsp://host:port/path"
    if not host or not port or parts.scheme.lower() not in _PORTS:
        return "the stream can't be opened; check the address"
    try:
        socket.create_connection((host, port), timeout=3.0).close()
    except socket.gaierror:
        return f"the name {host} is unknown; check the address"
    except OSError as error:
        return f"{host}:{port} can't be reached ({error.strerror or error}); is the camera on, is the port right?"
    return "the camera answers, the stream can't be opened; check the path, the user and the password"


def _three_channels(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    picture = np.asarray(image, np.uint8)
    if picture.ndim == 2 or picture.shape[2] == 1:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    return picture

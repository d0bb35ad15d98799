"""What a source's address means, what a reader of frames offers, and the words in which one fails.

An address is "demo" (or "demo:SEED"), a URL, a device ("/dev/video0"), a folder of images, an image or a video file.
Readers block: the sensor gives them a thread. Nothing here is kept between two sources.
Imports ``lpr.events`` (value types) and the standard library.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray

from lpr.events import Micros

Kind: TypeAlias = Literal["file", "stream", "device", "folder", "demo"]
"""As in SourceOpened."""

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "udp", "rtp", "tcp", "mms")
"""Schemes of URLs that FFmpeg can read live pictures from."""

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
"""Endings of image files, in lower case."""

FIRST_BYTES = 1_048_576
"""So much of a file goes into its content's identity."""

MAX_CREDENTIALS = 1024

Wanted: TypeAlias = Callable[[Micros], bool]
"""Whether a frame with this offset (as in ``Shot``) is worth its pixels."""

_DEVICE = re.compile(r"/dev/.+")
_DEMO = re.compile(r"demo(?::(\d{1,9}))?")


class SourceError(Exception):
    """A source can't be used now. The text names the address without credentials, what is wrong and what helps.

    ``final``: trying again won't help (a file that is no video).
    """

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class Opening:
    """What a source says of itself when it is opened; see SourceOpened. ``frames``: as stated, 0 unknown."""

    kind: Kind
    address: str
    width: int
    height: int
    rate: float
    content: str = ""
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame as it was read. ``offset``: µs after frame 0 (recorded sources). ``image``: BGR; None where it can't
    be read (``problem`` says why) or wasn't wanted (``problem`` is "")."""

    position: int
    offset: Micros
    image: NDArray[np.uint8] | None
    problem: str = ""


class Reader(Protocol):
    """A source that is open. Not safe for two threads at once."""

    @property
    def opening(self) -> Opening: ...

    def skip(self, count: int) -> int:
        """Pass over frames without looking at them; returns how many there were (fewer: the end)."""
        ...

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        """The next frame; None at the end, or when a live source breaks off. Raises SourceError.

        ``wanted``: asked once the frame is there and before its pixels are made, by readers that can save that.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Guarded:
    """A reader that may be closed while a thread that was given up still reads from it: that thread then closes it."""

    def __init__(self, reader: Reader) -> None:
        self.opening = reader.opening
        self._reader = reader
        self._lock = threading.Lock()
        self._closed = False

    def skip(self, count: int) -> int:
        """See Reader."""
        with self._lock:
            try:
                return 0 if self._closed else self._reader.skip(count)
            finally:
                self._let_go()

    def read(self, wanted: Wanted | None = None) -> Shot | None:
        """See Reader."""
        with self._lock:
            try:
                return None if self._closed else self._reader.read(wanted)
            finally:
                self._let_go()

    def close(self) -> None:
        """See Reader; returns at once."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._reader.close()
            finally:
                self._lock.release()

    def _let_go(self) -> None:
        if self._closed:
            self._reader.close()


def kind_of(address: str) -> Kind:
    """What an address names, by its form; only a path is looked at. Raises SourceError for an unknown scheme."""
    if _DEMO.fullmatch(address):
        return "demo"
    scheme, colon, _ = address.partition("://")
    if colon:
        if scheme.lower() in SCHEMES:
            return "stream"
        known = ", ".join(SCHEMES)
        raise SourceError(f"{without_credentials(address)}: unknown scheme {scheme!r}; known are {known}", final=True)
    if _DEVICE.fullmatch(address):
        return "device"
    return "folder" if Path(address).is_dir() or address.lower().endswith(IMAGES) else "file"


def is_recorded(address: str) -> bool:
    """Whether a source can be read again from any frame: then none may be lost. An unknown one is none."""
    try:
        return kind_of(address) in ("file", "folder")
    except SourceError:
        return False


def demo_seed(address: str) -> int:
    """The seed in "demo:SEED", 1 for "demo"."""
    match = _DEMO.fullmatch(address)
    return int(match[1]) if match is not None and match[1] else 1


def without_credentials(address: str) -> str:
    """A URL without user and password, for logs and messages; query parameters that look like secrets are masked."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return re.sub(r"//[^/@]*@", "//", address)
    query = re.sub(r"(?i)((?:pass\w*|pwd|token|key|auth\w*|secret)=)[^&]*", r"\1***", parts.query)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def with_credentials(address: str, credentials: str | None) -> str:
    """A URL with ``user:password`` put in; one that has its own keeps them."""
    if not credentials or "://" not in address:
        return address
    parts = urlsplit(address)
    if "@" in parts.netloc:
        return address
    user, _, password = credentials.partition(":")
    secret = f"{quote(unquote(user), safe='')}:{quote(password, safe='')}"
    return urlunsplit((parts.scheme, f"{secret}@{parts.netloc}", parts.path, parts.query, parts.fragment))


def read_credentials(file: str | None) -> str | None:
    """``user:password`` of a camera's ``credentials_file``; None without one. Raises SourceError."""
    if file is None:
        return None
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(MAX_CREDENTIALS).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: the credentials can't be read ({error}); see credentials_file") from None
    if ":" not in text:
        raise SourceError(f"{file}: no user:password in this file; see credentials_file", final=True)
    return text


def file_identity(path: Path) -> str:
    """The identity of a file's content: hex SHA-256 of its size, its name and its first megabyte. Raises OSError."""
    with path.open("rb") as file:
        first = file.read(FIRST_BYTES)
        size = os.fstat(file.fileno()).st_size
    return hashlib.sha256(f"{size}\n{path.name}\n".encode("utf-8", "surrogateescape") + first).hexdigest()


def folder_identity(paths: list[Path]) -> str:
    """The identity of a folder's images: hex SHA-256 of their names and sizes, in order. Raises OSError."""
    told = "".join(f"{path.stat().st_size} {path.name}\n" for path in paths)
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()


def missing(path: Path) -> SourceError:
    """The error for a path that can't be opened, with the reason."""
    if not path.exists():
        return SourceError(f"{path}: there is no such file or folder; check the camera's source")
    return SourceError(f"{path}: can't be read; check its permissions")

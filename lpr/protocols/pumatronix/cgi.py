"""Pictures over Pumatronix's ``….cgi`` addresses: the parameters of a snapshot, and bodies of several pictures.

Parameters of ``snapshot.cgi``, as the maker's SDK sends them: ``s`` shutters and ``g`` gains (a list: one exposure for
each), ``q`` quality, ``m=1`` mosaic, ``fmt``, ``c`` scenario, ``r`` crop, ``t`` text, ``User_…`` texts for the comment.
A shutter and a gain can't be set on a source of frames, so of ``s`` and ``g`` their number counts alone; what changes
the picture in a way that is not done here is refused, not passed over.

``trigger.cgi``: with ``force=1`` a capture and a line of text; without it every capture as it happens, on one
connection. The maker's camera sends a whole HTTP answer for each there; ``multipart/x-mixed-replace`` is the form that
HTTP's own clients read. Imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

SNAPSHOT_BOUNDARY = "snapshot"
MJPEG_BOUNDARY = "MjpegBoundary"
TRIGGER_BOUNDARY = "trigger"
MULTIPART = f"multipart/related; boundary={SNAPSHOT_BOUNDARY}"
MJPEG = f"multipart/x-mixed-replace; boundary={MJPEG_BOUNDARY}"
TRIGGERED = f"multipart/x-mixed-replace; boundary={TRIGGER_BOUNDARY}"
FORCED = "forceTriggerRequest"
"""What the maker's camera answers to ``trigger.cgi?force=1``."""
MAX_EXPOSURES = 8
MAX_TEXTS = 16
"""``User_…`` parameters."""
MAX_TEXT = 256
"""Characters of one."""

_LIST = re.compile(r"\d{1,7}(,\d{1,7})*")
_KEY = re.compile(r"User_[A-Za-z0-9_.-]{1,64}")
NOT_DONE = {"m": "mosaic", "c": "scenario", "r": "crop", "t": "text overlay"}


class CgiError(ValueError):
    """The parameters can't be served; the text names the one that is wrong."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """``exposures``: how many, 0: as configured; ``quality``: 1 to 100 of the JPEG, None: as recorded; ``texts``: keys
    (with ``User_``) and values for the comment."""

    exposures: int = 0
    quality: int | None = None
    texts: tuple[tuple[str, str], ...] = ()


def snapshot_of(parameters: Iterable[tuple[str, str]]) -> Snapshot:
    """The snapshot that is asked for. Raises CgiError."""
    exposures, quality = 0, None
    texts: list[tuple[str, str]] = []
    for key, value in parameters:
        if key in ("s", "g"):
            if not _LIST.fullmatch(value):
                raise CgiError(f"{key}: numbers with commas between them are needed")
            exposures = max(exposures, value.count(",") + 1)
        elif key == "q":
            quality = _quality(value)
        elif key == "fmt":
            if value.lower() not in ("", "jpg", "jpeg"):
                raise CgiError("fmt: jpg is what there is")
        elif key in NOT_DONE:
            if value not in ("", "0", "-1"):
                raise CgiError(f"{key}: there is no {NOT_DONE[key]} here; leave it out")
        elif key.startswith("User_"):
            if not _KEY.fullmatch(key) or len(value) > MAX_TEXT or len(texts) >= MAX_TEXTS:
                raise CgiError(
                    f"User_: at most {MAX_TEXTS} texts of {MAX_TEXT} characters, names of letters and digits"
                )
            texts.append((key, value))
    if exposures > MAX_EXPOSURES:
        raise CgiError(f"s, g: {exposures} exposures; {MAX_EXPOSURES} are possible")
    return Snapshot(exposures=exposures, quality=quality, texts=tuple(texts))


def force_of(parameters: Iterable[tuple[str, str]]) -> Snapshot:
    """The capture that ``trigger.cgi?force=1`` asks for. Raises CgiError, also for what shapes a picture."""
    asked = snapshot_of(parameters)
    if asked.quality is not None or asked.texts:
        raise CgiError("q, User_: no picture is answered to force=1; give them to snapshot.cgi, or where you wait")
    return asked


def watch_of(parameters: Iterable[tuple[str, str]]) -> Snapshot:
    """How a client that waits for captures wants their pictures. Raises CgiError, also for a number of exposures."""
    asked = snapshot_of(parameters)
    if asked.exposures:
        raise CgiError("s, g: whatever takes a capture says how many exposures it has; leave them out")
    return asked


def _quality(value: str) -> int | None:
    if value in ("", "-1"):
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= 100):
        raise CgiError("q: 1 to 100 is possible")
    return int(value)


def multipart(pictures: Sequence[bytes], boundary: str = SNAPSHOT_BOUNDARY) -> bytes:
    """Several JPEGs as one body (RFC 2046, 5.1), each with its number from 0 in ``X-Frame-Index``."""
    body = bytearray()
    for index, picture in enumerate(pictures):
        body += part(picture, boundary, {"X-Frame-Index": str(index)})
    return bytes(body) + f"--{boundary}--\r\n".encode()


def part(picture: bytes, boundary: str, fields: dict[str, str] | None = None) -> bytes:
    """One JPEG of a multipart body, with the boundary before it and the line's end behind it."""
    return f"--{boundary}\r\n{_lines(picture_fields(picture, fields))}\r\n".encode() + picture + b"\r\n"


def whole_answer(picture: bytes, fields: dict[str, str] | None = None) -> bytes:
    """One JPEG as a whole answer of HTTP/1.1 (RFC 9112, 2.1): one of the maker's row on one connection.

    ``Connection: close`` keeps proxies and clients from using the connection again, where the next picture would be
    taken for the answer to another request.
    """
    every = picture_fields(picture, {"Cache-Control": "no-store", "Connection": "close", **(fields or {})})
    return f"HTTP/1.1 200 OK\r\n{_lines(every)}\r\n".encode() + picture


def picture_fields(picture: bytes, fields: dict[str, str] | None = None) -> dict[str, str]:
    """Kind and length of a JPEG, and ``fields``."""
    return {"Content-Type": "image/jpeg", "Content-Length": str(len(picture)), **(fields or {})}


def _lines(fields: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items())

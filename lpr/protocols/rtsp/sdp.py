"""The session description that DESCRIBE answers with (RFC 4566, as real clients accept it).

May import the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

CONTROL = "trackID="

_CLEAN = re.compile(r"[\x00-\x1f\x7f]+")
_TRACK = re.compile(r"/?(?:trackID|streamid|track)=([0-9]{1,3})/?$", re.IGNORECASE)


def control_of(track: int) -> str:
    """The address of a track, relative to the stream's."""
    return f"{CONTROL}{track}"


def describe(*, session: int, name: str, host: str, tracks: Iterable[tuple[int, Sequence[str]]]) -> bytes:
    """The whole description. ``session``: a number that changes when the tracks do. ``host``: the address here.

    ``tracks``: of each its number and its lines, ``m=`` first, without ``a=control`` and ``a=recvonly``, which are
    added. Raises ValueError on a line that is none.
    """
    kind = "IP6" if ":" in host else "IP4"
    lines = [
        "v=0",
        f"o=- {session} 1 IN {kind} {host}",
        f"s={_CLEAN.sub(' ', name) or '-'}",
        f"c=IN {kind} {'::' if kind == 'IP6' else '0.0.0.0'}",
        "t=0 0",
        "a=type:broadcast",
        "a=control:*",
        "a=range:npt=now-",
    ]
    for number, track in tracks:
        if not track or not track[0].startswith("m=") or any(_CLEAN.search(line) for line in track):
            raise ValueError(f"track {number} has no proper lines: {track!r}")
        lines += [*track, f"a=control:{control_of(number)}", "a=recvonly"]
    return ("\r\n".join(lines) + "\r\n").encode()


def split_address(url: str) -> tuple[str, int | None] | None:
    """An address in a request into the stream's path, without slashes around it, and the track's number or None.

    A query, as NVRs append one, is passed over, also where it stands before the track. ``*`` gives "". None: this is
    no address of RTSP.
    """
    if url == "*":
        return "", None
    match = re.match(r"(?:rtsps?|https?)://[^/?#]*", url, re.IGNORECASE)
    rest = url[match.end() :] if match else url
    if not match and not url.startswith("/"):
        return None
    track: int | None = None
    found = _TRACK.search(rest)
    if found is not None:
        track = int(found[1])
        rest = rest[: found.start()]
    return re.split(r"[?#]", rest, maxsplit=1)[0].strip("/"), track


def base_of(url: str) -> str:
    """The Content-Base for a DESCRIBE of ``url``: without query, with a slash at its end."""
    return re.split(r"[?#]", url, maxsplit=1)[0].rstrip("/") + "/"

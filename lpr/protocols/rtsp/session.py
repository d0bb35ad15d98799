"""A session as a state machine (RFC 2326, A.2), and the headers that speak of it; no clock, no socket.

    INIT --SETUP--> READY --PLAY--> PLAYING --PAUSE--> READY        TEARDOWN: from anywhere to CLOSED
                      '-SETUP: one more track    '-PLAY: again

Rules. All tracks of a session are of one stream and use one kind of transport; PLAY and PAUSE mean all of them,
whatever track they name, since some clients name each in turn. Tracks come and go only while nothing is played (455).
Times are µs of a monotonic clock, handed in.

May import the standard library only, besides this folder.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from lpr.protocols.rtsp.transport import Channels, Choice

SESSION_ID = re.compile(r"[A-Za-z0-9$\-_.+]{1,128}")

_SECOND = 1_000_000


class State(enum.Enum):
    """Where a session is."""

    INIT = "init"
    READY = "ready"
    PLAYING = "playing"
    CLOSED = "closed"


class Refused(Exception):
    """The request can't be done now. ``status``: what to answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Session:
    """``id``: unguessable. ``user``, ``address``: whose it is. ``timeout``: seconds without a word."""

    def __init__(self, id: str, *, stream: str, user: str, address: str, timeout: float, now: int) -> None:
        self.id = id
        self.stream = stream
        self.user = user
        self.address = address
        self.timeout = timeout
        self.state = State.INIT
        self.tracks: dict[int, Choice] = {}
        self._heard = now

    @property
    def interleaved(self) -> bool:
        """Whether its packets go through the connection."""
        return any(isinstance(choice, Channels) for choice in self.tracks.values())

    @property
    def expires(self) -> int:
        """When it ends if nothing is heard until then."""
        return self._heard + round(self.timeout * _SECOND)

    def heard(self, now: int) -> None:
        """A request or a receiver report came."""
        self._heard = max(self._heard, now)

    def may_set_up(self, stream: str, track: int) -> None:
        """Raises Refused when this track can't be added now."""
        if self.state is State.CLOSED:
            raise Refused(454, "the session has ended")
        if self.state is State.PLAYING:
            raise Refused(455, "no track can be added while the stream is played")
        if stream != self.stream:
            raise Refused(459, "the tracks of a session are of one stream")
        if track in self.tracks:
            raise Refused(455, "this track is set up already")

    def set_up(self, track: int, choice: Choice) -> None:
        """Add a track. Raises Refused when its transport is of another kind than the others'."""
        if any(type(choice) is not type(other) for other in self.tracks.values()):
            raise Refused(461, "the tracks of a session use one kind of transport")
        self.tracks[track] = choice
        self.state = State.READY

    def play(self) -> bool:
        """True when it begins, False when it was going on. Raises Refused without tracks."""
        if self.state not in (State.READY, State.PLAYING):
            raise Refused(455, "nothing is set up")
        begins = self.state is State.READY
        self.state = State.PLAYING
        return begins

    def pause(self) -> bool:
        """True when it stops, False when nothing was played. Raises Refused without tracks."""
        if self.state not in (State.READY, State.PLAYING):
            raise Refused(455, "nothing is set up")
        stops = self.state is State.PLAYING
        self.state = State.READY
        return stops

    def tear_down(self, track: int | None) -> bool:
        """End a track, or everything; True when the session has ended with it. Raises Refused."""
        if track is not None and track not in self.tracks:
            raise Refused(455, "this track is not set up")
        if track is not None and len(self.tracks) > 1:
            if self.state is State.PLAYING:
                raise Refused(459, "the tracks of a stream that is played end together")
            del self.tracks[track]
            return False
        self.state = State.CLOSED
        return True


def format_session(session: Session) -> str:
    """The value of the Session header."""
    return f"{session.id};timeout={round(session.timeout)}"


def parse_session(header: str | None) -> str | None:
    """The id of a Session header without its parameters; None: no such header. Malformed: an id that nobody has."""
    if header is None:
        return None
    name = header.partition(";")[0].strip()
    return name if SESSION_ID.fullmatch(name) else ""


def format_range(at: int) -> str:
    """The Range of live pictures that begin at ``at`` (µs since 1970, UTC): an absolute time (RFC 2326, 3.7)."""
    time = datetime.fromtimestamp(at / _SECOND, UTC)
    return f"clock={time:%Y%m%dT%H%M%S}.{time.microsecond // 1000:03d}Z-"


def format_rtp_info(base: str, tracks: Iterable[tuple[str, int | None, int | None]]) -> str:
    """The value of RTP-Info. ``base``: the stream's address with a slash at its end. ``tracks``: of each its control,
    and the sequence number and RTP time of its first packet, None where they are not known."""
    parts: list[str] = []
    for control, sequence, time in tracks:
        part = f"url={base}{control}"
        if sequence is not None:
            part += f";seq={sequence & 0xFFFF}"
        if time is not None:
            part += f";rtptime={time & 0xFFFFFFFF}"
        parts.append(part)
    return ",".join(parts)

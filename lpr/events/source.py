"""A source of frames: opened, changed, stalled, lost, ended, and how far it was looked at.

Imports ``base``.
"""

from __future__ import annotations

from lpr.events.base import Event, Micros


class SourceOpened(Event, frozen=True, kw_only=True):
    """A source delivers frames.

    ``kind``: "file", "stream", "device", "folder" or "demo"; ``address``: without credentials;
    ``content``: identity of a file or folder (hex SHA-256 of size, name and first megabyte), "" for live
    sources; ``position``: first frame to come; ``base``: the time of frame 0 of a file or folder, kept
    over restarts so that frame times repeat; ``rate``: frames a second as the source states it, 0 unknown.
    """

    source: str
    kind: str
    address: str
    width: int
    height: int
    rate: float
    base: Micros
    content: str = ""
    position: int = 0


class SourceChanged(Event, frozen=True, kw_only=True):
    """The frames have another size from ``position`` on."""

    source: str
    width: int
    height: int
    position: int
    at: Micros


class SourceStalled(Event, frozen=True, kw_only=True):
    """The source is open but has delivered no frame for ``silent_s`` seconds."""

    source: str
    silent_s: float


class SourceLost(Event, frozen=True, kw_only=True):
    """The source could not be opened or broke off; the next attempt is in ``retry_in`` seconds."""

    source: str
    reason: str
    attempt: int
    retry_in: float


class SourceEnded(Event, frozen=True, kw_only=True):
    """A file or folder was read to its end. ``frames``: decoded in all; ``at``: time of the last one."""

    source: str
    content: str
    frames: int
    at: Micros


class SourceReported(Event, frozen=True, kw_only=True):
    """Figures of a source since its last report: frames decoded, dropped (latest wins), rate per second."""

    source: str
    frames: int
    dropped: int
    rate: float
    at: Micros


class FramesPassed(Event, frozen=True, kw_only=True):
    """Every frame up to ``position`` has gone through trigger and engine; nothing more was worth recording.

    Written when a scene that had plates has gone quiet and, rarely, to mark progress: a restart resumes
    behind the last of these (or of CaptureTaken), and the voter closes what lies long enough before ``at``.
    """

    source: str
    at: Micros
    position: int


EVENTS: tuple[type[Event], ...] = (
    SourceOpened,
    SourceChanged,
    SourceStalled,
    SourceLost,
    SourceEnded,
    SourceReported,
    FramesPassed,
)
